"""The busiest moment: how many instances of each function behind the API it keeps at work."""

from __future__ import annotations

import math
from collections.abc import Mapping

from components.compute.function_table import CALLED_BY_GATEWAY
from components.compute.functions import WARM_USE
from costs import calls
from costs.workload import Workload


def instances_at_peak(workload: Workload) -> dict[str, int]:
    """By function, with the headroom that target tracking leaves. All uploads of the moment start and end within it,
    and every user looks at the library once."""
    uploads, users = workload.peak_concurrent_uploads, workload.peak_users
    calls_in_peak: Mapping[str, float] = {
        "video_upload": uploads * calls.POLLS_UNTIL_READY + users,
        "multipart_init": uploads + users,
        "multipart_complete": uploads,
        "upload_token_authorizer": uploads,
    }
    return {name: _instances(calls_in_peak[name], name, workload) for name in CALLED_BY_GATEWAY}


def _instances(calls_in_peak: float, function: str, workload: Workload) -> int:
    busy_seconds = calls_in_peak * workload.function_milliseconds[function] / 1000
    # Rounded first: 30.000000000000004 instances are 30.
    return math.ceil(round(busy_seconds / workload.peak_seconds / WARM_USE, 9))
