"""Examples for the API's document, recorded from a platform on this machine."""

import re
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import requests

from chalicelib.contract.openapi import WEBHOOK
from chalicelib.contract.operations import OPERATIONS, Bearer
from chalicelib.core.video_events import EventType
from local.platform import LocalPlatform, Ports
from tests.end_to_end.actors import Person, StandIn, expire, make_person, put_part, wait_until, walk_in
from tests.media.sample_videos import write_reordered_video, write_sample_video

SECRET = "EXAMPLE"
ADMINISTRATOR = "ada@example.com"
_SECRET_PARAMETER = re.compile(r"(X-Amz-(?:Signature|Credential|Security-Token)=)[^&]+")
_SECRET_FIELDS = frozenset(
    {"uploadToken", "linkToken", "policy", "x-amz-signature", "x-amz-credential", "x-amz-security-token"}
)
_PORTS = Ports()
RETENTION_DAYS = 365


class Recording:
    """Calls of one person, kept by operation. examples: see chalicelib.contract.openapi.Examples."""

    def __init__(self, person: Person, stand_in: StandIn) -> None:
        self._person = person
        self.stand_in = stand_in
        self.examples: dict[str, dict[str, Any]] = {}

    def call(
        self, operation: str, method: str, path: str, body: Any = None, token: str | None = None
    ) -> dict[str, Any]:
        """The first answer of each status is kept, and the first body that was accepted."""
        answer = self._person.call(method, path, body, token)
        kept = self.examples.setdefault(operation, {})
        kept.setdefault(str(answer.status_code), self._printable(answer.json()))
        if body is not None and answer.ok:
            kept.setdefault("request", body)
        return answer.json()

    def keep_messages(self, *types: str) -> None:
        """The first message of each type."""
        kept: dict[str, Any] = self.examples.setdefault(WEBHOOK, {})

        def has_all() -> bool | None:
            for message in self.stand_in.received_notifications():
                kept.setdefault(message["type"], self._printable(message))
            return set(types) <= set(kept) or None

        wait_until(has_all)

    def _printable(self, value: Any, name: str = "") -> Any:
        """Without secrets and random ports."""
        match value:
            case dict():
                return {key: self._printable(each, key) for key, each in value.items()}
            case list():
                return [self._printable(each) for each in value]
            case str() if name in _SECRET_FIELDS:
                return SECRET
            case str():
                platform = self._person.platform
                stand_in_url, site_url = (f"http://127.0.0.1:{port}" for port in (_PORTS.stand_in, _PORTS.site))
                named = value.replace(platform.stand_in_url, stand_in_url).replace(platform.site_url, site_url)
                return _SECRET_PARAMETER.sub(rf"\1{SECRET}", named)
            case _:
                return value


def recorded() -> dict[str, dict[str, Any]]:
    """Examples of every operation, from one run."""
    settings = {"RETENTION_SECONDS": str(RETENTION_DAYS * 24 * 3600), "RENDITIONS": "true"}
    with (
        TemporaryDirectory() as folder,
        LocalPlatform(data_dir=None, ports=Ports.free(), api_variables=settings) as platform,
    ):
        file = write_sample_video(Path(folder) / "holiday.mp4", duration_seconds=1.0, pad_to_bytes=6 * 2**20)
        person = make_person(platform)
        recording = Recording(person, StandIn(platform.stand_in_url))
        _play_copies(recording, person, Path(folder))
        _play(recording, person, file.read_bytes())
        return recording.examples


