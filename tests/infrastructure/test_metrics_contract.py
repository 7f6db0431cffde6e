"""Contract of metrics: every series that a widget or an alarm reads is written, and every written one is read."""

from __future__ import annotations

import functools
import io
import json
import re
from collections.abc import Iterator, Mapping, Sequence, Set
from contextlib import redirect_stdout
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from chalicelib.adapters.emf_meter import EmfMeter
from chalicelib.contract.requests import ProgressBatch
from chalicelib.core.errors import CompletionRefusedError, UploadExpiredError
from chalicelib.core.malware_scan import MAX_SCAN_REQUESTS, NO_SCAN, ScanPolicy, ScanResult
from chalicelib.core.metric_catalogue import (
    ANY_FUNCTION,
    COMPLETE,
    DELIVERY,
    INIT,
    JANITOR,
    NAMESPACE,
    OWN_METRICS,
    PROCESSING,
    SCAN,
    UPLOAD,
)
from chalicelib.core.ports import StoredObject
from chalicelib.core.progress import TOLD_EVERY_SECONDS
from chalicelib.core.retention_policy import RetentionPolicy
from chalicelib.core.upload_requests import StartUpload
from components.edge.web_acl import WINDOW_SECONDS
from components.observability.alarms import alarms_of
from components.observability.figures import Figure, figures_of
from tests.api.function_process import CALLS, ON_LAMBDA, lines_of
from tests.fakes import FakeMeter
from tests.in_memory_platform import OWNER, InMemoryPlatform, platform_in_memory
from tests.infrastructure.monitored_stage import ANY_STAGE, widgets
from tests.infrastructure.recorded_program import PROJECT, Recording

METRICS_GUIDE = PROJECT / "docs" / "metrics.md"
RUNBOOK = PROJECT / "docs" / "runbook.md"
SERVICES = {
    INIT: ("uploads",),
    COMPLETE: ("completions",),
    UPLOAD: ("simple_uploads", "library", "progress_log"),
    PROCESSING: ("processing",),
    JANITOR: ("janitor", "stage_figures", "stage_usage", "retention"),
    SCAN: ("scan_verdicts",),
    DELIVERY: ("deliveries",),
}
"""Parts of the domain, by the function that serves them."""
UNITS = {"None": "US dollars"}
"""Words for what CloudWatch has no unit for."""
NO_ALARM = {"budget"}
"""Sections of the runbook for alarms that are not CloudWatch's."""
OF_DESTINATIONS = {"notifications-undelivered", "notifications-late"}
"""Alarms of a stage that has a webhook or an event bus."""


BEGAN: dict[str, Any] = {
    "client": "web/1",
    "events": [
        {"event": "uploadBegan", "at": 1, "videoId": "f" * 28, "sizeBytes": 1, "sentBytes": 0, "partCount": 1},
    ],
}


@dataclass(frozen=True)
class Series:
    """One metric as CloudWatch tells them apart."""

    namespace: str
    name: str
    dimensions: frozenset[tuple[str, str]]

    @property
    def dimension_names(self) -> frozenset[str]:
        return frozenset(name for name, _ in self.dimensions)


@functools.cache
def emitted_by_functions(stage: str) -> frozenset[Series]:
    """Return the series that the functions write in a life full of incidents, as CloudWatch reads them."""
    recorded = recorded_by_functions()
    meter = EmfMeter(stage)
    with redirect_stdout(io.StringIO()) as written:
        for name in sorted({name for names in recorded.values() for name in names}):
            meter.record(**{name: 1})
    lines = [json.loads(line) for line in written.getvalue().splitlines()]
    lines += lines_of("upload_token_authorizer", CALLS["upload_token_authorizer"], STAGE=stage, **ON_LAMBDA)
    return frozenset(series for line in lines if "_aws" in line for series in extracted(line))


@functools.cache
def recorded_by_functions() -> Mapping[str, set[str]]:
    """Return the metrics that each function records in such a life, by their keys in the catalogue."""
    platform = platform_in_memory()
    meters = {function: FakeMeter() for function in SERVICES}
    services = {
        service: replace(getattr(platform, service), meter=meters[function])
        for function, names in SERVICES.items()
        for service in names
    }
    live_through_everything(replace(platform, **services))
    return {function: set(meter.values) for function, meter in meters.items()}


