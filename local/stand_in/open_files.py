"""Limit of open files and connections; shells and desktops start a process with as few as 256."""

import resource


def allow_open_files(count: int) -> None:
    """Raise this process's limit to `count` or the most that the system allows; never lower it."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY or soft >= count:
        return
    # Not to the hard limit itself: where that is infinite, macOS refuses it.
    allowed = count if hard == resource.RLIM_INFINITY else min(count, hard)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, allowed), hard))
