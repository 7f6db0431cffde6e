"""The stand-in as a server on loopback: opened, served from a thread, closed."""

import functools
import logging
import shutil
import tempfile
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, ClassVar, Self, cast
from wsgiref.types import WSGIApplication

from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app

from local.stand_in import moto_state
from local.stand_in.bodies import Bodies
from local.stand_in.database import Database
from local.stand_in.errors import AlreadyRunningError
from local.stand_in.events import Outbox, make_receiving_quick
from local.stand_in.faults import Clock, Faults, RequestLog
from local.stand_in.gateway import Gateway
from local.stand_in.http_server import HOST, HttpServer
from local.stand_in.names import DEFAULT_SITE_ORIGINS
from local.stand_in.object_gateway import ObjectGateway
from local.stand_in.object_store import ObjectStore
from local.stand_in.provision import allow_origins, provision
from local.stand_in.snapshots import Snapshots
from local.stand_in.uploads import Uploads
from local.stand_in.versions import Versions

POLL_SECONDS = 0.05  # delay until a server notices that it was stopped


class _Moto(DomainDispatcherApplication):
    """moto, with a cache of services: it searches its folder at each request."""

    def __init__(self, create_app: Callable[..., Any]) -> None:
        super().__init__(create_app)
        self._backend = functools.lru_cache(maxsize=64)(super().get_backend_for_host)

    def get_backend_for_host(self, host: str | None) -> Any:
        return self._backend(host)


class StandIn:
    """AWS for the platform, on loopback, until it is closed.

    data_dir: folder of all data, including earlier ones; None for a temporary folder. Raises AlreadyRunningError for a
    second stand-in in this process, DataFolderInUseError if the folder is locked.
    """

    _is_open: ClassVar[bool] = False
    _open_lock: ClassVar[threading.Lock] = threading.Lock()

    def __init__(
        self, port: int = 0, data_dir: Path | None = None, site_origins: Sequence[str] = DEFAULT_SITE_ORIGINS
    ) -> None:
        with StandIn._open_lock:
            if StandIn._is_open:
                raise AlreadyRunningError
            StandIn._is_open = True
        self._temporary = None if data_dir else Path(tempfile.mkdtemp(prefix="stand-in-"))
        try:
            self._open(port, data_dir or cast("Path", self._temporary), site_origins)
        except BaseException:
            StandIn._is_open = False
            if self._temporary:
                shutil.rmtree(self._temporary, ignore_errors=True)
            raise

    def __enter__(self) -> Self:
        """Return the stand-in, which is already serving."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the stand-in."""
        self.close()

    def _open(self, port: int, folder: Path, site_origins: Sequence[str]) -> None:
        is_durable = self._temporary is None
        self._database = Database(folder, durable=is_durable)
        moto_state.reset()
        self._bodies = Bodies(folder / "bodies")
        with self._database.reading() as connection:
            rows = connection.execute("SELECT file_name FROM segments UNION ALL SELECT file_name FROM parts").fetchall()
        self._bodies.remove_all_but({row["file_name"] for row in rows})
        self._outbox = Outbox(self._database, lambda: self._snapshots.note(["sqs", "sns"]))
        self._snapshots = Snapshots(self._database, self._outbox, enabled=is_durable)
        self._faults, self._request_log, self._clock = Faults(), RequestLog(), Clock()
        is_restored = self._snapshots.load()
        self._server = HttpServer(self._gateway(), port, name="AmazonS3")
        self.url = f"http://{HOST}:{self._server.port}"
        self._is_closing = False
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(POLL_SECONDS,), name="stand-in", daemon=True
        )
        self._thread.start()
        try:
            self._fill(site_origins, is_restored=is_restored)
        except BaseException:
            self._stop_serving()
            self._database.close()
            raise

    def _fill(self, site_origins: Sequence[str], *, is_restored: bool) -> None:
        make_receiving_quick()
        if is_restored:
            allow_origins(self.url, site_origins)
        else:
            provision(self.url, site_origins)
        self._snapshots.write(moto_state.SERVICES)
        self._fresh = {service: moto_state.capture(service) for service in moto_state.SERVICES}
        self._snapshots.start()
        self._outbox.deliver()
        self._request_log.clear()

    def _gateway(self) -> Gateway:
        # moto logs every request through flask, which the request log makes redundant.
        logging.getLogger("werkzeug").setLevel(logging.ERROR)
        moto = cast("WSGIApplication", _Moto(create_backend_app))
        store = ObjectStore(
            bodies=self._bodies,
            versions=Versions(self._database, self._bodies),
            uploads=Uploads(self._database, self._bodies),
            outbox=self._outbox,
            clock=self._clock,
        )
        objects = ObjectGateway(
            store=store,
            moto=moto,
            snapshots=self._snapshots,
            faults=self._faults,
            request_log=self._request_log,
        )
        return Gateway(
            objects=objects,
            moto=moto,
            snapshots=self._snapshots,
            faults=self._faults,
            request_log=self._request_log,
            clock=self._clock,
            reset=self.reset,
        )

    def reset(self) -> None:
        """Restore the initial state: no objects, messages or faults, the true time, an empty log."""
        self._database.clear()
        self._bodies.remove_all_but(())
        moto_state.restore(self._fresh)
        self._snapshots.write(moto_state.SERVICES)
        self._faults.clear()
        self._request_log.clear()
        self._clock.offset_seconds = 0.0

    def close(self) -> None:
        """Stop serving, write pending changes, release port and folder. Safe to repeat."""
        if self._is_closing:
            return
        self._stop_serving()
        self._snapshots.close()
        self._database.close()
        moto_state.reset()
        if self._temporary:
            shutil.rmtree(self._temporary, ignore_errors=True)
        StandIn._is_open = False

    def _stop_serving(self) -> None:
        self._is_closing = True
        self._server.stop()
        self._thread.join()
