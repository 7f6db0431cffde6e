"""The engine against a platform in which things go wrong."""

from __future__ import annotations

import os
import ssl
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.cli.conftest import MP4_BEGINNING, MakeVideo, sha256_of, sign_somebody_in
from tests.cli.fake_platform import FakePlatform
from tests.cli.fake_platform_server import serve_parts_over_tls, start_fake_platform
from tests.cli.fake_storage import PartFault
from tests.cli.recorded_engine import IMPATIENT, RecordedEngine
from video_upload.engine import UploadEngine
from video_upload.errors import (
    FileChangedError,
    FileRefusedError,
    ForbiddenError,
    PartFailedError,
    UploadCancelledError,
    UploadNotFoundError,
    UploadRunningError,
)
from video_upload.events import (
    Completing,
    PartRetried,
    PartsDiffered,
    PartStored,
    StartedOver,
    UploadBegan,
    Uploaded,
    UploadEvent,
    UploadFailed,
)
from video_upload.schemas import Video
from video_upload.upload_journal import UploadJournal

KIB = 1024


def test_a_video_arrives_byte_for_byte_and_is_polled_until_ready(
    platform: FakePlatform, recorded: RecordedEngine, make_video: MakeVideo
) -> None:
    platform.processing_polls = 1
    path = make_video(1000 * KIB + 7)
    video = recorded.engine.upload(path)
    assert video.state == "ready"
    assert platform.video_sha256(video.video_id) == sha256_of(path)
    assert set(platform.storage.puts.values()) == {1}
    assert len(platform.storage.puts) == 16
    assert 1 < platform.storage.most_at_once <= 4
    assert recorded.counted_bytes() == path.stat().st_size


def test_an_expired_url_is_signed_again_for_that_part_alone(
    platform: FakePlatform, recorded: RecordedEngine, make_video: MakeVideo
) -> None:
    platform.storage.part_faults[3] = ["expired"]
    path = make_video(512 * KIB)
    video = recorded.engine.upload(path)
    assert platform.signed_pages == [[3]]
    assert {number: count for number, count in platform.storage.puts.items() if count > 1} == {3: 2}
    assert platform.video_sha256(video.video_id) == sha256_of(path)


def test_over_tls_too_an_answer_in_the_middle_of_the_body_is_heard(
    platform: FakePlatform, recorded: RecordedEngine, make_video: MakeVideo, tls: ssl.SSLContext
) -> None:
    stop = serve_parts_over_tls(platform, tls)
    try:
        platform.part_size_bytes = 5 * KIB * KIB
        platform.storage.part_faults = {1: ["expired"], 2: ["slow_down"], 3: ["dropped"]}
        path = make_video(16 * KIB * KIB)
        video = recorded.engine.upload(path)
        assert platform.video_sha256(video.video_id) == sha256_of(path)
        assert platform.signed_pages == [[1]]
        assert "SlowDown" in " ".join(event.reason for event in recorded.events if isinstance(event, PartRetried))
    finally:
        stop()


def test_a_url_whose_refusal_never_gets_through_is_signed_again_all_the_same(
    platform: FakePlatform, recorded: RecordedEngine, make_video: MakeVideo
) -> None:
    platform.storage.part_faults[2] = ["dropped", "dropped"]
    recorded.engine.upload(make_video(256 * KIB))
    assert platform.signed_pages == [[2]]
    assert recorded.counted_bytes() == 256 * KIB


def test_a_store_that_wants_checksums_gets_them_and_refuses_one_part_a_worker_at_most(
    platform: FakePlatform, recorded: RecordedEngine, make_video: MakeVideo
) -> None:
    platform.storage.wants_checksums = True
    platform.storage.part_faults[7] = ["expired", "corrupted"]
    path = make_video(640 * KIB)
    video = recorded.engine.upload(path)
    assert platform.video_sha256(video.video_id) == sha256_of(path)
    refused = sum(platform.storage.puts.values()) - sum(platform.storage.stores.values())
    assert refused <= 4 + 2


def test_a_part_that_is_refused_with_its_checksum_too_ends_the_upload(
    platform: FakePlatform, recorded: RecordedEngine, make_video: MakeVideo
) -> None:
    platform.storage.part_faults[1] = ["bad_request"] * 3
    with pytest.raises(PartFailedError, match="400 InvalidArgument"):
        recorded.engine.upload(make_video(64 * KIB))
    assert platform.storage.puts[1] == 2


