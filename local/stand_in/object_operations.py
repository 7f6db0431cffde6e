"""Put, get, head, copy, delete and tag objects."""

import secrets
import sqlite3
from collections.abc import Callable
from email.utils import parsedate_to_datetime
from urllib.parse import unquote

from local.stand_in.answers import Answer, http_time, iso_time, quoted_etag, xml_answer
from local.stand_in.bodies import Segment
from local.stand_in.buckets import BUCKET_KEY_HEADER, ENCRYPTION_HEADER, KMS_KEY_HEADER, require_bucket
from local.stand_in.checksums import Checksum
from local.stand_in.errors import S3Error, invalid_argument, malformed_xml, precondition_failed
from local.stand_in.object_store import Call, demand_tags, header_tags
from local.stand_in.payload import receive
from local.stand_in.versions import Conditions, Content, Version, require_readable
from local.stand_in.xml_bodies import child_text, children

MAX_DELETED_KEYS = 1000  # S3 API Reference, "DeleteObjects"
_ENCRYPTION_HEADERS = (ENCRYPTION_HEADER, KMS_KEY_HEADER, BUCKET_KEY_HEADER)


def put_object(call: Call) -> Answer:
    """PutObject, with or without conditions."""
    request, store = call.request, call.store
    headers, tags, conditions = call.kept_headers(), header_tags(request.headers), call.conditions()
    received = receive(request, call.signature, store.bodies)
    algorithm, value = received.claim or next(iter(received.computed.items()))
    content = Content(
        size_bytes=received.size_bytes,
        # Under SSE-KMS an ETag is not the MD5 of the bytes, so nobody may take it for one here.
        etag=secrets.token_hex(16),
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
    return Answer(headers=_written_headers(call, version))


def store_file(
    call: Call, *, key: str, content: Content, file_name: str, conditions: Conditions, event_name: str
) -> Version:
    """Make a body file the newest version of a key and announce it; the file goes if that fails."""
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


def get_object(call: Call) -> Answer:
    """GetObject, whole, by range or by part, streamed from its files."""
    answer, start, stop, version = _look(call)
    if version is not None:
        segments = call.store.versions.segments(version, start, stop)
        answer.body = call.store.bodies.read(segments, start, stop)
    return answer


def head_object(call: Call) -> Answer:
    """HeadObject: the same answer without the bytes."""
    return _look(call)[0]


def copy_object(call: Call) -> Answer:
    """CopyObject within the account; the bytes are shared, not copied."""
    request, store = call.request, call.store
    path, _, version_query = request.headers["x-amz-copy-source"].partition("?versionId=")
    bucket_name, _, key = unquote(path).removeprefix("/").partition("/")
    require_bucket(bucket_name)
    source = store.versions.find(bucket_name, key, version_query or None)
    require_readable(source, by_id=False)
    _check_copy_source(call, source)
    replace_metadata = request.headers.get("x-amz-metadata-directive", "COPY") == "REPLACE"
    replace_tags = request.headers.get("x-amz-tagging-directive", "COPY") == "REPLACE"
    own = call.kept_headers()
    if not replace_metadata:
        own = {
            **{name: text for name, text in source.content.headers.items() if name not in _ENCRYPTION_HEADERS},
            **{name: text for name, text in own.items() if name in _ENCRYPTION_HEADERS},
        }
    segments = list(store.versions.segments(source, 0, max(source.content.size_bytes, 1)))
    file_name = _copied_file(call, segments, source.content.size_bytes)
    content = Content(
        size_bytes=source.content.size_bytes,
        etag=secrets.token_hex(16),
        headers=own,
        tags=header_tags(request.headers) if replace_tags else source.content.tags,
        checksum=source.content.checksum,
    )
    version = store_file(
        call,
        key=request.key,
        content=content,
        file_name=file_name,
        conditions=call.conditions(),
        event_name="s3:ObjectCreated:Copy",
    )
    source_headers = {"x-amz-copy-source-version-id": source.version_id} if source.version_id != "null" else {}
    return xml_answer(
        "CopyObjectResult",
        {"LastModified": iso_time(version.modified_at), "ETag": quoted_etag(content.etag)},
        {**source_headers, **call.version_headers(version), **_encryption(version)},
    )


def delete_object(call: Call) -> Answer:
    """DeleteObject: a delete marker in front of a versioned key, or the end of one version."""
    request = call.request
    removed = _delete(call, request.key, request.query.get("versionId"), call.conditions())
    return Answer(status=204, headers=_deleted_headers(call, removed))


def delete_objects(call: Call) -> Answer:
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
    return xml_answer("DeleteResult", {} if quiet else {"Deleted": deleted})


def get_object_tagging(call: Call) -> Answer:
    """GetObjectTagging."""
    version = _named_version(call)
    tags = [{"Key": key, "Value": value} for key, value in version.content.tags.items()]
    return xml_answer("Tagging", {"TagSet": {"Tag": tags}}, call.version_headers(version))


def put_object_tagging(call: Call) -> Answer:
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
    return Answer(headers=call.version_headers(version))


def delete_object_tagging(call: Call) -> Answer:
    """DeleteObjectTagging."""
    version = _named_version(call)
    call.store.versions.set_tags(version, {})
    return Answer(status=204, headers=call.version_headers(version))


def _named_version(call: Call) -> Version:
    version_id = call.request.query.get("versionId")
    version = call.store.versions.find(call.bucket.name, call.request.key, version_id)
    require_readable(version, by_id=version_id is not None)
    return version


def _look(call: Call) -> tuple[Answer, int, int, Version | None]:
    """The answer to GET and HEAD without its bytes, and which bytes those are; no version: there are none to send."""
    request = call.request
    version = _named_version(call)
    content = version.content
    headers = {
        **content.headers,
        **call.version_headers(version),
        "ETag": quoted_etag(content.etag),
        "Last-Modified": http_time(version.modified_at),
        "Accept-Ranges": "bytes",
    }
    if content.tags:
        headers["x-amz-tagging-count"] = str(len(content.tags))
    if _is_unchanged(call, version):
        return Answer(status=304, headers={"ETag": headers["ETag"]}), 0, 0, None
    for name, text in request.query.items():
        if name.startswith("response-"):
            headers[name.removeprefix("response-")] = text
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
    return Answer(status=206 if is_partial else 200, headers=headers), start, stop, version


def _is_unchanged(call: Call, version: Version) -> bool:
    """Whether a reader already has it; raises S3Error 412 when it wanted another one."""
    headers = call.request.headers
    if "if-match" in headers and headers["if-match"].strip('"') not in ("*", version.content.etag):
        raise precondition_failed("If-Match")
    if "if-none-match" in headers:
        wanted = [name.strip().strip('"') for name in headers["if-none-match"].split(",")]
        return "*" in wanted or version.content.etag in wanted
    if "if-modified-since" in headers:
        try:
            return int(version.modified_at) <= parsedate_to_datetime(headers["if-modified-since"]).timestamp()
        except ValueError:
            return False
    return False


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
    """The bytes a Range header wants; one S3 cannot read means all; raises S3Error 416 beyond the end."""
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


def _check_copy_source(call: Call, source: Version) -> None:
    headers = call.request.headers
    wanted = headers.get("x-amz-copy-source-if-match")
    unwanted = headers.get("x-amz-copy-source-if-none-match")
    if wanted is not None and wanted.strip('"') != source.content.etag:
        raise precondition_failed("x-amz-copy-source-If-Match")
    if unwanted is not None and unwanted.strip('"') == source.content.etag:
        raise precondition_failed("x-amz-copy-source-If-None-Match")
    is_same = (source.bucket, source.key) == (call.bucket.name, call.request.key)
    if is_same and headers.get("x-amz-metadata-directive", "COPY") == "COPY" and ENCRYPTION_HEADER not in headers:
        raise S3Error(
            400,
            "InvalidRequest",
            "This copy request is illegal because it is trying to copy an object to itself without changing the "
            "object's metadata, storage class, website redirect location or encryption attributes.",
        )
    directive = headers.get("x-amz-metadata-directive", "COPY")
    if directive not in ("COPY", "REPLACE"):
        raise invalid_argument("Unknown metadata directive.", "x-amz-metadata-directive", directive)


def _copied_file(call: Call, segments: list[Segment], size_bytes: int) -> str:
    bodies = call.store.bodies
    if len(segments) == 1:
        return bodies.link(segments[0].file_name)
    file_name = bodies.new()
    with bodies.path(file_name).open("xb", buffering=0) as file:
        for piece in bodies.read(iter(segments), 0, size_bytes):
            file.write(piece)
    return file_name


def _delete(call: Call, key: str, version_id: str | None, conditions: Conditions) -> Version | None:
    return call.store.versions.delete(
        call.bucket.name,
        key,
        version_id,
        conditions,
        is_versioned=call.bucket.is_versioned,
        now=call.store.clock.timestamp(),
    )


def _deleted_headers(call: Call, removed: Version | None) -> dict[str, str]:
    if removed is None or not call.bucket.is_versioned:
        return {}
    marker = {"x-amz-delete-marker": "true"} if removed.is_delete_marker else {}
    return {"x-amz-version-id": removed.version_id, **marker}


def _encryption(version: Version) -> dict[str, str]:
    return {name: text for name, text in version.content.headers.items() if name in _ENCRYPTION_HEADERS}


def _written_headers(call: Call, version: Version) -> dict[str, str]:
    checksum = version.content.checksum
    return {
        "ETag": quoted_etag(version.content.etag),
        **call.version_headers(version),
        **_encryption(version),
        **(checksum.headers() if checksum else {}),
    }
