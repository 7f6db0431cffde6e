"""CRC64NVME, S3's checksum of whole objects: text form and arithmetic."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterable

from awscrt.checksums import combine_crc64nvme


def encode_crc64nvme(value: int) -> str:
    """S3's form: base64 of the eight big-endian bytes."""
    return base64.b64encode(value.to_bytes(8, "big")).decode("ascii")


def decode_crc64nvme(text: str) -> int:
    """Raises ValueError unless the text is base64 of exactly eight bytes."""
    try:
        value = base64.b64decode(text, validate=True)
    except binascii.Error as error:
        raise ValueError(f"not base64: {text!r}") from error
    if len(value) != 8:
        raise ValueError(f"{len(value)} bytes instead of 8: {text!r}")
    return int.from_bytes(value, "big")


def whole_file_crc64nvme(parts: Iterable[tuple[int, int]]) -> int:
    """The checksum of the file from those of its parts, without reading it again.

    parts: (checksum, size in bytes) of every part, in the order of the file.
    """
    whole = 0
    for checksum, size_bytes in parts:
        whole = combine_crc64nvme(whole, checksum, size_bytes)
    return whole
