"""The bill: a month computed by hand, and invariants of any month."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from typing import Any

import pytest

from components.declared_stage import settings_of
from components.settings import PriceClass
from costs.inventory import Warm
from costs.model import CostModel
from costs.prices import Driver, PriceList
from costs.units import GIB
from costs.workload import Workload
from tests.costs.small_stage import small_inventory

CENT = 0.005


def small_workload(default: Workload) -> Workload:
    """120 videos of 10 MB a day, 3,650 in the month, each of two parts; nobody watches, nothing goes wrong."""
    return dataclasses.replace(
        default,
        uploads_per_day=120.0,
        mean_video_mb=10.0,
        downloads_per_video=0.0,
        retention_months=1.0,
        months_in_operation=6.0,
        active_users_per_month=100.0,
        visits_per_user=0.0,
        machine_tokens_per_day=0.0,
        rejected_percent=0.0,
        abandoned_percent=0.0,
        audience_percent={"europe": 100.0},
        log_bytes=dict.fromkeys(default.log_bytes, 0.0) | {"function_call": 1_000.0},
    )


def test_a_small_month_agrees_with_one_computed_by_hand(workload: Workload, prices: PriceList) -> None:
    model = CostModel(stage="dev", workload=small_workload(workload), prices=prices)
    bill = model.bill(inventory=small_inventory(settings_of("dev")))

    # 3,650 inits and completions and three polls each; progress at arrival and verdict and each 30 of 8 seconds, which
    # 10 MB at 10 Mbit/s take; tokens, processing; the janitor every five minutes
    calls = {"init": 3_650, "complete": 3_650, "polls": 10_950, "progress": 3_650 * (2 + 8 / 30)}
    api_calls = sum(calls.values())
    invocations = api_calls + 3_650 + 3_650 + 8_760
    gib_seconds = (
        (calls["polls"] + calls["progress"]) * 0.245 * 1
        + 3_650 * 0.245 * 1
        + 3_650 * 1.0 * 1
        + 3_650 * 0.050 * 0.25
        + 3_650 * 4.0 * 2
    ) + 8_760 * 1.5 * 0.5
    functions = invocations * 0.20 / 1e6 + gib_seconds * 0.0000133334

    # a life of 30.41667 days and one more as a noncurrent version
    held_gib = 120 * (730 / 24 + 1) * 10e6 / GIB
    # poster, thumbnails and record of each, and four old versions of the record for a day
    beside_gib = (120 * (730 / 24 + 1) * (40_000 + 50_000 + 1_500) + 120 * 1 * 1_500 * 4) / GIB
    parts = 3_650 * 2
    # six lists, key, marker, upload, record | parts joined, record twice | poster, thumbnails, verdict, record
    # twice | three changes are announced to the index and told it | two foldings of two packs | a sweep and a folding;
    # each hour two lists and a count
    writes = 3_650 * (10 + 3 + 5 + 3 * 2 + 2 * 2) + 2 * 8_760 + 730 * 3
    # asked before a part | record, object | record, object, head, four ranges, 16 keyframes | three polls | the stage's
    # count twice an upload and once a sweep | two foldings with four packs and the record
    reads = parts + 3_650 * (2 + 7 + 16 + 3 + 2 + 2 * 5) + 8_760
    storage = (held_gib + beside_gib) * 0.0245 + (parts + writes) * 0.0054 / 1000 + reads * 0.00043 / 1000

    # two signed URLs of 1,620 bytes each; answers of 2,000; bodies of 300 and 90 more for each part
    out_gib = (api_calls * 2_000 + 3_650 * 2 * 1_620) / GIB
    to_origin_gib = (api_calls * 300 + parts * 90) / GIB
    edge = out_gib * 0.085 + api_calls * 0.0120 / 10_000 + 2.40

    # issue and check of a token, a hundredth of S3's requests, a message each
    key_requests = 3_650 * 2 + (parts + writes + reads) * 0.01 + 3_650
    security = 4 * 1.00 + key_requests * 0.03 / 10_000 + (5.00 + 3 * 1.00 + api_calls * 0.60 / 1e6) + 100 * 0.015

    metrics = (4 + 6) * 0.30
    log_gib = invocations * 1_000 / GIB
    kept_gib_months = log_gib * (30 / (730 / 24)) * 0.15
    watching = metrics + 10 * 0.10 + 0.50 + 3.00 + log_gib * 0.63 + kept_gib_months * 0.0324
    watching += (api_calls + 3_650 + 8_760) * 5.00 / 1e6

    # tokens and messages, 4,000 bytes a call; a thousandth of the events fails and is written, read, deleted
    endpoint_gib = (3_650 * 2 + 3_650) * 4_000 / GIB
    network = 2 * 730 * 0.012 + endpoint_gib * 0.01 + 3_650 * 0.50 / 1e6 + 3_650 * 0.001 * 3 * 0.40 / 1e6

    expected = {
        Driver.LAMBDA: functions,
        Driver.STORAGE: storage,
        Driver.TRANSFER: to_origin_gib * 0.020,
        Driver.API: api_calls * 3.70 / 1e6,
        Driver.CDN: edge,
        Driver.SECURITY: security,
        Driver.WATCHING: watching,
        Driver.NETWORK: network,
        Driver.CONVERSIONS: 0,
    }
    assert {driver: bill.of(driver) for driver in Driver} == pytest.approx(expected, abs=1e-9)
    # functions 0.61, storage 1.64, transfer 0.00, API 0.10, edge 2.44, security 13.56, watching 7.72, network 17.52
    assert bill.usd == pytest.approx(43.58, abs=CENT)


def test_lines_add_up_to_drivers_and_drivers_to_the_bill(model: CostModel) -> None:
    bill = model.bill()
    assert sum(bill.of(driver) for driver in Driver) == pytest.approx(bill.usd)
    assert all(line.usd >= 0 and line.quantity >= 0 for line in bill.lines)


def test_idle_is_the_bill_of_a_workload_of_nothing(model: CostModel) -> None:
    nothing = dataclasses.replace(
        model.workload,
        uploads_per_day=0.0,
        active_users_per_month=0.0,
        machine_tokens_per_day=0.0,
        peak_concurrent_uploads=0.0,
        peak_users=0.0,
    )
    idle = model.idle_bill()
    assert idle.usd == dataclasses.replace(model, workload=nothing).bill().usd
    assert 0 < idle.usd < model.bill().usd
    assert idle.of(Driver.TRANSFER, Driver.API) == 0
    assert idle.usd_per(idle.stored_gb) == idle.usd_per(idle.uploaded_gb) == math.inf


def test_an_idle_dev_costs_less_than_an_idle_staging_and_that_less_than_prod(workload: Workload) -> None:
    prices = PriceList.read()
    dev, staging, prod = (
        CostModel(stage=stage, workload=workload, prices=prices).idle_bill().usd for stage in ("dev", "staging", "prod")
    )
    assert dev < staging < prod


def test_people_of_companies_are_billed_at_their_own_price_where_there_are_companies(
    workload: Workload, prices: PriceList
) -> None:
    model = CostModel(stage="dev", workload=small_workload(workload), prices=prices, free_tier=True)
    inventory = small_inventory(settings_of("dev"))
    lines = {line.item: line for line in model.bill(inventory=inventory).lines}
    assert lines["active users, essentials tier"].quantity == 100
    assert "active users of companies" not in lines
    with_company = dataclasses.replace(inventory, companies=1)
    everybody = dataclasses.replace(model.workload, company_users_percent=100.0)
    lines = {
        line.item: line for line in dataclasses.replace(model, workload=everybody).bill(inventory=with_company).lines
    }
    assert lines["active users, essentials tier"].quantity == 0
    # 100 people, of whom 50 are free
    assert lines["active users of companies"].usd == pytest.approx(50 * 0.015)


def test_the_function_that_reads_a_companys_groups_is_billed_once_a_visit(
    workload: Workload, prices: PriceList
) -> None:
    visiting = dataclasses.replace(small_workload(workload), visits_per_user=10_000.0)
    model = CostModel(stage="dev", workload=visiting, prices=prices)
    inventory = small_inventory(settings_of("dev"))
    asking = dataclasses.replace(inventory, token_function_gib=0.125)
    without, with_it = (
        {line.item: line.quantity for line in model.bill(inventory=each).lines if line.price.driver is Driver.LAMBDA}
        for each in (inventory, asking)
    )
    assert with_it["invocations"] - without["invocations"] == pytest.approx(100 * 10_000)
    seconds = 100 * 10_000 * visiting.token_function_milliseconds / 1000
    assert with_it["duration"] - without["duration"] == pytest.approx(seconds * 0.125)


MORE: Mapping[str, Any] = {
    "uploads_per_day": 2_000.0,
    "mean_video_mb": 5_000.0,
    "downloads_per_video": 5.0,
    "watched_days": 90.0,
    "retention_months": 18.0,
    "active_users_per_month": 9_000.0,
    "visits_per_user": 30.0,
    "library_pages_per_visit": 9.0,
    "machine_tokens_per_day": 900.0,
    "peak_hours_per_day": 9.0,
}


@pytest.mark.parametrize("field", MORE)
def test_more_of_anything_never_costs_less(full_prod: CostModel, field: str) -> None:
    more = dataclasses.replace(full_prod.workload, **{field: MORE[field]})
    assert dataclasses.replace(full_prod, workload=more).bill().usd > full_prod.bill().usd


def test_a_bill_grows_with_the_workload_at_every_size(model: CostModel) -> None:
    bills = [
        dataclasses.replace(model, workload=model.workload.scaled(factor)).bill().usd
        for factor in (0, 0.01, 0.5, 1, 7, 200)
    ]
    assert bills == sorted(bills)
    assert len(set(bills)) == len(bills)


def test_free_allowances_only_ever_take_off(model: CostModel) -> None:
    listed, taken_off = model.bill(), dataclasses.replace(model, free_tier=True).bill()
    for line, less in zip(listed.lines, taken_off.lines, strict=True):
        assert 0 <= less.usd <= line.usd
        assert less.quantity == line.quantity
    assert taken_off.usd < listed.usd


def test_parts_are_cut_as_the_platform_cuts_them(prod: CostModel) -> None:
    # 60 GB in 10,000 parts of whole MiB; 12 MB in three parts of 5 MiB
    large = dataclasses.replace(prod.workload, mean_video_mb=60_000.0)
    assert prod.bill().month.parts == 3
    assert dataclasses.replace(prod, workload=large).bill().month.parts == 9_537


def test_far_viewers_are_billed_where_they_are_served(prod: CostModel) -> None:
    def places(price_class: PriceClass) -> set[str]:
        bill = prod.bill(inventory=prod.inventory().with_settings("edge", price_class=price_class))
        prefix = "cloudfront.transfer_"
        keys = {line.price.key for line in bill.lines if line.price.driver is Driver.CDN}
        return {key.removeprefix(prefix) for key in keys if key.startswith(prefix)}

    assert places(PriceClass.CHEAPEST) == {"north_america", "europe"}
    assert places(PriceClass.MIDDLE) == {
        *("north_america", "europe", "africa_and_middle_east", "japan", "asia", "india"),
    }
    assert len(places(PriceClass.ALL)) == 8


def test_warm_instances_are_billed_all_month_and_busy_ones_while_busy(prod: CostModel) -> None:
    inventory = dataclasses.replace(prod.inventory(), warm={"multipart_init": Warm(low=2, high=10)})
    workload = dataclasses.replace(prod.workload, peak_hours_per_day=6.0)
    bill = dataclasses.replace(prod, workload=workload).bill(inventory=inventory)
    lines = {line.item: line.quantity for line in bill.lines}
    # 1 GiB each: two all month, eight more (the peak needs 22) a quarter of it
    assert lines["warm instances"] == pytest.approx((2 + 8 / 4) * 730 * 3_600)
    on_warm = bill.month.function_calls["multipart_init"] * 0.245
    assert lines["duration on warm instances"] == pytest.approx(on_warm)
    cold = {line.item: line.quantity for line in dataclasses.replace(prod, workload=workload).bill().lines}
    assert lines["duration"] == pytest.approx(cold["duration"] - on_warm)


def test_what_settings_turn_on_is_billed(workload: Workload, prices: PriceList) -> None:
    model = CostModel(stage="dev", workload=dataclasses.replace(workload, machine_tokens_per_day=24.0), prices=prices)
    off = dataclasses.replace(small_inventory(settings_of("dev")), destinations=1)
    on = (
        off.with_settings("notifications", notification_emails=("a@example.com", "b@example.com"))
        .with_settings("sign_in", machine_client=True)
        .with_settings("observability", cost_figure=True)
    )
    before, after = ({line.item: line.quantity for line in model.bill(inventory=each).lines} for each in (off, on))
    messages = after["messages"]
    added = {
        "mails about videos": 2 * messages,
        "machine clients": 1,
        "machine tokens": 730,
        "queries of Cost Explorer": 730 / 24,
    }
    assert {item: before[item] for item in added} == dict.fromkeys(added, 0)
    assert {item: after[item] for item in added} == pytest.approx(added)
    # Five pollers ask every 20 s; a message is sent, received and deleted.
    assert after["notification queues"] == pytest.approx(5 * 730 * 3_600 / 20 + 3 * messages)


def test_every_use_of_a_key_fills_the_trail_where_it_keeps_management_events(
    workload: Workload, prices: PriceList
) -> None:
    workload = dataclasses.replace(
        small_workload(workload), log_bytes=dict.fromkeys(workload.log_bytes, 0.0) | {"trail_event": 1_000.0}
    )
    data_only = dataclasses.replace(small_inventory(settings_of("dev")), trails=1)
    both = data_only.with_settings("observability", trail_management_events=True)
    model = CostModel(stage="dev", workload=workload, prices=prices)
    before, after = (model.bill(inventory=inventory) for inventory in (data_only, both))
    # The small month's: two for a token, a message, a hundredth of S3's requests, one for each file of the trail.
    uses = 3_650 * 3 + (3_650 * 2 + 3_650 * 28 + 2 * 8_760 + 730 * 3 + 3_650 * 2 + 3_650 * 40 + 8_760) * 0.01 + 8_760
    line = next(line for line in after.lines if line.price.key == "cloudtrail.management_events")
    assert (line.quantity, line.usd) == (pytest.approx(uses), 0)
    assert after.month.log_bytes - before.month.log_bytes == pytest.approx(uses * 1_000)
    assert after.usd > before.usd
    assert after.month.trail_events == before.month.trail_events


def test_a_malware_scan_is_billed_by_what_it_scans(prices: PriceList, workload: Workload) -> None:
    model = CostModel(stage="dev", workload=workload, prices=prices)
    before, scanning = model.bill(), model.bill((("malwareScan", True),))
    added = {line.price.key: line for line in scanning.lines if line.price.key.startswith(("guardduty", "eventbridge"))}
    assert set(added) == {"guardduty.scanned_data", "guardduty.scanned_objects", "eventbridge.opt_in_events"}
    assert added["guardduty.scanned_objects"].quantity == scanning.month.completed
    scanned_gib = scanning.month.completed * workload.mean_video_bytes / GIB
    assert added["guardduty.scanned_data"].quantity == pytest.approx(scanned_gib)
    assert not {line.price.key for line in before.lines} & set(added)
    assert scanning.usd - before.usd > sum(line.usd for line in added.values()), "its calls and metrics cost as well"


def test_renditions_are_billed_by_storage_and_computing_time(prices: PriceList, workload: Workload) -> None:
    workload = dataclasses.replace(workload, converted_percent=0)
    model = CostModel(stage="dev", workload=workload, prices=prices)
    before, copying = model.bill(), model.bill((("renditions", True),))
    (stored,) = (line for line in copying.lines if line.item == "renditions")
    assert stored.quantity * GIB == pytest.approx(copying.month.stored.rendition_bytes)
    assert 0 < stored.quantity < copying.month.stored.video_bytes / GIB * workload.copied_percent / 100 + 1
    before_seconds, seconds = (
        next(line.quantity for line in bill.lines if line.item == "duration") for bill in (before, copying)
    )
    copied = copying.month.copied * workload.mean_video_mb / workload.copied_mb_per_second
    memory_gib = copying.month.inventory.memory_gib["video_processing"]
    assert seconds - before_seconds == pytest.approx(copied * memory_gib, rel=0.05)
    assert "renditions" not in {line.item for line in before.lines}
    unused = dataclasses.replace(workload, copied_percent=0, converted_percent=0)
    nobody = dataclasses.replace(model, workload=unused).bill((("renditions", True),))
    assert nobody.usd - before.usd < 1.5, "what is turned on and used by nobody costs its metrics alone"


@pytest.mark.parametrize(("megabits_per_second", "billed_seconds"), [(8.0, 12.0), (96.0, 10.0)])
def test_conversions_are_billed_by_the_minute_and_ten_seconds_at_least(
    prices: PriceList, workload: Workload, megabits_per_second: float, billed_seconds: float
) -> None:
    workload = dataclasses.replace(workload, mean_video_mb=12.0, converted_megabits_per_second=megabits_per_second)
    model = CostModel(stage="dev", workload=workload, prices=prices)
    bill = model.bill((("renditions", True),))
    minutes = [line.quantity for line in bill.lines if line.item.startswith("minutes, ")]
    assert sum(minutes) == pytest.approx(bill.month.converted * billed_seconds / 60)
    assert minutes[1] == pytest.approx(sum(minutes) * workload.tone_mapped_percent / 100)
    assert not any(line.quantity for line in model.bill().lines if line.item.startswith("minutes, "))


def test_retention_stores_less_and_costs_its_messages_and_walks(prod: CostModel) -> None:
    before = prod.bill().month
    never = prod.bill(inventory=prod.inventory().with_settings("storage", retention_days=36_500)).month
    after = prod.bill(inventory=prod.inventory().with_settings("storage", retention_days=60)).month
    assert (before.stored.expiring, never.stored.expiring) == (0, 0)
    assert never.stored.video_bytes == before.stored.video_bytes > after.stored.video_bytes
    assert after.aws["publishes"] == pytest.approx(before.aws["publishes"] + 2 * after.stored.expiring)
    assert after.aws["s3_writes"] > never.aws["s3_writes"] > before.aws["s3_writes"]
