"""Requests: what is read of each, and what is refused in which words."""

import unicodedata
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from chalicelib.contract import fields
from chalicelib.contract.requests import (
    NewLinkUpload,
    NewUpload,
    NewUploadLink,
    PartsToComplete,
    PartsToSign,
    UploadToAbort,
    VideoChanges,
)
from chalicelib.core import part_plan, upload_token
from chalicelib.core.errors import EmptyFileError, FileTooLargeError, InvalidRequestError
from chalicelib.core.labels import NO_LABELS, Labels
from chalicelib.core.upload_links import NewLink, UploadLink
from chalicelib.core.upload_requests import MAX_URLS_PER_PAGE, CompleteUpload, StartUpload

CHECKSUM = "AAAAAAAAAAA="
NOW = datetime(2026, 1, 31, 12, tzinfo=UTC)
FILM: dict[str, Any] = {"fileName": "film.mp4", "contentType": "video/mp4", "sizeBytes": 5}


def start(**changed: Any) -> StartUpload:
    return NewUpload.parse({**FILM, **changed}, 10)


def problems(parse: Callable[[], object]) -> list[dict[str, str]]:
    with pytest.raises(InvalidRequestError) as refused:
        parse()
    return refused.value.problems


def test_a_start_is_read_in_the_form_in_which_it_is_kept() -> None:
    assert start(fileName="e\u0301te\u0301.mp4", contentType="VIDEO/MP4") == StartUpload("été.mp4", "video/mp4", 5)


def link(**changed: Any) -> NewLink:
    asked = {"title": "Match day", "validSeconds": 60, "maxVideos": 1, "maxBytes": 1}
    return NewUploadLink.parse({**asked, **changed}, 3600)


def sender(name: str) -> str | None:
    opened = UploadLink("ada", "f" * 28, "Match day", None, 1, 1, NOW, NOW)
    return NewLinkUpload.parse({**FILM, "uploaderName": name}, 10, opened).origin.uploader_name


def test_no_text_grows_beyond_its_limit_by_being_composed() -> None:
    """Unicode takes such characters apart in composed texts. What is stored may be sent again."""

    def longest(characters: int) -> str:
        return "\U0001d160" * characters

    labels = start(
        title=longest(fields.MAX_TITLE_CHARS),
        description=longest(fields.MAX_DESCRIPTION_CHARS),
        tags=[longest(fields.MAX_TAG_CHARS)],
    ).labels
    assert start(title=labels.title, description=labels.description, tags=list(labels.tags)).labels == labels
    assert len(start(fileName=longest(fields.MAX_FILE_NAME_CHARS - 4) + ".mp4").file_name) == fields.MAX_FILE_NAME_CHARS
    assert len(sender(longest(fields.MAX_NAME_CHARS)) or "") == fields.MAX_NAME_CHARS
    made = link(title=longest(fields.MAX_TITLE_CHARS), note=longest(fields.MAX_DESCRIPTION_CHARS))
    assert (len(made.title), len(made.note or "")) == (fields.MAX_TITLE_CHARS, fields.MAX_DESCRIPTION_CHARS)


@pytest.mark.parametrize("unseen", ["\u200d", " \u3000 ", "\u3164", "\u2800", "\u0301\u0301", "\ufe0f"])
def test_a_text_of_which_nothing_can_be_seen_is_none(unseen: str) -> None:
    assert start(title=unseen, description=unseen, tags=[unseen]).labels == NO_LABELS
    assert sender(unseen) == "?"
    assert (link(title=unseen, note=unseen).title, link(title=unseen, note=unseen).note) == ("?", None)


@pytest.mark.parametrize(
    "seen", ["\U0001f468\u200d\U0001f469", "\u0645\u06cc\u200c\u062e", "❤\ufe0f", "e\u0303\u0304", "-"]
)
def test_a_text_with_marks_keeps_them(seen: str) -> None:
    assert unicodedata.normalize("NFD", start(title=seen).labels.title or "") == unicodedata.normalize("NFD", seen)
    assert sender(seen)


@pytest.mark.parametrize("name", ["a/b.mp4", "/a.mp4", "a\\b.mp4"])
def test_a_name_holds_no_folders(name: str) -> None:
    assert problems(lambda: start(fileName=name)) == [
        {"field": "fileName", "problem": "must be a name without folders and control characters"}
    ]


@pytest.mark.parametrize("mark", ["\n", "\x00", "\x7f", "\u202e", "\u200b"])
def test_a_name_holds_no_invisible_marks(mark: str) -> None:
    assert problems(lambda: start(fileName=f"a{mark}.mp4")) == [
        {"field": "fileName", "problem": "must be a name without folders and control characters"}
    ]


def test_all_problems_of_a_start_are_told() -> None:
    told = problems(lambda: NewUpload.parse({"owner": 1}, 10))
    assert told == [
        {"field": "fileName", "problem": "must be a non-empty string"},
        {"field": "contentType", "problem": "must be a non-empty string"},
        {"field": "sizeBytes", "problem": "must be a whole number"},
        {"field": "owner", "problem": "is not a known field"},
    ]


def test_a_size_is_told_apart_by_what_is_wrong_with_it() -> None:
    with pytest.raises(EmptyFileError):
        start(sizeBytes=0)
    with pytest.raises(FileTooLargeError) as refused:
        start(sizeBytes=11)
    assert refused.value.details == {"sizeBytes": 11, "maxBytes": 10}
    with pytest.raises(FileTooLargeError):
        start(sizeBytes=2**63 - 1)
    for size_bytes in (-1, 2**63):
        assert problems(lambda size=size_bytes: start(sizeBytes=size)) == [
            {"field": "sizeBytes", "problem": f"must be 0 to {2**63 - 1}"}
        ]


