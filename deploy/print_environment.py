"""Print the environment of a deployed stage for a local API: `python -m deploy.print_environment`.

Use it as `exports="$(python -m deploy.print_environment)" && eval "$exports"`, then `chalice local --stage dev` in
chalice_app, with AWS credentials that have the functions' rights.
"""

from __future__ import annotations

import argparse
import shlex
import sys
from collections.abc import Mapping, Sequence

from deploy.command import chosen_outputs, exit_status, say, stage_parser
from deploy.stack_outputs import StackOutputs


def environment_of(outputs: StackOutputs) -> dict[str, str]:
    """Variables for one process that serves every route and verifies the stage's tokens.

    Raises OutputsNotReadableError.
    """
    own = {"FUNCTION": "all", "AWS_REGION": outputs.region, "TOKEN_ISSUER": outputs["authority"]}
    return {**outputs.environment, **own}


def parser() -> argparse.ArgumentParser:
    return stage_parser(__file__, __doc__)


def main(arguments: Sequence[str] | None = None) -> int:
    """Print lines for a shell to evaluate; none if an output is missing."""
    options = parser().parse_args(arguments)
    return exit_status(lambda: _print(environment_of(chosen_outputs(options))))


def _print(environment: Mapping[str, str]) -> None:
    say("\n".join(f"export {name}={shlex.quote(value)}" for name, value in environment.items()))


if __name__ == "__main__":
    sys.exit(main())
