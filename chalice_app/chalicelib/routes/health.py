"""Liveness and version."""

from chalice.app import Response

from chalicelib.contract.responses import Health
from chalicelib.environment import FUNCTIONS
from chalicelib.routes.api_blueprint import ApiBlueprint, respond
from chalicelib.wiring import services

health = ApiBlueprint(__name__, *FUNCTIONS)


@health.route("/health", methods=["GET"])
def report_health() -> Response:
    environment = services().environment
    return respond(Health(status="ok", version=environment.version, stage=environment.stage))
