"""API Gateway's metrics, of the calls that the site receives in its place.

Needs the API's environment at import.
"""

import time
from typing import Any

import chalice.local
from aws_lambda_powertools.metrics import MetricUnit
from chalice.app import Chalice
from chalice.config import Config

from chalicelib.local_gateway import StrictGateway, VerifyingAuthorizer
from local.status.embedded_metrics import write_metrics
from local.status.local_names import API_NAME, API_STAGE

_DIMENSIONS = {"ApiName": API_NAME, "Stage": API_STAGE}


class _TimedAuthorizer(VerifyingAuthorizer):
    """passed_at: when the gateway passed the call to the function; None before."""

    passed_at: float | None = None

    def authorize(
        self, raw_path: str, lambda_event: dict[str, Any], lambda_context: chalice.local.LambdaContext
    ) -> tuple[dict[str, Any], chalice.local.LambdaContext]:
        allowed = super().authorize(raw_path, lambda_event, lambda_context)
        self.passed_at = time.perf_counter()
        return allowed


class MeasuredGateway(StrictGateway):
    """One call. Create it when the call arrives."""

    def __init__(self, app_object: Chalice, config: Config) -> None:
        self._arrived_at = time.perf_counter()
        self._answered_at: float | None = None
        super().__init__(app_object, config)
        self._authorizer = self._timed_authorizer = _TimedAuthorizer(app_object)  # pyrefly: ignore[bad-override-mutable-attribute]

    def handle_request(self, method: str, path: str, headers: dict[str, Any], body: bytes | None) -> dict[str, Any]:
        try:
            return super().handle_request(method, path, headers, body)
        finally:
            self._answered_at = time.perf_counter()

    def record(self, status: int) -> None:
        """Print API Gateway's metrics of a call (API Gateway Developer Guide, "Amazon API Gateway dimensions and
        metrics"). A call that reached no function has no IntegrationLatency."""
        values = {
            "Count": (1, MetricUnit.Count),
            "4XXError": (int(400 <= status < 500), MetricUnit.Count),
            "5XXError": (int(status >= 500), MetricUnit.Count),
            "Latency": (_milliseconds(self._arrived_at, time.perf_counter()), MetricUnit.Milliseconds),
        }
        if self._timed_authorizer.passed_at is not None and self._answered_at is not None:
            integration = _milliseconds(self._timed_authorizer.passed_at, self._answered_at)
            values["IntegrationLatency"] = (integration, MetricUnit.Milliseconds)
        write_metrics("AWS/ApiGateway", _DIMENSIONS, values)


def _milliseconds(start: float, end: float) -> float:
    return round((end - start) * 1000, 3)
