"""One running platform behind a fault proxy, and people on lines of their own."""

import shutil
import time
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import jwt
import requests

from chalicelib.environment import stand_in_environment
from local.platform import LocalPlatform, Ports
from local.sign_in.clients import API_SCOPES, Client
from local.stand_in.provision import allow_origins
from tests.faults.fault_modes import Line
from tests.faults.proxy import Head, Listener, Proxy
from tests.faults.verifier import Verifier
from tests.media.sample_videos import MIB, write_sample_video
from video_upload.credentials import SignIn, StoredCredentials

SIZES_BYTES = (200_000, 5 * MIB + 100_000, 10 * MIB + 100_000)
"""One, two and three parts of the smallest size."""

PROGRAMS = tuple(f"program-{number}" for number in range(2_000))
"""Machine clients that the API accepts: one for each run, since a client is an owner."""

_API_CALLS = {
    ("POST", "/api/multipart/init"): "init",
    ("POST", "/api/link/multipart/init"): "init",
    ("POST", "/api/multipart/parts"): "sign",
    ("GET", "/api/multipart/parts"): "list",
    ("POST", "/api/multipart/complete"): "complete",
    ("GET", "/api/videos"): "library",
    ("GET", "/api/uploads"): "unfinished",
}


@dataclass
class Person:
    """Somebody signed in on this computer, or a program. owner: as the platform calls it. secret: of a program."""

    email: str
    owner: str
    access_token: str
    refresh_token: str
    id_token: str
    secret: str = ""


@dataclass
class Lane:
    """Doors of the site and the sign-in for one run at a time."""

    folder: Path
    site: Listener = field(init=False)
    sign_in: Listener = field(init=False)
    line: Line = field(default_factory=Line)

    def route_site(self, head: Head) -> tuple[Line, str] | None:
        path = urlsplit(head.target).path
        call = _API_CALLS.get((head.method, path))
        if call is None and path.startswith("/api/videos/"):
            call = {"GET": "status", "DELETE": "delete"}.get(head.method)
        return (self.line, call) if call else None

    def route_sign_in(self, head: Head) -> tuple[Line, str] | None:
        return (self.line, "token") if head.method == "POST" and head.target == "/oauth2/token" else None


