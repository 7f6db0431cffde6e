"""Administrators through the front door: they list, search, view and delete all users' videos, and it is audited."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
import requests

from chalicelib.core.stage_library import AUDIT_MESSAGE
from deploy import administrators
from local.platform import LocalPlatform
from tests.end_to_end.actors import (
    Operator,
    Person,
    make_desktop,
    make_person,
    ready_video,
    users_at_the_sign_in,
    wait_until,
)
from tests.end_to_end.log_search import PrintedLines
from tests.terminal import Terminal
from video_upload import Client
from video_upload.exit_codes import ExitCode


@pytest.fixture
def administrator(platform: LocalPlatform) -> Person:
    email = f"ada-{uuid4().hex}@example.com"
    platform.sign_in.appoint_administrator(email)
    return make_person(platform, email=email)


def audited(printed: PrintedLines, administrator: Person, count: int) -> list[dict[str, Any]]:
    """This administrator's audit records, once there are so many."""

    def found() -> list[dict[str, Any]] | None:
        lines = [line for line in printed.documents() if line.get("message") == AUDIT_MESSAGE]
        own = [line for line in lines if line["administrator"] == administrator.owner]
        return own if len(own) >= count else None

    return wait_until(found)


def test_an_administrator_finds_views_and_deletes_a_users_video_and_each_step_is_on_record(
    person: Person, administrator: Person, small_video: bytes, printed: PrintedLines
) -> None:
    name = f"{uuid4().hex}.mp4"
    video_id = ready_video(person, small_video, file_name=name)["videoId"]
    path = f"/admin/videos/{person.owner}/{video_id}"
    for method, refused in (("GET", "/admin/videos"), ("GET", "/admin/usage"), ("GET", path), ("DELETE", path)):
        answer = person.call(method, refused)
        assert (answer.status_code, answer.json()["error"]["code"]) == (403, "forbidden")

    (found,) = administrator.call("GET", f"/admin/videos?query={name[:20].upper()}").json()["videos"]
    assert (found["owner"], found["videoId"], found["fileName"]) == (person.owner, video_id, name)
    assert administrator.call("GET", f"/admin/videos?owner={administrator.owner}").json()["videos"] == []
    shown = administrator.call("GET", path).json()
    assert requests.get(shown["playbackUrl"], timeout=30).content == small_video
    assert administrator.call("GET", "/admin/usage").json()["reservedVideos"] >= 0
    deleted = administrator.call("DELETE", path).json()
    assert (deleted["status"], deleted["owner"]) == ("deleted", person.owner)
    assert person.call("GET", f"/videos/{video_id}").status_code == 404
    assert administrator.call("GET", path).status_code == 404

    records = audited(printed, administrator, 6)
    assert [(line["action"], line.get("owner"), line.get("videoId"), line.get("videos")) for line in records] == [
        ("list videos", None, None, f"{person.owner}/{video_id}"),
        ("list videos", administrator.owner, None, ""),
        ("show video", person.owner, video_id, None),
        ("show usage", None, None, None),
        ("delete video", person.owner, video_id, None),
        ("show video", person.owner, video_id, None),
    ]
    assert all(line["requestId"] for line in records)


def test_many_videos_are_deleted_at_once_by_their_owner_and_by_an_administrator_and_nobody_elses_with_them(
    platform: LocalPlatform, person: Person, administrator: Person, tmp_path: Path
) -> None:
    other = make_person(platform)
    own = [person.start(1000)["videoId"] for _ in range(3)]
    foreign = other.start(1000)["videoId"]
    answer = person.call("POST", "/videos/delete", {"videoIds": [*own[:2], foreign, own[0]]}).json()
    assert [(video["videoId"], video["status"]) for video in answer["videos"]] == [
        (own[0], "deleted"),
        (own[1], "deleted"),
        (foreign, "not_found"),
    ]
    assert other.call("GET", f"/videos/{foreign}").status_code == 200
    named = {"videos": [{"owner": person.owner, "videoId": own[2]}, {"owner": other.owner, "videoId": foreign}]}
    assert other.call("POST", "/admin/videos/delete", named).status_code == 403
    answer = administrator.call("POST", "/admin/videos/delete", named).json()
    assert [(video["owner"], video["status"]) for video in answer["videos"]] == [
        (person.owner, "deleted"),
        (other.owner, "deleted"),
    ]
    assert [each.call("GET", "/videos").json()["videos"] for each in (person, other)] == [[], []]

    again = [person.start(1000)["videoId"] for _ in range(2)]
    desktop = make_desktop(platform, person, tmp_path / "user")
    told = desktop.run("delete", *again, "f" * 28, "--yes", exit_code=ExitCode.FAILED)
    assert [video["status"] for video in told["videos"]] == ["deleted", "deleted", "not_found"]


def test_an_operator_appoints_and_dismisses_administrators(
    person: Person, operator: Operator, monkeypatch: pytest.MonkeyPatch
) -> None:
    platform = person.platform
    with users_at_the_sign_in(platform):
        monkeypatch.setattr(sys, "stdin", Terminal("yes\n"))
        assert "nothing was done" in operator.run(administrators.main, "add", person.email, status=1)
        monkeypatch.setattr(sys, "stdin", Terminal(f"{person.email}\n"))
        operator.run(administrators.main, "add", person.email)
        assert person.owner in operator.run(administrators.main, "list")
        assert person.call("GET", "/admin/usage").status_code == 403, "the token is older than the group"
        appointed = make_person(platform, email=person.email)
        assert appointed.call("GET", "/admin/usage").status_code == 200
        operator.run(administrators.main, "remove", person.email, "--yes")
        assert person.owner not in operator.run(administrators.main, "list")
    dismissed = make_person(platform, email=person.email)
    assert dismissed.call("GET", "/admin/usage").status_code == 403


def test_an_administrator_works_with_the_command_and_the_library(
    person: Person, administrator: Person, small_video: bytes, tmp_path: Path
) -> None:
    name = f"{uuid4().hex}.mp4"
    video_id = ready_video(person, small_video, file_name=name)["videoId"]
    users = make_desktop(person.platform, person, tmp_path / "user")
    refused = users.start("admin", "list", "--json")
    assert '"forbidden"' in "".join(refused.communicate(timeout=60))
    assert refused.returncode == ExitCode.FAILED
    desktop = make_desktop(person.platform, administrator, tmp_path / "administrator")
    (found,) = desktop.run("admin", "list", "--query", name)["videos"]
    assert (found["owner"], found["videoId"]) == (person.owner, video_id)
    assert desktop.run("admin", "show", person.owner, video_id)["fileName"] == name
    desktop.run("admin", "download", person.owner, video_id, "--output", str(tmp_path / name))
    assert (tmp_path / name).read_bytes() == small_video
    assert desktop.run("admin", "usage")["reservedBytes"] >= 0
    client = Client(home=tmp_path / "administrator")
    assert [each.video_id for each in client.stage_videos(owner=person.owner)] == [video_id]
    assert client.stage_video(person.owner, video_id).state == "ready"
    assert client.stage_usage().reserved_videos >= 0
    assert desktop.run("admin", "delete", person.owner, video_id, "--yes")["owner"] == person.owner
    assert [*client.stage_videos(owner=person.owner)] == []
