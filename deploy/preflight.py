"""Check an account before a stage's first deployment: `make preflight STAGE=prod`.

Changes nothing. Prints one line per check: ok, will fail, or cannot tell with the next step. The stage's settings come
from Pulumi.yaml and its own file, so no stack is needed. The exit code is 1 if anything will fail, 2 for wrong
arguments.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from deploy.command import FAILED, command_parser, exit_status, say

if TYPE_CHECKING:
    from deploy.findings import Check, Finding
    from deploy.stack_resources import StackResources

VERDICT_WIDTH = 11


def parser() -> argparse.ArgumentParser:
    made = command_parser(__file__, __doc__)
    asked = made.add_mutually_exclusive_group(required=True)
    asked.add_argument("--stage", help="stage to check, by the name of its stack")
    asked.add_argument("--policy", action="store_true", help="print the IAM policy that all checks need, read-only")
    return made


def main(arguments: Sequence[str] | None = None) -> int:
    """Print a line for each check; return 1 if the stage will fail."""
    options = parser().parse_args(arguments)
    if options.policy:
        say(json.dumps(policy(), indent=2))
        return 0
    return exit_status(lambda: _preflight(options.stage))


def policy() -> dict[str, object]:
    """An IAM policy with the permissions of all checks."""
    actions = sorted({action for check in checks() for action in check.actions})
    # All actions read, and most support no resource.
    return {
        "Version": "2012-10-17",
        "Statement": [{"Sid": "Preflight", "Effect": "Allow", "Action": actions, "Resource": "*"}],
    }


def checks() -> tuple[Check, ...]:
    """All checks that ask AWS or a company, in the order of their lines."""
    from deploy.account_checks import ACCOUNT_CHECKS  # noqa: PLC0415 - `--help` needs none
    from deploy.company_checks import COMPANY_CHECKS  # noqa: PLC0415
    from deploy.conversion_checks import CONVERSION_CHECKS  # noqa: PLC0415
    from deploy.messaging_checks import MESSAGING_CHECKS  # noqa: PLC0415
    from deploy.name_checks import NAME_CHECKS  # noqa: PLC0415
    from deploy.quota_checks import QUOTA_CHECKS  # noqa: PLC0415

    account, quotas = (*ACCOUNT_CHECKS, *NAME_CHECKS), (*CONVERSION_CHECKS, *QUOTA_CHECKS)
    return (*account, *COMPANY_CHECKS, *MESSAGING_CHECKS, *quotas)


def _preflight(stage: str) -> int:
    from rich.console import Console  # noqa: PLC0415 - `--help` needs none

    from deploy.findings import Verdict  # noqa: PLC0415

    counted = dict.fromkeys(Verdict, 0)
    with Console(stderr=True).status("checking …"):
        for subject, finding in findings(stage):
            counted[finding.verdict] += 1
            # One line, even if AWS's message has several.
            text = "; ".join(filter(None, (" ".join(line.split()) for line in finding.text.splitlines())))
            say(f"{finding.verdict:<{VERDICT_WIDTH}}  {subject}: {text.replace(':;', ':')}")
    say(", ".join(f"{count} {verdict}" for verdict, count in counted.items()))
    return FAILED if counted[Verdict.WILL_FAIL] else 0


def findings(stage: str) -> Iterator[tuple[str, Finding]]:
    """Subjects and findings of all checks, each as soon as it is known."""
    import boto3  # noqa: PLC0415 - `--help` needs none
    from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError  # noqa: PLC0415

    from components.declared_stage import StageError, declare, settings_of  # noqa: PLC0415
    from deploy.findings import ok, will_fail  # noqa: PLC0415
    from deploy.machine_checks import interpreter, pulumi_version  # noqa: PLC0415
    from deploy.planned_stage import PlannedStage  # noqa: PLC0415

    try:
        settings = settings_of(stage)
    except StageError as error:
        yield "settings", will_fail(str(error))
        return
    yield "settings", ok("all are valid")
    yield "Pulumi", pulumi_version()
    yield "python for bytecode", interpreter(settings)
    session = boto3.Session()
    try:
        caller = session.client("sts", region_name=declare(stage).region).get_caller_identity()
    except NoCredentialsError:
        yield "credentials", will_fail("none found; sign in, then run this again")
        return
    except (ClientError, BotoCoreError) as error:
        yield "credentials", will_fail(f"AWS does not take them ({error}); sign in, then run this again")
        return
    account_id = caller["Account"]
    yield "credentials", ok(f"{caller['Arn']} in account {account_id}")
    planned = PlannedStage(
        declared=declare(stage, account_id=account_id),
        session=session,
        account_id=account_id,
        made=_made(stage),
    )
    for check in checks():
        if check.applies(planned):
            yield check.subject, check.find(planned)


def _made(stage: str) -> StackResources | None:
    from deploy.errors import StateNotReadableError  # noqa: PLC0415 - `--help` needs none
    from deploy.stack_resources import stack_resources  # noqa: PLC0415

    try:
        return stack_resources(stage)
    except StateNotReadableError:
        return None


if __name__ == "__main__":
    sys.exit(main())
