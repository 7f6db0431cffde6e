"""An init that is repeated under one id means one upload."""

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from chalicelib.core.errors import TooManyOpenUploadsError, UploadStartingError
from chalicelib.core.idempotency_keys import STARTING_TIME
from chalicelib.core.log_context import current_ids, invocation
from chalicelib.core.upload_requests import StartUpload
from tests.in_memory_platform import OWNER, InMemoryPlatform
from tests.outside_calls import KilledError

FILM = StartUpload("film.mp4", "video/mp4", 4096)
ID = "an-upload-of-mine"


def die(*_: Any) -> str:
    raise KilledError


def test_an_init_whose_answer_was_lost_opens_the_same_upload_again(platform: InMemoryPlatform) -> None:
    lost = platform.start(correlation_id=ID)
    platform.clock.pass_time(hours=1)
    again = platform.start(correlation_id=ID)
    assert (again.key, again.token.upload_id) == (lost.key, lost.token.upload_id)
    assert again.started.urls_expire_at > lost.started.urls_expire_at, "its URLs are fresh"
    assert len(list(platform.records.markers())) == 1
    assert platform.meter.values["uploads_started_count"] == [1]
    again.send_and_complete()
    platform.process(again)
    assert platform.record_state(again) == "ready"


@pytest.mark.parametrize(
    ("owner", "request_", "correlation_id"),
    [
        ("somebody-else", FILM, ID),
        (OWNER, StartUpload("other.mp4", "video/mp4", 4096), ID),
        (OWNER, StartUpload("film.mp4", "video/mp4", 4097), ID),
        (OWNER, FILM, "another-upload"),
        (OWNER, FILM, None),
    ],
)
def test_another_file_id_or_owner_is_another_upload(
    platform: InMemoryPlatform, owner: str, request_: StartUpload, correlation_id: str | None
) -> None:
    first = platform.uploads.start(OWNER, FILM, ID)
    other = platform.uploads.start(owner, request_, correlation_id)
    assert first.upload_id != other.upload_id


@pytest.mark.parametrize("end", ["completed", "aborted", "expired"])
def test_an_id_whose_upload_is_over_begins_a_new_one(platform: InMemoryPlatform, end: str) -> None:
    first = platform.start(correlation_id=ID)
    if end == "completed":
        first.send_and_complete()
    elif end == "aborted":
        platform.uploads.abort(first.token)
    else:
        platform.clock.pass_time(days=30)
    second = platform.start(correlation_id=ID)
    assert second.key != first.key
    assert platform.start(correlation_id=ID).key == second.key


def test_a_call_that_comes_while_the_first_one_runs_is_asked_to_come_again(
    platform: InMemoryPlatform, monkeypatch: pytest.MonkeyPatch
) -> None:
    create = platform.videos.create_multipart_upload

    def create_while_another_asks(*arguments: Any) -> str:
        with pytest.raises(UploadStartingError) as raised:
            platform.start(correlation_id=ID)
        assert raised.value.retry_after_seconds == 2
        return create(*arguments)

    with monkeypatch.context() as meanwhile:
        meanwhile.setattr(platform.videos, "create_multipart_upload", create_while_another_asks)
        first = platform.start(correlation_id=ID)
    assert platform.start(correlation_id=ID).key == first.key


