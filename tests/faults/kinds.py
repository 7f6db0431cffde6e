"""The kinds of fault, as tables."""

from dataclasses import dataclass
from enum import StrEnum

from tests.faults.fault_modes import Mode


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
    """An event at the moment at which a fault would end the client (DIES_*), in place of that end."""

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
    mode: Mode | None = None
    moment: Moment = Moment.KILLED
    s3_operation: str = ""
    special: str = ""

    @property
    def name(self) -> str:
        if self.special:
            return f"{self.client}/{self.call}/{self.special}"
        what = self.mode.value if self.mode else ""
        if self.s3_operation:
            return f"{self.client}/s3-{self.s3_operation}/{what}"
        if self.moment is not Moment.KILLED:
            what = self.moment.value
        return f"{self.client}/{self.call}/{what}"

    @property
    def needs_all(self) -> bool:
        """Return whether it strikes everybody on the platform, so that no other run may go on meanwhile."""
        return self.moment not in {Moment.KILLED, Moment.CHANGED, Moment.TOUCHED, Moment.EVENT_REPEATED}


_BROKEN_LINES = (Mode.RESET, Mode.LOST, Mode.HALF_ANSWER, Mode.LATE)
_REFUSALS = (Mode.INTERNAL_ERROR, Mode.UNAVAILABLE, Mode.TOO_MANY)
_DEATHS = (Mode.DIES_BEFORE, Mode.DIES_AFTER, Mode.DIES_THEN)
_BETWEEN = (Mode.GARBAGE, Mode.GATEWAY_TIMEOUT, Mode.TWICE)

_COMMAND_CALLS: dict[str, tuple[Mode, ...]] = {
    "token": (
        Mode.REFUSED,
        Mode.RESET,
        Mode.HALF_ANSWER,
        Mode.LATE,
        Mode.INTERNAL_ERROR,
        Mode.UNAVAILABLE,
        Mode.GARBAGE,
    ),
    "init": (Mode.REFUSED, Mode.HALF_REQUEST, *_BROKEN_LINES, *_REFUSALS, *_BETWEEN, *_DEATHS),
    "put": (
        *(
            Mode.HALF_REQUEST,
            *_BROKEN_LINES,
            Mode.INTERNAL_ERROR,
            Mode.UNAVAILABLE,
            Mode.GARBAGE,
            Mode.TWICE,
            Mode.EXPIRED,
        ),
        *_DEATHS,
    ),
    "sign": (*_BROKEN_LINES, Mode.UNAVAILABLE, Mode.GARBAGE),
    "list": (*_BROKEN_LINES, Mode.INTERNAL_ERROR, Mode.TOO_MANY, Mode.GARBAGE),
    "complete": (Mode.REFUSED, Mode.HALF_REQUEST, *_BROKEN_LINES, *_REFUSALS, *_BETWEEN, *_DEATHS),
    "status": (
        Mode.REFUSED,
        Mode.RESET,
        Mode.HALF_ANSWER,
        Mode.LATE,
        *_REFUSALS,
        Mode.GARBAGE,
        *_DEATHS,
    ),
    "library": (Mode.RESET, Mode.HALF_ANSWER, Mode.INTERNAL_ERROR, Mode.GARBAGE),
    "delete": (
        Mode.RESET,
        Mode.LOST,
        Mode.HALF_ANSWER,
        Mode.UNAVAILABLE,
        Mode.GARBAGE,
        Mode.TWICE,
        Mode.DIES_AFTER,
    ),
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
    *(Kind(client=Client.COMMAND, call=call, mode=mode) for call, modes in _COMMAND_CALLS.items() for mode in modes),
    *(Kind(client=Client.COMMAND, call=call, mode=Mode.DIES_BEFORE, moment=moment) for call, moment in _MOMENTS),
    *(
        Kind(client=Client.COMMAND, call="", mode=mode, s3_operation=operation)
        for operation in _S3_OPERATIONS
        for mode in (Mode.UNAVAILABLE, Mode.LOST)
    ),
    *(
        Kind(client=Client.COMMAND, call="any-moment", special=special)
        for special in ("killed", "interrupted", "journal-full")
    ),
)

_LINK_CALLS: dict[str, tuple[Mode, ...]] = {
    "init": (*_BROKEN_LINES, *_REFUSALS, *_BETWEEN, *_DEATHS),
    "put": (Mode.RESET, Mode.LOST, Mode.EXPIRED, *_DEATHS),
    "list": (Mode.RESET, Mode.HALF_ANSWER, Mode.UNAVAILABLE),
    "complete": (*_BROKEN_LINES, Mode.UNAVAILABLE, *_BETWEEN, *_DEATHS),
}

