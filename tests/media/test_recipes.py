"""Every recipe of the regression set has the facts, the poster and the thumbnails that are right for it."""

from itertools import pairwise
from pathlib import Path

import pytest

from chalicelib.core.json_values import JsonObject
from chalicelib.core.media.facts import Thumbnails
from chalicelib.core.media.inspection import inspect_media
from tests.media.pictures import (
    MIRRORED,
    Quarters,
    assert_is_black,
    assert_shows_the_quarters,
    full_range,
    picture_of,
    tile_chroma,
    tile_luma,
    turned,
)
from tests.media.recipes import RECIPES, REFUSED, Right
from tests.media.sample_videos import MIB, QUARTER_CHROMA
from tests.media.stored_file import StoredFile, inspect_file


@pytest.mark.parametrize("name", RECIPES)
def test_a_video_has_the_right_facts_poster_and_thumbnails(name: str, tmp_path: Path) -> None:
    write, right = RECIPES[name]
    path = tmp_path / "v"
    write(path)
    stored = StoredFile(path)
    inspection = inspect_media(stored.read_range, stored.size_bytes)

    facts = inspection.facts
    assert {key: value for key, value in facts.to_json().items() if key in {"container", "video", "audio"}} == {
        "container": right.container,
        "video": _video(right),
        "audio": {"codec": right.audio, "channels": 2, "sampleRateHz": 48000} if right.audio else None,
    }
    assert facts.playability.to_json() == _playability(right)
    assert facts.duration_seconds == pytest.approx(right.seconds, abs=0.1)
    if facts.bit_rate_bits_per_second and right.seconds:
        assert facts.bit_rate_bits_per_second == pytest.approx(stored.size_bytes * 8 / right.seconds, rel=0.05)
    assert stored.fetched_bytes < 4 * MIB

    picture = picture_of(inspection.poster_jpeg)
    assert (picture.width, picture.height) == (right.poster or (right.width, right.height))
    quarters = {"quarters": QUARTER_CHROMA, "mirrored quarters": MIRRORED}.get(right.shows)
    if quarters is None:
        assert_is_black(picture)
    else:
        assert_shows_the_quarters(picture, right.rotation_degrees, quarters)

    thumbnails = inspection.thumbnails
    assert (thumbnails.count if thumbnails else 0) == right.thumbnails
    if thumbnails and right.seconds:
        assert thumbnails.tile_width / thumbnails.tile_height == pytest.approx(right.width / right.height, rel=0.05)
        assert thumbnails.seconds_per_tile == pytest.approx(right.seconds / right.thumbnails, abs=0.03)
    if thumbnails and quarters and right.seconds == 2.0:
        _assert_shows_moments(thumbnails, turned(quarters, right.rotation_degrees))


def _video(right: Right) -> JsonObject:
    return {
        "codec": right.video,
        "profile": right.profile,
        "width": right.width,
        "height": right.height,
        "rotationDegrees": right.rotation_degrees,
        "frameRate": 25.0,
    }


def _playability(right: Right) -> JsonObject:
    if right.stands_in_the_way is None:
        return {"browsers": right.browsers, "obstacle": None}
    part, name = right.stands_in_the_way
    return {"browsers": right.browsers, "obstacle": {"part": part, "name": name}}


def _assert_shows_moments(thumbnails: Thumbnails, quarters: Quarters) -> None:
    sprite = picture_of(thumbnails.sprite_jpeg)
    for number in range(thumbnails.count):
        for part, chroma in ((0.25, quarters[0][0]), (0.75, quarters[1][1])):
            seen = tile_chroma(sprite, thumbnails, number, part, part)
            assert seen == pytest.approx([full_range(each) for each in chroma], abs=14)
    tiles = [tile_luma(sprite, thumbnails, number) for number in range(thumbnails.count)]
    assert all(one != next_one for one, next_one in pairwise(tiles)), "each shows another moment"


@pytest.mark.parametrize("name", REFUSED)
def test_a_video_that_cannot_be_taken_is_refused_for_its_own_reason(name: str, tmp_path: Path) -> None:
    write, error, words = REFUSED[name]
    path = tmp_path / "v"
    write(path)
    with pytest.raises(error, match=words) as raised:
        inspect_file(path)
    assert raised.type is error