def test_urls_beyond_the_first_page_are_signed_a_page_at_a_time(
    platform: FakePlatform, recorded: RecordedEngine, make_video: MakeVideo
) -> None:
    platform.first_page, platform.part_size_bytes = 50, KIB
    path = make_video(270 * KIB)
    video = recorded.engine.upload(path)
    assert [len(page) for page in platform.signed_pages] == [100, 100, 20]
    assert platform.video_sha256(video.video_id) == sha256_of(path)


def test_urls_known_to_be_old_are_signed_again_before_they_are_tried(
    platform: FakePlatform, recorded: RecordedEngine, make_video: MakeVideo
) -> None:
    platform.url_seconds = 1  # within the margin: as good as over
    path = make_video(256 * KIB)
    recorded.engine.upload(path)
    assert platform.signed_pages
    assert set(platform.storage.puts.values()) == {1}


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    faults=st.dictionaries(
        st.integers(1, 9),
        st.lists(
            st.sampled_from(["expired", "slow_down", "dropped", "dropped_answer", "corrupted"]), min_size=1, max_size=3
        ),
        max_size=9,
    ),
    completing_answers=st.integers(0, 2),
    shows_checksums=st.booleans(),
    parallel=st.integers(1, 5),
)
def test_the_content_is_the_same_after_any_failure_on_the_way(
    tmp_path_factory: pytest.TempPathFactory,
    faults: dict[int, list[PartFault]],
    completing_answers: int,
    shows_checksums: bool,
    parallel: int,
) -> None:
    folder = tmp_path_factory.mktemp("faults")
    path = folder / "holiday.webm"
    path.write_bytes(MP4_BEGINNING + os.urandom(17 * KIB - len(MP4_BEGINNING)))
    platform, stop = start_fake_platform(folder / "s3")
    try:
        platform.part_size_bytes = 2 * KIB
        platform.completing_answers = completing_answers
        platform.storage.shows_checksums = shows_checksums
        # A part that is damaged on its second way as well is beyond the one repair that is promised.
        platform.storage.part_faults = {part: _damaged_once(kinds) for part, kinds in faults.items()}
        home = folder / "home"
        recorded = RecordedEngine(platform, sign_somebody_in(platform, home), home, parallel=parallel)
        video = recorded.engine.upload(path)
        assert video.state == "ready"
        assert platform.video_sha256(video.video_id) == sha256_of(path)
    finally:
        stop()


def _damaged_once(kinds: list[PartFault]) -> list[PartFault]:
    return [kind for index, kind in enumerate(kinds) if kind != "corrupted" or "corrupted" not in kinds[:index]]


def test_a_part_that_never_succeeds_ends_the_upload_and_the_rest_is_kept(
    platform: FakePlatform, recorded: RecordedEngine, make_video: MakeVideo
) -> None:
    platform.storage.part_faults[8] = ["slow_down"] * 8
    path = make_video(512 * KIB)
    with pytest.raises(PartFailedError, match="SlowDown") as failed:
        recorded.engine.upload(path)
    assert (failed.value.part_number, failed.value.tries) == (8, 8)
    video = recorded.engine.upload(path)
    assert platform.video_sha256(video.video_id) == sha256_of(path)
    assert platform.storage.stores == dict.fromkeys(range(1, 9), 1)


def test_a_stopped_upload_resumes_with_the_missing_parts_only(
    platform: FakePlatform, recorded: RecordedEngine, make_video: MakeVideo
) -> None:
    platform.storage.seconds_per_part = 0.1
    path = make_video(1024 * KIB)
    recorded.stop_in_the_middle(path, after_parts=6)
    stored = sum(platform.storage.stores.values())
    assert 6 <= stored < 16
    video = recorded.engine.upload(path)
    began = next(event for event in recorded.events if isinstance(event, UploadBegan))
    assert began.stored_bytes >= 6 * 64 * KIB
    assert set(platform.storage.stores.values()) == {1}
    assert platform.video_sha256(video.video_id) == sha256_of(path)
    assert platform.calls.count("POST /multipart/init") == 1