class Scene:
    """The platform, its listeners and the people on them."""

    def __init__(self, platform: LocalPlatform, proxy: Proxy, store: Listener, lanes: list[Lane], folder: Path) -> None:
        self.platform = platform
        self.proxy = proxy
        self.store = store
        self.lanes = lanes
        self.verifier = Verifier(platform)
        self.folder = folder
        self.lines: dict[str, Line] = {}
        self._program_ids = iter(PROGRAMS)
        self._videos = [
            write_sample_video(folder / f"{size}.mp4", duration_seconds=0.5, width=64, height=48, pad_to_bytes=size)
            for size in SIZES_BYTES
        ]

    def route_store(self, head: Head) -> tuple[Line, str] | None:
        if head.method != "PUT":
            return None
        owner = urlsplit(head.target).path.split("/")[3]
        line = self.lines.get(owner)
        return (line, "put") if line else None

    def allow_pages(self) -> None:
        """Let pages of all lanes send parts to S3."""
        allow_origins(self.platform.stand_in_url, [self.platform.site_url, *(lane.site.url for lane in self.lanes)])

    def restart(self, name: str) -> None:
        self.platform.restart(name)
        if name == "stand-in":
            self.allow_pages()

    def somebody(self, lane: Lane, *, client_id: str = "desktop") -> Person:
        """A new person, on this lane's line."""
        person = self.sign_in(f"{uuid4().hex}@example.com", client_id)
        lane.line = self.lines[person.owner] = Line()
        return person

    def program(self, lane: Lane) -> Person:
        """A new program, on this lane's line."""
        clients = self.platform.sign_in.authority.clients
        client = replace(clients.get("machine"), client_id=next(self._program_ids), secret=uuid4().hex)
        clients.add(client)
        lane.line = self.lines[client.client_id] = Line()
        return self._program(client)

    def _program(self, client: Client) -> Person:
        tokens = self.platform.sign_in.authority.tokens.for_machine(client, API_SCOPES)
        return Person("", client.client_id, tokens.access_token, "", "", client.secret or "")

    def sign_in_again(self, person: Person) -> Person:
        if person.secret:
            return self._program(self.platform.sign_in.authority.clients.get(person.owner))
        return self.sign_in(person.email, "desktop")

    def sign_in(self, email: str, client_id: str) -> Person:
        tokens = self.platform.sign_in.issue_tokens(email, client_id=client_id)
        claims: dict[str, str] = jwt.decode(tokens.access_token, options={"verify_signature": False})
        return Person(email, claims["sub"], tokens.access_token, tokens.refresh_token or "", tokens.id_token or "")

    def store_sign_in(self, person: Person, lane: Lane, home: Path, *, has_expired: bool = False) -> None:
        """Write what `login` leaves in the command's home."""
        StoredCredentials(home).store(
            SignIn(
                site_url=lane.site.url,
                api_url=f"{lane.site.url}/api",
                client_id=person.owner if person.secret else "desktop",
                token_endpoint=f"{lane.sign_in.url}/oauth2/token",
                revocation_endpoint=None,
                access_token=person.access_token,
                refresh_token=person.refresh_token or None,
                expires_at=0 if has_expired else time.time() + 3000,
                scope=" ".join(API_SCOPES),
                is_machine=bool(person.secret),
                client_secret=person.secret or None,
            )
        )

    def write_video(self, path: Path, parts: int, chance: Random) -> None:
        """A video of that many parts whose bytes no other has."""
        shutil.copyfile(self._videos[parts - 1], path)
        content = path.read_bytes()
        padding = content.rindex(b"\0\0\0\1free") + 16
        with path.open("r+b") as file:
            for start in range(padding, len(content) - 2**16, 2**20):
                file.seek(start)
                file.write(chance.randbytes(16))

    def fail(self, operation: str, owner: str, **fault: object) -> None:
        """Have S3 itself fail the platform's own requests about this owner."""
        answer = requests.post(
            f"{self.platform.stand_in_url}/_stand-in/faults",
            json={"operation": operation, "keyContains": owner, **fault},
            timeout=30,
        )
        answer.raise_for_status()

    def shift_clock(self, seconds: float) -> None:
        """Shift the clock of S3 alone."""
        url = f"{self.platform.stand_in_url}/_stand-in/clock"
        requests.post(url, json={"offsetSeconds": seconds}, timeout=30).raise_for_status()

    def listed_videos(self, person: Person) -> dict[str, str]:
        """State by video id, as the API lists them."""
        return {video["videoId"]: video["state"] for video in self.ask(person, "/videos")["videos"]}

    def ask(self, person: Person, path: str, **query: str) -> dict[str, Any]:
        """The API's answer to this person."""
        answer = requests.get(
            f"{self.platform.site_url}/api{path}",
            params=query,
            headers={"Authorization": f"Bearer {person.access_token}"},
            timeout=60,
        )
        answer.raise_for_status()
        return answer.json()


@contextmanager
def running_scene(lanes: int) -> Generator[Scene]:
    """A platform of its own on free ports, gone afterwards."""
    ports = Ports.free()
    with TemporaryDirectory(prefix="faults-") as name, Proxy() as proxy:
        folder = Path(name)
        scenes: list[Scene] = []
        store = proxy.open(ports.stand_in, lambda head: scenes[0].route_store(head) if scenes else None)
        clients = (stand_in_environment()["USER_POOL_CLIENT_IDS"], *PROGRAMS)
        variables = {
            "AWS_ENDPOINT_URL": store.url,
            "COMPLETION_PATIENCE_SECONDS": "2",
            "USER_POOL_CLIENT_IDS": ",".join(clients),
        }
        with LocalPlatform(data_dir=folder / "platform", ports=ports, api_variables=variables) as platform:
            opened: list[Lane] = []
            for number in range(lanes):
                lane = Lane(folder / f"lane-{number}")
                lane.folder.mkdir()
                lane.site = proxy.open(ports.site, lane.route_site)
                lane.sign_in = proxy.open(ports.sign_in, lane.route_sign_in)
                opened.append(lane)
            scenes.append(Scene(platform, proxy, store, opened, folder))
            platform.sign_in.allow_redirects("web", [f"{lane.site.url}/" for lane in opened])
            scenes[0].allow_pages()
            yield scenes[0]
