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
