"""A function that dies, or is refused, at any of its calls to the outside: whatever was begun comes to one end."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Literal

import pytest

from chalicelib.core.idempotency_keys import STARTING_TIME
from chalicelib.core.janitor import Janitor
from chalicelib.core.malware_scan import NO_SCAN, ScanPolicy, ScanResult, ScanVerdict
from chalicelib.core.open_videos import OpenVideo
from chalicelib.core.ports import StoredObject
from chalicelib.core.upload_links import NewLink, UploadLink
from chalicelib.core.upload_requests import OWN, StartUpload
from chalicelib.core.upload_token import LinkToken
from chalicelib.core.video_record import VideoRecord
from tests.in_memory_platform import CAPS, OWNER, InMemoryPlatform, Transfer, platform_in_memory
from tests.outside_calls import Interruption, KilledError
from tests.soak.links import miscounted

MOST_CALLS = 200
TWO_VIDEOS = NewLink(title="Match day", note=None, valid=timedelta(days=30), max_videos=2, max_bytes=8192)
"""Room for the video, and for what an interrupted init of it leaves until the janitor comes."""
SCANNED_ENDS = {
    "inspected, then scanned": ScanResult.CLEAN,
    "scanned, then inspected": ScanResult.CLEAN,
    "scanned when asked": ScanResult.CLEAN,
    "inspected, then infected": ScanResult.INFECTED,
    "infected, then inspected": ScanResult.INFECTED,
}
BY_A_LINK = {"by a link": "ready", "by a link, deleted": "deleted", "by a link, aborted": "aborted"}
STATES_AT_THE_END = {
    "deleted": [],
    "aborted": ["aborted"],
    "ready": ["ready"],
    **{end: [] if state == "deleted" else [state] for end, state in BY_A_LINK.items()},
    **{end: ["ready" if result is ScanResult.CLEAN else "rejected"] for end, result in SCANNED_ENDS.items()},
}


@dataclass
class Aws:
    """AWS's own activity: S3's events and the scanner's verdicts, repeated until they have succeeded, and the schedule.

    verdict: on every version; None where nothing is scanned.
    """

    platform: InMemoryPlatform
    verdict: ScanResult | None = None
    heard_of: set[tuple[str, str]] = field(default_factory=set[tuple[str, str]])
    scanned: set[tuple[str, str]] = field(default_factory=set[tuple[str, str]])

    def deliver_events(self) -> None:
        asked = set(self.platform.trigger.triggered)
        for event in sorted((self._stored() - self.heard_of) | asked):
            self.platform.processing.process(StoredObject(*event))
            self.heard_of.add(event)
        self.platform.trigger.triggered.clear()

    def deliver_verdicts(self) -> None:
        if self.verdict is None:
            return
        for key, version_id in sorted((self._stored() - self.scanned) | set(self.platform.scanner.requested)):
            self.platform.scan_verdicts.receive(ScanVerdict(key, version_id, "", self.verdict))
            self.scanned.add((key, version_id))
        self.platform.scanner.requested.clear()

    def lose_verdicts(self) -> None:
        self.scanned |= self._stored()

    def _stored(self) -> set[tuple[str, str]]:
        versions = self.platform.videos.versions
        return {(key, version.version_id) for key, of_key in versions.items() for version in of_key}

    def recover(self) -> None:
        for span in ({"minutes": 6}, {"minutes": 16}, {"minutes": 16}, {"days": 8}, {"minutes": 16}, {"minutes": 16}):
            self.platform.clock.pass_time(**span)
            self.platform.janitor.sweep()
            self.deliver_verdicts()
            self.deliver_events()


def live(aws: Aws, end: str, link: UploadLink | None, *, comes_back: bool) -> None:
    """The whole life of one video, each step by another function.

    link: by which it comes. comes_back: its client asks again once.
    """
    platform = aws.platform
    begun: list[Transfer] = []
    etags: dict[int, str] = {}

    def start() -> None:
        opened = link and platform.links.open(LinkToken("k1", link.owner, link.link_id))
        request = StartUpload("film.mp4", "video/mp4", 4096, origin=opened.origin("Ada") if opened else OWN)
        started = platform.uploads.start(OWNER, request, "one-upload", opened)
        begun.append(Transfer(platform, started, platform.tokens.verify(started.token)))

    def complete() -> None:
        etags.update({} if etags else begun[-1].send_parts())
        platform.completions.complete(begun[-1].token, begun[-1].completion(etags))

    steps: dict[str, list[Callable[[], object]]] = {
        "ready": [start, complete, aws.deliver_events, platform.janitor.sweep],
        "deleted": [
            start,
            complete,
            aws.deliver_events,
            lambda: platform.library.delete(begun[-1].token.ref),
            platform.janitor.sweep,
        ],
        "aborted": [start, lambda: platform.uploads.abort(begun[-1].token), platform.janitor.sweep],
        "inspected, then scanned": [start, complete, aws.deliver_events, aws.deliver_verdicts, aws.deliver_events],
        "scanned, then inspected": [start, complete, aws.deliver_verdicts, aws.deliver_events, platform.janitor.sweep],
        "scanned when asked": [start, complete, aws.lose_verdicts, aws.deliver_events, platform.janitor.sweep],
        "inspected, then infected": [start, complete, aws.deliver_events, aws.deliver_verdicts, aws.deliver_events],
        "infected, then inspected": [start, complete, aws.deliver_verdicts, aws.deliver_events, platform.janitor.sweep],
    }
    for step in steps[BY_A_LINK.get(end, end)]:
        try:
            step()
        except (KilledError, ConnectionError):
            if not comes_back:
                return
            platform.clock.pass_time(seconds=STARTING_TIME.total_seconds())
            step()


def interrupted_at_each_call(
    error: type[BaseException], when: Literal["before", "after"], end: str, *, comes_back: bool
) -> Iterator[tuple[InMemoryPlatform, str]]:
    """The platform after everything has come to rest, and what was interrupted; the last time nothing was."""
    for call_number in range(1, MOST_CALLS):
        caps = replace(CAPS, max_stored_bytes=TWO_VIDEOS.max_bytes, max_stored_videos=TWO_VIDEOS.max_videos)
        platform = platform_in_memory(ScanPolicy(is_on=True) if end in SCANNED_ENDS else NO_SCAN, caps)
        link = platform.links.make(OWNER, TWO_VIDEOS) if end in BY_A_LINK else None
        interruption = Interruption(platform, call_number, when, error)
        aws = Aws(platform, SCANNED_ENDS.get(end))
        live(aws, end, link, comes_back=comes_back)
        interruption.is_armed = False
        aws.recover()
        yield platform, f"{error.__name__} {when} call {call_number}"
        if interruption.calls_left > 0:
            return
    pytest.fail(f"a video's life takes more than {MOST_CALLS} calls")


def all_records(platform: InMemoryPlatform) -> list[VideoRecord]:
    return [record for record in platform.records.read_each(platform.records.refs_newest_first(OWNER)) if record]


def states_of(platform: InMemoryPlatform) -> list[str]:
    return sorted(record.state.value for record in platform.records.newest_first(OWNER))


EVENT_OF = {"ready": "video.ready", "rejected": "video.rejected", "expired": "video.failed"}


def told_of(platform: InMemoryPlatform) -> set[str]:
    """Types of the events that subscribers were told of."""
    return {str(message["type"]) for message in platform.notifier.messages}


def visible_in(platform: InMemoryPlatform) -> list[str]:
    return [key for key in platform.videos.versions if platform.videos.visible(key) is not None]


def verdicts_in(platform: InMemoryPlatform) -> set[str | None]:
    return {platform.videos.versions[key][-1].tags.get("verdict") for key in visible_in(platform)}


every_end = pytest.mark.parametrize("end", STATES_AT_THE_END)
before_or_after = pytest.mark.parametrize("when", ["before", "after"])
killed_or_refused = pytest.mark.parametrize("error", [KilledError, ConnectionError])


@every_end
@before_or_after
@killed_or_refused
def test_an_abandoned_upload_is_complete_or_gone_and_holds_no_place(
    error: type[BaseException], when: Literal["before", "after"], end: str
) -> None:
    where, states = "", []
    for platform, where in interrupted_at_each_call(error, when, end, comes_back=False):
        states = states_of(platform)
        earlier = "ready" if BY_A_LINK.get(end, end) == "deleted" else "aborted"
        assert set(states) <= {*STATES_AT_THE_END[end], earlier, "expired"}, where
        is_settled = states in (["ready"], ["rejected"])
        assert bool(visible_in(platform)) == is_settled, where
        assert verdicts_in(platform) == (
            {"ready": {"accepted"}, "rejected": {"rejected"}}[states[0]] if is_settled else set()
        ), where
        assert not list(platform.records.markers()), where
        assert not list(miscounted(platform, all_records(platform))), where
        assert told_of(platform) >= {EVENT_OF[state] for state in states if state in EVENT_OF}, where
        assert not told_of(platform) or states != ["aborted"], where
    assert states == STATES_AT_THE_END[end], f"{where}: nothing was interrupted"


@every_end
@before_or_after
@killed_or_refused
def test_a_repeated_request_is_carried_out_once(
    error: type[BaseException], when: Literal["before", "after"], end: str
) -> None:
    for platform, where in interrupted_at_each_call(error, when, end, comes_back=True):
        states = states_of(platform)
        assert states == STATES_AT_THE_END[end], where
        assert len(visible_in(platform)) == states.count("ready") + states.count("rejected"), where
        assert not list(platform.records.markers()), where
        assert not list(miscounted(platform, all_records(platform))), where
        for counted in ("uploads_completed_count", "uploads_aborted_count", "videos_deleted_count"):
            assert sum(platform.meter.values[counted]) <= 1, where
        assert sum(platform.meter.values["uploads_ready_count"]) <= 1, where
        was_ready = sum(platform.meter.values["uploads_ready_count"]) == 1
        wanted = {
            *(["video.ready"] if was_ready else []),
            *(["video.deleted"] if BY_A_LINK.get(end, end) == "deleted" else []),
        }
        assert told_of(platform) >= wanted, where
        ids = [message["id"] for message in platform.notifier.messages]
        assert len(ids) <= len(set(ids)) + 1, where
        assert len(set(ids)) == len(told_of(platform)), where


def test_a_link_that_does_not_count_what_the_janitor_settles_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    remove_markers = Janitor._remove_markers

    def give_back(self: Janitor, open_video: OpenVideo) -> None:
        for use in self.records.uses(open_video.ref.owner):
            if use.ref == open_video.ref:
                self.records.release_use(use.ref, use.size_bytes, use.link_id)
        remove_markers(self, open_video)

    monkeypatch.setattr(Janitor, "_remove_markers", give_back)
    ends = interrupted_at_each_call(KilledError, "before", "by a link", comes_back=False)
    assert any(list(miscounted(platform, all_records(platform))) for platform, _ in ends)
