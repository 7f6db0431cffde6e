"""Requests as botocore writes them, without its checks and without sending them."""

import functools
from typing import Any, cast
from urllib.parse import parse_qsl, urlsplit

import boto3
from botocore.awsrequest import AWSPreparedRequest
from botocore.config import Config

from local.stand_in.aws_models.requests import HttpRequest


class _WrittenError(Exception):
    def __init__(self, request: AWSPreparedRequest) -> None:
        self.request = request
        super().__init__("kept instead of sent")


@functools.cache
def _client(service: str) -> Any:
    client: Any = boto3.Session(
        aws_access_key_id="local", aws_secret_access_key="secret", region_name="eu-central-1"
    ).client(cast("Any", service), config=Config(parameter_validation=False, s3={"addressing_style": "path"}))

    def keep(request: AWSPreparedRequest, **_: object) -> None:
        raise _WrittenError(request)

    client.meta.events.register("before-send", keep)
    return client


def written(service: str, operation: str, **parameters: Any) -> HttpRequest:
    """The request that a client without any checks of its own sends for these parameters."""
    try:
        getattr(_client(service), operation)(**parameters)
    except _WrittenError as kept:
        return _plain(kept.request)
    raise AssertionError("nothing was sent")


def _plain(request: AWSPreparedRequest) -> HttpRequest:
    target = urlsplit(request.url)
    headers = {name.lower(): _text(text) for name, text in request.headers.items()}
    body: Any = request.body or b""
    return HttpRequest(
        method=request.method,
        path=target.path or "/",
        query=dict(parse_qsl(target.query, keep_blank_values=True)),
        headers=headers,
        body=body if isinstance(body, bytes) else body.encode() if isinstance(body, str) else body.read(),
    )


def _text(value: str | bytes) -> str:
    return value if isinstance(value, str) else value.decode()
