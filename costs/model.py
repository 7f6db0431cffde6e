"""The cost model of a stage: a month's quantities and prices, under the stage's settings or others."""

import dataclasses
import math
from collections import defaultdict
from collections.abc import Iterator

from components.declared_stage import HEARD, Overrides, declare
from components.settings import PriceClass
from costs.errors import PriceListError
from costs.inventory import Inventory
from costs.month import Month, instances_at_peak
from costs.prices import Driver, Price, PriceList
from costs.units import DAYS_A_MONTH, GB, GIB, HOURS_A_MONTH, SECONDS_A_MONTH
from costs.workload import Workload

SUCCESS_SHARE = 0.999  # the specification's success rate, also used for events
MONTHS_A_ROTATION = 12
MAX_BILLED_ROTATIONS = 2  # KMS pricing page: the first and second rotation of a key are billed
COMPRESSED = 0.15  # CloudWatch pricing page: compression of stored logs in its example
ENDPOINT_BYTES_A_CALL = 4_000
POLLERS, LONG_POLL_SECONDS = 5, 20  # of Lambda, at each queue; an assumption, since AWS documents neither
EVENTS_A_VIDEO = 3  # of the bucket, to EventBridge: created, tagged, deleted
LEAST_CONVERTED_SECONDS = 10  # MediaConvert pricing page, "On-Demand pricing": minimum per output

SERVED_FROM = {
    PriceClass.CHEAPEST: dict.fromkeys(("africa_and_middle_east", "india"), "europe")
    | dict.fromkeys(("japan", "asia", "south_america", "australia"), "north_america"),
    PriceClass.MIDDLE: {"south_america": "north_america", "australia": "asia"},
    PriceClass.ALL: dict[str, str](),
}
"""CloudFront Developer Guide, "Choose a price class": viewers outside of the class's regions are served, and billed,
from a location of the class. The model assumes these."""
OWN_REQUEST_PRICE = ("north_america", "south_america", "australia")


@dataclasses.dataclass(frozen=True)
class Line:
    """quantity: in the price's unit; `free` of it is not billed."""

    item: str
    quantity: float
    price: Price
    free: float = 0

    @property
    def usd(self) -> float:
        return self.price.cost_usd(self.quantity, free=self.free)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Bill:
    """Cost of one month, without tax and discounts."""

    month: Month
    prices: PriceList
    lines: tuple[Line, ...]

    @property
    def usd(self) -> float:
        return sum(line.usd for line in self.lines)

    def of(self, *drivers: Driver) -> float:
        """Dollars of these drivers."""
        return sum(line.usd for line in self.lines if line.price.driver in drivers)

    @property
    def stored_gb(self) -> float:
        """GB in the video bucket."""
        return self.month.stored.video_bytes / GB

    @property
    def uploaded_gb(self) -> float:
        return self.month.workload.uploaded_bytes / GB

    def usd_per(self, gb: float) -> float:
        """The month's cost per GB stored, as the dashboard has it, or per GB uploaded; infinite for none."""
        return self.usd / gb if gb else math.inf


@dataclasses.dataclass(frozen=True, kw_only=True)
class CostModel:
    """free_tier: whether the account's always-free allowances are subtracted. settings: override the stage's file."""

    stage: str
    workload: Workload
    prices: PriceList
    free_tier: bool = False
    settings: Overrides = ()

    def inventory(self, overrides: Overrides = ()) -> Inventory:
        """Inventory of the program with these settings instead of the stage's. Raises StageError, PriceListError."""
        declared = declare(self.stage, (*HEARD, *sorted({**dict(self.settings), **dict(overrides)}.items())))
        if declared.region != self.prices.region:
            raise PriceListError(
                f"prices.toml: region is {self.prices.region}, the stage lives in {declared.region}; "
                "costs are known for that region alone until costs/prices.toml holds the other's prices"
            )
        return Inventory.of(declared)

    def bill(self, overrides: Overrides = (), *, inventory: Inventory | None = None) -> Bill:
        """Bill of the workload's month at list prices. inventory: replaces that of the program."""
        month = Month(self.workload, inventory or self.inventory(overrides))
        lines: list[Line] = []
        for item, key, quantity, *share in [row for rows in _ROWS for row in rows(month)]:
            price = self.prices[key]
            free = price.free * (share[0] if share else 1.0) * self.free_tier
            lines.append(Line(item, quantity, price, free))
        return Bill(month=month, prices=self.prices, lines=tuple(lines))

    def idle_bill(self) -> Bill:
        """Bill of a month without users."""
        return dataclasses.replace(self, workload=self.workload.idle()).bill()


_Row = tuple[str, str, float] | tuple[str, str, float, float]
"""Item, price key, quantity in the price's unit, and the share of its free allowance if lines share one."""


def _words(region: str) -> str:
    return region.replace("_", " ").title().replace("And", "and")


