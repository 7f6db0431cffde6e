"""The site's config.json and a hosted sign-in in which the person says yes at once; PKCE is really checked."""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
from dataclasses import dataclass, field
from urllib.parse import parse_qs, urlencode

REDIRECTS = frozenset(f"http://127.0.0.1:{port}/callback" for port in range(53682, 53692))
MACHINE_SECRET = "a machine's own secret"
Response = tuple[int, bytes, dict[str, str]]


@dataclass
class FakeSignIn:
    """declines: the person says no. expires_in: seconds an access token says it is good for."""

    access_tokens: set[str] = field(default_factory=set[str])
    refresh_tokens: set[str] = field(default_factory=set[str])
    declines: bool = False
    expires_in: int = 3600
    refreshes: int = 0
    machine_grants: int = 0
    issuer: str | None = None
    has_second_factors: bool = True
    accepted_containers: tuple[str, ...] | None = None
    _codes: dict[str, dict[str, str]] = field(default_factory=dict[str, dict[str, str]])

    def answer(  # noqa: PLR0917 - one request, as it came
        self, method: str, path: str, query: dict[str, str], data: bytes, url: str, authorization: str = ""
    ) -> Response:
        form = {name: values[0] for name, values in parse_qs(data.decode()).items()}
        match method, path:
            case "GET", "/config.json":
                return _json(
                    {
                        "stage": "fake",
                        "apiUrl": "/api",
                        "authority": f"{url}/pool",
                        "webClientId": "web",
                        "desktopClientId": "desktop",
                        "scopes": ["openid", "email", "video-upload/read", "video-upload/write"],
                        "logoutUrl": f"{url}/logout",
                        "acceptedContainers": self.accepted_containers,
                        **({"accountClientId": "account"} if self.has_second_factors else {}),
                    }
                )
            case "GET", "/pool/.well-known/openid-configuration":
                return _json(
                    {
                        "issuer": self.issuer or f"{url}/pool",
                        "authorization_endpoint": f"{url}/authorize",
                        "token_endpoint": f"{url}/token",
                        "revocation_endpoint": f"{url}/revoke",
                    }
                )
            case "GET", "/authorize":
                return self._authorize(query)
            case "POST", "/token":
                return self._token(form, authorization)
            case "POST", "/revoke":
                self.refresh_tokens.discard(form.get("token", ""))
                return _json({})
            case _:
                return 404, b"<h1>Not here</h1>", {}

    def _authorize(self, query: dict[str, str]) -> Response:
        wanted = {"response_type": "code", "client_id": "desktop", "code_challenge_method": "S256"}
        if query.get("redirect_uri") not in REDIRECTS or any(query.get(name) != text for name, text in wanted.items()):
            return 400, b"bad request", {}
        if "video-upload/write" not in query["scope"].split():
            return 400, b"bad scope", {}
        if self.declines:
            result = {"error": "access_denied", "error_description": "You said no.", "state": query["state"]}
        else:
            code = secrets.token_hex(8)
            self._codes[code] = query
            result = {"code": code, "state": query["state"]}
        return 302, b"", {"Location": f"{query['redirect_uri']}?{urlencode(result)}"}

    def _token(self, form: dict[str, str], authorization: str) -> Response:
        if form.get("grant_type") == "client_credentials":
            return self._credentials_grant(form, authorization)
        if form.get("client_id") != "desktop":
            return _json({"error": "invalid_client"}, 401)
        if form.get("grant_type") == "refresh_token":
            if form.get("refresh_token") not in self.refresh_tokens:
                return _json({"error": "invalid_grant"}, 400)
            self.refreshes += 1
            return self._grant(with_refresh=False)
        asked = self._codes.pop(form.get("code", ""), None)
        digest = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
        challenge = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
        if asked is None or (asked["code_challenge"], asked["redirect_uri"]) != (challenge, form.get("redirect_uri")):
            return _json({"error": "invalid_grant"}, 400)
        return self._grant(with_refresh=True)

    def _credentials_grant(self, form: dict[str, str], authorization: str) -> Response:
        kind, _, encoded = authorization.partition(" ")
        if kind != "Basic" or base64.b64decode(encoded).decode() != f"machine:{MACHINE_SECRET}":
            return _json({"error": "invalid_client", "error_description": "wrong client secret"}, 401)
        if form.get("scope") != "video-upload/read video-upload/write":
            return _json({"error": "invalid_scope"}, 400)
        self.machine_grants += 1
        return self._grant(with_refresh=False)

    def _grant(self, *, with_refresh: bool) -> Response:
        token = {"access_token": secrets.token_hex(8), "token_type": "Bearer", "expires_in": self.expires_in}
        self.access_tokens.add(str(token["access_token"]))
        if with_refresh:
            token["refresh_token"] = secrets.token_hex(8)
            self.refresh_tokens.add(str(token["refresh_token"]))
        return _json(token)


def _json(body: object, status: int = 200) -> Response:
    return status, json.dumps(body).encode(), {"Content-Type": "application/json"}
