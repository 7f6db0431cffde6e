"""The cells: each identity at each route and target, with the verdict that the rules give."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from tests.matrix.identities import Identity
from tests.matrix.rules import DONE, FORBIDDEN, INVALID, NOT_FOUND, REFUSED, RULES, UNAUTHORIZED, Key, Rule, State
from tests.matrix.scene import Scene


@dataclass(frozen=True)
class Cell:
    """One call. right: the statuses that the rules allow. destroys: whether it ends what other cells need when it is
    let in, so that it comes last.
    """

    name: str
    route: str
    authorization: str | None
    right: frozenset[int]
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict[str, str])
    destroys: bool = False


def cells(scene: Scene, routes: list[str], knocking: list[Identity]) -> list[Cell]:
    """Raises KeyError for a route without a rule."""
    found = [cell for route in routes for identity in knocking for cell in _at_route(scene, route, identity)]
    return sorted([*found, *_wrong_methods(scene, routes)], key=lambda cell: cell.destroys)


def _at_route(scene: Scene, route: str, identity: Identity) -> Iterator[Cell]:
    rule = RULES[route]
    match rule.key:
        case Key.NOTHING:
            yield Cell(f"{route} by {identity.name}", route, identity.authorization, DONE)
        case Key.USER:
            yield from _at_user_route(scene, route, rule, identity)
        case Key.UPLOAD:
            yield from _at_upload_route(scene, route, rule, identity)


def _user_verdict(rule: Rule, identity: Identity) -> frozenset[int] | None:
    """A refusal, or None for somebody who may."""
    if identity.owner is None:
        return UNAUTHORIZED
    if not identity.fits:
        return REFUSED
    return FORBIDDEN if rule.scopes.isdisjoint(identity.scopes) else None


def _at_user_route(scene: Scene, route: str, rule: Rule, identity: Identity) -> Iterator[Cell]:
    refusal = _user_verdict(rule, identity)
    if not rule.names_a_video:
        for query in _queries(scene) if route == "GET /videos" else ("",):
            name = f"{route}{query} by {identity.name}"
            yield Cell(name, route + query, identity.authorization, refusal or rule.let_in, rule.body)
        return
    deletes = route.startswith("DELETE")
    for target, (owner, video_id, is_there) in _videos(scene, deletes=deletes).items():
        right = rule.let_in if owner == identity.owner and is_there else NOT_FOUND
        path = route.replace("{videoId}", video_id)
        name = f"{route} by {identity.name} on {target}"
        yield Cell(name, path, identity.authorization, refusal or right, rule.body, destroys=deletes and right is DONE)


def _queries(scene: Scene) -> list[str]:
    """Pages, also after a cursor that was handed out to somebody else."""
    cursors = [scene.alice.ready["videoId"], scene.bob.ready["videoId"], scene.bob.open["videoId"]]
    return ["", "?limit=1", *(f"?cursor={cursor}" for cursor in cursors)]


def _videos(scene: Scene, *, deletes: bool) -> dict[str, tuple[str, str, bool]]:
    """Owner, videoId, and whether its owner finds it. What alice's cells delete is a video that no other one needs."""
    alice, bob = scene.alice, scene.bob
    own = {
        "an own spare": (alice.owner, alice.spare["videoId"], True),
        "an own deleted video": (alice.owner, alice.deleted["videoId"], True),  # safe to repeat
    }
    looked_at = {
        "an own ready video": (alice.owner, alice.ready["videoId"], True),
        "an own open upload": (alice.owner, alice.open["videoId"], True),
        "an own form": (alice.owner, alice.form["videoId"], True),
        "an own deleted video": (alice.owner, alice.deleted["videoId"], False),
    }
    foreign = {
        "another's ready video": bob.ready["videoId"],
        "another's open upload": bob.open["videoId"],
        "another's aborted upload": bob.aborted["videoId"],
        "another's deleted video": bob.deleted["videoId"],
        "another's form": bob.form["videoId"],
        "an unknown video": "f" * 28,
        "a name": "x",
        "an upper-case id": bob.ready["videoId"].upper(),
        "an id with a line end": f"{bob.ready['videoId']}%0A",
        "a file name": f"{bob.ready['videoId']}.json",
    }
    return {**(own if deletes else looked_at), **{name: ("nobody", text, True) for name, text in foreign.items()}}


def _at_upload_route(scene: Scene, route: str, rule: Rule, identity: Identity) -> Iterator[Cell]:
    for target, (names, fits) in (
        _named_uploads(scene, identity).items() if rule.names_an_upload else [("", ({}, True))]
    ):
        if identity.state is None:
            right = UNAUTHORIZED
        elif target == "a number":
            right = INVALID
        else:
            right = rule.by_state[identity.state] if fits else NOT_FOUND
        body = {**rule.body, **names} if rule.body is not None else None
        ends = route.endswith("abort") and identity.state is State.OPEN and fits and right is DONE
        naming = f" naming {target}" if target else ""
        yield Cell(f"{route} by {identity.name}{naming}", route, identity.authorization, right, body, destroys=ends)


def _named_uploads(scene: Scene, identity: Identity) -> dict[str, tuple[dict[str, Any], bool]]:
    """Return bodies that name an upload beside the token, and whether it is the token's own."""
    upload = (identity.upload, identity.file_key) if identity.state else _ids(scene.alice.open)
    own = dict(zip(("uploadId", "fileKey"), upload, strict=True))
    return {
        "nothing": ({}, True),
        # An empty text names no upload.
        "its own upload": ({name: text for name, text in own.items() if text}, True),
        "another's uploadId": ({"uploadId": scene.bob.ready["uploadId"]}, False),
        "another's fileKey": ({"fileKey": scene.bob.ready["fileKey"]}, False),
        "an unknown uploadId": ({"uploadId": "none"}, False),
        "a number": ({"uploadId": 5}, False),
    }


def _ids(upload: dict[str, Any]) -> tuple[str, str]:
    return upload["uploadId"], upload["fileKey"]


def _wrong_methods(scene: Scene, routes: list[str]) -> Iterator[Cell]:
    """Methods without a route, which every caller is refused."""
    for path in sorted({route.partition(" ")[2] for route in routes}):
        for method in ("GET", "POST", "PUT", "PATCH", "DELETE"):
            if f"{method} {path}" in routes:
                continue
            there = f"{method} {path.replace('{videoId}', scene.alice.ready['videoId'])}"
            for name, authorization in (("nobody", None), ("user", scene.alice.authorization)):
                yield Cell(f"{there} by {name}", there, authorization, frozenset({405}))
