"""A long film's sound is opened with an index of its first samples, and no fact is another one for that."""

import math
import struct
from collections.abc import Sequence
from fractions import Fraction
from operator import itemgetter
from pathlib import Path

import av
import pytest
from av.audio.stream import AudioStream
from av.container import OutputContainer
from av.packet import Packet
from av.stream import Stream

from chalicelib.core.media import poster_search, sound_index, stream_facts
from chalicelib.core.media.boxes import Index
from chalicelib.core.media.facts import InspectionLimits, MediaFacts
from chalicelib.core.media.sound_index import LEAST_HIDDEN_BYTES, with_short_sound_index
from chalicelib.core.video_types import Container
from tests.media.recipes import Write, by_ffmpeg, changed, sample
from tests.media.sample_videos import write_sample_video
from tests.media.stored_file import RecordedFile

SAMPLE_RATE_HZ, SAMPLES_A_PACKET = 48_000, 1024
PACKETS_A_SECOND = SAMPLE_RATE_HZ / SAMPLES_A_PACKET
FILM_SECONDS = 20.0


def film(sound_seconds: float = FILM_SECONDS, *, begins_at: float = 0.0, sounds: int = 1, pcm: bool = False) -> Write:
    """Ten pictures, two seconds each, beside a packet of sound again and again, in two sizes as no PCM is."""

    def write(path: Path) -> None:
        sample_path = write_sample_video(path.with_suffix(".sample"), width=64, height=36)
        with av.open(str(sample_path)) as sample, av.open(str(path), "w", format="mov") as output:
            pictures, sound = list(sample.demux(video=0))[:10], list(av.open(str(sample_path)).demux(audio=0))[1]
            video = output.add_stream_from_template(sample.streams.video[0])
            tracks: list[AudioStream] = [
                output.add_stream("pcm_s16le", rate=SAMPLE_RATE_HZ, layout="stereo")
                if pcm
                else output.add_stream_from_template(sample.streams.audio[0])
                for _ in range(sounds)
            ]
            pieces: list[tuple[float, Stream, bytes, bool]] = [
                (number * FILM_SECONDS / 10, video, bytes(picture), picture.is_keyframe)
                for number, picture in enumerate(pictures)
            ]
            for number in range(round(sound_seconds * PACKETS_A_SECOND)):
                data = bytes(4 * SAMPLES_A_PACKET) if pcm else bytes(sound) + bytes(number % 2)
                pieces += [(begins_at + (number - 1) / PACKETS_A_SECOND, track, data, True) for track in tracks]
            for piece in sorted(pieces, key=itemgetter(0)):
                _mux(output, *piece)

    return write


def _mux(output: OutputContainer, seconds: float, stream: Stream, data: bytes, is_keyframe: bool) -> None:
    packet = Packet(data)
    packet.stream, packet.time_base = stream, Fraction(1, SAMPLE_RATE_HZ)
    packet.pts = packet.dts = round(seconds * SAMPLE_RATE_HZ)
    packet.duration = SAMPLES_A_PACKET if stream.type == "audio" else round(FILM_SECONDS / 10 * SAMPLE_RATE_HZ)
    packet.is_keyframe = is_keyframe
    output.mux(packet)


def skipping(write: Write, seconds: float) -> Write:
    """Have the last track skip its beginning, as an editor does that cuts without re-encoding."""

    def skipped(data: bytes) -> bytes:
        edits = data.rindex(b"elst")
        assert data[edits + 4 : edits + 12] == bytes(7) + b"\x01", "version 0, one edit (ISO/IEC 14496-12, 8.6.6)"
        return data[: edits + 16] + round(seconds * SAMPLE_RATE_HZ).to_bytes(4, "big") + data[edits + 20 :]

    return changed(write, skipped)


def in_two_pieces(data: bytes) -> bytes:
    """Have the last track play its beginning again after its end."""
    edits = data.rindex(b"elst")
    again = data[edits + 12 : edits + 24]
    two = data[: edits + 8] + (2).to_bytes(4, "big") + data[edits + 12 :]
    return _inserted(two, edits + 24, again, (b"elst", b"edts", b"trak", b"moov"))


def with_priorities(data: bytes) -> bytes:
    """Put a table that we do not know between the last track's durations and chunks."""
    priorities = (12).to_bytes(4, "big") + b"stdp" + bytes(4)
    chunks = data.rindex(b"stsc") - 4
    return _inserted(data, chunks, priorities, (b"stbl", b"minf", b"mdia", b"trak", b"moov"))


