"""Facts from a video's streams, and its poster. Imported by the inspecting process only."""

import heapq
import time
from collections.abc import Callable, Iterator
from fractions import Fraction
from itertools import islice

from av.container import InputContainer
from av.error import FFmpegError
from av.stream import Discard, Disposition
from av.video.frame import VideoFrame
from av.video.stream import VideoStream as AvVideoStream

from chalicelib.core.media.boxes import Index
from chalicelib.core.media.demuxing import VIDEO_DECODERS, MediaFile, open_media, pictures
from chalicelib.core.media.errors import (
    EncryptedMediaError,
    MediaError,
    MediaLimitsError,
    NoVideoStreamError,
    UnreadableMediaError,
    UnsupportedCodecError,
)
from chalicelib.core.media.facts import AudioStream, InspectionLimits, MediaFacts, VideoStream
from chalicelib.core.media.orientation import Orientation
from chalicelib.core.media.poster import best_picture, encode_poster, square_pixels
from chalicelib.core.media.thumbnails import WHOLE_FILE_BYTES, Source, Sprite, make_sprite
from chalicelib.core.media.unindexed import beginning, duration_from_tail
from chalicelib.core.video_types import BOX_CONTAINERS, EBML_CONTAINERS, Container

MICROSECONDS = 1_000_000
_POSTER_AT = (0.1, 0.25, 0.5, 0.75), (0.95, 0.9, 0.6, 0.35, 0.05)
"""Parts of the duration; the second ones where the first show nothing."""
_MAX_PICTURES_TO_TARGET = 64
_FULLEST_KEYFRAMES = 2
_MAX_INDEX_ENTRIES = 1_000_000
# Of the process's own CPU time: an 8K video must not use up its limit on the search for a nicer picture.
_POSTER_CPU_SECONDS = 8.0
_NO_PICTURES = Disposition.attached_pic | Disposition.still_image | Disposition.timed_thumbnails
_MAX_FRAME_RATE = 1_000
_NEAR_RATE = 0.1
_INDEXED_CONTAINERS = BOX_CONTAINERS | EBML_CONTAINERS | {Container.AVI}


Tell = Callable[[MediaFacts, bytes], None]
"""Takes facts and poster."""


def inspect(
    file: MediaFile, container: Container, limits: InspectionLimits, tell: Tell, *, thumbnails: bool
) -> Sprite | None:
    """Tell facts and poster, then draw thumbnails if they are wanted and cost little. What is raised after the telling
    concerns these alone.

    Raises NoVideoStreamError, EncryptedMediaError, UnsupportedCodecError, UnreadableMediaError, MediaLimitsError,
    MemoryError, and what `file.read` raises.
    """
    try:
        return _inspect(file, container, limits, tell, thumbnails=thumbnails)
    except MemoryError:
        raise
    except FFmpegError as error:
        raise UnreadableMediaError(error.strerror or type(error).__name__) from error


