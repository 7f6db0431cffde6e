"""A line of some speed between a browser and the platform, which can go dead or be cut."""

import asyncio
import socket
import time
from collections.abc import Callable, Coroutine
from contextlib import suppress
from types import TracebackType
from typing import Any

from tests.event_loop_thread import EventLoopThread

HOST = "127.0.0.1"
BLOCK_BYTES = 2**14
RECEIVE_BUFFER_BYTES = 2**16
"""Small, so that what a browser calls sent is on its way and not in the kernel's memory."""


class SlowLine(EventLoopThread):
    """Ports that lead to servers, sharing one speed. A context manager.

    bytes_per_second: from the browser to the servers; answers are not slowed down. carried_bytes: in this direction.
    """

    def __init__(self, bytes_per_second: float) -> None:
        super().__init__("slow line")
        self.bytes_per_second = bytes_per_second
        self.carried_bytes = 0
        self._doors: dict[int, tuple[int, asyncio.Server | None]] = {}
        self._connections: set[asyncio.Task[None]] = set()
        self._is_dead = False
        self._free_at = 0.0
        self._deaths = 0

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.cut()
        super().__exit__(kind, error, trace)

    def open(self, target_port: int) -> int:
        """Return a port that leads to that one."""
        return self._run(self._listen(target_port, 0))

    def die(self) -> None:
        """Drop everything from now on; what is connected stays so, and carries nothing ever again."""
        self._is_dead = True
        self._deaths += 1

    def revive(self) -> None:
        """Carry what is connected from now on."""
        self._is_dead = False

    def cut(self) -> None:
        """End all connections, and refuse new ones until `mend`."""
        self._run(self._cut())

    def mend(self) -> None:
        for port, (target_port, _) in list(self._doors.items()):
            self._run(self._listen(target_port, port))

    async def _listen(self, target_port: int, port: int) -> int:
        listener = socket.socket()
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER_BYTES)
        listener.bind((HOST, port))

        async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await self._carry(target_port, reader, writer)

        server = await asyncio.start_server(accept, sock=listener, limit=BLOCK_BYTES, backlog=128)
        port = int(listener.getsockname()[1])
        self._doors[port] = (target_port, server)
        return port

    async def _cut(self) -> None:
        for port, (target_port, server) in self._doors.items():
            if server:
                server.close()
            self._doors[port] = (target_port, None)
        for task in list(self._connections):
            task.cancel()
        await asyncio.gather(*self._connections, return_exceptions=True)

    async def _carry(self, target_port: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        if task:
            self._connections.add(task)
            task.add_done_callback(self._connections.discard)
        deaths = self._deaths

        def is_dead() -> bool:
            return self._is_dead or deaths != self._deaths

        their_writer: asyncio.StreamWriter | None = None
        try:
            their_reader, their_writer = await asyncio.open_connection(HOST, target_port)
            async with asyncio.TaskGroup() as both:
                both.create_task(self._copy(reader, their_writer, is_dead, self._take))
                both.create_task(self._copy(their_reader, writer, is_dead, _at_once))
        except (OSError, asyncio.CancelledError, ExceptionGroup):
            pass
        finally:
            for end in (writer, their_writer):
                if end:
                    end.transport.abort()

    async def _copy(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        is_dead: Callable[[], bool],
        take: Callable[[int], Coroutine[Any, Any, None]],
    ) -> None:
        while block := await reader.read(BLOCK_BYTES):
            await take(len(block))
            while is_dead():
                await asyncio.sleep(3600)
            writer.write(block)
            await writer.drain()
        with suppress(OSError):
            writer.write_eof()

    async def _take(self, size_bytes: int) -> None:
        """Wait until the line has carried so much."""
        now = time.monotonic()
        self._free_at = max(now, self._free_at) + size_bytes / self.bytes_per_second
        await asyncio.sleep(self._free_at - now)
        self.carried_bytes += size_bytes


async def _at_once(_size_bytes: int) -> None:
    """Answers are small."""
