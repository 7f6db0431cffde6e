"""Facts from a video's streams, and its poster. Imported by the inspecting process only."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Self

from av.audio.codeccontext import AudioCodecContext
from av.audio.layout import AudioLayout
from av.container import InputContainer
from av.error import FFmpegError
from av.stream import Discard, Disposition
from av.video.frame import VideoFrame
from av.video.stream import VideoStream as AvVideoStream

from chalicelib.core.media.boxes import Index
from chalicelib.core.media.demuxing import VIDEO_DECODERS, MediaFile, open_media, pictures
from chalicelib.core.media.errors import (
    EncryptedMediaError,
    MediaLimitsError,
    NoVideoStreamError,
    UnreadableMediaError,
    UnsupportedCodecError,
)
from chalicelib.core.media.facts import AudioStream, InspectionLimits, MediaFacts, VideoStream
from chalicelib.core.media.keyframes import Keyframes
from chalicelib.core.media.orientation import Orientation
from chalicelib.core.media.poster import best_picture, encode_poster, square_pixels
from chalicelib.core.media.poster_search import PosterSearch
from chalicelib.core.media.sound_index import with_short_sound_index
from chalicelib.core.media.thumbnails import WHOLE_FILE_BYTES, Source, Sprite, make_sprite
from chalicelib.core.media.unindexed import beginning, duration_from_tail
from chalicelib.core.video_types import BOX_CONTAINERS, EBML_CONTAINERS, Container

MICROSECONDS = 1_000_000
_NO_PICTURES = Disposition.attached_pic | Disposition.still_image | Disposition.timed_thumbnails
_MAX_FRAME_RATE = 1_000
_NEAR_RATE = 0.1
_BYTES_A_PIXEL = 4
"""Bytes per pixel of a decoded picture, with its margins and what the decoder keeps beside it."""
_INDEXED_CONTAINERS = BOX_CONTAINERS | EBML_CONTAINERS | {Container.AVI}


Tell = Callable[[MediaFacts, bytes], None]
"""A receiver of facts and poster."""


def inspect(
    file: MediaFile, container: Container, limits: InspectionLimits, tell: Tell, *, thumbnails: bool
) -> Sprite | None:
    """Send facts and poster, then draw thumbnails if they are wanted and cost little. Errors after the sending concern
    only the thumbnails.

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
    try:
        video_file, media = _opened(_VideoFile.of(file, container, limits, index))
    except MemoryError:
        raise
    except FFmpegError as error:
        if index.is_missing:
            raise UnreadableMediaError(problem="its index is missing; the recording was cut short") from error
        raise
    with media:
        stream = _video_stream(media, limits)
        known_seconds = media.duration / MICROSECONDS if media.duration else None
        search = PosterSearch(file, media, stream, video_file.first_picture)
        if known_seconds is None or index.is_fragmented:
            candidates = search.in_order(first_last=index.is_fragmented)
        else:
            candidates = search.over_time(known_seconds)
        poster = best_picture(candidates)
        orientation = Orientation.of(poster)
        aspect = _pixel_aspect(stream)
        poster_jpeg = encode_poster(poster, aspect, orientation)
        rate = _rate_of_fragments(stream) if index.is_fragmented else stream.average_rate or stream.guessed_rate
        video = _video_facts(stream, poster, aspect, orientation.rotation_degrees, limits, rate=rate)
        audio = _audio_facts(media)
        start_seconds = (media.start_time or 0) / MICROSECONDS
        if not video_file.is_unindexed:
            tell(_facts(file, container, limits, known_seconds, video, audio), poster_jpeg)
            if not thumbnails or not known_seconds:
                return None
            source = Source(file, stream, search.keyframes, known_seconds, aspect, orientation, video_file.is_indexed)
            return make_sprite(source)
    seconds = duration_from_tail(file, container, limits, start_seconds)
    tell(_facts(file, container, limits, seconds, video, audio), poster_jpeg)
    if not thumbnails or not seconds or file.size_bytes > WHOLE_FILE_BYTES:
        return None
    file.expect(0, file.size_bytes)
    with open_media(file, container, limits) as media:
        stream = _video_stream(media, limits)
        keyframes = Keyframes(file, media, stream)
        return make_sprite(Source(file, stream, keyframes, seconds, aspect, orientation, is_indexed=False))


