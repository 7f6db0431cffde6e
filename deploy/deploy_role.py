"""Write the policies of the roles that deploy and preview stages: `python -m deploy.deploy_role`.

The deploy role has the permissions that the program's resource types need, limited to this product's resources wherever
AWS supports that. The preview role may only read what `pulumi preview` needs. With --repository the command also writes
trust policies: only GitHub Actions may assume the roles, from the listed environments of that repository.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from components.company_sign_in import oidc_secret_parameter
from components.naming import PRODUCT, problem_of_stage_name
from components.policy import PolicyDocument, Statement, allow, deny, document
from deploy.command import command_parser, say
from deploy.provider_actions import ACTIONS_BY_TYPE

MAX_POLICY_CHARS = 6_144
"""IAM User Guide, "IAM and AWS STS quotas": size of a managed policy without white space."""

GITHUB = "token.actions.githubusercontent.com"

PUBLISHING = ("s3:ListBucket", "s3:PutObject", "s3:DeleteObject", "cloudfront:CreateInvalidation")
"""Permissions of `make publish`, in addition to those of the program's types."""

PROVING = ("cloudwatch:GetMetricData",)
"""Permission of `make smoke`, which looks for its client metrics."""

PREVIEW = "preview"
"""Environment of the repository that previews pull requests."""

DEPLOYING = ("dev", "staging", "prod")
"""Environments of the repository that deploy, as in .github/workflows/deploy.yml."""

_REPOSITORY = re.compile(r"(?:repo:)?([A-Za-z0-9_.-]+(?:/|@[0-9]+/)[A-Za-z0-9_.-]+(?:@[0-9]+)?)")
"""OWNER/NAME, or OWNER@ID/NAME@ID, without wildcards, which IAM would interpret."""

PASSED_TO = ("cloudtrail", "lambda", "malware-protection-plan.guardduty", "vpc-flow-logs")
LINKED_ROLES = ("email.cognito-idp", "lambda.application-autoscaling")
"""Service-linked roles, which AWS creates on the first use of a service."""

WHY_EVERYTHING: Mapping[str, str] = {
    "cloudfront": "CloudFront assigns the ids of its resources",
    "cloudwatch:GetMetricData": "the call takes no resource",
    "cognito-idp": "Cognito assigns the ids of user pools",
    "ec2": "a VPC and its parts have no ids before their creation",
    "guardduty": "GuardDuty assigns the ids of Malware Protection plans",
    "kms:CreateKey": "a key has no id before its creation; a condition requires its tags",
    "kms:ListAliases": "the call takes no resource",
    "lambda:CreateEventSourceMapping": "a mapping has no id before its creation; a condition requires its function",
    "logs:account": "deliveries, queries and lists take no log group of the product's",
    "application-autoscaling": "AWS assigns the ids of scalable targets",
    "mediaconvert:CreateQueue": "a queue has no name before its creation; a condition requires its tags",
    "route53": "the zone is the account's; its id is a setting",
    "route53:GetChange": "Route 53 assigns the ids of changes",
    "xray": "sampling rules are listed for the account",
}
"""Reason for a statement whose resource is `*`."""

_LOG_GROUP_ACTIONS = frozenset(
    {
        *("logs:CreateLogGroup", "logs:DeleteLogGroup", "logs:PutRetentionPolicy", "logs:DeleteRetentionPolicy"),
        *("logs:AssociateKmsKey", "logs:DisassociateKmsKey", "logs:PutMetricFilter", "logs:DeleteMetricFilter"),
    }
)


def parser() -> argparse.ArgumentParser:
    made = command_parser(__file__, __doc__)
    made.add_argument("--account", required=True, metavar="ID", help="twelve-digit id of the target account")
    made.add_argument("--into", type=Path, required=True, metavar="FOLDER", help="folder for the JSON files")
    made.add_argument("--state-bucket", metavar="NAME", help="bucket of Pulumi's state, to which both roles get access")
    made.add_argument("--state-key", metavar="ARN", help="KMS key of that bucket and of the stacks' secrets")
    made.add_argument(
        "--repository",
        type=_subject_prefix,
        metavar="PREFIX",
        help="writes the trust policies, too, for GitHub's tokens: their subjects begin so (repo:OWNER/NAME or "
        "repo:OWNER@ID/NAME@ID; `gh api repos/OWNER/NAME/actions/oidc/customization/sub -q .sub_claim_prefix`)",
    )
    made.add_argument(
        "--environments",
        nargs="+",
        type=_deploying_environment,
        default=list(DEPLOYING),
        metavar="NAME",
        help=f"the repository's environments that deploy (default: {' '.join(DEPLOYING)})",
    )
    return made


