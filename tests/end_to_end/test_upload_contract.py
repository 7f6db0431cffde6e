"""The contract of docs/api.md, spoken in plain HTTP to the whole platform."""

import base64
import hashlib
import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import requests
from awscrt import checksums

from local.platform import LocalPlatform
from local.stand_in import names
from tests.end_to_end.actors import PATIENCE_SECONDS, Person, StandIn, make_person, put_part, wait_until

MIB = 2**20


def crc64nvme(content: bytes) -> str:
    return base64.b64encode(checksums.crc64nvme(content).to_bytes(8, "big")).decode()


def test_a_video_sent_in_parts_is_stored_processed_announced_and_played(
    person: Person, stand_in: StandIn, video_12_mib: Path
) -> None:
    content = video_12_mib.read_bytes()
    started = person.start(len(content))
    assert started["partCount"] == 3
    parts = person.send_parts(started, content)
    answer = person.complete(
        started,
        parts,
        checksumCRC64NVME=crc64nvme(content),
        uploadId=started["uploadId"],
        fileKey=started["fileKey"],
    )
    assert (answer.status_code, answer.json()["status"]) == (200, "completed")

    video = person.wait_for(started["videoId"], "ready", "rejected")
    assert video["state"] == "ready", video
    assert video["media"]["container"] == "mp4"
    assert (video["media"]["video"]["width"], video["media"]["video"]["height"]) == (320, 180)
    assert video["media"]["durationSeconds"] == pytest.approx(2.0, abs=0.2)
    poster = requests.get(video["posterUrl"], timeout=10)
    assert poster.headers["Content-Type"] == "image/jpeg"
    assert poster.content.startswith(b"\xff\xd8")
    played = requests.get(video["playbackUrl"], headers={"Range": "bytes=0-99"}, timeout=10)
    assert (played.status_code, played.content) == (206, content[:100])
    assert hashlib.sha256(stand_in.stored(started["fileKey"])).digest() == hashlib.sha256(content).digest()
    assert "filename*=UTF-8''film.mp4" in played.headers["Content-Disposition"]
    assert announced_states(stand_in, started["videoId"]) == ["ready"]


def announced_states(stand_in: StandIn, video_id: str) -> list[str]:
    """The states that were announced for one video."""
    announced: list[str] = []

    def found() -> list[str] | None:
        announced.extend(
            str(message["state"]) for message in stand_in.received_notifications() if message["videoId"] == video_id
        )
        return announced or None

    return wait_until(found)


def test_a_small_video_goes_up_in_one_request(person: Person, stand_in: StandIn, small_video: bytes) -> None:
    offered = person.call(
        "POST",
        "/upload",
        {"fileName": "clip.mp4", "contentType": "video/mp4", "sizeBytes": len(small_video)},
    )
    assert offered.status_code == 201, offered.text
    form = offered.json()
    too_long = requests.post(form["url"], data=form["fields"], files={"file": small_video + b"x"}, timeout=10)
    assert too_long.status_code == 400
    sent = requests.post(form["url"], data=form["fields"], files={"file": small_video}, timeout=10)
    assert sent.status_code in {200, 201, 204}, sent.text
    assert person.wait_for(form["videoId"], "ready", "rejected")["state"] == "ready"
    assert stand_in.stored(form["fileKey"]) == small_video
    saved = requests.get(person.video(form["videoId"])["playbackUrl"], timeout=10)
    assert saved.headers["Content-Disposition"].startswith("attachment; filename=")


def test_forty_tebibytes_get_a_legal_plan(person: Person) -> None:
    started = person.start(40 * 2**40)
    assert started["partCount"] <= 10_000
    assert started["partCount"] * started["partSizeBytes"] >= 40 * 2**40
    assert len(started["presignedUrls"]) == 500
    last = [{"partNumber": started["partCount"]}]
    more = person.call("POST", "/multipart/parts", {"parts": last}, started["uploadToken"])
    assert more.status_code == 200, more.text
    person.call("POST", "/multipart/abort", {}, started["uploadToken"])


def test_one_byte_goes_all_the_way_to_its_honest_rejection(person: Person) -> None:
    started = person.upload(b"x")
    video = person.wait_for(started["videoId"], "ready", "rejected")
    assert (video["state"], video["rejection"]["code"]) == ("rejected", "not_a_video")
    assert video["playbackUrl"] is None


def test_a_rejected_video_can_never_be_fetched(person: Person, stand_in: StandIn) -> None:
    started = person.upload(b"plain text, renamed to film.mp4")
    person.wait_for(started["videoId"], "rejected")
    s3 = stand_in.client("s3")
    tags = s3.get_object_tagging(Bucket=names.VIDEO_BUCKET, Key=started["fileKey"])["TagSet"]
    assert tags == [{"Key": "verdict", "Value": "rejected"}]
    anonymous = requests.get(f"{stand_in.url}/{names.VIDEO_BUCKET}/{started['fileKey']}", timeout=10)
    assert anonymous.status_code == 403


