"""A page of a list as the query parameters ask for it."""

import re
from collections.abc import Mapping

from chalice.app import Request

from chalicelib.contract.fields import DEFAULT_PAGE_VIDEOS, MAX_CURSOR_CHARS, MAX_PAGE_VIDEOS, MAX_QUERY_CHARS
from chalicelib.core.errors import InvalidRequestError
from chalicelib.core.index.queries import Query, Sort

_WHOLE_NUMBER = re.compile(r"[1-9][0-9]{0,8}")
_CURSOR = re.compile(rf"[A-Za-z0-9_-]{{1,{MAX_CURSOR_CHARS}}}")
_SORTS = tuple(sort.value for sort in Sort)


def limit_in(query: Mapping[str, str]) -> tuple[int, list[dict[str, str]]]:
    """The limit, and the problems with it."""
    text = query.get("limit", str(DEFAULT_PAGE_VIDEOS))
    if not _WHOLE_NUMBER.fullmatch(text) or int(text) > MAX_PAGE_VIDEOS:
        return DEFAULT_PAGE_VIDEOS, [{"field": "limit", "problem": f"must be 1 to {MAX_PAGE_VIDEOS}"}]
    return int(text), []


def page_of(request: Request, *more_problems: dict[str, str]) -> tuple[int, str, Query]:
    """Read limit, cursor and query. more_problems: of the route's own parameters. Raises InvalidRequestError."""
    asked = request.query_params or {}
    cursor, text, sort = asked.get("cursor", ""), asked.get("query", ""), asked.get("sort", Sort.NEWEST.value)
    limit, problems = limit_in(asked)
    if cursor and not _CURSOR.fullmatch(cursor):
        problems.append({"field": "cursor", "problem": "must be a nextCursor of an earlier answer"})
    if len(text) > MAX_QUERY_CHARS:
        problems.append({"field": "query", "problem": f"may have at most {MAX_QUERY_CHARS} characters"})
    if sort not in _SORTS:
        problems.append({"field": "sort", "problem": f"must be one of {', '.join(_SORTS)}"})
    problems += more_problems
    if problems:
        raise InvalidRequestError(problems=problems)
    return limit, cursor, Query.of(text, Sort(sort))
