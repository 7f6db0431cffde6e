"""Reception of a request's body: decodes chunk framing, and verifies hashes and checksums.

Source of the framing: Amazon S3 API Reference, "Signature Calculations for the Authorization Header: Transferring
Payload in Multiple Chunks" and "… with Trailing Headers".
"""

import base64
import binascii
import hashlib
import hmac
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO

from local.stand_in import checksums
from local.stand_in.bodies import PIECE_BYTES, Bodies
from local.stand_in.checksums import Algorithm, RunningChecksum
from local.stand_in.entity_tags import EntityTag
from local.stand_in.errors import S3Error, invalid_request
from local.stand_in.requests import S3Request
from local.stand_in.signatures import UNSIGNED_PAYLOAD, Signature, signature_does_not_match

MAX_OBJECT_IN_ONE_PUT_BYTES = 5 * 1024**3  # S3 User Guide, "Uploading objects"; parts share the limit
_STREAMING = (
    "STREAMING-UNSIGNED-PAYLOAD-TRAILER",
    "STREAMING-AWS4-HMAC-SHA256-PAYLOAD",
    "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER",
)
_MAX_LINE_BYTES = 16 * 1024
_EMPTY_HASH = hashlib.sha256(b"").hexdigest()
_SHA256_HEX = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, kw_only=True)
class Received:
    """A body in a file, verified against its sender's hashes.

    sent_checksum: algorithm and base64 value of the sender's checksum. computed: base64 by algorithm.
    etag: in hexadecimal.
    """

    file_name: str
    size_bytes: int
    etag: str
    sent_checksum: tuple[Algorithm, str] | None
    computed: dict[Algorithm, str]


def receive(
    request: S3Request,
    signature: Signature,
    bodies: Bodies,
    entity_tag: EntityTag,
    algorithm: Algorithm | None = None,
) -> Received:
    """Stream the body into a file and verify it. `algorithm` is computed in addition to the sender's.

    Raises S3Error 400 for a body that differs from its hash, checksum, Content-MD5 or length; the file is removed.
    """
    if request.content_length > MAX_OBJECT_IN_ONE_PUT_BYTES:
        raise S3Error(400, "EntityTooLarge", "Your proposed upload exceeds the maximum allowed size")
    sent_checksum = checksums.sent_in(request.headers)
    trailing = request.headers.get("x-amz-trailer", "").removeprefix(checksums.CHECKSUM_PREFIX)
    wanted: set[Algorithm] = {algorithm or checksums.DEFAULT_ALGORITHM}
    if sent_checksum:
        wanted.add(sent_checksum[0])
    elif trailing:
        wanted.add(checksums.parse_algorithm(trailing))
    running: dict[Algorithm, RunningChecksum] = {name: checksums.start(name) for name in wanted}
    payload = Payload(request, signature)
    file_name = bodies.new()
    try:
        size_bytes = write_body(payload.pieces(), bodies, file_name, [entity_tag, *running.values()])
        sent_checksum = sent_checksum or checksums.sent_in(payload.trailers)
        computed: dict[Algorithm, str] = {
            name: checksums.encode(checksum.digest()) for name, checksum in running.items()
        }
        if sent_checksum:
            checksums.demand_equal(
                sent_checksum[0], sent_value=sent_checksum[1], computed_value=computed[sent_checksum[0]]
            )
    except BaseException:
        bodies.remove([file_name])
        raise
    return Received(
        file_name=file_name,
        size_bytes=size_bytes,
        etag=entity_tag.digest().hex(),
        sent_checksum=sent_checksum,
        computed=computed,
    )


def write_body(pieces: Iterator[bytes], bodies: Bodies, file_name: str, running: list[RunningChecksum]) -> int:
    """Write pieces into a body file and update the checksums; return the size in bytes."""
    size_bytes = 0
    with bodies.path(file_name).open("xb", buffering=0) as file:
        for piece in pieces:
            for checksum in running:
                checksum.update(piece)
            file.write(piece)
            size_bytes += len(piece)
    return size_bytes


def read_small(request: S3Request, signature: Signature, limit_bytes: int) -> bytes:
    """A verified small body. Raises S3Error 400 above the limit."""
    if request.content_length > limit_bytes:
        raise S3Error(400, "MaxMessageLengthExceeded", "Your request was too big.")
    body = b"".join(Payload(request, signature).pieces())
    sent_checksum = checksums.sent_in(request.headers)
    # A full-object checksum of a completion is the object's, not that of the XML.
    if sent_checksum and request.operation != "CompleteMultipartUpload":
        computed = checksums.start(sent_checksum[0])
        computed.update(body)
        checksums.demand_equal(
            sent_checksum[0], sent_value=sent_checksum[1], computed_value=checksums.encode(computed.digest())
        )
    return body


