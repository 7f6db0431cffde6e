"""Progress told to CloudWatch Logs, and uploads that do not care whether it arrives."""

from __future__ import annotations

import hmac
import json
import re
import threading
import time
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import boto3
import msgspec
import pytest
from awscrt.auth import AwsCredentialsProvider
from moto.server import ThreadedMotoServer

from tests.cli.conftest import Cli, MakeVideo, sign_somebody_in
from tests.cli.fake_platform import FakePlatform
from video_upload import telemetry_stream
from video_upload.answers import TelemetryConfig
from video_upload.credentials import StoredCredentials
from video_upload.errors import TelemetryError
from video_upload.events import BytesSent, UploadBegan
from video_upload.telemetry import Telemetry, TelemetryEvent
from video_upload.telemetry_stream import TelemetryStream, sign

REGION = "eu-central-1"
LOG_GROUP = "/video-upload/clients"


@pytest.fixture(scope="module")
def aws_url() -> Iterator[str]:
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


def client(aws_url: str, service: str) -> Any:
    make: Any = boto3.client
    keys = {"aws_access_key_id": "testing", "aws_secret_access_key": "testing"}
    return make(service, endpoint_url=aws_url, region_name=REGION, **keys)


@pytest.fixture
def config(aws_url: str) -> Iterator[TelemetryConfig]:
    pool = client(aws_url, "cognito-identity").create_identity_pool(
        IdentityPoolName="clients", AllowUnauthenticatedIdentities=False
    )
    client(aws_url, "logs").create_log_group(logGroupName=LOG_GROUP)
    yield TelemetryConfig(
        region=REGION,
        identity_pool_id=pool["IdentityPoolId"],
        log_group_name=LOG_GROUP,
        identity_url=aws_url,
        logs_url=aws_url,
    )
    client(aws_url, "logs").delete_log_group(logGroupName=LOG_GROUP)


def sign_in_with(platform: FakePlatform, home: Path, config: TelemetryConfig) -> StoredCredentials:
    credentials = sign_somebody_in(platform, home)
    signed_in = credentials.load()
    credentials.store(
        msgspec.structs.replace(signed_in, telemetry=config, id_token="an.id.token", issuer="https://issuer.test/pool")
    )
    return credentials


def told(aws_url: str) -> list[dict[str, Any]]:
    logs = client(aws_url, "logs")
    found: list[dict[str, Any]] = []
    for stream in logs.describe_log_streams(logGroupName=LOG_GROUP)["logStreams"]:
        events = logs.get_log_events(logGroupName=LOG_GROUP, logStreamName=stream["logStreamName"], startFromHead=True)
        found += [json.loads(event["message"]) for event in events["events"]]
    return found


def test_an_upload_is_told_without_names_or_tokens(
    platform: FakePlatform, cli: Cli, config: TelemetryConfig, aws_url: str, make_video: MakeVideo
) -> None:
    sign_in_with(platform, cli.home, config)
    platform.storage.part_faults[2] = ["slow_down"]
    path = make_video(300 * 1024, "my secret holiday.mp4")
    assert cli.run("upload", path).returncode == 0
    events = told(aws_url)
    assert [event["event"] for event in events] == ["uploadBegan", "partRetried", "uploadState", "uploadState"]
    assert [event["state"] for event in events[-2:]] == ["processing", "ready"]
    assert events[-1]["sentBytes"] == events[-1]["sizeBytes"] == 300 * 1024
    assert {event["videoId"] for event in events} == set(platform.uploads)
    assert {event["correlationId"] for event in events} == set(platform.correlation_ids)
    assert "secret" not in json.dumps(events)
    (stream,) = client(aws_url, "logs").describe_log_streams(logGroupName=LOG_GROUP)["logStreams"]
    assert re.fullmatch(r"[a-z0-9-]+:[0-9a-f-]{36}", stream["logStreamName"])  # the identity's own


def test_an_upload_that_fails_is_told_with_its_code_and_one_that_never_began_is_not(
    platform: FakePlatform, cli: Cli, config: TelemetryConfig, aws_url: str, make_video: MakeVideo
) -> None:
    sign_in_with(platform, cli.home, config)
    not_there = cli.home / "nothing.mp4"
    assert cli.run("upload", not_there).returncode != 0
    assert told(aws_url) == []
    platform.storage.part_faults[1] = ["expired"] * 100
    assert cli.run("upload", make_video(1024)).returncode != 0
    assert [(event["event"], event.get("state")) for event in told(aws_url)][-1] == ("uploadState", "failed")


def test_with_telemetry_off_nothing_is_told(
    platform: FakePlatform, cli: Cli, config: TelemetryConfig, aws_url: str, make_video: MakeVideo
) -> None:
    sign_in_with(platform, cli.home, config)
    assert cli.run("upload", make_video(1024), "--no-telemetry").returncode == 0
    assert told(aws_url) == []


def test_a_log_that_is_not_there_costs_the_upload_nothing(
    platform: FakePlatform, cli: Cli, config: TelemetryConfig, make_video: MakeVideo
) -> None:
    for broken in (
        msgspec.structs.replace(config, logs_url="http://127.0.0.1:9", identity_url="http://127.0.0.1:9"),
        msgspec.structs.replace(config, log_group_name="/nobody/made/this"),
        msgspec.structs.replace(config, logs_url="http://logs.example.test"),
    ):
        sign_in_with(platform, cli.home, broken)
        began = time.monotonic()
        assert cli.run("upload", make_video(1024)).returncode == 0
        assert time.monotonic() - began < 5


