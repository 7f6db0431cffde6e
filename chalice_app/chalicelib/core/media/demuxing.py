"""libavformat on a short leash: one demuxer, few decoders, no references. Imported by the inspecting process only."""

import os
from collections.abc import Iterator
from typing import NoReturn, Protocol

import av
import av.subtitles.codeccontext
import av.subtitles.stream  # otherwise loaded at the first subtitle, which is too late
from av.container import InputContainer
from av.error import FFmpegError
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from chalicelib.core.media.errors import UnreadableMediaError
from chalicelib.core.media.facts import InspectionLimits
from chalicelib.core.video_types import FORMATS, Container

# Codecs that cameras, phones, editors and browsers write into these containers. All other decoders stay disabled.
VIDEO_DECODERS = (
    *("h264", "hevc", "av1", "libdav1d", "vp8", "vp9", "mpeg4", "msmpeg4v1", "msmpeg4v2", "msmpeg4", "h263"),
    *("mpeg1video", "mpeg2video", "mjpeg", "prores", "dnxhd", "dvvideo", "theora"),
)
_AUDIO_DECODERS = (
    *("aac", "mp3", "mp3float", "opus", "libopus", "vorbis", "ac3", "eac3", "flac", "alac"),
    *("mp2", "mp2float", "amrnb", "amrwb", "speex"),
    *("pcm_s16le", "pcm_s16be", "pcm_s24le", "pcm_s24be", "pcm_bluray"),
)

_PROBE_BYTES = 5_000_000
_PROBE_MICROSECONDS = 5_000_000
_UNSHOWN = {"skip_idct": "all", "skip_loop_filter": "all"}
"""Largest picture that libavformat decodes to learn about its stream."""
_HEADER_ALONE = {"probesize": "32", "skip_frame": "all"}
"""The fewest bytes that libavformat can probe, none of them decoded."""
_BUFFER_BYTES = 1 << 17
_MAX_PACKETS_WITHOUT_A_PICTURE = 512


# A size of 1 says that the size follows in eight bytes (ISO/IEC 14496-12, 4.2).
_SKIPPED_BOX = (1).to_bytes(4, "big") + b"free"


class MediaFile(Protocol):
    """File under inspection."""

    # libavformat grows its buffers for a name that looks like an address.
    name: str
    size_bytes: int

    def read(self, size: int, /) -> bytes: ...
    def expect(self, start: int, end: int) -> None: ...
    def prefetch(self, ranges: list[tuple[int, int]]) -> None: ...
    def seek(self, offset: int, whence: int = 0, /) -> int: ...
    def tell(self) -> int: ...


class _Derived:
    """A file made of another one's bytes. Keeps the position."""

    name = "media"

    def __init__(self, size_bytes: int) -> None:
        self.size_bytes = size_bytes
        self._position = 0

    def expect(self, start: int, end: int) -> None:
        """Do nothing: positions in the other file are not known here."""

    def prefetch(self, ranges: list[tuple[int, int]]) -> None:
        """Do nothing, for the same reason."""

    def seek(self, offset: int, whence: int = os.SEEK_SET, /) -> int:
        base = {os.SEEK_SET: 0, os.SEEK_CUR: self._position, os.SEEK_END: self.size_bytes}[whence]
        self._position = max(base + offset, 0)
        return self._position

    def tell(self) -> int:
        return self._position


class Excerpt(_Derived):
    """Some ranges of a file as a file of its own. `ranges`: pairs of start and exclusive end, none empty."""

    def __init__(self, file: MediaFile, ranges: list[tuple[int, int]]) -> None:
        super().__init__(sum(end - start for start, end in ranges))
        self._file, self._ranges = file, ranges

    def read(self, size: int, /) -> bytes:
        offset = self._position
        for start, end in self._ranges:
            if offset < end - start:
                self._file.seek(start + offset)
                data = self._file.read(min(size, end - start - offset))
                self._position += len(data)
                return data
            offset -= end - start
        return b""


class FileWithGap(_Derived):
    """A file whose bytes from `start` to `end` are not read: they show as a box that players skip, filled with zeros.

    All other bytes keep their positions. boxes: whole boxes that show before the skipped one.
    """

    MIN_BYTES = 16
    """A gap has room for its boxes and for the header of the skipped one."""

    def __init__(self, file: MediaFile, start: int, end: int, boxes: bytes = b"") -> None:
        super().__init__(file.size_bytes)
        self._file, self._start, self._end = file, start, end
        self._header = boxes + _SKIPPED_BOX + (end - start - len(boxes)).to_bytes(8, "big")

    def read(self, size: int, /) -> bytes:
        position = self._position
        if position < self._start:
            data = self._read_file(min(size, self._start - position))
        elif position < self._end:
            size = min(size, self._end - position)
            offset = position - self._start
            data = self._header[offset : offset + size]
            data += bytes(size - len(data))
        else:
            data = self._read_file(size)
        self._position += len(data)
        return data

    def _read_file(self, size: int) -> bytes:
        self._file.seek(self._position)
        return self._file.read(size)


def open_media(
    file: MediaFile,
    container: Container,
    limits: InspectionLimits,
    *,
    walk_fragments: bool = True,
    by_header_alone: bool = False,
) -> InputContainer:
    """Open with the container's own demuxer, without guessing from the bytes. Raises what libav raises.

    walk_fragments: read all fragments of an MP4 now; otherwise each is read in turn, and seeking is impossible.
    by_header_alone: believe what the container states about its streams, and decode no picture to learn more.
    """
    # The first bytes name the demuxer; libavformat's own guess would consider playlists too.
    demuxer = FORMATS[container].demuxer
    file.seek(0)
    return av.open(
        file,
        "r",
        format=demuxer,
        buffer_size=_BUFFER_BYTES,
        metadata_errors="ignore",
        io_open=_refuse_reference,
        options={
            "protocol_whitelist": "",
            "format_whitelist": demuxer,
            "codec_whitelist": ",".join(VIDEO_DECODERS + _AUDIO_DECODERS),
            "enable_drefs": "0",
            "use_absolute_path": "0",
            "probesize": str(_PROBE_BYTES),
            "analyzeduration": str(_PROBE_MICROSECONDS),
            "max_streams": str(limits.max_streams + 1),
            "max_pixels": str(limits.max_pixels),
            **_UNSHOWN,
            **({} if walk_fragments else {"fflags": "+ignidx"}),
            **(_HEADER_ALONE if by_header_alone else {}),
        },
    )


def _refuse_reference(*_: object) -> NoReturn:
    raise UnreadableMediaError(problem="it refers to other files")


def pictures(media: InputContainer, stream: VideoStream) -> Iterator[VideoFrame]:
    """Decode from the demuxer's position; damaged packets are skipped, too many in a row end it."""
    fruitless_packets = 0
    for packet in media.demux(stream):
        try:
            frames = packet.decode()
        except MemoryError:
            raise
        except FFmpegError:
            frames = []
        fruitless_packets = 0 if frames else fruitless_packets + 1
        yield from frames
        if fruitless_packets > _MAX_PACKETS_WITHOUT_A_PICTURE:
            return
