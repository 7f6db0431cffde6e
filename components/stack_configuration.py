"""The reader of the stack's configuration, and the checks between settings.

SettingsError          all problems in one error, before anything is created
"""

from __future__ import annotations

import json
from collections.abc import Sequence, Set

import pulumi
from pulumi.runtime.config import CONFIG, get_config_env

from components.company_sign_in import company_sign_in_checks
from components.mail_sender import mail_sender_checks
from components.naming import problem_of_region, problem_of_stage_name
from components.setting_fields import ConfigReader, settings_in
from components.settings import GROUPS, Mfa, Settings, SignUp, ThreatProtection, Unscanned, sign_up_variables

SCANNED_GIB = 93
"""GuardDuty User Guide, "Quotas in Malware Protection for S3": objects up to 100 GB."""

LEAST_COPY_SECONDS = 300
"""Longest inspections of a video and of its copy, thumbnails, and the copy itself: chalicelib/core/media/facts.py and
copying.py."""

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
"""CloudWatch Logs API reference, PutRetentionPolicy: the only accepted values."""


GIB_A_TIB = 1_024
MAX_ENVIRONMENT_BYTES = 4_096  # same page: of all variables of a function; measured here as JSON, with the quotes


class SettingsError(ValueError):
    """One or more settings are wrong. `problems` holds pairs of a setting and its fault."""

    def __init__(self, problems: Sequence[tuple[str, str]]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(["wrong settings:", *(f"  {key}: {problem}" for key, problem in self.problems)]))


def load_settings() -> Settings:
    """Read the selected stack's settings. Raises SettingsError with all problems."""
    stage = pulumi.get_stack()
    reader = ConfigReader(pulumi.Config())
    groups = {
        name: group(**{field: setting.read(reader, setting.key) for field, setting in settings_in(group)})
        for name, group in GROUPS.items()
    }
    problems = [*reader.problems, *_unknown_settings(pulumi.get_project())]
    if problem := problem_of_stage_name(stage):
        problems.append(("stack", problem))
    region = pulumi.Config("aws").get("region")
    if problem := problem_of_region(region):
        problems.append(("aws:region", problem))
    settings = Settings(stage=stage, **groups)
    problems += _contradictions(settings, region, unreadable={key for key, _ in problems})
    if problems:
        raise SettingsError(problems)
    if settings.observability.alarms and not settings.observability.alarm_emails:
        pulumi.log.warn("alarmEmails holds no address, so nobody hears this stage's alarms")
    rejects_unscanned = settings.malware.malware_scan and settings.malware.malware_unscanned is Unscanned.REJECT
    if rejects_unscanned and settings.uploads.max_video_gib > SCANNED_GIB:
        pulumi.log.warn(f"GuardDuty scans up to 100 GB: videos over {SCANNED_GIB} GiB are rejected, up to maxVideoGib")
    return settings


def _unknown_settings(project: str) -> list[tuple[str, str]]:
    """Unknown keys: mostly misspelt names, which would leave the default in force."""
    known = {setting.key for group in GROUPS.values() for _, setting in settings_in(group)}
    given = get_config_env() | CONFIG.get()
    ours = (key.removeprefix(f"{project}:") for key in given if key.startswith(f"{project}:"))
    return [(key, "is not a setting") for key in sorted(ours) if key not in known]


