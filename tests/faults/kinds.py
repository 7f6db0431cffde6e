"""The kinds of fault, as tables."""

from dataclasses import dataclass
from enum import StrEnum

from tests.faults.ways import Way


class Client(StrEnum):
    COMMAND = "command"
    LINK = "link"
    """The command of somebody without an account, by an upload link."""
    MACHINE = "machine"
    """The command of a program that is signed in by client credentials, for a person whom only it knows."""
    PAGE = "page"
    LINK_PAGE = "link-page"
    """The page of somebody without an account, by an upload link."""


class Moment(StrEnum):
    """An event at the moment at which a trouble would end the client (DIES_*), in place of that end."""

    KILLED = "killed"
    CHANGED = "file-changed"
    TOUCHED = "file-touched"
    SITE_KILLED = "site-killed"
    STORE_KILLED = "store-killed"
    WORKER_KILLED = "worker-killed"
    WORKER_HELD = "event-late"
    EVENT_LOST = "event-lost"
    EVENT_REPEATED = "event-repeated"
    STORE_REFUSES = "store-refuses"
    CLOCK_AHEAD = "clock-ahead"
    CLOCK_BEHIND = "clock-behind"


@dataclass(frozen=True, kw_only=True)
class Kind:
    """One kind of fault. name: CLIENT/CALL/WAY.

    s3_operation: S3 itself fails it, for the platform. times: how often in a row at most.
    """

    client: Client
    call: str
    way: Way | None = None
    moment: Moment = Moment.KILLED
    s3_operation: str = ""
    special: str = ""

    @property
    def name(self) -> str:
        if self.special:
            return f"{self.client}/{self.call}/{self.special}"
        what = self.way.value if self.way else ""
        if self.s3_operation:
            return f"{self.client}/s3-{self.s3_operation}/{what}"
        if self.moment is not Moment.KILLED:
            what = self.moment.value
        return f"{self.client}/{self.call}/{what}"

    @property
    def needs_all(self) -> bool:
        """Return whether it strikes everybody on the platform, so that no other run may go on meanwhile."""
        return self.moment not in {Moment.KILLED, Moment.CHANGED, Moment.TOUCHED, Moment.EVENT_REPEATED}


_BROKEN_LINES = (Way.RESET, Way.LOST, Way.HALF_ANSWER, Way.LATE)
_REFUSALS = (Way.INTERNAL_ERROR, Way.UNAVAILABLE, Way.TOO_MANY)
_DEATHS = (Way.DIES_BEFORE, Way.DIES_AFTER, Way.DIES_THEN)
_BETWEEN = (Way.GARBAGE, Way.GATEWAY_TIMEOUT, Way.TWICE)

_COMMAND_CALLS: dict[str, tuple[Way, ...]] = {
    "token": (Way.REFUSED, Way.RESET, Way.HALF_ANSWER, Way.LATE, Way.INTERNAL_ERROR, Way.UNAVAILABLE, Way.GARBAGE),
    "init": (Way.REFUSED, Way.HALF_REQUEST, *_BROKEN_LINES, *_REFUSALS, *_BETWEEN, *_DEATHS),
    "put": (
        *(Way.HALF_REQUEST, *_BROKEN_LINES, Way.INTERNAL_ERROR, Way.UNAVAILABLE, Way.GARBAGE, Way.TWICE, Way.EXPIRED),
        *_DEATHS,
    ),
    "sign": (*_BROKEN_LINES, Way.UNAVAILABLE, Way.GARBAGE),
    "list": (*_BROKEN_LINES, Way.INTERNAL_ERROR, Way.TOO_MANY, Way.GARBAGE),
    "complete": (Way.REFUSED, Way.HALF_REQUEST, *_BROKEN_LINES, *_REFUSALS, *_BETWEEN, *_DEATHS),
    "status": (Way.REFUSED, Way.RESET, Way.HALF_ANSWER, Way.LATE, *_REFUSALS, Way.GARBAGE, *_DEATHS),
    "library": (Way.RESET, Way.HALF_ANSWER, Way.INTERNAL_ERROR, Way.GARBAGE),
    "delete": (Way.RESET, Way.LOST, Way.HALF_ANSWER, Way.UNAVAILABLE, Way.GARBAGE, Way.TWICE, Way.DIES_AFTER),
}

_MOMENTS: tuple[tuple[str, Moment], ...] = (
    ("put", Moment.CHANGED),
    ("put", Moment.TOUCHED),
    ("status", Moment.EVENT_REPEATED),
    ("init", Moment.SITE_KILLED),
    ("complete", Moment.SITE_KILLED),
    ("put", Moment.STORE_KILLED),
    ("complete", Moment.STORE_KILLED),
    ("status", Moment.WORKER_KILLED),
    ("complete", Moment.WORKER_HELD),
    ("complete", Moment.EVENT_LOST),
    ("put", Moment.STORE_REFUSES),
    ("put", Moment.CLOCK_AHEAD),
    ("put", Moment.CLOCK_BEHIND),
)

_S3_OPERATIONS = ("CreateMultipartUpload", "PutObject", "CompleteMultipartUpload", "PutObjectTagging", "GetObject")

