"""Settings: every wrong value is reported, all of them at once, before anything is created."""

from __future__ import annotations

import json
import re
from typing import Any

import botocore.session
import pytest
import yaml

from chalicelib.core.media.copying import COPY_LIMITS
from chalicelib.core.media.facts import THUMBNAIL_LIMITS, InspectionLimits
from components import settings_documents
from components.declared_stage import HEARD, StageRefusedError, settings_of
from components.internet_names import origin_of
from components.naming import problem_of_region
from components.stack_configuration import LEAST_COPY_SECONDS, SettingsError
from tests.infrastructure.recorded_program import PROJECT, STAGES, Recording, record, stage_config, stage_file

DECLARED: dict[str, Any] = yaml.safe_load((PROJECT / "Pulumi.yaml").read_text())["config"]
SETTINGS = [key for key in DECLARED if ":" not in key]


METADATA = "https://login.example.com/metadata"
CERTIFICATE = "arn:aws:acm:us-east-1:123456789012:certificate/1"
IDENTITIES = "arn:aws:ses:eu-central-1:123456789012:identity"
IDENTITY_ELSEWHERE = f"{IDENTITIES}/example.com".replace("eu-central-1", "eu-west-2")
SENDER: dict[str, object] = {"mailIdentityArn": f"{IDENTITIES}/example.com", "mailFrom": "a@example.com"}
AT_THE_BOUNDS = ("10.0.0.0/24", "10.255.0.0/16", "172.16.0.0/16", "172.31.0.0/16", "192.168.0.0/16")


def problems_of(settings: dict[str, object], stage: str = "dev") -> dict[str, str]:
    with pytest.raises(SettingsError) as caught:
        record(stage, overrides=settings)
    return dict(caught.value.problems)


def test_all_mistakes_are_reported_at_once_and_nothing_is_created() -> None:
    problems = problems_of(
        {"mfa": "sometimes", "maxOpenUploads": "many", "logDays": -1, "paused": "perhaps", "maxVideoGb": 5}
    )
    assert set(problems) == {"mfa", "maxOpenUploads", "logDays", "paused", "maxVideoGb"}
    assert "off, optional, required" in problems["mfa"]
    assert problems["maxVideoGb"] == "is not a setting"


def test_contradictions_stand_beside_wrong_values_but_never_follow_from_them() -> None:
    problems = problems_of(
        {"mfa": "sometimes", "vpcCidr": "banana", "hostedZoneId": "Z1", "signUp": "perhaps", "signUpDomains": ["a.org"]}
    )
    assert set(problems) == {"mfa", "vpcCidr", "hostedZoneId", "signUp"}


