"""Figures that the janitor asks of AWS: scaling activities and the month's cost."""

import json
import logging
from dataclasses import dataclass
from datetime import date, timedelta

from chalicelib.core.ports import Bill, Clock, MetadataBucket, Meter, ScalingHistory

log = logging.getLogger(__name__)

SCALING_WINDOW = timedelta(hours=24)
BILLED_DAYS = 30

ASKED_KEY = "figures/month-cost.json"
"""The day of the last request for the bill, and its error if it failed: each request costs a cent."""


@dataclass(eq=False)
class BillMissingError(Exception):
    """failure: Cost Explorer's error of earlier today."""

    failure: str

    def __str__(self) -> str:
        return f"not queried again today: {self.failure}"


@dataclass(frozen=True, kw_only=True)
class StageFigures:
    """scaling: None without provisioned capacity. bill: None where the setting is off."""

    metadata: MetadataBucket
    scaling: ScalingHistory | None
    bill: Bill | None
    meter: Meter
    now: Clock

    def record(self) -> None:
        """Record both figures. A missing one is logged and counted: uploads do not depend on it."""
        for figure in (self._scaling, self._month_cost):
            try:
                figure()
            except Exception:
                log.exception("a figure of the stage is missing")
                self.meter.record(janitor_failures_count=1)

    def _scaling(self) -> None:
        activities = self.scaling.count_since(self.now() - SCALING_WINDOW) if self.scaling else 0
        self.meter.record(scaling_activities_count=activities)

    def _month_cost(self) -> None:
        today = self.now().date()
        if self.bill is None or not self._is_first(today):
            return
        try:
            cost_usd = self.bill.cost_usd(today - timedelta(days=BILLED_DAYS), today)
        except Exception as error:
            self.metadata.put(ASKED_KEY, _noted(today, failure=repr(error)), "application/json")
            raise
        self.meter.record(month_cost_usd=cost_usd)

    def _is_first(self, today: date) -> bool:
        """Note today's request before it is made, so that a failing one does not cost a cent every time.

        Raises BillMissingError if today's request failed: one failure a day would be too few for an alarm.
        """
        noted = self.metadata.get(ASKED_KEY)
        if noted is None:
            return self.metadata.put_if_new(ASKED_KEY, _noted(today))
        before = json.loads(noted.body)
        if before["askedOn"] == today.isoformat():
            if failure := before.get("failure"):
                raise BillMissingError(failure)
            return False
        return self.metadata.put_if_unchanged(ASKED_KEY, _noted(today), noted.etag) is not None


def _noted(asked_on: date, **more: str) -> bytes:
    return json.dumps({"askedOn": asked_on.isoformat(), **more}).encode()
