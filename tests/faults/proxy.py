"""A proxy on loopback that lets calls go wrong on purpose."""

import asyncio
import re
import socket
import struct
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from types import TracebackType

from tests.event_loop_thread import EventLoopThread
from tests.faults.fault_modes import Line, Mode

HOST = "127.0.0.1"
SPELL_SECONDS = 0.4
"""The time in which nobody listens after a refused connection."""
LATE_SECONDS = 12.0
"""More than any client of a run waits."""
GONE_SECONDS = 10.0
BUFFER_BYTES = 2**20


@dataclass(frozen=True)
class Head:
    """The first lines of a request."""

    method: str
    target: str
    raw: bytes

    def header(self, name: str) -> str | None:
        found = re.search(rf"\r\n{name}:[ \t]*([^\r\n]*)".encode(), self.raw, re.IGNORECASE)
        return found.group(1).decode("latin-1") if found else None

    @property
    def body_bytes(self) -> int:
        return int(self.header("Content-Length") or 0)

    @property
    def is_of_a_function(self) -> bool:
        """Return whether the platform itself sends it; clients sign no request."""
        return (self.header("Authorization") or "").startswith("AWS4-")

    @property
    def for_one_exchange(self) -> bytes:
        """The same, asking for the connection to be closed after the answer."""
        bare = re.sub(rb"\r\n(?:Connection|Expect):[^\r\n]*", b"", self.raw, flags=re.IGNORECASE)
        return bare[:-2] + b"Connection: close\r\n\r\n"


Route = Callable[[Head], tuple[Line, str] | None]
"""The line and the name of a call; None for calls without faults."""


@dataclass(frozen=True)
class _Call:
    """A call that goes wrong."""

    line: Line
    name: str
    head: Head
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter


