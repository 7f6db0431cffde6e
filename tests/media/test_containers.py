"""The container comes from the bytes, whatever name or type was declared."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib.core.media.containers import HEAD_BYTES, detect_container, require_container
from chalicelib.core.media.errors import NotAVideoError
from chalicelib.core.video_types import (
    OTHER_SIGNATURES,
    SIGNATURE_BYTES,
    VIDEO_SIGNATURES,
    Container,
    Signature,
    has_signature,
    other_kind,
)
from tests.media.containers import SAMPLES, ContainerName
from tests.media.sample_videos import write_sample_video


def _ftyp(brand: bytes, *compatible: bytes) -> bytes:
    body = brand + bytes(4) + b"".join(compatible)
    return (8 + len(body)).to_bytes(4, "big") + b"ftyp" + body + b"\0\0\0\x08free"


def _ebml(*elements: bytes) -> bytes:
    body = b"".join(elements)
    return b"\x1a\x45\xdf\xa3" + bytes([0x80 | len(body)]) + body


NOT_VIDEOS = {
    "nothing": b"",
    "text": b"Dear reader, this is the story of a video that never was.",
    "text that goes on with a box type": b"The free world and its mdat",
    "zeros": bytes(4096),
    "HLS playlist": b"#EXTM3U\n#EXT-X-VERSION:3\n#EXTINF:10,\nhttp://127.0.0.1/segment.ts\n",
    "MPEG-TS without a sync byte in time": (b"\x47\x40\x11\x10" + bytes(184)) * 4 + bytes(188),
    "three packets of MPEG-TS": (b"\x47\x40\x11\x10" + bytes(184)) * 3,
    "elementary stream": b"\0\0\x01\xb3" + bytes(64),
    "GIF": b"GIF89a" + bytes(64),
    "AVIF": _ftyp(b"avif", b"mif1", b"miaf"),
    "AVIF sequence": _ftyp(b"avis", b"msf1"),
    "HEIC": _ftyp(b"heic", b"mif1"),
    "HEIF": _ftyp(b"mif1", b"heic"),
    "Canon raw": _ftyp(b"crx ", b"isom"),
    "ftyp of unprintable brand": _ftyp(b"\x00\x01\x02\x03"),
    "ftyp cut short": b"\0\0\0\x18ftypis",
    "box shorter than its header": b"\0\0\0\x04moov" + bytes(64),
    "JPEG 2000": b"\0\0\0\x0cjP  \r\n\x87\n",
    "JPEG": b"\xff\xd8\xff\xe0\0\x10JFIF\0",
    "PNG": b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR",
    "ZIP": b"PK\x03\x04\x14\0\0\0\x08\0",
    "HTML": b"<!DOCTYPE html><html><script>",
    "ELF": b"\x7fELF\x02\x01\x01" + bytes(57),
    "WAVE": b"RIFF\x24\0\0\0WAVEfmt ",
    "WebP": b"RIFF\x24\0\0\0WEBPVP8 ",
    "RIFF cut short": b"RIFF\x24\0",
    "EBML of another type": _ebml(b"\x42\x82\x84cake"),
    "EBML without a type": _ebml(b"\x42\x86\x81\x01"),
    "EBML of unknown size": b"\x1a\x45\xdf\xa3\xff\x42\x82\x84webm",
    "EBML whose type ends after its header": b"\x1a\x45\xdf\xa3\x84\x42\x82\x84webm",
    "webm in a text": b"webm matroska DocType",
}


@pytest.mark.parametrize("name", SAMPLES)
def test_a_real_file_is_known_by_its_bytes_whatever_its_name(name: ContainerName, tmp_path: Path) -> None:
    head = write_sample_video(tmp_path / "renamed.bin", name, duration_seconds=0.2).read_bytes()[:HEAD_BYTES]
    assert require_container(head) is Container(SAMPLES[name].right.container)
    assert looks_like_a_video(head[:SIGNATURE_BYTES])


@pytest.mark.parametrize("name", NOT_VIDEOS)
def test_other_content_than_video_is_refused(name: str) -> None:
    assert detect_container(NOT_VIDEOS[name]) is None
    with pytest.raises(NotAVideoError):
        require_container(NOT_VIDEOS[name])


@pytest.mark.parametrize(
    ("head", "container"),
    [
        (b"\0\0\0\x6cmoov\0\0\0\x64mvhd", Container.QUICKTIME),
        (b"\0\0\0\x08wide\0\x12\x34\x56mdat", Container.QUICKTIME),
        (b"\0\0\0\x01mdat\0\0\0\x01\0\0\0\0", Container.QUICKTIME),
        (b"\0\0\0\0mdat", Container.QUICKTIME),
        (b"\0\0\0\x10free" + bytes(8) + b"\0\0\0\x0cskip" + bytes(4) + b"\0\0\0\x6cmoov", Container.QUICKTIME),
        (b"\0\0\x20\0free" + bytes(5000), Container.QUICKTIME),
        (b"\0\0\0\x08free" + _ftyp(b"isom"), Container.MP4),
        (_ftyp(b"qt  "), Container.QUICKTIME),
        (_ftyp(b"3gp4"), Container.THREE_GPP),
        (_ftyp(b"M4V ", b"isom"), Container.MP4),
        (_ftyp(b"isom", b"mif1"), Container.MP4),
        (_ebml(b"\x42\x82\x84webm"), Container.WEBM),
        (_ebml(b"\xec\x82ab", b"\x42\x82\x8amatroska\0\0"), Container.MATROSKA),
        (b"\x1a\x45\xdf\xa3\x01\0\0\0\0\0\0\x07\x42\x82\x84webm", Container.WEBM),
    ],
)
def test_rare_but_legal_beginnings_are_known(head: bytes, container: Container) -> None:
    assert detect_container(head) is container


def looks_like_a_video(head: bytes) -> bool:
    """Tell by the signatures alone, as the clients do before they send."""
    return other_kind(head) is None and any(has_signature(head, known.signature) for known in VIDEO_SIGNATURES)


_BEGINNINGS = [
    *(b"", b"\x1a\x45\xdf\xa3", b"RIFF", b"RIFF\0\0\0\0AVI ", b"\0\0\0\x18ftyp", b"\0\0\0\x08free", b"\0\0\0\x01wide"),
    *(b"\0\0\0\0", b"OggS", b"\0\0\x01\xba", (b"\x47" + bytes(187)) * 5, (bytes(4) + b"\x47" + bytes(187)) * 5),
]


@settings(max_examples=500)
@given(st.sampled_from(_BEGINNINGS), st.binary(max_size=HEAD_BYTES + 100))
def test_no_bytes_ever_raise_and_what_is_a_video_here_is_one_for_the_clients(beginning: bytes, rest: bytes) -> None:
    head = beginning + rest
    assert detect_container(head) is None or looks_like_a_video(head[:SIGNATURE_BYTES])


@settings(max_examples=200)
@given(st.sampled_from([_ftyp(b"isom"), _ebml(b"\x42\x82\x84webm"), b"RIFF\0\0\0\0AVI LIST"]), st.integers(0, 40))
def test_a_beginning_cut_anywhere_never_becomes_another_container(head: bytes, length: int) -> None:
    assert detect_container(head[:length]) in {None, detect_container(head)}


@pytest.mark.parametrize(("kind", "signature"), OTHER_SIGNATURES)
def test_files_that_people_take_for_videos_are_named(kind: str, signature: Signature) -> None:
    head = bytearray(HEAD_BYTES)
    for offset, found in signature:
        head[offset : offset + len(found)] = found
    with pytest.raises(NotAVideoError) as raised:
        require_container(bytes(head))
    assert raised.value.message.startswith(f"The file is a {kind} file, not a video. Accepted here: MP4, ")
