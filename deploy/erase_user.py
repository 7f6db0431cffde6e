"""Erase a user and all of the user's data: `make erase-user STAGE=prod ARGS="ada@example.com"`.

Asks for confirmation. Locks the user out, aborts uploads, stops conversions, removes every version of every video,
rendition, record, poster, thumbnails and marker, proves by listing that nothing is left, and deletes the account last.
This cannot be undone. Safe to repeat, by the owner's id once the account is deleted.

Earlier access tokens stay valid for up to an hour, a form for a small upload for a quarter of an hour: run the command
again after that, by the owner's id.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from itertools import islice

from chalicelib.core.index.reading import PackKeys
from chalicelib.core.video_record import GONE_STATES, Deleter, VideoRecord
from deploy.command import chosen_outputs, confirm, exit_status, say, say_progress, user_parser
from deploy.deployed_stage import DeployedStage
from deploy.errors import NotErasedError
from deploy.object_versions import ObjectVersion, unfinished_under, versions_under
from deploy.revoke_user import say_locked_out
from deploy.users import Owner, find_owner, folders_of

MAX_DELETED_KEYS = 1_000  # S3 API reference, DeleteObjects
MOST_PASSES = 5
PAUSE_SECONDS = 1.0
WHAT_REMAINS = """\
What remains, until it expires by itself:
- the log lines of the functions and the API, the trail, S3's and CloudFront's access logs (`logDays`): they carry the
  owner's id, which no longer identifies anyone, and IP addresses. They include the reports of the user's clients:
  videoIds, sizes, times, the client's version and its operating system;
- events in the dead-letter queue (14 days), which carry keys;
- how many seconds of the user's videos were converted in the last day (`noncurrentDays`), by the owner's id;
- what subscribers of the notification topic have kept (they were notified of each deletion), and whatever the user or
  others have downloaded."""


def erase_objects(stage: DeployedStage, owner: str) -> int:
    """Erase an owner's objects and return the number of versions, delete markers and unfinished uploads erased.

    Safe to repeat. Raises NotErasedError.
    """
    for record in stage.records.newest_first(owner):
        # Clients with a token, and late events, find a tombstone while the objects are erased.
        if change := stage.records.change(record.ref, _deleted):
            stage.announcements.send_owed(change.record)
            if not stage.stops_conversion(change.record):
                raise NotErasedError(owner, [f"a conversion of {change.record.video_id}, which may still write"])
    erased = 0
    for key, upload_id in _unfinished(stage, owner):
        stage.videos.abort_multipart_upload(key, upload_id)
        erased += 1
    for bucket, prefix in folders_of(stage, owner):
        removed: set[str] = set()
        # Always from the start: the keys listed before are gone.
        while batch := list(islice(versions_under(stage.s3, bucket, prefix), MAX_DELETED_KEYS)):
            if still_there := [version.key for version in batch if version.version_id in removed]:
                raise NotErasedError(owner, still_there)
            _delete_for_good(stage, owner, bucket, batch)
            removed.update(version.version_id for version in batch)
            erased += len(batch)
            say_progress(f"{erased} versions removed …")
    return erased


def erase_all(stage: DeployedStage, owner: str) -> int:
    """Repeat `erase_objects` until the janitor and late events add no objects. Raises NotErasedError."""
    erased, left = 0, list[str]()
    for _ in range(MOST_PASSES):
        erased += erase_objects(stage, owner)
        left = list(left_of(stage, owner))
        if not left:
            return erased
        time.sleep(PAUSE_SECONDS)
    raise NotErasedError(owner, left)


def forget_in_index(stage: DeployedStage, owner: str) -> None:
    """Remove an owner's videos from the stage's index, and the index's older versions.

    Raises NotErasedError, IndexRacedError.
    """
    stage.folding.forget(owner)
    for keys in (PackKeys.of(None).base, PackKeys.of(None).recent):
        outdated = [
            version for version in versions_under(stage.s3, stage.metadata_bucket, keys) if not version.is_latest
        ]
        for start in range(0, len(outdated), MAX_DELETED_KEYS):
            _delete_for_good(stage, owner, stage.metadata_bucket, outdated[start : start + MAX_DELETED_KEYS])


def left_of(stage: DeployedStage, owner: str) -> Iterator[str]:
    """Return all data of an owner that S3 still lists."""
    for bucket, prefix in folders_of(stage, owner):
        for version in versions_under(stage.s3, bucket, prefix):
            yield f"s3://{bucket}/{version.key} (version {version.version_id})"
    for key, upload_id in _unfinished(stage, owner):
        yield f"unfinished upload {upload_id} of {key}"


def _delete_for_good(stage: DeployedStage, owner: str, bucket: str, versions: Sequence[ObjectVersion]) -> None:
    answer = stage.s3.delete_objects(
        Bucket=bucket,
        Delete={
            "Objects": [{"Key": version.key, "VersionId": version.version_id} for version in versions],
            "Quiet": True,
        },
    )
    if errors := answer.get("Errors"):
        raise NotErasedError(owner, [f"{error.get('Key')}: {error.get('Message')}" for error in errors])


def _deleted(record: VideoRecord) -> VideoRecord | None:
    return None if record.state in GONE_STATES else record.deleted(Deleter.OPERATOR, datetime.now(UTC))


def _unfinished(stage: DeployedStage, owner: str) -> Iterator[tuple[str, str]]:
    for folder in ("videos", "renditions"):
        yield from unfinished_under(stage.s3, stage.video_bucket, f"{folder}/{owner}/")


def parser() -> argparse.ArgumentParser:
    return user_parser(__file__, __doc__)


def main(arguments: Sequence[str] | None = None) -> int:
    options = parser().parse_args(arguments)
    return exit_status(lambda: _erase(DeployedStage.opened(chosen_outputs(options)), options))


def _erase(stage: DeployedStage, options: argparse.Namespace) -> None:
    owner = find_owner(stage, options.user)
    videos = sum(1 for _ in stage.metadata.list_keys(f"records/{owner.owner}/"))
    question = f"{owner} and all of the user's {videos} videos will be deleted permanently from {stage.context.stage}."
    confirm(question, options.user, confirmed=options.yes)
    say_locked_out(stage, owner)
    say(f"{erase_all(stage, owner.owner)} versions and unfinished uploads removed")
    for bucket, prefix in folders_of(stage, owner.owner):
        say(f"listed: s3://{bucket}/{prefix} holds no version, no delete marker")
    say(f"listed: no unfinished upload under videos/{owner.owner}/ and renditions/{owner.owner}/")
    forget_in_index(stage, owner.owner)
    say("the index of the stage no longer contains the videos, nor do its older versions")
    _delete_account(stage, owner)
    say(WHAT_REMAINS)


def _delete_account(stage: DeployedStage, owner: Owner) -> None:
    if owner.user_name is not None:
        stage.cognito.admin_delete_user(UserPoolId=stage.user_pool_id, Username=owner.user_name)
        say(f"the account is deleted; run the command again in an hour with the owner's id: {owner.owner}")


if __name__ == "__main__":
    sys.exit(main())
