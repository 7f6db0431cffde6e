"""The object store, and one request to it."""

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import parse_qsl
from xml.etree import ElementTree as ET

from local.stand_in.bodies import Bodies
from local.stand_in.buckets import Bucket, encryption_headers
from local.stand_in.errors import S3Error, invalid_argument, malformed_xml, not_implemented
from local.stand_in.events import Outbox
from local.stand_in.faults import Clock
from local.stand_in.requests import S3Request
from local.stand_in.responses import mail_safe
from local.stand_in.signatures import Signature
from local.stand_in.uploads import Uploads
from local.stand_in.versions import Conditions, Version, Versions

MAX_TAGS = 10  # S3 User Guide, "Categorizing your storage using tags"
MAX_XML_BYTES = 8 * 1024**2  # room for the 10,000 parts of a completion
MAX_METADATA_BYTES = 2048  # S3 User Guide, "Working with object metadata"
_METADATA_PREFIX = "x-amz-meta-"
_KEPT_HEADERS = (
    "cache-control",
    "content-disposition",
    "content-encoding",
    "content-language",
    "content-type",
    "expires",
    "x-amz-storage-class",
    "x-amz-website-redirect-location",
)


@dataclass(frozen=True, kw_only=True)
class ObjectStore:
    """The parts of the object store, bundled."""

    bodies: Bodies
    versions: Versions
    uploads: Uploads
    outbox: Outbox
    clock: Clock


@dataclass(frozen=True, kw_only=True)
class Call:
    """One verified request and its context. document: the body of an operation that takes XML."""

    request: S3Request
    signature: Signature
    bucket: Bucket
    store: ObjectStore
    document: ET.Element | None = None

    def xml(self) -> ET.Element:
        """The body; raises S3Error 400 without one."""
        if self.document is None:
            raise malformed_xml()
        return self.document

    def kept_headers(self) -> dict[str, str]:
        """Headers that are stored with an object made by this request."""
        return kept_headers(self.request.headers, self.bucket)

    def conditions(self) -> Conditions:
        """If-Match and If-None-Match of a write. Raises S3Error 501 for forms that S3 does not support for writes."""
        if_none_match = self.request.headers.get("if-none-match")
        if if_none_match not in (None, "*"):
            raise not_implemented("A header you provided implies functionality that is not implemented")
        if_match = self.request.headers.get("if-match")
        return Conditions(
            if_match=if_match.strip('"') if if_match is not None else None, if_none_match=if_none_match is not None
        )

    def version_headers(self, version: Version) -> dict[str, str]:
        """Header with the version read; none in a bucket that was never versioned."""
        return {"x-amz-version-id": version.version_id} if self.bucket.has_versions else {}

    def written_version_headers(self, version: Version) -> dict[str, str]:
        """Header with the version that was written, none for a null one: S3 API Reference, "PutObject", examples."""
        return {"x-amz-version-id": version.version_id} if self.bucket.is_versioned else {}


def kept_headers(headers: Mapping[str, str], bucket: Bucket) -> dict[str, str]:
    """Content headers, user metadata and encryption of a new object, from headers or form fields."""
    kept = {
        name: value for name, value in headers.items() if name in _KEPT_HEADERS or name.startswith(_METADATA_PREFIX)
    }
    if "content-encoding" in kept:
        # aws-chunked describes the transfer, not the object.
        encodings = [name.strip() for name in kept["content-encoding"].split(",")]
        kept["content-encoding"] = ",".join(name for name in encodings if name != "aws-chunked")
        if not kept["content-encoding"]:
            del kept["content-encoding"]
    _demand_small_metadata(kept)
    kept.setdefault("content-type", "binary/octet-stream")
    return {**kept, **encryption_headers(bucket, headers)}


def answered_headers(kept: Mapping[str, str]) -> dict[str, str]:
    """The stored headers of an object, as S3 returns them."""
    return {name: mail_safe(text) if name.startswith(_METADATA_PREFIX) else text for name, text in kept.items()}


def _demand_small_metadata(headers: Mapping[str, str]) -> None:
    """Raises S3Error 400 beyond S3's limit of user metadata, which counts names without prefix, and values."""
    names = [name for name in headers if name.startswith(_METADATA_PREFIX)]
    size_bytes = sum(len(f"{name.removeprefix(_METADATA_PREFIX)}{headers[name]}".encode()) for name in names)
    if size_bytes > MAX_METADATA_BYTES:
        raise S3Error(
            400,
            "MetadataTooLarge",
            "Your metadata headers exceed the maximum allowed metadata size",
            {"Size": str(size_bytes), "MaxSizeAllowed": str(MAX_METADATA_BYTES)},
        )


def header_tags(headers: Mapping[str, str]) -> dict[str, str]:
    """The tags of an x-amz-tagging header, which is encoded like a query. Raises S3Error 400 for wrong ones."""
    text = headers.get("x-amz-tagging", "")
    pairs = parse_qsl(text, keep_blank_values=True)
    if len(dict(pairs)) != len(pairs):
        raise invalid_argument(
            "The header 'x-amz-tagging' shall be encoded as UTF-8 then URLEncoded URL query "
            "parameters without tag name duplicates.",
            "x-amz-tagging",
            text,
        )
    return demand_tags(dict(pairs))


def demand_tags(tags: dict[str, str]) -> dict[str, str]:
    """Raises S3Error 400 beyond S3's limits: 10 tags, keys of 1 to 128 and values of up to 256 characters."""
    if len(tags) > MAX_TAGS:
        raise S3Error(400, "BadRequest", "Object tags cannot be greater than 10")
    for key, value in tags.items():
        if not 1 <= len(key) <= 128:
            raise S3Error(400, "InvalidTag", "The TagKey you have provided is invalid", {"TagKey": key})
        if len(value) > 256:
            raise S3Error(400, "InvalidTag", "The TagValue you have provided is invalid", {"TagKey": key})
    return tags
