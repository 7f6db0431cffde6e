"""App clients: of the page and its account view, the command line, native apps and programs, each with its own OAuth
flow."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import KW_ONLY, dataclass
from urllib.parse import urlsplit

import pulumi
import pulumi_aws as aws

from components.auth.company_groups import GROUPS_ATTRIBUTE
from components.naming import StageContext, formerly, type_token
from components.protection import protected
from components.settings import Mfa, SignInSettings

DESKTOP_PORTS = range(53_682, 53_692)
"""Ports of the desktop client's loopback redirect: Cognito compares redirects exactly."""
POPUP_PAGE = "signed-in.html"
"""Page that completes a sign-in in a separate window, while uploads continue."""
ACCOUNT_PAGE = "account.html"
"""Account view, in which people set up their second factor."""
ACCESS_TOKEN_MINUTES = 60
REFRESH_TOKEN_DAYS = 30
OPENID_SCOPES = ["openid", "email"]
ACCOUNT_SCOPES = ["openid", "aws.cognito.signin.user.admin"]
"""Scopes of the account view, without the API's: its tokens open nothing else."""
ACCOUNT_TOKEN_MINUTES = 10
ACCOUNT_REFRESH_MINUTES = 60
"""Cognito API reference, CreateUserPoolClient: the shortest lifetime of a refresh token. The account view uses none."""
HARMLESS_ATTRIBUTE = "locale"
"""The only attribute that the account view's tokens may write; the platform does not read it. An empty list is
impossible: the provider drops it, and Cognito then lets tokens write all standard attributes, including the e-mail
address."""


@dataclass(frozen=True)
class AppClientsArgs:
    """Inputs of the app clients.

    api_scopes: scopes of the resource server. identity_providers: names of the providers by which people sign in.
    site_url: `https://…` without a slash at the end; the web client comes back to it.
    """

    context: StageContext
    settings: SignInSettings
    _: KW_ONLY
    user_pool_id: pulumi.Input[str]
    api_scopes: Sequence[pulumi.Input[str]]
    identity_providers: Sequence[pulumi.Input[str]]
    site_url: pulumi.Input[str]


