"""The audit trail: who read or wrote which video and record, and who called which function."""

from __future__ import annotations

from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from components.naming import Place, type_token

AUDITED_BUCKETS = ("videos", "metadata")


@dataclass(frozen=True, kw_only=True)
class AuditArgs:
    """What the trail needs.

    log_bucket_name: keeps it; log_key_arn: encrypts it.
    management_events: also what administrators do; only where the account has no other trail.
    guards: the log bucket's policy, without which CloudTrail refuses the bucket.
    """

    place: Place
    log_bucket_name: pulumi.Input[str]
    log_key_arn: pulumi.Input[str]
    management_events: bool
    guards: list[pulumi.Resource]


class Audit(pulumi.ComponentResource):
    """CloudTrail with data events of buckets and functions."""

    trail_arn: pulumi.Output[str]
    """ARN of the trail."""

    def __init__(self, name: str, args: AuditArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(type_token("Audit"), name, None, opts)
        place = args.place
        selectors = [
            _data_events("Objects", "AWS::S3::Object", [f"{place.bucket_arn(bucket)}/" for bucket in AUDITED_BUCKETS]),
            _data_events("Calls", "AWS::Lambda::Function", [place.function_arn("")]),
        ]
        if args.management_events:
            selectors.append(
                aws.cloudtrail.TrailAdvancedEventSelectorArgs(
                    name="Management", field_selectors=[_field("eventCategory", equals=["Management"])]
                )
            )
        trail = aws.cloudtrail.Trail(
            f"{name}-trail",
            name=place.name("trail"),
            s3_bucket_name=args.log_bucket_name,
            s3_key_prefix="trail",
            kms_key_id=args.log_key_arn,
            enable_logging=True,
            enable_log_file_validation=True,
            # The selectors name what lives in this region; an attacker who goes elsewhere is still recorded.
            is_multi_region_trail=True,
            include_global_service_events=True,
            advanced_event_selectors=selectors,
            opts=pulumi.ResourceOptions(parent=self, depends_on=args.guards),
        )
        self.trail_arn = trail.arn
        self.register_outputs({"trailArn": self.trail_arn})


def _data_events(name: str, kind: str, arn_prefixes: list[str]) -> aws.cloudtrail.TrailAdvancedEventSelectorArgs:
    return aws.cloudtrail.TrailAdvancedEventSelectorArgs(
        name=name,
        field_selectors=[
            _field("eventCategory", equals=["Data"]),
            _field("resources.type", equals=[kind]),
            _field("resources.ARN", starts_withs=arn_prefixes),
        ],
    )


def _field(
    field: str, *, equals: list[str] | None = None, starts_withs: list[str] | None = None
) -> aws.cloudtrail.TrailAdvancedEventSelectorFieldSelectorArgs:
    return aws.cloudtrail.TrailAdvancedEventSelectorFieldSelectorArgs(
        field=field, equals=equals, starts_withs=starts_withs
    )
