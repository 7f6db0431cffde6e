"""Make, rotate or retire a webhook's signing secret: `make webhook-secret STAGE=prod ARGS="make billing"`.

make      make the secret of a new webhook and print it
rotate    make a second secret and print it; both sign from then on
finish    retire the first one, once the receiver verifies with the second

The secret is stored encrypted in SSM Parameter Store and printed once: give it to the receiver over a safe channel. The
stack's state, logs and functions' environments do not contain it. A change takes effect within a minute. Rotating and
finishing ask for confirmation.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

import boto3

from chalicelib.adapters.webhook_secrets import parameter_name
from chalicelib.core.webhook_signatures import MAX_SECRETS, new_secret
from deploy.command import chosen_outputs, confirm, exit_status, say, stage_parser, take_answer
from deploy.errors import WebhookSecretError
from deploy.stack_outputs import StackOutputs

if TYPE_CHECKING:
    from types_boto3_ssm.client import SSMClient


def make(secrets: Sequence[str], webhook: str) -> list[str]:
    """Raises WebhookSecretError."""
    if secrets:
        raise WebhookSecretError(webhook, "already has a secret; `rotate` makes another")
    return [new_secret()]


def rotate(secrets: Sequence[str], webhook: str) -> list[str]:
    """Add a second secret, which comes first. Raises WebhookSecretError."""
    if not secrets:
        raise WebhookSecretError(webhook, "has no secret; `make` makes one")
    if len(secrets) == MAX_SECRETS:
        raise WebhookSecretError(webhook, "is already being rotated; `finish` ends the rotation")
    return [new_secret(), *secrets]


def finish(secrets: Sequence[str], webhook: str) -> list[str]:
    """Keep the newer of two secrets. Raises WebhookSecretError."""
    if len(secrets) != MAX_SECRETS:
        raise WebhookSecretError(webhook, "is not being rotated")
    return [secrets[0]]


Step = Callable[[Sequence[str], str], list[str]]
STEPS: Mapping[str, Step] = {"make": make, "rotate": rotate, "finish": finish}
QUESTIONS = {
    "rotate": "A second secret will sign for {webhook} in {stage}.",
    "finish": "The first secret of {webhook} in {stage} will no longer sign; a receiver that has only this secret "
    "refuses notifications.",
}


def stored_secrets(ssm: SSMClient, name: str) -> list[str]:
    try:
        answer = ssm.get_parameter(Name=name, WithDecryption=True)
    except ssm.exceptions.ParameterNotFound:
        return []
    return answer["Parameter"].get("Value", "").split()


def parser() -> argparse.ArgumentParser:
    options = stage_parser(__file__, __doc__)
    options.add_argument("step", choices=sorted(STEPS), metavar="STEP", help="make, rotate or finish")
    options.add_argument("webhook", metavar="NAME", help="of the webhook, as in the setting `webhooks`")
    take_answer(options)
    return options


def main(arguments: Sequence[str] | None = None) -> int:
    options = parser().parse_args(arguments)
    return exit_status(lambda: _change(chosen_outputs(options), options))


def _change(outputs: StackOutputs, options: argparse.Namespace) -> None:
    stage, webhook = outputs.environment["STAGE"], options.webhook
    known = [pair.partition("=")[0] for pair in outputs.environment["WEBHOOKS"].split(",") if pair]
    if webhook not in known:
        raise WebhookSecretError(webhook, f"is not a webhook of {stage}, which has {', '.join(known) or 'none'}")
    ssm = boto3.Session(region_name=outputs.region).client("ssm")
    name = parameter_name(stage, webhook)
    changed = STEPS[options.step](stored_secrets(ssm, name), webhook)
    if question := QUESTIONS.get(options.step):
        confirm(question.format(webhook=webhook, stage=stage), webhook, confirmed=options.yes)
    ssm.put_parameter(Name=name, Value=" ".join(changed), Type="SecureString", Overwrite=options.step != "make")
    if options.step == "finish":
        say(f"{webhook}: one secret signs")
    else:
        say(f"{webhook}: give this secret to the receiver; it is not shown again")
        say(changed[0])


if __name__ == "__main__":
    sys.exit(main())
