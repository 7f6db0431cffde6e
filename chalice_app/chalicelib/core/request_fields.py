"""The fields of a request's body, read one by one: all problems are named at once."""

import re
from collections.abc import Collection
from typing import Self

from chalicelib.core.errors import InvalidRequestError
from chalicelib.core.json_values import JsonObject

MAX_NAMED_PROBLEMS = 20
"""An answer says how many more there are."""
MAX_NAMED_FIELD_CHARS = 64

_CRC64 = re.compile(r"[A-Za-z0-9+/]{10}[AEIMQUYcgkosw048]=")
"""The base64 form of eight bytes, the one that S3 answers: the last character has two bits to spare."""


class Fields:
    """Reads the fields of one JSON object and collects what is wrong with them."""

    def __init__(self, values: JsonObject, where: str = "") -> None:
        self._values = dict(values)
        self._where = where
        self.problems: list[dict[str, str]] = []
        self.more_problems = 0

    def problem(self, field: str, problem: str) -> None:
        self._add({"field": f"{self._where}{field}", "problem": problem})

    def _add(self, problem: dict[str, str]) -> None:
        if len(self.problems) < MAX_NAMED_PROBLEMS:
            self.problems.append(problem)
        else:
            self.more_problems += 1

    def text(self, field: str, max_chars: int) -> str:
        value = self._values.pop(field, None)
        if not isinstance(value, str) or not value:
            self.problem(field, "must be a text")
            return ""
        if len(value) > max_chars:
            self.problem(field, f"may have at most {max_chars} characters")
        return value

    def optional_text(self, field: str, max_chars: int) -> str | None:
        if self._values.get(field) is None:
            self._values.pop(field, None)
            return None
        return self.text(field, max_chars)

    def whole_number(self, field: str, least: int, most: int) -> int:
        value = self._values.pop(field, None)
        if not isinstance(value, int) or isinstance(value, bool):
            self.problem(field, "must be a whole number")
        elif not least <= value <= most:
            self.problem(field, f"must be {least} to {most}")
        else:
            return value
        return least

    def matching(self, field: str, pattern: re.Pattern[str], must: str) -> str:
        value = self._values.pop(field, None)
        if isinstance(value, str) and pattern.fullmatch(value):
            return value
        self.problem(field, f"must be {must}")
        return ""

    def optional_matching(self, field: str, pattern: re.Pattern[str], must: str) -> str | None:
        if self._values.get(field) is None:
            self._values.pop(field, None)
            return None
        return self.matching(field, pattern, must)

    def one_of(self, field: str, allowed: Collection[str]) -> str:
        value = self._values.pop(field, None)
        if isinstance(value, str) and value in allowed:
            return value
        self.problem(field, f"must be one of {', '.join(sorted(allowed))}")
        return ""

    def whole_numbers(self, field: str, least: int, most: int, most_entries: int) -> list[int]:
        value = self._values.pop(field, None)
        if not isinstance(value, list) or not 1 <= len(value) <= most_entries:
            self.problem(field, f"must be a list with 1 to {most_entries} entries")
            return []
        numbers = [each for each in value if isinstance(each, int) and not isinstance(each, bool)]
        if len(numbers) != len(value) or not all(least <= number <= most for number in numbers):
            self.problem(field, f"every entry must be a whole number of {least} to {most}")
            return []
        return numbers

    def objects(self, field: str, most: int) -> list[JsonObject]:
        value = self._values.pop(field, None)
        if not isinstance(value, list) or not value:
            self.problem(field, "must be a list with at least one entry")
            return []
        if len(value) > most:
            self.problem(field, f"may have at most {most} entries")
            return []
        objects = [entry for entry in value if isinstance(entry, dict)]
        if len(objects) != len(value):
            self.problem(field, "every entry must be an object")
            return []
        return objects

    def checksum(self, field: str) -> str | None:
        """S3's base64 of eight bytes, or None when absent."""
        return self.optional_matching(field, _CRC64, "the base64 form of the eight bytes of a CRC64NVME")

    def adopt(self, entry: Self) -> None:
        """Take over what is wrong with one entry of a list."""
        try:
            entry.finish()
        except InvalidRequestError as error:
            for problem in error.problems:
                self._add(problem)
            self.more_problems += error.more_problems

    def finish(self) -> None:
        """Raises InvalidRequestError when anything was wrong or unknown."""
        for unknown in self._values:
            self.problem(unknown[:MAX_NAMED_FIELD_CHARS], "is not known here")
        if self.problems:
            raise InvalidRequestError(problems=self.problems, more_problems=self.more_problems)
