"""A sign-in in memory whose clock the tests turn."""

import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from local.sign_in.second_factors import Mfa
from local.sign_in.server import SignIn
from tests.sign_in.browser_walk import Walk
from tests.sign_in.clock import Clock


@pytest.fixture
def clock() -> Clock:
    return Clock(time.time())


@pytest.fixture
def mfa() -> Mfa:
    return Mfa.OPTIONAL


@pytest.fixture
def sign_in(clock: Clock, mfa: Mfa) -> Iterator[SignIn]:
    with SignIn(port=0, mfa=mfa, clock=clock) as running:
        yield running


@pytest.fixture
def walk(sign_in: SignIn) -> Iterator[Callable[..., Walk]]:
    walks: list[Walk] = []

    def make(**changes: Any) -> Walk:
        walks.append(Walk(sign_in.authority_url, **changes))
        return walks[-1]

    yield make
    for each in walks:
        each.browser.close()
