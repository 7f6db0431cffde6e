"""Exactly once, however it is asked."""

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from chalicelib.core.completion import LEASE, Outcome
from chalicelib.core.errors import (
    ChecksumMismatchError,
    PartMismatchError,
    PartsIncompleteError,
    PlatformError,
    SizeMismatchError,
    StateError,
    StorageUnavailableError,
    UploadAbortedError,
    UploadCompletedError,
    UploadCompletingError,
    UploadNotFoundError,
)
from chalicelib.core.ports import OutcomeUnknownError, StorageBusyError
from chalicelib.core.upload_requests import CompleteUpload
from tests.fakes import crc64nvme
from tests.in_memory_platform import InMemoryPlatform


def test_a_completed_upload_is_the_file_that_was_sent(platform: InMemoryPlatform) -> None:
    transfer = platform.start()
    completion = platform.completions.complete(transfer.token, transfer.completion(transfer.send_parts()))
    assert completion.outcome is Outcome.COMPLETED
    assert platform.videos.visible(transfer.key) == transfer.body
    assert platform.record_state(transfer) == "processing"


def test_asking_again_gives_the_same_answer_and_completes_nothing_twice(platform: InMemoryPlatform) -> None:
    transfer = platform.start()
    request = transfer.completion(transfer.send_parts())
    first = platform.completions.complete(transfer.token, request)
    platform.process(transfer)
    again = platform.completions.complete(transfer.token, request)
    assert (first.outcome, first.record.ref) == (again.outcome, again.record.ref)
    assert platform.videos.completions == 1
    assert platform.meter.values["uploads_completed_count"] == [1]


def test_an_answer_lost_on_the_way_back_is_found_in_the_bucket(platform: InMemoryPlatform) -> None:
    transfer = platform.start()
    request = transfer.completion(transfer.send_parts())

    def lose() -> None:
        raise OutcomeUnknownError

    platform.videos.after_complete = lose
    assert platform.completions.complete(transfer.token, request).outcome is Outcome.COMPLETING
    assert platform.completions.complete(transfer.token, request).outcome is Outcome.COMPLETED
    assert platform.videos.completions == 1


def test_a_file_of_another_checksum_is_not_put_together(platform: InMemoryPlatform) -> None:
    transfer = platform.start()
    etags = transfer.send_parts()
    with pytest.raises(ChecksumMismatchError):
        platform.completions.complete(transfer.token, transfer.completion(etags, crc64nvme(b"another file")))
    assert platform.record_state(transfer) == "uploading"
    request = transfer.completion(etags, crc64nvme(transfer.body))
    assert platform.completions.complete(transfer.token, request).outcome is Outcome.COMPLETED


def test_a_completion_that_is_found_done_is_held_against_the_checksum_asked_for(platform: InMemoryPlatform) -> None:
    transfer = platform.start()
    etags = transfer.send_parts()

    def lose() -> None:
        raise OutcomeUnknownError

    platform.videos.after_complete = lose
    assert platform.completions.complete(transfer.token, transfer.completion(etags)).outcome is Outcome.COMPLETING
    for checksum, settles in ((crc64nvme(b"another file"), False), (crc64nvme(transfer.body), True)):
        platform.clock.pass_time(seconds=LEASE.total_seconds() + 1)
        request = transfer.completion(etags, checksum)
        if settles:
            assert platform.completions.complete(transfer.token, request).outcome is Outcome.COMPLETED
        else:
            with pytest.raises(ChecksumMismatchError):
                platform.completions.complete(transfer.token, request)
            assert platform.record_state(transfer) == "completing"


def test_a_slow_completion_answers_in_time_and_settles_later(platform: InMemoryPlatform) -> None:
    transfer = platform.start()
    request = transfer.completion(transfer.send_parts())
    s3_is_done = threading.Event()
    platform.videos.before_complete = lambda: (s3_is_done.wait(5), None)[1]
    finished = threading.Event()
    platform.videos.after_complete = finished.set
    impatient = replace(platform.completions, patience_seconds=0.05)
    assert impatient.complete(transfer.token, request).outcome is Outcome.COMPLETING
    assert platform.completions.complete(transfer.token, request).outcome is Outcome.COMPLETING
    s3_is_done.set()
    assert finished.wait(5)
    assert platform.completions.complete(transfer.token, request).outcome is Outcome.COMPLETED
    assert platform.videos.completions == 1


def test_a_completion_whose_function_died_is_taken_over_after_the_lease(platform: InMemoryPlatform) -> None:
    transfer = platform.start()
    request = transfer.completion(transfer.send_parts())
    transfer.die_completing(request)
    assert platform.completions.complete(transfer.token, request).outcome is Outcome.COMPLETING
    platform.clock.pass_time(seconds=LEASE.total_seconds() + 1)
    assert platform.completions.complete(transfer.token, request).outcome is Outcome.COMPLETED


def test_refused_parts_leave_the_upload_open_to_be_mended(platform: InMemoryPlatform) -> None:
    transfer = platform.start()
    etags = transfer.send_parts()
    with pytest.raises(PartMismatchError):
        platform.completions.complete(transfer.token, transfer.completion({**etags, 2: '"other"'}))
    assert platform.record_state(transfer) == "uploading"
    assert platform.completions.complete(transfer.token, transfer.completion(etags)).outcome is Outcome.COMPLETED


