"""The dashboard as data: the twelve figures with their targets, and below them the metrics behind them. Knows no
Pulumi."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from components.observability.figures import DAY, FIVE_MINUTES, GROUPS, HOUR, Figure, figures_of
from components.observability.metrics import EDGE_REGION, Metric, MonitoredResources

COLUMNS = 4
WIDTH, HEIGHT, TITLE_HEIGHT = 6, 6, 1
SHOWN, SHOWN_BY_DAY = "-P1D", "-P14D"
"""Default time ranges. A metric with one value a day would show at most one point within a day."""

PROGRESS_QUERY = """\
filter message = "progress reported"
| fields jsonParse(@message) as told
| unnest told.events into event
| filter event.event = "uploadProgress"
| fields 100 * event.sentBytes / event.sizeBytes as sentPercent, event.sizeBytes / 1000000 as megabytes,
         coalesce(event.videoId, videoId) as video
| stats latest(sentPercent) as percent, latest(megabytes) as sizeMegabytes,
        latest(client) as clientVersion, max(@timestamp) as toldAt by video
| sort toldAt desc
| limit 20"""
"""Progress of the uploads as reported by their clients (Logs Insights)."""

Widget = dict[str, Any]


@dataclass(frozen=True)
class Line:
    label: str
    metric: Metric


@dataclass(frozen=True)
class Chart:
    title: str
    lines: Sequence[Line]
    period_seconds: int = FIVE_MINUTES
    region: str | None = None


def body_of(monitored: MonitoredResources, *, alarm_arns: Sequence[str], progress_log_group: str) -> dict[str, Any]:
    """CloudWatch API reference, "Dashboard body structure and syntax"."""
    return {
        "start": SHOWN,
        # Otherwise a longer range stretches the periods, and a figure "a day" is no longer one of a day.
        "periodOverride": "inherit",
        "widgets": _widgets(monitored, alarm_arns, progress_log_group),
    }


def _widgets(monitored: MonitoredResources, alarm_arns: Sequence[str], progress_log_group: str) -> list[Widget]:
    figures = figures_of(monitored)
    rows: list[list[Widget]] = []
    for group in GROUPS:
        rows.append([_text(f"## {group}")])
        rows.append([_figure(figure, monitored.region) for figure in figures if figure.group == group])
    rows.append([_text("## From init to ready")])
    rows.append([_chart(chart, monitored.region) for chart in _funnel(monitored)])
    rows.append([_text("## Events, functions, keys, edge")])
    rows.append([_chart(chart, monitored.region) for chart in _machinery(monitored)])
    rows.append([_text("## As reported by clients")])
    rows.append([_chart(_clients(monitored), monitored.region), _progress(progress_log_group, monitored.region)])
    if alarm_arns:
        rows.append([_alarms(alarm_arns)])
    return list(_placed(rows))


def _funnel(monitored: MonitoredResources) -> list[Chart]:
    own = monitored.own
    charts = [
        Chart(
            "Uploads",
            [
                Line("init", own("uploads_started_count", "Sum")),
                Line("complete", own("uploads_completed_count", "Sum")),
                Line("ready", own("uploads_ready_count", "Sum")),
                Line("rejected", own("uploads_rejected_count", "Sum")),
            ],
            HOUR,
        ),
        Chart(
            "Uploads that ended otherwise",
            [
                Line("failed", own("uploads_failed_count", "Sum")),
                Line("of these expired", own("uploads_expired_count", "Sum")),
                Line("aborted", own("uploads_aborted_count", "Sum")),
                Line("completion refused", own("completions_refused_count", "Sum")),
                Line("deleted later", own("videos_deleted_count", "Sum")),
            ],
            HOUR,
        ),
        Chart(
            "Parts",
            [
                Line("signed", own("parts_signed_count", "Sum")),
                Line("completed", own("parts_completed_count", "Sum")),
            ],
            HOUR,
        ),
        Chart(
            "Waiting",
            [
                Line("uploading", own("uploads_in_flight_count", "Maximum")),
                Line("processing", own("uploads_processing_count", "Maximum")),
                Line("stuck", own("uploads_stuck_count", "Maximum")),
            ],
        ),
        Chart(
            "Size of uploads (bytes)",
            [
                Line("announced, mean", own("upload_size_bytes", "Average")),
                Line("reserved by open uploads", own("reserved_size_bytes", "Maximum")),
            ],
            HOUR,
        ),
        Chart("Stored by all users (bytes)", [Line("last count", own("stage_stored_bytes", "Maximum"))], HOUR),
        Chart("Stored by all users (videos)", [Line("last count", own("stage_stored_videos_count", "Maximum"))], HOUR),
        Chart(
            "Time for an upload (ms)",
            [
                Line("completion at S3, p90", own("completion_milliseconds", "p90")),
                Line("processing, p90", own("processing_milliseconds", "p90")),
                *([Line("malware scan, p90", own("scan_wait_milliseconds", "p90"))] if monitored.scans else []),
            ],
        ),
    ]
    if monitored.deletes_old:
        lines = [
            Line("announced", own("retention_warnings_count", "Sum")),
            Line("deleted", own("retention_deletions_count", "Sum")),
        ]
        charts.append(Chart("Retention", lines, HOUR))
    if monitored.scans:
        results = ("clean", "infected", "unsupported", "access_denied", "failed", "unanswered")
        lines = [Line(result.replace("_", " "), own(f"scans_{result}_count", "Sum")) for result in results]
        charts.append(Chart("Malware scans", lines, HOUR))
    if monitored.makes_renditions:
        lines = [Line(end, own(f"renditions_{end}_count", "Sum")) for end in ("ready", "failed")]
        lines.append(Line("waiting for the daily limits", own("renditions_waiting_count", "Maximum")))
        charts.append(Chart("Renditions", lines, HOUR))
        charts.append(Chart("Time for a rendition (ms)", [Line("p90", own("rendition_milliseconds", "p90"))], HOUR))
    return charts


def _machinery(monitored: MonitoredResources) -> list[Chart]:
    charts = [
        Chart(
            "Failure queue depth",
            [
                Line("events", monitored.of_queue("ApproximateNumberOfMessagesVisible", "Maximum")),
                Line("age of the oldest (s)", monitored.of_queue("ApproximateAgeOfOldestMessage", "Maximum")),
                Line("objects of nobody", monitored.own("unknown_objects_count", "Sum")),
                Line("failures of the janitor", monitored.own("janitor_failures_count", "Sum")),
            ],
        ),
        Chart(
            "Notifications",
            [
                Line("delivered", monitored.own("notifications_delivered_count", "Sum")),
                Line("attempts that failed", monitored.own("notification_attempts_failed_count", "Sum")),
            ],
        ),
        Chart("Function errors", _of_each_function(monitored, "Errors")),
        Chart("Throttles", _of_each_function(monitored, "Throttles")),
        Chart(
            "KMS: uses of the data key",
            [Line(operation, monitored.of_data_key(operation)) for operation in ("GenerateDataKey", "Decrypt")],
        ),
    ]
    if monitored.web_acl_name:
        lines = [
            Line("blocked", monitored.of_web_acl("BlockedRequests", "ALL")),
            Line("allowed", monitored.of_web_acl("AllowedRequests", "ALL")),
        ]
        charts.append(Chart("WAF blocks", lines, region=EDGE_REGION))
    return charts


def _clients(monitored: MonitoredResources) -> Chart:
    told = ("uploads_began", "uploads_arrived", "uploads_failed", "uploads_aborted", "parts_retried", "parts_differed")
    metrics = (monitored.own(f"client_{each}_count", "Sum") for each in told)
    return Chart("Client-side progress", [Line(metric.name.removeprefix("Client"), metric) for metric in metrics], HOUR)


def _of_each_function(monitored: MonitoredResources, metric: str) -> list[Line]:
    return [Line(function, monitored.of_function(function, metric, "Sum")) for function in monitored.function_names]


def _figure(figure: Figure, region: str) -> Widget:
    lines = _series(figure.title, figure.metrics, figure.expression, "m", figure.period_seconds)
    if figure.interim:
        lines += _series(
            figure.interim.label, figure.interim.metrics, figure.interim.expression, "s", figure.period_seconds
        )
    goal = "built to bear" if figure.better is None else "target"
    of_edge = any(metric.namespace == "AWS/CloudFront" for metric in figure.metrics)
    return _metric_widget(
        f"{figure.title} ({figure.unit})",
        lines,
        EDGE_REGION if of_edge else region,
        figure.period_seconds,
        annotations={"horizontal": [{"label": f"{goal} {figure.target:,}", "value": figure.target}]},
        **({"yAxis": {"left": {}}} if figure.may_fall else {}),
        **({"start": SHOWN_BY_DAY} if figure.period_seconds == DAY else {}),
    )


def _series(
    label: str, metrics: Sequence[Metric], expression: str | None, prefix: str, period_seconds: int
) -> list[list[Any]]:
    """Rows of a widget's `metrics`. Ids must be unique in a widget, so a second series renames its own."""
    lines = [
        _line(metric, {"id": f"{prefix}{position}", "visible": expression is None, "period": period_seconds})
        for position, metric in enumerate(metrics)
    ]
    if expression is None:
        return lines
    renamed = re.sub(r"\bm(\d+)", rf"{prefix}\1", expression)
    shown = {"expression": renamed, "label": label, "id": f"{prefix}x", "period": period_seconds}
    return [[shown], *lines]


