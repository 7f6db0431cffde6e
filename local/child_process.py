"""A process of the platform that cannot outlive it."""

import os
import signal
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import IO

READY = "ready "
"""A child prints this and its address once it is ready."""

_LAST_LINES = 30


class ChildFailedError(Exception):
    """A child ended before it was ready. output: its last lines."""

    def __init__(self, name: str, exit_code: int | None, output: str) -> None:
        self.name, self.exit_code, self.output = name, exit_code, output
        super().__init__(f"{name} ended with {exit_code} before it was ready:\n{output}")


class ChildProcess:
    """`python -m MODULE …` in a new session: a terminal's Ctrl-C reaches only the parent, which then stops its children
    in order. The child also ends with its standard input, so that a killed parent leaves no orphan.

    on_line: called with each printed line, and finally with the reason if the process ended without being asked to.
    """

    def __init__(
        self,
        name: str,
        module: str,
        arguments: Sequence[str],
        environment: Mapping[str, str] | None = None,
        on_line: Callable[[str], None] = lambda line: None,
    ) -> None:
        self.name = name
        self._module, self._arguments, self._environment = module, tuple(arguments), environment
        self._ready = threading.Event()
        self._ready_text = ""
        self._last_lines: deque[str] = deque(maxlen=_LAST_LINES)
        self._asked_to_stop = False
        self._on_line = on_line
        self._process = subprocess.Popen(
            [sys.executable, "-m", module, *arguments],
            cwd=Path(__file__).resolve().parent.parent,
            env={**(environment or os.environ)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        if self._process.stdout:
            self._reader = threading.Thread(target=self._read, args=(self._process.stdout,), daemon=True)
            self._reader.start()

    def again(self) -> "ChildProcess":
        """Start the same process again, after this one has stopped."""
        return ChildProcess(self.name, self._module, self._arguments, self._environment, self._on_line)

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def running(self) -> bool:
        return self._process.poll() is None

    def wait_ready(self, timeout_seconds: float = 60) -> str:
        """Wait for READY and return the text after it. Raises ChildFailedError."""
        self._ready.wait(timeout_seconds)
        if not self._ready_text:
            exit_code = self._exit_code(timeout_seconds=1)
            self.kill()
            raise ChildFailedError(self.name, exit_code, "\n".join(self._last_lines))
        return self._ready_text

    def ask_to_stop(self) -> None:
        self._asked_to_stop = True
        if self.running:
            self._process.send_signal(signal.SIGTERM)

    def wait_stopped(self, timeout_seconds: float) -> None:
        """Wait until the process ends; kill it after the timeout."""
        try:
            self._process.wait(timeout_seconds)
        except subprocess.TimeoutExpired:
            self.kill()
        self._reader.join(1)
        if self._process.stdin:
            self._process.stdin.close()
        if self._process.stdout:
            self._process.stdout.close()

    def kill(self) -> None:
        if self.running:
            self._process.kill()
        self._process.wait()

    def _exit_code(self, timeout_seconds: float) -> int | None:
        """Return the exit code, or None while the process still runs."""
        try:
            return self._process.wait(timeout_seconds)
        except subprocess.TimeoutExpired:
            return None

    def _read(self, output: IO[bytes]) -> None:
        for raw in output:
            line = raw.decode(errors="replace").rstrip()
            if line.startswith(READY) and not self._ready_text:
                self._ready_text = line.removeprefix(READY)
                self._ready.set()
            else:
                self._last_lines.append(line)
                self._on_line(line)
        if self._ready_text and not self._asked_to_stop:
            self._on_line(f"ended with {self._process.wait()} unexpectedly; start the platform again")
        self._ready.set()


def end_with_parent(stop: Callable[[], None]) -> None:
    """Call `stop` once in a child, on SIGTERM or when the parent has died."""
    once = threading.Lock()

    def stop_once(*_: object) -> None:
        if once.acquire(blocking=False):
            threading.Thread(target=stop, daemon=True).start()

    def watch() -> None:
        while os.read(sys.stdin.fileno(), 1024):
            pass
        stop_once()

    signal.signal(signal.SIGTERM, stop_once)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=watch, daemon=True).start()
