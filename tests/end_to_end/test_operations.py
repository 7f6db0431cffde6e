"""The operators' commands, each as an operator runs it, against the local platform."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import requests
from botocore.client import BaseClient

from chalicelib.core.video_id import VideoRef
from deploy import (
    administrators,
    erase_user,
    find_upload,
    rebuild_index,
    remake_rendition,
    replay_event,
    reset_mfa,
    restore_records,
    restore_video,
    revoke_user,
)
from local.stand_in import names
from tests.end_to_end.actors import (
    ONE_SECOND,
    TIMEOUT_SECONDS,
    Operator,
    Person,
    StandIn,
    a_link,
    lose_its_event,
    ready_video,
    send_by,
    users_at_the_sign_in,
    wait_until,
)
from tests.infrastructure.safety.access import OPERATOR, OPERATOR_OF_CONVERSIONS
from tests.infrastructure.safety.converting import JOBS
from tests.media.sample_videos import write_sample_video


@pytest.fixture
def asked_of_aws(operator: Operator, monkeypatch: pytest.MonkeyPatch) -> set[tuple[str, str]]:
    """(IAM action, what it reached) of every call that the operator's commands make, as OPERATOR writes them."""
    asked: set[tuple[str, str]] = set()
    real: Any = vars(BaseClient)["_make_api_call"]  # botocore tells of no call before it has its parameters

    def noted(client: BaseClient, operation: str, parameters: dict[str, Any]) -> Any:
        if operator.is_at_work:
            asked.update(rights_for(operation, parameters))
        return real(client, operation, parameters)

    monkeypatch.setattr(BaseClient, "_make_api_call", noted)
    return asked


ELSEWHERE = {
    "Invoke": ("lambda:InvokeFunction", "video-processing:live"),
    "SearchJobs": ("mediaconvert:SearchJobs", "renditions"),
    "GetJob": ("mediaconvert:GetJob", JOBS),
    "CancelJob": ("mediaconvert:CancelJob", JOBS),
}
"""Calls of services that have one thing each to reach."""


