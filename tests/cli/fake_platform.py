"""A platform on loopback that keeps to docs/api.md: the site, its sign-in, the API and S3 behind one port."""

from __future__ import annotations

import re
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from tests.cli.fake_sign_in import FakeSignIn
from tests.cli.fake_storage import FakeStorage
from video_upload.checksums import encode_crc64nvme

Json = dict[str, Any]


class Refusal(Exception):  # noqa: N818 - an answer, not a failure of the fake
    def __init__(self, status: int, code: str, **details: Any) -> None:
        self.status = status
        self.code = code
        self.details = details
        super().__init__(code)


LABELS = {"title", "description", "tags"}


@dataclass
class FakeUpload:
    video_id: str
    upload_id: str
    token: str
    body: Json
    part_size_bytes: int
    state: str = "uploading"

    @property
    def part_count(self) -> int:
        return -(-self.body["sizeBytes"] // self.part_size_bytes)

    def part_bytes(self, number: int) -> int:
        return min(self.part_size_bytes, self.body["sizeBytes"] - (number - 1) * self.part_size_bytes)


@dataclass
class FakeDownloads:
    """cut_after_bytes: of each response; with a cut, all URLs of before end. asked: headers of each GET."""

    cut_after_bytes: list[int] = field(default_factory=list[int])
    ended_signatures: int = 0
    asked: list[tuple[str | None, str | None, str | None]] = field(
        default_factory=list[tuple[str | None, str | None, str | None]]
    )


@dataclass
class FakePlatform:
    """Knobs and records; everything may be changed while it runs.

    api_faults: path → answers (status, code, headers) given before the real one; status 0 drops the connection
        before the call is carried out, -1 carries it out and loses the answer, -2 sends half of the answer, and -3
        another's page with 200.
    completing_answers: how often complete answers 202 first.
    processing_polls: how often a completed video is still in processing.
    page_records: how many records GET /videos looks at, deleted ones too.
    most_open: uploads that a user may have open.
    told: bodies of POST /progress.
    correlation_ids: X-Correlation-Id of each call, and of each part, where there must be none; "" where there was none.
    """

    storage: FakeStorage
    sign_in: FakeSignIn = field(default_factory=FakeSignIn)
    part_size_bytes: int = 64 * 1024
    first_page: int = 500
    url_seconds: float = 900.0
    api_faults: dict[str, list[tuple[int, str, dict[str, str]]]] = field(
        default_factory=dict[str, list[tuple[int, str, dict[str, str]]]]
    )
    completing_answers: int = 0
    processing_polls: int = 0
    page_records: int = 400
    rejection: Json | None = None
    waits_for: str | None = None
    expires_at: str | None = None
    most_open: int = 1000
    playback_urls: int = 0
    rendition: dict[str, Any] | None = None
    downloads: FakeDownloads = field(default_factory=FakeDownloads)
    uploads: dict[str, FakeUpload] = field(default_factory=dict[str, FakeUpload])
    calls: list[str] = field(default_factory=list[str])
    correlation_ids: list[str] = field(default_factory=list[str])
    correlation_ids_of_parts: list[str] = field(default_factory=list[str])
    queries: list[tuple[str, str]] = field(default_factory=list[tuple[str, str]])
    told: list[Json] = field(default_factory=list[Json])
    signed_pages: list[list[int]] = field(default_factory=list[list[int]])
    url: str = ""
    parts_url: str = ""

    def only_upload(self) -> FakeUpload:
        (upload,) = self.uploads.values()
        return upload

    def video_sha256(self, video_id: str) -> str:
        return self.storage.sha256(self.uploads[video_id].upload_id)

    # who is asking

    def _user(self, bearer: str) -> None:
        if bearer not in self.sign_in.access_tokens:
            raise Refusal(401, "unauthorized")

    def _upload(self, bearer: str) -> FakeUpload:
        for upload in self.uploads.values():
            if upload.token == bearer:
                if upload.state in {"aborted", "expired"}:
                    raise Refusal(409, f"upload_{upload.state}", state=upload.state)
                return upload
        raise Refusal(401, "unauthorized")

    # routes

    def answer(self, method: str, path: str, query: Json, bearer: str, body: Any) -> tuple[int, Json, dict[str, str]]:
        route = f"{method} {path}"
        if match := re.fullmatch(r"(GET|PATCH|DELETE) /videos/([\w-]+)", route):
            self._user(bearer)
            return self._video(match[1], match[2], body)
        routes: dict[str, Callable[[], tuple[int, Json, dict[str, str]]]] = {
            "POST /multipart/init": lambda: self._init(bearer, body),
            "POST /multipart/parts": lambda: self._sign(bearer, body),
            "GET /multipart/parts": lambda: self._list(bearer),
            "POST /multipart/complete": lambda: self._complete(bearer, body),
            "POST /multipart/abort": lambda: self._abort(bearer),
            "GET /usage": lambda: self._usage(bearer),
            "GET /uploads": lambda: self._open_uploads(bearer),
            "GET /videos": lambda: self._videos(bearer, query),
            "POST /progress": lambda: self._progress(bearer, body),
            "GET /health": lambda: (200, {"status": "ok", "version": "1", "stage": "fake"}, {}),
        }
        if route not in routes:
            raise Refusal(404, "route_not_found")
        return routes[route]()

    def _init(self, bearer: str, body: Json) -> tuple[int, Json, dict[str, str]]:
        self._user(bearer)
        if set(body) - LABELS != {"fileName", "contentType", "sizeBytes"}:
            raise Refusal(400, "invalid_request", problems=[])
        if sum(upload.state == "uploading" for upload in self.uploads.values()) >= self.most_open:
            raise Refusal(429, "too_many_open_uploads")
        video_id = f"{9_999_999_999_999 - int(time.time() * 1000)}-{secrets.token_hex(4)}"
        upload = FakeUpload(video_id, self.storage.create(), secrets.token_hex(8), body, self.part_size_bytes)
        self.uploads[video_id] = upload
        urls = [{"partNumber": n} for n in range(1, min(upload.part_count, self.first_page) + 1)]
        return 201, {**self._names(upload), "uploadToken": upload.token, **self._urls(upload, urls)}, {}

    def _usage(self, bearer: str) -> tuple[int, Json, dict[str, str]]:
        self._user(bearer)
        used = {"storedBytes": 3_000_000_000, "storedVideos": 2, "reservedBytes": 500_000_000, "reservedVideos": 1}
        limits = {"maxStoredBytes": 10_000_000_000, "maxStoredVideos": None, "maxOpenUploads": 20}
        return 200, {**used, **limits, "maxReservedBytes": 20_000_000_000}, {}

    def _progress(self, bearer: str, body: Json) -> tuple[int, Json, dict[str, str]]:
        self._user(bearer)
        self.told.append(body)
        return 200, {"accepted": len(body["events"])}, {}

    def _names(self, upload: FakeUpload) -> Json:
        return {
            "videoId": upload.video_id,
            "uploadId": upload.upload_id,
            "fileKey": f"videos/me/{upload.video_id}",
            "partSizeBytes": upload.part_size_bytes,
            "partCount": upload.part_count,
            "expiresAt": "2099-01-01T00:00:00Z",
            "checksumAlgorithm": "CRC64NVME",
            **upload.body,
        }

    def _urls(self, upload: FakeUpload, wanted: list[Json]) -> Json:
        expires = datetime.fromtimestamp(time.time() + self.url_seconds, UTC)
        urls: list[Json] = []
        for part in wanted:
            number, checksum = part["partNumber"], part.get("checksumCRC64NVME")
            size = upload.part_bytes(number)
            path = self.storage.sign(upload.upload_id, number, size, checksum, self.url_seconds)
            headers = {"x-amz-checksum-crc64nvme": checksum} if checksum else {}
            urls.append({"partNumber": number, "url": self.parts_url + path, "sizeBytes": size, "headers": headers})
        return {"presignedUrls": urls, "urlsExpireAt": expires.strftime("%Y-%m-%dT%H:%M:%SZ")}

    def _sign(self, bearer: str, body: Json) -> tuple[int, Json, dict[str, str]]:
        upload = self._upload(bearer)
        if not 1 <= len(body["parts"]) <= 500:
            raise Refusal(400, "invalid_request", problems=[])
        self.signed_pages.append([part["partNumber"] for part in body["parts"]])
        return 200, self._urls(upload, body["parts"]), {}

    def _list(self, bearer: str) -> tuple[int, Json, dict[str, str]]:
        upload = self._upload(bearer)
        if upload.state not in {"uploading", "completing"}:
            raise Refusal(409, "upload_completed", state=upload.state)
        parts: list[Json] = []
        if upload.state == "uploading":
            for number, part in sorted(self.storage.uploads[upload.upload_id].items()):
                line: Json = {"partNumber": number, "sizeBytes": part.size_bytes, "etag": part.etag}
                if self.storage.shows_checksums:
                    line["checksumCRC64NVME"] = encode_crc64nvme(part.crc64nvme)
                parts.append(line)
        return 200, {**self._names(upload), "state": upload.state, "parts": parts}, {}

    def _complete(self, bearer: str, body: Json) -> tuple[int, Json, dict[str, str]]:
        upload = self._upload(bearer)
        names = {key: self._names(upload)[key] for key in ("videoId", "fileKey", "sizeBytes")}
        if upload.state == "uploading":
            held = self.storage.uploads[upload.upload_id]
            if [part["partNumber"] for part in body["parts"]] != list(range(1, upload.part_count + 1)):
                raise Refusal(400, "parts_incomplete")
            if any(held[part["partNumber"]].etag != part["etag"] for part in body["parts"]):
                raise Refusal(400, "part_mismatch")
            if body["checksumCRC64NVME"] != self.storage.checksum(upload.upload_id):
                raise Refusal(400, "checksum_mismatch")
            upload.state = "completing"
        if self.completing_answers:
            self.completing_answers -= 1
            return 202, {"status": "completing", **names}, {"Retry-After": "0"}
        upload.state = "processing"
        return 200, {"status": "completed", **names}, {}

    def _abort(self, bearer: str) -> tuple[int, Json, dict[str, str]]:
        upload = next((one for one in self.uploads.values() if one.token == bearer), None)
        if upload is None:
            raise Refusal(401, "unauthorized")
        if upload.state not in {"uploading", "aborted"}:
            raise Refusal(409, "upload_completed", state=upload.state)
        upload.state = "aborted"
        self.storage.uploads.pop(upload.upload_id, None)
        return 200, {"status": "aborted", "videoId": upload.video_id}, {}

    def _open_uploads(self, bearer: str) -> tuple[int, Json, dict[str, str]]:
        self._user(bearer)
        times = {"startedAt": "2026-01-01T00:00:00Z"}
        unfinished = [upload for upload in self.uploads.values() if upload.state == "uploading"]
        return 200, {"uploads": [{**self._names(one), "uploadToken": one.token, **times} for one in unfinished]}, {}

    def _describe(self, upload: FakeUpload) -> Json:
        media: Json | None = None
        if upload.state == "ready":
            track = {"codec": "h264", "width": 640, "height": 360, "rotationDegrees": 0, "frameRate": 25.0}
            media = {"container": "mp4", "durationSeconds": 1.5, "bitRateBitsPerSecond": 1, "video": track}
            media["playability"] = {"browsers": "some", "obstacle": {"part": "video", "name": "HEVC (H.265)"}}
        url = self._playback_url(upload)
        return {
            **{"title": None, "description": None, "tags": []},
            **{"videoId": upload.video_id, **upload.body, "state": upload.state, "media": media},
            **{"createdAt": "2026-01-01T00:00:00Z", "updatedAt": "2026-01-01T00:00:00Z", "completedAt": None},
            **{"waitsFor": self.waits_for if upload.state == "processing" else None},
            **{"rejection": self.rejection if upload.state == "rejected" else None},
            **{"posterUrl": None, "thumbnailsUrl": None, "playbackUrl": url, "downloadUrl": url, "urlsExpireAt": None},
            **{"rendition": self.rendition if upload.state == "ready" else None},
            **{"expiresAt": self.expires_at, "expiresSoon": self.expires_at is not None},
        }

    def _playback_url(self, upload: FakeUpload) -> str | None:
        if upload.state != "ready":
            return None
        self.playback_urls += 1
        return f"{self.url}/s3/{upload.video_id}?X-Amz-Signature=secret-{self.playback_urls}"

    def _video(self, method: str, video_id: str, body: Json) -> tuple[int, Json, dict[str, str]]:
        upload = self.uploads.get(video_id)
        if upload is None or upload.state == "deleted":
            raise Refusal(404, "video_not_found")
        if method == "DELETE":
            upload.state = "deleted"
            return 200, {"status": "deleted", "videoId": video_id, "linksExpireAt": "2026-01-31T12:15:00Z"}, {}
        if method == "PATCH":
            upload.body |= body
        if upload.state == "processing":
            if self.processing_polls == 0:
                upload.state = "rejected" if self.rejection else "ready"
            else:
                self.processing_polls -= 1
        return 200, self._describe(upload), {}

    def _videos(self, bearer: str, query: Json) -> tuple[int, Json, dict[str, str]]:
        self._user(bearer)
        limit, cursor = int(query.get("limit", 24)), query.get("cursor", "")
        self.queries.append((query.get("query", ""), query.get("sort", "")))
        older = [one for video_id, one in sorted(self.uploads.items()) if video_id > cursor]
        shown: list[FakeUpload] = []
        looked_at = 0
        while looked_at < min(len(older), self.page_records) and len(shown) < limit:
            if older[looked_at].state not in {"aborted", "expired", "deleted"}:
                shown.append(older[looked_at])
            looked_at += 1
        more = older[looked_at - 1].video_id if looked_at < len(older) else None
        return 200, {"videos": [self._describe(one) for one in shown], "nextCursor": more}, {}

    def add_finished_videos(self, *states: str) -> list[FakeUpload]:
        """Add videos as if uploaded long ago, the newest first. states: of each, such as `ready` or `deleted`."""
        body = {"fileName": "film.mp4", "contentType": "video/mp4", "sizeBytes": 1}
        added = [
            FakeUpload(f"{n:013}-{secrets.token_hex(4)}", "", "", body, 1, state) for n, state in enumerate(states)
        ]
        self.uploads |= {upload.video_id: upload for upload in added}
        return added
