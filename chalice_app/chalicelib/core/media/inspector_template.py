"""The template of inspecting processes: `python -m chalicelib.core.media.inspector_template MODULE`, Linux only.

It has loaded the media library and forks a process for each file, which then runs MODULE's `main`. It never sees a byte
of a file, and no process that does can write to it: they share no descriptor, and its memory is hidden.

Standard input is a socket. Each byte on it comes with four descriptors: three that become the new process's standard
ones, and a control socket. Once that is closed, the process is killed; its exit status is the last word on it.
"""

import gc
import importlib
import os
import select
import socket
import sys
from contextlib import suppress
from dataclasses import dataclass
from typing import NoReturn

from chalicelib.core.media.frames import EXIT_STATUS
from chalicelib.core.media.hidden_memory import die_with_parent, hide_memory, show_memory

DESCRIPTORS = 4
UNAVAILABLE_STATUS = 3


@dataclass(frozen=True)
class _Child:
    pid: int
    pid_descriptor: int
    control: int


def main() -> NoReturn:
    """Fork inspectors until no further request can come and no inspector is left."""
    hide_memory()
    try:
        # Modules that the libraries load lazily must be loaded while files can still be opened.
        import chalicelib.core.media.copier  # noqa: PLC0415
        import chalicelib.core.media.inspector  # noqa: PLC0415
        import chalicelib.core.media.stream_facts  # noqa: F401, PLC0415
    except ImportError as error:
        sys.stderr.write(f"{type(error).__name__}: {error}")
        sys.stderr.flush()
        os._exit(UNAVAILABLE_STATUS)
    gc.freeze()
    requests = socket.socket(fileno=0)
    children: dict[int, _Child] = {}
    poll = select.poll()
    poll.register(0, select.POLLIN)
    is_open = True
    while is_open or children:
        for descriptor, _ in poll.poll():
            child = children.get(descriptor)
            if child is None and descriptor == 0:
                asked, descriptors, *_ = socket.recv_fds(requests, 1, DESCRIPTORS)
                if not asked:
                    is_open = False
                    poll.unregister(0)
                elif len(descriptors) == DESCRIPTORS:
                    child = _fork(descriptors, sys.argv[1])
                    for one in (child.pid_descriptor, child.control):
                        children[one] = child
                        poll.register(one, select.POLLIN)
            elif child and descriptor == child.control:
                poll.unregister(descriptor)
                os.kill(child.pid, 9)  # not reaped yet, so no other process has this id
            elif child:
                _reap(child, children, poll)
    os._exit(0)


def _fork(descriptors: list[int], module: str) -> _Child:
    *standard, control = descriptors
    pid = os.fork()
    if pid == 0:
        _become(standard, module)
    for descriptor in standard:
        os.close(descriptor)
    return _Child(pid, os.pidfd_open(pid), control)


def _become(standard: list[int], module: str) -> NoReturn:
    """Drop everything of the template except what it has loaded."""
    try:
        for number, descriptor in enumerate(standard):
            os.dup2(descriptor, number)
        os.closerange(len(standard), os.sysconf("SC_OPEN_MAX"))
        os.setsid()
        die_with_parent()
        show_memory()
        importlib.import_module(module).main()
    except BaseException as error:
        sys.excepthook(type(error), error, error.__traceback__)
        sys.stderr.flush()
    os._exit(1)


def _reap(child: _Child, children: dict[int, _Child], poll: select.poll) -> None:
    _, status = os.waitpid(child.pid, 0)
    with suppress(OSError):  # nobody is waiting for it
        os.write(child.control, EXIT_STATUS.pack(os.waitstatus_to_exitcode(status)))
    for descriptor in (child.pid_descriptor, child.control):
        del children[descriptor]
        with suppress(KeyError):  # killed, and unregistered then
            poll.unregister(descriptor)
        os.close(descriptor)


if __name__ == "__main__":
    main()
