"""People and programs that use the platform of a test run, and what several tests have them do."""

import json
import subprocess
import sys
import time
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar
from uuid import uuid4

import boto3
import jwt
import pytest
import requests
from botocore.config import Config

from chalicelib.environment import Environment
from chalicelib.wiring import Services
from local.platform import LocalPlatform
from local.stand_in import names
from video_upload.credentials import SignIn, StoredCredentials

PATIENCE_SECONDS = 2
"""Instead of 25: how long the API waits for S3 before it answers 202."""
MAX_STORED_BYTES = 41 * 2**40
"""Room for one of the largest videos."""

RETENTION_DAYS, WARNING_DAYS = 365, 14

TIMEOUT_SECONDS = 60
ONE_SECOND = 1.1
"""S3 tells the time of a version to the second."""


@dataclass
class Person:
    """Somebody signed in, with plain HTTP. correlation_id: sent with every call, where there is one."""

    platform: LocalPlatform
    email: str
    access_token: str
    api_url: str = ""
    correlation_id: str = ""

    def __post_init__(self) -> None:
        self.api_url = self.api_url or f"{self.platform.site_url}/api"

    @property
    def owner(self) -> str:
        claims: dict[str, str] = jwt.decode(self.access_token, options={"verify_signature": False})
        return claims["sub"]

    def call(self, method: str, path: str, body: Any = None, token: str | None = None) -> requests.Response:
        """token: instead of the person's own."""
        correlated = {"X-Correlation-Id": self.correlation_id} if self.correlation_id else {}
        return requests.request(
            method,
            f"{self.api_url}{path}",
            json=body,
            headers={"Authorization": f"Bearer {token or self.access_token}", **correlated},
            timeout=TIMEOUT_SECONDS,
        )

    def start(self, size_bytes: int, file_name: str = "film.mp4", content_type: str = "video/mp4") -> dict[str, Any]:
        answer = self.call(
            "POST",
            "/multipart/init",
            {"fileName": file_name, "contentType": content_type, "sizeBytes": size_bytes},
        )
        assert answer.status_code == 201, answer.text
        return answer.json()

    def send_parts(self, started: dict[str, Any], content: bytes) -> list[dict[str, Any]]:
        return [
            {"partNumber": part["partNumber"], "etag": put_part(part, content, started["partSizeBytes"])}
            for part in started["presignedUrls"]
        ]

    def complete(self, started: dict[str, Any], parts: list[dict[str, Any]], **more: Any) -> requests.Response:
        return self.call("POST", "/multipart/complete", {"parts": parts, **more}, started["uploadToken"])

    def upload(self, content: bytes, **named: str) -> dict[str, Any]:
        started = self.start(len(content), **named)
        answer = self.complete(started, self.send_parts(started, content))
        assert answer.status_code == 200, answer.text
        return started

    def video(self, video_id: str) -> dict[str, Any]:
        answer = self.call("GET", f"/videos/{video_id}")
        assert answer.status_code == 200, answer.text
        return answer.json()

    def wait_for(self, video_id: str, *states: str) -> dict[str, Any]:
        return wait_until(lambda: found if (found := self.video(video_id))["state"] in states else None)


def put_part(part: dict[str, Any], content: bytes, part_size_bytes: int) -> str:
    start = (part["partNumber"] - 1) * part_size_bytes
    answer = requests.put(
        part["url"], data=content[start : start + part["sizeBytes"]], headers=part["headers"], timeout=TIMEOUT_SECONDS
    )
    assert answer.status_code == 200, answer.text
    return answer.headers["ETag"]


Found = TypeVar("Found")


def wait_until(found: Callable[[], Found | None], timeout_seconds: float = TIMEOUT_SECONDS) -> Found:
    deadline = time.monotonic() + timeout_seconds
    while time.monotonic() < deadline:
        if (result := found()) is not None:
            return result
        time.sleep(0.1)
    raise TimeoutError(f"nothing after {timeout_seconds} s")


