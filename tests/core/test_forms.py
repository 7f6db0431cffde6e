"""Forms: whatever becomes of one, its marker goes in the end."""

import pytest

from chalicelib.core.errors import TooManyOpenUploadsError
from chalicelib.core.ports import StoredObject
from chalicelib.core.upload_requests import StartUpload
from tests.in_memory_platform import MP4_HEAD, OWNER, InMemoryPlatform

ENDS: dict[str, bytes | None] = {
    "never sent": None,
    "a video": MP4_HEAD,
    "no video": b"x" * len(MP4_HEAD),
    "another size": MP4_HEAD + b"x",
}


@pytest.mark.parametrize("is_deleted", [False, True])
@pytest.mark.parametrize("end", ENDS)
def test_no_form_leaves_a_marker(platform: InMemoryPlatform, end: str, *, is_deleted: bool) -> None:
    offered = platform.simple_uploads.start(OWNER, StartUpload("clip.mp4", "video/mp4", len(MP4_HEAD)))
    if body := ENDS[end]:
        version_id = platform.videos.put_object(offered.ref.file_key, body)
        platform.processing.process(StoredObject(offered.ref.file_key, version_id))
        assert not [marker for marker in platform.records.markers() if marker.is_reservation]
    if is_deleted:
        platform.library.delete(offered.ref)
    for _ in range(3):
        platform.clock.pass_time(hours=2)
        platform.janitor.sweep()
    assert not [*platform.records.markers()]


def test_a_form_that_was_deleted_before_it_was_sent_counts_while_it_may_be_sent(platform: InMemoryPlatform) -> None:
    film = StartUpload("clip.mp4", "video/mp4", len(MP4_HEAD))
    begin_and_delete = lambda: platform.library.delete(platform.simple_uploads.start(OWNER, film).ref)  # noqa: E731
    for _ in range(platform.room.caps.max_open_uploads):
        begin_and_delete()
    with pytest.raises(TooManyOpenUploadsError):
        begin_and_delete()
    platform.clock.pass_time(hours=2)
    platform.janitor.sweep()
    platform.simple_uploads.start(OWNER, film)


@pytest.mark.parametrize("is_sent_before", [False, True])
def test_a_form_sent_again_and_again_after_its_deletion_stores_nothing(
    platform: InMemoryPlatform, *, is_sent_before: bool
) -> None:
    key = (
        ref := platform.simple_uploads.start(OWNER, StartUpload("clip.mp4", "video/mp4", len(MP4_HEAD))).ref
    ).file_key
    if is_sent_before:
        platform.processing.process(StoredObject(key, platform.videos.put_object(key, MP4_HEAD)))
    platform.library.delete(ref)
    kept = len([version for version in platform.videos.versions[key] if version.body]) if is_sent_before else 0
    for _ in range(5):
        platform.processing.process(StoredObject(key, platform.videos.put_object(key, MP4_HEAD)))
    assert len([version for version in platform.videos.versions[key] if version.body]) == kept
