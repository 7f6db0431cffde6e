"""Safety of who may do what: roles, resource policies, functions, sign-in, audit."""

from __future__ import annotations

from collections import Counter
from typing import Any

from chalicelib.environment import FUNCTIONS
from tests.infrastructure.function_rights import OUTSIDE_NETWORK, RIGHTS, VIDEO_BUCKET
from tests.infrastructure.recorded_program import ACCOUNT_ID, HEARS_ALARMS, Recording
from tests.infrastructure.safety.converting import JOBS
from tests.infrastructure.safety.reading import (
    EVERYONE,
    Violations,
    account_wide_name,
    as_list,
    bucket_arn,
    physical_name,
    policies,
    require,
    require_present,
    require_statement,
    statements,
    variables,
)
from tests.infrastructure.safety.scanning import MANAGED_RULES, is_scanned
from tests.infrastructure.safety.storage import makes_renditions

WILDCARD_RESOURCES = {
    "Trace": "X-Ray has no resources to name",
    "CountScaling": "the call takes no resource to name",
    "AskForBill": "the bill is the account's",
    "RequestScans": "the action takes no resource to name",
    "LambdaAttachesInterfaces": "interfaces have no name before they are made",
    "CodeDoesNot": "a Deny",
}
"""Statements of roles that may name every resource, and why. In a key's policy `*` is that key."""

BASICS = {"logs:CreateLogStream", "logs:PutLogEvents", "xray:PutTraceSegments", "xray:PutTelemetryRecords"}
INTERFACES = {
    "ec2:CreateNetworkInterface",
    "ec2:DescribeNetworkInterfaces",
    "ec2:DescribeSubnets",
    "ec2:DeleteNetworkInterface",
    "ec2:AssignPrivateIpAddresses",
    "ec2:UnassignPrivateIpAddresses",
}
_RECORDS = {"kms:GenerateDataKey", "kms:Decrypt", "s3:ListBucket", "s3:GetObject", "s3:PutObject"}
SCANNING = {
    "janitor": {"guardduty:SendObjectMalwareScan"},
    "scan_verdict": {*_RECORDS, "s3:PutObjectTagging", "lambda:InvokeFunction"},
}
"""More actions of a function on a stage that scans for malware."""

COPYING = {
    "video_processing": {"s3:AbortMultipartUpload"},
    "janitor": {
        *("mediaconvert:CreateJob", "mediaconvert:SearchJobs", "mediaconvert:TagResource"),
        *("mediaconvert:GetJob", "mediaconvert:CancelJob", "iam:PassRole"),
    },
}
"""More of them on a stage that makes renditions."""

SENDING = _RECORDS - {"s3:PutObject"} | {"s3:DeleteObject", "sns:Publish"}
"""More of `message_sender` on a stage whose messages wait in the outbox; the functions that fill it publish nothing."""

TRUSTED = {
    "scanning-scanner": "malware-protection-plan.guardduty.amazonaws.com",
    "conversion-converter": "mediaconvert.amazonaws.com",
    "api-logging": "apigateway.amazonaws.com",
    "network-flow": "vpc-flow-logs.amazonaws.com",
    "audit-trail": "cloudtrail.amazonaws.com",
    "operators-operator": f"arn:aws:iam::{ACCOUNT_ID}:root",
}

