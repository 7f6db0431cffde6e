"""Multipart init: upload links, which their makers hand out, and uploads by them."""

from chalice.app import Response

from chalicelib.contract import views
from chalicelib.contract.fields import MAX_LABELS_BYTES
from chalicelib.contract.requests import NewLinkUpload, NewUploadLink
from chalicelib.contract.responses import RevokedLink, UploadLinks
from chalicelib.core.upload_links import LinkState, UsedLink, tokens_by_id
from chalicelib.routes.api_blueprint import ApiBlueprint, respond
from chalicelib.routes.callers import link_of, may_also_write, reader_of, require_machine, writer_of
from chalicelib.routes.strict_json import strict_json
from chalicelib.routes.upload_tokens import upload_token_authorizer
from chalicelib.routes.users import may_read, may_write
from chalicelib.wiring import services

upload_links = ApiBlueprint(__name__, "multipart_init")


@upload_links.route("/links", methods=["POST"], authorizer=may_write)
def make_link() -> Response:
    request = upload_links.current_request
    owner = writer_of(request)
    new = NewUploadLink.parse(strict_json(request, MAX_LABELS_BYTES), services().environment.max_link_seconds)
    require_machine(request, new.reference, new.on_behalf_of)
    link = services().links.make(owner, new)
    token = services().tokens.issue_for_link(owner, link.link_id)
    return respond(views.upload_link(UsedLink(link, 0, 0), services().now(), token), status=201)


@upload_links.route("/links", methods=["GET"], authorizer=may_read)
def list_links() -> Response:
    request = upload_links.current_request
    owner, may_write_too, now = reader_of(request), may_also_write(request), services().now()
    listed = services().links.list_newest(owner)
    open_links = [used.link for used in listed if may_write_too and used.link.state(now) is LinkState.OPEN]
    tokens = tokens_by_id(services().tokens, open_links)
    shown = [views.upload_link(used, now, tokens.get(used.link.link_id)) for used in listed]
    return respond(UploadLinks(links=shown))


@upload_links.route("/links/{linkId}", methods=["DELETE"], authorizer=may_write)
def revoke_link(linkId: str) -> Response:  # noqa: N803 - Chalice passes the path's own name
    link = services().links.revoke(writer_of(upload_links.current_request), linkId)
    return respond(RevokedLink(status="revoked", link_id=link.link_id))


@upload_links.route("/link", methods=["GET"], authorizer=upload_token_authorizer)
def show_link() -> Response:
    return respond(views.opened_link(services().links.show(link_of(upload_links.current_request))))


@upload_links.route("/link/multipart/init", methods=["POST"], authorizer=upload_token_authorizer)
def start_link_upload() -> Response:
    request = upload_links.current_request
    link = services().links.open(link_of(request))
    environment = services().environment
    new = NewLinkUpload.parse(strict_json(request), environment.max_video_bytes, link, environment.containers)
    started = services().uploads.start(link.owner, new, upload_links.correlation_id, link)
    return respond(views.started_upload(started), status=201)