_COMMAND = (
    *(Kind(client=Client.COMMAND, call=call, way=way) for call, ways in _COMMAND_CALLS.items() for way in ways),
    *(Kind(client=Client.COMMAND, call=call, way=Way.DIES_BEFORE, moment=moment) for call, moment in _MOMENTS),
    *(
        Kind(client=Client.COMMAND, call="", way=way, s3_operation=operation)
        for operation in _S3_OPERATIONS
        for way in (Way.UNAVAILABLE, Way.LOST)
    ),
    *(
        Kind(client=Client.COMMAND, call="any-moment", special=special)
        for special in ("killed", "interrupted", "journal-full")
    ),
)

_LINK_CALLS: dict[str, tuple[Way, ...]] = {
    "init": (*_BROKEN_LINES, *_REFUSALS, *_BETWEEN, *_DEATHS),
    "put": (Way.RESET, Way.LOST, Way.EXPIRED, *_DEATHS),
    "list": (Way.RESET, Way.HALF_ANSWER, Way.UNAVAILABLE),
    "complete": (*_BROKEN_LINES, Way.UNAVAILABLE, *_BETWEEN, *_DEATHS),
}

_LINK = (
    *(Kind(client=Client.LINK, call=call, way=way) for call, ways in _LINK_CALLS.items() for way in ways),
    *(Kind(client=Client.LINK, call="any-moment", special=special) for special in ("killed", "interrupted")),
)

_MACHINE_CALLS: dict[str, tuple[Way, ...]] = {
    "token": (Way.REFUSED, Way.RESET, Way.HALF_ANSWER, Way.LATE, Way.INTERNAL_ERROR, Way.GARBAGE),
    "init": (*_BROKEN_LINES, Way.UNAVAILABLE, Way.TOO_MANY, *_BETWEEN, *_DEATHS),
    "put": (Way.RESET, Way.LOST, Way.EXPIRED, *_DEATHS),
    "list": (Way.RESET, Way.HALF_ANSWER, Way.UNAVAILABLE),
    "complete": (*_BROKEN_LINES, Way.UNAVAILABLE, *_BETWEEN, *_DEATHS),
    "status": (Way.RESET, Way.UNAVAILABLE, *_DEATHS),
}

_MACHINE_MOMENTS: tuple[tuple[str, Moment], ...] = (
    ("status", Moment.EVENT_REPEATED),
    ("complete", Moment.SITE_KILLED),
    ("complete", Moment.EVENT_LOST),
    ("status", Moment.WORKER_KILLED),
)

_MACHINE = (
    *(Kind(client=Client.MACHINE, call=call, way=way) for call, ways in _MACHINE_CALLS.items() for way in ways),
    *(Kind(client=Client.MACHINE, call=call, way=Way.DIES_BEFORE, moment=moment) for call, moment in _MACHINE_MOMENTS),
    *(Kind(client=Client.MACHINE, call="any-moment", special=special) for special in ("killed", "interrupted")),
)

_PAGE_CALLS: dict[str, tuple[Way, ...]] = {
    "init": (*_BROKEN_LINES, Way.UNAVAILABLE, Way.TOO_MANY, *_BETWEEN, *_DEATHS),
    "put": (Way.HALF_REQUEST, *_BROKEN_LINES, Way.UNAVAILABLE, Way.GARBAGE, Way.TWICE, Way.EXPIRED, *_DEATHS),
    "list": (Way.RESET, Way.HALF_ANSWER, Way.UNAVAILABLE, Way.GARBAGE),
    "complete": (*_BROKEN_LINES, Way.INTERNAL_ERROR, *_BETWEEN, *_DEATHS),
    "status": (Way.RESET, Way.GARBAGE, Way.DIES_BEFORE),
    "library": (Way.RESET, Way.UNAVAILABLE, Way.GARBAGE),
    "unfinished": (Way.RESET, Way.GARBAGE),
}

_PAGE = (
    *(Kind(client=Client.PAGE, call=call, way=way) for call, ways in _PAGE_CALLS.items() for way in ways),
    *(
        Kind(client=Client.PAGE, call="any-moment", special=special)
        for special in ("closed", "other-device", "offline", "token-expired")
    ),
)

_LINK_PAGE_CALLS: dict[str, tuple[Way, ...]] = {
    "init": (*_BROKEN_LINES, Way.UNAVAILABLE, Way.TOO_MANY, *_BETWEEN, *_DEATHS),
    "put": (Way.RESET, Way.LOST, Way.EXPIRED, *_DEATHS),
    "list": (Way.RESET, Way.UNAVAILABLE),
    "complete": (*_BROKEN_LINES, Way.UNAVAILABLE, *_BETWEEN, *_DEATHS),
}

_LINK_PAGE = (
    *(Kind(client=Client.LINK_PAGE, call=call, way=way) for call, ways in _LINK_PAGE_CALLS.items() for way in ways),
    *(Kind(client=Client.LINK_PAGE, call="any-moment", special=special) for special in ("closed", "offline")),
)

KINDS = {kind.name: kind for kind in (*_COMMAND, *_LINK, *_MACHINE, *_PAGE, *_LINK_PAGE)}
