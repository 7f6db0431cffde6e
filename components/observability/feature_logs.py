"""Feature logs: the log groups of features that a setting can turn off.

They are separate from the features, so that a stage with `protect` keeps the logs of a feature that is turned off.
"""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass
from enum import StrEnum

import pulumi
import pulumi_aws as aws

from components import policy
from components.naming import SITE_REGION, StageContext, type_token
from components.protection import protected
from components.settings import Settings, SignUp


class Feature(StrEnum):
    """Features with their own log."""

    WEB_ACL = "web-acl"
    NETWORK = "network"
    TRAIL = "trail"
    SIGN_UP_FILTER = "sign-up-filter"
    COMPANY_GROUPS = "company-groups"


@dataclass(frozen=True)
class FeatureLogsArgs:
    """Inputs of the log groups.

    log_key_arn: encrypts the log groups.
    """

    context: StageContext
    settings: Settings
    _: KW_ONLY
    log_key_arn: pulumi.Input[str]


class FeatureLogs(pulumi.ComponentResource):
    """A log group for each feature, and the key of the web ACL's, which is in us-east-1."""

    groups: dict[str, aws.cloudwatch.LogGroup]
    """Log groups by feature: of the features that are on; of all features on a stage with `protect`."""

    def __init__(self, name: str, args: FeatureLogsArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(type_token("FeatureLogs"), name, None, opts)
        context = args.context
        options = protected(self, args.context.general.protect)
        is_on = _features_of(args.settings)
        # A stage with `protect` has the other log groups as well.
        features = [feature for feature in Feature if args.context.general.protect or is_on[feature]]
        edge_key = (
            aws.kms.Key(
                f"{name}-edge",
                region=SITE_REGION,
                description=f"{context.account_wide_name('edge-logs')}: log of the web ACL",
                policy=policy.to_json(edge_log_key_policy(context.account_id)),
                enable_key_rotation=True,
                opts=options,
            )
            if Feature.WEB_ACL in features
            else None
        )
        group_names = {
            # WAF Developer Guide: the name must begin with this.
            Feature.WEB_ACL: f"aws-waf-logs-{context.account_wide_name('edge')}",
            Feature.NETWORK: context.log_group("network-flow"),
            Feature.TRAIL: context.log_group("trail"),
            Feature.SIGN_UP_FILTER: context.function_log_group("sign-up-filter"),
            Feature.COMPANY_GROUPS: context.function_log_group("company-groups"),
        }
        self.groups = {
            feature: aws.cloudwatch.LogGroup(
                f"{name}-{feature}",
                region=SITE_REGION if feature is Feature.WEB_ACL else None,
                name=group_names[feature],
                retention_in_days=args.context.general.log_days,
                kms_key_id=edge_key.arn if edge_key and feature is Feature.WEB_ACL else args.log_key_arn,
                opts=options,
            )
            for feature in features
        }
        self.register_outputs({})


def _features_of(settings: Settings) -> dict[Feature, bool]:
    """Features, and whether each is on."""
    return {
        Feature.WEB_ACL: settings.edge.waf,
        Feature.NETWORK: settings.network.enabled,
        Feature.TRAIL: settings.observability.trail,
        Feature.SIGN_UP_FILTER: settings.sign_in.sign_up is SignUp.DOMAIN,
        Feature.COMPANY_GROUPS: bool(settings.sign_in.company_administrators),
    }


def edge_log_key_policy(account_id: str) -> policy.PolicyDocument:
    """Policy of the key for the web ACL's log groups, which must be in us-east-1."""
    return policy.document(
        policy.allow(
            "AccountDecides",
            principal={"AWS": f"arn:aws:iam::{account_id}:root"},
            actions="kms:*",
            resources="*",  # in a key policy: this key
        ),
        policy.allow(
            "LogGroups",
            principal={"Service": "logs.us-east-1.amazonaws.com"},
            actions=["kms:Encrypt", "kms:Decrypt", "kms:ReEncrypt*", "kms:GenerateDataKey*", "kms:DescribeKey"],
            resources="*",  # in a key policy: this key
            conditions={
                "ArnLike": {"kms:EncryptionContext:aws:logs:arn": f"arn:aws:logs:us-east-1:{account_id}:log-group:*"}
            },
        ),
    )
