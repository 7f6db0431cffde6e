"""Validation in front of moto: requests that violate AWS's models are refused with the service's error."""

import gzip
from dataclasses import dataclass
from io import BytesIO
from typing import Final
from urllib.parse import parse_qsl
from wsgiref.types import WSGIEnvironment

from local.stand_in.aws_models.refusals import Refusal, refusal, unknown_operation, unreadable
from local.stand_in.aws_models.requests import HttpRequest, ModelledCall, UnreadableError, modelled
from local.stand_in.requests import request_headers
from local.stand_in.responses import Response

MAX_BODY_BYTES: Final = 64 * 1024**2  # no service except S3 accepts more


@dataclass(frozen=True)
class Refused:
    """The requested operation, and the response to it."""

    operation: str
    answer: Response


def refused(environ: WSGIEnvironment) -> Refused | None:
    """The refusal of a request to any service but S3; None for a valid request, whose body can be read again."""
    length = int(environ.get("CONTENT_LENGTH") or 0)
    if length > MAX_BODY_BYTES:
        return None
    body = environ["wsgi.input"].read(length)
    environ["wsgi.input"] = BytesIO(body)
    request = _http_request(environ, body)
    call = modelled(request)
    if call is None:
        return None
    found = _refusal(call, request)
    if found is None:
        return None
    # Pages may call these services from anywhere, and read their errors.
    headers = {**found.headers, "Access-Control-Allow-Origin": "*"}
    return Refused(call.name, Response(status=found.status, headers=headers, body=found.body))


def _refusal(call: ModelledCall, request: HttpRequest) -> Refusal | None:
    if call.operation is None:
        return unknown_operation(call)
    try:
        violations = call.violations(request)
    except UnreadableError:
        return unreadable(call)
    return refusal(call, violations) if violations else None


def _http_request(environ: WSGIEnvironment, body: bytes) -> HttpRequest:
    headers = request_headers(environ)
    if headers.get("content-encoding") == "gzip":
        body = gzip.decompress(body)
    path, _, query = str(environ["REQUEST_URI"]).partition("?")
    return HttpRequest(
        method=str(environ["REQUEST_METHOD"]),
        path=path,
        query=dict(parse_qsl(query, keep_blank_values=True)),
        headers=headers,
        body=body,
    )
