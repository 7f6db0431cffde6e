"""A blueprint whose views may raise domain errors and are served by one function only."""

import functools
import logging
import re
import time
from collections.abc import Callable
from typing import Any

import msgspec
from chalice.app import Blueprint, CORSConfig, Response

from chalicelib.contract.responses import ResponseBody
from chalicelib.core.errors import (
    InternalError,
    PlatformError,
    RouteNotFoundError,
    StorageForbiddenError,
    StorageUnavailableError,
)
from chalicelib.core.log_context import CORRELATION_ID
from chalicelib.core.ports import StorageBusyError
from chalicelib.environment import ALL_FUNCTIONS, ImportTimeSettings
from chalicelib.http_errors import error_response, status_of
from chalicelib.invocations import invocation
from chalicelib.routes.denied_calls import denied
from chalicelib.wiring import services

log = logging.getLogger(__name__)

CORRELATION_HEADER = "X-Correlation-Id"
"""Header with the client's id for the upload that a request belongs to."""

EDGE_REQUEST_HEADER = "X-Amz-Cf-Id"
"""Header in every request of CloudFront to an origin; CloudFront API reference, OriginRequestPolicy."""
EDGE_REQUEST_ID = re.compile(r"[A-Za-z0-9_=-]{20,100}")

CORS_HEADERS = ("Authorization", "Content-Type", CORRELATION_HEADER)
CORS_EXPOSED_HEADERS = ("Retry-After", "x-amzn-RequestId")
CORS_MAX_AGE_SECONDS = 600

RETRY_AFTER_SECONDS = 2
"""Delay for clients when a service of AWS does not answer."""

View = Callable[..., Response]


def cors() -> CORSConfig:
    return CORSConfig(
        allow_origin=ImportTimeSettings.read().cors_origin,
        allow_headers=list(CORS_HEADERS),
        expose_headers=list(CORS_EXPOSED_HEADERS),
        max_age=CORS_MAX_AGE_SECONDS,
    )


class ApiBlueprint(Blueprint):
    """functions: the Lambda functions that serve these routes; any other one that holds the code refuses them."""

    def __init__(self, import_name: str, *functions: str) -> None:
        super().__init__(import_name)
        self.functions = frozenset({*functions, ALL_FUNCTIONS})

    def route(self, path: str, **options: Any) -> Callable[[View], View]:
        # strict_json decides, not the declared type of the body; Chalice's own refusal has another format.
        register = super().route(path, cors=cors(), content_types=["*/*"], **options)

        def decorate(view: View) -> View:
            return register(self._answering_errors(view))

        return decorate

    @property
    def request_id(self) -> str:
        context: Any = self.lambda_context
        return str(self.current_request.context.get("requestId") or context.aws_request_id)

    @property
    def correlation_id(self) -> str:
        """The client's; the request id where it gave none, or none that a log may hold."""
        given = str(self.current_request.headers.get(CORRELATION_HEADER, ""))
        return given if CORRELATION_ID.fullmatch(given) else self.request_id

    @property
    def edge_request_id(self) -> str | None:
        """CloudFront's name for this call; None for a call that did not come through it."""
        given = str(self.current_request.headers.get(EDGE_REQUEST_HEADER, ""))
        return given if EDGE_REQUEST_ID.fullmatch(given) else None

    def _answering_errors(self, view: View) -> View:
        @functools.wraps(view)
        def answer(*args: Any, **captured: Any) -> Response:
            started_at = time.perf_counter()
            with invocation(
                self.lambda_context,
                request_id=self.request_id,
                correlation_id=self.correlation_id,
                edge_request_id=self.edge_request_id,
            ):
                try:
                    if services().environment.function not in self.functions:
                        raise RouteNotFoundError
                    return view(*args, **captured)
                except PlatformError as error:
                    refusal = error
                except Exception as error:
                    refusal = _refusal(error, view.__name__)
                self._log_refusal(refusal, time.perf_counter() - started_at)
                return error_response(refusal, self.request_id)

        return answer

    def _log_refusal(self, refusal: PlatformError, seconds: float) -> None:
        """Log the code alone: messages and details may repeat the client's input."""
        status = status_of(refusal)
        request = self.current_request
        log.log(
            logging.WARNING if status >= 500 else logging.INFO,
            "request refused",
            extra={
                "route": f"{request.method} {request.context.get('resourcePath')}",
                "status": status,
                "code": refusal.code,
                "durationMilliseconds": round(seconds * 1000, 1),
            },
        )


def _refusal(error: Exception, view_name: str) -> PlatformError:
    """The answer to an error that is not the domain's."""
    from chalicelib.adapters.client_errors import is_unavailable  # noqa: PLC0415 - loads botocore

    if isinstance(error, StorageBusyError) or is_unavailable(error):
        log.warning("AWS does not answer: %s", type(error).__name__)
        return StorageUnavailableError(retry_after_seconds=RETRY_AFTER_SECONDS)
    if denied(error):
        return StorageForbiddenError()
    log.exception("unhandled error in %s", view_name)
    return InternalError()


def respond(body: ResponseBody, status: int = 200, **headers: str) -> Response:
    """headers: names with `_` for `-`."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    headers_of_all = {"Content-Type": "application/json", "Cache-Control": "no-store"}
    return Response(msgspec.json.encode(body).decode(), {**headers_of_all, **named}, status)
