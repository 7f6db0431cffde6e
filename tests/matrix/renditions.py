"""Renditions: every identity straight at the storage, and what the API shows of them to whom it should."""

from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlsplit

import requests
from botocore.exceptions import ClientError

from local.stand_in import names
from tests.matrix.chains import BY_S3, Link
from tests.matrix.identities import Identity
from tests.matrix.rules import READ, WRITE
from tests.matrix.scene import TIMEOUT_SECONDS, Holder, Scene

LISTS = ("?list-type=2&prefix=renditions/", "?versions&prefix=renditions/", "?uploads&prefix=renditions/")


def rendition_links(scene: Scene, knocking: list[Identity]) -> Iterator[Link]:
    """No credential of the API opens the storage, whatever it opens there."""
    bucket_url = f"{scene.site.platform.stand_in_url}/{names.VIDEO_BUCKET}"
    renditions = {"an own": scene.alice.rendition_key, "another's": scene.bob.rendition_key}
    for identity in knocking:
        send = _sender(identity)
        for whose, key in renditions.items():
            for method in ("GET", "PUT", "DELETE"):
                yield Link(f"{method} {whose} rendition by {identity.name}", send(method, f"{bucket_url}/{key}"), BY_S3)
        for question in LISTS:
            yield Link(f"renditions{question} by {identity.name}", send("GET", bucket_url + question), BY_S3)


def _sender(identity: Identity) -> Callable[[str, str], Callable[[], requests.Response]]:
    headers = {} if identity.authorization is None else {"Authorization": identity.authorization}
    return lambda method, url: lambda: requests.request(method, url, headers=headers, timeout=TIMEOUT_SECONDS)


def played_and_downloaded(scene: Scene) -> list[str]:
    """List problems of the URLs: owners and administrators play the copy and download the original."""
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


def deleted_with_their_video(scene: Scene) -> list[str]:
    """List problems of a rendition after its owner has deleted the video."""
    alice, s3 = scene.alice, scene.site.aws("s3")
    alice.must(f"DELETE /videos/{alice.copied['videoId']}", 200)
    alice.must(f"GET /videos/{alice.copied['videoId']}", 404)
    try:
        s3.head_object(Bucket=names.VIDEO_BUCKET, Key=alice.rendition_key)
    except ClientError:
        return []
    return ["a rendition is there after its video was deleted"]
