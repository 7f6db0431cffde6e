"""Alarms as data: metric, threshold and meaning of each. Knows no Pulumi.

Objectives such as "99.9 % succeed" alarm on the burn rate of their error budget: a fast burn must show in the last hour
and still in the last five minutes, a slow one over six hours (Site Reliability Workbook, "Alerting on SLOs"). Metrics
without a target value, such as the speed of other people's networks, are compared with their own past.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from components.observability.metrics import Metric, MonitoredResources

MINUTES, HOURS = 60, 3_600

FAST_BURN = 14.4
"""Burn rate that uses 2 % of a month's error budget in an hour."""

SLOW_BURN = 6
"""Burn rate that uses 5 % of it in six hours."""

ERRORS_ALLOWED_PERCENT = 0.1
"""Error budget, as a share of API calls, and of uploads that are not abandoned: the specification's error rate and
success rate."""

LATENCY_TARGET_MILLISECONDS = 245
NOTIFICATION_HOURS = 2
"""Seven attempts have failed by then; attempts go on for a day."""

LEAST_CALLS = 20
"""Fewer calls in a period are no sample of normal operation."""

LEAST_FAILURES = 5
"""Least failures in a window: one of fifty calls in a quiet hour is 2 %, but no outage."""

RUNBOOK = "docs/runbook.md"

Comparison = Literal["GreaterThanThreshold", "LessThanThreshold", "GreaterThanUpperThreshold", "LessThanLowerThreshold"]


@dataclass(frozen=True, kw_only=True)
class Alarm:
    """Notifies an operator when the value compares with `threshold` in `datapoints` of the last `periods` periods.

    meaning: what happened, for the operator on call. section: of the runbook, if it differs from the alarm's name.
    expression: metric math over `m0`, `m1`, … instead of the one metric.
    threshold: a value; None with `usual_deviations`, which sets an anomaly band of that many standard deviations.
    silence_is_fine: whether missing data means that nothing happened.
    notifies: false for an alarm that only a composite alarm reads, such as one window of a burn rate.
    """

    name: str
    meaning: str
    metrics: tuple[Metric, ...]
    threshold: float | None = None
    usual_deviations: float | None = None
    comparison: Comparison = "GreaterThanThreshold"
    expression: str | None = None
    period_seconds: int = 5 * MINUTES
    periods: int = 1
    datapoints: int | None = None
    section: str = ""
    silence_is_fine: bool = True
    notifies: bool = True

    @property
    def description(self) -> str:
        return _description(self.meaning, self.section or self.name)


@dataclass(frozen=True, kw_only=True)
class CompositeAlarm:
    """Notifies an operator while all of these alarms are active."""

    name: str
    meaning: str
    alarms: tuple[Alarm, ...]

    @property
    def description(self) -> str:
        return _description(self.meaning, self.name)


def alarms_of(monitored: MonitoredResources, *, paused: bool, max_open_uploads: int) -> list[Alarm | CompositeAlarm]:
    """All alarms of a stage. paused: on a paused stage silence, refused calls and waiting events are intended.

    max_open_uploads: of one user.
    """
    return [
        *_api(monitored, paused=paused),
        *_uploads(monitored, max_open_uploads),
        *_events(monitored, paused=paused),
        *(_scans(monitored) if monitored.scans else []),
        *(_renditions(monitored) if monitored.makes_renditions else []),
        *_functions(monitored, paused=paused),
        *_janitor(monitored, paused=paused),
        *_notifications(monitored, paused=paused),
    ]


def _description(meaning: str, section: str) -> str:
    return f"{meaning} What to do: {RUNBOOK}#{section}"


def _burn_rates(name: str, meaning: str, metrics: tuple[Metric, ...], percent: str) -> Sequence[Alarm | CompositeAlarm]:
    """percent: metric math for the share of failures; `{least}` stands for the window's least number of failures."""
    windows = (("hour", HOURS, LEAST_FAILURES), ("now", 5 * MINUTES, 2))
    fast = tuple(
        Alarm(
            name=f"{name}-{window}",
            meaning=f"{meaning} (one of two windows).",
            section=f"{name}-fast-burn",
            metrics=metrics,
            expression=percent.format(least=least_failures),
            threshold=FAST_BURN * ERRORS_ALLOWED_PERCENT,
            period_seconds=period_seconds,
            notifies=False,
        )
        for window, period_seconds, least_failures in windows
    )
    return [
        *fast,
        CompositeAlarm(
            name=f"{name}-fast-burn",
            meaning=f"{meaning}, so often that a month's budget is gone in two days.",
            alarms=fast,
        ),
        Alarm(
            name=f"{name}-slow-burn",
            meaning=f"{meaning}, for hours, so often that a month's budget is gone in five days.",
            metrics=metrics,
            expression=percent.format(least=LEAST_FAILURES),
            threshold=SLOW_BURN * ERRORS_ALLOWED_PERCENT,
            period_seconds=6 * HOURS,
        ),
    ]


