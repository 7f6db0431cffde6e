"""The environment of the API's processes: that of `chalice local`, at this platform's addresses."""

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
    """overrides: any variable of chalicelib.environment, for trying out other limits."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    return {
        **inherited,
        **stand_in_environment(),
        "AWS_ENDPOINT_URL": stand_in_url,
        "TOKEN_ISSUER": sign_in_url,
        "CORS_ORIGIN": site_url,
        # What the Chalice CLI sets: the app then brings the gateway that verifies tokens.
        "AWS_CHALICE_CLI_MODE": "true",
        # Nothing but loopback is asked for credentials.
        "AWS_EC2_METADATA_DISABLED": "true",
        "PYTHONPATH": os.pathsep.join([str(REPOSITORY), str(CHALICE_APP)]),
        "PYTHONUNBUFFERED": "1",
        **overrides,
    }


@contextmanager
def aws_credentials(environment: dict[str, str]) -> Generator[None]:
    """boto3 reads them from the environment when a client is made."""
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
