"""From a month to its bill: which quantity meets which price."""

from __future__ import annotations

from components.settings import PriceClass
from costs.bill import Bill, BillWriter, Driver
from costs.inventory import Inventory
from costs.month import COMPRESSED, ENDPOINT_BYTES_A_CALL, Month, month_of
from costs.peak import instances_at_peak
from costs.prices import PriceList
from costs.units import DAYS_A_MONTH, GIB, HOURS_A_MONTH, SECONDS_A_MONTH
from costs.workload import Workload

SUCCESS_SHARE = 0.999
"""The specification's success rate, for events too."""
MONTHS_A_ROTATION = 12
MAX_BILLED_ROTATIONS = 2  # KMS pricing page: the first and second rotation of a key are billed

SERVED_FROM = {
    PriceClass.CHEAPEST: {
        "africa_and_middle_east": "europe",
        "india": "europe",
        "japan": "north_america",
        "asia": "north_america",
        "south_america": "north_america",
        "australia": "north_america",
    },
    PriceClass.MIDDLE: {"south_america": "north_america", "australia": "asia"},
    PriceClass.ALL: {},
}
"""CloudFront Developer Guide, "Choose a price class": whoever lives where the class has no edge location is served, and
billed, from one of the class; here the next one."""
OWN_REQUEST_PRICE = ("north_america", "south_america", "australia")


def bill_of(workload: Workload, inventory: Inventory, prices: PriceList, *, free_tier: bool = False) -> Bill:
    """The month's bill at list prices."""
    month = month_of(workload, inventory)
    bill = BillWriter(prices, free_tier=free_tier)
    _lambda(bill, month)
    _storage(bill, month)
    _transfer(bill, month)
    bill.add(Driver.API, "requests", "api_gateway.requests", month.api_calls)
    _cdn(bill, month)
    _security(bill, month)
    _watching(bill, month)
    _network(bill, month)
    return Bill(month=month, lines=tuple(bill.lines))


def _lambda(bill: BillWriter, month: Month) -> None:
    inventory, workload = month.inventory, month.workload
    gib_seconds = {
        name: calls * workload.function_milliseconds[name] / 1000 * inventory.memory_gib.get(name, 0)
        for name, calls in month.function_calls.items()
    }
    bill.add(Driver.LAMBDA, "invocations", "lambda.requests", sum(month.function_calls.values()))
    on_demand = sum(spent for name, spent in gib_seconds.items() if name not in inventory.warm)
    bill.add(Driver.LAMBDA, "duration", "lambda.duration", on_demand)
    if inventory.warm:
        on_warm = sum(spent for name, spent in gib_seconds.items() if name in inventory.warm)
        bill.add(Driver.LAMBDA, "duration on warm instances", "lambda.provisioned_duration", on_warm)
        busy_seconds = workload.peak_hours_per_day * DAYS_A_MONTH * 3_600
        needed = instances_at_peak(workload)
        capacity = sum(
            inventory.memory_gib[name]
            * (warm.low * SECONDS_A_MONTH + (min(max(needed[name], warm.low), warm.high) - warm.low) * busy_seconds)
            for name, warm in inventory.warm.items()
        )
        bill.add(Driver.LAMBDA, "warm instances", "lambda.provisioned_capacity", capacity)


