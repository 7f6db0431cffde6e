"""Printed lines of the platform's processes, and the search for secrets in them."""

import json
import threading
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, quote, urlsplit

FUNCTION_PROCESSES = ("site", "worker")

SIGNED_QUERY = ("X-Amz-Signature", "X-Amz-Security-Token", "X-Amz-Credential", "Signature")
_LEAST_SECRET_CHARS = 8


@dataclass
class PrintedLines:
    """Give `add` to a LocalPlatform as its `on_line`."""

    lines: list[tuple[str, str]] = field(default_factory=list[tuple[str, str]])
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def add(self, process: str, line: str) -> None:
        with self._lock:
            self.lines.append((process, line))

    def of_functions(self) -> list[str]:
        return [line for process, line in self.lines if process in FUNCTION_PROCESSES]

    def documents(self) -> list[dict[str, Any]]:
        """The functions' lines, parsed."""
        return [json.loads(line) for line in self.of_functions()]

    def about(self, video_id: str) -> list[dict[str, Any]]:
        return [line for line in self.documents() if line.get("videoId") == video_id]

    def told_about(self, video_id: str) -> list[dict[str, Any]]:
        """Events that clients told of an upload, each with what its call's events share."""
        lines = [line for line in self.documents() if line.get("message") == "progress reported"]
        events = [{**line, **event} for line in lines for event in line["events"]]
        return [event for event in events if event.get("videoId") == video_id]


def not_json(lines: Iterable[str]) -> list[str]:
    """The lines that no log query could read."""
    return [line for line in lines if not _is_object(line)]


def _is_object(line: str) -> bool:
    try:
        return isinstance(json.loads(line), dict)
    except ValueError:
        return False


def leaks(lines: Iterable[str], secrets: Mapping[str, str]) -> list[str]:
    """One text for every secret (by its name) that a line shows: as it is, escaped, or one segment of a token."""
    wanted = [(name, form) for name, secret in secrets.items() for form in _forms(secret)]
    wanted += [("a signed URL", f"{parameter}=") for parameter in SIGNED_QUERY]
    return [f"{name}: {line}" for line in lines for name, form in wanted if form.casefold() in line.casefold()]


def _forms(secret: str) -> Iterator[str]:
    if len(secret) < _LEAST_SECRET_CHARS:
        raise ValueError(f"{secret!r} is too short to be searched for")
    for part in {secret, *(segment for segment in secret.split(".") if len(segment) > 20)}:
        yield from {part, quote(part, safe=""), quote(part), json.dumps(part)[1:-1]}


def secrets_of_url(name: str, url: str) -> dict[str, str]:
    """Return the parameters that make a signed URL worth stealing."""
    query = parse_qs(urlsplit(url).query)
    return {f"{parameter} of {name}": query[parameter][0] for parameter in SIGNED_QUERY if parameter in query}
