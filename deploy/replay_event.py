"""Process one video again: `make replay-event STAGE=prod ARGS="VIDEO_ID"`.

Sends S3's event again and waits until the video is settled. For a video whose event was lost or failed; `make redrive`
sends all events in the dead-letter queue. Processing is idempotent: a ready video stays ready.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence

from chalicelib.core.video_id import VideoRef
from chalicelib.core.video_record import GONE_STATES, OPEN_STATES, VideoRecord
from deploy.command import chosen_outputs, exit_status, say, say_progress, video_parser
from deploy.deployed_stage import DeployedStage
from deploy.errors import NotReplayableError, VideoUnknownError
from deploy.find_upload import find_video
from deploy.object_versions import history_of
from deploy.users import find_owner

POLL_SECONDS = 2.0


def replay(stage: DeployedStage, ref: VideoRef) -> VideoRecord:
    """Send the event, and return the current record. Raises VideoUnknownError, NotReplayableError."""
    record = stage.records.find(ref)
    if record is None:
        raise VideoUnknownError(ref.video_id)
    if record.state in GONE_STATES:
        # Processing treats an object of a settled upload as late, and removes its version permanently.
        reason = f"it is {record.state}: its event would destroy the rest of it. If it was deleted, restore it"
        raise NotReplayableError(ref.video_id, reason)
    # Listed, not read: only the platform's own roles may read a video that is not accepted.
    history = history_of(stage.s3, stage.video_bucket, ref.file_key)
    if history.is_hidden or not history.bodies:
        reason = f"it is {record.state}, and S3 has no object of it: its upload was not completed, or it was deleted"
        raise NotReplayableError(ref.video_id, reason)
    newest = history.bodies[0]
    stage.processing.trigger(ref.file_key, newest.version_id, newest.size_bytes or 0)
    return record


def wait_until_settled(stage: DeployedStage, ref: VideoRef, timeout_seconds: float) -> VideoRecord:
    """The record once it is settled. Raises NotReplayableError after the timeout, VideoUnknownError."""
    deadline = time.monotonic() + timeout_seconds
    while record := stage.records.find(ref):
        if record.state not in OPEN_STATES:
            return record
        if time.monotonic() > deadline:
            reason = f"after {timeout_seconds:.0f} s it is still {record.state}: see its log lines (make find-upload)"
            raise NotReplayableError(ref.video_id, reason)
        say_progress(f"{record.state} …")
        time.sleep(POLL_SECONDS)
    raise VideoUnknownError(ref.video_id)


def parser() -> argparse.ArgumentParser:
    options = video_parser(__file__, __doc__)
    options.add_argument(
        "--wait",
        type=float,
        default=300,
        metavar="SECONDS",
        help="time to wait for the result; 0 does not wait (default: 300)",
    )
    return options


def main(arguments: Sequence[str] | None = None) -> int:
    options = parser().parse_args(arguments)
    return exit_status(lambda: _replay(DeployedStage.opened(chosen_outputs(options)), options))


def _replay(stage: DeployedStage, options: argparse.Namespace) -> None:
    owner = find_owner(stage, options.owner).owner if options.owner else None
    ref = find_video(stage, options.video_id, owner)
    before = replay(stage, ref)
    say(f"{ref.video_id} was {before.state}; its event was sent")
    if options.wait:
        settled = wait_until_settled(stage, ref, options.wait)
        say(f"{ref.video_id} is {settled.state}{f': {settled.rejection.message}' if settled.rejection else ''}")


if __name__ == "__main__":
    sys.exit(main())
