"""The identities that knock at every route: tokens of all kinds, true and false."""

import base64
import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa

from local.sign_in.authority import new_grant
from local.sign_in.clients import ACCOUNT_CLIENT, ACCOUNT_SCOPE
from local.sign_in.tokens import POOL_ID
from local.sign_in.users import Identity as CompanyIdentity
from local.stand_in import names
from tests.end_to_end.refusals import forged
from tests.matrix.rules import READ, WRITE, LinkState, State
from tests.matrix.scene import Holder, Scene


@dataclass(frozen=True)
class Identity:
    """authorization: the header, None for none. owner, scopes: of a true access token; fits: whether it is one for
    this platform. is_administrator: by the group of a true token. state, file_key: of a true upload token.
    link_state: of a true token of an upload link. None of these: a stranger.
    """

    name: str
    authorization: str | None
    owner: str | None = None
    scopes: frozenset[str] = frozenset()
    fits: bool = True
    is_administrator: bool = False
    state: State | None = None
    upload: str = ""
    file_key: str = ""
    link_state: LinkState | None = None


def identities(scene: Scene) -> list[Identity]:
    return [
        *_strangers(scene),
        *_misfits(scene),
        *_users(scene),
        *_members(scene),
        *_company_people(scene),
        *_uploads(scene),
        *_false_uploads(scene),
        *_links(scene),
        *_false_links(scene),
    ]


def _signed(scene: Scene, token: str, **changed: object) -> str:
    """Signed by the sign-in itself, with other claims; None leaves one out."""
    claims: dict[str, Any] = jwt.decode(token, options={"verify_signature": False})
    kept = {name: value for name, value in {**claims, **changed}.items() if value is not None}
    return scene.site.platform.sign_in.authority.key.sign(kept)


def _strangers(scene: Scene) -> Iterator[Identity]:
    good = scene.alice.token(READ, WRITE)
    now = int(time.time())
    platform = scene.site.platform
    headers: dict[str, str | None] = {
        "nobody": None,
        "an empty header": "",
        "a scheme alone": "Bearer",
        "a scheme and a blank": "Bearer ",
        "a word": "Bearer x",
        "null": "Bearer null",
        "three letters": "Bearer a.b.c",
        "a password": "Basic dXNlcjpwYXNz",
        "a good token under another scheme": f"Token {good}",
        "a good token twice": f"Bearer {good} {good}",
        "a good token without its signature": f"Bearer {good.rpartition('.')[0]}.",
        "a good token cut short": f"Bearer {good[:-8]}",
    }
    tokens: dict[str, str] = {
        "expired": _signed(scene, good, exp=now - 1, iat=now - 3600),
        "expired a day ago": _signed(scene, good, exp=now - 86_400, iat=now - 90_000),
        "not valid yet": _signed(scene, good, nbf=now + 3600),
        "foreign issuer": _signed(scene, good, iss="https://cognito-idp.eu-central-1.amazonaws.com/eu-central-1_other"),
        "issuer with a slash": _signed(scene, good, iss=f"{platform.sign_in.authority_url}/"),
        "no issuer": _signed(scene, good, iss=None),
        "no expiry": _signed(scene, good, exp=None),
        "no subject": _signed(scene, good, sub=None),
        "foreign key under an unknown id": _by_foreign_key(good),
        "refresh token": platform.sign_in.issue_tokens(scene.alice.email).refresh_token or "",
        **{kind: forged(platform, good, kind) for kind in FORGERIES},
    }
    for name, header in headers.items():
        yield Identity(name, header)
    for name, token in tokens.items():
        yield Identity(name, f"Bearer {token}")


FORGERIES = ("unsigned", "signed by its public key", "signed by somebody else", "changed")


def _by_foreign_key(token: str) -> str:
    claims: dict[str, Any] = jwt.decode(token, options={"verify_signature": False})
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    return jwt.encode(claims, key, algorithm="RS256", headers={"kid": "other"})


