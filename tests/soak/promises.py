"""Promises of the platform to its users. Each function yields those that a history broke, in words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from chalicelib.core.malware_scan import needs_withdrawal
from chalicelib.core.part_plan import MIN_PART_BYTES
from chalicelib.core.video_id import VideoRef
from chalicelib.core.video_record import OPEN_STATES, STORED_STATES, State, VideoRecord
from tests.in_memory_platform import InMemoryPlatform
from tests.soak.attempt import Attempt, is_malware
from tests.soak.renditions import FOLDER
from tests.soak.scanner import Scanner

MAX_OPEN_UPLOADS = 3
MAX_STORED_VIDEOS = 2
MAX_STORED_BYTES = MIN_PART_BYTES + 4_096
EVENT_STATE = {state: state.value for state in State} | {State.EXPIRED: "failed"}


def broken_at_rest(
    platform: InMemoryPlatform, scanner: Scanner, attempts: Sequence[Attempt], records: Mapping[VideoRef, VideoRecord]
) -> Iterator[str]:
    """Promises that were broken, seen once every event is delivered and the schedule has run."""
    for attempt in attempts:
        if attempt.ref:
            yield from _of_attempt(platform, scanner, attempt, records.get(attempt.ref))
    yield from _of_leftovers(platform, records)
    yield from _of_each_video_once(platform, attempts, records)


def broken_limits(platform: InMemoryPlatform, owner: str, records: Sequence[VideoRecord]) -> Iterator[str]:
    """Promises that were broken, at any moment: an upload with a reservation counts as stored."""
    held = sum(record.state in OPEN_STATES and record.reservation_released_at is None for record in records)
    if held > MAX_OPEN_UPLOADS:
        yield f"{owner} has {held} uploads that hold a reservation"
    if not platform.room.caps.limit_stored:
        return
    sizes = [
        record.size_bytes
        for record in records
        if (record.state in OPEN_STATES and record.reservation_released_at is None)
        or (record.state in STORED_STATES and platform.videos.visible(record.ref.file_key) is not None)
    ]
    if len(sizes) > MAX_STORED_VIDEOS or sum(sizes) > MAX_STORED_BYTES:
        yield f"{owner} has {len(sizes)} videos of {sum(sizes)} bytes, stored or reserved"


def _of_attempt(
    platform: InMemoryPlatform, scanner: Scanner, attempt: Attempt, record: VideoRecord | None
) -> Iterator[str]:
    name = f"{attempt.owner}'s {attempt.correlation_id}"
    visible = platform.videos.visible(attempt.ref.file_key) if attempt.ref else None
    state = record.state if record else None
    if attempt.is_deleted and (visible is not None or state is not State.DELETED):
        yield f"{name} was deleted and is {state}"
    elif attempt.is_promised and not attempt.is_deleted:
        deleted_unheard = state is State.DELETED  # the answer to the deletion was lost
        if not deleted_unheard and (state not in {State.READY, State.REJECTED} or visible != attempt.content):
            yield f"{name} had arrived whole and is {state}, {len(visible or b'')} bytes"
    if attempt.is_aborted and state not in {State.ABORTED, State.DELETED}:
        yield f"{name} was aborted and is {state}"
    if state is State.READY and visible != attempt.content:
        yield f"{name} is ready with other bytes"
    if state is State.READY and scanner.rejects_malware and is_malware(attempt.content):
        yield f"{name} is ready and contains malware"
    if record and needs_withdrawal(record):
        yield f"{name} is ready, and a scan found malware"


def _of_leftovers(platform: InMemoryPlatform, records: Mapping[VideoRef, VideoRecord]) -> Iterator[str]:
    if markers := list(platform.records.markers()):
        yield f"{len(markers)} markers are left, as of {markers[0].ref.video_id}"
    # One that no record knows never had a part: the bucket's lifecycle rule drops it.
    known = {record.upload_id for record in records.values()}
    left = [
        each
        for upload_id, each in platform.videos.uploads.items()
        # The same rule drops the parts of a copy that died.
        if upload_id in known or (each.parts and not each.key.startswith(FOLDER))
    ]
    if left:
        yield f"{len(left)} multipart uploads are left"
    for key, versions in platform.videos.versions.items():
        if key.startswith(FOLDER):
            continue
        ref = VideoRef.from_file_key(key)
        record = records.get(ref) if ref else None
        visible = platform.videos.visible(key) is not None
        if visible and (record is None or record.state not in {State.READY, State.REJECTED}):
            yield f"an object of a video that is {record.state if record else None} is visible"
        wanted_tag = "accepted" if record and record.state is State.READY else "rejected"
        if visible and versions[-1].tags.get("verdict") != wanted_tag:
            yield f"the newest object of {key} has the tags {versions[-1].tags}"
        if record and record.state is State.DELETED and record.media and not versions:
            yield f"{key} cannot be restored after its deletion"
    posters = {key for key in platform.metadata.objects if key.startswith("posters/")}
    wanted = {
        key
        for ref, record in records.items()
        if record.state is State.READY
        for key in (ref.picture_keys if (record.media or {}).get("thumbnails") else [ref.poster_key])
    }
    if posters != wanted:
        yield f"posters: {len(posters - wanted)} too many, {len(wanted - posters)} missing"


def _of_each_video_once(
    platform: InMemoryPlatform, attempts: Sequence[Attempt], records: Mapping[VideoRef, VideoRecord]
) -> Iterator[str]:
    told = {(message["videoId"], message["state"]) for message in platform.notifier.messages}
    for ref, record in records.items():
        if record.state is not State.ABORTED and (ref.video_id, EVENT_STATE[record.state]) not in told:
            yield f"nobody was told that {ref.video_id} is {record.state}"
        if record.state not in {State.READY, State.REJECTED, State.ABORTED, State.EXPIRED, State.DELETED}:
            yield f"{ref.video_id} is stuck in {record.state}"
    alive: dict[tuple[str, str], int] = {}
    for record in records.values():
        if record.correlation_id and record.state in {State.READY, State.REJECTED}:
            known = (record.owner, record.correlation_id)
            alive[known] = alive.get(known, 0) + 1
    for (owner, correlation_id), count in alive.items():
        begun = sum(each.owner == owner and each.correlation_id == correlation_id for each in attempts)
        if count > begun:
            yield f"{owner}'s {correlation_id} became {count} videos"