def extracted(line: dict[str, Any]) -> Iterator[Series]:
    """Extract a line's series as CloudWatch Logs does (Embedded metric format specification)."""
    for directive in line["_aws"]["CloudWatchMetrics"]:
        for names in directive["Dimensions"]:
            dimensions = frozenset((name, line[name]) for name in names)
            for metric in directive["Metrics"]:
                yield Series(directive["Namespace"], metric["Name"], dimensions)


def live_through_everything(platform: InMemoryPlatform) -> None:
    film = platform.start(owner="owner-of-film")
    platform.uploads.sign_parts(film.token, film.started.record, {1: None})
    film.send_and_complete()
    platform.process(film)
    platform.library.delete(film.token.ref)

    refused = platform.start(owner="owner-of-refused")
    refused.send_parts()
    with pytest.raises(CompletionRefusedError):
        platform.completions.complete(refused.token, refused.completion(dict.fromkeys(range(1, 4), '"wrong"')))
    platform.uploads.abort(refused.token)

    dropped = platform.start(owner="owner-of-dropped")
    platform.videos.abort_multipart_upload(dropped.key, dropped.token.upload_id)
    with pytest.raises(UploadExpiredError):
        platform.completions.complete(dropped.token, dropped.completion(dict.fromkeys(range(1, 4), '"x"')))

    overtaken = platform.start(owner="owner-of-overtaken")
    platform.videos.after_complete = lambda: (platform.process(overtaken), None)[1]
    overtaken.send_and_complete()

    text = platform.simple_uploads.start(OWNER, StartUpload("text.mp4", "video/mp4", 4))
    platform.processing.process(StoredObject(text.ref.file_key, platform.videos.put_object(text.ref.file_key, b"text")))
    platform.processing.process(StoredObject("videos/nobody/unknown", None))

    platform.change_scans(ScanPolicy(is_on=True))
    for result in ScanResult:
        scanned = platform.start(owner=f"owner-of-{result.value}")
        scanned.send_and_complete()
        platform.process(scanned)
        if result is not ScanResult.UNANSWERED:
            platform.scanned(scanned, result)
    for _ in range(MAX_SCAN_REQUESTS + 1):
        platform.process_what_was_asked()
        platform.clock.pass_time(hours=2)
        platform.janitor.sweep()
    platform.process_what_was_asked()

    platform.change_scans(NO_SCAN)
    platform.change_renditions(makes=True)
    for copied in (True, False):
        film = platform.start(owner=f"owner-of-copied-{copied}")
        film.send_and_complete()
        if not copied:
            platform.fail_copies()
        platform.process(film)
    platform.janitor.sweep()
    platform.change_renditions(makes=False)

    platform.progress_log.write(OWNER, ProgressBatch.parse(BEGAN))
    platform.janitor.sweep()
    platform.stage_figures.record()
    platform.stage_usage.record()
    platform.change_retention(RetentionPolicy(stays=timedelta(days=30), warning=timedelta(days=14)))
    platform.retention.walk()
    platform.deliveries.deliver([])


def read_by_widgets(recording: Recording) -> Iterator[Series]:
    for widget in widgets(recording):
        for row in widget["properties"].get("metrics", []):
            if isinstance(row[0], str):
                namespace, name, *rest = (part for part in row if isinstance(part, str))
                yield Series(namespace, name, frozenset(zip(rest[::2], rest[1::2], strict=True)))


def read_by_alarms(recording: Recording) -> Iterator[Series]:
    for alarm in recording.of("cloudwatch/metricAlarm:MetricAlarm"):
        for query in alarm.inputs["metricQueries"]:
            if metric := query.get("metric"):
                dimensions = frozenset((metric.get("dimensions") or {}).items())
                yield Series(metric["namespace"], metric["metricName"], dimensions)


