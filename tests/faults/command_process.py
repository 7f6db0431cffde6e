"""The command in a process of its own, forked from one that has loaded it: most of its start is imports.

Its waits are shorter and its timeouts those of an impatient client, so that a run takes seconds; nothing else differs.
"""

import multiprocessing
import os
import resource
import signal
import sys
import time
import traceback
from collections.abc import Mapping, Sequence
from multiprocessing.context import ForkServerProcess
from pathlib import Path

from video_upload import api, backoff, connections, credentials
from video_upload.command_line import main

HURRY = 25
"""The factor by which its waits between two tries are shorter."""
CODE_SECONDS = 5.0
LEAST_PAUSE_SECONDS = 0.15
"""Between two looks at a video, say: more looks would only keep the platform from its work."""
IMPATIENT_SECONDS = 1.5

_context = multiprocessing.get_context("forkserver")
# The second is loaded by the command when it renews a token.
_context.set_forkserver_preload([__name__, "authlib.integrations.requests_client"])


class Command:
    """A running command. is_impatient: it waits for answers for IMPATIENT_SECONDS only.

    file_bytes: how large a file it may write, None for no bound.
    """

    def __init__(
        self,
        arguments: Sequence[str],
        environment: Mapping[str, str],
        folder: Path,
        *,
        is_impatient: bool = False,
        file_bytes: int | None = None,
    ) -> None:
        self._is_killed = False
        self._pipes = [_Pipe(folder / name) for name in ("out", "err", "code")]
        self._process: ForkServerProcess = _context.Process(
            target=_run,
            args=(list(arguments), dict(environment), [pipe.path for pipe in self._pipes], is_impatient, file_bytes),
            daemon=True,
        )
        self._process.start()

    @property
    def is_running(self) -> bool:
        return self._process.exitcode is None

    def wait(self, seconds: float) -> bool:
        """Return whether it has ended within the time."""
        self._process.join(seconds)
        return not self.is_running

    def kill(self) -> None:
        """End the process with SIGKILL."""
        self._is_killed = True
        self._process.kill()
        self._process.join()

    def interrupt(self) -> None:
        """Stop it as Ctrl-C does."""
        if self._process.pid:
            os.kill(self._process.pid, signal.SIGINT)

    def ended(self) -> tuple[int | None, str, str]:
        """Return the exit code, None if it ended without one, and what it wrote to stdout and stderr. Once."""
        self._process.close()
        code = ""
        deadline = time.monotonic() + (0 if self._is_killed else CODE_SECONDS)
        while not (code := self._pipes[2].read()) and time.monotonic() < deadline:
            time.sleep(0.01)
        out, err = (pipe.read() for pipe in self._pipes[:2])
        for pipe in self._pipes:
            pipe.close()
        return (int(code) if code else None), out, err


class _Pipe:
    """A FIFO: output that no bound on files stops. A command says less than a pipe holds."""

    def __init__(self, path: Path) -> None:
        self.path = str(path)
        path.unlink(missing_ok=True)
        os.mkfifo(path)
        self._reader = os.open(path, os.O_RDONLY | os.O_NONBLOCK)

    def read(self) -> str:
        chunks: list[bytes] = []
        try:
            while chunk := os.read(self._reader, 65536):
                chunks.append(chunk)
        except BlockingIOError:
            pass
        return b"".join(chunks).decode(errors="replace")

    def close(self) -> None:
        os.close(self._reader)


def _run(
    arguments: list[str], environment: dict[str, str], outputs: list[str], is_impatient: bool, file_bytes: int | None
) -> None:
    for number, path in enumerate(outputs[:2], start=1):
        os.dup2(os.open(path, os.O_WRONLY), number)
    # Made new: those of the process that was forked write elsewhere.
    sys.stdout, sys.stderr = (os.fdopen(number, "w", closefd=False) for number in (1, 2))
    signal.signal(signal.SIGINT, signal.default_int_handler)
    os.environ.clear()
    os.environ.update(environment)
    _hurry(is_impatient=is_impatient)
    if file_bytes is not None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (file_bytes, file_bytes))
    sys.argv = ["video-upload", *arguments]
    _tell_code(outputs[2], _exit_code())


def _exit_code() -> int:
    try:
        main()
    except SystemExit as ended:
        sys.stdout.flush()
        return ended.code if isinstance(ended.code, int) else int(ended.code is not None)
    except BaseException:
        traceback.print_exc()
        sys.stderr.flush()
        return 1
    sys.stdout.flush()
    return 0


def _tell_code(path: str, code: int) -> None:
    """Say it ourselves: the process that forks the commands was seen to lose a code under load, and to answer 255."""
    descriptor = os.open(path, os.O_WRONLY)
    os.write(descriptor, str(int(code)).encode())
    os.close(descriptor)


def _hurry(*, is_impatient: bool) -> None:
    whole_pause = backoff.Interruption.pause

    def pause(self: backoff.Interruption, seconds: float) -> None:
        whole_pause(self, max(seconds / HURRY, min(seconds, LEAST_PAUSE_SECONDS)))

    backoff.Interruption.pause = pause  # pyrefly: ignore[method-assign]
    if is_impatient:
        patience = (IMPATIENT_SECONDS, IMPATIENT_SECONDS)
        api.TIMEOUT_SECONDS = patience
        credentials.TIMEOUT_SECONDS = patience
        connections.TIMEOUT_SECONDS = IMPATIENT_SECONDS


def warm_up() -> None:
    """Start the process that commands are forked from, once and from the main thread."""
    process = _context.Process(target=_nothing, daemon=True)
    process.start()
    process.join()


def _nothing() -> None:
    """Only to have been started."""
