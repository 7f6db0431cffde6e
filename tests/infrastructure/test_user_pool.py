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


@pytest.mark.parametrize("mfa", Mfa)
def test_people_can_set_a_second_factor_up_wherever_there_is_one_and_with_a_token_that_opens_no_route(mfa: Mfa) -> None:
    recording = record("dev", overrides={"mfa": mfa.value, "extraRedirectUrls": ["http://localhost:5173/"]})
    clients = {each.name: each for each in recording.of("cognito/userPoolClient:UserPoolClient")}
    config = recording.exports["siteConfig"]
    assert config["mfa"] == mfa
    assert config.get("accountClientId") == ("app-clients-account-id" if mfa is not Mfa.OFF else None)
    assert ("app-clients-account" in clients) == (mfa is not Mfa.OFF)
    accepted = recording.exports["functionEnvironment"]["USER_POOL_CLIENT_IDS"].split(",")
    assert accepted == ["app-clients-web-id", "app-clients-desktop-id"]
    if mfa is not Mfa.OFF:
        callbacks = clients["app-clients-account"].inputs["callbackUrls"]
        assert callbacks == [f"{recording.exports['siteUrl']}/account.html", "http://localhost:5173/account.html"]