def _subject_prefix(text: str) -> str:
    found = _REPOSITORY.fullmatch(text)
    if found is None or text.count("@") not in {0, 2}:
        raise argparse.ArgumentTypeError(f"{text!r} is neither OWNER/NAME nor OWNER@ID/NAME@ID")
    return f"repo:{found[1]}"


def _deploying_environment(name: str) -> str:
    if name == PREVIEW:
        raise argparse.ArgumentTypeError("pull requests run in preview; it takes the role that previews")
    if problem := problem_of_stage_name(name):
        raise argparse.ArgumentTypeError(f"a stage {problem}")
    return name


def main(arguments: Sequence[str] | None = None) -> int:
    """Write one file per policy."""
    made = parser()
    options = made.parse_args(arguments)
    if bool(options.state_bucket) != bool(options.state_key):
        made.error("--state-bucket and --state-key are given together or not at all")
    written = {**policies(options.account), "preview": preview_policy(options.account)}
    if options.state_bucket:
        written["state"] = state_policy(options.state_bucket, options.state_key)
        written["preview-state"] = preview_state_policy(options.state_bucket, options.state_key)
    if options.repository:
        written["trust"] = trust(options.account, options.repository, options.environments)
        written["preview-trust"] = trust(options.account, options.repository, [PREVIEW])
    options.into.mkdir(parents=True, exist_ok=True)
    for name, policy in written.items():
        path = options.into / f"{name}.json"
        path.write_text(json.dumps(policy, indent=2) + "\n")
        say(str(path))
    return 0


def policies(account_id: str) -> Mapping[str, PolicyDocument]:
    """Policies by name, which together are the role's permissions. IAM limits the size of each."""
    actions = {action for each in ACTIONS_BY_TYPE.values() for action in each} | set(PUBLISHING) | set(PROVING)
    by_service: dict[str, list[str]] = {}
    for action in sorted(actions):
        by_service.setdefault(action.partition(":")[0], []).append(action)
    return {
        name: document(*(each for service in services for each in _statements(service, by_service, account_id)))
        for name, services in _POLICIES.items()
    }


_POLICIES: Mapping[str, tuple[str, ...]] = {
    "network-and-edge": ("ec2", "cloudfront", "wafv2", "route53", "guardduty", "mediaconvert"),
    "data-and-people": ("s3", "kms", "cognito-idp", "sns", "sqs", "iam"),
    "functions-and-watching": (
        *("lambda", "apigateway", "application-autoscaling", "events", "logs", "cloudwatch", "cloudtrail"),
        *("xray", "budgets"),
    ),
}


def _statements(service: str, by_service: Mapping[str, Sequence[str]], account_id: str) -> Iterable[Statement]:
    actions = by_service[service]
    if service in _SPLIT:
        yield from _SPLIT[service](actions, account_id)
    elif service in WHY_EVERYTHING:
        yield allow(_sid(service), actions=actions, resources="*")
    else:
        yield allow(_sid(service), actions=actions, resources=_named(service, account_id))


def _named(service: str, account_id: str) -> list[str]:
    """ARNs of the product's resources, whose names begin with the product's."""
    mine, any_region = f"{PRODUCT}-*", f"*:{account_id}"
    return {
        "apigateway": [f"arn:aws:apigateway:*::/{kind}{rest}" for kind in _REST_THINGS for rest in ("", "/*")],
        "budgets": [f"arn:aws:budgets::{account_id}:budget/{mine}"],
        "cloudtrail": [f"arn:aws:cloudtrail:{any_region}:trail/{mine}"],
        "cloudwatch": [
            f"arn:aws:cloudwatch:{any_region}:alarm:*",  # target tracking names its own; lists cover all
            f"arn:aws:cloudwatch::{account_id}:dashboard/{mine}",
        ],
        "events": [f"arn:aws:events:{any_region}:rule/{mine}"],
        "lambda": [
            f"arn:aws:lambda:{any_region}:function:{mine}",
            f"arn:aws:lambda:{any_region}:event-source-mapping:*",  # to read and tag
        ],
        "s3": [f"arn:aws:s3:::{mine}"],
        "sns": [f"arn:aws:sns:{any_region}:{mine}"],
        "sqs": [f"arn:aws:sqs:{any_region}:{mine}"],
        "wafv2": [f"arn:aws:wafv2:us-east-1:{account_id}:global/{kind}/*" for kind in ("webacl", "managedruleset")],
    }[service]


_REST_THINGS = ("clientcertificates", "restapis", "tags")