def test_missing_parts_are_named_before_s3_is_asked(platform: InMemoryPlatform) -> None:
    transfer = platform.start()
    etags = transfer.send_parts()
    del etags[2]
    with pytest.raises(PartsIncompleteError) as refused:
        platform.completions.complete(transfer.token, transfer.completion(etags))
    assert refused.value.details == {"missingCount": 1, "missingPartNumbers": [2]}
    assert platform.record_state(transfer) == "uploading"


def test_more_parts_than_the_file_has_are_refused(platform: InMemoryPlatform) -> None:
    transfer = platform.start()
    etags = transfer.send_parts()
    with pytest.raises(SizeMismatchError):
        platform.completions.complete(transfer.token, transfer.completion({**etags, 4: '"x"'}))


def test_a_busy_s3_asks_for_patience_and_changes_nothing(platform: InMemoryPlatform) -> None:
    transfer = platform.start()
    request = transfer.completion(transfer.send_parts())

    def refuse() -> None:
        raise StorageBusyError

    platform.videos.before_complete = refuse
    with pytest.raises(StorageUnavailableError):
        platform.completions.complete(transfer.token, request)
    platform.videos.before_complete = lambda: None
    assert platform.completions.complete(transfer.token, request).outcome is Outcome.COMPLETED


def test_an_upload_id_or_key_of_another_upload_is_unknown(platform: InMemoryPlatform) -> None:
    transfer, other = platform.start(), platform.start()
    for foreign in (
        CompleteUpload({1: '"x"'}, None, other.token.upload_id, None),
        CompleteUpload({1: '"x"'}, None, None, other.token.file_key),
    ):
        with pytest.raises(UploadNotFoundError):
            platform.completions.complete(transfer.token, foreign)


def test_abort_racing_complete_has_exactly_one_winner(platform: InMemoryPlatform) -> None:
    outcomes: set[str] = set()
    for _ in range(40):
        transfer = platform.start(owner=f"owner-{len(platform.metadata.objects)}")
        request = transfer.completion(transfer.send_parts())
        together = threading.Barrier(2)

        def complete(transfer: object = transfer, request: CompleteUpload = request) -> bool:
            together.wait()  # noqa: B023 - used within the round
            try:
                platform.completions.complete(transfer.token, request)  # type: ignore[attr-defined]
            except StateError:
                return False
            return True

        def abort(transfer: object = transfer) -> bool:
            together.wait()  # noqa: B023 - used within the round
            try:
                platform.uploads.abort(transfer.token)  # type: ignore[attr-defined]
            except StateError:
                return False
            return True

        with ThreadPoolExecutor(2) as pool:
            completing, aborting = pool.submit(complete), pool.submit(abort)
            completed, aborted = completing.result(), aborting.result()
        assert completed != aborted
        assert (platform.videos.visible(transfer.key) is not None) == completed
        assert platform.record_state(transfer) == ("processing" if completed else "aborted")
        outcomes.add("completed" if completed else "aborted")
    assert outcomes  # which of the two wins is the threads' affair


def test_an_aborted_upload_cannot_be_completed(platform: InMemoryPlatform) -> None:
    transfer = platform.start()
    etags = transfer.send_parts()
    platform.uploads.abort(transfer.token)
    with pytest.raises(UploadAbortedError):
        platform.completions.complete(transfer.token, transfer.completion(etags))
    assert platform.uploads.abort(transfer.token).state.value == "aborted"


def test_an_abort_that_is_asked_for_again_counts_once(platform: InMemoryPlatform) -> None:
    transfer = platform.start()
    for _ in range(2):
        platform.uploads.abort(transfer.token)
    assert platform.meter.values["uploads_aborted_count"] == [1]


def test_a_completed_upload_cannot_be_aborted(platform: InMemoryPlatform) -> None:
    transfer = platform.start()
    transfer.send_and_complete()
    with pytest.raises(UploadCompletedError):
        platform.uploads.abort(transfer.token)


def test_an_upload_being_completed_cannot_be_aborted_or_signed(platform: InMemoryPlatform) -> None:
    transfer = platform.start()
    transfer.die_completing(transfer.completion(transfer.send_parts()))
    with pytest.raises(UploadCompletingError):
        platform.uploads.abort(transfer.token)
    with pytest.raises(UploadCompletingError):
        platform.uploads.find_open(transfer.token)


def test_many_completions_at_once_complete_once(platform: InMemoryPlatform) -> None:
    transfer = platform.start()
    request = transfer.completion(transfer.send_parts())

    def complete(_: int) -> str:
        try:
            return platform.completions.complete(transfer.token, request).outcome.name
        except PlatformError as error:
            return error.code

    with ThreadPoolExecutor(12) as pool:
        outcomes = list(pool.map(complete, range(12)))
    assert platform.videos.completions == 1
    assert set(outcomes) <= {"COMPLETED", "COMPLETING"}
    assert platform.completions.complete(transfer.token, request).outcome is Outcome.COMPLETED
