"""One month of a workload on a stage: calls, bytes, events, and the bytes in S3."""

import functools
import math
import tomllib
from collections.abc import Mapping
from pathlib import Path

from chalicelib.core.part_plan import plan_parts
from chalicelib.core.upload_requests import MAX_URLS_PER_PAGE
from components.compute.function_table import FUNCTIONS, ROUTE_FUNCTIONS
from components.compute.functions import WARM_USE
from costs.inventory import Inventory
from costs.units import DAYS_A_MONTH, HOURS_A_MONTH, MB, SECONDS_A_MONTH
from costs.workload import Workload

DAYS_TO_INFREQUENT = 30  # S3 User Guide, "How S3 Intelligent-Tiering works": consecutive days without access
DAYS_TO_ARCHIVE_INSTANT = 90  # same page
FOLDINGS_A_VIDEO = 2  # from its beginning to its verdict; videos that change in the same minutes share packs
POLLS_UNTIL_READY = 3  # requests of a client for a video that it has just completed
VIDEOS_A_PAGE = 24  # `limit` that a client leaves out
HALF_SENT = 0.5  # sent share of an abandoned upload
POSTER_BYTES = 40_000
THUMBNAILS_BYTES = 50_000  # of 16 thumbnails of noisy 720p, as in `make bench-media`
RECORD_BYTES = 1_500
RECORD_VERSIONS = 5  # begun, leased, arrived, settled, announced: one write each, all but the last noncurrent
PAGE_BYTES, PAGE_REQUESTS = 700_000, 12  # the web client's files, of which a browser keeps most from visit to visit
PAGE_SHARE_LOADED = 0.25
SIGNED_URL_BYTES = 1_620
API_RESPONSE_BYTES = 2_000
API_BODY_BYTES = 300
ETAG_BYTES = 90  # of one part in the body of complete
PLAYER_READ_BYTES = 10 * MB  # per request of a player
VIDEOS_A_LIST = 1_000  # S3 API reference, ListObjectsV2: keys per response
BUCKET_KEY_SHARE = 0.01  # S3 User Guide, "Reducing the cost of SSE-KMS with Amazon S3 Bucket Keys": up to 99 % less
FLOW_RECORDS_A_CALL = 4
CLIENT_EVENTS_AN_UPLOAD = 5
CLIENT_CALLS_AN_UPLOAD = 2  # of POST /progress after the parts: one when S3 has the video, one with its verdict
CLIENT_CALL_SECONDS = 30  # interval of POST /progress during an upload, and of the progress events in it
WAF_LOGGED_SHARE = 0.01  # of requests that the web ACL blocks or counts
COPIED_READ_BYTES, COPIED_PART_BYTES = 4 << 20, 16 << 20  # chalicelib/core/media/copying.py
DELIVERY_MINUTES = 5  # CloudTrail User Guide: a trail delivers a file about every 5 minutes
TRAIL_COMPRESSED = 0.1

KINDS = ("s3_writes", "s3_reads", "s3_deletes", "kms_requests", "kms_signatures", "publishes")


@functools.cache
def requests_by_event() -> Mapping[str, Mapping[str, int]]:
    """Requests to AWS by event and kind."""
    return tomllib.loads(Path(__file__).with_name("calls.toml").read_text())


