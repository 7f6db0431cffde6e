"""The figures of one measurement as tables."""

import re
import statistics
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from rich.console import Console
from rich.table import Table

from bench.arrivals import Findings
from bench.index_watch import LONGEST_LAG_SECONDS, IndexFindings
from bench.process_watch import Usage
from bench.rounds import Target
from bench.rounds import table as markdown_table
from bench.upload_client import Figures, Step, Traffic

MIB = 1 << 20
REFUSED_AT_THE_CAP = "429"
REFUSED_WHEN_BUSY = "503"
_SHOWN_KINDS = 5
_WAIT_COLUMNS = ("calls", "p50", "p95", "longest", "p50, times")
_DIGITS = re.compile(r"[0-9]+")


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """The figures of one measurement.

    open_at_once: uploads that S3 had open once every part of all was there, without the flooder's. failures: of uploads
    and visits. flood: its answers by status. seconds: by phase. indexed: the library's index.
    """

    uploads: int
    users: int
    visits: int
    video_bytes: int
    part_count: int
    open_at_once: int
    reached: Counter[Step]
    failures: Counter[str]
    figures: Figures
    flood: Counter[str]
    flood_connections: int
    seconds: Mapping[str, float]
    findings: Findings
    indexed: IndexFindings
    usage: Mapping[str, Usage]

    @property
    def is_flawless(self) -> bool:
        found = self.findings
        return (
            self.reached[Step.COMPLETE] == found.identical == found.states["ready"] == found.versions == self.uploads
            and self.open_at_once == self.uploads
            and self.flood[REFUSED_AT_THE_CAP] > 0
            and self.flood.keys() <= {REFUSED_AT_THE_CAP, REFUSED_WHEN_BUSY}
            and not self.failures
            and not found.lost + found.doubled + found.differing + found.unlisted + found.failed_events
            and not found.open_uploads
            and self.indexed.is_sound
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
    verdict = (
        "Every video arrived, once and unchanged." if outcome.is_flawless else "SOMETHING WENT WRONG: see the figures."
    )
    console.print(f"\n{outcome.findings.identical:,} of {outcome.uploads:,}. {verdict}")


def in_markdown(outcome: Outcome) -> str:
    """The same for the document, without the processes and what a run meets rarely."""
    shown = [[name, _shown(value)] for name, value in _rows(outcome) if not name.startswith(("failed, ", "retried, "))]
    waited = [[step, traffic, *cells] for step, traffic, *cells in _waits(outcome.figures)]
    tables = (["", "figure"], shown), (["step", "traffic", *_WAIT_COLUMNS], waited)
    figures = [markdown_table(head, rows) for head, rows in tables]
    return "\n\n".join([*figures, "\n".join(map(str, targets(outcome.indexed)))])


def targets(indexed: IndexFindings) -> tuple[Target, ...]:
    lag_seconds = max(indexed.lag_seconds, default=0)
    return (
        Target(text="differences between index and records", figure=indexed.differences, at_most=0),
        Target(text="seconds until a ready video is shown, longest", figure=lag_seconds, at_most=LONGEST_LAG_SECONDS),
    )


def _uploads(outcome: Outcome) -> Table:
    table = Table("", "", title=f"{outcome.uploads:,} uploads, {outcome.users:,} users", show_header=False)
    table.columns[1].justify = "right"
    for name, value in _rows(outcome):
        table.add_row(name, _shown(value))
    return table


def _shown(value: str | int) -> str:
    return f"{value:,}" if isinstance(value, int) else value


def _rows(outcome: Outcome) -> list[tuple[str, str | int]]:
    found = outcome.findings
    return [
        ("users who signed in", outcome.users),
        ("of these through the pages", len(outcome.figures.seconds[Step.SIGN_IN, Traffic.LIGHT])),
        ("visits of the users who upload nothing", outcome.visits),
        ("bytes of each video", outcome.video_bytes),
        ("parts of each video", outcome.part_count),
        ("opened", outcome.reached[Step.INIT]),
        ("all parts sent", outcome.reached[Step.PART]),
        ("open at the same time, with all their parts", outcome.open_at_once),
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
        ("reservations not released", found.open_markers),
        *outcome.indexed.rows(),
        *((f"failed, {kind}", number) for kind, number in outcome.failures.most_common()),
        ("retries", outcome.figures.retries.total()),
        *((f"retried, {step}: {kind}", number) for (step, kind), number in outcome.figures.retries.most_common()),
        ("asked again after a 202", outcome.figures.asked_again),
        *(
            (f"flood on {outcome.flood_connections} connections, answered {status}", number)
            for status, number in outcome.flood.most_common()
        ),
        *((f"seconds: {phase}", f"{seconds:,.1f}") for phase, seconds in outcome.seconds.items()),
        ("seconds in all", f"{sum(outcome.seconds.values()):,.1f}"),
    ]


def _latencies(figures: Figures) -> Table:
    table = Table("step", "traffic", *_WAIT_COLUMNS, title="Seconds a client waits")
    table.caption = "retries included; wave: of clients at once; flooded: by one at the cap, too"
    for row in _waits(figures):
        table.add_row(*row)
    return table


def _waits(figures: Figures) -> Iterator[list[str]]:
    for step in Step:
        of_wave = figures.seconds[step, Traffic.WAVE]
        for traffic in Traffic:
            seconds = figures.seconds[step, traffic]
            is_compared = traffic is Traffic.FLOODED and seconds and of_wave
            slower = f"{statistics.median(seconds) / statistics.median(of_wave):.1f}" if is_compared else ""
            if seconds:
                yield [step, traffic, *_percentiles(seconds), slower]


def _percentiles(seconds: Sequence[float]) -> list[str]:
    p95 = statistics.quantiles(seconds, n=20, method="inclusive")[-1] if len(seconds) > 1 else seconds[0]
    return [f"{len(seconds):,}", *(f"{each:.3f}" for each in (statistics.median(seconds), p95, max(seconds)))]


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
