"""The inspecting process seen from outside: start it, talk to it, end it, whatever it does."""

import os
import select
import subprocess
import sys
from types import TracebackType
from typing import IO, Self, cast

from chalicelib.core.media.frames import HEADER, Frame, pack, unpack_header
from chalicelib.core.media.ranged_file import ReadBudget

_MODULE = "chalicelib.core.media.inspector"
_MAX_STDERR_BYTES = 2_000
_ENDED_WITHIN_SECONDS = 5.0
_PIPE_BYTES = 1 << 16
_PR_SET_DUMPABLE = 4  # prctl(2)


class ProcessEndedError(Exception):
    """The process closed its pipe, or spoke another language (`exit_status` None)."""

    def __init__(self, exit_status: int | None, stderr: str) -> None:
        super().__init__(exit_status, stderr)
        self.exit_status = exit_status
        self.stderr = stderr


class InspectorProcess:
    """One process for one file; leaving the context kills it.

    `listen` and `say` raise MediaBudgetError at the budget's deadline and ProcessEndedError.
    """

    def __init__(self, budget: ReadBudget) -> None:
        self._budget = budget
        hide_memory()
        self._process = subprocess.Popen(  # noqa: S603 - our own interpreter and module
            start_command(),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            cwd="/",
            env=_environment(),
            bufsize=0,
            start_new_session=True,
        )
        self._input, self._output, self._errors = (
            cast("IO[bytes]", pipe) for pipe in (self._process.stdin, self._process.stdout, self._process.stderr)
        )
        for pipe in (self._input, self._output, self._errors):
            os.set_blocking(pipe.fileno(), False)

    @property
    def pid(self) -> int:
        return self._process.pid

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None, /
    ) -> None:
        self._process.kill()
        for pipe in (self._input, self._output, self._errors):
            pipe.close()
        self._process.wait()

    def say(self, frame: Frame, payload: bytes = b"") -> None:
        data = memoryview(pack(frame, payload))
        while data:
            self._wait_for(self._input.fileno(), select.POLLOUT)
            try:
                data = data[os.write(self._input.fileno(), data[:_PIPE_BYTES]) :]
            except BlockingIOError:
                continue
            except BrokenPipeError as error:
                raise self._ended() from error

    def listen(self) -> tuple[Frame, bytes]:
        try:
            frame, size_bytes = unpack_header(self._exactly(HEADER.size))
        except ValueError as error:
            raise ProcessEndedError(None, str(error)) from error
        return frame, self._exactly(size_bytes)

    def _exactly(self, size_bytes: int) -> bytes:
        data = bytearray()
        while len(data) < size_bytes:
            self._wait_for(self._output.fileno(), select.POLLIN)
            try:
                piece = os.read(self._output.fileno(), size_bytes - len(data))
            except BlockingIOError:
                continue
            if not piece:
                raise self._ended()
            data += piece
        return bytes(data)

    def _wait_for(self, descriptor: int, event: int) -> None:
        poll = select.poll()
        poll.register(descriptor, event)
        if self._budget.remaining_seconds <= 0 or not poll.poll(self._budget.remaining_seconds * 1000):
            raise self._budget.out_of_time()

    def _ended(self) -> ProcessEndedError:
        try:
            exit_status = self._process.wait(_ENDED_WITHIN_SECONDS)
        except subprocess.TimeoutExpired:
            return ProcessEndedError(None, "closed its pipe and lives on")
        try:
            stderr = os.read(self._errors.fileno(), _PIPE_BYTES)[-_MAX_STDERR_BYTES:]
        except BlockingIOError:
            stderr = b""
        return ProcessEndedError(exit_status, stderr.decode(errors="replace"))


def hide_memory() -> None:
    """Hide this process's memory for good from all processes of its user.

    A captured inspector would find our credentials there, or write itself into our code. process_vm_readv(2) and
    ptrace(2) take no descriptor, so no limit stops them.
    """
    if sys.platform == "linux":
        import ctypes  # noqa: PLC0415 - the functions that inspect nothing pay nothing

        ctypes.CDLL(None).prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)


def start_command() -> list[str]:
    """Return the command: without site, on this process's own path, alike in a venv, a bundle and a Lambda."""
    return [sys.executable, "-S", "-B", "-P", "-X", "utf8", "-m", _MODULE]


def _environment() -> dict[str, str]:
    """Return the path of the code and nothing else: no credentials, no addresses."""
    environment = {"PYTHONPATH": os.pathsep.join(os.path.abspath(path) for path in sys.path)}  # noqa: PTH100
    # Lambda's interpreter finds its own shared library through it.
    if "LD_LIBRARY_PATH" in os.environ:
        environment["LD_LIBRARY_PATH"] = os.environ["LD_LIBRARY_PATH"]
    return environment
