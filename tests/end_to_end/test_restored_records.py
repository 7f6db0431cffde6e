"""Records that were removed, overwritten or damaged, as an operator brings them back to a point in time."""

from __future__ import annotations

import time
from datetime import UTC, datetime

from deploy import rebuild_index, restore_records
from local.stand_in import names
from tests.end_to_end.actors import ONE_SECOND, Operator, Person, StandIn, a_link, ready_video, wait_until


def test_lost_records_come_back_as_they_were_deletions_stand_and_the_index_tells_them(
    person: Person, operator: Operator, stand_in: StandIn, small_video: bytes
) -> None:
    removed, overwritten, deleted = (ready_video(person, small_video)["videoId"] for _ in range(3))
    damaged = person.start(6 * 2**20)["videoId"]
    s3, bucket = stand_in.client("s3"), names.METADATA_BUCKET
    keys = {each: f"records/{person.owner}/{each}.json" for each in (removed, overwritten, damaged)}
    wait_until(lambda: b'"notifiedAt": null' not in s3.get_object(Bucket=bucket, Key=keys[overwritten])["Body"].read())
    before = {each: person.call("GET", f"/videos/{each}").json()["state"] for each in keys}
    time.sleep(ONE_SECOND)
    moment = datetime.now(UTC).isoformat()
    time.sleep(ONE_SECOND)
    assert person.call("DELETE", f"/videos/{deleted}").status_code == 200
    assert person.call("PATCH", f"/videos/{overwritten}", {"title": "Not mine"}).status_code == 200
    s3.delete_object(Bucket=bucket, Key=keys[removed])
    s3.put_object(Bucket=bucket, Key=keys[damaged], Body=b"{")
    later = person.start(6 * 2**20)["videoId"]

    shown = operator.run(restore_records.main, moment, "--owner", person.owner, status=1)
    assert "nothing was done" in shown
    assert person.call("GET", f"/videos/{removed}").status_code == 404
    one = (restore_records.main, moment, "--video", removed, "--owner", person.owner, "--yes")
    for told in (operator.run(*one, status=1), operator.run(rebuild_index.main, person.owner, status=1)):
        assert f"are indexed except these, which are unreadable:\n  {keys[damaged]}\n" in told
    assert "no record has been lost" in operator.run(*one)
    assert person.call("GET", f"/videos/{removed}").json()["state"] == before[removed]

    assert "2 records are restored" in operator.run(restore_records.main, moment, "--owner", person.owner, "--yes")
    assert {each: person.call("GET", f"/videos/{each}").json()["state"] for each in keys} == before
    assert person.call("GET", f"/videos/{overwritten}").json()["title"] is None
    assert person.call("GET", f"/videos/{deleted}").status_code == 404
    listed = person.call("GET", "/videos").json()["videos"]
    assert {video["videoId"] for video in listed} == {removed, overwritten, damaged, later}
    assert [video["title"] for video in listed if video["videoId"] == overwritten] == [None]


def test_a_video_whose_record_was_lost_counts_against_its_upload_link_once_it_is_back(
    person: Person, operator: Operator, stand_in: StandIn, small_video: bytes
) -> None:
    """The janitor takes a marker without a record for an upload that never started, and gives its use back."""
    bearer = a_link(person)
    film = {"fileName": "film.mp4", "contentType": "video/mp4", "sizeBytes": len(small_video), "uploaderName": "Ada"}
    arrived, running = (person.call("POST", "/link/multipart/init", film, bearer).json() for _ in range(2))
    person.complete(arrived, person.send_parts(arrived, small_video))
    person.wait_for(arrived["videoId"], "ready")
    time.sleep(ONE_SECOND)
    moment = datetime.now(UTC).isoformat()
    time.sleep(ONE_SECOND)
    s3, bucket = stand_in.client("s3"), names.METADATA_BUCKET
    for started in (arrived, running):
        s3.delete_object(Bucket=bucket, Key=f"records/{person.owner}/{started['videoId']}.json")
    for used in s3.list_objects_v2(Bucket=bucket, Prefix=f"link-uses/{person.owner}/")["Contents"]:
        s3.delete_object(Bucket=bucket, Key=used["Key"])
    operator.run(restore_records.main, moment, "--owner", person.owner, "--yes")
    (link,) = person.call("GET", "/links").json()["links"]
    assert (link["usedVideos"], link["usedBytes"]) == (2, 2 * len(small_video))
