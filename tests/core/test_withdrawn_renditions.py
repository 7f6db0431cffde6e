"""Copies of videos in which a late scan found malware: nobody plays them, whenever they were made."""

from typing import Any

import pytest

from chalicelib.core.malware_scan import ScanPolicy, ScanResult
from chalicelib.core.video_id import VideoRef
from tests.in_memory_platform import InMemoryPlatform, Transfer, platform_in_memory
from tests.outside_calls import KilledError


@pytest.fixture
def scanning() -> InMemoryPlatform:
    platform = platform_in_memory(ScanPolicy(is_on=True))
    platform.change_renditions(makes=True)
    return platform


def awaiting_scan(platform: InMemoryPlatform) -> Transfer:
    transfer = platform.start()
    transfer.send_and_complete()
    platform.process(transfer)
    return transfer


def found_clean(platform: InMemoryPlatform, transfer: Transfer) -> None:
    platform.scanned(transfer, ScanResult.CLEAN)
    platform.process_what_was_asked()


def found_infected(platform: InMemoryPlatform, transfer: Transfer) -> None:
    platform.scanned(transfer, ScanResult.INFECTED)
    platform.process_what_was_asked()


def readable_versions(platform: InMemoryPlatform, ref: VideoRef) -> list[str]:
    """Versions of the copy that a signed URL still opens."""
    return [
        version.version_id
        for version in platform.videos.versions[ref.rendition_key]
        if version.tags.get("verdict") == "accepted"
    ]


def test_a_url_of_the_copy_that_was_given_out_before_opens_nothing(scanning: InMemoryPlatform) -> None:
    transfer = awaiting_scan(scanning)
    found_clean(scanning, transfer)
    ref = transfer.token.ref
    assert readable_versions(scanning, ref)
    found_infected(scanning, transfer)
    assert not readable_versions(scanning, ref)
    assert scanning.videos.visible(ref.rendition_key) is None


def test_a_copy_that_is_finished_while_its_video_is_withdrawn_is_hidden(
    scanning: InMemoryPlatform, monkeypatch: pytest.MonkeyPatch
) -> None:
    transfer = awaiting_scan(scanning)
    ref, maker = transfer.token.ref, scanning.processing.renditions
    assert maker
    change = scanning.records.change

    def killed(*arguments: Any) -> str:
        raise KilledError

    with monkeypatch.context() as deadly:
        deadly.setattr(scanning.renditions, "begin", killed)
        with pytest.raises(KilledError):
            found_clean(scanning, transfer)

    def overtaken(*arguments: Any) -> Any:
        # The other function's copy is done between the hiding of objects and the change of the record.
        monkeypatch.undo()
        maker.advance(ref)
        return change(*arguments)

    scanning.scanned(transfer, ScanResult.INFECTED)
    monkeypatch.setattr(scanning.records, "change", overtaken)
    scanning.process_what_was_asked()
    assert scanning.record_state(transfer) == "rejected"
    assert not readable_versions(scanning, ref)
    assert scanning.videos.visible(ref.rendition_key) is None


def test_a_copy_whose_function_dies_after_its_video_was_withdrawn_is_hidden_by_the_repeated_event(
    scanning: InMemoryPlatform, monkeypatch: pytest.MonkeyPatch
) -> None:
    transfer = awaiting_scan(scanning)
    ref = transfer.token.ref
    complete, set_verdict = scanning.renditions.complete, scanning.videos.set_verdict

    def withdrawn_before(*arguments: Any) -> str:
        found_infected(scanning, transfer)
        return complete(*arguments)

    def killed_after(key: str, version_id: str, verdict: str) -> None:
        set_verdict(key, version_id, verdict)
        if (key, verdict) == (ref.rendition_key, "accepted"):
            raise KilledError

    with monkeypatch.context() as deadly:
        deadly.setattr(scanning.renditions, "complete", withdrawn_before)
        deadly.setattr(scanning.videos, "set_verdict", killed_after)
        with pytest.raises(KilledError):
            found_clean(scanning, transfer)
    assert scanning.videos.visible(ref.rendition_key)
    scanning.process(transfer)
    assert not readable_versions(scanning, ref)
    assert scanning.videos.visible(ref.rendition_key) is None