@pytest.mark.parametrize(
    ("key", "settings"),
    [
        ("signUpDomains", {"signUp": "domain"}),
        ("signUpDomains", {"signUpDomains": ["example.com"]}),
        ("signUpDomains", {"signUp": "domain", "signUpDomains": ["not a domain"]}),
        ("siteCertificateArn", {"siteDomain": "video.example.com"}),
        ("siteCertificateArn", {"siteCertificateArn": "arn:aws:acm:eu-west-1:123456789012:certificate/1"}),
        ("hostedZoneId", {"hostedZoneId": "Z1"}),
        ("logDays", {"logDays": 31}),
        ("incompleteUploadDays", {"incompleteUploadDays": 6, "uploadDays": 6}),
        ("retentionWarningDays", {"retentionDays": 14}),
        ("retentionWarningDays", {"retentionDays": 30, "retentionWarningDays": 30}),
        ("processingTimeoutSeconds", {"renditions": True, "processingTimeoutSeconds": 299}),
        ("maxReservedGib", {"maxReservedGib": 4, "maxVideoGib": 5}),
        ("apiBurst", {"apiBurst": 1}),
        ("provisionedConcurrencyMax", {"provisionedConcurrency": 2}),
        ("paused", {"paused": True, "provisionedConcurrency": 2, "provisionedConcurrencyMax": 4}),
        ("vpcCidr", {"vpcCidr": "8.8.0.0/16"}),
        ("vpcCidr", {"vpcCidr": "10.0.0.0/25"}),
        ("vpcCidr", {"vpcCidr": "10.0.0.0/15"}),
        ("vpcCidr", {"vpcCidr": "10.0.0.1/16"}),
        ("vpcCidr", {"vpcCidr": "10.0.0.0/255.255.0.0"}),
        ("vpcCidr", {"vpcCidr": "10.0.0.0"}),
        ("vpcCidr", {"vpcCidr": "127.0.0.0/16"}),
        ("vpcCidr", {"vpcCidr": "169.254.0.0/16"}),
        ("vpcCidr", {"vpcCidr": "172.32.0.0/16"}),
        ("vpcCidr", {"vpcCidr": ""}),
        ("waf", {"waf": ""}),
        ("logDays", {"logDays": ""}),
        ("signUp", {"signUp": ""}),
        ("alarmEmails", {"alarmEmails": [1]}),
        ("siteDomain", {"siteDomain": "video-.example.com", "siteCertificateArn": CERTIFICATE}),
        ("aws:region", {"aws:region": "cn-north-1"}),
        ("aws:region", {"aws:region": "us-gov-west-1"}),
        ("aws:region", {"aws:region": "eusc-de-east-1"}),
        ("aws:region", {"aws:region": "eu-centrall-1"}),
        ("aws:region", {"aws:region": "eu-central-9"}),
        ("mailFrom", SENDER | {"mailFrom": "a@example.org"}),
        ("mailFrom", SENDER | {"mailFrom": "a@notexample.com"}),
        ("mailFrom", SENDER | {"mailIdentityArn": f"{IDENTITIES}/b@example.com"}),
        ("mailFrom", SENDER | {"mailIdentityArn": f"{IDENTITIES}/video.example.com"}),
        ("mailIdentityArn", SENDER | {"mailIdentityArn": IDENTITY_ELSEWHERE}),
        ("trailManagementEvents", {"trailManagementEvents": True}),
        ("maxStoredGibPerUser", {"maxStoredGibPerUser": 4, "maxVideoGib": 5}),
        ("maxStoredVideosPerUser", {"maxStoredVideosPerUser": 0}),
        (
            "maxStoredTibPerStage",
            {"maxStoredTibPerStage": 1, "maxVideoGib": 1025, "maxReservedGib": 1025, "maxStoredGibPerUser": 0},
        ),
        ("threatProtection", {"threatProtection": "enforced", "mfa": "off"}),
        ("extraRedirectUrls", {"extraRedirectUrls": ["http://example.com/"]}),
        ("extraRedirectUrls", {"extraRedirectUrls": "https://example.com/"}),
        ("nativeRedirectUrls", {"nativeRedirectUrls": ["http://localhost:8000/"]}),
        ("nativeRedirectUrls", {"nativeRedirectUrls": ["https://localhost/signed-in"]}),
        ("nativeRedirectUrls", {"nativeRedirectUrls": ["com.example.app:/signed-in"]}),
        ("webhooks", {"webhooks": ["a=https://a.example.com/", "a=https://b.example.com/"]}),
        ("webhooks", {"webhooks": [f"a{each}=https://a.example.com/{each}" for each in range(6)]}),
        ("samlProviders", {"samlProviders": ["acme=http://login.example.com/metadata"]}),
        ("samlProviders", {"samlProviders": ["COGNITO=https://login.example.com/metadata"]}),
        ("samlProviders", {"samlProviders": [f"acme={METADATA}", f"acme={METADATA}?2"]}),
        ("oidcProviders", {"oidcProviders": ["acme=http://login.example.com"], "oidcClientIds": ["acme=1"]}),
        ("oidcProviders", {"oidcProviders": ["acme=https://login.example.com/"], "oidcClientIds": ["acme=1"]}),
        (
            "oidcProviders",
            {"oidcProviders": [f"acme={METADATA}"], "oidcClientIds": ["acme=1"], "samlProviders": [f"acme={METADATA}"]},
        ),
        ("oidcClientIds", {"oidcProviders": [f"acme={METADATA}"]}),
        ("oidcClientIds", {"oidcClientIds": ["acme=1"]}),
        ("companyAdministrators", {"companyAdministrators": ["acme=groups=admins"]}),
        ("companyAdministrators", {"companyAdministrators": ["acme=groups"], "samlProviders": [f"acme={METADATA}"]}),
        (
            "companyAdministrators",
            {"companyAdministrators": ["acme=g=a,b"], "samlProviders": [f"acme={METADATA}"]},
        ),
        (
            "companyAdministrators",
            {
                "companyAdministrators": ["acme=groups=admins"],
                "samlProviders": [f"acme={METADATA}"],
                "administratorsGroup": "",
            },
        ),
        ("administratorsGroup", {"administratorsGroup": "admins,others"}),
        ("companyDomains", {"companyDomains": ["example.com=acme"]}),
        ("companyDomains", {"companyDomains": ["example=acme"], "samlProviders": [f"acme={METADATA}"]}),
        ("localUsers", {"localUsers": False}),
        ("localUsers", {"localUsers": False, "samlProviders": [f"acme={METADATA}"], "signUp": "open"}),
        ("provisionedConcurrencyMax", {"provisionedConcurrencyMax": 4}),
        ("siteDomain", {"siteDomain": "1.2.3.4", "siteCertificateArn": CERTIFICATE}),
        ("siteCertificateArn", {"siteDomain": "a.org", "siteCertificateArn": CERTIFICATE.replace("1234", "١٢٣٤")}),
        ("siteCertificateArn", {"siteDomain": "a.org", "siteCertificateArn": f"{CERTIFICATE}é"}),
        ("acceptedContainers", {"acceptedContainers": []}),
        ("acceptedContainers", {"acceptedContainers": ["mp4", "gif"]}),
        ("uploadKeyNames", {"uploadKeyNames": []}),
        ("uploadKeyNames", {"uploadKeyNames": ["k1", "k1"]}),
    ],
)
def test_a_setting_that_contradicts_another_is_named(key: str, settings: dict[str, object]) -> None:
    assert set(problems_of(settings)) == {key}