def test_complete_sent_twice_and_much_later_gets_the_same_answer(person: Person, small_video: bytes) -> None:
    started = person.start(len(small_video))
    parts = person.send_parts(started, small_video)
    first = person.complete(started, parts)
    second = person.complete(started, parts)
    person.wait_for(started["videoId"], "ready")
    third = person.complete(started, parts)
    assert first.status_code == second.status_code == third.status_code == 200
    assert first.content == second.content == third.content


def test_an_answer_of_s3_that_is_lost_does_not_lose_the_upload(
    person: Person, stand_in: StandIn, small_video: bytes
) -> None:
    started = person.start(len(small_video))
    parts = person.send_parts(started, small_video)
    stand_in.fail("CompleteMultipartUpload", loseResponse=True, times=1, keyContains=started["videoId"])
    answer = wait_until(lambda: a if (a := person.complete(started, parts)).status_code == 200 else None)
    assert answer.json()["status"] == "completed"
    assert person.wait_for(started["videoId"], "ready")
    versions = stand_in.client("s3").list_object_versions(Bucket=names.VIDEO_BUCKET, Prefix=started["fileKey"])
    assert len(versions["Versions"]) == 1


def test_a_completion_that_s3_takes_long_over_answers_202_and_settles(
    person: Person, stand_in: StandIn, small_video: bytes
) -> None:
    started = person.start(len(small_video))
    parts = person.send_parts(started, small_video)
    stand_in.fail("CompleteMultipartUpload", delaySeconds=PATIENCE_SECONDS + 2, times=1, keyContains=started["videoId"])
    first = person.complete(started, parts)
    assert (first.status_code, first.json()["status"]) == (202, "completing")
    assert int(first.headers["Retry-After"]) > 0
    assert person.call("POST", "/multipart/abort", {}, started["uploadToken"]).status_code == 409
    settled = wait_until(lambda: a if (a := person.complete(started, parts)).status_code == 200 else None)
    assert settled.json()["status"] == "completed"
    assert person.wait_for(started["videoId"], "ready")


def test_a_busy_s3_is_passed_on_with_patience_and_loses_nothing(
    person: Person, stand_in: StandIn, small_video: bytes
) -> None:
    started = person.start(len(small_video))
    parts = person.send_parts(started, small_video)
    stand_in.fail("CompleteMultipartUpload", status=503, code="SlowDown", times=4, keyContains=started["videoId"])
    refused = wait_until(lambda: a if (a := person.complete(started, parts)).status_code != 202 else None)
    assert refused.status_code in {200, 503}
    if refused.status_code == 503:
        assert refused.headers["Retry-After"]
        assert refused.json()["error"]["code"] == "storage_unavailable"
    assert person.complete(started, parts).status_code == 200


def test_a_completion_that_meets_another_one_at_s3_is_not_given_up(
    person: Person, stand_in: StandIn, small_video: bytes
) -> None:
    started = person.start(len(small_video))
    parts = person.send_parts(started, small_video)
    conflict = {"status": 409, "code": "ConditionalRequestConflict", "keyContains": started["videoId"]}
    stand_in.fail("CompleteMultipartUpload", times=1, **conflict)
    assert person.complete(started, parts).status_code == 202
    assert person.video(started["videoId"])["state"] == "completing"


def test_a_wrong_whole_file_checksum_is_found_and_the_upload_can_be_mended(
    person: Person, stand_in: StandIn, small_video: bytes
) -> None:
    damaged = bytes([small_video[0] ^ 1]) + small_video[1:]
    started = person.start(len(small_video))
    parts = person.send_parts(started, damaged)
    refused = person.complete(started, parts, checksumCRC64NVME=crc64nvme(small_video))
    assert (refused.status_code, refused.json()["error"]["code"]) == (400, "checksum_mismatch")
    held = person.call("GET", "/multipart/parts", None, started["uploadToken"]).json()
    assert held["state"] == "uploading"
    assert held["parts"][0]["checksumCRC64NVME"] == crc64nvme(damaged)

    signed = person.call(
        "POST",
        "/multipart/parts",
        {"parts": [{"partNumber": 1, "checksumCRC64NVME": crc64nvme(small_video)}]},
        started["uploadToken"],
    ).json()["presignedUrls"][0]
    wrong_again = requests.put(signed["url"], data=damaged, headers=signed["headers"], timeout=10)
    assert wrong_again.status_code == 400
    etag = put_part(signed, small_video, len(small_video))
    mended = person.complete(started, [{"partNumber": 1, "etag": etag}], checksumCRC64NVME=crc64nvme(small_video))
    assert mended.status_code == 200, mended.text


