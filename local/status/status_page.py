"""`/status`: the page, its assets, and the figures that it polls every two seconds."""

import json
import mimetypes
import sqlite3
import time
from dataclasses import dataclass
from pathlib import Path

from local.status.local_names import monitored_locally
from local.status.metric_store import read_metrics
from local.status.report import StatusReport

ADDRESS = "/status"
REPORT_ADDRESS = "/status.json"

_FILES = {
    ADDRESS: "status.html",
    **{f"{ADDRESS}/{name}": name for name in ("status.css", "status.js", "chart.js", "icon.svg")},
}
_FOLDER = Path(__file__).parent / "page"
_HEADERS = {
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
}


@dataclass(frozen=True)
class StatusAnswer:
    """An HTTP answer, for this origin only."""

    status: int
    headers: dict[str, str]
    body: bytes


@dataclass(frozen=True)
class StatusPage:
    """metrics_file: of the MetricStore that is being filled."""

    metrics_file: Path

    def answer(self, method: str, path: str) -> StatusAnswer | None:
        """Return a response, or None for other paths."""
        if path != REPORT_ADDRESS and path not in _FILES:
            return None
        if method not in {"GET", "HEAD"}:
            return _answer(405, "text/plain", b"Only to be looked at.\n", Allow="GET, HEAD")
        if path == REPORT_ADDRESS:
            return self._report()
        file = _FOLDER / _FILES[path]
        return _answer(200, mimetypes.guess_type(file.name)[0] or "application/octet-stream", file.read_bytes())

    def _report(self) -> StatusAnswer:
        try:
            kept = read_metrics(self.metrics_file)
        except sqlite3.Error as error:
            return _answer(503, "text/plain", f"The metrics cannot be read: {error}\n".encode())
        report_of_status = StatusReport(kept, monitored_locally(), time.time())
        return _answer(200, "application/json", json.dumps(report_of_status.report(), ensure_ascii=False).encode())


def _answer(status: int, content_type: str, body: bytes, **headers: str) -> StatusAnswer:
    return StatusAnswer(status, {**_HEADERS, "Content-Type": f"{content_type}; charset=utf-8", **headers}, body)
