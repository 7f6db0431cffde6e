"""Parts as the API shows them."""

from collections.abc import Iterable
from typing import Any

from chalicelib.core.part_urls import SignedPart
from chalicelib.core.ports import StoredPart


def signed_part_views(parts: Iterable[SignedPart]) -> list[dict[str, Any]]:
    return [
        {"partNumber": part.part_number, "url": part.url, "sizeBytes": part.size_bytes, "headers": dict(part.headers)}
        for part in parts
    ]


def stored_part_views(parts: Iterable[StoredPart]) -> list[dict[str, Any]]:
    return [
        {
            "partNumber": part.part_number,
            "sizeBytes": part.size_bytes,
            "etag": part.etag,
            **({"checksumCRC64NVME": part.checksum_crc64nvme} if part.checksum_crc64nvme else {}),
        }
        for part in parts
    ]
