"""Turns and connections that the files of a command share."""

from __future__ import annotations

import socket
import threading
import time
from urllib.parse import urlsplit

import pytest

from video_upload.backoff import Interruption
from video_upload.connections import Connections
from video_upload.errors import UploadCancelledError


def test_an_idle_connection_is_used_again_and_makes_room_for_one_to_another_host() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        here = urlsplit(f"http://127.0.0.1:{server.getsockname()[1]}/part")
        elsewhere = urlsplit("http://127.0.0.2:9/part")
        connections = Connections(limit=1)
        with connections.turn(Interruption()):
            line = connections.open(here)
            line.connection.connect()
            connections.keep(here, line)
        with connections.turn(Interruption()):
            assert connections.open(here) is line
            connections.keep(here, line)
        with connections.turn(Interruption()):
            assert connections.open(elsewhere) is not line
        assert line.connection.sock is None


def test_a_connection_that_came_back_early_is_neither_closed_nor_opened_anew() -> None:
    here = urlsplit("http://127.0.0.1:9/part")
    connections = Connections(limit=2)
    slow, quick = connections.turn(Interruption()), connections.turn(Interruption())
    slow.__enter__()
    quick.__enter__()
    first, second = connections.open(here), connections.open(here)
    connections.keep(here, first)
    connections.keep(here, second)
    quick.__exit__(None, None, None)
    with connections.turn(Interruption()):
        third = connections.open(here)
        slow.__exit__(None, None, None)
        with connections.turn(Interruption()):
            assert {id(third), id(connections.open(here))} == {id(first), id(second)}


def test_turns_are_taken_in_the_order_in_which_they_were_asked_for() -> None:
    connections = Connections(limit=1)
    served: list[int] = []

    def ask(number: int) -> None:
        with connections.turn(Interruption()):
            served.append(number)

    with connections.turn(Interruption()):
        askers = [threading.Thread(target=ask, args=(number,)) for number in range(5)]
        for number, asker in enumerate(askers, start=1):
            asker.start()
            while len(connections._waiting) < number:
                time.sleep(0.001)
    for asker in askers:
        asker.join()
    assert served == [0, 1, 2, 3, 4]


def test_a_stopped_wait_for_a_turn_leaves_the_turn_to_others() -> None:
    connections = Connections(limit=1)
    stopped = Interruption()
    stopped.request()
    with connections.turn(Interruption()):
        with pytest.raises(UploadCancelledError), connections.turn(stopped):
            pytest.fail("two turns at once")
        assert not connections._waiting
    with connections.turn(Interruption()):
        pass
