"""The client of the API: retries, refusals and bodies."""

from __future__ import annotations

import re

import pytest

from chalicelib.contract.errors import STATUS_BY_CODE
from tests.cli.fake_platform import FakePlatform
from tests.cli.recorded_engine import IMPATIENT
from video_upload import errors
from video_upload.api import VideoApi
from video_upload.api_refusals import ERROR_BY_STATUS
from video_upload.checksums import decode_crc64nvme, encode_crc64nvme
from video_upload.credentials import StoredCredentials
from video_upload.errors import ApiError, ApiUnreachableError, LimitReachedError, UnexpectedResponseError
from video_upload.schemas import NewUpload

NEW = NewUpload(file_name="a.mp4", content_type="video/mp4", size_bytes=1)


class Client:
    def __init__(self, url: str, credentials: StoredCredentials) -> None:
        self.pauses: list[float] = []
        self.api = VideoApi(url, credentials, pause=self.pauses.append, backoff=IMPATIENT)


@pytest.fixture
def client(platform: FakePlatform, signed_in: StoredCredentials) -> Client:
    return Client(f"{platform.url}/api", signed_in)


@pytest.mark.parametrize(
    ("status", "code"),
    [(503, "storage_unavailable"), (429, "too_many_requests"), (504, "gateway_timeout"), (0, ""), (-2, ""), (-3, "")],
    ids=["503", "429", "504", "a lost connection", "half an answer", "somebody else's page"],
)
def test_a_transient_error_is_retried(platform: FakePlatform, client: Client, status: int, code: str) -> None:
    platform.api_faults["/multipart/init"] = [(status, code, {})] * 3
    assert client.api.start_upload(NEW).part_count == 1
    assert len(client.pauses) == 3


def test_retry_after_is_waited_for_within_reason(platform: FakePlatform, client: Client) -> None:
    platform.api_faults["/health"] = [
        (503, "storage_unavailable", {"Retry-After": "7"}),
        (503, "storage_unavailable", {"Retry-After": "86400"}),
        (503, "storage_unavailable", {"Retry-After": "soon"}),
    ]
    client.api.health()
    assert client.pauses[:2] == [7.0, 120.0]
    assert client.pauses[2] < 1


def test_a_used_up_cap_is_not_asked_about_again(platform: FakePlatform, client: Client) -> None:
    platform.api_faults["/multipart/init"] = [(429, "reserved_bytes_exceeded", {})]
    with pytest.raises(LimitReachedError) as refused:
        client.api.start_upload(NEW)
    assert refused.value.request_id == "request-1"
    assert client.pauses == []


def test_a_dead_api_is_given_up_after_eight_tries(signed_in: StoredCredentials) -> None:
    client = Client("http://127.0.0.1:9/api", signed_in)
    with pytest.raises(ApiUnreachableError) as failed:
        client.api.health()
    assert failed.value.tries == 8
    assert failed.value.reason == "Connection refused"


def test_an_answer_outside_the_contract_is_named(platform: FakePlatform, signed_in: StoredCredentials) -> None:
    with pytest.raises(UnexpectedResponseError, match="missing required field"):
        Client(f"{platform.url}/api", signed_in).api._send("GET", "/health", None, None, NewUpload)


def test_every_status_of_the_contract_has_an_error_of_its_own_kind() -> None:
    statuses = set(STATUS_BY_CODE.values())
    assert len(statuses) >= 10
    assert {status for status in statuses if status < 500} - {405} == set(ERROR_BY_STATUS)
    assert all(issubclass(kind, ApiError) for kind in ERROR_BY_STATUS.values())


def test_the_drawn_error_tree_is_the_real_one() -> None:
    drawn = {
        match[2]: len(match[1]) // 4
        for match in re.finditer(r"^([│ ├└─]*)(\w+Error)\b", errors.__doc__ or "", re.MULTILINE)
    }
    real = {
        name: len(kind.__mro__) - len(errors.VideoUploadError.__mro__)
        for name, kind in vars(errors).items()
        if isinstance(kind, type) and issubclass(kind, errors.VideoUploadError)
    }
    assert drawn == real


def test_checksums_travel_as_eight_big_endian_bytes() -> None:
    assert encode_crc64nvme(0x3377857006524257) == "M3eFcAZSQlc="  # of b"hello"
    assert decode_crc64nvme("M3eFcAZSQlc=") == 0x3377857006524257
    for wrong in ("M3eFcAZSQlc", "M3eFcA==", "not base64"):
        with pytest.raises(ValueError, match=r"base64|bytes"):
            decode_crc64nvme(wrong)
