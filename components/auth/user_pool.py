"""Auth: the user pool, sign-in methods, and the scopes of access tokens."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import KW_ONLY, dataclass
from pathlib import Path

import pulumi
import pulumi_aws as aws

from components import policy
from components.auth.company_groups import GROUPS_ATTRIBUTE
from components.company_sign_in import (
    company_group_variables,
    domains_of,
    group_claims,
    oidc_clients,
    oidc_issuers,
    oidc_secret_parameter,
    saml_metadata,
)
from components.naming import PRODUCT, StageContext, type_token
from components.protection import protected
from components.settings import Mfa, SignInSettings, SignUp, ThreatProtection, sign_up_variables

MIN_PASSWORD_CHARS = 12
INVITATION_DAYS = 7
FILTER, GROUPS = "sign-up-filter", "company-groups"
"""Names of the user pool's triggers and their log groups."""
SIGN_UP_FILTER = Path(__file__).with_name("sign_up_by_domain.py")
COMPANY_GROUPS = Path(__file__).with_name("company_groups.py")
RUNTIME = "python3.13"
EMAIL_CLAIM = "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/emailaddress"
"""Entra ID's and AD FS's name of the attribute. Other providers must be configured to use it."""
READ_FROM_METADATA = ("ActiveEncryptionCertificate", "SLORedirectBindingURI", "SSORedirectBindingURI")
READ_FROM_ISSUER = ("attributes_url", "attributes_url_add_attributes", "authorize_url", "jwks_uri", "token_url")
"""Details that Cognito adds to its response and the request need not contain: Cognito API reference,
CreateIdentityProvider, ProviderDetails."""
SCOPES = {"read": "Look at own uploads and videos", "write": "Upload and delete own videos"}


@dataclass(frozen=True)
class AuthArgs:
    """log_groups: of the triggers that settings turn on, by the function's name."""

    context: StageContext
    settings: SignInSettings
    _: KW_ONLY
    log_groups: Mapping[str, aws.cloudwatch.LogGroup]


