"""The web ACL (setting `waf`): blocks known attacks and excessive callers before they cause cost."""

from __future__ import annotations

import json
from dataclasses import KW_ONLY, dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING

import pulumi

from components.edge.waf_resource import WebAclLogs, WebAclResource
from components.naming import SITE_REGION, StageContext, type_token
from components.settings import EdgeSettings

if TYPE_CHECKING:  # see waf_resource.py
    from pulumi_aws import wafv2

WINDOW_SECONDS = 300
TOO_OFTEN, BLOCKED = "too-often", "blocked"
BLOCK_RESPONSES = {
    # key of a response body: code and message, in the API's error shape; only AWS knows the request's id
    TOO_OFTEN: ("too_many_requests", "Too many requests; try again in a few minutes."),
    BLOCKED: ("forbidden", "This request is not allowed."),
}
READABLE = {"Access-Control-Allow-Origin": "*", "Cache-Control": "no-store"}
"""Headers of blocked responses. They are the same for everybody, so that pages of any origin may read them."""
COUNTED_GROUP = "AWSManagedRulesAnonymousIpList"
"""Rules that count without blocking: people behind a VPN and programs in data centres are welcome if they sign in."""
MANAGED_GROUPS = (
    COUNTED_GROUP,
    "AWSManagedRulesAmazonIpReputationList",
    "AWSManagedRulesKnownBadInputsRuleSet",
    "AWSManagedRulesCommonRuleSet",
)
BLOCKING_RULES: dict[str, tuple[str, ...]] = {
    "AWSManagedRulesAmazonIpReputationList": ("AWSManagedIPReputationList", "AWSManagedReconnaissanceList"),
    "AWSManagedRulesKnownBadInputsRuleSet": (
        *("ExploitablePaths_URIPATH", "Host_localhost_HEADER", "PROPFIND_METHOD", "ReactJSRCE_BODY"),
        *(f"JavaDeserializationRCE_{part}" for part in ("BODY", "HEADER", "QUERYSTRING", "URIPATH")),
        *(f"Log4JRCE_{part}" for part in ("BODY", "HEADER", "QUERYSTRING", "URIPATH")),
    ),
    "AWSManagedRulesCommonRuleSet": (
        *("NoUserAgent_HEADER", "UserAgent_BadBots_HEADER"),
        *(f"SizeRestrictions_{part}" for part in ("Cookie_HEADER", "QUERYSTRING", "URIPATH")),
        *(f"EC2MetaDataSSRF_{part}" for part in ("BODY", "COOKIE", "QUERYARGUMENTS", "URIPATH")),
        *(f"GenericLFI_{part}" for part in ("BODY", "QUERYARGUMENTS", "URIPATH")),
        *(f"GenericRFI_{part}" for part in ("BODY", "QUERYARGUMENTS", "URIPATH")),
        *(f"RestrictedExtensions_{part}" for part in ("QUERYARGUMENTS", "URIPATH")),
        *(f"CrossSiteScripting_{part}" for part in ("BODY", "COOKIE", "QUERYARGUMENTS", "URIPATH")),
    ),
}
"""WAF Developer Guide, "AWS Managed Rules rule groups list". A rule that AWS adds later blocks with CloudFront's error
page until it is named here. WAF ignores unknown names."""
COUNTED_RULES = {"AWSManagedRulesCommonRuleSet": ("SizeRestrictions_BODY",)}
"""POST /multipart/complete names up to 10,000 parts; the API bounds bodies itself."""

ALLOW: wafv2.WebAclDefaultActionArgsDict = {"allow": {}}
API_PATHS, INIT_PATHS = "/api/", "/multipart/init"
AS_ROUTED = ("URL_DECODE", "URL_DECODE_UNI", "NORMALIZE_PATH")
"""Decoded twice, since CloudFront and API Gateway also route encoded paths."""


@dataclass(frozen=True)
class WebAclArgs:
    """log_group_arn: receives its log."""

    context: StageContext
    settings: EdgeSettings
    _: KW_ONLY
    log_group_arn: pulumi.Input[str]


