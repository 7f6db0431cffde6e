"""API Gateway as the Chalice CLI plays it, made as strict as the real one.

Chalice's own local gateway lets every Cognito route through without a look at the token. Used by `chalice local` and
by the local platform; never loaded in Lambda.
"""

import json
import logging
import socket
import sys
import uuid
from functools import lru_cache
from http import HTTPStatus
from typing import Any
from urllib.parse import urlsplit

import chalice.local
import jwt
from chalice.app import Chalice, CognitoUserPoolAuthorizer
from chalice.config import Config

from chalicelib.core.errors import (
    ForbiddenError,
    InternalError,
    MethodNotAllowedError,
    PlatformError,
    RequestTooLargeError,
    RouteNotFoundError,
    UnauthorizedError,
)
from chalicelib.environment import LocalSignIn
from chalicelib.http_errors import error_body, status_of
from chalicelib.local_http import Refusal, StrictRequestHandler
from chalicelib.routes.api_blueprint import cors
from chalicelib.routes.upload_tokens import GatewayUnauthorizedError

log = logging.getLogger(__name__)

Event = dict[str, Any]

# API Gateway quotas, "Payload size"
MAX_PAYLOAD_BYTES = 10 * 2**20

STAND_IN, SIGN_IN = "The stand-in for AWS", "The sign-in"
REACH_SECONDS = 3.0
START_IT = ".venv/bin/python -m local --aws-only"


class NotReachableError(Exception):
    """A service that a call needs does not answer. name: the sign-in or the stand-in."""

    def __init__(self, name: str, url: str) -> None:
        self.name, self.url = name, url
        super().__init__(f"{name} does not answer at {url}. If it is on this machine, start it: {START_IT}")


def require_reachable(name: str, url: str) -> None:
    """Raises NotReachableError. The SDK would try for many seconds."""
    address = urlsplit(url)
    port = address.port or (443 if address.scheme == "https" else 80)
    try:
        socket.create_connection((address.hostname or "", port), REACH_SECONDS).close()
    except OSError as error:
        raise NotReachableError(name, url) from error


class _GatewayError(chalice.local.LocalGatewayException):
    def __init__(self, error: PlatformError, request_id: str, **more_headers: str) -> None:
        headers = {"Content-Type": "application/json", "x-amzn-RequestId": request_id, **more_headers}
        headers |= cors().get_access_control_headers()
        super().__init__(headers, json.dumps(error_body(error, request_id)).encode())
        self.CODE = status_of(error)


class _NotReachableResponse(chalice.local.LocalGatewayException):
    CODE = HTTPStatus.SERVICE_UNAVAILABLE

    def __init__(self, error: NotReachableError, request_id: str) -> None:
        refusal = Refusal(HTTPStatus.SERVICE_UNAVAILABLE, "not_reachable", str(error))
        headers, body = refusal_headers_and_body(refusal, request_id)
        super().__init__({**headers, "Retry-After": "2"}, body)


class VerifyingAuthorizer(chalice.local.LocalGatewayAuthorizer):
    """Verifies access tokens against the issuer's published keys, as Cognito's authorizer does.

    stand_in_url: asked for before each call that needs it; empty where nobody does.
    """

    sign_in: LocalSignIn
    stand_in_url = ""

    def authorize(
        self, raw_path: str, lambda_event: Event, lambda_context: chalice.local.LambdaContext
    ) -> tuple[Event, chalice.local.LambdaContext]:
        route = self._route_for_event(lambda_event)
        if route and route.authorizer and self.stand_in_url:
            require_reachable(STAND_IN, self.stand_in_url)
        if route is None or not isinstance(route.authorizer, CognitoUserPoolAuthorizer):
            return super().authorize(raw_path, lambda_event, lambda_context)
        claims = self._claims(lambda_event["headers"].get("authorization", ""))
        if set(route.authorizer.scopes).isdisjoint(str(claims.get("scope", "")).split()):
            raise ForbiddenError(reason=f"it needs the scope {' or '.join(route.authorizer.scopes)}")
        lambda_event["requestContext"]["authorizer"] = {"claims": {name: _as_text(claims[name]) for name in claims}}
        return lambda_event, lambda_context

    def _claims(self, header: str) -> dict[str, Any]:
        scheme, _, token = header.partition(" ")
        if scheme.lower() != "bearer":
            raise UnauthorizedError
        try:
            key = _published_keys(self.sign_in.jwks_url).get_signing_key_from_jwt(token.strip())
            return jwt.decode(
                token.strip(),
                key.key,
                algorithms=["RS256"],
                issuer=self.sign_in.issuer,
                options={"verify_aud": False, "require": ["exp", "iss", "sub"]},
            )
        except jwt.PyJWKClientConnectionError as error:
            raise NotReachableError(SIGN_IN, self.sign_in.issuer) from error
        except jwt.PyJWTError as error:
            raise UnauthorizedError from error


def _as_text(claim: Any) -> str:
    """A claim as API Gateway passes it on: a list as its items with commas between them."""
    return ",".join(map(str, claim)) if isinstance(claim, list) else str(claim)


