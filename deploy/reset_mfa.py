"""Reset a lost authenticator app: `make reset-mfa STAGE=prod ARGS="ada@example.com"`.

Asks for confirmation: verify the person's identity by another channel than the one of the request. Deletes the app from
the account and signs the account out everywhere. The account, its owner id and its videos stay. The next sign-in asks
only for the password; if `mfa` is `required`, it makes the person set up a new app first. Earlier access tokens, and
the lost device's sign-in session, stay valid for at most an hour. Safe to repeat.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from deploy.command import chosen_outputs, confirm, exit_status, say, user_parser
from deploy.deployed_stage import DeployedStage
from deploy.errors import AccountNotFoundError
from deploy.users import find_owner


def reset(stage: DeployedStage, user_name: str) -> None:
    """Delete the app, and sign the account out even if it had none."""
    account = {"UserPoolId": stage.user_pool_id, "Username": user_name}
    try:
        stage.cognito.admin_delete_software_token(**account)
    finally:
        stage.cognito.admin_user_global_sign_out(**account)


def parser() -> argparse.ArgumentParser:
    return user_parser(__file__, __doc__)


def main(arguments: Sequence[str] | None = None) -> int:
    options = parser().parse_args(arguments)
    return exit_status(lambda: _reset(DeployedStage.opened(chosen_outputs(options)), options))


def _reset(stage: DeployedStage, options: argparse.Namespace) -> None:
    owner = find_owner(stage, options.user)
    if owner.user_name is None:
        raise AccountNotFoundError(options.user)
    question = f"{owner} will sign in to {stage.context.stage} without their current authenticator app."
    confirm(question, options.user, confirmed=options.yes)
    reset(stage, owner.user_name)
    say(f"{owner}: the authenticator app is deleted, and the account signed out everywhere")


if __name__ == "__main__":
    sys.exit(main())
