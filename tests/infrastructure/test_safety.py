"""Every stage keeps every safety property, and the properties see (nearly) every way to break them."""

from __future__ import annotations

import inspect
from types import ModuleType

import pytest

from tests.infrastructure.mutations import Mutation, mutations
from tests.infrastructure.recorded_program import Recording, record
from tests.infrastructure.safety import (
    access,
    converting,
    edge,
    encryption,
    functions,
    protection,
    scanning,
    sign_in,
    storage,
)
from tests.infrastructure.safety.reading import Property

LEAST_MUTATIONS = 150
LEAST_CAUGHT = 0.95


def properties_of(module: ModuleType) -> dict[str, Property]:
    return {
        name: function
        for name, function in inspect.getmembers(module, inspect.isfunction)
        if function.__module__ == module.__name__ and inspect.signature(function).return_annotation == "Violations"
    }


PROPERTIES = {
    name: holds
    for module in (storage, encryption, access, functions, sign_in, edge, protection, scanning, converting)
    for name, holds in properties_of(module).items()
}

HARMLESS = {
    # part of a mutation's text → why no property minds
    "insightsConfiguration": "whether X-Ray looks for patterns of its own accord",
    "expiredObjectDeleteMarker": "whether delete markers without versions are tidied up",
    "bucketKeyEnabled": "S3's own keys have no bucket key",
    "compress": "speed, not safety",
    "isIpv6Enabled": "reach, not safety",
    "publish = False": "the edge would keep the function's last version",
    "enabled = False": "nobody would be served",
    "state = LEGACY": "AWS refuses it",
    "cloudfrontDefaultCertificate": "AWS refuses a distribution without any certificate",
    "no rules.3.overrideAction": "AWS refuses a managed group without it",
    "Attributes.0 = phone_number": "what a client may show and change of the own account",
    "cachePolicyId": "AWS refuses a behaviour without a cache policy; the API's and config.json's are looked at",
    "no qualifier": "the alias is named by the function's permission, which is looked at",
    "metricsEnabled": "metrics of every single method, which nobody reads",
    "realtimeMetricsSubscriptionStatus": "the dashboard would miss the hit rate",
}
"""Survivors: flips that weaken nothing."""


@pytest.fixture
def prod() -> Recording:
    """With the malware scan and renditions, which no stage ships."""
    return record("prod", overrides={"malwareScan": True, "renditions": True})


def is_caught(weakened: Recording, properties: list[Property]) -> bool:
    """Check whether a property is broken, which then comes first: mutations of one resource follow each other."""
    for position, holds in enumerate(properties):
        if is_broken(holds, weakened):
            properties.insert(0, properties.pop(position))
            return True
    return False


def is_broken(holds: Property, weakened: Recording) -> bool:
    try:
        return next(holds(weakened), None) is not None
    except (KeyError, ValueError, TypeError, IndexError):
        return True  # what a property needs to look at is gone


@pytest.mark.parametrize("name", PROPERTIES)
def test_every_stage_is_safe(name: str, recording: Recording) -> None:
    assert list(PROPERTIES[name](recording)) == []


def test_there_are_many_properties() -> None:
    assert len(PROPERTIES) >= 25


def test_weakening_anything_in_prod_is_noticed(prod: Recording) -> None:
    tried, properties = list(mutations(prod)), list(PROPERTIES.values())
    survivors = [mutation for mutation in tried if not is_caught(mutation.apply(prod), properties)]
    surprises = [str(survivor) for survivor in survivors if not is_harmless(survivor)]
    assert surprises == []
    assert len(tried) >= LEAST_MUTATIONS
    assert len(survivors) <= (1 - LEAST_CAUGHT) * len(tried)


def is_harmless(survivor: Mutation) -> bool:
    return any(part in str(survivor) for part in HARMLESS)


def test_an_unmutated_program_is_not_noticed(prod: Recording) -> None:
    assert not is_caught(prod, list(PROPERTIES.values()))
