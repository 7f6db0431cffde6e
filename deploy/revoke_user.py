"""Lock a user out: `make revoke-user STAGE=prod ARGS="ada@example.com"`.

Asks for confirmation. Disables the account, signs it out everywhere, revokes its upload links, and aborts its open
uploads, which also ends upload tokens. Videos stay. Earlier access tokens stay valid for at most an hour, because API
Gateway does not ask Cognito about each: run the command again then. Safe to repeat.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from chalicelib.core.deletion import remove_objects
from chalicelib.core.upload_links import LinkState, UploadLink
from chalicelib.core.video_record import State, VideoRecord
from deploy.command import chosen_outputs, confirm, exit_status, say, shown_time, user_parser
from deploy.deployed_stage import DeployedStage
from deploy.users import Owner, find_owner

ACCESS_TOKEN_LIFE = timedelta(minutes=60)
"""Lifetime set in components/auth/app_clients.py; a test compares them."""


@dataclass(frozen=True)
class AbortedUploads:
    """left: uploads that S3 was already completing and will finish."""

    aborted: tuple[VideoRecord, ...]
    left: tuple[VideoRecord, ...]


def lock_out(stage: DeployedStage, user_name: str) -> datetime:
    """Disable the account and sign it out; return when the last earlier access token expires."""
    stage.cognito.admin_disable_user(UserPoolId=stage.user_pool_id, Username=user_name)
    stage.cognito.admin_user_global_sign_out(UserPoolId=stage.user_pool_id, Username=user_name)
    return datetime.now(UTC) + ACCESS_TOKEN_LIFE


def abort_uploads(stage: DeployedStage, owner: str) -> AbortedUploads:
    """Abort an owner's open uploads. Each record is changed before its parts are deleted, so that tokens and
    completions find it settled. Safe to repeat."""
    aborted: list[VideoRecord] = []
    left: list[VideoRecord] = []
    for record in stage.records.open_of(owner):
        change = stage.records.change(record.ref, _aborted)
        current = change.record if change else None
        if current is None or current.state is State.ABORTED:
            remove_objects(current or record, stage.videos, stage.metadata, stage.records, datetime.now(UTC))
            aborted.append(current or record)
        elif current.state in {State.COMPLETING, State.PROCESSING}:
            left.append(current)
    return AbortedUploads(tuple(aborted), tuple(left))


def revoke_links(stage: DeployedStage, owner: str) -> list[UploadLink]:
    """Revoke an owner's open links, with which others could still upload. Safe to repeat."""
    now = datetime.now(UTC)
    is_open = [
        used.link for used in stage.links.list_newest(owner, most=None) if used.link.state(now) is LinkState.OPEN
    ]
    return [stage.links.revoke(owner, link.link_id) for link in is_open]


def _aborted(record: VideoRecord) -> VideoRecord | None:
    return record.moved_to(State.ABORTED, datetime.now(UTC)) if record.state is State.UPLOADING else None


def parser() -> argparse.ArgumentParser:
    return user_parser(__file__, __doc__)


def main(arguments: Sequence[str] | None = None) -> int:
    options = parser().parse_args(arguments)
    return exit_status(lambda: _revoke(DeployedStage.opened(chosen_outputs(options)), options))


def _revoke(stage: DeployedStage, options: argparse.Namespace) -> None:
    owner = find_owner(stage, options.user)
    open_records = stage.records.open_of(owner.owner)
    for record in open_records:
        say(f"open: {record.video_id}  {record.state}  {record.size_bytes:,} bytes  uploadId {record.upload_id or '-'}")
    question = f"{owner} will be locked out of {stage.context.stage}, and {len(open_records)} uploads aborted."
    confirm(question, options.user, confirmed=options.yes)
    say_locked_out(stage, owner)
    # Before the search for uploads: an open link could begin others.
    say(f"{len(revoke_links(stage, owner.owner))} upload links revoked")
    done = abort_uploads(stage, owner.owner)
    say(f"{len(done.aborted)} uploads aborted; their upload tokens no longer work")
    for record in done.left:
        say(f"not aborted: {record.video_id} is {record.state}, S3 already has the whole file")


def say_locked_out(stage: DeployedStage, owner: Owner) -> None:
    """Lock out, and say so."""
    if owner.user_name is None:
        say(f"{owner}: there is no account to disable; for a machine client, set `machineClient` false")
        return
    until = lock_out(stage, owner.user_name)
    say(f"{owner}: disabled and signed out everywhere")
    say(f"earlier access tokens are valid until {shown_time(until)}; run this again then")


if __name__ == "__main__":
    sys.exit(main())
