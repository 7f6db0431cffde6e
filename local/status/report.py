"""Current figures of this machine: the definitions of the dashboard on AWS, over local metrics.

`GET /status.json` returns:

    {"stage": "local", "at": "2026-01-31T12:00:00Z", "since": "…" | null,
     "groups": [{"title": "Real-time metrics", "figures": [
        {"key": "upload-success-rate", "title": "Upload success rate", "unit": "%",
         "value": 95.9 | null, "over": "the last hour", "target": 99.9,
         "better": "higher" | "lower" | null, "isMet": true | false | null, "onlyOnAws": false, "source": "…",
         "metrics": ["VideoUpload UploadsReady, Sum", …], "expression": "…" | null,
         "minutes": [95.9 | null, …], "isTargetByMinute": true}, …]}, …],
     "now": [{"key": "uploadsInFlight", "title": "…", "value": 1 | null}, …],
     "funnel": [{"key": "started", "title": "…", "today": 50, "ever": 50}, …]}

`minutes` are the last 60, oldest first, including the current one. `value` is null without data, and with `onlyOnAws`.
If `better` is null, the target is a load that the platform must be able to bear: a lower value is no failure, and
`isMet` is null. `since` is the time of the first metric; `today` is the day in UTC, as in CloudWatch.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from components.observability.figures import DAY, GROUPS, Figure, InterimMeasurement, figures_of
from components.observability.metrics import Metric, MonitoredResources
from local.status.metric_math import Points, evaluate
from local.status.metric_store import DAY_SECONDS, EVER_SECONDS, MINUTE_SECONDS, StoredMetrics

SHOWN_MINUTES = 60

STALE_SECONDS = 300
"""Validity of a gauge: the janitor runs at least every five minutes."""

_NOW = (
    ("uploadsInFlight", "Uploads under way", "uploads_in_flight_count"),
    ("uploadsProcessing", "Videos in processing", "uploads_processing_count"),
    ("usersInFlight", "Users with unsettled videos", "users_in_flight_count"),
)
_FUNNEL = (
    ("started", "Uploads started", "uploads_started_count"),
    ("partsSigned", "Part URLs signed", "parts_signed_count"),
    ("partsCompleted", "Parts joined", "parts_completed_count"),
    ("completed", "Uploads completed", "uploads_completed_count"),
    ("ready", "Videos ready", "uploads_ready_count"),
    ("rejected", "Videos rejected", "uploads_rejected_count"),
    ("failed", "Uploads failed", "uploads_failed_count"),
    ("aborted", "Uploads aborted", "uploads_aborted_count"),
    ("arrivedAsTold", "Uploads arrived, as reported by clients", "client_uploads_arrived_count"),
    ("failedAsTold", "Uploads failed, as reported by clients", "client_uploads_failed_count"),
)


@dataclass(frozen=True)
class StatusReport:
    """The figures of one moment.

    now_seconds: since 1970.
    """

    stored: StoredMetrics
    monitored: MonitoredResources
    now_seconds: float

    def report(self) -> dict[str, Any]:
        """The report in the format above."""
        figures, first_at = figures_of(self.monitored), self.stored.first_at()
        gauges = [(key, title, self.monitored.own(name, "Maximum")) for key, title, name in _NOW]
        dead_letters = self.monitored.of_queue("ApproximateNumberOfMessagesVisible", "Maximum")
        return {
            "stage": self.monitored.stage,
            "at": _iso_time(self.now_seconds),
            "since": None if first_at is None else _iso_time(first_at),
            "groups": [
                {"title": group, "figures": [self._figure(figure) for figure in figures if figure.group == group]}
                for group in GROUPS
            ],
            "now": [
                {"key": key, "title": title, "value": self.stored.latest(metric, self.now_seconds - STALE_SECONDS)}
                for key, title, metric in (*gauges, ("failedEvents", "Events in the dead-letter queue", dead_letters))
            ],
            "funnel": [self._count(key, title, self.monitored.own(name, "Sum")) for key, title, name in _FUNNEL],
        }

    def _figure(self, figure: Figure) -> dict[str, Any]:
        measured = figure.interim or figure
        adds_up = figure.period_seconds >= DAY
        is_gauge = all(metric.statistic == "Maximum" for metric in measured.metrics)
        hour_ago = self.now_seconds - (SHOWN_MINUTES - 1) * MINUTE_SECONDS
        minutes, over, value = (), "", None
        if not figure.only_on_aws:
            starts = [hour_ago + minute * MINUTE_SECONDS for minute in range(SHOWN_MINUTES)]
            minutes = self._points(measured, MINUTE_SECONDS, [(start, start) for start in starts])
            if adds_up:
                over, (value,) = "today", self._points(measured, DAY_SECONDS, [(self.now_seconds, self.now_seconds)])
            elif is_gauge:
                recent = minutes[-(figure.period_seconds // MINUTE_SECONDS) :]
                known = [point for point in recent if point is not None]
                over, value = "most in the latest minute", known[-1] if known else None
            else:
                over = "the last hour"
                (value,) = self._points(measured, MINUTE_SECONDS, [(hour_ago, self.now_seconds)])
        is_met = value is not None and (value >= figure.target if figure.better == "higher" else value <= figure.target)
        return {
            "key": figure.key,
            "title": figure.title,
            "unit": figure.unit,
            "value": value,
            "over": over,
            "target": figure.target,
            "better": figure.better,
            "isMet": None if value is None or figure.better is None else is_met,
            "onlyOnAws": figure.only_on_aws,
            "source": figure.source,
            "metrics": list(
                dict.fromkeys(f"{each.namespace} {each.name}, {each.statistic}" for each in measured.metrics)
            ),
            "expression": measured.expression,
            "minutes": list(minutes),
            # A target for a day does not apply to a minute.
            "isTargetByMinute": is_gauge or not adds_up,
        }

    def _points(
        self, measured: Figure | InterimMeasurement, period_seconds: int, windows: Sequence[tuple[float, float]]
    ) -> Points:
        """A point per window of periods."""
        points = [
            tuple(self.stored.statistic(metric, period_seconds, *window) for window in windows)
            for metric in measured.metrics
        ]
        return evaluate(measured.expression or "m0", points)

    def _count(self, key: str, title: str, metric: Metric) -> dict[str, Any]:
        today = self.stored.statistic(metric, DAY_SECONDS, self.now_seconds, self.now_seconds)
        ever = self.stored.statistic(metric, EVER_SECONDS, 0, self.now_seconds)
        return {"key": key, "title": title, "today": round(today or 0), "ever": round(ever or 0)}


def _iso_time(at_seconds: float) -> str:
    return datetime.fromtimestamp(at_seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