@pytest.mark.parametrize(
    "url",
    [
        *("https://*/", "https://*.example.com/cb", "https:///", "https://", "https://x?y", "https://example.com:x/"),
        *("https://example.com:0/", "https://example.com:65536/", "https://example.com:/", "https://a@example.com/"),
        *("https://a:b@example.com/", "https://@example.com/", "https://EXAMPLE.com/", "https://example.com/#part"),
        *("https://example.com/#", "https://1.2.3.4/", "https://[::1]/", "https://exa_mple.com/", "https://bücher.de/"),
        *("https://example.com/a b", "https://example.com/*", "https://example.com\\@evil.org/", "http://localhost:0/"),
        *("http://localhost.example.com/", "ftp://example.com/", "HTTPS://example.com/", "https://example.com/\n"),
        *("//example.com/", "example.com", "http://localhost:99999/", "https://example.com:0443/", "https://a..org/"),
    ],
)
def test_an_address_to_come_back_to_is_refused_unless_it_names_one_page(url: str) -> None:
    assert set(refused({"extraRedirectUrls": json.dumps([url])})) == {"extraRedirectUrls"}


@pytest.mark.parametrize(
    "webhook",
    [
        *("https://example.com/", "mine=http://example.com/", "mine=https://localhost/", "mine=https://10.0.0.1/"),
        *("mine=https://[::1]/", "mine=https://a@example.com/", "mine=https://example.com/,other=https://b.org/"),
        *("Mine=https://example.com/", "event-bus=https://example.com/", "=https://example.com/", "mine="),
        *(f"{'m' * 17}=https://example.com/", f"mine=https://example.com/{'x' * 256}", "mine=https://example.com/#x"),
    ],
)
def test_a_webhook_is_refused_unless_it_is_a_short_name_and_an_https_address(webhook: str) -> None:
    assert set(refused({"webhooks": json.dumps([webhook])})) == {"webhooks"}


@pytest.mark.parametrize("webhook", ["mine=https://example.com/in?key=a=b", "a1=https://hooks.example.com:8443"])
def test_a_webhook_may_have_a_query_and_a_port(webhook: str) -> None:
    assert not refused({"webhooks": json.dumps([webhook])})


@pytest.mark.parametrize(
    ("url", "origin"),
    [
        ("https://example.com", "https://example.com"),
        ("https://example.com/", "https://example.com"),
        ("https://www.example.com:8443/signed-in?from=video", "https://www.example.com:8443"),
        ("https://example.com:443/", "https://example.com"),
        ("http://localhost/", "http://localhost"),
        ("http://localhost:8000/callback", "http://localhost:8000"),
        ("https://localhost:65535/", "https://localhost:65535"),
    ],
)
def test_an_address_to_come_back_to_has_the_origin_that_browsers_name(url: str, origin: str) -> None:
    assert not refused({"extraRedirectUrls": json.dumps([url])})
    assert origin_of(url) == origin


