"""The model's requests are those that the app makes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from chalicelib.adapters.outbox_notifier import OutboxNotifier
from chalicelib.core.errors import TooManyOpenUploadsError
from chalicelib.core.malware_scan import ScanPolicy, ScanResult
from chalicelib.core.outbox import outbox_key
from chalicelib.core.retention_policy import RetentionPolicy
from chalicelib.core.upload_links import NewLink
from chalicelib.core.upload_requests import StartUpload
from chalicelib.core.upload_token import LinkToken
from chalicelib.core.video_events import owed_event
from chalicelib.core.video_record import State
from costs import month
from costs.month import VIDEOS_A_PAGE
from tests.costs.billed_calls import KINDS
from tests.in_memory_films import COPY_MARK
from tests.in_memory_platform import OWNER, InMemoryPlatform
from tests.outside_calls import around_calls

CALLS = {event: Counter(counts) for event, counts in month.requests_by_event().items()}
PROCESSING = CALLS["processing"] + CALLS["storing_thumbnails"]
"""The inspector of the fake platform reads nothing beyond the head."""


@pytest.fixture
def counted(platform: InMemoryPlatform) -> Counter[str]:
    """Counter of the billed requests that are made from now on."""
    asked: Counter[str] = Counter()

    def counting(name: str, _arguments: tuple[Any, ...], call: Callable[[], Any]) -> Any:
        port, _, method = name.partition(".")
        # The fake writes a tombstone through its other write, which counts.
        asked[KINDS[port][method]] += method != "retire_if_unchanged"
        return call()

    around_calls(platform, KINDS, counting)
    return asked


def test_starting_an_upload_asks_what_the_model_bills(platform: InMemoryPlatform, counted: Counter[str]) -> None:
    started = platform.start(correlation_id="an-upload")
    # The authorizer verifies the client's token at the next request.
    assert counted == CALLS["starting"] + CALLS["authorizing"]
    assert started.token


def test_an_upload_by_a_link_asks_what_the_table_says_more(platform: InMemoryPlatform, counted: Counter[str]) -> None:
    asked = NewLink(title="Match day", note=None, valid=timedelta(days=1), max_videos=9, max_bytes=10**12)
    made = platform.links.make(OWNER, asked)
    counted.clear()
    link = platform.links.open(LinkToken("k1", OWNER, made.link_id))
    request = StartUpload("film.mp4", "video/mp4", 10 * 2**20, origin=link.origin("Ada"))
    started = platform.uploads.start(OWNER, request, "an-upload", link)
    token = platform.tokens.verify(started.token)
    assert counted == CALLS["starting"] + CALLS["starting_by_a_link"] + CALLS["authorizing"]
    counted.clear()
    platform.uploads.sign_parts(token, platform.uploads.find_open(token), {1: None})
    assert counted == CALLS["signing"] + CALLS["checking_a_link"]


def test_counting_what_is_stored_asks_what_the_model_bills(platform: InMemoryPlatform, counted: Counter[str]) -> None:
    caps = replace(platform.room.caps, max_stored_videos=10)
    platform.uploads = replace(platform.uploads, room=replace(platform.room, caps=caps))
    platform.start(correlation_id="an-upload")
    assert counted == CALLS["starting"] + CALLS["counting"] + CALLS["authorizing"]


def test_comparing_with_the_stage_and_counting_it_ask_what_the_model_bills(
    platform: InMemoryPlatform, counted: Counter[str]
) -> None:
    platform.stage_usage.record()
    assert counted == CALLS["gauging"] + CALLS["counting_the_stage"]
    counted.clear()
    platform.stage_usage.record()
    assert counted == CALLS["gauging"]
    counted.clear()
    limited = replace(platform.stage_usage, max_bytes=2**40)
    platform.uploads = replace(platform.uploads, room=replace(platform.room, stage=limited))
    platform.start(correlation_id="an-upload")
    assert counted == CALLS["starting"] + CALLS["comparing_with_the_stage"] + CALLS["authorizing"]


def test_a_refused_init_asks_for_one_list_and_writes_nothing(platform: InMemoryPlatform, counted: Counter[str]) -> None:
    for _ in range(platform.room.caps.max_open_uploads):
        platform.start(1)
    for correlation_id, expected in ((None, Counter(s3_writes=1)), ("an-upload", CALLS["refusing"])):
        kept = dict(platform.metadata.objects)
        counted.clear()
        with pytest.raises(TooManyOpenUploadsError):
            platform.start(1, correlation_id=correlation_id)
        assert counted == expected
        assert platform.metadata.objects == kept
    counted.clear()
    with pytest.raises(TooManyOpenUploadsError):
        platform.simple_uploads.start(OWNER, StartUpload("film.mp4", "video/mp4", 1))
    assert counted == Counter(s3_writes=1)


def test_signing_further_parts_asks_what_the_model_bills(platform: InMemoryPlatform, counted: Counter[str]) -> None:
    transfer = platform.start()
    counted.clear()
    record = platform.uploads.find_open(transfer.token)
    platform.uploads.sign_parts(transfer.token, record, {1: None})
    assert counted == CALLS["signing"]


def test_completing_an_upload_asks_what_the_model_bills(platform: InMemoryPlatform, counted: Counter[str]) -> None:
    transfer = platform.start()
    etags = transfer.send_parts()
    counted.clear()
    platform.completions.complete(transfer.token, transfer.completion(etags))
    assert counted == CALLS["completing"]


def test_processing_a_video_asks_what_the_model_bills(platform: InMemoryPlatform, counted: Counter[str]) -> None:
    transfer = platform.start()
    transfer.send_and_complete()
    counted.clear()
    platform.process(transfer)
    assert counted == PROCESSING


def test_a_copy_of_a_video_asks_what_the_model_bills_more(platform: InMemoryPlatform, counted: Counter[str]) -> None:
    platform.change_renditions(makes=True)
    transfer = platform.start()
    transfer.send_and_complete()
    counted.clear()
    platform.process(transfer)
    assert counted == PROCESSING + CALLS["copying"]


def test_a_conversion_asks_what_the_model_bills_more(platform: InMemoryPlatform, counted: Counter[str]) -> None:
    platform.turn_conversions_on()
    transfer = platform.start()
    transfer.send_and_complete()
    counted.clear()
    platform.process(transfer)
    platform.janitor.sweep()
    platform.converter.finish(COPY_MARK + transfer.body)
    platform.janitor.renditions.job_changed(transfer.token.ref)
    platform.process_what_was_asked()
    assert counted == PROCESSING + CALLS["converting"] + CALLS["sweeping"] + CALLS["sweeping_one"]


def test_a_scan_whose_verdict_comes_second_asks_what_the_model_bills_more(
    platform: InMemoryPlatform, counted: Counter[str]
) -> None:
    platform.change_scans(ScanPolicy(is_on=True))
    transfer = platform.start()
    transfer.send_and_complete()
    counted.clear()
    platform.process(transfer)
    platform.scanned(transfer, ScanResult.CLEAN)
    platform.process_what_was_asked()
    by_guardduty = Counter(s3_reads=1)
    assert counted + by_guardduty == PROCESSING + CALLS["scanning"]


def test_the_janitor_asks_for_one_open_upload_what_the_model_bills(
    platform: InMemoryPlatform, counted: Counter[str]
) -> None:
    platform.start()
    counted.clear()
    platform.janitor.sweep()
    assert counted == CALLS["sweeping"] + CALLS["sweeping_one"]


def test_expiring_an_upload_asks_what_the_model_bills(platform: InMemoryPlatform, counted: Counter[str]) -> None:
    platform.start()
    platform.clock.pass_time(days=8)
    counted.clear()
    platform.janitor.sweep()
    # S3 is asked whether parts are left after dropping them; this fake platform drops all.
    listed = Counter(s3_writes=1)
    assert counted + listed == CALLS["sweeping"] + CALLS["sweeping_one"] + CALLS["expiring"]


def test_retention_asks_what_the_model_bills(platform: InMemoryPlatform, counted: Counter[str]) -> None:
    platform.change_retention(RetentionPolicy(stays=timedelta(days=30), warning=timedelta(days=14)))
    transfer = platform.start()
    transfer.send_and_complete()
    platform.process(transfer)

    def walk(days: int) -> Counter[str]:
        counted.clear()
        for _ in range(days):
            platform.clock.pass_time(days=1)
            platform.retention.walk()
        return Counter(counted)

    once = CALLS["pacing_the_walk"] + CALLS["noting_a_walk"] + CALLS["walking"]
    assert walk(1) == once
    platform.retention.walk()
    assert counted == once + CALLS["pacing_the_walk"]
    assert walk(14) == Counter({kind: 14 * count for kind, count in once.items()})
    assert walk(1) == once + CALLS["looking_at_an_old_video"] + CALLS["warning"]
    assert walk(13) == Counter({kind: 13 * count for kind, count in (once + CALLS["looking_at_an_old_video"]).items()})
    deleting = once + CALLS["looking_at_an_old_video"] + CALLS["deleting_an_old_video"]
    assert walk(1) == deleting


def test_a_look_at_a_video_and_at_open_uploads_asks_what_the_model_bills(
    platform: InMemoryPlatform, counted: Counter[str]
) -> None:
    transfer = platform.start()
    counted.clear()
    platform.library.show(transfer.token.ref)
    assert counted == CALLS["asking"]
    counted.clear()
    platform.uploads.open_uploads("somebody-else", with_tokens=True)
    assert counted == CALLS["resuming"]


def test_a_full_page_of_the_library_asks_what_the_model_bills(
    platform: InMemoryPlatform, counted: Counter[str]
) -> None:
    for _ in range(VIDEOS_A_PAGE + 1):
        transfer = platform.start(size_bytes=1024)
        transfer.send_and_complete()
        platform.process(transfer)
    platform.folding.fold()
    counted.clear()
    page, _ = platform.library.page(OWNER, VIDEOS_A_PAGE, "")
    assert len(page) == VIDEOS_A_PAGE
    # These URLs are signed without KMS.
    assert counted + Counter(kms_signatures=2) == CALLS["browsing"]


def test_folding_the_index_asks_what_the_model_bills(platform: InMemoryPlatform, counted: Counter[str]) -> None:
    platform.start(size_bytes=1024)
    platform.folding.fold()
    counted.clear()
    platform.folding.fold()
    assert counted == CALLS["folding"]
    transfer = platform.start(size_bytes=1024)
    transfer.send_and_complete()
    platform.process(transfer)
    counted.clear()
    platform.folding.fold()
    assert counted == CALLS["folding"] + CALLS["folding_one"]


def test_a_message_by_the_outbox_asks_what_the_model_bills_more(
    platform: InMemoryPlatform, counted: Counter[str]
) -> None:
    record = platform.start().started.record
    event = owed_event(record.moved_to(State.READY, platform.clock()))
    assert event
    counted.clear()
    OutboxNotifier(platform.metadata).announce(event)
    platform.outbox.send(outbox_key(event.id))
    assert counted == CALLS["sending_by_outbox"]
    counted.clear()
    platform.outbox.send_delayed()
    assert counted == CALLS["looking_into_the_outbox"]
