"""The `limit` of a list's page, as a query gives it."""

import re
from collections.abc import Mapping

from chalicelib.contract.fields import DEFAULT_PAGE_VIDEOS, MAX_PAGE_VIDEOS

_WHOLE_NUMBER = re.compile(r"[1-9][0-9]{0,8}")


def limit_in(query: Mapping[str, str]) -> tuple[int, list[dict[str, str]]]:
    """The limit, and the problems with it."""
    text = query.get("limit", str(DEFAULT_PAGE_VIDEOS))
    if not _WHOLE_NUMBER.fullmatch(text) or int(text) > MAX_PAGE_VIDEOS:
        return DEFAULT_PAGE_VIDEOS, [{"field": "limit", "problem": f"must be 1 to {MAX_PAGE_VIDEOS}"}]
    return int(text), []
