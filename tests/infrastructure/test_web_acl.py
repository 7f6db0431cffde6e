"""The web ACL: which requests its rate rules count, and what a blocked caller is told."""

from __future__ import annotations

import json
import posixpath
import re
from collections.abc import Callable
from typing import Any
from urllib.parse import unquote

import pytest

from chalicelib.contract.errors import STATUS_BY_CODE
from components.edge.web_acl import COUNTED_GROUP
from tests.infrastructure.recorded_program import Recording
from tests.infrastructure.safety.reading import api_document

TRANSFORMATIONS: dict[str, Callable[[str], str]] = {
    # WAF Developer Guide, "Using text transformations"
    "URL_DECODE": unquote,
    "URL_DECODE_UNI": lambda path: unquote(re.sub(r"%u00([0-9a-fA-F]{2})", r"%\1", path)),
    "NORMALIZE_PATH": lambda path: re.sub(r"/{2,}", "/", posixpath.normpath(path)),
    "LOWERCASE": str.lower,
    "NONE": str,
}


def rules(recording: Recording) -> dict[str, dict[str, Any]]:
    (acl,) = recording.of("wafv2/webAcl:WebAcl")
    return {rule["name"]: rule for rule in acl.inputs["rules"]}


def counts(recording: Recording, rule: str, path: str) -> bool:
    scope = rules(recording)[rule]["statement"]["rateBasedStatement"]["scopeDownStatement"]["byteMatchStatement"]
    assert scope["positionalConstraint"] == "CONTAINS"
    for step in sorted(scope["textTransformations"], key=lambda each: each["priority"]):
        path = TRANSFORMATIONS[step["type"]](path)
    return scope["searchString"] in path


@pytest.mark.parametrize(
    "path",
    [
        "/api/multipart/init",
        "/api/multipart/init/",
        "/api/link/multipart/init",
        "/api/multipart/%69nit",
        "/api/multipart/%2569nit",
        "/api/multipart/%u0069nit",
        "/api/%6D%75ltipart%2Finit",
        "/%61pi/multipart/init",
        "/api//multipart/./init",
        "/api/videos/../multipart/init",
        "/../api/multipart/init",
    ],
)
def test_no_spelling_of_init_escapes_its_rate_rules(prod: Recording, path: str) -> None:
    assert counts(prod, "InitsPerIp", path)
    assert counts(prod, "RequestsPerIp", path)


@pytest.mark.parametrize("path", ["/api/videos", "/api/multipart/parts", "/api/uploads", "/api/health"])
def test_other_calls_of_the_api_count_by_address_alone(prod: Recording, path: str) -> None:
    assert counts(prod, "RequestsPerIp", path)
    assert not counts(prod, "InitsPerIp", path)


@pytest.mark.parametrize(
    "path",
    ["/", "/library", "/config.json", "/assets/index.js", "/media/videos/owner/1", "/media/posters/owner/1.jpg"],
)
def test_an_office_behind_one_address_loads_pages_posters_and_ranges_without_bound(prod: Recording, path: str) -> None:
    assert not counts(prod, "RequestsPerIp", path)
    assert not counts(prod, "InitsPerIp", path)


@pytest.mark.parametrize("spelling", ["Bearer T0ken", "bearer T0ken"])
def test_a_token_is_counted_once_however_its_scheme_is_spelled(prod: Recording, spelling: str) -> None:
    authorizers = api_document(prod)["components"]["securitySchemes"].values()
    taken = {each["x-amazon-apigateway-authorizer"].get("identityValidationExpression") for each in authorizers} - {
        None
    }
    assert taken
    assert all(re.fullmatch(pattern, spelling) for pattern in taken)
    (key,) = rules(prod)["RequestsPerToken"]["statement"]["rateBasedStatement"]["customKeys"]
    for step in key["header"]["textTransformations"]:
        spelling = TRANSFORMATIONS[step["type"]](spelling)
    assert spelling == "bearer t0ken"


def answers(recording: Recording) -> list[tuple[str, dict[str, Any]]]:
    """Every block that the web ACL can answer with: the rule and its response."""
    blocks: list[tuple[str, dict[str, Any]]] = []
    for name, rule in rules(recording).items():
        if "action" in rule:
            blocks.append((name, rule["action"]["block"]["customResponse"]))
            continue
        overrides = rule["statement"]["managedRuleGroupStatement"].get("ruleActionOverrides") or []
        blocks.extend(
            (each["name"], each["actionToUse"]["block"]["customResponse"])
            for each in overrides
            if "block" in each["actionToUse"]
        )
    return blocks


def test_every_block_is_answered_in_the_apis_shape_to_pages_of_any_origin(prod: Recording) -> None:
    (acl,) = prod.of("wafv2/webAcl:WebAcl")
    bodies = {body["key"]: body for body in acl.inputs["customResponseBodies"]}
    gateway = api_document(prod)["x-amazon-apigateway-gateway-responses"]["WAF_FILTERED"]
    shape = json.loads(gateway["responseTemplates"]["application/json"])["error"].keys()
    for rule, response in answers(prod):
        body = bodies[response["customResponseBodyKey"]]
        error = json.loads(body["content"])["error"]
        assert body["contentType"] == "APPLICATION_JSON"
        assert error.keys() == shape
        assert STATUS_BY_CODE[error["code"]] == response["responseCode"], rule
        headers = {header["name"]: header["value"] for header in response["responseHeaders"]}
        assert headers["Access-Control-Allow-Origin"] == "*"
        assert ("Retry-After" in headers) == (response["responseCode"] == 429)


def test_every_managed_group_that_blocks_answers_for_its_rules(prod: Recording) -> None:
    named: dict[str, int] = {}
    for rule in rules(prod).values():
        group = rule["statement"].get("managedRuleGroupStatement")
        if group and group["name"] != COUNTED_GROUP:
            named[group["name"]] = sum("block" in each["actionToUse"] for each in group["ruleActionOverrides"])
    assert named == {
        # WAF Developer Guide, "AWS Managed Rules rule groups list": rules that block of their own accord
        "AWSManagedRulesAmazonIpReputationList": 2,
        "AWSManagedRulesKnownBadInputsRuleSet": 12,
        "AWSManagedRulesCommonRuleSet": 21,
    }


def test_a_list_of_many_parts_is_not_blocked(prod: Recording) -> None:
    common = rules(prod)["CommonRuleSet"]["statement"]["managedRuleGroupStatement"]
    counted = [each["name"] for each in common["ruleActionOverrides"] if "count" in each["actionToUse"]]
    assert counted == ["SizeRestrictions_BODY"]