def readers_of_own_metrics(recording: Recording) -> dict[str, list[str]]:
    """Figures and charts by title, alarms by name: all that read a metric of the platform's own."""
    readers: dict[str, list[str]] = {}
    for widget in widgets(recording):
        title = re.sub(r" \(.*\)", "", widget["properties"].get("title", ""))
        for row in widget["properties"].get("metrics", []):
            if row[0] == NAMESPACE:
                readers.setdefault(row[1], []).append(title)
    for alarm in recording.of("cloudwatch/metricAlarm:MetricAlarm"):
        for query in alarm.inputs["metricQueries"]:
            if (metric := query.get("metric")) and metric["namespace"] == NAMESPACE:
                name = alarm.inputs["name"].removeprefix(f"video-upload-{recording.stage}-")
                readers.setdefault(metric["metricName"], []).append(f"alarm {name}")
    return {name: _once(titles) for name, titles in readers.items()}


def read_of(recording: Recording) -> set[Series]:
    return {*read_by_widgets(recording), *read_by_alarms(recording)}


def is_ours(series: Series) -> bool:
    return series.namespace.startswith(NAMESPACE)


def quarrels(emitted: Set[Series], read: set[Series]) -> list[str]:
    """List the differences between the two sides."""
    ours = {series for series in read if is_ours(series)}
    return [
        *(f"nobody writes {series}" for series in sorted(ours - emitted, key=str)),
        *(f"nobody reads {series}" for series in sorted(emitted - ours, key=str)),
    ]


@pytest.fixture
def emitted() -> frozenset[Series]:
    return emitted_by_functions("prod")


def test_every_metric_that_is_read_is_written_and_the_other_way_round(
    measured_prod: Recording, emitted: Set[Series]
) -> None:
    assert quarrels(emitted, read_of(measured_prod)) == []


def test_every_metric_of_the_catalogue_is_written_and_read(emitted: Set[Series], measured_prod: Recording) -> None:
    names = {metric.name for metric in OWN_METRICS.values()}
    assert names == {series.name for series in emitted}
    assert names == {series.name for series in read_of(measured_prod) if is_ours(series)}


def test_the_catalogue_names_the_functions_that_record_a_metric() -> None:
    recorded = recorded_by_functions()
    for name, metric in OWN_METRICS.items():
        if metric.emitters != (ANY_FUNCTION,):
            assert {function for function, names in recorded.items() if name in names} == {*metric.emitters}, name


def test_a_lost_emission_is_noticed(measured_prod: Recording, emitted: Set[Series]) -> None:
    assert len(emitted) > 25
    for lost in emitted:
        assert quarrels(emitted - {lost}, read_of(measured_prod)) == [f"nobody writes {lost}"]


def test_a_renamed_dimension_is_noticed(measured_prod: Recording, emitted: Set[Series]) -> None:
    renamed = {
        Series(each.namespace, each.name, frozenset((name.lower(), value) for name, value in each.dimensions))
        for each in emitted
    }
    assert quarrels(renamed, read_of(measured_prod))


def test_every_stage_reads_its_own_metrics_only(recording: Recording) -> None:
    for series in read_of(recording):
        if is_ours(series):
            assert ("Stage", recording.stage) in series.dimensions


def test_metrics_name_resources_of_the_program(measured_prod: Recording) -> None:
    def names(kind: str, field: str = "name") -> set[str]:
        return {each.inputs[field] for each in measured_prod.of(kind)}

    known = {
        "ApiName": names("apigateway/restApi:RestApi"),
        "FunctionName": names("lambda/function:Function"),
        "QueueName": names("sqs/queue:Queue"),
        "BucketName": names("s3/bucket:Bucket", "bucket"),
        "DistributionId": {"edge-distribution-id"},
        "WebACL": {each.inputs["visibilityConfig"]["metricName"] for each in measured_prod.of("wafv2/webAcl:WebAcl")},
        "KeyArn": {
            f"arn:aws:kms:eu-central-1:123456789012:key/{each.name}" for each in measured_prod.of("kms/key:Key")
        },
    }
    seen: set[str] = set()
    for series in read_of(measured_prod):
        for name, value in series.dimensions:
            if name in known:
                assert value in known[name], series
                seen.add(name)
    assert seen == set(known)


