"""`/status`: the page with the current figures, which its script polls, and its assets."""

import json
import mimetypes
import sqlite3
import time
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader
from werkzeug.wrappers import Response

from local.status.local_names import monitored_locally
from local.status.metric_store import stored_metrics
from local.status.report import StatusReport

ADDRESS = "/status"
REPORT_ADDRESS = "/status.json"
TARGET_IN_SIGHT = 3
"""Largest ratio of target and highest value in the chart: beyond it the bars would be invisible."""
CHART_HEIGHT = 72
LEAST_BAR_HEIGHT = 1.5
"""Least height of a bar, which distinguishes a zero from a missing value."""

_FOLDER = Path(__file__).parent / "page"
_ASSETS = {f"{ADDRESS}/{name}": _FOLDER / name for name in ("status.css", "status.js", "icon.svg")}
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
class StatusPage:
    """metrics_file: of the active MetricStore."""

    metrics_file: Path

    def answer(self, path: str) -> Response | None:
        """Return a response for this origin only, or None for other paths."""
        if path in _ASSETS:
            content_type = mimetypes.guess_type(path)[0]
            return Response(_ASSETS[path].read_bytes(), headers=_HEADERS, mimetype=content_type)
        if path not in (ADDRESS, REPORT_ADDRESS):
            return None
        try:
            with stored_metrics(self.metrics_file) as stored:
                report = StatusReport(stored, monitored_locally(), time.time()).report()
        except sqlite3.Error as error:
            return Response(f"The metrics cannot be read: {error}\n", 503, _HEADERS)
        if path == REPORT_ADDRESS:
            return Response(json.dumps(report, ensure_ascii=False), headers=_HEADERS, mimetype="application/json")
        page = _PAGES.get_template("status.html.jinja").render(report, **_HELPERS)
        return Response(page, headers=_HEADERS, mimetype="text/html")


def _chart(figure: dict[str, Any]) -> tuple[float, list[float | None], float | None]:
    """The value at the top, the heights of the minutes' bars, and that of the target if it is visible."""
    target: float = figure["target"]
    highest = max([0, *(value for value in figure["minutes"] if value is not None)])
    in_sight = figure["isTargetByMinute"] and (highest == 0 or target <= highest * TARGET_IN_SIGHT)
    top = max(highest, target if in_sight else 0) or 1
    bars = [None if value is None else max(value / top * CHART_HEIGHT, LEAST_BAR_HEIGHT) for value in figure["minutes"]]
    return top, bars, target / top * CHART_HEIGHT if in_sight else None


def _number(value: float) -> str:
    """Four significant digits: `95.92`, `12,470`."""
    return f"{Decimal(f'{value:.4g}'):,f}"


def _moment(text: str) -> datetime:
    """A time in the machine's time zone."""
    return datetime.fromisoformat(text).astimezone()


_PAGES = Environment(loader=FileSystemLoader(_FOLDER), autoescape=True, trim_blocks=True, lstrip_blocks=True)
_HELPERS = {"number": _number, "moment": _moment, "chart": _chart}
