"""The constraints of a model's shapes, each compiled to a function that lists a value's violations."""

import functools
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, cast

from botocore.model import ListShape, MapShape, Shape, StructureShape

from local.stand_in.aws_models.patterns import matcher

Path = tuple[str | int, ...]
SHOWN_CHARACTERS: Final = 256
_WHOLE: Final = frozenset({"integer", "long"})
_FRACTIONAL: Final = frozenset({"float", "double"})
UNKNOWN: Final = "The model knows no such member"
REQUIRED: Final = "Member must not be null"


@dataclass(frozen=True)
class Violation:
    """One value that the model does not allow, with AWS's wording.

    path: from the request down to the value. is_of_type: whether the value is of the wrong type.
    """

    path: Path
    value: object
    constraint: str
    is_of_type: bool = False
    is_sensitive: bool = False

    def __str__(self) -> str:
        shown = "" if self.is_sensitive else f" {self._shown()}"
        return f"Value{shown} at '{self.place}' failed to satisfy constraint: {self.constraint}"

    @property
    def place(self) -> str:
        """The path as AWS writes it: `tags.1.member.key`."""
        return ".".join(
            f"{step}.member" if isinstance(step, int) else step[:1].lower() + step[1:] for step in self.path
        )

    def _shown(self) -> str:
        if self.value is None:
            return "null"
        return f"'{str(self.value)[:SHOWN_CHARACTERS]}'"


Check = Callable[[object, Path, list[Violation]], None]
Naming = Callable[[str, Shape], str]


def member_name(name: str, _shape: Shape) -> str:
    """The member's name in botocore."""
    return name


class ShapeChecks:
    """Checks of one service's shapes. `named` returns the names of a structure's members."""

    def __init__(self, named: Naming = member_name) -> None:
        self._named = named
        self._made: dict[str, Check | None] = {}

    def of(self, shape: Shape) -> Check | None:
        """The check of a shape; None if nothing in it is constrained."""
        if shape.name not in self._made:
            if isinstance(shape, StructureShape):
                self._add_structure(shape)
            else:
                self._made[shape.name] = self._plain(shape)
        return self._made[shape.name]

    def of_body(self, shape: StructureShape) -> Check:
        """The check of a REST operation's body: all members that are not in path, query or headers."""
        name = f"{shape.name} in the body"
        if name not in self._made:
            made = self._made[name] = _Structure(is_union=False)
            self._fill(made, shape, lambda member: "location" not in member.serialization)
        return cast("Check", self._made[name])

    def _add_structure(self, shape: StructureShape) -> None:
        metadata = cast("Mapping[str, Any]", shape.metadata)
        if shape.is_document_type or metadata.get("eventstream"):
            self._made[shape.name] = None
            return
        # Structures may contain themselves, so this one is registered before its members.
        made = self._made[shape.name] = _Structure(is_union=bool(metadata.get("union")))
        self._fill(made, shape, lambda _: True)

    def _fill(self, made: "_Structure", shape: StructureShape, is_wanted: Callable[[Shape], bool]) -> None:
        for name, member in cast("Mapping[str, Shape]", shape.members).items():
            if is_wanted(member):
                key = self._named(name, member)
                made.members[key] = self.of(member)
                if self.is_required(shape, name):
                    made.required.append(key)

    def is_required(self, shape: StructureShape, name: str) -> bool:
        """Check whether a structure requires a member."""
        required = cast("Sequence[str]", cast("Mapping[str, Any]", shape.metadata).get("required", ()))
        return name in required

    def _plain(self, shape: Shape) -> Check | None:
        metadata = cast("Mapping[str, Any]", shape.metadata)
        bounds = _Bounds(
            least=metadata.get("min"),
            most=metadata.get("max"),
        )
        made: Check | None = None
        if isinstance(shape, ListShape):
            made = _List(bounds, self.of(shape.member))
        elif isinstance(shape, MapShape):
            made = _Map(bounds, self.of(shape.key), self.of(shape.value))
        elif shape.type_name == "string":
            made = self._text(shape, bounds, metadata)
        elif shape.type_name in _WHOLE | _FRACTIONAL:
            made = functools.partial(_check_number, bounds, shape.type_name in _WHOLE)
        elif shape.type_name == "boolean":
            made = _check_boolean
        elif shape.type_name == "blob" and bounds.are_set:
            made = functools.partial(_check_blob, bounds)
        return made

    def _text(self, shape: Shape, bounds: "_Bounds", metadata: Mapping[str, Any]) -> Check:
        pattern, values = metadata.get("pattern"), metadata.get("enum")
        return _Text(
            bounds=bounds,
            values=tuple(values) if values else None,
            pattern=pattern or "",
            matches=matcher(pattern) if pattern else None,
            is_sensitive=bool(metadata.get("sensitive")),
        )