def _storage(bill: BillWriter, month: Month) -> None:
    held, settings, workload = month.stored, month.inventory.settings, month.workload
    log_days = settings.general.log_days + settings.storage.noncurrent_days
    days = workload.months_in_operation * DAYS_A_MONTH
    log_months = (days if month.inventory.keeps_everything else min(log_days, days)) / DAYS_A_MONTH
    tier = "videos, frequent access" if settings.storage.intelligent_tiering else "videos, standard"
    beside = held.incomplete_bytes + held.metadata_bytes + month.bucket_log_bytes * log_months
    bill.add(Driver.STORAGE, tier, "s3.standard_storage", held.standard_bytes / GIB)
    if settings.storage.intelligent_tiering:
        bill.add(Driver.STORAGE, "videos, infrequent access", "s3.infrequent_tier_storage", held.infrequent_bytes / GIB)
        bill.add(
            Driver.STORAGE,
            "videos, archive instant access",
            "s3.archive_instant_tier_storage",
            held.archive_instant_bytes / GIB,
        )
        bill.add(Driver.STORAGE, "tiering, monitoring", "s3.tiering_monitoring", held.video_count)
        bill.add(Driver.STORAGE, "tiering, transitions", "s3.tiering_transitions", month.completed)
    bill.add(Driver.STORAGE, "records, posters, logs, unfinished", "s3.standard_storage", beside / GIB)
    bill.add(Driver.STORAGE, "parts (PUT)", "s3.write_requests", month.parts_sent)
    # The trail puts a file a delivery; S3 and CloudFront ask for the storage of their logs alone.
    writes = month.aws.s3_writes - month.parts_sent + month.trail_files
    bill.add(Driver.STORAGE, "other writes and lists", "s3.write_requests", writes)
    bill.add(Driver.STORAGE, "reads", "s3.read_requests", month.aws.s3_reads)


def _transfer(bill: BillWriter, month: Month) -> None:
    sent = month.parts_sent / month.parts * month.workload.mean_video_bytes / GIB
    bill.add(Driver.TRANSFER, "parts into S3", "transfer.into_s3", sent)
    if month.inventory.settings.storage.transfer_acceleration:
        bill.add(Driver.TRANSFER, "parts by transfer acceleration", "s3.transfer_acceleration", sent)
    bill.add(Driver.TRANSFER, "S3 to CloudFront", "transfer.s3_to_cloudfront", month.origin_bytes / GIB)
    bill.add(Driver.TRANSFER, "API bodies to the origin", "cloudfront.transfer_to_origin", month.body_bytes / GIB)


def _cdn(bill: BillWriter, month: Month) -> None:
    elsewhere = SERVED_FROM[month.inventory.settings.edge.price_class]
    shares: dict[str, float] = {}
    for context, percent in month.workload.audience_percent.items():
        served = elsewhere.get(context, context)
        shares[served] = shares.get(served, 0) + percent / 100
    for context, share in shares.items():
        quantity = month.edge_bytes * share / GIB
        bill.add(Driver.CDN, f"out to {_words(context)}", f"cloudfront.transfer_{context}", quantity, free_share=share)
    request_shares: dict[str, float] = {}
    for context, share in shares.items():
        priced = context if context in OWN_REQUEST_PRICE else "europe"
        request_shares[priced] = request_shares.get(priced, 0) + share
    for context, share in request_shares.items():
        key, item = f"cloudfront.requests_{context}", f"requests, {_words(context)}"
        if context == "europe":
            item = "requests, elsewhere"
        bill.add(Driver.CDN, item, key, month.edge_requests * share, free_share=share)
    bill.add(Driver.CDN, "edge functions", "cloudfront.function_calls", month.edge_function_calls)
    bill.add(Driver.CDN, "additional metrics", "cloudfront.additional_metrics", month.inventory.measured_distributions)