def _iam(actions: Sequence[str], account_id: str) -> Iterable[Statement]:
    """Rights to pass the stages' roles to the services that assume them, and no other roles."""
    roles = f"arn:aws:iam::{account_id}:role/{PRODUCT}-*"
    special = {"iam:PassRole", "iam:CreateServiceLinkedRole"}
    yield allow("Roles", actions=[action for action in actions if action not in special], resources=roles)
    yield allow(
        "PassRoles",
        actions="iam:PassRole",
        resources=roles,
        conditions={"StringEquals": {"iam:PassedToService": [f"{service}.amazonaws.com" for service in PASSED_TO]}},
    )
    yield allow(
        "LinkedRoles",
        actions="iam:CreateServiceLinkedRole",
        resources=f"arn:aws:iam::{account_id}:role/aws-service-role/*",
        conditions={"StringEquals": {"iam:AWSServiceName": [f"{service}.amazonaws.com" for service in LINKED_ROLES]}},
    )


def _kms(actions: Sequence[str], account_id: str) -> Iterable[Statement]:
    """Rights to keys with the product's tag, excluding the right to decrypt."""
    special = {"kms:CreateKey", "kms:ListAliases"}
    keys, tagged = f"arn:aws:kms:*:{account_id}:key/*", {"Product": PRODUCT}
    yield allow(
        "NewKeys",
        actions=["kms:CreateKey", "kms:TagResource"],
        resources="*",
        conditions={"StringEquals": {f"aws:RequestTag/{key}": value for key, value in tagged.items()}},
    )
    # KMS authorizes tags of a new key for all keys of the account (KMS Developer Guide, "Controlling access to tags").
    # An existing key is recognized by its tag or alias.
    yield deny(
        "NeverTagOtherProductsKeys",
        actions="kms:TagResource",
        resources="*",
        conditions={
            "StringNotEquals": {f"aws:ResourceTag/{key}": value for key, value in tagged.items()},
            "Null": {f"aws:ResourceTag/{key}": "false" for key in tagged},
        },
    )
    yield deny(
        "NeverTagKeysOfOtherAliases",
        actions="kms:TagResource",
        resources="*",
        conditions={"ForAnyValue:StringNotLike": {"kms:ResourceAliases": f"alias/{PRODUCT}-*"}},
    )
    yield allow("ListAliases", actions="kms:ListAliases", resources="*")
    yield allow(
        "Keys",
        actions=[action for action in actions if action not in special],
        resources=keys,
        conditions={"StringEquals": {f"aws:ResourceTag/{key}": value for key, value in tagged.items()}},
    )
    yield allow(
        "Aliases",
        actions=[action for action in actions if action.endswith("Alias")],
        resources=f"arn:aws:kms:*:{account_id}:alias/{PRODUCT}-*",
    )
    yield allow(
        "S3EncryptsPages",
        actions=["kms:GenerateDataKey", "kms:Decrypt"],
        resources=keys,
        conditions={
            "StringEquals": {f"aws:ResourceTag/{key}": value for key, value in tagged.items()},
            # Only through S3, and the role may read no object.
            "StringLike": {"kms:ViaService": "s3.*.amazonaws.com"},
        },
    )


def _lambda(actions: Sequence[str], account_id: str) -> Iterable[Statement]:
    """Rights to event source mappings: Lambda assigns their ids, so the conditions name the product's functions."""
    # IAM User Guide, "Actions, resources, and condition keys for AWS Lambda": these ask for the function.
    mapping = [f"lambda:{verb}EventSourceMapping" for verb in ("Create", "Update", "Delete")]
    named = _named("lambda", account_id)
    yield allow("Lambda", actions=[action for action in actions if action not in mapping], resources=named)
    yield allow(
        "QueueMappings",
        actions=mapping,
        resources="*",
        conditions={"ArnLike": {"lambda:FunctionArn": f"arn:aws:lambda:*:{account_id}:function:{PRODUCT}-*"}},
    )


def _logs(actions: Sequence[str], account_id: str) -> Iterable[Statement]:
    groups = [f"/{PRODUCT}/*", f"/aws/lambda/{PRODUCT}-*", f"aws-waf-logs-{PRODUCT}-*"]
    yield allow(
        "LogGroups",
        actions=[action for action in actions if action in _LOG_GROUP_ACTIONS],
        resources=[f"arn:aws:logs:*:{account_id}:log-group:{group}" for group in groups],
    )
    yield allow("LogsOfTheAccount", actions=[a for a in actions if a not in _LOG_GROUP_ACTIONS], resources="*")


def _mediaconvert(actions: Sequence[str], account_id: str) -> Iterable[Statement]:
    yield allow(
        "NewConversionQueues",
        actions="mediaconvert:CreateQueue",
        resources="*",
        conditions={"StringEquals": {"aws:RequestTag/Product": PRODUCT}},
    )
    yield allow(
        "ConversionQueues",
        actions=[action for action in actions if action != "mediaconvert:CreateQueue"],
        resources=f"arn:aws:mediaconvert:*:{account_id}:queues/{PRODUCT}-*",
    )


