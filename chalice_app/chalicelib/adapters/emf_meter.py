"""Metrics as log lines (CloudWatch embedded metric format): no call, no wait, no permission."""

import json
import sys
from dataclasses import dataclass

from aws_lambda_powertools.metrics import EphemeralMetrics, MetricUnit

NAMESPACE = "VideoUpload"

_UNITS_BY_SUFFIX = {
    "_count": MetricUnit.Count,
    "_bytes_per_second": MetricUnit.BytesPerSecond,
    "_bytes": MetricUnit.Bytes,
    "_milliseconds": MetricUnit.Milliseconds,
    "_usd": MetricUnit.NoUnit,  # CloudWatch has no unit for money
}


@dataclass(frozen=True)
class EmfMeter:
    """Dimensions: Stage. `uploads_ready_count` becomes `UploadsReady` in Count: the unit leaves the name."""

    stage: str

    def record(self, **values: float) -> None:
        metrics = EphemeralMetrics(namespace=NAMESPACE)
        metrics.set_default_dimensions(Stage=self.stage)
        for name, value in values.items():
            suffix = next(suffix for suffix in _UNITS_BY_SUFFIX if name.endswith(suffix))
            metric = "".join(word.capitalize() for word in name.removesuffix(suffix).split("_"))
            metrics.add_metric(name=metric, unit=_UNITS_BY_SUFFIX[suffix], value=value)
        # In one write: where requests are answered in threads, flush_metrics' two let lines run into each other.
        sys.stdout.write(json.dumps(metrics.serialize_metric_set(), separators=(",", ":")) + "\n")
