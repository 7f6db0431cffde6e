"""Copy objects, and ranges of objects into the parts of uploads.

Source of the conditions: Amazon S3 API Reference, "CopyObject" and "UploadPartCopy".
"""

import re
from dataclasses import dataclass
from urllib.parse import unquote

from local.stand_in import checksums
from local.stand_in.buckets import (
    BUCKET_KEY_HEADER,
    ENCRYPTION_HEADER,
    KMS_KEY_HEADER,
    encryption_of,
    require_bucket,
)
from local.stand_in.checksums import Checksum
from local.stand_in.conditions import seconds_of
from local.stand_in.entity_tags import EntityTag
from local.stand_in.errors import invalid_argument, invalid_request, precondition_failed
from local.stand_in.multipart_operations import keep_part, named_part
from local.stand_in.object_operations import store_file
from local.stand_in.object_store import Call, header_tags
from local.stand_in.payload import MAX_OBJECT_IN_ONE_PUT_BYTES, write_body
from local.stand_in.responses import Response, iso_time, quoted_etag, xml_response
from local.stand_in.uploads import Part
from local.stand_in.versions import Content, Version, require_readable

_SOURCE = "x-amz-copy-source"
_RANGE = re.compile(r"bytes=([0-9]+)-([0-9]+)")
_ENCRYPTION_HEADERS = (ENCRYPTION_HEADER, KMS_KEY_HEADER, BUCKET_KEY_HEADER)


@dataclass(frozen=True, kw_only=True)
class _Copied:
    """Bytes that lie in a file of their own now."""

    file_name: str
    etag: str
    checksum: Checksum


def copy_object(call: Call) -> Response:
    """CopyObject within the account; the bytes of an object in one piece are shared, not copied."""
    request = call.request
    source = _source(call)
    _demand_change(call, source)
    size_bytes = source.content.size_bytes
    if size_bytes > MAX_OBJECT_IN_ONE_PUT_BYTES:
        raise invalid_request(
            f"The specified copy source is larger than the maximum allowable size for a copy source: "
            f"{MAX_OBJECT_IN_ONE_PUT_BYTES}"
        )
    headers, tags, conditions = _copied_headers(call, source), _copied_tags(call, source), call.conditions()
    kept = source.content.checksum
    named = request.headers.get("x-amz-checksum-algorithm")
    algorithm = checksums.parse_algorithm(named) if named else kept.algorithm if kept else checksums.DEFAULT_ALGORITHM
    copied = _copy(call, source, 0, size_bytes, algorithm=algorithm, entity_tag=EntityTag(headers))
    version = store_file(
        call,
        key=request.key,
        content=Content(size_bytes=size_bytes, etag=copied.etag, headers=headers, tags=tags, checksum=copied.checksum),
        file_name=copied.file_name,
        conditions=conditions,
        event_name="s3:ObjectCreated:Copy",
    )
    return xml_response(
        "CopyObjectResult",
        {
            "LastModified": iso_time(version.modified_at),
            "ETag": quoted_etag(copied.etag),
            copied.checksum.element: copied.checksum.value,
            "ChecksumType": copied.checksum.type,
        },
        {**_source_version(source), **call.written_version_headers(version), **encryption_of(version.content.headers)},
    )


def upload_part_copy(call: Call) -> Response:
    """UploadPartCopy: a part whose bytes are those of an object, or of a range of it."""
    number, upload = named_part(call)
    source = _source(call)
    start, stop = _source_range(call, source)
    copied = _copy(call, source, start, stop, algorithm=upload.algorithm, entity_tag=EntityTag(upload.headers))
    part = Part(
        part_number=number,
        size_bytes=stop - start,
        etag=copied.etag,
        modified_at=call.store.clock.timestamp(),
        checksum=copied.checksum.value,
        file_name=copied.file_name,
    )
    keep_part(call, upload, part)
    return xml_response(
        "CopyPartResult",
        {
            "LastModified": iso_time(part.modified_at),
            "ETag": quoted_etag(part.etag),
            copied.checksum.element: part.checksum if upload.is_algorithm_chosen else None,
        },
        {**_source_version(source), **encryption_of(upload.headers)},
    )


def _source(call: Call) -> Version:
    """The version that is copied; raises S3Error where there is none, or where it is not as the request demands."""
    text = call.request.headers[_SOURCE]
    path, _, version_id = text.partition("?versionId=")
    bucket_name, _, key = unquote(path).removeprefix("/").partition("/")
    if not bucket_name or not key:
        raise invalid_argument(
            "Copy Source must mention the source bucket and key: sourcebucket/sourcekey", _SOURCE, text
        )
    require_bucket(bucket_name)
    source = call.store.versions.find(bucket_name, key, version_id or None)
    if source.is_delete_marker and version_id:
        raise invalid_request(
            "The source of a copy request may not specifically refer to a delete marker by version id."
        )
    require_readable(source, by_id=False)
    _check_conditions(call, source)
    return source


