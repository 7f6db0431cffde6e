"""A video whose codec browsers do not play is ready at once, converted by this machine, and played from the result."""

from pathlib import Path
from typing import Any

import pytest
import requests

from chalicelib.core.media.inspection import inspect_media
from chalicelib.core.video_types import Support
from tests.end_to_end.actors import Person, wait_until
from tests.media.pictures import assert_shows_the_quarters, picture_of
from tests.media.sample_videos import write_sample_video


def settled(person: Person, video_id: str) -> dict[str, Any]:
    def look() -> dict[str, Any] | None:
        found = person.video(video_id)
        return found if found["rendition"]["state"] != "pending" else None

    return wait_until(look)


@pytest.fixture
def mpeg_2(tmp_path: Path) -> bytes:
    return write_sample_video(tmp_path / "film.mpg", "mpg", width=320, height=180).read_bytes()


def test_an_mpeg_2_video_is_converted_and_played(person: Person, mpeg_2: bytes) -> None:
    started = person.upload(mpeg_2, file_name="film.mpg", content_type="video/mpeg")
    ready = person.wait_for(started["videoId"], "ready")
    assert ready["media"]["playability"]["browsers"] != Support.ALL
    assert ready["rendition"]["state"] in {"pending", "ready"}, "it is ready before it is converted"
    converted = settled(person, started["videoId"])
    assert converted["rendition"]["state"] == "ready"
    played = requests.get(converted["playbackUrl"], timeout=30).content
    assert len(played) == converted["rendition"]["sizeBytes"]
    facts = inspect_media(lambda start, end: played[start:end], len(played)).facts
    assert facts.playability.browsers is Support.ALL
    assert facts.audio
    assert (facts.video.codec, facts.audio.codec) == ("h264", "aac")
    assert (facts.video.width, facts.video.height) == (320, 180)
    assert facts.duration_seconds == pytest.approx(ready["media"]["durationSeconds"], abs=0.2)
    assert played.find(b"moov") < played.find(b"mdat"), "a player would read to its end first"
    assert requests.get(converted["downloadUrl"], timeout=30).content == mpeg_2


def test_an_hevc_video_tells_that_some_browsers_play_it_and_is_converted_for_the_others(
    person: Person, tmp_path: Path
) -> None:
    hevc = write_sample_video(tmp_path / "v.mp4", video_codec="libx265").read_bytes()
    started = person.upload(hevc)
    ready = person.wait_for(started["videoId"], "ready")
    assert (ready["media"]["video"]["codec"], ready["media"]["video"]["profile"]) == ("hevc", "Main")
    assert ready["media"]["durationSeconds"] == pytest.approx(2.0, abs=0.1)
    obstacle = {"part": "video", "name": "HEVC (H.265)"}
    assert ready["media"]["playability"] == {"browsers": "some", "obstacle": obstacle}
    assert_shows_the_quarters(picture_of(requests.get(ready["posterUrl"], timeout=30).content))
    converted = settled(person, started["videoId"])
    assert converted["rendition"]["state"] == "ready"
    played = requests.get(converted["playbackUrl"], timeout=30).content
    inspection = inspect_media(lambda start, end: played[start:end], len(played))
    assert (inspection.facts.container, inspection.facts.video.codec) == ("mp4", "h264")
    assert inspection.facts.playability.browsers is Support.ALL
    assert_shows_the_quarters(picture_of(inspection.poster_jpeg))
