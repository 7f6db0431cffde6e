"""The architecture on one screen: settings → tiers → outputs.

Each tier is one file in components/ and knows no other; what one gives and another takes is said here. The API comes
before the functions: it calls them by the names of their aliases, and they want to know the site in front of the API.
"""

from __future__ import annotations

from pathlib import Path

import pulumi
import pulumi_aws as aws

from components.api.gateway import STAGE_NAME, Api, ApiArgs
from components.app_description import describe_app
from components.auth.app_clients import AppClients, AppClientsArgs
from components.auth.operator_role import ROLE as OPERATOR
from components.auth.operator_role import Operators, OperatorsArgs
from components.auth.user_pool import Auth, AuthArgs
from components.compute.function_environment import function_environment
from components.compute.functions import CALLED_BY_GATEWAY, Compute, ComputeArgs, scalable_id
from components.compute.lambda_package import build_package
from components.compute.permissions import Resources
from components.edge.distribution import Edge, EdgeArgs
from components.edge.site_config import allowed_origin, site_config
from components.edge.web_acl import WebAcl, WebAclArgs
from components.encryption.keys import Keys, KeysArgs
from components.internet_names import origin_of
from components.messaging.messaging import Messaging, MessagingArgs
from components.naming import STAGE_TAG, StageContext, tag_everything
from components.network.vpc import Network, NetworkArgs
from components.observability.audit_trail import Audit, AuditArgs
from components.observability.feature_logs import Feature, FeatureLogs, FeatureLogsArgs
from components.observability.monitoring import Observability, ObservabilityArgs
from components.settings import Settings, SignUp
from components.storage.buckets import Storage, StorageArgs
from components.storage.cors import UploadCors, UploadCorsArgs

PROJECT = Path(__file__).resolve().parent

settings = Settings.load()
app = describe_app(PROJECT / "chalice_app")
package = build_package(PROJECT, app.handlers, bytecode=settings.bytecode)
context = StageContext(
    stage=settings.stage, account_id=aws.get_caller_identity().account_id, region=aws.get_region().region
)
tag_everything(settings.stage)

keys = Keys(
    "keys",
    KeysArgs(
        context=context,
        token_kids=settings.upload_key_names,
        trail=settings.trail,
        alarms=settings.alarms,
        protect=settings.protect,
    ),
)
token_key_arns = list(keys.token_key_arns.values())
messaging = Messaging("messaging", MessagingArgs(context=context, data_key_arn=keys.data_key_arn))

feature_logs = FeatureLogs(
    "feature-logs",
    FeatureLogsArgs(
        context=context,
        features=[
            feature
            for feature, is_on in {
                Feature.WEB_ACL: settings.waf,
                Feature.NETWORK: settings.network,
                Feature.TRAIL: settings.trail,
                Feature.SIGN_UP_FILTER: settings.sign_up is SignUp.DOMAIN,
            }.items()
            if is_on
        ],
        log_key_arn=keys.log_key_arn,
        log_days=settings.log_days,
        protect=settings.protect,
    ),
)

network = (
    Network(
        "network",
        NetworkArgs(
            context=context,
            cidr=settings.vpc_cidr,
            bucket_arns=[context.bucket_arn("videos"), context.bucket_arn("metadata")],
            key_arns=[*token_key_arns, keys.media_key_arn],
            topic_arns=[messaging.completion_topic_arn],
            log_group_arn=feature_logs.groups[Feature.NETWORK].arn,
        ),
    )
    if settings.network
    else None
)

storage = Storage(
    "storage",
    StorageArgs(
        context=context,
        data_key_arn=keys.data_key_arn,
        s3_endpoint_id=network.s3_endpoint_id if network else None,
        tagging_role_arns=[context.role_arn("video_processing")],
        inspecting_role_arns=[context.role_arn(role) for role in ("video_processing", "multipart_complete", "janitor")],
        roles_outside_network_arns=[context.role_arn("janitor"), context.role_arn(OPERATOR)],
        incomplete_upload_days=settings.incomplete_upload_days,
        rejected_days=settings.rejected_days,
        tombstone_days=settings.tombstone_days,
        noncurrent_days=settings.noncurrent_days,
        log_days=settings.log_days,
        intelligent_tiering=settings.intelligent_tiering,
        transfer_acceleration=settings.transfer_acceleration,
        trail=settings.trail,
        protect=settings.protect,
    ),
)