OPERATOR: dict[str, tuple[set[str], set[str]]] = {
    # statement → actions, and what they reach: bucket and folder, or the end of an ARN
    "FindRecords": ({"s3:ListBucket"}, {"metadata"}),
    "FindVersions": ({"s3:ListBucketVersions"}, {"videos", "metadata"}),
    "FindOpenUploads": ({"s3:ListBucketMultipartUploads"}, {"videos"}),
    "ReadRecords": ({"s3:GetObject", "s3:GetObjectVersion"}, {"metadata/records/*"}),
    "ReadVerdicts": ({"s3:GetObjectTagging", "s3:GetObjectVersionTagging"}, {"videos/videos/*", "videos/renditions/*"}),
    "ChangeRecords": ({"s3:PutObject", "s3:PutObjectTagging"}, {"metadata/records/*"}),
    "RebuildIndex": ({"s3:GetObject", "s3:PutObject"}, {"metadata/index/*"}),
    "MarkOpen": ({"s3:PutObject"}, {"metadata/open/*", "metadata/link-uses/*"}),
    "RevokeLinks": ({"s3:GetObject", "s3:PutObject"}, {"metadata/links/*"}),
    "AbortUploads": (
        {"s3:AbortMultipartUpload", "s3:ListMultipartUploadParts"},
        {"videos/videos/*", "videos/renditions/*"},
    ),
    "HideUncoverAndErase": (
        {"s3:DeleteObject", "s3:DeleteObjectVersion"},
        {
            *("videos/videos/*", "videos/renditions/*", "metadata/records/*", "metadata/posters/*"),
            *("metadata/open/*", "metadata/starts/*"),
            *("metadata/index/*", "metadata/links/*", "metadata/link-uses/*"),
        },
    ),
    "S3UsesDataKey": ({"kms:GenerateDataKey", "kms:Decrypt"}, {"key/keys-data"}),
    "AnnounceDeletions": ({"sns:Publish"}, {"messaging-completed"}),
    "SnsUsesDataKey": ({"kms:GenerateDataKey", "kms:Decrypt"}, {"key/keys-data"}),
    "Replay": ({"lambda:InvokeFunction"}, {"video-processing:live"}),
    "RevokeEraseResetAndAppointUsers": (
        {
            f"cognito-idp:{call}"
            for call in (
                *("ListUsers", "AdminDisableUser", "AdminUserGlobalSignOut", "AdminDeleteUser"),
                *("AdminDeleteSoftwareToken", "AdminAddUserToGroup", "AdminRemoveUserFromGroup", "ListUsersInGroup"),
            )
        },
        {"auth-users"},
    ),
}
"""Operators' permissions: never to read a video, never to change permissions."""

OPERATOR_OF_CONVERSIONS = {
    "FindConversions": ({"mediaconvert:SearchJobs"}, {"renditions"}),
    "StopConversions": ({"mediaconvert:GetJob", "mediaconvert:CancelJob"}, {JOBS}),
}
"""More of them on a stage that makes renditions."""


def roles_grant_what_their_function_does_and_no_more(recording: Recording) -> Violations:
    in_network = bool(recording.of("ec2/vpc:Vpc"))
    for function in FUNCTIONS:
        role = recording.one("iam/rolePolicy:RolePolicy", f"compute-{function}")
        granted = {
            action for each in statements(role) if each["Effect"] == "Allow" for action in as_list(each["Action"])
        }
        wanted = BASICS.union(*RIGHTS[function].values()) | (
            INTERFACES if in_network and function not in OUTSIDE_NETWORK else set()
        )
        if function == "janitor":
            wanted |= _figures_asked_for(recording)
        if is_scanned(recording):
            wanted |= SCANNING.get(function, set())
        if makes_renditions(recording):
            wanted |= COPYING.get(function, set())
        if in_network and "aws:ec2/vpcEndpoint:VpcEndpoint/network-sns" not in recording.names():
            wanted = wanted | SENDING if function == "message_sender" else wanted
            wanted = wanted - {"sns:Publish"} if function not in OUTSIDE_NETWORK else wanted
        if granted != wanted:
            yield f"{function}: may {granted - wanted}, may not {wanted - granted}"


def functions_list_only_the_folder_of_videos(recording: Recording) -> Violations:
    for function in (name for name, rights in RIGHTS.items() if VIDEO_BUCKET not in rights):
        for each in statements(recording.one("iam/rolePolicy:RolePolicy", f"compute-{function}")):
            listed = bucket_arn(recording, "videos") in as_list(each["Resource"])
            if listed and each.get("Condition") != {"StringLike": {"s3:prefix": "videos/*"}}:
                yield f"{function}: {each['Sid']} lists {each.get('Condition')}"


def _figures_asked_for(recording: Recording) -> set[str]:
    janitor = variables(recording, "janitor")
    scaling = {"application-autoscaling:DescribeScalingActivities"} if janitor["SCALED_FUNCTIONS"] else set[str]()
    return scaling | ({"ce:GetCostAndUsage"} if janitor["COST_TAG"] else set())


