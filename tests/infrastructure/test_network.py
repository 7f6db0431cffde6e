"""The network's zones: which two, in which order, and what happens where there are too few."""

from __future__ import annotations

import pytest

from components.network.vpc import TooFewZonesError
from tests.infrastructure.recorded_program import Recording, record


def zones_of(recording: Recording) -> dict[str, str]:
    return {subnet.name: subnet.inputs["availabilityZoneId"] for subnet in recording.of("ec2/subnet:Subnet")}


@pytest.mark.parametrize("zone_ids", [("az1", "az2"), ("az2", "az1"), ("az3", "az2", "az1")])
def test_subnets_keep_their_zones_in_whatever_order_aws_tells_them(zone_ids: tuple[str, ...]) -> None:
    assert zones_of(record("staging", zone_ids=zone_ids)) == {"network-private-1": "az1", "network-private-2": "az2"}


def test_a_subnet_that_stands_stays_when_a_zone_is_added(staging: Recording) -> None:
    for subnet in staging.of("ec2/subnet:Subnet"):
        assert subnet.ignore_changes == ("availabilityZoneId",)


def test_a_region_with_one_zone_is_refused() -> None:
    with pytest.raises(TooFewZonesError, match="eu-central-1 has 1 available zones"):
        record("staging", zone_ids=("az1",))