def test_the_key_of_a_killed_init_is_free_when_it_must_have_ended(
    platform: InMemoryPlatform, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as dying:
        dying.setattr(platform.videos, "create_multipart_upload", die)
        with pytest.raises(KilledError):
            platform.start(correlation_id=ID)
    with pytest.raises(UploadStartingError):
        platform.start(correlation_id=ID)
    platform.clock.pass_time(seconds=STARTING_TIME.total_seconds())
    begun = platform.start(correlation_id=ID)
    assert platform.start(correlation_id=ID).key == begun.key


def test_one_of_two_calls_that_find_an_ended_upload_begins_the_next(
    platform: InMemoryPlatform, monkeypatch: pytest.MonkeyPatch
) -> None:
    platform.uploads.abort(platform.start(correlation_id=ID).token)
    put_if_unchanged, quicker = platform.metadata.put_if_unchanged, list[str]()

    def be_late(key: str, body: bytes, etag: str) -> str | None:
        monkeypatch.setattr(platform.metadata, "put_if_unchanged", put_if_unchanged)
        quicker.append(platform.start(correlation_id=ID).key)
        return put_if_unchanged(key, body, etag)

    monkeypatch.setattr(platform.metadata, "put_if_unchanged", be_late)
    assert [platform.start(correlation_id=ID).key] == quicker


def test_at_the_cap_a_repeated_init_still_opens_its_upload_again(platform: InMemoryPlatform) -> None:
    held = [
        platform.start(1, correlation_id=f"upload-{number}") for number in range(platform.room.caps.max_open_uploads)
    ]
    for number, transfer in enumerate(held):
        assert platform.start(1, correlation_id=f"upload-{number}").key == transfer.key
    big = platform.start(platform.room.caps.max_reserved_bytes, owner="another", correlation_id=ID)
    again = platform.start(platform.room.caps.max_reserved_bytes, owner="another", correlation_id=ID)
    assert again.key == big.key


def test_at_the_cap_a_call_beside_the_first_one_is_asked_to_come_again(
    platform: InMemoryPlatform, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(platform.room.caps.max_open_uploads - 1):
        platform.start(1)
    create = platform.videos.create_multipart_upload

    def create_while_another_asks(*arguments: Any) -> str:
        with pytest.raises(UploadStartingError):
            platform.start(1, correlation_id=ID)
        return create(*arguments)

    monkeypatch.setattr(platform.videos, "create_multipart_upload", create_while_another_asks)
    assert platform.start(1, correlation_id=ID)


def test_a_refused_caller_need_not_wait_to_ask_again(platform: InMemoryPlatform) -> None:
    held = [
        platform.start(1, correlation_id=f"upload-{number}") for number in range(platform.room.caps.max_open_uploads)
    ]
    with pytest.raises(TooManyOpenUploadsError):
        platform.start(1, correlation_id=ID)
    platform.uploads.abort(held[0].token)
    assert platform.start(1, correlation_id=ID).key not in {transfer.key for transfer in held}


def test_a_refusal_is_not_logged_under_the_upload_that_the_id_meant_before(platform: InMemoryPlatform) -> None:
    over = platform.start(correlation_id=ID)
    platform.uploads.abort(over.token)
    for _ in range(platform.room.caps.max_open_uploads):
        platform.start(1)
    with invocation(request_id="r"):
        with pytest.raises(TooManyOpenUploadsError):
            platform.start(correlation_id=ID)
        said = current_ids()
    assert said.keys() == {"requestId", "owner", "videoId", "correlationId"}
    assert said["videoId"] != over.token.video_id


def test_a_write_that_the_sdk_repeats_counts_as_the_same_call(
    platform: InMemoryPlatform, monkeypatch: pytest.MonkeyPatch
) -> None:
    put_if_new = platform.metadata.put_if_new

    def put_twice(key: str, body: bytes) -> bool:
        put_if_new(key, body)
        return put_if_new(key, body)

    monkeypatch.setattr(platform.metadata, "put_if_new", put_twice)
    first = platform.start(correlation_id=ID)
    assert len(list(platform.records.markers())) == 1
    assert platform.record_state(first) == "uploading"


@pytest.mark.parametrize("held_by", ["nobody", "a killed init", "an aborted upload"])
def test_however_many_ask_at_once_one_upload_is_begun(
    platform: InMemoryPlatform, monkeypatch: pytest.MonkeyPatch, held_by: str
) -> None:
    before = 0
    if held_by == "an aborted upload":
        platform.uploads.abort(platform.start(correlation_id=ID).token)
        before = 1
    elif held_by == "a killed init":
        with monkeypatch.context() as dying:
            dying.setattr(platform.videos, "create_multipart_upload", die)
            with pytest.raises(KilledError):
                platform.start(correlation_id=ID)
        platform.clock.pass_time(seconds=STARTING_TIME.total_seconds())
    callers = 8
    together = threading.Barrier(callers)

    def ask(_: int) -> str | None:
        together.wait()
        try:
            return platform.start(correlation_id=ID).key
        except UploadStartingError:
            return None

    with ThreadPoolExecutor(callers) as pool:
        keys = {key for key in pool.map(ask, range(callers)) if key}
    assert len(keys) == 1
    assert len(platform.meter.values["uploads_started_count"]) == before + 1
    assert {platform.start(correlation_id=ID).key} == keys
