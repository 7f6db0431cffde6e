"""A client that behaves as real ones do: it backs off when asked to and treats any other failure as final."""

import http.client
import json
import random
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from email.message import Message
from enum import StrEnum
from hashlib import sha256
from typing import Any
from urllib.parse import urlsplit

from awscrt import checksums

TIMEOUT_SECONDS = 60.0
RETRIED_STATUSES = frozenset({429, 503})
MAX_ATTEMPTS = 8
FIRST_PAUSE_SECONDS = 0.25
LONGEST_PAUSE_SECONDS = 10.0
SETTLING_SECONDS = 300.0
"""Time for which a client repeats its request after a 202."""

_BLOCK_BYTES = 1 << 20


class Step(StrEnum):
    SIGN_IN = "sign in"
    INIT = "init"
    SIGN = "sign parts"
    PART = "part"
    COMPLETE = "complete"
    LIST_VIDEOS = "list videos"
    LIST_UPLOADS = "list uploads"


class Traffic(StrEnum):
    """Traffic beside a call at its start: none, the other clients of the wave, or these and the flood."""

    LIGHT = "light"
    WAVE = "wave"
    FLOODED = "flooded"


class UploadFailedError(Exception):
    """kind: the status and the API's error code, or the name of the socket's error."""

    def __init__(self, step: Step, kind: str) -> None:
        self.step, self.kind = step, kind
        super().__init__(f"{step}: {kind}")


@dataclass
class Figures:
    """Measurements of all clients together.

    seconds: duration of each step as its client sees it, pauses included. traffic: the current one.
    """

    seconds: dict[tuple[Step, Traffic], list[float]] = field(default_factory=lambda: defaultdict(list))
    retries: Counter[tuple[Step, str]] = field(default_factory=Counter)
    asked_again: int = 0
    traffic: Traffic = Traffic.LIGHT
    lock: threading.Lock = field(default_factory=threading.Lock)

    def took(self, step: Step, seconds: float, traffic: Traffic) -> None:
        with self.lock:
            self.seconds[step, traffic].append(seconds)

    def retried(self, step: Step, kind: str) -> None:
        with self.lock:
            self.retries[step, kind] += 1

    def asked_after_202(self) -> None:
        with self.lock:
            self.asked_again += 1


class SharedContent:
    """The video that all uploads share, read and hashed once."""

    def __init__(self, video: bytes) -> None:
        self.bytes = memoryview(video)
        self.sha256 = sha256(video)
        self.crc64nvme = checksums.crc64nvme(video)


class Content:
    """A video that no other upload has: the shared one, and an ignored mp4 box with the upload's number.

    TAIL_BYTES: how much longer that makes it.
    """

    TAIL_BYTES = 32

    def __init__(self, shared: SharedContent, number: int) -> None:
        self._hashed, self._shared = shared, shared.bytes
        self._tail = self.TAIL_BYTES.to_bytes(4, "big") + b"free" + b"%024d" % number
        self.size_bytes = len(self._shared) + len(self._tail)

    def blocks(self, start: int, size_bytes: int) -> Iterator[memoryview]:
        """The shared part is lent, not copied: more than a thousand clients send at once."""
        end = start + size_bytes
        for position in range(start, min(end, len(self._shared)), _BLOCK_BYTES):
            yield self._shared[position : min(position + _BLOCK_BYTES, end)]
        tail = self._tail[max(start - len(self._shared), 0) : max(end - len(self._shared), 0)]
        if tail:
            yield memoryview(tail)

    def sha256(self) -> str:
        digest = self._hashed.sha256.copy()
        digest.update(self._tail)
        return digest.hexdigest()

    def crc64nvme(self) -> bytes:
        return checksums.crc64nvme(self._tail, self._hashed.crc64nvme).to_bytes(8, "big")


@dataclass(frozen=True)
class Response:
    status: int
    headers: Message
    body: bytes

    def json(self) -> dict[str, Any]:
        return json.loads(self.body)

    @property
    def kind(self) -> str:
        """The status and, where the body has one, the API's or S3's code."""
        text = self.body.decode(errors="replace")
        try:
            code = json.loads(text)["error"]["code"]
        except (ValueError, KeyError, TypeError):
            code = text.partition("<Code>")[2].partition("</Code>")[0]
        return f"{self.status} {code}".strip()


class Client:
    """One upload's connections, kept open; one thread uses it."""

    def __init__(self, figures: Figures) -> None:
        self._figures = figures
        self._connections: dict[str, http.client.HTTPConnection] = {}

    def close(self) -> None:
        for connection in self._connections.values():
            connection.close()

    def request(
        self,
        step: Step,
        method: str,
        url: str,
        body: Callable[[], Iterable[bytes | memoryview]],
        headers: dict[str, str],
        *,
        expected: Iterable[int],
    ) -> Response:
        """body: makes a new one for each attempt; `headers` give its length. Raises UploadFailedError."""
        started, traffic, kind = time.monotonic(), self._figures.traffic, ""
        for attempt in range(1, MAX_ATTEMPTS + 1):
            retry_after_seconds = 0.0
            try:
                answer = self._send(method, url, body(), headers)
            except ConnectionError as error:
                kind = type(error).__name__
            except (OSError, http.client.HTTPException) as error:
                raise UploadFailedError(step, type(error).__name__) from error
            else:
                if answer.status in expected:
                    self._figures.took(step, time.monotonic() - started, traffic)
                    return answer
                kind = answer.kind
                if answer.status not in RETRIED_STATUSES:
                    raise UploadFailedError(step, kind)
                retry_after_seconds = float(answer.headers.get("Retry-After", 0))
            if attempt < MAX_ATTEMPTS:
                self._figures.retried(step, kind)
                longest = min(LONGEST_PAUSE_SECONDS, FIRST_PAUSE_SECONDS * 2**attempt)
                time.sleep(retry_after_seconds + random.uniform(0, longest))
        raise UploadFailedError(step, f"{kind}, {MAX_ATTEMPTS} times")

    def ask_api(self, step: Step, url: str, bearer: str, body: dict[str, Any], *, expected: Iterable[int]) -> Response:
        """POST JSON. Raises UploadFailedError."""
        encoded = json.dumps(body).encode()
        headers = {
            "Authorization": f"Bearer {bearer}",
            "Content-Type": "application/json",
            "Content-Length": str(len(encoded)),
        }
        return self.request(step, "POST", url, lambda: [encoded], headers, expected=expected)

    def _send(self, method: str, url: str, body: Iterable[bytes | memoryview], headers: dict[str, str]) -> Response:
        address = urlsplit(url)
        connection = self._connections.setdefault(
            address.netloc, http.client.HTTPConnection(address.netloc, timeout=TIMEOUT_SECONDS)
        )
        try:
            connection.request(method, f"{address.path}?{address.query}".rstrip("?"), body, headers)
            response = connection.getresponse()
            return Response(response.status, response.headers, response.read())
        except BaseException:
            connection.close()
            raise


def settle(client: Client, figures: Figures, url: str, bearer: str, body: dict[str, Any]) -> None:
    """Complete, and ask again while S3 needs longer. Raises UploadFailedError."""
    deadline = time.monotonic() + SETTLING_SECONDS
    while (answer := client.ask_api(Step.COMPLETE, url, bearer, body, expected={200, 202})).status == 202:
        if time.monotonic() > deadline:
            raise UploadFailedError(Step.COMPLETE, f"202 for {SETTLING_SECONDS:.0f} s")
        figures.asked_after_202()
        time.sleep(float(answer.headers["Retry-After"]))
