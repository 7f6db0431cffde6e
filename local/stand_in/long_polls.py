"""SQS's long polling: a disconnected client receives no message.

moto waits without checking the connection, and sends the next message to a client that was killed meanwhile.
"""

import io
import json
import select
import socket
import time
from collections.abc import Callable
from typing import Any, cast
from wsgiref.types import WSGIEnvironment

from moto.sqs.exceptions import QueueDoesNotExist
from moto.sqs.models import sqs_backends

from local.stand_in.http_server import CONNECTION
from local.stand_in.names import ACCOUNT_ID, REGION

ACTION = "ReceiveMessage"
MAX_WAIT_SECONDS = 20
"""Amazon SQS API Reference, "ReceiveMessage"."""

LOOK_SECONDS = 0.5
"""Interval of checks for the client and for messages whose visibility timeout has ended."""

Answer = Callable[[], list[bytes]]


def receive(environ: WSGIEnvironment, answer: Answer) -> tuple[list[bytes], bool]:
    """Wait for a message or the timeout; return the response, and whether it contains a message.

    answer: returns moto's response to `environ`; may be called several times. Raises ConnectionAbortedError if the
    client has disconnected.
    """
    body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
    request: dict[str, Any] = json.loads(body or b"{}")
    deadline = time.monotonic() + min(request.pop("WaitTimeSeconds", None) or 0, MAX_WAIT_SECONDS)
    at_once = json.dumps({**request, "WaitTimeSeconds": 0}).encode()
    while True:
        left_seconds = max(0.0, deadline - time.monotonic())
        is_worth_asking = _wait_for_message(str(request.get("QueueUrl", "")), min(left_seconds, LOOK_SECONDS))
        if _is_gone(environ):
            raise ConnectionAbortedError
        if not is_worth_asking and left_seconds:
            continue
        environ["wsgi.input"] = io.BytesIO(at_once)
        environ["CONTENT_LENGTH"] = str(len(at_once))
        pieces = answer()
        took = b'"Messages"' in b"".join(pieces)
        if took or not left_seconds or _is_refusal(pieces):
            return pieces, took


def _wait_for_message(queue_url: str, seconds: float) -> bool:
    """Check for a visible message. True for a missing queue as well, which moto reports itself."""
    try:
        queue = sqs_backends[ACCOUNT_ID][REGION].get_queue(queue_url.rpartition("/")[2])
    except QueueDoesNotExist:
        return True
    queue.wait_for_messages(cast("int", seconds))
    return bool(queue.messages)


def _is_refusal(pieces: list[bytes]) -> bool:
    return b'"__type"' in b"".join(pieces)


def _is_gone(environ: WSGIEnvironment) -> bool:
    """Check for the end of the client's data, which a closed connection and a killed process both cause."""
    connection: socket.socket | None = environ.get(CONNECTION)
    if connection is None:
        return False
    poll = select.poll()
    poll.register(connection, select.POLLIN)
    return bool(poll.poll(0)) and connection.recv(1, socket.MSG_PEEK) == b""