def _line(metric: Metric, options: dict[str, Any]) -> list[Any]:
    dimensions = [text for pair in metric.dimensions.items() for text in pair]
    return [metric.namespace, metric.name, *dimensions, {"stat": metric.statistic, **options}]


def _chart(chart: Chart, region: str) -> Widget:
    lines = [_line(line.metric, {"label": line.label}) for line in chart.lines]
    return _metric_widget(chart.title, lines, chart.region or region, chart.period_seconds)


def _metric_widget(title: str, lines: list[list[Any]], region: str, period_seconds: int, **more: Any) -> Widget:
    return {
        "type": "metric",
        "width": WIDTH,
        "height": HEIGHT,
        "properties": {
            "title": title,
            "region": region,
            "view": "timeSeries",
            "period": period_seconds,
            "yAxis": {"left": {"min": 0}},
            "metrics": lines,
            **more,
        },
    }


def _progress(log_group: str, region: str) -> Widget:
    return {
        "type": "log",
        "width": 3 * WIDTH,
        "height": HEIGHT,
        "properties": {
            "title": "Uploads under way",
            "region": region,
            "view": "table",
            "query": f"SOURCE '{log_group}' | {PROGRESS_QUERY}",
        },
    }


def _text(markdown: str) -> Widget:
    return {
        "type": "text",
        "width": COLUMNS * WIDTH,
        "height": TITLE_HEIGHT,
        "properties": {"markdown": markdown, "background": "transparent"},
    }


def _alarms(alarm_arns: Sequence[str]) -> Widget:
    return {
        "type": "alarm",
        "width": COLUMNS * WIDTH,
        "height": HEIGHT // 2,
        "properties": {"title": "Alarms", "alarms": list(alarm_arns)},
    }


def _placed(rows: Sequence[Sequence[Widget]]) -> list[Widget]:
    """Place widgets from left to right, in a new row when one is full."""
    placed: list[Widget] = []
    top = 0
    for row in rows:
        left = 0
        for widget in row:
            if left + widget["width"] > COLUMNS * WIDTH:
                left, top = 0, top + widget["height"]
            placed.append({**widget, "x": left, "y": top})
            left += widget["width"]
        top += max(widget["height"] for widget in row)
    return placed
