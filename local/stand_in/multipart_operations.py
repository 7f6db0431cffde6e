"""Create, feed, list, complete and abort multipart uploads."""

import secrets
from xml.etree import ElementTree as ET

from local.stand_in import checksums
from local.stand_in.answers import Answer, iso_time, quoted_etag, xml_answer
from local.stand_in.buckets import BUCKET_KEY_HEADER, ENCRYPTION_HEADER, KMS_KEY_HEADER
from local.stand_in.errors import S3Error, invalid_argument, invalid_request, malformed_xml
from local.stand_in.names import ACCOUNT_ID
from local.stand_in.object_operations import announcer
from local.stand_in.object_store import Call, header_tags
from local.stand_in.payload import receive
from local.stand_in.uploads import MAX_PARTS, Completion, ListedPart, Part, Upload
from local.stand_in.xml_bodies import child_text, children

MAX_PAGE = 1000  # S3 API Reference, "ListParts" and "ListMultipartUploads"
_OWNER = {"ID": ACCOUNT_ID, "DisplayName": "local"}


def create_multipart_upload(call: Call) -> Answer:
    """CreateMultipartUpload; without a checksum algorithm S3 takes CRC64NVME over the full object."""
    request = call.request
    named = request.headers.get("x-amz-checksum-algorithm")
    kind = request.headers.get("x-amz-checksum-type")
    if kind and not named:
        raise invalid_request(
            "The x-amz-checksum-type header can only be used with the x-amz-checksum-algorithm header."
        )
    algorithm = checksums.parse_algorithm(named) if named else checksums.DEFAULT_ALGORITHM
    upload = Upload(
        upload_id=secrets.token_urlsafe(48),
        bucket=call.bucket.name,
        key=request.key,
        initiated_at=call.store.clock.timestamp(),
        algorithm=algorithm,
        checksum_type=checksums.parse_type(algorithm, kind),
        is_algorithm_chosen=named is not None,
        headers=call.kept_headers(),
        tags=header_tags(request.headers),
    )
    call.store.uploads.create(upload)
    chosen = (
        {"x-amz-checksum-algorithm": algorithm, "x-amz-checksum-type": upload.checksum_type}
        if upload.is_algorithm_chosen
        else {}
    )
    return xml_answer(
        "InitiateMultipartUploadResult",
        {"Bucket": upload.bucket, "Key": upload.key, "UploadId": upload.upload_id},
        {**_encryption(upload), **chosen},
    )


def upload_part(call: Call) -> Answer:
    """UploadPart: the checksum of the upload's algorithm is computed whether or not the client sends it."""
    request, store = call.request, call.store
    number = request.query.get("partNumber", "")
    if not number.isascii() or not number.isdigit() or not 1 <= int(number) <= MAX_PARTS:
        raise invalid_argument(
            f"Part number must be an integer between 1 and {MAX_PARTS}, inclusive", "partNumber", number
        )
    upload = _upload(call)
    _demand_algorithm(upload, checksums.claimed(request.headers))
    received = receive(request, call.signature, store.bodies, upload.algorithm)
    try:
        _demand_algorithm(upload, received.claim, is_complete=True)
        part = Part(
            part_number=int(number),
            size_bytes=received.size_bytes,
            etag=secrets.token_hex(16),
            modified_at=store.clock.timestamp(),
            checksum=received.computed[upload.algorithm],
            file_name=received.file_name,
        )
        store.uploads.put_part(upload, part)
    except BaseException:
        store.bodies.remove([received.file_name])
        raise
    checksum = {f"{checksums.CHECKSUM_PREFIX}{upload.algorithm.lower()}": part.checksum}
    return Answer(headers={"ETag": quoted_etag(part.etag), **_encryption(upload), **checksum})


def list_parts(call: Call) -> Answer:
    """ListParts: pages of up to a thousand, with the checksums S3 holds."""
    request = call.request
    upload = _upload(call)
    limit = min(request.text_number("max-parts", MAX_PAGE), MAX_PAGE)
    after = request.text_number("part-number-marker", 0)
    found = call.store.uploads.parts(upload, after=after, limit=limit + 1)
    page = found[:limit]
    return xml_answer(
        "ListPartsResult",
        {
            "Bucket": upload.bucket,
            "Key": upload.key,
            "UploadId": upload.upload_id,
            "PartNumberMarker": after,
            "NextPartNumberMarker": page[-1].part_number if page else 0,
            "MaxParts": limit,
            "IsTruncated": len(found) > limit,
            "Initiator": _OWNER,
            "Owner": _OWNER,
            "StorageClass": "STANDARD",
            "ChecksumAlgorithm": upload.algorithm,
            "ChecksumType": upload.checksum_type,
            "Part": [
                {
                    "PartNumber": part.part_number,
                    "LastModified": iso_time(part.modified_at),
                    "ETag": quoted_etag(part.etag),
                    "Size": part.size_bytes,
                    checksums.element_name(upload.algorithm): part.checksum,
                }
                for part in page
            ],
        },
    )


