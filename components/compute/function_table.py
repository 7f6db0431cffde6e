"""Table of the functions: trigger, size, bundle, network and grants."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from components.compute import permissions as may
from components.compute import rendition_permissions as on_renditions
from components.compute.lambda_package import Bundle
from components.naming import LIVE, StageNames
from components.policy import PolicyDocument
from components.settings import ComputeSettings

GATEWAY_SECONDS = 29  # API Gateway quotas, "Maximum integration timeout"
AUTHORIZER_SECONDS = 10  # same page: authorizers get 30 s; three attempts at KMS fit into ten
JANITOR_SECONDS = 300
DELIVERY_SECONDS = 180  # five attempts of 15 s, and their DNS look-ups, which have no timeout of their own


class Trigger(StrEnum):
    """Trigger of a function. chalice_app/app.py declares the route, event or schedule itself."""

    ROUTES = "routes of the API"
    AUTHORIZER = "authorizer of the API"
    BUCKET = "new object in the video bucket"
    SCHEDULE = "schedule"
    SCANNER = "result of a malware scan"
    OUTBOX = "new message in the outbox"
    QUEUES = "queues of notifications"


Size = Callable[[ComputeSettings], int]


def fixed(size: int) -> Size:
    """A fixed size, in contrast to one that a setting changes."""
    return lambda _: size


@dataclass(frozen=True, kw_only=True)
class FunctionSpec:
    """One function.

    memory_mib: also sets the CPU share: 1,769 MiB correspond to one vCPU.
    in_network: whether it runs in the private subnets of a stage that has them.
    tags_videos, inspects_videos: whether the video bucket's policy lets it write verdicts, and read videos without one.
    grants: rights of its role, besides logs and traces.
    """

    trigger: Trigger
    memory_mib: Size
    timeout_seconds: Size
    bundle: Bundle = Bundle.API
    in_network: bool = True
    tags_videos: bool = False
    inspects_videos: bool = False
    grants: tuple[may.Grant, ...]

    @property
    def is_called_by_gateway(self) -> bool:
        """True for a function whose response a person waits for. It may be kept warm."""
        return self.trigger in {Trigger.ROUTES, Trigger.AUTHORIZER}

    @property
    def uses_metadata(self) -> bool:
        """False for the function that only delivers notifications."""
        return self.trigger is not Trigger.QUEUES

    @property
    def is_invoked_asynchronously(self) -> bool:
        """True for a function whose failed events Lambda retries and then sends to the dead-letter queue."""
        return self.trigger in {Trigger.BUCKET, Trigger.SCHEDULE, Trigger.SCANNER, Trigger.OUTBOX}


_API_MEMORY: Size = lambda settings: settings.api_memory_mib  # noqa: E731 - a row of the table names it
_RECORDS = (may.use_data_key, may.list_records, may.change_records, may.tell_index)

FUNCTIONS: Mapping[str, FunctionSpec] = {
    "video_upload": FunctionSpec(
        trigger=Trigger.ROUTES,
        memory_mib=_API_MEMORY,
        timeout_seconds=fixed(GATEWAY_SECONDS),
        grants=(
            *_RECORDS,
            may.retire_records,
            may.mark,
            may.create_videos,
            may.count_videos,
            may.read_stage_count,
            may.read_index,
            may.sign_media_urls,
            may.abort_uploads,
            may.delete_videos,
            may.announce,
        ),
    ),
    "multipart_init": FunctionSpec(
        trigger=Trigger.ROUTES,
        memory_mib=_API_MEMORY,
        timeout_seconds=fixed(GATEWAY_SECONDS),
        grants=(
            *_RECORDS,
            may.mark,
            may.write_idempotency_keys,
            may.keep_links,
            may.create_videos,
            may.list_parts,
            may.count_videos_for_limits,
            may.read_stage_count_for_limits,
            may.sign_tokens,
        ),
    ),
    "multipart_complete": FunctionSpec(
        trigger=Trigger.ROUTES,
        memory_mib=_API_MEMORY,
        timeout_seconds=fixed(GATEWAY_SECONDS),
        inspects_videos=True,
        grants=(
            *_RECORDS,
            may.retire_records,
            may.mark,
            may.create_videos,
            may.read_links,
            may.find_videos,
            may.list_videos,
            may.abort_uploads,
        ),
    ),
    "upload_token_authorizer": FunctionSpec(
        trigger=Trigger.AUTHORIZER,
        memory_mib=fixed(256),
        timeout_seconds=fixed(AUTHORIZER_SECONDS),
        grants=(may.verify_tokens,),
    ),
    "video_processing": FunctionSpec(
        trigger=Trigger.BUCKET,
        bundle=Bundle.PROCESSING,
        memory_mib=lambda settings: settings.processing_memory_mib,
        timeout_seconds=lambda settings: settings.processing_timeout_seconds,
        tags_videos=True,
        inspects_videos=True,
        grants=(
            *_RECORDS,
            may.mark,
            may.read_videos,
            may.list_videos,
            may.tag_verdicts,
            may.keep_posters,
            on_renditions.hide_renditions,
            on_renditions.make_renditions,
            may.announce,
            may.send_failures_to_dead_letter_queue,
        ),
    ),
    "janitor": FunctionSpec(
        trigger=Trigger.SCHEDULE,
        memory_mib=fixed(512),
        timeout_seconds=fixed(JANITOR_SECONDS),
        in_network=False,  # it calls Lambda, MediaConvert and other services without a VPC endpoint
        inspects_videos=True,
        grants=(
            *_RECORDS,
            may.retire_records,
            may.mark,
            may.create_videos,
            may.read_videos,
            may.list_videos,
            may.list_open_uploads,
            may.abort_uploads,
            may.delete_videos,
            may.remove_uninspected,
            may.repeat_processing,
            may.announce,
            may.send_failures_to_dead_letter_queue,
            may.where_outbox_is_used(may.empty_outbox),
            may.write_stage_count,
            may.fold_index,
            may.ask_for_figures,
            may.request_scans,
            on_renditions.convert_videos,
        ),
    ),
    "scan_verdict": FunctionSpec(
        trigger=Trigger.SCANNER,
        memory_mib=fixed(256),
        timeout_seconds=fixed(30),
        in_network=False,  # it calls Lambda, which has no VPC endpoint here
        grants=(
            # The record of a deleted video becomes a tombstone.
            *map(may.where_scanned, (*_RECORDS, may.retire_records, may.repeat_processing)),
            may.send_failures_to_dead_letter_queue,
        ),
    ),
    "message_sender": FunctionSpec(
        trigger=Trigger.OUTBOX,
        memory_mib=fixed(256),
        timeout_seconds=fixed(30),
        in_network=False,  # it calls SNS, which has no VPC endpoint on a stage that uses the outbox
        grants=(
            *map(may.where_outbox_is_used, (may.use_data_key, may.list_records, may.empty_outbox)),
            may.send_failures_to_dead_letter_queue,
        ),
    ),
    "notification_delivery": FunctionSpec(
        trigger=Trigger.QUEUES,
        memory_mib=fixed(512),
        timeout_seconds=fixed(DELIVERY_SECONDS),
        in_network=False,  # receivers are on the internet, which the network cannot reach
        grants=(may.take_notifications, may.read_webhook_secrets, may.put_events),
    ),
}


ROUTE_FUNCTIONS = tuple(name for name, spec in FUNCTIONS.items() if spec.trigger is Trigger.ROUTES)
CALLED_BY_GATEWAY = tuple(name for name, spec in FUNCTIONS.items() if spec.is_called_by_gateway)


def role_policy(function: str, resources: may.Resources, *, in_network: bool) -> PolicyDocument:
    """The whole policy of a function's role, on a stage with or without a network. Raises KeyError for an unknown
    function."""
    spec = FUNCTIONS[function]
    return may.policy_of(function, spec.grants, resources, in_network=in_network and spec.in_network)


def triggered_by(trigger: Trigger) -> str:
    """The only function with this trigger."""
    (found,) = (function for function, spec in FUNCTIONS.items() if spec.trigger is trigger)
    return found


def role_arns(context: StageNames, which: Callable[[FunctionSpec], bool]) -> list[str]:
    """Roles of the functions that match `which`."""
    return [context.role_arn(function) for function, spec in FUNCTIONS.items() if which(spec)]


def scalable_targets(context: StageNames, settings: ComputeSettings) -> list[str]:
    """Application Auto Scaling's ids of the functions that are kept warm; empty if none is."""
    if not settings.provisioned_concurrency:
        return []
    return [scalable_id(context, function) for function in CALLED_BY_GATEWAY]


def scalable_id(context: StageNames, function: str) -> str:
    """Application Auto Scaling's id of a function's alias."""
    return f"function:{context.name(function)}:{LIVE}"