def test_missing_foreign_and_unordered_parts_are_told_apart(person: Person, video_12_mib: Path) -> None:
    content = video_12_mib.read_bytes()
    started = person.start(len(content))
    parts = person.send_parts(started, content)
    missing = person.complete(started, parts[:1] + parts[2:])
    assert missing.json()["error"]["details"] == {"missingCount": 1, "missingPartNumbers": [2]}
    foreign = person.complete(started, [{**parts[0], "etag": '"0123456789abcdef0123456789abcdef"'}, *parts[1:]])
    assert (foreign.status_code, foreign.json()["error"]["code"]) == (400, "part_mismatch")
    assert person.complete(started, parts[::-1]).status_code == 200


def test_an_expired_url_is_refused_and_signed_again_for_that_part_only(
    person: Person, stand_in: StandIn, small_video: bytes
) -> None:
    started = person.start(len(small_video))
    part = started["presignedUrls"][0]
    stand_in.shift_clock(901)
    expired = requests.put(part["url"], data=small_video, timeout=10)
    assert expired.status_code == 403
    stand_in.shift_clock(0)
    signed = person.call("POST", "/multipart/parts", {"parts": [{"partNumber": 1}]}, started["uploadToken"])
    assert [again["partNumber"] for again in signed.json()["presignedUrls"]] == [1]
    assert put_part(signed.json()["presignedUrls"][0], small_video, len(small_video))
    person.call("POST", "/multipart/abort", {}, started["uploadToken"])


def test_a_part_of_another_length_than_signed_is_refused(person: Person, small_video: bytes) -> None:
    started = person.start(len(small_video))
    url = started["presignedUrls"][0]["url"]
    assert requests.put(url, data=small_video + b"x", timeout=10).status_code == 403
    assert requests.put(url, data=small_video[:-1], timeout=10).status_code == 403
    person.call("POST", "/multipart/abort", {}, started["uploadToken"])


def test_abort_racing_complete_has_exactly_one_winner(person: Person, stand_in: StandIn, small_video: bytes) -> None:
    for _ in range(6):
        started = person.start(len(small_video))
        parts = person.send_parts(started, small_video)
        with ThreadPoolExecutor(2) as both:
            completing = both.submit(person.complete, started, parts)
            aborting = both.submit(person.call, "POST", "/multipart/abort", {}, started["uploadToken"])
            completed, aborted = completing.result(), aborting.result()
        won = (completed.status_code == 200, aborted.status_code == 200)
        assert won in {(True, False), (False, True)}, (completed.text, aborted.text)
        state = person.video(started["videoId"])["state"]
        if won[1]:
            assert state == "aborted"
            uploads = stand_in.client("s3").list_multipart_uploads(Bucket=names.VIDEO_BUCKET, Prefix=started["fileKey"])
            assert "Uploads" not in uploads
        else:
            assert state in {"processing", "ready"}


def test_after_abort_nothing_more_can_be_sent_or_signed(person: Person, small_video: bytes) -> None:
    started = person.start(len(small_video))
    aborted = person.call("POST", "/multipart/abort", {}, started["uploadToken"])
    again = person.call("POST", "/multipart/abort", {}, started["uploadToken"])
    assert (aborted.status_code, aborted.content) == (again.status_code, again.content) == (200, aborted.content)
    late = requests.put(started["presignedUrls"][0]["url"], data=small_video, timeout=10)
    assert late.status_code == 404
    signed = person.call("POST", "/multipart/parts", {"parts": [{"partNumber": 1}]}, started["uploadToken"])
    assert (signed.status_code, signed.json()["error"]["code"]) == (409, "upload_aborted")


def test_a_late_event_after_delete_resurrects_nothing(person: Person, stand_in: StandIn, small_video: bytes) -> None:
    started = person.upload(small_video)
    person.wait_for(started["videoId"], "ready")
    s3 = stand_in.client("s3")
    version_id = s3.head_object(Bucket=names.VIDEO_BUCKET, Key=started["fileKey"])["VersionId"]
    assert person.call("DELETE", f"/videos/{started['videoId']}").status_code == 200
    assert person.call("DELETE", f"/videos/{started['videoId']}").status_code == 200

    event = {
        "Records": [
            {
                "eventName": "ObjectCreated:CompleteMultipartUpload",
                "s3": {
                    "bucket": {"name": names.VIDEO_BUCKET},
                    "object": {"key": started["fileKey"], "versionId": version_id},
                },
            }
        ]
    }
    looks = len(stand_in.requests_of("HeadObject", started["fileKey"]))
    stand_in.client("lambda").invoke(
        FunctionName="video_processing", InvocationType="Event", Payload=json.dumps(event).encode()
    )

    wait_until(lambda: len(stand_in.requests_of("HeadObject", started["fileKey"])) > looks or None)
    listed = s3.list_object_versions(Bucket=names.VIDEO_BUCKET, Prefix=started["fileKey"])
    assert [version["VersionId"] for version in listed.get("Versions", [])] == [version_id], "it can be restored"
    assert [marker["IsLatest"] for marker in listed["DeleteMarkers"] if marker["IsLatest"]], "nobody sees it"
    tombstone = f"records/{person.owner}/{started['videoId']}.json"
    tags = s3.get_object_tagging(Bucket=names.METADATA_BUCKET, Key=tombstone)["TagSet"]
    assert tags == [{"Key": "lifetime", "Value": "tombstone"}]
    assert person.call("GET", f"/videos/{started['videoId']}").status_code == 404
    listed = person.call("GET", "/videos").json()["videos"]
    assert started["videoId"] not in [video["videoId"] for video in listed]


