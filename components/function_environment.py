"""The environment of the functions: the only interface between infrastructure and app, made of variable names."""

from __future__ import annotations

import pulumi

from components.auth.app_clients import AppClients
from components.auth.user_pool import Auth
from components.compute.function_table import Trigger, scalable_targets, triggered_by
from components.edge.distribution import Edge
from components.encryption.keys import Keys
from components.messaging.messaging import Messaging
from components.naming import CONVERTER_ROLE, STAGE_TAG, StageContext
from components.settings import Settings
from components.site_config import allowed_origin
from components.storage.buckets import Storage

TIB, GIB, MIB, DAY_SECONDS, HOUR_SECONDS = 2**40, 2**30, 2**20, 86_400, 3_600


def function_environment(  # noqa: PLR0917 - the tiers, in the order of the drawing
    context: StageContext,
    settings: Settings,
    keys: Keys,
    storage: Storage,
    auth: Auth,
    app_clients: AppClients,
    messaging: Messaging,
    edge: Edge,
    *,
    version: str,
) -> dict[str, pulumi.Input[str]]:
    """Variables that all functions share. Each function adds FUNCTION."""
    uploads, converts = settings.uploads, settings.playback.renditions
    key_names = list(keys.token_key_arns)
    return {
        "STAGE": context.stage,
        "VERSION": version,
        "VIDEO_BUCKET": storage.video_bucket_name,
        "METADATA_BUCKET": storage.metadata_bucket_name,
        "DATA_KEY_ARN": keys.data_key_arn,
        # The signing key first.
        "UPLOAD_TOKEN_KEYS": pulumi.Output.all(*keys.token_key_arns.values()).apply(
            lambda arns: ",".join(f"{name}={arn}" for name, arn in zip(key_names, arns, strict=True))
        ),
        "USER_POOL_ARN": auth.user_pool_arn,
        "USER_POOL_CLIENT_IDS": pulumi.Output.all(*app_clients.client_ids).apply(",".join),
        "ADMINISTRATORS_GROUP": settings.sign_in.administrators_group,
        "COMPLETION_TOPIC_ARN": messaging.completion_topic_arn,
        "MESSAGE_OUTBOX": "true" if settings.network.uses_outbox else "false",
        "WEBHOOKS": ",".join(settings.notifications.webhooks),
        "EVENT_BUS_NAME": settings.notifications.event_bus_name,
        "PROCESSING_FUNCTION": context.live_arn(triggered_by(Trigger.BUCKET)),
        "SCALED_FUNCTIONS": ",".join(scalable_targets(context, settings.compute)),
        "COST_TAG": f"{STAGE_TAG}={context.stage}" if settings.observability.cost_figure else "",
        "SITE_URL": edge.site_url,
        "MEDIA_KEY_ARN": keys.media_key_arn,
        "MEDIA_KEY_PAIR_ID": edge.media_key_pair_id,
        "CORS_ORIGIN": allowed_origin(settings),
        "TRANSFER_ACCELERATION": "true" if settings.storage.transfer_acceleration else "false",
        "MALWARE_SCAN": "true" if settings.malware.malware_scan else "false",
        "MALWARE_UNSCANNED": settings.malware.malware_unscanned.value,
        "RENDITIONS": "true" if settings.playback.renditions else "false",
        "CONVERSION_QUEUE_ARN": context.conversion_queue_arn if converts else "",
        "CONVERSION_ROLE_ARN": context.role_arn(CONVERTER_ROLE) if converts else "",
        "STAGE_TAG": f"{STAGE_TAG}={context.stage}" if converts else "",
        "THUMBNAILS": "true" if settings.playback.thumbnails else "false",
        "ACCEPTED_CONTAINERS": ",".join(uploads.accepted_containers),
        "MAX_VIDEO_BYTES": str(uploads.max_video_gib * GIB),
        "MAX_SIMPLE_UPLOAD_BYTES": str(uploads.max_small_upload_mib * MIB),
        "MAX_OPEN_UPLOADS_PER_USER": str(uploads.max_open_uploads),
        "MAX_RESERVED_BYTES_PER_USER": str(uploads.max_reserved_gib * GIB),
        "MAX_STORED_BYTES_PER_USER": str(uploads.max_stored_gib_per_user * GIB),
        "MAX_STORED_VIDEOS_PER_USER": str(uploads.max_stored_videos_per_user),
        "MAX_STORED_BYTES_PER_STAGE": str(uploads.max_stored_tib_per_stage * TIB),
        "MAX_CONVERTED_SECONDS_PER_USER": str(settings.playback.max_converted_hours_per_user * HOUR_SECONDS),
        "MAX_CONVERTED_SECONDS_PER_STAGE": str(settings.playback.max_converted_hours_per_stage * HOUR_SECONDS),
        "RETENTION_SECONDS": str(settings.storage.retention_days * DAY_SECONDS),
        "RETENTION_WARNING_SECONDS": str(settings.storage.retention_warning_days * DAY_SECONDS),
        "MAX_LINK_SECONDS": str(uploads.max_link_days * DAY_SECONDS),
        "UPLOAD_TTL_SECONDS": str(uploads.upload_days * DAY_SECONDS),
    }
