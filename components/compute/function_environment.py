"""The environment of the functions: the one place where the infrastructure speaks to the app, by variable names."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pulumi

GIB, MIB, DAY_SECONDS = 2**30, 2**20, 86_400


def function_environment(
    *,
    stage: str,
    version: str,
    video_bucket: pulumi.Input[str],
    metadata_bucket: pulumi.Input[str],
    data_key_arn: pulumi.Input[str],
    token_key_arns: Mapping[str, pulumi.Input[str]],
    user_pool_arn: pulumi.Input[str],
    client_ids: Sequence[pulumi.Input[str]],
    completion_topic_arn: pulumi.Input[str],
    processing_function: str,
    scaled_functions: Sequence[str],
    cost_tag: str,
    site_url: pulumi.Input[str],
    media_key_arn: pulumi.Input[str],
    media_key_pair_id: pulumi.Input[str],
    cors_origin: str,
    transfer_acceleration: bool,
    max_video_gib: int,
    max_small_upload_mib: int,
    max_open_uploads: int,
    max_reserved_gib: int,
    upload_days: int,
) -> dict[str, pulumi.Input[str]]:
    """Variables that all functions share; FUNCTION comes with each. token_key_arns: by `kid`, the signing one first.

    scaled_functions: ids of scalable targets. cost_tag: `key=value`, empty when the bill is not asked for.
    """
    keys = pulumi.Output.all(*token_key_arns.values())
    kids = list(token_key_arns)
    return {
        "STAGE": stage,
        "VERSION": version,
        "VIDEO_BUCKET": video_bucket,
        "METADATA_BUCKET": metadata_bucket,
        "DATA_KEY_ARN": data_key_arn,
        "UPLOAD_TOKEN_KEYS": keys.apply(
            lambda arns: ",".join(f"{kid}={arn}" for kid, arn in zip(kids, arns, strict=True))
        ),
        "USER_POOL_ARN": user_pool_arn,
        "USER_POOL_CLIENT_IDS": pulumi.Output.all(*client_ids).apply(",".join),
        "COMPLETION_TOPIC_ARN": completion_topic_arn,
        "PROCESSING_FUNCTION": processing_function,
        "SCALED_FUNCTIONS": ",".join(scaled_functions),
        "COST_TAG": cost_tag,
        "SITE_URL": site_url,
        "MEDIA_KEY_ARN": media_key_arn,
        "MEDIA_KEY_PAIR_ID": media_key_pair_id,
        "CORS_ORIGIN": cors_origin,
        "TRANSFER_ACCELERATION": "true" if transfer_acceleration else "false",
        "MAX_VIDEO_BYTES": str(max_video_gib * GIB),
        "MAX_SIMPLE_UPLOAD_BYTES": str(max_small_upload_mib * MIB),
        "MAX_OPEN_UPLOADS_PER_USER": str(max_open_uploads),
        "MAX_RESERVED_BYTES_PER_USER": str(max_reserved_gib * GIB),
        "UPLOAD_TTL_SECONDS": str(upload_days * DAY_SECONDS),
    }
