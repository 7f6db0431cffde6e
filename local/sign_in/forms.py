"""Shared parts of the sign-in's pages: the client's request, the browser's session, forms and redirects."""

import hmac
import secrets
from urllib.parse import urlencode, urlsplit

from flask import Response, current_app, make_response, redirect, render_template, request, session
from werkzeug.datastructures import MultiDict
from werkzeug.wrappers import Response as AnyResponse

from local.sign_in.authority import Authority, AuthorizationRequest, Destination
from local.sign_in.errors import (
    EmailTakenError,
    InvalidEmailError,
    InvalidRequestError,
    NoSecondFactorError,
    OAuthError,
    PasswordTooShortError,
    SignInError,
    TooManyAttemptsError,
    WrongCodeError,
    WrongCredentialsError,
)
from local.sign_in.users import User

SESSION_SECONDS = 3600  # Cognito developer guide: the hosted pages' session cookie lasts one hour
CODE_PAGE, SET_UP_PAGE = "/mfa", "/mfa/set-up"
CODE_SECONDS = 180  # Cognito API reference, CreateUserPoolClient, AuthSessionValidity: three minutes by default


class RefusedError(SignInError):
    """A refusal that is reported to the client by the redirect."""

    def __init__(self, destination: Destination, error: OAuthError) -> None:
        super().__init__(error.description)
        self.destination = destination
        self.error = error


def redirect_refusal(error: RefusedError) -> AnyResponse:
    """Report the refusal to the client."""
    return answer(error.destination, error=error.error.code, error_description=error.error.description)


def not_a_destination(error: SignInError) -> AnyResponse:
    """Show the refusal to the person; it may be reported to nobody else."""
    return page("error.html", 400, message=str(error))


def checked_request(authority: Authority) -> AuthorizationRequest:
    """The client's request, checked. Raises UnknownClientError, UnregisteredRedirectError, RefusedError."""
    destination = authority.destination(request.args)
    try:
        _check_single(request.args)
        return authority.authorization_request(destination, request.args)
    except OAuthError as error:
        raise RefusedError(destination, error) from error


def _check_single(values: MultiDict[str, str]) -> None:
    repeated = sorted(name for name, each in values.lists() if len(each) > 1)
    if repeated:
        raise InvalidRequestError(description=f"repeated: {', '.join(repeated)}")


def answer(destination: Destination, **parameters: str) -> AnyResponse:
    """Send the browser back to the client."""
    if destination.state is not None:
        parameters["state"] = destination.state
    return redirect(f"{destination.redirect_uri}?{urlencode(parameters)}")


def session_user(authority: Authority) -> tuple[User, int] | None:
    """The person with a recent session in this browser, and the time of the sign-in."""
    signed_in_at = session.get("signed_in_at")
    if not isinstance(signed_in_at, int) or signed_in_at + SESSION_SECONDS <= authority.clock():
        return None
    user = authority.users.by_subject(str(session.get("subject")))
    # A company is responsible for the second factor of its people.
    if user is None or (user.identity is None and authority.second_factors.must_set_up(user.subject)):
        return None
    return user, signed_in_at


def go_on(authority: Authority, user: User, asked: AuthorizationRequest) -> AnyResponse:
    """Sign in, or ask for the second factor first."""
    factors = authority.second_factors
    if factors.must_set_up(user.subject):
        return _ask_on(SET_UP_PAGE, authority, user)
    if factors.is_asked_for(user.subject):
        return _ask_on(CODE_PAGE, authority, user)
    return sign_in_and_answer(authority, user, asked)


def _ask_on(path: str, authority: Authority, user: User) -> AnyResponse:
    session.clear()
    session["half_signed_in"] = user.subject
    session["half_signed_in_until"] = int(authority.clock()) + CODE_SECONDS
    return redirect(f"{path}?{request.query_string.decode()}")


def half_signed_in(authority: Authority) -> User | None:
    """The person who has just entered the correct password."""
    until = session.get("half_signed_in_until")
    if not isinstance(until, int) or until <= authority.clock():
        return None
    return authority.users.by_subject(str(session.get("half_signed_in")))


def sign_in_and_answer(authority: Authority, user: User, asked: AuthorizationRequest) -> AnyResponse:
    """Begin the browser's session, and send a code to the client."""
    signed_in_at = int(authority.clock())
    session.clear()  # against session fixation: a cookie planted before the sign-in must not survive it
    session["subject"] = user.subject
    session["signed_in_at"] = signed_in_at
    return answer(asked.destination, code=authority.issue_code(user, asked, signed_in_at))


def browser_id() -> str:
    """A secret of this browser's session, which ties a company's response to the browser that began the sign-in."""
    known = session.get("browser")
    if not isinstance(known, str):
        known = session["browser"] = secrets.token_urlsafe(32)
    return known


class _FormExpiredError(SignInError):
    """The form does not carry this browser's CSRF token."""

    def __init__(self) -> None:
        super().__init__("The page was open for too long. Please try again.")


def _csrf_token() -> str:
    token = session.get("csrf_token")
    if not isinstance(token, str):
        token = session["csrf_token"] = secrets.token_urlsafe(32)
    return token


def check_csrf() -> None:
    """Raises a SignInError when another page sent the form."""
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
    WrongCodeError: 400,
    NoSecondFactorError: 400,
}


def form(
    template: str, asked: AuthorizationRequest, *, error: SignInError | None = None, **context: object
) -> AnyResponse:
    """A page with a form, and the error of its last submission."""
    status = 200 if error is None else _STATUSES[type(error)]
    response = page(
        template,
        status,
        error=error,
        email=request.form.get("email", request.args.get("login_hint", "")),
        csrf_token=_csrf_token(),
        query=request.query_string.decode(),
        form_target=asked.destination.redirect_uri,
        **context,
    )
    if isinstance(error, TooManyAttemptsError):
        response.headers["Retry-After"] = str(error.retry_after_seconds)
    return response


def page(template: str, status: int, *, form_target: str | None = None, **context: object) -> Response:
    """A page with the headers of all pages. form_target: final destination of its form."""
    response = make_response(render_template(template, **context), status)
    # Chromium also applies form-action to the redirects after a form.
    further: tuple[str, ...] = current_app.config["FURTHER_ORIGINS"]
    origins = ["{0.scheme}://{0.netloc}".format(urlsplit(form_target)), *further] if form_target else []
    target = "".join(f" {origin}" for origin in origins)
    response.headers["Content-Security-Policy"] = (
        f"default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'{target}; "
        "base-uri 'none'; frame-ancestors 'none'"
    )
    # Like Cognito's pages: a page that opened this one as a window loses its handle.
    response.headers["Cross-Origin-Opener-Policy"] = "same-origin"
    response.headers["Cache-Control"] = "no-store"
    response.headers["Referrer-Policy"] = "no-referrer"
    response.headers["X-Content-Type-Options"] = "nosniff"
    return response
