"""Cognito's calls on a person's account, and those of operators, by everybody whom they must not serve."""

from collections.abc import Iterator, Mapping
from typing import Any

import requests

from local.sign_in.clients import ACCOUNT_CLIENT, ACCOUNT_SCOPE
from tests.end_to_end.refusals import forged
from tests.matrix.chains import Link
from tests.matrix.rules import READ, WRITE
from tests.matrix.scene import TIMEOUT_SECONDS, Holder, Scene

SERVICE = "AWSCognitoIdentityProviderService"
REFUSED_BY_COGNITO = frozenset({400})
OF_A_PERSON: Mapping[str, dict[str, Any]] = {
    "GetUser": {},
    "AssociateSoftwareToken": {},
    "VerifySoftwareToken": {"UserCode": "000000"},
    "SetUserMFAPreference": {"SoftwareTokenMfaSettings": {"Enabled": False}},
    "UpdateUserAttributes": {"UserAttributes": [{"Name": "email", "Value": "eve@example.com"}]},
    "DeleteUserAttributes": {"UserAttributeNames": ["email"]},
    "ChangePassword": {"PreviousPassword": "Password-1", "ProposedPassword": "Password-2"},
    "GlobalSignOut": {},
    "DeleteUser": {},
}
RIGHTS = ("email", "email_verified", "custom:groups", "cognito:groups")
"""Attributes that say who somebody is, or what they may."""


def account_token(holder: Holder) -> str:
    return holder.token("openid", ACCOUNT_SCOPE, client_id=ACCOUNT_CLIENT)


def account_links(scene: Scene) -> Iterator[Link]:
    for who, token in _foreign_tokens(scene).items():
        for operation, values in OF_A_PERSON.items():
            yield _link(scene, f"{operation} by {who}", operation, {"AccessToken": token, **values})
    own = account_token(scene.alice)
    for name in RIGHTS:
        attributes = {"UserAttributes": [{"Name": name, "Value": scene.bob.email}]}
        yield _link(
            scene,
            f"{name} written by the account view",
            "UpdateUserAttributes",
            {"AccessToken": own, **attributes},
        )
    for who, headers in _no_operators(own).items():
        for operation in ("AdminDeleteSoftwareToken", "AdminUserGlobalSignOut"):
            named = {"UserPoolId": "local_1", "Username": scene.bob.owner, "AccessToken": own}
            if who != "the account view":
                del named["AccessToken"]
            yield _link(scene, f"{operation} on another by {who}", operation, named, headers)


def _foreign_tokens(scene: Scene) -> dict[str, str]:
    alice, sign_in = scene.alice, scene.site.platform.sign_in
    clients = ("web", "desktop", "native")
    machine = sign_in.authority.tokens.for_machine(sign_in.machine_client, (READ, WRITE)).access_token
    own = account_token(alice)
    signed_out = sign_in.issue_tokens(alice.email, scopes=("openid", ACCOUNT_SCOPE), client_id=ACCOUNT_CLIENT)
    sign_in.authority.refresh_tokens.revoke_token(signed_out.refresh_token or "", client_id=ACCOUNT_CLIENT)
    return {
        **{f"a token of {client}": alice.token(READ, WRITE, client_id=client) for client in clients},
        "a program's token": machine,
        "an ID token": signed_out.id_token or "",
        "a refresh token": sign_in.issue_tokens(alice.email).refresh_token or "",
        "an upload token": alice.open["uploadToken"],
        "a revoked token": signed_out.access_token,
        **{f"a token that is {kind}": forged(scene.site.platform, own, kind) for kind in ("unsigned", "changed")},
        "nobody": "x",
    }


def _no_operators(token: str) -> dict[str, dict[str, str]]:
    credential = "Credential=local/20990101/eu-central-1/cognito-idp/aws4_request"
    return {
        "nobody": {},
        "the account view": {},
        "a person's token": {"Authorization": f"Bearer {token}"},
        "a guessed signature": {
            "X-Amz-Date": "20990101T000000Z",
            "Authorization": f"AWS4-HMAC-SHA256 {credential}, "
            f"SignedHeaders=host;x-amz-date;x-amz-target, Signature={'0' * 64}",
        },
    }


def _link(
    scene: Scene, name: str, operation: str, values: dict[str, Any], headers: Mapping[str, str] | None = None
) -> Link:
    def send() -> requests.Response:
        return requests.post(
            f"{scene.site.platform.sign_in.authority_url}/",
            json=values,
            headers={"X-Amz-Target": f"{SERVICE}.{operation}", **(headers or {})},
            timeout=TIMEOUT_SECONDS,
        )

    return Link(name, send, REFUSED_BY_COGNITO)
