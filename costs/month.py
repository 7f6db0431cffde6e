"""What happens in one month: from a workload and a stage to calls, bytes and events."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from chalicelib.core.part_plan import plan_parts
from chalicelib.core.upload_requests import MAX_URLS_PER_PAGE
from components.compute.function_table import ROUTE_FUNCTIONS
from costs import calls
from costs.calls import Calls
from costs.inventory import Inventory
from costs.stored import HALF_SENT, POSTER_BYTES, Stored, stored
from costs.units import DAYS_A_MONTH, HOURS_A_MONTH, MB, SECONDS_A_MONTH
from costs.workload import Workload

PAGE_BYTES, PAGE_REQUESTS = 700_000, 12
"""The web client's files, of which a browser keeps most from visit to visit."""
PAGE_SHARE_LOADED = 0.25
SIGNED_URL_BYTES = 1_620
API_ANSWER_BYTES = 2_000
API_BODY_BYTES = 300
ETAG_BYTES = 90
"""Of one part in the body of complete."""
PLAYER_READ_BYTES = 10 * MB
"""How much a player asks for at a time."""
BUCKET_KEY_SHARE = 0.01  # S3 User Guide, "Reducing the cost of SSE-KMS with Amazon S3 Bucket Keys": up to 99 % less
ENDPOINT_BYTES_A_CALL = 4_000
FLOW_RECORDS_A_CALL = 4
CLIENT_EVENTS_AN_UPLOAD = 5
CLIENT_CALLS_AN_UPLOAD = 2
"""One when S3 has the video, one with its verdict."""
CLIENT_CALL_SECONDS = 30
"""Between two calls of POST /progress while an upload goes on, and between two events of how far it is."""
WAF_LOGGED_SHARE = 0.01
"""Of requests: what is blocked, or counted."""
DELIVERY_MINUTES = 5
"""CloudTrail User Guide: a trail delivers a file about every 5 minutes."""
COMPRESSED = 0.15  # CloudWatch pricing page: what its own example assumes of stored logs
TRAIL_COMPRESSED = 0.1


@dataclass(frozen=True, kw_only=True)
class Month:
    """function_calls: by function. aws: what all of it asks of S3, KMS and SNS. edge_bytes: sent to viewers.

    key_requests: to symmetric and HMAC keys. trail_events: of data; management_events: free in the first copy.
    log_bytes: into CloudWatch Logs of the region; bucket_log_bytes: into the log bucket, as stored.
    """

    workload: Workload
    inventory: Inventory
    stored: Stored
    completed: float
    parts: int
    parts_sent: float
    function_calls: Mapping[str, float]
    aws: Calls
    key_requests: float
    edge_requests: float
    edge_function_calls: float
    edge_bytes: float
    origin_bytes: float
    body_bytes: float
    log_bytes: float
    waf_log_bytes: float
    bucket_log_bytes: float
    trail_events: float
    management_events: float
    trail_files: float

    @property
    def api_calls(self) -> float:
        return _api_calls(self.function_calls)

    @property
    def busy_share(self) -> float:
        """Of the month's hours, those in which something is uploaded: metrics are billed by the hour."""
        return min(1.0, self.workload.uploads / HOURS_A_MONTH)