def test_a_stream_is_used_again_and_its_credentials_are_renewed(
    platform: FakePlatform, home: Path, config: TelemetryConfig, aws_url: str
) -> None:
    credentials = sign_in_with(platform, home, config)
    now_ms = int(time.time() * 1000)
    for number in (1, 2):
        stream = TelemetryStream(config, credentials)
        stream.write([TelemetryEvent(at_ms=now_ms, message=json.dumps({"number": number}))])
    stream._good_until = 0
    stream.write([TelemetryEvent(at_ms=now_ms, message=json.dumps({"number": 3}))])
    assert sorted(event["number"] for event in told(aws_url)) == [1, 2, 3]
    streams = client(aws_url, "logs").describe_log_streams(logGroupName=LOG_GROUP)["logStreams"]
    assert len(streams) == 2, "new credentials are the same identity's"


def test_a_stream_that_could_not_be_made_is_made_the_next_time(
    platform: FakePlatform, home: Path, config: TelemetryConfig, aws_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    def post(url: str, headers: dict[str, str], content: bytes) -> dict[str, Any]:
        asked.append(headers["X-Amz-Target"].partition(".")[2])
        if asked.count("CreateLogStream") == 1 and asked[-1] == "CreateLogStream":
            raise TelemetryError("ThrottlingException")
        return send(url, headers, content)

    send = telemetry_stream._post
    monkeypatch.setattr(telemetry_stream, "_post", post)
    monkeypatch.setattr(telemetry_stream, "EXPIRY_MARGIN_SECONDS", -3600)  # the fake's credentials are short-lived
    stream = TelemetryStream(config, sign_in_with(platform, home, config))
    event = TelemetryEvent(at_ms=int(time.time() * 1000), message="{}")
    with pytest.raises(TelemetryError):
        stream.write([event])
    stream.write([event])
    stream.write([event])
    assert asked[-4:] == ["CreateLogStream", "CreateLogStream", "PutLogEvents", "PutLogEvents"]
    assert told(aws_url) == [{}, {}]


def test_a_captive_portal_says_nothing_on_the_terminal(
    platform: FakePlatform, cli: Cli, config: TelemetryConfig, make_video: MakeVideo
) -> None:
    with captive_portal() as portal_url:
        for name in ("identity_url", "logs_url"):
            sign_in_with(platform, cli.home, msgspec.structs.replace(config, **{name: portal_url}))
            finished = cli.run("upload", make_video(1024))
            assert (finished.returncode, "Traceback" in finished.stderr) == (0, False), finished.stderr


@contextmanager
def captive_portal() -> Generator[str]:
    """Answers everything with its page."""

    class Portal(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            page = b"<html>Accept our terms</html>"
            self.send_response(200)
            self.send_header("Content-Length", str(len(page)))
            self.end_headers()
            self.wfile.write(page)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base's name
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Portal)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def test_the_signature_is_the_one_aws_computes() -> None:
    """Signature Version 4 step by step, as AWS's reference describes it."""
    content = b'{"logEvents": []}'
    plain = [("Host", "logs.eu-central-1.amazonaws.com"), ("X-Amz-Target", "Logs_20140328.PutLogEvents")]
    headers = sign(plain, content, REGION, AwsCredentialsProvider.new_static("AKID", "secret", "session"))
    date = headers["X-Amz-Date"]
    scope = f"{date[:8]}/{REGION}/logs/aws4_request"
    names = "host;x-amz-date;x-amz-security-token;x-amz-target"
    lines = {name.lower(): text for name, text in headers.items()}
    canonical = "\n".join(
        [
            "POST",
            "/",
            "",
            *(f"{name}:{lines[name]}" for name in names.split(";")),
            "",
            names,
            sha256(content).hexdigest(),
        ]
    )
    to_sign = "\n".join(["AWS4-HMAC-SHA256", date, scope, sha256(canonical.encode()).hexdigest()])
    key = b"AWS4secret"
    for word in scope.split("/"):
        key = hmac.digest(key, word.encode(), "sha256")
    signature = hmac.digest(key, to_sign.encode(), "sha256").hex()
    assert headers["Authorization"] == (
        f"AWS4-HMAC-SHA256 Credential=AKID/{scope}, SignedHeaders={names}, Signature={signature}"
    )


class BrokenSink:
    def __init__(self) -> None:
        self.tries = 0

    def write(self, events: Sequence[TelemetryEvent]) -> None:
        self.tries += 1
        raise TelemetryError(reason="on purpose")


def test_progress_is_told_now_and_then_and_not_for_ever_to_one_who_does_not_listen() -> None:
    sink, now = BrokenSink(), 1000.0
    telemetry = Telemetry(sink, interval_seconds=0.01, clock=lambda: now)
    with telemetry:
        telemetry.note(
            UploadBegan(path=Path("a"), video_id="v", correlation_id="c", size_bytes=9, part_count=1, stored_bytes=0)
        )
        for _ in range(100):
            now += 0.005
            telemetry.note(BytesSent(count=1))
            time.sleep(0.002)
    assert sink.tries == 3
    assert telemetry._worker.is_alive() is False
