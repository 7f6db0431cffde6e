"""Operations on multipart uploads: create, upload parts, complete, abort and list parts."""

import secrets
from collections.abc import Callable
from xml.etree import ElementTree as ET

from local.stand_in import checksums
from local.stand_in.bucket_owner import OWNER
from local.stand_in.buckets import encryption_of
from local.stand_in.entity_tags import EntityTag
from local.stand_in.errors import S3Error, invalid_argument, invalid_request, malformed_xml
from local.stand_in.object_operations import announcer
from local.stand_in.object_store import Call, header_tags
from local.stand_in.payload import receive
from local.stand_in.responses import Response, iso_time, quoted_etag, xml_response
from local.stand_in.uploads import MAX_PARTS, Completion, ListedPart, Part, Upload
from local.stand_in.xml_bodies import child_text, children

MAX_PAGE = 1000  # S3 API Reference, "ListParts"


def create_multipart_upload(call: Call) -> Response:
    """CreateMultipartUpload. S3's default checksum is CRC64NVME over the full object."""
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
    return xml_response(
        "InitiateMultipartUploadResult",
        {"Bucket": upload.bucket, "Key": upload.key, "UploadId": upload.upload_id},
        {**encryption_of(upload.headers), **chosen},
    )


def upload_part(call: Call) -> Response:
    """UploadPart. The checksum of the upload's algorithm is computed even if the client sends none."""
    request, store = call.request, call.store
    number, upload = named_part(call)
    _demand_algorithm(upload, checksums.sent_in(request.headers))
    received = receive(request, call.signature, store.bodies, EntityTag(upload.headers), upload.algorithm)
    part = Part(
        part_number=number,
        size_bytes=received.size_bytes,
        etag=received.etag,
        modified_at=store.clock.timestamp(),
        checksum=received.computed[upload.algorithm],
        file_name=received.file_name,
    )
    keep_part(call, upload, part, lambda: _demand_algorithm(upload, received.sent_checksum, is_complete=True))
    algorithm, value = received.sent_checksum or (upload.algorithm, part.checksum)
    checksum = {f"{checksums.CHECKSUM_PREFIX}{algorithm.lower()}": value}
    return Response(headers={"ETag": quoted_etag(part.etag), **encryption_of(upload.headers), **checksum})


def named_part(call: Call) -> tuple[int, Upload]:
    """The part number and upload of a request. Raises S3Error 400 for a number outside of S3's bounds."""
    number = call.request.query.get("partNumber", "")
    if not number.isascii() or not number.isdigit() or not 1 <= int(number) <= MAX_PARTS:
        raise invalid_argument(
            f"Part number must be an integer between 1 and {MAX_PARTS}, inclusive", "partNumber", number
        )
    return int(number), _upload(call)


def keep_part(call: Call, upload: Upload, part: Part, check: Callable[[], None] = lambda: None) -> None:
    """Make a body file a part of the upload. The file is removed if this or the check fails."""
    try:
        check()
        call.store.uploads.put_part(upload, part)
    except BaseException:
        call.store.bodies.remove([part.file_name])
        raise


def list_parts(call: Call) -> Response:
    """ListParts: pages of up to a thousand, with S3's checksums."""
    request = call.request
    upload = _upload(call)
    limit = min(request.text_number("max-parts", MAX_PAGE), MAX_PAGE)
    after = request.text_number("part-number-marker", 0)
    found = call.store.uploads.parts(upload, after=after, limit=limit + 1)
    page = found[:limit]
    return xml_response(
        "ListPartsResult",
        {
            "Bucket": upload.bucket,
            "Key": upload.key,
            "UploadId": upload.upload_id,
            "PartNumberMarker": after,
            "NextPartNumberMarker": page[-1].part_number if page else 0,
            "MaxParts": limit,
            "IsTruncated": len(found) > limit,
            "Initiator": OWNER,
            "Owner": OWNER,
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


def complete_multipart_upload(call: Call) -> Response:
    """CompleteMultipartUpload: verified, conditional, exactly once."""
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
    return xml_response(
        "CompleteMultipartUploadResult",
        {
            "Location": f"{request.base_url}/{upload.bucket}/{upload.key}",
            "Bucket": upload.bucket,
            "Key": upload.key,
            "ETag": quoted_etag(version.content.etag),
            **told,
        },
        {**call.written_version_headers(version), **encryption_of(upload.headers)},
    )


def abort_multipart_upload(call: Call) -> Response:
    """AbortMultipartUpload."""
    request = call.request
    call.store.uploads.abort(call.bucket.name, request.key, request.query.get("uploadId", ""))
    return Response(status=204)


def _upload(call: Call) -> Upload:
    request = call.request
    return call.store.uploads.find(call.bucket.name, request.key, request.query.get("uploadId", ""))


def _demand_algorithm(
    upload: Upload, sent_checksum: tuple[checksums.Algorithm, str] | None, *, is_complete: bool = False
) -> None:
    """Raises S3Error 400 for a part's checksum of another algorithm, or none where the upload needs it.

    An upload without a chosen algorithm accepts parts with any: S3 verifies the part by it and stores its own checksum.
    """
    if not upload.is_algorithm_chosen:
        return
    actual, expected = sent_checksum[0].lower() if sent_checksum else "null", upload.algorithm.lower()
    is_missing = sent_checksum is None and is_complete and upload.checksum_type == "COMPOSITE"
    is_foreign = sent_checksum is not None and actual != expected
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
    sent_checksum = checksums.sent_in(headers)
    if sent_checksum is None:
        return None
    if sent_checksum[0] != upload.algorithm:
        raise S3Error(
            400,
            "InvalidRequest",
            f"Checksum Type mismatch occurred, expected checksum Type: {upload.algorithm.lower()}, "
            f"actual checksum Type: {sent_checksum[0].lower()}",
        )
    return sent_checksum[1]