def test_parts_that_reached_s3_without_the_journal_knowing_are_not_sent_again(
    platform: FakePlatform, recorded: RecordedEngine, make_video: MakeVideo, home: Path
) -> None:
    platform.storage.seconds_per_part = 0.02
    path = make_video(512 * KIB)
    recorded.stop_in_the_middle(path, after_parts=4)
    (journal,) = (home / "uploads").glob("*.jsonl")
    requested, opened, *_ = journal.read_bytes().splitlines(keepends=True)
    journal.write_bytes(requested + opened + b'{"part_number":1,"et')  # what a power cut leaves
    video = recorded.engine.upload(path)
    assert set(platform.storage.stores.values()) == {1}
    assert platform.video_sha256(video.video_id) == sha256_of(path)


def test_a_moved_file_resumes_and_a_copy_does_not(
    platform: FakePlatform, recorded: RecordedEngine, make_video: MakeVideo, tmp_path: Path
) -> None:
    platform.storage.seconds_per_part = 0.02
    path = make_video(512 * KIB)
    recorded.stop_in_the_middle(path, after_parts=3)
    (tmp_path / "sorted").mkdir()
    moved = path.rename(tmp_path / "sorted" / "holiday.mp4")
    video = recorded.engine.upload(moved)
    assert platform.only_upload().video_id == video.video_id
    assert set(platform.storage.stores.values()) == {1}
    assert platform.video_sha256(video.video_id) == sha256_of(moved)

    recorded.stop_in_the_middle(moved, after_parts=3)
    copy = make_video(512 * KIB, "copy.mp4")
    os.utime(copy, ns=(moved.stat().st_atime_ns, moved.stat().st_mtime_ns))
    recorded.engine.upload(copy)
    assert len(platform.uploads) == 3, "the original is still there, and goes on by itself"


def test_a_changed_file_starts_over_and_its_old_upload_is_aborted(
    platform: FakePlatform, recorded: RecordedEngine, make_video: MakeVideo
) -> None:
    platform.storage.seconds_per_part = 0.02
    path = make_video(512 * KIB)
    recorded.stop_in_the_middle(path, after_parts=2)
    make_video(640 * KIB, seed=2)
    video = recorded.engine.upload(path)
    states = {upload.video_id == video.video_id: upload.state for upload in platform.uploads.values()}
    assert states == {True: "ready", False: "aborted"}
    assert platform.video_sha256(video.video_id) == sha256_of(path)


def test_a_file_that_changes_under_way_is_never_completed(
    platform: FakePlatform, recorded: RecordedEngine, make_video: MakeVideo
) -> None:
    path = make_video(512 * KIB)
    report = recorded.note

    def touch_and_note(event: UploadEvent) -> None:
        if isinstance(event, PartStored):
            os.utime(path, ns=(1, 1))
        report(event)

    recorded.engine = UploadEngine(recorded.api, path.parent / "home", report=touch_and_note, backoff=IMPATIENT)
    with pytest.raises(FileChangedError):
        recorded.engine.upload(path)
    assert platform.only_upload().state == "aborted"
    assert "POST /multipart/complete" not in platform.calls
    assert recorded.events[-1] == UploadFailed(video_id=platform.only_upload().video_id, code=None)


def test_a_complete_upload_has_not_failed_if_the_verdict_may_not_be_read(
    platform: FakePlatform, recorded: RecordedEngine, make_video: MakeVideo
) -> None:
    def refuse_a_look(event: UploadEvent) -> None:
        if isinstance(event, Uploaded):
            platform.api_faults[f"/videos/{platform.only_upload().video_id}"] = [(403, "forbidden", {})]
        recorded.note(event)

    path = make_video(KIB)
    recorded.engine = UploadEngine(recorded.api, path.parent / "home", report=refuse_a_look, backoff=IMPATIENT)
    with pytest.raises(ForbiddenError):
        recorded.engine.upload(path)
    assert recorded.events[-1] == Uploaded()


@pytest.mark.parametrize("shows_checksums", [True, False])
def test_damaged_parts_are_found_by_their_checksums_and_sent_again(
    platform: FakePlatform, recorded: RecordedEngine, make_video: MakeVideo, shows_checksums: bool
) -> None:
    platform.storage.part_faults = {2: ["corrupted"], 5: ["corrupted"]}
    platform.storage.shows_checksums = shows_checksums
    path = make_video(512 * KIB)
    video = recorded.engine.upload(path)
    differed = next(event for event in recorded.events if isinstance(event, PartsDiffered))
    assert differed.part_numbers == ((2, 5) if shows_checksums else tuple(range(1, 9)))
    assert platform.video_sha256(video.video_id) == sha256_of(path)