def _api(monitored: MonitoredResources, *, paused: bool) -> list[Alarm | CompositeAlarm]:
    count = monitored.of_api("Count", "Sum")
    errors = _burn_rates(
        "api-errors",
        "API calls fail on our side",
        (monitored.of_api("5XXError", "Sum"), count),
        "IF(m0>={least}, 100*m0/m1, 0)",
    )
    refusals = Alarm(
        name="api-refusals",
        meaning="Most API calls have been refused (4xx) for a quarter of an hour.",
        # No other alarm notices if every caller is refused: no function runs, and no upload begins that could fail.
        metrics=(monitored.of_api("4XXError", "Sum"), count),
        expression=f"IF(m0>={LEAST_CALLS}, 100*m0/m1, 0)",
        threshold=50,
        periods=3,
    )
    latency = Alarm(
        name="api-latency",
        meaning=f"Most API calls have taken more than {LATENCY_TARGET_MILLISECONDS} ms for a quarter of an hour.",
        # The median: a large file takes S3 seconds to put together, and the average with it.
        metrics=(monitored.of_api("Latency", "p50"), count),
        expression=f"IF(m1>={LEAST_CALLS}, m0, 0)",
        threshold=LATENCY_TARGET_MILLISECONDS,
        periods=3,
    )
    return [*([] if paused else errors), refusals, latency]


def _uploads(monitored: MonitoredResources, max_open_uploads: int) -> list[Alarm | CompositeAlarm]:
    ready, failed, expired = (
        monitored.own(f"uploads_{ending}_count", "Sum") for ending in ("ready", "failed", "expired")
    )
    lost = "(FILL(m1,0)-FILL(m2,0))"  # an abandoned upload is no failure of ours
    # Client reports can be forged, counts of the functions cannot: only uploads that are still open count as failed.
    told, unfinished = "FILL(m0,0)", "(m1-FILL(m2,0)-FILL(m3,0))"
    failed_for_clients = f"IF({told}<{unfinished}, {told}, {unfinished})"
    return [
        *_burn_rates(
            "upload-success",
            "Uploads are lost on our side",
            (ready, failed, expired),
            f"IF({lost}>={{least}}, 100*{lost}/(FILL(m0,0)+{lost}), 0)",
        ),
        Alarm(
            name="upload-speed",
            meaning="Uploads are much slower than usual.",
            metrics=(monitored.own("upload_throughput_bytes_per_second", "p50"),),
            usual_deviations=3,
            comparison="LessThanLowerThreshold",
            period_seconds=15 * MINUTES,
            periods=4,
            datapoints=3,
        ),
        Alarm(
            name="processing-slow",
            meaning="Videos wait much longer than usual for their processing.",
            metrics=(monitored.own("processing_milliseconds", "p90"),),
            usual_deviations=3,
            comparison="GreaterThanUpperThreshold",
            period_seconds=15 * MINUTES,
            periods=4,
            datapoints=3,
        ),
        Alarm(
            name="client-failures",
            meaning="More than a fifth of an hour's uploads are still open after their clients reported an error.",
            metrics=(
                monitored.own("client_uploads_failed_count", "Sum"),
                *(monitored.own(f"uploads_{step}_count", "Sum") for step in ("started", "completed", "aborted")),
            ),
            # A user has at most max_open_uploads open uploads, and cannot trigger the alarm alone.
            expression=f"IF({failed_for_clients}>{max_open_uploads}, 100*{failed_for_clients}/m1, 0)",
            threshold=20,
            period_seconds=HOURS,
        ),
    ]


def _events(monitored: MonitoredResources, *, paused: bool) -> list[Alarm]:
    # Events of a pause set off the alarm when it ends, because they must be redriven.
    failed = Alarm(
        name="failed-events",
        meaning="An event failed every retry and waits in the dead-letter queue.",
        metrics=(monitored.of_queue("ApproximateNumberOfMessagesVisible", "Maximum"),),
        threshold=0,
    )
    return [
        *([] if paused else [failed]),
        Alarm(
            name="uploads-stuck",
            meaning="A video has arrived, but all automatic retries of its processing are used up.",
            metrics=(monitored.own("uploads_stuck_count", "Maximum"),),
            threshold=0,
        ),
        Alarm(
            name="unknown-objects",
            meaning="An object that belongs to no upload arrived in the video bucket.",
            metrics=(monitored.own("unknown_objects_count", "Sum"),),
            threshold=0,
        ),
    ]


