"""Common behaviour of the operators' commands: arguments, confirmation, exit codes."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from botocore.exceptions import BotoCoreError, ClientError

from chalicelib.core.video_id import is_video_id
from deploy.errors import DeployError, NotConfirmedError
from deploy.stack_outputs import StackOutputs, outputs_in, stack_outputs

FAILED = 1
INTERRUPTED = 130
"""Exit code after Ctrl-C, as shells report it: 128 and SIGINT."""


def command_parser(file: str, description: str | None) -> argparse.ArgumentParser:
    """The parser of one command.

    file: the module's `__file__`, which names the program. description: the module's docstring, shown by --help.
    Options cannot be abbreviated: a typing error must not match another option.
    """
    return argparse.ArgumentParser(
        prog=f"python -m deploy.{Path(file).stem}",
        description=description,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )


def take_stage(parser: argparse.ArgumentParser) -> argparse._MutuallyExclusiveGroup:
    """Add the options that choose a deployed stage. Further alternatives go into the returned group."""
    stage = parser.add_mutually_exclusive_group()
    stage.add_argument("--stage", help="stack of the stage (default: the selected one)")
    stage.add_argument(
        "--outputs",
        type=Path,
        metavar="FILE",
        help="file with the output of `pulumi stack output --json`, instead of running Pulumi",
    )
    return stage


def stage_parser(file: str, description: str | None) -> argparse.ArgumentParser:
    """The parser of a command for one deployed stage. Arguments as in `command_parser`."""
    parser = command_parser(file, description)
    take_stage(parser)
    return parser


def user_parser(file: str, description: str | None) -> argparse.ArgumentParser:
    """The parser of a command that changes one user's account after confirmation."""
    parser = stage_parser(file, description)
    parser.add_argument("user", metavar="USER", help="e-mail address, user name or owner")
    take_answer(parser)
    return parser


def video_parser(file: str, description: str | None) -> argparse.ArgumentParser:
    """The parser of a command for one video."""
    parser = stage_parser(file, description)
    parser.add_argument("video_id", type=video_id, metavar="VIDEO_ID", help="28 hex digits")
    parser.add_argument("--owner", metavar="USER", help="e-mail address or owner; makes the search faster")
    return parser


def take_answer(parser: argparse.ArgumentParser) -> None:
    """Add --yes, for a command that calls `confirm`."""
    parser.add_argument("--yes", action="store_true", help="do not ask for confirmation; required without a terminal")


def video_id(text: str) -> str:
    """Check a videoId that an operator typed, before all owners are searched for it. Raises ArgumentTypeError."""
    if not is_video_id(text):
        raise argparse.ArgumentTypeError(f"{text!r} is not a video id, which has 28 hex digits")
    return text


def chosen_outputs(options: argparse.Namespace, *, show_secrets: bool = False) -> StackOutputs:
    """The outputs of the chosen stage. Raises OutputsNotReadableError.

    show_secrets: whether Pulumi prints secrets in plain text. No effect on a file.
    """
    if options.outputs:
        return outputs_in(options.outputs)
    return stack_outputs(options.stage, show_secrets=show_secrets)


def say(line: str) -> None:
    """Print one line about a finding or a step."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def say_progress(line: str) -> None:
    """Print one line of progress, which is not part of the result."""
    sys.stderr.write(f"{line}\n")


def confirm(question: str, wanted: str, *, confirmed: bool) -> None:
    """Return once the operator has typed `wanted`. Raises NotConfirmedError.

    confirmed: by --yes, which is required without a terminal.
    """
    if confirmed:
        return
    if not sys.stdin.isatty():
        raise NotConfirmedError(f"cannot ask for confirmation without a terminal: {question} Add --yes to confirm")
    sys.stdout.write(f"{question}\nType {wanted} to continue: ")
    sys.stdout.flush()
    if sys.stdin.readline().strip() != wanted:
        raise NotConfirmedError(f"{wanted!r} was not typed")


def exit_status(command: Callable[[], int | None]) -> int:
    """Run a command and return its exit code: its result, 0 for None, FAILED after an error, whose reason is
    printed."""
    try:
        return command() or 0
    except DeployError as error:
        sys.stderr.write(f"{error}\n")
    except (ClientError, BotoCoreError) as error:
        sys.stderr.write(f"AWS did not carry out the request: {error}\n")
    except KeyboardInterrupt:
        sys.stderr.write("interrupted: run the command again to continue\n")
        return INTERRUPTED
    return FAILED


def shown_time(moment: datetime) -> str:
    """In UTC, to the second."""
    return moment.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
