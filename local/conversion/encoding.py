"""Encoding of a video's first streams as H.264 and AAC in an MP4. Imported by the encoding process only.

As MediaConvert is asked to: upright, progressive, fitted, its index first. Pictures of a high dynamic range are not
mapped to a lower one.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import av
import av.audio.resampler
import av.container.output  # else loaded at the first output, too late
import av.filter
from av.audio.frame import AudioFrame
from av.audio.resampler import AudioResampler
from av.audio.stream import AudioStream
from av.container import OutputContainer
from av.error import FFmpegError
from av.filter import Graph
from av.packet import Packet
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from chalicelib.core.media.copier import Output, RoomTooSmallError
from chalicelib.core.media.demuxing import MediaFile, open_media
from chalicelib.core.media.errors import NoVideoStreamError, UnreadableMediaError
from chalicelib.core.media.facts import InspectionLimits
from chalicelib.core.media.orientation import Orientation
from chalicelib.core.video_types import Container

SOUND_RATE_HZ = 48_000
SOUND_BITS_PER_SECOND = 128_000
_SOUND_FRAME_SAMPLES = 1024  # of AAC
_USUAL_FRAME_RATE = 30
_BUFFER_BYTES = 1 << 20
_BYTES_A_SAMPLE = 44  # as the copier counts
_BYTES_OF_HEADERS = 64 << 10
_OPTIONS = {"preset": "veryfast", "crf": "23", "threads": "1", "profile": "high"}
"""One thread: the process may start no other. PyAV's resampler tries to, and goes on without."""

_TURNS = {90: [("transpose", "clock")], 180: [("hflip", ""), ("vflip", "")], 270: [("transpose", "cclock")]}


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """The MP4 to make. index_bytes: room for its index at its beginning."""

    width: int
    height: int
    has_sound: bool
    index_bytes: int


def encode(file: MediaFile, container: Container, output: Output, limits: InspectionLimits, wanted: Wanted) -> None:
    """Write the MP4. Raises RoomTooSmallError, NoVideoStreamError, UnreadableMediaError, MemoryError."""
    needed_bytes = _BYTES_OF_HEADERS
    options = {"moov_size": str(wanted.index_bytes)}
    try:
        with open_media(file, container, limits) as media:
            video = next(iter(media.streams.video), None)
            if video is None:
                raise NoVideoStreamError
            audio = next(iter(media.streams.audio), None) if wanted.has_sound else None
            with av.open(output, "w", format="mp4", buffer_size=_BUFFER_BYTES, options=options) as mp4:
                tracks: dict[int, _Pictures | _Sound] = {video.index: _Pictures(mp4, video, wanted)}
                if audio is not None:
                    tracks[audio.index] = _Sound(mp4, audio)
                for packet in media.demux([video, audio] if audio is not None else [video]):
                    for encoded in tracks[packet.stream.index].encoded(packet):
                        needed_bytes += _BYTES_A_SAMPLE
                        mp4.mux(encoded)
                for track in tracks.values():
                    for encoded in track.rest():
                        needed_bytes += _BYTES_A_SAMPLE
                        mp4.mux(encoded)
    except MemoryError:
        raise
    except FFmpegError as error:
        if needed_bytes > wanted.index_bytes:
            raise RoomTooSmallError(needed_bytes) from error
        raise UnreadableMediaError(error.strerror or type(error).__name__) from error


def _decoded(packet: "Packet[Any]") -> list[Any]:
    """Frames of a packet; a damaged one has none."""
    try:
        return packet.decode()
    except MemoryError:
        raise
    except FFmpegError:
        return []


class _Pictures:
    """The video stream, upright, progressive and fitted."""

    def __init__(self, mp4: OutputContainer, source: VideoStream, wanted: Wanted) -> None:
        source.codec_context.thread_count = 1
        self._source, self._wanted = source, wanted
        rate = source.average_rate or _USUAL_FRAME_RATE
        self._stream = mp4.add_stream("libx264", rate=rate, options=_OPTIONS)
        self._stream.codec_context.thread_count = 1
        self._stream.width, self._stream.height, self._stream.pix_fmt = wanted.width, wanted.height, "yuv420p"
        if source.time_base:
            self._stream.codec_context.time_base = source.time_base
        self._graph: Graph | None = None
        self._last_pts = -1

    def encoded(self, packet: "Packet[Any]") -> "Iterator[Packet[Any]]":
        for picture in _decoded(packet):
            graph = self._graph = self._graph or self._filters(picture)
            picture.pts = picture.pts if picture.pts is not None else picture.dts
            if picture.pts is not None and picture.pts > self._last_pts:
                self._last_pts = picture.pts
                graph.vpush(picture)
                yield from self._pulled(graph)

    def rest(self) -> "Iterator[Packet[Any]]":
        if self._graph is None:
            raise UnreadableMediaError(problem="it has no picture")
        self._graph.vpush(None)
        yield from self._pulled(self._graph)
        yield from self._stream.encode(None)

    def _pulled(self, graph: Graph) -> "Iterator[Packet[Any]]":
        while True:
            try:
                picture = graph.vpull()
            except (av.BlockingIOError, av.EOFError):
                return
            picture.pict_type = 0  # the encoder chooses
            yield from self._stream.encode(picture)

    def _filters(self, picture: VideoFrame) -> Graph:
        orientation = Orientation.of(picture)
        turns = [("hflip", "")] * orientation.is_mirrored + _TURNS.get(orientation.rotation_degrees, [])
        steps = [
            ("yadif", "deint=interlaced"),
            *turns,
            ("scale", f"{self._wanted.width}:{self._wanted.height}"),
            ("setsar", "1"),
            ("format", "yuv420p"),
        ]
        graph = Graph()
        graph.threads = 1
        source = graph.add_buffer(
            width=picture.width, height=picture.height, format=picture.format, time_base=self._source.time_base
        )
        graph.link_nodes(source, *(graph.add(*step) for step in steps), graph.add("buffersink")).configure()
        return graph


class _Sound:
    """The first audio stream, as stereo."""

    def __init__(self, mp4: OutputContainer, source: AudioStream) -> None:
        source.codec_context.thread_count = 1
        self._stream = mp4.add_stream("aac", rate=SOUND_RATE_HZ, layout="stereo")
        self._stream.codec_context.thread_count = 1
        self._stream.bit_rate = SOUND_BITS_PER_SECOND
        self._resampler = AudioResampler("fltp", "stereo", SOUND_RATE_HZ, _SOUND_FRAME_SAMPLES)

    def encoded(self, packet: "Packet[Any]") -> "Iterator[Packet[Any]]":
        for frame in _decoded(packet):
            yield from self._taken(self._resampler.resample(frame))

    def rest(self) -> "Iterator[Packet[Any]]":
        yield from self._taken(self._resampler.resample(None))
        yield from self._stream.encode(None)

    def _taken(self, frames: list[AudioFrame]) -> "Iterator[Packet[Any]]":
        for frame in frames:
            yield from self._stream.encode(frame)
