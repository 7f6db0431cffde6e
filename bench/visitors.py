"""Visitors: users who upload nothing and look at their lists in turn, round after round."""

import threading
from collections import Counter
from collections.abc import Sequence
from types import TracebackType
from typing import Self

from bench.upload_client import Client, Figures, Step, UploadFailedError

THREADS = 4
PAUSE_SECONDS = 0.2
_LISTS = ((Step.LIST_VIDEOS, "videos"), (Step.LIST_UPLOADS, "uploads"))


class Visitors:
    """A context manager; it is left once every visitor has looked at both lists.

    visits: so far. failures: refused calls, and entries of other users that a visitor saw.
    """

    def __init__(self, api_url: str, access_tokens: Sequence[str], figures: Figures) -> None:
        self._api_url, self._access_tokens, self._figures = api_url, access_tokens, figures
        self.visits = 0
        self.failures: Counter[str] = Counter()
        self._lock = threading.Lock()
        self._leaving = threading.Event()
        self._interrupted = False
        self._threads = [threading.Thread(target=self._visit, daemon=True) for _ in range(THREADS)]

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._interrupted = kind is not None
        self._leaving.set()
        if not self._interrupted:
            for thread in self._threads:
                thread.join()

    def _visit(self) -> None:
        client = Client(self._figures)
        while (access_token := self._next_visitor()) is not None:
            for step, name in _LISTS:
                try:
                    self._look(client, step, name, access_token)
                except UploadFailedError as error:
                    self._note_failure(str(error))
            self._leaving.wait(PAUSE_SECONDS)
        client.close()

    def _look(self, client: Client, step: Step, name: str, access_token: str) -> None:
        headers = {"Authorization": f"Bearer {access_token}", "Content-Length": "0"}
        answer = client.request(step, "GET", f"{self._api_url}/{name}", lambda: (), headers, expected={200})
        if answer.json()[name]:
            self._note_failure(f"{step}: shows what is somebody else's")

    def _next_visitor(self) -> str | None:
        with self._lock:
            if self._interrupted or (self._leaving.is_set() and self.visits >= len(self._access_tokens)):
                return None
            self.visits += 1
            return self._access_tokens[(self.visits - 1) % len(self._access_tokens)]

    def _note_failure(self, kind: str) -> None:
        with self._lock:
            self.failures[kind] += 1
