"""Prove a deployed stage end to end: `make smoke STAGE=dev`.

Uploads a small real video through the site, reports its progress and finds it in a metric, waits until the video is
ready, plays it and deletes it, and prints what each step proved. Signs in as the stage's machine client (setting
`machineClient`) or, without one, as the user who has run `video-upload login URL` on this machine. Reading a stage's
metric takes the permission `cloudwatch:GetMetricData`. Nothing is left behind unless a step fails.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urljoin

import boto3
import requests
from awscrt import checksums

from deploy.command import FAILED, chosen_outputs, command_parser, exit_status, take_stage
from deploy.smoke_metrics import (
    METRIC,
    ArrivedCount,
    MetricNotReadableError,
    counted_by_cloudwatch,
    counted_by_the_status_page,
)
from deploy.smoke_video import HEIGHT, WIDTH, make_smoke_video
from video_upload.api import Credentials, VideoApi
from video_upload.checksums import encode_crc64nvme
from video_upload.connection_problem import problem_in_words
from video_upload.credentials import StoredCredentials
from video_upload.errors import ApiError, VideoUploadError
from video_upload.private_files import default_home
from video_upload.schemas import (
    CompletedPart,
    NewUpload,
    PartToSign,
    PresignedPart,
    ProgressBatch,
    StartedUpload,
    Video,
)
from video_upload.site import discover_sign_in, fetch_site_config

TIMEOUT_SECONDS = 30
PROCESSING_SECONDS = 300  # including a malware scan
METRIC_SECONDS = 600
METRIC_PAUSE_SECONDS = 2
LOCAL_STAGE = "local"
SECRET_VARIABLE = "VIDEO_UPLOAD_CLIENT_SECRET"  # noqa: S105 - the name, not the secret


class StepFailedError(Exception):
    """A step did not get the expected result."""


@dataclass(frozen=True)
class MachineClient:
    client_id: str
    client_secret: str = field(repr=False)


class MachineCredentials:
    """Access tokens by client credentials."""

    def __init__(self, token_endpoint: str, client: MachineClient) -> None:
        self._token_endpoint = token_endpoint
        self._client = client
        self._token = ""

    def access_token(self) -> str:
        return self._token or self.renewed_access_token("")

    def renewed_access_token(self, refused_token: str) -> str:
        answer = requests.post(
            self._token_endpoint,
            data={"grant_type": "client_credentials"},
            auth=(self._client.client_id, self._client.client_secret),
            timeout=TIMEOUT_SECONDS,
        )
        require(answer.ok, f"the token endpoint answered {answer.status_code}: {answer.text[:200]}")
        self._token = answer.json()["access_token"]
        return self._token


def require(condition: object, otherwise: str) -> None:
    """Raises StepFailedError."""
    if not condition:
        raise StepFailedError(otherwise)


class Smoke:
    """The steps in order; each returns a sentence about its proof."""

    def __init__(
        self,
        site_url: str,
        machine: MachineClient | None,
        execute_api_url: str = "",
        arrived_count: ArrivedCount | None = None,
    ) -> None:
        """execute_api_url: the API's own address, if known, which only CloudFront may call.

        arrived_count: reads the metric of uploads that clients reported; None to ask the local platform instead.
        """
        self._site_url = site_url.rstrip("/")
        self._machine = machine
        self._execute_api_url = execute_api_url
        self._arrived_count = arrived_count
        self._content = b""
        self._etags: list[CompletedPart] = []

    @property
    def steps(self) -> list[Callable[[], str]]:
        return [
            self.serve_the_page,
            self.turn_strangers_away,
            *([self.refuse_calls_past_the_edge] if self._execute_api_url else []),
            self.sign_in,
            self.start_an_upload,
            self.refuse_a_wrong_length,
            self.send_parts,
            self.list_parts,
            self.complete_twice,
            self.tell_progress,
            self.process,
            self.play,
            self.hide_from_strangers,
            self.delete,
        ]

    def serve_the_page(self) -> str:
        page = requests.get(f"{self._site_url}/", timeout=TIMEOUT_SECONDS)
        require(page.ok and "<html" in page.text, f"the page answered {page.status_code}")
        policy = page.headers.get("Content-Security-Policy", "")
        require("default-src" in policy and "unsafe-inline" not in policy, f"the page's policy is {policy!r}")
        self._config = fetch_site_config(self._site_url)
        self._api_url = urljoin(f"{self._site_url}/", self._config.api_url)
        health = requests.get(f"{self._api_url}/health", timeout=TIMEOUT_SECONDS)
        require(health.ok, f"health answered {health.status_code}")
        return f"page, content security policy, config.json and API of stage {health.json()['stage']} are up"

    def turn_strangers_away(self) -> str:
        for token in (None, "a.b.c"):
            headers = {"Authorization": f"Bearer {token}"} if token else {}
            answer = requests.get(f"{self._api_url}/videos", headers=headers, timeout=TIMEOUT_SECONDS)
            require(answer.status_code == 401, f"without a valid token the library answered {answer.status_code}")
            require(answer.json()["error"]["code"] == "unauthorized", f"in another format: {answer.text[:200]}")
        return "no token and a made-up one get 401 and an error in the API's format"

    def refuse_calls_past_the_edge(self) -> str:
        for headers in ({}, {"Referer": self._site_url}):
            answer = requests.get(f"{self._execute_api_url}/health", headers=headers, timeout=TIMEOUT_SECONDS)
            require(answer.status_code == 403, f"the API's own address answered {answer.status_code} instead of 403")
        return "the API's own address refuses every call that does not come through CloudFront"

    def sign_in(self) -> str:
        credentials: Credentials = StoredCredentials(default_home())
        if self._machine:
            endpoint = discover_sign_in(self._site_url, self._config.authority).token_endpoint
            credentials = MachineCredentials(endpoint, self._machine)
        self._api = VideoApi(self._api_url, credentials)
        listed = self._api.list_videos(limit=1)
        return f"the access token opens the library ({len(listed.videos)} video on its first page of one)"

    def start_an_upload(self) -> str:
        self._content = make_smoke_video()
        new = NewUpload(file_name="smoke.mp4", content_type="video/mp4", size_bytes=len(self._content))
        self._started: StartedUpload = self._api.start_upload(new)
        count = self._started.part_count
        require(count == len(self._started.presigned_urls) == 2, f"{count} parts were planned instead of 2")
        return f"{len(self._content):,} bytes are planned as 2 parts, both with URLs"

    def refuse_a_wrong_length(self) -> str:
        part = self._started.presigned_urls[0]
        answer = requests.put(part.url, data=self._part(part) + b"x", headers=part.headers, timeout=TIMEOUT_SECONDS)
        require(answer.status_code == 403, f"a part that is too long got {answer.status_code}")
        return "S3 refuses a part of another length than was signed"

    def send_parts(self) -> str:
        first, second = self._started.presigned_urls
        self._put(first)
        token = self._started.upload_token
        wish = PartToSign(part_number=2, checksum_crc64nvme=_crc64nvme(self._part(second)))
        again = self._api.sign_parts(token, [wish]).presigned_urls[0]
        damaged = bytes(len(self._part(second)))
        answer = requests.put(again.url, data=damaged, headers=again.headers, timeout=TIMEOUT_SECONDS)
        require(answer.status_code == 400, f"a damaged part with a signed checksum got {answer.status_code}")
        self._put(again)
        return "parts go straight to S3, encrypted by its key; a damaged one with a signed checksum is refused"

    def list_parts(self) -> str:
        held = self._api.list_parts(self._started.upload_token)
        require(len(held.parts) == 2, f"S3 lists {len(held.parts)} parts instead of 2")
        unsummed = [part.part_number for part in held.parts if part.checksum_crc64nvme is None]
        require(not unsummed, f"S3 computed no CRC64NVME for parts {unsummed}: set checksums to be signed per part")
        wrong = [
            part.part_number
            for part, sent in zip(held.parts, self._started.presigned_urls, strict=True)
            if part.checksum_crc64nvme != _crc64nvme(self._part(sent))
        ]
        require(not wrong, f"S3's CRC64NVME of parts {wrong} differs from the file's")
        return "S3 computes the parts' CRC64NVME by itself, also of a part sent without one"

    def complete_twice(self) -> str:
        for _ in range(2):
            self._complete()
        return "S3 assembles the file and verifies its size and checksum; completing it again gives the same answer"

    def tell_progress(self) -> str:
        count = self._arrived_count
        if count is None and self._config.stage == LOCAL_STAGE:
            count = counted_by_the_status_page(self._site_url)
        counted_before = count() if count else 0.0
        size_bytes = len(self._content)
        event = {
            "event": "uploadState",
            "at": int(time.time() * 1000),
            "videoId": self._started.video_id,
            "sizeBytes": size_bytes,
            "sentBytes": size_bytes,
            "state": "processing",
        }
        self._api.tell_progress(ProgressBatch(client="smoke/1", system=sys.platform, events=(event,)))
        forged = ProgressBatch(client="smoke/1", system=sys.platform, events=({**event, "_aws": {}},))
        try:
            self._api.tell_progress(forged)
        except ApiError as error:
            require(error.code == "invalid_request", f"an event with its own metrics got {error.code}")
        else:
            raise StepFailedError("an event with its own metrics was accepted")
        taken = "progress is accepted, and an event with its own metrics is refused"
        if count is None:
            return f"{taken}; only with --stage can the metric be checked"
        deadline = time.monotonic() + METRIC_SECONDS
        while (counted := count()) <= counted_before and time.monotonic() < deadline:
            time.sleep(METRIC_PAUSE_SECONDS)
        require(counted > counted_before, f"after {METRIC_SECONDS} s the metric {METRIC} is still {counted:g}")
        return f"{taken}; the metric {METRIC} rose from {counted_before:g} to {counted:g}"

    def process(self) -> str:
        deadline = time.monotonic() + PROCESSING_SECONDS
        video = self._video()
        while video.state in {"completing", "processing", "uploading"} and time.monotonic() < deadline:
            time.sleep(1)
            video = self._video()
        require(video.state == "ready", f"after {PROCESSING_SECONDS} s the video is {video.state}: {video.rejection}")
        shown = video.media.video if video.media else None
        require(shown and (shown.width, shown.height) == (WIDTH, HEIGHT), f"the facts are wrong: {video.media}")
        self._ready = video
        return "S3's event started the processing, which read the right facts"

    def play(self) -> str:
        poster = requests.get(str(self._ready.poster_url), timeout=TIMEOUT_SECONDS)
        require(poster.ok and poster.content.startswith(b"\xff\xd8"), f"the poster answered {poster.status_code}")
        headers = {"Range": "bytes=1000-1999"}
        played = requests.get(str(self._ready.playback_url), headers=headers, timeout=TIMEOUT_SECONDS)
        require(played.status_code == 206, f"a range of the video answered {played.status_code}")
        require(played.content == self._content[1000:2000], "the range is not what was sent")
        return "the poster is a picture, and playback seeks in the video that was sent"

    def hide_from_strangers(self) -> str:
        for url in (str(self._ready.poster_url), str(self._ready.playback_url)):
            bare = requests.get(url.partition("?")[0], timeout=TIMEOUT_SECONDS)
            require(bare.status_code in {401, 403}, f"without its signature a media URL answered {bare.status_code}")
        return "without a signature neither poster nor video can be fetched"

    def delete(self) -> str:
        self._api.delete_video(self._started.video_id)
        try:
            self._video()
        except ApiError as error:
            require(error.status == 404, f"the deleted video answered {error.status}")
        else:
            raise StepFailedError("the deleted video is still there")
        return "the video is gone"

    def clean_up(self) -> None:
        """Delete the started upload after a failure, so that it does not count against the caps."""
        started: StartedUpload | None = getattr(self, "_started", None)
        if started:
            self._api.delete_video(started.video_id)

    def _complete(self) -> None:
        etags = sorted(self._etags, key=lambda part: part.part_number)
        deadline = time.monotonic() + PROCESSING_SECONDS
        while time.monotonic() < deadline:
            completion, wait_seconds = self._api.complete(self._started.upload_token, etags, _crc64nvme(self._content))
            if completion.status == "completed":
                return
            time.sleep(wait_seconds)
        raise StepFailedError(f"S3 did not finish within {PROCESSING_SECONDS} s")

    def _put(self, part: PresignedPart) -> None:
        answer = requests.put(part.url, data=self._part(part), headers=part.headers, timeout=TIMEOUT_SECONDS)
        require(answer.ok, f"part {part.part_number} got {answer.status_code}: {answer.text[:200]}")
        self._etags.append(CompletedPart(part_number=part.part_number, etag=answer.headers["ETag"]))

    def _part(self, part: PresignedPart) -> bytes:
        start = (part.part_number - 1) * self._started.part_size_bytes
        return self._content[start : start + part.size_bytes]

    def _video(self) -> Video:
        return self._api.get_video(self._started.video_id)


def _crc64nvme(content: bytes) -> str:
    return encode_crc64nvme(checksums.crc64nvme(content))


def run(smoke: Smoke) -> bool:
    """Run and print the steps until one fails. True if all passed."""
    for step in smoke.steps:
        name = step.__name__.replace("_", " ")
        started = time.monotonic()
        try:
            proven = step()
        except (StepFailedError, MetricNotReadableError, VideoUploadError, requests.RequestException) as error:
            print(f"FAILED  {name}: {_in_words(error)}", flush=True)
            smoke.clean_up()
            return False
        print(f"ok      {name}: {proven} ({time.monotonic() - started:.1f} s)", flush=True)
    return True


def _in_words(error: Exception) -> str:
    if isinstance(error, requests.ConnectionError | requests.Timeout):
        return f"{error.request.url if error.request else 'the site'} cannot be reached ({problem_in_words(error)})"
    return str(error)


def parser() -> argparse.ArgumentParser:
    options = command_parser(__file__, __doc__)
    stage = take_stage(options)
    stage.add_argument("--site", metavar="URL", help="address of a site, instead of a stage")
    options.add_argument(
        "--client-id", metavar="ID", help=f"machine client of that site; its secret is read from {SECRET_VARIABLE}"
    )
    return options


def main(arguments: Sequence[str] | None = None) -> int:
    made = parser()
    options = made.parse_args(arguments)
    if options.client_id and not options.site:
        made.error("--client-id belongs to a --site; a stage's outputs name its machine client")
    return exit_status(lambda: 0 if run(_smoke(options)) else FAILED)


def _smoke(options: argparse.Namespace) -> Smoke:
    if options.site:
        secret = os.environ.get(SECRET_VARIABLE, "")
        machine = MachineClient(options.client_id, secret) if options.client_id else None
        return Smoke(options.site, machine)
    outputs = chosen_outputs(options, show_secrets=True)
    client_id = outputs.get("machineClientId")
    machine = MachineClient(client_id, outputs["machineClientSecret"]) if client_id else None
    cloudwatch: Any = boto3.client("cloudwatch", region_name=outputs.region)
    count = counted_by_cloudwatch(cloudwatch, outputs.environment["STAGE"])
    return Smoke(outputs["siteUrl"], machine, outputs["executeApiUrl"], count)


if __name__ == "__main__":
    sys.exit(main())
