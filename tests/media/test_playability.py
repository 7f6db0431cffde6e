"""Playability: the browsers that play a file follow from its container, codecs and profile."""

import pytest

from chalicelib.core.media.demuxing import VIDEO_DECODERS
from chalicelib.core.media.playability import Obstacle, Part, Playability, playability
from chalicelib.core.video_types import Container, Support

VIDEO, CONTAINER, AUDIO = Part


@pytest.mark.parametrize(
    ("container", "video", "profile", "audio"),
    [
        (Container.MP4, "h264", "High", "aac"),
        (Container.MP4, "h264", "Constrained Baseline", None),
        (Container.MP4, "h264", None, "mp3"),
        (Container.MP4, "vp9", "Profile 0", "opus"),
        (Container.WEBM, "vp8", None, "vorbis"),
        (Container.WEBM, "vp9", "Profile 0", "opus"),
    ],
)
def test_every_browser_plays_the_usual_pairs(
    container: Container, video: str, profile: str | None, audio: str | None
) -> None:
    assert playability(container, video, profile, audio) == Playability(Support.ALL)


@pytest.mark.parametrize(
    ("container", "codecs", "judged"),
    [
        (Container.MP4, ("hevc", "Main 10", "aac"), Playability(Support.SOME, Obstacle(VIDEO, "HEVC (H.265)"))),
        (Container.QUICKTIME, ("hevc", "Main", "aac"), Playability(Support.SOME, Obstacle(VIDEO, "HEVC (H.265)"))),
        (Container.MP4, ("av1", "Main", "opus"), Playability(Support.SOME, Obstacle(VIDEO, "AV1"))),
        (Container.MP4, ("h264", "High 10", "aac"), Playability(Support.SOME, Obstacle(VIDEO, "H.264 (High 10)"))),
        (Container.WEBM, ("vp9", "Profile 2", "opus"), Playability(Support.SOME, Obstacle(VIDEO, "VP9 (Profile 2)"))),
        (Container.QUICKTIME, ("h264", "High", "aac"), Playability(Support.SOME, Obstacle(CONTAINER, "QuickTime"))),
        (Container.MATROSKA, ("h264", "High", "aac"), Playability(Support.SOME, Obstacle(CONTAINER, "Matroska"))),
        (Container.WEBM, ("h264", "High", "opus"), Playability(Support.SOME, Obstacle(CONTAINER, "H.264 in WebM"))),
        (Container.MP4, ("h264", "High", "ac3"), Playability(Support.SOME, Obstacle(AUDIO, "Dolby Digital (AC-3)"))),
        (Container.MP4, ("h264", "High", "vorbis"), Playability(Support.SOME, Obstacle(AUDIO, "Vorbis in MP4"))),
        (Container.MP4, ("h264", "High", "pcm_s16le"), Playability(Support.NONE, Obstacle(AUDIO, "PCM"))),
        (Container.MPEG_TS, ("h264", "High", "aac"), Playability(Support.NONE, Obstacle(CONTAINER, "MPEG-TS"))),
        (Container.MPEG_TS, ("h264", "High", "amr_nb"), Playability(Support.NONE, Obstacle(CONTAINER, "MPEG-TS"))),
        (
            Container.AVI,
            ("mpeg4", "Simple Profile", "mp3"),
            Playability(Support.NONE, Obstacle(VIDEO, "MPEG-4 Part 2")),
        ),
        (Container.AVI, ("h264", "High", "mp3"), Playability(Support.NONE, Obstacle(CONTAINER, "AVI"))),
        (Container.QUICKTIME, ("prores", "HQ", "pcm_s16le"), Playability(Support.NONE, Obstacle(VIDEO, "ProRes"))),
        (Container.MPEG_PS, ("mpeg2video", "Main", "mp2"), Playability(Support.NONE, Obstacle(CONTAINER, "MPEG-PS"))),
        (Container.OGG, ("theora", None, "vorbis"), Playability(Support.NONE, Obstacle(VIDEO, "Theora"))),
        (Container.MATROSKA, ("cinepak", None, "aac"), Playability(Support.NONE, Obstacle(VIDEO, "CINEPAK"))),
    ],
)
def test_the_worst_part_stands_in_the_way(
    container: Container, codecs: tuple[str, str | None, str | None], judged: Playability
) -> None:
    assert playability(container, *codecs) == judged


@pytest.mark.parametrize("container", list(Container))
def test_every_container_and_every_codec_that_is_decoded_is_judged(container: Container) -> None:
    for codec in VIDEO_DECODERS:
        for audio in (None, "aac", "pcm_s24le", "amr_wb"):
            judged = playability(container, codec, None, audio)
            assert (judged.obstacle is None) == (judged.browsers is Support.ALL)
