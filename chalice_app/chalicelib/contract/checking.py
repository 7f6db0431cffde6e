"""Validation of a request's body against its type, naming all problems at once.

msgspec decides, and stops at the first problem. Only a body that it refuses is walked field by field, to describe every
problem.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypeGuard, TypeVar

import msgspec
from msgspec import inspect

from chalicelib.contract.converting import converted
from chalicelib.core.errors import InvalidRequestError
from chalicelib.core.json_values import JsonObject

MAX_NAMED_PROBLEMS = 20
"""A response says how many more there are."""
MAX_NAMED_FIELD_CHARS = 64

Body = TypeVar("Body", bound=msgspec.Struct)


def checked(body: JsonObject, kind: type[Body], most: Mapping[str, int] | None = None) -> Body:
    """Parse a body. most: by field, the largest number, for limits that the type does not know.

    Raises InvalidRequestError.
    """
    walk = _Walk(most or {})
    try:
        request: Body = converted(body, kind)
    except msgspec.ValidationError as error:
        walk.check_object(body, [_struct(kind)], "")
        if not walk.problems:
            walk.add("", str(error))
    else:
        if most:
            walk.check_object(body, [_struct(kind)], "")
        if not walk.problems:
            return request
    raise InvalidRequestError(problems=walk.problems, more_problems=walk.more_problems)


class _Walk:
    """A walk over one body. problems: the first MAX_NAMED_PROBLEMS; more_problems: how many more there are."""

    def __init__(self, most: Mapping[str, int]) -> None:
        self.problems: list[dict[str, str]] = []
        self.more_problems = 0
        self._most = most

    def add(self, place: str, problem: str) -> None:
        if len(self.problems) < MAX_NAMED_PROBLEMS:
            self.problems.append({"field": place, "problem": problem})
        else:
            self.more_problems += 1

    def check_object(self, values: JsonObject, kinds: Sequence[inspect.StructType], where: str) -> None:
        """kinds: one type, or several that differ in the value of their tag field."""
        tag_field = kinds[0].tag_field
        fitting = [kind for kind in kinds if tag_field is None or kind.tag == values.get(tag_field)]
        unknown = set(values)
        if tag_field:
            unknown.discard(tag_field)
            if not fitting:
                self.add(f"{where}{tag_field}", _must_be_one_of(str(kind.tag) for kind in kinds))
        for field in fitting[0].fields if fitting else _shared_fields(kinds):
            unknown.discard(field.encode_name)
            if field.required or field.encode_name in values:
                self._check_field(where, field.encode_name, values.get(field.encode_name), field.type)
        for name in values:
            if name in unknown:
                self.add(f"{where}{name[:MAX_NAMED_FIELD_CHARS]}", "is not a known field")

    def _check_field(self, where: str, name: str, value: Any, declared: inspect.Type) -> None:
        if isinstance(declared, inspect.UnionType):
            if value is None:
                return
            declared = next(each for each in declared.types if not isinstance(each, inspect.NoneType))
        kind, extra = _unwrapped(declared)
        place = f"{where}{name}"
        match kind:
            case inspect.StrType():
                self._check_text(place, value, kind, extra.get("must_be"))
            case inspect.IntType():
                self._check_number(place, value, kind, self._most.get(name))
            case inspect.LiteralType():
                if not isinstance(value, str) or value not in kind.values:
                    self.add(place, _must_be_one_of(map(str, kind.values)))
            case inspect.ListType():
                self._check_list(place, value, kind, extra.get("once"))
            case _:
                raise NotImplementedError(kind)

    def _check_text(self, place: str, value: Any, kind: inspect.StrType, must_be: str | None) -> None:
        if kind.min_length is not None and (not isinstance(value, str) or len(value) < kind.min_length):
            self.add(place, "must be a non-empty string")
            return
        if kind.max_length is not None and len(value) > kind.max_length:
            self.add(place, f"may have at most {kind.max_length} characters")
        if kind.pattern is not None and not (isinstance(value, str) and re.search(kind.pattern, value)):
            self.add(place, f"must be {must_be}")

    def _check_number(self, place: str, value: Any, kind: inspect.IntType, most: int | None) -> None:
        if not _is_whole(value):
            self.add(place, "must be a whole number")
        elif not _is_within(value, kind, most):
            self.add(place, f"must be {kind.ge} to {most or kind.le}")

    def _check_list(self, place: str, value: Any, kind: inspect.ListType, once: str | None) -> None:
        item, _ = _unwrapped(kind.item_type)
        if isinstance(item, inspect.IntType):
            if not isinstance(value, list) or not 1 <= len(value) <= (kind.max_length or len(value)):
                self.add(place, f"must be a list with 1 to {kind.max_length} entries")
            elif not all(_is_whole(entry) and _is_within(entry, item) for entry in value):
                self.add(place, f"every entry must be a whole number from {item.ge} to {item.le}")
        elif isinstance(item, inspect.StrType):
            self._check_texts(place, value, kind, item)
        elif not isinstance(value, list) or not value:
            self.add(place, "must be a list with at least one entry")
        elif kind.max_length is not None and len(value) > kind.max_length:
            self.add(place, f"may have at most {kind.max_length} entries")
        elif not all(isinstance(entry, dict) for entry in value):
            self.add(place, "every entry must be an object")
        else:
            self._check_entries(place, value, _structs(item), once)

    def _check_texts(self, place: str, value: Any, kind: inspect.ListType, item: inspect.StrType) -> None:
        _, extra = _unwrapped(kind.item_type)
        if not isinstance(value, list):
            self.add(place, "must be a list")
        elif kind.max_length is not None and len(value) > kind.max_length:
            self.add(place, f"may have at most {kind.max_length} entries")
        else:
            for index, entry in enumerate(value):
                self._check_text(f"{place}[{index}]", entry, item, extra.get("must_be"))

    def _check_entries(
        self, place: str, entries: list[JsonObject], kinds: Sequence[inspect.StructType], once: str | None
    ) -> None:
        """once: the field whose value must be unique among the entries."""
        seen = set[int]()
        for index, entry in enumerate(entries):
            where = f"{place}[{index}]."
            self.check_object(entry, kinds, where)
            if once and _is_whole(value := entry.get(once)):
                if value in seen:
                    self.add(f"{where}{once}", "appears twice")
                seen.add(value)


def _struct(kind: type[msgspec.Struct]) -> inspect.StructType:
    (struct,) = _structs(inspect.type_info(kind))
    return struct


def _structs(kind: inspect.Type) -> list[inspect.StructType]:
    kinds = kind.types if isinstance(kind, inspect.UnionType) else (kind,)
    return [each for each in kinds if isinstance(each, inspect.StructType)]


def _shared_fields(kinds: Sequence[inspect.StructType]) -> list[inspect.Field]:
    shared = set.intersection(*({field.name for field in kind.fields} for kind in kinds))
    return [field for field in kinds[0].fields if field.name in shared]


def _unwrapped(kind: inspect.Type) -> tuple[inspect.Type, Mapping[str, Any]]:
    """The type, and the limits in its Meta."""
    if isinstance(kind, inspect.Metadata):
        return kind.type, kind.extra or {}
    return kind, {}


def _is_whole(value: Any) -> TypeGuard[int]:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_within(value: int, kind: inspect.IntType, most: int | None = None) -> bool:
    return (kind.ge is None or value >= kind.ge) and value <= (most or kind.le or value)


def _must_be_one_of(values: Iterable[str]) -> str:
    return f"must be one of {', '.join(sorted(values))}"
