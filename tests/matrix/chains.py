"""Chains of two calls: what one call hands out, used in another, by somebody else or for something else."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit
from uuid import uuid4

import requests

from chalicelib.core.video_id import VideoRef
from local.stand_in import names
from tests.matrix.cells import Cell
from tests.matrix.rules import FORBIDDEN, NOT_FOUND, READ, RULES, UNAUTHORIZED, WRITE, Key
from tests.matrix.scene import TIMEOUT_SECONDS, UPLOAD_BYTES, Scene

ANSWERED = frozenset({200, 206})
BY_S3 = frozenset({400, 403})
"""S3 says 400 where a request is malformed or names no signature it knows, 403 where the signature does not hold."""
NO_PART = frozenset({400, 403, 404, 405})


@dataclass(frozen=True)
class Link:
    """A request to the storage or the sign-in. right: the statuses that the rules allow."""

    name: str
    send: Callable[[], requests.Response]
    right: frozenset[int]


def chained_cells(scene: Scene) -> Iterator[Cell]:
    """Tokens and ids that the API hands out to bob, used at the API by others or for something else."""
    answer = scene.site.ask("GET /uploads", scene.bob.authorization).json()
    listed = {upload["videoId"]: upload for upload in answer["uploads"]}
    spare = listed[scene.bob.spare["videoId"]]
    sources = {"init": scene.bob.open, "GET /uploads": spare}
    yield from _tokens_at_user_routes(sources)
    for who, (scopes, holder) in _OTHERS.items():
        authorization = f"Bearer {getattr(scene, holder).token(*scopes)}"
        for source, handed_out in {**sources, "POST /upload": scene.bob.form}.items():
            for method, may_call in (("GET", True), ("DELETE", WRITE in scopes)):
                path = f"{method} /videos/{handed_out['videoId']}"
                right = NOT_FOUND if may_call else FORBIDDEN
                yield Cell(f"{method} videoId of {source} by {who}", path, authorization, right)
        for source, handed_out in sources.items():
            yield from _naming(handed_out, authorization, UNAUTHORIZED, f"the ids of {source} by {who}")
    for name, upload in {"open": scene.alice.open, "aborted": scene.alice.aborted}.items():
        token = f"Bearer {upload['uploadToken']}"
        yield from _naming(scene.bob.open, token, NOT_FOUND, f"another's ids and the own token, {name}")


_OTHERS = {
    "another user": ((READ, WRITE), "alice"),
    "a user without anything": ((READ, WRITE), "carol"),
    "a reader": ((READ,), "alice"),
}


def _tokens_at_user_routes(sources: Mapping[str, dict[str, Any]]) -> Iterator[Cell]:
    for source, upload in sources.items():
        for route, rule in RULES.items():
            if rule.key is Key.USER:
                path = route.replace("{owner}", upload["fileKey"].split("/")[1]).replace("{videoId}", upload["videoId"])
                name = f"uploadToken of {source} at {route}"
                yield Cell(name, path, f"Bearer {upload['uploadToken']}", UNAUTHORIZED, rule.body)


def _naming(upload: dict[str, Any], authorization: str, right: frozenset[int], how: str) -> Iterator[Cell]:
    for route, rule in RULES.items():
        if rule.names_an_upload:
            body = {**rule.body, "uploadId": upload["uploadId"], "fileKey": upload["fileKey"]}
            yield Cell(f"{route} with {how}", route, authorization, right, body)


def links(scene: Scene) -> Iterator[Link]:
    """URLs that the API hands out, used at the storage."""
    for source, part in _parts(scene).items():
        yield from _part_links(scene, source, part)
    for source, url in _viewing_urls(scene).items():
        yield from _viewing_links(scene, source, url)
    yield from _form_links(scene)
    yield from _anonymous_links(scene)


def _parts(scene: Scene) -> dict[str, dict[str, Any]]:
    token = f"Bearer {scene.alice.open['uploadToken']}"
    body = {"parts": [{"partNumber": 2}, {"partNumber": 3, "checksumCRC64NVME": "AAAAAAAAAAA="}]}
    signed = scene.site.ask("POST /multipart/parts", token, body).json()["presignedUrls"]
    return {"init": scene.alice.open["presignedUrls"][0], "parts": signed[0], "parts with a checksum": signed[1]}


def _part_links(scene: Scene, source: str, part: dict[str, Any]) -> Iterator[Link]:
    url, headers = part["url"], part["headers"]
    whole = bytes(part["sizeBytes"])

    def send(method: str, to: str, body: bytes = b"", **more: str) -> Callable[[], requests.Response]:
        return lambda: requests.request(method, to, data=body, headers={**headers, **more}, timeout=TIMEOUT_SECONDS)

    for name, changed in _changed_urls(scene, url, "video").items():
        yield Link(f"part URL of {source}, {name}", send("PUT", changed, whole), BY_S3)
    queries = {
        "another part": {"partNumber": "9"},
        "another's uploadId": {"uploadId": scene.bob.open["uploadId"]},
        "an own other uploadId": {"uploadId": scene.alice.aborted["uploadId"]},
        "no uploadId": {"uploadId": None},
        "a copy": {"x-amz-copy-source": f"{names.VIDEO_BUCKET}/{scene.bob.ready['fileKey']}"},
    }
    for name, query in queries.items():
        yield Link(f"part URL of {source}, {name}", send("PUT", _with_query(url, query), whole), BY_S3)
    for size_bytes in (0, 1, part["sizeBytes"] - 1, part["sizeBytes"] + 1):
        yield Link(f"part URL of {source}, {size_bytes} bytes", send("PUT", url, bytes(size_bytes)), BY_S3)
    for what, key in {"": scene.bob.ready["fileKey"], " of a rendition": scene.bob.rendition_key}.items():
        copied = {"x-amz-copy-source": f"{names.VIDEO_BUCKET}/{key}"}
        yield Link(f"part URL of {source}, a copy by header{what}", send("PUT", url, whole, **copied), BY_S3)
    for method in ("GET", "HEAD", "POST", "DELETE"):
        yield Link(f"part URL of {source} by {method}", send(method, url), NO_PART)


def _changed_urls(scene: Scene, url: str, kind: str) -> dict[str, str]:
    """The same URL for something else than it was signed for."""
    query = dict(parse_qsl(urlsplit(url).query))
    bob, alice = scene.bob, scene.alice
    keys = {
        "another's key": bob.ready["fileKey"],
        "another's open key": bob.open["fileKey"],
        "an own other key": alice.aborted["fileKey"],
        "an own rendition": alice.rendition_key,
        "another's rendition": bob.rendition_key,
        "a rendition of an open upload": VideoRef(alice.owner, alice.open["videoId"]).rendition_key,
        "no key": "",
        "a key below": f"{alice.ready['fileKey']}/x",
    }
    changed = {
        "a longer life": {"X-Amz-Expires": "86400"},
        "an endless life": {"X-Amz-Expires": "99999999"},
        "no expiry": {"X-Amz-Expires": None},
        "a later date": {"X-Amz-Date": "20991231T000000Z"},
        "another signature": {"X-Amz-Signature": query["X-Amz-Signature"][::-1]},
        "no signature": {"X-Amz-Signature": None},
        "another signer": {"X-Amz-Credential": query["X-Amz-Credential"].replace(names.ACCESS_KEY, "AKIAOTHER", 1)},
        "another region": {"X-Amz-Credential": query["X-Amz-Credential"].replace(names.REGION, "us-east-1")},
        "fewer signed headers": {"X-Amz-SignedHeaders": ""},
        "one query more": {"x-id": "GetObject"},
        "an ACL": {"acl": ""},
        "tags": {"tagging": ""},
        "another version": {"versionId": "null" if kind == "video" else "other"},
    }
    urls = {name: _with_query(url, values) for name, values in changed.items()}
    paths = {name: f"/{names.VIDEO_BUCKET}/{key}" for name, key in keys.items()}
    urls |= {name: _with_path(url, path) for name, path in paths.items() if path != urlsplit(url).path}
    record = f"/{names.METADATA_BUCKET}/records/{alice.owner}/{alice.ready['videoId']}.json"
    of_metadata = {"a record": record, "another's thumbnails": f"/{names.METADATA_BUCKET}/{bob.thumbnails_key}"}
    return {**urls, **{name: _with_path(url, path) for name, path in of_metadata.items()}}


def _with_query(url: str, changed: Mapping[str, str | None]) -> str:
    parts = urlsplit(url)
    query = {**dict(parse_qsl(parts.query, keep_blank_values=True)), **changed}
    return urlunsplit(parts._replace(query=urlencode({name: text for name, text in query.items() if text is not None})))


def _with_path(url: str, path: str) -> str:
    return urlunsplit(urlsplit(url)._replace(path=path))


def _viewing_urls(scene: Scene) -> dict[str, str]:
    ready, copied = scene.alice.ready, scene.alice.copied
    return {
        "playback": ready["playbackUrl"],
        "poster": ready["posterUrl"],
        "rendition": copied["playbackUrl"],
        "original": copied["downloadUrl"],
        "thumbnails": copied["thumbnailsUrl"],
    }


def _viewing_links(scene: Scene, source: str, url: str) -> Iterator[Link]:
    def send(method: str, to: str, **headers: str) -> Callable[[], requests.Response]:
        return lambda: requests.request(method, to, headers=headers, timeout=TIMEOUT_SECONDS)

    yield Link(f"{source} URL by anybody", send("GET", url), ANSWERED)
    yield Link(f"{source} URL by anybody, a range", send("GET", url, Range="bytes=0-9"), ANSWERED)
    for name, changed in _changed_urls(scene, url, source).items():
        yield Link(f"{source} URL, {name}", send("GET", changed), BY_S3)
    for method in ("PUT", "POST", "DELETE"):
        yield Link(f"{source} URL by {method}", send(method, url), NO_PART)


def _form_links(scene: Scene) -> Iterator[Link]:
    form = scene.alice.form
    fields: dict[str, str] = form["fields"]
    size_bytes = next(
        upload["sizeBytes"]
        for upload in scene.site.ask("GET /videos", scene.alice.authorization).json()["videos"]
        if upload["videoId"] == form["videoId"]
    )

    def send(fields: Mapping[str, str | None], size_bytes: int = size_bytes) -> Callable[[], requests.Response]:
        kept = {name: text for name, text in fields.items() if text is not None}
        content = {"file": ("film.mp4", bytes(size_bytes))}
        return lambda: requests.post(form["url"], data=kept, files=content, timeout=TIMEOUT_SECONDS)

    changed: dict[str, dict[str, str | None]] = {
        "another's key": {"key": scene.bob.form["fileKey"]},
        "another's ready key": {"key": scene.bob.ready["fileKey"]},
        "an own other key": {"key": scene.alice.ready["fileKey"]},
        "a key of the uploader's choice": {"key": "videos/${filename}"},
        "an own rendition": {"key": scene.alice.rendition_key},
        "another's rendition": {"key": scene.bob.rendition_key},
        "a rendition of the uploader's choice": {"key": f"renditions/{scene.alice.owner}/${{filename}}"},
        "another's thumbnails": {"key": scene.bob.thumbnails_key},
        "a rendition by a climb": {"key": f"videos/../{scene.alice.rendition_key}"},
        "no key": {"key": None},
        "another's policy": {"policy": scene.bob.form["fields"]["policy"]},
        "another signature": {"x-amz-signature": fields["x-amz-signature"][::-1]},
        "an ACL": {"acl": "public-read"},
        "a redirect": {"success_action_redirect": "https://example.com/"},
        "metadata": {"x-amz-meta-owner": scene.bob.owner},
        "tags": {"tagging": "<Tagging/>"},
        "another storage class": {"x-amz-storage-class": "GLACIER"},
    }
    for name in fields:
        if name != "key":
            changed |= {f"no {name}": {name: None}, f"another {name}": {name: "x"}}
    for name, values in changed.items():
        yield Link(f"form, {name}", send({**fields, **values}), BY_S3)
    for other in (0, size_bytes - 1, size_bytes + 1):
        yield Link(f"form, {other} bytes", send(fields, other), BY_S3)


def _anonymous_links(scene: Scene) -> Iterator[Link]:
    """Without a signature the storage opens nothing, whatever name was handed out."""
    alice, bob = scene.alice, scene.bob
    objects = {
        "an own video": (names.VIDEO_BUCKET, alice.ready["fileKey"]),
        "another's video": (names.VIDEO_BUCKET, bob.ready["fileKey"]),
        "another's open upload": (names.VIDEO_BUCKET, bob.open["fileKey"]),
        "a record": (names.METADATA_BUCKET, f"records/{bob.owner}/{bob.ready['videoId']}.json"),
        "a poster": (names.METADATA_BUCKET, f"posters/{bob.owner}/{bob.ready['videoId']}.jpg"),
        "another's thumbnails": (names.METADATA_BUCKET, bob.thumbnails_key),
        "the videos": (names.VIDEO_BUCKET, ""),
        "the metadata": (names.METADATA_BUCKET, ""),
    }
    url = scene.site.platform.stand_in_url

    def send(method: str, to: str, **headers: str) -> Callable[[], requests.Response]:
        return lambda: requests.request(method, to, headers=headers, timeout=TIMEOUT_SECONDS)

    for name, (bucket, key) in objects.items():
        for method in ("GET", "HEAD", "PUT", "DELETE"):
            for question in ("", "?acl", "?tagging", "?policy", "?versions", "?uploads"):
                to = f"{url}/{bucket}/{key}{question}"
                yield Link(f"{method} {name}{question} without a signature", send(method, to), NO_PART)
        token = f"Bearer {bob.open['uploadToken']}"
        for method in ("GET", "PUT", "DELETE"):
            to = f"{url}/{bucket}/{key}"
            yield Link(f"{method} {name} with an upload token", send(method, to, Authorization=token), NO_PART)


def correlated(scene: Scene) -> list[str]:
    """List problems of an init under another user's correlation id: it must open a separate upload."""
    started = scene.alice.start(UPLOAD_BYTES, correlation_id=scene.bob.correlation_id)
    again = scene.alice.start(UPLOAD_BYTES, correlation_id=scene.bob.correlation_id)
    other = scene.alice.start(UPLOAD_BYTES, correlation_id=str(uuid4()))
    wrong: list[str] = []
    if started["fileKey"].split("/")[1] != scene.alice.owner or started["uploadId"] == scene.bob.open["uploadId"]:
        wrong.append("another's correlation id opens another's upload")
    if started["videoId"] != again["videoId"] or other["videoId"] == started["videoId"]:
        wrong.append("the own correlation id does not open the own upload again")
    return wrong


def lists_to_readers(scene: Scene) -> list[str]:
    """List problems of the list of uploads: with the read scope it hands out no token."""
    wrong: list[str] = []
    for scopes, may_write in (((READ,), False), ((WRITE,), True), ((READ, WRITE), True)):
        listed = scene.site.ask("GET /uploads", f"Bearer {scene.alice.token(*scopes)}").json()["uploads"]
        wrong += [f"uploadToken for {scopes}" for upload in listed if ("uploadToken" in upload) != may_write]
        wrong += [] if listed else [f"no upload listed for {scopes}"]
    return wrong
