"""Progress told to the platform, and uploads that do not care whether it arrives."""

from __future__ import annotations

import json
import logging
import threading
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import msgspec
import pytest

from chalicelib.contract.fields import MAX_EVENTS, MAX_FAILURES, MAX_PART_NUMBERS
from chalicelib.contract.requests import ProgressBatch as ReadBatch
from chalicelib.core.progress import COUNTED, TOLD_EVERY_SECONDS
from tests.cli.conftest import Cli, MakeVideo, sign_somebody_in
from tests.cli.fake_platform import FakePlatform
from video_upload import telemetry as telemetry_module
from video_upload.errors import (
    ApiUnreachableError,
    ForbiddenError,
    InvalidRequestError,
    LimitReachedError,
    NotFoundError,
    ServiceUnavailableError,
    UnauthorizedError,
    VideoUploadError,
)
from video_upload.events import (
    BytesSent,
    Completing,
    PartRetried,
    PartsDiffered,
    ProcessingPolled,
    UploadBegan,
    Uploaded,
    UploadEvent,
    UploadFailed,
)
from video_upload.schemas import ProgressBatch
from video_upload.telemetry import MOST_EVENTS, MOST_WAITING, Telemetry

VIDEO_ID = "f" * 28


def sign_in_where_progress_is_asked_for(platform: FakePlatform, home: Path, **changes: Any) -> None:
    credentials = sign_somebody_in(platform, home)
    credentials.store(msgspec.structs.replace(credentials.load(), tell_progress=True, **changes))


def told(platform: FakePlatform) -> list[dict[str, Any]]:
    return [event for batch in platform.told for event in batch["events"]]


def test_an_upload_is_told_without_names_or_tokens(platform: FakePlatform, cli: Cli, make_video: MakeVideo) -> None:
    sign_in_where_progress_is_asked_for(platform, cli.home)
    platform.storage.part_faults[2] = ["slow_down"]
    path = make_video(300 * 1024, "my secret holiday.mp4")
    assert cli.run("upload", path).returncode == 0
    events = told(platform)
    assert [event["event"] for event in events] == ["uploadBegan", "partRetried", "uploadState", "uploadState"]
    assert [event["state"] for event in events[-2:]] == ["processing", "ready"]
    assert events[-1]["sentBytes"] == events[-1]["sizeBytes"] == 300 * 1024
    assert {event["videoId"] for event in events} == set(platform.uploads)
    assert {event["correlationId"] for event in events} == set(platform.correlation_ids) - {""}
    for secret in ("secret", "access-1", "refresh-1", platform.only_upload().token, "http"):
        assert secret not in json.dumps(platform.told)
    assert len(platform.told) == 1, "a short upload is told in one call"


def test_a_program_that_is_signed_in_tells_as_a_person_does(
    platform: FakePlatform, cli: Cli, make_video: MakeVideo
) -> None:
    sign_in_where_progress_is_asked_for(platform, cli.home, is_machine=True, refresh_token=None)
    assert cli.run("upload", make_video(1024)).returncode == 0
    assert told(platform)


def test_an_upload_that_fails_is_told_with_its_code_and_one_that_never_began_is_not(
    platform: FakePlatform, cli: Cli, make_video: MakeVideo
) -> None:
    sign_in_where_progress_is_asked_for(platform, cli.home)
    not_there = cli.home / "nothing.mp4"
    assert cli.run("upload", not_there).returncode != 0
    assert told(platform) == []
    platform.storage.part_faults[1] = ["expired"] * 100
    assert cli.run("upload", make_video(1024)).returncode != 0
    assert [(event["event"], event.get("state")) for event in told(platform)][-1] == ("uploadState", "failed")


def test_nothing_is_told_where_a_person_or_the_site_does_not_want_it(
    platform: FakePlatform, cli: Cli, make_video: MakeVideo
) -> None:
    sign_in_where_progress_is_asked_for(platform, cli.home)
    assert cli.run("upload", make_video(1024), "--no-telemetry").returncode == 0
    sign_somebody_in(platform, cli.home)
    assert cli.run("upload", make_video(2048)).returncode == 0
    assert [call for call in platform.calls if call == "POST /progress"] == []


