"""A ready video whose codec browsers do not play is encoded by a service outside, whatever happens on the way."""

from dataclasses import replace
from typing import Literal

import pytest

from chalicelib.contract.views import video
from chalicelib.core.conversions import ConversionRefusedError, JobState
from chalicelib.core.malware_scan import MALWARE, NO_SCAN, ScanPolicy, ScanResult
from chalicelib.core.media.inspection import Inspection
from chalicelib.core.processing import Processed
from chalicelib.core.rendition import MAX_ATTEMPTS
from chalicelib.core.video_id import VideoRef
from tests.core.test_renditions import (
    MORE_CALLS_THAN_THERE_ARE,
    completed,
    record_of,
    shown,
    told,
)
from tests.fake_converter import FakeConverter
from tests.in_memory_films import COPY_MARK, inspected_of_hevc
from tests.in_memory_platform import InMemoryPlatform, Transfer, platform_in_memory
from tests.outside_calls import Interruption, KilledError

BODY = COPY_MARK + b"and encoded anew"


def begun(scans: ScanPolicy = NO_SCAN) -> tuple[InMemoryPlatform, FakeConverter, Transfer]:
    platform = platform_in_memory(scans)
    converter = platform.converter
    platform.turn_conversions_on()
    transfer = completed(platform)
    assert platform.process(transfer) is (Processed.WAITING if scans.is_on else Processed.READY)
    platform.janitor.sweep()
    return platform, converter, transfer


def sweep(platform: InMemoryPlatform, times: int = 1) -> None:
    for _ in range(times):
        platform.clock.pass_time(minutes=21)
        platform.janitor.sweep()
        platform.process_what_was_asked()


def test_a_video_in_a_codec_that_some_browsers_do_not_play_is_converted_and_played_from_the_result() -> None:
    platform, converter, transfer = begun()
    assert shown(platform, transfer) == ("pending", None, None)
    sweep(platform)
    assert shown(platform, transfer) == ("pending", None, None), "its job is running"
    converter.finish(BODY)
    sweep(platform)
    (made,) = platform.videos.versions[transfer.token.ref.rendition_key]
    assert (made.body, made.tags) == (BODY, {"verdict": "accepted"})
    assert shown(platform, transfer) == ("ready", len(BODY), None)
    assert told(platform) == ["video.ready", "video.rendition_ready"]
    assert f"/{transfer.token.ref.rendition_key}?" in str(video(platform.library.show(transfer.token.ref)).playback_url)
    sweep(platform)
    assert not list(platform.records.markers())
    assert len(converter.asked) == 1


def test_repeated_sweeps_and_events_begin_one_job() -> None:
    platform, converter, transfer = begun()
    for _ in range(3):
        platform.process(transfer)
        platform.janitor.sweep()
    assert len(converter.jobs) == 1
    assert shown(platform, transfer) == ("pending", None, None)


def not_begun() -> tuple[InMemoryPlatform, FakeConverter, Transfer]:
    platform = platform_in_memory()
    converter = platform.converter
    platform.turn_conversions_on()
    transfer = completed(platform)
    platform.process(transfer)
    return platform, converter, transfer


def test_a_janitor_that_dies_once_the_job_is_begun_leaves_one_that_the_next_sweep_finds() -> None:
    platform, converter, transfer = not_begun()
    converter.raises = KilledError
    with pytest.raises(KilledError):
        platform.janitor.sweep()
    sweep(platform)
    assert len(converter.begun) == 1
    converter.finish(BODY)
    sweep(platform)
    assert shown(platform, transfer) == ("ready", len(BODY), None)


def test_a_job_that_the_service_refuses_is_asked_for_once_and_told_as_failed() -> None:
    platform, converter, transfer = not_begun()
    converter.refuses = ConversionRefusedError
    sweep(platform, times=2)
    assert shown(platform, transfer) == ("failed", None, "not_convertible")
    assert len(converter.asked) == 1
    assert not list(platform.records.markers())


def test_a_service_that_never_takes_the_job_is_given_up_after_a_day() -> None:
    platform, converter, transfer = not_begun()
    converter.refuses = ConnectionError
    sweep(platform, times=2)
    assert shown(platform, transfer) == ("pending", None, None)
    platform.clock.pass_time(hours=25)
    sweep(platform, times=2)
    assert shown(platform, transfer) == ("failed", None, "unanswered")


def test_an_event_has_its_own_video_looked_at_and_no_other() -> None:
    platform, converter, transfer = begun()
    converter.finish(BODY)
    platform.janitor.renditions.job_changed(VideoRef(transfer.token.ref.owner, "0" * 28))
    assert not platform.trigger.triggered
    platform.janitor.renditions.job_changed(transfer.token.ref)
    platform.process_what_was_asked()
    assert shown(platform, transfer) == ("ready", len(BODY), None)
    platform.janitor.renditions.job_changed(transfer.token.ref)
    assert not platform.trigger.triggered, "it is settled"


