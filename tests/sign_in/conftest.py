"""A sign-in in memory whose clock the tests turn."""

import itertools
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

from local.sign_in import signing_key, users
from local.sign_in.second_factors import Mfa
from local.sign_in.server import SignIn
from tests.sign_in.browser_walk import Walk
from tests.sign_in.clock import Clock


@pytest.fixture(scope="session")
def key_pool() -> Iterator[RSAPrivateKey]:
    """Keys of other lives, in turn: sign-ins that run at the same time have different ones."""
    return itertools.cycle([rsa.generate_private_key(public_exponent=65537, key_size=2048) for _ in range(3)])


@pytest.fixture(autouse=True)
def quick_starts(monkeypatch: pytest.MonkeyPatch, key_pool: Iterator[RSAPrivateKey]) -> None:
    """Making a key and hashing a password for each sign-in took two thirds of these tests' time."""
    monkeypatch.setattr(signing_key, "new_private_key", lambda: next(key_pool))
    monkeypatch.setattr(users, "SCRYPT_N", 2)


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
