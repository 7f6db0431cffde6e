"""The whole platform on this machine: the stand-in for AWS, the sign-in, the API with its page, the event worker, and
metrics."""

import fcntl
import secrets
import shutil
import socket
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass, fields
from pathlib import Path
from tempfile import TemporaryDirectory
from types import TracebackType
from typing import Self, TextIO

from local.api_environment import api_environment
from local.child_process import ChildProcess
from local.sign_in.clients import DEFAULT_REDIRECT_URIS, IDENTITY_SCOPES, Client, site_redirect_uris
from local.sign_in.companies import CALLBACK, Company
from local.sign_in.second_factors import Mfa
from local.sign_in.server import SignIn
from local.sign_in.users import ADMINISTRATORS
from local.status.metric_store import MetricStore
from local.status.status_page import ADDRESS as STATUS_ADDRESS

STOP_SECONDS = 1.5
METRICS_FILE = "metrics.sqlite3"
LOCK_FILE = "lock"


@dataclass(frozen=True)
class Ports:
    """Ports on 127.0.0.1."""

    site: int = 8000
    stand_in: int = 8001
    sign_in: int = 8002
    company: int = 8003

    @classmethod
    def free(cls) -> Self:
        """Ports that are free at the moment."""
        with ExitStack() as sockets:
            bound = [sockets.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in fields(cls)]
            return cls(*(one.getsockname()[1] for one in bound))

    def require_free(self, *, company: bool) -> None:
        """company: whether its port is used. Raises PortTakenError."""
        ports = (self.site, self.stand_in, self.sign_in, *([self.company] if company else []))
        for index, port in enumerate(ports):
            if port in ports[:index]:
                raise PortTakenError(port)
            try:
                # Bound as the servers do: lingering connections of the last run do not matter.
                socket.create_server(("127.0.0.1", port)).close()
            except OSError as error:
                raise PortTakenError(port) from error


class PortTakenError(Exception):
    """The port is in use."""

    def __init__(self, port: int) -> None:
        self.port = port
        super().__init__(f"port {port} is taken")


class DataDirBusyError(Exception):
    """Another platform is using the folder."""

    def __init__(self, data_dir: Path) -> None:
        self.data_dir = data_dir
        super().__init__(f"another platform is running on {data_dir}")


class DataDirError(Exception):
    """The folder cannot serve as the platform's data folder."""

    def __init__(self, data_dir: Path, problem: str) -> None:
        self.data_dir = data_dir
        self.problem = problem
        super().__init__(f"{data_dir} {problem}")