def _inserted(data: bytes, at: int, more: bytes, outer: Sequence[bytes]) -> bytes:
    """Insert bytes into the last of the outer boxes; the index is the last box of the file."""
    content = bytearray(data)
    for kind in outer:
        start = data.rindex(kind, 0, at) - 4
        content[start : start + 4] = (int.from_bytes(content[start : start + 4], "big") + len(more)).to_bytes(4, "big")
    content[at:at] = more
    return bytes(content)


@pytest.fixture(autouse=True)
def _time_to_search(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the search for a poster not end at once: this process has done other work before."""
    monkeypatch.setattr(poster_search, "_CPU_SECONDS", math.inf)


IN_ONE_CHANNEL = ["-map", "0:a", "-map", "0:v", "-c:v", "copy", "-c:a", "mp2", "-ac", "1"]
"""In MP2, whose description in MP4 says two."""


def in_a_large_file(data: bytes) -> bytes:
    """Have the last track's table of positions be the one for files of more than 4 GB."""
    at = data.rindex(b"stco")
    number = int.from_bytes(data[at + 8 : at + 12], "big")
    positions = struct.unpack_from(f">{number}I", data, at + 12)
    wide = b"co64" + data[at + 4 : at + 12] + struct.pack(f">{number}Q", *positions)
    renamed = data[:at] + wide[: 12 + 4 * number] + data[at + 12 + 4 * number :]
    outer = (b"co64", b"stbl", b"minf", b"mdia", b"trak", b"moov")
    return _inserted(renamed, at + 12 + 4 * number, wide[12 + 4 * number :], outer)


CUT, WHOLE = True, False
FILMS: dict[str, tuple[Write, bool]] = {
    "sound as long as the pictures": (film(), CUT),
    "longer sound": (film(FILM_SECONDS + 0.7), CUT),
    "shorter sound": (film(FILM_SECONDS - 3), CUT),
    "two sounds": (film(sounds=2), CUT),
    "sound whose first half second is skipped": (skipping(film(FILM_SECONDS + 3), 0.5), CUT),
    "sound whose first twelve seconds are skipped": (skipping(film(FILM_SECONDS + 14), 12.0), WHOLE),
    "sound that begins later": (film(begins_at=1.5), WHOLE),
    "sound in two pieces": (changed(film(), in_two_pieces), WHOLE),
    "sound in samples of one tick": (film(pcm=True, begins_at=1 / PACKETS_A_SECOND), WHOLE),
    "sound that is described wrongly": (by_ffmpeg(sample(), "mp4", *IN_ONE_CHANNEL), CUT),
    "sound in a large file": (changed(film(), in_a_large_file), CUT),
    "another table first": (changed(film(), with_priorities), WHOLE),
}


def _facts(data: bytes) -> list[tuple[MediaFacts, bytes]]:
    told: list[tuple[MediaFacts, bytes]] = []
    stream_facts.inspect(
        RecordedFile(data),
        Container.QUICKTIME,
        InspectionLimits(),
        lambda facts, poster: told.append((facts, poster)),
        thumbnails=False,
    )
    return told


@pytest.mark.parametrize("name", FILMS)
def test_a_short_index_of_the_sound_changes_no_fact(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write, is_cut = FILMS[name]
    write(tmp_path / "v")
    data = (tmp_path / "v").read_bytes()
    expected = _facts(data)
    assert expected[0][0].audio
    file = RecordedFile(data)
    span = Index.of(file).span
    assert span
    assert with_short_sound_index(file, span) is file, "for so short a film it is not worth it"

    monkeypatch.setattr(sound_index, "LEAST_HIDDEN_BYTES", 88)  # the boxes that show instead
    assert (with_short_sound_index(file, span) is not file) == is_cut
    assert _facts(data) == expected


def test_the_sound_tables_of_a_long_film_are_not_read(tmp_path: Path) -> None:
    film(1500.0)(tmp_path / "v")
    data = (tmp_path / "v").read_bytes()
    tables = data.rindex(b"stsz"), data.rindex(b"stco")
    assert tables[1] - tables[0] > LEAST_HIDDEN_BYTES
    file = RecordedFile(data)
    stream_facts.inspect(file, Container.QUICKTIME, InspectionLimits(), lambda *_: None, thumbnails=False)
    assert file.ranges
    assert not [(start, end) for start, end in file.ranges if start < tables[1] - 16 and tables[0] + 20 < end]
