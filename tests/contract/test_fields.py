"""Fields of the contract, with each limit as a figure of its own: taken at the bound, refused one past it."""

from typing import Any

import msgspec
import pytest

from chalicelib.contract import fields

MEBIBYTE = 2**20

NUMBERS: dict[str, tuple[object, int, int]] = {
    "size of a new file": (fields.NewSizeBytes, 0, 9_223_372_036_854_775_807),
    "size": (fields.SizeBytes, 0, 9_223_372_036_854_775_807),
    # S3 User Guide, "Amazon S3 multipart upload limits".
    "size of a part": (fields.PartSizeBytes, 5 * MEBIBYTE, 5 * 1024 * MEBIBYTE),
    "number of a part": (fields.PartNumber, 1, 10_000),
    "count of parts": (fields.PartCount, 1, 10_000),
    "moment": (fields.Moment, 0, 253_402_300_799_999),
    "whole number": (fields.WholeNumber, 0, 9_007_199_254_740_991),
    "failures": (fields.Failures, 1, 1_000),
}
LENGTHS: dict[str, tuple[object, int, int]] = {
    "file name": (fields.FileName, 1, 255),
    "content type": (fields.ContentType, 1, 64),
    "ETag": (fields.ETag, 1, 128),
    "uploadId": (fields.UploadId, 1, 1_024),
    "fileKey": (fields.FileKey, 1, 1_024),
    "system": (fields.System, 1, 64),
    "code of a failure": (fields.FailureCode, 1, 64),
}
TEXTS: dict[str, tuple[object, tuple[str, ...], tuple[str, ...]]] = {
    "file name": (
        fields.FileName,
        ("film.mp4", "家.mp4", " a b ", "👨\u200d👩\u200d👧 family.mp4", "می\u200cروم.mp4", "x.constructor.mp4"),
        (
            "a/b",
            "a\\b",
            "a\nb",
            "a\x00",
            "a\u202ab",
            "a\u202eb",
            "a\u2066b",
            "a\u2069b",
            "a\u200bb",
            "a\u200fb",
            "a\ufeff",
            "film.mp4\n",
        ),
    ),
    "checksum": (
        fields.Checksum,
        ("AAAAAAAAAAA=", "//////////8=", "abcdefghijk="),
        # Other spellings of the same eight bytes among them: S3 answers one, and the two are compared as text.
        (
            "AAAAAAAAAAB=",
            "AAAAAAAAAAC=",
            "AAAAAAAAAAD=",
            "AAAAAAAAAAA",
            "AAAAAAAAAAA==",
            "AAAAAAAAAA-=",
            "AAAAAAAAAAA=\n",
        ),
    ),
    "ETag": (fields.ETag, ('"9a0364b9e99bb480dd25e1f0284c8555-3"', "~", " "), ("é", "a\x7f", "a\x1f", '"a"\n')),
    "time": (
        fields.Time,
        ("2026-11-26T20:21:00Z",),
        ("2026-11-26T20:21:00", "2026-11-26 20:21:00Z", "2026-11-26T20:21:00.000Z", "26-11-26T20:21:00Z", "x"),
    ),
    "client": (
        fields.Client,
        ("web/1.0.0", "a/b", f"{'a' * 16}/{'1' * 32}", "cli/0.2.0-rc.1+build"),
        ("web", "Web/1", "/1", "web/", f"{'a' * 17}/1", f"a/{'1' * 33}", "web/1 0", "web/1\n"),
    ),
    "system": (fields.System, ("Linux x86_64", "~"), ("é", "a\nb", "a\n")),
    "code of a failure": (fields.FailureCode, ("a.b_c-D9",), ("a b", "a/b", "é", "a\n")),
    "upload token": (fields.UploadToken, ("t",), ("",)),
    "address": (fields.Url, ("u",), ("",)),
}


def is_taken(field: Any, value: object) -> bool:
    try:
        return msgspec.convert(value, field) == value
    except msgspec.ValidationError:
        return False


@pytest.mark.parametrize(("field", "low", "high"), NUMBERS.values(), ids=list(NUMBERS))
def test_a_number_is_taken_from_its_lowest_to_its_highest_value(field: object, low: int, high: int) -> None:
    assert is_taken(field, low)
    assert is_taken(field, high)
    assert not is_taken(field, low - 1)
    assert not is_taken(field, high + 1)


@pytest.mark.parametrize(("field", "low", "high"), LENGTHS.values(), ids=list(LENGTHS))
def test_a_text_is_taken_from_its_shortest_to_its_longest(field: object, low: int, high: int) -> None:
    assert is_taken(field, "a" * low)
    assert is_taken(field, "a" * high)
    assert not is_taken(field, "a" * (low - 1))
    assert not is_taken(field, "a" * (high + 1))


@pytest.mark.parametrize(("field", "taken", "refused"), TEXTS.values(), ids=list(TEXTS))
def test_a_text_is_taken_in_its_form_alone(field: object, taken: tuple[str, ...], refused: tuple[str, ...]) -> None:
    assert [text for text in taken if not is_taken(field, text)] == []
    assert [text for text in refused if is_taken(field, text)] == []


def test_bodies_and_lists_have_the_limits_that_clients_are_told() -> None:
    assert fields.MAX_BODY_BYTES == 1_048_576
    assert fields.MAX_PROGRESS_BYTES == 16_384
    assert fields.MAX_EVENTS == 25
    assert fields.MAX_PART_NUMBERS == 20
    assert (fields.DEFAULT_PAGE_VIDEOS, fields.MAX_PAGE_VIDEOS) == (24, 100)


WORDS: dict[str, Any] = {
    "a name without folders and control characters": fields.FileName,
    "the base64 form of the eight bytes of a CRC64NVME": fields.Checksum,
    "the ETag that S3 returned": fields.ETag,
    "a videoId": fields.VideoId,
    "the upload's correlation id": fields.CorrelationId,
    "a time in UTC": fields.Time,
    "a program and its version, like web/1.0.0": fields.Client,
    "1 to 64 printable ASCII characters": fields.System,
    "a code of 1 to 64 letters, digits, dots and dashes": fields.FailureCode,
}


@pytest.mark.parametrize("must_be", WORDS)
def test_a_text_of_another_form_is_refused_in_words(must_be: str) -> None:
    metas: tuple[msgspec.Meta, ...] = WORDS[must_be].__metadata__
    assert [meta.extra["must_be"] for meta in metas if meta.extra] == [must_be]
