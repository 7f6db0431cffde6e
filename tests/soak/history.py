"""One random history of the platform: two users, a hostile one, AWS with its events and its schedule, and trouble.

A history is its seed: the same seed makes the same steps. `run` plays it, lets everything come to rest and returns the
promises that were broken.
"""

from __future__ import annotations

import logging
import random
from collections.abc import Callable, Generator, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from datetime import timedelta
from unittest import mock

from bench.index_watch import differences
from chalicelib.core.completion import Outcome
from chalicelib.core.errors import PlatformError, UploadNotFoundError, VideoNotFoundError
from chalicelib.core.index.reading import TELLING_TIME
from chalicelib.core.part_plan import MIN_PART_BYTES
from chalicelib.core.ports import StoredObject, UploadGoneError
from chalicelib.core.upload_requests import OWN, CompleteUpload, StartUpload
from chalicelib.core.upload_token import UploadToken
from chalicelib.core.video_id import VideoRef
from chalicelib.core.video_record import VideoRecord
from tests.in_memory_platform import CAPS, InMemoryPlatform, platform_in_memory
from tests.soak.attempt import Attempt, content_of, part_of
from tests.soak.interference import TROUBLES, Interference
from tests.soak.links import Links, miscounted
from tests.soak.promises import MAX_STORED_BYTES, MAX_STORED_VIDEOS, broken_at_rest, broken_limits
from tests.soak.renditions import broken_promises
from tests.soak.scanner import POLICIES, Scanner

USERS = ("alice", "bob")
STEPS = 60
SIZES = (1, 4_096, 4_096, MIN_PART_BYTES + 10)
FORM_TTL_SECONDS = 15 * 60


