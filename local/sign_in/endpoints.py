"""Endpoints that clients call directly: discovery, keys, tokens, user information, revocation."""

import base64
import binascii
from dataclasses import asdict

from flask import Blueprint, Response, jsonify, request

from local.sign_in.authority import Authority, oauth_error_body
from local.sign_in.clients import Client
from local.sign_in.cross_origin import allow_the_site
from local.sign_in.errors import InvalidClientError, InvalidRequestError, InvalidTokenError, OAuthError


class Endpoints:
    """Requests of clients. The web client's scripts may read every response."""

    def __init__(self, authority: Authority) -> None:
        self._authority = authority

    def blueprint(self) -> Blueprint:
        """The routes."""
        endpoints = Blueprint("endpoints", __name__)
        endpoints.get("/.well-known/openid-configuration")(self.discovery)
        endpoints.get("/.well-known/jwks.json")(self.keys)
        endpoints.post("/oauth2/token")(self.token)
        endpoints.route("/oauth2/userInfo", methods=["GET", "POST"])(self.user_info)
        endpoints.post("/oauth2/revoke")(self.revoke)
        endpoints.errorhandler(OAuthError)(_refused)
        allow_the_site(endpoints, self._authority.clients)
        return endpoints

    def discovery(self) -> Response:
        """The OpenID configuration."""
        return jsonify(self._authority.discovery())

    def keys(self) -> Response:
        """The keys that verify our tokens."""
        return jsonify(keys=[self._authority.key.public_jwk()])

    def token(self) -> Response:
        """Issue tokens for a code, a refresh token or a machine's secret."""
        if any(len(values) > 1 for _, values in request.form.lists()):
            raise InvalidRequestError(description="a parameter is repeated")
        tokens = self._authority.exchange(_authenticated_client(self._authority), request.form)
        return jsonify({name: value for name, value in asdict(tokens).items() if value is not None})

    def user_info(self) -> Response:
        """Return the user of an access token."""
        scheme, _, bearer = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != "bearer":
            raise InvalidTokenError(description="no bearer token")
        claims = self._authority.tokens.read_access_token(bearer)
        scopes = str(claims["scope"]).split()
        user = self._authority.users.by_subject(str(claims["sub"]))
        if user is None or "openid" not in scopes:
            raise InvalidTokenError(description="the token does not carry openid")
        about = {"sub": user.subject, "username": user.subject}
        return jsonify(about | ({"email": user.email, "email_verified": "true"} if "email" in scopes else {}))

    def revoke(self) -> Response:
        """Revoke a refresh token and the access tokens issued with it."""
        client = _authenticated_client(self._authority)
        self._authority.refresh_tokens.revoke_token(request.form.get("token", ""), client_id=client.client_id)
        return Response(status=200)


def _refused(error: OAuthError) -> Response:
    response = jsonify(oauth_error_body(error))
    response.status_code = error.status
    if isinstance(error, InvalidTokenError):
        response.headers["WWW-Authenticate"] = f'Bearer error="{error.code}"'
    elif isinstance(error, InvalidClientError):
        response.headers["WWW-Authenticate"] = "Basic"
    return response


def _authenticated_client(authority: Authority) -> Client:
    header = request.headers.get("Authorization", "")
    if header.lower().startswith("basic "):
        client_id, secret = _basic_credentials(header[6:])
        if request.form.get("client_id", client_id) != client_id:
            raise InvalidRequestError(description="client_id differs from the Authorization header")
        return authority.clients.authenticate(client_id, secret)
    return authority.clients.authenticate(request.form.get("client_id", ""), request.form.get("client_secret"))


def _basic_credentials(encoded: str) -> tuple[str, str]:
    try:
        client_id, _, secret = base64.b64decode(encoded, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError) as error:
        raise InvalidClientError(description="the Authorization header is malformed") from error
    return client_id, secret