def test_another_users_everything_is_as_unknown_as_nothing(
    platform: LocalPlatform, person: Person, small_video: bytes
) -> None:
    started = person.upload(small_video)
    stranger = make_person(platform)
    unknown_id = "f" * 28
    for method in ("GET", "DELETE"):
        theirs = stranger.call(method, f"/videos/{started['videoId']}")
        unknown = stranger.call(method, f"/videos/{unknown_id}")
        assert theirs.status_code == unknown.status_code == 404
        assert without_request_id(theirs) == without_request_id(unknown)
    assert stranger.call("GET", "/videos").json()["videos"] == []
    assert stranger.call("GET", "/uploads").json()["uploads"] == []

    mine = stranger.start(100)
    for foreign in ({"uploadId": started["uploadId"]}, {"fileKey": started["fileKey"]}):
        parts = [{"partNumber": 1, "etag": '"x"'}]
        completed = stranger.call("POST", "/multipart/complete", {"parts": parts, **foreign}, mine["uploadToken"])
        aborted = stranger.call("POST", "/multipart/abort", foreign, mine["uploadToken"])
        assert (completed.status_code, aborted.status_code) == (404, 404)
    stranger.call("POST", "/multipart/abort", {}, mine["uploadToken"])


def without_request_id(answer: requests.Response) -> dict[str, Any]:
    error = answer.json()["error"]
    return {name: value for name, value in error.items() if name != "requestId"}


def test_unfinished_uploads_can_be_picked_up_on_another_device(person: Person, video_12_mib: Path) -> None:
    content = video_12_mib.read_bytes()
    started = person.start(len(content))
    put_part(started["presignedUrls"][1], content, started["partSizeBytes"])
    (found,) = person.call("GET", "/uploads").json()["uploads"]
    assert (found["videoId"], found["fileName"]) == (started["videoId"], "film.mp4")
    held = person.call("GET", "/multipart/parts", None, found["uploadToken"]).json()
    assert [part["partNumber"] for part in held["parts"]] == [2]
    wanted = {"parts": [{"partNumber": number} for number in (1, 3)]}
    urls = person.call("POST", "/multipart/parts", wanted, found["uploadToken"]).json()["presignedUrls"]
    etags = {part["partNumber"]: put_part(part, content, started["partSizeBytes"]) for part in urls}
    etags[2] = held["parts"][0]["etag"]
    completed = person.call(
        "POST",
        "/multipart/complete",
        {"parts": [{"partNumber": number, "etag": etag} for number, etag in sorted(etags.items())]},
        found["uploadToken"],
    )
    assert completed.status_code == 200, completed.text
    assert person.call("GET", "/uploads").json()["uploads"] == []


def test_the_library_pages_through_everything_newest_first(person: Person, small_video: bytes) -> None:
    newest_first = [person.upload(small_video)["videoId"] for _ in range(5)][::-1]
    seen: list[str] = []
    query = "?limit=2"
    while True:
        page = person.call("GET", f"/videos{query}").json()
        seen += [video["videoId"] for video in page["videos"]]
        if page["nextCursor"] is None:
            break
        query = f"?limit=2&cursor={page['nextCursor']}"
    assert seen == newest_first


def test_caps_are_kept_and_given_back(person: Person) -> None:
    tokens = [person.start(100)["uploadToken"] for _ in range(20)]
    body = {"fileName": "film.mp4", "contentType": "video/mp4", "sizeBytes": 100}
    refused = person.call("POST", "/multipart/init", body)
    assert (refused.status_code, refused.json()["error"]["code"]) == (429, "too_many_open_uploads")
    person.call("POST", "/multipart/abort", {}, tokens[0])
    again = person.call("POST", "/multipart/init", body)
    assert again.status_code == 201
    for token in [*tokens[1:], again.json()["uploadToken"]]:
        person.call("POST", "/multipart/abort", {}, token)
