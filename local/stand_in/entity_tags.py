"""S3's ETags: the MD5 of the bytes, unless KMS encrypts them.

Source: Amazon S3 API Reference, "Object", `ETag`.
"""

import hashlib
import secrets
from collections.abc import Mapping, Sequence

from local.stand_in.buckets import ENCRYPTION_HEADER


class EntityTag:
    """The ETag of a streamed body. headers: of the resulting object.

    Under SSE-KMS the ETag is random: S3's is not the MD5 of the bytes, and clients must not rely on it.
    """

    def __init__(self, headers: Mapping[str, str]) -> None:
        self._md5 = None if _is_kms(headers) else hashlib.md5(usedforsecurity=False)

    @property
    def needs_bytes(self) -> bool:
        """True if the ETag depends on the bytes."""
        return self._md5 is not None

    def update(self, data: bytes, /) -> None:
        """Take the next bytes in."""
        if self._md5:
            self._md5.update(data)

    def digest(self) -> bytes:
        """The ETag's bytes, which are shown in hexadecimal."""
        return self._md5.digest() if self._md5 else secrets.token_bytes(16)


def of_parts(headers: Mapping[str, str], etags: Sequence[str]) -> str:
    """The ETag of a multipart object: the MD5 of its parts' MD5s, and their number."""
    whole = EntityTag(headers)
    for etag in etags:
        whole.update(bytes.fromhex(etag))
    return f"{whole.digest().hex()}-{len(etags)}"


def _is_kms(headers: Mapping[str, str]) -> bool:
    return headers.get(ENCRYPTION_HEADER, "").startswith("aws:kms")