def _security(bill: BillWriter, month: Month) -> None:
    inventory, workload = month.inventory, month.workload
    rotations = min(int(workload.months_in_operation // MONTHS_A_ROTATION), MAX_BILLED_ROTATIONS)
    bill.add(Driver.SECURITY, "keys", "kms.key_versions", inventory.keys)
    bill.add(Driver.SECURITY, "keys, rotated", "kms.key_versions", inventory.rotating_keys * rotations)
    bill.add(Driver.SECURITY, "key requests", "kms.requests", month.key_requests)
    bill.add(Driver.SECURITY, "media URL signatures", "kms.signatures", month.aws.kms_signatures)
    bill.add(Driver.SECURITY, "web ACL", "waf.web_acls", inventory.web_acls)
    bill.add(Driver.SECURITY, "web ACL rules", "waf.rules", inventory.web_acl_rules)
    bill.add(Driver.SECURITY, "web ACL requests", "waf.requests", month.edge_requests * bool(inventory.web_acls))
    tier = "plus" if inventory.has_plus_tier else "essentials"
    bill.add(Driver.SECURITY, f"active users, {tier} tier", f"cognito.users_{tier}", workload.active_users_per_month)
    bill.add(Driver.SECURITY, "machine clients", "cognito.machine_clients", inventory.machine_clients)
    tokens = workload.machine_tokens_per_day * DAYS_A_MONTH * inventory.machine_clients
    bill.add(Driver.SECURITY, "machine tokens", "cognito.machine_tokens", tokens)


def _watching(bill: BillWriter, month: Month) -> None:
    inventory, workload = month.inventory, month.workload
    driver = Driver.WATCHING
    scheduled = inventory.scheduled_metrics * bool(inventory.janitor_runs)
    used = inventory.used_metrics * month.busy_share
    bill.add(driver, "own metrics", "cloudwatch.custom_metrics", scheduled + used)
    bill.add(
        driver,
        "API metrics by method",
        "cloudwatch.custom_metrics",
        inventory.detailed_api_metrics * month.busy_share,
        free_share=0,
    )
    bill.add(driver, "alarms", "cloudwatch.alarm_metrics", inventory.alarm_metrics)
    bill.add(driver, "composite alarms", "cloudwatch.composite_alarms", inventory.composite_alarms)
    free_share = 0 if inventory.has_large_dashboard else 1
    bill.add(driver, "dashboards", "cloudwatch.dashboards", inventory.dashboards, free_share=free_share)
    log_gib = month.log_bytes / GIB
    waf_gib = month.waf_log_bytes / GIB
    kept_months = min(inventory.settings.general.log_days / DAYS_A_MONTH, workload.months_in_operation)
    bill.add(driver, "logs", "cloudwatch.log_ingestion", log_gib)
    bill.add(driver, "logs of the web ACL", "cloudwatch.log_ingestion_us_east_1", waf_gib)
    bill.add(driver, "logs kept", "cloudwatch.log_storage", (log_gib + waf_gib) * kept_months * COMPRESSED)
    traces = _traces(month)
    bill.add(driver, "traces", "xray.traces", traces)
    bill.add(driver, "trace insights", "xray.insights", traces * inventory.has_insights)
    bill.add(driver, "audited events", "cloudtrail.data_events", month.trail_events)
    bill.add(driver, "uses of keys, audited", "cloudtrail.management_events", month.management_events)
    bill.add(driver, "questions to Cost Explorer", "cost_explorer.requests", inventory.bill_requests)


def _traces(month: Month) -> float:
    """What the rule's reservoir takes is followed whole, of the rest its share. The default rule, which follows what
    the API did not start, is as large as ours."""
    requests = month.api_calls + month.function_calls["video_processing"] + month.function_calls["janitor"]
    whole = min(requests, month.inventory.traced_per_second * SECONDS_A_MONTH)
    return whole + (requests - whole) * month.inventory.traced_share


def _network(bill: BillWriter, month: Month) -> None:
    zones = month.inventory.endpoint_zones
    calls = month.aws.kms_requests + month.aws.kms_signatures + month.aws.publishes
    bill.add(Driver.NETWORK, "interface endpoints", "vpc.endpoint_hours", zones * HOURS_A_MONTH)
    carried = calls * ENDPOINT_BYTES_A_CALL * bool(zones)
    bill.add(Driver.NETWORK, "through the endpoints", "vpc.endpoint_data", carried / GIB)
    bill.add(Driver.NETWORK, "messages", "sns.publishes", month.aws.publishes + month.trail_files)
    # A failed event is written, read, deleted.
    failed = month.completed * (1 - SUCCESS_SHARE) * 3
    bill.add(Driver.NETWORK, "dead-letter queue", "sqs.requests", failed)


def _words(context: str) -> str:
    return context.replace("_", " ").title().replace("And", "and")
