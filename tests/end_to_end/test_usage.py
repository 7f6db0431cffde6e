"""Usage through the front door: told, limited, and free again after a deletion."""

from tests.end_to_end.actors import Desktop, Person
from video_upload import Client

FILM = {"fileName": "film.mp4", "contentType": "video/mp4"}


def test_what_is_stored_is_told_and_limits_the_next_upload(
    person: Person, desktop: Desktop, small_video: bytes
) -> None:
    video_id = person.upload(small_video)["videoId"]
    usage = person.call("GET", "/usage").json()
    assert (usage["storedBytes"], usage["storedVideos"], usage["reservedBytes"]) == (len(small_video), 1, 0)

    assert desktop.run("usage") == usage
    assert Client(home=desktop.home).usage().stored_bytes == len(small_video)

    left = usage["maxStoredBytes"] - len(small_video)
    refused = person.call("POST", "/multipart/init", {**FILM, "sizeBytes": left + 1})
    assert (refused.status_code, refused.json()["error"]["code"]) == (429, "stored_bytes_exceeded")
    assert refused.json()["error"]["details"]["storedBytes"] == len(small_video)

    started = person.call("POST", "/multipart/init", {**FILM, "sizeBytes": left})
    assert started.status_code == 201
    assert person.call("GET", "/usage").json()["reservedBytes"] == left
    person.call("POST", "/multipart/abort", {}, started.json()["uploadToken"])

    person.call("DELETE", f"/videos/{video_id}")
    assert person.call("GET", "/usage").json()["storedBytes"] == 0
