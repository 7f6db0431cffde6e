"""The architecture on one screen: settings → tiers → outputs."""

from __future__ import annotations

import pulumi_aws as aws

from components.auth import Auth, AuthArgs
from components.keys import Keys, KeysArgs
from components.naming import Place, tag_everything
from components.network import Network, NetworkArgs
from components.settings import Settings
from components.storage import Storage, StorageArgs

settings = Settings.load()
place = Place(
    stage=settings.stage,
    account_id=aws.get_caller_identity().account_id,
    region=aws.get_region().region,
)
tag_everything(settings.stage)

keys = Keys("keys", KeysArgs(place=place, token_kids=settings.upload_token_kids, protect=settings.protect))

network = (
    Network(
        "network",
        NetworkArgs(
            place=place,
            cidr=settings.vpc_cidr,
            bucket_arns=[place.bucket_arn("videos"), place.bucket_arn("metadata")],
            key_arns=[keys.data_key_arn, keys.media_key_arn, *keys.token_key_arns.values()],
            topic_arns=[place.arn("sns", place.name("completed"))],
            log_key_arn=keys.log_key_arn,
            log_days=settings.log_days,
        ),
    )
    if settings.network
    else None
)

storage = Storage(
    "storage",
    StorageArgs(
        place=place,
        data_key_arn=keys.data_key_arn,
        s3_endpoint_id=network.s3_endpoint_id if network else None,
        judging_role_arns=[place.role_arn("video_processing")],
        inspecting_role_arns=[place.role_arn(role) for role in ("video_processing", "multipart_complete", "janitor")],
        outside_role_arns=[place.role_arn("janitor")],
        incomplete_upload_days=settings.incomplete_upload_days,
        rejected_days=settings.rejected_days,
        noncurrent_days=settings.noncurrent_days,
        log_days=settings.log_days,
        intelligent_tiering=settings.intelligent_tiering,
        transfer_acceleration=settings.transfer_acceleration,
        protect=settings.protect,
    ),
)

auth = Auth(
    "auth",
    AuthArgs(
        place=place,
        sign_up=settings.sign_up,
        sign_up_domains=settings.sign_up_domains,
        mfa=settings.mfa,
        threat_protection=settings.threat_protection,
        protect=settings.protect,
        log_key_arn=keys.log_key_arn,
        log_days=settings.log_days,
    ),
)