def _inspect(
    file: MediaFile, container: Container, limits: InspectionLimits, tell: Tell, *, thumbnails: bool
) -> Sprite | None:
    index = Index.of(file) if container in BOX_CONTAINERS else Index()
    if index.is_encrypted:
        raise EncryptedMediaError
    if index.missing_bytes and not index.is_fragmented:
        raise UnreadableMediaError(problem=f"it is cut off; bytes missing at its end: {index.missing_bytes:,}")
    unindexed = index.is_fragmented
    media = open_media(
        beginning(file) if unindexed else file, container, limits, walk_fragments=not index.is_fragmented
    )
    if not unindexed and media.duration is None:
        media.close()
        unindexed, media = True, open_media(beginning(file), container, limits)
    with media:
        stream = _video_stream(media, limits)
        first = next(pictures(media, stream), None)
        if first is None:
            raise UnreadableMediaError(problem="no picture can be decoded")
        known_seconds = media.duration / MICROSECONDS if media.duration else None
        orientation = Orientation.of(first)
        aspect = _pixel_aspect(stream)
        if index.is_fragmented:
            candidates = _following_keyframes(media, stream, first)
        else:
            candidates = _candidates(media, stream, first, known_seconds)
        poster = best_picture(candidates)
        poster_jpeg = encode_poster(poster or first, aspect, orientation)
        rate = _rate_of_fragments(stream) if index.is_fragmented else stream.average_rate or stream.guessed_rate
        video = _video_facts(stream, first, aspect, orientation.rotation_degrees, limits, rate=rate)
        audio = _audio_facts(media)
        start_seconds = (media.start_time or 0) / MICROSECONDS
        if not unindexed:
            tell(_facts(file, container, limits, known_seconds, video, audio), poster_jpeg)
            if not thumbnails or not known_seconds:
                return None
            is_indexed = container in _INDEXED_CONTAINERS
            return make_sprite(Source(file, media, stream, known_seconds, aspect, orientation, is_indexed))
    seconds = duration_from_tail(file, container, limits, start_seconds)
    tell(_facts(file, container, limits, seconds, video, audio), poster_jpeg)
    if not thumbnails or not seconds or file.size_bytes > WHOLE_FILE_BYTES:
        return None
    file.expect(0, file.size_bytes)
    with open_media(file, container, limits) as media:
        stream = _video_stream(media, limits)
        return make_sprite(Source(file, media, stream, seconds, aspect, orientation, is_indexed=False))


def _facts(  # noqa: PLR0917 - they are what the facts are made of
    file: MediaFile,
    container: Container,
    limits: InspectionLimits,
    seconds: float | None,
    video: VideoStream,
    audio: AudioStream | None,
) -> MediaFacts:
    if seconds is not None and seconds > limits.max_duration_seconds:
        raise MediaLimitsError(limit="max_duration_seconds", allowed=limits.max_duration_seconds, found=seconds)
    return MediaFacts(
        container=container,
        duration_seconds=round(seconds, 3) if seconds else None,
        bit_rate_bits_per_second=round(file.size_bytes * 8 / seconds) if seconds else None,
        video=video,
        audio=audio,
    )


def _video_stream(media: InputContainer, limits: InspectionLimits) -> AvVideoStream:
    streams = list(media.streams)
    if len(streams) > limits.max_streams:
        raise MediaLimitsError(limit="max_streams", allowed=limits.max_streams, found=len(streams))
    stream = next((one for one in media.streams.video if not one.disposition & _NO_PICTURES), None)
    if stream is None:
        raise NoVideoStreamError(tuple(one.type for one in streams))
    codec = stream.codec_context  # None without a decoder
    if codec is None or codec.name not in VIDEO_DECODERS:
        raise UnsupportedCodecError("" if codec is None else codec.name)
    _require_size(stream.codec_context.width, stream.codec_context.height, limits)
    stream.codec_context.thread_count = 1
    stream.codec_context.options = {"max_pixels": str(limits.max_pixels)}
    for other in streams:
        if other.index != stream.index:
            other.discard = Discard.all
    return stream


def _require_size(width: int, height: int, limits: InspectionLimits) -> None:
    if max(width, height) > limits.max_dimension_px:
        raise MediaLimitsError(limit="max_dimension_px", allowed=limits.max_dimension_px, found=max(width, height))
    if width * height > limits.max_pixels:
        raise MediaLimitsError(limit="max_pixels", allowed=limits.max_pixels, found=width * height)


def _pixel_aspect(stream: AvVideoStream) -> Fraction:
    aspect = stream.sample_aspect_ratio
    return aspect if aspect and Fraction(1, 16) <= aspect <= 16 else Fraction(1)


def _candidates(
    media: InputContainer, stream: AvVideoStream, first: VideoFrame, duration_seconds: float | None
) -> Iterator[VideoFrame]:
    if duration_seconds is not None:
        for moment in _poster_moments(media, stream, duration_seconds):
            if time.process_time() > _POSTER_CPU_SECONDS:
                break
            picture = _picture_near(media, stream, first, moment)
            if picture is not None:
                yield picture
    yield first


