"""The workload: a stage's use in a month, from a file with each figure and its reason."""

import dataclasses
import math
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Self

from costs.errors import WorkloadError
from costs.units import DAYS_A_MONTH, MB

MAX_VIDEO_MB = 50_000_000.0  # S3 User Guide, "Amazon S3 multipart upload limits": 48.8 TiB
MAX_COUNT = 1e9


def _limits(low: float, high: float) -> Any:
    return dataclasses.field(metadata={"limits": (low, high)})


@dataclasses.dataclass(frozen=True, kw_only=True)
class Workload:
    """One month's work. workload.toml gives each field's meaning.

    audience_percent: by CloudFront's price regions, 100 in total. log_bytes: by subject.
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
    company_users_percent: float = _limits(0, 100)
    visits_per_user: float = _limits(0, 10_000)
    library_pages_per_visit: float = _limits(0, 10_000)
    machine_tokens_per_day: float = _limits(0, MAX_COUNT)
    token_function_milliseconds: float = _limits(0, 5_000)  # Cognito's limit
    rejected_percent: float = _limits(0, 100)
    abandoned_percent: float = _limits(0, 100)
    copied_percent: float = _limits(0, 100)
    copied_mb_per_second: float = _limits(0.1, 10_000)
    converted_percent: float = _limits(0, 100)
    converted_megabits_per_second: float = _limits(0.01, 10_000)
    tone_mapped_percent: float = _limits(0, 100)
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

    def idle(self) -> Self:
        """The workload of a stage without users."""
        return dataclasses.replace(self.scaled(0), machine_tokens_per_day=0.0)

    def scaled(self, factor: float) -> Self:
        """Multiply uploads, users and peaks by `factor`; videos and habits stay the same."""
        return dataclasses.replace(
            self,
            uploads_per_day=self.uploads_per_day * factor,
            active_users_per_month=math.ceil(self.active_users_per_month * factor),
            peak_concurrent_uploads=self.peak_concurrent_uploads * factor,
            peak_users=self.peak_users * factor,
        )

    @classmethod
    def read(cls, path: Path | None = None) -> Self:
        """Read the default workload, or the values in `path` in its place. Raises WorkloadError with all problems."""
        default = tomllib.loads(Path(__file__).with_name("workload.toml").read_text())
        try:
            given = tomllib.loads(path.read_text()) if path else {}
        except (OSError, ValueError) as error:
            raise WorkloadError([(str(path), f"cannot be read: {error}")]) from error
        if problems := list(_problems(given, default)):
            raise WorkloadError(problems)
        # An audience is replaced as a whole: regions not named have no viewers.
        partial = [key for key, value in given.items() if isinstance(value, dict) and key != "audience_percent"]
        return cls(**default | given | {key: default[key] | given[key] for key in partial})


def _problems(given: Mapping[str, Any], known: Mapping[str, Any], table: str = "") -> Iterator[tuple[str, str]]:
    """table: key of the values' table."""
    for name, value in given.items():
        path = f"{table}.{name}" if table else name
        if name not in known:
            yield path, f"is not one of {', '.join(known)}" if table else "is not part of a workload"
        elif isinstance(known[name], dict):
            found = list(_problems(value, known[name], name)) if isinstance(value, dict) else [(name, "is not a table")]
            if name == "audience_percent" and not found and not math.isclose(sum(value.values()), 100, abs_tol=0.01):
                found = [(name, f"adds up to {sum(value.values()):g}, not 100")]
            yield from found
        else:
            low, high = Workload.__dataclass_fields__[table or name].metadata["limits"]
            if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
                yield path, f"is {value!r}, not a number from {low:g} to {high:g}"
