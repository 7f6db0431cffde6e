"""The functions' log lines, formatted for people."""

import json
import logging
from typing import Any

_REASONS = ("destination", "reason")
_NAMED_IDS = ("videoId", "uploadId", "requestId")


def readable(line: str) -> str | None:
    """Return a JSON line as text; None for lines that only a log collector needs: metrics, and levels below warning.

    Other lines are returned unchanged.
    """
    if not line.startswith("{"):
        return line
    try:
        said: dict[str, Any] = json.loads(line)
    except ValueError:
        return line
    if "_aws" in said or logging.getLevelNamesMapping().get(str(said.get("level")), 0) < logging.WARNING:
        return None
    about = next((f" ({name} {said[name]})" for name in _NAMED_IDS if said.get(name)), "")
    why = "".join(f", {name} {said[name]}" for name in _REASONS if said.get(name))
    words = f"{said['level']} {said.get('logger')}: {said.get('message')}{why}{about}"
    exception: dict[str, str] = said.get("exception") or {}
    return "\n".join([words, *exception.get("stackTrace", "").splitlines()])
