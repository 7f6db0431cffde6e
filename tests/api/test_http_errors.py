"""Domain errors become HTTP answers in one table."""

import inspect
from pathlib import Path

import pytest

from chalicelib.core import errors
from chalicelib.http_errors import STATUS_BY_ERROR, error_response

API_TEXT = (Path(__file__).parents[2] / "docs" / "api.md").read_text()


def leaves() -> list[type[errors.PlatformError]]:
    everyone = [
        kind
        for _, kind in inspect.getmembers(errors, inspect.isclass)
        if issubclass(kind, errors.PlatformError) and kind is not errors.PlatformError
    ]
    return [kind for kind in everyone if not kind.__subclasses__()]


def test_every_domain_error_has_a_status_and_only_those() -> None:
    assert set(STATUS_BY_ERROR) == set(leaves())


def test_the_drawn_tree_is_the_real_one() -> None:
    drawn = [line.split("─")[-1].split()[0] for line in (errors.__doc__ or "").splitlines() if "── " in line]
    real = {
        name
        for name, kind in inspect.getmembers(errors, inspect.isclass)
        if issubclass(kind, errors.PlatformError) and kind is not errors.PlatformError
    }
    assert set(drawn) == real


@pytest.mark.parametrize("kind", leaves(), ids=lambda kind: kind.__name__)
def test_every_code_is_in_the_documented_contract_under_its_status(kind: type[errors.PlatformError]) -> None:
    row = next(line for line in API_TEXT.splitlines() if line.startswith(f"| {STATUS_BY_ERROR[kind]} |"))
    assert f"`{kind.code}`" in row


def test_a_busy_storage_says_when_to_come_back() -> None:
    response = error_response(errors.StorageUnavailableError(retry_after_seconds=7), "request-1")
    assert response.headers["Retry-After"] == "7"
    assert response.status_code == 503
