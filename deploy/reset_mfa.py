"""Reset a lost authenticator app: `make reset-mfa STAGE=prod ARGS="ada@example.com"`.

Asks first: make sure that you speak with this person, by another way than the one that asked you. Deletes the app from
the account and signs the account out everywhere. The account, its owner id and its videos stay. The next sign-in asks
for the password alone; where `mfa` is `required`, it sets up a new app before it lets the person in. Access tokens that
were issued before are good until they expire, at most an hour, and so is the lost device's session at the sign-in.
Safe to repeat.
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
    """Delete the app, and sign out even when there was none."""
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
    question = f"{owner} will sign in to {stage.context.stage} without their present authenticator app."
    confirm(question, options.user, confirmed=options.yes)
    reset(stage, owner.user_name)
    say(f"{owner}: the authenticator app is deleted, and the account signed out everywhere")


if __name__ == "__main__":
    sys.exit(main())
