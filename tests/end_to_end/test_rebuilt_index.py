"""An upgrade from version 0.1: the records that it left are listed and searched by the index that the command makes."""

from __future__ import annotations

from uuid import uuid4

from deploy import rebuild_index
from local.platform import LocalPlatform
from local.stand_in import names
from tests.end_to_end.actors import Operator, Person, StandIn, make_person, ready_video, wait_until
from tests.records_of_0_1 import as_written_by_0_1


def test_records_of_0_1_are_found_by_the_index_that_the_command_makes_and_read_by_nobody_any_more(
    person: Person, platform: LocalPlatform, operator: Operator, stand_in: StandIn, small_video: bytes
) -> None:
    mark = uuid4().hex
    sea, mountain = (
        ready_video(person, small_video, file_name=f"{name} {mark}.mp4")["videoId"] for name in ("See", "Bergé")
    )
    keys = [f"records/{person.owner}/{video_id}.json" for video_id in (sea, mountain)]
    downgrade(stand_in, person.owner, keys)

    told = operator.run(rebuild_index.main)
    assert "records of local are indexed" in told
    read = reads_of(stand_in, keys)

    listed = person.call("GET", "/videos").json()["videos"]
    assert [video["videoId"] for video in listed] == [mountain, sea]
    assert {(video["state"], video["title"], video["media"]["container"]) for video in listed} == {
        ("ready", None, "mp4")
    }
    by_name = person.call("GET", "/videos?sort=name").json()["videos"]
    assert [video["videoId"] for video in by_name] == [mountain, sea]
    (found,) = person.call("GET", "/videos?query=BERGE").json()["videos"]
    assert found["videoId"] == mountain
    email = f"{uuid4().hex}@example.com"
    platform.sign_in.appoint_administrator(email)
    stage_wide = make_person(platform, email=email).call("GET", f"/admin/videos?query={mark}&sort=oldest").json()
    assert [video["videoId"] for video in stage_wide["videos"]] == [sea, mountain]
    assert reads_of(stand_in, keys) == read

    assert person.call("PATCH", f"/videos/{sea}", {"title": "Wasser"}).status_code == 200
    (renamed,) = person.call("GET", "/videos?query=wasser").json()["videos"]
    assert (renamed["videoId"], renamed["title"]) == (sea, "Wasser")


def downgrade(stand_in: StandIn, owner: str, keys: list[str]) -> None:
    """Leave what version 0.1 would have left: its records, and no index."""
    s3, bucket = stand_in.client("s3"), names.METADATA_BUCKET

    def told() -> list[bytes] | None:
        bodies = [s3.get_object(Bucket=bucket, Key=key)["Body"].read() for key in keys]
        return None if any(b'"notifiedAt":null' in body for body in bodies) else bodies

    for key, body in zip(keys, wait_until(told), strict=True):
        s3.put_object(Bucket=bucket, Key=key, Body=as_written_by_0_1(body))
    for folder in (f"index/new/{owner}/", f"index/packs/owners/{owner}/", "index/packs/stage/"):
        for indexed in s3.list_objects_v2(Bucket=bucket, Prefix=folder).get("Contents", []):
            s3.delete_object(Bucket=bucket, Key=indexed["Key"])


def reads_of(stand_in: StandIn, keys: list[str]) -> list[int]:
    return [len(stand_in.requests_of("GetObject", key)) for key in keys]
