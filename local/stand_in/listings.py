"""Pages of a listing: keys in order, rolled up by a delimiter."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Generic, TypeVar

HIGHEST_CHAR = "\U0010ffff"

Item = TypeVar("Item")
Within = TypeVar("Within")


@dataclass(frozen=True)
class Marker(Generic[Within]):
    """A position in a listing: after a key, or after one item of that key, which `within` identifies."""

    key: str
    within: Within | None = None


@dataclass(frozen=True, kw_only=True)
class Listing(Generic[Item]):
    """One page of a listing.

    last_name: the key or common prefix that the page ends with; last: the item it ends with, None after a prefix.
    """

    items: list[Item] = field(default_factory=list[Item])
    common_prefixes: list[str] = field(default_factory=list[str])
    last_name: str = ""
    last: Item | None = None
    is_truncated: bool = False


@dataclass(frozen=True, kw_only=True)
class Scope:
    """Selection of a page: prefix, delimiter and the largest number of items."""

    prefix: str
    delimiter: str
    limit: int


def common_prefix(key: str, scope: Scope) -> str | None:
    """Common prefix of a key: everything up to the first delimiter after the prefix, None without one."""
    if not scope.delimiter or not key.startswith(scope.prefix):
        return None
    head, found, _ = key[len(scope.prefix) :].partition(scope.delimiter)
    return scope.prefix + head + found if found else None


def rolled_up(
    scope: Scope,
    after: Marker[Within],
    page: Callable[[Marker[Within], int], list[Item]],
    marker_of: Callable[[Item], Marker[Within]],
) -> Listing[Item]:
    """Return one page; `page` lists at most so many items after a marker."""
    items: list[Item] = []
    prefixes: list[str] = []
    name, last, marker = after.key, None, after
    if scope.limit == 0:
        return Listing(last_name=name)
    if common_prefix(name, scope) == name:
        # A page that ended with a common prefix continues after all keys with that prefix.
        marker = Marker[Within](name + HIGHEST_CHAR)
    while True:
        wanted = scope.limit - len(items) - len(prefixes)
        found = page(marker, 1 if scope.delimiter else wanted + 1)
        for item in found:
            is_full = len(items) + len(prefixes) >= scope.limit
            if is_full:
                return Listing(items=items, common_prefixes=prefixes, last_name=name, last=last, is_truncated=True)
            marker = marker_of(item)
            name, last = marker.key, item
            rolled = common_prefix(name, scope)
            if rolled is None:
                items.append(item)
            else:
                prefixes.append(rolled)
                name, last, marker = rolled, None, Marker[Within](rolled + HIGHEST_CHAR)
        if not found or (not scope.delimiter and len(found) <= wanted):
            return Listing(items=items, common_prefixes=prefixes, last_name=name, last=last)
