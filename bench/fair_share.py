"""How long one user's list takes while another user, at the cap, keeps asking for new uploads.

Prints the quiet and the flooded time of GET /videos, and what the flood was answered.
"""

import argparse
import statistics
import sys
import threading
import time
from collections import Counter
from collections.abc import Sequence
from multiprocessing import Event, Process, Queue
from typing import Any

import requests
from rich.console import Console

from local.platform import LocalPlatform, Ports

CONNECTIONS = 40
LISTS = 60
MAX_OPEN_UPLOADS = 3
FLOOD_WARM_UP_SECONDS = 2.0
TIMEOUT_SECONDS = 120


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.fair_share", description=__doc__)
    parser.add_argument("--connections", type=int, default=CONNECTIONS, help="of the flood (default: %(default)s)")
    parser.add_argument("--lists", type=int, default=LISTS, help="measured each time (default: %(default)s)")
    options = parser.parse_args(arguments)
    variables = {"MAX_OPEN_UPLOADS_PER_USER": str(MAX_OPEN_UPLOADS)}
    with LocalPlatform(data_dir=None, ports=Ports.free(), api_variables=variables) as platform:
        api_url = f"{platform.site_url}/api"
        visitor, flooder = (
            platform.sign_in.issue_tokens(f"{name}@example.com").access_token for name in ("visitor", "flooder")
        )
        for _ in range(MAX_OPEN_UPLOADS):
            assert _init(requests.Session(), api_url, flooder) == 201
        _list_seconds(api_url, visitor, 5)
        quiet = _list_seconds(api_url, visitor, options.lists)
        told: Queue[Counter[int]] = Queue()
        stop = Event()
        flood = Process(target=_flood, args=(api_url, flooder, options.connections, stop, told))
        flood.start()
        time.sleep(FLOOD_WARM_UP_SECONDS)
        flooded = _list_seconds(api_url, visitor, options.lists)
        stop.set()
        answers = told.get(timeout=TIMEOUT_SECONDS)
        flood.join()
    _print(quiet, flooded, answers, options.connections)
    return 0


def _print(quiet: list[float], flooded: list[float], answers: Counter[int], connections: int) -> None:
    console = Console(highlight=False)
    console.print(f"GET /videos, quiet:   {_shown(quiet)}")
    console.print(f"GET /videos, flooded: {_shown(flooded)}, by another user on {connections} connections")
    console.print(f"times slower: {statistics.median(flooded) / statistics.median(quiet):.1f}")
    console.print("the flood was answered " + ", ".join(f"{count} times {status}" for status, count in answers.items()))


def _shown(seconds: list[float]) -> str:
    p95 = statistics.quantiles(seconds, n=20)[-1]
    return f"p50 {statistics.median(seconds) * 1000:.1f} ms, p95 {p95 * 1000:.1f} ms of {len(seconds)}"


def _list_seconds(api_url: str, token: str, count: int) -> list[float]:
    session = requests.Session()
    taken: list[float] = []
    for _ in range(count):
        started_at = time.perf_counter()
        answer = session.get(f"{api_url}/videos", headers=_bearer(token), timeout=TIMEOUT_SECONDS)
        taken.append(time.perf_counter() - started_at)
        assert answer.status_code == 200, answer.text
    return taken


def _flood(api_url: str, token: str, connections: int, stop: Any, told: "Queue[Counter[int]]") -> None:
    """In a process of its own: it must not slow the one that measures."""
    answers: Counter[int] = Counter()
    lock = threading.Lock()

    def ask() -> None:
        session = requests.Session()
        while not stop.is_set():
            status = _init(session, api_url, token)
            with lock:
                answers[status] += 1

    threads = [threading.Thread(target=ask) for _ in range(connections)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    told.put(answers)


def _init(session: requests.Session, api_url: str, token: str) -> int:
    body = {"fileName": "film.mp4", "contentType": "video/mp4", "sizeBytes": 100}
    return session.post(
        f"{api_url}/multipart/init", json=body, headers=_bearer(token), timeout=TIMEOUT_SECONDS
    ).status_code


def _bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


if __name__ == "__main__":
    sys.exit(main())