class Month:
    """All quantities of the month.

    function_calls: by function. token_function_calls: of Cognito's token trigger.
    copied: videos that get a copy that all browsers play. converted: videos that MediaConvert converts.
    aws: requests of all functions to S3, KMS and SNS. edge_bytes: sent to viewers.
    key_requests: to symmetric and HMAC keys. trail_events: of data; management_events: free in the first copy.
    log_bytes: into CloudWatch Logs of the region; bucket_log_bytes: into the log bucket, as stored.
    """

    def __init__(self, workload: Workload, inventory: Inventory) -> None:
        self.workload, self.inventory, self.stored = workload, inventory, Stored(workload, inventory)
        settings, started = inventory.settings, workload.uploads
        abandoned = started * workload.abandoned_percent / 100
        self.completed = completed = started - abandoned
        ready = completed * (1 - workload.rejected_percent / 100)
        self.copied = ready * settings.playback.renditions * workload.copied_percent / 100
        self.converted = ready * settings.playback.renditions * workload.converted_percent / 100
        self.parts = plan_parts(max(round(workload.mean_video_bytes), 1)).part_count
        self.parts_sent = (completed + abandoned * HALF_SENT) * self.parts
        signing_calls = started * (math.ceil(self.parts / MAX_URLS_PER_PAGE) - 1)
        visits = workload.active_users_per_month * workload.visits_per_user
        pages = visits * workload.library_pages_per_visit
        # A client reports progress while it sends.
        told = workload.mean_video_mb * 8 / workload.always_on["client_megabits_per_second"] / CLIENT_CALL_SECONDS
        self.function_calls = {
            "video_upload": completed * POLLS_UNTIL_READY + pages + started * (CLIENT_CALLS_AN_UPLOAD + told),
            "multipart_init": started + signing_calls + visits,
            "multipart_complete": completed,
            "upload_token_authorizer": completed + signing_calls,
            # Again if the malware verdict comes second. That run only settles the video, but counts as equally long.
            # The same for a finished conversion, whose event wakes the janitor.
            "video_processing": completed * (1 + inventory.scan_plans) + self.converted,
            "scan_verdict": completed * inventory.scan_plans,
            "janitor": inventory.janitor_runs + self.converted,
            "notification_delivery": 0.0,
            # One message per video: ready, rejected or failed; another for a rendition.
            "message_sender": (started + self.copied + self.converted) * settings.network.uses_outbox,
        }
        self.api_calls = sum(self.function_calls[name] for name in ROUTE_FUNCTIONS)
        views = ready * workload.downloads_per_video
        media_requests = views * math.ceil(workload.mean_video_bytes / PLAYER_READ_BYTES) + pages * VIDEOS_A_PAGE
        self.edge_function_calls = media_requests + visits * PAGE_REQUESTS * PAGE_SHARE_LOADED
        misses = 1 - workload.cache_hit_percent / 100
        open_at_a_sweep = abandoned / DAYS_A_MONTH * settings.uploads.upload_days
        months = min(workload.retention_months, workload.months_in_operation)
        videos_of_a_user = started * months / max(workload.active_users_per_month, 1)
        # By the janitor, over all stored videos.
        walks = DAYS_A_MONTH * bool(settings.storage.retention_days and inventory.janitor_runs)
        events = {
            "starting": started,
            "counting": started * max(1, math.ceil(videos_of_a_user / VIDEOS_A_LIST)) * settings.uploads.limits_stored,
            "comparing_with_the_stage": started * (settings.uploads.max_stored_tib_per_stage > 0),
            **dict.fromkeys(("gauging", "folding", "sweeping"), inventory.janitor_runs),
            "counting_the_stage": min(inventory.janitor_runs, HOURS_A_MONTH),
            "signing": signing_calls,
            "sending_part": self.parts_sent,
            "authorizing": self.function_calls["upload_token_authorizer"],
            **dict.fromkeys(("completing", "processing", "inspecting"), completed),
            "copying": self.copied,
            "reading_for_a_copy": self.copied * (math.ceil(workload.mean_video_bytes / COPIED_READ_BYTES) - 1),
            "writing_a_copy": self.copied * (math.ceil(workload.mean_video_bytes / COPIED_PART_BYTES) - 1),
            "converting": self.converted,
            **dict.fromkeys(("drawing_thumbnails", "storing_thumbnails"), completed * settings.playback.thumbnails),
            "scanning": completed * inventory.scan_plans,
            "asking": completed * POLLS_UNTIL_READY,
            "browsing": pages,
            "folding_one": started * FOLDINGS_A_VIDEO,
            "resuming": visits,
            "sweeping_one": inventory.janitor_runs * open_at_a_sweep,
            "expiring": abandoned,
            "walking": walks * max(1, math.ceil(self.stored.video_count / VIDEOS_A_LIST)),
            "noting_a_walk": walks,
            "pacing_the_walk": inventory.janitor_runs * bool(settings.storage.retention_days),
            "looking_at_an_old_video": self.stored.expiring * settings.storage.retention_warning_days,
            **dict.fromkeys(("warning", "deleting_an_old_video"), self.stored.expiring),
            "sending_by_outbox": self.function_calls["message_sender"],
            "looking_into_the_outbox": inventory.janitor_runs * settings.network.uses_outbox,
            "filling_the_edge": media_requests * misses,
        }
        self.aws = aws = dict.fromkeys(KINDS, 0.0)
        for event, count in events.items():
            for kind, requests in requests_by_event()[event].items():
                aws[kind] += requests * count
        self.function_calls["notification_delivery"] = aws["publishes"] * inventory.destinations
        s3_requests = aws["s3_writes"] + aws["s3_reads"]
        # Cognito calls it for everybody: at a sign-in, or at the refresh at the beginning of a later visit.
        self.token_function_calls = visits * bool(inventory.token_function_gib)
        invocations = sum(self.function_calls.values()) + self.token_function_calls
        self.trail_events = (s3_requests + aws["s3_deletes"] + invocations) * bool(inventory.trails)
        self.trail_files = SECONDS_A_MONTH / 60 / DELIVERY_MINUTES * bool(inventory.trails)
        # Tokens, S3's bucket keys, encrypted messages, files of the trail.
        self.key_requests = aws["kms_requests"] + s3_requests * BUCKET_KEY_SHARE + aws["publishes"] + self.trail_files
        key_uses = self.key_requests + aws["kms_signatures"]
        # KMS Developer Guide, "Logging AWS KMS API calls": every use of a key is a management event.
        self.management_events = key_uses * settings.observability.trail_management_events
        audited = self.trail_events + self.management_events

        media_bytes = views * workload.mean_video_bytes + pages * VIDEOS_A_PAGE * POSTER_BYTES
        self.edge_requests = self.api_calls + self.edge_function_calls
        api_bytes = self.api_calls * API_RESPONSE_BYTES + started * self.parts * SIGNED_URL_BYTES
        self.edge_bytes = media_bytes + visits * PAGE_BYTES * PAGE_SHARE_LOADED + api_bytes
        self.origin_bytes = media_bytes * misses
        self.body_bytes = self.api_calls * API_BODY_BYTES + completed * self.parts * ETAG_BYTES

        size = workload.log_bytes
        in_network = sum(calls for name, calls in self.function_calls.items() if FUNCTIONS[name].in_network)
        self.log_bytes = (
            self.api_calls * size["api_access"]
            + invocations * size["function_call"]
            + started * (CLIENT_EVENTS_AN_UPLOAD + told) * size["client_event"]
            + in_network * FLOW_RECORDS_A_CALL * size["flow_record"] * bool(inventory.flow_logs)
            + audited * size["trail_event"]
        )
        self.waf_log_bytes = self.edge_requests * WAF_LOGGED_SHARE * size["waf_record"] * bool(inventory.web_acls)
        self.bucket_log_bytes = (
            (s3_requests + aws["s3_deletes"]) * size["bucket_access"]
            + self.edge_requests * size["edge_access"]
            + audited * size["trail_event"] * TRAIL_COMPRESSED
        )


