"""List the objects, versions and unfinished uploads of a bucket."""

import base64
import binascii
from collections.abc import Callable
from urllib.parse import quote

from local.stand_in.bucket_owner import OWNER
from local.stand_in.errors import invalid_argument
from local.stand_in.listings import Listing, Marker, Scope
from local.stand_in.object_store import Call
from local.stand_in.responses import Response, iso_time, quoted_etag, xml_response
from local.stand_in.versions import Version

MAX_PAGE = 1000  # S3 API Reference, "ListObjectsV2" and its siblings


def list_objects_v2(call: Call) -> Response:
    """ListObjectsV2. The continuation token is the end of the previous page."""
    query = call.request.query
    token = query.get("continuation-token")
    after = _decode_token(token) if token is not None else query.get("start-after", "")
    listing, limit = _list(call, after)
    name = _namer(call)
    return xml_response(
        "ListBucketResult",
        {
            **_told(call, listing, limit),
            "Contents": _contents(call, listing, with_owner=query.get("fetch-owner") == "true"),
            "StartAfter": name(query["start-after"]) if "start-after" in query else None,
            "ContinuationToken": token,
            "NextContinuationToken": _encode_token(listing.last_name) if listing.is_truncated else None,
            "KeyCount": len(listing.items) + len(listing.common_prefixes),
        },
    )


def list_objects(call: Call) -> Response:
    """ListObjects, the older operation."""
    marker = call.request.query.get("marker", "")
    is_rolled_up = bool(call.request.query.get("delimiter"))
    listing, limit = _list(call, marker)
    name = _namer(call)
    return xml_response(
        "ListBucketResult",
        {
            **_told(call, listing, limit),
            "Contents": _contents(call, listing, with_owner=True),
            "Marker": name(marker),
            # Without a delimiter the last key is sufficient, and S3 sends no marker.
            "NextMarker": name(listing.last_name) if listing.is_truncated and is_rolled_up else None,
        },
    )


def list_object_versions(call: Call) -> Response:
    """ListObjectVersions, starting after a version that may have been removed meanwhile."""
    query, name = call.request.query, _namer(call)
    limit = _limit(call)
    after_key, after_version = query.get("key-marker", ""), query.get("version-id-marker", "")
    if after_version and not after_key:
        raise invalid_argument(
            "A version-id marker cannot be specified without a key marker.", "version-id-marker", after_version
        )
    versions, after = call.store.versions, Marker[int](after_key)
    if after_version:
        after = versions.marker_of(call.bucket.name, after_key, after_version)
    listing = versions.list_all(call.bucket.name, _scope(call, limit), after=after)
    return xml_response(
        "ListVersionsResult",
        {
            **_told(call, listing, limit),
            "KeyMarker": name(after_key),
            "VersionIdMarker": after_version,
            "NextKeyMarker": name(listing.last_name) if listing.is_truncated else None,
            "NextVersionIdMarker": listing.last.version_id if listing.is_truncated and listing.last else None,
            "Version": [_version(version, name) for version in listing.items if not version.is_delete_marker],
            "DeleteMarker": [_marker(version, name) for version in listing.items if version.is_delete_marker],
        },
    )