def test_parts_to_sign_are_read_with_their_checksums() -> None:
    parts: list[Any] = [{"partNumber": 2, "checksumCRC64NVME": CHECKSUM}, {"partNumber": 1}]
    assert PartsToSign.parse({"parts": parts}, 2) == {2: CHECKSUM, 1: None}
    told = problems(lambda: PartsToSign.parse({"parts": [{"partNumber": 1}, {"partNumber": 3}], "x": 1}, 2))
    assert told == [
        {"field": "parts[1].partNumber", "problem": "must be 1 to 2"},
        {"field": "x", "problem": "is not a known field"},
    ]


def test_a_completion_is_read_with_all_it_may_name() -> None:
    parts: list[Any] = [{"partNumber": 2, "etag": '"b"'}, {"partNumber": 1, "etag": '"a"'}]
    body: dict[str, Any] = {"parts": parts, "checksumCRC64NVME": CHECKSUM, "uploadId": "u", "fileKey": "k"}
    assert PartsToComplete.parse(body) == CompleteUpload({1: '"a"', 2: '"b"'}, CHECKSUM, "u", "k")
    assert PartsToComplete.parse({"parts": parts}) == CompleteUpload({1: '"a"', 2: '"b"'}, None, None, None)
    assert problems(lambda: PartsToComplete.parse({**body, "x": 1})) == [
        {"field": "x", "problem": "is not a known field"}
    ]


@pytest.mark.parametrize("etag", ["ü", "a\n", "\x7f"])
def test_an_etag_is_one_that_s3_returns(etag: str) -> None:
    told = problems(lambda: PartsToComplete.parse({"parts": [{"partNumber": 1, "etag": etag}]}))
    assert told == [{"field": "parts[0].etag", "problem": "must be the ETag that S3 returned"}]


def test_a_part_is_named_once() -> None:
    parts: list[Any] = [{"partNumber": 1, "etag": "a"}, {"partNumber": 1, "etag": "b"}]
    assert problems(lambda: PartsToComplete.parse({"parts": parts})) == [
        {"field": "parts[1].partNumber", "problem": "appears twice"}
    ]


def test_an_abort_names_its_upload_or_nothing() -> None:
    assert UploadToAbort.read({}) == UploadToAbort()
    assert UploadToAbort.read({"uploadId": "u", "fileKey": "k"}) == UploadToAbort(upload_id="u", file_key="k")
    assert problems(lambda: UploadToAbort.read({"uploadId": 5, "fileKey": "", "x": 1})) == [
        {"field": "uploadId", "problem": "must be a non-empty string"},
        {"field": "fileKey", "problem": "must be a non-empty string"},
        {"field": "x", "problem": "is not a known field"},
    ]
    for name in ("uploadId", "fileKey"):
        assert UploadToAbort.read({name: "x" * 1024})
        assert problems(lambda name=name: UploadToAbort.read({name: "x" * 1025}))


def test_the_bounds_are_those_of_s3_and_of_the_document() -> None:
    assert (part_plan.MIB, part_plan.GIB) == (1_048_576, 1_073_741_824)
    assert (part_plan.MIN_PART_BYTES, part_plan.MAX_PART_BYTES) == (5_242_880, 5_368_709_120)
    assert (part_plan.MAX_PARTS, part_plan.MAX_OBJECT_BYTES) == (10_000, 53_687_091_200_000)
    assert (MAX_URLS_PER_PAGE, fields.MAX_FILE_NAME_CHARS, fields.MAX_CONTENT_TYPE_CHARS) == (500, 255, 64)
    assert (fields.MAX_ETAG_CHARS, fields.MAX_ID_CHARS) == (128, 1024)
    assert upload_token.MAX_TOKEN_CHARS == 2048


SEA = Labels(title="Sea", description="Two\nlines", tags=("holiday",))


def test_labels_are_kept_tidy_and_each_tag_once() -> None:
    started = start(title=" Se\u0301jour ", description=" ", tags=["Sea", "sea", " ", "2026"])
    assert started.labels == Labels(title="Séjour", tags=("Sea", "2026"))
    assert start().labels == NO_LABELS


def test_a_change_of_labels_leaves_alone_what_it_does_not_name() -> None:
    assert VideoChanges.parse({})(SEA) == SEA
    assert VideoChanges.parse({"title": "Shore"})(SEA) == Labels(
        title="Shore", description="Two\nlines", tags=("holiday",)
    )
    assert VideoChanges.parse({"title": None, "description": None, "tags": []})(SEA) == NO_LABELS


@pytest.mark.parametrize(
    ("changes", "field", "problem"),
    [
        ({"title": "a\nb"}, "title", "must be text without control characters"),
        ({"title": 5}, "title", "must be a non-empty string"),
        ({"description": "a\tb"}, "description", "must be text without control characters other than line breaks"),
        ({"tags": "a"}, "tags", "must be a list"),
        ({"tags": ["ok", "a,b"]}, "tags[1]", "must be text without commas and control characters"),
        ({"tags": ["ok", None]}, "tags[1]", "must be a non-empty string"),
        ({"fileName": "x.mp4"}, "fileName", "is not a known field"),
    ],
)
def test_labels_that_do_not_fit_are_refused_by_name(changes: dict[str, Any], field: str, problem: str) -> None:
    assert problems(lambda: VideoChanges.parse(changes)) == [{"field": field, "problem": problem}]
