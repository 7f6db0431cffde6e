"""Queries of a library: words, orders and cursors, answered from records, told changes and packs alike."""

import base64
import json
from datetime import timedelta

import pytest

from chalicelib.core.errors import InvalidRequestError
from chalicelib.core.index.queries import Query, Sort
from chalicelib.core.part_plan import MIN_PART_BYTES
from chalicelib.core.upload_requests import StartUpload
from chalicelib.core.video_id import VideoRef, new_video_id
from chalicelib.core.video_record import VideoRecord
from tests.in_memory_platform import OWNER, InMemoryPlatform, platform_in_memory

VIDEOS = (  # file name, size, title, tags
    ("b.mp4", 30, None, ("Goal",)),
    ("a.mp4", 10, "Straße am Meer", ()),
    ("C.mp4", 20, None, ("goal kick",)),
    ("zoo.mp4", 20, "Éclair", ()),
)


@pytest.fixture(params=["records", "changes", "packs", "both"])
def platform(request: pytest.FixtureRequest) -> InMemoryPlatform:
    """A library that is read from the layers that the parameter names."""
    platform = platform_in_memory()
    if request.param in {"changes", "both"}:
        platform.folding.rebuild(OWNER)
    for number, (name, size, title, tags) in enumerate(VIDEOS):
        platform.clock.pass_time(seconds=1)
        record = VideoRecord.begun(
            VideoRef(OWNER, new_video_id(platform.clock())),
            StartUpload(name, "video/mp4", size),
            part_size_bytes=MIN_PART_BYTES,
            upload_id="upload",
            now=platform.clock(),
            ttl=timedelta(days=7),
        )
        platform.records.create(record.noted(title=title, tags=tags))
        if request.param == "both" and number == 1:
            platform.folding.fold()
    if request.param == "packs":
        platform.folding.rebuild(OWNER)
        platform.folding.fold()
    return platform


def found(platform: InMemoryPlatform, query: Query, limit: int = 1) -> list[str]:
    """All pages of a query, by file name."""
    names: list[str] = []
    cursor: str | None = ""
    while cursor is not None:
        page, cursor = platform.library.page(OWNER, limit, cursor, query)
        names += [video.record.file_name for video in page]
    return names


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("", ["zoo.mp4", "C.mp4", "a.mp4", "b.mp4"]),
        ("GOAL", ["C.mp4", "b.mp4"]),
        ("kick goal", ["C.mp4"]),
        ("strasse", ["a.mp4"]),
        ("meer straße", ["a.mp4"]),
        ("eclair", ["zoo.mp4"]),
        ("zo", ["zoo.mp4"]),
        ("goal meer", []),
    ],
)
def test_all_words_must_be_found_in_any_case_and_without_accents(
    platform: InMemoryPlatform, text: str, names: list[str]
) -> None:
    assert found(platform, Query.of(text)) == names


@pytest.mark.parametrize(
    ("sort", "names"),
    [
        (Sort.NEWEST, ["zoo.mp4", "C.mp4", "a.mp4", "b.mp4"]),
        (Sort.OLDEST, ["b.mp4", "a.mp4", "C.mp4", "zoo.mp4"]),
        (Sort.NAME, ["b.mp4", "C.mp4", "zoo.mp4", "a.mp4"]),  # by "Éclair" and "Straße am Meer"
        (Sort.NAME_DESCENDING, ["a.mp4", "zoo.mp4", "C.mp4", "b.mp4"]),
        (Sort.LARGEST, ["b.mp4", "C.mp4", "zoo.mp4", "a.mp4"]),
        (Sort.SMALLEST, ["a.mp4", "zoo.mp4", "C.mp4", "b.mp4"]),
    ],
)
@pytest.mark.parametrize("limit", [1, 3, 4])
def test_each_order_holds_over_all_pages(platform: InMemoryPlatform, sort: Sort, names: list[str], limit: int) -> None:
    assert found(platform, Query.of("", sort), limit) == names


def test_a_cursor_of_another_query_or_order_and_a_made_up_one_are_refused(platform: InMemoryPlatform) -> None:
    _, cursor = platform.library.page(OWNER, 1, "", Query.of("goal"))
    assert cursor
    for query, wrong in (
        (Query.of("kick"), cursor),
        (Query.of("goal", Sort.NAME), cursor),
        (Query.of("goal"), cursor[:-4]),
        (Query.of("goal"), "bm9uc2Vuc2U"),
    ):
        with pytest.raises(InvalidRequestError):
            platform.library.page(OWNER, 1, wrong, query)
    page, _ = platform.library.page(OWNER, 1, cursor, Query.of("GOAL"))
    assert [video.record.file_name for video in page] == ["b.mp4"]


@pytest.mark.parametrize(
    "key",
    [
        "\ud800/owner",  # S3 takes no half of a surrogate, and an error of its client would be ours
        "../../records/another/",
        f"{'0' * 28}/an owner",
        "0" * 28,
        "",
        *([["nested"]], 7, None),
    ],
)
def test_a_cursor_whose_place_is_no_videos_is_refused(platform: InMemoryPlatform, key: object) -> None:
    _, cursor = platform.library.page(OWNER, 1)
    assert cursor
    mark, value, _ = json.loads(base64.urlsafe_b64decode(cursor + "=="))
    forged = base64.urlsafe_b64encode(json.dumps([mark, value, key]).encode()).decode()
    with pytest.raises(InvalidRequestError):
        platform.library.page(OWNER, 1, forged)


@pytest.mark.parametrize("text", ["[" * 750, '{"a": 1, "b": 2, "c": 3}', "7", "null", "[1, 2]"])
def test_a_cursor_of_another_shape_is_refused(platform: InMemoryPlatform, text: str) -> None:
    with pytest.raises(InvalidRequestError):
        platform.library.page(OWNER, 1, base64.urlsafe_b64encode(text.encode()).decode())


def test_a_cursor_of_somebody_else_shows_nothing_of_theirs(platform: InMemoryPlatform) -> None:
    _, cursor = platform.library.page(OWNER, 1)
    assert cursor
    assert platform.library.page("somebody-else", 5, cursor) == ([], None)
