"""The API of docs/api.md over memory: as much of it as the page uses, with knobs for what goes wrong."""

import hashlib
import secrets
import struct
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Literal, cast

import jwt
from flask import Blueprint, Response, jsonify, request

from chalicelib.core.index.lines import searched
from chalicelib.core.index.queries import Query, Sort
from chalicelib.core.media.playability import playability
from chalicelib.core.video_types import Container
from local.sign_in.server import SignIn
from tests.web.fake_storage import CHECKSUM_HEADER, FakeStorage, Grant, crc64nvme_base64

Json = dict[str, Any]

FAKE_PART_SIZE_BYTES = 2**18
"""Less than S3 allows, for quick tests."""


class Refusal(Exception):  # noqa: N818 - an answer, not a failure of the fake
    """An error of the contract."""

    def __init__(self, status: int, code: str, **details: object) -> None:
        super().__init__(code)
        self.status = status
        self.code = code
        self.details = details


@dataclass
class FakeVideo:
    """One record."""

    video_id: str
    owner: str
    body: Json
    token: str
    number: int
    state: Literal["uploading", "processing", "ready", "rejected", "aborted", "deleted"] = "uploading"
    looks_until_settled: int = 1
    codec: str = "h264"
    created_at: str | None = None
    idle_seconds: int | None = 3600
    waits_for: str | None = None
    expires_at: str | None = None
    rejection: str = "not_a_video"
    rendition: dict[str, Any] | None = None


_ORDERS: dict[Sort, tuple[Callable[[FakeVideo], Any], bool]] = {
    Sort.NEWEST: (lambda video: video.number, True),
    Sort.OLDEST: (lambda video: video.number, False),
    Sort.NAME: (lambda video: video.body["fileName"].lower(), False),
    Sort.NAME_DESCENDING: (lambda video: video.body["fileName"].lower(), True),
    Sort.LARGEST: (lambda video: video.body["sizeBytes"], True),
    Sort.SMALLEST: (lambda video: video.body["sizeBytes"], False),
}


def _is_found(video: FakeVideo, query: Query) -> bool:
    text = searched(" ".join([video.body.get("title") or "", video.body["fileName"], *video.body.get("tags", [])]))
    return all(word in text for word in query.words)


