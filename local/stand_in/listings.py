"""Pages of a listing: keys in order, rolled up by a delimiter."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Generic, TypeVar

HIGHEST_CHAR = "\U0010ffff"

Item = TypeVar("Item")
Within = TypeVar("Within")


@dataclass(frozen=True)
class Place(Generic[Within]):
    """A place in a listing: behind a key, or behind that one of its items which `within` names."""

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
    after: Place[Within],
    page: Callable[[Place[Within], int], list[Item]],
    place_of: Callable[[Item], Place[Within]],
) -> Listing[Item]:
    """One page; `page` gives the items behind a place, at most so many."""
    items: list[Item] = []
    prefixes: list[str] = []
    name, last, place = after.key, None, after
    if scope.limit == 0:
        return Listing(last_name=name)
    if common_prefix(name, scope) == name:
        # A page that ended with a common prefix is followed by what is behind all of its keys.
        place = Place[Within](name + HIGHEST_CHAR)
    while True:
        wanted = scope.limit - len(items) - len(prefixes)
        found = page(place, 1 if scope.delimiter else wanted + 1)
        for item in found:
            is_full = len(items) + len(prefixes) >= scope.limit
            if is_full:
                return Listing(items=items, common_prefixes=prefixes, last_name=name, last=last, is_truncated=True)
            place = place_of(item)
            name, last = place.key, item
            rolled = common_prefix(name, scope)
            if rolled is None:
                items.append(item)
            else:
                prefixes.append(rolled)
                name, last, place = rolled, None, Place[Within](rolled + HIGHEST_CHAR)
        if not found or (not scope.delimiter and len(found) <= wanted):
            return Listing(items=items, common_prefixes=prefixes, last_name=name, last=last)