def _scans(monitored: MonitoredResources) -> list[Alarm]:
    return [
        Alarm(
            name="scan-unsupported",
            meaning="The malware scanner does not support a video; malwareUnscanned decided whether it was accepted.",
            metrics=(monitored.own("scans_unsupported_count", "Sum"),),
            threshold=0,
        ),
        Alarm(
            name="scan-access-denied",
            meaning="The malware scanner has no permission to read a video.",
            metrics=(monitored.own("scans_access_denied_count", "Sum"),),
            threshold=0,
        ),
        Alarm(
            name="scan-failed",
            meaning="Malware scans fail at the scanner repeatedly.",
            metrics=(monitored.own("scans_failed_count", "Sum"),),
            threshold=0,
            # A single failed scan is repeated automatically.
            periods=3,
            datapoints=2,
        ),
        Alarm(
            name="scan-unanswered",
            meaning="No malware scan of a video gave a verdict; malwareUnscanned decided whether it was accepted.",
            metrics=(monitored.own("scans_unanswered_count", "Sum"),),
            threshold=0,
        ),
    ]


def _renditions(monitored: MonitoredResources) -> list[Alarm]:
    return [
        Alarm(
            name="renditions-failed",
            meaning="Videos could not be copied or converted for all browsers.",
            metrics=(monitored.own("renditions_failed_count", "Sum"),),
            threshold=0,
            period_seconds=HOURS,
        )
    ]


def _functions(monitored: MonitoredResources, *, paused: bool) -> list[Alarm]:
    alarms = [
        Alarm(
            name=f"{function.replace('_', '-')}-errors",
            meaning=f"The function {function} crashes or runs out of time.",
            section="function-errors",
            metrics=(monitored.of_function(function, "Errors", "Sum"),),
            threshold=0,
            periods=3,
            datapoints=2,
        )
        for function in monitored.function_names
        if function != AUTHORIZER
    ]
    alarms.append(
        Alarm(
            name="upload-token-authorizer-errors",
            meaning="The authorizer refuses many more calls than usual, or crashes.",
            section="function-errors",
            # It refuses a token by raising an error, so some errors are normal.
            metrics=(monitored.of_function(AUTHORIZER, "Errors", "Sum"),),
            usual_deviations=5,
            comparison="GreaterThanUpperThreshold",
            periods=3,
        )
    )
    if not paused:
        throttles = monitored.of_functions("Throttles", "Sum")
        alarms.append(
            Alarm(
                name="function-throttles",
                meaning="Lambda refuses calls: the account's concurrency is used up.",
                metrics=throttles,
                expression="+".join(f"FILL(m{position},0)" for position in range(len(throttles))),
                threshold=0,
                periods=3,
                datapoints=2,
            )
        )
    return alarms


def _janitor(monitored: MonitoredResources, *, paused: bool) -> list[Alarm]:
    failures = Alarm(
        name="janitor-failures",
        meaning="The janitor cannot repair or expire an upload, or cannot get a figure of the stage.",
        metrics=(monitored.own("janitor_failures_count", "Sum"),),
        threshold=0,
        periods=3,
        datapoints=2,
    )
    silent = Alarm(
        name="janitor-silent",
        meaning="The janitor has not run for half an hour: abandoned uploads pile up, and lost events stay lost.",
        metrics=(monitored.of_function("janitor", "Invocations", "Sum"),),
        # CloudWatch evaluates older periods before it treats one as missing, here for hours.
        expression="FILL(m0,0)",
        threshold=1,
        comparison="LessThanThreshold",
        period_seconds=30 * MINUTES,
        silence_is_fine=False,
    )
    return [failures] if paused else [failures, silent]


def _notifications(monitored: MonitoredResources, *, paused: bool) -> list[Alarm]:
    if not monitored.delivery_queue_names:
        return []
    dead = monitored.of_delivery_queues("ApproximateNumberOfMessagesVisible", "Maximum", "-failed")
    ages = monitored.of_delivery_queues("ApproximateAgeOfOldestMessage", "Maximum")
    lost = Alarm(
        name="notifications-undelivered",
        meaning="A destination did not accept a notification for a day; the message waits in its dead-letter queue.",
        metrics=dead,
        expression="+".join(f"FILL(m{position},0)" for position in range(len(dead))),
        threshold=0,
    )
    late = Alarm(
        name="notifications-late",
        meaning=f"A destination has not accepted a notification for {NOTIFICATION_HOURS} hours.",
        metrics=ages,
        expression="+".join(f"IF(FILL(m{each},0)>{NOTIFICATION_HOURS * HOURS},1,0)" for each in range(len(ages))),
        threshold=0,
    )
    return [lost] if paused else [lost, late]


AUTHORIZER = "upload_token_authorizer"
