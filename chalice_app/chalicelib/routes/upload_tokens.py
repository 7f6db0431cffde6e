"""The Lambda authorizer: an upload token admits its bearer to the routes of one upload, a link's token to its two."""

import logging
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from chalice.app import AuthRequest, AuthResponse, AuthRoute, Blueprint, ChaliceAuthorizer

from chalicelib.core.errors import StorageForbiddenError, UnauthorizedError
from chalicelib.core.json_values import camel_case
from chalicelib.core.upload_token import LinkToken
from chalicelib.invocations import invocation
from chalicelib.routes.denied_calls import denied
from chalicelib.wiring import services

log = logging.getLogger(__name__)

TOKEN_ROUTES = {
    "/multipart/parts": ["GET", "POST"],
    "/multipart/complete": ["POST"],
    "/multipart/abort": ["POST"],
}
"""All of them in every answer: API Gateway caches it by token and would refuse the next route from the cache."""

LINK_ROUTES = {
    "/link": ["GET"],
    "/link/multipart/init": ["POST"],
}
"""Routes of an upload link's token. Whether the link is still open, the routes read in its record each time."""

TTL_SECONDS = 300


class _InvokedAuthorizer(ChaliceAuthorizer):
    """Chalice's own does not show its function the context, which knows the request id."""

    def __call__(self, event: dict[str, Any], context: Any) -> dict[str, Any]:
        with invocation(context):
            return super().__call__(event, context)


class _Authorizers(Blueprint):
    """A blueprint of authorizers alone."""

    def _wrap_handler(self, handler_type: str, handler_name: str, user_handler: Callable[..., Any]) -> Any:
        return _InvokedAuthorizer(handler_name, user_handler)


upload_tokens = _Authorizers(__name__)


class GatewayUnauthorizedError(Exception):
    """API Gateway makes a 401 of an authorizer's error if its text is exactly this."""

    def __init__(self) -> None:
        super().__init__("Unauthorized")


@upload_tokens.authorizer(ttl_seconds=TTL_SECONDS)
def upload_token_authorizer(request: AuthRequest) -> AuthResponse:
    """Raises GatewayUnauthorizedError, StorageForbiddenError."""
    scheme, _, text = request.token.partition(" ")
    if scheme.lower() != "bearer":
        raise GatewayUnauthorizedError
    try:
        token = services().tokens.verify_any(text.strip())
    except UnauthorizedError as error:
        log.info("upload token refused")
        raise GatewayUnauthorizedError from error
    except Exception as error:
        if denied(error):
            raise StorageForbiddenError from error
        log.exception("upload token cannot be checked")
        raise
    context = {camel_case(name): str(value) for name, value in asdict(token).items()}
    opened = LINK_ROUTES if isinstance(token, LinkToken) else TOKEN_ROUTES
    routes = [AuthRoute(path, methods) for path, methods in opened.items()]
    return AuthResponse(routes=[*routes], principal_id=token.owner, context=context)
