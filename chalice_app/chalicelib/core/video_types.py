"""Accepted containers: their names and first bytes, how each is read, and which browsers play it.

Name and first bytes are checked before the upload, the content after it. A name may be wrong about the container:
players go by the content, and so do we.
"""

from enum import StrEnum
from pathlib import PurePosixPath
from typing import NamedTuple

from chalicelib.core.errors import UnsupportedVideoTypeError


class Container(StrEnum):
    """The value is the API's `media.container`."""

    MP4 = "mp4"
    QUICKTIME = "quicktime"
    THREE_GPP = "3gpp"
    MATROSKA = "matroska"
    WEBM = "webm"
    AVI = "avi"
    MPEG_TS = "mpegts"
    MPEG_PS = "mpeg"
    OGG = "ogg"


BOX_CONTAINERS = frozenset({Container.MP4, Container.QUICKTIME, Container.THREE_GPP})
"""Containers made of boxes (ISO/IEC 14496-12 and the QuickTime format, its origin)."""
EBML_CONTAINERS = frozenset({Container.MATROSKA, Container.WEBM})
EVERY_CONTAINER = frozenset(Container)


class Support(StrEnum):
    """Browsers that play a part of a file; `some` also if it depends on the machine."""

    ALL = "all"
    SOME = "some"
    NONE = "none"


class Format(NamedTuple):
    """Reading and playing a container.

    name: the common one. demuxer: libavformat's, the only one that opens such files. browsers: those that play the
    container; core/media/playability.py has the sources. codecs: those that are usual in it, by libavcodec's names;
    others play in some browsers at best.
    """

    name: str
    demuxer: str
    browsers: Support = Support.NONE
    codecs: frozenset[str] = frozenset()


_MP4_CODECS = frozenset({"h264", "hevc", "av1", "vp9", "aac", "mp3", "opus", "flac", "alac", "ac3", "eac3"})
_MATROSKA_CODECS = _MP4_CODECS | {"vp8", "vorbis"}
_WEBM_CODECS = frozenset({"vp8", "vp9", "av1", "opus", "vorbis"})
_OGG_CODECS = frozenset({"vp8", "vp9", "opus", "vorbis", "flac"})

FORMATS = {
    Container.MP4: Format("MP4", "mov", Support.ALL, _MP4_CODECS),
    Container.QUICKTIME: Format("QuickTime", "mov", Support.SOME, _MP4_CODECS),
    Container.THREE_GPP: Format("3GP", "mov", Support.SOME, _MP4_CODECS),
    Container.MATROSKA: Format("Matroska", "matroska", Support.SOME, _MATROSKA_CODECS),
    Container.WEBM: Format("WebM", "matroska", Support.ALL, _WEBM_CODECS),
    Container.AVI: Format("AVI", "avi"),
    Container.MPEG_TS: Format("MPEG-TS", "mpegts"),  # browsers play it as a part of HLS alone
    Container.MPEG_PS: Format("MPEG-PS", "mpeg"),
    Container.OGG: Format("Ogg", "ogg", Support.SOME, _OGG_CODECS),
}


class VideoType(NamedTuple):
    """label: the type's name for users. container: the one that its name promises."""

    label: str
    extensions: tuple[str, ...]
    container: Container


VIDEO_TYPES = {
    "video/mp4": VideoType("MP4", (".mp4", ".m4v"), Container.MP4),
    "video/quicktime": VideoType("MOV", (".mov",), Container.QUICKTIME),
    "video/x-matroska": VideoType("MKV", (".mkv",), Container.MATROSKA),
    "video/webm": VideoType("WebM", (".webm",), Container.WEBM),
    "video/x-msvideo": VideoType("AVI", (".avi",), Container.AVI),
    "video/3gpp": VideoType("3GP", (".3gp", ".3gpp"), Container.THREE_GPP),
    "video/3gpp2": VideoType("3G2", (".3g2",), Container.THREE_GPP),
    "video/mp2t": VideoType("MTS", (".mts", ".m2ts", ".ts"), Container.MPEG_TS),
    "video/mpeg": VideoType("MPEG", (".mpg", ".mpeg"), Container.MPEG_PS),
    "video/ogg": VideoType("Ogg", (".ogv", ".ogg"), Container.OGG),
}
"""Types by content type. Clients read them from the contract (`x-video-types` in docs/openapi.json)."""

Signature = tuple[tuple[int, bytes], ...]
"""A signature: bytes by their offsets, all of which a file must have."""

