"""One process as Lambda starts it: `cold_start.py bare|https|boto3|authorizer|init|complete|library`.

Ours load the app, refuse one call and make the services that a good call would need, with their clients. The bare app
answers one call; the others import the standard library's HTTPS client, or make a client of S3, before.
"""

from __future__ import annotations

import importlib
import sys
from typing import Any

SERVICES = {"init": "uploads", "complete": "completions", "library": "library"}
PATHS = {"init": "/multipart/init", "complete": "/multipart/complete", "library": "/videos"}


class Context:
    aws_request_id = "bench"


def event(path: str, method: str = "GET") -> dict[str, Any]:
    """A request whose token is of a foreign client."""
    return {
        "requestContext": {
            "httpMethod": method,
            "resourcePath": path,
            "requestId": "bench",
            "authorizer": {"claims": {"sub": "bench", "client_id": "another"}},
        },
        "headers": {"Content-Type": "application/json"},
        "multiValueHeaders": {"Content-Type": ["application/json"]},
        "pathParameters": {},
        "multiValueQueryStringParameters": None,
        "stageVariables": None,
        "isBase64Encoded": False,
        "body": "{}",
    }


def start_bare(work: str) -> None:
    # The imports are what is measured.
    from chalice import Chalice  # noqa: PLC0415

    app = Chalice(app_name="bare")

    @app.route("/")
    def index() -> dict[str, str]:
        return {}

    if work == "https":
        importlib.import_module("http.client")
    elif work == "boto3":
        import boto3  # noqa: PLC0415

        boto3.client("s3")
    assert app(event("/"), Context())["statusCode"] == 200


def start_authorizer() -> None:
    from chalicelib.routes.upload_tokens import upload_token_authorizer  # noqa: PLC0415

    refused = ""
    try:
        upload_token_authorizer(
            {"type": "TOKEN", "authorizationToken": "Bearer a.b", "methodArn": "a:b:c:d:e:f/g"}, Context()
        )
    except Exception as error:  # the gateway reads its text
        refused = str(error)
    assert refused == "Unauthorized"


def start(work: str) -> None:
    import app as handlers  # noqa: PLC0415
    from chalicelib.wiring import services  # noqa: PLC0415

    method = "GET" if work == "library" else "POST"
    answer = handlers.app(event(PATHS[work], method), Context())
    assert answer["statusCode"] in {401, 403}, answer
    getattr(services(), SERVICES[work])


def main() -> None:
    work = sys.argv[1]
    if work in {"bare", "https", "boto3"}:
        start_bare(work)
    elif work == "authorizer":
        start_authorizer()
    else:
        start(work)


if __name__ == "__main__":
    main()
