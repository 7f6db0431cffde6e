"""JSON in the domain: typed values, and Python names in the API's spelling."""

from functools import cache
from typing import TypeAlias

JsonValue: TypeAlias = "bool | int | float | str | list[JsonValue] | dict[str, JsonValue] | None"
JsonObject: TypeAlias = dict[str, JsonValue]


@cache  # called with the names of our own fields, for each record that is read or written
def camel_case(name: str) -> str:
    """`size_bytes` → `sizeBytes`."""
    first, *rest = name.split("_")
    return first + "".join(word.capitalize() for word in rest)
