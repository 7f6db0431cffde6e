"""Put, get, head, delete and tag objects."""

import sqlite3
from collections.abc import Callable

from local.stand_in.buckets import demand_no_encryption, encryption_of
from local.stand_in.checksums import Checksum
from local.stand_in.conditions import is_unchanged
from local.stand_in.entity_tags import EntityTag
from local.stand_in.errors import S3Error, malformed_xml
from local.stand_in.object_store import Call, answered_headers, demand_tags, header_tags
from local.stand_in.payload import receive
from local.stand_in.responses import Response, http_time, quoted_etag, wire_text, xml_response
from local.stand_in.versions import NULL_VERSION, Conditions, Content, Version, require_readable
from local.stand_in.xml_bodies import child_text, children

MAX_DELETED_KEYS = 1000  # S3 API Reference, "DeleteObjects"


def put_object(call: Call) -> Response:
    """PutObject, with or without conditions."""
    request, store = call.request, call.store
    headers, tags, conditions = call.kept_headers(), header_tags(request.headers), call.conditions()
    received = receive(request, call.signature, store.bodies, EntityTag(headers))
    algorithm, value = received.sent_checksum or next(iter(received.computed.items()))
    content = Content(
        size_bytes=received.size_bytes,
        etag=received.etag,
        headers=headers,
        tags=tags,
        checksum=Checksum(algorithm=algorithm, type="FULL_OBJECT", value=value),
    )
    version = store_file(
        call,
        key=request.key,
        content=content,
        file_name=received.file_name,
        conditions=conditions,
        event_name="s3:ObjectCreated:Put",
    )
    return Response(headers=_written_headers(call, version))


def store_file(
    call: Call, *, key: str, content: Content, file_name: str, conditions: Conditions, event_name: str
) -> Version:
    """Make a body file the newest version of a key and announce it. The file is removed on failure."""
    store = call.store
    try:
        return store.versions.put(
            bucket=call.bucket.name,
            key=key,
            content=content,
            file_name=file_name,
            conditions=conditions,
            is_versioned=call.bucket.is_versioned,
            now=store.clock.timestamp(),
            announce=announcer(call, event_name),
        )
    except BaseException:
        store.bodies.remove([file_name])
        raise


def announcer(call: Call, event_name: str) -> Callable[[sqlite3.Connection, Version], None]:
    """Writes the event of a version into the outbox."""
    return lambda connection, version: call.store.outbox.announce(connection, call.bucket, version, event_name)


def get_object(call: Call) -> Response:
    """GetObject: whole, by range or by part, streamed from its files."""
    answer, start, stop, version = _look(call)
    if version is not None:
        segments = call.store.versions.segments(version, start, stop)
        answer.body = call.store.bodies.read(segments, start, stop)
    return answer


def head_object(call: Call) -> Response:
    """HeadObject: the response to GetObject without the bytes."""
    return _look(call)[0]


def delete_object(call: Call) -> Response:
    """DeleteObject: add a delete marker to a versioned key, or remove one version."""
    request = call.request
    removed = _delete(call, request.key, request.query.get("versionId"), call.conditions())
    return Response(status=204, headers=_deleted_headers(call, removed))


def delete_objects(call: Call) -> Response:
    """DeleteObjects: up to a thousand keys in one request."""
    if "content-md5" not in call.request.headers and not any(
        name.startswith("x-amz-checksum-") for name in call.request.headers
    ):
        raise S3Error(
            400, "InvalidRequest", "Missing required header for this request: Content-MD5 OR x-amz-checksum-*"
        )
    document = call.xml()
    entries = children(document, "Object")
    if not 1 <= len(entries) <= MAX_DELETED_KEYS:
        raise malformed_xml()
    deleted: list[dict[str, object]] = []
    for entry in entries:
        key, version_id = child_text(entry, "Key") or "", child_text(entry, "VersionId")
        removed = _delete(call, key, version_id, Conditions())
        is_marker = removed is not None and removed.is_delete_marker
        deleted.append(
            {
                "Key": key,
                "VersionId": version_id,
                "DeleteMarker": True if is_marker else None,
                "DeleteMarkerVersionId": removed.version_id if removed and is_marker else None,
            }
        )
    quiet = child_text(document, "Quiet") == "true"
    return xml_response("DeleteResult", {} if quiet else {"Deleted": deleted})


def get_object_tagging(call: Call) -> Response:
    """GetObjectTagging."""
    version = _named_version(call)
    tags = [{"Key": key, "Value": value} for key, value in version.content.tags.items()]
    return xml_response("Tagging", {"TagSet": {"Tag": tags}}, call.version_headers(version))


def put_object_tagging(call: Call) -> Response:
    """PutObjectTagging: replaces the whole set."""
    version = _named_version(call)
    document = call.xml()
    tags: dict[str, str] = {}
    for tag_set in children(document, "TagSet"):
        for tag in children(tag_set, "Tag"):
            key = child_text(tag, "Key") or ""
            if key in tags:
                raise S3Error(400, "InvalidTag", "Cannot provide multiple Tags with the same key", {"TagKey": key})
            tags[key] = child_text(tag, "Value") or ""
    call.store.versions.set_tags(version, demand_tags(tags))
    return Response(headers=call.version_headers(version))


