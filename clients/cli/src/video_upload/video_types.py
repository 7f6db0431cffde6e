"""Videos by their names and first bytes, as the contract tells them (`x-video-types` in docs/openapi.json)."""

from __future__ import annotations

from collections.abc import Set as AbstractSet
from pathlib import Path
from typing import NamedTuple

from video_upload.errors import FileRefusedError


class VideoType(NamedTuple):
    """label: the type's name for people. container: what its name promises."""

    label: str
    extensions: tuple[str, ...]
    container: str


VIDEO_TYPES = {
    "video/mp4": VideoType("MP4", (".mp4", ".m4v"), "mp4"),
    "video/quicktime": VideoType("MOV", (".mov",), "quicktime"),
    "video/x-matroska": VideoType("MKV", (".mkv",), "matroska"),
    "video/webm": VideoType("WebM", (".webm",), "webm"),
    "video/x-msvideo": VideoType("AVI", (".avi",), "avi"),
    "video/3gpp": VideoType("3GP", (".3gp", ".3gpp"), "3gpp"),
    "video/3gpp2": VideoType("3G2", (".3g2",), "3gpp"),
    "video/mp2t": VideoType("MTS", (".mts", ".m2ts", ".ts"), "mpegts"),
    "video/mpeg": VideoType("MPEG", (".mpg", ".mpeg"), "mpeg"),
    "video/ogg": VideoType("Ogg", (".ogv", ".ogg"), "ogg"),
}
CONTENT_TYPES = {extension: kind for kind, known in VIDEO_TYPES.items() for extension in known.extensions}
EVERY_CONTAINER = frozenset(known.container for known in VIDEO_TYPES.values())
Signature = tuple[tuple[int, bytes], ...]
"""Offsets and the bytes that a file has there, all of them."""


class VideoSignature(NamedTuple):
    """containers: those whose files may begin so."""

    containers: tuple[str, ...]
    signature: Signature


_BOXES = ("mp4", "quicktime", "3gpp")
VIDEO_SIGNATURES: tuple[VideoSignature, ...] = (
    *(VideoSignature(_BOXES, ((4, kind),)) for kind in (b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip", b"pnot")),
    VideoSignature(("matroska", "webm"), ((0, b"\x1aE\xdf\xa3"),)),
    VideoSignature(("avi",), ((0, b"RIFF"), (8, b"AVI "))),
    VideoSignature(("mpeg",), ((0, b"\x00\x00\x01\xba"),)),
    VideoSignature(("ogg",), ((0, b"OggS"),)),
    VideoSignature(("mpegts",), ((0, b"G"), (188, b"G"), (376, b"G"), (564, b"G"))),
    VideoSignature(("mpegts",), ((4, b"G"), (196, b"G"), (388, b"G"), (580, b"G"))),
)
"""A file that begins with none of these is no video; one that does may still be something else."""
OTHER_SIGNATURES: tuple[tuple[str, Signature], ...] = (
    ("HEIC", ((4, b"ftyp"), (8, b"heic"))),
    ("HEIC", ((4, b"ftyp"), (8, b"heix"))),
    ("HEIC", ((4, b"ftyp"), (8, b"heim"))),
    ("HEIC", ((4, b"ftyp"), (8, b"heis"))),
    ("HEIC", ((4, b"ftyp"), (8, b"hevc"))),
    ("HEIC", ((4, b"ftyp"), (8, b"hevx"))),
    ("HEIC", ((4, b"ftyp"), (8, b"hevm"))),
    ("HEIC", ((4, b"ftyp"), (8, b"hevs"))),
    ("AVIF", ((4, b"ftyp"), (8, b"avif"))),
    ("AVIF", ((4, b"ftyp"), (8, b"avis"))),
    ("HEIF", ((4, b"ftyp"), (8, b"mif1"))),
    ("HEIF", ((4, b"ftyp"), (8, b"mif2"))),
    ("HEIF", ((4, b"ftyp"), (8, b"msf1"))),
    ("HEIF", ((4, b"ftyp"), (8, b"miaf"))),
    ("GIF", ((0, b"GIF8"),)),
    ("JPEG", ((0, b"\xff\xd8\xff"),)),
    ("PNG", ((0, b"\x89PNG"),)),
    ("WebP", ((0, b"RIFF"), (8, b"WEBP"))),
    ("WAV", ((0, b"RIFF"), (8, b"WAVE"))),
    ("MP3", ((0, b"ID3"),)),
    ("PDF", ((0, b"%PDF"),)),
    ("ZIP", ((0, b"PK\x03\x04"),)),
    ("FLV", ((0, b"FLV"),)),
    ("WMV", ((0, b"0&\xb2u\x8ef\xcf\x11"),)),
    ("MXF", ((0, b"\x06\x0e+4"),)),
)
"""Well-known files that are no videos, by the name that people know."""
SIGNATURE_BYTES = max(offset + len(found) for each in VIDEO_SIGNATURES for offset, found in each.signature)


def content_type_of(path: Path, accepted: frozenset[str] = EVERY_CONTAINER) -> str:
    """Return the type that the extension names.

    accepted: containers that the site accepts. Raises FileRefusedError for a file that by its name is in none of them.
    """
    content_type = CONTENT_TYPES.get(path.suffix.lower())
    if content_type is None or VIDEO_TYPES[content_type].container not in accepted:
        known = (kind for kind in VIDEO_TYPES.values() if kind.container in accepted)
        extensions = ", ".join(extension for kind in known for extension in kind.extensions)
        raise FileRefusedError(path, f"not accepted here. Accepted are {extensions}.")
    return content_type


def require_video(path: Path, head: bytes, accepted: frozenset[str] = EVERY_CONTAINER) -> None:
    """Raises FileRefusedError for a file that by its first bytes is no video, or in no container that is accepted.

    head: the first SIGNATURE_BYTES of the file.
    """
    kind = next((kind for kind, signature in OTHER_SIGNATURES if _has(head, signature)), None)
    if kind is not None:
        raise FileRefusedError(path, f"a {kind} file, not a video")
    found = {container for known in VIDEO_SIGNATURES if _has(head, known.signature) for container in known.containers}
    if not found:
        raise FileRefusedError(path, "not a video: its content is something else")
    if accepted.isdisjoint(found):
        raise FileRefusedError(
            path, f"The content of the file is {_labels_of(found)}. Accepted here: {_labels_of(accepted)}."
        )


def _labels_of(containers: AbstractSet[str]) -> str:
    """The containers' types for people: "MP4, MOV or AVI"."""
    *labels, last = [known.label for known in VIDEO_TYPES.values() if known.container in containers]
    return f"{', '.join(labels)} or {last}" if labels else last


def _has(head: bytes, signature: Signature) -> bool:
    # A loop: a generator for each of the signatures costs more than the comparisons.
    for offset, found in signature:  # noqa: SIM110
        if not head.startswith(found, offset):
            return False
    return True
