"""Liveness and version."""

from chalice.app import Response

from chalicelib.contract.answers import Health
from chalicelib.environment import FUNCTIONS
from chalicelib.routes.api_blueprint import ApiBlueprint, answered
from chalicelib.wiring import services

health = ApiBlueprint(__name__, *FUNCTIONS)


@health.route("/health", methods=["GET"])
def report_health() -> Response:
    environment = services().environment
    return answered(Health(status="ok", version=environment.version, stage=environment.stage))
