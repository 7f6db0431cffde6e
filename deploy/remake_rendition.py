"""Make a video's rendition again: `make remake-rendition STAGE=prod ARGS="VIDEO_ID"`.

For a rendition that failed, once the cause is gone, and for a video from before `renditions` was turned on. Shows its
plan and asks for confirmation: a conversion is paid by the minute of video. Safe to repeat; a rendition that is ready
or in progress stays as it is.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import dataclass

from chalicelib.core.rendition import Rendition
from chalicelib.core.renditions import wanted_rendition
from chalicelib.core.video_id import VideoRef
from chalicelib.core.video_record import State, VideoRecord
from deploy.command import chosen_outputs, confirm, exit_status, say, take_answer, video_parser
from deploy.deployed_stage import DeployedStage
from deploy.errors import NotRemadeError, VideoUnknownError
from deploy.find_upload import find_video
from deploy.users import find_owner


@dataclass(frozen=True, kw_only=True)
class Remake:
    """Plan of a rendition, made before anything is changed. wanted: None if one is ready or in progress."""

    record: VideoRecord
    wanted: Rendition | None


def plan(stage: DeployedStage, ref: VideoRef) -> Remake:
    """Make the plan without changing anything. Raises VideoUnknownError and NotRemadeError."""
    record = stage.records.find(ref)
    if record is None:
        raise VideoUnknownError(ref.video_id)
    if record.state is not State.READY:
        raise NotRemadeError(ref.video_id, f"it is {record.state}; only ready videos have renditions")
    if not stage.makes_renditions:
        raise NotRemadeError(ref.video_id, "the stage makes none: its setting `renditions` is off")
    if record.rendition and not record.rendition.has_failed:
        return Remake(record=record, wanted=None)
    wanted = wanted_rendition(record.media, record.size_bytes, converts=stage.conversions is not None)
    if wanted is None:
        raise NotRemadeError(
            ref.video_id, "it needs none, or can have none: all browsers play it, or it is too large, or too long"
        )
    return Remake(record=record, wanted=wanted)


def remake(stage: DeployedStage, asked: Remake) -> VideoRecord:
    """Request the rendition, and return the changed record."""
    ref, wanted = asked.record.ref, asked.wanted
    # Before the record, because the janitor only processes records with a marker.
    stage.records.watch(ref)

    def decide(current: VideoRecord) -> VideoRecord | None:
        is_free = current.rendition is None or current.rendition.has_failed
        return current.noted(rendition=wanted) if current.state is State.READY and is_free else None

    change = stage.records.change(ref, decide)
    if change is None:
        raise VideoUnknownError(ref.video_id)
    if change.mine and wanted and not wanted.is_converted:
        # The janitor starts conversions.
        stage.processing.trigger(ref.file_key, change.record.version_id or "", change.record.size_bytes)
    return change.record


def parser() -> argparse.ArgumentParser:
    options = video_parser(__file__, __doc__)
    take_answer(options)
    return options


def main(arguments: Sequence[str] | None = None) -> int:
    options = parser().parse_args(arguments)
    return exit_status(lambda: _remake(DeployedStage.opened(chosen_outputs(options)), options))


def _remake(stage: DeployedStage, options: argparse.Namespace) -> None:
    owner = find_owner(stage, options.owner).owner if options.owner else None
    asked = plan(stage, find_video(stage, options.video_id, owner))
    rendition, wanted = asked.record.rendition, asked.wanted
    if wanted is None:
        say(f"{options.video_id} has a rendition: {rendition.state if rendition else ''}")
        return
    before = f"failed ({rendition.failure})" if rendition else "none"
    say(f"rendition so far: {before}")
    media = asked.record.media or {}
    how = f"converted, {media['durationSeconds']} s of video" if wanted.is_converted else "copied"
    confirm(f"{options.video_id} will be {how}, in {stage.context.stage}.", options.video_id, confirmed=options.yes)
    after = remake(stage, asked)
    state = after.rendition.state if after.rendition else f"none: the video is {after.state}"
    say(f"rendition now: {state}{'; the janitor begins it within minutes' if wanted.is_converted else ''}")


if __name__ == "__main__":
    sys.exit(main())
