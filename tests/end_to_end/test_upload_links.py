"""Upload links through the front door: made, borne without an account, listed, revoked."""

import json
import signal
from pathlib import Path
from typing import Any
from uuid import uuid4

from local.platform import LocalPlatform
from tests.end_to_end.actors import Desktop, Person, StandIn, wait_until
from tests.end_to_end.log_search import PrintedLines, leaks

FILM = {"fileName": "match.mp4", "contentType": "video/mp4", "uploaderName": "Ada"}


def make_link(person: Person, **changes: Any) -> dict[str, Any]:
    asked = {"title": "Match day", "note": "Whole matches, please.", "validSeconds": 3600, "maxVideos": 2}
    made = person.call("POST", "/links", {**asked, "maxBytes": 10**9, **changes})
    assert made.status_code == 201, made.text
    return made.json()


def refusal(answer: Any) -> tuple[int, str]:
    return answer.status_code, answer.json()["error"]["code"]


def test_a_video_comes_by_a_link_and_the_link_opens_nothing_else(
    person: Person, small_video: bytes, printed: PrintedLines
) -> None:
    link = make_link(person)
    bearer = link["linkToken"]
    shown = person.call("GET", "/link", token=bearer).json()
    assert (shown["title"], shown["videosLeft"], shown["bytesLeft"]) == ("Match day", 2, 10**9)

    film = {**FILM, "sizeBytes": len(small_video)}
    started = person.call("POST", "/link/multipart/init", film, bearer).json()
    person.complete(started, person.send_parts(started, small_video))
    video = person.wait_for(started["videoId"], "ready")
    assert (video["linkId"], video["uploaderName"]) == (link["linkId"], "Ada")
    (listed,) = person.call("GET", "/links").json()["links"]
    assert (listed["usedVideos"], listed["usedBytes"], listed["linkToken"]) == (1, len(small_video), bearer)

    running = person.call("POST", "/link/multipart/init", film, bearer).json()
    assert refusal(person.call("POST", "/link/multipart/init", film, bearer)) == (429, "link_used_up")
    assert person.call("DELETE", f"/links/{link['linkId']}").json()["status"] == "revoked"
    assert refusal(person.call("GET", "/link", token=bearer)) == (410, "link_revoked")
    assert refusal(person.call("POST", "/link/multipart/init", film, bearer)) == (410, "link_revoked")
    signed = {"parts": [{"partNumber": 1}]}
    assert refusal(person.call("POST", "/multipart/parts", signed, running["uploadToken"])) == (410, "link_revoked")

    lines = [line for line in printed.documents() if line.get("linkId") == link["linkId"]]
    said = {line.get("message") for line in lines}
    assert {"upload link made", "upload started", "upload link revoked"} <= said
    assert leaks(printed.of_functions(), {"link": bearer}) == []


def test_a_machine_finds_its_reference_in_the_record_the_listing_and_the_message(
    person: Person, platform: LocalPlatform, small_video: bytes, stand_in: StandIn
) -> None:
    named = {"reference": f"order-{uuid4()}", "onBehalfOf": "customer-3"}
    film = {"fileName": "film.mp4", "contentType": "video/mp4", "sizeBytes": len(small_video), **named}
    assert refusal(person.call("POST", "/multipart/init", film)) == (403, "forbidden")

    authority = platform.sign_in.authority
    scopes = ("video-upload/read", "video-upload/write")
    machine = Person(platform, "", authority.tokens.for_machine(authority.clients.get("machine"), scopes).access_token)
    started = machine.call("POST", "/multipart/init", film).json()
    machine.complete(started, machine.send_parts(started, small_video))
    video = machine.wait_for(started["videoId"], "ready")
    (found,) = machine.call("GET", f"/videos?query={named['reference']}").json()["videos"]

    def told() -> dict[str, Any] | None:
        received = stand_in.received_notifications()
        return next((message for message in received if message["videoId"] == video["videoId"]), None)

    for seen in (video, found, wait_until(told)):
        assert {name: seen[name] for name in named} == named


def test_the_command_makes_a_link_and_somebody_without_an_account_resumes_by_it(
    person: Person, desktop: Desktop, tmp_path: Path, video_12_mib: Path
) -> None:
    made = desktop.run("link", "make", "Match day", "--days", "1", "--videos", "1", "--size", "1GB")
    assert "linkToken" not in made
    stranger = Desktop(tmp_path / "stranger")
    by_link = ("upload", str(video_12_mib), "--link", made["address"], "--uploader", "Ada")
    slow = stranger.start(*by_link, "--limit-rate", "1MB", "--parallel", "1", "--json")

    def begun_upload() -> dict[str, Any] | None:
        uploads = person.call("GET", "/uploads").json()["uploads"]
        return next((upload for upload in uploads if upload["receivedBytes"]), None)

    begun = wait_until(begun_upload)
    slow.send_signal(signal.SIGINT)
    slow.communicate(timeout=60)
    assert slow.returncode == 130
    assert (begun["linkId"], begun["uploaderName"]) == (made["linkId"], "Ada")
    arrived = stranger.run(*by_link)["video"]
    assert arrived["videoId"] == begun["videoId"]
    video = person.wait_for(arrived["videoId"], "ready")
    assert (video["linkId"], video["uploaderName"]) == (made["linkId"], "Ada")
    assert desktop.run("link", "list")["links"][0]["usedVideos"] == 1
    assert desktop.run("link", "revoke", made["linkId"], "--yes")["status"] == "revoked"
    refused = stranger.start(*by_link, "--json")
    _, errors = refused.communicate(timeout=60)
    assert json.loads(errors)["error"]["code"] == "link_revoked"
