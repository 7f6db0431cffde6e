"""A flood: one user at the cap who keeps asking for new uploads."""

import multiprocessing
import threading
from collections import Counter
from multiprocessing.queues import Queue
from multiprocessing.synchronize import Event
from types import TracebackType
from typing import Self

import requests

CONNECTIONS = 40
MAX_OPEN_UPLOADS = 3
"""The cap of every user of the measured platform."""

TIMEOUT_SECONDS = 120
_PAUSE_SECONDS = 0.5


class Flood:
    """A context manager that fills the flooder's cap and gives it back; between, the flood begins and pauses.

    It asks from a process of its own: it must not slow the one that measures. answers: by status or name of the
    socket's error, known once the context is left.
    """

    def __init__(self, api_url: str, access_token: str, connections: int = CONNECTIONS) -> None:
        self._api_url, self._access_token = api_url, access_token
        self._upload_tokens: list[str] = []
        self.connections = connections
        self.answers: Counter[str] = Counter()
        # Spawned: a fork of a process with a thread for each client may hold a lock that nobody releases.
        context = multiprocessing.get_context("spawn")
        self._flowing, self._stopped = context.Event(), context.Event()
        self._told: Queue[Counter[str]] = context.Queue()
        self._process = context.Process(
            target=_flood,
            args=((api_url, access_token), connections, self._flowing, self._stopped, self._told),
            daemon=True,
        )

    def __enter__(self) -> Self:
        session = requests.Session()
        while (answer := _init(session, self._api_url, self._access_token)).status_code == 201:
            self._upload_tokens.append(answer.json()["uploadToken"])
        self._process.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is not None:
            self._process.kill()
            return
        self._stopped.set()
        self._flowing.set()
        self.answers = self._told.get(timeout=TIMEOUT_SECONDS)
        self._process.join()
        for token in self._upload_tokens:
            requests.post(
                f"{self._api_url}/multipart/abort", headers=_bearer(token), timeout=TIMEOUT_SECONDS
            ).raise_for_status()

    @property
    def open_uploads(self) -> int:
        """Uploads that the flooder holds open."""
        return len(self._upload_tokens)

    def begin(self) -> None:
        self._flowing.set()

    def pause(self) -> None:
        self._flowing.clear()


def _flood(
    asks: tuple[str, str], connections: int, flowing: Event, stopped: Event, told: "Queue[Counter[str]]"
) -> None:
    """asks: the API's address and the flooder's access token."""
    answers: Counter[str] = Counter()
    lock = threading.Lock()
    parent = multiprocessing.parent_process()

    def ask() -> None:
        session = requests.Session()
        while parent and parent.is_alive():
            if not flowing.wait(_PAUSE_SECONDS):
                continue
            if stopped.is_set():
                return
            try:
                status = str(_init(session, *asks).status_code)
            except requests.RequestException as error:
                status = type(error).__name__
            with lock:
                answers[status] += 1

    threads = [threading.Thread(target=ask) for _ in range(connections)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    told.put(answers)


def _init(session: requests.Session, api_url: str, access_token: str) -> requests.Response:
    body = {"fileName": "film.mp4", "contentType": "video/mp4", "sizeBytes": 100}
    return session.post(f"{api_url}/multipart/init", json=body, headers=_bearer(access_token), timeout=TIMEOUT_SECONDS)


def _bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}
