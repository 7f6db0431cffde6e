"""Fields: what each kind accepts, and the words in which it refuses."""

import re
from collections.abc import Callable
from enum import Enum, auto
from typing import Any

import pytest

from chalicelib.core.errors import InvalidRequestError
from chalicelib.core.request_fields import MAX_NAMED_FIELD_CHARS, MAX_NAMED_PROBLEMS, Fields

PATTERN = re.compile(r"[a-c]+")


class Missing(Enum):
    """Its name is the same in every process, which pytest-xdist asks of a test's id."""

    ABSENT = auto()


ABSENT = Missing.ABSENT

Read = Callable[[Fields], object]

READS: dict[str, Read] = {
    "text": lambda fields: fields.text("x", 3),
    "optional text": lambda fields: fields.optional_text("x", 3),
    "whole number": lambda fields: fields.whole_number("x", 2, 4),
    "matching": lambda fields: fields.matching("x", PATTERN, "a to c"),
    "optional matching": lambda fields: fields.optional_matching("x", PATTERN, "a to c"),
    "one of": lambda fields: fields.one_of("x", frozenset({"b", "a"})),
    "whole numbers": lambda fields: fields.whole_numbers("x", 1, 4, 3),
    "objects": lambda fields: fields.objects("x", 2),
    "checksum": lambda fields: fields.checksum("x"),
}

ACCEPTED: list[tuple[str, Any, object]] = [
    ("text", "a", "a"),
    ("text", "abc", "abc"),
    ("optional text", "abc", "abc"),
    ("optional text", None, None),
    ("optional text", ABSENT, None),
    ("whole number", 2, 2),
    ("whole number", 3, 3),
    ("whole number", 4, 4),
    ("matching", "abc", "abc"),
    ("optional matching", "abc", "abc"),
    ("optional matching", None, None),
    ("optional matching", ABSENT, None),
    ("one of", "a", "a"),
    ("whole numbers", [1], [1]),
    ("whole numbers", [4, 3, 2], [4, 3, 2]),
    ("objects", [{}], [{}]),
    ("objects", [{"a": 1}, {}], [{"a": 1}, {}]),
    ("checksum", "AAAAAAAAAAA=", "AAAAAAAAAAA="),
    ("checksum", None, None),
    ("checksum", ABSENT, None),
]

NO_CHECKSUM = "must be the base64 form of the eight bytes of a CRC64NVME"
NO_LIST = "must be a list with at least one entry"
NO_NUMBERS = "every entry must be a whole number of 1 to 4"
REFUSED: list[tuple[str, Any, str, object]] = [
    ("text", "abcd", "may have at most 3 characters", "abcd"),
    *(("text", value, "must be a text", "") for value in ("", 1, None, ABSENT, ["a"])),
    ("optional text", "abcd", "may have at most 3 characters", "abcd"),
    *(("optional text", value, "must be a text", "") for value in ("", 0, False)),
    *(("whole number", value, "must be 2 to 4", 2) for value in (1, 5, -3)),
    *(("whole number", value, "must be a whole number", 2) for value in (True, "3", 3.0, None, ABSENT)),
    *(("matching", value, "must be a to c", "") for value in ("", "d", "abcd", 1, None, ABSENT)),
    *(("optional matching", value, "must be a to c", "") for value in ("", "d", 0)),
    *(("one of", value, "must be one of a, b", "") for value in ("", "c", 1, None, ABSENT, ["a"])),
    *(
        ("whole numbers", value, "must be a list with 1 to 3 entries", list[object]())
        for value in ([], [2] * 4, "2", None, ABSENT)
    ),
    *(("whole numbers", value, NO_NUMBERS, list[object]()) for value in ([0], [5], [2, True], [3, "4"], [2, None, 3])),
    *(("objects", value, NO_LIST, list[object]()) for value in ([], {}, None, ABSENT, "a")),
    ("objects", [{}] * 3, "may have at most 2 entries", []),
    *(("objects", value, "every entry must be an object", list[object]()) for value in ([1], [{}, None])),
    *(
        ("checksum", value, NO_CHECKSUM, "")
        for value in ("", "AAAAAAAAAA==", "AAAAAAAAAAAA", "AAAAAAAAAAA", "AAAA\nAAAAAAA=", "!AAAAAAAAAAA=", "ü" * 12, 5)
    ),
    *(
        ("checksum", f"AAAAAAAAAA{spelling}=", NO_CHECKSUM, "")
        for spelling in "BCD"  # the same eight bytes, which S3 answers as A
    ),
]


def given(value: object) -> Fields:
    return Fields({} if value is ABSENT else {"x": value})  # type: ignore[dict-item]


@pytest.mark.parametrize(("kind", "value", "read"), ACCEPTED, ids=repr)
def test_a_good_field_is_read_and_then_no_longer_unknown(kind: str, value: object, read: object) -> None:
    fields = given(value)
    assert READS[kind](fields) == read
    fields.finish()


@pytest.mark.parametrize(("kind", "value", "problem", "read"), REFUSED, ids=repr)
def test_a_bad_field_is_refused_once_in_words_that_help(kind: str, value: object, problem: str, read: object) -> None:
    fields = given(value)
    assert READS[kind](fields) == read
    with pytest.raises(InvalidRequestError) as refused:
        fields.finish()
    assert refused.value.problems == [{"field": "x", "problem": problem}]
    assert refused.value.more_problems == 0


def test_an_unknown_field_is_named() -> None:
    with pytest.raises(InvalidRequestError) as refused:
        Fields({"y" * 100: 1}).finish()
    assert refused.value.problems == [{"field": "y" * MAX_NAMED_FIELD_CHARS, "problem": "is not known here"}]


def test_problems_of_an_entry_are_told_by_its_place_and_counted_with_the_others() -> None:
    fields, entry = Fields({"x": 1}), Fields({"y": 1, "z": 2}, "parts[3].")
    fields.adopt(entry)
    many = Fields(dict.fromkeys(map(str, range(30)), 0), "parts[4].")
    fields.adopt(many)
    with pytest.raises(InvalidRequestError) as refused:
        fields.finish()
    named = [problem["field"] for problem in refused.value.problems]
    assert named[:3] == ["parts[3].y", "parts[3].z", "parts[4].0"]
    assert (len(named), refused.value.more_problems) == (MAX_NAMED_PROBLEMS, 2 + 30 + 1 - MAX_NAMED_PROBLEMS)


def test_what_a_caller_gave_is_left_as_it_was() -> None:
    body: dict[str, Any] = {"x": "a"}
    Fields(body).text("x", 3)
    assert body == {"x": "a"}


def test_the_bounds_are_those_of_the_document() -> None:
    assert (MAX_NAMED_PROBLEMS, MAX_NAMED_FIELD_CHARS) == (20, 64)
