"""The list of unfinished uploads: what S3 holds of each, and how long ago its newest part came."""

from datetime import timedelta

import pytest

from chalicelib.core.multipart_upload import MAX_COUNTED_UPLOADS, Received
from chalicelib.core.ports import StoredPart
from chalicelib.core.video_record import State
from tests.in_memory_platform import OWNER, InMemoryPlatform, Transfer


def received(platform: InMemoryPlatform) -> list[Received | None]:
    return [upload.received for upload in platform.uploads.open_uploads(OWNER, with_tokens=True)]


def put_part(platform: InMemoryPlatform, transfer: Transfer, number: int) -> None:
    platform.videos.put_part(transfer.token.upload_id, number, transfer.body[:100])


def test_an_upload_is_idle_since_its_newest_part_whatever_the_parts_number(platform: InMemoryPlatform) -> None:
    transfer = platform.start()
    platform.clock.pass_time(seconds=30)
    assert received(platform) == [Received(size_bytes=0, idle_seconds=30)]
    put_part(platform, transfer, 2)
    platform.clock.pass_time(seconds=20)
    put_part(platform, transfer, 1)
    assert received(platform) == [Received(size_bytes=200, idle_seconds=0)]
    platform.clock.pass_time(hours=1)
    assert received(platform) == [Received(size_bytes=200, idle_seconds=3600)]


def test_a_clock_of_s3_that_is_ahead_makes_no_upload_idle_for_less_than_no_time(
    platform: InMemoryPlatform, monkeypatch: pytest.MonkeyPatch
) -> None:
    transfer = platform.start()
    put_part(platform, transfer, 1)
    (part,) = platform.videos.list_parts(transfer.key, transfer.token.upload_id)
    ahead = StoredPart(1, 100, part.etag, None, platform.clock() + timedelta(minutes=1))
    monkeypatch.setattr(platform.videos, "list_parts", lambda _key, _upload_id: [ahead])
    assert received(platform) == [Received(size_bytes=100, idle_seconds=0)]


def test_an_upload_that_s3_has_dropped_is_not_listed(platform: InMemoryPlatform) -> None:
    dropped, there = platform.start(), platform.start()
    platform.videos.abort_multipart_upload(dropped.key, dropped.token.upload_id)
    listed = platform.uploads.open_uploads(OWNER, with_tokens=True)
    assert [upload.record.ref for upload in listed] == [there.token.ref]
    assert platform.uploads.find(dropped.token).state is State.UPLOADING, "the janitor settles it"


def test_beyond_the_newest_fifty_s3_is_not_asked(platform: InMemoryPlatform, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("chalicelib.core.multipart_upload.MAX_COUNTED_UPLOADS", 1)
    assert MAX_COUNTED_UPLOADS == 50
    platform.start()
    platform.start()
    assert received(platform) == [Received(size_bytes=0, idle_seconds=0), None]