def test_no_conversion_is_awaited_and_its_result_is_hidden_once_renditions_are_off() -> None:
    platform, converter, transfer = begun()
    converter.finish(BODY)
    platform.change_renditions(makes=False)
    platform.janitor = replace(platform.janitor, renditions=replace(platform.janitor.renditions, conversions=None))
    sweep(platform, times=2)
    assert shown(platform, transfer) is None
    assert platform.videos.visible(transfer.token.ref.rendition_key) is None
    assert not list(platform.records.markers())
    assert told(platform) == ["video.ready"]


def test_no_conversion_is_awaited_and_copies_are_made_if_only_conversions_are_off() -> None:
    platform, _, transfer = begun()
    without = replace(platform.janitor.renditions, conversions=None)
    platform.janitor = replace(platform.janitor, renditions=without)
    sweep(platform, times=2)
    assert shown(platform, transfer) is None
    assert not list(platform.records.markers())
    platform.change_renditions(makes=True)
    platform.janitor = replace(platform.janitor, renditions=without)
    copied = completed(platform)
    platform.process(copied)
    assert shown(platform, copied) == ("ready", len(COPY_MARK + copied.body), None)


def test_a_conversion_that_had_ended_is_taken_even_where_conversions_were_turned_off_since() -> None:
    platform, converter, transfer = begun()
    converter.finish(BODY)
    platform.janitor.sweep()
    platform.janitor = replace(platform.janitor, renditions=replace(platform.janitor.renditions, conversions=None))
    sweep(platform)
    assert shown(platform, transfer) == ("ready", len(BODY), None)


def test_a_janitor_that_a_deployment_changes_last_forgets_no_rendition_of_the_new_setting() -> None:
    platform = platform_in_memory()
    platform.turn_conversions_on()
    on = platform.janitor.renditions
    platform.janitor = replace(platform.janitor, renditions=replace(on, is_on=False, conversions=None))
    transfer = completed(platform)
    platform.process(transfer)
    platform.clock.pass_time(minutes=5)
    platform.janitor.sweep()
    assert shown(platform, transfer) == ("pending", None, None)
    platform.janitor = replace(platform.janitor, renditions=on)
    platform.janitor.sweep()
    platform.converter.finish(BODY)
    sweep(platform)
    assert shown(platform, transfer) == ("ready", len(BODY), None)


def test_turned_off_and_on_again_a_made_rendition_stays_a_pending_one_is_forgotten_and_new_videos_get_one() -> None:
    platform, converter, made = begun()
    converter.finish(BODY)
    sweep(platform)
    pending = completed(platform)
    platform.process(pending)
    platform.janitor.sweep()
    on, processing = platform.janitor.renditions, platform.processing
    platform.processing = replace(processing, renditions=None)
    platform.janitor = replace(platform.janitor, renditions=replace(on, is_on=False, conversions=None))
    sweep(platform, times=2)
    platform.processing, platform.janitor = processing, replace(platform.janitor, renditions=on)
    sweep(platform, times=2)
    assert shown(platform, made) == ("ready", len(BODY), None)
    assert shown(platform, pending) is None
    assert not list(platform.records.markers())
    new = completed(platform)
    platform.process(new)
    platform.janitor.sweep()
    converter.finish(BODY)
    sweep(platform)
    assert shown(platform, new) == ("ready", len(BODY), None)


def test_the_job_of_a_video_that_was_deleted_before_its_id_was_noted_is_cancelled() -> None:
    platform, converter, transfer = not_begun()
    converter.raises = KilledError
    with pytest.raises(KilledError):
        platform.janitor.sweep()
    platform.library.delete(transfer.token.ref)
    sweep(platform, times=2)
    assert converter.cancelled == ["job-1"]
    assert not list(platform.records.markers())


def test_a_job_that_fails_is_told_as_failed() -> None:
    platform, converter, transfer = begun()
    converter.jobs["job-1"] = JobState.FAILED
    sweep(platform)
    assert shown(platform, transfer) == ("failed", None, "not_convertible")
    assert told(platform) == ["video.ready", "video.rendition_failed"]
    assert platform.meter.values["renditions_failed_count"] == [1]


def test_a_job_that_the_service_always_forgets_is_given_up() -> None:
    platform, converter, transfer = begun()
    for _ in range(MAX_ATTEMPTS + 2):
        converter.jobs.clear()
        sweep(platform)
    assert shown(platform, transfer) == ("failed", None, "unanswered")
    assert len(converter.begun) == MAX_ATTEMPTS


