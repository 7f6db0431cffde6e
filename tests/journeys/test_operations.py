"""The operators' commands, each as an operator runs it, against the local platform."""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
import requests
from botocore.client import BaseClient
from botocore.exceptions import EndpointConnectionError

from deploy import erase_user, find_upload, replay_event, restore_video, revoke_user
from deploy.deployed_stage import DeployedStage
from deploy.object_versions import ObjectVersion
from local.platform import LocalPlatform
from local.sign_in.users import User
from local.stand_in import names
from tests.infrastructure.safety.access import OPERATOR
from tests.journeys.conftest import TIMEOUT_SECONDS, Person, StandIn, make_person, wait_until

Command = Callable[[Sequence[str] | None], int]


class Operator:
    """Somebody with the stack's outputs and credentials, at a terminal."""

    def __init__(self, outputs: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self._outputs = outputs
        self._capsys = capsys
        self.is_at_work = False

    def run(self, command: Command, *arguments: str, status: int = 0) -> str:
        """What it printed, errors included."""
        self._capsys.readouterr()
        self.is_at_work = True
        try:
            ended = command(["--outputs", str(self._outputs), *arguments])
        finally:
            self.is_at_work = False
        captured = self._capsys.readouterr()
        assert ended == status, captured
        return captured.out + captured.err


@pytest.fixture
def user_pool_id(stand_in: StandIn) -> str:
    cognito = stand_in.client("cognito-idp")
    made = cognito.create_user_pool(PoolName="operations", UsernameAttributes=["email"])
    return made["UserPool"]["Id"]


@pytest.fixture
def operator(
    platform: LocalPlatform,
    user_pool_id: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Operator:
    environment = platform.api_environment()
    for name in ("AWS_ENDPOINT_URL", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, environment[name])
    outputs = tmp_path / "outputs.json"
    shared = ("STAGE", "VIDEO_BUCKET", "METADATA_BUCKET", "DATA_KEY_ARN", "COMPLETION_TOPIC_ARN", "PROCESSING_FUNCTION")
    outputs.write_text(
        json.dumps(
            {
                "functionEnvironment": {name: environment[name] for name in shared},
                "userPoolId": user_pool_id,
                "telemetryLogGroup": names.CLIENT_LOG_GROUP,
            }
        )
    )
    return Operator(outputs, capsys)


@pytest.fixture
def member(platform: LocalPlatform, stand_in: StandIn, user_pool_id: str, person: Person) -> Person:
    """Somebody whom the user pool and the local sign-in know under the same `sub`."""
    cognito = stand_in.client("cognito-idp")
    made = cognito.admin_create_user(
        UserPoolId=user_pool_id, Username=person.email, UserAttributes=[{"Name": "email", "Value": person.email}]
    )["User"]
    subject = next(attribute["Value"] for attribute in made["Attributes"] if attribute["Name"] == "sub")
    platform.sign_in.authority.users._store(User(subject=subject, email=person.email))
    tokens = platform.sign_in.issue_tokens(person.email, client_id="desktop")
    return Person(platform, person.email, tokens.access_token)


def everything_of(stand_in: StandIn, owner: str) -> list[str]:
    """Keys of all versions, delete markers and unfinished uploads in both buckets."""
    s3 = stand_in.client("s3")
    found: list[str] = []
    for bucket in (names.VIDEO_BUCKET, names.METADATA_BUCKET):
        for page in s3.get_paginator("list_object_versions").paginate(Bucket=bucket):
            listed = [*page.get("Versions", []), *page.get("DeleteMarkers", [])]
            found += [entry["Key"] for entry in listed]
        for page in s3.get_paginator("list_multipart_uploads").paginate(Bucket=bucket):
            found += [upload["Key"] for upload in page.get("Uploads", [])]
    return [key for key in found if owner in key]


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


def rights_for(operation: str, parameters: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """S3's names of rights differ from those of its calls: Service Authorization Reference, "Amazon S3"."""
    if "UserPoolId" in parameters:
        yield f"cognito-idp:{operation}", "auth-users"
        return
    if operation == "Invoke":
        yield "lambda:InvokeFunction", "video-processing:live"
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
            yield "s3:DeleteObjectVersion", f"{bucket}/{each['Key'].partition('/')[0]}/*"
    else:
        right = {"ListParts": "ListMultipartUploadParts"}.get(operation, operation)
        if "VersionId" in parameters:
            right = right.replace("Object", "ObjectVersion")
        folder = f"{bucket}/{parameters['Key'].partition('/')[0]}/*"
        yield f"s3:{right}", folder
        if "Tagging" in parameters:
            yield "s3:PutObjectTagging", folder


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
    operator.run(find_upload.main, "--owner", member.email)
    operator.run(find_upload.main, lost["videoId"])
    operator.run(revoke_user.main, member.email, "--yes")
    member.start(6 * 2**20)
    operator.run(erase_user.main, member.email, "--yes")
    granted = {(action, reached) for actions, places in OPERATOR.values() for action in actions for reached in places}
    through_s3 = {("kms:GenerateDataKey", "key/keys-data"), ("kms:Decrypt", "key/keys-data")}
    assert asked_of_aws == granted - through_s3


def ready_video(person: Person, content: bytes) -> dict[str, Any]:
    started = person.upload(content)
    assert person.wait_for(started["videoId"], "ready", "rejected")["state"] == "ready"
    return started


def is_unmarked(stand_in: StandIn, owner: str) -> bool | None:
    listed = stand_in.client("s3").list_objects_v2(Bucket=names.METADATA_BUCKET, Prefix=f"open/{owner}/")
    return None if listed.get("Contents") else True


def test_a_deleted_video_comes_back_and_plays(
    person: Person, operator: Operator, stand_in: StandIn, small_video: bytes
) -> None:
    started = ready_video(person, small_video)
    video_id = started["videoId"]
    wait_until(lambda: is_unmarked(stand_in, person.owner))
    before = person.video(video_id)
    assert person.call("DELETE", f"/videos/{video_id}").status_code == 200
    assert person.call("GET", f"/videos/{video_id}").status_code == 404

    told = operator.run(restore_video.main, video_id)
    assert "nothing was done" in told
    assert person.call("GET", f"/videos/{video_id}").status_code == 404

    operator.run(restore_video.main, video_id, "--yes")
    after = person.video(video_id)
    urls = {"posterUrl", "playbackUrl", "urlsExpireAt", "updatedAt"}
    assert {key: value for key, value in after.items() if key not in urls} == {
        key: value for key, value in before.items() if key not in urls
    }
    assert requests.get(after["playbackUrl"], timeout=TIMEOUT_SECONDS).content == small_video
    assert requests.get(after["posterUrl"], timeout=TIMEOUT_SECONDS).content.startswith(b"\xff\xd8")
    assert [video["videoId"] for video in person.call("GET", "/videos").json()["videos"]] == [video_id]
    assert is_unmarked(stand_in, person.owner)

    record = stand_in.client("s3").get_object_tagging(
        Bucket=names.METADATA_BUCKET, Key=f"records/{person.owner}/{video_id}.json"
    )
    assert record["TagSet"] == []

    assert "nothing of it is hidden" in operator.run(restore_video.main, video_id, "--yes")
    assert person.call("DELETE", f"/videos/{video_id}").status_code == 200
    operator.run(restore_video.main, video_id, "--yes")
    assert person.video(video_id)["state"] == "ready"


def test_a_rejected_video_comes_back_rejected(person: Person, operator: Operator) -> None:
    started = person.upload(b"no video at all" * 100)
    before = person.wait_for(started["videoId"], "ready", "rejected")
    person.call("DELETE", f"/videos/{started['videoId']}")
    operator.run(restore_video.main, started["videoId"], "--yes")
    after = person.video(started["videoId"])
    assert (after["state"], after["rejection"]) == ("rejected", before["rejection"])
    assert "nothing of it is hidden" in operator.run(restore_video.main, started["videoId"])


def test_a_restoration_that_broke_off_is_carried_on(
    person: Person, operator: Operator, stand_in: StandIn, small_video: bytes
) -> None:
    started = ready_video(person, small_video)
    person.call("DELETE", f"/videos/{started['videoId']}")
    stand_in.fail("PutObject", status=500, code="InternalError", times=10, keyContains=started["videoId"])
    assert "AWS did not do it" in operator.run(restore_video.main, started["videoId"], "--yes", status=1)
    assert person.call("GET", f"/videos/{started['videoId']}").status_code == 404
    stand_in.heal()
    operator.run(restore_video.main, started["videoId"], "--yes")
    assert requests.get(person.video(started["videoId"])["playbackUrl"], timeout=TIMEOUT_SECONDS).ok


def test_a_video_whose_version_has_expired_is_refused_and_stays_deleted(
    person: Person, operator: Operator, stand_in: StandIn, small_video: bytes
) -> None:
    started = ready_video(person, small_video)
    person.call("DELETE", f"/videos/{started['videoId']}")
    s3 = stand_in.client("s3")
    versions = s3.list_object_versions(Bucket=names.VIDEO_BUCKET, Prefix=started["fileKey"])["Versions"]
    for version in versions:
        s3.delete_object(Bucket=names.VIDEO_BUCKET, Key=version["Key"], VersionId=version["VersionId"])
    refused = operator.run(restore_video.main, started["videoId"], "--yes", status=1)
    assert "noncurrentDays" in refused
    assert person.call("GET", f"/videos/{started['videoId']}").status_code == 404


def test_an_upload_that_was_never_complete_cannot_be_restored(person: Person, operator: Operator) -> None:
    started = person.start(6 * 2**20)
    person.call("DELETE", f"/videos/{started['videoId']}")
    refused = operator.run(restore_video.main, started["videoId"], "--yes", status=1)
    assert "parts are gone" in refused


def test_a_video_that_was_deleted_before_it_was_looked_at_is_processed_after_all(
    person: Person, operator: Operator, stand_in: StandIn, small_video: bytes
) -> None:
    lost = lose_its_event(person, stand_in, small_video)
    person.call("DELETE", f"/videos/{lost['videoId']}")
    operator.run(restore_video.main, lost["videoId"], "--yes")
    assert person.wait_for(lost["videoId"], "ready", "rejected")["state"] == "ready"


def lose_its_event(person: Person, stand_in: StandIn, content: bytes) -> dict[str, Any]:
    """A completed upload that processing never hears of: its event is taken off the bucket's notification."""
    s3 = stand_in.client("s3")
    notifications = s3.get_bucket_notification_configuration(Bucket=names.VIDEO_BUCKET)
    notifications.pop("ResponseMetadata")
    s3.put_bucket_notification_configuration(Bucket=names.VIDEO_BUCKET, NotificationConfiguration={})
    try:
        started = person.upload(content)
    finally:
        s3.put_bucket_notification_configuration(Bucket=names.VIDEO_BUCKET, NotificationConfiguration=notifications)
    assert person.video(started["videoId"])["state"] == "processing"
    return started


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
        ["--upload-id", started["uploadId"]],
        [started["videoId"], "--owner", person.owner],
        ["--upload-id", started["uploadId"], "--owner", person.owner],
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
    found = json.loads(operator.run(find_upload.main, "--upload-id", started["uploadId"], "--json"))
    assert [version["note"] for version in found["recordVersions"]] == ["deleted", "uploading"]


def test_a_video_is_found_when_its_tombstone_has_expired(person: Person, operator: Operator, stand_in: StandIn) -> None:
    started = person.start(6 * 2**20)
    person.call("DELETE", f"/videos/{started['videoId']}")
    # As S3 expires a versioned object: by a delete marker on top of it.
    record_key = f"records/{person.owner}/{started['videoId']}.json"
    stand_in.client("s3").delete_object(Bucket=names.METADATA_BUCKET, Key=record_key)
    found = json.loads(operator.run(find_upload.main, started["videoId"], "--owner", person.owner, "--json"))
    notes = [version["note"] for version in found["recordVersions"]]
    assert notes == ["delete marker", "deleted", "uploading"]
    refused = operator.run(restore_video.main, started["videoId"], "--owner", person.owner, "--yes", status=1)
    assert "has expired" in refused


def test_what_is_no_video_id_is_refused_before_anybody_is_asked(
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


def test_a_revoked_users_upload_tokens_open_nothing_any_more(
    member: Person, operator: Operator, stand_in: StandIn, user_pool_id: str, small_video: bytes
) -> None:
    kept = ready_video(member, small_video)
    started = member.start(6 * 2**20)
    told = operator.run(revoke_user.main, member.email, "--yes")
    assert "1 uploads aborted" in told
    (account,) = stand_in.client("cognito-idp").list_users(UserPoolId=user_pool_id)["Users"]
    assert account["Enabled"] is False
    answer = member.call("POST", "/multipart/parts", {"parts": [{"partNumber": 1}]}, started["uploadToken"])
    assert (answer.status_code, answer.json()["error"]["code"]) == (409, "upload_aborted")
    put = requests.put(started["presignedUrls"][0]["url"], data=b"x", timeout=TIMEOUT_SECONDS)
    assert put.status_code in {403, 404}
    assert member.video(kept["videoId"])["state"] == "ready"
    assert is_unmarked(stand_in, member.owner)
    assert "0 uploads aborted" in operator.run(revoke_user.main, member.owner, "--yes")


def test_nothing_is_revoked_or_erased_unless_the_name_is_typed(
    member: Person, operator: Operator, stand_in: StandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    member.start(6 * 2**20)
    before = sorted(everything_of(stand_in, member.owner))
    for command in (revoke_user.main, erase_user.main):
        monkeypatch.setattr(sys, "stdin", io.StringIO("yes\n"))
        assert "nothing was done" in operator.run(command, member.email, status=1)
    assert sorted(everything_of(stand_in, member.owner)) == before


def test_an_erased_user_leaves_no_byte(
    member: Person, operator: Operator, stand_in: StandIn, small_video: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    owner = member.owner
    ready_video(member, small_video)
    deleted = ready_video(member, small_video)
    member.call("DELETE", f"/videos/{deleted['videoId']}")
    unfinished = member.start(6 * 2**20)
    lose_its_event(member, stand_in, small_video)
    neighbour = make_person(member.platform)
    neighbours = ready_video(neighbour, small_video)
    assert len(everything_of(stand_in, owner)) > 10

    monkeypatch.setattr(sys, "stdin", io.StringIO(f"{member.email}\n"))
    told = operator.run(erase_user.main, member.email)
    assert everything_of(stand_in, owner) == []
    assert "no such user" in operator.run(erase_user.main, member.email, "--yes", status=1)
    assert "the trail" in told
    assert f"videos/{owner}/" in told
    assert stand_in.stored(neighbours["fileKey"]) == small_video

    # An access token of before still lives, and so does a token of an upload that is gone.
    answer = member.call("POST", "/multipart/parts", {"parts": [{"partNumber": 1}]}, unfinished["uploadToken"])
    assert answer.status_code == 404
    member.start(6 * 2**20)
    operator.run(erase_user.main, owner, "--yes")
    assert everything_of(stand_in, owner) == []
    assert "no such user" in operator.run(erase_user.main, owner, "--yes", status=1)


def test_an_erasure_that_broke_off_keeps_the_account_and_is_carried_on(
    member: Person, operator: Operator, stand_in: StandIn, user_pool_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    rejected = member.upload(b"no video at all" * 100)
    member.wait_for(rejected["videoId"], "rejected")
    member.start(6 * 2**20)
    cognito = stand_in.client("cognito-idp")
    delete = erase_user._delete_for_good

    def breaks_off(stage: DeployedStage, owner: str, bucket: str, versions: Sequence[ObjectVersion]) -> None:
        if bucket == names.METADATA_BUCKET:
            raise EndpointConnectionError(endpoint_url=stand_in.url)
        delete(stage, owner, bucket, versions)

    monkeypatch.setattr(erase_user, "_delete_for_good", breaks_off)
    assert "AWS did not do it" in operator.run(erase_user.main, member.email, "--yes", status=1)
    left = everything_of(stand_in, member.owner)
    assert left
    assert not any(key.startswith("videos/") for key in left)
    assert len(cognito.list_users(UserPoolId=user_pool_id)["Users"]) == 1
    monkeypatch.setattr(erase_user, "_delete_for_good", delete)
    operator.run(erase_user.main, member.email, "--yes")
    assert everything_of(stand_in, member.owner) == []
    assert cognito.list_users(UserPoolId=user_pool_id)["Users"] == []


def test_a_user_is_not_called_erased_while_something_is_left(
    member: Person, operator: Operator, stand_in: StandIn, user_pool_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    member.start(6 * 2**20)
    monkeypatch.setattr(erase_user, "erase_objects", lambda stage, owner: 0)  # pyright: ignore[reportUnknownLambdaType]
    assert "still there" in operator.run(erase_user.main, member.email, "--yes", status=1)
    assert len(stand_in.client("cognito-idp").list_users(UserPoolId=user_pool_id)["Users"]) == 1
