"""Videos by their names and first bytes, as the contract tells them (`x-video-types` in docs/openapi.json)."""

from __future__ import annotations

from pathlib import Path

from video_upload.errors import FileRefusedError

CONTENT_TYPES = {
    ".mp4": "video/mp4",
    ".m4v": "video/mp4",
    ".mov": "video/quicktime",
    ".mkv": "video/x-matroska",
    ".webm": "video/webm",
    ".avi": "video/x-msvideo",
    ".3gp": "video/3gpp",
    ".3gpp": "video/3gpp",
    ".3g2": "video/3gpp2",
    ".mts": "video/mp2t",
    ".m2ts": "video/mp2t",
    ".ts": "video/mp2t",
    ".mpg": "video/mpeg",
    ".mpeg": "video/mpeg",
    ".ogv": "video/ogg",
    ".ogg": "video/ogg",
}
Signature = tuple[tuple[int, bytes], ...]
"""Offsets and the bytes that a file has there, all of them."""
VIDEO_SIGNATURES: tuple[Signature, ...] = (
    ((4, b"ftyp"),),
    ((4, b"moov"),),
    ((4, b"mdat"),),
    ((4, b"wide"),),
    ((4, b"free"),),
    ((4, b"skip"),),
    ((4, b"pnot"),),
    ((0, b"\x1aE\xdf\xa3"),),
    ((0, b"RIFF"), (8, b"AVI ")),
    ((0, b"\x00\x00\x01\xba"),),
    ((0, b"OggS"),),
    ((0, b"G"), (188, b"G"), (376, b"G"), (564, b"G")),
    ((4, b"G"), (196, b"G"), (388, b"G"), (580, b"G")),
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
SIGNATURE_BYTES = max(offset + len(found) for one in VIDEO_SIGNATURES for offset, found in one)


def content_type_of(path: Path) -> str:
    """Return the type that the extension names. Raises FileRefusedError for a file that is no video by its name."""
    content_type = CONTENT_TYPES.get(path.suffix.lower())
    if content_type is None:
        raise FileRefusedError(path, f"not a video this platform takes ({', '.join(CONTENT_TYPES)})")
    return content_type


def require_video(path: Path, head: bytes) -> None:
    """head: the first SIGNATURE_BYTES of the file. Raises FileRefusedError for a file that is no video by them."""
    kind = next((kind for kind, signature in OTHER_SIGNATURES if _has(head, signature)), None)
    if kind is not None:
        raise FileRefusedError(path, f"a {kind} file, not a video")
    if not any(_has(head, signature) for signature in VIDEO_SIGNATURES):
        raise FileRefusedError(path, "not a video: its content is something else")


def _has(head: bytes, signature: Signature) -> bool:
    return all(head[offset : offset + len(found)] == found for offset, found in signature)
