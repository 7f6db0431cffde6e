"""Metrics as log lines (CloudWatch embedded metric format): no call, no wait, no permission."""

import json
import sys
import time
from dataclasses import dataclass

from chalicelib.core.log_context import current_ids
from chalicelib.core.metric_catalogue import NAMESPACE, OWN_METRICS


@dataclass(frozen=True)
class EmfMeter:
    """Dimensions: Stage. Names and units are the catalogue's: `uploads_ready_count` is `UploadsReady` in Count.

    The ids of the invocation and its upload stand beside the metrics, searchable and no dimensions.
    By the standard library, because the authorizer counts its cold start: json_logs.py has the figures.
    """

    stage: str

    def record(self, **values: float) -> None:
        directives: list[dict[str, str]] = []
        metrics: dict[str, list[float]] = {}
        for name, value in values.items():
            metric = OWN_METRICS[name]
            directives.append({"Name": metric.name, "Unit": metric.unit})
            metrics[metric.name] = [value]
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