def test_a_conversion_that_the_service_forgot_again_and_again_is_taken_once_it_is_made() -> None:
    platform, converter, transfer = begun()
    for _ in range(MAX_ATTEMPTS - 1):
        converter.jobs.clear()
        sweep(platform)
    converter.finish(BODY)
    sweep(platform)
    assert shown(platform, transfer) == ("ready", len(BODY), None)


def test_a_job_that_never_ends_is_cancelled_and_given_up() -> None:
    platform, converter, transfer = begun()
    platform.clock.pass_time(hours=25)
    sweep(platform)
    assert shown(platform, transfer) == ("failed", None, "unanswered")
    assert converter.cancelled == ["job-1"], "one that completes is paid"


def test_a_job_that_runs_far_longer_than_its_video_claims_to_be_is_cancelled_and_given_up() -> None:
    platform, converter, transfer = begun()
    converter.running_since = platform.clock()
    platform.clock.pass_time(minutes=39)
    sweep(platform)
    assert not converter.cancelled, "an hour is nothing"
    platform.clock.pass_time(minutes=1)
    sweep(platform)
    assert converter.cancelled == ["job-1"]
    assert shown(platform, transfer) == ("failed", None, "unanswered")


def test_a_result_that_some_browsers_do_not_play_either_is_removed() -> None:
    platform, converter, transfer = begun()
    maker = platform.processing.renditions
    assert maker

    def still_hevc(read_range: object, size_bytes: int) -> Inspection:
        return inspected_of_hevc(lambda start, end: transfer.body[start:end], size_bytes)

    platform.processing = replace(platform.processing, renditions=replace(maker, inspect=still_hevc))
    converter.finish(BODY)
    sweep(platform)
    assert shown(platform, transfer) == ("failed", None, "not_convertible")
    assert not platform.videos.versions[transfer.token.ref.rendition_key]


def test_the_job_of_a_deleted_video_is_cancelled_and_what_it_wrote_is_hidden() -> None:
    platform, converter, transfer = begun()
    platform.library.delete(transfer.token.ref)
    converter.write(BODY)
    sweep(platform, times=2)
    assert converter.cancelled == ["job-1"]
    assert platform.videos.visible(transfer.token.ref.rendition_key) is None
    assert not list(platform.records.markers())
    assert "video.rendition_ready" not in told(platform)


def test_the_job_of_a_video_with_malware_is_cancelled_and_what_it_wrote_is_hidden() -> None:
    platform, converter, transfer = begun(ScanPolicy(is_on=True))
    platform.clock.pass_time(minutes=1)
    platform.scanned(transfer, ScanResult.CLEAN)
    platform.process_what_was_asked()
    platform.janitor.sweep()
    assert len(converter.jobs) == 1
    platform.scanned(transfer, ScanResult.INFECTED)
    platform.process_what_was_asked()
    assert record_of(platform, transfer).rejection == MALWARE
    converter.write(BODY)
    sweep(platform, times=2)
    assert converter.cancelled == ["job-1"]
    assert platform.videos.visible(transfer.token.ref.rendition_key) is None
    assert record_of(platform, transfer).rendition is None


def just_before(step: str) -> tuple[InMemoryPlatform, FakeConverter, Transfer]:
    platform = platform_in_memory()
    converter = platform.converter
    platform.turn_conversions_on()
    transfer = completed(platform)
    platform.process(transfer)
    if step == "begins the job":
        return platform, converter, transfer
    platform.janitor.sweep()
    if step == "stops it":
        platform.library.delete(transfer.token.ref)
        return platform, converter, transfer
    converter.finish(BODY)
    if step == "takes its result":
        platform.janitor.sweep()
    return platform, converter, transfer


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("step", ["begins the job", "notes its end", "takes its result", "stops it"])
def test_a_function_that_dies_at_any_call_leaves_one_job_and_one_rendition_or_none(
    when: Literal["before", "after"], step: str
) -> None:
    for at in range(1, MORE_CALLS_THAN_THERE_ARE):
        platform, converter, transfer = just_before(step)
        death = Interruption(platform, at, when)
        try:
            if step == "takes its result":
                platform.process_what_was_asked()
            else:
                platform.janitor.sweep()
        except KilledError:
            death.is_armed = False
        else:
            assert death.calls_left > 0, "killed, and nobody noticed"
            return
        sweep(platform)
        if step == "begins the job":
            converter.finish(BODY)
        sweep(platform, times=3)
        key = transfer.token.ref.rendition_key
        assert len(converter.jobs) == 1, at
        if step == "stops it":
            assert converter.cancelled == ["job-1"], at
            assert platform.videos.visible(key) is None, at
        else:
            assert shown(platform, transfer) == ("ready", len(BODY), None), at
            assert [one.tags for one in platform.videos.versions[key]] == [{"verdict": "accepted"}], at
            assert "video.rendition_ready" in told(platform), at
        assert not list(platform.records.markers()), at
    pytest.fail("it calls more often than that")