def _play(recording: Recording, person: Person, content: bytes) -> None:
    call = recording.call
    film = {"fileName": "holiday.mp4", "contentType": "video/mp4", "sizeBytes": len(content)}
    started = call("startUpload", "POST", "/multipart/init", film)
    token, video_id = started["uploadToken"], started["videoId"]
    signed = call("signParts", "POST", "/multipart/parts", {"parts": [{"partNumber": 1}, {"partNumber": 2}]}, token)
    parts = [
        {"partNumber": part["partNumber"], "etag": put_part(part, content, started["partSizeBytes"])}
        for part in signed["presignedUrls"]
    ]
    call("listParts", "GET", "/multipart/parts", None, token)
    call("listUploads", "GET", "/uploads")
    call("completeUpload", "POST", "/multipart/complete", {"parts": parts[:1]}, token)
    call("completeUpload", "POST", "/multipart/complete", {"parts": parts}, token)
    event = {"event": "uploadProgress", "at": 1_769_860_800_123, "videoId": video_id, "correlationId": "0f0e0d0c-4b5a"}
    told = [{**event, "sizeBytes": len(content), "sentBytes": 5_242_880}]
    call("tellProgress", "POST", "/progress", {"client": "web/0.2.0", "system": "Linux x86_64", "events": told})
    person.wait_for(video_id, "ready")
    walk_in(person.platform, [RETENTION_DAYS - 7])
    call("listVideos", "GET", "/videos?limit=1")
    call("listVideos", "GET", "/videos?limit=0")
    call("editVideo", "PATCH", f"/videos/{video_id}", {"title": "A day at the sea", "tags": ["holiday", "2026"]})
    platform = person.platform
    platform.sign_in.appoint_administrator(ADMINISTRATOR)
    administrators = platform.sign_in.issue_tokens(ADMINISTRATOR).access_token
    call("listStageVideos", "GET", "/admin/videos?limit=1", None, administrators)
    call("listStageVideos", "GET", "/admin/videos?limit=0", None, administrators)
    call("listStageVideos", "GET", "/admin/videos")
    _play_links(recording, film)
    _look(recording, administrators, owner=person.owner, videoId=video_id)
    call("signParts", "POST", "/multipart/parts", {"parts": [{"partNumber": 1}]}, token)
    abandoned = call("startUpload", "POST", "/multipart/init", film)
    call("abortUpload", "POST", "/multipart/abort", {"uploadId": abandoned["uploadId"]}, abandoned["uploadToken"])
    call("abortUpload", "POST", "/multipart/abort", {}, token)
    offered = call("offerUpload", "POST", "/upload", film)
    form = {name: (None, value) for name, value in offered["fields"].items()}
    answer = requests.post(offered["url"], files={**form, "file": ("holiday.mp4", content)}, timeout=30)
    assert answer.ok, answer.text
    call("startUpload", "POST", "/multipart/init", {"fileName": 1, "sizeBytes": -1, "owner": "me"})
    call("startUpload", "POST", "/multipart/init", {**film, "sizeBytes": 2**62})
    call("startUpload", "POST", "/multipart/init", {**film, "fileName": "holiday.exe"})
    call("startUpload", "POST", "/multipart/init", film, "no-token")
    call("deleteVideo", "DELETE", f"/videos/{video_id}")
    call("showVideo", "GET", f"/videos/{video_id}")
    _delete_several(recording, administrators, person.owner, offered["videoId"], video_id)
    call("deleteStageVideo", "DELETE", f"/admin/videos/{person.owner}/{abandoned['videoId']}", None, administrators)
    person.upload(b"no video at all" * 100)
    expire(recording.stand_in, person, person.start(len(content)))
    recording.keep_messages(*EventType)


def _look(recording: Recording, administrator: str, **names: str) -> None:
    """Call each GET that has no example yet and needs no more than an access token and a video's names."""
    tokens = {Bearer.NOTHING: None, Bearer.READ: None, Bearer.ADMINISTRATOR_READ: administrator}
    for each in OPERATIONS:
        if each.method == "get" and each.bearer in tokens and each.name not in recording.examples:
            recording.call(each.name, "GET", each.path.format(**names), None, tokens[each.bearer])


def _play_copies(recording: Recording, person: Person, folder: Path) -> None:
    copied = write_sample_video(folder / "clip.mov", "mov", duration_seconds=1.0)
    person.upload(copied.read_bytes(), file_name="clip.mov", content_type="video/quicktime")
    person.upload(
        write_reordered_video(folder / "tape.avi", "avi").read_bytes(),
        file_name="tape.avi",
        content_type="video/x-msvideo",
    )
    recording.keep_messages(EventType.RENDITION_READY, EventType.RENDITION_FAILED)


def _delete_several(recording: Recording, administrator: str, owner: str, *video_ids: str) -> None:
    recording.call("deleteVideos", "POST", "/videos/delete", {"videoIds": [*video_ids, "f" * 28]})
    named = {"videos": [{"owner": owner, "videoId": video_id} for video_id in video_ids]}
    recording.call("deleteStageVideos", "POST", "/admin/videos/delete", named, administrator)


def _play_links(recording: Recording, film: dict[str, Any]) -> None:
    call = recording.call
    day = {"title": "Match day", "note": "Whole matches, please.", "validSeconds": 604_800, "maxBytes": 50_000_000_000}
    link = call("makeLink", "POST", "/links", {**day, "maxVideos": 1})
    call("makeLink", "POST", "/links", {**day, "maxVideos": 0})
    bearer, sent = link["linkToken"], {**film, "uploaderName": "Grace"}
    call("showLink", "GET", "/link", None, bearer)
    started = call("startLinkUpload", "POST", "/link/multipart/init", sent, bearer)
    call("startLinkUpload", "POST", "/link/multipart/init", sent, bearer)
    call("listLinks", "GET", "/links")
    call("revokeLink", "DELETE", f"/links/{link['linkId']}")
    call("revokeLink", "DELETE", f"/links/{'0' * 28}")
    call("showLink", "GET", "/link", None, bearer)
    call("startLinkUpload", "POST", "/link/multipart/init", sent, bearer)
    call("listParts", "GET", "/multipart/parts", None, started["uploadToken"])
