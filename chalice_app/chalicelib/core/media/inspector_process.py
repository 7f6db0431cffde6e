"""The inspecting process from outside: start it, exchange frames with it, end it, whatever it does.

On Linux it is forked from a template that has loaded the media library and serves as long as this process lives;
elsewhere each is a new process.
"""

import atexit
import os
import select
import socket
import subprocess
import sys
import threading
from contextlib import suppress
from types import TracebackType
from typing import Protocol, Self

from chalicelib.core.media.errors import InspectorUnavailableError
from chalicelib.core.media.frames import EXIT_STATUS, HEADER, Frame, pack, unpack_header
from chalicelib.core.media.hidden_memory import hide_memory
from chalicelib.core.media.ranged_file import ReadBudget

INSPECTOR = "chalicelib.core.media.inspector"
_TEMPLATE = "chalicelib.core.media.inspector_template"
_MAX_STDERR_BYTES = 2_000
_ENDED_WITHIN_SECONDS = 5.0
_PIPE_BYTES = 1 << 16


class ProcessEndedError(Exception):
    """The process closed its pipe, or sent invalid frames (`exit_status` None)."""

    def __init__(self, exit_status: int | None, stderr: str) -> None:
        super().__init__(exit_status, stderr)
        self.exit_status = exit_status
        self.stderr = stderr


class _Started(Protocol):
    """A process with pipes for its three standard streams, held by the descriptors of our ends."""

    input: int
    output: int
    errors: int

    def exit_status(self) -> int | None:
        """Wait a little for the end and return the exit status; None if it still runs."""
        ...

    def kill(self) -> None:
        """Kill it, and wait until it is gone."""
        ...

    def last_words(self) -> str: ...


class InspectorProcess:
    """One process for one file; leaving the context kills it.

    `listen` and `say` raise MediaBudgetError at the budget's deadline, ProcessEndedError, and InspectorUnavailableError
    if the template is gone: no file is to blame for that.
    """

    def __init__(self, budget: ReadBudget, module: str | None = None) -> None:
        """module: the module whose `main` answers the job; None for the inspector's. Another module's process is always
        new."""
        self._budget = budget
        hide_memory()
        is_forked = sys.platform == "linux" and module is None
        self._process: _Started = _Forked() if is_forked else _Spawned(module or INSPECTOR)
        for pipe in (self._process.input, self._process.output, self._process.errors):
            os.set_blocking(pipe, False)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None, /
    ) -> None:
        self._process.kill()
        for pipe in (self._process.input, self._process.output, self._process.errors):
            os.close(pipe)

    def hold_to(self, budget: ReadBudget) -> None:
        """Replace the budget, and with it the deadline of the following waits."""
        self._budget = budget

    def say(self, frame: Frame, payload: bytes = b"") -> None:
        data = memoryview(pack(frame, payload))
        while data:
            self._wait_for(self._process.input, select.POLLOUT)
            try:
                data = data[os.write(self._process.input, data[:_PIPE_BYTES]) :]
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
            self._wait_for(self._process.output, select.POLLIN)
            try:
                piece = os.read(self._process.output, size_bytes - len(data))
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
        exit_status = self._process.exit_status()
        if exit_status is None:
            return ProcessEndedError(None, "closed its pipe but is still running")
        return ProcessEndedError(exit_status, self._process.last_words())


class _Spawned:
    """A process with an interpreter of its own."""

    def __init__(self, module: str) -> None:
        (their_input, self.input), (self.output, their_output), (self.errors, their_errors) = _pipes()
        self._process = _popen([*_PYTHON, module], their_input, their_output, their_errors)
        for pipe in (their_input, their_output, their_errors):
            os.close(pipe)

    def exit_status(self) -> int | None:
        try:
            return self._process.wait(_ENDED_WITHIN_SECONDS)
        except subprocess.TimeoutExpired:
            return None

    def kill(self) -> None:
        self._process.kill()
        self._process.wait()

    def last_words(self) -> str:
        return _text_in(self.errors)