def _check_conditions(call: Call, source: Version) -> None:
    headers = call.request.headers
    wanted, unwanted = headers.get(f"{_SOURCE}-if-match"), headers.get(f"{_SOURCE}-if-none-match")
    modified_at = int(source.modified_at)
    if wanted is not None:
        if wanted.strip('"') not in ("*", source.content.etag):
            raise precondition_failed(f"{_SOURCE}-If-Match")
    elif modified_at > seconds_of(headers.get(f"{_SOURCE}-if-unmodified-since"), modified_at):
        raise precondition_failed(f"{_SOURCE}-If-Unmodified-Since")
    if unwanted is not None:
        if unwanted.strip('"') in ("*", source.content.etag):
            raise precondition_failed(f"{_SOURCE}-If-None-Match")
    elif modified_at <= seconds_of(headers.get(f"{_SOURCE}-if-modified-since"), modified_at - 1):
        raise precondition_failed(f"{_SOURCE}-If-Modified-Since")


def _demand_change(call: Call, source: Version) -> None:
    headers = call.request.headers
    is_same = (source.bucket, source.key) == (call.bucket.name, call.request.key) and source.is_latest
    changing = (ENCRYPTION_HEADER, "x-amz-storage-class", "x-amz-website-redirect-location")
    if (
        is_same
        and headers.get("x-amz-metadata-directive", "COPY") == "COPY"
        and not any(name in headers for name in changing)
    ):
        raise invalid_request(
            "This copy request is illegal because it is trying to copy an object to itself without changing the "
            "object's metadata, storage class, website redirect location or encryption attributes."
        )


def _copied_headers(call: Call, source: Version) -> dict[str, str]:
    own = call.kept_headers()
    if call.request.headers.get("x-amz-metadata-directive", "COPY") == "REPLACE":
        return own
    # Encryption and storage class are the copy's own, whatever becomes of the metadata.
    given = (*_ENCRYPTION_HEADERS, "x-amz-storage-class")
    return {
        **{name: text for name, text in source.content.headers.items() if name not in given},
        **{name: text for name, text in own.items() if name in given},
    }


def _copied_tags(call: Call, source: Version) -> dict[str, str]:
    is_replaced = call.request.headers.get("x-amz-tagging-directive", "COPY") == "REPLACE"
    return header_tags(call.request.headers) if is_replaced else source.content.tags


def _copy(
    call: Call,
    source: Version,
    start: int,
    stop: int,
    *,
    algorithm: checksums.Algorithm,
    entity_tag: EntityTag,
) -> _Copied:
    """Put the bytes start..stop of a version into a file; bytes that need not be read are linked."""
    store, kept = call.store, source.content.checksum
    segments = list(store.versions.segments(source, start, max(stop, start + 1)))
    is_whole = stop - start == source.content.size_bytes
    is_known = kept is not None and kept.algorithm == algorithm and kept.type == "FULL_OBJECT" and is_whole
    if kept is not None and len(segments) == 1 and is_known and not entity_tag.needs_bytes:
        file_name = store.bodies.link(segments[0].file_name)
        return _Copied(file_name=file_name, etag=entity_tag.digest().hex(), checksum=kept)
    running = checksums.start(algorithm)
    file_name = store.bodies.new()
    try:
        write_body(store.bodies.read(iter(segments), start, stop), store.bodies, file_name, [running, entity_tag])
    except BaseException:
        store.bodies.remove([file_name])
        raise
    checksum = Checksum(algorithm=algorithm, type="FULL_OBJECT", value=checksums.encode(running.digest()))
    return _Copied(file_name=file_name, etag=entity_tag.digest().hex(), checksum=checksum)


def _source_range(call: Call, source: Version) -> tuple[int, int]:
    header = call.request.headers.get(f"{_SOURCE}-range")
    size_bytes = source.content.size_bytes
    if header is None:
        return 0, size_bytes
    found = _RANGE.fullmatch(header)
    if found is None or int(found[1]) > int(found[2]):
        raise invalid_argument(
            "The x-amz-copy-source-range value must be of the form bytes=first-last where first and last are the "
            "zero-based offsets of the first and last bytes to copy",
            f"{_SOURCE}-range",
            header,
        )
    if int(found[2]) >= size_bytes:
        raise invalid_argument(
            f"Range specified is not valid for source object of size: {size_bytes}", f"{_SOURCE}-range", header
        )
    return int(found[1]), int(found[2]) + 1


def _source_version(source: Version) -> dict[str, str]:
    return {f"{_SOURCE}-version-id": source.version_id} if source.version_id != "null" else {}
