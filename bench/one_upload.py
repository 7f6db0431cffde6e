"""One upload in requests to AWS, from its start to the library that shows it, each with its reason."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from statistics import median
from typing import Any

from bench.rounds import table
from tests.costs.billed_calls import KINDS
from tests.in_memory_platform import InMemoryPlatform, Transfer, platform_in_memory
from tests.outside_calls import around_calls

SECTION = "bench.one-upload"
SERVICES = {"metadata": "S3", "videos": "S3", "renditions": "S3", "mac": "KMS", "notifier": "SNS"}
SIZE_BYTES = 15 * 2**20
CORRELATION_ID = "an-upload"

LEASE = "takes the lease: only one of two calls talks to S3"
ANNOUNCED = "announces a change to the index, which would miss it if the function died after writing the record"
TOLD = "tells the index what changed, so that folding reads no record"
REASONS: Mapping[str, Mapping[str, str]] = {
    "POST /multipart/init": {
        "metadata.list_keys open/": "checks the caps before anything is written, and counts the reservation afterwards",
        "metadata.put_if_new starts/": "idempotency key: a repeated call opens the same upload",
        "metadata.put open/": "reservation: counts against the caps, and leads the janitor to the upload",
        "videos.create_multipart_upload videos/": "S3's upload",
        "mac.generate": "signs the upload token",
        "metadata.put index/": f"{ANNOUNCED}; {TOLD}",
        "metadata.put_if_new records/": "the record",
    },
    "the authorizer, once in 300 s": {"mac.verify": "verifies the upload token"},
    "POST /multipart/complete": {
        "metadata.get records/": "to take the lease; its own version of the record is known when it settles",
        "metadata.put_if_unchanged records/": f"{LEASE}; settles the outcome",
        "metadata.put index/": "announces both writes of the record at once, and tells the index of the last",
        "videos.complete_multipart_upload videos/": "joins the parts",
        "videos.head videos/": "reads what S3 holds: size and checksum",
    },
    "processing": {
        "metadata.get records/": "reads the record; both writes of it show whether it is still the newest",
        "videos.head videos/": "size, version and tags of the object that arrived",
        "videos.read_range videos/": "the file's head, for the inspection",
        "metadata.put posters/": "poster and thumbnails",
        "videos.set_verdict videos/": "tags the object: only accepted ones can be watched",
        "metadata.put index/": f"{ANNOUNCED}; {TOLD}",
        "metadata.put_if_unchanged records/": "the verdict; after the message, that it was sent",
        "notifier.announce": "tells subscribers",
        "metadata.delete open/": "ends the reservation",
    },
}
"""By step, by call and folder: what the call is for."""


@dataclass(kw_only=True)
class Played:
    """Calls by step, in order, and CPU seconds of each step's code without what stands in for AWS."""

    calls: dict[str, list[str]] = field(default_factory=dict[str, list[str]])
    cpu_seconds: dict[str, float] = field(default_factory=dict[str, float])


def play() -> Played:
    """Play one upload of three parts against an outside world in memory."""
    platform = platform_in_memory()
    played = Played()
    called: list[tuple[str, float]] = []
    _record(platform, called)

    def step(name: str, run: Callable[[], Any]) -> Any:
        called.clear()
        began = time.process_time()
        result = run()
        played.cpu_seconds[name] = time.process_time() - began - sum(spent for _, spent in called)
        played.calls[name] = [call for call, _ in called]
        return result

    init, authorizer, complete, processing = REASONS
    transfer: Transfer = step(init, lambda: platform.start(SIZE_BYTES, correlation_id=CORRELATION_ID))
    # The platform in memory verifies the token as the authorizer does.
    verified = played.calls[init].pop()
    assert verified == "mac.verify"
    played.calls[authorizer] = [verified]
    etags = transfer.send_parts()
    step(complete, lambda: platform.completions.complete(transfer.token, transfer.completion(etags)))
    step(processing, lambda: platform.process(transfer))
    return played


def _record(platform: InMemoryPlatform, called: list[tuple[str, float]]) -> None:
    """Note each call, and the CPU seconds that it took."""

    def noting(name: str, arguments: tuple[Any, ...], call: Callable[[], Any]) -> Any:
        folder = re.match(r"[a-z-]+/", str(arguments[0])) if arguments else None
        began = time.process_time()
        try:
            return call()
        finally:
            called.append((f"{name} {folder[0]}" if folder else name, time.process_time() - began))

    around_calls(platform, KINDS, noting)


def unexplained(played: Played) -> set[tuple[str, str]]:
    """Calls without a reason, and reasons without a call."""
    made = {(step, call) for step, calls in played.calls.items() for call in calls}
    explained = {(step, call) for step, reasons in REASONS.items() for call in reasons}
    return made ^ explained


def report(rounds: int, *, quick: bool) -> str:
    del quick  # it takes no time
    plays = [play() for _ in range(rounds + 1)][1:]
    calls = plays[0].calls
    rows: list[list[str]] = []
    for step, reasons in REASONS.items():
        for call, reason in reasons.items():
            count = calls[step].count(call)
            rows.append([step, SERVICES[call.partition(".")[0]], f"`{call.partition('.')[2]}`", str(count), reason])
    totals: list[list[str]] = []
    for step, made in calls.items():
        by_service = [[SERVICES[call.partition(".")[0]] for call in made].count(name) for name in ("S3", "KMS", "SNS")]
        spent = [each.cpu_seconds[step] * 1000 for each in plays if step in each.cpu_seconds]
        totals.append([step, *map(str, by_service), f"{median(spent):.2f}" if spent else ""])
    sums = [str(sum(int(row[column]) for row in totals)) for column in (1, 2, 3)]
    totals.append(["together", *sums, f"{sum(float(row[4] or 0) for row in totals):.2f}"])
    text = ["| Step | Service | Request | Times | Reason |", "|---|---|---|---:|---|"]
    text += ["| " + " | ".join(row) + " |" for row in rows]
    return f"{table(['Step', 'S3', 'KMS', 'SNS', 'CPU ms'], totals)}\n\n" + "\n".join(text)
