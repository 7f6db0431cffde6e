"""The site, in place of CloudFront: the page at `/`, its `config.json`, the API under `/api`, and `/status` in place of
the AWS console."""

import argparse
import json
import mimetypes
import os
from collections.abc import Iterable, Sequence
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote
from wsgiref.types import StartResponse, WSGIEnvironment

from chalice.app import Chalice
from chalice.config import Config
from chalice.local import LocalGatewayException
from werkzeug.security import safe_join

from chalicelib.core.video_types import Container
from chalicelib.local_http import Refusal
from local.api_environment import WEB_CLIENT
from local.child_process import READY, end_with_parent
from local.fair_share import FairShare
from local.http_server import HttpServer, RefusalResponse
from local.sign_in.clients import ACCOUNT_CLIENT
from local.sign_in.second_factors import Mfa
from local.sign_in.users import ADMINISTRATORS
from local.stand_in.open_files import allow_open_files
from local.status.status_page import StatusPage

if TYPE_CHECKING:
    from local.measured_gateway import MeasuredGateway

API_PREFIX = "/api"
MAX_LINK_DAYS = 30  # the API's own default
SHARE, FAILED_SHARE = "/share", "/?share=failed"
"""Path to which other apps share videos, and the redirect for browsers without the service worker, as at the edge."""
CALLS_AT_ONCE = 64
"""Concurrent invocations; further calls wait."""
CALLS_AT_ONCE_OF_ONE_CALLER = 4
"""Concurrent invocations of a caller: a token, or an address without one. All calls share one interpreter and slow each
other down."""
# One connection of the client, and a thread's connections to S3, KMS and the sign-in.
MAX_OPEN_FILES = 8192

PAGE_NOT_FOUND = Refusal(HTTPStatus.NOT_FOUND, "page_not_found", "There is nothing at this address.")
READ_ONLY = Refusal(HTTPStatus.METHOD_NOT_ALLOWED, "method_not_allowed", "The page is read-only.")
NOT_BUILT = Refusal(HTTPStatus.NOT_FOUND, "page_not_built", "The page is not built: run `make web`, or `make run`.")

_SECURITY_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "X-Frame-Options": "DENY",
}


