"""Outcomes of a completion: what the record, the meter and the caller learn of each."""

import logging
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

import pytest

from chalicelib.core.completion import LEASE, PATIENCE_SECONDS, RETRY_AFTER_SECONDS, Outcome
from chalicelib.core.errors import (
    PartMismatchError,
    PartsIncompleteError,
    PlatformError,
    SizeMismatchError,
    StorageUnavailableError,
    UploadAbortedError,
    UploadExpiredError,
    UploadNotFoundError,
)
from chalicelib.core.ports import StorageBusyError, UploadGoneError
from chalicelib.core.video_record import State, VideoRecord
from tests.fakes import crc64nvme
from tests.in_memory_platform import InMemoryPlatform, Transfer


def small(platform: InMemoryPlatform) -> Transfer:
    return platform.start(size_bytes=4096)


def record_of(transfer: Transfer) -> VideoRecord:
    record = transfer.platform.records.find(transfer.token.ref)
    assert record
    return record


def put_record(transfer: Transfer, record: VideoRecord) -> None:
    transfer.platform.metadata.put(record.ref.record_key, record.to_json(), "application/json")


def fail_with(platform: InMemoryPlatform, error: Exception) -> None:
    def fail() -> None:
        raise error

    platform.videos.before_complete = fail


def test_the_answer_comes_before_the_gateway_gives_up_and_a_lease_is_longer() -> None:
    assert (25, 5, timedelta(seconds=90)) == (PATIENCE_SECONDS, RETRY_AFTER_SECONDS, LEASE)


def test_s3_is_asked_for_the_parts_in_order_with_size_and_checksum(
    platform: InMemoryPlatform, monkeypatch: pytest.MonkeyPatch
) -> None:
    transfer = small(platform)
    record = record_of(transfer)
    put_record(transfer, replace(record, part_size_bytes=2048))
    asked: list[tuple[str, str, Sequence[tuple[int, str]], int, str | None]] = []

    def note(key: str, upload_id: str, parts: Sequence[tuple[int, str]], size_bytes: int, checksum: str | None) -> None:
        asked.append((key, upload_id, parts, size_bytes, checksum))

    monkeypatch.setattr(platform.videos, "complete_multipart_upload", note)
    request = transfer.completion({2: "b", 1: "a"}, "checksum")
    assert platform.completions.complete(transfer.token, request).outcome is Outcome.COMPLETING
    assert asked == [(transfer.key, transfer.token.upload_id, [(1, "a"), (2, "b")], 4096, "checksum")]
    begun = record_of(transfer)
    assert (begun.state, begun.completion_started_at, begun.updated_at) == (
        State.COMPLETING,
        platform.clock(),
        platform.clock(),
    )
    assert begun.checksum_crc64nvme == "checksum"


def test_a_completion_is_told_to_the_record_the_meter_and_the_log(
    platform: InMemoryPlatform, caplog: pytest.LogCaptureFixture
) -> None:
    transfer = small(platform)
    etags = transfer.send_parts()
    platform.clock.pass_time(seconds=10)
    with caplog.at_level(logging.INFO):
        done = platform.completions.complete(transfer.token, transfer.completion(etags, crc64nvme(transfer.body)))
    assert done.record == record_of(transfer)
    assert (done.record.state, done.record.completed_at) == (State.PROCESSING, platform.clock())
    assert platform.meter.values["uploads_completed_count"] == [1]
    assert [vars(line)["sizeBytes"] for line in caplog.records if line.message == "upload completed"] == [4096]


def test_a_busy_s3_opens_the_upload_again_and_says_when_to_ask(platform: InMemoryPlatform) -> None:
    transfer = small(platform)
    request = transfer.completion(transfer.send_parts())
    fail_with(platform, StorageBusyError())
    with pytest.raises(StorageUnavailableError) as refused:
        platform.completions.complete(transfer.token, request)
    assert refused.value.retry_after_seconds == 5
    assert (record_of(transfer).state, record_of(transfer).completion_started_at) == (State.UPLOADING, None)
    assert platform.meter.values["completions_refused_count"] == []


def test_a_refused_completion_opens_the_upload_again_and_is_counted(
    platform: InMemoryPlatform, caplog: pytest.LogCaptureFixture
) -> None:
    transfer = small(platform)
    transfer.send_parts()
    with caplog.at_level(logging.INFO), pytest.raises(PartMismatchError) as refused:
        platform.completions.complete(transfer.token, transfer.completion({1: '"other"'}))
    assert (record_of(transfer).state, record_of(transfer).completion_started_at) == (State.UPLOADING, None)
    assert platform.meter.values["completions_refused_count"] == [1]
    told = [vars(line)["code"] for line in caplog.records if line.message == "completion refused"]
    assert told == [refused.value.code]


