"""A small stage whose every count is chosen here, and a model of it that follows a few settings without a program."""

from __future__ import annotations

import dataclasses
from typing import Any

from components.declared_stage import HEARD, Overrides, settings_of
from components.settings import PriceClass, Settings, ThreatProtection
from costs.inventory import Inventory, Warm
from costs.model import CostModel

COUNTS_WITHOUT: dict[str, dict[str, Any]] = {
    "provisionedConcurrency": {"warm": {}},
    "network": {"endpoint_zones": 0},
    "waf": {"web_acls": 0, "web_acl_rules": 0},
    "threatProtection": {"plus_pools": 0},
}
"""Counts of a stage in which this setting is off."""


def small_inventory(settings: Settings) -> Inventory:
    return Inventory(
        settings=dataclasses.replace(
            settings,
            general=dataclasses.replace(settings.general, log_days=30),
            storage=dataclasses.replace(
                settings.storage,
                noncurrent_days=1,
                rejected_days=1,
                intelligent_tiering=False,
                transfer_acceleration=False,
            ),
            edge=dataclasses.replace(settings.edge, price_class=PriceClass.CHEAPEST),
            sign_in=dataclasses.replace(settings.sign_in, threat_protection=ThreatProtection.OFF),
        ),
        memory_gib={
            "video_upload": 1.0,
            "multipart_init": 1.0,
            "multipart_complete": 1.0,
            "upload_token_authorizer": 0.25,
            "video_processing": 2.0,
            "janitor": 0.5,
            "scan_verdict": 0.25,
            "notification_delivery": 0.5,
            "message_sender": 0.25,
        },
        warm={},
        janitor_runs=8_760.0,
        keys=4,
        rotating_keys=2,
        endpoint_zones=2,
        flow_logs=0,
        alarm_metrics=10,
        scaling_alarms=0,
        composite_alarms=1,
        dashboards=1,
        scheduled_metrics=4,
        used_metrics=6,
        measured_distributions=1,
        web_acls=1,
        web_acl_rules=3,
        trails=0,
        traced_per_second=1.0,
        traced_share=0.05,
        scan_plans=0,
        insight_groups=0,
        plus_pools=0,
        destinations=0,
        companies=0,
        token_function_gib=0.0,
    )


@dataclasses.dataclass(frozen=True, kw_only=True)
class SmallModel(CostModel):
    """An inventory with prod's settings; it refuses them as prod does."""

    stage: str = "prod"

    def inventory(self, overrides: Overrides = ()) -> Inventory:
        settings = settings_of(self.stage, (*HEARD, *overrides))
        full = dataclasses.replace(
            small_inventory(settings), warm={"multipart_init": Warm(low=20, high=20)}, plus_pools=1
        )
        without: dict[str, Any] = {}
        for key, value in overrides:
            if value in (0, False, "off"):
                without |= COUNTS_WITHOUT.get(key, {})
        return dataclasses.replace(full, **without)
