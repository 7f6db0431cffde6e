"""Encoding of a video's first streams as H.264 and AAC in an MP4. Imported by the encoding process only.

As MediaConvert is asked to: upright, progressive, fitted, in the colours of every screen, its index first.
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
from av.filter.context import FilterContext
from av.packet import Packet
from av.video.frame import VideoFrame
from av.video.reformatter import ColorPrimaries, ColorRange, Colorspace, ColorTrc
from av.video.stream import VideoStream

from chalicelib.core.media.copier import Output, RoomTooSmallError
from chalicelib.core.media.demuxing import MediaFile, open_media
from chalicelib.core.media.errors import NoVideoStreamError, UnreadableMediaError
from chalicelib.core.media.facts import InspectionLimits
from chalicelib.core.media.orientation import Orientation
from chalicelib.core.media.tone_mapping import TABLE_FORMAT, colour_table, is_hdr
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
_MAPS = "haldclut", "clut=first"


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


@dataclass(frozen=True)
class _Filters:
    """entry: takes the pictures. The graph may have another one, for a table."""

    graph: Graph
    entry: FilterContext


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
        self._filters: _Filters | None = None
        self._last_pts = -1

    def encoded(self, packet: "Packet[Any]") -> "Iterator[Packet[Any]]":
        for picture in _decoded(packet):
            filters = self._filters = self._filters or self._made(picture)
            picture.pts = picture.pts if picture.pts is not None else picture.dts
            if picture.pts is not None and picture.pts > self._last_pts:
                self._last_pts = picture.pts
                filters.entry.push(picture)
                yield from self._pulled(filters.graph)

    def rest(self) -> "Iterator[Packet[Any]]":
        if self._filters is None:
            raise UnreadableMediaError(problem="it has no picture")
        self._filters.entry.push(None)
        yield from self._pulled(self._filters.graph)
        yield from self._stream.encode(None)

    def _pulled(self, graph: Graph) -> "Iterator[Packet[Any]]":
        while True:
            try:
                picture = graph.vpull()
            except (av.BlockingIOError, av.EOFError):
                return
            picture.pict_type = 0  # the encoder chooses
            yield from self._stream.encode(picture)

    def _made(self, picture: VideoFrame) -> _Filters:
        orientation = Orientation.of(picture)
        turns = [("hflip", "")] * orientation.is_mirrored + _TURNS.get(orientation.rotation_degrees, [])
        fitted = f"{self._wanted.width}:{self._wanted.height}"
        hdr = is_hdr(picture)
        steps = [
            ("yadif", "deint=interlaced"),
            *turns,
            *(_mapping(fitted) if hdr else [("scale", fitted)]),
            ("setsar", "1"),
            ("format", "yuv420p"),
        ]
        graph = Graph()
        graph.threads = 1
        source = graph.add_buffer(
            width=picture.width, height=picture.height, format=picture.format, time_base=self._source.time_base
        )
        filters = [graph.add(*step) for step in steps]
        graph.link_nodes(source, *filters, graph.add("buffersink"))
        if not hdr:
            graph.configure()
            return _Filters(graph, source)
        table = colour_table(picture)
        tables = graph.add_buffer(
            width=table.width, height=table.height, format=table.format, time_base=self._source.time_base
        )
        tables.link_to(filters[steps.index(_MAPS)], 0, 1)
        graph.configure()
        table.pts = 0
        tables.push(table)
        tables.push(None)
        context = self._stream.codec_context
        context.colorspace, context.color_range = Colorspace.ITU709, ColorRange.MPEG
        context.color_primaries, context.color_trc = ColorPrimaries.BT709, ColorTrc.BT709
        return _Filters(graph, source)


def _mapping(fitted: str) -> list[tuple[str, str]]:
    """Filters from a high dynamic range to BT.709. The table is the second input of _MAPS."""
    return [
        ("scale", f"{fitted}:in_color_matrix=bt2020:out_range=pc"),
        ("format", TABLE_FORMAT),
        _MAPS,
        ("scale", "in_range=pc:out_color_matrix=bt709:out_range=tv"),
    ]


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
