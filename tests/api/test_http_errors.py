"""Domain errors become HTTP answers in one table."""

import inspect
import re

from chalicelib.contract.errors import GATEWAY_ERRORS, STATUS_BY_CODE, meaning
from chalicelib.core import errors
from chalicelib.http_errors import STATUS_BY_ERROR, error_response


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


def test_every_code_has_one_status_and_its_words_for_developers() -> None:
    assert len(STATUS_BY_CODE) == len(STATUS_BY_ERROR) + len(GATEWAY_ERRORS)
    assert {STATUS_BY_CODE[kind.code] for kind in leaves()} >= {400, 401, 403, 404, 405, 409, 413, 415, 429, 500, 503}
    assert all(re.fullmatch(r"[A-Z].+\.", meaning(kind)) for kind in leaves())


def test_a_busy_storage_says_when_to_come_back() -> None:
    response = error_response(errors.StorageUnavailableError(retry_after_seconds=7), "request-1")
    assert response.headers["Retry-After"] == "7"
    assert response.status_code == 503
