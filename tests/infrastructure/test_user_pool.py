"""The user pool under every setting of its own: what Cognito refuses is never asked for."""

from __future__ import annotations

import pytest

from components.auth.sign_up_by_domain import ForbiddenDomainError, handler
from components.settings import Mfa
from tests.infrastructure.recorded_program import Recorded, Recording, record

FACTORS = {"softwareTokenMfaConfiguration", "smsConfiguration", "emailMfaConfiguration"}


def factors_are_offered_exactly_when_they_are_asked_for(recording: Recording) -> bool:
    (pool,) = recording.of("cognito/userPool:UserPool")
    return (pool.inputs["mfaConfiguration"] == "OFF") == FACTORS.isdisjoint(pool.inputs)


@pytest.mark.parametrize("mfa", Mfa)
def test_no_second_factor_stands_beside_mfa_off_and_one_beside_the_others(mfa: Mfa) -> None:
    assert factors_are_offered_exactly_when_they_are_asked_for(record("dev", overrides={"mfa": mfa.value}))


@pytest.mark.parametrize("group", ["administrators", "video-editors", ""])
def test_the_only_group_is_the_one_whose_members_the_api_takes_for_administrators(group: str) -> None:
    recording = record("dev", overrides={"administratorsGroup": group})
    declared = [each.inputs["name"] for each in recording.of("cognito/userGroup:UserGroup")]
    assert declared == ([group] if group else [])
    assert recording.exports["functionEnvironment"]["ADMINISTRATORS_GROUP"] == group
    assert recording.exports["siteConfig"].get("administratorsGroup", "") == group


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


def test_a_companys_people_sign_in_at_their_company_and_nobody_else_does_where_nobody_may() -> None:
    acme = {"samlProviders": ["acme=https://login.example.com/metadata"], "samlDomains": ["example.com=acme"]}
    beside = record("dev", overrides={**acme, "mfa": "optional"})
    (provider,) = beside.of("cognito/identityProvider:IdentityProvider")
    assert provider.inputs["providerType"] == "SAML"
    assert provider.inputs["providerDetails"]["MetadataURL"] == "https://login.example.com/metadata"
    assert provider.inputs["idpIdentifiers"] == ["example.com"]
    assert set(provider.inputs["attributeMapping"]) == {"email"}
    lets_in = {each.name: each.inputs.get("supportedIdentityProviders") for each in clients_of(beside)}
    assert lets_in["app-clients-web"] == lets_in["app-clients-desktop"] == ["COGNITO", "acme"]
    assert lets_in["app-clients-account"] == ["COGNITO"]
    alone = record("dev", overrides={**acme, "mfa": "optional", "localUsers": False})
    assert {tuple(each.inputs["supportedIdentityProviders"]) for each in clients_of(alone)} == {("acme",)}
    assert "accountClientId" not in alone.exports["siteConfig"]


def clients_of(recording: Recording) -> list[Recorded]:
    return recording.of("cognito/userPoolClient:UserPoolClient")


def test_a_mapped_attribute_can_be_written_by_every_client_that_lets_a_company_in() -> None:
    """Cognito API reference, CreateUserPoolClient, WriteAttributes: else a federated sign-in fails."""
    recording = record("dev", overrides={"samlProviders": ["acme=https://login.example.com/metadata"]})
    (provider,) = recording.of("cognito/identityProvider:IdentityProvider")
    for client in clients_of(recording):
        if "acme" in client.inputs["supportedIdentityProviders"]:
            assert set(provider.inputs["attributeMapping"]) <= set(client.inputs["writeAttributes"])


@pytest.mark.parametrize("source", ["PreSignUp_AdminCreateUser", "PreSignUp_ExternalProvider"])
def test_the_filter_of_sign_ups_lets_in_whom_others_answer_for(monkeypatch: pytest.MonkeyPatch, source: str) -> None:
    monkeypatch.setenv("ALLOWED_DOMAINS", "example.com")
    event = {"triggerSource": source, "request": {"userAttributes": {"email": "eve@example.org"}}}
    assert handler(event, None) == event
    with pytest.raises(ForbiddenDomainError):
        handler({**event, "triggerSource": "PreSignUp_SignUp"}, None)
