"""Retryable errors of boto3: those after which the same call may succeed later."""

from typing import Any

import pytest
from botocore import exceptions

from chalicelib.adapters.client_errors import is_unavailable

URL = {"endpoint_url": "https://s3.test"}


def answered(code: str, status: int) -> exceptions.ClientError:
    answer: Any = {"Error": {"Code": code, "Message": ""}, "ResponseMetadata": {"HTTPStatusCode": status}}
    return exceptions.ClientError(answer, "GetObject")


@pytest.mark.parametrize(
    "error",
    [
        exceptions.EndpointConnectionError(**URL),
        exceptions.ConnectTimeoutError(**URL),
        exceptions.ReadTimeoutError(**URL),
        exceptions.ConnectionClosedError(**URL),
        exceptions.ProxyConnectionError(proxy_url="http://proxy.test"),
        exceptions.SSLError(**URL, error=OSError("handshake")),
        exceptions.ResponseStreamingError(error="reset"),
        exceptions.IncompleteReadError(actual_bytes=1, expected_bytes=2),
        answered("SlowDown", 503),
        answered("Throttling", 400),
        answered("InternalError", 500),
        answered("504", 504),
    ],
    ids=lambda error: type(error).__name__,
)
def test_a_service_that_is_busy_or_out_of_reach_is_unavailable(error: Exception) -> None:
    assert is_unavailable(error)


@pytest.mark.parametrize(
    "error",
    [
        answered("AccessDenied", 403),
        answered("NoSuchKey", 404),
        answered("InvalidArgument", 499),
        exceptions.ParamValidationError(report="a defect"),
        exceptions.NoCredentialsError(),
        ValueError("a defect"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_a_refusal_or_a_defect_is_not(error: Exception) -> None:
    assert not is_unavailable(error)