class Payload:
    """The decoded body of a signed request. Its end is reached only if signature and Content-MD5 match."""

    def __init__(self, request: S3Request, signature: Signature) -> None:
        self._request = request
        self._signature = signature
        self.trailers: dict[str, str] = {}

    def pieces(self) -> Iterator[bytes]:
        """The decoded bytes in pieces. Raises S3Error at the end if they differ from the announced ones."""
        expected_md5 = _content_md5(self._request)
        md5 = hashlib.md5(usedforsecurity=False) if expected_md5 else None
        for piece in self._decoded():
            if md5:
                md5.update(piece)
            yield piece
        if md5 and md5.digest() != expected_md5:
            raise S3Error(400, "BadDigest", "The Content-MD5 you specified did not match what we received.")

    def _decoded(self) -> Iterator[bytes]:
        kind = self._signature.payload_hash
        if kind.startswith("STREAMING-"):
            yield from self._chunks(kind)
            return
        digest = None if kind == UNSIGNED_PAYLOAD else hashlib.sha256()
        if digest and not _SHA256_HEX.fullmatch(kind):
            raise S3Error(
                400,
                "InvalidArgument",
                "x-amz-content-sha256 must be UNSIGNED-PAYLOAD, a STREAMING name or a valid sha256 value.",
            )
        for piece in _exactly(self._request.body, self._request.content_length):
            if digest:
                digest.update(piece)
            yield piece
        if digest and digest.hexdigest() != kind:
            raise S3Error(
                400,
                "XAmzContentSHA256Mismatch",
                "The provided 'x-amz-content-sha256' header does not match what was computed.",
                {"ClientComputedContentSHA256": kind, "S3ComputedContentSHA256": digest.hexdigest()},
            )

    def _chunks(self, kind: str) -> Iterator[bytes]:
        announced_bytes = _announced_bytes(self._request, kind)
        signed = "HMAC" in kind
        previous = self._signature.value
        size_bytes = 0
        while True:
            length, _, extension = _line(self._request.body).partition(b";")
            chunk_bytes = _hexadecimal(length)
            digest = hashlib.sha256()
            for piece in _exactly(self._request.body, chunk_bytes):
                if signed:
                    digest.update(piece)
                size_bytes += len(piece)
                yield piece
            if signed:
                given = extension.removeprefix(b"chunk-signature=").decode("ascii", "replace")
                previous = self._demand_chain("PAYLOAD", previous, f"{_EMPTY_HASH}\n{digest.hexdigest()}", given)
            if chunk_bytes == 0:
                break
            if _line(self._request.body):
                raise _incomplete()
        if size_bytes != announced_bytes:
            raise _incomplete()
        if kind.endswith("TRAILER"):
            self._read_trailers(previous if signed else None)

    def _read_trailers(self, previous: str | None) -> None:
        while line := _line(self._request.body):
            name, _, value = line.decode("latin-1").partition(":")
            self.trailers[name.strip().lower()] = value.strip()
        given = self.trailers.pop("x-amz-trailer-signature", "")
        if previous is not None:
            text = "".join(f"{name}:{value}\n" for name, value in self.trailers.items())
            self._demand_chain("TRAILER", previous, hashlib.sha256(text.encode("latin-1")).hexdigest(), given)

    def _demand_chain(self, kind: str, previous: str, rest: str, given: str) -> str:
        signature = self._signature
        text = "\n".join((f"AWS4-HMAC-SHA256-{kind}", signature.timestamp, signature.scope.text, previous, rest))
        expected = hmac.new(signature.signing_key, text.encode(), hashlib.sha256).hexdigest()
        if not hmac.compare_digest(expected, given):
            raise signature_does_not_match()
        return expected


def _announced_bytes(request: S3Request, kind: str) -> int:
    if kind not in _STREAMING:
        raise S3Error(501, "NotImplemented", f"{kind} is not understood")
    announced = request.headers.get("x-amz-decoded-content-length", "")
    if not announced.isascii() or not announced.isdigit():
        raise S3Error(411, "MissingContentLength", "You must provide the x-amz-decoded-content-length HTTP header.")
    return int(announced)


def _content_md5(request: S3Request) -> bytes | None:
    header = request.headers.get("content-md5")
    if header is None:
        return None
    try:
        digest = base64.b64decode(header, validate=True)
    except (binascii.Error, ValueError):
        digest = b""
    if len(digest) != hashlib.md5(usedforsecurity=False).digest_size:
        raise S3Error(400, "InvalidDigest", "The Content-MD5 you specified was invalid.")
    return digest


def _exactly(body: IO[bytes], size_bytes: int) -> Iterator[bytes]:
    while size_bytes > 0:
        piece = body.read(min(PIECE_BYTES, size_bytes))
        if not piece:
            raise _incomplete()
        size_bytes -= len(piece)
        yield piece


def _line(body: IO[bytes]) -> bytes:
    return body.readline(_MAX_LINE_BYTES).rstrip(b"\r\n")


def _hexadecimal(text: bytes) -> int:
    try:
        return int(text, 16)
    except ValueError as error:
        raise invalid_request("The chunk framing of the body is broken.") from error


def _incomplete() -> S3Error:
    return S3Error(
        400, "IncompleteBody", "You did not provide the number of bytes specified by the Content-Length HTTP header."
    )