def _functions(month: Month) -> Iterator[_Row]:
    inventory, workload, warm = month.inventory, month.workload, month.inventory.warm
    calls, milliseconds = month.function_calls, workload.function_milliseconds
    seconds = {name: count * milliseconds[name] / 1000 for name, count in calls.items()}
    seconds["video_processing"] += month.copied * workload.mean_video_mb / workload.copied_mb_per_second
    gib_seconds = {name: spent * inventory.memory_gib[name] for name, spent in seconds.items()}
    on_warm = sum(gib_seconds[name] for name in warm)
    before_tokens_seconds = month.token_function_calls * workload.token_function_milliseconds / 1000
    on_demand = sum(gib_seconds.values()) - on_warm + before_tokens_seconds * inventory.token_function_gib
    yield "invocations", "lambda.requests", sum(calls.values()) + month.token_function_calls
    yield "duration", "lambda.duration", on_demand
    if warm:
        yield "duration on warm instances", "lambda.provisioned_duration", on_warm
        busy_seconds = workload.peak_hours_per_day * DAYS_A_MONTH * 3_600
        needed = instances_at_peak(workload)
        capacity = sum(
            inventory.memory_gib[name]
            * (each.low * SECONDS_A_MONTH + (min(max(needed[name], each.low), each.high) - each.low) * busy_seconds)
            for name, each in warm.items()
        )
        yield "warm instances", "lambda.provisioned_capacity", capacity


def _storage(month: Month) -> Iterator[_Row]:
    held, settings, days = month.stored, month.inventory.settings, month.workload.months_in_operation * DAYS_A_MONTH
    log_days = min(settings.general.log_days + settings.storage.noncurrent_days, days)
    log_months = (days if month.inventory.keeps_everything else log_days) / DAYS_A_MONTH
    tier = "videos, frequent access" if settings.storage.intelligent_tiering else "videos, standard"
    yield tier, "s3.standard_storage", held.standard_bytes / GIB
    if settings.storage.intelligent_tiering:
        yield "videos, infrequent access", "s3.infrequent_tier_storage", held.infrequent_bytes / GIB
        yield "videos, archive instant access", "s3.archive_instant_tier_storage", held.archive_instant_bytes / GIB
        yield "tiering, monitoring", "s3.tiering_monitoring", held.video_count
        yield "tiering, transitions", "s3.tiering_transitions", month.completed
    if held.rendition_bytes:
        yield "renditions", "s3.standard_storage", held.rendition_bytes / GIB
    beside = held.incomplete_bytes + held.metadata_bytes + month.bucket_log_bytes * log_months
    yield "records, posters, logs, unfinished", "s3.standard_storage", beside / GIB
    yield "parts (PUT)", "s3.write_requests", month.parts_sent
    # The trail writes a file per delivery; S3 and CloudFront charge only for the storage of their logs.
    other_writes = month.aws["s3_writes"] - month.parts_sent + month.trail_files
    yield "other writes and lists", "s3.write_requests", other_writes
    yield "reads", "s3.read_requests", month.aws["s3_reads"]


def _conversions(month: Month) -> Iterator[_Row]:
    workload = month.workload
    seconds = workload.mean_video_mb * 8 / workload.converted_megabits_per_second
    minutes = month.converted * max(seconds, LEAST_CONVERTED_SECONDS) / 60
    dearer = minutes * workload.tone_mapped_percent / 100
    yield "minutes, basic tier", "mediaconvert.basic_hd_minutes", minutes - dearer
    yield "minutes, professional tier", "mediaconvert.professional_hd_minutes", dearer


def _delivery(month: Month) -> Iterator[_Row]:
    sent = month.parts_sent / month.parts * month.workload.mean_video_bytes / GIB
    yield "parts into S3", "transfer.into_s3", sent
    if month.inventory.settings.storage.transfer_acceleration:
        yield "parts by transfer acceleration", "s3.transfer_acceleration", sent
    yield "S3 to CloudFront", "transfer.s3_to_cloudfront", month.origin_bytes / GIB
    yield "API bodies to the origin", "cloudfront.transfer_to_origin", month.body_bytes / GIB
    yield "requests", "api_gateway.requests", month.api_calls
    elsewhere = SERVED_FROM[month.inventory.settings.edge.price_class]
    shares, request_shares = defaultdict[str, float](float), defaultdict[str, float](float)
    for home, percent in month.workload.audience_percent.items():
        shares[elsewhere.get(home, home)] += percent / 100
    for region, share in shares.items():
        yield f"out to {_words(region)}", f"cloudfront.transfer_{region}", month.edge_bytes * share / GIB, share
        request_shares[region if region in OWN_REQUEST_PRICE else "europe"] += share
    for region, share in request_shares.items():
        where = "elsewhere" if region == "europe" else _words(region)
        yield f"requests, {where}", f"cloudfront.requests_{region}", month.edge_requests * share, share
    yield "edge functions", "cloudfront.function_calls", month.edge_function_calls
    yield "additional metrics", "cloudfront.additional_metrics", month.inventory.measured_distributions


