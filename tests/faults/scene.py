"""One running platform behind a fault proxy, and people on lines of their own."""

import shutil
import time
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from urllib.parse import urlsplit
from uuid import uuid4

import jwt
import requests

from local.platform import LocalPlatform, Ports
from local.stand_in.provision import allow_origins
from tests.faults.proxy import Door, Head, Proxy
from tests.faults.verifier import Verifier
from tests.faults.ways import Line
from tests.media.sample_videos import MIB, write_sample_video
from video_upload.credentials import SignIn, StoredCredentials

SIZES_BYTES = (200_000, 5 * MIB + 100_000, 10 * MIB + 100_000)
"""One, two and three parts of the smallest size."""

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
    """Somebody signed in on this computer. owner: as the platform calls the person."""

    email: str
    owner: str
    access_token: str
    refresh_token: str
    id_token: str


@dataclass
class Lane:
    """Doors of the site and the sign-in for one run at a time."""

    folder: Path
    site: Door = field(init=False)
    sign_in: Door = field(init=False)
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
    """The platform, its doors and the people on them."""

    def __init__(self, platform: LocalPlatform, proxy: Proxy, store: Door, lanes: list[Lane], folder: Path) -> None:
        self.platform = platform
        self.proxy = proxy
        self.store = store
        self.lanes = lanes
        self.verifier = Verifier(platform)
        self.folder = folder
        self.lines: dict[str, Line] = {}
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
                client_id="desktop",
                token_endpoint=f"{lane.sign_in.url}/oauth2/token",
                revocation_endpoint=None,
                access_token=person.access_token,
                refresh_token=person.refresh_token,
                expires_at=0 if has_expired else time.time() + 3000,
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
        answer = requests.get(
            f"{self.platform.site_url}/api/videos",
            headers={"Authorization": f"Bearer {person.access_token}"},
            timeout=60,
        )
        answer.raise_for_status()
        return {video["videoId"]: video["state"] for video in answer.json()["videos"]}


@contextmanager
def running_scene(lanes: int) -> Generator[Scene]:
    """A platform of its own on free ports, gone afterwards."""
    ports = Ports.free()
    with TemporaryDirectory(prefix="faults-") as name, Proxy() as proxy:
        folder = Path(name)
        scenes: list[Scene] = []
        store = proxy.open(ports.stand_in, lambda head: scenes[0].route_store(head) if scenes else None)
        variables = {"AWS_ENDPOINT_URL": store.url, "COMPLETION_PATIENCE_SECONDS": "2"}
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
