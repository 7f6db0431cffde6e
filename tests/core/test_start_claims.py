"""An init that is repeated under one id means one upload."""

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from chalicelib.core.errors import TooManyOpenUploadsError, UploadStartingError
from chalicelib.core.log_context import current_ids, invocation
from chalicelib.core.start_claims import STARTING_TIME
from chalicelib.core.upload_requests import StartUpload
from tests.world import OWNER, World

FILM = StartUpload("film.mp4", "video/mp4", 4096)
ID = "an-upload-of-mine"


class KilledError(BaseException):
    """Lambda ends a function: nothing that tidies up after an error runs."""


def die(*_: Any) -> str:
    raise KilledError


def test_an_init_whose_answer_was_lost_opens_the_same_upload_again(world: World) -> None:
    lost = world.start(correlation_id=ID)
    world.clock.pass_time(hours=1)
    again = world.start(correlation_id=ID)
    assert (again.key, again.token.upload_id) == (lost.key, lost.token.upload_id)
    assert again.started.urls_expire_at > lost.started.urls_expire_at, "its URLs are fresh"
    assert len(list(world.records.markers())) == 1
    assert world.meter.values["uploads_started_count"] == [1]
    again.send_and_complete()
    world.process(again)
    assert world.record_state(again) == "ready"


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
    world: World, owner: str, request_: StartUpload, correlation_id: str | None
) -> None:
    first = world.uploads.start(OWNER, FILM, ID)
    other = world.uploads.start(owner, request_, correlation_id)
    assert first.upload_id != other.upload_id


@pytest.mark.parametrize("end", ["completed", "aborted", "expired"])
def test_an_id_whose_upload_is_over_begins_a_new_one(world: World, end: str) -> None:
    first = world.start(correlation_id=ID)
    if end == "completed":
        first.send_and_complete()
    elif end == "aborted":
        world.uploads.abort(first.token)
    else:
        world.clock.pass_time(days=30)
    second = world.start(correlation_id=ID)
    assert second.key != first.key
    assert world.start(correlation_id=ID).key == second.key


def test_a_call_that_comes_while_the_first_one_runs_is_asked_to_come_again(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    create = world.videos.create_multipart_upload

    def create_while_another_asks(*arguments: Any) -> str:
        with pytest.raises(UploadStartingError) as raised:
            world.start(correlation_id=ID)
        assert raised.value.retry_after_seconds == 2
        return create(*arguments)

    with monkeypatch.context() as meanwhile:
        meanwhile.setattr(world.videos, "create_multipart_upload", create_while_another_asks)
        first = world.start(correlation_id=ID)
    assert world.start(correlation_id=ID).key == first.key


def test_what_a_killed_init_had_claimed_is_free_when_it_must_have_ended(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as dying:
        dying.setattr(world.videos, "create_multipart_upload", die)
        with pytest.raises(KilledError):
            world.start(correlation_id=ID)
    with pytest.raises(UploadStartingError):
        world.start(correlation_id=ID)
    world.clock.pass_time(seconds=STARTING_TIME.total_seconds())
    begun = world.start(correlation_id=ID)
    assert world.start(correlation_id=ID).key == begun.key


def test_of_two_that_find_the_same_upload_over_one_begins_the_next(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.uploads.abort(world.start(correlation_id=ID).token)
    put_if_unchanged, quicker = world.metadata.put_if_unchanged, list[str]()

    def be_late(key: str, body: bytes, etag: str) -> bool:
        monkeypatch.setattr(world.metadata, "put_if_unchanged", put_if_unchanged)
        quicker.append(world.start(correlation_id=ID).key)
        return put_if_unchanged(key, body, etag)

    monkeypatch.setattr(world.metadata, "put_if_unchanged", be_late)
    assert [world.start(correlation_id=ID).key] == quicker


def test_at_the_cap_a_repeated_init_still_opens_its_upload_again(world: World) -> None:
    held = [world.start(1, correlation_id=f"upload-{number}") for number in range(world.uploads.caps.max_open_uploads)]
    for number, transfer in enumerate(held):
        assert world.start(1, correlation_id=f"upload-{number}").key == transfer.key
    big = world.start(world.uploads.caps.max_reserved_bytes, owner="another", correlation_id=ID)
    again = world.start(world.uploads.caps.max_reserved_bytes, owner="another", correlation_id=ID)
    assert again.key == big.key


def test_at_the_cap_a_call_beside_the_first_one_is_asked_to_come_again(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(world.uploads.caps.max_open_uploads - 1):
        world.start(1)
    create = world.videos.create_multipart_upload

    def create_while_another_asks(*arguments: Any) -> str:
        with pytest.raises(UploadStartingError):
            world.start(1, correlation_id=ID)
        return create(*arguments)

    monkeypatch.setattr(world.videos, "create_multipart_upload", create_while_another_asks)
    assert world.start(1, correlation_id=ID)


def test_who_was_refused_need_not_wait_to_ask_again(world: World) -> None:
    held = [world.start(1, correlation_id=f"upload-{number}") for number in range(world.uploads.caps.max_open_uploads)]
    with pytest.raises(TooManyOpenUploadsError):
        world.start(1, correlation_id=ID)
    world.uploads.abort(held[0].token)
    assert world.start(1, correlation_id=ID).key not in {transfer.key for transfer in held}


def test_a_refusal_is_not_logged_under_the_upload_that_the_id_meant_before(world: World) -> None:
    over = world.start(correlation_id=ID)
    world.uploads.abort(over.token)
    for _ in range(world.uploads.caps.max_open_uploads):
        world.start(1)
    with invocation(request_id="r"):
        with pytest.raises(TooManyOpenUploadsError):
            world.start(correlation_id=ID)
        said = current_ids()
    assert said.keys() == {"requestId", "owner", "videoId", "correlationId"}
    assert said["videoId"] != over.token.video_id


def test_a_write_that_the_sdk_repeats_is_no_other_call(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    put_if_new = world.metadata.put_if_new

    def put_twice(key: str, body: bytes) -> bool:
        put_if_new(key, body)
        return put_if_new(key, body)

    monkeypatch.setattr(world.metadata, "put_if_new", put_twice)
    first = world.start(correlation_id=ID)
    assert len(list(world.records.markers())) == 1
    assert world.record_state(first) == "uploading"


@pytest.mark.parametrize("held_by", ["nobody", "a killed init", "an aborted upload"])
def test_however_many_ask_at_once_one_upload_is_begun(
    world: World, monkeypatch: pytest.MonkeyPatch, held_by: str
) -> None:
    before = 0
    if held_by == "an aborted upload":
        world.uploads.abort(world.start(correlation_id=ID).token)
        before = 1
    elif held_by == "a killed init":
        with monkeypatch.context() as dying:
            dying.setattr(world.videos, "create_multipart_upload", die)
            with pytest.raises(KilledError):
                world.start(correlation_id=ID)
        world.clock.pass_time(seconds=STARTING_TIME.total_seconds())
    callers = 8
    together = threading.Barrier(callers)

    def ask(_: int) -> str | None:
        together.wait()
        try:
            return world.start(correlation_id=ID).key
        except UploadStartingError:
            return None

    with ThreadPoolExecutor(callers) as pool:
        keys = {key for key in pool.map(ask, range(callers)) if key}
    assert len(keys) == 1
    assert len(world.meter.values["uploads_started_count"]) == before + 1
    assert {world.start(correlation_id=ID).key} == keys
