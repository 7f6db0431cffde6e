"""Multipart complete: the end of an upload in parts, either way."""

from chalice.app import Response

from chalicelib.contract import views
from chalicelib.contract.requests import PartsToComplete, UploadToAbort
from chalicelib.contract.responses import AbortedUpload
from chalicelib.core.completion import RETRY_AFTER_SECONDS, Outcome
from chalicelib.core.errors import UploadNotFoundError
from chalicelib.routes.api_blueprint import ApiBlueprint, respond
from chalicelib.routes.callers import upload_of
from chalicelib.routes.strict_json import strict_json, strict_json_or_empty
from chalicelib.routes.upload_tokens import upload_token_authorizer
from chalicelib.wiring import services

multipart_complete = ApiBlueprint(__name__, "multipart_complete")


@multipart_complete.route("/multipart/complete", methods=["POST"], authorizer=upload_token_authorizer)
def complete_upload() -> Response:
    token = upload_of(multipart_complete.current_request)
    request = PartsToComplete.parse(strict_json(multipart_complete.current_request))
    completion = services().completions.complete(token, request)
    answer = views.completion(completion)
    if completion.outcome is Outcome.COMPLETED:
        return respond(answer)
    return respond(answer, status=202, Retry_After=str(RETRY_AFTER_SECONDS))


@multipart_complete.route("/multipart/abort", methods=["POST"], authorizer=upload_token_authorizer)
def abort_upload() -> Response:
    token = upload_of(multipart_complete.current_request)
    request = UploadToAbort.read(strict_json_or_empty(multipart_complete.current_request))
    if request.upload_id not in {None, token.upload_id} or request.file_key not in {None, token.file_key}:
        raise UploadNotFoundError
    record = services().uploads.abort(token)
    return respond(AbortedUpload(status="aborted", video_id=record.video_id))
