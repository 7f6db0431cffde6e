"""The scene: two users with videos in every state, a third one with none, and the platform that they share."""

import hashlib
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

import boto3
import requests
from botocore.config import Config

from chalicelib.core.video_id import VideoRef
from local.platform import LocalPlatform
from local.stand_in import names
from tests.matrix.rules import READ, WRITE

TIMEOUT_SECONDS = 60
UPLOAD_BYTES = 12 * 2**20
"""Three parts."""


@dataclass
class Site:
    """The platform over plain HTTP."""

    platform: LocalPlatform
    session: requests.Session = field(default_factory=requests.Session)

    def ask(self, route: str, authorization: str | None, body: Any = None, **headers: str) -> requests.Response:
        """route: method, space, path."""
        method, _, path = route.partition(" ")
        if authorization is not None:
            headers["Authorization"] = authorization
        url = f"{self.platform.site_url}/api{path}"
        return self.session.request(method, url, json=body, headers=headers, timeout=TIMEOUT_SECONDS)

    def aws(self, service: str) -> Any:
        make: Any = boto3.client
        return make(
            service,
            endpoint_url=self.platform.stand_in_url,
            region_name=names.REGION,
            aws_access_key_id=names.ACCESS_KEY,
            aws_secret_access_key=names.SECRET_KEY,
            config=Config(s3={"addressing_style": "path"}),
        )


@dataclass
class Holder:
    """A user, and what is theirs. copied: a ready video with a rendition and thumbnails, which came by the link."""

    site: Site
    email: str
    owner: str = ""
    ready: dict[str, Any] = field(default_factory=dict[str, Any])
    copied: dict[str, Any] = field(default_factory=dict[str, Any])
    open: dict[str, Any] = field(default_factory=dict[str, Any])
    aborted: dict[str, Any] = field(default_factory=dict[str, Any])
    deleted: dict[str, Any] = field(default_factory=dict[str, Any])
    spare: dict[str, Any] = field(default_factory=dict[str, Any])
    form: dict[str, Any] = field(default_factory=dict[str, Any])
    link: dict[str, Any] = field(default_factory=dict[str, Any])
    revoked_link: dict[str, Any] = field(default_factory=dict[str, Any])
    link_upload: dict[str, Any] = field(default_factory=dict[str, Any])
    correlation_id: str = field(default_factory=lambda: str(uuid4()))

    def token(self, *scopes: str, client_id: str = "web") -> str:
        issued = self.site.platform.sign_in.issue_tokens(self.email, scopes=scopes, client_id=client_id)
        return issued.access_token

    @property
    def authorization(self) -> str:
        return f"Bearer {self.token(READ, WRITE)}"

    def settle_in(self, video: bytes) -> None:
        """Have a video or upload in each state."""
        self.open = self.start(UPLOAD_BYTES, correlation_id=self.correlation_id)
        self.owner = self.open["fileKey"].split("/")[1]
        self.aborted = self.start(UPLOAD_BYTES)
        self.must("POST /multipart/abort", 200, {}, token=self.aborted["uploadToken"])
        self.deleted = self.start(UPLOAD_BYTES)
        self.must(f"DELETE /videos/{self.deleted['videoId']}", 200)
        self.spare = self.start(UPLOAD_BYTES)
        self.form = self.must("POST /upload", 201, _film(len(video)))
        self.ready = self._upload(self.start(len(video)), video)
        self.link, self.revoked_link = self._make_link(), self._make_link()
        self.must(f"DELETE /links/{self.revoked_link['linkId']}", 200)
        by_link = {**_film(UPLOAD_BYTES), "uploaderName": "Ada"}
        self.link_upload = self.must("POST /link/multipart/init", 201, by_link, token=self.link["linkToken"])

    def have_copied(self, video: bytes) -> None:
        """video: in a container that some browsers do not play, and long enough for thumbnails."""
        by_link = {
            **{"fileName": "film.mov", "contentType": "video/quicktime", "sizeBytes": len(video)},
            "uploaderName": "Ada",
        }
        started = self.must("POST /link/multipart/init", 201, by_link, token=self.link["linkToken"])
        self._upload(started, video)
        self.copied = {**started, **until(lambda: self._copied(started["videoId"]))}

    @property
    def rendition_key(self) -> str:
        return VideoRef(self.owner, self.copied["videoId"]).rendition_key

    @property
    def thumbnails_key(self) -> str:
        return VideoRef(self.owner, self.copied["videoId"]).thumbnails_key

    def _make_link(self) -> dict[str, Any]:
        asked = {"title": "Match day", "validSeconds": 3600, "maxVideos": 9, "maxBytes": 2**40}
        return self.must("POST /links", 201, asked)

    def start(self, size_bytes: int, **more: str) -> dict[str, Any]:
        headers = {"X-Correlation-Id": more["correlation_id"]} if more else {}
        return self.must("POST /multipart/init", 201, _film(size_bytes), **headers)

    def _upload(self, started: dict[str, Any], video: bytes) -> dict[str, Any]:
        (part,) = started["presignedUrls"]
        sent = requests.put(part["url"], data=video, headers=part["headers"], timeout=TIMEOUT_SECONDS)
        parts = {"parts": [{"partNumber": 1, "etag": sent.headers["ETag"]}]}
        self.must("POST /multipart/complete", 200, parts, token=started["uploadToken"])
        view = until(lambda: self._ready(started["videoId"]))
        return {**started, **view}

    def _ready(self, video_id: str) -> dict[str, Any] | None:
        view = self.must(f"GET /videos/{video_id}", 200)
        return view if view["state"] == "ready" else None

    def _copied(self, video_id: str) -> dict[str, Any] | None:
        """The video once nothing is to be done about its copy any more."""
        view = self.must(f"GET /videos/{video_id}", 200)
        marks = self.site.aws("s3").list_objects_v2(
            Bucket=names.METADATA_BUCKET, Prefix=f"open/{self.owner}/{video_id}."
        )
        return view if view["rendition"]["state"] == "ready" and not marks["KeyCount"] else None

    def must(self, route: str, status: int, body: Any = None, token: str = "", **headers: str) -> dict[str, Any]:
        answer = self.site.ask(route, f"Bearer {token}" if token else self.authorization, body, **headers)
        assert answer.status_code == status, f"{route}: {answer.status_code} {answer.text}"
        return answer.json()

    @property
    def secrets(self) -> list[str]:
        """Values that no answer to anybody else may hold."""
        uploads = (self.open, self.aborted, self.deleted, self.spare, self.ready, self.link_upload, self.copied)
        return [
            self.owner,
            self.correlation_id,
            *(str(link["linkId"]) for link in (self.link, self.revoked_link)),
            str(self.link["linkToken"]),
            *(str(upload[name]) for upload in uploads for name in ("videoId", "uploadId", "uploadToken")),
        ]

    def possessions(self) -> str:
        """A digest of all that is stored of this user, which nobody else may change. The index folds by itself."""
        s3 = self.site.aws("s3")
        held: list[object] = []
        for bucket in (names.VIDEO_BUCKET, names.METADATA_BUCKET):
            for page in s3.get_paginator("list_object_versions").paginate(Bucket=bucket):
                entries = [*page.get("Versions", []), *page.get("DeleteMarkers", [])]
                held += [
                    (entry["Key"], entry["VersionId"], entry.get("ETag"), entry["IsLatest"])
                    for entry in entries
                    if self.owner in entry["Key"] and not entry["Key"].startswith("index/")
                ]
        for upload in (self.open, self.spare):
            listed = s3.list_parts(Bucket=names.VIDEO_BUCKET, Key=upload["fileKey"], UploadId=upload["uploadId"])
            held.append([(part["PartNumber"], part["ETag"]) for part in listed.get("Parts", [])])
        return hashlib.sha256(repr(sorted(map(repr, held))).encode()).hexdigest()


