"""The audit trail: every read and write of videos and records, and every function call, with its caller."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import KW_ONLY, dataclass

import pulumi
import pulumi_aws as aws

from components import policy
from components.naming import PRODUCT, StageContext, StageNames, type_token
from components.observability.audit_queries import audit_queries
from components.settings import ObservabilitySettings

AUDITED_BUCKETS = ("videos", "metadata")
"""Every read and every write."""
WRITE_AUDITED_BUCKETS = ("site",)
"""Writes only: changes of the site must not go unnoticed, but everybody reads it."""


@dataclass(frozen=True)
class AuditArgs:
    """Inputs of the audit trail.

    log_bucket_name: stores the trail; log_key_arn: encrypts it; log_group: makes it searchable. functions: their calls
    are the platform's, and their logs are queried. other_roles: further roles whose calls are the platform's.
    dependencies: the log bucket's policy, without which CloudTrail refuses the bucket.
    """

    context: StageContext
    settings: ObservabilitySettings
    _: KW_ONLY
    log_bucket_name: pulumi.Input[str]
    log_key_arn: pulumi.Input[str]
    log_group: aws.cloudwatch.LogGroup
    functions: Sequence[str]
    other_roles: Sequence[str]
    dependencies: list[pulumi.Resource]


class Audit(pulumi.ComponentResource):
    """CloudTrail with data events of buckets and functions, and saved queries."""

    trail_arn: pulumi.Output[str]
    """ARN of the trail."""

    def __init__(self, name: str, args: AuditArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(type_token("Audit"), name, None, opts)
        context = args.context
        selectors = [
            _data_events("Objects", "AWS::S3::Object", _objects_of(context, AUDITED_BUCKETS)),
            _data_events("Page", "AWS::S3::Object", _objects_of(context, WRITE_AUDITED_BUCKETS), only_writes=True),
            _data_events("Calls", "AWS::Lambda::Function", [context.function_arn("")]),
        ]
        if args.settings.trail_management_events:
            selectors.append(
                aws.cloudtrail.TrailAdvancedEventSelectorArgs(
                    name="Management", field_selectors=[_field("eventCategory", equals=["Management"])]
                )
            )
        child = pulumi.ResourceOptions(parent=self)
        role = aws.iam.Role(
            f"{name}-trail",
            name=context.account_wide_name("trail"),
            # No condition: CloudTrail names neither trail nor account when it assumes the role.
            assume_role_policy=policy.to_json(policy.assumed_by("cloudtrail.amazonaws.com")),
            opts=child,
        )
        rights = aws.iam.RolePolicy(
            f"{name}-trail", role=role.name, policy=policy.to_json(write_trail(context)), opts=child
        )
        topic = aws.sns.Topic(
            f"{name}-trail", name=context.name("trail"), kms_master_key_id=args.log_key_arn, opts=child
        )
        announced = aws.sns.TopicPolicy(
            f"{name}-trail",
            arn=topic.arn,
            policy=policy.to_json(trail_topic_policy(context, topic.arn)),
            opts=child,
        )
        trail = aws.cloudtrail.Trail(
            f"{name}-trail",
            name=context.account_wide_name("trail"),
            s3_bucket_name=args.log_bucket_name,
            s3_key_prefix="trail",
            kms_key_id=args.log_key_arn,
            cloud_watch_logs_group_arn=pulumi.Output.concat(args.log_group.arn, ":*"),
            cloud_watch_logs_role_arn=role.arn,
            sns_topic_name=topic.name,
            enable_logging=True,
            enable_log_file_validation=True,
            # The selectors name resources of this region; an attacker in another region is still recorded.
            is_multi_region_trail=True,
            include_global_service_events=True,
            advanced_event_selectors=selectors,
            opts=pulumi.ResourceOptions(parent=self, depends_on=[*args.dependencies, rights, announced]),
        )
        function_groups = [context.function_log_group(function) for function in args.functions]
        for query in audit_queries([context.account_wide_name(each) for each in (*args.functions, *args.other_roles)]):
            aws.cloudwatch.QueryDefinition(
                f"{name}-{query.name}",
                name=f"{PRODUCT}/{context.stage}/{query.name}",
                log_group_names=[args.log_group.name] if query.asks == "trail" else function_groups,
                query_string=query.text,
                opts=child,
            )
        self.trail_arn = trail.arn
        self.register_outputs({"trailArn": self.trail_arn})


def write_trail(context: StageNames) -> policy.PolicyDocument:
    """Allow writing to one log group. CloudTrail names the streams."""
    group = context.arn("logs", f"log-group:{context.log_group('trail')}")
    return policy.document(
        policy.allow(
            "WriteTrail", actions=["logs:CreateLogStream", "logs:PutLogEvents"], resources=f"{group}:log-stream:*"
        )
    )


def trail_topic_policy(context: StageNames, topic_arn: pulumi.Input[str]) -> policy.PolicyDocument:
    """Let CloudTrail announce each new file, so that an archive can subscribe."""
    return policy.document(
        policy.allow(
            "TrailAnnounces",
            principal={"Service": "cloudtrail.amazonaws.com"},
            actions="sns:Publish",
            resources=topic_arn,
            conditions={"StringEquals": {"aws:SourceArn": context.trail_arn}},
        ),
        policy.deny_plain_http("sns:Publish", topic_arn),
    )


def _objects_of(context: StageNames, buckets: Sequence[str]) -> list[str]:
    return [f"{context.bucket_arn(bucket)}/" for bucket in buckets]


def _data_events(
    name: str, kind: str, arn_prefixes: list[str], *, only_writes: bool = False
) -> aws.cloudtrail.TrailAdvancedEventSelectorArgs:
    return aws.cloudtrail.TrailAdvancedEventSelectorArgs(
        name=name,
        field_selectors=[
            _field("eventCategory", equals=["Data"]),
            _field("resources.type", equals=[kind]),
            _field("resources.ARN", starts_withs=arn_prefixes),
            *([_field("readOnly", equals=["false"])] if only_writes else []),
        ],
    )


def _field(
    field: str, *, equals: list[str] | None = None, starts_withs: list[str] | None = None
) -> aws.cloudtrail.TrailAdvancedEventSelectorFieldSelectorArgs:
    return aws.cloudtrail.TrailAdvancedEventSelectorFieldSelectorArgs(
        field=field, equals=equals, starts_withs=starts_withs
    )