auth = Auth(
    "auth",
    AuthArgs(
        context=context,
        sign_up=settings.sign_up,
        sign_up_domains=settings.sign_up_domains,
        mfa=settings.mfa,
        threat_protection=settings.threat_protection,
        mail_identity_arn=settings.mail_identity_arn,
        mail_from=settings.mail_from,
        protect=settings.protect,
        filter_log_group=feature_logs.groups.get(Feature.SIGN_UP_FILTER),
        paused=settings.paused,
    ),
)

operators = Operators(
    "operators", OperatorsArgs(context=context, data_key_arn=keys.data_key_arn, user_pool_arn=auth.user_pool_arn)
)

cors_origin = allowed_origin(settings.site_domain, settings.extra_redirect_urls)

api = Api(
    "api",
    ApiArgs(
        context=context,
        document=app.document,
        user_pool_arn=auth.user_pool_arn,
        cors_origin=cors_origin,
        secret_generation=settings.origin_secret_generation,
        requests_per_second=settings.api_requests_per_second,
        burst=settings.api_burst,
        log_key_arn=keys.log_key_arn,
        log_days=settings.log_days,
        protect=settings.protect,
    ),
)

web_acl = (
    WebAcl(
        "web-acl",
        WebAclArgs(
            context=context,
            requests_per_ip=settings.requests_per_ip,
            requests_per_token=settings.requests_per_token,
            inits_per_ip=settings.inits_per_ip,
            log_group_arn=feature_logs.groups[Feature.WEB_ACL].arn,
        ),
    )
    if settings.waf
    else None
)

edge = Edge(
    "edge",
    EdgeArgs(
        context=context,
        site_bucket_domain=storage.site_bucket_domain,
        video_bucket_domain=storage.video_bucket_domain,
        metadata_bucket_domain=storage.metadata_bucket_domain,
        api_host=api.host,
        origin_secret=api.origin_secret,
        media_public_key_pem=keys.media_public_key_pem,
        upload_hosts=[
            storage.video_bucket_domain,
            storage.metadata_bucket_domain,
            *([f"{context.bucket('videos')}.s3-accelerate.amazonaws.com"] if settings.transfer_acceleration else []),
        ],
        sign_in_hosts=[auth.sign_in_host, f"cognito-idp.{context.region}.amazonaws.com"],
        web_acl_arn=web_acl.arn if web_acl else None,
        log_bucket_arn=storage.log_bucket_arn,
        dependencies=storage.dependencies,
        price_class=settings.price_class,
        measured=settings.dashboard,
        site_domain=settings.site_domain,
        site_certificate_arn=settings.site_certificate_arn,
        hosted_zone_id=settings.hosted_zone_id,
    ),
)

app_clients = AppClients(
    "app-clients",
    AppClientsArgs(
        context=context,
        user_pool_id=auth.user_pool_id,
        api_scopes=auth.scopes,
        site_url=edge.site_url,
        extra_redirect_urls=settings.extra_redirect_urls,
        machine_client=settings.machine_client,
        protect=settings.protect,
    ),
)

scaled = settings.provisioned_concurrency > 0

environment = function_environment(
    stage=settings.stage,
    version=package.version,
    video_bucket=storage.video_bucket_name,
    metadata_bucket=storage.metadata_bucket_name,
    data_key_arn=keys.data_key_arn,
    token_key_arns=keys.token_key_arns,
    user_pool_arn=auth.user_pool_arn,
    client_ids=app_clients.client_ids,
    completion_topic_arn=messaging.completion_topic_arn,
    processing_function=context.live_arn("video_processing"),
    scaled_functions=[scalable_id(context, function) for function in CALLED_BY_GATEWAY] if scaled else [],
    cost_tag=f"{STAGE_TAG}={settings.stage}" if settings.cost_figure else "",
    site_url=edge.site_url,
    media_key_arn=keys.media_key_arn,
    media_key_pair_id=edge.media_key_pair_id,
    cors_origin=cors_origin,
    transfer_acceleration=settings.transfer_acceleration,
    max_video_gib=settings.max_video_gib,
    max_small_upload_mib=settings.max_small_upload_mib,
    max_open_uploads=settings.max_open_uploads,
    max_reserved_gib=settings.max_reserved_gib,
    upload_days=settings.upload_days,
)

