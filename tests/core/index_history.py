"""Histories of the index: writes, foldings, and deaths between their calls."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from hypothesis import strategies as st

from chalicelib.core.index.lines import LISTED_STATES, Line, record_in
from chalicelib.core.index.queries import NEWEST_FIRST
from chalicelib.core.labels import Labels
from chalicelib.core.part_plan import MIN_PART_BYTES
from chalicelib.core.records import Change
from chalicelib.core.upload_requests import StartUpload
from chalicelib.core.video_id import VideoRef, new_video_id
from chalicelib.core.video_record import Deleter, State, VideoRecord
from tests.in_memory_platform import OWNER, InMemoryPlatform, platform_in_memory
from tests.outside_calls import KilledError, around_calls

OWNERS = (OWNER, "somebody-else")
CALLS = {"metadata": ("get", "get_newer", "put", "put_if_new", "put_if_unchanged", "retire_if_unchanged", "delete")}
LAST_CALL = 14


@dataclass(frozen=True)
class Step:
    """One write or folding, and what happens at one of its calls: its death before or after it, or another step."""

    what: str
    number: int
    at_call: int
    trouble: str


STEPS = st.builds(
    Step,
    what=st.sampled_from(
        ["begin", "edit", "settle", "complete", "delete", "fold", "fold", "rebuild", "rebuild stage", "repeat"]
    ),
    number=st.integers(0, 9),
    at_call=st.integers(1, LAST_CALL),
    trouble=st.sampled_from(
        ["none", "none", "dies before", "dies after", "begin", "edit", "complete", "delete", "fold", "rebuild"]
    ),
)


class History:
    """One history in one bucket. removed_keys: changes that were folded in, which come back as doubled ones."""

    def __init__(self) -> None:
        self.platform = platform_in_memory()
        self.refs: list[VideoRef] = []
        self.removed_keys: list[str] = []
        self._step: Step | None = None
        self._calls = 0
        metadata: Any = self.platform.metadata
        delete = metadata.delete

        def remembering(key: str) -> None:
            self.removed_keys.append(key)
            delete(key)

        metadata.delete = remembering
        around_calls(self.platform, CALLS, self._around)

    def _around(self, _name: str, _arguments: tuple[Any, ...], call: Callable[[], Any]) -> Any:
        step = self._step
        self._calls += 1
        if step is None or self._calls != step.at_call or step.trouble == "none":
            return call()
        self._step = None
        if step.trouble == "dies before":
            raise KilledError
        if step.trouble == "dies after":
            call()
            raise KilledError
        self.do(step.trouble, step.number + 1)
        return call()

    def take(self, step: Step) -> bool:
        """Return whether the step came to its end."""
        self._step, self._calls = step, 0
        try:
            self.do(step.what, step.number)
        except KilledError:
            return False
        finally:
            self._step = None
        return True

    def do(self, what: str, number: int) -> None:
        platform = self.platform
        platform.clock.pass_time(seconds=1)
        ref = self.refs[number % len(self.refs)] if self.refs else None
        match what:
            case "begin":
                new = new_record(platform, OWNERS[number % 2])
                self.refs.append(new.ref)
                platform.records.create(new)
            case "edit" if ref:
                platform.records.change(ref, lambda current: current.labelled(Labels(title=f"{number} Ä")))
            case "settle" if ref:
                platform.records.change(ref, lambda current: moved(current, State.UPLOADING, State.READY, platform))
            case "complete" if ref:
                complete(platform, ref)
            case "delete" if ref:
                platform.records.change(ref, lambda current: deleted(current, platform))
            case "fold":
                platform.folding.fold()
            case "rebuild" | "rebuild stage":
                platform.folding.rebuild(OWNERS[number % 2] if what == "rebuild" else None)
            case "repeat":
                for key in self.removed_keys[-3:]:
                    platform.metadata.put(key, b"", "")
            case _:
                pass

    def truth(self, owner: str | None) -> dict[str, tuple[str, str | None]]:
        records = [self.platform.records.find(ref) for ref in self.refs if owner in {ref.owner, None}]
        return {
            f"{record.video_id}/{record.owner}": (record.state.value, record.title)
            for record in records
            if record and record.state in LISTED_STATES
        }

    def shown(self, owner: str | None) -> dict[str, tuple[str, str | None]] | None:
        view = self.platform.library.index.view(owner)
        if view is None:
            return None
        lines: list[Line] = []
        cursor: str | None = ""
        while cursor is not None:
            page, cursor = view.page(NEWEST_FIRST, 3, cursor)
            lines += page
        assert [line.key for line in lines] == sorted({line.key for line in lines})
        records = {line.key: record_in(line.facts) for line in lines}
        return {key: (record.state.value, record.title) for key, record in records.items()}


def new_record(platform: InMemoryPlatform, owner: str = OWNER, name: str = "film.mp4") -> VideoRecord:
    return VideoRecord.begun(
        VideoRef(owner, new_video_id(platform.clock())),
        StartUpload(name, "video/mp4", 4096),
        part_size_bytes=MIN_PART_BYTES,
        upload_id="upload",
        now=platform.clock(),
        ttl=timedelta(days=7),
    )


def moved(current: VideoRecord, before: State, after: State, platform: InMemoryPlatform) -> VideoRecord | None:
    return current.moved_to(after, platform.clock()) if current.state is before else None


def lease(platform: InMemoryPlatform, ref: VideoRef) -> Change | None:
    return platform.records.change(
        ref, lambda current: moved(current, State.UPLOADING, State.COMPLETING, platform), is_passing=True
    )


def settle(platform: InMemoryPlatform, leased: VideoRecord) -> None:
    platform.records.change(leased, lambda current: moved(current, State.COMPLETING, State.PROCESSING, platform))


def complete(platform: InMemoryPlatform, ref: VideoRef) -> None:
    """Write a record as the completion of an upload does: leased, which soon passes, and then settled."""
    leased = lease(platform, ref)
    if leased and leased.mine:
        settle(platform, leased.record)


def deleted(current: VideoRecord, platform: InMemoryPlatform) -> VideoRecord | None:
    return current.deleted(Deleter.OWNER, platform.clock()) if current.state is not State.DELETED else None
