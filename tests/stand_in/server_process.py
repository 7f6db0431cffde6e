"""Servers in processes of their own, and clients that may break every rule."""

import http.client
import json
import subprocess
import sys
import time
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, cast
from urllib.parse import urlsplit
from xml.etree import ElementTree as ET

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

from local.stand_in import names

if TYPE_CHECKING:
    from types_boto3_sqs import SQSClient

ROOT = Path(__file__).parents[2]
MIB = 1024**2


@dataclass(frozen=True)
class Reply:
    """An HTTP answer as it came; header names in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def code(self) -> str:
        """The error code in S3's XML; empty without one."""
        if not self.body.startswith(b"<"):
            return ""
        return next((element.text or "" for element in ET.fromstring(self.body).iter() if element.tag == "Code"), "")  # noqa: S314


def send(
    method: str, url: str, body: bytes | IO[bytes] = b"", headers: Mapping[str, str] | None = None, timeout: float = 30
) -> Reply:
    """One request with exactly these headers (besides Host and Content-Length)."""
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port or 80, timeout=timeout)
    try:
        target = f"{parts.path}?{parts.query}" if parts.query else parts.path
        connection.request(method, target, body=body, headers=dict(headers or {}))
        answer = connection.getresponse()
        received = {name.lower(): value for name, value in answer.getheaders()}
        return Reply(status=answer.status, headers=received, body=answer.read())
    finally:
        connection.close()


@dataclass
class Server:
    """A server that speaks AWS on `url`; `process` runs it."""

    url: str
    process: "subprocess.Popen[str]"
    bucket: str = names.VIDEO_BUCKET
    has_controls: bool = True
    _clients: dict[tuple[str, str], Any] = field(default_factory=dict[tuple[str, str], Any])

    def client(self, service: str, secret_key: str = names.SECRET_KEY) -> Any:
        """A boto3 client without retries and without checksums of its own accord."""
        key = (service, secret_key)
        if key not in self._clients:
            self._clients[key] = boto3.Session(
                aws_access_key_id=names.ACCESS_KEY, aws_secret_access_key=secret_key, region_name=names.REGION
            ).client(
                cast("Any", service),
                endpoint_url=self.url,
                config=Config(
                    signature_version="s3v4" if service == "s3" else None,
                    s3={"addressing_style": "path"},
                    retries={"total_max_attempts": 1},
                    request_checksum_calculation="when_required",
                    response_checksum_validation="when_required",
                    max_pool_connections=32,
                    read_timeout=15,
                ),
            )
        return self._clients[key]

    @property
    def s3(self) -> Any:  # its types know only calls that S3 accepts
        """The S3 client."""
        return self.client("s3")

    @property
    def sqs(self) -> "SQSClient":
        """The SQS client."""
        return self.client("sqs")

    def presign(self, operation: str, *, seconds: int = 900, **parameters: object) -> str:
        """A presigned URL; the bucket is given."""
        return self.s3.generate_presigned_url(
            operation, Params={"Bucket": self.bucket, **parameters}, ExpiresIn=seconds
        )

    def control(self, method: str, name: str, document: object = None) -> Reply:
        """One of the stand-in's own controls."""
        body = b"" if document is None else json.dumps(document).encode()
        return send(method, f"{self.url}/_stand-in/{name}", body)

    def requests(self) -> list[dict[str, Any]]:
        """The log of answered requests."""
        return json.loads(self.control("GET", "requests").body)["requests"]

    def events(self, queue: str = names.EVENTS_QUEUE) -> list[dict[str, Any]]:
        """Take all messages off a queue: their bodies."""
        found: list[dict[str, Any]] = []
        url = names.queue_url(self.url, queue)
        while messages := self.sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages"):
            for message in messages:
                found.append(json.loads(message.get("Body", "")))
                self.sqs.delete_message(QueueUrl=url, ReceiptHandle=message.get("ReceiptHandle", ""))
        return found

    def upload(self, key: str, parts: list[bytes], **parameters: Any) -> str:
        """Open an upload with these parts in it; its id."""
        opened = self.s3.create_multipart_upload(Bucket=self.bucket, Key=key, **parameters)
        for number, part in enumerate(parts, 1):
            self.s3.upload_part(Bucket=self.bucket, Key=key, UploadId=opened["UploadId"], PartNumber=number, Body=part)
        return opened["UploadId"]

    def listed(self, key: str, upload_id: str) -> list[dict[str, Any]]:
        """The parts S3 holds, as a completion names them."""
        page = self.s3.list_parts(Bucket=self.bucket, Key=key, UploadId=upload_id)
        return [{"PartNumber": part.get("PartNumber"), "ETag": part.get("ETag")} for part in page.get("Parts", [])]

    def complete(self, key: str, upload_id: str, **parameters: Any) -> Any:
        """Complete an upload with all its parts."""
        return self.s3.complete_multipart_upload(
            Bucket=self.bucket,
            Key=key,
            UploadId=upload_id,
            **{"MultipartUpload": {"Parts": self.listed(key, upload_id)}, **parameters},
        )


@contextmanager
def serve(
    *arguments: str,
    prefix: tuple[str, ...] = (),
    environment: Mapping[str, str] | None = None,
    repository: Path = ROOT,
) -> Generator[Server]:
    """A stand-in in a process of its own, gone at the end. repository: the folder that holds its package."""
    command = [*prefix, sys.executable, "-m", "local.stand_in", "--port", "0", "--stop-with-parent", *arguments]
    process = subprocess.Popen(
        command, cwd=repository, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        line = process.stdout.readline()
        assert line.startswith("ready http://127.0.0.1:"), line
        yield Server(url=line.removeprefix("ready ").strip(), process=process)
    finally:
        process.stdin.close()
        process.stdout.close()
        if process.poll() is None:
            process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            raise


@contextmanager
def serve_bare_moto() -> Generator[Server]:
    """moto as it comes, with a versioned bucket, to show what it lets through."""
    program = (
        "from moto.server import ThreadedMotoServer; import sys\n"
        "server = ThreadedMotoServer('127.0.0.1', port=0, verbose=False); server.start()\n"
        "print(server.get_host_and_port()[1], flush=True); sys.stdin.read(); server.stop()"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", program],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        port = process.stdout.readline().strip()
        server = Server(url=f"http://127.0.0.1:{port}", process=process, has_controls=False)
        server.s3.create_bucket(Bucket=server.bucket, CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})
        server.s3.put_bucket_versioning(Bucket=server.bucket, VersioningConfiguration={"Status": "Enabled"})
        yield server
    finally:
        process.stdin.close()
        process.stdout.close()
        process.wait(10)


def status_of(error: ClientError) -> int:
    """The HTTP status behind a boto3 error."""
    return cast("Any", error.response)["ResponseMetadata"]["HTTPStatusCode"]


def wait_for(condition: Any, seconds: float = 10) -> Any:
    """The first true value of a condition that is asked again and again."""
    until = time.monotonic() + seconds
    while not (value := condition()):
        assert time.monotonic() < until, "it never came true"
        time.sleep(0.02)
    return value
