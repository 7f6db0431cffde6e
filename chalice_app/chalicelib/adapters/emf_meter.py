"""Metrics as log lines (CloudWatch embedded metric format): no call, no wait, no permission."""

import json
import sys
import time
from dataclasses import dataclass

from chalicelib.core.log_context import current_ids

NAMESPACE = "VideoUpload"

# CloudWatch API, "MetricDatum": Unit
_UNITS_BY_SUFFIX = {
    "_count": "Count",
    "_bytes_per_second": "Bytes/Second",
    "_bytes": "Bytes",
    "_milliseconds": "Milliseconds",
    "_usd": "None",  # CloudWatch has no unit for money
}


@dataclass(frozen=True)
class EmfMeter:
    """Dimensions: Stage. `uploads_ready_count` becomes `UploadsReady` in Count: the unit leaves the name.

    The ids of the invocation and its upload stand beside the metrics, searchable and no dimensions.
    By the standard library, because the authorizer counts its cold start: json_logs.py has the figures.
    """

    stage: str

    def record(self, **values: float) -> None:
        directives: list[dict[str, str]] = []
        metrics: dict[str, list[float]] = {}
        for name, value in values.items():
            suffix = next(suffix for suffix in _UNITS_BY_SUFFIX if name.endswith(suffix))
            metric = "".join(word.capitalize() for word in name.removesuffix(suffix).split("_"))
            directives.append({"Name": metric, "Unit": _UNITS_BY_SUFFIX[suffix]})
            metrics[metric] = [value]
        # CloudWatch User Guide, "Specification: Embedded metric format"
        document = {
            "_aws": {
                "Timestamp": int(time.time() * 1000),
                "CloudWatchMetrics": [{"Namespace": NAMESPACE, "Dimensions": [["Stage"]], "Metrics": directives}],
            },
            "Stage": self.stage,
            **metrics,
            **current_ids(),
        }
        # In one write: where requests are answered in threads, two would let lines run into each other.
        sys.stdout.write(json.dumps(document, separators=(",", ":")) + "\n")