class _Forked:
    """A process that the template forks for us: the template reaps it and reports its exit status."""

    def __init__(self) -> None:
        (their_input, self.input), (self.output, their_output), (self.errors, their_errors) = _pipes()
        self._control, their_control = socket.socketpair()
        self._control.settimeout(_ENDED_WITHIN_SECONDS)
        self._template = _Template.current()
        self._status: int | None = None
        try:
            self._template.fork([their_input, their_output, their_errors, their_control.fileno()])
        finally:
            their_control.close()
            for pipe in (their_input, their_output, their_errors):
                os.close(pipe)

    def exit_status(self) -> int | None:
        if self._status is None:
            try:
                told = self._control.recv(EXIT_STATUS.size)
            except TimeoutError:
                return None
            except ConnectionResetError:
                told = b""
            if not told:
                raise InspectorUnavailableError(self._template.exit_status(), self._template.last_words())
            (self._status,) = EXIT_STATUS.unpack(told)
        return self._status

    def kill(self) -> None:
        with suppress(OSError, InspectorUnavailableError):  # the template is gone, and what it forked with it
            self._control.shutdown(socket.SHUT_WR)
            self.exit_status()
        self._control.close()

    def last_words(self) -> str:
        return _text_in(self.errors)


class _Template:
    """The process that forks inspectors; a new one if the last one is gone or was started differently."""

    _lock = threading.Lock()
    _current: "_Template | None" = None

    def __init__(self, command: list[str], environment: dict[str, str]) -> None:
        self._command, self._environment = command, environment
        self._requests, theirs = socket.socketpair()
        self._errors, their_errors = os.pipe()
        os.set_blocking(self._errors, False)
        with open(os.devnull, "wb") as nowhere:  # noqa: PTH123 - pathlib would be one more import
            self._process = _popen(command, theirs.fileno(), nowhere.fileno(), their_errors)
        theirs.close()
        os.close(their_errors)

    @classmethod
    def current(cls) -> "_Template":
        command, environment = template_command(), _environment()
        with cls._lock:
            template = cls._current
            if template is None or not template._is_usable(command, environment):
                if template is not None:
                    atexit.unregister(template._close)
                    template._close()
                template = cls._current = cls(command, environment)
                atexit.register(template._close)
            return template

    def fork(self, descriptors: list[int]) -> None:
        with suppress(OSError):  # it is gone: the pipes end, and its own exit status gives the reason
            socket.send_fds(self._requests, [b"1"], descriptors)

    def exit_status(self) -> int | None:
        try:
            return self._process.wait(_ENDED_WITHIN_SECONDS)
        except subprocess.TimeoutExpired:
            return None

    def last_words(self) -> str:
        return _text_in(self._errors)

    def _is_usable(self, command: list[str], environment: dict[str, str]) -> bool:
        return self._process.poll() is None and (self._command, self._environment) == (command, environment)

    def _close(self) -> None:
        """Let it end once the processes that it forked have ended."""
        self._requests.close()
        self.exit_status()
        os.close(self._errors)


_PYTHON = [sys.executable, "-S", "-B", "-P", "-X", "utf8", "-m"]
"""Command line of a new interpreter: without site, on this process's path, the same in a venv, a bundle and Lambda."""


def template_command() -> list[str]:
    return [*_PYTHON, _TEMPLATE, INSPECTOR]


def _pipes() -> tuple[tuple[int, int], tuple[int, int], tuple[int, int]]:
    return os.pipe(), os.pipe(), os.pipe()


def _popen(command: list[str], stdin: int, stdout: int, stderr: int) -> subprocess.Popen[bytes]:
    return subprocess.Popen(  # noqa: S603 - our own interpreter and module
        command,
        stdin=stdin,
        stdout=stdout,
        stderr=stderr,
        cwd="/",
        env=_environment(),
        start_new_session=True,
    )


def _text_in(errors: int) -> str:
    try:
        return os.read(errors, _PIPE_BYTES)[-_MAX_STDERR_BYTES:].decode(errors="replace")
    except (BlockingIOError, OSError):
        return ""


def _environment() -> dict[str, str]:
    """Return an environment with the path of the code and nothing else: no credentials, no addresses."""
    environment = {"PYTHONPATH": os.pathsep.join(os.path.abspath(path) for path in sys.path)}  # noqa: PTH100
    # Lambda's interpreter finds its own shared library through it.
    if "LD_LIBRARY_PATH" in os.environ:
        environment["LD_LIBRARY_PATH"] = os.environ["LD_LIBRARY_PATH"]
    return environment
