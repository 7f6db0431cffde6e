"""Repeated inits: after a busy S3 or a lost answer, they open one upload."""

from dataclasses import replace
from pathlib import Path

import pytest

from tests.end_to_end.actors import Desktop, Person, StandIn, is_unmarked, wait_until


@pytest.mark.parametrize("operation", ["CreateMultipartUpload", "PutObject"])
def test_an_upload_that_a_busy_s3_does_not_let_start_may_be_tried_again(
    person: Person, stand_in: StandIn, operation: str
) -> None:
    stand_in.fail(operation, status=503, code="SlowDown", times=5, keyContains=person.owner)
    body = {"fileName": "film.mp4", "contentType": "video/mp4", "sizeBytes": 6 * 2**20}
    refused = person.call("POST", "/multipart/init", body)
    assert (refused.status_code, refused.json()["error"]["code"]) == (503, "storage_unavailable")
    assert refused.headers["Retry-After"]
    assert is_unmarked(stand_in, person.owner)
    assert person.call("POST", "/multipart/init", body).status_code == 201


def test_an_init_whose_answer_was_lost_opens_the_same_upload_again(person: Person, small_video: bytes) -> None:
    named = replace(person, correlation_id="a-film-of-mine")
    lost, other = named.start(len(small_video)), named.start(len(small_video), file_name="other.mp4")
    again = named.start(len(small_video))
    assert (again["videoId"], again["uploadId"]) == (lost["videoId"], lost["uploadId"])
    unfinished = {upload["videoId"] for upload in person.call("GET", "/uploads").json()["uploads"]}
    assert unfinished == {again["videoId"], other["videoId"]}
    assert named.complete(again, named.send_parts(again, small_video)).status_code == 200
    assert person.wait_for(again["videoId"], "ready")
    assert named.start(len(small_video))["videoId"] != again["videoId"]


def test_a_command_that_is_killed_before_inits_answer_leaves_no_second_upload(
    person: Person, stand_in: StandIn, desktop: Desktop, video_12_mib: Path
) -> None:
    stand_in.fail("GenerateMac", delaySeconds=1.5)
    killed = desktop.start("upload", str(video_12_mib))
    wait_until(lambda: not is_unmarked(stand_in, person.owner) or None)
    killed.kill()
    killed.communicate()
    (begun,) = wait_until(lambda: person.call("GET", "/uploads").json()["uploads"] or None)
    assert begun["receivedBytes"] == 0
    assert desktop.upload(video_12_mib)["videoId"] == begun["videoId"]
    assert [video["videoId"] for video in person.call("GET", "/videos").json()["videos"]] == [begun["videoId"]]
    assert not person.call("GET", "/uploads").json()["uploads"]