class History:
    """seed: decides everything."""

    def __init__(self, seed: int) -> None:
        self.rng = random.Random(seed)
        policy = self.rng.choice(POLICIES)
        # Every other history limits what is stored.
        limits = {"max_stored_bytes": MAX_STORED_BYTES, "max_stored_videos": MAX_STORED_VIDEOS} if seed % 2 else {}
        self.platform: InMemoryPlatform = platform_in_memory(policy, replace(CAPS, **limits))
        if seed % 3 == 0:
            self.platform.change_renditions(makes=True)
        self.scanner = Scanner(self.platform, self.rng, policy)
        self.links = Links(self.platform, self.rng)
        self.attempts: list[Attempt] = []
        self.events: list[tuple[str, str]] = []
        self.seen: set[tuple[str, str]] = set()
        self.broken: list[str] = []
        self.steps: list[str] = []
        self._depth = 0
        self.interference = Interference(self.platform, self.rng, self._other_work)

    def run(self, steps: int = STEPS) -> list[str]:
        """The promises that were broken, in words."""
        with self._deterministic():
            for owner in (None, *USERS):
                self.platform.folding.rebuild(owner)
            for _ in range(steps):
                self._step()
                self._check_limits()
            self._come_to_rest()
            self._check_promises()
        return self.broken

    @contextmanager
    def _deterministic(self) -> Generator[None]:
        """One thread at a time, and ids drawn by the seed: the races are the ones that `Interference` makes.

        Silent: the troubles of a history would fill a log.
        """
        with ExitStack() as patches:
            patches.callback(logging.disable, logging.root.manager.disable)
            logging.disable(logging.CRITICAL)
            for parallel in (
                "janitor.PARALLEL_LOOKS",
                "records._PARALLEL_READS",
                "multipart_upload._PARALLEL_CALLS",
            ):
                patches.enter_context(mock.patch(f"chalicelib.core.{parallel}", 1))
            drawn = mock.patch("secrets.token_hex", lambda size_bytes: self.rng.randbytes(size_bytes).hex())
            patches.enter_context(drawn)
            yield

    # Steps

    def _step(self) -> None:
        name, action = self.rng.choices(*zip(*self._actions(), strict=True))[0]
        self.steps.append(f"{'  ' * self._depth}{name}")
        trouble = self.interference.plan() if self._depth == 0 else None
        if trouble:
            self.steps[-1] += f" ({trouble.what} call {trouble.at_call})"
        self.interference.during(trouble, lambda: self._attempt(name, action))
        self._collect_events()

    def _other_work(self) -> None:
        if self._depth == 0:
            self._depth = 1
            try:
                self._step()
            finally:
                self._depth = 0

    def _attempt(self, name: str, action: Callable[[], None]) -> None:
        try:
            action()
        except (PlatformError, UploadGoneError):
            return
        except TROUBLES:
            raise
        except Exception as error:
            self.broken.append(f"{name} failed with {error!r}")

    def _actions(self) -> Iterator[tuple[tuple[str, Callable[[], None]], float]]:
        weights: list[tuple[str, Callable[[], None], float]] = [
            ("start an upload", self._start, 5),
            ("make a link", lambda: self.links.make(self.rng.choice(USERS)), 2),
            ("start an upload by a link", self._start_by_a_link, 6),
            ("revoke a link", self.links.revoke, 0.2),
            ("repeat an init", self._repeat_init, 2),
            ("send a part", self._send_part, 9),
            ("sign or list parts", self._go_on, 3),
            ("complete", self._complete, 8),
            ("abort", self._abort, 1),
            ("delete", self._delete, 2),
            ("look at the library", self._look, 1),
            ("offer a form", self._offer_form, 2),
            ("send a form", self._send_form, 4),
            ("deliver an event", self._deliver, 9),
            ("repeat an old event", self._repeat_event, 2),
            ("lose an event", self._lose_event, 1),
            ("deliver a verdict", self.scanner.deliver, 6),
            ("repeat an old verdict", lambda: self.scanner.repeat(self.seen), 1),
            ("lose a verdict", self.scanner.lose, 1),
            ("change the scan setting", self.scanner.change_policy, 0.1),
            ("sweep", self._sweep, 4),
            ("let time pass", self._pass_time, 5),
            ("attack", self._attack, 3),
        ]
        for name, action, weight in weights:
            yield (name, action), weight

    def _start(self) -> None:
        content = content_of(self.rng.choice(SIZES), self.rng.randrange(256))
        attempt = Attempt(self.rng.choice(USERS), f"attempt-{len(self.attempts)}", content)
        self.attempts.append(attempt)
        self._init(attempt)

    def _start_by_a_link(self) -> None:
        if link := self.links.one():
            content = content_of(self.rng.choice(SIZES), self.rng.randrange(256))
            attempt = Attempt(link.owner, f"attempt-{len(self.attempts)}", content, link)
            self.attempts.append(attempt)
            self._init(attempt)

    def _repeat_init(self) -> None:
        if attempt := self._one(lambda each: each.form_sendable_until is None and not each.is_deleted):
            self._init(attempt)

    def _init(self, attempt: Attempt) -> None:
        link = self.links.opened(attempt.link) if attempt.link else None
        origin = link.origin("Ada") if link else OWN
        request = StartUpload("film.mp4", "video/mp4", len(attempt.content), origin=origin)
        started = self.platform.uploads.start(attempt.owner, request, attempt.correlation_id, link)
        ref = started.record.ref
        if attempt.ref not in {None, ref}:
            # The earlier one ended: its correlation id begins another upload.
            attempt = Attempt(attempt.owner, attempt.correlation_id, attempt.content, attempt.link, is_restarted=True)
            self.attempts.append(attempt)
        attempt.ref, attempt.upload_id = ref, started.upload_id
        attempt.part_size_bytes = started.record.part_size_bytes
        attempt.token = self.platform.tokens.verify(started.token)

    def _send_part(self) -> None:
        attempt = self._one(lambda each: each.upload_id is not None)
        if attempt is None or attempt.upload_id is None:
            return
        count = -(-len(attempt.content) // attempt.part_size_bytes)
        missing = [number for number in range(1, count + 1) if number not in attempt.etags]
        number = self.rng.choice(missing or [1])
        part = part_of(attempt.content, number, attempt.part_size_bytes)
        attempt.etags[number] = self.platform.videos.put_part(attempt.upload_id, number, part)

    def _go_on(self) -> None:
        attempt = self._one(lambda each: each.token is not None)
        if attempt is None or attempt.token is None:
            return
        if self.rng.random() < 0.5:
            self.platform.uploads.stored_parts(attempt.token)
        else:
            record = self.platform.uploads.find_open(attempt.token)
            self.platform.uploads.sign_parts(attempt.token, record, {1: None})

    def _complete(self) -> None:
        attempt = self._one(lambda each: bool(each.token and each.etags))
        if attempt is None or attempt.token is None:
            return
        request = CompleteUpload(dict(attempt.etags), None, None, None)
        completion = self.platform.completions.complete(attempt.token, request)
        if completion.outcome is Outcome.COMPLETED:
            attempt.is_promised = True

    def _abort(self) -> None:
        attempt = self._one(lambda each: each.token is not None)
        if attempt is None or attempt.token is None:
            return
        self.platform.uploads.abort(attempt.token)
        attempt.is_aborted = True

    def _delete(self) -> None:
        attempt = self._one(lambda each: each.ref is not None)
        if attempt is None or attempt.ref is None:
            return
        is_troubled = self.interference.is_planned
        self.platform.library.delete(attempt.ref)
        attempt.is_deleted = True
        # A write whose index could not be told is read from its record after a while.
        attempt.unlisted_from = self.platform.clock() + (TELLING_TIME if is_troubled else timedelta())

    def _look(self) -> None:
        owner = self.rng.choice(USERS)
        now = self.platform.clock()
        gone = [each for each in self.attempts if each.unlisted_from and each.unlisted_from <= now]
        deleted = {each.ref.video_id for each in gone if each.ref}
        for video in self.platform.library.page(owner, 24, "")[0]:
            if video.record.video_id in deleted:
                self.broken.append(f"{video.record.video_id} is listed after its deletion was acknowledged")
        self.platform.uploads.open_uploads(owner, with_tokens=True)

    def _offer_form(self) -> None:
        content = content_of(4_096, self.rng.randrange(256))
        attempt = Attempt(self.rng.choice(USERS), f"form-{len(self.attempts)}", content)
        offered = self.platform.simple_uploads.start(attempt.owner, StartUpload("film.mp4", "video/mp4", len(content)))
        attempt.ref, attempt.form_sendable_until = offered.ref, offered.expires_at
        self.attempts.append(attempt)

    def _send_form(self) -> None:
        now = self.platform.clock()
        attempt = self._one(lambda each: each.form_sendable_until is not None and now < each.form_sendable_until)
        if attempt and attempt.ref:
            self.platform.videos.put_object(attempt.ref.file_key, attempt.content)
            attempt.is_promised = True

    def _deliver(self) -> None:
        if not self.events:
            return
        event = self.rng.choice(self.events)
        self.platform.processing.process(StoredObject(*event))
        # Failed events are delivered again, and so is one in five of the others.
        if self.rng.random() > 0.2 and event in self.events:
            self.events.remove(event)

    def _repeat_event(self) -> None:
        if self.seen:
            self.platform.processing.process(StoredObject(*self.rng.choice(sorted(self.seen))))

    def _lose_event(self) -> None:
        if self.events:
            self.events.remove(self.rng.choice(self.events))

    def _sweep(self) -> None:
        self.platform.janitor.sweep()
        self.platform.folding.fold()

    def _pass_time(self) -> None:
        spans = [30, 90, 150, 400, 1_200, 3_700, 5 * 3_600, 26 * 3_600, 8 * 24 * 3_600]
        self.platform.clock.pass_time(seconds=self.rng.choices(spans, [8, 6, 6, 5, 4, 4, 2, 1, 1])[0])

    def _attack(self) -> None:
        """Mallory knows every id there is, and owns nothing."""
        attempt = self._one(lambda each: each.ref is not None)
        if attempt is None or attempt.ref is None:
            return
        ref = VideoRef("mallory", attempt.ref.video_id)
        for reach in (self.platform.library.show, self.platform.library.delete):
            try:
                reach(ref)
            except VideoNotFoundError:
                continue
            self.broken.append(f"mallory reached {attempt.ref.video_id}")
        token = UploadToken("k1", "mallory", ref.video_id, ref.file_key, attempt.upload_id or "upload-0", 2**40)
        request = CompleteUpload(dict(attempt.etags) or {1: '"e"'}, None, None, None)
        for attack in (
            lambda: self.platform.completions.complete(token, request),
            lambda: self.platform.uploads.abort(token),
            lambda: self.platform.uploads.find_open(token),
        ):
            try:
                attack()
            except UploadNotFoundError:
                continue
            self.broken.append(f"mallory's token opened {attempt.ref.video_id}")

    def _one(self, fits: Callable[[Attempt], bool]) -> Attempt | None:
        fitting = [attempt for attempt in self.attempts if fits(attempt)]
        return self.rng.choice(fitting) if fitting else None

    # What AWS does by itself

    def _collect_events(self) -> None:
        stored = {
            (key, each.version_id) for key, versions in self.platform.videos.versions.items() for each in versions
        }
        asked = set(self.platform.trigger.triggered)
        self.platform.trigger.triggered.clear()
        self.events += sorted((stored - self.seen) | asked)
        self.scanner.collect(stored - self.seen)
        self.seen |= stored

    def _come_to_rest(self) -> None:
        """No more trouble: every event that is left is delivered, and the schedule runs for nine days."""
        self.steps.append("everything comes to rest")
        spans = [6 * 60, 3 * 60, 5 * 60, 9 * 60, 17 * 60, 17 * 60, 2 * 3_600, 8 * 24 * 3_600, *[17 * 60] * 4]
        for seconds in spans:
            self.platform.clock.pass_time(seconds=seconds)
            self.interference.during(None, lambda: self._attempt("rest", self._settle_once))

    def _settle_once(self) -> None:
        self.platform.janitor.sweep()
        self.platform.folding.fold()
        self._collect_events()
        while self.events or self.scanner.undelivered:
            if self.scanner.undelivered:
                self.scanner.finish_one()
            else:
                self.platform.processing.process(StoredObject(*self.events.pop()))
            self._collect_events()

    # Promises

    def _check_limits(self) -> None:
        for owner in USERS:
            records = list(self.all_records(owner))
            self.broken += broken_limits(self.platform, owner, records)
            self.broken += self.links.overdrawn(records)

    def _check_promises(self) -> None:
        records = {record.ref: record for owner in USERS for record in self.all_records(owner)}
        self.broken += broken_at_rest(self.platform, self.scanner, self.attempts, records)
        self.broken += miscounted(self.platform, records.values())
        self.broken += broken_promises(self.platform, records)
        self.broken += differences(self.platform.library.index, records.values())

    def all_records(self, owner: str) -> Iterator[VideoRecord]:
        refs = self.platform.records.refs_newest_first(owner)
        # One by one: `read_each` starts a thread for each look at the caps, which is most of a history's time.
        yield from (record for ref in refs if (record := self.platform.records.find(ref)))