class Listener:
    """An address that leads to a server of the platform."""

    def __init__(self, target_port: int, route: Route) -> None:
        self.port = 0
        self._target_port = target_port
        self._route = route
        self._server: asyncio.Server | None = None
        self._connections: set[asyncio.Task[None]] = set()

    @property
    def url(self) -> str:
        return f"http://{HOST}:{self.port}"

    async def open(self) -> None:
        self._server = await asyncio.start_server(self._accept, HOST, self.port, limit=BUFFER_BYTES, backlog=128)
        self.port = self._server.sockets[0].getsockname()[1]

    async def close(self) -> None:
        if self._server:
            self._server.close()
            self._server = None

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        if task:
            self._connections.add(task)
            task.add_done_callback(self._connections.discard)
        with suppress(OSError, EOFError, asyncio.LimitOverrunError):
            raw = await reader.readuntil(b"\r\n\r\n")
            method, target, _ = raw.split(b"\r\n", 1)[0].decode("latin-1").split(" ", 2)
            await self._serve(Head(method, target, raw), reader, writer)
        writer.close()

    async def _serve(self, head: Head, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if head.is_of_a_function:
            await self._pipe(head, reader, writer)
            return
        line, name = self._route(head) or (None, "")
        mode = line.take(name) if line else None
        if line is None or mode is None:
            await _send(writer, await self._exchange(head, await reader.readexactly(head.body_bytes)))
            return
        call = _Call(line, name, head, reader, writer)
        before = {
            Mode.REFUSED: self._refuse,
            Mode.RESET: self._reset,
            Mode.HALF_REQUEST: self._cut_request,
        }
        if mode in before:
            await before[mode](call)
        else:
            await self._fail(mode, call, await reader.readexactly(head.body_bytes))

    async def _fail(self, mode: Mode, call: _Call, body: bytes) -> None:
        """Let the call fail once the request has arrived."""
        if mode is Mode.DIES_BEFORE:
            await _end_client(call.line)
        if mode in {Mode.DIES_BEFORE, *_NOT_CARRIED_OUT}:
            answer = b""
        elif mode is Mode.TWICE:
            answer, _ = await asyncio.gather(self._exchange(call.head, body), self._exchange(call.head, body))
        else:
            answer = await self._exchange(call.head, body)
        match mode:
            case Mode.HALF_ANSWER:
                start = answer.index(b"\r\n\r\n") + 4
                await _send(call.writer, answer[: (start + len(answer)) // 2])
            case Mode.TWICE:
                await _send(call.writer, answer)
            case Mode.DIES_THEN:
                await _send(call.writer, answer)
                await _end_client(call.line)
            case Mode.DIES_BEFORE | Mode.DIES_AFTER | Mode.LOST | Mode.LATE:
                if mode is Mode.DIES_AFTER:
                    await _end_client(call.line)
                if mode is Mode.LATE:
                    with suppress(TimeoutError):
                        await asyncio.wait_for(call.reader.read(1), LATE_SECONDS)
                _reset(call.writer)
            case _:
                await _send(call.writer, refusal(mode, call.name, call.head))

    async def _refuse(self, call: _Call) -> None:
        await self.close()
        _reset(call.writer)
        await asyncio.sleep(SPELL_SECONDS)
        await self.open()

    async def _reset(self, call: _Call) -> None:
        _reset(call.writer)

    async def _cut_request(self, call: _Call) -> None:
        _, writer = await asyncio.open_connection(HOST, self._target_port)
        with suppress(OSError):
            writer.write(call.head.for_one_exchange + await call.reader.readexactly(call.head.body_bytes // 2))
            await writer.drain()
        _reset(writer)
        _reset(call.writer)

    async def _exchange(self, head: Head, body: bytes) -> bytes:
        """The answer to one request, whole."""
        reader, writer = await asyncio.open_connection(HOST, self._target_port, limit=BUFFER_BYTES)
        try:
            writer.write(head.for_one_exchange + body)
            await writer.drain()
            return await reader.read(-1)
        finally:
            writer.close()

    async def _pipe(self, head: Head, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Pass on unchanged what functions and S3 say to each other."""
        their_reader, their_writer = await asyncio.open_connection(HOST, self._target_port, limit=BUFFER_BYTES)
        their_writer.write(head.raw)
        async with asyncio.TaskGroup() as both:
            both.create_task(_copy(reader, their_writer))
            both.create_task(_copy(their_reader, writer))


class Proxy(EventLoopThread):
    """Doors to the platform, served by one thread. A context manager."""

    def __init__(self) -> None:
        super().__init__("fault proxy")
        self._listeners: list[Listener] = []

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for listener in self._listeners:
            self._run(listener.close())
        self._run(_cancel_others())
        super().__exit__(kind, error, trace)

    def open(self, target_port: int, route: Route) -> Listener:
        listener = Listener(target_port, route)
        self._run(listener.open())
        self._listeners.append(listener)
        return listener

    def shut(self, listener: Listener) -> None:
        """Refuse connections at this listener until it is opened again."""
        self._run(listener.close())

    def reopen(self, listener: Listener) -> None:
        self._run(listener.open())


async def _cancel_others() -> None:
    others = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
    for task in others:
        task.cancel()
    await asyncio.gather(*others, return_exceptions=True)


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while block := await reader.read(BUFFER_BYTES):
            writer.write(block)
            await writer.drain()
    with suppress(OSError):
        writer.close()


async def _send(writer: asyncio.StreamWriter, answer: bytes) -> None:
    writer.write(answer)
    await writer.drain()


def _reset(writer: asyncio.StreamWriter) -> None:
    """Close with RST instead of FIN."""
    connection = writer.get_extra_info("socket")
    if connection is not None:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


async def _end_client(line: Line) -> None:
    """Ask the client's starter to end it, and wait for that."""
    line.client_must_end.set()
    for _ in range(int(GONE_SECONDS / 0.005)):
        if line.client_gone.is_set():
            return
        await asyncio.sleep(0.005)


_REASONS = {
    Mode.INTERNAL_ERROR: (500, "Internal Server Error", "internal_error", "InternalError"),
    Mode.UNAVAILABLE: (503, "Service Unavailable", "storage_unavailable", "SlowDown"),
    Mode.TOO_MANY: (429, "Too Many Requests", "too_many_requests", "SlowDown"),
    Mode.GATEWAY_TIMEOUT: (504, "Gateway Timeout", "gateway_timeout", "InternalError"),
    Mode.EXPIRED: (403, "Forbidden", "forbidden", "AccessDenied"),
}
_NOT_CARRIED_OUT = frozenset({*_REASONS, Mode.GARBAGE} - {Mode.GATEWAY_TIMEOUT})
_PAGE = b"<!doctype html><title>Welcome</title><p>Accept the terms of this network."


def refusal(mode: Mode, call: str, head: Head) -> bytes:
    """An answer that is not the platform's own."""
    if mode is Mode.GARBAGE:
        return _answer(200, "OK", "text/html", _PAGE, head)
    status, reason, code, s3_code = _REASONS[mode]
    if call == "put":
        xml = f"<?xml version='1.0' encoding='UTF-8'?>\n<Error><Code>{s3_code}</Code><Message>No.</Message></Error>"
        return _answer(status, reason, "application/xml", xml.encode(), head)
    body = f'{{"error":{{"code":"{code}","message":"On purpose.","details":{{}},"requestId":"fault"}}}}'
    return _answer(status, reason, "application/json", body.encode(), head)


def _answer(status: int, reason: str, content_type: str, body: bytes, head: Head) -> bytes:
    origin = head.header("Origin")
    lines = [
        f"HTTP/1.1 {status} {reason}",
        f"Content-Type: {content_type}",
        f"Content-Length: {len(body)}",
        "Connection: close",
        *(["Retry-After: 1"] if status in {429, 503} else []),
        *([f"Access-Control-Allow-Origin: {origin}"] if origin else []),
    ]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body
