"""The secret between CloudFront and the API: no role of the program can read it where AWS shows it."""

from __future__ import annotations

from fnmatch import fnmatchcase

from tests.infrastructure.recorded_program import Recording
from tests.infrastructure.safety.reading import as_list, statements

SHOWS_THE_SECRET = (
    "apigateway:GET",
    "cloudfront:GetDistribution",
    "cloudfront:GetDistributionConfig",
    "cloudtrail:LookupEvents",
)
READS_LOGS = ("logs:GetLogEvents", "logs:FilterLogEvents", "logs:StartQuery", "logs:GetLogRecord")
READS_OBJECTS = ("s3:GetObject", "s3:GetObjectVersion")


def allows(statement: dict[str, object], actions: tuple[str, ...]) -> bool:
    patterns = as_list(statement["Action"])
    return statement["Effect"] == "Allow" and any(fnmatchcase(each, str(p)) for p in patterns for each in actions)


def test_no_role_may_ask_aws_for_the_secret(recording: Recording) -> None:
    for role in recording.of("iam/rolePolicy:RolePolicy"):
        for each in statements(role):
            assert not allows(each, SHOWS_THE_SECRET), f"{role.name}: {each['Sid']}"


def test_no_role_may_read_the_trail_that_holds_it(recording: Recording) -> None:
    trail_group, log_bucket = f"/video-upload/{recording.stage}/trail", f"video-upload-{recording.stage}-logs-"
    for role in recording.of("iam/rolePolicy:RolePolicy"):
        for each in statements(role):
            named = [str(resource) for resource in as_list(each["Resource"])]
            if allows(each, READS_LOGS):
                assert not any(trail_group in resource or resource == "*" for resource in named), role.name
            if allows(each, READS_OBJECTS):
                assert not any(log_bucket in resource or resource == "*" for resource in named), role.name
