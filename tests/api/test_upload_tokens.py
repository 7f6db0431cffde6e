"""The Lambda authorizer: which upload tokens it lets in, and what it tells the gateway and the routes."""

import logging
from collections.abc import Generator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any

import pytest

import app as handlers
from chalicelib.adapters.kms_client import KmsError
from chalicelib.core.errors import StorageForbiddenError, UnauthorizedError
from chalicelib.core.ports import StorageBusyError
from chalicelib.core.upload_token import LinkToken, UploadToken
from chalicelib.routes import upload_tokens
from chalicelib.routes.upload_tokens import upload_token_authorizer

GATEWAY = "arn:aws:execute-api:eu-central-1:123456789012:api/stage"
CONTEXT = SimpleNamespace(aws_request_id="lambda-1")
TOKEN = UploadToken("k1", "owner", "0" * 28, f"videos/owner/{'0' * 28}", "upload-1", 1_800_000_000)


@pytest.fixture
def verified(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Texts that were verified; TOKEN comes of each."""
    texts: list[str] = []

    def verify(text: str) -> UploadToken:
        texts.append(text)
        return TOKEN

    _install(monkeypatch, verify)
    return texts


def _install(monkeypatch: pytest.MonkeyPatch, verify: Any) -> None:
    monkeypatch.setattr(upload_tokens, "services", lambda: SimpleNamespace(tokens=SimpleNamespace(verify_any=verify)))


def _fail(monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    def verify(text: str) -> UploadToken:
        raise error

    _install(monkeypatch, verify)


@pytest.fixture(autouse=True)
def invocations(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    contexts: list[Any] = []

    @contextmanager
    def invocation(context: Any) -> Generator[None]:
        contexts.append(context)
        yield

    monkeypatch.setattr(upload_tokens, "invocation", invocation)
    return contexts


def authorize(header: str) -> dict[str, Any]:
    event = {"type": "TOKEN", "authorizationToken": header, "methodArn": f"{GATEWAY}/GET/multipart/parts"}
    authorizer: Any = upload_token_authorizer
    return authorizer(event, CONTEXT)


def test_a_token_opens_the_routes_of_its_upload_and_no_other(verified: list[str], invocations: list[Any]) -> None:
    answer = authorize("Bearer the.token")
    (statement,) = answer["policyDocument"]["Statement"]
    assert statement["Effect"] == "Allow"
    assert sorted(statement["Resource"]) == [
        f"{GATEWAY}/GET/multipart/parts",
        f"{GATEWAY}/POST/multipart/abort",
        f"{GATEWAY}/POST/multipart/complete",
        f"{GATEWAY}/POST/multipart/parts",
    ]
    assert answer["principalId"] == "owner"
    assert answer["context"] == {
        "kid": "k1",
        "owner": "owner",
        "videoId": "0" * 28,
        "fileKey": f"videos/owner/{'0' * 28}",
        "uploadId": "upload-1",
        "expiry": "1800000000",
    }
    assert verified == ["the.token"]
    assert invocations == [CONTEXT]


def test_a_links_token_opens_its_two_routes_and_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    _install(monkeypatch, lambda text: LinkToken("k1", "owner", "1" * 28))
    answer = authorize("Bearer the.token")
    (statement,) = answer["policyDocument"]["Statement"]
    assert sorted(statement["Resource"]) == [f"{GATEWAY}/GET/link", f"{GATEWAY}/POST/link/multipart/init"]
    assert answer["context"] == {"kid": "k1", "owner": "owner", "linkId": "1" * 28}


def test_the_gateway_keeps_an_answer_for_five_minutes() -> None:
    (declared,) = handlers.app.builtin_auth_handlers
    assert (declared.name, declared.ttl_seconds) == ("upload_token_authorizer", 300)


@pytest.mark.parametrize("header", ["bearer the.token", "BEARER  the.token ", "Bearer the.token\t"])
def test_the_scheme_may_be_written_in_any_case(verified: list[str], header: str) -> None:
    authorize(header)
    assert verified == ["the.token"]


@pytest.mark.parametrize("header", ["", "the.token", "Basic the.token", "Token the.token", "Bearer\tthe.token"])
def test_another_scheme_is_refused_unseen(verified: list[str], header: str) -> None:
    with pytest.raises(upload_tokens.GatewayUnauthorizedError) as refused:
        authorize(header)
    assert str(refused.value) == "Unauthorized"
    assert not verified


def test_a_refused_token_is_the_text_of_which_the_gateway_makes_a_401(monkeypatch: pytest.MonkeyPatch) -> None:
    _fail(monkeypatch, UnauthorizedError())
    with pytest.raises(Exception, match=r"^Unauthorized$"):
        authorize("Bearer the.token")


def test_a_denied_function_is_not_the_callers_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    _fail(monkeypatch, KmsError("VerifyMac", 400, "AccessDeniedException"))
    with pytest.raises(StorageForbiddenError):
        authorize("Bearer the.token")


def test_a_token_that_cannot_be_checked_is_not_let_in(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    _fail(monkeypatch, StorageBusyError())
    with caplog.at_level(logging.INFO), pytest.raises(StorageBusyError):
        authorize("Bearer the.token")
    assert "upload token cannot be checked" in caplog.messages