@lru_cache(maxsize=4)
def _published_keys(jwks_url: str) -> jwt.PyJWKClient:
    return jwt.PyJWKClient(jwks_url, cache_keys=True, timeout=REACH_SECONDS)


class StrictGateway(chalice.local.LocalGateway):
    """Answers every error in the API's one shape, with CORS headers: what gateway responses do on AWS.

    One gateway serves one request, as one connection does in Chalice's own server.
    """

    def __init__(self, app_object: Chalice, config: Config) -> None:
        super().__init__(app_object, config)
        self._authorizer = VerifyingAuthorizer(app_object)
        self._request_id = str(uuid.uuid4())

    def handle_request(self, method: str, path: str, headers: dict[str, Any], body: bytes | None) -> dict[str, Any]:
        """Raises LocalGatewayException with the finished error answer."""
        self._request_id = str(uuid.uuid4())
        try:
            self._require_route(method, path)
            response = super().handle_request(method, path, headers, body)
        except _GatewayError:
            raise
        except PlatformError as error:
            raise _GatewayError(error, self._request_id) from error
        except NotReachableError as error:
            log.warning(str(error))
            raise _NotReachableResponse(error, self._request_id) from error
        except (GatewayUnauthorizedError, chalice.local.NotAuthorizedError) as error:
            raise _GatewayError(UnauthorizedError(), self._request_id) from error
        except chalice.local.ForbiddenError as error:
            refused = ForbiddenError(reason="its policy does not allow it")
            raise _GatewayError(refused, self._request_id) from error
        except Exception as error:
            log.exception("the gateway failed")
            raise _GatewayError(InternalError(), self._request_id) from error
        response["headers"]["x-amzn-RequestId"] = self._request_id
        return response

    def require_size(self, body_bytes: int) -> None:
        """Raises LocalGatewayException for a body that no function gets to see."""
        if body_bytes > MAX_PAYLOAD_BYTES:
            raise _GatewayError(RequestTooLargeError(max_bytes=MAX_PAYLOAD_BYTES), self._request_id)

    def _require_route(self, method: str, path: str) -> None:
        try:
            route = self.event_converter._route_matcher.match_route(path).route
        except ValueError as error:
            raise RouteNotFoundError from error
        allowed = sorted({*self._app_object.routes[route], "OPTIONS"})
        if method not in allowed:
            raise _GatewayError(MethodNotAllowedError(), self._request_id, Allow=", ".join(allowed))

    def _generate_lambda_event(
        self, method: str, path: str, headers: dict[str, Any], body: bytes | None
    ) -> dict[str, Any]:
        event = super()._generate_lambda_event(method, path, headers, body)
        event["requestContext"]["requestId"] = self._request_id
        return event

    def _generate_lambda_context(self) -> chalice.local.LambdaContext:
        context = super()._generate_lambda_context()
        context.aws_request_id = self._request_id
        return context


def refusal_headers_and_body(refusal: Refusal, request_id: str = "") -> tuple[dict[str, str], bytes]:
    """Return the answer to a request that reaches no route, in the one shape of the API's errors."""
    request_id = request_id or str(uuid.uuid4())
    error = {"code": refusal.code, "message": refusal.message, "details": {}, "requestId": request_id}
    headers = {"Content-Type": "application/json", "x-amzn-RequestId": request_id}
    headers |= cors().get_access_control_headers()
    return headers, json.dumps({"error": error}).encode()


class _StrictConnection(StrictRequestHandler, chalice.local.ChaliceRequestHandler):
    """Chalice's own server, which ends in a traceback at a Content-Length that is no number."""

    def respond(self) -> None:
        self._generic_handle()

    def refuse(self, refusal: Refusal) -> None:
        headers, body = refusal_headers_and_body(refusal)
        self._send_http_response(refusal.status, {**headers, "Connection": "close"}, body)


class StrictDevServer(chalice.local.LocalDevServer):
    """Local gateway that reports missing services at its start."""

    def __init__(self, app_object: Chalice, config: Config, host: str, port: int) -> None:
        super().__init__(app_object, config, host, port, handler_cls=_StrictConnection)
        sign_in = VerifyingAuthorizer.sign_in
        VerifyingAuthorizer.stand_in_url = sign_in.stand_in_url
        for name, url in ((STAND_IN, sign_in.stand_in_url), (SIGN_IN, sign_in.issuer)):
            try:
                if url:
                    require_reachable(name, url)
            except NotReachableError as error:
                print(f"warning: {error}", file=sys.stderr)  # noqa: T201 - the CLI prints its own lines, too


def install(sign_in: LocalSignIn) -> None:
    """`chalice local` looks its classes up by name: the gateway's at every connection, the server's when it starts."""
    VerifyingAuthorizer.sign_in = sign_in
    chalice.local.LocalGateway = StrictGateway
    chalice.local.LocalDevServer = StrictDevServer


def answering_in_threads(app: Chalice) -> Chalice:
    """The app with a current request per thread, as Chalice's own server prepares it."""
    chalice.local.CustomLocalChalice.__bases__ = (chalice.local.LocalChalice, app.__class__)
    app.__class__ = chalice.local.CustomLocalChalice
    return app
