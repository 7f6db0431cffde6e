"""An owner's index as a library shows it, and the changes that wait for a folding."""

from chalicelib.core.index.lines import record_in
from chalicelib.core.index.queries import NEWEST_FIRST
from chalicelib.core.video_record import VideoRecord
from tests.in_memory_platform import OWNER, InMemoryPlatform


def shown_of(platform: InMemoryPlatform) -> list[VideoRecord]:
    view = platform.library.index.view(OWNER)
    assert view is not None
    return [record_in(line.facts) for line in view.page(NEWEST_FIRST, 1000)[0]]


def ids_shown(platform: InMemoryPlatform) -> list[str]:
    return [record.video_id for record in shown_of(platform)]


def keys_of_changes(platform: InMemoryPlatform) -> list[str]:
    return [key for key in platform.metadata.objects if key.startswith("index/new/")]
