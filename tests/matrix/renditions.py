"""Renditions and thumbnails: every identity straight at the storage, and what the API shows of them to whom."""

from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any
from urllib.parse import urlsplit

import requests
from botocore.exceptions import ClientError

from local.stand_in import names
from tests.matrix.chains import BY_S3, Link
from tests.matrix.identities import Identity
from tests.matrix.rules import READ, WRITE
from tests.matrix.scene import TIMEOUT_SECONDS, Holder, Scene

FOLDERS = {names.VIDEO_BUCKET: "renditions/", names.METADATA_BUCKET: "posters/"}
QUESTIONS = ("list-type=2", "versions", "uploads")


def rendition_links(scene: Scene, knocking: list[Identity]) -> Iterator[Link]:
    """No credential of the API opens the storage, whatever it opens there."""
    url = scene.site.platform.stand_in_url
    objects = {
        f"{whose} {kind}": f"{url}/{bucket}/{key}"
        for whose, holder in {"an own": scene.alice, "another's": scene.bob}.items()
        for kind, bucket, key in (
            ("rendition", names.VIDEO_BUCKET, holder.rendition_key),
            ("strip of thumbnails", names.METADATA_BUCKET, holder.thumbnails_key),
        )
    }
    lists = [f"{bucket}?{question}&prefix={folder}" for bucket, folder in FOLDERS.items() for question in QUESTIONS]
    for identity in knocking:
        send = _sender(identity)
        for what, address in objects.items():
            for method in ("GET", "PUT", "DELETE"):
                yield Link(f"{method} {what} by {identity.name}", send(method, address), BY_S3)
        for asked in lists:
            yield Link(f"{asked} by {identity.name}", send("GET", f"{url}/{asked}"), BY_S3)


def _sender(identity: Identity) -> Callable[[str, str], Callable[[], requests.Response]]:
    headers = {} if identity.authorization is None else {"Authorization": identity.authorization}
    return lambda method, url: lambda: requests.request(method, url, headers=headers, timeout=TIMEOUT_SECONDS)


def played_and_downloaded(scene: Scene) -> list[str]:
    """List problems of the URLs: readers play the copy, see its thumbnails and download the original."""
    alice, bob, erin = scene.alice, scene.bob, scene.erin
    listed = alice.must("GET /videos", 200)["videos"]
    views = {
        "its owner": (alice, alice.must(f"GET /videos/{alice.copied['videoId']}", 200)),
        "its owner's list": (alice, next(one for one in listed if one["videoId"] == alice.copied["videoId"])),
        "a reader": (
            alice,
            alice.must(f"GET /videos/{alice.copied['videoId']}", 200, token=alice.token(READ)),
        ),
        "an administrator": (
            bob,
            erin.must(f"GET /admin/videos/{bob.owner}/{bob.copied['videoId']}", 200, token=erin.token(READ, WRITE)),
        ),
    }
    return [problem for who, (holder, view) in views.items() for problem in _problems(who, holder, view)]


def _problems(who: str, holder: Holder, view: dict[str, Any]) -> Iterator[str]:
    keys = {"playbackUrl": holder.rendition_key, "downloadUrl": holder.copied["fileKey"]}
    sizes = {"playbackUrl": view["rendition"]["sizeBytes"], "downloadUrl": view["sizeBytes"]}
    for name, key in keys.items():
        if urlsplit(view[name]).path != f"/{names.VIDEO_BUCKET}/{key}":
            yield f"{name} for {who} opens {urlsplit(view[name]).path} instead of {key}"
            continue
        answer = requests.get(view[name], timeout=TIMEOUT_SECONDS)
        if (answer.status_code, len(answer.content)) != (200, sizes[name]):
            yield f"{name} for {who}: {answer.status_code}, {len(answer.content)} bytes"
    url = view["thumbnailsUrl"]
    if urlsplit(url).path != f"/{names.METADATA_BUCKET}/{holder.thumbnails_key}":
        yield f"thumbnailsUrl for {who} opens {urlsplit(url).path}"
    elif not requests.get(url, timeout=TIMEOUT_SECONDS).content.startswith(b"\xff\xd8"):
        yield f"thumbnailsUrl for {who} opens no picture"


def deleted_with_their_video(scene: Scene) -> list[str]:
    """List what is left of a rendition and of thumbnails after their owner has deleted the video."""
    alice, s3 = scene.alice, scene.site.aws("s3")
    alice.must(f"DELETE /videos/{alice.copied['videoId']}", 200)
    alice.must(f"GET /videos/{alice.copied['videoId']}", 404)
    left: list[str] = []
    for bucket, key in ((names.VIDEO_BUCKET, alice.rendition_key), (names.METADATA_BUCKET, alice.thumbnails_key)):
        with suppress(ClientError):
            s3.head_object(Bucket=bucket, Key=key)
            left.append(f"{key} is there after its video was deleted")
    return left