class Auth(pulumi.ComponentResource):
    """User pool with second factor, threat protection, scopes and hosted sign-in pages."""

    user_pool_id: pulumi.Output[str]
    """Pool of all users of the stage."""
    user_pool_arn: pulumi.Output[str]
    """ARN of the user pool, for the API's authorizer."""
    issuer: pulumi.Output[str]
    """`https://cognito-idp.…`: the `iss` of its tokens and the base of its OpenID configuration."""
    sign_in_host: pulumi.Output[str]
    """Host name of the hosted sign-in pages."""
    sign_in_hosts: list[pulumi.Input[str]]
    """Host names that the page calls to sign in: the hosted pages, and Cognito itself."""
    identity_providers: list[pulumi.Input[str]]
    """Names of the identity providers: the pool itself, and companies."""
    scopes: list[pulumi.Output[str]]
    """`video-upload/read` and `video-upload/write`, once the resource server exists."""

    def __init__(self, name: str, args: AuthArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(type_token("Auth"), name, None, opts)
        self._name = name
        self._args = args
        self._child = pulumi.ResourceOptions(parent=self)
        self._protected = protected(self, args.context.general.protect)
        context, settings = args.context, args.settings
        threats = settings.threat_protection

        asked: dict[str, aws.lambda_.Function] = {}
        if settings.sign_up is SignUp.DOMAIN:
            asked[FILTER] = self._asked(FILTER, SIGN_UP_FILTER, sign_up_variables(settings.sign_up_domains))
        if settings.company_administrators:
            asked[GROUPS] = self._asked(GROUPS, COMPANY_GROUPS, company_group_variables(settings))
        pool = aws.cognito.UserPool(
            f"{name}-users",
            name=context.name("users"),
            user_pool_tier="ESSENTIALS" if threats is ThreatProtection.OFF else "PLUS",
            username_attributes=["email"],
            username_configuration=aws.cognito.UserPoolUsernameConfigurationArgs(case_sensitive=False),
            auto_verified_attributes=["email"],
            user_attribute_update_settings=aws.cognito.UserPoolUserAttributeUpdateSettingsArgs(
                attributes_require_verification_before_updates=["email"]
            ),
            account_recovery_setting=aws.cognito.UserPoolAccountRecoverySettingArgs(
                recovery_mechanisms=[
                    aws.cognito.UserPoolAccountRecoverySettingRecoveryMechanismArgs(name="verified_email", priority=1)
                ]
            ),
            email_configuration=aws.cognito.UserPoolEmailConfigurationArgs(
                email_sending_account="DEVELOPER",
                source_arn=settings.mail_identity_arn,
                from_email_address=settings.mail_from,
            )
            if settings.mail_identity_arn
            else None,
            admin_create_user_config=aws.cognito.UserPoolAdminCreateUserConfigArgs(
                allow_admin_create_user_only=settings.sign_up is SignUp.CLOSED
            ),
            password_policy=aws.cognito.UserPoolPasswordPolicyArgs(
                minimum_length=MIN_PASSWORD_CHARS,
                require_lowercase=True,
                require_uppercase=True,
                require_numbers=True,
                require_symbols=True,
                temporary_password_validity_days=INVITATION_DAYS,
            ),
            mfa_configuration={Mfa.OFF: "OFF", Mfa.OPTIONAL: "OPTIONAL", Mfa.REQUIRED: "ON"}[settings.mfa],
            # SetUserPoolMfaConfig refuses to combine OFF with any factor, even a disabled one.
            software_token_mfa_configuration=aws.cognito.UserPoolSoftwareTokenMfaConfigurationArgs(enabled=True)
            if settings.mfa is not Mfa.OFF
            else None,
            user_pool_add_ons=aws.cognito.UserPoolUserPoolAddOnsArgs(
                advanced_security_mode=threats.value.upper(),
            ),
            # In every stage: a pool cannot lose an attribute, but a setting may remove a company.
            schemas=[
                aws.cognito.UserPoolSchemaArgs(
                    name=GROUPS_ATTRIBUTE.removeprefix("custom:"),
                    attribute_data_type="String",
                    mutable=True,
                    developer_only_attribute=False,
                    required=False,
                    string_attribute_constraints=aws.cognito.UserPoolSchemaStringAttributeConstraintsArgs(
                        min_length="0", max_length="2048"
                    ),
                )
            ],
            lambda_config=_asked_by_the_pool(asked),
            deletion_protection="ACTIVE" if args.context.general.protect else "INACTIVE",
            opts=self._protected,
        )
        before_sign_in: list[pulumi.Resource] = []
        for suffix, function in asked.items():
            allowed = aws.lambda_.Permission(
                f"{name}-{suffix}",
                function=function.name,
                action="lambda:InvokeFunction",
                principal="cognito-idp.amazonaws.com",
                source_arn=pool.arn,
                source_account=context.account_id,
                opts=self._child,
            )
            before_sign_in.append(allowed)
        if threats is ThreatProtection.ENFORCED:
            self._answers_to_threats(pool)

        resource_server = aws.cognito.ResourceServer(
            f"{name}-api",
            user_pool_id=pool.id,
            identifier=PRODUCT,
            name=context.name("api"),
            scopes=[
                aws.cognito.ResourceServerScopeArgs(scope_name=scope, scope_description=meaning)
                for scope, meaning in SCOPES.items()
            ],
            opts=self._protected,
        )
        if settings.administrators_group:
            # Not protected: a setting can rename or remove it.
            aws.cognito.UserGroup(
                f"{name}-administrators",
                user_pool_id=pool.id,
                name=settings.administrators_group,
                description="List, view and delete the videos of all users",
                opts=self._child,
            )
        companies = [self._saml_company(pool, provider, url) for provider, url in saml_metadata(settings).items()]
        companies += [self._oidc_company(pool, provider, issuer) for provider, issuer in oidc_issuers(settings).items()]
        domain = aws.cognito.UserPoolDomain(
            f"{name}-sign-in",
            user_pool_id=pool.id,
            domain=f"{context.name('sign-in')}-{context.account_id}",  # unique among all accounts of the region
            # A setting must be able to remove the filter's permission, which a protected dependent would keep.
            opts=protected(self, args.context.general.protect, depends_on=before_sign_in),
        )

        self.user_pool_id = pool.id
        self.user_pool_arn = pool.arn
        self.issuer = pulumi.Output.concat("https://cognito-idp.", context.region, ".amazonaws.com/", pool.id)
        self.sign_in_host = pulumi.Output.concat(domain.domain, ".auth.", context.region, ".amazoncognito.com")
        self.sign_in_hosts = [self.sign_in_host, f"cognito-idp.{context.region}.amazonaws.com"]
        self.identity_providers = [
            *(["COGNITO"] if settings.local_users else []),
            *(company.provider_name for company in companies),
        ]
        self.scopes = [pulumi.Output.concat(resource_server.identifier, "/", scope) for scope in SCOPES]
        self.register_outputs({"userPoolId": self.user_pool_id, "issuer": self.issuer})

    def _saml_company(self, pool: aws.cognito.UserPool, provider: str, metadata: str) -> aws.cognito.IdentityProvider:
        details = {"MetadataURL": metadata, "RequestSigningAlgorithm": "rsa-sha256"}
        return self._company(pool, provider, "SAML", details, {"email": EMAIL_CLAIM}, READ_FROM_METADATA)

    def _oidc_company(self, pool: aws.cognito.UserPool, provider: str, issuer: str) -> aws.cognito.IdentityProvider:
        parameter = oidc_secret_parameter(self._args.context.stage, provider)
        secret = aws.ssm.get_parameter_output(
            name=parameter, with_decryption=True, opts=pulumi.InvokeOutputOptions(parent=self)
        ).value
        details = {
            "oidc_issuer": issuer,
            "client_id": oidc_clients(self._args.settings)[provider],
            "client_secret": pulumi.Output.secret(secret),
            "authorize_scopes": "openid email",
            "attributes_request_method": "GET",
        }
        return self._company(pool, provider, "OIDC", details, {"email": "email", "username": "sub"}, READ_FROM_ISSUER)

    def _company(  # noqa: PLR0917 - two callers, side by side
        self,
        pool: aws.cognito.UserPool,
        provider: str,
        kind: str,
        details: Mapping[str, pulumi.Input[str]],
        mapping: Mapping[str, str],
        read_by_cognito: Sequence[str],
    ) -> aws.cognito.IdentityProvider:
        """An identity provider. Not protected: a setting can remove it. Its people stay in the pool."""
        claim = group_claims(self._args.settings).get(provider)
        return aws.cognito.IdentityProvider(
            f"{self._name}-{provider}",
            user_pool_id=pool.id,
            provider_name=provider,
            provider_type=kind,
            provider_details=dict(details),
            attribute_mapping={**mapping, **({GROUPS_ATTRIBUTE: claim.claim} if claim else {})},
            idp_identifiers=domains_of(self._args.settings, provider),
            # Cognito reads these from the provider and adds them to its response.
            opts=pulumi.ResourceOptions(
                parent=self, ignore_changes=[f"providerDetails.{name}" for name in read_by_cognito]
            ),
        )

    def _answers_to_threats(self, pool: aws.cognito.UserPool) -> None:
        """Known stolen passwords are refused; a risky sign-in needs the second factor, a very risky one fails."""
        settings = self._args.settings
        aws.cognito.RiskConfiguration(
            f"{self._name}-threats",
            user_pool_id=pool.id,
            compromised_credentials_risk_configuration=aws.cognito.RiskConfigurationCompromisedCredentialsRiskConfigurationArgs(
                actions=aws.cognito.RiskConfigurationCompromisedCredentialsRiskConfigurationActionsArgs(
                    event_action="BLOCK"
                )
            ),
            account_takeover_risk_configuration=_answers_to_takeover(settings.mail_identity_arn, settings.mail_from)
            if settings.mail_identity_arn
            else None,
            # If turned off, the pool refuses this call and does not need it: its own settings end the protection.
            opts=pulumi.ResourceOptions(parent=self, retain_on_delete=True),
        )

    def _asked(self, suffix: str, source: Path, variables: Mapping[str, str]) -> aws.lambda_.Function:
        """A trigger of the user pool, made of one file."""
        context, name, log_group = self._args.context, f"{self._name}-{suffix}", self._args.log_groups[suffix]
        function_name = context.name(suffix)
        role = aws.iam.Role(
            name,
            name=context.account_wide_name(suffix),
            assume_role_policy=policy.to_json(policy.assumed_by("lambda.amazonaws.com")),
            opts=self._child,
        )
        write = aws.iam.RolePolicy(
            name,
            role=role.name,
            policy=policy.to_json(
                policy.document(
                    policy.allow(
                        "WriteOwnLog",
                        actions=["logs:CreateLogStream", "logs:PutLogEvents"],
                        resources=pulumi.Output.concat(log_group.arn, ":*"),
                    ),
                    policy.trace(),
                )
            ),
            opts=self._child,
        )
        return aws.lambda_.Function(
            name,
            name=function_name,
            runtime=RUNTIME,
            architectures=["arm64"],
            handler=f"{source.stem}.handler",
            code=pulumi.AssetArchive({source.name: pulumi.StringAsset(source.read_text())}),
            role=role.arn,
            reserved_concurrent_executions=0 if self._args.context.general.paused else -1,
            timeout=5,  # Cognito's limit; Developer Guide, "Customizing user pool workflows with triggers"
            environment=aws.lambda_.FunctionEnvironmentArgs(variables=dict(variables)),
            tracing_config=aws.lambda_.FunctionTracingConfigArgs(mode="Active"),
            opts=pulumi.ResourceOptions(parent=self, depends_on=[log_group, write]),
        )


def _asked_by_the_pool(asked: Mapping[str, aws.lambda_.Function]) -> aws.cognito.UserPoolLambdaConfigArgs | None:
    if not asked:
        return None
    return aws.cognito.UserPoolLambdaConfigArgs(
        pre_sign_up=asked[FILTER].arn if FILTER in asked else None,
        # Version 1 changes only ID tokens, and the API verifies access tokens.
        pre_token_generation_config=aws.cognito.UserPoolLambdaConfigPreTokenGenerationConfigArgs(
            lambda_arn=asked[GROUPS].arn, lambda_version="V2_0"
        )
        if GROUPS in asked
        else None,
    )


def _answers_to_takeover(
    mail_identity_arn: str, mail_from: str
) -> aws.cognito.RiskConfigurationAccountTakeoverRiskConfigurationArgs:
    cognito = aws.cognito
    return cognito.RiskConfigurationAccountTakeoverRiskConfigurationArgs(
        notify_configuration=cognito.RiskConfigurationAccountTakeoverRiskConfigurationNotifyConfigurationArgs(
            source_arn=mail_identity_arn, from_=mail_from
        ),
        actions=cognito.RiskConfigurationAccountTakeoverRiskConfigurationActionsArgs(
            high_action=cognito.RiskConfigurationAccountTakeoverRiskConfigurationActionsHighActionArgs(
                event_action="BLOCK", notify=True
            ),
            medium_action=cognito.RiskConfigurationAccountTakeoverRiskConfigurationActionsMediumActionArgs(
                event_action="MFA_IF_CONFIGURED", notify=True
            ),
            low_action=cognito.RiskConfigurationAccountTakeoverRiskConfigurationActionsLowActionArgs(
                event_action="MFA_IF_CONFIGURED", notify=False
            ),
        ),
    )
