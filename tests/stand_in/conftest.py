"""One stand-in for all tests, emptied before each."""

from collections.abc import Iterator

import pytest

from tests.stand_in.server_process import Server, serve, serve_bare_moto


@pytest.fixture(scope="session")
def running() -> Iterator[Server]:
    """A stand-in that lives as long as the tests."""
    with serve("--in-memory") as server:
        yield server


@pytest.fixture
def server(running: Server) -> Server:
    """The stand-in as on its first day."""
    assert running.control("POST", "reset").status == 204
    return running


@pytest.fixture(scope="session")
def bare_moto() -> Iterator[Server]:
    """moto without anything of ours."""
    with serve_bare_moto() as server:
        yield server
