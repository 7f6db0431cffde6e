"""The index against the records, once a history has come to rest."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from chalicelib.core.index.lines import LISTED_STATES, Line, record_in
from chalicelib.core.index.queries import NEWEST_FIRST
from chalicelib.core.video_record import VideoRecord
from tests.in_memory_platform import InMemoryPlatform


def differences(platform: InMemoryPlatform, records: Iterable[VideoRecord]) -> Iterator[str]:
    """Videos that the index of the stage, or of their owner, shows otherwise than their records do."""
    by_owner: dict[str | None, dict[str, VideoRecord]] = {None: {}}
    for record in records:
        for owner in (None, record.owner):
            by_owner.setdefault(owner, {})[Line.of(record).key] = record
    for owner, known in by_owner.items():
        view = platform.library.index.view(owner)
        if view is None:
            yield f"{owner or 'the stage'} has no index"
            continue
        told = {line.key: line for line in view.page(NEWEST_FIRST, len(known) + 1_000)[0]}
        for key in told.keys() | known.keys():
            record = known.get(key)
            facts = Line.of(record.noted(revision=0)).facts if record and record.state in LISTED_STATES else ""
            shown = record_in(told[key].facts) if key in told else None
            if (Line.of(shown.noted(revision=0)).facts if shown else "") != facts:
                yield f"the index of {owner or 'the stage'} shows {key} as {shown and shown.state}"