def complete_multipart_upload(call: Call) -> Answer:
    """CompleteMultipartUpload: verified, conditional, once."""
    request, store = call.request, call.store
    upload = _upload(call)
    document = call.xml()
    version = store.uploads.complete(
        call.bucket.name,
        request.key,
        upload.upload_id,
        Completion(
            parts=[_listed_part(upload, element) for element in children(document, "Part")],
            conditions=call.conditions(),
            size_bytes=_object_size(request.headers.get("x-amz-mp-object-size")),
            checksum=_whole_checksum(call, upload),
        ),
        is_versioned=call.bucket.is_versioned,
        now=store.clock.timestamp(),
        announce=announcer(call, "s3:ObjectCreated:CompleteMultipartUpload"),
    )
    checksum = version.content.checksum
    told = {checksum.element: checksum.value, "ChecksumType": checksum.type} if checksum else {}
    return xml_answer(
        "CompleteMultipartUploadResult",
        {
            "Location": f"{request.base_url}/{upload.bucket}/{upload.key}",
            "Bucket": upload.bucket,
            "Key": upload.key,
            "ETag": quoted_etag(version.content.etag),
            **told,
        },
        {**call.version_headers(version), **_encryption(upload)},
    )


def abort_multipart_upload(call: Call) -> Answer:
    """AbortMultipartUpload."""
    request = call.request
    call.store.uploads.abort(call.bucket.name, request.key, request.query.get("uploadId", ""))
    return Answer(status=204)


def list_multipart_uploads(call: Call) -> Answer:
    """ListMultipartUploads by prefix, in pages."""
    request = call.request
    limit = min(request.text_number("max-uploads", MAX_PAGE), MAX_PAGE)
    prefix = request.query.get("prefix", "")
    found = call.store.uploads.list_open(
        call.bucket.name,
        prefix=prefix,
        after_key=request.query.get("key-marker", ""),
        after_upload_id=request.query.get("upload-id-marker", ""),
        limit=limit + 1,
    )
    page = found[:limit]
    is_truncated = len(found) > limit
    return xml_answer(
        "ListMultipartUploadsResult",
        {
            "Bucket": call.bucket.name,
            "KeyMarker": request.query.get("key-marker", ""),
            "UploadIdMarker": request.query.get("upload-id-marker", ""),
            "NextKeyMarker": page[-1].key if is_truncated else None,
            "NextUploadIdMarker": page[-1].upload_id if is_truncated else None,
            "Prefix": prefix,
            "MaxUploads": limit,
            "IsTruncated": is_truncated,
            "Upload": [
                {
                    "Key": upload.key,
                    "UploadId": upload.upload_id,
                    "Initiator": _OWNER,
                    "Owner": _OWNER,
                    "StorageClass": "STANDARD",
                    "Initiated": iso_time(upload.initiated_at),
                    "ChecksumAlgorithm": upload.algorithm,
                    "ChecksumType": upload.checksum_type,
                }
                for upload in page
            ],
        },
    )


def _upload(call: Call) -> Upload:
    request = call.request
    return call.store.uploads.find(call.bucket.name, request.key, request.query.get("uploadId", ""))


def _demand_algorithm(
    upload: Upload, claim: tuple[checksums.Algorithm, str] | None, *, is_complete: bool = False
) -> None:
    """Raises S3Error 400 for a part's checksum of another algorithm, or none where the upload needs it."""
    actual = claim[0].lower() if claim else "null"
    is_missing = claim is None and is_complete and upload.is_algorithm_chosen and upload.checksum_type == "COMPOSITE"
    expected = upload.algorithm.lower() if upload.is_algorithm_chosen else "null"
    is_foreign = claim is not None and actual != expected
    if is_missing or is_foreign:
        raise invalid_request(
            f"Checksum Type mismatch occurred, expected checksum Type: {expected}, actual checksum Type: {actual}"
        )


def _listed_part(upload: Upload, element: ET.Element) -> ListedPart:
    number, etag = child_text(element, "PartNumber"), child_text(element, "ETag")
    if number is None or etag is None or not number.strip().isdigit():
        raise malformed_xml()
    return ListedPart(
        part_number=int(number),
        etag=etag.strip().strip('"'),
        checksum=child_text(element, checksums.element_name(upload.algorithm)),
    )


def _object_size(header: str | None) -> int | None:
    if header is None:
        return None
    if not header.isascii() or not header.isdigit():
        raise invalid_request("Value for x-amz-mp-object-size header is invalid.")
    return int(header)


def _whole_checksum(call: Call, upload: Upload) -> str | None:
    headers = call.request.headers
    kind = headers.get("x-amz-checksum-type")
    if kind is not None and kind.upper() != upload.checksum_type:
        raise invalid_request(
            f"The upload was created using the {upload.checksum_type} checksum mode. "
            "The complete request must use the same checksum mode."
        )
    claim = checksums.claimed(headers)
    if claim is None:
        return None
    if claim[0] != upload.algorithm:
        raise S3Error(
            400,
            "InvalidRequest",
            f"Checksum Type mismatch occurred, expected checksum Type: {upload.algorithm.lower()}, "
            f"actual checksum Type: {claim[0].lower()}",
        )
    return claim[1]


def _encryption(upload: Upload) -> dict[str, str]:
    names = (ENCRYPTION_HEADER, KMS_KEY_HEADER, BUCKET_KEY_HEADER)
    return {name: text for name, text in upload.headers.items() if name in names}