def operators_do_what_their_commands_do_and_no_more(recording: Recording) -> Violations:
    found = {each["Sid"]: each for each in statements(recording.one("iam/rolePolicy:RolePolicy", "operators-operator"))}
    wanted = OPERATOR | (OPERATOR_OF_CONVERSIONS if makes_renditions(recording) else {})
    if set(found) != set(wanted):
        yield f"operators: {set(found) ^ set(wanted)}"
    for sid, (actions, reached) in wanted.items():
        granted = set(as_list(found[sid]["Action"]))
        if granted != actions:
            yield f"operators: {sid} allows {granted ^ actions}"
        for resource in as_list(found[sid]["Resource"]):
            buckets = {bucket: bucket_arn(recording, bucket) for bucket in ("videos", "metadata")}
            short = next(
                (f"{name}{resource.removeprefix(arn)}" for name, arn in buckets.items() if resource.startswith(arn)),
                resource,
            )
            ends = tuple(f"{separator}{end}" for end in reached for separator in ":-")
            if short not in reached and not short.endswith(ends):
                yield f"operators: {sid} reaches {resource}"


def no_statement_allows_every_action(recording: Recording) -> Violations:
    for resource, _, found in policies(recording):
        for each in found:
            wild = [action for action in as_list(each["Action"]) if action == "*" or action.endswith(":*")]
            if each["Effect"] == "Allow" and wild and each.get("Sid") != "AccountDecides":
                yield f"{resource.name}: {each.get('Sid')} allows {wild}"


def roles_reach_only_their_own_stage(recording: Recording) -> Violations:
    own = (
        f"video-upload-{recording.stage}-",
        f"/video-upload/{recording.stage}/",
        "key/keys-",
        "messaging-",
        "auth-users",
    )
    for role in recording.of("iam/rolePolicy:RolePolicy"):
        for each in statements(role):
            for resource in as_list(each["Resource"]):
                if (resource == "*" and each["Sid"] in WILDCARD_RESOURCES) or resource in {MANAGED_RULES, JOBS}:
                    continue
                if not any(mark in resource for mark in own) or resource.split("/")[0].endswith("*"):
                    yield f"{role.name}: {each['Sid']} reaches {resource}"


def keys_are_used_through_their_service(recording: Recording) -> Violations:
    for role in recording.of("iam/rolePolicy:RolePolicy"):
        for each in statements(role):
            if "kms:Decrypt" in as_list(each["Action"]):
                service = {"S3UsesDataKey": "s3", "SnsUsesDataKey": "sns"}[each["Sid"]]
                through = {"StringEquals": {"kms:ViaService": f"{service}.eu-central-1.amazonaws.com"}}
                if each.get("Condition") != through:
                    yield f"{role.name}: {each['Sid']} under {each.get('Condition')}"


def media_urls_are_signed_by_one_algorithm_alone(recording: Recording) -> Violations:
    yield from require_statement(
        recording.one("iam/rolePolicy:RolePolicy", "compute-video_upload"),
        "SignMediaUrls",
        Resource=f"arn:aws:kms:eu-central-1:{ACCOUNT_ID}:key/keys-media",
        Condition={"StringEquals": {"kms:SigningAlgorithm": "ECDSA_SHA_256"}},
    )


def functions_cannot_touch_their_own_interfaces(recording: Recording) -> Violations:
    for function in FUNCTIONS:
        role = recording.one("iam/rolePolicy:RolePolicy", f"compute-{function}")
        if any(each["Sid"] == "LambdaAttachesInterfaces" for each in statements(role)):
            arn = f"arn:aws:lambda:eu-central-1:{ACCOUNT_ID}:function:{physical_name(recording, function)}"
            yield from require_statement(
                role,
                "CodeDoesNot",
                Effect="Deny",
                Resource="*",
                Condition={"ArnLike": {"lambda:SourceFunctionArn": [arn, f"{arn}:*"]}},
            )
            denied = next((set(each["Action"]) for each in statements(role) if each["Sid"] == "CodeDoesNot"), set())
            if denied != INTERFACES:
                yield f"{function}: its code may {INTERFACES - denied}"


def _trail(recording: Recording) -> str:
    return f"arn:aws:cloudtrail:eu-central-1:{ACCOUNT_ID}:trail/{account_wide_name(recording, 'trail')}"


