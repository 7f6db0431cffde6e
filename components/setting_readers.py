"""Readers of single settings: each turns the text of one key into a value, or remembers what is wrong with it."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from enum import StrEnum
from typing import Any, TypeVar

import pulumi


class ConfigReader:
    """Reads one value at a time and remembers what was wrong with it."""

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

    def text(self, key: str) -> str:
        return self.given(key) or ""

    def flag(self, key: str) -> bool:
        text = self.given(key)
        if text not in (None, "true", "false"):
            self.wrong(key, f"is {text!r}, not true or false")
        return text == "true"

    def integer(self, key: str, low: int, high: int) -> int:
        text = self.given(key)
        if text is None:
            return low
        if not re.fullmatch(r"-?[0-9]{1,15}", text):
            self.wrong(key, f"is {text!r}, not a whole number")
        elif not low <= int(text) <= high:
            self.wrong(key, f"is {text}, not {low} to {high}")
        else:
            return int(text)
        return low

    def matching(self, key: str, pattern: str, meaning: str) -> str:
        text = self.text(key)
        if text and not re.fullmatch(pattern, text, re.ASCII):
            self.wrong(key, f"is {text!r}, not {meaning}")
        return text

    def texts(self, key: str, fits: Callable[[str], bool], meaning: str, count: range) -> tuple[str, ...]:
        try:
            found: object = self._config.get_object(key)
        except pulumi.ConfigTypeError:
            found = None
        if not isinstance(found, list):
            self.wrong(key, f"is not a list; set its first item with `pulumi config set --path '{key}[0]' …`")
            return ()
        items = [item if isinstance(item, str) else json.dumps(item) for item in found]  # pyright: ignore[reportUnknownVariableType]
        for item in items:
            if not fits(item):
                self.wrong(key, f"holds {item!r}, not {meaning}")
        if len(items) not in count:
            self.wrong(key, f"holds {len(items)} values, not {count.start} to {count.stop - 1}")
        if len(set(items)) != len(items):
            self.wrong(key, "names something twice")
        return tuple(items)


Choice = TypeVar("Choice", bound=StrEnum)
Read = Callable[[ConfigReader, str], Any]


def choice(kind: type[Choice]) -> Read:
    def read(reader: ConfigReader, key: str) -> Choice:
        text = reader.given(key)
        values = [member.value for member in kind]
        if text in values:
            return kind(text)
        if text is not None:
            reader.wrong(key, f"is {text!r}, not one of {', '.join(values)}")
        return next(iter(kind))

    return read


def integer(low: int, high: int) -> Read:
    return lambda reader, key: reader.integer(key, low, high)


def texts(pattern: str | Callable[[str], bool], meaning: str, count: range) -> Read:
    def fits(item: str) -> bool:
        return bool(re.fullmatch(pattern, item, re.ASCII)) if isinstance(pattern, str) else pattern(item)

    return lambda reader, key: reader.texts(key, fits, meaning, count)


def matching(pattern: str, meaning: str) -> Read:
    return lambda reader, key: reader.matching(key, pattern, meaning)


flag: Read = ConfigReader.flag