class LocalPlatform:
    """A context manager that stops everything at its end.

    data_dir: the only folder that is written to; None stores nothing. aws_only: without API and page, for
    `chalice local`. page_origins: of other pages whose scripts may call API and storage. api_variables: overrides of
    the API's environment. mfa, local_users: the stage's settings of these names. company_domain: mail domain of a
    company that runs a sign-in of its own; its name is the domain's first word. on_line: (process, line) of what they
    print.

    Raises PortTakenError, DataDirBusyError, DataDirError, ChildFailedError.
    """

    def __init__(
        self,
        *,
        data_dir: Path | None,
        ports: Ports = Ports(),
        aws_only: bool = False,
        page_origins: Sequence[str] = (),
        api_variables: Mapping[str, str] | None = None,
        mfa: Mfa = Mfa.OPTIONAL,
        company_domain: str = "",
        local_users: bool = True,
        on_line: Callable[[str, str], None] = lambda process, line: None,
    ) -> None:
        # Children have another working directory.
        self.data_dir = data_dir.resolve() if data_dir else None
        self._ports = ports
        self._aws_only = aws_only
        self._page_origins = list(page_origins)
        # As `allowed_origin` of components/site_config.py: a response has room for one.
        any_origin = {"CORS_ORIGIN": "*"} if page_origins else {}
        self._api_variables = {**any_origin, **(api_variables or {})}
        self._mfa = mfa
        self._company_domain = company_domain
        self._local_users = local_users
        self._on_line = on_line
        self._children: list[ChildProcess] = []
        self._open = ExitStack()
        self.site_url = f"http://127.0.0.1:{ports.site}"
        self.status_url = f"{self.site_url}{STATUS_ADDRESS}"
        self.stand_in_url = ""
        self.sign_in: SignIn
        self.company: SignIn | None = None
        """The company's own sign-in; None without a company."""
        self._metrics: MetricStore

    def __enter__(self) -> Self:
        try:
            self._start()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Stop worker and API first, their dependencies last."""
        for child in reversed(self._children):
            child.ask_to_stop()
        for child in reversed(self._children):
            child.wait_stopped(STOP_SECONDS)
        self._children.clear()
        self._open.close()

    def child(self, name: str) -> ChildProcess:
        return next(child for child in self._children if child.name == name)

    def restart(self, name: str) -> None:
        """Kill a child with SIGKILL, and restart it at its address."""
        before = self.child(name)
        before.kill()
        before.wait_stopped(STOP_SECONDS)
        after = before.again()
        self._children[self._children.index(before)] = after
        after.wait_ready()

    def api_environment(self) -> dict[str, str]:
        return api_environment(
            stand_in_url=self.stand_in_url,
            sign_in_url=self.sign_in.authority_url,
            site_url=self.site_url,
            overrides=self._api_variables,
        )

    def _start(self) -> None:
        self._ports.require_free(company=bool(self._company_domain))
        if self.data_dir:
            self._open.enter_context(_locked(self.data_dir))
        self._metrics = self._open.enter_context(closing(MetricStore(metrics_file := self._metrics_file())))
        where = ["--data", str(self.data_dir / "stand-in")] if self.data_dir else ["--in-memory"]
        origins = [self.site_url, self.site_url.replace("127.0.0.1", "localhost")]
        stand_in = self._spawn(
            "stand-in",
            "local.stand_in",
            [
                *("--port", str(self._ports.stand_in), "--stop-with-parent", *where),
                *(argument for origin in [*origins, *self._page_origins] for argument in ("--site-origin", origin)),
            ],
        )
        companies = [self._start_company(origins)] if self._company_domain else []
        self.sign_in = self._open.enter_context(
            SignIn(
                port=self._ports.sign_in,
                data_dir=self.data_dir / "sign-in" if self.data_dir else None,
                redirect_uris={**DEFAULT_REDIRECT_URIS, **site_redirect_uris(*origins)},
                mfa=self._mfa,
                companies=companies,
                local_users=self._local_users,
            )
        )
        self.stand_in_url = stand_in.wait_ready()
        environment = self.api_environment()
        worker = self._spawn("worker", "local.event_worker", [], environment)
        if not self._aws_only:
            arguments = ["--port", str(self._ports.site), "--metrics", str(metrics_file), "--mfa", self._mfa]
            for company in companies:
                arguments += [argument for domain in company.domains for argument in ("--company-domain", domain)]
            arguments += [] if self._local_users else ["--no-local-users"]
            self._spawn("site", "local.site", arguments, environment).wait_ready()
        worker.wait_ready()

    def _start_company(self, site_origins: Sequence[str]) -> Company:
        """Start the company's sign-in, of which the platform's sign-in is a client."""
        sign_in_url = f"http://127.0.0.1:{self._ports.sign_in}"
        name = self._company_domain.partition(".")[0]
        client = Client(
            client_id="video-upload",
            scopes=IDENTITY_SCOPES,
            grants=frozenset({"authorization_code"}),
            redirect_uris=(sign_in_url + CALLBACK,),
            secret=secrets.token_urlsafe(32),
        )
        self.company = self._open.enter_context(
            SignIn(
                port=self._ports.company,
                data_dir=self.data_dir / "company" if self.data_dir else None,
                redirect_uris={},
                sign_up=False,
                demo_email=f"ada@{self._company_domain}",
                organization=name,
                session_cookie="company_sign_in",
                further_origins=site_origins,
            )
        )
        self.company.authority.clients.add(client)
        return Company(
            name=name,
            issuer=self.company.authority_url,
            client_id=client.client_id,
            client_secret=client.secret or "",
            domains=(self._company_domain,),
            groups_claim="cognito:groups",
            administrators=ADMINISTRATORS,
        )

    def _spawn(
        self, name: str, module: str, arguments: list[str], environment: Mapping[str, str] | None = None
    ) -> ChildProcess:
        def on_line(line: str) -> None:
            self._metrics.collect(line)
            self._on_line(name, line)

        child = ChildProcess(name, module, arguments, environment, on_line)
        self._children.append(child)
        return child

    def _metrics_file(self) -> Path:
        folder = self.data_dir or Path(self._open.enter_context(TemporaryDirectory(prefix="video-upload-")))
        return folder / METRICS_FILE


def reset(data_dir: Path) -> None:
    """Delete all data. Raises DataDirBusyError, or DataDirError if the folder holds other files."""
    if data_dir.exists():
        with _locked(data_dir):
            shutil.rmtree(data_dir)


def _locked(data_dir: Path) -> TextIO:
    lock_file = data_dir / LOCK_FILE
    try:
        # The platform never writes into a folder with other files, so a folder with its lock may be reset.
        if data_dir.exists() and not lock_file.exists() and any(data_dir.iterdir()):
            raise DataDirError(data_dir, "contains other files; choose an empty or new folder")
        data_dir.mkdir(parents=True, exist_ok=True)
        lock = lock_file.open("w")
    except OSError as error:
        raise DataDirError(data_dir, f"cannot be used: {error.strerror}") from error
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        lock.close()
        raise DataDirBusyError(data_dir) from error
    return lock
