"""Peak memory and CPU time of processes."""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Self

import psutil

from bench.poller import Poller

INTERVAL_SECONDS = 0.5


@dataclass
class Usage:
    """Peaks of one process, its children's memory included; cpu_seconds: CPU time of all of them."""

    peak_rss_bytes: int = 0
    peak_threads: int = 0
    peak_open_files: int = 0
    cpu_seconds: float = 0.0


class ProcessWatch(Poller):
    """A context manager that samples processes by name until it is left; a child that is watched counts once."""

    def __init__(self, process_ids: Mapping[str, int]) -> None:
        super().__init__(INTERVAL_SECONDS)
        self._processes = {name: psutil.Process(process_id) for name, process_id in process_ids.items()}
        self.usage = {name: Usage() for name in process_ids}

    def __enter__(self) -> Self:
        # At once, too: a process may live shorter than the pause.
        self.look()
        return super().__enter__()

    def look(self) -> None:
        families = {process: _descendants(process) for process in self._processes.values()}
        for name, process in self._processes.items():
            # A child that is watched has its own figures, and so have its children.
            elsewhere = {
                relative for child in families[process].intersection(families) for relative in (child, *families[child])
            }
            # Gone; or it inspects videos, and shows its descriptors to root alone.
            with suppress(psutil.NoSuchProcess, psutil.AccessDenied):
                _sample(process, families[process] - elsewhere, self.usage[name])


def _descendants(process: psutil.Process) -> set[psutil.Process]:
    try:
        return set(process.children(recursive=True))
    except psutil.NoSuchProcess:
        return set()


def _sample(process: psutil.Process, descendants: set[psutil.Process], usage: Usage) -> None:
    rss_bytes = process.memory_info().rss
    for descendant in descendants:
        try:
            rss_bytes += descendant.memory_info().rss
        except psutil.NoSuchProcess:
            continue
    times = process.cpu_times()
    usage.peak_rss_bytes = max(usage.peak_rss_bytes, rss_bytes)
    usage.peak_threads = max(usage.peak_threads, process.num_threads())
    usage.cpu_seconds = times.user + times.system + times.children_user + times.children_system
    usage.peak_open_files = max(usage.peak_open_files, process.num_fds())
