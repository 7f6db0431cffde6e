"""KMS keys: what everything is encrypted and every upload token is signed with."""

from __future__ import annotations

from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from components import policy
from components.naming import Place, type_token
from components.protection import kept

PROTECTED_DELETION_DAYS = 30  # KMS API reference, ScheduleKeyDeletion: 7 to 30
UNPROTECTED_DELETION_DAYS = 7


@dataclass(frozen=True, kw_only=True)
class KeysArgs:
    """What the keys need.

    token_kids: names of the upload token keys; the first signs.
    protect: whether keys refuse deletion and outlive the stack.
    """

    place: Place
    token_kids: tuple[str, ...]
    protect: bool


class Keys(pulumi.ComponentResource):
    """One key for data, one for logs and alarms, one per upload token `kid`, one that signs media URLs."""

    data_key_arn: pulumi.Output[str]
    """Encrypts videos, records, the site and completion messages; rotates yearly."""
    log_key_arn: pulumi.Output[str]
    """Encrypts log groups, the trail and alarm messages; rotates yearly."""
    token_key_arns: dict[str, pulumi.Output[str]]
    """HMAC key by `kid`, the signing one first. KMS cannot rotate these: a new `kid` is the rotation."""
    media_key_arn: pulumi.Output[str]
    """Signs playback and poster URLs; CloudFront holds its public half."""
    media_public_key_pem: pulumi.Output[str]
    """The public half."""

    def __init__(self, name: str, args: KeysArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(type_token("Keys"), name, None, opts)
        place = args.place
        options = kept(self, args.protect)
        deletion_days = PROTECTED_DELETION_DAYS if args.protect else UNPROTECTED_DELETION_DAYS

        data_key = aws.kms.Key(
            f"{name}-data",
            description=f"{place.name('data')}: videos, records, site",
            policy=policy.to_json(data_key_policy(place)),
            enable_key_rotation=True,
            deletion_window_in_days=deletion_days,
            opts=options,
        )
        log_key = aws.kms.Key(
            f"{name}-logs",
            description=f"{place.name('logs')}: log groups, trail, alarms",
            policy=policy.to_json(log_key_policy(place)),
            enable_key_rotation=True,
            deletion_window_in_days=deletion_days,
            opts=options,
        )
        token_keys = {
            kid: aws.kms.Key(
                f"{name}-upload-token-{kid}",
                description=f"{place.name('upload-token')}: {kid}",
                customer_master_key_spec="HMAC_256",
                key_usage="GENERATE_VERIFY_MAC",
                policy=policy.to_json(account_key_policy(place)),
                deletion_window_in_days=deletion_days,
                opts=options,
            )
            for kid in args.token_kids
        }
        media_key = aws.kms.Key(
            f"{name}-media",
            description=f"{place.name('media')}: signs media URLs",
            customer_master_key_spec="ECC_NIST_P256",
            key_usage="SIGN_VERIFY",
            policy=policy.to_json(account_key_policy(place)),
            deletion_window_in_days=deletion_days,
            opts=options,
        )
        for purpose, key in {"data": data_key, "logs": log_key, "media": media_key}.items():
            aws.kms.Alias(
                f"{name}-{purpose}-alias",
                name=f"alias/{place.name(purpose)}",
                target_key_id=key.key_id,
                opts=pulumi.ResourceOptions(parent=self),
            )

        self.data_key_arn = data_key.arn
        self.log_key_arn = log_key.arn
        self.token_key_arns = {kid: key.arn for kid, key in token_keys.items()}
        self.media_key_arn = media_key.arn
        self.media_public_key_pem = aws.kms.get_public_key_output(
            key_id=media_key.arn, opts=pulumi.InvokeOutputOptions(parent=self)
        ).public_key_pem
        self.register_outputs({"dataKeyArn": self.data_key_arn, "logKeyArn": self.log_key_arn})


def account_key_policy(place: Place) -> policy.PolicyDocument:
    """Whoever the account's IAM policies name. The key trusts the account; otherwise role and key wait for each
    other."""
    return policy.document(_account_statement(place))


def data_key_policy(place: Place) -> policy.PolicyDocument:
    """The account, and CloudFront for what it reads from the buckets of this account."""
    return policy.document(
        _account_statement(place),
        policy.allow(
            "CloudFrontReadsEncryptedObjects",
            principal={"Service": "cloudfront.amazonaws.com"},
            actions="kms:Decrypt",
            resources="*",  # in a key policy: this key
            conditions=from_own_distributions(place),
        ),
    )


def from_own_distributions(place: Place) -> policy.Conditions:
    """Only distributions of this account. The one distribution comes later than what it reads, hence the wildcard."""
    return {
        "StringEquals": {"aws:SourceAccount": place.account_id},
        "ArnLike": {"aws:SourceArn": f"arn:aws:cloudfront::{place.account_id}:distribution/*"},
    }


def log_key_policy(place: Place) -> policy.PolicyDocument:
    """The account, and the services that write logs or send alarms on its behalf."""
    own_account = {"StringEquals": {"aws:SourceAccount": place.account_id}}
    return policy.document(
        _account_statement(place),
        policy.allow(
            "LogGroups",
            principal={"Service": f"logs.{place.region}.amazonaws.com"},
            actions=["kms:Encrypt", "kms:Decrypt", "kms:ReEncrypt*", "kms:GenerateDataKey*", "kms:DescribeKey"],
            resources="*",  # in a key policy: this key
            conditions={"ArnLike": {"kms:EncryptionContext:aws:logs:arn": place.arn("logs", "log-group:*")}},
        ),
        policy.allow(
            "Trail",
            principal={"Service": "cloudtrail.amazonaws.com"},
            # Decrypt is for the topic that announces its files.
            actions=["kms:GenerateDataKey*", "kms:Decrypt", "kms:DescribeKey"],
            resources="*",  # in a key policy: this key
            conditions={
                "StringEquals": {"aws:SourceArn": place.arn("cloudtrail", f"trail/{place.name('trail')}")},
            },
        ),
        policy.allow(
            "AlarmMessages",
            principal={"Service": ["cloudwatch.amazonaws.com", "budgets.amazonaws.com"]},
            actions=["kms:GenerateDataKey*", "kms:Decrypt"],
            resources="*",  # in a key policy: this key
            conditions=own_account,
        ),
    )


def edge_log_key_policy(account_id: str) -> policy.PolicyDocument:
    """For the log groups that CloudFront's web ACL can only have in us-east-1."""
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


def _account_statement(place: Place) -> policy.Statement:
    return policy.allow(
        "AccountDecides",
        principal={"AWS": place.account_root},
        actions="kms:*",
        resources="*",  # in a key policy: this key
    )
