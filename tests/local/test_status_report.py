"""The figures of a machine, from metrics whose sums are known."""

import json
from collections.abc import Mapping, Sequence
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from components.observability.figures import figures_of
from local.status.local_names import API_NAME, API_STAGE, monitored_locally
from local.status.metric_store import DAY_SECONDS, MetricStore, stored_metrics
from local.status.report import STALE_SECONDS, StatusReport

NOON = 1_700_049_600
NOW = NOON + 90.0

ONLY_ON_AWS = {"lambda-cold-starts", "cdn-hit-rate", "auto-scaling-events", "cost-per-gb"}

Values = Mapping[str, Sequence[float]]


def line(values: Values, namespace: str = "VideoUpload", at: float = NOON, **dimensions: str) -> str:
    metrics = [{"Name": name} for name in values]
    directive = {"Namespace": namespace, "Dimensions": [list(dimensions)], "Metrics": metrics}
    return json.dumps({"_aws": {"Timestamp": at * 1000, "CloudWatchMetrics": [directive]}, **dimensions, **values})


def report_of(*lines: str, now: float = NOW) -> dict[str, Any]:
    with TemporaryDirectory() as folder:
        file = Path(folder) / "metrics.sqlite3"
        with closing(MetricStore(file, now=lambda: now)) as store:
            for each in lines:
                store.collect(each)
        with stored_metrics(file) as stored:
            return StatusReport(stored, monitored_locally(), now).report()


def report(now: float = NOW, **own: Sequence[float]) -> dict[str, Any]:
    """The report on values of the minute at NOON, and nothing else."""
    return report_of(*[line(own, Stage="local")] if own else [], now=now)


def figures(answer: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {figure["key"]: figure for group in answer["groups"] for figure in group["figures"]}


def test_nothing_happened_yet_is_said_and_not_guessed() -> None:
    answer = report()
    assert answer["since"] is None
    assert {figure["value"] for figure in figures(answer).values()} == {None}
    assert {figure["isMet"] for figure in figures(answer).values()} == {None}
    assert {gauge["value"] for gauge in answer["now"]} == {None}
    assert {(step["today"], step["ever"]) for step in answer["funnel"]} == {(0, 0)}


def test_the_twelve_figures_stand_in_their_three_groups_with_the_specifications_targets() -> None:
    answer = report()
    assert [len(group["figures"]) for group in answer["groups"]] == [4, 4, 4]
    defined = {figure.key: (figure.title, figure.unit, figure.target) for figure in figures_of(monitored_locally())}
    shown = {key: (figure["title"], figure["unit"], figure["target"]) for key, figure in figures(answer).items()}
    assert shown == defined
    assert {key for key, figure in figures(answer).items() if figure["onlyOnAws"]} == ONLY_ON_AWS


def test_the_success_rate_is_of_what_became_ready_or_failed() -> None:
    rate = figures(report(UploadsReady=[1] * 47, UploadsFailed=[1, 1], UploadsRejected=[1]))["upload-success-rate"]
    assert rate["value"] == 100 * 47 / 49
    assert (rate["isMet"], rate["over"]) == (False, "the last hour")
    assert rate["minutes"] == [None] * 58 + [100 * 47 / 49, None]


def test_hourly_figures_hold_nothing_older_than_an_hour() -> None:
    values = {"UploadsReady": [1], "UploadsFailed": [1]}
    assert figures(report(now=NOON + 3599.0, **values))["upload-success-rate"]["value"] == 50
    assert figures(report(now=NOON + 3600.0, **values))["upload-success-rate"]["value"] is None


def test_a_gauge_is_the_highest_of_the_newest_minute_and_now_the_newest_value() -> None:
    answer = report(UploadsInFlight=[3, 8, 1])
    assert figures(answer)["concurrent-uploads"]["value"] == 8
    assert answer["now"][0] == {"key": "uploadsInFlight", "title": "Uploads under way", "value": 1}


def test_a_gauge_that_nobody_read_for_long_is_not_known() -> None:
    answer = report(now=NOON + STALE_SECONDS + 1.0, UploadsInFlight=[3])
    assert answer["now"][0]["value"] is None


def test_little_load_misses_no_target() -> None:
    shown = figures(report(UploadsInFlight=[1], UsersInFlight=[1], StoredSize=[1], UploadsReady=[1]))
    loads = {key for key, figure in shown.items() if figure["better"] is None}
    assert loads == {"concurrent-uploads", "peak-concurrent-users", "storage-growth"}
    assert {(shown[key]["value"] is None, shown[key]["isMet"]) for key in loads} == {(False, None)}
    assert shown["upload-success-rate"]["isMet"] is True


def test_storage_growth_is_what_was_accepted_today() -> None:
    size = [2e9, 1e9]
    assert figures(report(StoredSize=size))["storage-growth"]["value"] == 3
    assert figures(report(now=NOON + DAY_SECONDS, StoredSize=size))["storage-growth"]["value"] is None


def test_the_upload_speed_is_the_median_in_megabytes() -> None:
    assert figures(report(UploadThroughput=[1e6, 60e6, 900e6]))["s3-upload-speed"]["value"] == 60


def test_api_gateways_figures_come_from_its_own_metrics() -> None:
    values = {
        "Count": [1, 1, 1, 1],
        "5XXError": [0, 0, 1, 0],
        "Latency": [10, 20, 30, 40],
        "IntegrationLatency": [5, 15, 25, 35],
    }
    shown = figures(report_of(line(values, "AWS/ApiGateway", ApiName=API_NAME, Stage=API_STAGE)))
    assert shown["average-response-time"]["value"] == 25
    assert shown["error-rate"]["value"] == 25
    assert shown["api-gateway-latency"]["value"] == 5
    assert (shown["average-response-time"]["isMet"], shown["error-rate"]["isMet"]) == (True, False)


def test_the_funnel_counts_today_and_ever() -> None:
    today, before = line({"UploadsStarted": [1, 1, 1]}, Stage="local"), NOON - 3 * DAY_SECONDS
    earlier = line({"UploadsStarted": [1] * 7}, at=before, Stage="local")
    (step,) = [step for step in report_of(today, earlier)["funnel"] if step["key"] == "started"]
    assert (step["today"], step["ever"]) == (3, 10)
