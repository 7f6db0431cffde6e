"""Reasons for a failed connection, in plain words instead of the HTTP library's."""

from __future__ import annotations


def problem_in_words(error: Exception) -> str:
    """Describe the root cause of an error in the words of the operating system or the library."""
    innermost: BaseException = error
    while (cause := _cause_of(innermost)) is not None:
        innermost = cause
    if isinstance(innermost, TimeoutError):
        return "no answer in time"
    words = innermost.strerror if isinstance(innermost, OSError) else None
    return words or str(innermost) or type(innermost).__name__


def _cause_of(error: BaseException) -> BaseException | None:
    # urllib3 hands some causes on as arguments alone, and some in a `reason` besides the chain.
    handed_on = (each for each in error.args if isinstance(each, BaseException))
    return error.__cause__ or error.__context__ or next(handed_on, None)
