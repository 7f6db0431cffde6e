"""A flood by one caller leaves slots for the others."""

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from local.fair_share import FairShare

SHARE = 2


def test_a_caller_with_many_calls_holds_no_more_than_its_share() -> None:
    slots = FairShare(slots=8, share=SHARE)
    release = threading.Event()
    running: list[str] = []

    def call(caller: str) -> None:
        with slots.slot(caller):
            running.append(caller)
            release.wait(30)

    with ThreadPoolExecutor(21) as calls:
        for _ in range(20):
            calls.submit(call, "a flood")
        _wait(lambda: len(running) == SHARE)
        calls.submit(call, "somebody else").add_done_callback(lambda done: done.result())
        _wait(lambda: "somebody else" in running)
        assert running.count("a flood") == SHARE
        release.set()
    assert running.count("a flood") == 20, "each has its turn"
    assert not slots._shares, "nobody is remembered"


def test_all_callers_together_hold_no_more_than_the_places() -> None:
    slots = FairShare(slots=3, share=SHARE)
    lock = threading.Lock()
    now, most = 0, 0

    def call(caller: int) -> None:
        nonlocal now, most
        with slots.slot(str(caller)):
            with lock:
                now += 1
                most = max(most, now)
            time.sleep(0.005)
            with lock:
                now -= 1

    with ThreadPoolExecutor(30) as calls:
        list(calls.map(call, range(30)))
    assert most == 3


def test_a_call_that_fails_gives_its_place_back() -> None:
    slots = FairShare(slots=1, share=1)
    for _ in range(3):
        try:
            with slots.slot("somebody"):
                raise ValueError
        except ValueError:
            continue
    is_free = threading.Event()

    def call() -> None:
        with slots.slot("somebody else"):
            is_free.set()

    threading.Thread(target=call, daemon=True).start()
    assert is_free.wait(10)


def _wait(until: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 30
    while not until():
        assert time.monotonic() < deadline
        time.sleep(0.01)