def _misfits(scene: Scene) -> Iterator[Identity]:
    good = scene.alice.token(READ, WRITE)
    tokens = {
        "ID token": scene.site.platform.sign_in.issue_tokens(scene.alice.email).id_token or "",
        "ID token with scopes": _signed(scene, good, token_use="id"),
        "token of no use": _signed(scene, good, token_use=None),
        "wrong client": _signed(scene, good, client_id="another"),
        "no client": _signed(scene, good, client_id=None),
        "client in another case": _signed(scene, good, client_id="WEB"),
        "subject that climbs": _signed(scene, good, sub=f"../{scene.bob.owner}"),
        "subject with a folder": _signed(scene, good, sub=f"{scene.bob.owner}/x"),
        "empty subject": _signed(scene, good, sub=""),
        "endless subject": _signed(scene, good, sub="x" * 129),
    }
    account = scene.alice.token("openid", ACCOUNT_SCOPE, client_id=ACCOUNT_CLIENT)
    tokens["the account view's token"] = account
    tokens["the account view's token with scopes of the API"] = _signed(scene, account, scope=f"{READ} {WRITE}")
    for name, token in tokens.items():
        yield Identity(name, f"Bearer {token}", fits=False, owner="", scopes=frozenset({READ, WRITE}))


SCOPES: dict[str, str | None] = {
    "without a scope": "",
    "without the claim": None,
    "openid alone": "openid",
    "read": READ,
    "write": WRITE,
    "read and write": f"{READ} {WRITE}",
    "a scope that begins alike": f"{WRITE}r {READ}er",
    "a wildcard": "video-upload/*",
    "another case": f"{READ} {WRITE}".upper(),
    "scopes with a comma": f"{READ},{WRITE}",
    "another server's scope": "other/read other/write",
}


def _users(scene: Scene) -> Iterator[Identity]:
    good = scene.alice.token(READ, WRITE)
    both = frozenset({READ, WRITE})
    for name, scope in SCOPES.items():
        token = _signed(scene, good, scope=scope)
        yield Identity(f"user, {name}", f"Bearer {token}", scene.alice.owner, frozenset((scope or "").split()))
    yield Identity("user, lower-case scheme", f"bearer {good}", scene.alice.owner, both)
    for client_id in ("desktop", "native"):
        token = scene.alice.token(READ, WRITE, client_id=client_id)
        yield Identity(f"user, {client_id}", f"Bearer {token}", scene.alice.owner, both)
    for scopes in ((READ,), (WRITE,), (READ, WRITE)):
        token = scene.carol.token(*scopes)
        yield Identity(f"another user, {' '.join(scopes)}", f"Bearer {token}", "carol", frozenset(scopes))
        authority = scene.site.platform.sign_in.authority
        machine = authority.tokens.for_machine(authority.clients.get("machine"), scopes).access_token
        yield Identity(f"machine, {' '.join(scopes)}", f"Bearer {machine}", "machine", frozenset(scopes))


FALSE_GROUPS: dict[str, object] = {
    "administrators in another case": ["Administrators"],
    "a group that begins alike": ["administrators2"],
    "administrators with a blank": ["others, administrators"],
    "a list in brackets": "[administrators]",
    "no group": [],
    "the group that Cognito makes for people of a company": [f"{POOL_ID}_acme"],
    "the same of a company called administrators": [f"{POOL_ID}_administrators"],
}


def _members(scene: Scene) -> Iterator[Identity]:
    """erin is a member of the group; her tokens without a scope, or of another use, open nothing more."""
    both = frozenset({READ, WRITE})
    erin = scene.erin
    for scopes in ((READ,), (WRITE,), (READ, WRITE)):
        token = erin.token(*scopes)
        yield Identity(
            f"administrator, {' '.join(scopes)}",
            f"Bearer {token}",
            "erin",
            frozenset(scopes),
            is_administrator=True,
        )
    good = erin.token(READ, WRITE)
    for name, scope in (("without a scope", ""), ("openid alone", "openid")):
        token = _signed(scene, good, scope=scope)
        yield Identity(f"administrator, {name}", f"Bearer {token}", "erin", frozenset(), is_administrator=True)
    misfits = {
        "ID token": scene.site.platform.sign_in.issue_tokens(erin.email).id_token or "",
        "wrong client": _signed(scene, good, client_id="another"),
        "the account view": erin.token("openid", ACCOUNT_SCOPE, client_id=ACCOUNT_CLIENT),
    }
    for name, token in misfits.items():
        yield Identity(f"administrator, {name}", f"Bearer {token}", "", both, fits=False)
    for name, groups in FALSE_GROUPS.items():
        token = _signed(scene, scene.alice.token(READ, WRITE), **{"cognito:groups": groups})
        yield Identity(f"user with {name}", f"Bearer {token}", scene.alice.owner, both)
    # Claims that no attribute of a person becomes, whatever a sign-up has written.
    for claim in ("custom:groups", "groups", "cognito:roles"):
        token = _signed(scene, scene.alice.token(READ, WRITE), **{claim: ["administrators"]})
        yield Identity(f"user with the claim {claim}", f"Bearer {token}", scene.alice.owner, both)
    forged_token = forged(scene.site.platform, good, "changed")
    yield Identity("administrator, changed", f"Bearer {forged_token}")


