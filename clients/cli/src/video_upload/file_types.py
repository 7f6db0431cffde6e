"""Accepted videos and other well-known files, by name and first bytes.

Made by `make contract`: change chalice_app/chalicelib/core/video_types.py instead.
"""

from __future__ import annotations

from typing import NamedTuple


class VideoType(NamedTuple):
    """label: the type's name for people. container: what its name promises."""

    label: str
    extensions: tuple[str, ...]
    container: str


Signature = tuple[tuple[int, bytes], ...]
"""Offsets and the bytes that a file has there, all of them."""


class VideoSignature(NamedTuple):
    """containers: those whose files may begin so."""

    containers: tuple[str, ...]
    signature: Signature


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
"""Accepted files, by content type."""
VIDEO_SIGNATURES = (
    VideoSignature(("matroska", "webm"), ((0, b"\x1aE\xdf\xa3"),)),
    VideoSignature(("avi",), ((0, b"RIFF"), (8, b"AVI "))),
    VideoSignature(("mpeg",), ((0, b"\x00\x00\x01\xba"),)),
    VideoSignature(("ogg",), ((0, b"OggS"),)),
    VideoSignature(("mp4", "quicktime", "3gpp"), ((4, b"ftyp"),)),
    VideoSignature(("mp4", "quicktime", "3gpp"), ((4, b"moov"),)),
    VideoSignature(("mp4", "quicktime", "3gpp"), ((4, b"mdat"),)),
    VideoSignature(("mp4", "quicktime", "3gpp"), ((4, b"wide"),)),
    VideoSignature(("mp4", "quicktime", "3gpp"), ((4, b"free"),)),
    VideoSignature(("mp4", "quicktime", "3gpp"), ((4, b"skip"),)),
    VideoSignature(("mp4", "quicktime", "3gpp"), ((4, b"pnot"),)),
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