def test_every_metric_of_aws_is_listed_with_where_it_is_documented(measured_prod: Recording) -> None:
    listed = {
        (cells[0].strip("`"), metric.strip("` "), frozenset(re.findall(r"`(\w+)`", cells[2])))
        for cells in table_after("## AWS's own")
        for metric in cells[1].split(",")
        if cells[3]
    }
    read = {(each.namespace, each.name, each.dimension_names) for each in read_of(measured_prod) if not is_ours(each)}
    assert read == listed


def test_the_guide_lists_the_platforms_own_metrics_with_who_writes_and_who_shows_them(measured_prod: Recording) -> None:
    readers = readers_of_own_metrics(measured_prod)
    expected = [
        [f"`{metric.name}`", UNITS.get(metric.unit, metric.unit), ", ".join(metric.emitters), *sorted(shown)]
        for metric in OWN_METRICS.values()
        for shown in [readers[metric.name]]
    ]
    rows = table_after("## The platform's own")
    assert sorted([*row[:3], *sorted(row[3].split("; "))] for row in rows) == sorted(expected)
    assert all(row[4] for row in rows)


def test_the_guide_lists_the_twelve_figures_as_they_are_computed() -> None:
    expected = [figure_row(figure) for figure in figures_of(ANY_STAGE)]
    assert table_after("## The twelve figures") == expected


def test_telling_progress_trips_no_rule_of_the_web_acl_not_for_an_office_behind_one_address(
    measured_prod: Recording,
) -> None:
    (acl,) = measured_prod.of("wafv2/webAcl:WebAcl")
    limits = {
        rule["name"]: rule["statement"]["rateBasedStatement"]["limit"]
        for rule in acl.inputs["rules"]
        if "rateBasedStatement" in rule["statement"]
    }
    # However many files: a page and a run of the command make one call an interval, with what all uploads have to tell.
    calls = WINDOW_SECONDS / TOLD_EVERY_SECONDS
    assert calls <= limits["RequestsPerToken"] / 100
    assert 100 * calls <= limits["RequestsPerIp"] / 2


def sections_of(document: Path) -> set[str]:
    return {line.removeprefix("## ") for line in document.read_text().splitlines() if line.startswith("## ")}


def test_every_alarm_says_what_happened_and_names_its_section_of_the_runbook(measured_prod: Recording) -> None:
    alarms = measured_prod.of("cloudwatch/metricAlarm:MetricAlarm", "cloudwatch/compositeAlarm:CompositeAlarm")
    assert alarms
    named: set[str] = set()
    for alarm in alarms:
        found = re.fullmatch(r"(.+\.) What to do: docs/runbook\.md#([a-z-]+)", alarm.inputs["alarmDescription"])
        assert found, alarm.inputs["alarmDescription"]
        named.add(found[2])
    alarm_sections = {section for section in sections_of(RUNBOOK) if re.fullmatch(r"[a-z-]+", section)}
    assert named | NO_ALARM | OF_DESTINATIONS == alarm_sections
    assert {alarm.name for alarm in alarms_of(ANY_STAGE, paused=False, max_open_uploads=1)} >= OF_DESTINATIONS


def table_after(heading: str) -> list[list[str]]:
    text = METRICS_GUIDE.read_text().partition(f"{heading}\n")[2].partition("\n## ")[0]
    lines = [line for line in text.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines[2:]]


def figure_row(figure: Figure) -> list[str]:
    """The row that the guide must have."""
    metrics = figure.metrics
    return [
        figure.title,
        ", ".join(f"`{name}`" for name in _once(metric.name for metric in metrics)),
        ", ".join(_once(metric.namespace for metric in metrics)),
        figure.unit,
        ", ".join(_once(metric.statistic for metric in metrics)),
        f"`{_shortened(figure.expression)}`" if figure.expression else "as it is",
        f"{figure.target:,}",
        figure.source,
    ]


def _shortened(expression: str) -> str:
    """Name only the first of many metrics in order, so that the guide does not count the functions."""
    return re.sub(r"\[m1,(m\d+,){3,}m\d+\]", "[m1,…]", expression)


def _once(values: Iterator[str] | Sequence[str]) -> list[str]:
    return list(dict.fromkeys(values))