def _company_people(scene: Scene) -> Iterator[Identity]:
    """People of a company with erin's and alice's addresses: users of their own, members of no group of the pool."""
    authority = scene.site.platform.sign_in.authority
    client, both = authority.clients.get("web"), frozenset({READ, WRITE})
    for name, email in (("a member's", scene.erin.email), ("a user's", scene.alice.email)):
        user = authority.users.of_company(
            CompanyIdentity(provider="acme", subject=name, groups="[administrators]"), email
        )
        grant = new_grant(user, client, client.grant_scopes(""), int(time.time()))
        token = authority.tokens.for_user(user, client, grant, nonce=None, refresh_token="").access_token
        yield Identity(f"somebody of a company with {name} address", f"Bearer {token}", user.subject, both)


def _uploads(scene: Scene) -> Iterator[Identity]:
    """True upload tokens, one for each state of its upload."""
    states = {
        "open": (scene.alice.open, State.OPEN),
        "aborted": (scene.alice.aborted, State.ABORTED),
        "completed": (scene.alice.ready, State.COMPLETED),
        "deleted": (scene.alice.deleted, State.UNKNOWN),
        "of a link": (scene.alice.link_upload, State.OPEN),
        "of a link, completed": (scene.alice.copied, State.COMPLETED),
    }
    for name, (upload, state) in states.items():
        yield _of_upload(f"upload token, {name}", upload["uploadToken"], upload, state)
    listed = scene.site.ask("GET /uploads", scene.alice.authorization).json()["uploads"]
    handed_out = {upload["videoId"]: upload["uploadToken"] for upload in listed}
    yield _of_upload(
        "upload token from the list", handed_out[scene.alice.open["videoId"]], scene.alice.open, State.OPEN
    )
    for name, changed in _true_but_wrong(scene).items():
        token = _minted(scene, scene.alice.open["uploadToken"], **changed)
        yield _of_upload(f"upload token, {name}", token, {**scene.alice.open, **changed}, State.UNKNOWN)


def _of_upload(name: str, token: str, upload: dict[str, Any], state: State) -> Identity:
    return Identity(
        name, f"Bearer {token}", state=state, upload=str(upload["uploadId"]), file_key=str(upload["fileKey"])
    )


def _true_but_wrong(scene: Scene) -> dict[str, dict[str, Any]]:
    """Claims that the token key has signed although no upload fits them."""
    alice, bob = scene.alice, scene.bob
    return {
        "another uploadId": {"uploadId": bob.open["uploadId"]},
        "empty uploadId": {"uploadId": ""},
        "an unknown video": _names(alice.owner, "f" * 28),
        "another's video under the own name": _names(alice.owner, bob.open["videoId"]),
        "the own upload under another's name": _names(bob.owner, alice.open["videoId"]),
        "another's video with the own uploadId": _names(bob.owner, bob.open["videoId"]),
    }


def _names(owner: str, video_id: str) -> dict[str, Any]:
    return {"owner": owner, "videoId": video_id, "fileKey": f"videos/{owner}/{video_id}"}


def _claims(token: str) -> dict[str, Any]:
    payload = token.partition(".")[0]
    return json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))


def _payload(claims: object) -> str:
    return _base64url(json.dumps(claims, separators=(",", ":")).encode())


def _base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _minted(scene: Scene, token: str, **changed: Any) -> str:
    """Signed by the token key itself; None leaves a claim out."""
    claims = {name: value for name, value in {**_claims(token), **changed}.items() if value is not None}
    return _mac(scene, _payload(claims), names.UPLOAD_TOKEN_KEY_ALIAS)


def _mac(scene: Scene, payload: str, key_id: str) -> str:
    kms = scene.site.aws("kms")
    made = kms.generate_mac(KeyId=key_id, MacAlgorithm="HMAC_SHA_256", Message=payload.encode())
    return f"{payload}.{_base64url(made['Mac'])}"


