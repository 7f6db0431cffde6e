"""Least privilege: each function's role grants exactly the calls that the app makes to AWS."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import pytest

from chalicelib.core.completion import LEASE
from chalicelib.core.conversions import JobState
from chalicelib.core.errors import TooManyOpenUploadsError
from chalicelib.core.malware_scan import MAX_SCAN_REQUESTS, ScanPolicy, ScanResult
from chalicelib.core.outbox import outbox_key
from chalicelib.core.part_plan import MIN_PART_BYTES
from chalicelib.core.ports import StoredObject
from chalicelib.core.upload_requests import StartUpload
from chalicelib.core.video_id import VideoRef, new_video_id
from tests.in_memory_films import MP4_HEAD
from tests.in_memory_platform import InMemoryPlatform, Transfer
from tests.infrastructure.function_rights import RIGHTS
from tests.infrastructure.recorded_program import Recording, record
from tests.infrastructure.safety.access import BASICS, INTERFACES
from tests.infrastructure.safety.reading import as_list, statements, variables

SIZE_BYTES = MIN_PART_BYTES + 1

ACTIONS_BY_CALL: dict[str, set[str]] = {
    # method of a port → what its adapter's calls need, as the S3 API reference says it; S3 answers 404 only to who may
    # list, and a call that names a version needs the plain action, too (GetObject alone does not)
    "metadata.get": {"s3:GetObject", "s3:ListBucket"},
    "metadata.put_if_new": {"s3:PutObject"},
    "metadata.put_if_unchanged": {"s3:PutObject"},
    "metadata.retire_if_unchanged": {"s3:PutObject", "s3:PutObjectTagging"},
    "metadata.put": {"s3:PutObject"},
    "metadata.delete": {"s3:DeleteObject"},
    "metadata.list_keys": {"s3:ListBucket"},
    "videos.create_multipart_upload": {"s3:PutObject"},
    "videos.complete_multipart_upload": {"s3:PutObject"},
    "videos.presign_post": {"s3:PutObject"},
    "videos.list_parts": {"s3:ListMultipartUploadParts"},
    "videos.abort_multipart_upload": {"s3:AbortMultipartUpload", "s3:ListMultipartUploadParts"},
    "videos.list_upload_ids": {"s3:ListBucketMultipartUploads"},
    "videos.head": {"s3:GetObject", "s3:ListBucket"},
    "videos.head of a version": {"s3:GetObject", "s3:GetObjectVersion", "s3:ListBucket"},
    "videos.list_videos": {"s3:ListBucket"},
    "videos.read_range": {"s3:GetObjectVersion"},
    "videos.set_verdict": {"s3:PutObjectTagging", "s3:PutObjectVersionTagging"},
    "videos.delete": {"s3:DeleteObject"},
    "videos.delete_version": {"s3:DeleteObject", "s3:DeleteObjectVersion"},
    "mac.generate": {"kms:GenerateMac"},
    "mac.verify": {"kms:VerifyMac"},
    "notifier.announce": {"sns:Publish"},
    "notifier.publish": {"sns:Publish"},
    "renditions.begin": {"s3:PutObject"},
    "renditions.put_part": {"s3:PutObject"},
    "renditions.complete": {"s3:PutObject"},
    "renditions.abort": {"s3:AbortMultipartUpload"},
    "trigger.trigger": {"lambda:InvokeFunction"},
    "scanner.request_scan": {"guardduty:SendObjectMalwareScan"},
    "scaling.count_since": {"application-autoscaling:DescribeScalingActivities"},
    "converter.begin": {"mediaconvert:CreateJob", "mediaconvert:TagResource", "iam:PassRole"},
    "converter.find": {"mediaconvert:SearchJobs"},
    "converter.look": {"mediaconvert:GetJob"},
    "converter.cancel": {"mediaconvert:CancelJob"},
    "bill.cost_usd": {"ce:GetCostAndUsage"},
}

# S3 and SNS use the data key on the caller's behalf; Lambda sets failed events aside with the function's role; media
# URLs are signed through KMS.
_WITHOUT_A_CALL = {"kms:GenerateDataKey", "kms:Decrypt", "kms:Sign", "sqs:SendMessage"}
IMPLIED = {
    function: {action for actions in rights.values() for action in actions} & _WITHOUT_A_CALL
    for function, rights in RIGHTS.items()
}


class Recorder:
    """Notes which calls reach the outside world while a function is at work."""

    def __init__(
        self, platform: InMemoryPlatform, monkeypatch: pytest.MonkeyPatch, *, uses_outbox: bool = False
    ) -> None:
        announce = {"notifier.announce": {"s3:PutObject"}} if uses_outbox else {}
        self._actions_by_call = {**ACTIONS_BY_CALL, **announce}
        self.function = ""
        self.actions: dict[str, set[str]] = defaultdict(set)
        for call in ACTIONS_BY_CALL:
            port, _, method = call.partition(".")
            if " " not in method:
                target = getattr(platform, port)
                monkeypatch.setattr(target, method, self._noted(call, getattr(target, method)))

    def _noted(self, call: str, real: Callable[..., Any]) -> Callable[..., Any]:
        def noted(*args: Any, **named: Any) -> Any:
            version = call == "videos.head" and len(args) > 1 and args[1] is not None
            if self.function:
                self.actions[self.function] |= self._actions_by_call["videos.head of a version" if version else call]
            return real(*args, **named)

        return noted

    @contextmanager
    def at_work(self, function: str) -> Generator[None, None, None]:
        self.function = function
        yield
        self.function = ""


def start(platform: InMemoryPlatform, recorder: Recorder, owner: str) -> Transfer:
    with recorder.at_work("multipart_init"):
        started = platform.uploads.start(owner, StartUpload("film.mp4", "video/mp4", SIZE_BYTES))
        platform.uploads.open_uploads(owner, with_tokens=True)
    with recorder.at_work("upload_token_authorizer"):
        token = platform.tokens.verify(started.token)
    with recorder.at_work("multipart_init"):
        platform.uploads.stored_parts(token)
    return Transfer(platform, started, token)


def complete(platform: InMemoryPlatform, recorder: Recorder, transfer: Transfer) -> None:
    etags = transfer.send_parts()
    with recorder.at_work("multipart_complete"):
        platform.completions.complete(transfer.token, transfer.completion(etags))


def a_video_is_played_and_deleted(platform: InMemoryPlatform, recorder: Recorder) -> None:
    film = start(platform, recorder, "owner-of-film")
    complete(platform, recorder, film)
    with recorder.at_work("video_processing"):
        platform.process(film)
    twice = platform.videos.put_object(film.key, film.body)
    with recorder.at_work("video_processing"):
        platform.processing.process(StoredObject(film.key, twice))
        platform.processing.process(StoredObject(film.key, None))
    with recorder.at_work("video_upload"):
        platform.library.page("owner-of-film", 10, "")
        platform.room.usage("owner-of-film")
        platform.stage_library.show_usage("administrator")
        platform.library.show(film.token.ref)
        platform.library.delete(film.token.ref)


def a_small_video_is_offered_and_a_cap_is_met(platform: InMemoryPlatform, recorder: Recorder) -> None:
    with recorder.at_work("video_upload"):
        for _ in range(3):
            platform.simple_uploads.start("owner-of-small", StartUpload("small.mp4", "video/mp4", 10))
        with pytest.raises(TooManyOpenUploadsError):
            platform.simple_uploads.start("owner-of-small", StartUpload("small.mp4", "video/mp4", 10))
    for _ in range(3):
        start(platform, recorder, "owner-of-many")
    with recorder.at_work("multipart_init"), pytest.raises(TooManyOpenUploadsError):
        platform.start(owner="owner-of-many")


def two_see_the_last_place_free(platform: InMemoryPlatform, recorder: Recorder) -> None:
    for _ in range(2):
        start(platform, recorder, "owner-of-races")
    reserve = platform.records.reserve

    def be_late(ref: VideoRef, size_bytes: int) -> None:
        platform.records.reserve = reserve  # pyrefly: ignore[method-assign]
        platform.uploads.start(ref.owner, StartUpload("film.mp4", "video/mp4", SIZE_BYTES))
        reserve(ref, size_bytes)

    platform.records.reserve = be_late  # pyrefly: ignore[method-assign]
    with recorder.at_work("multipart_init"), pytest.raises(TooManyOpenUploadsError):
        platform.start(owner="owner-of-races")


def an_upload_is_aborted_or_deleted_before_its_event_arrives(platform: InMemoryPlatform, recorder: Recorder) -> None:
    aborted, deleted = (start(platform, recorder, f"owner-of-{name}") for name in ("aborted", "deleted"))
    with recorder.at_work("multipart_complete"):
        platform.uploads.abort(aborted.token)
    with recorder.at_work("video_upload"):
        platform.library.delete(deleted.token.ref)
    late = platform.videos.put_object(deleted.key, deleted.body)
    with recorder.at_work("video_processing"):
        platform.processing.process(StoredObject(deleted.key, late))


def the_janitor_repairs_what_was_left_behind(platform: InMemoryPlatform, recorder: Recorder) -> None:
    lost, slow = (start(platform, recorder, f"owner-of-{name}") for name in ("lost", "slow"))
    complete(platform, recorder, lost)  # its event never comes
    platform.records.reserve(new_ref(platform), 5)  # an init that died at once
    platform.videos.before_complete = give_up
    with pytest.raises(ConnectionAbortedError):
        complete(platform, recorder, slow)
    platform.videos.before_complete = go_on
    platform.clock.pass_time(seconds=LEASE.total_seconds() + 1, minutes=20)
    with recorder.at_work("janitor"):
        platform.janitor.sweep()
    platform.clock.pass_time(days=30)
    with recorder.at_work("janitor"):
        platform.janitor.sweep()
        platform.stage_figures.record()
        platform.stage_usage.record()


def a_form_is_sent_again_and_its_event_is_lost(platform: InMemoryPlatform, recorder: Recorder) -> None:
    for is_deleted in (False, True):
        with recorder.at_work("video_upload"):
            form = platform.simple_uploads.start("owner-of-form", StartUpload("small.mp4", "video/mp4", len(MP4_HEAD)))
        platform.videos.put_object(form.ref.file_key, MP4_HEAD)
        with recorder.at_work("video_processing"):
            platform.processing.process(StoredObject(form.ref.file_key, None))
        if is_deleted:
            with recorder.at_work("video_upload"):
                platform.library.delete(form.ref)
        platform.videos.put_object(form.ref.file_key, MP4_HEAD)
        with recorder.at_work("janitor"):
            platform.janitor.sweep()


def a_video_is_scanned(platform: InMemoryPlatform, recorder: Recorder) -> None:
    platform.change_scans(ScanPolicy(is_on=True, accepts_unscanned=True))
    films = ("answered", "unanswered", "deleted")
    answered, unanswered, deleted = (start(platform, recorder, f"owner-of-{name}") for name in films)
    for film in (answered, unanswered, deleted):
        complete(platform, recorder, film)
        with recorder.at_work("video_processing"):
            platform.process(film)
    for result in (ScanResult.UNSUPPORTED, ScanResult.INFECTED):
        with recorder.at_work("scan_verdict"):
            platform.scanned(answered, result)
        with recorder.at_work("video_processing"):
            platform.process_what_was_asked()
    with recorder.at_work("video_upload"):
        platform.library.delete(deleted.token.ref)
    with recorder.at_work("scan_verdict"):
        platform.scanned(deleted, ScanResult.CLEAN)
    for _ in range(MAX_SCAN_REQUESTS + 1):
        platform.clock.pass_time(hours=2)
        with recorder.at_work("janitor"):
            platform.janitor.sweep()


def a_video_gets_a_rendition(platform: InMemoryPlatform, recorder: Recorder) -> None:
    platform.change_renditions(makes=True)
    for is_copied in (True, False):
        film = start(platform, recorder, f"owner-of-copied-{is_copied}")
        complete(platform, recorder, film)
        if not is_copied:
            platform.fail_copies()
        with recorder.at_work("video_processing"):
            platform.process(film)
        with recorder.at_work("video_upload"):
            platform.library.delete(film.token.ref)


def a_video_is_converted(platform: InMemoryPlatform, recorder: Recorder) -> None:
    platform.turn_conversions_on()
    for is_taken in (True, False):
        film = start(platform, recorder, f"owner-of-converted-{is_taken}")
        complete(platform, recorder, film)
        with recorder.at_work("video_processing"):
            platform.process(film)
        with recorder.at_work("janitor"):
            platform.janitor.sweep()
        platform.converter.finish(MP4_HEAD)
        if not is_taken:
            with recorder.at_work("video_upload"):
                platform.library.delete(film.token.ref)
            job_id = list(platform.converter.jobs)[-1]
            platform.converter.jobs[job_id] = JobState.RUNNING
        with recorder.at_work("janitor"):
            platform.janitor.renditions.job_changed(film.token.ref)
            platform.janitor.sweep()
        with recorder.at_work("video_processing"):
            platform.process_what_was_asked()
    film = start(platform, recorder, "owner-of-a-lost-job")
    complete(platform, recorder, film)
    platform.process(film)
    platform.converter.raises = ConnectionError
    for _ in range(2):
        with recorder.at_work("janitor"):
            platform.janitor.sweep()
        platform.clock.pass_time(minutes=5)


def messages_wait_in_the_outbox(platform: InMemoryPlatform, recorder: Recorder) -> None:
    for event_id in ("evt_sent", "evt_delayed"):
        platform.metadata.put(outbox_key(event_id), b"{}", "application/json")
    with recorder.at_work("message_sender"):
        platform.outbox.send(outbox_key("evt_sent"))
    platform.clock.pass_time(hours=1)
    with recorder.at_work("janitor"):
        platform.outbox.send_delayed()


def new_ref(platform: InMemoryPlatform) -> VideoRef:
    return VideoRef("owner-of-nothing", new_video_id(platform.clock()))


def give_up() -> None:
    raise ConnectionAbortedError


def go_on() -> None:
    """S3 does as it is asked."""


WALKTHROUGHS = (
    a_video_is_played_and_deleted,
    a_small_video_is_offered_and_a_cap_is_met,
    two_see_the_last_place_free,
    an_upload_is_aborted_or_deleted_before_its_event_arrives,
    the_janitor_repairs_what_was_left_behind,
    a_form_is_sent_again_and_its_event_is_lost,
)


def granted_to(function: str, recording: Recording) -> set[str]:
    role = recording.one("iam/rolePolicy:RolePolicy", f"compute-{function}")
    granted = {action for each in statements(role) if each["Effect"] == "Allow" for action in as_list(each["Action"])}
    return granted - BASICS - INTERFACES


def test_roles_grant_exactly_what_the_app_asks_for(
    recording: Recording,
    platform: InMemoryPlatform,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    janitor = variables(recording, "janitor")
    uses_outbox = janitor["MESSAGE_OUTBOX"] == "true"
    recorder = Recorder(platform, monkeypatch, uses_outbox=uses_outbox)
    platform.stage_figures = replace(
        platform.stage_figures,
        scaling=platform.scaling if janitor["SCALED_FUNCTIONS"] else None,
        bill=platform.bill if janitor["COST_TAG"] else None,
    )
    limited = int(janitor["MAX_STORED_VIDEOS_PER_USER"])
    room = replace(platform.room, caps=replace(platform.room.caps, max_stored_videos=limited))
    platform.uploads = replace(platform.uploads, room=room)
    for walkthrough in (*WALKTHROUGHS, *((messages_wait_in_the_outbox,) if uses_outbox else ())):
        walkthrough(platform, recorder)
    sending = {"message_sender": IMPLIED["janitor"]} if uses_outbox else {}
    for function, implied in {**IMPLIED, **sending}.items():
        assert granted_to(function, recording) == recorder.actions[function] | implied, function


def test_with_scans_roles_grant_the_requests_of_scans_too(
    platform: InMemoryPlatform, monkeypatch: pytest.MonkeyPatch
) -> None:
    recording = record("dev", overrides={"malwareScan": True})
    recorder = Recorder(platform, monkeypatch)
    platform.stage_figures = replace(platform.stage_figures, scaling=None, bill=None)
    for walkthrough in (*WALKTHROUGHS, a_video_is_scanned):
        walkthrough(platform, recorder)
    for function, implied in {**IMPLIED, "scan_verdict": IMPLIED["janitor"]}.items():
        assert granted_to(function, recording) == recorder.actions[function] | implied, function


def test_with_renditions_roles_grant_the_requests_of_renditions_too(
    platform: InMemoryPlatform, monkeypatch: pytest.MonkeyPatch
) -> None:
    recording = record("dev", overrides={"renditions": True})
    recorder = Recorder(platform, monkeypatch)
    platform.stage_figures = replace(platform.stage_figures, scaling=None, bill=None)
    for walkthrough in (*WALKTHROUGHS, a_video_gets_a_rendition, a_video_is_converted):
        walkthrough(platform, recorder)
    for function, implied in IMPLIED.items():
        assert granted_to(function, recording) == recorder.actions[function] | implied, function


def test_a_permission_on_a_version_covers_the_object(recording: Recording) -> None:
    """S3 API reference: PutObjectTagging, GetObjectTagging, DeleteObject and HeadObject ask for both."""
    for role in recording.of("iam/rolePolicy:RolePolicy"):
        for each in statements(role):
            actions = {action for action in as_list(each["Action"]) if action.startswith("s3:")}
            plain = {action.replace("Version", "") for action in actions if "ObjectVersion" in action}
            assert plain <= actions, f"{role.name}: {each['Sid']}"
