"""Results of earlier runs, in build/mutants.json: a second run may try the survivors alone."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

from tests.mutation.trial import REPOSITORY, Subject

KEPT_FILE = REPOSITORY / "build" / "mutants.json"


def noticed_before(subject: Subject) -> set[str]:
    """Changes that a test noticed in an earlier run of the same source; tests are only ever added."""
    kept = _read(KEPT_FILE).get(subject.path)
    if kept is None or kept["source"] != _digest(subject):
        return set()
    return set(kept["noticed"])


def keep(subject: Subject, noticed: set[str]) -> None:
    kept = {**_read(KEPT_FILE), subject.path: {"source": _digest(subject), "noticed": sorted(noticed)}}
    KEPT_FILE.parent.mkdir(exist_ok=True)
    KEPT_FILE.write_text(json.dumps(kept, indent=1, ensure_ascii=False))


def _read(file: Path) -> dict[str, dict[str, list[str] | str]]:
    return json.loads(file.read_text()) if file.exists() else {}


def _digest(subject: Subject) -> str:
    return hashlib.sha256((REPOSITORY / subject.path).read_bytes()).hexdigest()
