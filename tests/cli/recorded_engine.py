"""An upload engine whose events are recorded, and which a test can interrupt."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.fake_platform import FakePlatform
from video_upload.api import VideoApi
from video_upload.backoff import Backoff, Interruption
from video_upload.credentials import StoredCredentials
from video_upload.engine import UploadEngine
from video_upload.errors import UploadCancelledError
from video_upload.events import BytesSent, PartStored, UploadEvent

IMPATIENT = Backoff(tries=8, base_seconds=0.001, cap_seconds=0.01)


class RecordedEngine:
    """An engine for the signed-in user, with every event that it reported."""

    def __init__(
        self, platform: FakePlatform, credentials: StoredCredentials, home: Path, *, parallel: int = 4
    ) -> None:
        self.events: list[UploadEvent] = []
        self.storage = platform.storage
        self.credentials = credentials
        self.home = home
        self.interruption = Interruption()
        self.api = VideoApi(f"{platform.url}/api", credentials, pause=self.interruption.pause, backoff=IMPATIENT)
        self.engine = UploadEngine(
            self.api,
            home,
            parallel=parallel,
            report=self.note,
            interruption=self.interruption,
            backoff=IMPATIENT,
        )
        self.stop_after_parts: int | None = None
        self.stop_at: type[UploadEvent] | None = None

    def note(self, event: UploadEvent) -> None:
        self.events.append(event)
        if self.stop_after_parts is not None and self.count(PartStored) >= self.stop_after_parts:
            self.interruption.request()
        if self.stop_at is not None and isinstance(event, self.stop_at):
            self.interruption.request()

    def count(self, kind: type[UploadEvent]) -> int:
        return sum(isinstance(event, kind) for event in self.events)

    def counted_bytes(self) -> int:
        return sum(event.count for event in self.events if isinstance(event, BytesSent))

    def stop_in_the_middle(self, video: Path, after_parts: int) -> None:
        self.stop_after_parts = after_parts
        with pytest.raises(UploadCancelledError):
            self.engine.upload(video)
        self.storage.settle()
        self.stop_after_parts = None
        self.interruption.clear()
        self.events.clear()
