"""Current figures of this machine: the definitions of the dashboard on AWS, over the metrics kept here.

`GET /status.json` answers it:

    {"stage": "local", "at": "2026-01-31T12:00:00Z", "since": "…" | null,
     "groups": [{"title": "Real-time metrics", "figures": [
        {"key": "upload-success-rate", "title": "Upload success rate", "unit": "%",
         "value": 95.9 | null, "over": "the last hour", "target": 99.9,
         "better": "higher" | "lower" | null, "isMet": true | false | null, "onlyOnAws": false, "source": "…",
         "metrics": ["VideoUpload UploadsReady, Sum", …], "expression": "…" | null,
         "minutes": [95.9 | null, …], "isTargetByMinute": true}, …]}, …],
     "now": [{"key": "uploadsInFlight", "title": "…", "value": 1 | null}, …],
     "funnel": [{"key": "started", "title": "…", "today": 50, "ever": 50}, …]}

`minutes` are the last 60, oldest first, the last one still running. `value` is null without data, and with
`onlyOnAws`. Where `better` is null, the target is a load that the platform is built to bear: a lower value misses
nothing, and `isMet` is null. `since` is the time of the first metric; `today` is the day in UTC, as in CloudWatch.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from components.observability.figures import DAY, GROUPS, Figure, figures_of
from components.observability.metrics import Metric, MonitoredResources
from local.status.embedded_metrics import Series
from local.status.metric_math import Points, evaluate
from local.status.metric_store import MINUTE_SECONDS, KeptSeries
from local.status.statistic_set import StatisticSet

SHOWN_MINUTES = 60

_Cut = Callable[[KeptSeries], Sequence[StatisticSet]]
"""A series as windows of time, oldest first."""

STALE_SECONDS = 300
"""The janitor runs at least every five minutes; an older gauge is out of date."""

_NOW = (
    ("uploadsInFlight", "Uploads under way", "uploads_in_flight_count"),
    ("uploadsProcessing", "Videos in processing", "uploads_processing_count"),
    ("usersInFlight", "Users with unsettled videos", "users_in_flight_count"),
)
_FUNNEL = (
    ("started", "Uploads started", "uploads_started_count"),
    ("partsSigned", "Part URLs signed", "parts_signed_count"),
    ("partsCompleted", "Parts put together", "parts_completed_count"),
    ("completed", "Uploads completed", "uploads_completed_count"),
    ("ready", "Videos ready", "uploads_ready_count"),
    ("rejected", "Videos rejected", "uploads_rejected_count"),
    ("failed", "Uploads failed", "uploads_failed_count"),
    ("aborted", "Uploads aborted", "uploads_aborted_count"),
    ("arrivedAsTold", "Uploads arrived, as their clients tell it", "client_uploads_arrived_count"),
    ("failedAsTold", "Uploads failed, as their clients tell it", "client_uploads_failed_count"),
)


@dataclass(frozen=True)
class StatusReport:
    """The figures of one moment.

    kept: by series. now_seconds: since 1970.
    """

    kept: Mapping[Series, KeptSeries]
    monitored: MonitoredResources
    now_seconds: float

    def report(self) -> dict[str, Any]:
        """The report, in the form described above."""
        figures = figures_of(self.monitored)
        firsts = [series.first_at for series in self.kept.values()]
        return {
            "stage": self.monitored.stage,
            "at": _iso_time(self.now_seconds),
            "since": _iso_time(min(firsts)) if firsts else None,
            "groups": [
                {"title": group, "figures": [self._figure(figure) for figure in figures if figure.group == group]}
                for group in GROUPS
            ],
            "now": [
                *(self._gauge(key, title, self.monitored.own(name, "Maximum")) for key, title, name in _NOW),
                self._gauge(
                    "failedEvents",
                    "Events in the dead-letter queue",
                    self.monitored.of_queue("ApproximateNumberOfMessagesVisible", "Maximum"),
                ),
            ],
            "funnel": [self._count(key, title, self.monitored.own(name, "Sum")) for key, title, name in _FUNNEL],
        }

    def _figure(self, figure: Figure) -> dict[str, Any]:
        metrics = figure.interim.metrics if figure.interim else figure.metrics
        expression = figure.interim.expression if figure.interim else figure.expression
        over, value, minutes = "", None, ()
        if not figure.only_on_aws:
            minutes = self._by_minute(metrics, expression)
            over, value = self._value(figure.period_seconds, metrics, expression, minutes)
        return {
            "key": figure.key,
            "title": figure.title,
            "unit": figure.unit,
            "value": value,
            "over": over,
            "target": figure.target,
            "better": figure.better,
            "isMet": None if value is None or figure.better is None else _is_met(figure, value),
            "onlyOnAws": figure.only_on_aws,
            "source": figure.source,
            "metrics": list(
                dict.fromkeys(f"{metric.namespace} {metric.name}, {metric.statistic}" for metric in metrics)
            ),
            "expression": expression,
            "minutes": list(minutes),
            # What adds up over a day has no target for a minute.
            "isTargetByMinute": figure.period_seconds < DAY or _is_gauge(metrics),
        }

    def _value(
        self, period_seconds: int, metrics: Sequence[Metric], expression: str | None, minutes: Points
    ) -> tuple[str, float | None]:
        if period_seconds >= DAY:
            return "today", self._compute(metrics, expression, lambda series: series.by_day(self.now_seconds))[-1]
        if _is_gauge(metrics):
            recent = minutes[-(period_seconds // MINUTE_SECONDS) :]
            return "most in the latest minute", next((point for point in reversed(recent) if point is not None), None)
        return "the last hour", self._compute(metrics, expression, lambda series: series.by_hour(self.now_seconds))[-1]

    def _by_minute(self, metrics: Sequence[Metric], expression: str | None) -> Points:
        # One more, for functions that use the previous minute.
        return self._compute(metrics, expression, lambda series: series.by_minute(self.now_seconds, SHOWN_MINUTES + 1))[
            1:
        ]

    def _compute(self, metrics: Sequence[Metric], expression: str | None, cut: _Cut) -> Points:
        points = [
            tuple(window.statistic(metric.statistic) for window in cut(self._series(metric))) for metric in metrics
        ]
        return evaluate(expression or "m0", points)

    def _gauge(self, key: str, title: str, metric: Metric) -> dict[str, Any]:
        series = self._series(metric)
        is_known = series.latest_at > self.now_seconds - STALE_SECONDS
        return {"key": key, "title": title, "value": series.latest_value if is_known else None}

    def _count(self, key: str, title: str, metric: Metric) -> dict[str, Any]:
        series = self._series(metric)
        today = series.by_day(self.now_seconds)[-1]
        return {"key": key, "title": title, "today": round(today.total), "ever": round(series.ever.total)}

    def _series(self, metric: Metric) -> KeptSeries:
        return self.kept.get(Series.of(metric.namespace, metric.name, metric.dimensions)) or KeptSeries()


def _is_gauge(metrics: Sequence[Metric]) -> bool:
    return all(metric.statistic == "Maximum" for metric in metrics)


def _is_met(figure: Figure, value: float) -> bool:
    return value >= figure.target if figure.better == "higher" else value <= figure.target


def _iso_time(at_seconds: float) -> str:
    return datetime.fromtimestamp(at_seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
