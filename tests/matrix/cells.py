"""The cells: each identity at each route and target, with the verdict that the rules give."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from chalicelib.core.index.lines import Line
from chalicelib.core.index.queries import NEWEST_FIRST
from chalicelib.core.video_id import VideoRef
from tests.matrix.identities import Identity
from tests.matrix.rules import DONE, FORBIDDEN, INVALID, NOT_FOUND, REFUSED, RULES, UNAUTHORIZED, Key, Rule, State
from tests.matrix.scene import Scene


@dataclass(frozen=True)
class Cell:
    """One call. right: the statuses that the rules allow. destroys: whether it ends what other cells need when it is
    let in, so that it comes last. tells: whether its answer may tell of another user.
    """

    name: str
    route: str
    authorization: str | None
    right: frozenset[int]
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict[str, str])
    destroys: bool = False
    tells: bool = False


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
        case Key.LINK:
            yield _at_link_route(route, rule, identity)


def _at_link_route(route: str, rule: Rule, identity: Identity) -> Cell:
    # The authorizer knows a true upload token, and its answer does not name this route.
    otherwise = FORBIDDEN if identity.state else UNAUTHORIZED
    right = rule.by_link[identity.link_state] if identity.link_state else otherwise
    return Cell(f"{route} by {identity.name}", route, identity.authorization, right, rule.body)


def _user_verdict(rule: Rule, identity: Identity) -> frozenset[int] | None:
    """A refusal, or None for somebody who may."""
    if identity.owner is None:
        return UNAUTHORIZED
    if not identity.fits:
        return REFUSED
    if rule.administrators_only and not identity.is_administrator:
        return FORBIDDEN
    return FORBIDDEN if rule.scopes.isdisjoint(identity.scopes) else None


def _at_user_route(scene: Scene, route: str, rule: Rule, identity: Identity) -> Iterator[Cell]:
    refusal = _user_verdict(rule, identity)
    if rule.names_a_link:
        yield from _at_links(scene, route, identity, refusal)
        return
    if not rule.names_a_video:
        for query, is_right in _queries_of(scene, route).items():
            name = f"{route}{query} by {identity.name}"
            right = rule.let_in if is_right else INVALID
            tells = refusal is None and rule.administrators_only
            yield Cell(name, route + query, identity.authorization, refusal or right, rule.body, tells=tells)
        return
    if rule.administrators_only:
        yield from _at_administrators_route(scene, route, identity, refusal)
        return
    deletes = route.startswith("DELETE")
    for target, (owner, video_id, is_there) in _videos(scene, deletes=deletes).items():
        right = rule.let_in if owner == identity.owner and is_there else NOT_FOUND
        path = route.replace("{videoId}", video_id)
        name = f"{route} by {identity.name} on {target}"
        yield Cell(name, path, identity.authorization, refusal or right, rule.body, destroys=deletes and right is DONE)


def _at_links(scene: Scene, route: str, identity: Identity, refusal: frozenset[int] | None) -> Iterator[Cell]:
    links = {
        "an own revoked link": (scene.alice.owner, scene.alice.revoked_link["linkId"]),
        "another's link": ("nobody", scene.bob.link["linkId"]),
        "another's revoked link": ("nobody", scene.bob.revoked_link["linkId"]),
        "an unknown link": ("nobody", "f" * 28),
        "a name": ("nobody", "x"),
        "an id with a line end": ("nobody", f"{scene.bob.link['linkId']}%0A"),
    }
    for target, (owner, link_id) in links.items():
        right = DONE if owner == identity.owner else NOT_FOUND
        path = route.replace("{linkId}", link_id)
        yield Cell(f"{route} by {identity.name} on {target}", path, identity.authorization, refusal or right)


def _at_administrators_route(
    scene: Scene, route: str, identity: Identity, refusal: frozenset[int] | None
) -> Iterator[Cell]:
    """Cells of one route. Administrators delete videos of dora's, which no other cell needs."""
    alice, bob, dora = scene.alice, scene.bob, scene.dora
    deletes = route.startswith("DELETE")
    there = {
        "a user's spare": (dora.owner, dora.spare["videoId"]),
        "a user's ready video": (dora.owner, dora.ready["videoId"]),
    }
    looked_at = {
        "a user's ready video": (bob.owner, bob.ready["videoId"]),
        "a user's open upload": (bob.owner, bob.open["videoId"]),
        "a user's copied video": (bob.owner, bob.copied["videoId"]),
    }
    missing = {
        "a video under another owner": (alice.owner, bob.ready["videoId"]),
        "an unknown video": (bob.owner, "f" * 28),
        "no owner's name": ("b.o", bob.ready["videoId"]),
        "an endless owner": ("o" * 129, bob.ready["videoId"]),
        "a name": (bob.owner, "x"),
        **({} if deletes else {"a deleted video": (bob.owner, bob.deleted["videoId"])}),
    }
    for target, (owner, video_id) in {**(there if deletes else looked_at), **missing}.items():
        right = NOT_FOUND if target in missing else DONE
        path = route.replace("{owner}", owner).replace("{videoId}", video_id)
        ends = deletes and refusal is None and right is DONE
        yield Cell(
            f"{route} by {identity.name} on {target}",
            path,
            identity.authorization,
            refusal or right,
            destroys=ends,
            tells=refusal is None,
        )


