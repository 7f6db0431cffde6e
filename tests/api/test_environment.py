"""The one reader of the environment."""

import pytest

from chalicelib.environment import Environment, InvalidEnvironmentError
from tests.api.function_process import local_variables


def test_the_local_stage_is_complete() -> None:
    environment = Environment.read(local_variables())
    assert environment.stage == "local"
    assert list(environment.token_keys) == ["local"]
    assert environment.client_ids == {"web", "desktop", "native", "machine"}


def test_every_mistake_is_named_at_once() -> None:
    variables = {
        **local_variables(),
        "VIDEO_BUCKET": "",
        "URL_TTL_SECONDS": "901",
        "PART_SIZE_BYTES": "five",
        "UPLOAD_TOKEN_KEYS": "no-kid",
        "FUNCTION": "unknown",
        "TRANSFER_ACCELERATION": "maybe",
    }
    with pytest.raises(InvalidEnvironmentError) as wrong:
        Environment.read(variables)
    assert len(wrong.value.problems) == 6
    for name in ("VIDEO_BUCKET", "URL_TTL_SECONDS", "PART_SIZE_BYTES", "UPLOAD_TOKEN_KEYS", "FUNCTION", "ACCELERATION"):
        assert any(name in problem for problem in wrong.value.problems)


def test_the_first_token_key_signs_and_all_verify() -> None:
    environment = Environment.read({**local_variables(), "UPLOAD_TOKEN_KEYS": "k2=arn:b,k1=arn:a"})
    assert list(environment.token_keys.items()) == [("k2", "arn:b"), ("k1", "arn:a")]


def test_no_variable_makes_a_function_in_lambda_local(monkeypatch: pytest.MonkeyPatch) -> None:
    """A local platform may send webhooks to loopback. Lambda's own variable cannot be set away from outside."""
    environment = Environment.read({**local_variables(), "AWS_ENDPOINT_URL": "http://127.0.0.1:8001"})
    assert environment.is_local
    monkeypatch.setenv("AWS_LAMBDA_FUNCTION_NAME", "video-upload-prod-notification-delivery")
    assert not environment.is_local
    monkeypatch.delenv("AWS_LAMBDA_FUNCTION_NAME")
    assert not Environment.read({**local_variables(), "AWS_ENDPOINT_URL": ""}).is_local


def test_webhooks_are_read_by_name() -> None:
    webhooks = "mine=https://a.example.com/in?key=1,other=https://b.example.com/"
    environment = Environment.read({**local_variables(), "WEBHOOKS": webhooks})
    assert environment.webhook_urls == {"mine": "https://a.example.com/in?key=1", "other": "https://b.example.com/"}
    with pytest.raises(InvalidEnvironmentError, match="WEBHOOKS"):
        Environment.read({**local_variables(), "WEBHOOKS": "https://a.example.com/"})