def test_an_upload_that_s3_has_dropped_fails_once(platform: InMemoryPlatform) -> None:
    transfer = small(platform)
    request = transfer.completion(transfer.send_parts())
    platform.videos.abort_multipart_upload(transfer.key, transfer.token.upload_id)
    for _ in range(2):
        with pytest.raises(UploadExpiredError):
            platform.completions.complete(transfer.token, request)
    assert record_of(transfer).state is State.EXPIRED
    assert platform.meter.values["uploads_failed_count"] == [1]
    assert not any(marker.is_reservation for marker in platform.records.markers())
    platform.janitor.sweep()
    assert [message["type"] for message in platform.notifier.messages] == ["video.failed"]
    assert not list(platform.records.markers())


def test_a_lease_ends_after_ninety_seconds_and_not_before(platform: InMemoryPlatform) -> None:
    transfer = small(platform)
    request = transfer.completion(transfer.send_parts())
    transfer.die_completing(request)
    platform.clock.pass_time(seconds=90)
    assert platform.completions.complete(transfer.token, request).outcome is Outcome.COMPLETING
    platform.clock.pass_time(seconds=1)
    assert platform.completions.complete(transfer.token, request).outcome is Outcome.COMPLETED


def test_a_completion_without_a_beginning_is_taken_over_at_once(platform: InMemoryPlatform) -> None:
    transfer = small(platform)
    request = transfer.completion(transfer.send_parts())
    put_record(transfer, replace(record_of(transfer), state=State.COMPLETING))
    assert platform.completions.complete(transfer.token, request).outcome is Outcome.COMPLETED


@pytest.mark.parametrize(
    ("state", "error"),
    [
        (State.ABORTED, UploadAbortedError),
        (State.EXPIRED, UploadExpiredError),
        (State.DELETED, UploadNotFoundError),
        (None, UploadNotFoundError),
    ],
)
def test_an_upload_that_is_over_is_not_completed(
    platform: InMemoryPlatform, state: State | None, error: type[PlatformError]
) -> None:
    transfer = small(platform)
    request = transfer.completion(transfer.send_parts())
    if state:
        put_record(transfer, replace(record_of(transfer), state=state))
    else:
        platform.metadata.delete(transfer.token.ref.record_key)
    with pytest.raises(error):
        platform.completions.complete(transfer.token, request)
    assert platform.videos.completions == 0


@pytest.mark.parametrize("state", [State.PROCESSING, State.READY, State.REJECTED])
def test_an_upload_that_has_arrived_is_complete(platform: InMemoryPlatform, state: State) -> None:
    transfer = small(platform)
    put_record(transfer, replace(record_of(transfer), state=state))
    done = platform.completions.complete(transfer.token, transfer.completion({1: "a"}))
    assert (done.outcome, done.record.state) == (Outcome.COMPLETED, state)
    assert platform.videos.completions == 0


def test_a_token_of_another_upload_of_the_same_video_completes_nothing(platform: InMemoryPlatform) -> None:
    transfer = small(platform)
    request = transfer.completion(transfer.send_parts())
    with pytest.raises(UploadNotFoundError):
        platform.completions.complete(replace(transfer.token, upload_id="another"), request)


def test_a_hundred_missing_parts_are_named_and_all_are_counted(platform: InMemoryPlatform) -> None:
    transfer = small(platform)
    put_record(transfer, replace(record_of(transfer), part_size_bytes=10))
    with pytest.raises(PartsIncompleteError) as refused:
        platform.completions.complete(transfer.token, transfer.completion({1: "a", 410: "b"}))
    assert refused.value.details == {"missingCount": 408, "missingPartNumbers": list(range(2, 102))}
    with pytest.raises(SizeMismatchError) as too_many:
        platform.completions.complete(transfer.token, transfer.completion({411: "a"}))
    assert too_many.value.details == SizeMismatchError(size_bytes=4096).details


@pytest.mark.parametrize("state", [State.UPLOADING, State.COMPLETING, State.PROCESSING])
def test_an_object_of_another_size_is_not_the_file(platform: InMemoryPlatform, state: State) -> None:
    transfer = small(platform)
    platform.videos.put_object(transfer.key, b"another size")
    put_record(transfer, replace(record_of(transfer), state=state))
    with pytest.raises(SizeMismatchError) as refused:
        platform.completions.finish_abandoned(record_of(transfer))
    assert refused.value.details == SizeMismatchError(size_bytes=4096).details
    assert record_of(transfer).state is state