def _contradictions(settings: Settings, region: str | None, unreadable: Set[str]) -> list[tuple[str, str]]:
    """Contradictions between settings.

    Each check names the setting to change, and those it is compared with.

    unreadable: settings without a valid value, which are not checked here.
    """
    checks = [
        (
            ("signUpDomains", "signUp"),
            (settings.sign_in.sign_up is SignUp.DOMAIN) != bool(settings.sign_in.sign_up_domains),
            "is given exactly when signUp is domain",
        ),
        (
            ("signUpDomains",),
            len(json.dumps(sign_up_variables(settings.sign_in.sign_up_domains))) > MAX_ENVIRONMENT_BYTES,
            f"is too long: Lambda's environment holds {MAX_ENVIRONMENT_BYTES} bytes",
        ),
        (
            ("webhooks",),
            len({webhook.partition("=")[0] for webhook in settings.notifications.webhooks})
            < len(settings.notifications.webhooks),
            "has two webhooks of one name",
        ),
        (
            ("siteCertificateArn", "siteDomain"),
            bool(settings.edge.site_domain) != bool(settings.edge.site_certificate_arn),
            "and siteDomain are given together or not at all",
        ),
        (
            ("mailFrom", "mailIdentityArn"),
            bool(settings.sign_in.mail_from) != bool(settings.sign_in.mail_identity_arn),
            "and mailIdentityArn are given together or not at all",
        ),
        *company_sign_in_checks(settings.sign_in),
        *mail_sender_checks(settings.sign_in.mail_from, settings.sign_in.mail_identity_arn, region),
        (
            ("hostedZoneId", "siteDomain"),
            bool(settings.edge.hosted_zone_id) and not settings.edge.site_domain,
            "needs a siteDomain",
        ),
        (("logDays",), settings.general.log_days not in LOG_RETENTION_DAYS, f"is not one of {LOG_RETENTION_DAYS}"),
        (
            ("incompleteUploadDays", "uploadDays"),
            settings.storage.incomplete_upload_days <= settings.uploads.upload_days,
            "must be more than uploadDays, or S3 drops parts of uploads that are still open",
        ),
        (
            ("retentionWarningDays", "retentionDays"),
            0 < settings.storage.retention_days <= settings.storage.retention_warning_days,
            "must be less than retentionDays",
        ),
        (
            ("processingTimeoutSeconds", "renditions"),
            settings.playback.renditions and settings.compute.processing_timeout_seconds < LEAST_COPY_SECONDS,
            f"is less than {LEAST_COPY_SECONDS}, which copies for renditions take",
        ),
        (
            ("maxReservedGib", "maxVideoGib"),
            settings.uploads.max_reserved_gib < settings.uploads.max_video_gib,
            "is less than maxVideoGib",
        ),
        (
            ("maxStoredGibPerUser", "maxVideoGib"),
            0 < settings.uploads.max_stored_gib_per_user < settings.uploads.max_video_gib,
            "is less than maxVideoGib",
        ),
        (
            ("maxStoredTibPerStage", "maxVideoGib"),
            0 < settings.uploads.max_stored_tib_per_stage * GIB_A_TIB < settings.uploads.max_video_gib,
            "is less than maxVideoGib",
        ),
        (
            ("maxStoredVideosPerUser", "maxStoredGibPerUser"),
            settings.uploads.max_stored_gib_per_user > 0 and settings.uploads.max_stored_videos_per_user == 0,
            "cannot be 0 where maxStoredGibPerUser is not: it bounds what a new upload lists",
        ),
        (
            ("apiBurst", "apiRequestsPerSecond"),
            settings.api.api_burst < settings.api.api_requests_per_second,
            "is less than apiRequestsPerSecond",
        ),
        (
            ("provisionedConcurrencyMax", "provisionedConcurrency"),
            settings.compute.provisioned_concurrency_max < settings.compute.provisioned_concurrency,
            "is less than provisionedConcurrency",
        ),
        (
            ("provisionedConcurrencyMax", "provisionedConcurrency"),
            settings.compute.provisioned_concurrency_max > 0 and settings.compute.provisioned_concurrency == 0,
            "has no effect where provisionedConcurrency is 0",
        ),
        (
            ("paused", "provisionedConcurrency"),
            settings.general.paused and settings.compute.provisioned_concurrency > 0,
            # Lambda Developer Guide, "Configuring provisioned concurrency"
            "needs provisionedConcurrency 0, deployed before: Lambda reserves no less than it has provisioned",
        ),
        (
            ("trailManagementEvents", "trail"),
            settings.observability.trail_management_events and not settings.observability.trail,
            "needs trail",
        ),
        (("protect",), settings.is_production and not settings.general.protect, f"cannot be off in {settings.stage}"),
        (
            ("alarmEmails",),
            settings.is_production and not settings.observability.alarm_emails,
            f"holds no address, so nobody would hear the alarms of {settings.stage}",
        ),
        (
            ("threatProtection", "mfa"),
            settings.sign_in.threat_protection is not ThreatProtection.OFF and settings.sign_in.mfa is Mfa.OFF,
            "asks for a second factor at risky sign-ins, so mfa cannot be off",
        ),
    ]
    return [(keys[0], problem) for keys, wrong, problem in checks if wrong and unreadable.isdisjoint(keys)]