class Site:
    """A WSGI app. stand_in_url, sign_in_url: the other origins that the page may talk to.

    status_page: None without one. mfa, local_users: the stage's settings of these names. company_domains: mail domains
    whose people sign in at their company.
    """

    def __init__(
        self,
        app: Chalice,
        *,
        stand_in_url: str,
        sign_in_url: str,
        web_client: Path = WEB_CLIENT,
        status_page: StatusPage | None = None,
        mfa: Mfa = Mfa.OPTIONAL,
        company_domains: Sequence[str] = (),
        local_users: bool = True,
    ) -> None:
        self._app = app
        self._status_page = status_page
        self._web_client = web_client
        self._calls = FairShare(CALLS_AT_ONCE, CALLS_AT_ONCE_OF_ONE_CALLER)
        self._chalice_config = Config.create(app_name=app.app_name)
        self._client_config: dict[str, Any] = {
            "stage": "local",
            "apiUrl": API_PREFIX,
            "authority": sign_in_url,
            "webClientId": "web",
            "desktopClientId": "desktop",
            "nativeClientId": "native",
            "scopes": ["openid", "email", "video-upload/read", "video-upload/write"],
            "logoutUrl": f"{sign_in_url}/logout",
            "tellProgress": True,
            "maxLinkDays": MAX_LINK_DAYS,
            "mfa": mfa,
            "administratorsGroup": ADMINISTRATORS,
            "companyDomains": sorted(company_domains),
            "localUsers": local_users,
            "acceptedContainers": list(Container),
        }
        if mfa is not Mfa.OFF and local_users:
            self._client_config["accountClientId"] = ACCOUNT_CLIENT
        self._content_security_policy = "; ".join(
            [
                "default-src 'none'",
                # For the checksum in WebAssembly. It does not allow eval of JavaScript.
                "script-src 'self' 'wasm-unsafe-eval'",
                "style-src 'self'",
                "manifest-src 'self'",
                "worker-src 'self'",
                f"img-src 'self' blob: data: {stand_in_url}",
                f"media-src 'self' blob: {stand_in_url}",
                f"connect-src 'self' {stand_in_url} {sign_in_url}",
                f"form-action 'self' {sign_in_url}",
                "base-uri 'none'",
                "frame-ancestors 'none'",
            ]
        )

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        path: str = environ["PATH_INFO"]
        if path == API_PREFIX or path.startswith(f"{API_PREFIX}/"):
            return self._call_api(environ, start_response)
        if path == SHARE:
            return _answer(start_response, HTTPStatus.SEE_OTHER, {"Location": FAILED_SHARE}, b"")
        if environ["REQUEST_METHOD"] not in ("GET", "HEAD"):
            return _refuse(start_response, READ_ONLY, [("Allow", "GET, HEAD")])
        shown = self._status_page.answer(path) if self._status_page else None
        if shown:
            return shown(environ, start_response)
        if path == "/config.json":
            body = json.dumps(self._client_config).encode()
            return _answer(start_response, 200, {"Content-Type": "application/json", "Cache-Control": "no-store"}, body)
        return self._send_file(path, start_response)

    def _call_api(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        # Imported here: it needs the app's environment, which only configured processes have.
        from local.measured_gateway import MeasuredGateway

        gateway = MeasuredGateway(self._app, self._chalice_config)
        status, headers, body = self._ask(gateway, environ)
        gateway.record(status)
        return _answer(start_response, status, headers, body)

    def _ask(self, gateway: "MeasuredGateway", environ: WSGIEnvironment) -> tuple[int, dict[str, Any], bytes]:
        path = _coded(environ["PATH_INFO"].removeprefix(API_PREFIX) or "/")
        query = environ.get("QUERY_STRING")
        try:
            gateway.require_size(int(environ.get("CONTENT_LENGTH") or 0))
            body = environ["wsgi.input"].read() if environ.get("CONTENT_LENGTH") else None
            with self._calls.slot(environ.get("HTTP_AUTHORIZATION") or environ["REMOTE_ADDR"]):
                response = gateway.handle_request(
                    environ["REQUEST_METHOD"], f"{path}?{query}" if query else path, _headers(environ), body
                )
        except LocalGatewayException as error:
            return error.CODE, error.headers, error.body or b""
        text = response["body"] or ""
        headers = {**response["headers"], **response["multiValueHeaders"]}
        return response["statusCode"], headers, text if isinstance(text, bytes) else text.encode()

    def _send_file(self, path: str, start_response: StartResponse) -> Iterable[bytes]:
        found = safe_join(str(self._web_client), path.lstrip("/") or "index.html")
        file = Path(found) if found else None
        if file is None or not _is_file(file):
            return _refuse(start_response, NOT_BUILT if path == "/" else PAGE_NOT_FOUND)
        headers = {
            **_SECURITY_HEADERS,
            "Content-Security-Policy": self._content_security_policy,
            "Content-Type": mimetypes.guess_type(file.name)[0] or "application/octet-stream",
            "Cache-Control": "no-cache",
        }
        return _answer(start_response, 200, headers, file.read_bytes())


def _is_file(file: Path) -> bool:
    try:
        return file.is_file()
    except OSError:
        # The name is longer than a file name may be.
        return False


def _coded(path: str) -> str:
    """The path in a spelling that no parser mistakes for a host, a query or a fragment. path: as in WSGI."""
    coded = quote(path.encode("latin-1"), safe="/:@!$&'()*+,;=~")
    return f"/%2F{coded[2:]}" if coded.startswith("//") else coded


def _refusal_response(refusal: Refusal) -> RefusalResponse:
    from chalicelib.local_gateway import refusal_headers_and_body

    headers, body = refusal_headers_and_body(refusal)
    return list(headers.items()), body


def _refuse(
    start_response: StartResponse, refusal: Refusal, more_headers: Sequence[tuple[str, str]] = ()
) -> list[bytes]:
    headers, body = _refusal_response(refusal)
    return _answer(start_response, refusal.status, dict([*headers, *more_headers]), body)


def _headers(environ: WSGIEnvironment) -> dict[str, str]:
    named = {
        name.removeprefix("HTTP_").replace("_", "-").lower(): str(value)
        for name, value in environ.items()
        if name.startswith("HTTP_")
    }
    if content_type := environ.get("CONTENT_TYPE"):
        named["content-type"] = content_type
    return named


def _answer(start_response: StartResponse, status: int, headers: dict[str, Any], body: bytes) -> list[bytes]:
    listed = [
        (name, str(value))
        for name, values in headers.items()
        for value in (values if isinstance(values, list) else [values])
        if name.lower() != "content-length"
    ]
    start_response(f"{status} {HTTPStatus(status).phrase}", [*listed, ("Content-Length", str(len(body)))])
    return [body]


def main() -> None:
    """Serve until a signal stops the process. Needs the API's environment."""
    parser = argparse.ArgumentParser(prog="python -m local.site", description=__doc__)
    parser.add_argument("--port", type=int, default=8000, help="port on 127.0.0.1; 0 picks a free one")
    parser.add_argument(
        "--metrics", type=Path, metavar="FILE", help="file of the metrics that /status shows; without it, none"
    )
    parser.add_argument(
        "--mfa", type=Mfa, choices=list(Mfa), default=Mfa.OPTIONAL, help="second factor that the sign-in asks for"
    )
    parser.add_argument(
        "--company-domain",
        dest="company_domains",
        action="append",
        default=[],
        metavar="DOMAIN",
        help="mail domain whose people sign in at their company; may be repeated",
    )
    parser.add_argument("--no-local-users", action="store_true", help="let only the companies' people sign in")
    arguments = parser.parse_args()
    allow_open_files(MAX_OPEN_FILES)
    from app import app
    from chalicelib.invocations import set_up_logs
    from chalicelib.local_gateway import answering_in_threads

    set_up_logs()
    site = Site(
        answering_in_threads(app),
        stand_in_url=os.environ["AWS_ENDPOINT_URL"],
        sign_in_url=os.environ["TOKEN_ISSUER"],
        status_page=StatusPage(arguments.metrics) if arguments.metrics else None,
        mfa=arguments.mfa,
        company_domains=arguments.company_domains,
        local_users=not arguments.no_local_users,
    )
    server = HttpServer(site, arguments.port, name="VideoUpload", answer_refusal=_refusal_response)
    end_with_parent(lambda: os._exit(0))
    print(f"{READY}http://127.0.0.1:{server.port}", flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
