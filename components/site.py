"""The site: what its pages are told in config.json, and which pages may send parts from a browser. Its files are
content, not infrastructure: `deploy/publish_site.py` puts them into the bucket."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from components.internet_names import origin_of
from components.naming import type_token

CORS_CACHE_SECONDS = 3_000


@dataclass(frozen=True, kw_only=True)
class SiteArgs:
    """What the site needs.

    issuer, sign_in_host, web_client_id, desktop_client_id, api_scopes: how its clients sign in.
    origins: `https://…` of the pages that may send parts to the video bucket.
    """

    stage: str
    video_bucket_name: pulumi.Input[str]
    issuer: pulumi.Input[str]
    sign_in_host: pulumi.Input[str]
    web_client_id: pulumi.Input[str]
    desktop_client_id: pulumi.Input[str]
    api_scopes: Sequence[pulumi.Input[str]]
    origins: Sequence[pulumi.Input[str]]


class Site(pulumi.ComponentResource):
    """config.json and the video bucket's CORS rules."""

    config: pulumi.Output[dict[str, object]]
    """config.json as docs/api.md describes it."""

    def __init__(self, name: str, args: SiteArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(type_token("Site"), name, None, opts)
        aws.s3.BucketCorsConfiguration(
            f"{name}-videos",
            bucket=args.video_bucket_name,
            cors_rules=[
                aws.s3.BucketCorsConfigurationCorsRuleArgs(
                    id="parts",
                    allowed_origins=list(args.origins),
                    allowed_methods=["PUT", "POST", "GET", "HEAD"],
                    allowed_headers=["*"],  # the signature fixes which headers count
                    # Without ETag a browser cannot complete what it sent.
                    expose_headers=["ETag", "x-amz-checksum-crc64nvme", "x-amz-version-id", "x-amz-request-id"],
                    max_age_seconds=CORS_CACHE_SECONDS,
                )
            ],
            opts=pulumi.ResourceOptions(parent=self),
        )
        known: dict[str, object] = {
            "stage": args.stage,
            "apiUrl": "/api",
            "authority": args.issuer,
            "webClientId": args.web_client_id,
            "desktopClientId": args.desktop_client_id,
            "scopes": ["openid", "email", *args.api_scopes],
            "logoutUrl": pulumi.Output.concat("https://", args.sign_in_host, "/logout"),
            "tellProgress": True,
        }
        self.config = pulumi.Output.from_input(known)
        self.register_outputs({"config": self.config})


def allowed_origin(site_domain: str, extra_redirect_urls: Sequence[str]) -> str:
    """The origin that the API's answers name: the page's, where that is known and the only one; otherwise any.

    One answer has room for one origin, and the gateway's own answers cannot choose. CloudFront's own domain is known
    only after the API that would name it. An origin lets nobody in: the API takes bearer tokens, which a foreign page
    does not have.
    """
    pages = {f"https://{site_domain}", *map(origin_of, extra_redirect_urls)}
    return pages.pop() if site_domain and len(pages) == 1 else "*"
