"""AWS as real boto3 clients see it, with answers that a test gives: requests and answers must fit AWS's own models."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any

from boto3.session import Session
from botocore.exceptions import EndpointConnectionError
from botocore.validate import validate_parameters

Answers = Mapping[str, dict[str, Any] | str | Exception]
"""AWS's answer to each operation, the code of its error, or an exception that keeps the call from AWS."""

UNREACHABLE = EndpointConnectionError(endpoint_url="https://nowhere.amazonaws.com")


class AnsweringSession:
    """Replacement for a boto3 session. An operation without an answer is one that the test did not expect."""

    def __init__(self, answers: Answers, *, regions: Mapping[str, list[str]] | None = None) -> None:
        self.answers = dict(answers)
        self._regions = regions or {}
        self.asked: list[str] = []

    def client(self, service: str, **options: Any) -> Any:
        make: Any = _session().client
        client = make(service, **options)
        client.meta.events.register("before-call", self._answer)
        return client

    def get_available_regions(self, service: str) -> list[str]:
        """Regions that the SDK knows of a service, unless the test gives others."""
        return self._regions.get(service, _session().get_available_regions(service))

    def _answer(self, model: Any, **_: Any) -> tuple[Any, dict[str, Any]]:
        self.asked.append(model.name)
        answer = self.answers[model.name]
        if isinstance(answer, Exception):
            raise answer
        if isinstance(answer, str):
            return _refused(*answer.split(": ", 1))
        validate_parameters(answer, model.output_shape)
        return SimpleNamespace(status_code=200), answer


def _refused(code: str, message: str = "") -> tuple[Any, dict[str, Any]]:
    status = int(code) if code.isdigit() else 400
    error = {"Error": {"Code": code, "Message": message}, "ResponseMetadata": {"HTTPStatusCode": status}}
    return SimpleNamespace(status_code=status), error


@functools.cache
def _session() -> Session:
    """One session for all tests, since each reads AWS's models again."""
    return Session(aws_access_key_id="nobody", aws_secret_access_key="nothing", region_name="eu-central-1")
