"""Permissions to make renditions, to request their conversion, and to hide them."""

from __future__ import annotations

from components.compute.permissions import Resources
from components.naming import CONVERTER_ROLE, STAGE_TAG
from components.policy import Statement, allow


def hide_renditions(resources: Resources) -> Statement:
    """Hide renditions of videos in which malware was found.

    HEAD needs GetObject, and the verdict invalidates URLs that name a version.
    """
    return allow(
        "HideRenditions",
        actions=["s3:GetObject", "s3:DeleteObject", "s3:PutObjectTagging", "s3:PutObjectVersionTagging"],
        resources=resources.renditions,
    )


def make_renditions(resources: Resources) -> list[Statement]:
    if not resources.settings.playback.renditions:
        return []
    return [
        allow(
            "MakeRenditions",
            actions=[
                *("s3:PutObject", "s3:AbortMultipartUpload"),
                *("s3:GetObjectVersion", "s3:DeleteObjectVersion"),
            ],
            resources=resources.renditions,
        )
    ]


def convert_videos(resources: Resources) -> list[Statement]:
    """Service Authorization Reference, AWS Elemental MediaConvert: jobs are created and searched in a queue, and have
    tags; their names are random."""
    if not resources.settings.playback.renditions:
        return []
    context = resources.context
    jobs = context.arn("mediaconvert", "jobs/*")
    return [
        allow(
            "BeginConversions",
            actions=["mediaconvert:CreateJob", "mediaconvert:SearchJobs"],
            resources=context.conversion_queue_arn,
        ),
        allow(
            "TagConversions",
            actions="mediaconvert:TagResource",
            resources=jobs,
            conditions={"StringEquals": {f"aws:RequestTag/{STAGE_TAG}": context.stage}},
        ),
        allow(
            "FollowConversions",
            actions=["mediaconvert:GetJob", "mediaconvert:CancelJob"],
            resources=jobs,
            conditions={"StringEquals": {f"aws:ResourceTag/{STAGE_TAG}": context.stage}},
        ),
        allow(
            "PassConverterRole",
            actions="iam:PassRole",
            resources=context.role_arn(CONVERTER_ROLE),
            conditions={"StringEquals": {"iam:PassedToService": "mediaconvert.amazonaws.com"}},
        ),
    ]
