"""The Cognito authorizer: which user pool, and which scopes open a route."""

import importlib

import pytest

from chalicelib.routes import users


def test_the_authorizer_asks_the_stages_own_user_pool(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("USER_POOL_ARN", "arn:aws:cognito-idp:eu-central-1:123456789012:userpool/own")
    try:
        authorizer = importlib.reload(users).users
    finally:
        monkeypatch.undo()
        importlib.reload(users)
    assert authorizer.name == "users"
    assert authorizer.to_swagger()["x-amazon-apigateway-authorizer"]["providerARNs"] == [
        "arn:aws:cognito-idp:eu-central-1:123456789012:userpool/own"
    ]


def test_only_the_write_scope_opens_what_writes() -> None:
    assert users.may_write.scopes == ["video-upload/write"]
    assert users.may_read.scopes == ["video-upload/read", "video-upload/write"]
