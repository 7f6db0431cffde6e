"""Roles of the functions as values: each may do what stands here, and nothing else."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import pytest

from components.compute import function_table
from components.compute.function_table import role_policy
from components.compute.permissions import Resources
from components.naming import StageNames
from components.setting_fields import settings_in
from components.settings import GROUPS, Settings
from tests.infrastructure.function_rights import (
    ANNOUNCE,
    CHANGES,
    COUNTED,
    FIGURES,
    FUNCTION,
    ON_RECORDS,
    OUTBOX,
    OUTSIDE_NETWORK,
    RECORDS,
    RENDITIONS,
    RIGHTS,
    USAGE,
    WITH_TOMBSTONES,
    Granted,
)
from tests.infrastructure.safety.access import INTERFACES
from tests.infrastructure.safety.reading import as_list

DEFAULTS = {
    name: group(**{field: setting.default for field, setting in settings_in(group)}) for name, group in GROUPS.items()
}
UNLIMITED = {"max_stored_gib_per_user": 0, "max_stored_videos_per_user": 0, "max_stored_tib_per_stage": 0}
PLAIN = Resources(
    context=StageNames(stage="dev", account_id="123456789012", region="eu-central-1"),
    settings=Settings(stage="dev", **(DEFAULTS | {"uploads": replace(DEFAULTS["uploads"], **UNLIMITED)})),
    data_key_arn="data-key",
    token_key_arns=["token-key", "last-token-key"],
    media_key_arn="media-key",
    completion_topic_arn="topic",
    delivery_queue_arns=[],
    dead_letter_queue_arn="queue",
)
WEBHOOKS = ("https://example.com/mine",)


def basics(function: str) -> Granted:
    group = f"/aws/lambda/video-upload-dev-{function.replace('_', '-')}"
    return {
        f"arn:aws:logs:eu-central-1:123456789012:log-group:{group}:*": {"logs:CreateLogStream", "logs:PutLogEvents"},
        "*": {"xray:PutTraceSegments", "xray:PutTelemetryRecords"},
    }


def parts_of(function: str, resources: Resources, effect: str, *, in_network: bool = False) -> Iterator[dict[str, Any]]:
    for each in role_policy(function, resources, in_network=in_network)["Statement"]:
        assert each["Effect"] in {"Allow", "Deny"}
        assert "Principal" not in each
        if each["Effect"] == effect:
            yield each


def granted(function: str, resources: Resources, *, in_network: bool = False) -> Granted:
    found: Granted = {}
    for each in parts_of(function, resources, "Allow", in_network=in_network):
        conditions = [
            f" if {key} is {value}"
            for operator, tests in each.get("Condition", {}).items()
            for key, value in tests.items()
            if operator in {"StringEquals", "StringLike"}
        ]
        assert len(conditions) == len(each.get("Condition", {}))
        for resource in as_list(each["Resource"]):
            found.setdefault("".join([resource, *conditions]), set()).update(as_list(each["Action"]))
    return found


def stage_where(*, delivery_queue_arns: Sequence[str] = (), **groups: dict[str, object]) -> Resources:
    """Resources of a stage that differs from the plain one in these settings, by their group."""
    changed = {name: replace(getattr(PLAIN.settings, name), **values) for name, values in groups.items()}
    return replace(PLAIN, delivery_queue_arns=delivery_queue_arns, settings=replace(PLAIN.settings, **changed))


@pytest.mark.parametrize("function", RIGHTS)
def test_a_function_may_do_what_its_work_asks_and_no_more(function: str) -> None:
    assert granted(function, PLAIN) == {**RIGHTS[function], **basics(function)}
    assert not list(parts_of(function, PLAIN, "Deny"))


@pytest.mark.parametrize("function", RIGHTS)
def test_in_a_network_lambda_attaches_interfaces_and_the_functions_code_does_not(function: str) -> None:
    more = granted(function, PLAIN, in_network=True)["*"] - granted(function, PLAIN)["*"]
    denied = list(parts_of(function, PLAIN, "Deny", in_network=True))
    if function in OUTSIDE_NETWORK:
        assert not more
        assert not denied
        return
    assert more == INTERFACES
    (statement,) = denied
    assert set(statement["Action"]) == INTERFACES
    assert statement["Resource"] == "*"
    own = f"{FUNCTION}-{function.replace('_', '-')}"
    assert statement["Condition"] == {"ArnLike": {"lambda:SourceFunctionArn": [own, f"{own}:*"]}}


@pytest.mark.parametrize("function", RIGHTS)
def test_the_janitor_alone_asks_for_the_figures_that_the_stage_has(function: str) -> None:
    before = granted(function, PLAIN)
    scaled, billed = (
        granted(function, stage_where(compute={"provisioned_concurrency": 1})),
        granted(function, stage_where(observability={"cost_figure": True})),
    )
    if function != "janitor":
        assert scaled == billed == before
        return
    assert scaled == {**before, "*": {*before["*"], "application-autoscaling:DescribeScalingActivities"}}
    assert billed == {
        **before,
        "*": {*before["*"], "ce:GetCostAndUsage"},
        FIGURES: {"s3:GetObject", "s3:PutObject"},
    }


@pytest.mark.parametrize("function", RIGHTS)
def test_with_scans_verdicts_change_records_and_the_janitor_requests_scans(function: str) -> None:
    before, scanning = granted(function, PLAIN), granted(function, stage_where(malware={"malware_scan": True}))
    if function == "janitor":
        assert scanning == {**before, "*": {*before["*"], "guardduty:SendObjectMalwareScan"}}
    elif function == "scan_verdict":
        assert scanning == {
            **before,
            **WITH_TOMBSTONES,
            f"{FUNCTION}-video-processing:live": {"lambda:InvokeFunction"},
        }
    else:
        assert scanning == before


@pytest.mark.parametrize("function", RIGHTS)
def test_with_renditions_processing_writes_them_and_the_janitor_has_them_converted(function: str) -> None:
    before, making = granted(function, PLAIN), granted(function, stage_where(playback={"renditions": True}))
    if function == "janitor":
        service = "arn:aws:mediaconvert:eu-central-1:123456789012"
        role = "arn:aws:iam::123456789012:role/video-upload-dev-converter-eu-central-1"
        assert making == {
            **before,
            f"{service}:queues/video-upload-dev-renditions": {"mediaconvert:CreateJob", "mediaconvert:SearchJobs"},
            f"{service}:jobs/* if aws:RequestTag/Stage is dev": {"mediaconvert:TagResource"},
            f"{service}:jobs/* if aws:ResourceTag/Stage is dev": {"mediaconvert:GetJob", "mediaconvert:CancelJob"},
            f"{role} if iam:PassedToService is mediaconvert.amazonaws.com": {"iam:PassRole"},
        }
        return
    if function != "video_processing":
        assert making == before
        return
    written = {"s3:PutObject", "s3:AbortMultipartUpload", "s3:GetObjectVersion", "s3:DeleteObjectVersion"}
    assert making == {**before, RENDITIONS: {*before[RENDITIONS], *written}}


@pytest.mark.parametrize("function", RIGHTS)
def test_with_the_outbox_functions_fill_it_and_only_two_publish_to_the_topic(function: str) -> None:
    before, by_outbox = granted(function, PLAIN), granted(function, stage_where(network={"enabled": True}))
    rest = {resource: actions for resource, actions in before.items() if resource not in ANNOUNCE}
    empties: Granted = {OUTBOX: {"s3:GetObject", "s3:DeleteObject"}}
    if function == "message_sender":
        assert by_outbox == {**before, **without_writing(ON_RECORDS), **empties, **ANNOUNCE}
    elif function == "janitor":
        assert by_outbox == {**before, OUTBOX: {*empties[OUTBOX], "s3:PutObject"}}
    elif rest != before:
        assert by_outbox == {**rest, OUTBOX: {"s3:PutObject"}}
    else:
        assert by_outbox == before


def without_writing(records: Granted) -> Granted:
    return {resource: actions for resource, actions in records.items() if resource not in (RECORDS, CHANGES)}


@pytest.mark.parametrize("function", RIGHTS)
def test_only_an_init_that_meets_a_limit_lists_what_is_stored(function: str) -> None:
    before = granted(function, PLAIN)
    limited = granted(function, stage_where(uploads={"max_stored_videos_per_user": 1}))
    assert limited == (before | {COUNTED: {"s3:ListBucket"}} if function == "multipart_init" else before)


@pytest.mark.parametrize("function", RIGHTS)
def test_only_an_init_that_meets_the_stages_limit_reads_its_count_besides(function: str) -> None:
    before, limited = granted(function, PLAIN), granted(function, stage_where(uploads={"max_stored_tib_per_stage": 1}))
    # An administrator is always shown what the stage has stored.
    assert limited == (before | {USAGE: {"s3:GetObject"}} if function == "multipart_init" else before)


def test_every_function_has_a_row_of_rights() -> None:
    assert set(RIGHTS) == set(function_table.FUNCTIONS)


def test_a_function_that_nobody_thought_about_has_no_role() -> None:
    with pytest.raises(KeyError):
        role_policy("another", PLAIN, in_network=False)


def test_notifications_are_delivered_with_the_rights_on_their_destinations_alone() -> None:
    function = "notification_delivery"
    queues = {"sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes", "sqs:ChangeMessageVisibility"}
    secrets = "arn:aws:ssm:eu-central-1:123456789012:parameter/video-upload/dev/webhooks/*"
    bus = "arn:aws:events:eu-central-1:123456789012:event-bus/videos"
    webhook = granted(function, stage_where(delivery_queue_arns=["to-mine"], notifications={"webhooks": WEBHOOKS}))
    assert webhook == {**basics(function), "to-mine": queues, secrets: {"ssm:GetParameter"}}
    both = granted(
        function,
        stage_where(
            delivery_queue_arns=["to-mine", "to-bus"],
            notifications={"webhooks": WEBHOOKS, "event_bus_name": "videos"},
        ),
    )
    assert both == {**webhook, "to-bus": queues, bus: {"events:PutEvents"}}
    only_bus = granted(
        function, stage_where(delivery_queue_arns=["to-bus"], notifications={"event_bus_name": "videos"})
    )
    assert only_bus == {**basics(function), "to-bus": queues, bus: {"events:PutEvents"}}
