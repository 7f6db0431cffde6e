"""The environment of the API's processes: that of `chalice local`, with this platform's addresses."""

import os
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from pathlib import Path

from chalicelib.environment import stand_in_environment

REPOSITORY = Path(__file__).resolve().parent.parent
CHALICE_APP = REPOSITORY / "chalice_app"
WEB_CLIENT = REPOSITORY / "clients" / "web" / "dist"


def api_environment(
    *, stand_in_url: str, sign_in_url: str, site_url: str, overrides: Mapping[str, str]
) -> dict[str, str]:
    """overrides: of variables in chalicelib.environment, to try out other limits."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    return {
        **inherited,
        **stand_in_environment(),
        "AWS_ENDPOINT_URL": stand_in_url,
        "TOKEN_ISSUER": sign_in_url,
        "CORS_ORIGIN": site_url,
        # Set as the Chalice CLI does: the app then includes the gateway that verifies tokens.
        "AWS_CHALICE_CLI_MODE": "true",
        # Credentials come from loopback only.
        "AWS_EC2_METADATA_DISABLED": "true",
        "PYTHONPATH": os.pathsep.join([str(REPOSITORY), str(CHALICE_APP)]),
        "PYTHONUNBUFFERED": "1",
        **overrides,
    }


@contextmanager
def aws_credentials(environment: dict[str, str]) -> Generator[None]:
    """Credentials, which boto3 reads from the environment when a client is created."""
    given = {name: environment[name] for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")}
    before = {name: os.environ.get(name) for name in given}
    os.environ.update(given)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name)
            else:
                os.environ[name] = value
