"""Protection of this process's memory from other processes of the same user; only on Linux, elsewhere nothing happens.

process_vm_readv(2) and ptrace(2) take no descriptor, so no limit stops them.
"""

import signal
import sys

_PR_SET_PDEATHSIG, _PR_SET_DUMPABLE = 1, 4  # prctl(2)


def hide_memory() -> None:
    """Hide this process's memory. A compromised inspector would find our credentials there, or write itself into our
    code."""
    _prctl(_PR_SET_DUMPABLE, 0)


def show_memory() -> None:
    """Undo that, in a process forked from a hidden one, which holds nothing but its file."""
    _prctl(_PR_SET_DUMPABLE, 1)


def die_with_parent() -> None:
    """Have this process killed when its parent is gone."""
    _prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def _prctl(option: int, value: int) -> None:
    if sys.platform == "linux":
        import ctypes  # noqa: PLC0415 - the functions that inspect nothing pay nothing

        ctypes.CDLL(None).prctl(option, value, 0, 0, 0)