@pytest.mark.parametrize("status", [0, 400, 401, 403, 404, 413, 429, 500, 503])
def test_an_upload_does_not_notice_how_its_progress_is_refused(
    platform: FakePlatform, cli: Cli, make_video: MakeVideo, status: int
) -> None:
    sign_in_where_progress_is_asked_for(platform, cli.home)
    platform.api_faults["/progress"] = [(status, "refused", {"Retry-After": "100"})] * 100
    finished = cli.run("upload", make_video(1024))
    assert (finished.returncode, "Traceback" in finished.stderr, "rogress" in finished.stderr) == (0, False, False)
    # A refused token is renewed once; there is no other second try.
    assert platform.calls.count("POST /progress") == (2 if status == 401 else 1)


def test_a_captive_portal_says_nothing_on_the_terminal(
    platform: FakePlatform, cli: Cli, make_video: MakeVideo, monkeypatch: pytest.MonkeyPatch
) -> None:
    sign_in_where_progress_is_asked_for(platform, cli.home)
    from video_upload import upload_command

    real = upload_command.VideoApi
    with captive_portal() as portal_url:
        monkeypatch.setattr(
            upload_command, "VideoApi", lambda _, credentials, **more: real(portal_url, credentials, **more)
        )
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


class Sink:
    """Takes or refuses, as the next of `answers` says; takes once they are used up."""

    def __init__(self, *answers: VideoUploadError | None) -> None:
        self.answers = list(answers)
        self.tries = 0
        self.batches: list[ProgressBatch] = []

    def tell_progress(self, batch: ProgressBatch) -> None:
        self.tries += 1
        if (error := self.answers.pop(0) if self.answers else None) is not None:
            raise error
        self.batches.append(batch)

    @property
    def events(self) -> list[dict[str, Any]]:
        return [event for batch in self.batches for event in batch.events]


def refusal(kind: Any, status: int, retry_after_seconds: float | None = None) -> VideoUploadError:
    return kind(
        status=status, code="x", message="No.", details={}, request_id=None, retry_after_seconds=retry_after_seconds
    )


def began(video_id: str = VIDEO_ID) -> UploadBegan:
    return UploadBegan(
        path=Path("a"), video_id=video_id, correlation_id="an-upload", size_bytes=9, part_count=1, stored_bytes=0
    )


def wait_for(condition: Callable[[], bool]) -> None:
    give_up_at = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < give_up_at
        time.sleep(0.005)


def test_everything_the_command_can_tell_is_what_the_api_takes() -> None:
    sink = Sink()
    events: list[UploadEvent] = [
        began(),
        BytesSent(count=-1),
        PartRetried(part_number=10_000, failures=10**6, wait_seconds=1, reason="SlowDown"),
        PartsDiffered(part_numbers=tuple(range(1, 500))),
        Completing(),
        Uploaded(),
        *(
            ProcessingPolled(state=state)
            for state in ("uploading", "ready", "rejected", "aborted", "expired", "deleted")
        ),
        UploadFailed(video_id=VIDEO_ID, code="SlowDown"),
        began(),
        UploadFailed(video_id=VIDEO_ID, code='" a code\nthat is none'),
    ]
    with Telemetry(sink, interval_seconds=0.01) as telemetry:
        note = telemetry.for_upload()
        for event in events:
            note(event)
    taken = [ReadBatch.parse(msgspec.json.decode(msgspec.json.encode(batch))) for batch in sink.batches]
    assert sum(len(batch.events) for batch in taken) == len(events) - 1
    assert {event.happened for batch in taken for event in batch.events} >= COUNTED
    assert (MOST_EVENTS, telemetry_module.INTERVAL_SECONDS) == (MAX_EVENTS, TOLD_EVERY_SECONDS)
    assert (telemetry_module.MOST_PART_NUMBERS, telemetry_module.MOST_FAILURES) == (MAX_PART_NUMBERS, MAX_FAILURES)