MAILBOX_AT_64 = "a" * 64 + "@example.com"
ADDRESS_AT_254 = "a" * 64 + "@" + "b" * 63 + "." + "c" * 63 + "." + "d" * 57 + ".org"


@pytest.mark.parametrize(
    ("address", "taken"),
    [
        ("ada@example.com", True),
        ("Ada.L+alarms@Example.com", True),
        (MAILBOX_AT_64, True),
        (f"a{MAILBOX_AT_64}", False),
        (ADDRESS_AT_254, True),
        (ADDRESS_AT_254.replace(".org", "x.org"), False),
        *((address, False) for address in ("<,@x.y>", "a,b@example.com", "a@1.2.3.4", "a b@example.com", "é@a.org")),
        *((address, False) for address in (".a@a.org", "a.@a.org", "a..b@a.org", "a@a", "a@@a.org", "a@a.org\n")),
    ],
)
def test_a_mail_address_is_taken_as_far_as_mail_can_be_sent_to_it(address: str, taken: bool) -> None:
    """RFC 5321, 4.5.3.1: 64 octets before the @, 254 in all (256 with the path's brackets)."""
    assert ("alarmEmails" not in refused({"alarmEmails": json.dumps([address])})) is taken
    identity = f"{IDENTITIES}/{address.partition('@')[2].strip() or 'example.com'}"
    assert ("mailFrom" not in refused({"mailFrom": address, "mailIdentityArn": identity})) is taken


def test_mail_domains_that_lambda_has_no_room_for_are_refused() -> None:
    """4 KB of environment variables: Lambda Developer Guide, "Lambda quotas"."""
    names = [f"{index:02}.{'a' * 60}.{'b' * 12}.org" for index in range(50)]
    room = 4096 - len(json.dumps({"ALLOWED_DOMAINS": ""}))
    names[0] = "c" * (room - len(",".join(names))) + names[0]
    assert not refused({"signUp": "domain", "signUpDomains": json.dumps(names)})
    names[2] = f"x{names[2]}"
    assert set(refused({"signUp": "domain", "signUpDomains": json.dumps(names)})) == {"signUpDomains"}


@pytest.mark.parametrize("stage", ["prod", "production", "prod2"])
def test_a_production_stage_is_refused_unless_it_is_protected_and_heard(stage: str) -> None:
    assert problems_of({"protect": False, "alarmEmails": []}, stage) == {
        "protect": f"cannot be off in {stage}",
        "alarmEmails": f"holds no address, so nobody would hear the alarms of {stage}",
    }


def test_the_file_that_prod_ships_with_leaves_the_address_to_the_operator() -> None:
    assert stage_file("prod")
    assert set(problems_of({"alarmEmails": []}, "prod")) == {"alarmEmails"}


def test_elsewhere_alarms_that_nobody_hears_are_warned_of(monkeypatch: pytest.MonkeyPatch) -> None:
    warned: list[str] = []
    monkeypatch.setattr("pulumi.log.warn", warned.append)
    record("ada", overrides={"alarmEmails": []})
    assert not warned
    record("ada", overrides={"alarmEmails": [], "alarms": True})
    assert warned == ["alarmEmails holds no address, so nobody hears this stage's alarms"]


def test_videos_that_are_too_large_to_be_scanned_are_warned_of(monkeypatch: pytest.MonkeyPatch) -> None:
    warned: list[str] = []
    monkeypatch.setattr("pulumi.log.warn", warned.append)
    large = {"malwareScan": True, "maxVideoGib": 94, "maxReservedGib": 94}
    record("ada", overrides={**large, "maxVideoGib": 93})
    record("ada", overrides={**large, "malwareUnscanned": "accept"})
    record("ada", overrides={**large, "malwareScan": False})
    assert not warned
    record("ada", overrides=large)
    assert warned == ["GuardDuty scans up to 100 GB: videos over 93 GiB are rejected, up to maxVideoGib"]


def test_a_stage_without_a_file_of_its_own_runs_on_the_defaults_of_dev() -> None:
    assert not stage_file("ada")
    assert stage_config("ada", stage_file("dev")) == stage_config("dev")


def test_nobody_signs_up_by_themselves_where_the_settings_do_not_say_so(recording: Recording) -> None:
    (pool,) = recording.of("cognito/userPool:UserPool")
    assert pool.inputs["adminCreateUserConfig"]["allowAdminCreateUserOnly"] is True


