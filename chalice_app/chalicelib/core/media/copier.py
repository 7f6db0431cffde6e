"""Copy of a video's first streams into an MP4, packet by packet. Imported by the inspecting process only."""

from collections.abc import Iterator
from typing import Any, Protocol

import av
import av.container.output  # otherwise loaded at the first output, which is too late
from av.audio.stream import AudioStream
from av.error import FFmpegError
from av.packet import Packet
from av.video.stream import VideoStream

from chalicelib.core.media.demuxing import VIDEO_DECODERS, MediaFile, open_media
from chalicelib.core.media.errors import NoVideoStreamError, UnreadableMediaError, UnsupportedCodecError
from chalicelib.core.media.facts import InspectionLimits
from chalicelib.core.video_types import Container

_BUFFER_BYTES = 1 << 20
_BYTES_A_SAMPLE = 44
"""Most bytes that an index needs for a packet: size 4, decoding time 8, composition 8, sync 4, and a chunk of its own
with offset 8 and samples 12 (ISO/IEC 14496-12, 8.6 and 8.7)."""
_UNTOLD = "it lacks the presentation times of its pictures"
_MAX_WAITING = 32
_BYTES_OF_HEADERS = 64 << 10


class RoomTooSmallError(Exception):
    """The index does not fit before the pictures. needed_bytes: room that is certainly enough."""

    def __init__(self, needed_bytes: int) -> None:
        self.needed_bytes = needed_bytes
        super().__init__(needed_bytes)


class Output(Protocol):
    """File that is written, and partly overwritten; nothing of it is read."""

    def write(self, data: bytes, /) -> int: ...
    def seek(self, offset: int, whence: int = 0, /) -> int: ...
    def tell(self) -> int: ...


def copy_streams(
    file: MediaFile, container: Container, output: Output, limits: InspectionLimits, index_bytes: int
) -> None:
    """Write an MP4 whose index is at its beginning, in a space of `index_bytes`.

    Raises RoomTooSmallError, NoVideoStreamError, UnsupportedCodecError, UnreadableMediaError, MemoryError, and what
    `file.read` and `output.write` raise.
    """
    needed_bytes = _BYTES_OF_HEADERS
    try:
        with open_media(file, container, limits) as media:
            video = next(iter(media.streams.video), None)
            if video is None:
                raise NoVideoStreamError
            if video.codec_context is None or video.codec_context.name not in VIDEO_DECODERS:
                raise UnsupportedCodecError(codec="")
            if container is Container.AVI and video.codec_context.has_b_frames:
                raise UnreadableMediaError(problem=_UNTOLD)
            audio = next((one for one in media.streams.audio if one.codec_context is not None), None)
            with av.open(
                output, "w", format="mp4", buffer_size=_BUFFER_BYTES, options={"moov_size": str(index_bytes)}
            ) as mp4:
                copies: dict[int, VideoStream | AudioStream] = {video.index: mp4.add_stream_from_template(video)}
                if audio is not None:
                    copies[audio.index] = mp4.add_stream_from_template(audio)
                sources: list[VideoStream | AudioStream] = [video, audio] if audio is not None else [video]
                for packet in _packets(media.demux(sources)):
                    needed_bytes += _BYTES_A_SAMPLE
                    packet.stream = copies[packet.stream.index]
                    mp4.mux(packet)
    except MemoryError:
        raise
    except FFmpegError as error:
        if needed_bytes > index_bytes:
            raise RoomTooSmallError(needed_bytes) from error
        raise UnreadableMediaError(error.strerror or type(error).__name__) from error


def _packets(packets: "Iterator[Packet[Any]]") -> "Iterator[Packet[Any]]":
    """Packets that hold data, with their times. Raises UnreadableMediaError if the file does not state these.

    Matroska stores no decoding times. libavformat derives them from the first pictures, which are held back until then.
    """
    waiting: dict[int, list[Packet[Any]]] = {}
    for packet in packets:
        if packet.size == 0:
            continue  # the end of a stream
        early = waiting.setdefault(packet.stream.index, [])
        if packet.pts is None or (packet.dts is None and len(early) >= _MAX_WAITING):
            break
        early.append(packet)
        if packet.dts is not None:
            yield from _decoded_before(early, packet.dts)
            early.clear()
    else:
        if not any(waiting.values()):
            return
    raise UnreadableMediaError(problem=_UNTOLD)


def _decoded_before(packets: "list[Packet[Any]]", last_dts: int) -> "Iterator[Packet[Any]]":
    """Packets whose decoding times are counted back from the last one's, by one picture's duration each."""
    for number, packet in enumerate(packets):
        left = len(packets) - 1 - number
        packet.dts = min(last_dts - left * max(packet.duration or 1, 1), packet.pts or 0)
        yield packet
