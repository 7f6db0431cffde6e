"""The workload: a stage's use in a month, read from a file that states each figure and its reason."""

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


def _limits(low: float, high: float) -> Any:
    return dataclasses.field(metadata={"low": low, "high": high})


@dataclasses.dataclass(frozen=True, kw_only=True)
class Workload:
    """One month's work. workload.toml gives each field's meaning.

    audience_percent: by CloudFront's price regions, 100 together. function_milliseconds: by function.
    log_bytes: by what is written about.
    """

    uploads_per_day: float = _limits(0, MAX_COUNT)
    mean_video_mb: float = _limits(0.001, MAX_VIDEO_MB)
    downloads_per_video: float = _limits(0, 1e6)
    watched_days: float = _limits(0, 3_650)
    retention_months: float = _limits(0.1, 600)
    months_in_operation: float = _limits(1, 600)
    peak_concurrent_uploads: float = _limits(0, MAX_COUNT)
    peak_users: float = _limits(0, MAX_COUNT)
    peak_seconds: float = _limits(1, 86_400)
    peak_hours_per_day: float = _limits(0, 24)
    active_users_per_month: float = _limits(0, MAX_COUNT)
    visits_per_user: float = _limits(0, 10_000)
    library_pages_per_visit: float = _limits(0, 10_000)
    machine_tokens_per_day: float = _limits(0, MAX_COUNT)
    rejected_percent: float = _limits(0, 100)
    abandoned_percent: float = _limits(0, 100)
    cache_hit_percent: float = _limits(0, 100)
    audience_percent: Mapping[str, float] = _limits(0, 100)
    function_milliseconds: Mapping[str, float] = _limits(0, 900_000)  # Lambda quotas, "Function timeout"
    log_bytes: Mapping[str, float] = _limits(0, 262_144)  # CloudWatch Logs quotas, "Event size"
    always_on: Mapping[str, float] = _limits(0.01, 1e6)

    @property
    def uploads(self) -> float:
        """Uploads begun in the month."""
        return self.uploads_per_day * DAYS_A_MONTH

    @property
    def mean_video_bytes(self) -> float:
        return self.mean_video_mb * MB

    @property
    def uploaded_bytes(self) -> float:
        """Bytes of the videos begun in the month."""
        return self.uploads * self.mean_video_bytes

    def idle(self) -> Workload:
        """The workload of a stage without users."""
        return dataclasses.replace(self.scaled(0), machine_tokens_per_day=0.0)

    def scaled(self, factor: float) -> Workload:
        """Multiply uploads, users and peaks by `factor`; videos and habits stay the same."""
        return dataclasses.replace(
            self,
            uploads_per_day=self.uploads_per_day * factor,
            active_users_per_month=math.ceil(self.active_users_per_month * factor),
            peak_concurrent_uploads=self.peak_concurrent_uploads * factor,
            peak_users=self.peak_users * factor,
        )

    @classmethod
    def read(cls, path: Path | None = None) -> Workload:
        """Read the default workload, with the values in `path` replaced. Raises WorkloadError with every problem."""
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


def _problems(given: Mapping[str, Any], known: Mapping[str, Any]) -> list[tuple[str, str]]:
    problems: list[tuple[str, str]] = []
    for key, value in given.items():
        if key not in known:
            problems.append((key, "is not part of a workload"))
        elif not isinstance(known[key], dict):
            problems += _not_within(key, key, value)
        elif not isinstance(value, dict):
            problems.append((key, "is not a table"))
        else:
            problems += _problems_in_table(key, value, known[key])
    return problems


def _problems_in_table(key: str, table: Mapping[str, Any], known: Mapping[str, Any]) -> list[tuple[str, str]]:
    problems: list[tuple[str, str]] = []
    for name, figure in table.items():
        path = f"{key}.{name}"
        problems += _not_within(key, path, figure) if name in known else [(path, f"is not one of {', '.join(known)}")]
    if key == "audience_percent" and not problems and not math.isclose(sum(table.values()), 100, abs_tol=0.01):
        problems.append((key, f"adds up to {sum(table.values()):g}, not 100"))
    return problems


def _not_within(key: str, path: str, value: object) -> list[tuple[str, str]]:
    limits = Workload.__dataclass_fields__[key].metadata
    if isinstance(value, bool) or not isinstance(value, int | float):
        return [(path, f"is {value!r}, not a number")]
    if limits["low"] <= value <= limits["high"]:
        return []
    return [(path, f"is {value:g}, not {limits['low']:g} to {limits['high']:g}")]