def _queries_of(scene: Scene, route: str) -> dict[str, bool]:
    """Queries of a list, each with True where it is right."""
    if route == "GET /admin/videos":
        bob = scene.bob
        cursor = NEWEST_FIRST.cursor_after(Line.gone(VideoRef(bob.owner, bob.ready["videoId"]), 1))
        return {
            "": True,
            f"?owner={bob.owner}&limit=2": True,
            "?query=FILM&sort=name": True,
            f"?cursor={cursor}": True,
            f"?owner={scene.alice.owner}&cursor={cursor}": True,  # a place in an order, and nobody's
            f"?cursor={bob.owner}/{bob.ready['videoId']}": False,
            f"?query=film&cursor={cursor}": False,
            f"?owner=..%2F{bob.owner}": False,
            f"?cursor={bob.owner}": False,
        }
    return dict.fromkeys(_queries(scene) if route == "GET /videos" else [""], True)


def _queries(scene: Scene) -> list[str]:
    """Pages, also after a cursor that was handed out to somebody else."""
    lines = [
        Line.gone(VideoRef(person.owner, upload["videoId"]), 1)
        for person, upload in (
            (scene.alice, scene.alice.ready),
            (scene.bob, scene.bob.ready),
            (scene.bob, scene.bob.open),
        )
    ]
    cursors = [NEWEST_FIRST.cursor_after(line) for line in lines]
    return ["", "?limit=1", "?query=film", "?sort=name", *(f"?cursor={cursor}" for cursor in cursors)]


def _videos(scene: Scene, *, deletes: bool) -> dict[str, tuple[str, str, bool]]:
    """Owner, videoId, and whether its owner finds it. What alice's cells delete is a video that no other one needs."""
    alice, bob = scene.alice, scene.bob
    own = {
        "an own spare": (alice.owner, alice.spare["videoId"], True),
        "an own deleted video": (alice.owner, alice.deleted["videoId"], True),  # safe to repeat
    }
    looked_at = {
        "an own ready video": (alice.owner, alice.ready["videoId"], True),
        "an own copied video": (alice.owner, alice.copied["videoId"], True),
        "an own open upload": (alice.owner, alice.open["videoId"], True),
        "an own form": (alice.owner, alice.form["videoId"], True),
        "an own deleted video": (alice.owner, alice.deleted["videoId"], False),
    }
    foreign = {
        "another's ready video": bob.ready["videoId"],
        "another's copied video": bob.copied["videoId"],
        "another's rendition": f"{bob.copied['videoId']}.mp4",
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
            right = FORBIDDEN if identity.link_state else UNAUTHORIZED
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
        "the key of a rendition": ({"fileKey": scene.alice.rendition_key}, False),
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
            named = path.replace("{owner}", scene.alice.owner).replace("{videoId}", scene.alice.ready["videoId"])
            there = f"{method} {named}"
            for name, authorization in (("nobody", None), ("user", scene.alice.authorization)):
                yield Cell(f"{there} by {name}", there, authorization, frozenset({405}))
