"""Multipart complete: the end of an upload in parts, either way."""

from chalice.app import Response

from chalicelib.core.completion import RETRY_AFTER_SECONDS, Outcome
from chalicelib.core.errors import UploadNotFoundError
from chalicelib.core.upload_requests import AbortUpload, CompleteUpload
from chalicelib.routes.api_blueprint import ApiBlueprint, answered
from chalicelib.routes.callers import upload_of
from chalicelib.routes.strict_json import strict_json, strict_json_or_empty
from chalicelib.routes.upload_tokens import upload_token_authorizer
from chalicelib.wiring import services

multipart_complete = ApiBlueprint(__name__, "multipart_complete")


@multipart_complete.route("/multipart/complete", methods=["POST"], authorizer=upload_token_authorizer)
def complete_upload() -> Response:
    token = upload_of(multipart_complete.current_request)
    request = CompleteUpload.parse(strict_json(multipart_complete.current_request))
    completion = services().completions.complete(token, request)
    record = completion.record
    body = {"videoId": record.video_id, "fileKey": record.ref.file_key, "sizeBytes": record.size_bytes}
    if completion.outcome is Outcome.COMPLETED:
        return answered({"status": "completed", **body})
    return answered({"status": "completing", **body}, status=202, Retry_After=str(RETRY_AFTER_SECONDS))


@multipart_complete.route("/multipart/abort", methods=["POST"], authorizer=upload_token_authorizer)
def abort_upload() -> Response:
    token = upload_of(multipart_complete.current_request)
    request = AbortUpload.parse(strict_json_or_empty(multipart_complete.current_request))
    if request.upload_id not in {None, token.upload_id} or request.file_key not in {None, token.file_key}:
        raise UploadNotFoundError
    record = services().uploads.abort(token)
    return answered({"status": "aborted", "videoId": record.video_id})
