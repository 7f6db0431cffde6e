"""Calls by kept connections: against a server that answers as each test has it."""

from __future__ import annotations

import gzip
import socket
import threading
from collections.abc import Callable, Generator
from dataclasses import dataclass, field

import pytest

from video_upload.connection_problem import problem_in_words
from video_upload.http_calls import LOST_ANSWERS, NO_ADDRESS, Answer, HttpCalls

TIMEOUT_SECONDS = (5.0, 5.0)


def answer_with(body: bytes, *headers: str) -> bytes:
    lines = ["HTTP/1.1 200 OK", f"Content-Length: {len(body)}", *headers]
    return "\r\n".join([*lines, "", ""]).encode() + body


@dataclass
class ScriptedServer:
    """Answers each request with the same bytes. answers_each: requests of one connection before it ends."""

    listener: socket.socket
    answer: bytes = field(default_factory=lambda: answer_with(b"{}"))
    answers_each: int = 1000
    is_silent: bool = False
    heads: list[bytes] = field(default_factory=list[bytes])
    connections: int = 0
    ended: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.listener.getsockname()[1]}"

    def serve(self) -> None:
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            self.connections += 1
            threading.Thread(target=self._serve_one, args=(connection,), daemon=True).start()

    def _serve_one(self, connection: socket.socket) -> None:
        with connection:
            for _ in range(self.answers_each):
                head = connection.recv(65536)
                if not head:
                    break
                self.heads.append(head)
                if not self.is_silent:
                    connection.sendall(self.answer)
        self.ended.release()


@pytest.fixture
def server() -> Generator[ScriptedServer]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        scripted = ScriptedServer(listener)
        thread = threading.Thread(target=scripted.serve, daemon=True)
        thread.start()
        yield scripted
        listener.shutdown(socket.SHUT_RDWR)
    thread.join(5)


@pytest.fixture
def get(server: ScriptedServer) -> Callable[[], Answer]:
    calls = HttpCalls()
    return lambda: calls.send("GET", f"{server.url}/health?a=b", timeout_seconds=TIMEOUT_SECONDS)


def test_calls_share_a_connection(server: ScriptedServer, get: Callable[[], Answer]) -> None:
    assert [get().content for _ in range(3)] == [b"{}"] * 3
    assert server.connections == 1
    assert all(head.startswith(b"GET /health?a=b HTTP/1.1\r\n") for head in server.heads)
    assert all(b"\r\nUser-Agent: video-upload/" in head for head in server.heads)


def test_a_connection_that_the_server_has_ended_between_two_calls_is_not_used_again(
    server: ScriptedServer, get: Callable[[], Answer]
) -> None:
    server.answers_each = 1
    for _ in range(3):
        assert get().content == b"{}"
        assert server.ended.acquire(timeout=5)
    assert server.connections == 3


def test_a_connection_that_the_server_wants_to_end_is_not_kept(
    server: ScriptedServer, get: Callable[[], Answer]
) -> None:
    server.answer = answer_with(b"{}", "Connection: close")
    assert [get().content for _ in range(2)] == [b"{}"] * 2
    assert server.connections == 2


def test_compressed_answers_are_unpacked(server: ScriptedServer, get: Callable[[], Answer]) -> None:
    server.answer = answer_with(gzip.compress(b'{"status":"ok"}'), "content-encoding: GZIP")
    assert get().content == b'{"status":"ok"}'


def test_an_empty_answer_needs_no_unpacking(server: ScriptedServer, get: Callable[[], Answer]) -> None:
    server.answer = answer_with(b"", "Content-Encoding: gzip")
    assert get().content == b""


@pytest.mark.parametrize(
    "answer",
    [
        answer_with(b"no gzip", "Content-Encoding: gzip"),
        answer_with(gzip.compress(b"whole")[:-9], "Content-Encoding: gzip"),
        answer_with(b"whole")[:-2],
        b"HTTP/1.1 200 OK\r\nContent-Length: 1" + b"0" * 22 + b"\r\n\r\n{}",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + b"f" * 20 + b"\r\n{}",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n-2\r\n{}",
        b"SSH-2.0-OpenSSH_9.2\r\n",
        b"",
    ],
    ids=[
        *("no gzip", "half a gzip", "half an answer"),
        *("impossible length", "impossible chunk", "negative chunk", "another protocol", "nothing"),
    ],
)
def test_an_incomplete_answer_counts_as_lost_and_its_connection_is_closed(
    server: ScriptedServer, get: Callable[[], Answer], answer: bytes
) -> None:
    server.answer, server.answers_each = answer, 1
    with pytest.raises(LOST_ANSWERS):
        get()
    server.answer = answer_with(b"{}")
    assert get().content == b"{}"
    assert server.connections == 2


def test_a_server_that_says_nothing_is_late_in_words(server: ScriptedServer) -> None:
    server.is_silent = True
    with pytest.raises(LOST_ANSWERS) as late:
        HttpCalls().send("GET", server.url, timeout_seconds=(600.0, 0.05))
    assert problem_in_words(late.value) == "no answer in time"


@pytest.mark.parametrize("url", ["https://", "http:///path", "http://a b/", "http://[::1/", "http://host:port/"])
def test_a_text_that_can_be_no_address_is_told_apart(url: str) -> None:
    with pytest.raises(NO_ADDRESS):
        HttpCalls().send("GET", url, timeout_seconds=TIMEOUT_SECONDS)