def list_multipart_uploads(call: Call) -> Response:
    """ListMultipartUploads by prefix and delimiter, in pages."""
    query, name = call.request.query, _namer(call)
    limit = min(call.request.text_number("max-uploads", MAX_PAGE), MAX_PAGE)
    after = Marker(query.get("key-marker", ""), query.get("upload-id-marker"))
    listing = call.store.uploads.list_open(call.bucket.name, _scope(call, limit), after=after)
    return xml_response(
        "ListMultipartUploadsResult",
        {
            "Bucket": call.bucket.name,
            "KeyMarker": name(query.get("key-marker", "")),
            "UploadIdMarker": query.get("upload-id-marker", ""),
            "NextKeyMarker": name(listing.last_name) if listing.is_truncated else None,
            "NextUploadIdMarker": listing.last.upload_id if listing.is_truncated and listing.last else None,
            "Prefix": name(query.get("prefix", "")),
            "Delimiter": name(query["delimiter"]) if query.get("delimiter") else None,
            "MaxUploads": limit,
            "EncodingType": query.get("encoding-type"),
            "IsTruncated": listing.is_truncated,
            "Upload": [
                {
                    "Key": name(upload.key),
                    "UploadId": upload.upload_id,
                    "Initiator": OWNER,
                    "Owner": OWNER,
                    "StorageClass": upload.headers.get("x-amz-storage-class", "STANDARD"),
                    "Initiated": iso_time(upload.initiated_at),
                    "ChecksumAlgorithm": upload.algorithm,
                    "ChecksumType": upload.checksum_type,
                }
                for upload in listing.items
            ],
            "CommonPrefixes": [{"Prefix": name(prefix)} for prefix in listing.common_prefixes],
        },
    )


def _limit(call: Call) -> int:
    return min(call.request.text_number("max-keys", MAX_PAGE), MAX_PAGE)


def _scope(call: Call, limit: int) -> Scope:
    query = call.request.query
    return Scope(prefix=query.get("prefix", ""), delimiter=query.get("delimiter", ""), limit=limit)


def _list(call: Call, after: str) -> tuple[Listing[Version], int]:
    limit = _limit(call)
    return call.store.versions.list_latest(call.bucket.name, _scope(call, limit), after=after), limit


def _told(call: Call, listing: Listing[Version], limit: int) -> dict[str, object]:
    """Elements of every listing: the request's parameters and the common prefixes."""
    query, name = call.request.query, _namer(call)
    return {
        "Name": call.bucket.name,
        "Prefix": name(query.get("prefix", "")),
        "Delimiter": name(query["delimiter"]) if query.get("delimiter") else None,
        "MaxKeys": limit,
        "EncodingType": query.get("encoding-type"),
        "IsTruncated": listing.is_truncated,
        "CommonPrefixes": [{"Prefix": name(prefix)} for prefix in listing.common_prefixes],
    }


def _contents(call: Call, listing: Listing[Version], *, with_owner: bool) -> list[dict[str, object]]:
    name = _namer(call)
    return [
        {
            "Key": name(version.key),
            "LastModified": iso_time(version.modified_at),
            **_content(version),
            "Owner": OWNER if with_owner else None,
        }
        for version in listing.items
    ]


def _content(version: Version) -> dict[str, object]:
    checksum = version.content.checksum
    return {
        "ETag": quoted_etag(version.content.etag),
        "ChecksumAlgorithm": checksum.algorithm if checksum else None,
        "ChecksumType": checksum.type if checksum else None,
        "Size": version.content.size_bytes,
        "StorageClass": version.content.headers.get("x-amz-storage-class", "STANDARD"),
    }


def _version(version: Version, name: Callable[[str], str]) -> dict[str, object]:
    return {**_marker(version, name), **_content(version)}


def _marker(version: Version, name: Callable[[str], str]) -> dict[str, object]:
    return {
        "Key": name(version.key),
        "VersionId": version.version_id,
        "IsLatest": version.is_latest,
        "LastModified": iso_time(version.modified_at),
        "Owner": OWNER,
    }


def _namer(call: Call) -> Callable[[str], str]:
    """Encoder of keys: URL-encoded on request, since XML cannot contain every character."""
    encoding = call.request.query.get("encoding-type")
    if encoding not in (None, "url"):
        raise invalid_argument("Invalid Encoding Method specified in Request", "encoding-type", encoding)
    return (lambda text: quote(text, safe="/")) if encoding else str


def _encode_token(last_name: str) -> str:
    return base64.urlsafe_b64encode(last_name.encode()).decode()


def _decode_token(token: str) -> str:
    try:
        return base64.urlsafe_b64decode(token.encode("ascii")).decode()
    except (binascii.Error, UnicodeError) as error:
        raise invalid_argument("The continuation token provided is incorrect", "continuation-token", token) from error
