"""What the operators' commands have in common: which stage, a question before anything is lost, how they end."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from botocore.exceptions import BotoCoreError, ClientError

from deploy.errors import DeployError, NotConfirmedError
from deploy.stack_outputs import StackOutputs, outputs_in, stack_outputs

FAILED = 1


def stage_parser(description: str | None) -> argparse.ArgumentParser:
    """A parser that asks for the stage; description: the command's own docstring."""
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    where = parser.add_mutually_exclusive_group()
    where.add_argument("--stage", help="stack whose outputs name everything (default: the selected one)")
    where.add_argument(
        "--outputs", type=Path, metavar="FILE", help="what `pulumi stack output --json` wrote, instead of asking Pulumi"
    )
    return parser


def user_parser(description: str | None) -> argparse.ArgumentParser:
    """For what is done to a user, after a question."""
    parser = stage_parser(description)
    parser.add_argument("user", metavar="USER", help="e-mail address, user name or owner")
    parser.add_argument("--yes", action="store_true", help="do not ask")
    return parser


def chosen_outputs(options: argparse.Namespace) -> StackOutputs:
    """Of the stage that was named. Raises OutputsNotReadableError."""
    return outputs_in(options.outputs) if options.outputs else stack_outputs(options.stage)


def say(line: str) -> None:
    """One line of what was found or done."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def say_progress(line: str) -> None:
    """One line for whoever waits; not part of the answer."""
    sys.stderr.write(f"{line}\n")


def confirm(question: str, wanted: str, *, confirmed: bool) -> None:
    """Go on only when the operator types `wanted`; confirmed: has said so beforehand. Raises NotConfirmedError."""
    if confirmed:
        return
    sys.stdout.write(f"{question}\nType {wanted} to go on: ")
    sys.stdout.flush()
    if sys.stdin.readline().strip() != wanted:
        raise NotConfirmedError(wanted)


def exit_status(command: Callable[[], None]) -> int:
    """Run; 0, or FAILED after the reason was written for the operator."""
    try:
        command()
    except DeployError as error:
        sys.stderr.write(f"{error}\n")
    except (ClientError, BotoCoreError) as error:
        sys.stderr.write(f"AWS did not do it: {error}\n")
    else:
        return 0
    return FAILED


def shown_time(moment: datetime) -> str:
    """In UTC, to the second."""
    return moment.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
