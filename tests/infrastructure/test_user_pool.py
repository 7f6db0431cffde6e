"""The user pool under every setting of its own: what Cognito refuses is never asked for."""

from __future__ import annotations

from typing import Any

import pytest

from components.auth.company_groups import GROUPS_ATTRIBUTE
from components.auth.company_groups import handler as groups_of_company
from components.auth.sign_up_by_domain import ForbiddenDomainError, handler
from components.settings import Mfa
from tests.infrastructure.every_setting import ON
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
    acme = {"samlProviders": ["acme=https://login.example.com/metadata"], "companyDomains": ["example.com=acme"]}
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


ACME = {"samlProviders": ["acme=https://login.example.com/metadata"]}
UMBRELLA = {
    "oidcProviders": ["umbrella=https://login.example.org"],
    "oidcClientIds": ["umbrella=client-1"],
    "companyDomains": ["example.org=umbrella"],
}
GROUPS = {"companyAdministrators": ["acme=http://acme.example.com/groups=video-admins", "umbrella=roles=video.admin"]}


def test_a_company_with_openid_connect_lets_its_people_in_by_a_secret_that_no_setting_holds() -> None:
    recording = record("dev", overrides=UMBRELLA)
    (provider,) = recording.of("cognito/identityProvider:IdentityProvider")
    assert provider.inputs["providerType"] == "OIDC"
    assert provider.inputs["providerDetails"] == {
        "oidc_issuer": "https://login.example.org",
        "client_id": "client-1",
        "client_secret": "value-of-/video-upload/dev/oidc/umbrella",
        "authorize_scopes": "openid email",
        "attributes_request_method": "GET",
    }
    assert "providerDetails" in provider.secrets
    assert provider.inputs["attributeMapping"] == {"email": "email", "username": "sub"}
    assert provider.inputs["idpIdentifiers"] == ["example.org"]
    lets_in = {each.name: each.inputs.get("supportedIdentityProviders") for each in clients_of(recording)}
    assert lets_in["app-clients-web"] == lets_in["app-clients-desktop"] == ["COGNITO", "umbrella"]
    alone = record("dev", overrides={**UMBRELLA, "localUsers": False})
    assert {tuple(each.inputs["supportedIdentityProviders"]) for each in clients_of(alone)} == {("umbrella",)}


def test_group_claims_are_mapped_and_read_where_a_setting_trusts_them_and_nowhere_else() -> None:
    recording = record("dev", overrides={**ACME, **UMBRELLA, **GROUPS, "mfa": "optional"})
    mappings = {
        each.inputs["providerName"]: each.inputs["attributeMapping"].get(GROUPS_ATTRIBUTE)
        for each in recording.of("cognito/identityProvider:IdentityProvider")
    }
    assert mappings == {"acme": "http://acme.example.com/groups", "umbrella": "roles"}
    (pool,) = recording.of("cognito/userPool:UserPool")
    asked = pool.inputs["lambdaConfig"]["preTokenGenerationConfig"]
    assert asked["lambdaVersion"] == "V2_0", "version 1 leaves access tokens as they are"
    assert asked["lambdaArn"].endswith("function:video-upload-dev-company-groups")
    (schema,) = pool.inputs["schemas"]
    assert (f"custom:{schema['name']}", schema["mutable"]) == (GROUPS_ATTRIBUTE, True)
    for client in clients_of(recording):
        lets_companies_in = client.inputs["supportedIdentityProviders"] != ["COGNITO"]
        assert (GROUPS_ATTRIBUTE in client.inputs["writeAttributes"]) == lets_companies_in
    without = record("dev", overrides={**ACME, **UMBRELLA})
    (pool,) = without.of("cognito/userPool:UserPool")
    assert "lambdaConfig" not in pool.inputs
    assert pool.inputs["schemas"] == [schema], "an attribute is never taken away"


def token_event(**changed: Any) -> dict[str, Any]:
    """Cognito's event, shortened, of a person whom acme has just signed in."""
    attributes = {
        "sub": "2b1f7c1e-0000",
        "cognito:user_status": "EXTERNAL_PROVIDER",
        "identities": '[{"userId":"ada","providerName":"acme","providerType":"SAML","primary":true}]',
        "email": "ada@example.com",
        GROUPS_ATTRIBUTE: "[staff, video-admins]",
        **changed.pop("attributes", {}),
    }
    return {
        "triggerSource": "TokenGeneration_HostedAuth",
        "userName": "acme_ada",
        "request": {
            "userAttributes": {name: value for name, value in attributes.items() if value is not None},
            "groupConfiguration": {"groupsToOverride": ["eu-central-1_x_acme"], "iamRolesToOverride": []},
        },
        "response": {"claimsAndScopeOverrideDetails": None},
        **changed,
    }