@pytest.mark.parametrize("path", [settings_documents.PULUMI, settings_documents.GUIDE])
def test_the_documents_list_the_settings_as_they_are_declared(path: str) -> None:
    """`make settings` writes them."""
    assert settings_documents.written()[path] == (PROJECT / path).read_text()


@pytest.mark.parametrize("stage", STAGES)
def test_a_stage_file_repeats_no_default(stage: str) -> None:
    shipped = stage_file(stage)
    defaults = stage_config(stage, {key: declared["default"] for key, declared in DECLARED.items() if key in SETTINGS})
    assert [key for key, value in stage_config(stage).items() if key in shipped and value == defaults[key]] == []


@pytest.mark.parametrize("stage", STAGES)
def test_a_stage_file_stands_in_the_form_that_the_engine_writes(stage: str) -> None:
    """Strings and lists of strings: `pulumi config set` and `pulumi stack init` rewrite anything else."""
    for key, value in stage_file(stage).items():
        texts = value if isinstance(value, list) else [value]
        assert all(isinstance(text, str) for text in texts), key


def test_only_a_number_has_a_name_that_sounds_like_a_secret() -> None:
    """`pulumi config set` refuses texts and lists under such a name, once they look random enough."""
    sounding = {key for key in SETTINGS if re.search(r"passwd|pass|password|pwd|secret|token", key, re.IGNORECASE)}
    assert sounding
    assert {DECLARED[key]["type"] for key in sounding} == {"integer"}


def test_the_cli_is_as_new_as_the_library_that_is_locked() -> None:
    (locked,) = re.findall(r"^pulumi==(\S+)", (PROJECT / "requirements/infrastructure.txt").read_text(), re.MULTILINE)
    for project in ("Pulumi.yaml", "account/Pulumi.yaml"):
        assert yaml.safe_load((PROJECT / project).read_text())["requiredPulumiVersion"] == f">={locked}"


def test_every_setting_says_what_it_means() -> None:
    assert all(setting.meaning for setting in settings_documents.all_settings())


@pytest.mark.parametrize("key", [key for key in SETTINGS if DECLARED[key]["type"] == "integer"])
def test_a_number_is_taken_at_its_bounds_and_refused_one_past_them(key: str) -> None:
    low, high = map(int, re.findall(r"not (\d+) to (\d+)", refused({key: "9" * 15})[key])[0])
    for value in (low, high):
        assert " to " not in refused({key: str(value)}).get(key, "")
    for value in (low - 1, high + 1):
        assert f"is {value}, not {low} to {high}" in refused({key: str(value)})[key]


@pytest.mark.parametrize("cidr", AT_THE_BOUNDS)
def test_a_private_range_of_a_size_that_fits_is_taken(cidr: str) -> None:
    assert not refused({"vpcCidr": cidr})


@pytest.mark.parametrize(
    ("identity", "sender"),
    [
        (f"{IDENTITIES}/example.com", "a@example.com"),
        (f"{IDENTITIES}/example.com", "A@Video.Example.com"),
        (f"{IDENTITIES}/a@example.com", "a@example.com"),
        *(
            (f"arn:aws:ses:{region}:123456789012:identity/example.com", "a@example.com")
            for region in ("us-east-1", "us-west-2", "eu-west-1")
        ),
    ],
)
def test_a_sender_that_its_identity_covers_is_taken(identity: str, sender: str) -> None:
    assert not refused({"mailIdentityArn": identity, "mailFrom": sender})


@pytest.mark.parametrize("partition", ["aws", "aws-cn", "aws-us-gov", "aws-iso", "aws-iso-b", "aws-eusc"])
def test_regions_of_one_partition_are_taken(partition: str) -> None:
    regions = botocore.session.get_session().get_available_regions("ec2", partition)
    assert {bool(problem_of_region(region)) for region in regions} <= {partition != "aws"}


def refused(settings: dict[str, str]) -> dict[str, str]:
    """Return the problems of dev's settings, found without running the program."""
    try:
        settings_of("dev", (*HEARD, *settings.items()))
    except StageRefusedError as error:
        return dict(error.problems)
    return {}


def test_processing_has_time_for_two_inspections_thumbnails_and_a_copy_each_to_its_limit() -> None:
    in_turn = (InspectionLimits(), THUMBNAIL_LIMITS, COPY_LIMITS, InspectionLimits())
    assert sum(limits.max_wall_seconds for limits in in_turn) < LEAST_COPY_SECONDS
