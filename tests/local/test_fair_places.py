"""A flood by one caller leaves places for the others."""

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from local.fair_places import FairPlaces

SHARE = 2


def test_a_caller_with_many_calls_holds_no_more_than_its_share() -> None:
    places = FairPlaces(places=8, share=SHARE)
    release = threading.Event()
    running: list[str] = []

    def call(caller: str) -> None:
        with places.place(caller):
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
    assert not places._shares, "nobody is remembered"


def test_all_callers_together_hold_no_more_than_the_places() -> None:
    places = FairPlaces(places=3, share=SHARE)
    lock = threading.Lock()
    now, most = 0, 0

    def call(caller: int) -> None:
        nonlocal now, most
        with places.place(str(caller)):
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
    places = FairPlaces(places=1, share=1)
    for _ in range(3):
        try:
            with places.place("somebody"):
                raise ValueError
        except ValueError:
            continue
    with places.place("somebody else"):
        pass


def _wait(until: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 30
    while not until():
        assert time.monotonic() < deadline
        time.sleep(0.01)