def delete_object_tagging(call: Call) -> Response:
    """DeleteObjectTagging."""
    version = _named_version(call)
    call.store.versions.set_tags(version, {})
    return Response(status=204, headers=call.version_headers(version))


def _named_version(call: Call) -> Version:
    version_id = call.request.query.get("versionId")
    version = call.store.versions.find(call.bucket.name, call.request.key, version_id)
    require_readable(version, by_id=version_id is not None)
    return version


def _look(call: Call) -> tuple[Response, int, int, Version | None]:
    """The response to GET and HEAD without a body, and the version and range of its bytes; no version if there are
    none."""
    request = call.request
    demand_no_encryption(request.headers)
    version = _named_version(call)
    content = version.content
    headers = {
        **answered_headers(content.headers),
        **call.version_headers(version),
        "ETag": quoted_etag(content.etag),
        "Last-Modified": http_time(version.modified_at),
        "Accept-Ranges": "bytes",
    }
    if content.tags:
        headers["x-amz-tagging-count"] = str(len(content.tags))
    if is_unchanged(request.headers, version):
        return Response(status=304, headers={"ETag": headers["ETag"]}), 0, 0, None
    for name, text in request.query.items():
        if name.startswith("response-"):
            headers[name.removeprefix("response-")] = wire_text(text)
    part_number = request.text_number("partNumber", 0)
    if part_number:
        start, stop = _part_range(call, version, part_number)
        headers["x-amz-mp-parts-count"] = str(content.part_count or 1)
    else:
        start, stop = _range(request.headers.get("range"), content.size_bytes)
    is_whole = stop - start == content.size_bytes
    is_partial = bool(part_number and content.part_count) or (not part_number and "range" in request.headers)
    is_partial = is_partial and not (is_whole and not _is_range(request.headers.get("range")) and not part_number)
    if request.headers.get("x-amz-checksum-mode", "").upper() == "ENABLED" and content.checksum and is_whole:
        headers |= content.checksum.headers()
    if is_partial:
        headers["Content-Range"] = f"bytes {start}-{stop - 1}/{content.size_bytes}"
    headers["Content-Length"] = str(stop - start)
    return Response(status=206 if is_partial else 200, headers=headers), start, stop, version


def _part_range(call: Call, version: Version, part_number: int) -> tuple[int, int]:
    part = call.store.versions.part(version, part_number)
    if part is None:
        raise S3Error(416, "InvalidPartNumber", "The requested partnumber is not satisfiable")
    return part.offset_bytes, part.offset_bytes + part.size_bytes


def _is_range(header: str | None) -> bool:
    if not header or not header.startswith("bytes=") or "," in header:
        return False
    first, dash, last = header.removeprefix("bytes=").strip().partition("-")
    digits = all(not text or (text.isascii() and text.isdigit()) for text in (first, last))
    return bool(dash) and digits and bool(first or last) and not (first and last and int(last) < int(first))


def _range(header: str | None, size_bytes: int) -> tuple[int, int]:
    """The bytes of a Range header: all for one that S3 cannot parse. Raises S3Error 416 beyond the end."""
    if header is None or not _is_range(header):
        return 0, size_bytes
    first, _, last = header.removeprefix("bytes=").strip().partition("-")
    start = int(first) if first else max(size_bytes - int(last), 0)
    stop = min(int(last) + 1, size_bytes) if first and last else size_bytes
    if start >= size_bytes or (not first and int(last) == 0):
        raise S3Error(
            416,
            "InvalidRange",
            "The requested range is not satisfiable",
            {"RangeRequested": header, "ActualObjectSize": str(size_bytes)},
        )
    return start, stop


def _delete(call: Call, key: str, version_id: str | None, conditions: Conditions) -> Version | None:
    versions, bucket = call.store.versions, call.bucket
    if version_id is not None or not bucket.has_versions:
        return versions.remove(bucket.name, key, version_id or NULL_VERSION, conditions)
    return versions.hide(
        bucket.name, key, conditions, is_versioned=bucket.is_versioned, now=call.store.clock.timestamp()
    )


def _deleted_headers(call: Call, removed: Version | None) -> dict[str, str]:
    if removed is None or not call.bucket.has_versions:
        return {}
    marker = {"x-amz-delete-marker": "true"} if removed.is_delete_marker else {}
    return {"x-amz-version-id": removed.version_id, **marker}


def _written_headers(call: Call, version: Version) -> dict[str, str]:
    checksum = version.content.checksum
    return {
        "ETag": quoted_etag(version.content.etag),
        **call.written_version_headers(version),
        **encryption_of(version.content.headers),
        **(checksum.headers() if checksum else {}),
    }
