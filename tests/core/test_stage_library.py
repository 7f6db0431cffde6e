"""Administrators: list, search, view and delete the videos of all users, each time with an audit record."""

import logging
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from chalicelib.core.errors import IndexMissingError, InvalidRequestError, VideoNotFoundError
from chalicelib.core.index.queries import Query, Sort
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


def found_in(
    platform: InMemoryPlatform, *, owner: str = "", query: str = "", sort: Sort = Sort.NEWEST, limit: int = 2
) -> list[str]:
    """All pages of a search."""
    asked = Query.of(query, sort)
    found: list[VideoRecord] = []
    cursor: str | None = ""
    while cursor is not None:
        page, cursor = platform.stage_library.page(ADMINISTRATOR, owner=owner, query=asked, limit=limit, cursor=cursor)
        assert len(page) <= limit
        found += page
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


@pytest.fixture(params=["by records", "by the index"])
def indexed(request: pytest.FixtureRequest, platform: InMemoryPlatform) -> Callable[[], object]:
    """Makes the stage's index, or leaves it to the records."""
    return platform.folding.fold if request.param == "by the index" else lambda: None


def test_all_users_videos_are_listed_once_and_newest_first(
    platform: InMemoryPlatform, indexed: Callable[[], object]
) -> None:
    for owner, name in (("b", "1.mp4"), ("a", "2.mp4"), ("b", "3.mp4"), ("c", "4.mp4")):
        finished(platform, owner, name)
    indexed()
    platform.library.delete(finished(platform, "a", "5.mp4").token.ref)
    assert found_in(platform) == ["c 4.mp4", "b 3.mp4", "a 2.mp4", "b 1.mp4"]
    assert found_in(platform, sort=Sort.NAME_DESCENDING) == ["c 4.mp4", "b 3.mp4", "a 2.mp4", "b 1.mp4"]
    assert found_in(platform, sort=Sort.OLDEST, owner="b") == ["b 1.mp4", "b 3.mp4"]


def test_a_search_is_by_owner_and_by_words_of_name_title_and_tags(
    platform: InMemoryPlatform, indexed: Callable[[], object]
) -> None:
    for owner, name in (("b", "Holiday.mp4"), ("a", "work.mp4"), ("a", "holidays 2.mp4"), ("ab", "x.mp4")):
        finished(platform, owner, name)
    indexed()
    assert found_in(platform, query="HOLIDAY") == ["a holidays 2.mp4", "b Holiday.mp4"]
    titled = finished(platform, "c", "4.mp4").token.ref
    platform.library.edit(titled, lambda labels: labels._replace(title="The S\u00e9a", tags=("summer",)))
    assert found_in(platform, query="sea summer") == ["c 4.mp4"]
    assert found_in(platform, owner="a") == ["a holidays 2.mp4", "a work.mp4"]
    assert found_in(platform, owner="a", query="work") == ["a work.mp4"]
    assert found_in(platform, query="nothing") == []


@pytest.mark.parametrize("count", [3, 300])
def test_a_page_of_the_stage_costs_three_calls_at_any_size(
    platform: InMemoryPlatform, monkeypatch: pytest.MonkeyPatch, count: int
) -> None:
    for number in range(count):
        platform.clock.pass_time(seconds=1)
        platform.start(owner=f"owner-{number}")
    platform.folding.fold()
    asked: list[str] = []
    for name in ("get", "get_newer", "list_keys"):
        call = getattr(platform.metadata, name)

        def counted(*given: Any, _call: Any = call, _name: str = name, **named: Any) -> Any:
            asked.append(_name)
            return _call(*given, **named)

        monkeypatch.setattr(platform.metadata, name, counted)
    platform.stage_library.page(ADMINISTRATOR, owner="", query=Query.of("", Sort.NAME), limit=24, cursor="")
    assert len(asked) == 3


def test_a_large_stage_without_an_index_says_so_and_asks_for_one(platform: InMemoryPlatform) -> None:
    for number in range(4):
        platform.clock.pass_time(seconds=1)
        platform.start(owner=f"owner-{number}")
    for listed in list(platform.metadata.list_keys("index/")):
        platform.metadata.delete(listed.key)
    library = replace(platform.library, most_read_records=3)
    platform.stage_library = replace(platform.stage_library, library=library)
    with pytest.raises(IndexMissingError):
        found_in(platform)
    platform.folding.fold()
    assert len(found_in(platform)) == 4


def test_a_cursor_of_another_search_is_refused(platform: InMemoryPlatform) -> None:
    for name in ("1.mp4", "2.mp4"):
        finished(platform, "a", name)
    _, cursor = platform.stage_library.page(ADMINISTRATOR, owner="", query=Query.of("mp4"), limit=1, cursor="")
    assert cursor
    for other in (Query.of("2"), Query.of("mp4", Sort.NAME)):
        with pytest.raises(InvalidRequestError):
            platform.stage_library.page(ADMINISTRATOR, owner="", query=other, limit=1, cursor=cursor)


def test_several_videos_are_deleted_each_for_itself_and_each_on_record(
    platform: InMemoryPlatform, audit: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    first, failing, last = (finished(platform, owner).token.ref for owner in ("a", "b", "c"))
    unknown = VideoRef("d", "f" * 28)
    delete = platform.videos.delete

    def sometimes(file_key: str) -> None:
        if file_key == failing.file_key:
            raise ConnectionError
        delete(file_key)

    with monkeypatch.context() as broken:
        broken.setattr(platform.videos, "delete", sometimes)
        outcomes = platform.stage_library.delete_each(ADMINISTRATOR, [first, failing, unknown, last])
    assert outcomes == ["deleted", "failed", "not_found", "deleted"]
    assert [(each["action"], each["owner"]) for each in audit] == [("delete video", owner) for owner in "abdc"]
    assert platform.stage_library.delete_each(ADMINISTRATOR, [first, failing]) == ["deleted", "deleted"]
    assert found_in(platform) == []


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
    platform.stage_library.page(ADMINISTRATOR, owner="", query=Query.of("film"), limit=5, cursor="")
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
