"""The site: what the page's bucket holds, and who may send parts from a browser."""

from __future__ import annotations

import mimetypes
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pulumi
import pulumi_aws as aws

from components.naming import type_token

CORS_CACHE_SECONDS = 3_000
UNHASHED = {"index.html", "service-worker.js", "sw.js", "manifest.webmanifest"}
"""Their names never change, so browsers must ask each time; every other file's name changes with its content."""
CACHED_FOR_EVER = "public, max-age=31536000, immutable"
ASKED_EACH_TIME = "no-cache"


class PageNotBuiltError(FileNotFoundError):
    """`folder` has no index.html."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        super().__init__(f"{folder} holds no index.html: build the web client first (make page)")


@dataclass(frozen=True, kw_only=True)
class SiteArgs:
    """What the site needs.

    page: folder of the built web client.
    config: what config.json tells clients; outputs are fine.
    origins: `https://…` of the pages that may send parts to the video bucket.
    """

    bucket_name: pulumi.Input[str]
    video_bucket_name: pulumi.Input[str]
    page: Path
    config: dict[str, object]
    origins: Sequence[pulumi.Input[str]]
    guards: Sequence[pulumi.Resource]


class Site(pulumi.ComponentResource):
    """The page's files, config.json, and the video bucket's CORS rules."""

    def __init__(self, name: str, args: SiteArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(type_token("Site"), name, None, opts)
        guarded = pulumi.ResourceOptions(parent=self, depends_on=list(args.guards))
        if not (args.page / "index.html").is_file():
            raise PageNotBuiltError(args.page)
        for path in sorted(path for path in args.page.rglob("*") if path.is_file()):
            key = path.relative_to(args.page).as_posix()
            aws.s3.BucketObjectv2(
                f"{name}-{key}",
                bucket=args.bucket_name,
                key=key,
                source=pulumi.FileAsset(str(path)),
                content_type=mimetypes.guess_type(path.name)[0] or "application/octet-stream",
                cache_control=ASKED_EACH_TIME if path.name in UNHASHED else CACHED_FOR_EVER,
                opts=guarded,
            )
        aws.s3.BucketObjectv2(
            f"{name}-config.json",
            bucket=args.bucket_name,
            key="config.json",
            content=pulumi.Output.json_dumps(args.config),
            content_type="application/json",
            cache_control="no-store",
            opts=guarded,
        )
        aws.s3.BucketCorsConfiguration(
            f"{name}-videos",
            bucket=args.video_bucket_name,
            cors_rules=[
                aws.s3.BucketCorsConfigurationCorsRuleArgs(
                    id="parts",
                    allowed_origins=list(args.origins),
                    allowed_methods=["PUT", "POST", "GET", "HEAD"],
                    allowed_headers=["*"],  # a signed URL fixes which headers count; S3 refuses unsigned x-amz-*
                    # Without ETag a browser cannot complete what it sent.
                    expose_headers=["ETag", "x-amz-checksum-crc64nvme", "x-amz-version-id", "x-amz-request-id"],
                    max_age_seconds=CORS_CACHE_SECONDS,
                )
            ],
            opts=pulumi.ResourceOptions(parent=self),
        )
        self.register_outputs({})


def origin_of(url: str) -> str:
    """`https://host:port` of an address."""
    scheme, _, rest = url.partition("://")
    return f"{scheme}://{rest.partition('/')[0]}"


def config_json(
    *,
    stage: str,
    issuer: pulumi.Input[str],
    sign_in_host: pulumi.Input[str],
    web_client_id: pulumi.Input[str],
    desktop_client_id: pulumi.Input[str],
    api_scopes: Sequence[pulumi.Input[str]],
) -> dict[str, object]:
    """config.json as docs/api.md describes it."""
    return {
        "stage": stage,
        "apiUrl": "/api",
        "authority": issuer,
        "webClientId": web_client_id,
        "desktopClientId": desktop_client_id,
        "scopes": ["openid", "email", *api_scopes],
        "logoutUrl": pulumi.Output.concat("https://", sign_in_host, "/logout"),
    }