class WebAcl(pulumi.ComponentResource):
    """Managed rule groups, three rate rules, and a log of blocked requests; all in us-east-1."""

    arn: pulumi.Output[str]
    """ARN for the distribution."""
    metric_name: str
    """Name in the ACL's metrics."""

    def __init__(self, name: str, args: WebAclArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(type_token("WebAcl"), name, None, opts)
        child = pulumi.ResourceOptions(parent=self)
        context = args.context
        self.metric_name = context.account_wide_name("edge")

        acl_properties: dict[str, object] = {
            "region": SITE_REGION,
            "name": self.metric_name,
            "scope": "CLOUDFRONT",
            "default_action": ALLOW,
            "custom_response_bodies": _response_bodies(),
            "rules": [*_rate_rules(args.settings), *_managed_rules()],
            "visibility_config": _visible(self.metric_name),
        }
        acl = WebAclResource(f"{name}-acl", acl_properties, child)
        log_properties: dict[str, object] = {
            "region": SITE_REGION,
            "resource_arn": acl.arn,
            "log_destination_configs": [args.log_group_arn],
            "redacted_fields": _redacted_fields(),
            "logging_filter": _logging_filter(),
        }
        WebAclLogs(f"{name}-logs", log_properties, child)

        self.arn = acl.arn
        self.register_outputs({"arn": self.arn})


def _response_bodies() -> list[wafv2.WebAclCustomResponseBodyArgsDict]:
    return [
        {"key": key, "content": _error_body(code, message), "content_type": "APPLICATION_JSON"}
        for key, (code, message) in BLOCK_RESPONSES.items()
    ]


def _redacted_fields() -> list[wafv2.WebAclLoggingConfigurationRedactedFieldArgsDict]:
    return [{"single_header": {"name": header}} for header in ("authorization", "cookie")]


def _logging_filter() -> wafv2.WebAclLoggingConfigurationLoggingFilterArgsDict:
    kept: wafv2.WebAclLoggingConfigurationLoggingFilterFilterArgsDict = {
        "behavior": "KEEP",
        "requirement": "MEETS_ANY",
        "conditions": [{"action_condition": {"action": action}} for action in ("BLOCK", "COUNT")],
    }
    return {"default_behavior": "DROP", "filters": [kept]}


def _rate_rules(settings: EdgeSettings) -> list[wafv2.WebAclRuleArgsDict]:
    # Only of the API: an office behind one address may load any number of pages, posters and ranges of videos.
    per_ip: wafv2.WebAclRuleStatementRateBasedStatementArgsDict = {
        "limit": settings.requests_per_ip,
        "aggregate_key_type": "IP",
        "evaluation_window_sec": WINDOW_SECONDS,
        "scope_down_statement": _path_contains(API_PATHS),
    }
    # The scheme is case-insensitive (RFC 9110, section 11.1): each token is counted once.
    token: wafv2.WebAclRuleStatementRateBasedStatementCustomKeyHeaderArgsDict = {
        "name": "authorization",
        "text_transformations": [{"priority": 0, "type": "LOWERCASE"}],
    }
    per_token: wafv2.WebAclRuleStatementRateBasedStatementArgsDict = {
        "limit": settings.requests_per_token,
        "aggregate_key_type": "CUSTOM_KEYS",
        "evaluation_window_sec": WINDOW_SECONDS,
        "custom_keys": [{"header": token}],
    }
    inits: wafv2.WebAclRuleStatementRateBasedStatementArgsDict = {
        "limit": settings.inits_per_ip,
        "aggregate_key_type": "IP",
        "evaluation_window_sec": WINDOW_SECONDS,
        "scope_down_statement": _path_contains(INIT_PATHS),
    }
    told = {**READABLE, "Access-Control-Expose-Headers": "Retry-After", "Retry-After": str(WINDOW_SECONDS)}
    block: wafv2.WebAclRuleActionBlockArgsDict = {
        "custom_response": {
            "response_code": HTTPStatus.TOO_MANY_REQUESTS,
            "custom_response_body_key": TOO_OFTEN,
            "response_headers": [{"name": name, "value": value} for name, value in told.items()],
        }
    }
    return [
        {
            "name": rule,
            "priority": priority,
            "action": {"block": block},
            "statement": {"rate_based_statement": statement},
            "visibility_config": _visible(rule),
        }
        for priority, (rule, statement) in enumerate(
            {"RequestsPerIp": per_ip, "RequestsPerToken": per_token, "InitsPerIp": inits}.items()
        )
    ]


def _managed_rules() -> list[wafv2.WebAclRuleArgsDict]:
    return [
        {
            "name": group.removeprefix("AWSManagedRules"),
            "priority": priority,
            "override_action": {"count": {}} if group == COUNTED_GROUP else {"none": {}},
            "statement": {"managed_rule_group_statement": _managed_group(group)},
            "visibility_config": _visible(group.removeprefix("AWSManagedRules")),
        }
        for priority, group in enumerate(MANAGED_GROUPS, start=10)
    ]


def _error_body(code: str, message: str) -> str:
    return json.dumps({"error": {"code": code, "message": message, "details": {}, "requestId": ""}})


def _path_contains(part: str) -> wafv2.WebAclRuleStatementRateBasedStatementScopeDownStatementArgsDict:
    """Match by "contains" instead of "begins with": counting one path too many is better than missing a spelling."""
    return {
        "byte_match_statement": {
            "field_to_match": {"uri_path": {}},
            "positional_constraint": "CONTAINS",
            "search_string": part,
            "text_transformations": [
                {"priority": priority, "type": transformation} for priority, transformation in enumerate(AS_ROUTED)
            ],
        }
    }


def _managed_group(group: str) -> wafv2.WebAclRuleStatementManagedRuleGroupStatementArgsDict:
    """Keep each rule's action, but with our response. Matching the group's labels instead would need another rule, and
    a group that only counts."""
    block: wafv2.WebAclRuleStatementManagedRuleGroupStatementRuleActionOverrideActionToUseBlockArgsDict = {
        "custom_response": {
            "response_code": HTTPStatus.FORBIDDEN,
            "custom_response_body_key": BLOCKED,
            "response_headers": [{"name": name, "value": value} for name, value in READABLE.items()],
        }
    }
    blocking: list[wafv2.WebAclRuleStatementManagedRuleGroupStatementRuleActionOverrideArgsDict] = [
        {"name": rule, "action_to_use": {"block": block}} for rule in BLOCKING_RULES.get(group, ())
    ]
    counting: list[wafv2.WebAclRuleStatementManagedRuleGroupStatementRuleActionOverrideArgsDict] = [
        {"name": rule, "action_to_use": {"count": {}}} for rule in COUNTED_RULES.get(group, ())
    ]
    return {"vendor_name": "AWS", "name": group, "rule_action_overrides": [*blocking, *counting] or None}


def _visible(metric: str) -> wafv2.WebAclRuleVisibilityConfigArgsDict:
    return {"cloudwatch_metrics_enabled": True, "metric_name": metric, "sampled_requests_enabled": True}