@dataclass
class Scene:
    """alice: whose tokens are tried. bob: whose things nobody else may reach. carol: a user without anything. dora: a
    user whose videos administrators delete. erin: an administrator without videos.
    """

    site: Site
    alice: Holder
    bob: Holder
    carol: Holder
    dora: Holder
    erin: Holder

    @classmethod
    def set_up(cls, platform: LocalPlatform, video: bytes, to_copy: bytes) -> "Scene":
        site = Site(platform)
        alice, bob, carol, dora, erin = (
            Holder(site, f"{name}-{uuid4().hex}@example.com") for name in ("alice", "bob", "carol", "dora", "erin")
        )
        for holder in (alice, bob, dora):
            holder.settle_in(video)
        for holder in (alice, bob):
            holder.have_copied(to_copy)
        platform.sign_in.appoint_administrator(erin.email)
        return cls(site, alice, bob, carol, dora, erin)


def until(found: Callable[[], dict[str, Any] | None]) -> dict[str, Any]:
    deadline = time.monotonic() + TIMEOUT_SECONDS
    while time.monotonic() < deadline:
        if (result := found()) is not None:
            return result
        time.sleep(0.1)
    raise TimeoutError


def _film(size_bytes: int) -> dict[str, Any]:
    return {"fileName": "film.mp4", "contentType": "video/mp4", "sizeBytes": size_bytes}
