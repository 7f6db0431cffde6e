"""The user pool under every setting of its own: what Cognito refuses is never asked for."""

from __future__ import annotations

import pytest

from components.settings import Mfa
from tests.infrastructure.recorded_program import Recording, record

FACTORS = {"softwareTokenMfaConfiguration", "smsConfiguration", "emailMfaConfiguration"}


def factors_are_offered_exactly_when_they_are_asked_for(recording: Recording) -> bool:
    (pool,) = recording.of("cognito/userPool:UserPool")
    return (pool.inputs["mfaConfiguration"] == "OFF") == FACTORS.isdisjoint(pool.inputs)


@pytest.mark.parametrize("mfa", Mfa)
def test_no_second_factor_stands_beside_mfa_off_and_one_beside_the_others(mfa: Mfa) -> None:
    assert factors_are_offered_exactly_when_they_are_asked_for(record("dev", overrides={"mfa": mfa.value}))


def test_there_are_no_groups_that_nothing_reads(recording: Recording) -> None:
    assert recording.of("cognito/userGroup:UserGroup") == []
