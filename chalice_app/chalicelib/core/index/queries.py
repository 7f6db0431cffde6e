"""Queries of the index: words, order and page cursors. Every function of the API loads this module."""

import base64
import hashlib
import json
from enum import StrEnum
from typing import Any, NamedTuple, Self

from chalicelib.core.errors import InvalidRequestError
from chalicelib.core.index.lines import Line, is_line_key, name_key, searched


class Sort(StrEnum):
    """Orders of a library. Equal videos come newest first, or oldest first in a reversed order."""

    NEWEST = "newest"
    OLDEST = "oldest"
    NAME = "name"
    NAME_DESCENDING = "nameDescending"
    LARGEST = "largest"
    SMALLEST = "smallest"


class Query(NamedTuple):
    """words: a video must have all of them in its name, title or tags; normalised by `searched`."""

    words: tuple[str, ...] = ()
    sort: Sort = Sort.NEWEST

    @classmethod
    def of(cls, text: str, sort: Sort = Sort.NEWEST) -> Self:
        return cls(tuple(sorted(set(searched(text).split()))), sort)

    @property
    def _mark(self) -> str:
        """Return a fingerprint that ties a cursor to this query."""
        return hashlib.sha256(json.dumps([self.words, self.sort]).encode()).hexdigest()[:8]

    def cursor_after(self, line: Line) -> str:
        """Return the cursor of the page after this line."""
        token = json.dumps(
            [self._mark, sort_value(self.sort, line.size_bytes, line.text), line.key], ensure_ascii=False
        )
        return base64.urlsafe_b64encode(token.encode()).decode().rstrip("=")

    def position_of(self, cursor: str) -> tuple[Any, str] | None:
        """Parse a cursor into the sort value and key to continue after; None for the first page.

        Raises InvalidRequestError for an invalid cursor, or one of another query.
        """
        if not cursor:
            return None
        try:
            mark, value, key = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
        except (ValueError, TypeError, RecursionError):
            raise _not_of_this_query() from None
        is_number = self.sort in {Sort.LARGEST, Sort.SMALLEST}
        is_fitting = is_line_key(key) and type(value) is (int if is_number else str)
        if mark != self._mark or not is_fitting:
            raise _not_of_this_query()
        return value, key


NEWEST_FIRST = Query()


def sort_value(sort: Sort, size_bytes: int, text: str) -> Any:
    match sort:
        case Sort.NEWEST | Sort.OLDEST:
            return ""
        case Sort.NAME | Sort.NAME_DESCENDING:
            return name_key(text)
        case Sort.LARGEST | Sort.SMALLEST:
            return size_bytes


def _not_of_this_query() -> InvalidRequestError:
    problem = "must be a nextCursor of an earlier answer to the same query in the same order"
    return InvalidRequestError(problems=[{"field": "cursor", "problem": problem}])
