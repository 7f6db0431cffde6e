"""Appoint, dismiss or list a stage's administrators: `make administrators STAGE=prod ARGS="add ada@example.com"`.

add       put a person into the group of administrators
remove    take a person out of it
list      print its members

Administrators list, view and delete the videos of all users. The change takes effect with the person's next token: at
the next sign-in, or within an hour. Adding and removing ask for confirmation.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from deploy.command import chosen_outputs, confirm, exit_status, say, stage_parser, take_answer
from deploy.deployed_stage import DeployedStage
from deploy.errors import AccountNotFoundError, NoAdministratorsError
from deploy.users import find_owner, owner_of


def parser() -> argparse.ArgumentParser:
    options = stage_parser(__file__, __doc__)
    options.add_argument("action", choices=("add", "list", "remove"), metavar="ACTION", help="add, remove or list")
    options.add_argument("user", metavar="USER", nargs="?", help="e-mail address, user name or owner")
    take_answer(options)
    return options


def main(arguments: Sequence[str] | None = None) -> int:
    known = parser()
    options = known.parse_args(arguments)
    if (options.user is None) != (options.action == "list"):
        known.error("add and remove need a USER; list takes none")
    return exit_status(lambda: _run(DeployedStage.opened(chosen_outputs(options)), options))


def _run(stage: DeployedStage, options: argparse.Namespace) -> None:
    group = stage.administrators_group
    if not group:
        raise NoAdministratorsError(stage.context.stage)
    if options.action == "list":
        _list(stage, group)
    else:
        _change(stage, group, options)


def _list(stage: DeployedStage, group: str) -> None:
    pages = stage.cognito.get_paginator("list_users_in_group").paginate(UserPoolId=stage.user_pool_id, GroupName=group)
    members = [owner_of(user) for page in pages for user in page["Users"]]
    for member in members:
        say(str(member))
    if not members:
        say(f"nobody is in the group {group}")


def _change(stage: DeployedStage, group: str, options: argparse.Namespace) -> None:
    owner = find_owner(stage, options.user)
    if owner.user_name is None:
        raise AccountNotFoundError(options.user)
    account = {"UserPoolId": stage.user_pool_id, "Username": owner.user_name, "GroupName": group}
    if options.action == "add":
        question = f"{owner} will list, view and delete the videos of all users of {stage.context.stage}."
        confirm(question, options.user, confirmed=options.yes)
        stage.cognito.admin_add_user_to_group(**account)
        say(f"{owner}: an administrator from the next token on")
    else:
        confirm(
            f"{owner} will no longer be an administrator of {stage.context.stage}.", options.user, confirmed=options.yes
        )
        stage.cognito.admin_remove_user_from_group(**account)
        say(f"{owner}: no longer an administrator from the next token on; the current token expires within an hour")


if __name__ == "__main__":
    sys.exit(main())
