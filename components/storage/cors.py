"""CORS of the video bucket: the pages that may send parts from a browser. It is created after the edge, which names the
site."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from components.naming import formerly, type_token

CORS_CACHE_SECONDS = 3_000


@dataclass(frozen=True, kw_only=True)
class UploadCorsArgs:
    """origins: of the pages that may send parts, as `https://…`."""

    video_bucket_name: pulumi.Input[str]
    origins: Sequence[pulumi.Input[str]]


class UploadCors(pulumi.ComponentResource):
    """The video bucket's CORS rules."""

    def __init__(self, name: str, args: UploadCorsArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        opts = pulumi.ResourceOptions.merge(opts, formerly("Site", "site"))
        super().__init__(type_token("UploadCors"), name, None, opts)
        aws.s3.BucketCorsConfiguration(
            f"{name}-videos",
            bucket=args.video_bucket_name,
            cors_rules=[
                aws.s3.BucketCorsConfigurationCorsRuleArgs(
                    id="parts",
                    allowed_origins=list(args.origins),
                    allowed_methods=["PUT", "POST", "GET", "HEAD"],
                    allowed_headers=["*"],  # the signature fixes which headers count
                    # Without the ETag a browser cannot complete its upload.
                    expose_headers=["ETag", "x-amz-checksum-crc64nvme", "x-amz-version-id", "x-amz-request-id"],
                    max_age_seconds=CORS_CACHE_SECONDS,
                )
            ],
            opts=pulumi.ResourceOptions(parent=self),
        )
        self.register_outputs({})
