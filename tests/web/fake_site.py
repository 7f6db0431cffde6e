"""A site to develop the page against: the real page, the real sign-in, a fake API and a fake S3 on another origin."""

import threading
from collections.abc import Generator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

from flask import Flask, Response, jsonify, redirect, send_from_directory
from werkzeug import Response as WerkzeugResponse
from werkzeug.serving import WSGIRequestHandler, make_server

from components.settings import ACCEPTED_CONTAINERS
from local.api_environment import WEB_CLIENT
from local.sign_in.clients import ACCOUNT_CLIENT, site_redirect_uris
from local.sign_in.second_factors import Mfa
from local.sign_in.server import SignIn
from local.site import FAILED_SHARE, SHARE
from tests.web.fake_api import FakeApi
from tests.web.fake_storage import FakeStorage


@dataclass(frozen=True)
class FakeSite:
    """Everything that a walkthrough may change or look at."""

    url: str
    sign_in: SignIn
    api: FakeApi
    storage: FakeStorage


@contextmanager
def running_fake_site(mfa: Mfa = Mfa.OPTIONAL) -> Generator[FakeSite]:
    """Three servers on free ports. mfa: the stage's setting of the same name."""
    with ExitStack() as stack:
        sign_in = stack.enter_context(SignIn(port=0, redirect_uris={"web": [], ACCOUNT_CLIENT: []}, mfa=mfa))
        storage = FakeStorage()
        api = FakeApi(sign_in, storage)
        storage.url = stack.enter_context(_served(storage.app()))
        url = stack.enter_context(_served(_site(api)))
        storage.site_origin = url
        for client_id, uris in site_redirect_uris(url).items():
            sign_in.allow_redirects(client_id, uris)
        yield FakeSite(url, sign_in, api, storage)


def _site(api: FakeApi) -> Flask:
    app = Flask(__name__, static_folder=None)
    app.register_blueprint(api.blueprint())
    sign_in_url, storage_url = api.sign_in.authority_url, api.storage.url

    @app.get("/config.json")
    def config() -> Response:
        return jsonify(
            stage="test",
            apiUrl="/api",
            authority=sign_in_url,
            webClientId="web",
            desktopClientId="desktop",
            scopes=["openid", "email", "video-upload/read", "video-upload/write"],
            logoutUrl=f"{sign_in_url}/logout",
            acceptedContainers=ACCEPTED_CONTAINERS,
            **_account_view(api.sign_in),
        )

    @app.get("/", defaults={"name": "index.html"})
    @app.get("/<path:name>")
    def file(name: str) -> Response:
        response = send_from_directory(WEB_CLIENT, name, max_age=0)
        response.headers["Content-Security-Policy"] = (
            "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; base-uri 'none'; "
            "form-action 'self'; manifest-src 'self'; worker-src 'self'; "
            f"frame-ancestors 'none'; img-src 'self' {storage_url}; media-src blob: {storage_url}; "
            f"connect-src 'self' {storage_url} {sign_in_url}"
        )
        return response

    @app.post(SHARE)
    def share() -> WerkzeugResponse:
        return redirect(FAILED_SHARE, 303)

    _ = config, file, share
    return app


def _account_view(sign_in: SignIn) -> dict[str, str]:
    mfa = sign_in.authority.second_factors.mfa
    return {"mfa": mfa} if mfa is Mfa.OFF else {"mfa": mfa, "accountClientId": ACCOUNT_CLIENT}


@contextmanager
def _served(app: Flask) -> Generator[str]:
    server = make_server("127.0.0.1", 0, app, threaded=True, request_handler=_Quiet)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class _Quiet(WSGIRequestHandler):
    """Requests are no test output."""

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Nothing."""
