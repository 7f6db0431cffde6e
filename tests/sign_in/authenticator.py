"""A person's authenticator app, and Cognito's calls as the account view makes them."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import boto3
import pyotp
from botocore import UNSIGNED
from botocore.config import Config

from local.sign_in.clients import ACCOUNT_CLIENT, ACCOUNT_SCOPE
from local.sign_in.server import SignIn
from local.stand_in import names

if TYPE_CHECKING:
    from types_boto3_cognito_idp.client import CognitoIdentityProviderClient


@dataclass(frozen=True)
class Authenticator:
    """An app that shows codes of one secret."""

    secret: str
    clock: Callable[[], float]

    def code(self, steps: int = 0) -> str:
        """The code that the app shows, or showed or will show that many steps of 30 seconds away."""
        return pyotp.TOTP(self.secret).at(int(self.clock()) + 30 * steps)

    def wrong_code(self) -> str:
        """Six digits that the app shows at no time near."""
        near = {self.code(steps) for steps in range(-3, 4)}
        return next(
            code
            for code in ("000000", "000001", "000002", "000003", "000004", "000005", "000006", "000007")
            if code not in near
        )


def account_token(sign_in: SignIn, email: str) -> str:
    """An access token of the account client."""
    issued = sign_in.issue_tokens(email, scopes=("openid", ACCOUNT_SCOPE), client_id=ACCOUNT_CLIENT)
    return issued.access_token


def account_calls(sign_in: SignIn) -> "CognitoIdentityProviderClient":
    """The client of somebody without credentials of AWS."""
    return _client(sign_in.authority_url, config=Config(signature_version=UNSIGNED))


def operator_calls(sign_in: SignIn, secret_key: str = names.SECRET_KEY) -> "CognitoIdentityProviderClient":
    """The client of an operator."""
    return _client(sign_in.authority_url, aws_access_key_id=names.ACCESS_KEY, aws_secret_access_key=secret_key)


def _client(url: str, **more: Any) -> "CognitoIdentityProviderClient":
    return boto3.client("cognito-idp", endpoint_url=url, region_name=names.REGION, **more)


def set_up_app(sign_in: SignIn, email: str) -> Authenticator:
    """Set up an app as the account view does, which uses up its present code."""
    cognito, token = account_calls(sign_in), account_token(sign_in, email)
    secret = cognito.associate_software_token(AccessToken=token)["SecretCode"]
    app = Authenticator(secret, sign_in.authority.clock)
    cognito.verify_software_token(AccessToken=token, UserCode=app.code())
    cognito.set_user_mfa_preference(AccessToken=token, SoftwareTokenMfaSettings={"Enabled": True, "PreferredMfa": True})
    return app
