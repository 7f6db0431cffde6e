"""A platform, somebody signed in to it, and files to upload."""

from __future__ import annotations

import hashlib
import os
import random
import signal
import ssl
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

import keyring.backends.fail
import pytest
from typer.testing import CliRunner

from tests.cli.fake_platform import FakePlatform
from tests.cli.fake_platform_server import start_fake_platform
from tests.cli.recorded_engine import RecordedEngine
from tests.cli.signed_in_home import store_sign_in
from tests.cli.tls_certificate import write_certificate
from video_upload.all_commands import app
from video_upload.credentials import StoredCredentials
from video_upload.network import CA_VARIABLES

REPOSITORY = Path(__file__).parents[2]
NO_KEYRING = "keyring.backends.fail.Keyring"


@pytest.fixture(autouse=True)
def no_keyring(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep tests out of the developer's keyring."""
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", NO_KEYRING)
    monkeypatch.setattr("keyring.core._keyring_backend", keyring.backends.fail.Keyring())


@pytest.fixture(autouse=True)
def plain_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep this machine's proxies and certificate authorities out of the tests."""
    names = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY")
    for name in (*names, *(name.lower() for name in names), *CA_VARIABLES):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def platform(tmp_path: Path) -> Iterator[FakePlatform]:
    platform, stop = start_fake_platform(tmp_path / "s3")
    yield platform
    stop()


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


def sign_somebody_in(platform: FakePlatform, home: Path, *, expires_at: float = 4e9) -> StoredCredentials:
    platform.sign_in.access_tokens.add("access-1")
    platform.sign_in.refresh_tokens.add("refresh-1")
    return store_sign_in(home, platform.url, expires_at=expires_at)


@pytest.fixture
def signed_in(platform: FakePlatform, home: Path) -> StoredCredentials:
    return sign_somebody_in(platform, home)


@pytest.fixture
def recorded(platform: FakePlatform, signed_in: StoredCredentials, home: Path) -> RecordedEngine:
    return RecordedEngine(platform, signed_in, home)


@dataclass(frozen=True)
class Certificate:
    """A certificate for 127.0.0.1 with its key, in one file; and what a server needs of it."""

    file: Path
    server: ssl.SSLContext


@pytest.fixture
def certificate(tmp_path: Path) -> Certificate:
    file = tmp_path / "tls.pem"
    write_certificate(file)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)
    return Certificate(file, context)


@pytest.fixture
def tls(certificate: Certificate, monkeypatch: pytest.MonkeyPatch) -> ssl.SSLContext:
    """A server's side of TLS that this process trusts."""
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate.file))
    return certificate.server


MakeVideo = Callable[..., Path]
MP4_BEGINNING = b"\0\0\0\x18ftypisom"
"""The part of a video that the command reads."""


@pytest.fixture
def make_video(tmp_path: Path) -> MakeVideo:
    def make(size_bytes: int, name: str = "holiday.mp4", seed: int = 1) -> Path:
        path = tmp_path / name
        path.write_bytes((MP4_BEGINNING + random.Random(seed).randbytes(size_bytes))[:size_bytes])
        return path

    return make


def sha256_of(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def wait_for_parts(platform: FakePlatform, count: int) -> None:
    give_up_at = time.monotonic() + 120
    while sum(platform.storage.stores.values()) < count:
        assert time.monotonic() < give_up_at
        time.sleep(0.01)


@dataclass(frozen=True)
class Cli:
    """The command: `start` in a process of its own, `run` in this one, which spares its start."""

    home: Path
    environment: dict[str, str] = field(default_factory=dict[str, str])

    def start(
        self,
        *arguments: str | Path,
        stdin: int | IO[Any] = subprocess.DEVNULL,
        stdout: int | IO[Any] = subprocess.PIPE,
        stderr: int | IO[Any] = subprocess.PIPE,
    ) -> subprocess.Popen[str]:
        # A shell starts what it runs in the background with SIGINT ignored, and children inherit that.
        signal.signal(signal.SIGINT, signal.default_int_handler)
        return subprocess.Popen(
            [sys.executable, "-m", "video_upload", *map(str, arguments)],
            env=os.environ
            | {
                "VIDEO_UPLOAD_HOME": str(self.home),
                "PYTHONPATH": f"{REPOSITORY / 'clients' / 'cli' / 'src'}:{REPOSITORY}",
                "COLUMNS": "200",
            }
            | self.environment,
            stdin=stdin,
            stdout=stdout,
            stderr=stderr,
            text=True,
            errors="replace",
        )

    def run(self, *arguments: str | Path, typed: str = "") -> subprocess.CompletedProcess[str]:
        words = [str(argument) for argument in arguments]
        result = CliRunner().invoke(
            app,
            words,
            input=typed,
            prog_name="video-upload",
            env={"VIDEO_UPLOAD_HOME": str(self.home), "COLUMNS": "120"},
            catch_exceptions=False,
        )
        return subprocess.CompletedProcess(words, result.exit_code, result.stdout, result.stderr)


@pytest.fixture
def cli(home: Path) -> Cli:
    return Cli(home)