MIN_TS_PACKETS = 4
_BOX_TYPES = (b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip", b"pnot")
EBML_ID = b"\x1a\x45\xdf\xa3"
TS_SYNC = b"\x47"  # ISO/IEC 13818-1, 2.4.3.3
TS_PACKETS = {188: 0, 192: 4}
"""Packet size → offset of its sync byte. Camcorders prepend a timestamp of four bytes (Blu-ray's BDAV)."""


class VideoSignature(NamedTuple):
    """containers: those whose files may begin so."""

    containers: tuple[Container, ...]
    signature: Signature


_BOXES = (Container.MP4, Container.QUICKTIME, Container.THREE_GPP)

VIDEO_SIGNATURES: tuple[VideoSignature, ...] = (
    VideoSignature((Container.MATROSKA, Container.WEBM), ((0, EBML_ID),)),
    VideoSignature((Container.AVI,), ((0, b"RIFF"), (8, b"AVI "))),
    VideoSignature((Container.MPEG_PS,), ((0, b"\0\0\x01\xba"),)),  # ISO/IEC 13818-1, 2.5.3.4
    VideoSignature((Container.OGG,), ((0, b"OggS"),)),
    *(VideoSignature(_BOXES, ((4, kind),)) for kind in _BOX_TYPES),
    *(
        VideoSignature(
            (Container.MPEG_TS,), tuple((first + number * size, TS_SYNC) for number in range(MIN_TS_PACKETS))
        )
        for size, first in TS_PACKETS.items()
    ),
)
"""Beginnings of accepted files. A file with none of them is refused; one with several is what the first of them says.

Where a beginning does not tell enough, core/media/containers.py looks closer."""

IMAGE_BRANDS = (
    *b"heic heix heim heis hevc hevx hevm hevs mif1 mif2 msf1 miaf avif avis avci avcs jpeg jpgs j2ki j2is".split(),
    b"jxl ",
    b"crx ",
)
"""HEIF and AVIF stills, bursts and image sequences (ISO/IEC 23008-12, AV1 Image File Format), Canon raw."""

OTHER_SIGNATURES: tuple[tuple[str, Signature], ...] = (
    *(("HEIC", ((4, b"ftyp"), (8, brand))) for brand in IMAGE_BRANDS if brand.startswith((b"hei", b"hev"))),
    *(("AVIF", ((4, b"ftyp"), (8, brand))) for brand in IMAGE_BRANDS if brand.startswith(b"avi")),
    *(("HEIF", ((4, b"ftyp"), (8, brand))) for brand in (b"mif1", b"mif2", b"msf1", b"miaf")),
    ("GIF", ((0, b"GIF8"),)),
    ("JPEG", ((0, b"\xff\xd8\xff"),)),
    ("PNG", ((0, b"\x89PNG"),)),
    ("WebP", ((0, b"RIFF"), (8, b"WEBP"))),
    ("WAV", ((0, b"RIFF"), (8, b"WAVE"))),
    ("MP3", ((0, b"ID3"),)),
    ("PDF", ((0, b"%PDF"),)),
    ("ZIP", ((0, b"PK\x03\x04"),)),
    ("FLV", ((0, b"FLV"),)),
    ("WMV", ((0, b"\x30\x26\xb2\x75\x8e\x66\xcf\x11"),)),
    ("MXF", ((0, b"\x06\x0e\x2b\x34"),)),
)
"""Files that people mistake for videos, or that have a video's extension, by their common name."""

SIGNATURE_BYTES = max(offset + len(found) for each in VIDEO_SIGNATURES for offset, found in each.signature)


def other_kind(head: bytes) -> str | None:
    """Common name of a well-known file type with this beginning that is no accepted video, if it is one."""
    return next((name for name, signature in OTHER_SIGNATURES if has_signature(head, signature)), None)


def has_signature(head: bytes, signature: Signature) -> bool:
    return all(head[offset : offset + len(found)] == found for offset, found in signature)


def labels_of(containers: frozenset[Container]) -> str:
    """The containers' types in words: "MP4, MOV or AVI"."""
    *labels, last = [known.label for known in VIDEO_TYPES.values() if known.container in containers]
    return f"{', '.join(labels)} or {last}" if labels else last


def require_video_type(file_name: str, content_type: str, containers: frozenset[Container]) -> None:
    """Check a file's type and name.

    containers: those that the stage accepts.

    Raises UnsupportedVideoTypeError unless the type belongs to one of them and matches the name's extension.
    """
    accepted = {each: list(kind.extensions) for each, kind in VIDEO_TYPES.items() if kind.container in containers}
    if PurePosixPath(file_name).suffix.lower() not in accepted.get(content_type, ()):
        raise UnsupportedVideoTypeError(file_name=file_name, content_type=content_type, accepted=accepted)
