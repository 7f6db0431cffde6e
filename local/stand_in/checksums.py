"""S3's checksums: computed while a body is streamed, combined from parts, compared with the client's.

Source: Amazon S3 User Guide, "Checking object integrity for data uploads in Amazon S3".
"""

import base64
import binascii
import hashlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Literal, Protocol, cast

from awscrt import checksums as crt

from local.stand_in.errors import S3Error, invalid_request

Algorithm = Literal["CRC32", "CRC32C", "CRC64NVME", "SHA1", "SHA256"]
ChecksumType = Literal["FULL_OBJECT", "COMPOSITE"]

DEFAULT_ALGORITHM: Algorithm = "CRC64NVME"
CHECKSUM_PREFIX = "x-amz-checksum-"
_NOT_CHECKSUMS = frozenset({"x-amz-checksum-type", "x-amz-checksum-mode", "x-amz-checksum-algorithm"})


@dataclass(frozen=True, kw_only=True)
class Checksum:
    """A checksum in S3's format: base64 of the digest, followed by `-<parts>` if it is composite."""

    algorithm: Algorithm
    type: ChecksumType
    value: str

    @property
    def header(self) -> str:
        """Its header."""
        return f"{CHECKSUM_PREFIX}{self.algorithm.lower()}"

    @property
    def element(self) -> str:
        """Its XML element."""
        return element_name(self.algorithm)

    def headers(self) -> dict[str, str]:
        """Headers that describe the checksum."""
        return {self.header: self.value, "x-amz-checksum-type": self.type}


class RunningChecksum(Protocol):
    """A running checksum of streamed bytes."""

    def update(self, data: bytes, /) -> object:
        """Take the next bytes in."""
        ...

    def digest(self) -> bytes:
        """The checksum so far, big-endian."""
        ...


class _RunningCrc:
    def __init__(self, function: Callable[[bytes, int], int], size_bytes: int) -> None:
        self._function = function
        self._size_bytes = size_bytes
        self._value = 0

    def update(self, data: bytes, /) -> None:
        self._value = self._function(data, self._value)

    def digest(self) -> bytes:
        return self._value.to_bytes(self._size_bytes, "big")


_DIGEST_BYTES: Mapping[Algorithm, int] = {"CRC32": 4, "CRC32C": 4, "CRC64NVME": 8, "SHA1": 20, "SHA256": 32}
_CRCS: Mapping[str, Callable[[bytes, int], int]] = {
    "CRC32": crt.crc32,
    "CRC32C": crt.crc32c,
    "CRC64NVME": crt.crc64nvme,
}
_COMBINERS: Mapping[str, Callable[[int, int, int], int]] = {
    "CRC32": crt.combine_crc32,
    "CRC32C": crt.combine_crc32c,
    "CRC64NVME": crt.combine_crc64nvme,
}


def element_name(algorithm: Algorithm) -> str:
    """The XML element of a checksum of this algorithm."""
    return f"Checksum{algorithm}"


def start(algorithm: Algorithm) -> RunningChecksum:
    """A new running checksum."""
    if algorithm == "SHA1":
        return hashlib.sha1(usedforsecurity=False)
    if algorithm == "SHA256":
        return hashlib.sha256()
    return _RunningCrc(_CRCS[algorithm], _DIGEST_BYTES[algorithm])


def encode(digest: bytes) -> str:
    """A digest in S3's format."""
    return base64.b64encode(digest).decode()


def parse_algorithm(text: str) -> Algorithm:
    """Raises S3Error 400 for an unknown algorithm."""
    if text.upper() not in _DIGEST_BYTES:
        raise invalid_request(
            "Checksum algorithm provided is unsupported. Please try again with any of the valid types: "
            f"[{', '.join(_DIGEST_BYTES)}]"
        )
    return cast("Algorithm", text.upper())


def parse_type(algorithm: Algorithm, text: str | None) -> ChecksumType:
    """The type of an upload's checksum. Raises S3Error 400 if algorithm and type do not match."""
    chosen = (text or ("FULL_OBJECT" if algorithm == "CRC64NVME" else "COMPOSITE")).upper()
    wrong_pair = (chosen == "COMPOSITE" and algorithm == "CRC64NVME") or (
        chosen == "FULL_OBJECT" and algorithm in ("SHA1", "SHA256")
    )
    if wrong_pair:
        raise invalid_request(
            f"The {chosen} checksum type cannot be used with the {algorithm.lower()} checksum algorithm."
        )
    if chosen not in ("FULL_OBJECT", "COMPOSITE"):
        raise invalid_request("Value for x-amz-checksum-type header is invalid.")
    return chosen


def sent_in(headers: Mapping[str, str]) -> tuple[Algorithm, str] | None:
    """The only checksum in headers, trailers or form fields.

    Raises S3Error 400 for several, or one that cannot belong to its algorithm.
    """
    names = [name for name in headers if name.startswith(CHECKSUM_PREFIX) and name not in _NOT_CHECKSUMS]
    if not names:
        return None
    if len(names) > 1:
        raise invalid_request("Expecting a single x-amz-checksum- header. Multiple checksum Types are not allowed.")
    algorithm = parse_algorithm(names[0].removeprefix(CHECKSUM_PREFIX))
    value = headers[names[0]]
    demand_well_formed(algorithm, value, names[0])
    return algorithm, value


def demand_well_formed(algorithm: Algorithm, value: str, header: str) -> None:
    """Raises S3Error 400 unless the value is base64 of a digest of that algorithm's length. `-<parts>` may follow."""
    try:
        digest = base64.b64decode(value.partition("-")[0], validate=True)
    except (binascii.Error, ValueError):
        digest = b""
    if len(digest) != _DIGEST_BYTES[algorithm]:
        raise invalid_request(f"Value for {header} header is invalid.")


def demand_equal(algorithm: Algorithm, *, sent_value: str, computed_value: str) -> None:
    """Raises S3Error 400 BadDigest when they differ."""
    if sent_value != computed_value:
        raise S3Error(400, "BadDigest", f"The {algorithm} you specified did not match the calculated checksum.")


def combine(algorithm: Algorithm, kind: ChecksumType, parts: Iterable[tuple[str, int]]) -> Checksum:
    """The checksum of an object from its parts' base64 checksums and sizes in bytes, in order."""
    if kind == "COMPOSITE":
        whole = start(algorithm)
        count = 0
        for value, _ in parts:
            whole.update(base64.b64decode(value))
            count += 1
        return Checksum(algorithm=algorithm, type=kind, value=f"{encode(whole.digest())}-{count}")
    combined = 0
    for value, size_bytes in parts:
        combined = _COMBINERS[algorithm](combined, int.from_bytes(base64.b64decode(value), "big"), size_bytes)
    return Checksum(algorithm=algorithm, type=kind, value=encode(combined.to_bytes(_DIGEST_BYTES[algorithm], "big")))
