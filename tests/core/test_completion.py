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
from tests.world import World


def test_a_completed_upload_is_the_file_that_was_sent(world: World) -> None:
    transfer = world.start()
    completion = world.completions.complete(transfer.token, transfer.completion(transfer.send_parts()))
    assert completion.outcome is Outcome.COMPLETED
    assert world.videos.visible(transfer.key) == transfer.body
    assert world.record_state(transfer) == "processing"


def test_asking_again_gives_the_same_answer_and_completes_nothing_twice(world: World) -> None:
    transfer = world.start()
    request = transfer.completion(transfer.send_parts())
    first = world.completions.complete(transfer.token, request)
    world.process(transfer)
    again = world.completions.complete(transfer.token, request)
    assert (first.outcome, first.record.ref) == (again.outcome, again.record.ref)
    assert world.videos.completions == 1
    assert world.meter.values["uploads_completed_count"] == [1]


def test_an_answer_lost_on_the_way_back_is_found_in_the_bucket(world: World) -> None:
    transfer = world.start()
    request = transfer.completion(transfer.send_parts())

    def lose() -> None:
        raise OutcomeUnknownError

    world.videos.after_complete = lose
    assert world.completions.complete(transfer.token, request).outcome is Outcome.COMPLETING
    assert world.completions.complete(transfer.token, request).outcome is Outcome.COMPLETED
    assert world.videos.completions == 1


def test_a_file_of_another_checksum_is_not_put_together(world: World) -> None:
    transfer = world.start()
    etags = transfer.send_parts()
    with pytest.raises(ChecksumMismatchError):
        world.completions.complete(transfer.token, transfer.completion(etags, crc64nvme(b"another file")))
    assert world.record_state(transfer) == "uploading"
    request = transfer.completion(etags, crc64nvme(transfer.body))
    assert world.completions.complete(transfer.token, request).outcome is Outcome.COMPLETED


def test_a_completion_that_is_found_done_is_held_against_the_checksum_asked_for(world: World) -> None:
    transfer = world.start()
    etags = transfer.send_parts()

    def lose() -> None:
        raise OutcomeUnknownError

    world.videos.after_complete = lose
    assert world.completions.complete(transfer.token, transfer.completion(etags)).outcome is Outcome.COMPLETING
    for checksum, settles in ((crc64nvme(b"another file"), False), (crc64nvme(transfer.body), True)):
        world.clock.pass_time(seconds=LEASE.total_seconds() + 1)
        request = transfer.completion(etags, checksum)
        if settles:
            assert world.completions.complete(transfer.token, request).outcome is Outcome.COMPLETED
        else:
            with pytest.raises(ChecksumMismatchError):
                world.completions.complete(transfer.token, request)
            assert world.record_state(transfer) == "completing"


def test_a_slow_completion_answers_in_time_and_settles_later(world: World) -> None:
    transfer = world.start()
    request = transfer.completion(transfer.send_parts())
    s3_is_done = threading.Event()
    world.videos.before_complete = lambda: (s3_is_done.wait(5), None)[1]
    finished = threading.Event()
    world.videos.after_complete = finished.set
    impatient = replace(world.completions, patience_seconds=0.05)
    assert impatient.complete(transfer.token, request).outcome is Outcome.COMPLETING
    assert world.completions.complete(transfer.token, request).outcome is Outcome.COMPLETING
    s3_is_done.set()
    assert finished.wait(5)
    assert world.completions.complete(transfer.token, request).outcome is Outcome.COMPLETED
    assert world.videos.completions == 1


def test_a_completion_whose_function_died_is_taken_over_after_the_lease(world: World) -> None:
    transfer = world.start()
    request = transfer.completion(transfer.send_parts())
    transfer.die_completing(request)
    assert world.completions.complete(transfer.token, request).outcome is Outcome.COMPLETING
    world.clock.pass_time(seconds=LEASE.total_seconds() + 1)
    assert world.completions.complete(transfer.token, request).outcome is Outcome.COMPLETED


def test_refused_parts_leave_the_upload_open_to_be_mended(world: World) -> None:
    transfer = world.start()
    etags = transfer.send_parts()
    with pytest.raises(PartMismatchError):
        world.completions.complete(transfer.token, transfer.completion({**etags, 2: '"other"'}))
    assert world.record_state(transfer) == "uploading"
    assert world.completions.complete(transfer.token, transfer.completion(etags)).outcome is Outcome.COMPLETED


