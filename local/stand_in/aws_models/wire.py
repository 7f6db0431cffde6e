"""Values on the wire: forms, XML and JSON, parsed into trees for the checks.

A tree keeps the wire's names, also of members that the model does not know. Text of a number or a boolean is converted;
malformed text stays text, and its shape's check reports it.
"""

import functools
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, cast
from xml.etree import ElementTree as ET

from botocore.model import ListShape, MapShape, Shape, StructureShape

_ABOUT_THE_FORM = frozenset({"Action", "Version"})


def wire_name(name: str, shape: Shape) -> str:
    """The name that a member has in JSON, XML, forms, paths and headers."""
    serialization = _serialization(shape)
    if isinstance(shape, ListShape) and serialization.get("flattened"):
        inner = _serialization(shape.member).get("name")
        if inner:
            return str(inner)
    return str(serialization.get("name", name))


def ec2_name(name: str, shape: Shape) -> str:
    """The name that a member has in a form for EC2."""
    serialization = _serialization(shape)
    if "queryName" in serialization:
        return str(serialization["queryName"])
    text = str(serialization.get("name", name))
    return text[:1].upper() + text[1:]


def scalar(shape: Shape, text: str) -> object:
    """Convert a text to the type of its shape."""
    match shape.type_name:
        case "integer" | "long":
            return _number(text, int)
        case "float" | "double":
            return _number(text, float)
        case "boolean":
            return {"true": True, "false": False}.get(text.lower(), text)
        case _:
            return text


def _number(text: str, kind: type[int] | type[float]) -> object:
    try:
        return kind(text)
    except ValueError:
        return text


@dataclass
class _Node:
    """A node of a form's names: `Tags.member.1.Key` is four levels deep."""

    text: str | None = None
    under: "dict[str, _Node]" = field(default_factory=dict)


def form_value(shape: StructureShape, pairs: Iterable[tuple[str, str]], *, is_ec2: bool) -> dict[str, object]:
    """Read the values of a form of the query protocol or EC2's."""
    root = _Node()
    for name, text in pairs:
        if name in _ABOUT_THE_FORM:
            continue
        node = root
        for step in name.split("."):
            node = node.under.setdefault(step, _Node())
        node.text = text
    return cast("dict[str, object]", _Form(is_ec2=is_ec2).value(shape, root))


@dataclass(frozen=True)
class _Form:
    is_ec2: bool

    def value(self, shape: Shape, node: _Node) -> object:
        if isinstance(shape, StructureShape):
            named = ec2_name if self.is_ec2 else wire_name
            members = {named(name, member): member for name, member in _members(shape).items()}
            return {
                name: self.value(members[name], inner) if name in members else _everything(inner)
                for name, inner in node.under.items()
            }
        if isinstance(shape, ListShape):
            return self._list(shape, node)
        if isinstance(shape, MapShape):
            return self._map(shape, node)
        return scalar(shape, node.text or "")

    def _list(self, shape: ListShape, node: _Node) -> object:
        member = shape.member
        is_flat = self.is_ec2 or bool(_serialization(shape).get("flattened"))
        items = node if is_flat else node.under.get(str(_serialization(member).get("name", "member")), _Node())
        return [self.value(member, items.under[number]) for number in sorted(items.under, key=_place)]

    def _map(self, shape: MapShape, node: _Node) -> object:
        entries = node if _serialization(shape).get("flattened") else node.under.get("entry", _Node())
        key, value = shape.key, shape.value
        key_name = str(_serialization(key).get("name", "key"))
        value_name = str(_serialization(value).get("name", "value"))
        return {
            entry.under.get(key_name, _Node()).text or "": self.value(value, entry.under.get(value_name, _Node()))
            for entry in entries.under.values()
        }


def _place(number: str) -> int:
    return int(number) if number.isdigit() else 0


def _everything(node: _Node) -> object:
    return node.text if not node.under else sorted(node.under)


def xml_value(shape: Shape, element: ET.Element) -> object:
    """Read the value of an element."""
    if isinstance(shape, StructureShape):
        return _xml_structure(shape, element)
    if isinstance(shape, ListShape):
        return [xml_value(shape.member, child) for child in element]
    if isinstance(shape, MapShape):
        return dict(_xml_entry(shape, entry) for entry in element)
    return scalar(shape, element.text or "")


def _xml_structure(shape: StructureShape, element: ET.Element) -> dict[str, object]:
    members, attributes = _on_the_wire(shape)
    told: dict[str, object] = {}
    for child in element:
        name = local_name(child)
        member = members.get(name)
        if member is None:
            told[name] = child.text or ""
        elif _serialization(member).get("flattened") and isinstance(member, ListShape):
            items = cast("list[object]", told.setdefault(name, []))
            items.append(xml_value(member.member, child))
        elif _serialization(member).get("flattened") and isinstance(member, MapShape):
            entries = cast("dict[str, object]", told.setdefault(name, {}))
            entries.update([_xml_entry(member, child)])
        else:
            told[name] = xml_value(member, child)
    for name in attributes:
        # `xsi:type` in the model, `{http://…}type` from the parser.
        given = {key.rpartition("}")[2]: text for key, text in element.attrib.items()}
        if name.rpartition(":")[2] in given:
            told[name] = given[name.rpartition(":")[2]]
    return told


@functools.cache
def _on_the_wire(shape: StructureShape) -> tuple[Mapping[str, Shape], tuple[str, ...]]:
    """The members by their names in XML, and which of them are attributes."""
    members = {wire_name(name, member): member for name, member in _members(shape).items()}
    return members, tuple(name for name, member in members.items() if _serialization(member).get("xmlAttribute"))


def _xml_entry(shape: MapShape, entry: ET.Element) -> tuple[str, object]:
    key, value = shape.key, shape.value
    by_name = {local_name(child): child for child in entry}
    key_element = by_name.get(str(_serialization(key).get("name", "key")))
    value_element = by_name.get(str(_serialization(value).get("name", "value")))
    text = "" if key_element is None else key_element.text or ""
    return text, None if value_element is None else xml_value(value, value_element)


def local_name(element: ET.Element) -> str:
    """An element's name without its namespace."""
    return element.tag.rpartition("}")[2]


def _members(shape: StructureShape) -> Mapping[str, Shape]:
    return cast("Mapping[str, Shape]", shape.members)


def _serialization(shape: Shape) -> Mapping[str, Any]:
    return cast("Mapping[str, Any]", shape.serialization)
