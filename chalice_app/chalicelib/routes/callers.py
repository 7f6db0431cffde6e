"""Callers of a request, as identified by the gateway's authorizers."""

from typing import Any

from chalice.app import Request

from chalicelib.core.errors import ForbiddenError, UnauthorizedError
from chalicelib.core.log_context import about_upload
from chalicelib.core.upload_token import LinkToken, UploadToken
from chalicelib.core.video_id import is_owner, is_video_id
from chalicelib.wiring import services

READ_SCOPE = "video-upload/read"
WRITE_SCOPE = "video-upload/write"


def reader_of(request: Request) -> str:
    """Return the `sub` of a user who may read; writers may read, too. Raises UnauthorizedError, ForbiddenError."""
    return _user_of(request, frozenset({READ_SCOPE, WRITE_SCOPE}))


def writer_of(request: Request) -> str:
    """Return the `sub` of a user who may upload and delete. Raises UnauthorizedError, ForbiddenError."""
    return _user_of(request, frozenset({WRITE_SCOPE}))


def may_also_write(request: Request) -> bool:
    """Return whether a reader holds the write scope, too."""
    return WRITE_SCOPE in _scopes(_claims(request))


def viewing_administrator_of(request: Request) -> str:
    """Return the `sub` of an administrator who may read. Raises UnauthorizedError, ForbiddenError."""
    return _administrator(request, reader_of(request))


def deleting_administrator_of(request: Request) -> str:
    """Return the `sub` of an administrator who may delete. Raises UnauthorizedError, ForbiddenError."""
    return _administrator(request, writer_of(request))


def _administrator(request: Request, user: str) -> str:
    group = services().environment.administrators_group
    # API Gateway writes the claim's list as one text.
    if not group or group not in str(_claims(request).get("cognito:groups", "")).split(","):
        raise ForbiddenError(reason="it needs the group of administrators")
    return user


def _user_of(request: Request, allowed_scopes: frozenset[str]) -> str:
    """The gateway has verified signature, expiry and scopes; claims are checked again here, because an ID token of the
    same pool passes a gateway that was set up a little wrong."""
    claims = _claims(request)
    owner = str(claims.get("sub", ""))
    if not is_owner(owner):
        raise UnauthorizedError
    if claims.get("token_use") != "access" or claims.get("client_id") not in services().environment.client_ids:
        raise ForbiddenError(reason="it is not an access token of this platform's clients")
    if allowed_scopes.isdisjoint(_scopes(claims)):
        raise ForbiddenError(reason=f"it needs the scope {' or '.join(sorted(allowed_scopes))}")
    about_upload(owner=owner)
    return owner


def require_machine(request: Request, *names: str | None) -> None:
    """Require a machine client of a request that carries names that only those give. Raises ForbiddenError."""
    claims = _claims(request)
    # Cognito Developer Guide, "Understanding the access token": with client credentials `sub` is the client's id.
    if any(names) and claims.get("sub") != claims.get("client_id"):
        raise ForbiddenError(reason="only a machine client gives a reference or uploads on behalf of somebody")


def _claims(request: Request) -> dict[str, Any]:
    return (request.context.get("authorizer") or {}).get("claims") or {}


def _scopes(claims: dict[str, Any]) -> list[str]:
    return str(claims.get("scope", "")).split()


def upload_of(request: Request) -> UploadToken:
    """The upload that the Lambda authorizer has verified. Raises UnauthorizedError."""
    context: dict[str, Any] = request.context.get("authorizer") or {}
    try:
        token = UploadToken(
            kid=context["kid"],
            owner=context["owner"],
            video_id=context["videoId"],
            file_key=context["fileKey"],
            upload_id=context["uploadId"],
            expiry=int(context["expiry"]),
        )
    except (KeyError, ValueError) as error:
        raise UnauthorizedError from error
    about_upload(owner=token.owner, video_id=token.video_id, upload_id=token.upload_id)
    return token


def link_of(request: Request) -> LinkToken:
    """The upload link whose token the Lambda authorizer has verified. Raises UnauthorizedError."""
    context: dict[str, Any] = request.context.get("authorizer") or {}
    match context:
        case {"kid": str(kid), "owner": str(owner), "linkId": str(link_id)} if is_owner(owner) and is_video_id(link_id):
            return LinkToken(kid, owner, link_id)
        case _:
            raise UnauthorizedError