compute = Compute(
    "compute",
    ComputeArgs(
        context=context,
        bundles=package.bundles,
        handlers=app.handlers,
        environment=environment,
        resources=Resources(
            context=context,
            data_key_arn=keys.data_key_arn,
            token_key_arns=token_key_arns,
            media_key_arn=keys.media_key_arn,
            completion_topic_arn=messaging.completion_topic_arn,
            dead_letter_queue_arn=messaging.dead_letter_queue_arn,
            in_network=settings.network,
            scaled=scaled,
            asks_for_bill=settings.cost_figure,
        ),
        schedule=app.schedule,
        bucket_events=app.bucket_events,
        bucket_prefix=app.bucket_prefix,
        api_execution_arn=api.execution_arn,
        video_bucket_name=storage.video_bucket_name,
        subnet_ids=network.subnet_ids if network else [],
        security_group_id=network.function_security_group_id if network else None,
        log_key_arn=keys.log_key_arn,
        log_days=settings.log_days,
        protect=settings.protect,
        api_memory_mib=settings.api_memory_mib,
        processing_memory_mib=settings.processing_memory_mib,
        processing_timeout_seconds=settings.processing_timeout_seconds,
        provisioned_concurrency=settings.provisioned_concurrency,
        provisioned_concurrency_max=settings.provisioned_concurrency_max,
        paused=settings.paused,
        dependencies=storage.dependencies,
    ),
)

UploadCors(
    "upload-cors",
    UploadCorsArgs(
        video_bucket_name=storage.video_bucket_name,
        origins=[edge.site_url, *map(origin_of, settings.extra_redirect_urls)],
    ),
)

if settings.trail:
    Audit(
        "audit",
        AuditArgs(
            context=context,
            log_bucket_name=storage.log_bucket_name,
            log_key_arn=keys.log_key_arn,
            log_group=feature_logs.groups[Feature.TRAIL],
            management_events=settings.trail_management_events,
            functions=list(app.handlers),
            dependencies=storage.dependencies,
        ),
    )

observability = Observability(
    "observability",
    ObservabilityArgs(
        context=context,
        api_name=context.name("api"),
        api_stage=STAGE_NAME,
        distribution_id=edge.distribution_id,
        video_bucket=context.bucket("videos"),
        function_names={function: context.name(function) for function in app.handlers},
        queue_name=context.name("failed"),
        data_key_arn=keys.data_key_arn,
        web_acl_name=web_acl.metric_name if web_acl else None,
        log_key_arn=keys.log_key_arn,
        alarm_emails=settings.alarm_emails,
        alarms=settings.alarms,
        dashboard=settings.dashboard,
        max_open_uploads=settings.max_open_uploads,
        traced_percent=settings.traced_percent,
        monthly_budget_usd=settings.monthly_budget_usd,
        paused=settings.paused,
    ),
)

pulumi.export("siteUrl", edge.site_url)
pulumi.export("siteBucket", storage.site_bucket_name)
pulumi.export(
    "siteConfig",
    site_config(
        stage=settings.stage,
        issuer=auth.issuer,
        sign_in_host=auth.sign_in_host,
        web_client_id=app_clients.web_client_id,
        desktop_client_id=app_clients.desktop_client_id,
        api_scopes=auth.scopes,
    ),
)
pulumi.export("distributionId", edge.distribution_id)
pulumi.export("apiUrl", edge.api_url)
pulumi.export("executeApiUrl", api.execute_api_url)
pulumi.export("userPoolId", auth.user_pool_id)
pulumi.export("authority", auth.issuer)
pulumi.export("webClientId", app_clients.web_client_id)
pulumi.export("desktopClientId", app_clients.desktop_client_id)
pulumi.export("videoBucket", storage.video_bucket_name)
pulumi.export("metadataBucket", storage.metadata_bucket_name)
pulumi.export("completionTopicArn", messaging.completion_topic_arn)
pulumi.export("failureQueue", messaging.dead_letter_queue_name)
pulumi.export("mediaKeyPairId", edge.media_key_pair_id)
pulumi.export("operatorRoleArn", operators.role_arn)
pulumi.export("functionEnvironment", environment)
if app_clients.machine_client_id is not None:
    pulumi.export("machineClientId", app_clients.machine_client_id)
    pulumi.export("machineClientSecret", pulumi.Output.secret(app_clients.machine_client_secret))
if observability.dashboard_url is not None:
    pulumi.export("dashboardUrl", observability.dashboard_url)