def _following_keyframes(media: InputContainer, stream: AvVideoStream, first: VideoFrame) -> Iterator[VideoFrame]:
    """Keyframes in the order of the file, where nothing says where any lies; the first one last."""
    stream.codec_context.skip_frame = "NONKEY"
    try:
        for picture in pictures(media, stream):
            if time.process_time() > _POSTER_CPU_SECONDS:
                break
            if picture.pts != first.pts and not picture.is_corrupt:
                yield picture
    except MemoryError:
        raise
    except (FFmpegError, MediaError):
        pass  # the first picture will do
    yield first


def _poster_moments(media: InputContainer, stream: AvVideoStream, duration_seconds: float) -> Iterator[float]:
    """Lazily: most videos show something at the first moment, and an index can be long."""
    start_seconds = (media.start_time or 0) / MICROSECONDS
    wanted, others = ([start_seconds + duration_seconds * part for part in parts] for parts in _POSTER_AT)
    yield from wanted
    yield from _fullest_keyframes(stream)
    yield from others


def _fullest_keyframes(stream: AvVideoStream) -> list[float]:
    """Moments of the keyframes with the most bytes, by the file's index: a black picture has few."""
    if stream.time_base is None:
        return []
    entries = islice(stream.index_entries, _MAX_INDEX_ENTRIES)
    # Some indexes know no sizes.
    keyframes = [(entry.size, entry.timestamp) for entry in entries if entry.is_keyframe and entry.size]
    return [float(timestamp * stream.time_base) for _, timestamp in heapq.nlargest(_FULLEST_KEYFRAMES, keyframes)]


def _picture_near(
    media: InputContainer, stream: AvVideoStream, first: VideoFrame, target_seconds: float
) -> VideoFrame | None:
    """The keyframe before the target; the target itself where the only keyframe before it is the first."""
    start_seconds = (media.start_time or 0) / MICROSECONDS
    nearest: VideoFrame | None = None
    try:
        media.seek(round(target_seconds * MICROSECONDS))
        for number, picture in enumerate(pictures(media, stream)):
            if not picture.is_corrupt:
                nearest = picture
            moment = picture.time if picture.pts is not None else start_seconds
            beyond_first = picture.pts is not None and picture.pts != first.pts and number == 0
            near_enough = beyond_first or moment >= target_seconds
            if near_enough or number >= _MAX_PICTURES_TO_TARGET or time.process_time() > _POSTER_CPU_SECONDS:
                break
    except MemoryError:
        raise
    except (FFmpegError, MediaError):
        pass  # the first picture will do
    return nearest


def _video_facts(
    stream: AvVideoStream,
    first: VideoFrame,
    aspect: Fraction,
    rotation_degrees: int,
    limits: InspectionLimits,
    *,
    rate: Fraction | None,
) -> VideoStream:
    width, height = map(round, square_pixels(first, aspect))
    _require_size(width, height, limits)
    if rotation_degrees in {90, 270}:
        width, height = height, width
    return VideoStream(
        codec=stream.codec_context.codec.canonical_name,
        profile=stream.codec_context.profile,
        width=width,
        height=height,
        rotation_degrees=rotation_degrees,
        frame_rate=round(float(rate), 3) if rate and 0 < rate <= _MAX_FRAME_RATE else None,
    )


def _rate_of_fragments(stream: AvVideoStream) -> Fraction | None:
    """The nominal rate where the average of the first fragments is near it.

    That average counts the wait for the sound's first samples as pictures: 23.9 for 25 a second.
    """
    average, nominal = stream.average_rate, stream.guessed_rate
    if average and nominal and abs(nominal / average - 1) < _NEAR_RATE:
        return nominal
    return average or nominal


def _audio_facts(media: InputContainer) -> AudioStream | None:
    for stream in media.streams.audio:
        if stream.codec_context is not None:  # None without a decoder
            return AudioStream(
                codec=stream.codec_context.codec.canonical_name,
                channels=stream.codec_context.channels,
                sample_rate_hz=stream.codec_context.sample_rate,
            )
    return None
