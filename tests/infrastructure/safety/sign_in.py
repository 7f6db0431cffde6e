"""Safety of signing in: users, clients, and what a signed-in client may do with AWS itself."""

from __future__ import annotations

from tests.infrastructure.recorded_program import Recording
from tests.infrastructure.safety.reading import Violations, require


def passwords_are_long_and_users_cannot_be_guessed(recording: Recording) -> Violations:
    (pool,) = recording.of("cognito/userPool:UserPool")
    wanted = {
        "dev": ("OFF", "OFF", "ESSENTIALS"),
        "staging": ("OPTIONAL", "AUDIT", "PLUS"),
        "prod": ("OPTIONAL", "ENFORCED", "PLUS"),
    }
    mfa, threats, tier = wanted[recording.stage]
    yield from require(
        pool,
        passwordPolicy__minimumLength=12,
        passwordPolicy__requireLowercase=True,
        passwordPolicy__requireUppercase=True,
        passwordPolicy__requireNumbers=True,
        passwordPolicy__requireSymbols=True,
        passwordPolicy__temporaryPasswordValidityDays=7,
        usernameAttributes=["email"],
        # Cognito writes it at each sign-in at a company, and grants nothing by it: components/auth/company_groups.py.
        schemas=[
            {
                "name": "groups",
                "attributeDataType": "String",
                "mutable": True,
                "developerOnlyAttribute": False,
                "required": False,
                "stringAttributeConstraints": {"minLength": "0", "maxLength": "2048"},
            }
        ],
        autoVerifiedAttributes=["email"],
        userAttributeUpdateSettings__attributesRequireVerificationBeforeUpdates=["email"],
        usernameConfiguration__caseSensitive=False,
        mfaConfiguration=mfa,
        userPoolAddOns__advancedSecurityMode=threats,
        userPoolTier=tier,
        adminCreateUserConfig__allowAdminCreateUserOnly=True,
    )
    if mfa != "OFF":
        yield from require(pool, softwareTokenMfaConfiguration__enabled=True)
    (recovery,) = pool.inputs["accountRecoverySetting"]["recoveryMechanisms"]
    if recovery["name"] != "verified_email":
        yield f"accounts are recovered by {recovery}"


def clients_use_codes_and_keep_no_secret_they_cannot_keep(recording: Recording) -> Violations:
    for client in recording.of("cognito/userPoolClient:UserPoolClient"):
        if client.name.endswith("-account"):
            continue  # below
        machine = client.name.endswith("-machine")
        yield from require(
            client,
            generateSecret=machine,
            allowedOauthFlowsUserPoolClient=True,
            allowedOauthFlows=["client_credentials"] if machine else ["code"],
            explicitAuthFlows=["ALLOW_REFRESH_TOKEN_AUTH"],
            preventUserExistenceErrors="ENABLED",
            enableTokenRevocation=True,
            accessTokenValidity=60,
            tokenValidityUnits__accessToken="minutes",
        )
        for url in client.inputs.get("callbackUrls") or []:
            if not url.startswith(("https://", "http://127.0.0.1:", "http://localhost:")):
                yield f"{client.name} sends codes to {url}"
        scopes = {"video-upload/read", "video-upload/write"} | (set() if machine else {"openid", "email"})
        if set(client.inputs["allowedOauthScopes"]) != scopes:
            yield f"{client.name} may ask for {client.inputs['allowedOauthScopes']}"
    for threats in recording.of("cognito/riskConfiguration:RiskConfiguration"):
        yield from require(threats, compromisedCredentialsRiskConfiguration__actions__eventAction="BLOCK")
    if recording.stage == "prod" and not recording.of("cognito/riskConfiguration:RiskConfiguration"):
        yield "stolen passwords are let in"


def the_account_views_tokens_change_one_account_and_grant_nothing(recording: Recording) -> Violations:
    """A token with Cognito's own scope writes into its person's account whatever its client may write."""
    found = [each for each in recording.of("cognito/userPoolClient:UserPoolClient") if each.name.endswith("-account")]
    if len(found) != (0 if recording.stage == "dev" else 1):
        yield f"{len(found)} clients of the account view"
    for client in found:
        yield from require(
            client,
            generateSecret=False,
            allowedOauthFlowsUserPoolClient=True,
            allowedOauthFlows=["code"],
            allowedOauthScopes=["openid", "aws.cognito.signin.user.admin"],
            explicitAuthFlows=["ALLOW_REFRESH_TOKEN_AUTH"],
            supportedIdentityProviders=["COGNITO"],
            writeAttributes=["locale"],
            readAttributes=["email"],
            preventUserExistenceErrors="ENABLED",
            enableTokenRevocation=True,
            accessTokenValidity=10,
            refreshTokenValidity=60,
            tokenValidityUnits__accessToken="minutes",
            tokenValidityUnits__refreshToken="minutes",
        )
        for url in client.inputs["callbackUrls"]:
            if not url.endswith("/account.html") or not url.startswith(("https://", "http://localhost:")):
                yield f"{client.name} sends codes to {url}"


def no_client_holds_credentials_of_aws(recording: Recording) -> Violations:
    """Else it could call AWS past the edge, the authorizers and the checks of the functions."""
    for each in recording.of("cognito/identityPool:IdentityPool"):
        yield f"{each.name} changes tokens for credentials"
    for role in recording.of("iam/role:Role"):
        if "WebIdentity" in str(role.inputs["assumeRolePolicy"]):
            yield f"{role.name} may be assumed with a token"
