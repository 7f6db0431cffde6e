"""The endpoints a browser walks through: authorize, login, signup, logout."""

import hmac
import secrets
from urllib.parse import urlencode, urlsplit

from flask import Blueprint, Response, make_response, redirect, render_template, request, session
from werkzeug.datastructures import MultiDict
from werkzeug.wrappers import Response as AnyResponse

from local.sign_in.authority import Authority, AuthorizationRequest, Destination
from local.sign_in.errors import (
    EmailTakenError,
    InvalidEmailError,
    InvalidRequestError,
    LoginRequiredError,
    OAuthError,
    PasswordTooShortError,
    SignInError,
    TooManyAttemptsError,
    UnknownClientError,
    UnregisteredRedirectError,
    WrongCredentialsError,
)
from local.sign_in.users import MIN_PASSWORD_LENGTH, User

SESSION_SECONDS = 3600  # Cognito developer guide: the hosted pages' session cookie lasts one hour


class _RefusedError(SignInError):
    """A refusal that belongs to the client, on its way to the redirect."""

    def __init__(self, destination: Destination, error: OAuthError) -> None:
        super().__init__(error.description)
        self.destination = destination
        self.error = error


class Pages:
    """Pages for a person: sign-in, sign-up and sign-out."""

    def __init__(self, authority: Authority, *, sign_up: bool) -> None:
        self._authority = authority
        self._sign_up = sign_up

    def blueprint(self) -> Blueprint:
        """The routes."""
        pages = Blueprint("pages", __name__)
        pages.get("/")(self.root)
        pages.get("/oauth2/authorize")(self.authorize)
        pages.route("/login", methods=["GET", "POST"])(self.login)
        pages.route("/signup", methods=["GET", "POST"])(self.signup)
        pages.get("/logout")(self.logout)
        pages.errorhandler(_RefusedError)(_redirect_refusal)
        pages.errorhandler(UnknownClientError)(_not_a_destination)
        pages.errorhandler(UnregisteredRedirectError)(_not_a_destination)
        return pages

    def root(self) -> AnyResponse:
        """Nothing starts here: every sign-in is asked for by a client."""
        return _page("error.html", 404, message="Open the application and sign in from there.")

    def authorize(self) -> AnyResponse:
        """A code at once for those who are signed in, the form for the others."""
        asked = _checked_request(self._authority)
        signed_in = _session_user(self._authority)
        if signed_in is not None and asked.prompt != "login":
            user, signed_in_at = signed_in
            return _answer(asked.destination, code=self._authority.issue_code(user, asked, signed_in_at))
        if asked.prompt == "none":
            raise _RefusedError(asked.destination, LoginRequiredError(description="nobody is signed in"))
        return redirect(f"/login?{request.query_string.decode()}")

    def login(self) -> AnyResponse:
        """The form and its answer."""
        asked = _checked_request(self._authority)
        if request.method == "GET":
            return _form("login.html", asked, sign_up=self._sign_up)
        try:
            _check_csrf()
            user = self._authority.users.sign_in(request.form.get("email", ""), request.form.get("password", ""))
        except SignInError as error:
            return _form("login.html", asked, error=error, sign_up=self._sign_up)
        return _sign_in_and_answer(self._authority, user, asked)

    def signup(self) -> AnyResponse:
        """Make a new account and sign it in: local addresses need no confirmation."""
        asked = _checked_request(self._authority)
        if not self._sign_up:
            return _page("error.html", 403, message="Signing up is closed here.")
        if request.method == "GET":
            return _form("signup.html", asked, minimum_length=MIN_PASSWORD_LENGTH)
        try:
            _check_csrf()
            user = self._authority.users.create(request.form.get("email", ""), request.form.get("password", ""))
        except SignInError as error:
            return _form("signup.html", asked, error=error, minimum_length=MIN_PASSWORD_LENGTH)
        return _sign_in_and_answer(self._authority, user, asked)

    def logout(self) -> AnyResponse:
        """Forget who is signed in, then back to the client."""
        client = self._authority.clients.get(request.args.get("client_id", ""))
        target = client.redirect_uri(request.args.get("logout_uri", ""))
        session.clear()
        return redirect(target)


