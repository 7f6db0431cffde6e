"""Every bound on what a client may send: good at the bound, refused one past it, and answered in few words."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from chalicelib.contract import fields, requests
from chalicelib.contract.checking import MAX_NAMED_FIELD_CHARS, MAX_NAMED_PROBLEMS
from chalicelib.core.errors import (
    FileTooLargeError,
    InvalidRequestError,
    PlatformError,
    UnauthorizedError,
    UnsupportedVideoTypeError,
)
from chalicelib.core.json_values import JsonObject
from chalicelib.core.part_plan import MAX_PARTS
from chalicelib.core.upload_requests import MAX_URLS_PER_PAGE
from chalicelib.core.upload_token import MAX_TOKEN_CHARS, UploadTokens
from chalicelib.core.video_types import Container
from chalicelib.http_errors import error_body
from tests.fakes import FakeClock, FakeMac

CHECKSUM = "AAAAAAAAAAA="
MAX_BYTES = 1_000


def start(**changed: Any) -> object:
    body: JsonObject = {"fileName": "a.mp4", "contentType": "video/mp4", "sizeBytes": 1, **changed}
    return requests.NewUpload.parse(body, MAX_BYTES)


def edit(**changes: Any) -> object:
    return requests.VideoChanges.parse(changes)


def sign(parts: list[Any], part_count: int = MAX_PARTS) -> object:
    return requests.PartsToSign.parse({"parts": parts}, part_count)


def complete(parts: list[Any], **more: Any) -> object:
    return requests.PartsToComplete.parse({"parts": parts, **more})


def numbered(count: int, **more: str) -> list[dict[str, Any]]:
    return [{"partNumber": number, **more} for number in range(1, count + 1)]


def named(chars: int) -> str:
    return "家" * (chars - 4) + ".mp4"


ETAG = {"etag": '"e"'}
ONE_PART = numbered(1, **ETAG)
AT_AND_PAST: dict[str, tuple[Callable[[int], object], int]] = {
    "characters of a file name": (lambda size: start(fileName=named(size)), fields.MAX_FILE_NAME_CHARS),
    "characters of a title": (lambda size: start(title="家" * size), fields.MAX_TITLE_CHARS),
    "characters of a description": (lambda size: edit(description="家" * size), fields.MAX_DESCRIPTION_CHARS),
    "characters of a tag": (lambda size: edit(tags=["家" * size]), fields.MAX_TAG_CHARS),
    "tags": (lambda size: edit(tags=[str(number) for number in range(size)]), fields.MAX_TAGS),
    "bytes of a file": (lambda size: start(sizeBytes=size), MAX_BYTES),
    "parts to sign": (lambda size: sign(numbered(size)), MAX_URLS_PER_PAGE),
    "a part to sign": (lambda number: sign([{"partNumber": number}], part_count=7), 7),
    "parts to complete": (lambda size: complete(numbered(size, **ETAG)), MAX_PARTS),
    "a part to complete": (lambda number: complete([{"partNumber": number, **ETAG}]), MAX_PARTS),
    "characters of an ETag": (lambda size: complete(numbered(1, etag="e" * size)), fields.MAX_ETAG_CHARS),
    "characters of an uploadId": (lambda size: complete(ONE_PART, uploadId="u" * size), fields.MAX_ID_CHARS),
    "characters of a fileKey": (lambda size: complete(ONE_PART, fileKey="k" * size), fields.MAX_ID_CHARS),
    "characters of an uploadId to abort": (
        lambda size: requests.UploadToAbort.read({"uploadId": "u" * size}),
        fields.MAX_ID_CHARS,
    ),
}


@pytest.mark.parametrize("bound", AT_AND_PAST)
def test_a_request_is_good_at_its_bound_and_refused_one_past_it(bound: str) -> None:
    parse, most = AT_AND_PAST[bound]
    assert parse(most)
    with pytest.raises((InvalidRequestError, FileTooLargeError)):
        parse(most + 1)


@pytest.mark.parametrize("number", [0, -1, 2**63, True, 1.0, "1", None])
def test_a_part_number_is_a_whole_number_from_one(number: object) -> None:
    for parse in (sign, complete):
        with pytest.raises(InvalidRequestError):
            parse([{"partNumber": number, **(ETAG if parse is complete else {})}])


def test_a_name_of_a_container_that_the_stage_does_not_accept_is_refused_with_what_is_accepted() -> None:
    ogg: JsonObject = {"fileName": "a.ogv", "contentType": "video/ogg", "sizeBytes": 1}
    assert requests.NewUpload.parse(ogg, MAX_BYTES)
    with pytest.raises(UnsupportedVideoTypeError) as raised:
        requests.NewUpload.parse(ogg, MAX_BYTES, frozenset({Container.MP4, Container.THREE_GPP}))
    assert raised.value.accepted == {
        "video/mp4": [".mp4", ".m4v"],
        "video/3gpp": [".3gp", ".3gpp"],
        "video/3gpp2": [".3g2"],
    }
    assert raised.value.message.endswith("is not accepted here. Accepted types: .mp4, .m4v, .3gp, .3gpp, .3g2.")


def test_the_content_type_has_a_bound_that_every_type_fits() -> None:
    with pytest.raises(UnsupportedVideoTypeError):
        start(contentType="v" * fields.MAX_CONTENT_TYPE_CHARS)
    with pytest.raises(InvalidRequestError):
        start(contentType="v" * (fields.MAX_CONTENT_TYPE_CHARS + 1))


@pytest.mark.parametrize("checksum", ["AAAAAAAAAA==", "AAAAAAAAAAAA", "AAAAAAAAAAA", CHECKSUM + "=", CHECKSUM + "\n"])
def test_a_checksum_is_the_base64_of_eight_bytes(checksum: str) -> None:
    assert complete(ONE_PART, checksumCRC64NVME=CHECKSUM)
    with pytest.raises(InvalidRequestError):
        complete(ONE_PART, checksumCRC64NVME=checksum)


def refusal(parse: Callable[[], object]) -> InvalidRequestError:
    with pytest.raises(InvalidRequestError) as refused:
        parse()
    return refused.value


def response_bytes(error: PlatformError) -> int:
    return len(json.dumps(error_body(error, "request-1")))


@pytest.mark.parametrize(
    ("unknown", "more"), [(MAX_NAMED_PROBLEMS, 0), (MAX_NAMED_PROBLEMS + 1, 1), (110_000, 109_980)]
)
def test_no_more_than_twenty_problems_are_named_and_the_others_are_counted(unknown: int, more: int) -> None:
    refused = refusal(lambda: start(**{f"{number:08}{'x' * 100}": 0 for number in range(unknown)}))
    assert (len(refused.problems), refused.more_problems) == (MAX_NAMED_PROBLEMS, more)
    assert {len(problem["field"]) for problem in refused.problems} == {MAX_NAMED_FIELD_CHARS}
    assert response_bytes(refused) < 2**14
    assert (f"and {more} more" in refused.message) == bool(more)


@pytest.mark.parametrize("parse", [sign, complete])
def test_problems_of_all_entries_share_one_bound(parse: Callable[[list[Any]], object]) -> None:
    refused = refusal(lambda: parse([{"partNumber": 0, "x": 1, "etag": ""}] * 400))
    assert len(refused.problems) == MAX_NAMED_PROBLEMS
    assert refused.more_problems >= 2 * 400 - MAX_NAMED_PROBLEMS
    assert response_bytes(refused) < 2**14


def test_a_token_of_more_characters_than_any_has_is_not_looked_into() -> None:
    mac = FakeMac()
    tokens = UploadTokens(mac, FakeClock())
    for chars in (MAX_TOKEN_CHARS, MAX_TOKEN_CHARS + 1):
        with pytest.raises(UnauthorizedError):
            tokens.verify("e30." + "A" * (chars - 4))
    assert mac.verifications == 0