@dataclass(frozen=True)
class _VideoFile:
    """A file, and what is known about its index.

    is_unindexed: it states neither its length nor the positions of its keyframes.
    """

    file: MediaFile
    container: Container
    limits: InspectionLimits
    is_fragmented: bool
    is_unindexed: bool
    index_span: tuple[int, int] | None

    @classmethod
    def of(cls, file: MediaFile, container: Container, limits: InspectionLimits, index: Index) -> Self:
        return cls(
            file,
            container,
            limits,
            is_fragmented=index.is_fragmented,
            is_unindexed=index.is_fragmented,
            index_span=index.span,
        )

    @property
    def is_indexed(self) -> bool:
        """Check whether the positions of the keyframes are known without reading these."""
        return self.container in _INDEXED_CONTAINERS and not self.is_unindexed

    def open(self) -> InputContainer:
        return self._open(beginning(self.file) if self.is_unindexed else self.file)

    def open_by_header_alone(self) -> InputContainer:
        """Open an indexed file without reading any sample, sound least of all."""
        shown = with_short_sound_index(self.file, self.index_span) if self.index_span else self.file
        return self._open(shown, by_header_alone=True)

    def _open(self, file: MediaFile, *, by_header_alone: bool = False) -> InputContainer:
        return open_media(
            file,
            self.container,
            self.limits,
            walk_fragments=not self.is_fragmented,
            by_header_alone=by_header_alone,
        )

    def first_picture(self) -> VideoFrame:
        """Decode the first picture, beside a demuxer that reads the same file."""
        position = self.file.tell()
        try:
            with self.open() as media:
                stream = _video_stream(media, self.limits)
                picture = next(pictures(media, stream), None)
                picture_bytes = _BYTES_A_PIXEL * stream.width * stream.height
        finally:
            self.file.seek(position)
        if picture is None:
            bytearray(picture_bytes)  # MemoryError: decoders report a lack of memory as damage
            raise UnreadableMediaError(problem="no picture can be decoded")
        return picture


def _opened(video_file: _VideoFile) -> tuple[_VideoFile, InputContainer]:
    """Open the file, by its header alone if that is enough."""
    media = video_file.open_by_header_alone() if video_file.is_indexed else video_file.open()
    if media.duration is None and not video_file.is_fragmented:
        media.close()
        video_file = replace(video_file, is_unindexed=True)
        media = video_file.open()
    elif video_file.is_indexed and not _says_enough(media):
        media.close()
        media = video_file.open()
    return video_file, media


def _says_enough(media: InputContainer) -> bool:
    """Check whether the header alone gave all facts; the poster adds what is still missing, such as the pixel
    format."""
    video = next(iter(media.streams.video), None)
    sounds = [stream.codec_context for stream in media.streams.audio if stream.codec_context is not None]
    return bool(
        video
        and video.codec_context
        and video.codec_context.width
        and video.average_rate
        and all(channels_of(sound) and sound.sample_rate for sound in sounds)
    )


def channels_of(sound: AudioCodecContext) -> int:
    """Number of the sound's channels.

    PyAV frees a layout when it is done with it, although the list of a layout in an order of its own is the codec
    context's. So the context gets a layout without a list, and the list is freed once.
    """
    layout = sound.layout
    if layout.nb_channels:
        sound.layout = AudioLayout(f"{layout.nb_channels} channels")
    return layout.nb_channels


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
    aspect = stream.sample_aspect_ratio or stream.codec_context.sample_aspect_ratio
    return aspect if aspect and Fraction(1, 16) <= aspect <= 16 else Fraction(1)


def _video_facts(
    stream: AvVideoStream,
    picture: VideoFrame,
    aspect: Fraction,
    rotation_degrees: int,
    limits: InspectionLimits,
    *,
    rate: Fraction | None,
) -> VideoStream:
    width, height = map(round, square_pixels(picture, aspect))
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
    """The nominal rate if the average of the first fragments is near it.

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
                channels=channels_of(stream.codec_context),
                sample_rate_hz=stream.codec_context.sample_rate,
            )
    return None
