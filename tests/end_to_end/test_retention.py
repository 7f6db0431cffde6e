"""Retention through the front door, while the janitor's clock runs ahead."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from tests.end_to_end.actors import RETENTION_DAYS, WARNING_DAYS, Desktop, Person, StandIn, wait_until, walk_in
from video_upload import Client


def test_retention_announces_a_deletion_and_then_deletes_the_video(
    person: Person, stand_in: StandIn, desktop: Desktop, small_video: bytes
) -> None:
    received: list[dict[str, Any]] = []

    def told(event_type: str) -> dict[str, Any]:
        def found() -> dict[str, Any] | None:
            received.extend(stand_in.received_notifications())
            of_type = (each for each in received if (each["type"], each["videoId"]) == (event_type, video_id))
            return next(of_type, None)

        return wait_until(found)

    video_id = person.upload(small_video)["videoId"]
    ready = person.wait_for(video_id, "ready")
    due = datetime.fromisoformat(ready["completedAt"]) + timedelta(days=RETENTION_DAYS)
    assert (datetime.fromisoformat(ready["expiresAt"]), ready["expiresSoon"]) == (due, False)

    first_walk = RETENTION_DAYS - WARNING_DAYS
    walk_in(person.platform, [first_walk - 1])
    assert person.video(video_id)["expiresSoon"] is False
    walk_in(person.platform, range(first_walk + 1, RETENTION_DAYS + 1))
    warning = told("video.expiring")
    warned = person.video(video_id)
    assert warned["expiresSoon"] is True
    assert warned["expiresAt"] == warning["expiresAt"] >= ready["expiresAt"]
    assert [video["expiresAt"] for video in desktop.run("list")["videos"]] == [warned["expiresAt"]]
    seen = Client(home=desktop.home).video(video_id)
    assert (seen.expires_at, seen.expires_soon) == (warned["expiresAt"], True)

    walk_in(person.platform, range(RETENTION_DAYS + 1, RETENTION_DAYS + 4))
    assert person.call("GET", f"/videos/{video_id}").status_code == 404
    assert person.call("GET", "/usage").json()["storedBytes"] == 0
    assert told("video.deleted")["cause"] == "retention"
