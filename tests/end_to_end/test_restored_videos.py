"""Videos that were deleted, as an operator brings them back."""

from __future__ import annotations

import io
import json
import sys

import pytest
import requests

from chalicelib.adapters.lambda_trigger import LambdaTrigger
from deploy import find_upload, restore_video
from local.stand_in import names
from tests.end_to_end.actors import (
    TIMEOUT_SECONDS,
    Operator,
    Person,
    StandIn,
    is_unmarked,
    lose_its_event,
    ready_video,
    wait_until,
)
from tests.terminal import Terminal


def test_a_deleted_video_comes_back_and_plays_once_the_operator_says_so(
    person: Person, operator: Operator, stand_in: StandIn, small_video: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    started = ready_video(person, small_video)
    video_id = started["videoId"]
    wait_until(lambda: is_unmarked(stand_in, person.owner))
    before = person.video(video_id)
    assert person.call("DELETE", f"/videos/{video_id}").status_code == 200
    assert person.call("GET", f"/videos/{video_id}").status_code == 404

    found = json.loads(operator.run(find_upload.main, video_id, "--owner", person.owner, "--json"))
    for pictures in ("posterVersions", "thumbnailsVersions"):
        assert len(found[pictures]) == 2, "hidden by a delete marker, and still there"

    for stdin in (io.StringIO(f"{video_id}\n"), Terminal("yes\n")):
        monkeypatch.setattr(sys, "stdin", stdin)
        told = operator.run(restore_video.main, video_id, status=1)
        assert "write the record back as ready" in told
        assert "nothing was done" in told
        assert person.call("GET", f"/videos/{video_id}").status_code == 404

    monkeypatch.setattr(sys, "stdin", Terminal(f"{video_id}\n"))
    operator.run(restore_video.main, video_id)
    after = person.wait_for(video_id, "ready")
    changed = {"posterUrl", "thumbnailsUrl", "playbackUrl", "downloadUrl", "urlsExpireAt", "updatedAt", "expiresAt"}
    assert {key: value for key, value in after.items() if key not in changed} == {
        key: value for key, value in before.items() if key not in changed
    }
    assert after["expiresAt"] > before["expiresAt"], "it gets its whole time again"
    assert requests.get(after["playbackUrl"], timeout=TIMEOUT_SECONDS).content == small_video
    for picture in ("posterUrl", "thumbnailsUrl"):
        assert requests.get(after[picture], timeout=TIMEOUT_SECONDS).content.startswith(b"\xff\xd8")
    assert [video["videoId"] for video in person.call("GET", "/videos").json()["videos"]] == [video_id]
    wait_until(lambda: is_unmarked(stand_in, person.owner))

    record = stand_in.client("s3").get_object_tagging(
        Bucket=names.METADATA_BUCKET, Key=f"records/{person.owner}/{video_id}.json"
    )
    assert record["TagSet"] == []

    assert "there is nothing to restore" in operator.run(restore_video.main, video_id, "--yes")
    assert person.call("DELETE", f"/videos/{video_id}").status_code == 200
    operator.run(restore_video.main, video_id, "--yes")
    person.wait_for(video_id, "ready")


def test_a_rejected_video_comes_back_rejected(person: Person, operator: Operator) -> None:
    started = person.upload(b"no video at all" * 100)
    before = person.wait_for(started["videoId"], "ready", "rejected")
    person.call("DELETE", f"/videos/{started['videoId']}")
    operator.run(restore_video.main, started["videoId"], "--yes")
    after = person.video(started["videoId"])
    assert (after["state"], after["rejection"]) == ("rejected", before["rejection"])
    assert "there is nothing to restore" in operator.run(restore_video.main, started["videoId"])


def test_a_restoration_that_broke_off_is_carried_on(
    person: Person, operator: Operator, stand_in: StandIn, small_video: bytes
) -> None:
    started = ready_video(person, small_video)
    person.call("DELETE", f"/videos/{started['videoId']}")
    stand_in.fail("PutObject", status=500, code="InternalError", times=10, keyContains=started["videoId"])
    assert "AWS did not carry out the request" in operator.run(
        restore_video.main, started["videoId"], "--yes", status=1
    )
    assert person.call("GET", f"/videos/{started['videoId']}").status_code == 404
    stand_in.heal()
    operator.run(restore_video.main, started["videoId"], "--yes")
    assert requests.get(person.wait_for(started["videoId"], "ready")["playbackUrl"], timeout=TIMEOUT_SECONDS).ok


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


def test_a_restored_video_is_looked_after_until_it_is_settled_though_a_janitor_saw_its_tombstone_to_the_last(
    person: Person, operator: Operator, stand_in: StandIn, small_video: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    lost = lose_its_event(person, stand_in, small_video)
    s3 = stand_in.client("s3")
    marker = f"open/{person.owner}/{lost['videoId']}.{len(small_video)}"
    s3.delete_object(Bucket=names.VIDEO_BUCKET, Key=lost["fileKey"])
    s3.delete_object(Bucket=names.METADATA_BUCKET, Key=marker)
    monkeypatch.setattr(LambdaTrigger, "trigger", lambda *_: None)
    operator.run(restore_video.main, lost["videoId"], "--yes")
    assert not is_unmarked(stand_in, person.owner)
