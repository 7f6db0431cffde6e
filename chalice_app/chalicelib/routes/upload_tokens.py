"""The Lambda authorizer: whose upload token opens the routes of one upload."""

from chalice.app import AuthRequest, AuthResponse, AuthRoute, Blueprint

from chalicelib.core.errors import UnauthorizedError
from chalicelib.wiring import services

TOKEN_ROUTES = {
    "/multipart/parts": ["GET", "POST"],
    "/multipart/complete": ["POST"],
    "/multipart/abort": ["POST"],
}
"""All of them in every answer: API Gateway caches it by token and would refuse the next route from the cache."""

TTL_SECONDS = 300

upload_tokens = Blueprint(__name__)


class GatewayUnauthorizedError(Exception):
    """API Gateway makes a 401 of an authorizer's error if its text is exactly this."""

    def __init__(self) -> None:
        super().__init__("Unauthorized")


@upload_tokens.authorizer(ttl_seconds=TTL_SECONDS)
def upload_token_authorizer(request: AuthRequest) -> AuthResponse:
    """Raises GatewayUnauthorizedError."""
    scheme, _, text = request.token.partition(" ")
    if scheme.lower() != "bearer":
        raise GatewayUnauthorizedError
    try:
        token = services().tokens.verify(text.strip())
    except UnauthorizedError as error:
        raise GatewayUnauthorizedError from error
    context = {
        "kid": token.kid,
        "owner": token.owner,
        "videoId": token.video_id,
        "fileKey": token.file_key,
        "uploadId": token.upload_id,
        "expiry": str(token.expiry),
    }
    routes = [AuthRoute(path, methods) for path, methods in TOKEN_ROUTES.items()]
    return AuthResponse(routes=[*routes], principal_id=token.owner, context=context)