class Stored:
    """Bytes in the video bucket by tier (all `standard_bytes` without tiering), and in the metadata bucket.

    rendition_bytes: of renditions. expiring: videos that retention deletes in the month.

    Videos are uploaded evenly, watched for a while, deleted at the end of their retention. One that is deleted or
    rejected can be restored for some days.
    """

    def __init__(self, workload: Workload, inventory: Inventory) -> None:
        settings, operation_days = inventory.settings, workload.months_in_operation * DAYS_A_MONTH
        forever = operation_days if inventory.keeps_everything else 0
        noncurrent_days = forever or settings.storage.noncurrent_days
        rejected_days = min(forever or settings.storage.rejected_days + noncurrent_days, operation_days)
        abandoned_per_day = workload.uploads_per_day * workload.abandoned_percent / 100
        completed_per_day = workload.uploads_per_day - abandoned_per_day
        rejected_per_day = completed_per_day * workload.rejected_percent / 100
        ready_per_day = completed_per_day - rejected_per_day
        # For one video per day: the days of its life within the stage's.
        wanted_days = workload.retention_months * DAYS_A_MONTH
        stays_days = min(wanted_days, settings.storage.retention_days or wanted_days)
        life_days = min(stays_days + noncurrent_days, operation_days)
        self.expiring = ready_per_day * DAYS_A_MONTH * (stays_days < min(wanted_days, operation_days))
        frequent_days = archive_from = life_days
        if settings.storage.intelligent_tiering:
            frequent_days = min(workload.watched_days + DAYS_TO_INFREQUENT, life_days)
            archive_from = min(workload.watched_days + DAYS_TO_ARCHIVE_INSTANT, life_days)
        bytes_per_day, rejected = ready_per_day * workload.mean_video_bytes, rejected_per_day * rejected_days
        # A conversion is assumed to be as large as its video.
        share = (workload.copied_percent + workload.converted_percent) / 100 * settings.playback.renditions
        self.rendition_bytes = bytes_per_day * life_days * share
        self.standard_bytes = bytes_per_day * frequent_days + rejected * workload.mean_video_bytes
        self.infrequent_bytes = bytes_per_day * (archive_from - frequent_days)
        self.archive_instant_bytes = bytes_per_day * (life_days - archive_from)
        # The janitor drops them before S3's own rule does.
        self.incomplete_bytes = abandoned_per_day * settings.uploads.upload_days * workload.mean_video_bytes * HALF_SENT
        self.video_count = ready_per_day * life_days + rejected
        old_record_bytes = min(noncurrent_days, operation_days) * RECORD_BYTES * (RECORD_VERSIONS - 1)
        picture_bytes = POSTER_BYTES + settings.playback.thumbnails * THUMBNAILS_BYTES
        self.metadata_bytes = self.video_count * (picture_bytes + RECORD_BYTES) + completed_per_day * old_record_bytes
        # Including unfinished parts, like S3's BucketSizeBytes, by which the dashboard divides the month's cost.
        self.video_bytes = (
            self.standard_bytes + self.infrequent_bytes + self.archive_instant_bytes + self.incomplete_bytes
        )


def instances_at_peak(workload: Workload) -> dict[str, int]:
    """Count the busy instances of each function behind the API at peak load.

    Target tracking leaves headroom. All uploads of the peak start and end in it; every user opens the library once.
    """
    uploads, users = workload.peak_concurrent_uploads, workload.peak_users
    calls_in_peak = {
        "video_upload": uploads * POLLS_UNTIL_READY + users,
        "multipart_init": uploads + users,
        "multipart_complete": uploads,
        "upload_token_authorizer": uploads,
    }
    instance_milliseconds = workload.peak_seconds * 1000 * WARM_USE
    # Rounded first, so that 30.000000000000004 instances are 30.
    return {
        name: math.ceil(round(calls * workload.function_milliseconds[name] / instance_milliseconds, 9))
        for name, calls in calls_in_peak.items()
    }
