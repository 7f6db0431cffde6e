"""Endpoints for the browser: authorize, login, signup, second factor, logout."""

from flask import Blueprint, redirect, request, session
from werkzeug.wrappers import Response as AnyResponse

from local.sign_in.authority import Authority, AuthorizationRequest
from local.sign_in.companies import CALLBACK, Company, CompanySignIns
from local.sign_in.errors import (
    CompanyAnswerError,
    InvalidEmailError,
    LoginRequiredError,
    OAuthError,
    SignInError,
    UnknownClientError,
    UnknownStateError,
    UnregisteredRedirectError,
)
from local.sign_in.forms import (
    CODE_PAGE,
    SET_UP_PAGE,
    RefusedError,
    answer,
    browser_id,
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
from local.sign_in.users import MIN_PASSWORD_LENGTH, User


class Pages:
    """Pages for a person: sign-in, sign-up and sign-out."""

    def __init__(
        self, authority: Authority, companies: CompanySignIns, *, sign_up: bool, local_users: bool = True
    ) -> None:
        self._authority = authority
        self._companies = companies
        self._local_users = local_users
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
        pages.get(CALLBACK)(self.company_answer)
        pages.get("/logout")(self.logout)
        pages.errorhandler(RefusedError)(redirect_refusal)
        pages.errorhandler(UnknownClientError)(not_a_destination)
        pages.errorhandler(UnregisteredRedirectError)(not_a_destination)
        pages.errorhandler(UnknownStateError)(not_a_destination)
        return pages

    def root(self) -> AnyResponse:
        """Explain that every sign-in begins at a client."""
        return page("error.html", 404, message="Open the application and sign in from there.")

    def authorize(self) -> AnyResponse:
        """Send a code to the client if the person is signed in, else show the form."""
        asked = checked_request(self._authority)
        try:
            company = self._companies.named(request.args, asked.destination.client)
        except OAuthError as error:
            raise RefusedError(asked.destination, error) from error
        signed_in = session_user(self._authority)
        if signed_in is not None and asked.prompt != "login" and _serves(asked, signed_in[0], company):
            user, signed_in_at = signed_in
            return answer(asked.destination, code=self._authority.issue_code(user, asked, signed_in_at))
        if asked.prompt == "none":
            raise RefusedError(asked.destination, LoginRequiredError(description="nobody is signed in"))
        if company is not None:
            return self._leave_for(company, asked)
        return redirect(f"/login?{request.query_string.decode()}")

    def login(self) -> AnyResponse:
        """Show the form and handle its submission."""
        asked = checked_request(self._authority)
        if request.method == "GET":
            return self._login_form(asked)
        if not self._local_users:
            return page("error.html", 403, message="People sign in at their company here.")
        try:
            check_csrf()
            user = self._authority.users.sign_in(request.form.get("email", ""), request.form.get("password", ""))
        except SignInError as error:
            return self._login_form(asked, error)
        return go_on(self._authority, user, asked)

    def _login_form(self, asked: AuthorizationRequest, error: SignInError | None = None) -> AnyResponse:
        companies = self._companies.companies if asked.destination.client.has_companies else ()
        names = [company.name for company in companies]
        return form(
            "login.html", asked, error=error, sign_up=self._sign_up, local_users=self._local_users, companies=names
        )

    def _leave_for(self, company: Company, asked: AuthorizationRequest) -> AnyResponse:
        try:
            return redirect(self._companies.begin(company, asked, browser=browser_id()))
        except OAuthError as error:
            raise RefusedError(asked.destination, error) from error

    def company_answer(self) -> AnyResponse:
        """Handle a company's response: sign the person in, or report the failure to the client."""
        asked = self._companies.take(request.args.get("state", ""), browser=browser_id())
        try:
            arrived = self._companies.finish(request.args, browser=browser_id())
            user = self._authority.users.of_company(arrived.identity, arrived.email)
        except OAuthError as error:
            raise RefusedError(asked.destination, error) from error
        except InvalidEmailError as error:
            raise RefusedError(asked.destination, CompanyAnswerError(description=str(error))) from error
        # The company is responsible for the second factor: Cognito asks for none.
        return sign_in_and_answer(self._authority, user, arrived.asked)

    def signup(self) -> AnyResponse:
        """Create an account and sign it in. Local addresses need no confirmation."""
        asked = checked_request(self._authority)
        if not self._sign_up or not self._local_users:
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
        """Ask for the code of an authenticator app, and handle it."""
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
        """Set up an authenticator app, if each person must have one."""
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
        """End the session, and return to the client."""
        client = self._authority.clients.get(request.args.get("client_id", ""))
        target = client.redirect_uri(request.args.get("logout_uri", ""))
        session.clear()
        return redirect(target)


def _serves(asked: AuthorizationRequest, user: User, company: Company | None) -> bool:
    """Check that the signed-in person is one whom the client and its request admit."""
    if user.identity is None:
        return company is None
    return asked.destination.client.has_companies and (company is None or user.identity.provider == company.name)


def _typed_code() -> str:
    """The code without the blanks that apps show in it."""
    return "".join(request.form.get("code", "").split())