@dataclass
class StandIn:
    """The stand-in's own controls, and AWS as its operator sees it."""

    url: str

    def client(self, service: str) -> Any:
        make: Any = boto3.client
        return make(
            service,
            endpoint_url=self.url,
            region_name=names.REGION,
            aws_access_key_id=names.ACCESS_KEY,
            aws_secret_access_key=names.SECRET_KEY,
            config=Config(s3={"addressing_style": "path"}),
        )

    def fail(self, operation: str, **fault: Any) -> None:
        answer = requests.post(
            f"{self.url}/_stand-in/faults", json={"operation": operation, **fault}, timeout=TIMEOUT_SECONDS
        )
        assert answer.ok, answer.text

    def heal(self) -> None:
        requests.delete(f"{self.url}/_stand-in/faults", timeout=TIMEOUT_SECONDS).raise_for_status()

    def shift_clock(self, seconds: float) -> None:
        answer = requests.post(f"{self.url}/_stand-in/clock", json={"offsetSeconds": seconds}, timeout=TIMEOUT_SECONDS)
        assert answer.ok, answer.text

    def requests_of(self, operation: str, key: str) -> list[dict[str, Any]]:
        log = requests.get(f"{self.url}/_stand-in/requests", timeout=TIMEOUT_SECONDS).json()["requests"]
        return [entry for entry in log if entry["operation"] == operation and entry["key"] == key]

    def stored(self, file_key: str) -> bytes:
        return self.client("s3").get_object(Bucket=names.VIDEO_BUCKET, Key=file_key)["Body"].read()

    def received_notifications(self) -> list[dict[str, Any]]:
        sqs = self.client("sqs")
        queue_url = names.queue_url(self.url, names.COMPLETIONS_QUEUE)
        received: list[dict[str, Any]] = []
        while messages := sqs.receive_message(QueueUrl=queue_url, MaxNumberOfMessages=10).get("Messages"):
            received += [json.loads(json.loads(message["Body"])["Message"]) for message in messages]
        return received


def make_person(platform: LocalPlatform, *, client_id: str = "desktop", email: str = "") -> Person:
    email = email or f"{uuid4().hex}@example.com"
    tokens = platform.sign_in.issue_tokens(email, client_id=client_id)
    return Person(platform, email, tokens.access_token)


CLIENT_SOURCES = Path(__file__).parents[2] / "clients" / "cli" / "src"
NO_KEYRING = {"PYTHON_KEYRING_BACKEND": "keyring.backends.fail.Keyring"}
"""Settings that keep tests out of the developer's keyring."""


