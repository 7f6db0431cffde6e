"""Refusals of the API: the routes that need a token, forged tokens, and the one shape of an error."""

import base64
import hmac
import json
from typing import Any

import jwt
import requests

from local.platform import LocalPlatform

USER_ROUTES = [
    ("POST", "/upload"),
    ("POST", "/multipart/init"),
    ("GET", "/uploads"),
    ("GET", "/videos"),
    ("GET", "/videos/" + "f" * 28),
    ("DELETE", "/videos/" + "f" * 28),
    ("POST", "/progress"),
]
TOKEN_ROUTES = [
    ("POST", "/multipart/parts"),
    ("GET", "/multipart/parts"),
    ("POST", "/multipart/complete"),
    ("POST", "/multipart/abort"),
]


def assert_error(answer: requests.Response, status: int, code: str) -> dict[str, Any]:
    assert answer.status_code == status, answer.text
    error = answer.json()["error"]
    assert set(answer.json()) == {"error"}
    assert set(error) == {"code", "message", "details", "requestId"}
    assert error["code"] == code
    assert error["message"]
    assert error["requestId"] == answer.headers["x-amzn-RequestId"]
    assert answer.headers["Access-Control-Allow-Origin"]
    assert "Traceback" not in answer.text
    return error


def hmac_signed(header: dict[str, Any], claims: dict[str, Any], key: bytes) -> str:
    """Sign a token by hand: the library refuses to help with this attack."""
    signed = b".".join(base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=") for part in (header, claims))
    mac = base64.urlsafe_b64encode(hmac.digest(key, signed, "sha256")).rstrip(b"=")
    return (signed + b"." + mac).decode()


def forged(platform: LocalPlatform, token: str, kind: str) -> str:
    claims: dict[str, Any] = jwt.decode(token, options={"verify_signature": False})
    header = jwt.get_unverified_header(token)
    match kind:
        case "unsigned":
            return jwt.encode(claims, "", algorithm="none")
        case "signed by its public key":
            keys = requests.get(f"{platform.sign_in.authority_url}/.well-known/jwks.json", timeout=10).json()
            return hmac_signed({"alg": "HS256", "kid": header["kid"]}, claims, json.dumps(keys["keys"][0]).encode())
        case "signed by somebody else":
            from cryptography.hazmat.primitives.asymmetric import rsa

            key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
            return jwt.encode(claims, key, algorithm="RS256", headers={"kid": header["kid"]})
        case _:
            payload = token.split(".")
            return ".".join([payload[0], payload[1][:-2] + "AA", payload[2]])
