"""Checks of a body: what each kind of field accepts, and the words in which it is refused."""

from enum import Enum, auto
from typing import Annotated, Any, Literal

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Meta, Struct

from chalicelib.contract.checking import MAX_NAMED_FIELD_CHARS, MAX_NAMED_PROBLEMS, checked
from chalicelib.contract.fields import Checksum
from chalicelib.contract.requests import (
    NewUpload,
    PartsToComplete,
    PartsToSign,
    ProgressBatch,
    RequestBody,
    UploadToAbort,
)
from chalicelib.core.errors import InvalidRequestError


class Missing(Enum):
    """Its name is the same in every process, which pytest-xdist asks of a test's id."""

    ABSENT = auto()


ABSENT = Missing.ABSENT

ThreeChars = Annotated[str, Meta(min_length=1, max_length=3)]
AToC = Annotated[str, Meta(pattern=r"^[a-c]+\Z", extra={"must_be": "a to c"})]


class Entry(RequestBody, frozen=True, kw_only=True):
    a: int | None = None


class Text(RequestBody, frozen=True, kw_only=True):
    x: ThreeChars


class OptionalText(RequestBody, frozen=True, kw_only=True):
    x: ThreeChars | None = None


class Number(RequestBody, frozen=True, kw_only=True):
    x: Annotated[int, Meta(ge=2, le=4)]


class Matching(RequestBody, frozen=True, kw_only=True):
    x: AToC


class OptionalMatching(RequestBody, frozen=True, kw_only=True):
    x: AToC | None = None


class OneOf(RequestBody, frozen=True, kw_only=True):
    x: Literal["b", "a"]


class Numbers(RequestBody, frozen=True, kw_only=True):
    x: Annotated[list[Annotated[int, Meta(ge=1, le=4)]], Meta(min_length=1, max_length=3)]


class Objects(RequestBody, frozen=True, kw_only=True):
    x: Annotated[list[Entry], Meta(min_length=1, max_length=2)]


class OptionalChecksum(RequestBody, frozen=True, kw_only=True):
    x: Checksum | None = None


ACCEPTED: list[tuple[type[Struct], Any, object]] = [
    (Text, "a", "a"),
    (Text, "abc", "abc"),
    (OptionalText, "abc", "abc"),
    (OptionalText, None, None),
    (OptionalText, ABSENT, None),
    (Number, 2, 2),
    (Number, 3, 3),
    (Number, 4, 4),
    (Matching, "abc", "abc"),
    (OptionalMatching, "abc", "abc"),
    (OptionalMatching, None, None),
    (OptionalMatching, ABSENT, None),
    (OneOf, "a", "a"),
    (Numbers, [1], [1]),
    (Numbers, [4, 3, 2], [4, 3, 2]),
    (Objects, [{}], [Entry()]),
    (Objects, [{"a": 1}, {}], [Entry(a=1), Entry()]),
    (OptionalChecksum, "AAAAAAAAAAA=", "AAAAAAAAAAA="),
    (OptionalChecksum, None, None),
    (OptionalChecksum, ABSENT, None),
]

NO_CHECKSUM = "must be the base64 form of the eight bytes of a CRC64NVME"
NO_LIST = "must be a list with at least one entry"
NO_NUMBERS = "every entry must be a whole number from 1 to 4"
REFUSED: list[tuple[type[Struct], Any, str]] = [
    (Text, "abcd", "may have at most 3 characters"),
    *((Text, value, "must be a non-empty string") for value in ("", 1, None, ABSENT, ["a"])),
    (OptionalText, "abcd", "may have at most 3 characters"),
    *((OptionalText, value, "must be a non-empty string") for value in ("", 0, False)),
    *((Number, value, "must be 2 to 4") for value in (1, 5, -3, 2**64)),
    *((Number, value, "must be a whole number") for value in (True, "3", 3.0, None, ABSENT)),
    *((Matching, value, "must be a to c") for value in ("", "d", "abcd", "a\n", 1, None, ABSENT)),
    *((OptionalMatching, value, "must be a to c") for value in ("", "d", 0)),
    *((OneOf, value, "must be one of a, b") for value in ("", "c", 1, None, ABSENT, ["a"])),
    *((Numbers, value, "must be a list with 1 to 3 entries") for value in ([], [2] * 4, "2", None, ABSENT)),
    *((Numbers, value, NO_NUMBERS) for value in ([0], [5], [2, True], [3, "4"], [2, None, 3])),
    *((Objects, value, NO_LIST) for value in ([], {}, None, ABSENT, "a")),
    (Objects, [{}] * 3, "may have at most 2 entries"),
    *((Objects, value, "every entry must be an object") for value in ([1], [{}, None])),
    *(
        (OptionalChecksum, value, NO_CHECKSUM)
        for value in ("", "AAAAAAAAAA==", "AAAAAAAAAAAA", "AAAAAAAAAAA", "AAAA\nAAAAAAA=", "!AAAAAAAAAAA=", "ü" * 12, 5)
    ),
    *(
        (OptionalChecksum, f"AAAAAAAAAA{spelling}=", NO_CHECKSUM)
        for spelling in "BCD"  # the same eight bytes, which S3 answers as A
    ),
]


