"""Readers of single settings: each turns the text of one key into a value, or remembers what is wrong with it."""

from __future__ import annotations

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

    def text(self, key: str) -> str:
        value = self._config.get(key)
        if value is None:
            self.wrong(key, "is missing, also from the defaults in Pulumi.yaml")
        return value or ""

    def flag(self, key: str) -> bool:
        text = self.text(key)
        if text and text not in ("true", "false"):
            self.wrong(key, f"is {text!r}, not true or false")
        return text == "true"

    def integer(self, key: str, low: int, high: int) -> int:
        text = self.text(key)
        if text and not re.fullmatch(r"-?\d{1,15}", text):
            self.wrong(key, f"is {text!r}, not a whole number")
        elif text and not low <= int(text) <= high:
            self.wrong(key, f"is {text}, not {low} to {high}")
        else:
            return int(text or 0)
        return low

    def matching(self, key: str, pattern: str, meaning: str) -> str:
        text = self.text(key)
        if text and not re.fullmatch(pattern, text):
            self.wrong(key, f"is {text!r}, not {meaning}")
        return text

    def texts(self, key: str, pattern: str, meaning: str, count: range) -> tuple[str, ...]:
        try:
            found: object = self._config.get_object(key)
        except pulumi.ConfigTypeError:
            found = None
        if not isinstance(found, list):
            self.wrong(key, "is not a list")
            return ()
        items = [str(item) for item in found]  # pyright: ignore[reportUnknownVariableType]
        for item in items:
            if not re.fullmatch(pattern, item):
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
        text = reader.text(key)
        values = [member.value for member in kind]
        if text in values:
            return kind(text)
        if text:
            reader.wrong(key, f"is {text!r}, not one of {', '.join(values)}")
        return next(iter(kind))

    return read


def integer(low: int, high: int) -> Read:
    return lambda reader, key: reader.integer(key, low, high)


def texts(pattern: str, meaning: str, count: range) -> Read:
    return lambda reader, key: reader.texts(key, pattern, meaning, count)


def matching(pattern: str, meaning: str) -> Read:
    return lambda reader, key: reader.matching(key, pattern, meaning)


flag: Read = ConfigReader.flag
