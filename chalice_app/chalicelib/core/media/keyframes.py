"""Keyframes of a video, each decoded alone. Imported by the inspecting process only."""

from collections.abc import Iterator
from itertools import islice

from av.container import InputContainer
from av.packet import Packet
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from chalicelib.core.media.demuxing import MediaFile
from chalicelib.core.media.facts import MIB

_MAX_PACKETS_TO_A_KEYFRAME = 64
_LEAST_UNKNOWN_BYTES = 192 << 10
"""Bytes read of a keyframe whose size no index states, as in a Matroska file; or twice the largest one so far, if that
is more."""
_MAX_KEYFRAME_BYTES = 2 * MIB
_CHUNK_HEADER_BYTES = 64
"""Some indexes give the position of a picture's header, and the size of what follows it."""


class Keyframes:
    """Keyframes of an open video, found by a moment that they precede.

    moments: in the stream's time base.
    """

    def __init__(self, file: MediaFile, media: InputContainer, stream: VideoStream) -> None:
        self._file, self._media, self._stream = file, media, stream
        self._last: tuple[int, VideoFrame] | None = None
        self._largest_bytes = 0

    def before(self, moment: int) -> VideoFrame | None:
        """Decode the keyframe before the moment and nothing after it. Raises what libav and `file.read` raise."""
        packet = self.packet_before(moment)
        return None if packet is None else self.picture_of(packet)

    def packet_before(self, moment: int) -> "Packet[VideoStream] | None":
        self._media.seek(moment, stream=self._stream)
        if span := self.span_before(moment):
            self._file.expect(*span)
        for packet in islice(self._media.demux(self._stream), _MAX_PACKETS_TO_A_KEYFRAME):
            if packet.size == 0:
                break
            if packet.is_keyframe:
                self._largest_bytes = max(self._largest_bytes, packet.size)
                return packet
        return None

    def picture_of(self, packet: "Packet[VideoStream]") -> VideoFrame | None:
        """Decode a keyframe alone; the last result is cached."""
        if self._last and packet.pts is not None and self._last[0] == packet.pts:
            return self._last[1]
        picture = decoded_alone(packet)
        if picture and packet.pts is not None:
            self._last = packet.pts, picture
        return picture

    def span_before(self, moment: int) -> tuple[int, int] | None:
        """Start and end, in the file, of the keyframe before the moment, from the index.

        libavformat reads the index of a Matroska file when it first seeks.
        """
        entries = self._stream.index_entries
        if not len(entries):
            return None
        number = entries.search_timestamp(moment - self.reordering(), backward=True)
        if number < 0:
            return None
        entry = entries[number]
        size_bytes = entry.size or max(_LEAST_UNKNOWN_BYTES, 2 * self._largest_bytes)
        return entry.pos, entry.pos + min(size_bytes, _MAX_KEYFRAME_BYTES) + _CHUNK_HEADER_BYTES

    def reordering(self) -> int:
        """Return how far the index is behind the moments: seeking in an MP4 goes by presentation time, its index gives
        decoding times."""
        entries = self._stream.index_entries
        return max(0, (self._stream.start_time or 0) - entries[0].timestamp) if len(entries) else 0


def decoded_alone(packet: "Packet[VideoStream]") -> VideoFrame | None:
    """Decode a keyframe, and flush a decoder that waits for later pictures."""
    decoder = packet.stream.codec_context
    try:
        frames = [*packet.decode(), *decoder.decode(None)]
    finally:
        decoder.flush_buffers()
    return next((frame for frame in frames if not frame.is_corrupt), None)


def keyframe_packets(media: InputContainer, stream: VideoStream) -> "Iterator[Packet[VideoStream]]":
    """Keyframes in file order, from the demuxer's position."""
    return (packet for packet in media.demux(stream) if packet.size and packet.is_keyframe)
