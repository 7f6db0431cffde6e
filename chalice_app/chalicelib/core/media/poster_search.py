"""Search for the picture that becomes a video's poster. Imported by the inspecting process only."""

import heapq
import time
from collections.abc import Callable, Iterator
from fractions import Fraction
from itertools import islice

from av.container import InputContainer
from av.error import FFmpegError
from av.packet import Packet
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from chalicelib.core.media.demuxing import MediaFile, pictures
from chalicelib.core.media.errors import MediaError
from chalicelib.core.media.keyframes import Keyframes, decoded_alone, keyframe_packets

_MICROSECONDS = 1_000_000
_MOMENTS = (0.1, 0.25, 0.5, 0.75), (0.95, 0.9, 0.6, 0.35, 0.05)
"""Fractions of the duration; the second ones for videos whose first ones show nothing."""
_BEGINNING_SECONDS = 0.5
"""Beginning of a video that is often black or shows a title."""
_MAX_PICTURES_TO_TARGET = 64
_FULLEST_KEYFRAMES = 2
_MAX_INDEX_ENTRIES = 1_000_000
# Share of the process's own CPU time: an 8K video must not use up its limit on the search for a nicer picture.
_CPU_SECONDS = 8.0


class PosterSearch:
    """Pictures of an open video, the likeliest posters first.

    first_picture: opens the file again and decodes its first picture; raises UnreadableMediaError if there is none.
    Most videos never need it.
    """

    def __init__(
        self, file: MediaFile, media: InputContainer, stream: VideoStream, first_picture: Callable[[], VideoFrame]
    ) -> None:
        self._media, self._stream, self._first_picture = media, stream, first_picture
        self.keyframes = Keyframes(file, media, stream)
        self._start_seconds = (media.start_time or 0) / _MICROSECONDS
        self._time_base = stream.time_base or Fraction(1, 1000)
        self._start = stream.start_time or 0

    def over_time(self, duration_seconds: float) -> Iterator[VideoFrame]:
        """Pictures all over the duration; the first one last."""
        if self._media.start_time is None:
            self._start_by_index()
        first: VideoFrame | None = None
        for target_seconds in self._targets(duration_seconds):
            if time.process_time() > _CPU_SECONDS:
                break
            picture = self._near(target_seconds)
            if picture is not None:
                yield picture
            else:
                first = first or self._first_picture()  # soon, because there may be none
        yield first or self._first_picture()

    def in_order(self, *, first_last: bool) -> Iterator[VideoFrame]:
        """Keyframes in file order, for a file without an index."""
        waiting: Packet[VideoStream] | None = None
        try:
            for packet in keyframe_packets(self._media, self._stream):
                if first_last and waiting is None:
                    waiting = packet
                elif picture := _picture_of(packet):
                    yield picture
                if time.process_time() > _CPU_SECONDS:
                    break
        except MemoryError:
            raise
        except (FFmpegError, MediaError):
            pass  # the first picture is enough
        yield (None if waiting is None else _picture_of(waiting)) or self._first_picture()

    def _start_by_index(self) -> None:
        """Let the video begin with its first keyframe: the header of a Matroska file does not state when it begins."""
        try:
            self._media.seek(0, stream=self._stream)  # the first time, libavformat then reads the index
        except MemoryError:
            raise
        except (FFmpegError, MediaError):
            return  # zero is likely
        entries = self._stream.index_entries
        if len(entries):
            self._start = entries[0].timestamp
            self._start_seconds = float(self._start * self._time_base)

    def _targets(self, duration_seconds: float) -> Iterator[float]:
        """Lazily: most videos show something at the first moment, and an index can be long."""
        wanted, others = ([self._start_seconds + duration_seconds * part for part in parts] for parts in _MOMENTS)
        yield from wanted
        yield from self._fullest_keyframes()
        yield from others

    def _fullest_keyframes(self) -> list[float]:
        """Moments of the keyframes with the most bytes, by the file's index: a black picture has few."""
        entries = islice(self._stream.index_entries, _MAX_INDEX_ENTRIES)
        # Some indexes know no sizes.
        keyframes = [(entry.size, entry.timestamp) for entry in entries if entry.is_keyframe and entry.size]
        fullest = heapq.nlargest(_FULLEST_KEYFRAMES, keyframes)
        reordering = self.keyframes.reordering()
        return [float((timestamp + reordering) * self._time_base) for _, timestamp in fullest]

    def _near(self, target_seconds: float) -> VideoFrame | None:
        """The keyframe before the target; the target itself where that keyframe is at the beginning or damaged."""
        nearest: VideoFrame | None = None
        moment = round(target_seconds / self._time_base)
        try:
            packet = self.keyframes.packet_before(moment)
            if packet and not self._is_at_beginning(packet.pts) and (picture := self.keyframes.picture_of(packet)):
                return picture
            self._media.seek(moment, stream=self._stream)
            for number, picture in enumerate(pictures(self._media, self._stream)):
                if not picture.is_corrupt:
                    nearest = picture
                is_there = picture.pts is not None and picture.pts >= moment
                if is_there or number >= _MAX_PICTURES_TO_TARGET or time.process_time() > _CPU_SECONDS:
                    break
        except MemoryError:
            raise
        except (FFmpegError, MediaError):
            pass  # the first picture is enough
        return nearest

    def _is_at_beginning(self, pts: int | None) -> bool:
        return pts is None or (pts - self._start) * self._time_base < _BEGINNING_SECONDS


def _picture_of(packet: "Packet[VideoStream]") -> VideoFrame | None:
    try:
        return decoded_alone(packet)
    except MemoryError:
        raise
    except FFmpegError:
        return None