def month_of(workload: Workload, inventory: Inventory) -> Month:
    """All quantities of the month."""
    started = workload.uploads
    abandoned = started * workload.abandoned_percent / 100
    completed = started - abandoned
    plan = plan_parts(max(round(workload.mean_video_bytes), 1))
    signing_calls = started * (math.ceil(plan.part_count / MAX_URLS_PER_PAGE) - 1)
    parts_sent = (completed + abandoned * HALF_SENT) * plan.part_count
    visits = workload.active_users_per_month * workload.visits_per_user
    pages = visits * workload.library_pages_per_visit
    sweeps = inventory.janitor_runs
    open_at_a_sweep = abandoned / DAYS_A_MONTH * inventory.settings.uploads.upload_days
    sending_calls = _sending_seconds(workload) / CLIENT_CALL_SECONDS
    function_calls = {
        "video_upload": completed * calls.POLLS_UNTIL_READY
        + pages
        + started * (CLIENT_CALLS_AN_UPLOAD + sending_calls),
        "multipart_init": started + signing_calls + visits,
        "multipart_complete": completed,
        "upload_token_authorizer": completed + signing_calls,
        "video_processing": completed,
        "janitor": sweeps,
    }
    views = completed * (1 - workload.rejected_percent / 100) * workload.downloads_per_video
    media_requests = views * math.ceil(workload.mean_video_bytes / PLAYER_READ_BYTES) + pages * calls.VIDEOS_A_PAGE
    page_requests = visits * PAGE_REQUESTS * PAGE_SHARE_LOADED
    misses = 1 - workload.cache_hit_percent / 100
    aws = (
        calls.STARTING.times(started)
        + calls.SIGNING.times(signing_calls)
        # A part, and what a browser asks before it sends one to another origin.
        + Calls(s3_writes=1, s3_reads=1).times(parts_sent)
        + calls.AUTHORIZING.times(function_calls["upload_token_authorizer"])
        + calls.COMPLETING.times(completed)
        + calls.PROCESSING.times(completed)
        + calls.ASKING.times(completed * calls.POLLS_UNTIL_READY)
        + calls.BROWSING.times(pages)
        + calls.RESUMING.times(visits)
        + calls.SWEEPING.times(sweeps)
        + calls.SWEEPING_ONE.times(sweeps * open_at_a_sweep)
        + calls.EXPIRING.times(abandoned)
        + Calls(s3_reads=media_requests * misses)
    )
    media_bytes = views * workload.mean_video_bytes + pages * calls.VIDEOS_A_PAGE * POSTER_BYTES
    api_calls = _api_calls(function_calls)
    urls_sent = started * plan.part_count
    trail_events = aws.s3_writes + aws.s3_reads + aws.s3_deletes + sum(function_calls.values())
    trail_events *= bool(inventory.trails)
    trail_files = SECONDS_A_MONTH / 60 / DELIVERY_MINUTES * bool(inventory.trails)
    # Tokens, S3's bucket keys, encrypted messages, files of the trail.
    key_requests = aws.kms_requests + (aws.s3_writes + aws.s3_reads) * BUCKET_KEY_SHARE + aws.publishes + trail_files
    # KMS Developer Guide, "Logging AWS KMS API calls": every use of a key is a management event.
    management_events = (key_requests + aws.kms_signatures) * inventory.management_trails
    recorded = trail_events + management_events
    edge_requests = api_calls + media_requests + page_requests
    return Month(
        workload=workload,
        inventory=inventory,
        stored=stored(workload, inventory),
        completed=completed,
        parts=plan.part_count,
        parts_sent=parts_sent,
        function_calls=function_calls,
        aws=aws,
        key_requests=key_requests,
        edge_requests=edge_requests,
        edge_function_calls=media_requests + page_requests,
        edge_bytes=media_bytes
        + visits * PAGE_BYTES * PAGE_SHARE_LOADED
        + api_calls * API_ANSWER_BYTES
        + urls_sent * SIGNED_URL_BYTES,
        origin_bytes=media_bytes * misses,
        body_bytes=api_calls * API_BODY_BYTES + completed * plan.part_count * ETAG_BYTES,
        log_bytes=_log_bytes(workload, inventory, function_calls, api_calls, recorded),
        waf_log_bytes=edge_requests * WAF_LOGGED_SHARE * workload.log_bytes["waf_record"] * bool(inventory.web_acls),
        bucket_log_bytes=(aws.s3_writes + aws.s3_reads + aws.s3_deletes) * workload.log_bytes["bucket_access"]
        + edge_requests * workload.log_bytes["edge_access"]
        + recorded * workload.log_bytes["trail_event"] * TRAIL_COMPRESSED,
        trail_events=trail_events,
        management_events=management_events,
        trail_files=trail_files,
    )


def _api_calls(function_calls: Mapping[str, float]) -> float:
    return sum(function_calls[name] for name in ROUTE_FUNCTIONS)


def _sending_seconds(workload: Workload) -> float:
    """How long the client of a mean upload sends."""
    return workload.mean_video_mb * 8 / workload.always_on["client_megabits_per_second"]


def _log_bytes(
    workload: Workload,
    inventory: Inventory,
    function_calls: Mapping[str, float],
    api_calls: float,
    recorded: float,
) -> float:
    """Access log, functions, clients, network flows, the trail's copy: what CloudWatch Logs takes in."""
    size = workload.log_bytes
    client_events = workload.uploads * (CLIENT_EVENTS_AN_UPLOAD + _sending_seconds(workload) / CLIENT_CALL_SECONDS)
    in_network = sum(function_calls.values()) - function_calls["janitor"]
    return (
        api_calls * size["api_access"]
        + sum(function_calls.values()) * size["function_call"]
        + client_events * size["client_event"]
        + in_network * FLOW_RECORDS_A_CALL * size["flow_record"] * bool(inventory.flow_logs)
        + recorded * size["trail_event"]
    )
