"""Roles that bucket policies and the trail name: of functions, of AWS services that work on videos, and of
operators."""

from __future__ import annotations

from components.auth.operator_role import ROLE as OPERATOR
from components.compute.function_table import role_arns
from components.naming import CONVERTER_ROLE, StageContext
from components.scanning.malware_protection import SCANNER_ROLE
from components.settings import Settings
from components.storage.bucket_policies import BucketRoles


def service_roles(settings: Settings) -> list[str]:
    """Names of the roles that AWS services assume to work on the stage's videos."""
    return [
        *([SCANNER_ROLE] if settings.malware.malware_scan else []),
        *([CONVERTER_ROLE] if settings.playback.renditions else []),
    ]


def bucket_roles(context: StageContext, settings: Settings) -> BucketRoles:
    """Roles of the stage, by name, because they are created after the buckets."""
    scanner_arns = [context.role_arn(SCANNER_ROLE)] if settings.malware.malware_scan else []
    return BucketRoles(
        tagging_arns=role_arns(context, lambda each: each.tags_videos),
        inspecting_arns=[*role_arns(context, lambda each: each.inspects_videos), *scanner_arns],
        outside_network_arns=[
            *role_arns(context, lambda each: each.uses_metadata and not each.in_network),
            context.role_arn(OPERATOR),
        ],
    )
