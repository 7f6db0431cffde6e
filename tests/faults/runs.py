"""The parts that all runs share: person and file, planned faults, what strikes the platform, and the verification."""

import os
import signal
import threading
import time
from collections.abc import Callable
from hashlib import sha256
from random import Random

from local.stand_in import names
from tests.faults.fault_modes import Mode, PlannedFault
from tests.faults.kinds import Client, Kind, Moment
from tests.faults.scene import Lane, Person, Scene
from tests.faults.verifier import Broken, doubled, lost, residue

STARTS_OVER = {Moment.CHANGED, Moment.TOUCHED}


class Run:
    """One kind and seed. struck: how often the fault struck. steps: what the client did, in words."""

    person: Person

    def __init__(self, scene: Scene, lane: Lane, kind: Kind, seed: int) -> None:
        self.scene = scene
        self.lane = lane
        self.kind = kind
        self.seed = seed
        self.steps: list[str] = []
        self.broken: list[Broken] = []
        self.struck = 0
        self.chance = Random(f"{kind.name} {seed}")
        self.folder = lane.folder / f"{kind.name.replace('/', '-')}-{seed}"
        self.file = self.folder / "film.mp4"

    def play(self) -> None:
        """Fault, end of the fault, the person's next tries, verification."""
        raise NotImplementedError

    def prepare(self, client_id: str) -> int:
        """A new person with a new video; of how many parts."""
        self.folder.mkdir(parents=True)
        self.person = self.somebody(client_id)
        needed = 2 if self.kind.call == "list" else 1
        parts = max(needed, self.chance.choice((1, 1, 1, 2, 2, 3)))
        self.scene.write_video(self.file, parts, self.chance)
        return parts

    def somebody(self, client_id: str) -> Person:
        """A new person, signed in by this client."""
        return self.scene.somebody(self.lane, client_id=client_id)

    def planned_faults(self, parts: int) -> list[PlannedFault]:
        """Return what goes wrong, when and how often, as the seed decides."""
        mode, call = self.kind.mode, self.kind.call
        if mode is None or not call:
            return []
        first = 1
        if call == "put":
            first = self.chance.randint(1, parts)
        elif call == "status" and self.kind.client in {Client.COMMAND, Client.MACHINE}:
            first = self.chance.randint(1, 2)
        is_once = mode in {Mode.DIES_BEFORE, Mode.DIES_AFTER, Mode.DIES_THEN}
        times = 1 if is_once else self.chance.choice((1, 1, 2) if mode is Mode.LATE else (1, 1, 2, 3, 12))
        own = PlannedFault(call, mode, first, times)
        # A client signs again after a URL has expired.
        return [own, PlannedFault("put", Mode.EXPIRED, times=2)] if call == "sign" else [own]

    def strike(self) -> None:
        """Let the kind's moment come, while a call is held."""
        verifier, scene = self.scene.verifier, self.scene
        {
            Moment.CHANGED: lambda: self._change_file(with_content=True),
            Moment.TOUCHED: lambda: self._change_file(with_content=False),
            Moment.EVENT_REPEATED: lambda: verifier.repeat_events(self.person.owner, self.chance.randint(1, 3)),
            Moment.SITE_KILLED: lambda: scene.restart("site"),
            Moment.STORE_KILLED: lambda: scene.restart("stand-in"),
            Moment.WORKER_KILLED: lambda: scene.restart("worker"),
            Moment.WORKER_HELD: lambda: _hold(scene.platform.child("worker").pid, self.chance.uniform(0.5, 2)),
            Moment.EVENT_LOST: lambda: _for_a_while(verifier.lose_events, verifier.find_events, 1.0),
            Moment.STORE_REFUSES: lambda: self._refuse(self.chance.uniform(0.1, 1.5)),
            Moment.CLOCK_AHEAD: lambda: self._shift_clock(1),
            Moment.CLOCK_BEHIND: lambda: self._shift_clock(-1),
        }[self.kind.moment]()

    def _change_file(self, *, with_content: bool) -> None:
        modified_ns = self.file.stat().st_mtime_ns + 1_000_000_000
        if with_content:
            self.scene.write_video(self.file, self.chance.randint(1, 3), self.chance)
        os.utime(self.file, ns=(modified_ns, modified_ns))

    def _refuse(self, seconds: float) -> None:
        self.scene.proxy.shut(self.scene.store)
        time.sleep(seconds)
        self.scene.proxy.reopen(self.scene.store)

    def _shift_clock(self, direction: int) -> None:
        seconds = direction * self.chance.choice((600, 1000, 7200))
        _for_a_while(lambda: self.scene.shift_clock(seconds), lambda: self.scene.shift_clock(0), 0.7)

    def verify(self, video_id: str | None) -> None:
        """Look at what the platform holds. video_id: the video that the client told of."""
        verifier, owner = self.scene.verifier, self.person.owner
        verifier.let_time_pass(owner)
        remains = verifier.remains(owner)
        self.broken.extend(residue(remains))
        self.broken.extend(doubled(remains, may_start_over=self.kind.moment in STARTS_OVER))
        if video_id is not None:
            stored = verifier.sha256(f"{names.VIDEO_PREFIX}{owner}/{video_id}")
            self.broken.extend(lost(video_id, stored, sha256(self.file.read_bytes()).hexdigest()))


def _for_a_while(begin: Callable[[], None], end: Callable[[], None], seconds: float) -> None:
    begin()
    threading.Timer(seconds, end).start()


def _hold(process_id: int, seconds: float) -> None:
    """Stop a process, and let it go on after a while."""
    os.kill(process_id, signal.SIGSTOP)
    threading.Timer(seconds, os.kill, [process_id, signal.SIGCONT]).start()
