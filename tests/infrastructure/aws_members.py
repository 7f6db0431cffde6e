"""The properties of the program's resources as the members of AWS's API that the provider sends them as.

A property maps by rule: `memorySize` is MemorySize, whatever the case, singular or plural. `renamed` holds the
exceptions, as paths into the input; `apart` names what this operation does not take, with the reason.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

from botocore.model import ListShape, MapShape, Shape, StructureShape

from local.stand_in.aws_models.constraints import REQUIRED, Violation
from local.stand_in.aws_models.services import service
from local.stand_in.aws_models.wire import scalar
from tests.infrastructure.recorded_program import Recorded

# Properties of the provider's own, for every type.
_PROVIDERS = frozenset({"region", "forceDestroy", "skipDestroy", "retainOnDelete", "triggers"})
_TAG_MEMBERS = ("tags", "tagslist", "userpooltags", "resourcetags", "tagset", "identitypooltags", "hostedzonetags")


@dataclass(frozen=True)
class Held:
    """An operation whose input a resource's properties are held against.

    within: the member of the input that has them, as a path; empty for the input itself. renamed: a property, nested
    ones with dots, and its path from the input down; of a nested property, from the structure that holds it.
    """

    service: str
    operation: str
    within: str = ""
    renamed: Mapping[str, str] = field(default_factory=dict[str, str])
    apart: Mapping[str, str] = field(default_factory=dict[str, str])


@dataclass(frozen=True)
class Findings:
    """Violations of one resource, and its properties that no rule and no exception maps."""

    violations: list[Violation]
    unmapped: list[str]
    held: int


def findings(resource: Recorded, held: Sequence[Held], names: Collection[str] = ()) -> Findings:
    """Hold a resource against its operations; names: of all resources, whose ids and ARNs the mocked engine made up."""
    violations: list[Violation] = []
    unmapped: dict[str, set[int]] = {}
    count = 0
    for number, each in enumerate(held):
        reader = _Reader(each)
        values = reader.read(resource.inputs)
        found = service(each.service, is_on_the_wire=False)
        assert found is not None
        # Missing members are the provider's defaults or references: its own requests show them.
        violations += [
            violation
            for violation in found.broken(reader.input, values)
            if violation.constraint != REQUIRED and not _is_made_up(violation.value, names)
        ]
        count += reader.count
        for name in reader.unmapped:
            unmapped.setdefault(name, set()).add(number)
    return Findings(violations, [name for name, missed in unmapped.items() if len(missed) == len(held)], count)


def _is_made_up(value: object, names: Collection[str]) -> bool:
    text = str(value)
    name = text.rpartition(":")[2] if text.startswith("arn:") else text.removesuffix("-id")
    return text != name and name in names


class _Reader:
    def __init__(self, held: Held) -> None:
        found = service(held.service, is_on_the_wire=False)
        assert found is not None
        operation = found.operation(held.operation)
        assert operation is not None, held
        assert operation.input_shape is not None
        self.input: StructureShape = operation.input_shape
        self._held = held
        self.unmapped: list[str] = []
        self.count = 0

    def read(self, inputs: Mapping[str, Any]) -> dict[str, Any]:
        """The input that these properties make."""
        root: dict[str, Any] = {}
        within = [*_steps(self._held.within)]
        for name, value in inputs.items():
            if name in _PROVIDERS or name in self._held.apart or value is None:
                continue
            steps = self._top_level(name, within)
            if steps is None:
                self.unmapped.append(name)
            else:
                _put(root, self.input, steps, self._value(_reached(self.input, steps), value, name))
        return root

    def _top_level(self, name: str, within: Sequence[str]) -> list[str] | None:
        if name in self._held.renamed:
            return _steps(self._held.renamed[name])
        if name == "tags" and self._held.service == "ec2" and "TagSpecifications" in _members(self.input):
            return ["TagSpecifications", "Tags"]
        member = self._member(_reached(self.input, within), name, name)
        return None if member is None else [*within, member]

    def _member(self, shape: Shape, name: str, context: str) -> str | None:
        if not isinstance(shape, StructureShape):
            return None
        by_name = {member.casefold(): member for member in _members(shape)}
        wanted = name.casefold()
        forms = [wanted, f"{wanted}s", wanted.removesuffix("s"), f"{wanted.removesuffix('y')}ies"]
        if wanted in ("tags", "tagsall"):
            forms += _TAG_MEMBERS
        return next((by_name[form] for form in forms if form in by_name), None)

    def _value(self, shape: Shape, value: Any, context: str) -> Any:
        if isinstance(shape, StructureShape):
            return self._structure(shape, value, context)
        if isinstance(shape, ListShape):
            return [self._value(shape.member, item, context) for item in _listed(shape, value)]
        if isinstance(shape, MapShape):
            return {name: self._value(shape.value, inner, context) for name, inner in _entries(shape, value)}
        if value is not None:
            self.count += 1
        return _scalar(shape, value)

    def _structure(self, shape: StructureShape, value: Any, context: str) -> Any:
        members = _members(shape)
        if "Quantity" in members and "Items" in members and not _has_items(value):
            items = value if isinstance(value, list) else [value]
            return {"Quantity": len(cast("list[Any]", items)), "Items": self._value(members["Items"], items, context)}
        if isinstance(value, list) and len(cast("list[Any]", value)) == 1:
            value = value[0]
        if not isinstance(value, Mapping):
            self.unmapped.append(context)
            return None
        told: dict[str, Any] = {}
        for name, inner in cast("Mapping[str, Any]", value).items():
            deeper = f"{context}.{name}"
            if inner is None or deeper in self._held.apart:
                continue
            renamed = self._held.renamed.get(deeper)
            member = self._member(shape, name, deeper)
            steps = _steps(renamed) if renamed else [member] if member else None
            if steps is None:
                self.unmapped.append(deeper)
            else:
                _put(told, shape, steps, self._value(_reached(shape, steps), inner, deeper))
        return told


def _has_items(value: Any) -> bool:
    return isinstance(value, Mapping) and "items" in cast("Mapping[str, Any]", value)


def _listed(shape: ListShape, value: Any) -> Iterator[Any]:
    """The items of a list: written as one, as a map of key and value, or as the only one."""
    if isinstance(value, list):
        yield from cast("list[Any]", value)
        return
    member = shape.member
    if isinstance(value, Mapping) and isinstance(member, StructureShape) and _is_pair(member):
        for key, inner in cast("Mapping[str, Any]", value).items():
            yield dict(zip(_pair_names(member), (key, inner), strict=True))
        return
    yield value


def _entries(shape: MapShape, value: Any) -> Iterator[tuple[str, Any]]:
    """The entries of a map, which the provider may write as a list whose items hold their keys."""
    if isinstance(value, Mapping):
        yield from cast("Mapping[str, Any]", value).items()
        return
    for item in cast("list[dict[str, Any]]", value):
        key = "key" if "key" in item else "name"
        rest = {name: inner for name, inner in item.items() if name != key}
        yield item[key], rest if isinstance(shape.value, StructureShape) else next(iter(rest.values()))


def _is_pair(shape: StructureShape) -> bool:
    return len(_members(shape)) == 2 and any(name.casefold().endswith(("key", "name")) for name in _members(shape))


def _pair_names(shape: StructureShape) -> list[str]:
    return sorted(_members(shape), key=lambda name: not name.casefold().endswith(("key", "name")))


def _scalar(shape: Shape, value: Any) -> Any:
    if shape.type_name == "string":
        return value if isinstance(value, str) else _text(value)
    if isinstance(value, str):
        return value.encode() if shape.type_name == "blob" else scalar(shape, value)
    return value


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)


def _members(shape: Shape) -> Mapping[str, Shape]:
    return cast("Mapping[str, Shape]", cast("StructureShape", shape).members)


def _steps(path: str) -> list[str]:
    return path.split(".") if path else []


def _reached(shape: Shape, steps: Sequence[str]) -> Shape:
    for step in steps:
        while isinstance(shape, ListShape):
            shape = shape.member
        shape = shape.value if isinstance(shape, MapShape) else _members(shape)[step]
    return shape


def _put(root: dict[str, Any], shape: Shape, steps: Sequence[str], value: Any) -> None:
    """Put a value at a path; where the path leads through a list, into its only item."""
    node = root
    for step in steps[:-1]:
        shape = _reached(shape, [step])
        if isinstance(shape, ListShape):
            (node,) = node.setdefault(step, [{}])
        else:
            node = node.setdefault(step, {})
    known = node.get(steps[-1])
    if isinstance(known, dict) and isinstance(value, dict):
        cast("dict[str, Any]", known).update(cast("dict[str, Any]", value))
    else:
        node[steps[-1]] = value
