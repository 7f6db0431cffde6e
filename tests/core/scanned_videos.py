"""Videos of a stage that scans for malware, and what becomes of them."""

from chalicelib.core.malware_scan import ScanPolicy
from chalicelib.core.processing import Processed
from chalicelib.core.video_record import VideoRecord
from tests.in_memory_platform import InMemoryPlatform, Transfer

SCAN = ScanPolicy(is_on=True)
SCAN_OR_ACCEPT = ScanPolicy(is_on=True, accepts_unscanned=True)


def completed(platform: InMemoryPlatform) -> Transfer:
    transfer = platform.start(size_bytes=4096)
    transfer.send_and_complete()
    return transfer


def waiting(platform: InMemoryPlatform) -> Transfer:
    transfer = completed(platform)
    assert platform.process(transfer) is Processed.WAITING
    return transfer


def record_of(platform: InMemoryPlatform, transfer: Transfer) -> VideoRecord:
    record = platform.records.find(transfer.token.ref)
    assert record
    return record


def tag_of(platform: InMemoryPlatform, transfer: Transfer) -> str | None:
    return platform.videos.versions[transfer.key][-1].tags.get("verdict")


def states_told(platform: InMemoryPlatform) -> list[str]:
    return [str(message["state"]) for message in platform.notifier.messages]


def rejected_as(platform: InMemoryPlatform, transfer: Transfer) -> str:
    record = record_of(platform, transfer)
    assert record.state.value == "rejected"
    assert record.rejection
    assert record.media is None
    assert tag_of(platform, transfer) == "rejected"
    assert platform.metadata.get(record.ref.poster_key) is None
    assert not list(platform.records.markers())
    return record.rejection.code