def test_missing_parts_are_named_before_s3_is_asked(world: World) -> None:
    transfer = world.start()
    etags = transfer.send_parts()
    del etags[2]
    with pytest.raises(PartsIncompleteError) as refused:
        world.completions.complete(transfer.token, transfer.completion(etags))
    assert refused.value.details == {"missingCount": 1, "missingPartNumbers": [2]}
    assert world.record_state(transfer) == "uploading"


def test_more_parts_than_the_file_has_are_refused(world: World) -> None:
    transfer = world.start()
    etags = transfer.send_parts()
    with pytest.raises(SizeMismatchError):
        world.completions.complete(transfer.token, transfer.completion({**etags, 4: '"x"'}))


def test_a_busy_s3_asks_for_patience_and_changes_nothing(world: World) -> None:
    transfer = world.start()
    request = transfer.completion(transfer.send_parts())

    def refuse() -> None:
        raise StorageBusyError

    world.videos.before_complete = refuse
    with pytest.raises(StorageUnavailableError):
        world.completions.complete(transfer.token, request)
    world.videos.before_complete = lambda: None
    assert world.completions.complete(transfer.token, request).outcome is Outcome.COMPLETED


def test_an_upload_id_or_key_of_another_upload_is_unknown(world: World) -> None:
    transfer, other = world.start(), world.start()
    for foreign in (
        CompleteUpload({1: '"x"'}, None, other.token.upload_id, None),
        CompleteUpload({1: '"x"'}, None, None, other.token.file_key),
    ):
        with pytest.raises(UploadNotFoundError):
            world.completions.complete(transfer.token, foreign)


def test_abort_racing_complete_has_exactly_one_winner(world: World) -> None:
    outcomes: set[str] = set()
    for _ in range(40):
        transfer = world.start(owner=f"owner-{len(world.metadata.objects)}")
        request = transfer.completion(transfer.send_parts())
        together = threading.Barrier(2)

        def complete(transfer: object = transfer, request: CompleteUpload = request) -> bool:
            together.wait()  # noqa: B023 - used within the round
            try:
                world.completions.complete(transfer.token, request)  # type: ignore[attr-defined]
            except StateError:
                return False
            return True

        def abort(transfer: object = transfer) -> bool:
            together.wait()  # noqa: B023 - used within the round
            try:
                world.uploads.abort(transfer.token)  # type: ignore[attr-defined]
            except StateError:
                return False
            return True

        with ThreadPoolExecutor(2) as pool:
            completing, aborting = pool.submit(complete), pool.submit(abort)
            completed, aborted = completing.result(), aborting.result()
        assert completed != aborted
        assert (world.videos.visible(transfer.key) is not None) == completed
        assert world.record_state(transfer) == ("processing" if completed else "aborted")
        outcomes.add("completed" if completed else "aborted")
    assert outcomes  # which of the two wins is the threads' affair


def test_an_aborted_upload_cannot_be_completed(world: World) -> None:
    transfer = world.start()
    etags = transfer.send_parts()
    world.uploads.abort(transfer.token)
    with pytest.raises(UploadAbortedError):
        world.completions.complete(transfer.token, transfer.completion(etags))
    assert world.uploads.abort(transfer.token).state.value == "aborted"


def test_an_abort_that_is_asked_for_again_counts_once(world: World) -> None:
    transfer = world.start()
    for _ in range(2):
        world.uploads.abort(transfer.token)
    assert world.meter.values["uploads_aborted_count"] == [1]


def test_a_completed_upload_cannot_be_aborted(world: World) -> None:
    transfer = world.start()
    transfer.send_and_complete()
    with pytest.raises(UploadCompletedError):
        world.uploads.abort(transfer.token)


def test_an_upload_being_completed_cannot_be_aborted_or_signed(world: World) -> None:
    transfer = world.start()
    transfer.die_completing(transfer.completion(transfer.send_parts()))
    with pytest.raises(UploadCompletingError):
        world.uploads.abort(transfer.token)
    with pytest.raises(UploadCompletingError):
        world.uploads.find_open(transfer.token)


def test_many_completions_at_once_complete_once(world: World) -> None:
    transfer = world.start()
    request = transfer.completion(transfer.send_parts())

    def complete(_: int) -> str:
        try:
            return world.completions.complete(transfer.token, request).outcome.name
        except PlatformError as error:
            return error.code

    with ThreadPoolExecutor(12) as pool:
        outcomes = list(pool.map(complete, range(12)))
    assert world.videos.completions == 1
    assert set(outcomes) <= {"COMPLETED", "COMPLETING"}
    assert world.completions.complete(transfer.token, request).outcome is Outcome.COMPLETED
