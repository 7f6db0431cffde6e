"""Restore a deleted video: `make restore-video STAGE=prod ARGS="VIDEO_ID"`.

Works as long as S3 keeps the deleted versions (setting `noncurrentDays`). Shows its plan and asks for confirmation. The
object, its poster and its thumbnails are restored before the record. Processing then settles the video again, after a
malware scan if the stage has one, and notifies subscribers. Safe to repeat after an interruption.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from chalicelib.core.video_id import VideoRef
from chalicelib.core.video_record import STORED_STATES, State, VideoRecord
from deploy.command import chosen_outputs, confirm, exit_status, say, take_answer, video_parser
from deploy.deployed_stage import DeployedStage
from deploy.errors import NotRestorableError
from deploy.find_upload import find_video
from deploy.object_versions import KeyHistory, history_of
from deploy.users import find_owner

GONE = "S3 has removed it: `noncurrentDays` have passed since the deletion"


@dataclass(frozen=True, kw_only=True)
class Restoration:
    """Plan of a restoration, made before anything is changed.

    record: from before the deletion, or the current one. tombstone: the record that it replaces; None if it is already
    restored. version_id: of the object. hidden: keys by bucket whose delete markers must be removed.
    """

    ref: VideoRef
    record: VideoRecord
    tombstone: VideoRecord | None
    version_id: str
    hidden: tuple[tuple[str, KeyHistory], ...]

    @property
    def is_done(self) -> bool:
        return self.tombstone is None and not self.hidden


def plan(stage: DeployedStage, ref: VideoRef) -> Restoration:
    """Make the plan without changing anything. Raises NotRestorableError."""
    current = stage.records.find(ref)
    if current is None:
        raise NotRestorableError(ref.video_id, "its record has expired, as tombstones do after `tombstoneDays`")
    is_deleted = current.state is State.DELETED
    record = _before_deletion(stage, ref) if is_deleted else current
    if record.state not in STORED_STATES:
        raise NotRestorableError(
            ref.video_id, f"it was {record.state}, S3 never had the whole file, and its parts are gone"
        )
    video = history_of(stage.s3, stage.video_bucket, ref.file_key)
    if not video.bodies:
        raise NotRestorableError(ref.video_id, GONE)
    if record.version_id not in {None, video.bodies[0].version_id}:
        raise NotRestorableError(
            ref.video_id, f"the inspected version, {record.version_id}, is gone or hidden by a newer one"
        )
    poster = history_of(stage.s3, stage.metadata_bucket, ref.poster_key)
    if record.state is State.READY and not poster.bodies:
        raise NotRestorableError(ref.video_id, f"its poster: {GONE}")
    # Thumbnails are optional.
    thumbnails = history_of(stage.s3, stage.metadata_bucket, ref.thumbnails_key)
    histories = (
        (stage.video_bucket, video),
        (stage.metadata_bucket, poster),
        *([(stage.metadata_bucket, thumbnails)] if thumbnails.bodies else []),
    )
    return Restoration(
        ref=ref,
        record=record,
        tombstone=current if is_deleted else None,
        version_id=video.bodies[0].version_id,
        hidden=tuple((bucket, history) for bucket, history in histories if history.is_hidden),
    )


def restore(stage: DeployedStage, restoration: Restoration) -> VideoRecord:
    """Restore the video and return its record. Raises NotRestorableError if the record was changed meanwhile."""
    ref, record = restoration.ref, restoration.record
    if restoration.tombstone is not None and not stage.stops_conversion(restoration.tombstone):
        # It would overwrite the restored video's rendition.
        raise NotRestorableError(
            ref.video_id, "a conversion from before its deletion is still running; run the command again"
        )
    for bucket, history in restoration.hidden:
        for marker in history.delete_markers:
            stage.s3.delete_object(Bucket=bucket, Key=marker.key, VersionId=marker.version_id)
    tombstone = restoration.tombstone
    if tombstone is not None:
        record = record.restored(datetime.now(UTC), version_id=restoration.version_id, scans=tombstone.scans)
    if not _is_settled(record):
        # Even if it was restored before: a janitor that still saw the tombstone may have removed the marker.
        stage.records.reserve(ref, record.size_bytes)
    # Written without a tag: an object with a tombstone's tag expires.
    if tombstone is not None and not stage.records.restore(tombstone, record):
        raise NotRestorableError(ref.video_id, "its record was changed meanwhile; run the command again")
    if not plan(stage, ref).is_done:
        raise NotRestorableError(ref.video_id, "it was deleted again meanwhile; run the command again")
    if not _is_settled(record):
        newest = history_of(stage.s3, stage.video_bucket, ref.file_key).bodies[0]
        stage.processing.trigger(ref.file_key, newest.version_id, newest.size_bytes or 0)
    return record


def _before_deletion(stage: DeployedStage, ref: VideoRef) -> VideoRecord:
    for version in history_of(stage.s3, stage.metadata_bucket, ref.record_key).bodies:
        answer = stage.s3.get_object(Bucket=stage.metadata_bucket, Key=version.key, VersionId=version.version_id)
        record = VideoRecord.from_json(answer["Body"].read())
        if record.state is not State.DELETED:
            return record
    raise NotRestorableError(ref.video_id, f"the record before the deletion: {GONE}")


def _is_settled(record: VideoRecord) -> bool:
    """Check whether the video is processed and its owner notified."""
    return record.state is not State.PROCESSING and record.notified_at is not None


def parser() -> argparse.ArgumentParser:
    options = video_parser(__file__, __doc__)
    take_answer(options)
    return options


def main(arguments: Sequence[str] | None = None) -> int:
    options = parser().parse_args(arguments)
    return exit_status(lambda: _restore(DeployedStage.opened(chosen_outputs(options)), options))


def _restore(stage: DeployedStage, options: argparse.Namespace) -> None:
    owner = find_owner(stage, options.owner).owner if options.owner else None
    restoration = plan(stage, find_video(stage, options.video_id, owner))
    wanted, state = options.video_id, restoration.record.state
    if restoration.is_done:
        say(f"{wanted} is {state}; there is nothing to restore")
        return
    for bucket, history in restoration.hidden:
        say(
            f"remove the delete marker of s3://{bucket}/{history.bodies[0].key} "
            f"({history.bodies[0].size_bytes:,} bytes)"
        )
    if restoration.tombstone is not None:
        say(f"write the record back as {state}")
    confirm(f"{wanted} will be {state} again in {stage.context.stage}.", wanted, confirmed=options.yes)
    record = restore(stage, restoration)
    ending = "its owner sees it again" if _is_settled(record) else "it is being processed"
    say(f"{wanted} is {record.state}: {ending}")


if __name__ == "__main__":
    sys.exit(main())
