"""Concurrent parts: a few threads, each with its own connection, buffer and retries."""

from __future__ import annotations

import queue
import threading
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from video_upload.backoff import Backoff, Interruption
from video_upload.connections import Connections
from video_upload.errors import FileUnreadableError, PartFailedError, UploadCancelledError, UploadLostError
from video_upload.events import BytesSent, PartRetried, PartUrlRenewed, Report
from video_upload.part_sender import PartSender, Refused, Stored
from video_upload.part_urls import PartUrls
from video_upload.rate_limit import RateLimit
from video_upload.upload_journal import SentPart
from video_upload.video_file import PartLayout, PartReader, VideoFile

RENEWALS_PER_PART = 3
JOIN_SECONDS = 5.0


@dataclass(frozen=True, kw_only=True)
class TransferOptions:
    """Options for sending parts.

    parallel: parts of one file sent at once. connections, rate_limit: of all of them together, and of other files.
    interruption: requested to stop. report: told what happens, from any thread.
    """

    parallel: int
    connections: Connections
    backoff: Backoff
    interruption: Interruption
    report: Report
    rate_limit: RateLimit | None = None


class PartTransfer:
    """Sends parts of one file; use once.

    Memory is one buffer per worker, for files and parts of any size.
    """

    def __init__(
        self,
        *,
        video_id: str,
        file: VideoFile,
        layout: PartLayout,
        urls: PartUrls,
        options: TransferOptions,
    ) -> None:
        self._video_id = video_id
        self._file = file
        self._layout = layout
        self._urls = urls
        self._options = options
        self._backoff = options.backoff
        self._interruption = Interruption()
        self._report = options.report
        self._wants_checksums = False
        """The store has refused a part for want of its checksum: the others are signed with theirs at once."""
        self._waiting: deque[int] = deque()
        self._results: queue.SimpleQueue[SentPart | BaseException] = queue.SimpleQueue()
        self._senders: list[PartSender] = []

    def send(self, part_numbers: Iterable[int], on_stored: Callable[[SentPart], None]) -> None:
        """Return when all are stored; on the first failure stop all workers and raise it.

        Raises PartFailedError, FileChangedError, UploadLostError, UploadCancelledError and what the API raises.

        on_stored: called in this thread, once for each part.
        """
        self._waiting.extend(part_numbers)
        unfinished = len(self._waiting)
        # Daemons: a worker stuck in a system call must not keep the process from ending.
        workers = [
            threading.Thread(target=self._work, name=f"part-sender-{index}", daemon=True)
            for index in range(min(self._options.parallel, unfinished))
        ]
        try:
            for worker in workers:
                worker.start()
            while unfinished:
                result = self._next_result()
                if isinstance(result, BaseException):
                    raise result
                on_stored(result)
                unfinished -= 1
        finally:
            self._stop(workers)

    def _next_result(self) -> SentPart | BaseException:
        while True:
            self._options.interruption.check()
            try:
                return self._results.get(timeout=0.2)
            except queue.Empty:
                continue

    def _stop(self, workers: Iterable[threading.Thread]) -> None:
        self._waiting.clear()
        self._interruption.request()
        for sender in self._senders:
            sender.hang_up()
        for worker in workers:
            if worker.ident is not None:
                worker.join(JOIN_SECONDS)

    def _work(self) -> None:
        try:
            reader = PartReader(self._file, self._layout)
        except FileUnreadableError as error:
            self._results.put(error)
            return
        sender = PartSender(reader, self._options.connections, self._interruption, self._options.rate_limit)
        self._senders.append(sender)
        try:
            while self._waiting:
                try:
                    part_number = self._waiting.popleft()
                except IndexError:
                    return  # another worker took the last one
                self._results.put(self._send_part(sender, part_number))
        except UploadCancelledError:
            return
        except BaseException as error:  # carried to the caller's thread
            self._results.put(error)
        finally:
            reader.close()

    def _send_part(self, sender: PartSender, part_number: int) -> SentPart:
        failures = renewals = 0
        while True:
            self._interruption.check()
            if self._wants_checksums and not self._urls.has_checksum(part_number):
                self._urls.renew_with_checksum(part_number, sender.crc64nvme(part_number))
            with self._options.connections.turn(self._interruption):
                outcome = self._send_once(sender, part_number)
            if isinstance(outcome, Stored):
                self._urls.forget(part_number)
                return SentPart(part_number=part_number, etag=outcome.etag, crc64nvme=outcome.crc64nvme)
            if outcome.status == 404:
                raise UploadLostError(self._video_id, outcome.reason)
            if outcome.status == 403 and renewals < RENEWALS_PER_PART:
                renewals += 1
                self._urls.renew(part_number)
                self._report(PartUrlRenewed(part_number=part_number))
                continue
            if outcome.lacks_checksum and not self._urls.has_checksum(part_number):
                self._wants_checksums = True
                self._report(PartUrlRenewed(part_number=part_number))
                continue
            failures += 1
            if not outcome.may_pass or failures >= self._backoff.tries:
                raise PartFailedError(part_number, failures + renewals, outcome.reason)
            if outcome.status is None and failures % 2 == 0:
                # The answer to an expired URL can be lost when S3 hangs up in the middle of the body.
                self._urls.renew(part_number)
            wait_seconds = self._backoff.wait_seconds(failures)
            self._report(
                PartRetried(
                    part_number=part_number, failures=failures, wait_seconds=wait_seconds, reason=outcome.reason
                )
            )
            self._interruption.pause(wait_seconds)

    def _send_once(self, sender: PartSender, part_number: int) -> Stored | Refused:
        part = self._urls.get(part_number)
        if part.size_bytes != self._layout.length_bytes(part_number):
            raise PartFailedError(part_number, 0, f"the platform signed {part.size_bytes} bytes for it")
        sent_bytes = 0

        def count(sent: int) -> None:
            nonlocal sent_bytes
            sent_bytes += sent
            self._report(BytesSent(count=sent))

        outcome = sender.send(part, count)
        if isinstance(outcome, Refused) and sent_bytes:
            self._report(BytesSent(count=-sent_bytes))
        return outcome
