"""Event worker of one machine, and failures that do not stop it."""

import itertools
import json
import threading
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any, cast

import pytest
from botocore.exceptions import EndpointConnectionError

from local.event_worker import MAX_PARALLEL_EVENTS, EventWorker
from local.stand_in import names

S3_EVENT = json.dumps({"Records": [{"s3": {"bucket": {"name": names.VIDEO_BUCKET}}}]})


class FakeQueue:
    """Gives each of `bodies` once, then S3_EVENT. failing_deletes: how many of them meet a dead line."""

    def __init__(self, bodies: list[str], *, failing_deletes: int = 0) -> None:
        self._bodies = itertools.chain(bodies, itertools.repeat(S3_EVENT))
        self._failing_deletes = failing_deletes
        self._lock = threading.Lock()
        self.put_back: list[str] = []
        self.settled = threading.Event()

    def receive_message(self, **_: Any) -> dict[str, Any]:
        with self._lock:
            body = next(self._bodies)
        return {"Messages": [{"Body": body, "ReceiptHandle": body}]}

    def change_message_visibility(self, *, ReceiptHandle: str, **_: Any) -> None:  # noqa: N803 - SQS's own name
        self.put_back.append(ReceiptHandle)

    def delete_message(self, **_: Any) -> None:
        with self._lock:
            self._failing_deletes -= 1
            fails = self._failing_deletes >= 0
        if fails:
            raise EndpointConnectionError(endpoint_url="http://127.0.0.1:9")
        self.settled.set()


@contextmanager
def working_on(queue: FakeQueue) -> Generator[None]:
    worker = EventWorker(cast("Any", queue), "queue", {"video_processing": lambda event, context: None})
    thread = threading.Thread(target=worker.run)
    thread.start()
    try:
        yield
    finally:
        worker.stop()
        thread.join()


@pytest.mark.parametrize("body", ["no JSON", "7", "null", '{"Records": '])
def test_events_that_nobody_can_read_are_put_back_and_keep_no_other_from_being_taken(body: str) -> None:
    unreadable = [body] * (MAX_PARALLEL_EVENTS + 1)
    queue = FakeQueue(unreadable)
    with working_on(queue):
        assert queue.settled.wait(10)
    assert queue.put_back == unreadable


def test_a_queue_that_is_away_for_a_while_is_asked_again() -> None:
    queue = FakeQueue([], failing_deletes=MAX_PARALLEL_EVENTS + 1)
    with working_on(queue):
        assert queue.settled.wait(10)
