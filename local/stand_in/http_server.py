"""waitress, with three habits of S3 it lacks: names in lower case, connections that outlive a 204, empty bodies."""

import re
from typing import Any, cast
from wsgiref.types import WSGIApplication

from waitress.channel import HTTPChannel
from waitress.server import create_server
from waitress.task import WSGITask

HOST = "127.0.0.1"
BACKLOG_CONNECTIONS = 4096
MAX_CONNECTIONS = 8192
IDLE_SECONDS = 600
WORKER_THREADS = 64  # long polls and delayed answers each hold one
BODY_IN_MEMORY_BYTES = 64 * 1024  # a larger one waits in a temporary file until it is complete
RECEIVE_BYTES = 256 * 1024
MAX_REQUEST_BYTES = 6 * 1024**3  # beyond S3's own limit, so that S3's error answers, not the server's

_AMZ_HEADER = re.compile(rb"\r\nX-Amz-[^:\r\n]*:")


class _S3Task(WSGITask):
    def build_response_header(self) -> bytes:
        # The names of user metadata are data: clients read them from the header's name.
        header = super().build_response_header()
        return _AMZ_HEADER.sub(lambda name: name.group().lower(), header)

    def set_close_on_finish(self) -> None:
        # waitress closes after any answer without a length, though a 204 and a 304 end with their headers.
        wants_close = cast("Any", self.request).headers.get("CONNECTION", "").lower() == "close"
        if self.has_body or wants_close or self.version != "1.1":
            super().set_close_on_finish()


class _S3Channel(HTTPChannel):
    task_class = _S3Task

    def send_continue(self) -> None:
        # waitress would wait for a body that is there already, or that is none: boto3 sends Expect with empty bodies.
        request = cast("Any", self.request)
        if request.completed:
            request.expect_continue = False
        else:
            super().send_continue()


def listen(application: WSGIApplication, port: int) -> Any:
    """A waitress server that listens on loopback and does not serve yet; port 0 takes a free one."""
    server = cast(
        "Any",
        create_server(
            application,
            host=HOST,
            port=port,
            threads=WORKER_THREADS,
            backlog=BACKLOG_CONNECTIONS,
            connection_limit=MAX_CONNECTIONS,
            channel_timeout=IDLE_SECONDS,
            inbuf_overflow=BODY_IN_MEMORY_BYTES,
            recv_bytes=RECEIVE_BYTES,
            max_request_body_size=MAX_REQUEST_BYTES,
            ident="AmazonS3",
            clear_untrusted_proxy_headers=False,
        ),
    )
    server.channel_class = _S3Channel
    return server