@pytest.fixture
def company_groups(monkeypatch: pytest.MonkeyPatch) -> None:
    """The environment that the program gives the function."""
    recording = record("dev", overrides={**ACME, **UMBRELLA, **GROUPS})
    function = recording.one("lambda/function:Function", "auth-company-groups")
    for name, value in function.inputs["environment"]["variables"].items():
        monkeypatch.setenv(name, value)


def groups_given(event: dict[str, Any]) -> list[str] | None:
    details = groups_of_company(event, None)["response"]["claimsAndScopeOverrideDetails"]
    return details["groupOverrideDetails"]["groupsToOverride"] if details else None


@pytest.mark.usefixtures("company_groups")
@pytest.mark.parametrize(
    "claim", ["[staff, video-admins]", '["staff","video-admins"]', "video-admins", "[video-admins]"]
)
def test_a_companys_administrator_is_one_here_beside_the_groups_of_the_pool(claim: str) -> None:
    event = token_event(attributes={GROUPS_ATTRIBUTE: claim})
    assert groups_given(event) == ["eu-central-1_x_acme", "administrators"]


@pytest.mark.usefixtures("company_groups")
@pytest.mark.parametrize(
    "event",
    [
        pytest.param({"userName": "5d2b3c4e-1111"}, id="a local user"),
        pytest.param(
            {"userName": "5d2b3c4e-1111", "attributes": {"cognito:user_status": "CONFIRMED", "identities": None}},
            id="a sign-up that wrote the attribute",
        ),
        pytest.param({"attributes": {"cognito:user_status": "CONFIRMED"}}, id="a local user of such a name"),
        pytest.param({"attributes": {"identities": None}}, id="a name without an identity"),
        pytest.param({"attributes": {"identities": "x"}}, id="identities that cannot be read"),
        pytest.param({"attributes": {"identities": '["acme"]'}}, id="identities of another form"),
        pytest.param(
            {"attributes": {"identities": '[{"providerName":"umbrella"}]'}}, id="a name of another provider's"
        ),
        pytest.param(
            {"userName": "umbrella_ada", "attributes": {"identities": '[{"providerName":"umbrella"}]'}},
            id="another company's claim of the same group",
        ),
        pytest.param(
            {"userName": "other_ada", "attributes": {"identities": '[{"providerName":"other"}]'}},
            id="a provider whose groups are not trusted",
        ),
        pytest.param({"triggerSource": "TokenGeneration_RefreshTokens"}, id="a refresh"),
        pytest.param({"attributes": {GROUPS_ATTRIBUTE: None}}, id="no claim"),
        pytest.param({"attributes": {GROUPS_ATTRIBUTE: ""}}, id="an empty claim"),
        pytest.param({"attributes": {GROUPS_ATTRIBUTE: "[staff, Video-Admins]"}}, id="another case"),
        pytest.param({"attributes": {GROUPS_ATTRIBUTE: "administrators"}}, id="the stage's own group"),
        pytest.param({"attributes": {GROUPS_ATTRIBUTE: "staff, video-admins"}}, id="one value with a comma"),
    ],
)
def test_a_claim_counts_for_people_whom_that_company_has_just_signed_in_and_for_nobody_else(
    event: dict[str, Any],
) -> None:
    assert groups_given(token_event(**event)) is None


@pytest.mark.parametrize("source", ["PreSignUp_AdminCreateUser", "PreSignUp_ExternalProvider"])
def test_the_filter_of_sign_ups_lets_in_whom_others_answer_for(monkeypatch: pytest.MonkeyPatch, source: str) -> None:
    monkeypatch.setenv("ALLOWED_DOMAINS", "example.com")
    event = {"triggerSource": source, "request": {"userAttributes": {"email": "eve@example.org"}}}
    assert handler(event, None) == event
    with pytest.raises(ForbiddenDomainError):
        handler({**event, "triggerSource": "PreSignUp_SignUp"}, None)


def test_every_function_is_traced_also_those_that_cognito_asks() -> None:
    everything = record("prod", overrides=ON)
    functions = everything.of("lambda/function:Function")
    untraced = [each.name for each in functions if each.inputs.get("tracingConfig") != {"mode": "Active"}]
    assert untraced == []
    for name in ("auth-sign-up-filter", "auth-company-groups"):
        assert name in {each.name for each in functions}
        assert "xray:PutTraceSegments" in everything.one("iam/rolePolicy:RolePolicy", name).inputs["policy"]