def roles_trust_one_service_each(recording: Recording) -> Violations:
    for role in recording.of("iam/role:Role"):
        trusted = TRUSTED.get(role.name, "lambda.amazonaws.com")
        found = statements(role, "assumeRolePolicy")
        principals = [each["Principal"] for each in found]
        kind = {"operators-operator": "AWS"}.get(role.name, "Service")
        if principals != [{kind: trusted}]:
            yield f"{role.name} trusts {principals}"
        expected: dict[str, dict[str, Any]] = {
            "network-flow": {"StringEquals": {"aws:SourceAccount": ACCOUNT_ID}},
        }
        if found[0].get("Condition", {}) != expected.get(role.name, {}):
            yield f"{role.name} trusts under {found[0].get('Condition')}"
        if {action for each in found for action in as_list(each["Action"])} != {"sts:AssumeRole"}:
            yield f"{role.name} is taken on by other calls"


def every_role_has_one_user(recording: Recording) -> Violations:
    used = Counter(function.inputs["role"] for function in recording.of("lambda/function:Function"))
    for role, users in used.items():
        if users > 1:
            yield f"{users} functions share {role}"


def nobody_outside_is_let_in_without_a_condition(recording: Recording) -> Violations:
    for resource, _, found in policies(recording):
        for each in found:
            if each["Effect"] == "Allow" and each.get("Principal") in ("*", EVERYONE):
                own_account = {"StringEquals": {"aws:PrincipalAccount": ACCOUNT_ID}}
                gateway = resource.type == "aws:apigateway/restApi:RestApi"
                if not gateway and each.get("Condition") != own_account:
                    yield f"{resource.name}: {each.get('Sid')} lets everyone in"


def topics_and_queues_belong_to_the_account(recording: Recording) -> Violations:
    own_account = {"StringEquals": {"aws:SourceAccount": ACCOUNT_ID}}
    own_trail = {"StringEquals": {"aws:SourceArn": _trail(recording)}}
    own_topic = {"ArnEquals": {"aws:SourceArn": f"arn:aws:sns:eu-central-1:{ACCOUNT_ID}:messaging-completed"}}
    for kind in ("sns/topicPolicy:TopicPolicy", "sqs/queuePolicy:QueuePolicy"):
        for policy in recording.of(kind):
            for each in statements(policy):
                if each["Effect"] == "Allow" and each.get("Condition") not in (own_account, own_trail, own_topic):
                    yield f"{policy.name}: {each['Sid']} lets {each['Principal']} in under {each.get('Condition')}"
                if "*" in as_list(each["Resource"]):
                    yield f"{policy.name}: {each['Sid']} speaks of {each['Resource']}"


def alarms_are_mailed_to_whom_the_settings_name(recording: Recording) -> Violations:
    for subscription in recording.of("sns/topicSubscription:TopicSubscription"):
        if "filterPolicy" in subscription.inputs or subscription.inputs["protocol"] == "sqs":
            continue  # of videos
        yield from require(subscription, protocol="email", endpoint=HEARS_ALARMS)


def reads_and_calls_are_logged_with_their_caller(recording: Recording) -> Violations:
    if recording.stage == "dev":
        return
    trails = recording.of("cloudtrail/trail:Trail")
    if not trails:
        yield "there is no trail"
    for trail in trails:
        yield from require(
            trail,
            enableLogging=True,
            enableLogFileValidation=True,
            isMultiRegionTrail=True,
            includeGlobalServiceEvents=True,
        )
        yield from require_present(trail, "kmsKeyId", "cloudWatchLogsGroupArn", "cloudWatchLogsRoleArn")
        if not str(trail.inputs.get("kmsKeyId")).endswith("keys-logs"):
            yield "the trail is encrypted with another key"
        seen = {
            tuple(field.get("equals") or field.get("startsWiths"))
            for selector in trail.inputs["advancedEventSelectors"]
            for field in selector["fieldSelectors"]
        }
        objects = tuple(f"{bucket_arn(recording, bucket)}/" for bucket in ("videos", "metadata"))
        page = (f"{bucket_arn(recording, 'site')}/",)
        functions = (f"arn:aws:lambda:eu-central-1:{ACCOUNT_ID}:function:video-upload-{recording.stage}-",)
        management = {("Management",)} if recording.stage == "prod" else set[tuple[str, ...]]()
        data = {("Data",), ("AWS::S3::Object",), ("AWS::Lambda::Function",), objects, page, ("false",), functions}
        if seen != data | management:
            yield f"the trail sees {seen}"
