"""The edge: one CloudFront distribution in front of the page, the media and the API."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import KW_ONLY, dataclass
from pathlib import Path

import pulumi
import pulumi_aws as aws

from components.naming import SITE_REGION, StageContext, type_token
from components.settings import EdgeSettings

EDGE_FUNCTIONS = Path(__file__).with_name("edge_functions")
CLOUDFRONT_ZONE = "Z2FDTNDATAQYW2"
"""Hosted zone of every distribution; Route 53 API reference, AliasTarget."""
HSTS_SECONDS = 2 * 365 * 24 * 3600

# Managed policies; CloudFront Developer Guide, "Use managed cache policies" and "… origin request policies".
CACHING_OPTIMIZED = "658327ea-f89d-4fab-a63d-7e88639e58f6"
CACHING_DISABLED = "4135ea2d-6df8-44a3-9df3-4b5a84be39ad"
ALL_VIEWER_EXCEPT_HOST = "b689b0a8-53d0-40ab-baf2-68738e2966ac"

READ_METHODS = ["GET", "HEAD"]
ALL_METHODS = ["GET", "HEAD", "OPTIONS", "PUT", "POST", "PATCH", "DELETE"]
SITE, VIDEOS, POSTERS, API = "site", "videos", "posters", "api"


@dataclass(frozen=True)
class EdgeArgs:
    """Inputs of the edge.

    bucket_domains: origins of page, playback and posters, by bucket: site, videos, metadata.
    api_host: `….execute-api.….amazonaws.com`; its stage is called `api`, so paths pass unchanged.
    origin_secret: value of the Referer header that the API demands.
    media_public_key_pem: verifies playback and poster URLs.
    upload_hosts: where the page sends parts, besides the site itself; sign_in_hosts: of the sign-in (hosted pages
    first) and of progress reports.
    web_acl_arn: None without a web ACL.
    log_bucket_arn: receives access logs.
    dependencies: resources that must exist before a bucket is read or written, such as the log bucket's policy.
    renditions: whether the stage plays them.
    measured: whether CloudFront publishes its hit rate, which costs a monthly fee; only for stages with a dashboard.
    """

    context: StageContext
    settings: EdgeSettings
    _: KW_ONLY
    bucket_domains: Mapping[str, pulumi.Input[str]]
    api_host: pulumi.Input[str]
    origin_secret: pulumi.Input[str]
    media_public_key_pem: pulumi.Input[str]
    upload_hosts: list[pulumi.Input[str]]
    sign_in_hosts: list[pulumi.Input[str]]
    web_acl_arn: pulumi.Input[str] | None
    log_bucket_arn: pulumi.Input[str]
    dependencies: Sequence[pulumi.Resource]
    renditions: bool
    measured: bool


class Edge(pulumi.ComponentResource):
    """Distribution with its origins, behaviours, headers, key group, logs and metrics."""

    site_url: pulumi.Output[str]
    """`https://…` without a slash at the end."""
    api_url: pulumi.Output[str]
    """`https://…/api`."""
    distribution_id: pulumi.Output[str]
    """Id for metrics and invalidations."""
    media_key_pair_id: pulumi.Output[str]
    """Id of the key in signed media URLs."""

    def __init__(self, name: str, args: EdgeArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(type_token("Edge"), name, None, opts)
        self._name = name
        self._args = args
        self._child = pulumi.ResourceOptions(parent=self)
        context = args.context

        public_key = aws.cloudfront.PublicKey(
            f"{name}-media",
            name=context.account_wide_name("media"),
            encoded_key=args.media_public_key_pem,
            opts=self._child,
        )
        key_group = aws.cloudfront.KeyGroup(
            f"{name}-media", name=context.account_wide_name("media"), items=[public_key.id], opts=self._child
        )
        page_routes = self._function("site")
        media_keys = self._function("media")
        shares = self._function("share")
        page_headers = self._page_headers()
        bare_headers = self._bare_headers()

        distribution = aws.cloudfront.Distribution(
            f"{name}-distribution",
            comment=context.account_wide_name("site"),
            enabled=True,
            is_ipv6_enabled=True,
            http_version="http2and3",
            price_class=args.settings.price_class.value,
            default_root_object="index.html",
            aliases=[args.settings.site_domain] if args.settings.site_domain else None,
            web_acl_id=args.web_acl_arn,
            origins=self._origins(),
            default_cache_behavior=aws.cloudfront.DistributionDefaultCacheBehaviorArgs(
                target_origin_id=SITE,
                viewer_protocol_policy="redirect-to-https",
                allowed_methods=READ_METHODS,
                cached_methods=READ_METHODS,
                cache_policy_id=CACHING_OPTIMIZED,
                response_headers_policy_id=page_headers.id,
                compress=True,
                function_associations=[
                    aws.cloudfront.DistributionDefaultCacheBehaviorFunctionAssociationArgs(
                        event_type="viewer-request", function_arn=page_routes.arn
                    )
                ],
            ),
            ordered_cache_behaviors=[
                aws.cloudfront.DistributionOrderedCacheBehaviorArgs(
                    path_pattern="/api/*",
                    target_origin_id=API,
                    viewer_protocol_policy="https-only",
                    allowed_methods=ALL_METHODS,
                    cached_methods=READ_METHODS,
                    cache_policy_id=CACHING_DISABLED,
                    origin_request_policy_id=ALL_VIEWER_EXCEPT_HOST,
                    response_headers_policy_id=bare_headers.id,
                    compress=True,
                ),
                aws.cloudfront.DistributionOrderedCacheBehaviorArgs(
                    path_pattern="/share",  # the share target of clients/web/public/manifest.json
                    target_origin_id=SITE,
                    viewer_protocol_policy="redirect-to-https",
                    allowed_methods=ALL_METHODS,  # the only set with POST; a function responds
                    cached_methods=READ_METHODS,
                    cache_policy_id=CACHING_DISABLED,
                    response_headers_policy_id=page_headers.id,
                    function_associations=[
                        aws.cloudfront.DistributionOrderedCacheBehaviorFunctionAssociationArgs(
                            event_type="viewer-request", function_arn=shares.arn
                        )
                    ],
                ),
                *(
                    aws.cloudfront.DistributionOrderedCacheBehaviorArgs(
                        path_pattern=pattern,
                        target_origin_id=origin,
                        viewer_protocol_policy="https-only",
                        allowed_methods=READ_METHODS,
                        cached_methods=READ_METHODS,
                        cache_policy_id=cache_policy,
                        response_headers_policy_id=bare_headers.id,
                        compress=False,  # videos and JPEGs are compressed already
                        trusted_key_groups=[key_group.id],
                        function_associations=[
                            aws.cloudfront.DistributionOrderedCacheBehaviorFunctionAssociationArgs(
                                event_type="viewer-request", function_arn=media_keys.arn
                            )
                        ],
                    )
                    for pattern, origin, cache_policy in (
                        ("/media/videos/*", VIDEOS, CACHING_OPTIMIZED),
                        ("/media/posters/*", POSTERS, CACHING_OPTIMIZED),
                        # Objects too large for the cache need a behaviour without caching.
                        ("/media/large/videos/*", VIDEOS, CACHING_DISABLED),
                        *(
                            [
                                ("/media/renditions/*", VIDEOS, CACHING_OPTIMIZED),
                                ("/media/large/renditions/*", VIDEOS, CACHING_DISABLED),
                            ]
                            if args.renditions
                            else []
                        ),
                    )
                ),
                aws.cloudfront.DistributionOrderedCacheBehaviorArgs(
                    path_pattern="/config.json",
                    target_origin_id=SITE,
                    viewer_protocol_policy="redirect-to-https",
                    allowed_methods=READ_METHODS,
                    cached_methods=READ_METHODS,
                    cache_policy_id=CACHING_DISABLED,
                    response_headers_policy_id=page_headers.id,
                    compress=True,
                ),
            ],
            restrictions=aws.cloudfront.DistributionRestrictionsArgs(
                geo_restriction=aws.cloudfront.DistributionRestrictionsGeoRestrictionArgs(restriction_type="none")
            ),
            viewer_certificate=self._certificate(),
            opts=pulumi.ResourceOptions(parent=self, depends_on=list(args.dependencies)),
        )
        if args.measured:
            self._measure(distribution)
        self._access_logs(distribution)
        if args.settings.hosted_zone_id:
            self._records(distribution)

        host = args.settings.site_domain or distribution.domain_name
        self.site_url = pulumi.Output.concat("https://", host)
        self.api_url = pulumi.Output.concat("https://", host, "/api")
        self.distribution_id = distribution.id
        self.media_key_pair_id = public_key.id
        self.register_outputs({"siteUrl": self.site_url, "apiUrl": self.api_url})

    def _origins(self) -> list[aws.cloudfront.DistributionOriginArgs]:
        args = self._args
        access = aws.cloudfront.OriginAccessControl(
            f"{self._name}-buckets",
            name=args.context.account_wide_name("buckets"),
            origin_access_control_origin_type="s3",
            signing_behavior="always",
            signing_protocol="sigv4",
            opts=self._child,
        )
        buckets = {
            SITE: args.bucket_domains["site"],
            VIDEOS: args.bucket_domains["videos"],
            POSTERS: args.bucket_domains["metadata"],
        }
        return [
            *(
                aws.cloudfront.DistributionOriginArgs(
                    origin_id=origin, domain_name=domain, origin_access_control_id=access.id
                )
                for origin, domain in buckets.items()
            ),
            aws.cloudfront.DistributionOriginArgs(
                origin_id=API,
                domain_name=args.api_host,
                custom_headers=[
                    aws.cloudfront.DistributionOriginCustomHeaderArgs(name="Referer", value=args.origin_secret)
                ],
                custom_origin_config=aws.cloudfront.DistributionOriginCustomOriginConfigArgs(
                    http_port=80,
                    https_port=443,
                    origin_protocol_policy="https-only",
                    origin_ssl_protocols=["TLSv1.2"],
                ),
            ),
        ]

    def _certificate(self) -> aws.cloudfront.DistributionViewerCertificateArgs:
        # A minimum of TLS 1.2 needs an own domain: CloudFront's certificate does not support it.
        if not self._args.settings.site_domain:
            return aws.cloudfront.DistributionViewerCertificateArgs(cloudfront_default_certificate=True)
        return aws.cloudfront.DistributionViewerCertificateArgs(
            acm_certificate_arn=self._args.settings.site_certificate_arn,
            minimum_protocol_version="TLSv1.2_2021",
            ssl_support_method="sni-only",
        )

    def _function(self, purpose: str) -> aws.cloudfront.Function:
        return aws.cloudfront.Function(
            f"{self._name}-{purpose}",
            name=self._args.context.account_wide_name(purpose),
            runtime="cloudfront-js-2.0",
            publish=True,
            code=(EDGE_FUNCTIONS / f"{purpose}.js").read_text(),
            opts=self._child,
        )

    def _page_headers(self) -> aws.cloudfront.ResponseHeadersPolicy:
        """Headers of the page: own scripts only, no framing, connections only to API, buckets and sign-in."""
        headers = aws.cloudfront
        return headers.ResponseHeadersPolicy(
            f"{self._name}-page",
            name=self._args.context.account_wide_name("page"),
            security_headers_config=headers.ResponseHeadersPolicySecurityHeadersConfigArgs(
                content_security_policy=headers.ResponseHeadersPolicySecurityHeadersConfigContentSecurityPolicyArgs(
                    content_security_policy=self._content_security_policy(), override=True
                ),
                content_type_options=headers.ResponseHeadersPolicySecurityHeadersConfigContentTypeOptionsArgs(
                    override=True
                ),
                frame_options=headers.ResponseHeadersPolicySecurityHeadersConfigFrameOptionsArgs(
                    frame_option="DENY", override=True
                ),
                referrer_policy=headers.ResponseHeadersPolicySecurityHeadersConfigReferrerPolicyArgs(
                    referrer_policy="no-referrer", override=True
                ),
                strict_transport_security=_strict_transport(),
            ),
            opts=self._child,
        )

    def _bare_headers(self) -> aws.cloudfront.ResponseHeadersPolicy:
        """Headers of everything but pages: HTTPS only, no content sniffing."""
        headers = aws.cloudfront
        return headers.ResponseHeadersPolicy(
            f"{self._name}-data",
            name=self._args.context.account_wide_name("data"),
            security_headers_config=headers.ResponseHeadersPolicySecurityHeadersConfigArgs(
                content_type_options=headers.ResponseHeadersPolicySecurityHeadersConfigContentTypeOptionsArgs(
                    override=True
                ),
                strict_transport_security=_strict_transport(),
            ),
            opts=self._child,
        )

    def _content_security_policy(self) -> pulumi.Output[str]:
        def written(uploads: list[str], sign_in: list[str]) -> str:
            media = " ".join(f"https://{host}" for host in uploads)
            elsewhere = " ".join(f"https://{host}" for host in [*uploads, *sign_in])
            return "; ".join(
                [
                    "default-src 'none'",
                    # For the checksum in WebAssembly. It does not allow eval of JavaScript.
                    "script-src 'self' 'wasm-unsafe-eval'",
                    "style-src 'self'",
                    "manifest-src 'self'",
                    "worker-src 'self'",
                    f"img-src 'self' blob: data: {media}",
                    f"media-src 'self' blob: {media}",
                    f"connect-src 'self' {elsewhere}",
                    "base-uri 'none'",
                    f"form-action 'self' https://{sign_in[0]}",
                    "frame-ancestors 'none'",
                ]
            )

        args = self._args
        return pulumi.Output.all(pulumi.Output.all(*args.upload_hosts), pulumi.Output.all(*args.sign_in_hosts)).apply(
            lambda hosts: written(hosts[0], hosts[1])
        )

    def _measure(self, distribution: aws.cloudfront.Distribution) -> None:
        aws.cloudfront.MonitoringSubscription(
            f"{self._name}-metrics",
            distribution_id=distribution.id,
            monitoring_subscription=aws.cloudfront.MonitoringSubscriptionMonitoringSubscriptionArgs(
                realtime_metrics_subscription_config=aws.cloudfront.MonitoringSubscriptionMonitoringSubscriptionRealtimeMetricsSubscriptionConfigArgs(
                    realtime_metrics_subscription_status="Enabled"
                )
            ),
            opts=self._child,
        )

    def _access_logs(self, distribution: aws.cloudfront.Distribution) -> None:
        """Deliver access logs by CloudWatch: the legacy method needs a bucket with ACLs."""
        source = aws.cloudwatch.LogDeliverySource(
            f"{self._name}-access",
            region=SITE_REGION,
            name=self._args.context.account_wide_name("edge"),
            log_type="ACCESS_LOGS",
            resource_arn=distribution.arn,
            opts=self._child,
        )
        destination = aws.cloudwatch.LogDeliveryDestination(
            f"{self._name}-access",
            region=SITE_REGION,
            name=self._args.context.account_wide_name("edge"),
            output_format="json",
            delivery_destination_configuration=aws.cloudwatch.LogDeliveryDestinationDeliveryDestinationConfigurationArgs(
                destination_resource_arn=pulumi.Output.concat(self._args.log_bucket_arn, "/edge")
            ),
            opts=self._child,
        )
        aws.cloudwatch.LogDelivery(
            f"{self._name}-access",
            region=SITE_REGION,
            delivery_source_name=source.name,
            delivery_destination_arn=destination.arn,
            opts=self._child,
        )

    def _records(self, distribution: aws.cloudfront.Distribution) -> None:
        for kind in ("A", "AAAA"):
            aws.route53.Record(
                f"{self._name}-{kind.lower()}",
                zone_id=self._args.settings.hosted_zone_id,
                name=self._args.settings.site_domain,
                type=kind,
                aliases=[
                    aws.route53.RecordAliasArgs(
                        name=distribution.domain_name, zone_id=CLOUDFRONT_ZONE, evaluate_target_health=False
                    )
                ],
                opts=self._child,
            )


def _strict_transport() -> aws.cloudfront.ResponseHeadersPolicySecurityHeadersConfigStrictTransportSecurityArgs:
    return aws.cloudfront.ResponseHeadersPolicySecurityHeadersConfigStrictTransportSecurityArgs(
        access_control_max_age_sec=HSTS_SECONDS, include_subdomains=True, preload=True, override=True
    )