def _security(month: Month) -> Iterator[_Row]:
    inventory, workload = month.inventory, month.workload
    rotations = min(int(workload.months_in_operation // MONTHS_A_ROTATION), MAX_BILLED_ROTATIONS)
    tier = "plus" if inventory.plus_pools else "essentials"
    machine_clients = int(inventory.settings.sign_in.machine_client)
    yield "keys", "kms.key_versions", inventory.keys
    yield "keys, rotated", "kms.key_versions", inventory.rotating_keys * rotations
    yield "key requests", "kms.requests", month.key_requests
    yield "media URL signatures", "kms.signatures", month.aws["kms_signatures"]
    yield "web ACL", "waf.web_acls", inventory.web_acls
    yield "web ACL rules", "waf.rules", inventory.web_acl_rules
    yield "web ACL requests", "waf.requests", month.edge_requests * bool(inventory.web_acls)
    federated = workload.active_users_per_month * workload.company_users_percent / 100 * bool(inventory.companies)
    yield f"active users, {tier} tier", f"cognito.users_{tier}", workload.active_users_per_month - federated
    if inventory.companies:
        yield "active users of companies", "cognito.users_federated", federated
    yield "machine clients", "cognito.machine_clients", machine_clients
    yield "machine tokens", "cognito.machine_tokens", workload.machine_tokens_per_day * DAYS_A_MONTH * machine_clients
    if inventory.scan_plans:
        yield "malware scan, bytes", "guardduty.scanned_data", month.completed * workload.mean_video_bytes / GIB
        yield "malware scan, objects", "guardduty.scanned_objects", month.completed
        yield "events of the bucket", "eventbridge.opt_in_events", month.completed * EVENTS_A_VIDEO


def _monitoring(month: Month) -> Iterator[_Row]:
    inventory, settings = month.inventory, month.inventory.settings
    hours_with_uploads = min(1.0, month.workload.uploads / HOURS_A_MONTH)  # a metric is billed by the hour
    own = inventory.scheduled_metrics * bool(inventory.janitor_runs) + inventory.used_metrics * hours_with_uploads
    yield "own metrics", "cloudwatch.custom_metrics", own
    yield "alarms", "cloudwatch.alarm_metrics", inventory.alarm_metrics + inventory.scaling_alarms
    yield "composite alarms", "cloudwatch.composite_alarms", inventory.composite_alarms
    yield "dashboards", "cloudwatch.dashboards", inventory.dashboards
    log_gib, waf_gib = month.log_bytes / GIB, month.waf_log_bytes / GIB
    kept_months = min(settings.general.log_days / DAYS_A_MONTH, month.workload.months_in_operation)
    yield "logs", "cloudwatch.log_ingestion", log_gib
    yield "logs of the web ACL", "cloudwatch.log_ingestion_us_east_1", waf_gib
    yield "logs kept", "cloudwatch.log_storage", (log_gib + waf_gib) * kept_months * COMPRESSED
    # The rule traces all requests within its reservoir, and a share of the others. The default rule, for requests that
    # do not begin at the API, is as large.
    by_event = ("video_processing", "scan_verdict", "janitor", "message_sender")
    requests = month.api_calls + sum(month.function_calls[function] for function in by_event)
    whole = min(requests, inventory.traced_per_second * SECONDS_A_MONTH)
    traces = whole + (requests - whole) * inventory.traced_share
    yield "traces", "xray.traces", traces
    yield "trace insights", "xray.insights", traces * bool(inventory.insight_groups)
    yield "audited events", "cloudtrail.data_events", month.trail_events
    yield "uses of keys, audited", "cloudtrail.management_events", month.management_events
    questions = DAYS_A_MONTH * (settings.observability.cost_figure and not settings.general.paused)  # one a day
    yield "queries of Cost Explorer", "cost_explorer.requests", questions


def _network(month: Month) -> Iterator[_Row]:
    settings, zones, aws = month.inventory.settings, month.inventory.endpoint_zones, month.aws
    carried = (aws["kms_requests"] + aws["kms_signatures"] + aws["publishes"]) * ENDPOINT_BYTES_A_CALL * bool(zones)
    yield "interface endpoints", "vpc.endpoint_hours", zones * HOURS_A_MONTH
    yield "through the endpoints", "vpc.endpoint_data", carried / GIB
    yield "messages", "sns.publishes", aws["publishes"] + month.trail_files
    # Lambda polls constantly; each message is also sent, received and deleted.
    polls = month.inventory.destinations * SECONDS_A_MONTH / LONG_POLL_SECONDS * POLLERS
    yield "notification queues", "sqs.requests", polls + 3 * month.function_calls["notification_delivery"]
    yield "mails about videos", "sns.mails", aws["publishes"] * len(settings.notifications.notification_emails)
    # A failed event is written, read and deleted.
    yield "failure queue", "sqs.requests", month.completed * (1 - SUCCESS_SHARE) * 3


_ROWS = (_functions, _storage, _delivery, _security, _monitoring, _network, _conversions)
