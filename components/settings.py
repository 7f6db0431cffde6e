"""Settings: the only reader of the stack's configuration.

SettingsError          every problem found, in one error, before anything is created
"""

from __future__ import annotations

import dataclasses
import ipaddress
import json
from collections.abc import Mapping, Sequence, Set
from enum import StrEnum

import pulumi
from pulumi.runtime.config import CONFIG, get_config_env

from components.internet_names import DOMAIN, MAIL_ADDRESS, is_page
from components.mail_sender import mail_sender_checks
from components.naming import problem_of_region, problem_of_stage_name
from components.setting_readers import ConfigReader, Read, choice, flag, integer, matching, texts

LOG_RETENTION_DAYS = (
    1,
    3,
    5,
    7,
    14,
    30,
    60,
    90,
    120,
    150,
    180,
    365,
    400,
    545,
    731,
    1096,
    1827,
    2192,
    2557,
    2922,
    3288,
    3653,
)
"""CloudWatch Logs API reference, PutRetentionPolicy: nothing between is accepted."""

MAX_OBJECT_GIB = 49_971  # 48.8 TiB; S3 User Guide, "Amazon S3 multipart upload limits"
MAX_POST_MIB = 5_120  # S3 User Guide: one PUT or POST carries 5 GiB at most
MIN_WAF_RATE = 10  # WAF Developer Guide, "Rate-based rule statement"
MAX_WAF_RATE = 2_000_000_000  # same page
MIN_LAMBDA_MIB = 128  # Lambda Developer Guide, "Quotas"
MAX_LAMBDA_MIB = 10_240  # same page
MAX_LAMBDA_SECONDS = 900  # same page
MAX_ENVIRONMENT_BYTES = 4_096  # same page: of all variables of a function; measured here with the quotes around them
PRIVATE_RANGES = tuple(map(ipaddress.IPv4Network, ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16")))  # RFC 1918
MAX_TOKEN_KIDS = 3


class SignUp(StrEnum):
    """Who may make an account."""

    OPEN = "open"
    CLOSED = "closed"
    DOMAIN = "domain"


class Mfa(StrEnum):
    """Second factor at sign-in."""

    OFF = "off"
    OPTIONAL = "optional"
    REQUIRED = "required"


class ThreatProtection(StrEnum):
    """Cognito's advanced security: what happens at a suspicious sign-in. Anything but off needs the PLUS tier."""

    OFF = "off"
    AUDIT = "audit"
    ENFORCED = "enforced"


class PriceClass(StrEnum):
    """Which of CloudFront's edge locations serve the site."""

    CHEAPEST = "PriceClass_100"
    MIDDLE = "PriceClass_200"
    ALL = "PriceClass_All"


class SettingsError(ValueError):
    """One or more settings are wrong. `problems` holds (setting, what is wrong with it)."""

    def __init__(self, problems: Sequence[tuple[str, str]]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(["wrong settings:", *(f"  {key}: {problem}" for key, problem in self.problems)]))


@dataclasses.dataclass(frozen=True, kw_only=True)
class Settings:
    """Everything in which one stage may differ from another; defaults stand in Pulumi.yaml.

    sign_up: who may make an account; `closed` leaves it to administrators.
    sign_up_domains: mail domains that may sign up when sign_up is `domain`.
    mfa: second factor (an authenticator app).
    threat_protection: Cognito's answer to suspicious sign-ins; costs per active user.
    mail_identity_arn, mail_from: SES identity and address that send the sign-in's mails (codes, invitations,
        warnings), or neither: then Cognito's own mailer does, a few dozen a day. With threat protection enforced a
        sender turns on the answers to stolen accounts, which Cognito ties to one.
    machine_client: whether programs may sign in by client credentials.
    extra_redirect_urls: where else than at the site a browser may land after signing in (http only on localhost); pages
        there may call the API and send parts.

    max_video_gib: largest video; up to what S3 can hold in 10,000 parts.
    max_small_upload_mib: largest video that goes in one request.
    max_open_uploads, max_reserved_gib: caps per user on unfinished uploads.
    upload_days: how long an upload may take before the janitor expires it; less than incomplete_upload_days.
    upload_key_names: names of the keys behind upload tokens: the first signs, all verify. To rotate, put a new
        name in front, deploy, and drop the old one after upload_days.

    protect: whether buckets, keys, the user pool and logs, with what belongs to them, refuse to be deleted and outlive
        the stack.
    incomplete_upload_days: after this S3 itself drops the parts of unfinished uploads.
    rejected_days: how long a rejected video is kept for a second look.
    tombstone_days: how long the record of a deleted, aborted or expired video is kept, so that an event that comes
        late, or is redriven, finds it.
    noncurrent_days: how long a deleted or overwritten version can be brought back.
    intelligent_tiering: whether videos move to cheaper tiers when nobody watches them; never to one that must be
        restored first.
    transfer_acceleration: whether parts may enter at the nearest edge location; costs per GB.
    log_days: retention of every log, one of CloudWatch's steps.

    site_domain, site_certificate_arn: own domain and its certificate in us-east-1, or neither.
    hosted_zone_id: the Route 53 zone of site_domain, when the record is to be made here.
    price_class: CloudFront's reach.
    waf: whether a web ACL guards the edge; costs while idle.
    requests_per_ip, requests_per_token, inits_per_ip: calls of the API in five minutes before the web ACL blocks.
    origin_secret_generation: raise by exactly one to rotate the secret between CloudFront and the API; the one before
        stays valid until the next rotation.

    api_requests_per_second, api_burst: throttling of the whole API.

    paused: the kill switch: no function runs, events wait in the dead-letter queue.
    bytecode: whether bundles carry bytecode; halves cold starts, needs a python3.13 on the deploying machine.
    api_memory_mib, processing_memory_mib, processing_timeout_seconds: sizes of the functions.
    provisioned_concurrency, provisioned_concurrency_max: instances of the API functions that are always warm, and how
        far target tracking may raise them; 0 pays per use only.

    network: whether functions run in private subnets of their own; their endpoints cost while idle.
    vpc_cidr: a /16 to /24 private range for it.

    alarm_emails: who hears of alarms and of the budget; at least one in production.
    alarms: whether alarms are made; costs for each metric they watch.
    dashboard: whether the dashboard is made; costs while idle.
    cost_figure: whether the janitor asks Cost Explorer once a day what the stage costs; each question costs.
    trail: whether CloudTrail keeps data events of buckets and functions.
    trail_management_events: also management events, such as a changed API or role; billed where the account has
        another trail.
    traced_percent: share of requests that X-Ray follows.
    monthly_budget_usd: where the budget alarm stands.
    """

    stage: str

    sign_up: SignUp
    sign_up_domains: tuple[str, ...]
    mfa: Mfa
    threat_protection: ThreatProtection
    mail_identity_arn: str
    mail_from: str
    machine_client: bool
    extra_redirect_urls: tuple[str, ...]

    max_video_gib: int
    max_small_upload_mib: int
    max_open_uploads: int
    max_reserved_gib: int
    upload_days: int
    upload_key_names: tuple[str, ...]

    protect: bool
    incomplete_upload_days: int
    rejected_days: int
    tombstone_days: int
    noncurrent_days: int
    intelligent_tiering: bool
    transfer_acceleration: bool
    log_days: int

    site_domain: str
    site_certificate_arn: str
    hosted_zone_id: str
    price_class: PriceClass
    waf: bool
    requests_per_ip: int
    requests_per_token: int
    inits_per_ip: int
    origin_secret_generation: int

    api_requests_per_second: int
    api_burst: int

    paused: bool
    bytecode: bool
    api_memory_mib: int
    processing_memory_mib: int
    processing_timeout_seconds: int
    provisioned_concurrency: int
    provisioned_concurrency_max: int

    network: bool
    vpc_cidr: str

    alarm_emails: tuple[str, ...]
    alarms: bool
    dashboard: bool
    cost_figure: bool
    trail: bool
    trail_management_events: bool
    traced_percent: int
    monthly_budget_usd: int

    @classmethod
    def load(cls) -> Settings:
        """Read the selected stack's settings. Raises SettingsError with every problem there is."""
        stage = pulumi.get_stack()
        reader = ConfigReader(pulumi.Config())
        values = {field: read(reader, _camel(field)) for field, read in _READERS.items()}
        problems = [*reader.problems, *_unknown_settings(pulumi.get_project())]
        if problem := problem_of_stage_name(stage):
            problems.append(("stack", problem))
        region = pulumi.Config("aws").get("region")
        if problem := problem_of_region(region):
            problems.append(("aws:region", problem))
        settings = cls(stage=stage, **values)
        problems += _contradictions(settings, region, unreadable={key for key, _ in problems})
        if problems:
            raise SettingsError(problems)
        if settings.alarms and not settings.alarm_emails:
            pulumi.log.warn("alarmEmails holds no address, so nobody hears this stage's alarms")
        return settings

    @property
    def is_production(self) -> bool:
        """Whether the stage's name says so: prod, production, prod2."""
        return self.stage.startswith("prod")


_READERS: Mapping[str, Read] = {
    "sign_up": choice(SignUp),
    "sign_up_domains": texts(DOMAIN, "a mail domain", range(51)),
    "mfa": choice(Mfa),
    "threat_protection": choice(ThreatProtection),
    "mail_from": matching(MAIL_ADDRESS, "a mail address"),
    "mail_identity_arn": matching(r"arn:aws:ses:[a-z0-9-]+:\d{12}:identity/\S+", "an SES identity"),
    "machine_client": flag,
    "extra_redirect_urls": texts(is_page, "an https address of one host (or http on localhost)", range(21)),
    "max_video_gib": integer(1, MAX_OBJECT_GIB),
    "max_small_upload_mib": integer(1, MAX_POST_MIB),
    "max_open_uploads": integer(1, 1_000),
    "max_reserved_gib": integer(1, 1_000_000),
    "upload_days": integer(1, 30),
    "upload_key_names": texts(r"[a-z0-9]{1,16}", "1 to 16 small letters and digits", range(1, MAX_TOKEN_KIDS + 1)),
    "protect": flag,
    "incomplete_upload_days": integer(2, 365),
    "rejected_days": integer(1, 3_650),
    # Failed events wait up to 14 days for their redrive.
    "tombstone_days": integer(30, 3_650),
    "noncurrent_days": integer(1, 3_650),
    "intelligent_tiering": flag,
    "transfer_acceleration": flag,
    "log_days": integer(1, 3_653),
    "site_domain": matching(DOMAIN, "a domain name"),
    "site_certificate_arn": matching(r"arn:aws:acm:us-east-1:\d{12}:certificate/[\w-]+", "a certificate in us-east-1"),
    "hosted_zone_id": matching(r"Z[A-Z0-9]{1,31}", "a Route 53 zone id"),
    "price_class": choice(PriceClass),
    "waf": flag,
    "requests_per_ip": integer(MIN_WAF_RATE, MAX_WAF_RATE),
    "requests_per_token": integer(MIN_WAF_RATE, MAX_WAF_RATE),
    "inits_per_ip": integer(MIN_WAF_RATE, MAX_WAF_RATE),
    "origin_secret_generation": integer(1, 10_000),
    "api_requests_per_second": integer(1, 10_000),
    "api_burst": integer(1, 10_000),
    "paused": flag,
    "bytecode": flag,
    "api_memory_mib": integer(MIN_LAMBDA_MIB, MAX_LAMBDA_MIB),
    "processing_memory_mib": integer(MIN_LAMBDA_MIB, MAX_LAMBDA_MIB),
    "processing_timeout_seconds": integer(30, MAX_LAMBDA_SECONDS),
    "provisioned_concurrency": integer(0, 1_000),
    "provisioned_concurrency_max": integer(0, 1_000),
    "network": flag,
    "vpc_cidr": lambda reader, key: reader.text(key),
    "alarm_emails": texts(MAIL_ADDRESS, "a mail address", range(11)),
    "alarms": flag,
    "dashboard": flag,
    "cost_figure": flag,
    "trail": flag,
    "trail_management_events": flag,
    "traced_percent": integer(1, 100),
    "monthly_budget_usd": integer(1, 10_000_000),
}


def sign_up_variables(domains: Sequence[str]) -> dict[str, str]:
    """The environment of the sign-up filter."""
    return {"ALLOWED_DOMAINS": ",".join(domains)}


def _camel(field: str) -> str:
    head, *rest = field.split("_")
    return head + "".join(word.capitalize() for word in rest)


def _unknown_settings(project: str) -> list[tuple[str, str]]:
    """Settings nobody reads: most often a misspelt name, which would leave the default in force."""
    known = {_camel(field) for field in _READERS}
    given = get_config_env() | CONFIG.get()
    ours = (key.removeprefix(f"{project}:") for key in given if key.startswith(f"{project}:"))
    return [(key, "is not a setting") for key in sorted(ours) if key not in known]


def _contradictions(settings: Settings, region: str | None, unreadable: Set[str]) -> list[tuple[str, str]]:
    """What no single reader shows. Each test says which setting to look at, and which others it compares with.

    unreadable: settings that hold no value of their own, so that nothing can be said of them here.
    """
    checks = [
        (
            ("signUpDomains", "signUp"),
            (settings.sign_up is SignUp.DOMAIN) != bool(settings.sign_up_domains),
            "is given exactly when signUp is domain",
        ),
        (
            ("signUpDomains",),
            len(json.dumps(sign_up_variables(settings.sign_up_domains))) > MAX_ENVIRONMENT_BYTES,
            f"is too long: Lambda's environment holds {MAX_ENVIRONMENT_BYTES} bytes",
        ),
        (
            ("siteCertificateArn", "siteDomain"),
            bool(settings.site_domain) != bool(settings.site_certificate_arn),
            "and siteDomain are given together or not at all",
        ),
        (
            ("mailFrom", "mailIdentityArn"),
            bool(settings.mail_from) != bool(settings.mail_identity_arn),
            "and mailIdentityArn are given together or not at all",
        ),
        *mail_sender_checks(settings.mail_from, settings.mail_identity_arn, region),
        (
            ("hostedZoneId", "siteDomain"),
            bool(settings.hosted_zone_id) and not settings.site_domain,
            "needs a siteDomain",
        ),
        (("logDays",), settings.log_days not in LOG_RETENTION_DAYS, f"is not one of {LOG_RETENTION_DAYS}"),
        (
            ("incompleteUploadDays", "uploadDays"),
            settings.incomplete_upload_days <= settings.upload_days,
            "must be more than uploadDays, or S3 drops parts of uploads that are still open",
        ),
        (
            ("maxReservedGib", "maxVideoGib"),
            settings.max_reserved_gib < settings.max_video_gib,
            "is less than maxVideoGib",
        ),
        (
            ("apiBurst", "apiRequestsPerSecond"),
            settings.api_burst < settings.api_requests_per_second,
            "is less than apiRequestsPerSecond",
        ),
        (
            ("provisionedConcurrencyMax", "provisionedConcurrency"),
            settings.provisioned_concurrency_max < settings.provisioned_concurrency,
            "is less than provisionedConcurrency",
        ),
        (
            ("provisionedConcurrencyMax", "provisionedConcurrency"),
            settings.provisioned_concurrency_max > 0 and settings.provisioned_concurrency == 0,
            "has no effect where provisionedConcurrency is 0",
        ),
        (
            ("paused", "provisionedConcurrency"),
            settings.paused and settings.provisioned_concurrency > 0,
            # Lambda Developer Guide, "Configuring provisioned concurrency"
            "needs provisionedConcurrency 0, deployed before: Lambda reserves no less than it has provisioned",
        ),
        (("vpcCidr",), not _private_range(settings.vpc_cidr), f"is {settings.vpc_cidr!r}, not a private /16 to /24"),
        (
            ("trailManagementEvents", "trail"),
            settings.trail_management_events and not settings.trail,
            "needs trail",
        ),
        (("protect",), settings.is_production and not settings.protect, f"cannot be off in {settings.stage}"),
        (
            ("alarmEmails",),
            settings.is_production and not settings.alarm_emails,
            f"holds no address, so nobody would hear the alarms of {settings.stage}",
        ),
        (
            ("threatProtection", "mfa"),
            settings.threat_protection is not ThreatProtection.OFF and settings.mfa is Mfa.OFF,
            "asks for a second factor at risky sign-ins, so mfa cannot be off",
        ),
    ]
    return [(keys[0], problem) for keys, wrong, problem in checks if wrong and unreadable.isdisjoint(keys)]


def _private_range(cidr: str) -> bool:
    try:
        network = ipaddress.IPv4Network(cidr)
    except ValueError:
        return False
    # EC2 takes no netmask for a prefix length, and refuses some ranges that are private in another sense.
    written_as_ec2_does = str(network) == cidr
    return written_as_ec2_does and 16 <= network.prefixlen <= 24 and any(map(network.subnet_of, PRIVATE_RANGES))