def rights_for(operation: str, parameters: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """S3's names of rights differ from those of its calls: Service Authorization Reference, "Amazon S3"."""
    if "UserPoolId" in parameters:
        yield f"cognito-idp:{operation}", "auth-users"
        return
    if "TopicArn" in parameters:
        yield f"sns:{operation}", "messaging-completed"
        return
    if operation in ELSEWHERE:
        yield ELSEWHERE[operation]
        return
    bucket = {names.VIDEO_BUCKET: "videos", names.METADATA_BUCKET: "metadata"}[parameters["Bucket"]]
    listing = {
        "ListObjectsV2": "ListBucket",
        "ListObjectVersions": "ListBucketVersions",
        "ListMultipartUploads": "ListBucketMultipartUploads",
    }
    if operation in listing:
        yield f"s3:{listing[operation]}", bucket
    elif operation == "DeleteObjects":
        for each in parameters["Delete"]["Objects"]:
            for right in ("DeleteObject", "DeleteObjectVersion"):
                yield f"s3:{right}", f"{bucket}/{each['Key'].partition('/')[0]}/*"
    else:
        right = {"ListParts": "ListMultipartUploadParts"}.get(operation, operation)
        folder = f"{bucket}/{parameters['Key'].partition('/')[0]}/*"
        yield f"s3:{right}", folder
        if "VersionId" in parameters:
            # S3's reference asks for the plain action, too.
            yield f"s3:{right.replace('Object', 'ObjectVersion')}", folder
        if "Tagging" in parameters:
            yield "s3:PutObjectTagging", folder


def lay_renditions(stand_in: StandIn, ref: VideoRef) -> None:
    """One that is whole, and one whose function died."""
    s3 = stand_in.client("s3")
    s3.put_object(Bucket=names.VIDEO_BUCKET, Key=ref.rendition_key, Body=b"a copy")
    s3.create_multipart_upload(Bucket=names.VIDEO_BUCKET, Key=ref.rendition_key)


def lose_its_record_and_restore(person: Person, operator: Operator, stand_in: StandIn, video_id: str) -> None:
    time.sleep(ONE_SECOND)
    moment = datetime.now(UTC).isoformat()
    time.sleep(ONE_SECOND)
    stand_in.client("s3").delete_object(Bucket=names.METADATA_BUCKET, Key=f"records/{person.owner}/{video_id}.json")
    operator.run(restore_records.main, moment, "--video", video_id, "--owner", person.owner, "--yes")


def test_operators_may_do_what_their_commands_do_and_no_more(
    member: Person, operator: Operator, stand_in: StandIn, asked_of_aws: set[tuple[str, str]], small_video: bytes
) -> None:
    settled = ready_video(member, small_video)
    member.call("DELETE", f"/videos/{settled['videoId']}")
    operator.run(restore_video.main, settled["videoId"], "--owner", member.email, "--yes")
    operator.run(replay_event.main, settled["videoId"], "--wait", "0")
    lost = lose_its_event(member, stand_in, small_video)
    member.call("DELETE", f"/videos/{lost['videoId']}")
    operator.run(restore_video.main, lost["videoId"], "--yes")
    member.start(6 * 2**20)
    lay_renditions(stand_in, VideoRef(member.owner, lost["videoId"]))
    operator.run(find_upload.main, "--owner", member.email)
    operator.run(find_upload.main, lost["videoId"])
    with users_at_the_sign_in(member.platform):
        operator.run(reset_mfa.main, member.email, "--yes")
    for action in ("add", "remove"):
        operator.run(administrators.main, action, member.email, "--yes")
    operator.run(administrators.main, "list")
    begun = send_by(a_link(member), member)
    assert begun.status_code == 201
    lose_its_record_and_restore(member, operator, stand_in, begun.json()["videoId"])
    operator.run(revoke_user.main, member.email, "--yes")
    assert send_by(a_link(member), member).status_code == 201  # by an access token of before
    member.start(6 * 2**20)
    operator.run(rebuild_index.main)
    operator.run(rebuild_index.main, member.email)
    operator.run(erase_user.main, member.email, "--yes")
    granted = {(action, reached) for actions, places in OPERATOR.values() for action in actions for reached in places}
    through_s3 = {("kms:GenerateDataKey", "key/keys-data"), ("kms:Decrypt", "key/keys-data")}
    assert asked_of_aws == granted - through_s3


def test_erasing_a_user_stops_the_conversions_and_leaves_nothing_of_them(
    member: Person, operator: Operator, stand_in: StandIn, asked_of_aws: set[tuple[str, str]], tmp_path: Path
) -> None:
    content = write_sample_video(tmp_path / "long.mpg", "mpg", duration_seconds=20, width=640, height=360).read_bytes()
    started = member.upload(content, file_name="long.mpg", content_type="video/mpeg")
    key = f"{names.VIDEO_BUCKET}/{started['fileKey']}"
    member.wait_for(started["videoId"], "ready")
    jobs = stand_in.client("mediaconvert")

    def job() -> dict[str, Any] | None:
        return next(iter(jobs.search_jobs(InputFile=f"s3://{key}")["Jobs"]), None)

    job_id = wait_until(job)["Id"]
    # The record names the job a moment after the queue does.
    wait_until(lambda: job_id in operator.run(find_upload.main, started["videoId"]) or None)
    member.call("DELETE", f"/videos/{started['videoId']}")
    operator.run(restore_video.main, started["videoId"], "--yes")
    assert jobs.get_job(Id=job_id)["Job"]["Status"] == "CANCELED", "the restored video gets another"

    def another() -> dict[str, Any] | None:
        newest = job()
        return newest if newest and newest["Id"] != job_id else None

    job_id = wait_until(another)["Id"]
    operator.run(erase_user.main, member.email, "--yes")
    assert jobs.get_job(Id=job_id)["Job"]["Status"] == "CANCELED"
    granted = {
        (action, place)
        for actions, places in OPERATOR_OF_CONVERSIONS.values()
        for action in actions
        for place in places
    }
    asked = {(action, place) for action, place in asked_of_aws if action.startswith("mediaconvert:")}
    assert asked <= granted
    assert {action for action, _ in asked} >= {"mediaconvert:GetJob", "mediaconvert:CancelJob"}


def test_a_failed_rendition_is_made_again_once_the_operator_says_so(
    person: Person, operator: Operator, stand_in: StandIn, asked_of_aws: set[tuple[str, str]], tmp_path: Path
) -> None:
    content = write_sample_video(tmp_path / "long.mpg", "mpg", duration_seconds=8, width=640, height=360).read_bytes()
    video_id = person.upload(content, file_name="long.mpg", content_type="video/mpeg")["videoId"]
    person.wait_for(video_id, "ready")
    jobs = stand_in.client("mediaconvert")

    def begun() -> dict[str, Any] | None:
        return next(iter(jobs.search_jobs(InputFile=video_id)["Jobs"]), None)

    def rendition_is(state: str) -> bool | None:
        return person.video(video_id)["rendition"]["state"] == state or None

    jobs.cancel_job(Id=wait_until(begun)["Id"])
    wait_until(lambda: rendition_is("failed"))

    told = operator.run(remake_rendition.main, video_id, "--owner", person.owner, status=1)
    assert "rendition so far: failed (not_convertible)" in told
    assert "nothing was done" in told
    assert "now: pending" in operator.run(remake_rendition.main, video_id, "--owner", person.owner, "--yes")
    assert "has a rendition: pending" in operator.run(remake_rendition.main, video_id, "--owner", person.owner, "--yes")
    wait_until(lambda: rendition_is("ready"))
    assert "has a rendition: ready" in operator.run(remake_rendition.main, video_id)

    rejected = person.upload(b"no video at all" * 100)["videoId"]
    person.wait_for(rejected, "rejected")
    assert "only ready videos have" in operator.run(remake_rendition.main, rejected, "--yes", status=1)
    granted = {(action, reached) for actions, places in OPERATOR.values() for action in actions for reached in places}
    assert asked_of_aws <= granted


def test_an_event_that_failed_every_retry_is_replayed_and_the_video_gets_ready(
    person: Person, operator: Operator, stand_in: StandIn, small_video: bytes
) -> None:
    started = person.start(len(small_video))
    stand_in.fail("PutObjectTagging", status=500, code="InternalError", times=1000, keyContains=started["videoId"])
    assert person.complete(started, person.send_parts(started, small_video)).status_code == 200
    wait_until(lambda: has_failed(stand_in, started["fileKey"]))
    assert person.video(started["videoId"])["state"] == "processing"
    stand_in.heal()
    assert f"{started['videoId']} is ready" in operator.run(replay_event.main, started["videoId"])
    assert person.video(started["videoId"])["state"] == "ready"
    assert "is ready" in operator.run(replay_event.main, started["videoId"], "--owner", person.owner)


def has_failed(stand_in: StandIn, file_key: str) -> bool | None:
    queue_url = names.queue_url(stand_in.url, names.FAILED_EVENTS_QUEUE)
    failed = stand_in.client("sqs").receive_message(QueueUrl=queue_url, MaxNumberOfMessages=10, VisibilityTimeout=0)
    return any(file_key in message["Body"] for message in failed.get("Messages", [])) or None


def test_a_deleted_videos_event_is_not_replayed_since_it_would_destroy_it(
    person: Person, operator: Operator, stand_in: StandIn, small_video: bytes
) -> None:
    started = ready_video(person, small_video)
    person.call("DELETE", f"/videos/{started['videoId']}")
    assert "would destroy" in operator.run(replay_event.main, started["videoId"], status=1)
    operator.run(restore_video.main, started["videoId"], "--yes")
    assert stand_in.stored(started["fileKey"]) == small_video


def test_an_upload_is_found_by_each_of_its_ids(person: Person, operator: Operator, video_12_mib: Path) -> None:
    content = video_12_mib.read_bytes()
    started = person.start(len(content))
    first = started["presignedUrls"][0]
    requests.put(first["url"], data=content[: first["sizeBytes"]], timeout=TIMEOUT_SECONDS).raise_for_status()
    asked = (
        [started["videoId"]],
        [f"--upload-id={started['uploadId']}"],  # it may begin with a dash
        [started["videoId"], "--owner", person.owner],
        [f"--upload-id={started['uploadId']}", "--owner", person.owner],
    )
    for arguments in asked:
        found = json.loads(operator.run(find_upload.main, *arguments, "--json"))
        assert found["record"]["uploadId"] == started["uploadId"]
        (upload,) = found["openUploads"]
        assert (upload["storedParts"], upload["missingPartNumbers"]) == (1, [2, 3])
        assert found["openMarkers"] == [f"open/{person.owner}/{started['videoId']}.{len(content)}"]
        assert f'videoId = "{started["videoId"]}"' in found["logQuery"]["query"]
        assert f'uploadId = "{started["uploadId"]}"' in found["logQuery"]["query"]
    text = operator.run(find_upload.main, started["videoId"])
    assert "1 of 3 parts" in text
    assert "aws logs start-query" in text
    assert started["videoId"] in operator.run(find_upload.main, "--owner", person.owner)
    person.call("DELETE", f"/videos/{started['videoId']}")
    found = json.loads(operator.run(find_upload.main, f"--upload-id={started['uploadId']}", "--json"))
    # Deleted, and then again when subscribers were notified.
    assert [version["note"] for version in found["recordVersions"]] == ["deleted", "deleted", "uploading"]


def test_a_video_is_found_when_its_tombstone_has_expired(person: Person, operator: Operator, stand_in: StandIn) -> None:
    started = person.start(6 * 2**20)
    person.call("DELETE", f"/videos/{started['videoId']}")
    # As S3 expires a versioned object: by a delete marker on top of it.
    record_key = f"records/{person.owner}/{started['videoId']}.json"
    stand_in.client("s3").delete_object(Bucket=names.METADATA_BUCKET, Key=record_key)
    found = json.loads(operator.run(find_upload.main, started["videoId"], "--owner", person.owner, "--json"))
    notes = [version["note"] for version in found["recordVersions"]]
    assert notes == ["delete marker", "deleted", "deleted", "uploading"]
    refused = operator.run(restore_video.main, started["videoId"], "--owner", person.owner, "--yes", status=1)
    assert "has expired" in refused


def test_a_malformed_video_id_is_refused_before_any_question(
    operator: Operator, asked_of_aws: set[tuple[str, str]]
) -> None:
    for command in (find_upload.main, replay_event.main, restore_video.main):
        for wrong in ("", "*", "../records", "0" * 27, "0" * 29, "0" * 27 + "g"):
            with pytest.raises(SystemExit):
                operator.run(command, wrong)
    assert not asked_of_aws


def test_what_nobody_uploaded_is_not_found(operator: Operator) -> None:
    assert "no record" in operator.run(find_upload.main, "0" * 28, status=1)
    assert "no record" in operator.run(find_upload.main, "--upload-id", "nothing", status=1)
    assert "no such user" in operator.run(find_upload.main, "--owner", "nobody@example.com", status=1)
