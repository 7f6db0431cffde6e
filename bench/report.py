"""The figures of one measurement as a table."""

import re
import statistics
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from rich.console import Console
from rich.table import Table

from bench.arrivals import Findings
from bench.process_watch import Usage
from bench.upload_client import Figures, Step

MIB = 1 << 20
_SHOWN_KINDS = 5
_DIGITS = re.compile(r"[0-9]+")


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """upload_seconds: until the last client was told `completed`. processing_seconds: from then to the last `ready`;
    most is processed before. open_at_once: uploads that were open when the first part was sent."""

    uploads: int
    users: int
    video_bytes: int
    open_at_once: int
    reached: Counter[Step]
    failures: Counter[str]
    figures: Figures
    upload_seconds: float
    processing_seconds: float
    findings: Findings
    usage: Mapping[str, Usage]

    @property
    def is_flawless(self) -> bool:
        found = self.findings
        return (
            self.reached[Step.COMPLETE] == found.identical == found.states["ready"] == found.versions == self.uploads
            and not self.failures
            and not found.lost + found.doubled + found.differing + found.unlisted + found.failed_events
        )


def print_report(outcome: Outcome, lines_by_process: Mapping[str, Sequence[str]]) -> None:
    console = Console(highlight=False)
    console.print()
    for table in (_uploads(outcome), _latencies(outcome.figures), _processes(outcome.usage)):
        console.print(table)
    for process, lines in lines_by_process.items():
        kinds = Counter(_DIGITS.sub("#", line) for line in lines)
        console.print(f"{process} printed {len(lines):,} lines, most of all:")
        for kind, number in kinds.most_common(_SHOWN_KINDS):
            console.print(f"  {number:,} times: {kind}", markup=False)
    verdict = "Every video arrived, once and unchanged." if outcome.is_flawless else "NOT every video arrived."
    console.print(f"\n{outcome.findings.identical:,} of {outcome.uploads:,}. {verdict}")


def _uploads(outcome: Outcome) -> Table:
    table = Table("", "", title=f"{outcome.uploads:,} uploads by {outcome.users} users", show_header=False)
    table.columns[1].justify = "right"
    found = outcome.findings
    rows: list[tuple[str, str | int]] = [
        ("bytes of each video", f"{outcome.video_bytes:,}"),
        ("opened", outcome.reached[Step.INIT]),
        ("open at the same time", outcome.open_at_once),
        ("all parts sent", outcome.reached[Step.PART]),
        ("completed", outcome.reached[Step.COMPLETE]),
        *((f"processed: {state}", number) for state, number in sorted(found.states.items())),
        ("read back identical (SHA-256)", found.identical),
        ("read back different", found.differing),
        ("missing in their owner's library", found.unlisted),
        ("versions in the bucket", found.versions),
        ("lost", found.lost),
        ("doubled", found.doubled),
        ("announced", found.announced),
        ("announced again", found.announced_again),
        ("failed events", found.failed_events),
        ("uploads left open at S3", found.open_uploads),
        ("places of users not given back", found.open_markers),
        *((f"failed, {kind}", number) for kind, number in outcome.failures.most_common()),
        ("retries", outcome.figures.retries.total()),
        *((f"retried, {step}: {kind}", number) for (step, kind), number in outcome.figures.retries.most_common()),
        ("asked again after a 202", outcome.figures.asked_again),
        ("upload phase", f"{outcome.upload_seconds:.1f} s"),
        ("processing after it", f"{outcome.processing_seconds:.1f} s"),
    ]
    for name, value in rows:
        table.add_row(name, f"{value:,}" if isinstance(value, int) else value)
    return table


def _latencies(figures: Figures) -> Table:
    table = Table("step", "count", "p50", "p99", "longest", title="Seconds a client waits, retries included")
    for step in Step:
        seconds = sorted(figures.seconds[step])
        if len(seconds) > 1:
            percentiles = statistics.quantiles(seconds, n=100, method="inclusive")
            columns = (percentiles[49], percentiles[98], seconds[-1])
            table.add_row(step, f"{len(seconds):,}", *(f"{column:.2f}" for column in columns))
    return table


def _processes(usage: Mapping[str, Usage]) -> Table:
    table = Table("process", "peak RSS", "CPU", "threads", "open files", title="Processes (with their children)")
    for name, used in usage.items():
        table.add_row(
            name,
            f"{used.peak_rss_bytes / MIB:,.0f} MiB",
            f"{used.cpu_seconds:.1f} s",
            str(used.peak_threads),
            str(used.peak_open_files),
        )
    return table