@pytest.mark.parametrize("fault", [0, -1])
def test_a_lost_answer_to_complete_is_asked_for_again(
    platform: FakePlatform, recorded: RecordedEngine, make_video: MakeVideo, fault: int
) -> None:
    platform.api_faults["/multipart/complete"] = [(fault, "", {})]
    platform.completing_answers = 1
    video = recorded.engine.upload(make_video(128 * KIB))
    assert video.state == "ready"
    assert recorded.count(Completing) == (1 if fault == 0 else 0)


def test_a_run_that_ends_before_it_has_told_its_result_leaves_it_to_the_next(
    platform: FakePlatform, recorded: RecordedEngine, make_video: MakeVideo
) -> None:
    path = make_video(200 * KIB)

    def end(_: Video) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        recorded.engine.upload(path, tell=end)
    video = recorded.engine.upload(path)
    assert (video.video_id, video.state) == (platform.only_upload().video_id, "ready")
    assert set(platform.storage.puts.values()) == {1}


def test_an_upload_stopped_while_s3_completes_goes_on_without_sending(
    platform: FakePlatform, recorded: RecordedEngine, make_video: MakeVideo
) -> None:
    platform.completing_answers = 10**6
    path = make_video(256 * KIB)
    recorded.stop_at = Completing
    with pytest.raises(UploadCancelledError):
        recorded.engine.upload(path)
    recorded.stop_at = None
    platform.completing_answers = 1
    recorded.interruption.clear()
    assert recorded.engine.upload(path).state == "ready"
    assert sum(platform.storage.puts.values()) == 4


@pytest.mark.parametrize("state", ["aborted", "expired"])
def test_an_upload_that_the_platform_gave_up_starts_over(
    platform: FakePlatform, recorded: RecordedEngine, make_video: MakeVideo, state: str
) -> None:
    platform.storage.seconds_per_part = 0.02
    path = make_video(512 * KIB)
    recorded.stop_in_the_middle(path, after_parts=2)
    platform.only_upload().state = state
    video = recorded.engine.upload(path)
    assert recorded.count(StartedOver) == 1
    assert platform.video_sha256(video.video_id) == sha256_of(path)


def test_an_expired_upload_token_is_replaced_by_a_fresh_one(
    platform: FakePlatform, recorded: RecordedEngine, make_video: MakeVideo
) -> None:
    platform.storage.seconds_per_part = 0.02
    path = make_video(512 * KIB)
    recorded.stop_in_the_middle(path, after_parts=2)
    platform.only_upload().token = "another"
    recorded.engine.upload(path)
    assert len(platform.uploads) == 1
    assert set(platform.storage.stores.values()) == {1}


def test_two_processes_do_not_upload_the_same_file_twice(
    platform: FakePlatform, recorded: RecordedEngine, make_video: MakeVideo, home: Path
) -> None:
    path = make_video(64 * KIB)
    with UploadJournal(home / "uploads", f"{platform.url}/api", path), pytest.raises(UploadRunningError):
        recorded.engine.upload(path)
    assert platform.calls == []


def test_a_file_that_can_never_be_uploaded_is_refused_before_any_call(
    platform: FakePlatform, recorded: RecordedEngine, make_video: MakeVideo, tmp_path: Path
) -> None:
    for path, problem in {
        make_video(0, "a.mp4"): "empty",
        make_video(1, "a.txt"): "not accepted here",
        tmp_path / "missing.mp4": "No such file",
        tmp_path: "not a file",
    }.items():
        with pytest.raises(FileRefusedError, match=problem):
            recorded.engine.upload(path)
    assert platform.calls == []


def test_aborting_frees_the_upload_and_forgets_it(
    platform: FakePlatform, recorded: RecordedEngine, make_video: MakeVideo
) -> None:
    platform.storage.seconds_per_part = 0.02
    path = make_video(512 * KIB)
    recorded.stop_in_the_middle(path, after_parts=2)
    recorded.engine.abort(path)
    assert platform.only_upload().state == "aborted"
    with pytest.raises(UploadNotFoundError):
        recorded.engine.abort(path)
