"""Safety of signing in: users, clients, and what a signed-in client may do with AWS itself."""

from __future__ import annotations

from tests.infrastructure.recorded_program import ACCOUNT_ID, Recording
from tests.infrastructure.safety.reading import Violations, require, statements


def passwords_are_long_and_users_cannot_be_guessed(recording: Recording) -> Violations:
    (pool,) = recording.of("cognito/userPool:UserPool")
    wanted = {
        "dev": ("OFF", "OFF", "ESSENTIALS", False),
        "staging": ("OPTIONAL", "AUDIT", "PLUS", True),
        "prod": ("OPTIONAL", "ENFORCED", "PLUS", False),
    }
    mfa, threats, tier, invited = wanted[recording.stage]
    yield from require(
        pool,
        passwordPolicy__minimumLength=12,
        passwordPolicy__requireLowercase=True,
        passwordPolicy__requireUppercase=True,
        passwordPolicy__requireNumbers=True,
        passwordPolicy__requireSymbols=True,
        passwordPolicy__temporaryPasswordValidityDays=7,
        usernameAttributes=["email"],
        autoVerifiedAttributes=["email"],
        userAttributeUpdateSettings__attributesRequireVerificationBeforeUpdates=["email"],
        usernameConfiguration__caseSensitive=False,
        mfaConfiguration=mfa,
        userPoolAddOns__advancedSecurityMode=threats,
        userPoolTier=tier,
        adminCreateUserConfig__allowAdminCreateUserOnly=invited,
    )
    if mfa != "OFF":
        yield from require(pool, softwareTokenMfaConfiguration__enabled=True)
    (recovery,) = pool.inputs["accountRecoverySetting"]["recoveryMechanisms"]
    if recovery["name"] != "verified_email":
        yield f"accounts are recovered by {recovery}"


def clients_use_codes_and_keep_no_secret_they_cannot_keep(recording: Recording) -> Violations:
    for client in recording.of("cognito/userPoolClient:UserPoolClient"):
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


def signed_in_clients_may_only_tell_their_progress(recording: Recording) -> Violations:
    (pool,) = recording.of("cognito/identityPool:IdentityPool")
    yield from require(pool, allowUnauthenticatedIdentities=False, allowClassicFlow=False)
    for provider in pool.inputs["cognitoIdentityProviders"]:
        if not provider["serverSideTokenCheck"]:
            yield "tokens of signed-out users are taken"
    (attached,) = recording.of("cognito/identityPoolRoleAttachment:IdentityPoolRoleAttachment")
    if set(attached.inputs["roles"]) != {"authenticated"}:
        yield f"roles for {attached.inputs['roles']}"
    group = f"arn:aws:logs:eu-central-1:{ACCOUNT_ID}:log-group:/video-upload/{recording.stage}/clients"
    wanted = {
        "Sid": "WriteOwnStream",
        "Effect": "Allow",
        "Action": ["logs:CreateLogStream", "logs:PutLogEvents"],
        "Resource": f"{group}:log-stream:${{cognito-identity.amazonaws.com:sub}}",
    }
    if statements(recording.one("iam/rolePolicy:RolePolicy", "sign-in-client")) != [wanted]:
        yield "clients may do something else"