@dataclass
class FakeApi:
    """Knobs and records; everything may be changed while it runs.

    faults: "METHOD /path" → (status, code, details) answered before the real thing; status 0 lets that call through.
    completing_answers: how often complete answers 202 first.
    checksums: of whole files, as complete was given them. begun: by owner, correlation id and file.
    max_stored_bytes: of one user; None for no limit.
    page_records: how many records GET /videos looks at, deleted ones too. undeletable: what fails of several deletions.
    """

    sign_in: SignIn
    storage: FakeStorage
    part_size_bytes: int = FAKE_PART_SIZE_BYTES
    first_page_parts: int = 500
    completing_answers: int = 0
    page_records: int = 400
    max_stored_bytes: int | None = None
    urls_per_call: int = 500
    faults: dict[str, list[tuple[int, str, Json]]] = field(default_factory=dict[str, list[tuple[int, str, Json]]])
    videos: dict[str, FakeVideo] = field(default_factory=dict[str, FakeVideo])
    undeletable: set[str] = field(default_factory=set[str])
    calls: list[str] = field(default_factory=list[str])
    checksums: list[str | None] = field(default_factory=list[str | None])
    begun: dict[tuple[Any, ...], FakeVideo] = field(default_factory=dict[tuple[Any, ...], FakeVideo])

    def blueprint(self) -> Blueprint:
        api = Blueprint("api", __name__, url_prefix="/api")
        api.before_request(self._before)
        api.errorhandler(Refusal)(_refused)
        api.post("/multipart/init")(self._init)
        api.post("/multipart/parts")(self._sign)
        api.get("/multipart/parts")(self._stored)
        api.post("/multipart/complete")(self._complete)
        api.post("/multipart/abort")(self._abort)
        api.get("/uploads")(self._unfinished)
        api.get("/videos")(self._list)
        api.get("/usage")(self._usage)
        api.get("/videos/<video_id>")(self._video)
        api.patch("/videos/<video_id>")(self._edit)
        api.delete("/videos/<video_id>")(self._delete)
        api.post("/videos/delete")(self._delete_several)
        return api

    def add_deleted_videos(self, email: str, count: int) -> None:
        """Nothing of them can be seen but that the library has their records to skip."""
        owner = str(self.sign_in.authority.users.get_or_create(email).subject)
        for _ in range(count):
            self._new_video(owner, {"fileName": "gone.mp4", "sizeBytes": 1}).state = "deleted"

    def add_ready_video(
        self, email: str, name: str, content: bytes, *, codec: str = "h264", created_at: str | None = None
    ) -> FakeVideo:
        """Add a video as if uploaded and processed long ago."""
        owner = str(self.sign_in.authority.users.get_or_create(email).subject)
        video = self._new_video(owner, {"fileName": name, "contentType": "video/mp4", "sizeBytes": len(content)})
        self.storage.objects[video.video_id] = ("video/mp4", content)
        video.state = "ready"
        video.codec, video.created_at = codec, created_at
        return video

    def _before(self) -> None:
        name = f"{request.method} {request.path.removeprefix('/api')}"
        self.calls.append(name)
        if planned := self.faults.get(name):
            status, code, details = planned.pop(0)
            if status != 0:
                raise Refusal(status, code, **details)

    def _user(self) -> str:
        token = request.headers.get("Authorization", "").removeprefix("Bearer ")
        key = self.sign_in.authority.key.private_key.public_key()
        try:
            claims = jwt.decode(token, key, algorithms=["RS256"], issuer=self.sign_in.authority_url)
        except jwt.InvalidTokenError as error:
            raise Refusal(401, "unauthorized") from error
        return str(claims["sub"])

    def _upload(self) -> FakeVideo:
        token = request.headers.get("Authorization", "").removeprefix("Bearer ")
        for video in self.videos.values():
            if video.token == token and video.state != "deleted":
                if video.state == "aborted":
                    raise Refusal(409, "upload_aborted")
                return video
        raise Refusal(401, "unauthorized")

    def _open_upload(self) -> FakeVideo:
        video = self._upload()
        if video.state != "uploading":
            raise Refusal(409, "upload_completed")
        return video

    def _new_video(self, owner: str, body: Json) -> FakeVideo:
        video = FakeVideo(secrets.token_hex(8), owner, body, secrets.token_urlsafe(16), len(self.videos))
        self.videos[video.video_id] = video
        return video

    def _init(self) -> tuple[Response, int]:
        body, owner, name = cast("Json", request.get_json()), self._user(), request.headers["X-Correlation-Id"]
        video = self.begun.get((owner, name, *body.values()))
        if video is None or video.state != "uploading":
            video = self.begun[(owner, name, *body.values())] = self._new_video(owner, body)
            self.storage.parts[video.video_id] = {}
        numbers = range(1, min(self._part_count(video), self.first_page_parts) + 1)
        return jsonify(self._shared(video) | {"presignedUrls": [self._url(video, number) for number in numbers]}), 201

    def _sign(self) -> Response:
        video = self._open_upload()
        wanted = cast("Json", request.get_json())["parts"][: self.urls_per_call]
        return jsonify(
            presignedUrls=[self._url(video, part["partNumber"], part.get("checksumCRC64NVME")) for part in wanted]
        )

    def _stored(self) -> Response:
        video = self._open_upload()
        parts = [
            {
                "partNumber": number,
                "sizeBytes": len(data),
                "etag": _etag(data),
                "checksumCRC64NVME": crc64nvme_base64(data),
            }
            for number, data in sorted(self.storage.parts.get(video.video_id, {}).items())
        ]
        return jsonify(self._shared(video) | {"state": video.state, "parts": parts})

    def _complete(self) -> tuple[Response, int, dict[str, str]]:
        video = self._upload()
        answer = {"videoId": video.video_id, "sizeBytes": video.body["sizeBytes"]}
        held = self.storage.parts.get(video.video_id, {})
        body = cast("Json", request.get_json())
        given = {part["partNumber"]: part["etag"] for part in body["parts"]}
        if video.state == "uploading":
            if len(given) != self._part_count(video) or any(number not in held for number in given):
                raise Refusal(400, "parts_incomplete")
            if any(etag != _etag(held[number]) for number, etag in given.items()):
                raise Refusal(400, "part_mismatch")
            if self.completing_answers > 0:
                self.completing_answers -= 1
                return jsonify(answer | {"status": "completing"}), 202, {"Retry-After": "1"}
            content = b"".join(held[number] for number in sorted(held))
            self.checksums.append(body.get("checksumCRC64NVME"))
            if body.get("checksumCRC64NVME", crc64nvme_base64(content)) != crc64nvme_base64(content):
                raise Refusal(400, "checksum_mismatch")
            self.storage.objects[video.video_id] = (video.body["contentType"], content)
            self.storage.parts.pop(video.video_id, None)  # two devices may complete at once
            video.state = "processing"
        return jsonify(answer | {"status": "completed"}), 200, {}

    def _abort(self) -> Response:
        video = self._upload()
        video.state = "aborted"
        self.storage.parts.pop(video.video_id, None)
        return jsonify(status="aborted", videoId=video.video_id)

    def _unfinished(self) -> Response:
        owner = self._user()
        mine = [video for video in self.videos.values() if video.owner == owner and video.state == "uploading"]
        return jsonify(uploads=[self._shared(video) for video in mine])

    def _usage(self) -> Response:
        owner = self._user()
        stored = [video for video in self.videos.values() if video.owner == owner and video.state == "ready"]
        return jsonify(
            storedBytes=sum(int(video.body["sizeBytes"]) for video in stored),
            storedVideos=len(stored),
            reservedBytes=0,
            reservedVideos=0,
            maxStoredBytes=self.max_stored_bytes,
            maxStoredVideos=None,
            maxReservedBytes=10**12,
            maxOpenUploads=20,
        )

    def _list(self) -> Response:
        owner, limit = self._user(), int(request.args.get("limit", "24"))
        cursor = request.args.get("cursor")
        query = Query.of(request.args.get("query", ""), Sort(request.args.get("sort", Sort.NEWEST.value)))
        older = [video for video in self.videos.values() if video.owner == owner and _is_found(video, query)]
        order, is_turned = _ORDERS[query.sort]
        older.sort(key=order, reverse=is_turned)
        if cursor:
            older = older[older.index(self.videos[cursor]) + 1 :]
        shown: list[FakeVideo] = []
        looked_at = 0
        while looked_at < min(len(older), self.page_records) and len(shown) < limit:
            if older[looked_at].state not in {"aborted", "deleted"}:
                shown.append(older[looked_at])
            looked_at += 1
        return jsonify(
            videos=[self._shown(video) for video in shown],
            nextCursor=older[looked_at - 1].video_id if looked_at < len(older) else None,
        )

    def _mine(self, video_id: str) -> FakeVideo:
        video = self.videos.get(video_id)
        if video is None or video.owner != self._user() or video.state == "deleted":
            raise Refusal(404, "video_not_found")
        return video

    def _video(self, video_id: str) -> Response:
        video = self._mine(video_id)
        if video.state == "processing":
            video.looks_until_settled -= 1
            if video.looks_until_settled < 0:
                video.state = "ready" if self.storage.objects[video_id][1][4:8] == b"ftyp" else "rejected"
        return jsonify(self._shown(video))

    def _edit(self, video_id: str) -> Response:
        video = self._mine(video_id)
        video.body |= cast("Json", request.get_json())
        return jsonify(self._shown(video))

    def _delete(self, video_id: str) -> Response:
        self._mine(video_id).state = "deleted"
        return jsonify(status="deleted", videoId=video_id)

    def _delete_several(self) -> Response:
        def outcome_of(video_id: str) -> str:
            if video_id in self.undeletable:
                return "failed"
            try:
                self._mine(video_id).state = "deleted"
            except Refusal:
                return "not_found"
            return "deleted"

        wanted: list[str] = request.get_json()["videoIds"]
        outcomes = [{"videoId": video_id, "status": outcome_of(video_id)} for video_id in wanted]
        return jsonify(videos=outcomes, linksExpireAt="2026-12-01T00:00:00.000Z")

    def _shown(self, video: FakeVideo) -> Json:
        ready = video.state == "ready"
        if ready:
            self.storage.objects["poster"] = ("image/png", _png(320, 180))
        _, content = self.storage.objects.get(video.video_id, ("", b""))
        picture = {"codec": video.codec, "width": 320, "height": 180, "rotationDegrees": 0, "frameRate": 25}
        played = {"playability": playability(Container.MP4, video.codec, None, None).to_json()}
        no_labels: Json = {"title": None, "description": None, "tags": []}
        return (
            no_labels
            | self._shared(video)
            | {
                "state": video.state,
                "waitsFor": video.waits_for if video.state == "processing" else None,
                "checksumCRC64NVME": crc64nvme_base64(content) if content else None,
                "createdAt": video.created_at or f"2026-01-31T12:{video.number // 60:02}:{video.number % 60:02}Z",
                "media": {"container": "mp4", "durationSeconds": 2.0, "video": picture, "audio": None, **played}
                if ready
                else None,
                "expiresAt": video.expires_at,
                "expiresSoon": video.expires_at is not None,
                "rejection": {"code": video.rejection, "message": "not shown"} if video.state == "rejected" else None,
                "posterUrl": f"{self.storage.url}/objects/poster" if ready else None,
                "rendition": video.rendition if ready else None,
                "downloadUrl": f"{self.storage.url}/objects/{video.video_id}" if ready else None,
                "thumbnailsUrl": f"{self.storage.url}/objects/thumbnails" if ready else None,
                "playbackUrl": f"{self.storage.url}/objects/{video.video_id}" if ready else None,
            }
        )

    def _shared(self, video: FakeVideo) -> Json:
        return video.body | {
            "videoId": video.video_id,
            "uploadId": f"upload-{video.video_id}",
            "fileKey": f"videos/{video.owner}/{video.video_id}",
            "partSizeBytes": self.part_size_bytes,
            "partCount": self._part_count(video),
            "uploadToken": video.token,
            "receivedBytes": sum(map(len, self.storage.parts.get(video.video_id, {}).values())),
            "idleSeconds": video.idle_seconds,
            "startedAt": "2026-01-31T12:00:00Z",
            "expiresAt": "2099-01-31T12:00:00Z",
        }

    def _part_count(self, video: FakeVideo) -> int:
        return -(-int(video.body["sizeBytes"]) // self.part_size_bytes)

    def _url(self, video: FakeVideo, number: int, checksum: str | None = None) -> Json:
        size_bytes = min(self.part_size_bytes, video.body["sizeBytes"] - (number - 1) * self.part_size_bytes)
        url = self.storage.sign(Grant(video.video_id, number, size_bytes, checksum))
        headers = {CHECKSUM_HEADER: checksum} if checksum else {}
        return {"partNumber": number, "url": url, "sizeBytes": size_bytes, "headers": headers}


def _refused(error: Refusal) -> tuple[Response, int]:
    body = {"code": error.code, "message": error.code, "details": error.details, "requestId": "r-1"}
    return jsonify(error=body), error.status


def _etag(data: bytes) -> str:
    return f'"{hashlib.md5(data, usedforsecurity=False).hexdigest()}"'


@cache
def _png(width: int, height: int) -> bytes:
    """A dusk: something to look at in screenshots."""
    rows = b"".join(
        b"\0" + b"".join(bytes((60 + 150 * y // height, 40 + 60 * x // width, 120)) for x in range(width))
        for y in range(height)
    )
    chunks = [
        (b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)),
        (b"IDAT", zlib.compress(rows)),
        (b"IEND", b""),
    ]
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data)) for kind, data in chunks
    )
