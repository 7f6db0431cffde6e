"""The endpoints a browser walks through: authorize, login, signup, second factor, logout."""

from flask import Blueprint, redirect, request, session
from werkzeug.wrappers import Response as AnyResponse

from local.sign_in.authority import Authority
from local.sign_in.errors import LoginRequiredError, SignInError, UnknownClientError, UnregisteredRedirectError
from local.sign_in.forms import (
    CODE_PAGE,
    SET_UP_PAGE,
    RefusedError,
    answer,
    check_csrf,
    checked_request,
    form,
    go_on,
    half_signed_in,
    not_a_destination,
    page,
    redirect_refusal,
    session_user,
    sign_in_and_answer,
)
from local.sign_in.users import MIN_PASSWORD_LENGTH


class Pages:
    """Pages for a person: sign-in, sign-up and sign-out."""

    def __init__(self, authority: Authority, *, sign_up: bool) -> None:
        self._authority = authority
        self._sign_up = sign_up

    def blueprint(self) -> Blueprint:
        """The routes."""
        pages = Blueprint("pages", __name__)
        pages.get("/", provide_automatic_options=False)(self.root)  # preflights of "/" are for the account API
        pages.get("/oauth2/authorize")(self.authorize)
        pages.route("/login", methods=["GET", "POST"])(self.login)
        pages.route("/signup", methods=["GET", "POST"])(self.signup)
        pages.route(CODE_PAGE, methods=["GET", "POST"])(self.code)
        pages.route(SET_UP_PAGE, methods=["GET", "POST"])(self.set_up)
        pages.get("/logout")(self.logout)
        pages.errorhandler(RefusedError)(redirect_refusal)
        pages.errorhandler(UnknownClientError)(not_a_destination)
        pages.errorhandler(UnregisteredRedirectError)(not_a_destination)
        return pages

    def root(self) -> AnyResponse:
        """Nothing starts here: every sign-in is asked for by a client."""
        return page("error.html", 404, message="Open the application and sign in from there.")

    def authorize(self) -> AnyResponse:
        """A code at once for those who are signed in, the form for the others."""
        asked = checked_request(self._authority)
        signed_in = session_user(self._authority)
        if signed_in is not None and asked.prompt != "login":
            user, signed_in_at = signed_in
            return answer(asked.destination, code=self._authority.issue_code(user, asked, signed_in_at))
        if asked.prompt == "none":
            raise RefusedError(asked.destination, LoginRequiredError(description="nobody is signed in"))
        return redirect(f"/login?{request.query_string.decode()}")

    def login(self) -> AnyResponse:
        """The form and its answer."""
        asked = checked_request(self._authority)
        if request.method == "GET":
            return form("login.html", asked, sign_up=self._sign_up)
        try:
            check_csrf()
            user = self._authority.users.sign_in(request.form.get("email", ""), request.form.get("password", ""))
        except SignInError as error:
            return form("login.html", asked, error=error, sign_up=self._sign_up)
        return go_on(self._authority, user, asked)

    def signup(self) -> AnyResponse:
        """Make a new account and sign it in: local addresses need no confirmation."""
        asked = checked_request(self._authority)
        if not self._sign_up:
            return page("error.html", 403, message="Signing up is closed here.")
        if request.method == "GET":
            return form("signup.html", asked, minimum_length=MIN_PASSWORD_LENGTH)
        try:
            check_csrf()
            user = self._authority.users.create(request.form.get("email", ""), request.form.get("password", ""))
        except SignInError as error:
            return form("signup.html", asked, error=error, minimum_length=MIN_PASSWORD_LENGTH)
        return go_on(self._authority, user, asked)

    def code(self) -> AnyResponse:
        """The form for the code of an authenticator app, and its answer."""
        asked = checked_request(self._authority)
        factors, user = self._authority.second_factors, half_signed_in(self._authority)
        if user is None or not factors.is_asked_for(user.subject):
            return redirect(f"/login?{request.query_string.decode()}")
        if request.method == "GET":
            return form("code.html", asked)
        try:
            check_csrf()
            factors.verify(user.subject, _typed_code())
        except SignInError as error:
            return form("code.html", asked, error=error)
        return sign_in_and_answer(self._authority, user, asked)

    def set_up(self) -> AnyResponse:
        """Set up an authenticator app where each person must have one."""
        asked = checked_request(self._authority)
        factors, user = self._authority.second_factors, half_signed_in(self._authority)
        if user is None or not factors.must_set_up(user.subject):
            return redirect(f"/login?{request.query_string.decode()}")
        secret = factors.pending(user.subject)
        if request.method == "GET":
            return form("set_up.html", asked, secret=secret)
        try:
            check_csrf()
            factors.verify_new(user.subject, _typed_code())
        except SignInError as error:
            return form("set_up.html", asked, error=error, secret=secret)
        return sign_in_and_answer(self._authority, user, asked)

    def logout(self) -> AnyResponse:
        """Forget who is signed in, then back to the client."""
        client = self._authority.clients.get(request.args.get("client_id", ""))
        target = client.redirect_uri(request.args.get("logout_uri", ""))
        session.clear()
        return redirect(target)


def _typed_code() -> str:
    """The code without the blanks that apps show in it."""
    return "".join(request.form.get("code", "").split())
