"""JSON as the domain sees it: typed values, and Python names in the API's spelling."""

from typing import TypeAlias

JsonValue: TypeAlias = "bool | int | float | str | list[JsonValue] | dict[str, JsonValue] | None"
JsonObject: TypeAlias = dict[str, JsonValue]


def camel_case(name: str) -> str:
    """`size_bytes` → `sizeBytes`."""
    first, *rest = name.split("_")
    return first + "".join(word.capitalize() for word in rest)
