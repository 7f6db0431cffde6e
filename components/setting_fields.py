"""Declarations of settings: type, default, limits and meaning of a key, and the parsing of its text.

A dataclass field declared with these functions is a setting; its key in the stack's configuration is the field's name
in camel case.
"""

from __future__ import annotations

import dataclasses
import json
import re
from collections.abc import Callable, Iterator
from enum import StrEnum
from typing import Any

import pulumi

Fits = str | Callable[[str], bool]
"""A regular expression for the whole text, or a predicate."""


class ConfigReader:
    """A reader of values that collects their problems."""

    def __init__(self, config: pulumi.Config) -> None:
        self._config = config
        self.problems: list[tuple[str, str]] = []

    def wrong(self, key: str, problem: str) -> None:
        self.problems.append((key, problem))

    def given(self, key: str) -> str | None:
        """The key's text, which may be empty; None after noting that there is none."""
        value = self._config.get(key)
        if value is None:
            self.wrong(key, "is missing, also from the defaults in Pulumi.yaml")
        return value

    def items(self, key: str) -> list[str] | None:
        """The key's list; None after noting that it holds none."""
        try:
            found: object = self._config.get_object(key)
        except pulumi.ConfigTypeError:
            found = None
        if not isinstance(found, list):
            self.wrong(key, f"is not a list; set its first item with `pulumi config set --path '{key}[0]' …`")
            return None
        return [item if isinstance(item, str) else json.dumps(item) for item in found]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Setting:
    """One setting. `type` and `default` are those of Pulumi.yaml; `read` notes the problems of a value."""

    type: str
    default: object
    meaning: str
    read: Callable[[ConfigReader, str], Any]
    key: str = ""


def settings_in(group: type) -> Iterator[tuple[str, Setting]]:
    """Field name, key and setting of each field of a group."""
    for field in dataclasses.fields(group):
        setting: Setting = field.metadata["setting"]
        yield field.name, dataclasses.replace(setting, key=setting.key or camel_case(field.name))


def camel_case(name: str) -> str:
    """`max_video_gib` as `maxVideoGib`."""
    head, *rest = name.split("_")
    return head + "".join(word.capitalize() for word in rest)


def flag(default: bool, meaning: str, *, key: str = "") -> Any:
    """A setting that is true or false."""

    def read(reader: ConfigReader, key: str) -> bool:
        text = reader.given(key)
        if text not in (None, "true", "false"):
            reader.wrong(key, f"is {text!r}, not true or false")
        return text == "true"

    return _field(Setting(type="boolean", default=default, meaning=meaning, read=read, key=key))


def integer(default: int, low: int, high: int, meaning: str) -> Any:
    """A whole number from low to high."""

    def read(reader: ConfigReader, key: str) -> int:
        text = reader.given(key)
        if text is None:
            return low
        if not re.fullmatch(r"-?[0-9]{1,15}", text):
            reader.wrong(key, f"is {text!r}, not a whole number")
        elif not low <= int(text) <= high:
            reader.wrong(key, f"is {text}, not {low} to {high}")
        else:
            return int(text)
        return low

    return _field(Setting(type="integer", default=default, meaning=meaning, read=read))


def choice(default: StrEnum, meaning: str) -> Any:
    """One member of the default's enumeration."""
    members = type(default)

    def read(reader: ConfigReader, key: str) -> StrEnum:
        text = reader.given(key)
        values = [member.value for member in members]
        if text in values:
            return members(text)
        if text is not None:
            reader.wrong(key, f"is {text!r}, not one of {', '.join(values)}")
        return next(iter(members))

    return _field(Setting(type="string", default=default.value, meaning=meaning, read=read))


def text(default: str, fits: Fits, expected: str, meaning: str, *, required: bool = False) -> Any:
    """A text, which may be empty unless it is required. expected: what it must be, in words."""

    def read(reader: ConfigReader, key: str) -> str:
        given = reader.given(key) or ""
        if (given or required) and not _is_fitting(given, fits):
            reader.wrong(key, f"is {given!r}, not {expected}")
        return given

    return _field(Setting(type="string", default=default, meaning=meaning, read=read))


def texts(default: tuple[str, ...], fits: Fits, expected: str, count: range, meaning: str) -> Any:
    """A list of distinct texts. count: the accepted lengths of the list. expected: what each text must be, in words."""

    def read(reader: ConfigReader, key: str) -> tuple[str, ...]:
        items = reader.items(key)
        if items is None:
            return ()
        for item in items:
            if not _is_fitting(item, fits):
                reader.wrong(key, f"holds {item!r}, not {expected}")
        if len(items) not in count:
            reader.wrong(key, f"holds {len(items)} values, not {count.start} to {count.stop - 1}")
        if len(set(items)) != len(items):
            reader.wrong(key, "names something twice")
        return tuple(items)

    return _field(Setting(type="array", default=list(default), meaning=meaning, read=read))


def _is_fitting(value: str, fits: Fits) -> bool:
    return bool(re.fullmatch(fits, value, re.ASCII)) if isinstance(fits, str) else fits(value)


def _field(setting: Setting) -> Any:
    return dataclasses.field(metadata={"setting": setting})
