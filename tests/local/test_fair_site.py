"""The site lets no caller take the calls of the others."""

import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace
from typing import Any, cast
from wsgiref.types import WSGIEnvironment

import pytest

from local.site import CALLS_AT_ONCE, CALLS_AT_ONCE_OF_ONE_CALLER, Site


class SlowGateway:
    """Answers when it is told to."""

    running: list[str]
    release: threading.Event

    def __init__(self, *_: Any) -> None:
        pass

    def require_size(self, body_bytes: int) -> None:
        pass

    def record(self, status: int) -> None:
        pass

    def handle_request(self, method: str, path: str, headers: dict[str, str], body: bytes | None) -> dict[str, Any]:
        self.running.append(headers.get("authorization", "nobody"))
        self.release.wait(30)
        return {"statusCode": 200, "headers": {}, "multiValueHeaders": {}, "body": "{}"}


@pytest.mark.parametrize("flooder", ["Bearer flood", None], ids=["by a token", "without a token"])
def test_a_flood_of_one_caller_keeps_no_call_from_another(monkeypatch: pytest.MonkeyPatch, flooder: str | None) -> None:
    gateway = SlowGateway
    gateway.running, gateway.release = [], threading.Event()
    monkeypatch.setitem(sys.modules, "local.measured_gateway", cast("Any", SimpleNamespace(MeasuredGateway=gateway)))
    site = Site(cast("Any", SimpleNamespace(app_name="video-upload")), stand_in_url="", sign_in_url="")

    def call(token: str | None) -> None:
        environ: WSGIEnvironment = {"REQUEST_METHOD": "GET", "PATH_INFO": "/api/videos", "REMOTE_ADDR": "127.0.0.1"}
        if token:
            environ["HTTP_AUTHORIZATION"] = token
        site(environ, cast("Any", lambda *_: None))

    with ThreadPoolExecutor(CALLS_AT_ONCE + 2) as calls:
        for _ in range(CALLS_AT_ONCE + 1):
            calls.submit(call, flooder)
        _wait_for(gateway.running, flooder or "nobody")
        calls.submit(call, "Bearer visitor")
        _wait_for(gateway.running, "Bearer visitor")
        flood = [caller for caller in gateway.running if caller != "Bearer visitor"]
        assert len(flood) <= CALLS_AT_ONCE_OF_ONE_CALLER
        gateway.release.set()


def _wait_for(running: list[str], caller: str) -> None:
    deadline = time.monotonic() + 30
    while caller not in running:
        assert time.monotonic() < deadline
        time.sleep(0.01)
