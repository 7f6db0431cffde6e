"""A function in a process of its own, set up as Lambda sets it up."""

import json
import os
import subprocess
import sys
from typing import Any

from local.api_environment import CHALICE_APP
from tests.matrix.rules import RULES_BY_FUNCTION

PRELUDE = """
import app as handlers
from chalicelib.routes.upload_tokens import upload_token_authorizer
class Context:
    aws_request_id = "lambda-request"
def call(path="/health", method="GET", headers={}, request_id="gateway-request"):
    context = {"httpMethod": method, "resourcePath": path, "requestId": request_id}
    handlers.app({"requestContext": context, "headers": headers, "pathParameters": {}, "body": None,
         "multiValueQueryStringParameters": None, "stageVariables": None, "isBase64Encoded": False}, Context())
def authorize(token="Bearer a.b"):
    event = {"type": "TOKEN", "authorizationToken": token, "methodArn": "arn:aws:execute-api:a:b:c/d/e"}
    try:
        upload_token_authorizer(event, Context())
    except Exception as error:
        assert str(error) == "Unauthorized", error
def run(handler, event):
    try:
        handler(event, Context())
    except Exception:
        pass  # nothing listens where S3 should be
no_messages = {"Records": []}
no_events = {"Records": [{"s3": {"bucket": {"name": "b"}, "object": {"key": "odd"}}}]}
verdict = {"version": "0", "account": "", "region": "", "detail-type": "", "source": "", "time": "", "id": "",
           "resources": [], "detail": {"s3ObjectDetails": {"objectKey": "videos/a/b", "versionId": "v"}}}
sweep = {"version": "0", "account": "", "region": "", "detail": {}, "detail-type": "", "source": "", "time": "",
         "id": "", "resources": []}
"""

CALLS = {
    **dict.fromkeys(RULES_BY_FUNCTION, "call()"),
    "upload_token_authorizer": "authorize()",
    "video_processing": "run(handlers.video_processing, no_events)",
    "janitor": "run(handlers.janitor, sweep)",
    "scan_verdict": "run(handlers.scan_verdict, verdict)",
    "notification_delivery": "run(handlers.notification_delivery, no_messages)",
    "message_sender": "run(handlers.message_sender, no_events)",
}
ON_LAMBDA = {"AWS_LAMBDA_FUNCTION_NAME": "f", "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand"}


def local_variables() -> dict[str, str]:
    config: dict[str, Any] = json.loads((CHALICE_APP / ".chalice" / "config.json").read_text())
    return config["stages"]["local"]["environment_variables"]


def run_in_function(function: str, script: str) -> Any:
    """Run a script in the function's environment and return the JSON that it prints."""
    finished = _run(function, script, {})
    assert finished.returncode == 0, finished.stderr
    return json.loads(finished.stdout.splitlines()[-1])


def lines_of(function: str, calls: str, **variables: str) -> list[dict[str, Any]]:
    """Return the lines that a function's process prints; anything but JSON fails."""
    nowhere = {"AWS_ENDPOINT_URL": "http://127.0.0.1:9", "AWS_MAX_ATTEMPTS": "1"}
    finished = _run(function, f"{PRELUDE}\n{calls}", nowhere | variables)
    assert (finished.returncode, finished.stderr) == (0, "")
    return [json.loads(line) for line in finished.stdout.splitlines()]


def _run(function: str, script: str, variables: dict[str, str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-W", "ignore", "-c", script],
        env={**local_variables(), "PATH": os.environ["PATH"], "FUNCTION": function, **variables},
        cwd=CHALICE_APP,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
