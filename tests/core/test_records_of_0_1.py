"""Records that version 0.1 wrote: what came since works on them, as on those of today."""

from datetime import timedelta

import pytest

from chalicelib.contract.views import listed_video, video
from chalicelib.core.completion import CompleteUpload
from chalicelib.core.index.queries import Query, Sort
from chalicelib.core.malware_scan import ScanPolicy, ScanResult
from chalicelib.core.processing import Processed
from chalicelib.core.retention_policy import RetentionPolicy
from tests.in_memory_platform import OWNER, InMemoryPlatform, Transfer, platform_in_memory
from tests.records_of_0_1 import as_written_by_0_1

POLICY = RetentionPolicy(stays=timedelta(days=30), warning=timedelta(days=14))
NEWEST = Query.of("", Sort.NEWEST)


@pytest.fixture
def platform() -> InMemoryPlatform:
    return platform_in_memory(retention=POLICY)


def written_by_0_1(platform: InMemoryPlatform, transfer: Transfer) -> None:
    """Take from the record what version 0.1 did not write, and the index, which it did not have."""
    key = transfer.token.ref.record_key
    platform.metadata.put(key, as_written_by_0_1(platform.metadata.objects[key][0]), "application/json")
    for each in [key for key in platform.metadata.objects if key.startswith("index/")]:
        del platform.metadata.objects[each]


def ready(platform: InMemoryPlatform) -> Transfer:
    transfer = platform.start(4096)
    transfer.send_and_complete()
    platform.process(transfer)
    written_by_0_1(platform, transfer)
    return transfer


def test_its_owner_and_administrators_see_count_and_delete_it(platform: InMemoryPlatform) -> None:
    transfer = ready(platform)
    shown = video(platform.library.show(transfer.token.ref))
    assert shown.playback_url
    assert shown.media
    assert (shown.media.playability, shown.rendition, shown.title, list(shown.tags)) == (None, None, None, [])
    (listed,) = platform.library.page(OWNER, query=NEWEST, limit=24, cursor="")[0]
    assert listed.record.video_id == transfer.token.video_id
    platform.folding.rebuild(None)
    (seen,), _ = platform.stage_library.page("ada", owner="", query=NEWEST, limit=2, cursor="")
    assert listed_video(seen).file_name == "film.mp4"
    assert platform.room.usage(OWNER).stored_bytes == 4096
    platform.stage_library.delete("ada", transfer.token.ref)
    assert platform.room.usage(OWNER).stored_bytes == 0
    assert platform.notifier.messages[-1]["type"] == "video.deleted"


def test_retention_warns_of_it_before_it_deletes_it(platform: InMemoryPlatform) -> None:
    transfer = ready(platform)
    platform.clock.pass_time(days=400)
    platform.retention.walk()
    assert platform.record_state(transfer) == "ready"
    assert platform.notifier.messages[-1]["type"] == "video.expiring"
    for _ in range(15):
        platform.clock.pass_time(days=1)
        platform.retention.walk()
    assert platform.record_state(transfer) == "deleted"


def test_an_open_upload_goes_on_and_is_scanned_where_scans_were_turned_on(platform: InMemoryPlatform) -> None:
    transfer = platform.start()
    etags = transfer.send_parts()
    written_by_0_1(platform, transfer)
    assert platform.uploads.stored_parts(transfer.token)[1]
    platform.change_scans(ScanPolicy(is_on=True))
    platform.completions.complete(transfer.token, CompleteUpload(etags, None, None, None))
    assert platform.process(transfer) is Processed.WAITING
    platform.scanned(transfer, ScanResult.CLEAN)
    platform.process_what_was_asked()
    assert platform.record_state(transfer) == "ready"


def test_malware_that_is_found_in_it_takes_it_back(platform: InMemoryPlatform) -> None:
    transfer = ready(platform)
    platform.change_scans(ScanPolicy(is_on=True))
    platform.scanned(transfer, ScanResult.INFECTED)
    platform.process_what_was_asked()
    shown = video(platform.library.show(transfer.token.ref))
    assert shown.rejection
    assert (shown.state, shown.rejection.code, shown.playback_url) == ("rejected", "malware", None)
