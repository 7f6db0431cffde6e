"""The workload: what a stage is asked to do in a month, read from a file that states each figure and its reason."""

from __future__ import annotations

import dataclasses
import math
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from costs.errors import WorkloadError
from costs.units import DAYS_A_MONTH, MB

DEFAULT_WORKLOAD = Path(__file__).with_name("workload.toml")
MAX_VIDEO_MB = 50_000_000.0  # S3 User Guide, "Amazon S3 multipart upload limits": 48.8 TiB
MAX_COUNT = 1e9


@dataclasses.dataclass(frozen=True, kw_only=True)
class Workload:
    """One month's work. workload.toml gives each field's meaning.

    audience_percent: by CloudFront's price regions, 100 together. function_milliseconds: by function.
    log_bytes: by what is written about.
    """

    uploads_per_day: float
    mean_video_mb: float
    downloads_per_video: float
    watched_days: float
    retention_months: float
    months_in_operation: float
    peak_concurrent_uploads: float
    peak_users: float
    peak_seconds: float
    peak_hours_per_day: float
    active_users_per_month: float
    visits_per_user: float
    library_pages_per_visit: float
    machine_tokens_per_day: float
    rejected_percent: float
    abandoned_percent: float
    cache_hit_percent: float
    audience_percent: Mapping[str, float]
    function_milliseconds: Mapping[str, float]
    log_bytes: Mapping[str, float]
    always_on: Mapping[str, float]

    @property
    def uploads(self) -> float:
        """Begun in the month."""
        return self.uploads_per_day * DAYS_A_MONTH

    @property
    def mean_video_bytes(self) -> float:
        return self.mean_video_mb * MB

    @property
    def uploaded_bytes(self) -> float:
        """Of the videos begun in the month."""
        return self.uploads * self.mean_video_bytes

    def idle(self) -> Workload:
        """The same stage, and nobody there."""
        return dataclasses.replace(
            self,
            uploads_per_day=0.0,
            active_users_per_month=0.0,
            machine_tokens_per_day=0.0,
            peak_concurrent_uploads=0.0,
            peak_users=0.0,
        )

    def scaled(self, factor: float) -> Workload:
        """As many times the uploads, users and peaks; the same videos and habits."""
        return dataclasses.replace(
            self,
            uploads_per_day=self.uploads_per_day * factor,
            active_users_per_month=math.ceil(self.active_users_per_month * factor),
            peak_concurrent_uploads=self.peak_concurrent_uploads * factor,
            peak_users=self.peak_users * factor,
        )

    @classmethod
    def read(cls, path: Path | None = None) -> Workload:
        """The default one, with what `path` says instead. Raises WorkloadError with every problem there is."""
        values: dict[str, Any] = tomllib.loads(DEFAULT_WORKLOAD.read_text())
        if path is not None:
            try:
                given = tomllib.loads(path.read_text())
            except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
                raise WorkloadError([(str(path), f"cannot be read: {error}")]) from error
            problems = _problems(given, values)
            if problems:
                raise WorkloadError(problems)
            for key, value in given.items():
                # An audience is one statement: who is not named is not there.
                partial = isinstance(value, dict) and key != "audience_percent"
                values[key] = {**values[key], **value} if partial else value
        return cls(**values)


_LIMITS: Mapping[str, tuple[float, float]] = {
    "uploads_per_day": (0, MAX_COUNT),
    "mean_video_mb": (0.001, MAX_VIDEO_MB),
    "downloads_per_video": (0, 1e6),
    "watched_days": (0, 3_650),
    "retention_months": (0.1, 600),
    "months_in_operation": (1, 600),
    "peak_concurrent_uploads": (0, MAX_COUNT),
    "peak_users": (0, MAX_COUNT),
    "peak_seconds": (1, 86_400),
    "peak_hours_per_day": (0, 24),
    "active_users_per_month": (0, MAX_COUNT),
    "visits_per_user": (0, 10_000),
    "library_pages_per_visit": (0, 10_000),
    "machine_tokens_per_day": (0, MAX_COUNT),
    "rejected_percent": (0, 100),
    "abandoned_percent": (0, 100),
    "cache_hit_percent": (0, 100),
    "audience_percent": (0, 100),
    "function_milliseconds": (0, 900_000),  # Lambda quotas, "Function timeout"
    "log_bytes": (0, 262_144),  # CloudWatch Logs quotas, "Event size"
    "always_on": (0.01, 1e6),
}


def _problems(given: Mapping[str, Any], known: Mapping[str, Any]) -> list[tuple[str, str]]:
    problems: list[tuple[str, str]] = []
    for key, value in given.items():
        if key not in known:
            problems.append((key, "is not part of a workload"))
        elif isinstance(known[key], dict):
            problems.extend(_problems_in_table(key, value, known[key]))
        elif wrong := _not_within(value, *_LIMITS[key]):
            problems.append((key, wrong))
    return problems


def _problems_in_table(key: str, value: object, known: Mapping[str, Any]) -> list[tuple[str, str]]:
    if not isinstance(value, dict):
        return [(key, "is not a table")]
    table: dict[str, Any] = value
    problems = [(f"{key}.{name}", f"is not one of {', '.join(known)}") for name in table if name not in known]
    problems += [
        (f"{key}.{name}", wrong)
        for name, figure in table.items()
        if name in known and (wrong := _not_within(figure, *_LIMITS[key]))
    ]
    if key == "audience_percent" and not problems and not math.isclose(sum(table.values()), 100, abs_tol=0.01):
        problems.append((key, f"adds up to {sum(table.values()):g}, not 100"))
    return problems


def _not_within(value: object, low: float, high: float) -> str | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return f"is {value!r}, not a number"
    return None if low <= value <= high else f"is {value:g}, not {low:g} to {high:g}"
