"""All uploads of one measurement: a thread for each client, which takes every step when its wave is called."""

import threading
from base64 import b64encode
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from bench.arrivals import SentVideo
from bench.upload_client import Client, Content, Figures, SharedContent, Step, UploadFailedError, settle

STEPS = (Step.INIT, Step.PART, Step.COMPLETE)


@dataclass(frozen=True)
class Wave:
    """The clients that take a step at the same time: those with even numbers in quiet, the others under the flood."""

    step: Step
    is_flooded: bool


class Run:
    """All uploads of one measurement and their progress. The user with an upload's number sends it.

    reached: uploads by each step they have taken. part_count: of each upload, as the API answered.
    """

    def __init__(self, api_url: str, content: SharedContent, uploads: int, access_tokens: Sequence[str] = ()) -> None:
        self.api_url, self.content, self.uploads = api_url, content, uploads
        self.access_tokens = access_tokens
        self.part_count = 0
        self.figures = Figures()
        self.reached: Counter[Step] = Counter()
        self.failures: Counter[str] = Counter()
        self.sent: list[SentVideo] = []
        self._called = {Wave(step, is_flooded): threading.Event() for step in STEPS for is_flooded in (False, True)}
        self._done: dict[Wave, set[int]] = {wave: set() for wave in self._called}
        self._lock = threading.Lock()

    def call(self, wave: Wave) -> None:
        """Let this wave's clients go."""
        self._called[wave].set()

    def call_all(self) -> None:
        """Let every client go through all steps."""
        for called in self._called.values():
            called.set()

    def missing(self, wave: Wave) -> int:
        """The clients of this wave that are still busy; one that failed is not."""
        size = self.uploads // 2 if wave.is_flooded else (self.uploads + 1) // 2
        return size - len(self._done[wave])

    def upload(self, number: int) -> None:
        """Do what one client does."""
        client = Client(self.figures)
        waves = [Wave(step, is_flooded=number % 2 == 1) for step in STEPS]
        try:
            upload = _Upload(self, client, number)
            for wave, take in zip(waves, (upload.open, upload.send_parts, upload.complete), strict=True):
                self._called[wave].wait()
                take()
                with self._lock:
                    self.reached[wave.step] += 1
                    self._done[wave].add(number)
                # A server may close what was idle until the next step.
                client.close()
        except UploadFailedError as error:
            self._note_failure(str(error))
        except Exception as error:
            self._note_failure(f"the client itself: {error!r}")
        finally:
            client.close()
            with self._lock:
                for wave in waves:
                    self._done[wave].add(number)

    def note_sent(self, video: SentVideo) -> None:
        with self._lock:
            self.sent.append(video)

    def _note_failure(self, kind: str) -> None:
        with self._lock:
            self.failures[kind] += 1


class _Upload:
    """One video on its way."""

    def __init__(self, run: Run, client: Client, number: int) -> None:
        self._run, self._client, self._number = run, client, number
        self._content = Content(run.content, number)
        self._access_token = run.access_tokens[number % len(run.access_tokens)]
        self._started: dict[str, Any] = {}
        self._parts: list[dict[str, object]] = []

    def open(self) -> None:
        body = {"fileName": f"{self._number}.mp4", "contentType": "video/mp4", "sizeBytes": self._content.size_bytes}
        self._started = self._ask(Step.INIT, "init", self._access_token, body, expected=201)
        self._run.part_count = self._started["partCount"]

    def send_parts(self) -> None:
        """Send every part by a URL that is fresh, however long the others took to open theirs."""
        numbers = range(1, self._started["partCount"] + 1)
        to_sign = {"parts": [{"partNumber": number} for number in numbers]}
        signed = self._ask(Step.SIGN, "parts", self._started["uploadToken"], to_sign, expected=200)
        for part in signed["presignedUrls"]:
            start = (part["partNumber"] - 1) * self._started["partSizeBytes"]
            size_bytes: int = part["sizeBytes"]
            answer = self._client.request(
                Step.PART,
                "PUT",
                part["url"],
                lambda start=start, size_bytes=size_bytes: self._content.blocks(start, size_bytes),
                {"Content-Length": str(size_bytes), **part["headers"]},
                expected={200},
            )
            self._parts.append({"partNumber": part["partNumber"], "etag": answer.headers["ETag"]})

    def complete(self) -> None:
        checksum = b64encode(self._content.crc64nvme()).decode()
        settle(
            self._client,
            self._run.figures,
            f"{self._run.api_url}/multipart/complete",
            self._started["uploadToken"],
            {"parts": self._parts, "checksumCRC64NVME": checksum},
        )
        video = SentVideo(
            self._started["videoId"], self._started["fileKey"], self._content.sha256(), self._access_token
        )
        self._run.note_sent(video)

    def _ask(self, step: Step, path: str, bearer: str, body: dict[str, Any], *, expected: int) -> dict[str, Any]:
        url = f"{self._run.api_url}/multipart/{path}"
        return self._client.ask_api(step, url, bearer, body, expected={expected}).json()