_LINK = (
    *(Kind(client=Client.LINK, call=call, mode=mode) for call, modes in _LINK_CALLS.items() for mode in modes),
    *(Kind(client=Client.LINK, call="any-moment", special=special) for special in ("killed", "interrupted")),
)

_MACHINE_CALLS: dict[str, tuple[Mode, ...]] = {
    "token": (
        Mode.REFUSED,
        Mode.RESET,
        Mode.HALF_ANSWER,
        Mode.LATE,
        Mode.INTERNAL_ERROR,
        Mode.GARBAGE,
    ),
    "init": (*_BROKEN_LINES, Mode.UNAVAILABLE, Mode.TOO_MANY, *_BETWEEN, *_DEATHS),
    "put": (Mode.RESET, Mode.LOST, Mode.EXPIRED, *_DEATHS),
    "list": (Mode.RESET, Mode.HALF_ANSWER, Mode.UNAVAILABLE),
    "complete": (*_BROKEN_LINES, Mode.UNAVAILABLE, *_BETWEEN, *_DEATHS),
    "status": (Mode.RESET, Mode.UNAVAILABLE, *_DEATHS),
}

_MACHINE_MOMENTS: tuple[tuple[str, Moment], ...] = (
    ("status", Moment.EVENT_REPEATED),
    ("complete", Moment.SITE_KILLED),
    ("complete", Moment.EVENT_LOST),
    ("status", Moment.WORKER_KILLED),
)

_MACHINE = (
    *(Kind(client=Client.MACHINE, call=call, mode=mode) for call, modes in _MACHINE_CALLS.items() for mode in modes),
    *(
        Kind(client=Client.MACHINE, call=call, mode=Mode.DIES_BEFORE, moment=moment)
        for call, moment in _MACHINE_MOMENTS
    ),
    *(Kind(client=Client.MACHINE, call="any-moment", special=special) for special in ("killed", "interrupted")),
)

_PAGE_CALLS: dict[str, tuple[Mode, ...]] = {
    "init": (*_BROKEN_LINES, Mode.UNAVAILABLE, Mode.TOO_MANY, *_BETWEEN, *_DEATHS),
    "put": (
        Mode.HALF_REQUEST,
        *_BROKEN_LINES,
        Mode.UNAVAILABLE,
        Mode.GARBAGE,
        Mode.TWICE,
        Mode.EXPIRED,
        *_DEATHS,
    ),
    "list": (Mode.RESET, Mode.HALF_ANSWER, Mode.UNAVAILABLE, Mode.GARBAGE),
    "complete": (*_BROKEN_LINES, Mode.INTERNAL_ERROR, *_BETWEEN, *_DEATHS),
    "status": (Mode.RESET, Mode.GARBAGE, Mode.DIES_BEFORE),
    "library": (Mode.RESET, Mode.UNAVAILABLE, Mode.GARBAGE),
    "unfinished": (Mode.RESET, Mode.GARBAGE),
}

_PAGE = (
    *(Kind(client=Client.PAGE, call=call, mode=mode) for call, modes in _PAGE_CALLS.items() for mode in modes),
    *(
        Kind(client=Client.PAGE, call="any-moment", special=special)
        for special in ("closed", "other-device", "offline", "token-expired")
    ),
)

_LINK_PAGE_CALLS: dict[str, tuple[Mode, ...]] = {
    "init": (*_BROKEN_LINES, Mode.UNAVAILABLE, Mode.TOO_MANY, *_BETWEEN, *_DEATHS),
    "put": (Mode.RESET, Mode.LOST, Mode.EXPIRED, *_DEATHS),
    "list": (Mode.RESET, Mode.UNAVAILABLE),
    "complete": (*_BROKEN_LINES, Mode.UNAVAILABLE, *_BETWEEN, *_DEATHS),
}

_LINK_PAGE = (
    *(
        Kind(client=Client.LINK_PAGE, call=call, mode=mode)
        for call, modes in _LINK_PAGE_CALLS.items()
        for mode in modes
    ),
    *(Kind(client=Client.LINK_PAGE, call="any-moment", special=special) for special in ("closed", "offline")),
)

KINDS = {kind.name: kind for kind in (*_COMMAND, *_LINK, *_MACHINE, *_PAGE, *_LINK_PAGE)}