def given_as_x(value: object) -> dict[str, Any]:
    return {} if value is ABSENT else {"x": value}


def refusal(body: dict[str, Any], kind: type[Struct]) -> InvalidRequestError:
    with pytest.raises(InvalidRequestError) as refused:
        checked(body, kind)
    return refused.value


@pytest.mark.parametrize(("kind", "value", "read"), ACCEPTED, ids=repr)
def test_a_good_field_is_read(kind: type[Struct], value: object, read: object) -> None:
    body = given_as_x(value)
    request: Any = checked(body, kind)
    assert request.x == read
    assert body == given_as_x(value)


@pytest.mark.parametrize(("kind", "value", "problem"), REFUSED, ids=repr)
def test_a_bad_field_is_refused_once_in_words_that_help(kind: type[Struct], value: object, problem: str) -> None:
    refused = refusal(given_as_x(value), kind)
    assert refused.problems == [{"field": "x", "problem": problem}]
    assert refused.more_problems == 0


def test_an_unknown_field_is_named() -> None:
    refused = refusal({"y" * 100: 1}, Entry)
    assert refused.problems == [{"field": "y" * MAX_NAMED_FIELD_CHARS, "problem": "is not a known field"}]


def test_problems_of_an_entry_are_told_by_its_place_and_counted_with_the_others() -> None:
    many = dict.fromkeys(map(str, range(30)), 0)
    refused = refusal({"x": [{"y": 1, "z": 2}, many], "w": 1}, Objects)
    named = [problem["field"] for problem in refused.problems]
    assert named[:3] == ["x[0].y", "x[0].z", "x[1].0"]
    assert (len(named), refused.more_problems) == (MAX_NAMED_PROBLEMS, 2 + 30 + 1 - MAX_NAMED_PROBLEMS)


def test_the_fields_of_all_kinds_are_checked_in_an_event_of_unknown_kind() -> None:
    event = {"event": "uploadInvented", "at": -1, "videoId": "f" * 28, "sizeBytes": 0, "partCount": 1}
    refused = refusal({"client": "web/1", "events": [event]}, ProgressBatch)
    assert [problem["field"] for problem in refused.problems] == [
        *("events[0].event", "events[0].at", "events[0].sentBytes", "events[0].partCount")
    ]


def test_a_narrower_bound_than_the_types_own_is_kept() -> None:
    for number in (8, 10_001):
        with pytest.raises(InvalidRequestError) as refused:
            PartsToSign.parse({"parts": [{"partNumber": 7}, {"partNumber": number}]}, 7)
        assert refused.value.problems == [{"field": "parts[1].partNumber", "problem": "must be 1 to 7"}]


def test_the_bounds_are_those_of_the_document() -> None:
    assert (MAX_NAMED_PROBLEMS, MAX_NAMED_FIELD_CHARS) == (20, 64)


NAMES = st.sampled_from(
    [
        *("fileName", "contentType", "sizeBytes", "parts", "partNumber", "etag", "checksumCRC64NVME", "uploadId"),
        *("fileKey", "client", "system", "events", "event", "at", "videoId", "correlationId", "sentBytes"),
        *("partCount", "state", "code", "failures", "partNumbers", "x"),
    ]
)
LEAVES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.sampled_from([0, 1, 3, 501, 10_001, 2**53, 2**63, 2**64, 1.0, 1.5]),
    st.text(max_size=4),
    st.sampled_from(["AAAAAAAAAAA=", "f" * 28, "web/1", "uploadBegan", "uploadState", "partsDiffered", "ready", "a\n"]),
)
BODIES = st.dictionaries(
    NAMES,
    st.recursive(
        LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=8), max_leaves=20
    ),
    max_size=8,
)


@pytest.mark.parametrize("kind", [NewUpload, PartsToSign, PartsToComplete, UploadToAbort, ProgressBatch])
@given(body=BODIES)
def test_the_walk_has_words_for_whatever_the_type_refuses(kind: type[Struct], body: dict[str, Any]) -> None:
    try:
        msgspec.convert(body, kind)
    except msgspec.ValidationError:
        assert all(problem["field"] for problem in refusal(body, kind).problems)
    else:
        assert checked(body, kind, most={"nothing": 1})


def problems_of(body: dict[str, Any], kind: type[Struct]) -> list[tuple[str, str]]:
    with pytest.raises(InvalidRequestError) as caught:
        checked(body, kind)
    return [(each["field"], each["problem"]) for each in caught.value.problems]


@pytest.mark.parametrize("text", ["a", "abc"])
def test_a_text_at_its_bounds_is_not_named_beside_another_problem(text: str) -> None:
    assert problems_of({"x": text, "y": 1}, Text) == [("y", "is not a known field")]


def test_a_part_that_is_there_twice_is_named_at_its_second_place_and_the_others_are_not() -> None:
    parts = [{"partNumber": number, "etag": "e"} for number in (1, 2, 1)]
    assert problems_of({"parts": parts, "y": 1}, PartsToComplete) == [
        ("parts[2].partNumber", "appears twice"),
        ("y", "is not a known field"),
    ]
