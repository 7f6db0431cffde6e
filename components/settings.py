"""Settings: everything in which stages may differ.

A setting is one field with its default, limits and meaning. `make settings` writes all settings into Pulumi.yaml and
docs/deploying.md; components/stack_configuration.py reads their values.
"""

from __future__ import annotations

import dataclasses
import ipaddress
from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Any, get_type_hints

from components.internet_names import (
    DOMAIN,
    MAIL_ADDRESS,
    PROVIDER_NAME,
    is_claimed_link,
    is_oidc_provider,
    is_page,
    is_saml_provider,
    is_webhook,
)
from components.setting_fields import choice, flag, integer, text, texts

MAX_OBJECT_GIB = 49_971  # 48.8 TiB; S3 User Guide, "Amazon S3 multipart upload limits"
MAX_POST_MIB = 5_120  # S3 User Guide: one PUT or POST carries 5 GiB at most
MIN_WAF_RATE = 10  # WAF Developer Guide, "Rate-based rule statement"
MAX_WAF_RATE = 2_000_000_000  # same page
MIN_LAMBDA_MIB = 128  # Lambda Developer Guide, "Quotas"
MAX_LAMBDA_MIB = 10_240  # same page
MAX_LAMBDA_SECONDS = 900  # same page
PRIVATE_RANGES = tuple(map(ipaddress.IPv4Network, ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16")))  # RFC 1918
MAX_TOKEN_KIDS = 3
ACCEPTED_CONTAINERS = ("mp4", "quicktime", "3gpp", "matroska", "webm", "avi", "mpegts", "mpeg")
"""Containers of phones, cameras and screen recorders."""
OTHER_CONTAINERS = ("ogg",)
"""Containers that a stage accepts only if its setting names them."""
MAX_LISTED_VIDEOS = 20_000  # 20 requests of ListObjectsV2, twice an upload


class SignUp(StrEnum):
    """Policy of account creation."""

    OPEN = "open"
    CLOSED = "closed"
    DOMAIN = "domain"


class Mfa(StrEnum):
    """Second factor at sign-in."""

    OFF = "off"
    OPTIONAL = "optional"
    REQUIRED = "required"


class ThreatProtection(StrEnum):
    """Cognito's advanced security: its response to a suspicious sign-in. Any value but off needs the PLUS tier."""

    OFF = "off"
    AUDIT = "audit"
    ENFORCED = "enforced"


class Unscanned(StrEnum):
    """Outcome of a video that the malware scanner cannot scan."""

    REJECT = "reject"
    ACCEPT = "accept"


class PriceClass(StrEnum):
    """CloudFront's price class: the set of edge locations that serve the site."""

    CHEAPEST = "PriceClass_100"
    MIDDLE = "PriceClass_200"
    ALL = "PriceClass_All"


def is_private_range(cidr: str) -> bool:
    try:
        network = ipaddress.IPv4Network(cidr)
    except ValueError:
        return False
    # EC2 accepts no netmask in place of a prefix length, and refuses other ranges that Python calls private.
    written_as_ec2_does = str(network) == cidr
    return written_as_ec2_does and 16 <= network.prefixlen <= 24 and any(map(network.subnet_of, PRIVATE_RANGES))


@dataclasses.dataclass(frozen=True, kw_only=True)
class GeneralSettings:
    """All tiers."""

    protect: bool = flag(
        False,
        "resources that hold data cannot be deleted and outlive the stack ([Destroying](#destroying)); logs stay "
        "when the feature that writes them is turned off; cannot be off in prod",
    )
    log_days: int = integer(30, 1, 3_653, "retention of every log; one of CloudWatch's steps")
    paused: bool = flag(False, "the kill switch; see [Pausing](#pausing)")


@dataclasses.dataclass(frozen=True, kw_only=True)
class SignInSettings:
    """Signing in."""

    sign_up: SignUp = choice(
        SignUp.CLOSED,
        "who may create an account: `open` (anyone), `closed` (administrators invite), `domain` (addresses of "
        "`signUpDomains`)",
    )
    sign_up_domains: tuple[str, ...] = texts(
        (),
        DOMAIN,
        "a mail domain",
        range(51),
        "up to 50 mail domains, together less than 4 KB; exactly when `signUp` is `domain`",
    )
    mfa: Mfa = choice(
        Mfa.OFF,
        "second factor by an authenticator app: `off`, `optional` (people set it up in the page's account view), "
        "`required` (at the first sign-in)",
    )
    threat_protection: ThreatProtection = choice(
        ThreatProtection.OFF,
        "Cognito's response to suspicious sign-ins: `off`, `audit`, `enforced`; any value but off needs the Plus "
        "tier, paid per active user, and an `mfa` that is not off",
    )
    saml_providers: tuple[str, ...] = texts(
        (),
        is_saml_provider,
        "NAME=URL, the name 3 to 32 small letters, digits and hyphens, the address https",
        range(11),
        "companies whose people sign in by SAML, as `NAME=https://…` with the address of the company's metadata; see "
        "[Company sign-in](#company-sign-in)",
    )
    oidc_providers: tuple[str, ...] = texts(
        (),
        is_oidc_provider,
        "NAME=URL, the name 3 to 32 small letters, digits and hyphens, the address https without a slash at the end",
        range(11),
        "companies whose people sign in by OpenID Connect, as `NAME=https://…` with the issuer's address; the "
        "client's secret is in Parameter Store: [Company sign-in](#company-sign-in)",
    )
    oidc_client_ids: tuple[str, ...] = texts(
        (),
        rf"{PROVIDER_NAME}=[!-~]{{1,256}}",
        "NAME=ID, the name of one of `oidcProviders`",
        range(11),
        "this stage's client at each of `oidcProviders`, as `NAME=ID`",
    )
    company_administrators: tuple[str, ...] = texts(
        (),
        rf"{PROVIDER_NAME}=[!-<>-~]{{1,128}}=[A-Za-z0-9._:/@-]{{1,128}}",
        "NAME=CLAIM=GROUP, a provider, a claim or SAML attribute, and a value of letters, digits and ._:/@-",
        range(11),
        "groups of companies whose members are administrators, as `NAME=CLAIM=GROUP`, each trusted for people of that "
        "provider alone: [Administrators](#administrators)",
    )
    company_domains: tuple[str, ...] = texts(
        (),
        rf"{DOMAIN.replace('$', '=')}={PROVIDER_NAME}",
        "DOMAIN=NAME, the name of a provider",
        range(51),
        "mail domains of the companies in `samlProviders` and `oidcProviders`, as `example.com=NAME`: managed "
        "login sends people with such an address to their SAML provider; `idp_identifier=example.com` leads to "
        "either kind of provider",
    )
    local_users: bool = flag(
        True,
        "people may sign in with a password of this stage; if off, only people of `samlProviders` and "
        "`oidcProviders` may sign in",
    )
    administrators_group: str = text(
        "administrators",
        r"[A-Za-z0-9_-]{1,64}",
        "1 to 64 letters, digits, hyphens and underscores",
        "group of the user pool whose members list, view and delete the videos of all users and see the stage's usage; "
        "empty for no administrators: [Administrators](#administrators)",
    )
    mail_identity_arn: str = text(
        "",
        r"arn:aws:ses:[a-z0-9-]+:\d{12}:identity/\S+",
        "an SES identity",
        "SES identity that sends codes, invitations and warnings: of this account, out of SES's sandbox, in the "
        "stage's region, us-east-1, us-west-2 or eu-west-1; without one, Cognito's own mailer sends them, and "
        "`threatProtection` cannot respond to stolen accounts",
    )
    mail_from: str = text(
        "",
        MAIL_ADDRESS,
        "a mail address",
        "the sender's address, with `mailIdentityArn`: the identity itself or an address of its domain",
    )
    machine_client: bool = flag(False, "programs may sign in by client credentials")
    extra_redirect_urls: tuple[str, ...] = texts(
        (),
        is_page,
        "an https address of one host (or http on localhost)",
        range(21),
        "pages besides the site to which a sign-in may return; they may call the API and the video bucket",
    )
    native_redirect_urls: tuple[str, ...] = texts(
        (),
        is_claimed_link,
        "an https address of one host that an app can claim",
        range(21),
        "links to which a sign-in in a native app returns, each claimed by its app; with one, native apps get "
        "their own client: [Native apps](mobile.md)",
    )


@dataclasses.dataclass(frozen=True, kw_only=True)
class UploadSettings:
    """Upload limits per user."""

    max_video_gib: int = integer(
        5,
        1,
        MAX_OBJECT_GIB,
        "largest video; over 50 GB it is played without CloudFront's cache: "
        "[ADR 24](adr/0024-large-videos-uncached.md)",
    )
    accepted_containers: tuple[str, ...] = texts(
        ACCEPTED_CONTAINERS,
        "|".join(ACCEPTED_CONTAINERS + OTHER_CONTAINERS),
        f"one of {', '.join(ACCEPTED_CONTAINERS + OTHER_CONTAINERS)}",
        range(1, len(ACCEPTED_CONTAINERS + OTHER_CONTAINERS) + 1),
        "containers of the videos that are accepted, by name and content: those of phones, cameras and screen "
        f"recorders; also possible: `{'`, `'.join(OTHER_CONTAINERS)}`. A video whose upload began before a change is "
        "not refused for its name",
    )
    max_small_upload_mib: int = integer(50, 1, MAX_POST_MIB, "largest video that is uploaded in one request")
    max_link_days: int = integer(
        30, 0, 365, "longest validity of an upload link, by which people without an account upload; 0 for no links"
    )
    max_open_uploads: int = integer(20, 1, 1_000, "unfinished uploads of one user")
    max_reserved_gib: int = integer(20, 1, 1_000_000, "their total size; at least `maxVideoGib`")
    max_stored_gib_per_user: int = integer(
        100,
        0,
        1_000_000,
        "storage of one user, open uploads included; 0 for no limit, else at least `maxVideoGib`",
    )
    max_stored_videos_per_user: int = integer(
        1_000,
        0,
        MAX_LISTED_VIDEOS,
        "videos of one user; each new upload lists them, 1,000 a request; 0 for no limit, only if "
        "`maxStoredGibPerUser` is 0",
    )
    max_stored_tib_per_stage: int = integer(
        1,
        0,
        1_000_000,
        "storage of all users together: the last hourly count (every sweep above 90 %) plus the reservations "
        "since; uploads that begin and settle between two counts may exceed it; 0 for no limit",
    )
    upload_days: int = integer(6, 1, 30, "longest duration of an upload")
    upload_key_names: tuple[str, ...] = texts(
        ("k1",),
        r"[a-z0-9]{1,16}",
        "1 to 16 small letters and digits",
        range(1, MAX_TOKEN_KIDS + 1),
        "names of the upload token keys; the first one signs; see [Rotating](#rotating-keys-and-secrets)",
    )

    @property
    def limits_stored(self) -> bool:
        return self.max_stored_gib_per_user > 0 or self.max_stored_videos_per_user > 0


@dataclasses.dataclass(frozen=True, kw_only=True)
class StorageSettings:
    """Storage."""

    incomplete_upload_days: int = integer(
        7, 2, 365, "days until S3 drops the parts of an unfinished upload; more than `uploadDays`"
    )
    rejected_days: int = integer(3, 1, 3_650, "days for which rejected videos are kept for inspection")
    tombstone_days: int = integer(
        90,
        30,
        3_650,
        "days for which records of deleted, aborted and expired videos are kept for late and redriven events; at "
        "least 30",
    )
    noncurrent_days: int = integer(1, 1, 3_650, "days for which deleted or overwritten versions can be restored")
    retention_days: int = integer(
        0, 0, 36_500, "days for which a ready video is kept; 0 for ever; see [Retention](#retention)"
    )
    retention_warning_days: int = integer(
        14,
        1,
        365,
        "least number of days between the announcement of a deletion by retention and the deletion; less than "
        "`retentionDays`",
    )
    intelligent_tiering: bool = flag(False, "videos that nobody watches move to cheaper tiers")
    transfer_acceleration: bool = flag(False, "parts enter AWS at the nearest edge location, paid per GB")


@dataclasses.dataclass(frozen=True, kw_only=True)
class MalwareSettings:
    """Malware scan."""

    malware_scan: bool = flag(
        False,
        "GuardDuty Malware Protection scans every video, paid per GB and per object; a video is ready only after a "
        "clean verdict",
    )
    malware_unscanned: Unscanned = choice(
        Unscanned.REJECT,
        "outcome of a video that cannot be scanned, such as one over 100 GB or with a password: `reject`, `accept`",
    )


@dataclasses.dataclass(frozen=True, kw_only=True)
class PlaybackSettings:
    """Playback."""

    thumbnails: bool = flag(
        True,
        "up to 16 thumbnails of each video, which the page shows under the pointer; they take 17 requests to S3 "
        "and about a second of processing a video: [ADR 48](adr/0048-thumbnails-after-the-facts.md)",
    )
    renditions: bool = flag(
        False,
        "a ready video that some browsers do not play gets an MP4 that all browsers play, paid as storage: a copy "
        "of the streams if only the container is the obstacle, paid as computing time, else a conversion by "
        "MediaConvert, paid by the minute of video, 10 s at least: "
        "[ADR 53](adr/0053-conversions-by-mediaconvert.md)",
    )
    max_converted_hours_per_user: int = integer(
        24,
        0,
        1_000_000,
        "hours of one user's video that are converted in 24 hours; the rest waits; 0 for no limit",
    )
    max_converted_hours_per_stage: int = integer(
        100, 0, 1_000_000, "the same for all users together, which also limits the cost of a day's conversions"
    )


@dataclasses.dataclass(frozen=True, kw_only=True)
class NotificationSettings:
    """Notifications."""

    notification_emails: tuple[str, ...] = texts(
        (),
        MAIL_ADDRESS,
        "a mail address",
        range(11),
        "recipients of a mail when a video is ready, rejected or failed; each address must confirm",
    )
    webhooks: tuple[str, ...] = texts(
        (),
        is_webhook,
        "NAME=URL, the name 1 to 16 small letters and digits, the address https with at most 256 characters",
        range(6),
        "receivers of every event, as `NAME=https://…`; each needs a secret: [Webhooks](notifications.md#webhooks)",
    )
    event_bus_name: str = text(
        "",
        r"[A-Za-z0-9._-]{1,256}",
        "the name of an event bus",
        "EventBridge bus of this account and region that gets every event, such as `default`",
    )


@dataclasses.dataclass(frozen=True, kw_only=True)
class EdgeSettings:
    """Edge."""

    site_domain: str = text(
        "",
        DOMAIN,
        "a domain name",
        "the site's own domain; without it CloudFront's default applies to TLS, which allows old versions",
    )
    site_certificate_arn: str = text(
        "",
        r"arn:aws:acm:us-east-1:\d{12}:certificate/[\w-]+",
        "a certificate in us-east-1",
        "the domain's certificate, in us-east-1; set together with `siteDomain`",
    )
    hosted_zone_id: str = text(
        "",
        r"Z[A-Z0-9]{1,31}",
        "a Route 53 zone id",
        "Route 53 zone of the domain, if the stack should create the records",
    )
    price_class: PriceClass = choice(
        PriceClass.CHEAPEST, "CloudFront's edge locations: `PriceClass_100`, `PriceClass_200`, `PriceClass_All`"
    )
    waf: bool = flag(False, "a web ACL in front of pages, API and videos")
    requests_per_ip: int = integer(
        2000,
        MIN_WAF_RATE,
        MAX_WAF_RATE,
        "API calls from one address in five minutes before the web ACL blocks it; pages, posters and videos do not"
        " count, since an office may share one address",
    )
    requests_per_token: int = integer(1000, MIN_WAF_RATE, MAX_WAF_RATE, "the same for one bearer token")
    inits_per_ip: int = integer(200, MIN_WAF_RATE, MAX_WAF_RATE, "the same for starting uploads from one address")


@dataclasses.dataclass(frozen=True, kw_only=True)
class ApiSettings:
    """API."""

    api_requests_per_second: int = integer(20, 1, 10_000, "rate limit of the whole API")
    api_burst: int = integer(40, 1, 10_000, "burst limit of the whole API; at least `apiRequestsPerSecond`")
    origin_secret_generation: int = integer(
        1,
        1,
        10_000,
        "increment by one to rotate the secret between CloudFront and the API, each time only after CloudFront has"
        " deployed the previous one",
    )


@dataclasses.dataclass(frozen=True, kw_only=True)
class ComputeSettings:
    """Compute."""

    bytecode: bool = flag(
        True, "bundles contain bytecode for shorter cold starts; the deploying machine needs a python3.13"
    )
    api_memory_mib: int = integer(
        1024, MIN_LAMBDA_MIB, MAX_LAMBDA_MIB, "memory of each function behind the API except the authorizer"
    )
    processing_memory_mib: int = integer(2048, MIN_LAMBDA_MIB, MAX_LAMBDA_MIB, "memory of video processing")
    processing_timeout_seconds: int = integer(
        300, 30, MAX_LAMBDA_SECONDS, "timeout of video processing; at least 300 if `renditions` is on"
    )
    provisioned_concurrency: int = integer(
        0, 0, 1_000, "warm instances of each function behind the API; 0 pays per use"
    )
    provisioned_concurrency_max: int = integer(
        0, 0, 1_000, "maximum to which target tracking may raise them; 0 if `provisionedConcurrency` is 0"
    )


@dataclasses.dataclass(frozen=True, kw_only=True)
class NetworkSettings:
    """Network."""

    enabled: bool = flag(False, "functions run in private subnets", key="network")
    vpc_cidr: str = text(
        "10.40.0.0/16",
        is_private_range,
        "a private /16 to /24",
        "the subnets' range, a private /16 to /24",
        required=True,
    )
    sns_endpoint: bool = flag(
        False,
        "functions reach the notification topic by a VPC endpoint; without it they write messages to the outbox, "
        "and a function outside of the network sends them about a second later",
    )

    @property
    def uses_outbox(self) -> bool:
        return self.enabled and not self.sns_endpoint


@dataclasses.dataclass(frozen=True, kw_only=True)
class ObservabilitySettings:
    """Observability."""

    alarm_emails: tuple[str, ...] = texts(
        (),
        MAIL_ADDRESS,
        "a mail address",
        range(11),
        "recipients of alarms and of the budget; each address must confirm",
    )
    alarms: bool = flag(False, "the stage's alarms; the budget has its alarm in any case")
    dashboard: bool = flag(False, "the CloudWatch dashboard")
    cost_figure: bool = flag(
        False, "the janitor asks Cost Explorer once a day for the stage's cost; each request is billed"
    )
    trail: bool = flag(False, "CloudTrail records data events of videos, records and functions")
    trail_management_events: bool = flag(
        False,
        "CloudTrail also records management events, such as a changed API or role; a second copy is billed if the "
        "account has another trail for them",
    )
    traced_percent: int = integer(100, 1, 100, "share of requests that X-Ray traces")
    monthly_budget_usd: int = integer(20, 1, 10_000_000, "amount at which the budget's alarm goes off")


@dataclasses.dataclass(frozen=True, kw_only=True)
class Settings:
    """All settings of a stage, by group."""

    stage: str
    general: GeneralSettings
    sign_in: SignInSettings
    uploads: UploadSettings
    storage: StorageSettings
    malware: MalwareSettings
    playback: PlaybackSettings
    notifications: NotificationSettings
    edge: EdgeSettings
    api: ApiSettings
    compute: ComputeSettings
    network: NetworkSettings
    observability: ObservabilitySettings

    @property
    def is_production(self) -> bool:
        """True for a stage whose name starts with prod, such as production or prod2."""
        return self.stage.startswith("prod")


GROUPS: Mapping[str, Any] = {
    name: kind for name, kind in get_type_hints(Settings).items() if dataclasses.is_dataclass(kind)
}
"""Classes of the groups by name, in the documents' order."""


def sign_up_variables(domains: Sequence[str]) -> dict[str, str]:
    """The environment of the sign-up filter."""
    return {"ALLOWED_DOMAINS": ",".join(domains)}
