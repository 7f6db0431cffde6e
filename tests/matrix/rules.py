"""The rules of access, written by hand: which routes there are, which function serves each, who may, and how a refusal
looks.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

READ = "video-upload/read"
WRITE = "video-upload/write"


class Key(Enum):
    """Credential that opens a route."""

    NOTHING = "nothing"
    USER = "an access token"
    UPLOAD = "an upload token"
    LINK = "the token of an upload link"


class State(Enum):
    """An upload, as the holder of its token finds it."""

    OPEN = "open"
    ABORTED = "aborted"
    COMPLETED = "completed"
    UNKNOWN = "deleted, or not of this record"


class LinkState(Enum):
    """An upload link, as its bearer finds it."""

    OPEN = "open"
    REVOKED = "revoked"
    UNKNOWN = "of no record"


UNAUTHORIZED = frozenset({401})
FORBIDDEN = frozenset({403})
NOT_FOUND = frozenset({404})
CLOSED = frozenset({409})
GONE = frozenset({410})
INVALID = frozenset({400})
DONE = frozenset({200})
REFUSED = UNAUTHORIZED | FORBIDDEN
"""AWS refuses an ID token with 401 and the local gateway with 403."""


@dataclass(frozen=True)
class Rule:
    """scopes: any of them opens the route. let_in: the answer to `body` of somebody who may; a body without its fields
    changes nothing and is refused only after the caller was let in. by_state: of routes that an upload token opens.
    by_link: of routes that a link's token opens. administrators_only: opened by the group beside the scope.
    """

    key: Key
    scopes: frozenset[str] = frozenset()
    body: Any = None
    let_in: frozenset[int] = DONE
    by_state: Mapping[State, frozenset[int]] = field(default_factory=dict[State, frozenset[int]])
    by_link: Mapping[LinkState, frozenset[int]] = field(default_factory=dict[LinkState, frozenset[int]])
    names_a_video: bool = False
    names_a_link: bool = False
    administrators_only: bool = False
    names_an_upload: bool = False


READERS = frozenset({READ, WRITE})
WRITERS = frozenset({WRITE})
_PART_1 = {"partNumber": 1}

RULES_BY_FUNCTION: Mapping[str, Mapping[str, Rule]] = {
    "video_upload": {
        "GET /health": Rule(Key.NOTHING),
        "POST /upload": Rule(Key.USER, WRITERS, {}, INVALID),
        "POST /progress": Rule(Key.USER, WRITERS, {}, INVALID),
        "GET /videos": Rule(Key.USER, READERS),
        "GET /usage": Rule(Key.USER, READERS),
        "GET /videos/{videoId}": Rule(Key.USER, READERS, names_a_video=True),
        "PATCH /videos/{videoId}": Rule(Key.USER, WRITERS, {}, names_a_video=True),
        "DELETE /videos/{videoId}": Rule(Key.USER, WRITERS, names_a_video=True),
        "POST /videos/delete": Rule(Key.USER, WRITERS, {}, INVALID),
        "GET /admin/videos": Rule(Key.USER, READERS, administrators_only=True),
        "POST /admin/videos/delete": Rule(Key.USER, WRITERS, {}, INVALID, administrators_only=True),
        "GET /admin/usage": Rule(Key.USER, READERS, administrators_only=True),
        "GET /admin/videos/{owner}/{videoId}": Rule(Key.USER, READERS, names_a_video=True, administrators_only=True),
        "DELETE /admin/videos/{owner}/{videoId}": Rule(Key.USER, WRITERS, names_a_video=True, administrators_only=True),
    },
    "multipart_init": {
        "POST /multipart/init": Rule(Key.USER, WRITERS, {}, INVALID),
        "GET /uploads": Rule(Key.USER, READERS),
        "POST /links": Rule(Key.USER, WRITERS, {}, INVALID),
        "GET /links": Rule(Key.USER, READERS),
        "DELETE /links/{linkId}": Rule(Key.USER, WRITERS, names_a_link=True),
        "GET /link": Rule(
            Key.LINK, by_link={LinkState.OPEN: DONE, LinkState.REVOKED: GONE, LinkState.UNKNOWN: NOT_FOUND}
        ),
        "POST /link/multipart/init": Rule(
            Key.LINK,
            body={},
            by_link={LinkState.OPEN: INVALID, LinkState.REVOKED: GONE, LinkState.UNKNOWN: NOT_FOUND},
        ),
        "GET /multipart/parts": Rule(
            Key.UPLOAD,
            by_state={State.OPEN: DONE, State.ABORTED: CLOSED, State.COMPLETED: CLOSED, State.UNKNOWN: NOT_FOUND},
        ),
        "POST /multipart/parts": Rule(
            Key.UPLOAD,
            body={"parts": [_PART_1]},
            by_state={State.OPEN: DONE, State.ABORTED: CLOSED, State.COMPLETED: CLOSED, State.UNKNOWN: NOT_FOUND},
        ),
    },
    "multipart_complete": {
        "POST /multipart/complete": Rule(
            Key.UPLOAD,
            body={"parts": [{**_PART_1, "etag": '"none"'}]},
            # Open, and its parts are missing.
            by_state={State.OPEN: INVALID, State.ABORTED: CLOSED, State.COMPLETED: DONE, State.UNKNOWN: NOT_FOUND},
            names_an_upload=True,
        ),
        "POST /multipart/abort": Rule(
            Key.UPLOAD,
            body={},
            by_state={State.OPEN: DONE, State.ABORTED: DONE, State.COMPLETED: CLOSED, State.UNKNOWN: NOT_FOUND},
            names_an_upload=True,
        ),
    },
}
"""Each route under the function that serves it; every function answers `GET /health`, but the gateway asks one."""
RULES: Mapping[str, Rule] = {route: rule for rules in RULES_BY_FUNCTION.values() for route, rule in rules.items()}
