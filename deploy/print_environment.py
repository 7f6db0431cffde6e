"""Prints the environment of a deployed stage for `chalice local`: `python -m deploy.print_environment`.

Use it as `eval "export $(python -m deploy.print_environment)"`, then `chalice local --stage dev` in chalice_app, with
AWS credentials that may do what the functions may.
"""

from __future__ import annotations

import shlex
import sys
from collections.abc import Mapping
from typing import Any

from deploy.publish_site import OutputsNotReadableError, stack_outputs


def environment_of(outputs: Mapping[str, Any]) -> dict[str, str]:
    """Variables of one process that serves every route and verifies the stage's own tokens. Raises KeyError."""
    shared: dict[str, str] = outputs["functionEnvironment"]
    region = shared["COMPLETION_TOPIC_ARN"].split(":")[3]
    return {**shared, "FUNCTION": "all", "AWS_REGION": region, "TOKEN_ISSUER": outputs["authority"]}


def main() -> None:
    """One line of assignments that a shell understands."""
    try:
        environment = environment_of(stack_outputs())
    except KeyError as missing:
        sys.exit(str(OutputsNotReadableError(f"it has no {missing}")))
    except OutputsNotReadableError as error:
        sys.exit(str(error))
    sys.stdout.write(" ".join(f"{name}={shlex.quote(value)}" for name, value in environment.items()) + "\n")


if __name__ == "__main__":
    main()