@dataclass
class Desktop:
    """The real command of a person who has signed in."""

    home: Path
    more_environment: Mapping[str, str] = field(default_factory=dict[str, str])

    @property
    def environment(self) -> dict[str, str]:
        return {
            "VIDEO_UPLOAD_HOME": str(self.home),
            "PYTHONPATH": str(CLIENT_SOURCES),
            "PATH": "/usr/bin:/bin",
            "COLUMNS": "200",
            **NO_KEYRING,
            **self.more_environment,
        }

    def start(self, *arguments: str) -> "subprocess.Popen[str]":
        return subprocess.Popen(
            [sys.executable, "-m", "video_upload", *arguments],
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(self, *arguments: str, exit_code: int = 0) -> Any:
        """Run the command with `--json` and return its parsed output."""
        process = self.start(*arguments, "--json")
        output, errors = process.communicate(timeout=120)
        assert process.returncode == exit_code, f"{output}\n{errors}"
        return json.loads(output)

    def upload(self, file: Path) -> dict[str, Any]:
        """The video as the command shows it in the end."""
        return self.run("upload", str(file))["video"]


def make_desktop(platform: LocalPlatform, person: Person, home: Path) -> Desktop:
    StoredCredentials(home).store(
        SignIn(
            site_url=platform.site_url,
            api_url=f"{platform.site_url}/api",
            client_id="desktop",
            token_endpoint=f"{platform.sign_in.authority_url}/oauth2/token",
            revocation_endpoint=f"{platform.sign_in.authority_url}/oauth2/revoke",
            access_token=person.access_token,
            refresh_token=None,
            expires_at=time.time() + 3000,
        )
    )
    return Desktop(home)


Command = Callable[[Sequence[str] | None], int]


class Operator:
    """Somebody with the stack's outputs and credentials, at a terminal."""

    def __init__(self, outputs: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self._outputs = outputs
        self._capsys = capsys
        self.is_at_work = False

    def run(self, command: Command, *arguments: str, status: int = 0) -> str:
        """Run the command and return its output, errors included."""
        self._capsys.readouterr()
        self.is_at_work = True
        try:
            ended = command(["--outputs", str(self._outputs), *arguments])
        finally:
            self.is_at_work = False
        captured = self._capsys.readouterr()
        assert ended == status, captured
        return captured.out + captured.err


@contextmanager
def users_at_the_sign_in(platform: LocalPlatform) -> Generator[None]:
    """Send the operator's calls on users to the local sign-in: the stand-in knows no authenticator apps."""
    with pytest.MonkeyPatch.context() as changed:
        changed.setenv("AWS_ENDPOINT_URL_COGNITO_IDENTITY_PROVIDER", platform.sign_in.authority_url)
        yield


def ready_video(person: Person, content: bytes, **named: str) -> dict[str, Any]:
    started = person.upload(content, **named)
    assert person.wait_for(started["videoId"], "ready", "rejected")["state"] == "ready"
    return started


def is_unmarked(stand_in: StandIn, owner: str) -> bool | None:
    listed = stand_in.client("s3").list_objects_v2(Bucket=names.METADATA_BUCKET, Prefix=f"open/{owner}/")
    return None if listed.get("Contents") else True


def expire(stand_in: StandIn, person: Person, started: dict[str, Any]) -> None:
    """An upload that nobody came back to: its time is over, the next sweep of the janitor sees it."""
    s3 = stand_in.client("s3")
    record_at = {"Bucket": names.METADATA_BUCKET, "Key": f"records/{person.owner}/{started['videoId']}.json"}
    record = json.loads(s3.get_object(**record_at)["Body"].read())
    assert datetime.fromisoformat(record["expiresAt"]) > datetime.now(UTC)
    record["expiresAt"] = (datetime.now(UTC) - timedelta(minutes=1)).isoformat()
    s3.put_object(**record_at, Body=json.dumps(record).encode())


def walk_in(platform: LocalPlatform, days: Sequence[int]) -> None:
    """Let the janitor walk over the stored videos as many days from now, one after the other."""
    variables = platform.api_environment()
    with pytest.MonkeyPatch.context() as changed:
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
            changed.setenv(name, variables[name])
        began = then = datetime.now(UTC)
        services = Services(Environment.read(variables), now=lambda: then)
        for day in days:
            then = began + timedelta(days=day)
            services.retention.walk()


def lose_its_event(person: Person, stand_in: StandIn, content: bytes) -> dict[str, Any]:
    """A completed upload that processing never hears of: its event is taken off the bucket's notification."""
    s3 = stand_in.client("s3")
    notifications = s3.get_bucket_notification_configuration(Bucket=names.VIDEO_BUCKET)
    notifications.pop("ResponseMetadata")
    s3.put_bucket_notification_configuration(Bucket=names.VIDEO_BUCKET, NotificationConfiguration={})
    try:
        started = person.upload(content)
    finally:
        s3.put_bucket_notification_configuration(Bucket=names.VIDEO_BUCKET, NotificationConfiguration=notifications)
    assert person.video(started["videoId"])["state"] == "processing"
    return started


def a_link(member: Person) -> str:
    """The token of an upload link."""
    asked = {"title": "Match day", "validSeconds": 3600, "maxVideos": 9, "maxBytes": 10**9}
    return member.call("POST", "/links", asked).json()["linkToken"]


def send_by(link: str, member: Person) -> requests.Response:
    film = {"fileName": "film.mp4", "contentType": "video/mp4", "sizeBytes": 6 * 2**20, "uploaderName": "Ada"}
    return member.call("POST", "/link/multipart/init", film, link)
