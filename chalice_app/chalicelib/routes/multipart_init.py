"""Multipart init: start an upload in parts, sign its parts, find the way back to it."""

from chalice.app import Response

from chalicelib.contract import views
from chalicelib.contract.requests import NewUpload, PartsToSign
from chalicelib.contract.responses import SignedParts
from chalicelib.core.video_record import api_time
from chalicelib.routes.api_blueprint import ApiBlueprint, respond
from chalicelib.routes.callers import may_also_write, reader_of, require_machine, upload_of, writer_of
from chalicelib.routes.strict_json import strict_json
from chalicelib.routes.upload_tokens import upload_token_authorizer
from chalicelib.routes.users import may_read, may_write
from chalicelib.wiring import services

multipart_init = ApiBlueprint(__name__, "multipart_init")


@multipart_init.route("/multipart/init", methods=["POST"], authorizer=may_write)
def start_upload() -> Response:
    owner = writer_of(multipart_init.current_request)
    environment = services().environment
    body = strict_json(multipart_init.current_request)
    request = NewUpload.parse(body, environment.max_video_bytes, environment.containers)
    require_machine(multipart_init.current_request, *request.origin)
    started = services().uploads.start(owner, request, multipart_init.correlation_id)
    return respond(views.started_upload(started), status=201)


@multipart_init.route("/multipart/parts", methods=["POST"], authorizer=upload_token_authorizer)
def sign_parts() -> Response:
    token = upload_of(multipart_init.current_request)
    body = strict_json(multipart_init.current_request)
    record = services().uploads.find_open(token)
    checksums_by_part = PartsToSign.parse(body, record.plan.part_count)
    parts, urls_expire_at = services().uploads.sign_parts(token, record, checksums_by_part)
    return respond(SignedParts(presigned_urls=views.presigned_parts(parts), urls_expire_at=api_time(urls_expire_at)))


@multipart_init.route("/multipart/parts", methods=["GET"], authorizer=upload_token_authorizer)
def list_parts() -> Response:
    token = upload_of(multipart_init.current_request)
    record, parts = services().uploads.stored_parts(token)
    return respond(views.stored_upload(token, record, parts))


@multipart_init.route("/uploads", methods=["GET"], authorizer=may_read)
def list_uploads() -> Response:
    request = multipart_init.current_request
    owner = reader_of(request)
    uploads = services().uploads.open_uploads(owner, with_tokens=may_also_write(request))
    return respond(views.open_uploads(uploads))
