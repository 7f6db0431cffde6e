"""KMS keys for encryption, upload tokens and media URLs."""

from __future__ import annotations

from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from components import policy
from components.encryption import key_policies
from components.naming import StageContext, type_token
from components.protection import protected
from components.settings import ObservabilitySettings, UploadSettings

PROTECTED_DELETION_DAYS = 30  # KMS API reference, ScheduleKeyDeletion: 7 to 30
UNPROTECTED_DELETION_DAYS = 7


@dataclass(frozen=True)
class KeysArgs:
    """Inputs of the keys.

    uploads: with the names of the upload token keys. observability: tells whether the stage has a trail and alarms,
    since the log key trusts only services in use.
    """

    context: StageContext
    uploads: UploadSettings
    observability: ObservabilitySettings


class Keys(pulumi.ComponentResource):
    """A key for data, one for logs and alarms, one per upload token `kid`, and one that signs media URLs."""

    data_key_arn: pulumi.Output[str]
    """Encrypts videos, records, the site and messages about videos; rotates yearly."""
    log_key_arn: pulumi.Output[str]
    """Encrypts log groups, the trail and alarm messages; rotates yearly."""
    token_key_arns: dict[str, pulumi.Output[str]]
    """HMAC key by `kid`, the signing one first. KMS cannot rotate HMAC keys, so each rotation adds a `kid`."""
    media_key_arn: pulumi.Output[str]
    """Signs playback and poster URLs; CloudFront holds its public half."""
    media_public_key_pem: pulumi.Output[str]
    """The public half."""

    def __init__(self, name: str, args: KeysArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(type_token("Keys"), name, None, opts)
        context = args.context
        options = protected(self, args.context.general.protect)
        child = pulumi.ResourceOptions(parent=self)
        deletion_days = PROTECTED_DELETION_DAYS if args.context.general.protect else UNPROTECTED_DELETION_DAYS

        data_key = aws.kms.Key(
            f"{name}-data",
            description=f"{context.name('data')}: videos, records, site",
            policy=policy.to_json(key_policies.data_key_policy(context)),
            enable_key_rotation=True,
            deletion_window_in_days=deletion_days,
            opts=options,
        )
        log_key = aws.kms.Key(
            f"{name}-logs",
            description=f"{context.name('logs')}: log groups, trail, alarms",
            policy=policy.to_json(key_policies.log_key_policy(context, args.observability)),
            enable_key_rotation=True,
            deletion_window_in_days=deletion_days,
            opts=options,
        )
        token_keys = {
            kid: aws.kms.Key(
                f"{name}-upload-token-{kid}",
                description=f"{context.name('upload-token')}: {kid}",
                customer_master_key_spec="HMAC_256",
                key_usage="GENERATE_VERIFY_MAC",
                policy=policy.to_json(key_policies.account_key_policy(context)),
                deletion_window_in_days=deletion_days,
                opts=child,  # not protected: a rotation removes them, and their tokens are short-lived
            )
            for kid in args.uploads.upload_key_names
        }
        media_key = aws.kms.Key(
            f"{name}-media",
            description=f"{context.name('media')}: signs media URLs",
            customer_master_key_spec="ECC_NIST_P256",
            key_usage="SIGN_VERIFY",
            policy=policy.to_json(key_policies.account_key_policy(context)),
            deletion_window_in_days=deletion_days,
            opts=options,
        )
        for purpose, key in {"data": data_key, "logs": log_key, "media": media_key}.items():
            aws.kms.Alias(
                f"{name}-{purpose}-alias",
                name=f"alias/{context.name(purpose)}",
                target_key_id=key.key_id,
                opts=options,
            )

        self.data_key_arn = data_key.arn
        self.log_key_arn = log_key.arn
        self.token_key_arns = {kid: key.arn for kid, key in token_keys.items()}
        self.media_key_arn = media_key.arn
        self.media_public_key_pem = aws.kms.get_public_key_output(
            key_id=media_key.arn, opts=pulumi.InvokeOutputOptions(parent=self)
        ).public_key_pem
        self.register_outputs({"dataKeyArn": self.data_key_arn, "logKeyArn": self.log_key_arn})