class AppClients(pulumi.ComponentResource):
    """The web, account, desktop, native and machine clients."""

    web_client_id: pulumi.Output[str]
    """The page: code + PKCE, no secret."""
    account_client_id: pulumi.Output[str] | None
    """The account view: code + PKCE, no secret; its tokens change the person's account and open no route. None if `mfa`
    or `localUsers` is off."""
    desktop_client_id: pulumi.Output[str]
    """The command line: code + PKCE with a loopback redirect, no secret."""
    native_client_id: pulumi.Output[str] | None
    """Apps on phones and desktops: code + PKCE with a link that the app claims, no secret; None without such a link."""
    machine_client_id: pulumi.Output[str] | None
    """Programs: client credentials."""
    machine_client_secret: pulumi.Output[str] | None
    """Secret of the machine client."""
    client_ids: list[pulumi.Output[str]]
    """Clients whose tokens the API accepts."""

    def __init__(self, name: str, args: AppClientsArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        opts = pulumi.ResourceOptions.merge(opts, formerly("SignIn", "sign-in"))
        super().__init__(type_token("AppClients"), name, None, opts)
        self._name = name
        self._args = args
        self._child = pulumi.ResourceOptions(parent=self)

        elsewhere = args.settings.extra_redirect_urls
        pages = [pulumi.Output.concat(args.site_url, "/"), *elsewhere]
        popups = [pulumi.Output.concat(args.site_url, "/", POPUP_PAGE), *_beside(elsewhere, POPUP_PAGE)]
        # Not protected: it names the site, which is destroyed with the stack, and the engine would have to keep that.
        web = self._person_client("web", [*pages, *popups], pages, self._child)
        # Not protected, like the page's; a setting can remove it as well.
        has_factors = args.settings.mfa is not Mfa.OFF and args.settings.local_users
        account = self._account_client() if has_factors else None
        loopback = [f"http://127.0.0.1:{port}/callback" for port in DESKTOP_PORTS]
        desktop = self._person_client("desktop", loopback, [], protected(self, args.context.general.protect))
        # Not protected: a setting can remove it, and apps read its id from config.json at each start.
        links = args.settings.native_redirect_urls
        native = self._person_client("native", links, links, self._child) if links else None
        machine = self._machine_client() if args.settings.machine_client else None

        self.web_client_id = web.id
        self.account_client_id = account.id if account else None
        self.desktop_client_id = desktop.id
        self.native_client_id = native.id if native else None
        self.machine_client_id = machine.id if machine else None
        self.machine_client_secret = pulumi.Output.secret(machine.client_secret) if machine else None
        self.client_ids = [client.id for client in (web, desktop, native, machine) if client]
        self.register_outputs({"webClientId": web.id, "desktopClientId": desktop.id})

    def _person_client(
        self,
        kind: str,
        redirect_urls: Sequence[pulumi.Input[str]],
        logout_urls: Sequence[pulumi.Input[str]],
        options: pulumi.ResourceOptions,
    ) -> aws.cognito.UserPoolClient:
        """A public client: PKCE proves that the client that redeems the code is the one that requested it."""
        return aws.cognito.UserPoolClient(
            f"{self._name}-{kind}",
            user_pool_id=self._args.user_pool_id,
            name=self._args.context.name(kind),
            generate_secret=False,
            allowed_oauth_flows_user_pool_client=True,
            allowed_oauth_flows=["code"],
            allowed_oauth_scopes=[*OPENID_SCOPES, *self._args.api_scopes],
            callback_urls=list(redirect_urls),
            logout_urls=list(logout_urls),
            supported_identity_providers=list(self._args.identity_providers),
            explicit_auth_flows=["ALLOW_REFRESH_TOKEN_AUTH"],
            read_attributes=["email", "email_verified"],
            write_attributes=["email", *([GROUPS_ATTRIBUTE] if self._args.settings.company_administrators else [])],
            prevent_user_existence_errors="ENABLED",
            enable_token_revocation=True,
            access_token_validity=ACCESS_TOKEN_MINUTES,
            id_token_validity=ACCESS_TOKEN_MINUTES,
            refresh_token_validity=REFRESH_TOKEN_DAYS,
            token_validity_units=_token_units(),
            opts=options,
        )

    def _account_client(self) -> aws.cognito.UserPoolClient:
        """The account view's client: its tokens may call Cognito's operations on the person's own account, but grant no
        rights."""
        args = self._args
        views = [pulumi.Output.concat(args.site_url, "/", ACCOUNT_PAGE)]
        return aws.cognito.UserPoolClient(
            f"{self._name}-account",
            user_pool_id=args.user_pool_id,
            name=args.context.name("account"),
            generate_secret=False,
            allowed_oauth_flows_user_pool_client=True,
            allowed_oauth_flows=["code"],
            allowed_oauth_scopes=ACCOUNT_SCOPES,
            callback_urls=[*views, *_beside(args.settings.extra_redirect_urls, ACCOUNT_PAGE)],
            # Cognito asks federated users for no second factor, so they have none to set up.
            supported_identity_providers=["COGNITO"],
            explicit_auth_flows=["ALLOW_REFRESH_TOKEN_AUTH"],
            read_attributes=["email"],
            write_attributes=[HARMLESS_ATTRIBUTE],
            prevent_user_existence_errors="ENABLED",
            enable_token_revocation=True,
            access_token_validity=ACCOUNT_TOKEN_MINUTES,
            id_token_validity=ACCOUNT_TOKEN_MINUTES,
            refresh_token_validity=ACCOUNT_REFRESH_MINUTES,
            token_validity_units=_token_units(refresh="minutes"),
            opts=self._child,
        )

    def _machine_client(self) -> aws.cognito.UserPoolClient:
        return aws.cognito.UserPoolClient(
            f"{self._name}-machine",
            user_pool_id=self._args.user_pool_id,
            name=self._args.context.name("machine"),
            generate_secret=True,
            allowed_oauth_flows_user_pool_client=True,
            allowed_oauth_flows=["client_credentials"],
            allowed_oauth_scopes=list(self._args.api_scopes),
            explicit_auth_flows=["ALLOW_REFRESH_TOKEN_AUTH"],
            prevent_user_existence_errors="ENABLED",
            enable_token_revocation=True,
            access_token_validity=ACCESS_TOKEN_MINUTES,
            token_validity_units=_token_units(),
            opts=self._child,
        )


def _beside(urls: Sequence[str], page: str) -> list[str]:
    """Addresses of the page on those of the origins that serve it from the root, such as a developer's machine."""
    return [url + page for url in urls if urlsplit(url).path == "/"]


def _token_units(refresh: str = "days") -> aws.cognito.UserPoolClientTokenValidityUnitsArgs:
    short = "minutes"
    return aws.cognito.UserPoolClientTokenValidityUnitsArgs(access_token=short, id_token=short, refresh_token=refresh)
