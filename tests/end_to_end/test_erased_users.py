"""Users who are locked out or erased, by the operators' commands against the local platform."""

from __future__ import annotations

import sys
from collections.abc import Sequence

import pytest
import requests
from botocore.exceptions import EndpointConnectionError

from chalicelib.adapters.s3_metadata import S3Metadata
from chalicelib.core.records import Records
from chalicelib.core.video_id import VideoRef
from chalicelib.core.video_record import VideoRecord
from deploy import erase_user, revoke_user
from deploy.deployed_stage import DeployedStage
from deploy.object_versions import ObjectVersion
from local.stand_in import names
from tests.end_to_end.actors import (
    TIMEOUT_SECONDS,
    Operator,
    Person,
    StandIn,
    a_link,
    is_unmarked,
    lose_its_event,
    make_person,
    ready_video,
    send_by,
)
from tests.terminal import Terminal


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


def but_the_index(stand_in: StandIn, owner: str) -> list[str]:
    """The index folds by itself meanwhile."""
    return sorted(key for key in everything_of(stand_in, owner) if not key.startswith("index/"))


def test_a_revoked_users_upload_tokens_open_nothing_any_more(
    member: Person, operator: Operator, stand_in: StandIn, user_pool_id: str, small_video: bytes
) -> None:
    kept = ready_video(member, small_video)
    started = member.start(6 * 2**20)
    link = a_link(member)
    by_link = send_by(link, member).json()
    told = operator.run(revoke_user.main, member.email, "--yes")
    assert "1 upload links revoked" in told
    assert "2 uploads aborted" in told
    for answer in (send_by(link, member), member.call("GET", "/multipart/parts", token=by_link["uploadToken"])):
        assert (answer.status_code, answer.json()["error"]["code"]) == (410, "link_revoked")
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
    before = but_the_index(stand_in, member.owner)
    for command in (revoke_user.main, erase_user.main):
        monkeypatch.setattr(sys, "stdin", Terminal("yes\n"))
        assert "nothing was done" in operator.run(command, member.email, status=1)
    assert but_the_index(stand_in, member.owner) == before


def test_an_erased_user_leaves_no_byte(
    member: Person, operator: Operator, stand_in: StandIn, small_video: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    owner = member.owner
    ready_video(member, small_video)
    deleted = ready_video(member, small_video)
    member.call("DELETE", f"/videos/{deleted['videoId']}")
    unfinished = member.start(6 * 2**20)
    link = a_link(member)
    lose_its_event(member, stand_in, small_video)
    neighbour = make_person(member.platform)
    neighbours = ready_video(neighbour, small_video)
    held = everything_of(stand_in, owner)
    assert len(held) > 10
    assert "thumbnails.jpg" in str(held), "each picture of a video is a key of its own"

    monkeypatch.setattr(sys, "stdin", Terminal(f"{member.email}\n"))
    printed = operator.run(erase_user.main, member.email)
    assert everything_of(stand_in, owner) == []
    assert "no such user" in operator.run(erase_user.main, member.email, "--yes", status=1)
    assert "the trail" in printed
    assert f"videos/{owner}/" in printed
    assert stand_in.stored(neighbours["fileKey"]) == small_video

    told = [message for message in stand_in.received_notifications() if message["owner"] == owner]
    # At least once: a repetition has the same id.
    causes = {message["id"]: message["cause"] for message in told if message["type"] == "video.deleted"}
    assert sorted(causes.values()) == ["operator", "operator", "operator", "owner"]

    # An access token of before still lives, and so does a token of an upload that is gone.
    answer = member.call("POST", "/multipart/parts", {"parts": [{"partNumber": 1}]}, unfinished["uploadToken"])
    assert answer.status_code == 404
    assert send_by(link, member).json()["error"]["code"] == "link_not_found"
    member.start(6 * 2**20)
    operator.run(erase_user.main, owner, "--yes")
    assert everything_of(stand_in, owner) == []
    assert "no such user" in operator.run(erase_user.main, owner, "--yes", status=1)


def test_a_record_that_is_erased_while_somebody_changes_it_is_gone_and_no_error(
    member: Person, stand_in: StandIn
) -> None:
    ref = VideoRef(member.owner, member.start(6 * 2**20)["videoId"])
    s3 = stand_in.client("s3")

    def erase_meanwhile(record: VideoRecord) -> VideoRecord:
        s3.delete_object(Bucket=names.METADATA_BUCKET, Key=ref.record_key)
        return record.noted(processing_retries=1)

    assert Records(S3Metadata(s3, names.METADATA_BUCKET)).change(ref, erase_meanwhile) is None


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
    assert "AWS did not carry out the request" in operator.run(erase_user.main, member.email, "--yes", status=1)
    assert everything_of(stand_in, member.owner)
    # No delete markers: an event that is delivered again hides a deleted video again.
    videos = stand_in.client("s3").list_object_versions(Bucket=names.VIDEO_BUCKET, Prefix=f"videos/{member.owner}/")
    assert videos.get("Versions", []) == []
    assert len(cognito.list_users(UserPoolId=user_pool_id)["Users"]) == 1
    monkeypatch.setattr(erase_user, "_delete_for_good", delete)
    operator.run(erase_user.main, member.email, "--yes")
    assert everything_of(stand_in, member.owner) == []
    assert cognito.list_users(UserPoolId=user_pool_id)["Users"] == []


def test_a_user_is_not_called_erased_while_something_is_left(
    member: Person, operator: Operator, stand_in: StandIn, user_pool_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    member.start(6 * 2**20)
    monkeypatch.setattr(erase_user, "erase_objects", lambda stage, owner: 0)
    assert "are left" in operator.run(erase_user.main, member.email, "--yes", status=1)
    assert len(stand_in.client("cognito-idp").list_users(UserPoolId=user_pool_id)["Users"]) == 1
