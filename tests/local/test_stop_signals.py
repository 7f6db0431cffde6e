"""Signals to stop, however they come."""

import signal
from collections.abc import Iterator

import pytest

from local.stop_signals import stop_signals

SIGNALS = (signal.SIGINT, signal.SIGTERM)


@pytest.fixture(autouse=True)
def handlers_of_before() -> Iterator[None]:
    before = [signal.getsignal(number) for number in SIGNALS]
    yield
    for number, handler in zip(SIGNALS, before, strict=True):
        signal.signal(number, handler)


@pytest.mark.parametrize("number", SIGNALS)
def test_each_signal_ends_the_wait_also_one_that_came_before_it(number: signal.Signals) -> None:
    stop = stop_signals()
    signal.raise_signal(number)
    stop.get(timeout=5)


def test_a_second_signal_while_the_first_is_handled_does_no_harm() -> None:
    stop = stop_signals()
    for number in (*SIGNALS, *SIGNALS):
        signal.raise_signal(number)
    for _ in (*SIGNALS, *SIGNALS):
        stop.get(timeout=5)
