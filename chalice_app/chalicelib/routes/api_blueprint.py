"""A blueprint whose views may raise domain errors and are served by one function only."""

import functools
import json
import logging
from collections.abc import Callable
from typing import Any

from chalice.app import Blueprint, CORSConfig, Response

from chalicelib.core.errors import InternalError, PlatformError, RouteNotFoundError, StorageUnavailableError
from chalicelib.core.ports import StorageBusyError
from chalicelib.environment import ALL_FUNCTIONS, ImportTimeSettings
from chalicelib.http_errors import error_response
from chalicelib.wiring import services

log = logging.getLogger(__name__)

CORS_HEADERS = ("Authorization", "Content-Type")
CORS_EXPOSED_HEADERS = ("Retry-After", "x-amzn-RequestId")
CORS_MAX_AGE_SECONDS = 600

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
        # Whatever a client calls its body, strict_json decides; Chalice's own refusal has another shape.
        register = super().route(path, cors=cors(), content_types=["*/*"], **options)

        def decorate(view: View) -> View:
            return register(self._answering_errors(view))

        return decorate

    @property
    def request_id(self) -> str:
        context: Any = self.lambda_context
        return str(self.current_request.context.get("requestId") or context.aws_request_id)

    def _answering_errors(self, view: View) -> View:
        @functools.wraps(view)
        def answer(*args: Any, **captured: Any) -> Response:
            try:
                if services().environment.function not in self.functions:
                    raise RouteNotFoundError
                return view(*args, **captured)
            except PlatformError as error:
                return error_response(error, self.request_id)
            except StorageBusyError:
                return error_response(StorageUnavailableError(retry_after_seconds=2), self.request_id)
            except Exception:
                log.exception("unhandled error in %s", view.__name__)
                return error_response(InternalError(), self.request_id)

        return answer


def answered(body: dict[str, Any], status: int = 200, **headers: str) -> Response:
    """headers: names with `_` for `-`."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Response(
        json.dumps(body), {"Content-Type": "application/json", "Cache-Control": "no-store", **named}, status
    )
