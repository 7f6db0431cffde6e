"""The architecture on one screen: settings → tiers → outputs.

Each tier is a folder in components/ and imports no other; this file passes values from tier to tier. The API comes
before the functions: it calls them by the names of their aliases, and they need the address of the site in front of it.
"""

from pathlib import Path

import pulumi_aws as aws

from components.api.gateway import STAGE_NAME, Api, ApiArgs
from components.app_description import describe_app
from components.auth.app_clients import AppClients, AppClientsArgs
from components.auth.operator_role import Operators, OperatorsArgs
from components.auth.user_pool import Auth, AuthArgs
from components.bucket_roles import bucket_roles, service_roles
from components.compute.function_table import FUNCTIONS
from components.compute.functions import Compute, ComputeArgs
from components.compute.lambda_package import build_package
from components.conversion.media_convert import Conversion, ConversionArgs
from components.edge.distribution import Edge, EdgeArgs
from components.edge.web_acl import WebAcl, WebAclArgs
from components.encryption.keys import Keys, KeysArgs
from components.function_environment import function_environment
from components.granted_resources import granted_resources
from components.lean_imports import load_classes_alone
from components.messaging.messaging import Messaging, MessagingArgs
from components.naming import StageContext, tag_everything
from components.network.vpc import Network, NetworkArgs
from components.observability.audit_trail import Audit, AuditArgs
from components.observability.feature_logs import Feature, FeatureLogs, FeatureLogsArgs
from components.observability.monitoring import Observability, ObservabilityArgs
from components.scanning.malware_protection import Scanning, ScanningArgs
from components.site_config import allowed_origin, page_origins
from components.stack_configuration import load_settings
from components.stack_outputs import export_outputs
from components.storage.buckets import Storage, StorageArgs
from components.storage.cors import UploadCors, UploadCorsArgs

PROJECT = Path(__file__).resolve().parent

load_classes_alone()
settings = load_settings()
app = describe_app(PROJECT / "chalice_app")
package = build_package(PROJECT, bytecode=settings.compute.bytecode)
context = StageContext.of(settings, aws.get_caller_identity().account_id, aws.get_region().region)
tag_everything(settings.stage)

keys = Keys("keys", KeysArgs(context, settings.uploads, settings.observability))

messaging_args = MessagingArgs(
    context, settings.notifications, data_key_arn=keys.data_key_arn, delivery_attempts=app.delivery_attempts
)
messaging = Messaging("messaging", messaging_args)

feature_logs = FeatureLogs("feature-logs", FeatureLogsArgs(context, settings, log_key_arn=keys.log_key_arn))

network = None
if settings.network.enabled:
    network_args = NetworkArgs(
        context,
        settings.network,
        key_arns=[*keys.token_key_arns.values(), keys.media_key_arn],
        topic_arns=[messaging.completion_topic_arn],
        log_group_arn=feature_logs.groups[Feature.NETWORK].arn,
    )
    network = Network("network", network_args)

storage_args = StorageArgs(
    context,
    settings.storage,
    data_key_arn=keys.data_key_arn,
    s3_endpoint_id=network.s3_endpoint_id if network else None,
    roles=bucket_roles(context, settings),
    trail=settings.observability.trail,
    renditions=settings.playback.renditions,
)
storage = Storage("storage", storage_args)

auth = Auth("auth", AuthArgs(context, settings.sign_in, log_groups=feature_logs.groups))

operators_args = OperatorsArgs(
    context,
    data_key_arn=keys.data_key_arn,
    completion_topic_arn=messaging.completion_topic_arn,
    user_pool_arn=auth.user_pool_arn,
    converts=settings.playback.renditions,
)
operators = Operators("operators", operators_args)

api_args = ApiArgs(
    context,
    settings.api,
    document=app.document,
    user_pool_arn=auth.user_pool_arn,
    cors_origin=allowed_origin(settings),
    log_key_arn=keys.log_key_arn,
)
api = Api("api", api_args)

web_acl = None
if settings.edge.waf:
    log_group_arn = feature_logs.groups[Feature.WEB_ACL].arn
    web_acl = WebAcl("web-acl", WebAclArgs(context, settings.edge, log_group_arn=log_group_arn))

edge_args = EdgeArgs(
    context,
    settings.edge,
    bucket_domains=storage.bucket_domains,
    api_host=api.host,
    origin_secret=api.origin_secret,
    media_public_key_pem=keys.media_public_key_pem,
    upload_hosts=storage.upload_hosts,
    sign_in_hosts=auth.sign_in_hosts,
    web_acl_arn=web_acl.arn if web_acl else None,
    log_bucket_arn=storage.log_bucket_arn,
    dependencies=storage.dependencies,
    renditions=settings.playback.renditions,
    measured=settings.observability.dashboard,
)
edge = Edge("edge", edge_args)

app_clients_args = AppClientsArgs(
    context,
    settings.sign_in,
    user_pool_id=auth.user_pool_id,
    api_scopes=auth.scopes,
    identity_providers=auth.identity_providers,
    site_url=edge.site_url,
)
app_clients = AppClients("app-clients", app_clients_args)

environment = function_environment(
    context, settings, keys, storage, auth, app_clients, messaging, edge, version=package.version
)
compute_args = ComputeArgs(
    context,
    settings.compute,
    app=app,
    package=package,
    environment=environment,
    resources=granted_resources(context, settings, keys, messaging),
    api_execution_arn=api.execution_arn,
    event_buckets={"videos": storage.video_bucket_name, "metadata": storage.metadata_bucket_name},
    delivery_queue_arns=messaging.delivery_queue_arns,
    vpc_config=network.vpc_config if network else None,
    log_key_arn=keys.log_key_arn,
    dependencies=storage.dependencies,
)
compute = Compute("compute", compute_args)

if settings.malware.malware_scan:
    scanning_args = ScanningArgs(
        context,
        data_key_arn=keys.data_key_arn,
        video_bucket_name=storage.video_bucket_name,
        notification=compute.notification,
    )
    Scanning("scanning", scanning_args)

if settings.playback.renditions:
    Conversion("conversion", ConversionArgs(context, data_key_arn=keys.data_key_arn))

origins = page_origins(settings, edge.site_url)
UploadCors("upload-cors", UploadCorsArgs(video_bucket_name=storage.video_bucket_name, origins=origins))

if settings.observability.trail:
    audit_args = AuditArgs(
        context,
        settings.observability,
        log_bucket_name=storage.log_bucket_name,
        log_key_arn=keys.log_key_arn,
        log_group=feature_logs.groups[Feature.TRAIL],
        functions=list(FUNCTIONS),
        other_roles=service_roles(settings),
        dependencies=storage.dependencies,
    )
    Audit("audit", audit_args)

observability_args = ObservabilityArgs(
    context,
    settings.observability,
    api_stage=STAGE_NAME,
    distribution_id=edge.distribution_id,
    functions=list(FUNCTIONS),
    data_key_arn=keys.data_key_arn,
    web_acl_name=web_acl.metric_name if web_acl else None,
    log_key_arn=keys.log_key_arn,
    max_open_uploads=settings.uploads.max_open_uploads,
    scans=settings.malware.malware_scan,
    makes_renditions=settings.playback.renditions,
    deletes_old=settings.storage.retention_days > 0,
    destinations=list(messaging.delivery_queue_arns),
)
observability = Observability("observability", observability_args)

export_outputs(
    context, settings, messaging, storage, auth, operators, api, edge, app_clients, observability, environment
)
