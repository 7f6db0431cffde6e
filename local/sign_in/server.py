"""The sign-in as a running server on loopback."""

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self
from wsgiref.types import StartResponse, WSGIEnvironment

from flask import Flask

from local.http_server import HttpServer
from local.sign_in.account_api import AccountApi
from local.sign_in.authority import DEFAULT_SCOPES, DEMO_EMAIL, Authority, DemoUser
from local.sign_in.clients import DEFAULT_REDIRECT_URIS, MACHINE_FILE, Client
from local.sign_in.companies import CALLBACK, Company, CompanySignIns
from local.sign_in.endpoints import Endpoints
from local.sign_in.pages import Pages
from local.sign_in.second_factors import Mfa
from local.sign_in.tokens import Tokens
from local.sign_in.users import ADMINISTRATORS, User
from local.stand_in.http_server import HOST

DEFAULT_PORT = 8002


class SignIn:
    """A hosted sign-in in a thread of this process.

    port: 0 picks a free one.
    data_dir: of key, people and refresh tokens; None keeps everything in memory.
    redirect_uris: exact redirect addresses by public client; scripts of the origins of "web" may call the token
    endpoint.
    sign_up: whether anybody may create an account.
    mfa, local_users: the stage's settings of these names.
    companies: with their own sign-in. demo_email: of the demo account.
    organization: name on its pages; session_cookie: its name, unique among the sign-ins on this host. further_origins:
    destinations of redirects after the redirect of a form.
    clock: seconds since 1970, for codes, tokens, sessions and waits.

    Raises OSError when the port is taken.
    """

    def __init__(
        self,
        *,
        port: int = DEFAULT_PORT,
        data_dir: Path | None = None,
        redirect_uris: Mapping[str, Sequence[str]] = DEFAULT_REDIRECT_URIS,
        sign_up: bool = True,
        mfa: Mfa = Mfa.OPTIONAL,
        companies: Sequence[Company] = (),
        local_users: bool = True,
        demo_email: str = DEMO_EMAIL,
        organization: str = "the video upload platform",
        session_cookie: str = "hosted_sign_in",
        further_origins: Sequence[str] = (),
        clock: Callable[[], float] = time.time,
    ) -> None:
        # The issuer contains the port, and the application needs the issuer.
        self._server = HttpServer(_starting, port, name="SignIn")
        self.authority_url = f"http://{HOST}:{self._server.port}"
        self.authority = Authority(
            issuer=self.authority_url,
            data_dir=data_dir,
            redirect_uris=redirect_uris,
            mfa=mfa,
            clock=clock,
            company_groups={each.name: each.administrators for each in companies if each.administrators},
            demo_email=demo_email,
        )
        company_sign_ins = CompanySignIns(companies, callback_url=self.authority_url + CALLBACK, clock=clock)
        app = make_app(self.authority, company_sign_ins, sign_up=sign_up, local_users=local_users)
        # Cookies ignore ports: the site on this host receives it as well.
        app.config.update(SESSION_COOKIE_NAME=session_cookie, FURTHER_ORIGINS=tuple(further_origins))
        app.context_processor(lambda: {"organization": organization})
        self._server.application = app
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        self._data_dir = data_dir

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._server.stop()
        self._thread.join()

    @property
    def jwks_url(self) -> str:
        """Address of the keys, for the API."""
        return f"{self.authority_url}/.well-known/jwks.json"

    @property
    def logout_url(self) -> str:
        """Address to which clients send the browser for signing out."""
        return f"{self.authority_url}/logout"

    @property
    def demo_user(self) -> DemoUser:
        """The demo account."""
        return self.authority.demo_user

    @property
    def machine_client(self) -> Client:
        """The client of the client-credentials grant, with its secret."""
        return self.authority.clients.get("machine")

    @property
    def machine_secret_file(self) -> Path | None:
        """None in memory."""
        return None if self._data_dir is None else self._data_dir / MACHINE_FILE

    def create_user(self, email: str, password: str | None = None) -> User:
        """Create an account. Without a password it is usable only by issue_tokens.

        Raises InvalidEmailError, PasswordTooShortError, EmailTakenError.
        """
        return self.authority.users.create(email, password)

    def appoint_administrator(self, email: str) -> User:
        """Make a person an administrator, and create the account if it is missing. Raises InvalidEmailError."""
        users = self.authority.users
        return users.put_into(users.get_or_create(email), ADMINISTRATORS)

    def issue_tokens(self, email: str, *, scopes: Sequence[str] = DEFAULT_SCOPES, client_id: str = "web") -> Tokens:
        """Issue tokens of a person without the pages. The account is created if it is missing."""
        return self.authority.issue_tokens(email, scopes=scopes, client_id=client_id)

    def allow_redirects(self, client_id: str, uris: Sequence[str]) -> None:
        """Register further addresses of a client, for sites whose port is known late."""
        self.authority.clients.allow_redirects(client_id, uris)


def make_app(
    authority: Authority, companies: CompanySignIns, *, sign_up: bool = True, local_users: bool = True
) -> Flask:
    """The WSGI application around an authority."""
    app = Flask(__name__)
    app.config.update(
        SECRET_KEY=authority.session_secret,
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        MAX_CONTENT_LENGTH=64 * 1024,
    )
    app.register_blueprint(Pages(authority, companies, sign_up=sign_up, local_users=local_users).blueprint())
    app.register_blueprint(Endpoints(authority).blueprint())
    app.register_blueprint(AccountApi(authority).blueprint())
    return app


def _starting(environ: WSGIEnvironment, start_response: StartResponse) -> list[bytes]:
    start_response("503 Service Unavailable", [("Retry-After", "1")])
    return []
