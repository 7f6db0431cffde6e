"""Forms: whatever becomes of one, its marker goes in the end."""

import pytest

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