def _false_uploads(scene: Scene) -> Iterator[Identity]:
    good = scene.alice.open["uploadToken"]
    payload, _, mac = good.partition(".")
    claims = _claims(good)
    past = int(time.time()) - 1
    key = scene.site.aws("kms").create_key(KeySpec="HMAC_256", KeyUsage="GENERATE_VERIFY_MAC")["KeyMetadata"]["KeyId"]
    tokens = {
        **{
            f"{name} tampered": f"{_payload({**claims, name: value})}.{mac}" for name, value in _tampered(scene).items()
        },
        **{f"{name} missing": _minted(scene, good, **{name: None}) for name in claims},
        "expired": _minted(scene, good, expiry=past),
        "expired for ever": _minted(scene, good, expiry=0),
        "expiry as text": _minted(scene, good, expiry=str(claims["expiry"])),
        "one claim more": _minted(scene, good, admin=True),
        "a key of no name": _minted(scene, good, kid="other"),
        "a key by its alias": _minted(scene, good, kid=names.UPLOAD_TOKEN_KEY_ALIAS),
        "fileKey of another": _minted(scene, good, fileKey=scene.bob.open["fileKey"]),
        "fileKey of a rendition": _minted(scene, good, fileKey=scene.alice.rendition_key),
        "owner that climbs": _minted(scene, good, owner=f"../{scene.bob.owner}"),
        "signed by another key": _mac(scene, payload, key),
        "a MAC of another token": f"{payload}.{scene.alice.aborted['uploadToken'].partition('.')[2]}",
        "no MAC": f"{payload}.",
        "a MAC cut short": good[:-4],
        "a MAC of nothing": f"{payload}.{_base64url(bytes(32))}",
        "a second spelling": f"{good}=",
        "two MACs": f"{good}.{mac}",
        "a list": _mac(scene, _payload([claims]), names.UPLOAD_TOKEN_KEY_ALIAS),
    }
    for name, token in tokens.items():
        yield Identity(f"upload token, {name}", f"Bearer {token}")
    yield Identity("upload token under another scheme", f"Token {good}")


def _tampered(scene: Scene) -> dict[str, Any]:
    bob: Holder = scene.bob
    return {
        "kid": "other",
        "owner": bob.owner,
        "videoId": bob.open["videoId"],
        "fileKey": bob.open["fileKey"],
        "uploadId": bob.open["uploadId"],
        "expiry": int(time.time()) + 10**8,
    }


def _links(scene: Scene) -> Iterator[Identity]:
    """True tokens of links."""
    alice, bob = scene.alice, scene.bob
    good = alice.link["linkToken"]
    tokens = {
        "open": (good, LinkState.OPEN),
        "revoked": (alice.revoked_link["linkToken"], LinkState.REVOKED),
        "of no record": (_minted(scene, good, linkId="f" * 28), LinkState.UNKNOWN),
        "another's link under the own name": (_minted(scene, good, linkId=bob.link["linkId"]), LinkState.UNKNOWN),
        "the own link under another's name": (_minted(scene, good, owner=bob.owner), LinkState.UNKNOWN),
    }
    for name, (token, state) in tokens.items():
        yield Identity(f"link token, {name}", f"Bearer {token}", link_state=state)


def _false_links(scene: Scene) -> Iterator[Identity]:
    good, upload = scene.alice.link["linkToken"], scene.alice.open["uploadToken"]
    payload, _, mac = good.partition(".")
    claims = _claims(good)
    tampered = {"kid": "other", "owner": scene.bob.owner, "linkId": scene.bob.link["linkId"]}
    tokens = {
        **{f"{name} tampered": f"{_payload({**claims, name: value})}.{mac}" for name, value in tampered.items()},
        **{f"{name} missing": _minted(scene, good, **{name: None}) for name in claims},
        "owner that climbs": _minted(scene, good, owner=f"../{scene.bob.owner}"),
        "linkId that climbs": _minted(scene, good, linkId=f"../{scene.bob.link['linkId']}"),
        "with an expiry": _minted(scene, good, expiry=10**10),
        "with a video": _minted(scene, good, videoId=scene.alice.open["videoId"]),
        "a MAC of an upload token": f"{payload}.{upload.partition('.')[2]}",
        "no MAC": f"{payload}.",
        "the linkId alone": claims["linkId"],
    }
    for name, token in tokens.items():
        yield Identity(f"link token, {name}", f"Bearer {token}")
    yield Identity("link token under another scheme", f"Link {good}")