@pytest.mark.parametrize(
    "error",
    [
        refusal(UnauthorizedError, 401),
        refusal(LimitReachedError, 429),
        refusal(ServiceUnavailableError, 503),
        ApiUnreachableError("http://x", 1, "Connection refused"),
    ],
)
def test_unsent_reports_are_sent_later_and_in_order(error: VideoUploadError) -> None:
    sink = Sink(error, error)
    with Telemetry(sink, interval_seconds=0.01) as telemetry:
        note = telemetry.for_upload()
        note(began())
        note(Uploaded())
        wait_for(lambda: bool(sink.batches))
    assert [event["event"] for event in sink.events] == ["uploadBegan", "uploadState"]
    assert sink.tries == 3


@pytest.mark.parametrize(
    "error", [refusal(InvalidRequestError, 400), refusal(ForbiddenError, 403), refusal(NotFoundError, 404)]
)
def test_a_permanently_refused_report_is_dropped_and_the_next_is_sent(error: VideoUploadError) -> None:
    sink = Sink(error)
    with Telemetry(sink, interval_seconds=0.01) as telemetry:
        note = telemetry.for_upload()
        note(began("0" * 28))
        wait_for(lambda: sink.tries == 1)
        note(began("1" * 28))
        wait_for(lambda: bool(sink.batches))
    assert [event["videoId"] for event in sink.events] == ["1" * 28]


def test_a_platform_that_does_not_listen_is_asked_ever_more_rarely_but_never_given_up(
    caplog: pytest.LogCaptureFixture,
) -> None:
    sink = Sink(*[refusal(ServiceUnavailableError, 503)] * 8)
    pauses: list[float] = []
    with caplog.at_level(logging.DEBUG, "video_upload"):
        telemetry = Telemetry(sink)
        note = telemetry.for_upload()
        note(began())
        for _ in range(9):
            telemetry._tell()
            pauses.append(telemetry._pause_seconds())
    assert pauses == [60, 120, 240, 480, 600, 600, 600, 600, 30]
    assert [event["event"] for event in sink.events] == ["uploadBegan"]
    assert len(caplog.records) == 1, "said once"


def test_the_platform_says_itself_how_long_to_wait() -> None:
    telemetry = Telemetry(Sink(refusal(LimitReachedError, 429, 120.0)))
    note = telemetry.for_upload()
    note(began())
    telemetry._tell()
    assert telemetry._pause_seconds() == 120


def test_waiting_reports_are_bounded_and_the_newest_are_kept() -> None:
    sink = Sink(refusal(ServiceUnavailableError, 503))
    telemetry = Telemetry(sink)
    note = telemetry.for_upload()
    note(began())
    for number in range(1, MOST_WAITING + 100):
        note(PartRetried(part_number=number, failures=1, wait_seconds=1, reason="SlowDown"))
    telemetry._tell()
    while telemetry._tell():
        pass
    assert len(sink.events) == MOST_WAITING
    assert sink.events[-1]["partNumber"] == MOST_WAITING + 99
    assert {len(batch.events) for batch in sink.batches} == {MOST_EVENTS}


def test_a_call_is_made_every_thirty_seconds_at_most() -> None:
    sink, now = Sink(), 1000.0
    with Telemetry(sink, clock=lambda: now) as telemetry:
        note = telemetry.for_upload()
        note(began())
        for _ in range(100):
            now += 1
            note(BytesSent(count=1))
        assert sink.tries == 0
    assert [event["event"] for event in sink.events] == ["uploadBegan", *["uploadProgress"] * 3]
    assert telemetry._worker.is_alive() is False


def test_two_uploads_at_once_are_told_each_with_its_own_facts() -> None:
    sink = Sink()
    with Telemetry(sink, interval_seconds=0.01) as telemetry:
        notes = [telemetry.for_upload() for _ in range(2)]
        for note, digit in zip(notes, "01", strict=True):
            note(began(digit * 28))
        for note in notes:
            note(Completing())
        notes[0](BytesSent(count=5))
        notes[0](Uploaded())
    states = [(event["videoId"][0], event["sentBytes"]) for event in sink.events if event["event"] == "uploadState"]
    assert states == [("0", 0), ("1", 0), ("0", 5)]
