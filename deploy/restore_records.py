"""Restore lost records: `make restore-records STAGE=prod ARGS="2026-11-27T08:00:00Z"`, or of one video: `--video ID`.

Restores each record that has since become missing, overwritten or unreadable to its state at that time, from the
versions that S3 keeps for `noncurrentDays`, and rebuilds the index. Shows its plan and asks for confirmation.
Tombstones and newer records stay as they are, and so do videos and posters. Stop uploads first: later changes of a
restored record are lost. Safe to repeat.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import groupby

from chalicelib.core.video_id import VideoRef
from chalicelib.core.video_record import GONE_STATES, STORED_STATES, VideoRecord
from deploy.command import chosen_outputs, confirm, exit_status, say, shown_time, stage_parser, take_answer, video_id
from deploy.deployed_stage import DeployedStage
from deploy.errors import NotRestorableError
from deploy.find_upload import find_video
from deploy.object_versions import ObjectVersion, versions_under
from deploy.rebuild_index import rebuild
from deploy.users import find_owner


@dataclass(frozen=True, kw_only=True)
class LostRecord:
    """record: to be written. etag: of the object that it replaces; None if there is none."""

    record: VideoRecord
    etag: str | None


def plan(stage: DeployedStage, prefix: str, moment: datetime) -> Iterator[LostRecord]:
    """Find the records under a prefix that have changed, reading only those written since."""
    listed = sorted(versions_under(stage.s3, stage.metadata_bucket, prefix), key=lambda version: version.key)
    for key, group in groupby(listed, key=lambda version: version.key):
        versions = list(group)
        # S3 lists versions newest first (S3 API reference, ListObjectVersions), and sorting is stable.
        bodies = [version for version in versions if not version.is_delete_marker]
        earlier = [version for version in bodies if version.modified_at <= moment]
        if not earlier or earlier[0].is_latest:
            continue
        newest = _read(stage, bodies[0])
        before = next((record for version in earlier if (record := _read(stage, version))), None)
        if before is None or before.state in GONE_STATES or (newest and newest.state in GONE_STATES):
            continue
        if bodies[0].is_latest and newest and newest.noted(revision=before.revision) == before:
            continue  # restored already
        current = stage.metadata.get(key)
        # Each write increments the revision: the index uses the highest.
        revision = max(before.revision + len(bodies), newest.revision + 1 if newest else 0)
        yield LostRecord(record=before.noted(revision=revision), etag=current.etag if current else None)


def restore(stage: DeployedStage, lost: LostRecord) -> None:
    """Write the record. Raises NotRestorableError if it was changed meanwhile."""
    record = lost.record
    if record.state not in STORED_STATES or record.notified_at is None:
        # The janitor only settles records with a marker.
        stage.records.reserve(record.ref, record.size_bytes)
    if not stage.records.put_back(record, lost.etag):
        raise NotRestorableError(record.video_id, "its record was changed meanwhile; run the command again")


def _read(stage: DeployedStage, version: ObjectVersion) -> VideoRecord | None:
    """The record in a version; None for one that is unreadable."""
    answer = stage.s3.get_object(Bucket=stage.metadata_bucket, Key=version.key, VersionId=version.version_id)
    try:
        record = VideoRecord.from_json(answer["Body"].read())
    except (ValueError, KeyError, TypeError, AttributeError):
        return None
    return record if record.ref.record_key == version.key else None


def moment_typed(text: str) -> datetime:
    """Check a time that an operator typed. Raises ArgumentTypeError."""
    refusal = f"{text!r} is not a time with a time zone, such as 2026-11-27T08:00:00Z"
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(refusal) from None
    if moment.tzinfo is None:
        raise argparse.ArgumentTypeError(refusal)
    return moment.astimezone(UTC)


def parser() -> argparse.ArgumentParser:
    options = stage_parser(__file__, __doc__)
    options.add_argument("moment", type=moment_typed, metavar="TIME", help="such as 2026-11-27T08:00:00Z")
    options.add_argument("--video", type=video_id, metavar="VIDEO_ID", help="this video's record alone")
    options.add_argument("--owner", metavar="USER", help="e-mail address or owner: this user's records alone")
    take_answer(options)
    return options


def main(arguments: Sequence[str] | None = None) -> int:
    options = parser().parse_args(arguments)
    return exit_status(lambda: _restore(DeployedStage.opened(chosen_outputs(options)), options))


def _restore(stage: DeployedStage, options: argparse.Namespace) -> None:
    owner = find_owner(stage, options.owner).owner if options.owner else None
    all_lost = list(plan(stage, _prefix(stage, options.video, owner), options.moment))
    if not all_lost:
        say(f"no record has been lost since {shown_time(options.moment)}")
        return
    for lost in all_lost:
        how = "replacing the current record" if lost.etag else "the record is missing"
        say(f"write {lost.record.ref.record_key} as {lost.record.state}, {how}")
    question = f"{len(all_lost)} records will be restored to their state at {shown_time(options.moment)}."
    confirm(question, stage.context.stage, confirmed=options.yes)
    for lost in all_lost:
        restore(stage, lost)
    say(f"{len(all_lost)} records are restored")
    # The stage first, because later changes are folded into it as well.
    rebuild(stage, (None, *dict.fromkeys(lost.record.owner for lost in all_lost)))
    say("the index is rebuilt")


def _prefix(stage: DeployedStage, wanted: str | None, owner: str | None) -> str:
    if wanted:
        return (VideoRef(owner, wanted) if owner else find_video(stage, wanted)).record_key
    return f"records/{owner}/" if owner else "records/"


if __name__ == "__main__":
    sys.exit(main())
