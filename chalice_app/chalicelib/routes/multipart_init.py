"""Multipart init: start an upload in parts, sign its parts, find the way back to it."""

from chalice.app import Response

from chalicelib.core.upload_requests import SignParts, StartUpload
from chalicelib.core.video_record import api_time
from chalicelib.routes.api_blueprint import ApiBlueprint, answered
from chalicelib.routes.callers import may_also_write, reader_of, upload_of, writer_of
from chalicelib.routes.part_views import signed_part_views, stored_part_views
from chalicelib.routes.strict_json import strict_json
from chalicelib.routes.upload_tokens import upload_token_authorizer
from chalicelib.routes.users import may_read, may_write
from chalicelib.wiring import services

multipart_init = ApiBlueprint(__name__, "multipart_init")


@multipart_init.route("/multipart/init", methods=["POST"], authorizer=may_write)
def start_upload() -> Response:
    owner = writer_of(multipart_init.current_request)
    max_bytes = services().environment.max_video_bytes
    request = StartUpload.parse(strict_json(multipart_init.current_request), max_bytes)
    started = services().uploads.start(owner, request, multipart_init.correlation_id)
    record = started.record
    return answered(
        {
            "videoId": record.video_id,
            "uploadId": started.upload_id,
            "fileKey": record.ref.file_key,
            "partSizeBytes": record.part_size_bytes,
            "partCount": record.plan.part_count,
            "presignedUrls": signed_part_views(started.signed_parts),
            "urlsExpireAt": api_time(started.urls_expire_at),
            "uploadToken": started.token,
            "expiresAt": api_time(record.expires_at),
            "checksumAlgorithm": "CRC64NVME",
        },
        status=201,
    )


@multipart_init.route("/multipart/parts", methods=["POST"], authorizer=upload_token_authorizer)
def sign_parts() -> Response:
    token = upload_of(multipart_init.current_request)
    body = strict_json(multipart_init.current_request)
    record = services().uploads.find_open(token)
    request = SignParts.parse(body, record.plan.part_count)
    signed_parts, urls_expire_at = services().uploads.sign_parts(token, record, request.checksums_by_part)
    return answered({"presignedUrls": signed_part_views(signed_parts), "urlsExpireAt": api_time(urls_expire_at)})


@multipart_init.route("/multipart/parts", methods=["GET"], authorizer=upload_token_authorizer)
def list_parts() -> Response:
    token = upload_of(multipart_init.current_request)
    record, parts = services().uploads.stored_parts(token)
    return answered(
        {
            "videoId": record.video_id,
            "uploadId": token.upload_id,
            "fileKey": record.ref.file_key,
            "state": record.state.value,
            "fileName": record.file_name,
            "contentType": record.content_type,
            "sizeBytes": record.size_bytes,
            "partSizeBytes": record.part_size_bytes,
            "partCount": record.plan.part_count,
            "parts": stored_part_views(parts),
        }
    )


@multipart_init.route("/uploads", methods=["GET"], authorizer=may_read)
def list_uploads() -> Response:
    request = multipart_init.current_request
    owner = reader_of(request)
    uploads = [
        {
            "videoId": upload.record.video_id,
            "uploadId": upload.upload_id,
            "fileKey": upload.record.ref.file_key,
            "fileName": upload.record.file_name,
            "contentType": upload.record.content_type,
            "sizeBytes": upload.record.size_bytes,
            "partSizeBytes": upload.record.part_size_bytes,
            "partCount": upload.record.plan.part_count,
            "receivedBytes": upload.received_bytes,
            **({"uploadToken": upload.token} if upload.token else {}),
            "startedAt": api_time(upload.record.created_at),
            "expiresAt": api_time(upload.record.expires_at),
            "correlationId": upload.record.correlation_id,
        }
        for upload in services().uploads.open_uploads(owner, with_tokens=may_also_write(request))
    ]
    return answered({"uploads": uploads})
