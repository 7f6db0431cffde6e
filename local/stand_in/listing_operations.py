"""List the objects and versions of a bucket."""

import base64
import binascii
from collections.abc import Callable
from urllib.parse import quote

from local.stand_in.answers import Answer, iso_time, quoted_etag, xml_answer
from local.stand_in.errors import invalid_argument, not_implemented
from local.stand_in.names import ACCOUNT_ID
from local.stand_in.object_store import Call
from local.stand_in.versions import Listing, Version

MAX_PAGE = 1000  # S3 API Reference, "ListObjectsV2"
_OWNER = {"ID": ACCOUNT_ID, "DisplayName": "local"}


def list_objects_v2(call: Call) -> Answer:
    """ListObjectsV2; the continuation token is where the page before ended."""
    query = call.request.query
    token = query.get("continuation-token")
    after = _decode_token(token) if token is not None else query.get("start-after", "")
    listing, limit = _list(call, after)
    name = _namer(call)
    return xml_answer(
        "ListBucketResult",
        {
            **_common(call, listing, limit),
            "StartAfter": name(query["start-after"]) if "start-after" in query else None,
            "ContinuationToken": token,
            "NextContinuationToken": _encode_token(listing.last_key) if listing.is_truncated else None,
            "KeyCount": len(listing.versions) + len(listing.common_prefixes),
        },
    )


def list_objects(call: Call) -> Answer:
    """ListObjects, the older form."""
    marker = call.request.query.get("marker", "")
    listing, limit = _list(call, marker)
    name = _namer(call)
    return xml_answer(
        "ListBucketResult",
        {
            **_common(call, listing, limit),
            "Marker": name(marker),
            "NextMarker": name(listing.last_key) if listing.is_truncated else None,
        },
    )


def list_object_versions(call: Call) -> Answer:
    """ListObjectVersions, without a delimiter."""
    request = call.request
    if request.query.get("delimiter"):
        raise not_implemented("ListObjectVersions with a delimiter is left out")
    limit = min(request.text_number("max-keys", MAX_PAGE), MAX_PAGE)
    after_key, after_version = request.query.get("key-marker", ""), request.query.get("version-id-marker", "")
    after_sequence = 0
    if after_version:
        after_sequence = call.store.versions.find(call.bucket.name, after_key, after_version).sequence
    prefix = request.query.get("prefix", "")
    found = call.store.versions.list_all(
        call.bucket.name, prefix=prefix, after_key=after_key, after_sequence=after_sequence, limit=limit
    )
    page, is_truncated = found[:limit], len(found) > limit
    name = _namer(call)
    return xml_answer(
        "ListVersionsResult",
        {
            "Name": call.bucket.name,
            "Prefix": name(prefix),
            "KeyMarker": name(after_key),
            "VersionIdMarker": after_version,
            "NextKeyMarker": name(page[-1].key) if is_truncated else None,
            "NextVersionIdMarker": page[-1].version_id if is_truncated else None,
            "MaxKeys": limit,
            "EncodingType": request.query.get("encoding-type"),
            "IsTruncated": is_truncated,
            "Version": [_version(version, name) for version in page if not version.is_delete_marker],
            "DeleteMarker": [_marker(version, name) for version in page if version.is_delete_marker],
        },
    )


def _list(call: Call, after: str) -> tuple[Listing, int]:
    limit = min(call.request.text_number("max-keys", MAX_PAGE), MAX_PAGE)
    if limit == 0:
        return Listing(), limit
    query = call.request.query
    listing = call.store.versions.list_latest(
        call.bucket.name,
        prefix=query.get("prefix", ""),
        after=after,
        delimiter=query.get("delimiter", ""),
        limit=limit,
    )
    return listing, limit


def _common(call: Call, listing: Listing, limit: int) -> dict[str, object]:
    query = call.request.query
    name = _namer(call)
    return {
        "Name": call.bucket.name,
        "Prefix": name(query.get("prefix", "")),
        "Delimiter": name(query["delimiter"]) if query.get("delimiter") else None,
        "MaxKeys": limit,
        "EncodingType": query.get("encoding-type"),
        "IsTruncated": listing.is_truncated,
        "Contents": [
            {
                "Key": name(version.key),
                "LastModified": iso_time(version.modified_at),
                "ETag": quoted_etag(version.content.etag),
                "Size": version.content.size_bytes,
                "StorageClass": version.content.headers.get("x-amz-storage-class", "STANDARD"),
            }
            for version in listing.versions
        ],
        "CommonPrefixes": [{"Prefix": name(prefix)} for prefix in listing.common_prefixes],
    }


def _version(version: Version, name: Callable[[str], str]) -> dict[str, object]:
    return {
        **_marker(version, name),
        "ETag": quoted_etag(version.content.etag),
        "Size": version.content.size_bytes,
        "StorageClass": version.content.headers.get("x-amz-storage-class", "STANDARD"),
    }


def _marker(version: Version, name: Callable[[str], str]) -> dict[str, object]:
    return {
        "Key": name(version.key),
        "VersionId": version.version_id,
        "IsLatest": version.is_latest,
        "LastModified": iso_time(version.modified_at),
        "Owner": _OWNER,
    }


def _namer(call: Call) -> Callable[[str], str]:
    """How keys are written: coded like a URL when the client asks for it, since XML cannot hold every character."""
    encoding = call.request.query.get("encoding-type")
    if encoding not in (None, "url"):
        raise invalid_argument("Invalid Encoding Method specified in Request", "encoding-type", encoding)
    return (lambda text: quote(text, safe="/")) if encoding else str


def _encode_token(last_key: str) -> str:
    return base64.urlsafe_b64encode(last_key.encode()).decode()


def _decode_token(token: str) -> str:
    try:
        return base64.urlsafe_b64decode(token.encode("ascii")).decode()
    except (binascii.Error, UnicodeError) as error:
        raise invalid_argument("The continuation token provided is incorrect", "continuation-token", token) from error