def _redirect_refusal(error: _RefusedError) -> AnyResponse:
    return _answer(error.destination, error=error.error.code, error_description=error.error.description)


def _not_a_destination(error: SignInError) -> AnyResponse:
    return _page("error.html", 400, message=str(error))


def _checked_request(authority: Authority) -> AuthorizationRequest:
    destination = authority.destination(request.args)
    try:
        _check_single(request.args)
        return authority.authorization_request(destination, request.args)
    except OAuthError as error:
        raise _RefusedError(destination, error) from error


def _check_single(values: MultiDict[str, str]) -> None:
    repeated = sorted(name for name, each in values.lists() if len(each) > 1)
    if repeated:
        raise InvalidRequestError(description=f"repeated: {', '.join(repeated)}")


def _answer(destination: Destination, **parameters: str) -> AnyResponse:
    if destination.state is not None:
        parameters["state"] = destination.state
    return redirect(f"{destination.redirect_uri}?{urlencode(parameters)}")


def _session_user(authority: Authority) -> tuple[User, int] | None:
    signed_in_at = session.get("signed_in_at")
    if not isinstance(signed_in_at, int) or signed_in_at + SESSION_SECONDS <= authority.clock():
        return None
    user = authority.users.by_subject(str(session.get("subject")))
    return (user, signed_in_at) if user is not None else None


def _sign_in_and_answer(authority: Authority, user: User, asked: AuthorizationRequest) -> AnyResponse:
    signed_in_at = int(authority.clock())
    session.clear()  # what somebody planted before the sign-in must not live on in it
    session["subject"] = user.subject
    session["signed_in_at"] = signed_in_at
    return _answer(asked.destination, code=authority.issue_code(user, asked, signed_in_at))


class _FormExpiredError(SignInError):
    """The form does not carry this browser's CSRF token."""

    def __init__(self) -> None:
        super().__init__("The page had been open for too long. Please try again.")


def _csrf_token() -> str:
    token = session.get("csrf_token")
    if not isinstance(token, str):
        token = session["csrf_token"] = secrets.token_urlsafe(32)
    return token


def _check_csrf() -> None:
    expected = session.get("csrf_token")
    given = request.form.get("csrf_token", "")
    if not isinstance(expected, str) or not hmac.compare_digest(expected.encode(), given.encode()):
        raise _FormExpiredError


_STATUSES: dict[type[SignInError], int] = {
    WrongCredentialsError: 400,
    InvalidEmailError: 400,
    PasswordTooShortError: 400,
    EmailTakenError: 409,
    _FormExpiredError: 400,
    TooManyAttemptsError: 429,
}


def _form(
    template: str, asked: AuthorizationRequest, *, error: SignInError | None = None, **context: object
) -> AnyResponse:
    status = 200 if error is None else _STATUSES[type(error)]
    response = _page(
        template,
        status,
        error=error,
        email=request.form.get("email", ""),
        csrf_token=_csrf_token(),
        query=request.query_string.decode(),
        form_target=asked.destination.redirect_uri,
        **context,
    )
    if isinstance(error, TooManyAttemptsError):
        response.headers["Retry-After"] = str(error.retry_after_seconds)
    return response


def _page(template: str, status: int, *, form_target: str | None = None, **context: object) -> Response:
    response = make_response(render_template(template, **context), status)
    # Chromium applies form-action to the redirect that follows the form as well.
    target = f" {'{0.scheme}://{0.netloc}'.format(urlsplit(form_target))}" if form_target else ""
    response.headers["Content-Security-Policy"] = (
        f"default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'{target}; "
        "base-uri 'none'; frame-ancestors 'none'"
    )
    # As Cognito's pages have it: a page that opened this one as a window cannot follow it by its handle.
    response.headers["Cross-Origin-Opener-Policy"] = "same-origin"
    response.headers["Cache-Control"] = "no-store"
    response.headers["Referrer-Policy"] = "no-referrer"
    response.headers["X-Content-Type-Options"] = "nosniff"
    return response