def test_an_object_whose_record_is_gone_or_over_is_nobodys_completion(platform: InMemoryPlatform) -> None:
    transfer = small(platform)
    record = record_of(transfer)
    platform.videos.put_object(transfer.key, transfer.body)
    put_record(transfer, replace(record, state=State.ABORTED))
    with pytest.raises(UploadAbortedError):
        platform.completions.finish_abandoned(record)
    platform.metadata.delete(record.ref.record_key)
    with pytest.raises(UploadNotFoundError):
        platform.completions.finish_abandoned(record)


def test_an_abandoned_completion_continues_from_the_parts_that_s3_lists(
    platform: InMemoryPlatform, monkeypatch: pytest.MonkeyPatch
) -> None:
    form = replace(record_of(small(platform)), upload_id=None)
    assert platform.completions.finish_abandoned(form).outcome is Outcome.COMPLETING
    whole, partial, dropped = (
        small(platform),
        platform.start(size_bytes=4096),
        platform.start(size_bytes=4096, owner="other"),
    )
    for transfer in (whole, partial, dropped):
        put_record(
            transfer, replace(record_of(transfer), state=State.COMPLETING, completion_started_at=platform.clock())
        )
    whole.send_parts()
    assert platform.completions.finish_abandoned(record_of(whole)).outcome is Outcome.COMPLETED
    assert platform.completions.finish_abandoned(record_of(partial)).outcome is Outcome.COMPLETING
    assert (record_of(partial).state, record_of(partial).completion_started_at) == (State.UPLOADING, None)

    def gone(key: str, upload_id: str) -> None:
        raise UploadGoneError

    monkeypatch.setattr(platform.videos, "list_parts", gone)
    ended = platform.completions.finish_abandoned(record_of(dropped))
    assert (ended.outcome, ended.record.state) == (Outcome.COMPLETING, State.EXPIRED)
    assert platform.meter.values["uploads_failed_count"] == [1]
    assert not any(marker.is_reservation for marker in platform.records.markers("other"))


def test_a_completion_that_is_taken_over_is_asked_for_as_the_new_caller_wants_it(platform: InMemoryPlatform) -> None:
    transfer = small(platform)
    etags = transfer.send_parts()
    transfer.die_completing(transfer.completion(etags))
    platform.clock.pass_time(seconds=91)
    transfer.die_completing(transfer.completion(etags, crc64nvme(transfer.body)))
    record = record_of(transfer)
    assert record.checksum_crc64nvme == crc64nvme(transfer.body)
    assert (record.completion_started_at, record.updated_at) == (platform.clock(), platform.clock())


def test_the_first_part_may_be_the_missing_one(platform: InMemoryPlatform) -> None:
    transfer = small(platform)
    put_record(transfer, replace(record_of(transfer), part_size_bytes=2048))
    with pytest.raises(PartsIncompleteError) as refused:
        platform.completions.complete(transfer.token, transfer.completion({2: "b"}))
    assert refused.value.details == {"missingCount": 1, "missingPartNumbers": [1]}


def test_an_abandoned_completion_that_s3_has_done_is_settled_without_asking_again(
    platform: InMemoryPlatform, monkeypatch: pytest.MonkeyPatch
) -> None:
    stored, late = small(platform), small(platform)
    for transfer in (stored, late):
        put_record(transfer, replace(record_of(transfer), state=State.COMPLETING))
    platform.videos.put_object(stored.key, stored.body)
    done = platform.completions.finish_abandoned(record_of(stored))
    assert (done.outcome, record_of(stored).state) == (Outcome.COMPLETED, State.PROCESSING)

    def done_meanwhile(key: str, upload_id: str) -> None:
        platform.videos.put_object(late.key, late.body)
        raise UploadGoneError

    monkeypatch.setattr(platform.videos, "list_parts", done_meanwhile)
    done = platform.completions.finish_abandoned(record_of(late))
    assert (done.outcome, record_of(late).state) == (Outcome.COMPLETED, State.PROCESSING)
    assert platform.videos.completions == 0


@pytest.mark.parametrize("meanwhile", [State.DELETED, State.EXPIRED, None])
def test_an_upload_that_ended_in_another_way_does_not_fail_too(
    platform: InMemoryPlatform, monkeypatch: pytest.MonkeyPatch, meanwhile: State | None
) -> None:
    transfer = small(platform)
    record = replace(record_of(transfer), state=State.COMPLETING)
    put_record(transfer, record)

    def ended_meanwhile(key: str, upload_id: str) -> None:
        if meanwhile:
            put_record(transfer, replace(record, state=meanwhile))
        else:
            platform.metadata.delete(record.ref.record_key)
        raise UploadGoneError

    monkeypatch.setattr(platform.videos, "list_parts", ended_meanwhile)
    assert platform.completions.finish_abandoned(record).record.state is (meanwhile or State.COMPLETING)
    assert platform.meter.values["uploads_failed_count"] == []
    assert not any(marker.is_reservation for marker in platform.records.markers())