@dataclass(frozen=True)
class _Bounds:
    least: float | None
    most: float | None

    @property
    def are_set(self) -> bool:
        return self.least is not None or self.most is not None

    def broken(self, number: float, what: str) -> str | None:
        if self.least is not None and number < self.least:
            return f"Member must have {what} greater than or equal to {self.least}"
        if self.most is not None and number > self.most:
            return f"Member must have {what} less than or equal to {self.most}"
        return None


@dataclass
class _Structure:
    is_union: bool
    members: dict[str, Check | None] = field(default_factory=dict[str, Check | None])
    required: list[str] = field(default_factory=list[str])

    def __call__(self, value: object, path: Path, found: list[Violation]) -> None:
        if not isinstance(value, dict):
            found.append(Violation(path, value, "Member must be a structure", is_of_type=True))
            return
        given = cast("dict[str, object]", value)
        found.extend(Violation((*path, name), None, REQUIRED) for name in self.required if given.get(name) is None)
        if self.is_union and sum(inner is not None for inner in given.values()) != 1:
            found.append(Violation(path, sorted(given), "Member must have exactly one member set"))
        for name, inner in given.items():
            if inner is None:
                continue
            if name not in self.members:
                found.append(Violation((*path, name), inner, UNKNOWN))
                continue
            check = self.members[name]
            if check is not None:
                check(inner, (*path, name), found)


@dataclass(frozen=True)
class _List:
    bounds: _Bounds
    item: Check | None

    def __call__(self, value: object, path: Path, found: list[Violation]) -> None:
        if not isinstance(value, list):
            found.append(Violation(path, value, "Member must be a list", is_of_type=True))
            return
        items = cast("list[object]", value)
        broken = self.bounds.broken(len(items), "length")
        if broken:
            found.append(Violation(path, items, broken))
        if self.item is not None:
            for number, inner in enumerate(items, 1):
                self.item(inner, (*path, number), found)


@dataclass(frozen=True)
class _Map:
    bounds: _Bounds
    key: Check | None
    value: Check | None

    def __call__(self, value: object, path: Path, found: list[Violation]) -> None:
        if not isinstance(value, dict):
            found.append(Violation(path, value, "Member must be a map", is_of_type=True))
            return
        entries = cast("dict[str, object]", value)
        broken = self.bounds.broken(len(entries), "length")
        if broken:
            found.append(Violation(path, entries, broken))
        for name, inner in entries.items():
            if self.key is not None:
                self.key(name, (*path, "key"), found)
            if self.value is not None and inner is not None:
                self.value(inner, (*path, name), found)


@dataclass(frozen=True)
class _Text:
    bounds: _Bounds
    values: tuple[str, ...] | None
    pattern: str
    matches: Callable[[str], object] | None
    is_sensitive: bool

    @property
    def is_free(self) -> bool:
        """Accept any text."""
        return self.values is None and self.matches is None and not self.bounds.are_set

    def __call__(self, value: object, path: Path, found: list[Violation]) -> None:
        if not isinstance(value, str):
            found.append(Violation(path, value, "Member must be a string", is_of_type=True))
            return
        broken = [self.bounds.broken(len(value), "length")]
        if self.values is not None and value not in self.values:
            broken.append(f"Member must satisfy enum value set: [{', '.join(self.values)}]")
        if self.matches is not None and not self.matches(value):
            broken.append(f"Member must satisfy regular expression pattern: {self.pattern}")
        found.extend(
            Violation(path, value, constraint, is_sensitive=self.is_sensitive) for constraint in broken if constraint
        )


def takes_any_text(check: Check | None) -> bool:
    """A check that no text can fail, so that paths, queries and headers need none."""
    return check is None or (isinstance(check, _Text) and check.is_free)


def _check_number(bounds: _Bounds, is_whole: bool, value: object, path: Path, found: list[Violation]) -> None:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        # JSON has no syntax for these; AWS accepts them as text.
        if not (not is_whole and value in ("NaN", "Infinity", "-Infinity")):
            found.append(Violation(path, value, "Member must be a number", is_of_type=True))
        return
    if is_whole and value != int(value):
        found.append(Violation(path, value, "Member must be a whole number", is_of_type=True))
    broken = bounds.broken(value, "value")
    if broken:
        found.append(Violation(path, value, broken))


def _check_boolean(value: object, path: Path, found: list[Violation]) -> None:
    if not isinstance(value, bool):
        found.append(Violation(path, value, "Member must be a boolean", is_of_type=True))


def _check_blob(bounds: _Bounds, value: object, path: Path, found: list[Violation]) -> None:
    if isinstance(value, str):  # base64, as JSON, XML and forms carry bytes
        size_bytes = len(re.sub(r"[\s=]", "", value)) * 3 // 4
    elif isinstance(value, bytes):
        size_bytes = len(value)
    else:
        found.append(Violation(path, type(value).__name__, "Member must be a blob", is_of_type=True))
        return
    broken = bounds.broken(size_bytes, "length")
    if broken:
        found.append(Violation(path, f"{size_bytes} bytes", broken))
