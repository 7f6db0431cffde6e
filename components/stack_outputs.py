"""Outputs of a stage's stack, for deploy commands, operators and other stacks."""

from __future__ import annotations

from collections.abc import Mapping

import pulumi

from components.api.gateway import Api
from components.auth.app_clients import AppClients
from components.auth.operator_role import Operators
from components.auth.user_pool import Auth
from components.edge.distribution import Edge
from components.messaging.messaging import Messaging
from components.naming import StageContext
from components.observability.monitoring import Observability
from components.settings import Settings
from components.site_config import site_config
from components.storage.buckets import Storage


def export_outputs(  # noqa: PLR0917 - the tiers, in the order of the drawing
    context: StageContext,
    settings: Settings,
    messaging: Messaging,
    storage: Storage,
    auth: Auth,
    operators: Operators,
    api: Api,
    edge: Edge,
    app_clients: AppClients,
    observability: Observability,
    environment: Mapping[str, pulumi.Input[str]],
) -> None:
    """Export the stage's outputs by name. environment: of the functions."""
    outputs: dict[str, pulumi.Input[object] | None] = {
        "siteUrl": edge.site_url,
        "siteBucket": storage.site_bucket_name,
        "siteConfig": site_config(context, settings, auth, app_clients),
        "distributionId": edge.distribution_id,
        "apiUrl": edge.api_url,
        "executeApiUrl": api.execute_api_url,
        "userPoolId": auth.user_pool_id,
        "authority": auth.issuer,
        "webClientId": app_clients.web_client_id,
        "desktopClientId": app_clients.desktop_client_id,
        "videoBucket": storage.video_bucket_name,
        "metadataBucket": storage.metadata_bucket_name,
        "completionTopicArn": messaging.completion_topic_arn,
        "failureQueue": messaging.dead_letter_queue_name,
        "notificationQueues": [context.name(f"to-{destination}") for destination in messaging.delivery_queue_arns],
        "mediaKeyPairId": edge.media_key_pair_id,
        "operatorRoleArn": operators.role_arn,
        "functionEnvironment": environment,
        "machineClientId": app_clients.machine_client_id,
        "machineClientSecret": app_clients.machine_client_secret,
        "dashboardUrl": observability.dashboard_url,
    }
    for name, value in outputs.items():
        if value is not None:
            pulumi.export(name, value)