def _s3(actions: Sequence[str], account_id: str) -> Iterable[Statement]:
    """Rights to buckets and the page's files, and to empty unprotected buckets, excluding the right to read objects."""
    objects = {"s3:PutObject", "s3:DeleteObject", "s3:DeleteObjectVersion"}
    bucket = _named("s3", account_id)
    yield allow("Buckets", actions=[action for action in actions if action not in objects], resources=bucket)
    yield allow("RemoveObjects", actions=sorted(objects - {"s3:PutObject"}), resources=[f"{arn}/*" for arn in bucket])
    yield allow("PublishPages", actions="s3:PutObject", resources=f"arn:aws:s3:::{PRODUCT}-*-site-*/*")


def _route53(actions: Sequence[str], _: str) -> Iterable[Statement]:
    changes = "route53:GetChange"
    zone = [action for action in actions if action != changes]
    yield allow("Records", actions=zone, resources="arn:aws:route53:::hostedzone/*")
    yield allow("Changes", actions=changes, resources="arn:aws:route53:::change/*")


def _cloudwatch(actions: Sequence[str], account_id: str) -> Iterable[Statement]:
    named = _named("cloudwatch", account_id)
    yield allow("Cloudwatch", actions=[action for action in actions if action not in PROVING], resources=named)
    yield allow("ClientMetrics", actions=list(PROVING), resources="*")


_SPLIT: Mapping[str, Any] = {
    "cloudwatch": _cloudwatch,
    "iam": _iam,
    "kms": _kms,
    "lambda": _lambda,
    "logs": _logs,
    "mediaconvert": _mediaconvert,
    "s3": _s3,
    "route53": _route53,
}


def _sid(service: str) -> str:
    return "".join(word.capitalize() for word in service.split("-"))


def preview_policy(account_id: str) -> PolicyDocument:
    """Rights to the program's look-ups: a preview compares the program with the state and asks AWS for nothing else."""
    return document(
        allow("Zones", actions="ec2:DescribeAvailabilityZones", resources="*"),  # the call takes no resource
        allow(
            "MediaKey",
            actions="kms:GetPublicKey",
            resources=f"arn:aws:kms:*:{account_id}:key/*",
            conditions={"StringEquals": {"aws:ResourceTag/Product": PRODUCT}},
        ),
        allow(
            "ClientSecretsAtCompanies",
            actions="ssm:GetParameter",
            resources=f"arn:aws:ssm:*:{account_id}:parameter{oidc_secret_parameter('*', '*')}",
        ),
    )


def state_policy(bucket: str, key_arn: str) -> PolicyDocument:
    """Rights to Pulumi's state: to read, write and lock it in its bucket, and to use the key of its secrets."""
    return document(
        allow("ListState", actions="s3:ListBucket", resources=f"arn:aws:s3:::{bucket}"),
        allow(
            "ChangeState",
            actions=["s3:GetObject", "s3:PutObject", "s3:DeleteObject"],
            resources=f"arn:aws:s3:::{bucket}/*",
        ),
        allow("StateKey", actions=["kms:Encrypt", "kms:Decrypt", "kms:GenerateDataKey"], resources=key_arn),
        deny("NeverManageTheStateKey", actions=_MANAGES_KEYS, resources=key_arn),
    )


_MANAGES_KEYS = sorted(
    {*ACTIONS_BY_TYPE["kms/key:Key"], *ACTIONS_BY_TYPE["kms/alias:Alias"]} - {"kms:CreateKey", "kms:ListAliases"}
)
"""Actions of the deploy role on keys with the product's tag."""


def preview_state_policy(bucket: str, key_arn: str) -> PolicyDocument:
    """Read access to Pulumi's state. A preview neither locks nor writes it."""
    return document(
        allow("ListState", actions="s3:ListBucket", resources=f"arn:aws:s3:::{bucket}"),
        allow("ReadState", actions="s3:GetObject", resources=f"arn:aws:s3:::{bucket}/*"),
        allow("StateKey", actions="kms:Decrypt", resources=key_arn),
    )


def trust(account_id: str, subject_prefix: str, environments: Sequence[str]) -> PolicyDocument:
    """Trust policy: only workflows of this repository in these environments. The token's subject contains both."""
    return document(
        {
            "Effect": "Allow",
            "Principal": {"Federated": f"arn:aws:iam::{account_id}:oidc-provider/{GITHUB}"},
            "Action": "sts:AssumeRoleWithWebIdentity",
            "Condition": {
                "StringEquals": {
                    f"{GITHUB}:aud": "sts.amazonaws.com",
                    f"{GITHUB}:sub": [f"{subject_prefix}:environment:{name}" for name in environments],
                },
            },
        }
    )


if __name__ == "__main__":
    sys.exit(main())
