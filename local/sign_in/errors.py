"""Refusals of the sign-in.

SignInError
├── UnknownClientError            error page, never a redirect
├── UnregisteredRedirectError     error page, never a redirect
├── UnknownStateError             error page, never a redirect
├── OAuthError                    RFC 6749: JSON at the token endpoint, query parameters at authorize
│   ├── AccessDeniedError
│   ├── CompanyAnswerError
│   ├── InvalidRequestError
│   ├── InvalidClientError
│   ├── InvalidGrantError
│   ├── InvalidScopeError
│   ├── InvalidTokenError
│   ├── LoginRequiredError
│   ├── UnauthorizedClientError
│   ├── UnsupportedGrantTypeError
│   └── UnsupportedResponseTypeError
├── WrongCredentialsError
├── TooManyAttemptsError
├── InvalidEmailError
├── EmailTakenError
├── PasswordTooShortError
├── WrongCodeError
├── NoSecondFactorError
└── SecondFactorsOffError
"""

from typing import ClassVar


class SignInError(Exception):
    """Anything the sign-in refuses."""


class UnknownClientError(SignInError):
    """No client has this id. A redirect would make the sign-in an open redirector."""

    def __init__(self, client_id: str) -> None:
        super().__init__(f"There is no client {client_id!r}.")
        self.client_id = client_id


class UnregisteredRedirectError(SignInError):
    """The address is not exactly one of the client's."""

    def __init__(self, client_id: str, uri: str) -> None:
        super().__init__(f"{uri!r} is not registered for the client {client_id!r}.")
        self.client_id = client_id
        self.uri = uri


class UnknownStateError(SignInError):
    """A company's response without a pending request in this browser: unsolicited, late or repeated."""

    def __init__(self) -> None:
        super().__init__("This sign-in was not started here, or has expired. Start again from the application.")


class OAuthError(SignInError):
    """An error of RFC 6749 section 4.1.2.1 or 5.2."""

    code: ClassVar[str]
    status: ClassVar[int] = 400

    def __init__(self, *, description: str) -> None:
        super().__init__(description)
        self.description = description


class AccessDeniedError(OAuthError):
    """The company refused the person, or the person cancelled."""

    code = "access_denied"


class CompanyAnswerError(OAuthError):
    """The company's response cannot be verified."""

    code = "server_error"


class InvalidRequestError(OAuthError):
    """A parameter is missing, repeated or malformed."""

    code = "invalid_request"


class InvalidClientError(OAuthError):
    """Unknown client, or a wrong or missing secret."""

    code = "invalid_client"
    status = 401


class InvalidGrantError(OAuthError):
    """A code or refresh token that is unknown, used, expired, revoked, foreign or whose verifier is wrong."""

    code = "invalid_grant"


class InvalidScopeError(OAuthError):
    """A scope this client may not ask for."""

    code = "invalid_scope"


class InvalidTokenError(OAuthError):
    """The access token sent to userInfo is not one of ours, or has expired (RFC 6750)."""

    code = "invalid_token"
    status = 401


class LoginRequiredError(OAuthError):
    """prompt=none, and nobody is signed in (OpenID Connect Core 3.1.2.6)."""

    code = "login_required"


class UnauthorizedClientError(OAuthError):
    """This client may not use this grant."""

    code = "unauthorized_client"


class UnsupportedGrantTypeError(OAuthError):
    """Unknown grant type."""

    code = "unsupported_grant_type"


class UnsupportedResponseTypeError(OAuthError):
    """Any response type but code: the implicit grant would put tokens into URLs."""

    code = "unsupported_response_type"


class WrongCredentialsError(SignInError):
    """A wrong e-mail address or password; the error does not say which."""

    def __init__(self) -> None:
        super().__init__("Wrong e-mail address or password.")


class TooManyAttemptsError(SignInError):
    """Too many failures; even the correct password is refused until the wait is over."""

    def __init__(self, retry_after_seconds: int) -> None:
        super().__init__(f"Too many attempts: try again in {retry_after_seconds} s.")
        self.retry_after_seconds = retry_after_seconds


class InvalidEmailError(SignInError):
    """The text is no e-mail address."""


class EmailTakenError(SignInError):
    """An account with this address exists."""


class PasswordTooShortError(SignInError):
    """Shorter than the pool's policy allows."""

    def __init__(self, minimum_length: int) -> None:
        super().__init__(f"A password has at least {minimum_length} characters.")
        self.minimum_length = minimum_length


class WrongCodeError(SignInError):
    """A code that is not current, or was used before."""

    def __init__(self) -> None:
        super().__init__("Wrong code. Enter the code that your app shows now; each code works once.")


class NoSecondFactorError(SignInError):
    """No authenticator app is set up or being set up."""

    def __init__(self) -> None:
        super().__init__("No authenticator app is set up. Sign in again.")


class SecondFactorsOffError(SignInError):
    """This sign-in has no second factors."""
