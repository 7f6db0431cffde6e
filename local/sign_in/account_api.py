"""The part of Cognito's JSON API that the account view and the operators' commands call."""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from flask import Blueprint, Response, jsonify, request

from local.sign_in.authority import Authority
from local.sign_in.aws_signature import is_signed
from local.sign_in.clients import ACCOUNT_SCOPE
from local.sign_in.cross_origin import allow_the_site
from local.sign_in.errors import (
    InvalidTokenError,
    NoSecondFactorError,
    SecondFactorsOffError,
    TooManyAttemptsError,
    WrongCodeError,
)
from local.sign_in.tokens import identities_of
from local.sign_in.users import ADMINISTRATORS, User
from local.stand_in.model_validation import refused

TARGET = "AWSCognitoIdentityProviderService"
SOFTWARE_TOKEN = "SOFTWARE_TOKEN_MFA"
_FILTER = re.compile(r'(sub|email|username)\s*=\s*"((?:[^"\\]|\\.)*)"')

Values = Mapping[str, Any]


@dataclass(frozen=True)
class _Refusal(Exception):  # noqa: N818 - an answer of the service, under the service's own name
    """name: the exception's in the service's model."""

    name: str
    message: str


class AccountApi:
    """Calls authorized by a person's access token, and calls signed by an operator."""

    def __init__(self, authority: Authority) -> None:
        self._authority = authority
        self._of_a_person: Mapping[str, Callable[[User, Values], Values]] = {
            "GetUser": self._get_user,
            "AssociateSoftwareToken": self._associate_software_token,
            "VerifySoftwareToken": self._verify_software_token,
            "SetUserMFAPreference": self._set_preference,
            "UpdateUserAttributes": self._update_attributes,
            "GlobalSignOut": self._sign_out,
        }
        self._of_an_operator: Mapping[str, Callable[[Values], Values]] = {
            "ListUsers": self._list_users,
            "AdminDeleteSoftwareToken": self._delete_software_token,
            "AdminUserGlobalSignOut": self._sign_out_as_operator,
            "AdminAddUserToGroup": self._add_to_group,
            "AdminRemoveUserFromGroup": self._remove_from_group,
            "ListUsersInGroup": self._list_users_in_group,
        }

    def blueprint(self) -> Blueprint:
        """The route."""
        api = Blueprint("account_api", __name__)
        api.post("/")(self.call)
        api.errorhandler(_Refusal)(_answer_of)
        allow_the_site(api, self._authority.clients)
        return api

    def call(self) -> Response:
        """Answer one call. Requests that violate AWS's model were refused before."""
        if request.content_encoding:
            raise _Refusal("SerializationException", "The body is sent as it is.")
        # Without a signature, which may name another service, the target alone says which model holds.
        unsigned = {name: value for name, value in request.environ.items() if name != "HTTP_AUTHORIZATION"}
        broken = refused(unsigned)
        request.environ["wsgi.input"] = unsigned["wsgi.input"]
        if broken is not None:
            answer = broken.answer
            return Response(answer.body, answer.status, {**answer.headers})
        service, _, operation = request.headers.get("X-Amz-Target", "").rpartition(".")
        values: object = request.get_json(force=True, silent=True)
        if not isinstance(values, dict):
            raise _Refusal("SerializationException", "The body cannot be read.")
        if service == TARGET and operation in self._of_a_person:
            return jsonify(self._of_a_person[operation](self._person(values), values))
        if service == TARGET and operation in self._of_an_operator:
            self._demand_operator()
            return jsonify(self._of_an_operator[operation](values))
        raise _Refusal("UnknownOperationException", "The local sign-in does not have this operation.")

    def _person(self, values: Values) -> User:
        try:
            claims = self._authority.tokens.read_access_token(str(values.get("AccessToken", "")))
        except InvalidTokenError as error:
            said = "Access Token has been revoked" if error.description == "revoked" else "Invalid Access Token"
            raise _Refusal("NotAuthorizedException", said) from error
        if ACCOUNT_SCOPE not in str(claims["scope"]).split():
            raise _Refusal("NotAuthorizedException", "Access Token does not have required scopes")
        user = self._authority.users.by_subject(str(claims["sub"]))
        if user is None:
            raise _Refusal("UserNotFoundException", "User does not exist.")
        return user

    def _demand_operator(self) -> None:
        headers = {name.lower(): value for name, value in request.headers.items()}
        if not is_signed(request.base_url, headers, request.get_data(), self._authority.clock()):
            raise _Refusal("NotAuthorizedException", "The request is not signed by an operator.")

    def _get_user(self, user: User, _values: Values) -> Values:
        is_on = self._authority.second_factors.is_asked_for(user.subject)
        factors = {"UserMFASettingList": [SOFTWARE_TOKEN], "PreferredMfaSetting": SOFTWARE_TOKEN}
        return {"Username": user.username, "UserAttributes": _attributes(user), **(factors if is_on else {})}

    def _associate_software_token(self, user: User, _values: Values) -> Values:
        try:
            return {"SecretCode": self._authority.second_factors.begin(user.subject)}
        except SecondFactorsOffError as error:
            said = "Software Token MFA has not been enabled by the userPool"
            raise _Refusal("SoftwareTokenMFANotFoundException", said) from error

    def _verify_software_token(self, user: User, values: Values) -> Values:
        try:
            self._authority.second_factors.verify_new(user.subject, str(values["UserCode"]))
        except WrongCodeError as error:
            raise _Refusal("EnableSoftwareTokenMFAException", "Code mismatch") from error
        except NoSecondFactorError as error:
            raise _Refusal("SoftwareTokenMFANotFoundException", "No software token is being set up.") from error
        except TooManyAttemptsError as error:
            raise _Refusal("TooManyRequestsException", str(error)) from error
        return {"Status": "SUCCESS"}

    def _set_preference(self, user: User, values: Values) -> Values:
        wanted = (values.get("SoftwareTokenMfaSettings") or {}).get("Enabled")
        try:
            if wanted is not None:
                self._authority.second_factors.turn(user.subject, is_on=bool(wanted))
        except NoSecondFactorError as error:
            said = f"User does not have delivery config set to turn on {SOFTWARE_TOKEN}"
            raise _Refusal("InvalidParameterException", said) from error
        return {}

    def _update_attributes(self, _user: User, _values: Values) -> Values:
        """The account client may write one attribute, which nothing here reads."""
        raise _Refusal("NotAuthorizedException", "A client attempted to write unauthorized attribute")

    def _sign_out(self, user: User, _values: Values) -> Values:
        self._authority.refresh_tokens.revoke_person(user.subject)
        return {}

    def _list_users(self, values: Values) -> Values:
        found = _FILTER.fullmatch(str(values.get("Filter", "")))
        if found is None:
            raise _Refusal("InvalidParameterException", "The filter names sub, email or username.")
        text = re.sub(r"\\(.)", r"\1", found[2])
        wanted = text.strip().lower() if found[1] == "email" else text
        return {"Users": [_listed(user) for user in self._authority.users.all() if _value(user, found[1]) == wanted]}

    def _add_to_group(self, values: Values) -> Values:
        self._authority.users.put_into(self._named(values), _group_in(values))
        return {}

    def _remove_from_group(self, values: Values) -> Values:
        self._authority.users.take_out_of(self._named(values), _group_in(values))
        return {}

    def _list_users_in_group(self, values: Values) -> Values:
        group = _group_in(values)
        return {"Users": [_listed(user) for user in self._authority.users.all() if group in user.groups]}

    def _delete_software_token(self, values: Values) -> Values:
        self._authority.second_factors.forget(self._named(values).subject)
        return {}

    def _sign_out_as_operator(self, values: Values) -> Values:
        self._authority.refresh_tokens.revoke_person(self._named(values).subject)
        return {}

    def _named(self, values: Values) -> User:
        users = self._authority.users
        name = str(values["Username"])
        user = users.by_subject(name) or users.by_email(name) or users.by_username(name)
        if user is None:
            raise _Refusal("UserNotFoundException", "User does not exist.")
        return user


def _group_in(values: Values) -> str:
    if values["GroupName"] != ADMINISTRATORS:
        raise _Refusal("ResourceNotFoundException", "Group not found.")
    return ADMINISTRATORS


def _listed(user: User) -> dict[str, Any]:
    return {"Username": user.username, "Attributes": _attributes(user), "Enabled": True}


def _value(user: User, attribute: str) -> str:
    return {"sub": user.subject, "username": user.username, "email": user.email}[attribute]


def _attributes(user: User) -> list[dict[str, str]]:
    known = {"sub": user.subject, "email": user.email}
    known |= {name: json.dumps(value) for name, value in identities_of(user).items()}
    return [{"Name": name, "Value": value} for name, value in known.items()]


def _answer_of(refusal: _Refusal) -> Response:
    response = jsonify({"__type": refusal.name, "message": refusal.message})
    response.status_code = 400
    response.headers["x-amzn-ErrorType"] = refusal.name
    return response
