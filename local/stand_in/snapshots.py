"""Snapshots of moto's state in the journal: immediately after a change of S3, soon after a change of another
service."""

import logging
import threading
import time
from collections.abc import Iterable

from local.stand_in import moto_state
from local.stand_in.database import Database
from local.stand_in.events import Outbox

SOON_SECONDS = 0.2
_PAUSE_PER_WRITE = 10  # a snapshot is followed by a pause ten times as long

_log = logging.getLogger(__name__)


class Snapshots:
    """A writer of changed services' states. Does nothing if `enabled` is false."""

    def __init__(self, database: Database, outbox: Outbox, *, enabled: bool) -> None:
        self._database = database
        self._outbox = outbox
        self._enabled = enabled
        self._changed: set[str] = set()
        self._changed_lock = threading.Lock()
        self._write_lock = threading.Lock()
        self._wake = threading.Event()
        self._is_closing = False
        self._thread = threading.Thread(target=self._run, name="snapshots", daemon=True)

    def start(self) -> None:
        """Start writing in the background."""
        self._thread.start()

    def load(self) -> bool:
        """Load the journal's states into moto. False if there are none."""
        with self._database.reading() as connection:
            rows = connection.execute("SELECT service, state FROM service_states").fetchall()
        if not rows:
            return False
        moto_state.restore({row["service"]: row["state"] for row in rows})
        return True

    def note(self, services: Iterable[str]) -> None:
        """Note changed services, whose states are written soon."""
        with self._changed_lock:
            self._changed.update(service for service in services if service in moto_state.SERVICES)
        self._wake.set()

    def write(self, services: Iterable[str] = ()) -> None:
        """Write the states of these services and of all noted ones before returning."""
        if not self._enabled:
            return
        with self._write_lock, self._outbox.lock:
            with self._changed_lock:
                chosen = self._changed.union(services)
                self._changed.clear()
            states = [(service, moto_state.capture(service)) for service in sorted(chosen)]
            with self._database.transaction() as connection:
                connection.executemany("INSERT OR REPLACE INTO service_states VALUES (?, ?)", states)
                if "sqs" in chosen:
                    self._outbox.forget_delivered(connection)

    def close(self) -> None:
        """Stop, and write pending changes."""
        self._is_closing = True
        self._wake.set()
        if self._thread.ident is not None:
            self._thread.join()
        self.write()

    def _run(self) -> None:
        while not self._is_closing:
            self._wake.wait()
            self._wake.clear()
            began = time.monotonic()
            try:
                self.write()
            except Exception:
                _log.exception("the state of the services could not be written")
            self._pause(max(SOON_SECONDS, _PAUSE_PER_WRITE * (time.monotonic() - began)))

    def _pause(self, seconds: float) -> None:
        until = time.monotonic() + seconds
        while not self._is_closing and time.monotonic() < until:
            time.sleep(0.02)
