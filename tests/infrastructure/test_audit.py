"""Audit of reads and writes of a video: the queries are saved, and their page explains them."""

from __future__ import annotations

import re

import pytest

from chalicelib.core.stage_library import AUDIT_MESSAGE
from chalicelib.environment import FUNCTIONS
from tests.infrastructure.recorded_program import PROJECT, Recorded, Recording, record

PAGE = (PROJECT / "docs" / "audit.md").read_text()
WORDS_OF_THE_LANGUAGE = {
    *("fields", "filter", "sort", "limit", "asc", "as", "and", "or", "not", "like", "coalesce", "ispresent"),
    *("who", "how", "key"),
}
"""Logs Insights' own, and the names that the queries give."""


def saved(recording: Recording) -> list[Recorded]:
    return recording.of("cloudwatch/queryDefinition:QueryDefinition")


def fields_of(query: str) -> set[str]:
    """Every name in a query that is not the language's own."""
    bare = re.sub(r'"[^"]*"|/(?:\\.|[^/\\])*/', "", query)
    return set(re.findall(r"@?[A-Za-z][A-Za-z.]*", bare)) - WORDS_OF_THE_LANGUAGE


def documented_fields() -> set[str]:
    table = PAGE.split("## The fields")[1].split("\n## ")[0]
    return {name for row in table.splitlines() for name in re.findall(r"`([^`]+)`", row.split(" | ")[0])}


def test_every_question_is_on_the_page_word_for_word_and_no_other(prod: Recording) -> None:
    fenced = re.findall(r"^```(\w*)\n(.*?)\n^```$", PAGE, re.DOTALL | re.MULTILINE)
    on_the_page = {text for language, text in fenced if not language}
    assert {query.inputs["queryString"] for query in saved(prod)} == on_the_page
    for query in saved(prod):
        assert f"`{query.inputs['name'].rpartition('/')[2]}`" in PAGE


def test_questions_ask_logs_that_exist(recording: Recording) -> None:
    groups = {group.inputs["name"] for group in recording.of("cloudwatch/logGroup:LogGroup")}
    for query in saved(recording):
        assert query.inputs["logGroupNames"]
        assert set(query.inputs["logGroupNames"]) <= groups


def test_a_stage_with_a_trail_has_saved_queries(recording: Recording) -> None:
    assert bool(saved(recording)) == bool(recording.of("cloudtrail/trail:Trail"))


def test_the_page_says_what_each_field_means(prod: Recording) -> None:
    asked = {field for query in saved(prod) for field in fields_of(query.inputs["queryString"])}
    assert {"userIdentity.arn", "requestParameters.key", "@message", "correlationId"} <= asked
    assert asked - documented_fields() == set()
    assert documented_fields() - asked == set()


def test_the_platforms_own_calls_are_those_of_its_functions(prod: Recording) -> None:
    (text,) = (each.inputs["queryString"] for each in saved(prod) if "not like" in each.inputs["queryString"])
    (pattern,) = re.findall(r"not like /(.*)/\n", text)
    roles = {role.inputs["name"] for role in prod.of("iam/role:Role") if role.name.startswith("compute-")}
    assert len(roles) == len(FUNCTIONS)
    for role in roles:
        assert re.search(pattern.replace("\\/", "/"), f"arn:aws:sts::123456789012:assumed-role/{role}/{role}")
    for other in ("assumed-role/video-upload-prod-trail-eu-central-1/x", "assumed-role/Administrator/ada", "user/ada"):
        assert not re.search(pattern.replace("\\/", "/"), f"arn:aws:sts::123456789012:{other}")


def test_the_malware_scanner_is_no_stranger_where_videos_are_scanned() -> None:
    scanning = record("prod", overrides={"malwareScan": True})
    (text,) = (each.inputs["queryString"] for each in saved(scanning) if "not like" in each.inputs["queryString"])
    (role,) = (role.inputs["name"] for role in scanning.of("iam/role:Role") if role.name == "scanning-scanner")
    assert role in text


@pytest.mark.parametrize("setting", [True, False])
def test_actions_of_administrators_are_logged_where_the_stage_says_so(setting: bool) -> None:
    recording = record("prod", overrides={"trailManagementEvents": setting})
    (trail,) = recording.of("cloudtrail/trail:Trail")
    categories = [
        field["equals"]
        for selector in trail.inputs["advancedEventSelectors"]
        for field in selector["fieldSelectors"]
        if field["field"] == "eventCategory"
    ]
    assert (["Management"] in categories) == setting
    assert categories.count(["Data"]) == 3


def test_the_question_about_administrators_asks_for_the_message_that_the_app_writes(prod: Recording) -> None:
    (text,) = (
        each.inputs["queryString"] for each in saved(prod) if each.inputs["name"].endswith("/what-administrators-did")
    )
    assert f'filter message = "{AUDIT_MESSAGE}"' in text
