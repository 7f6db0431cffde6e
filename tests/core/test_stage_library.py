"""Administrators: list, search, view and delete the videos of all users, each time with an audit record."""

import logging
from dataclasses import replace
from typing import Any

import pytest

from chalicelib.core.errors import VideoNotFoundError
from chalicelib.core.log_context import current_ids, invocation
from chalicelib.core.stage_library import AUDIT_MESSAGE
from chalicelib.core.video_id import VideoRef
from chalicelib.core.video_record import Deleter, VideoRecord
from tests.in_memory_platform import InMemoryPlatform, Transfer

ADMINISTRATOR = "ada"


def finished(platform: InMemoryPlatform, owner: str, file_name: str = "film.mp4") -> Transfer:
    platform.clock.pass_time(seconds=1)
    transfer = platform.start(size_bytes=4096, owner=owner)
    platform.records.change(transfer.token.ref, lambda record: replace(record, file_name=file_name))
    transfer.send_and_complete()
    platform.process(transfer)
    return transfer


def found_in(platform: InMemoryPlatform, *, owner: str = "", name: str = "", limit: int = 2) -> list[str]:
    """All pages of a search."""
    found: list[VideoRecord] = []
    after: VideoRef | None = None
    while True:
        page, after = platform.stage_library.page(ADMINISTRATOR, owner=owner, name=name, limit=limit, after=after)
        assert len(page) <= limit
        found += page
        if after is None:
            return [f"{record.owner} {record.file_name}" for record in found]


class Audit(logging.Handler):
    """Audit records, with the ids that their log lines carry."""

    def __init__(self) -> None:
        super().__init__()
        self.records: list[dict[str, Any]] = []

    def emit(self, record: logging.LogRecord) -> None:
        if record.getMessage() == AUDIT_MESSAGE:
            given = {name: vars(record)[name] for name in ("administrator", "action", "videos") if name in vars(record)}
            self.records.append({**current_ids(), **given})


@pytest.fixture
def audit(caplog: pytest.LogCaptureFixture) -> Any:
    caplog.set_level(logging.INFO)
    handler = Audit()
    logging.getLogger("chalicelib.core.stage_library").addHandler(handler)
    with invocation(request_id="request-1"):
        yield handler.records
    logging.getLogger("chalicelib.core.stage_library").removeHandler(handler)


def test_all_users_videos_are_listed_once_by_owner_and_newest_first(platform: InMemoryPlatform) -> None:
    for owner, name in (("b", "1.mp4"), ("a", "2.mp4"), ("b", "3.mp4"), ("c", "4.mp4")):
        finished(platform, owner, name)
    platform.library.delete(finished(platform, "a", "5.mp4").token.ref)
    assert found_in(platform) == ["a 2.mp4", "b 3.mp4", "b 1.mp4", "c 4.mp4"]


def test_a_search_is_by_owner_and_by_a_part_of_the_name_in_any_case(platform: InMemoryPlatform) -> None:
    for owner, name in (("b", "Holiday.mp4"), ("a", "work.mp4"), ("a", "holidays 2.mp4"), ("ab", "x.mp4")):
        finished(platform, owner, name)
    assert found_in(platform, name="HOLIDAY") == ["a holidays 2.mp4", "b Holiday.mp4"]
    titled = finished(platform, "c", "4.mp4").token.ref
    platform.records.change(titled, lambda record: replace(record, title="The Sea"))
    assert found_in(platform, name="sea") == ["c 4.mp4"]
    assert found_in(platform, owner="a") == ["a holidays 2.mp4", "a work.mp4"]
    assert found_in(platform, owner="a", name="work") == ["a work.mp4"]
    assert found_in(platform, name="nothing") == []


def test_a_call_of_a_search_reads_a_bounded_number_of_records(platform: InMemoryPlatform) -> None:
    for number in range(7):
        finished(platform, f"owner-{number}", f"{number}.mp4")
    bounded = replace(platform.stage_library, most_read_records=3)
    page, after = bounded.page(ADMINISTRATOR, owner="", name="6.mp4", limit=5, after=None)
    assert page == []
    assert after
    assert after.owner == "owner-2"
    assert found_in(replace(platform, stage_library=bounded), name="6.mp4") == ["owner-6 6.mp4"]


def test_an_administrator_views_and_deletes_any_video_and_subscribers_hear_who_did(
    platform: InMemoryPlatform,
) -> None:
    transfer = finished(platform, "b")
    seen = platform.stage_library.show(ADMINISTRATOR, transfer.token.ref)
    assert seen.urls
    assert transfer.key in seen.urls.playback_url
    platform.stage_library.delete(ADMINISTRATOR, transfer.token.ref)
    record = platform.records.find(transfer.token.ref)
    assert record
    assert record.deleted_by is Deleter.ADMINISTRATOR
    with pytest.raises(VideoNotFoundError):
        platform.stage_library.show(ADMINISTRATOR, transfer.token.ref)


def test_each_look_and_deletion_names_the_administrator_the_action_the_owner_and_the_video(
    platform: InMemoryPlatform, audit: list[dict[str, Any]]
) -> None:
    ref = finished(platform, "b").token.ref
    platform.stage_library.page(ADMINISTRATOR, owner="", name="film", limit=5, after=None)
    platform.stage_library.show(ADMINISTRATOR, ref)
    platform.stage_library.show_usage(ADMINISTRATOR)
    platform.stage_library.delete(ADMINISTRATOR, ref)
    who = {"requestId": "request-1", "administrator": ADMINISTRATOR}
    about = {"owner": "b", "videoId": ref.video_id}
    assert audit == [
        {**who, "action": "list videos", "videos": f"b/{ref.video_id}"},
        {**who, **about, "action": "show video"},
        {**who, "action": "show usage"},
        {**who, **about, "action": "delete video"},
    ]


def test_a_failed_deletion_is_on_record(platform: InMemoryPlatform, audit: list[dict[str, Any]]) -> None:
    unknown = VideoRef("b", "f" * 28)
    with pytest.raises(VideoNotFoundError):
        platform.stage_library.delete(ADMINISTRATOR, unknown)
    assert [(each["action"], each["owner"], each["videoId"]) for each in audit] == [("delete video", "b", "f" * 28)]


def test_the_stages_usage_is_the_last_count_and_the_reservations_of_now(platform: InMemoryPlatform) -> None:
    assert platform.stage_library.show_usage(ADMINISTRATOR).count is None
    finished(platform, "a")
    platform.stage_usage.record()
    platform.start(size_bytes=1000, owner="b")
    shown = platform.stage_library.show_usage(ADMINISTRATOR)
    assert shown.count
    assert (shown.count.stored_bytes, shown.count.stored_videos) == (4096, 1)
    assert (shown.reserved_bytes, shown.reserved_videos) == (1000, 1)
