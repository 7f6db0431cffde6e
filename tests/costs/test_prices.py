"""The price list: steps, allowances, and what a price must say of itself."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest
import yaml

from costs.errors import PriceListError
from costs.prices import PriceList
from tests.infrastructure.recorded_program import PROJECT

HEAD = 'checked_on = 2026-01-01\nregion = "eu-central-1"\n[s]\nsource = "https://aws.amazon.com/"\n[s.item]\n'


def read(folder: Path, text: str) -> PriceList:
    path = folder / "prices.toml"
    path.write_text(text)
    return PriceList.read(path)


def test_prices_are_of_the_region_of_the_stages_and_dated(prices: PriceList) -> None:
    project = yaml.safe_load((PROJECT / "Pulumi.yaml").read_text())
    assert prices.region == project["config"]["aws:region"]["value"]
    assert prices.checked_on > dt.date(2026, 1, 1)
    for price in prices.by_key.values():
        assert price.source.startswith("https://aws.amazon.com/")
        assert price.confirmed or price.note


def test_prices_billed_in_us_east_1_or_at_the_edge_say_so(prices: PriceList) -> None:
    elsewhere = {key for key, price in prices.by_key.items() if price.region != prices.region}
    assert {key for key in prices.by_key if key.startswith(("cloudfront.", "waf."))} < elsewhere
    assert prices["waf.web_acls"].region == "us-east-1"
    assert prices["kms.requests"].region == "eu-central-1"


def test_only_servers_are_priced_outside_of_the_bills_groups(prices: PriceList) -> None:
    without = {key.partition(".")[0] for key, price in prices.by_key.items() if price.driver is None}
    assert without == {"ec2", "elb", "rds"}


def test_steps_are_billed_each_at_its_own_price(prices: PriceList) -> None:
    storage = prices["s3.standard_storage"]
    # 50 TB, then 450 TB, then 100 TB
    expected = 51_200 * 0.0245 + 460_800 * 0.0235 + 102_400 * 0.0225
    assert storage.cost_usd(51_200 + 460_800 + 102_400) == pytest.approx(expected)
    assert storage.cost_usd(0) == 0


def test_an_allowance_is_taken_off_before_the_first_step(prices: PriceList) -> None:
    europe = prices["cloudfront.transfer_europe"]
    assert europe.cost_usd(1_024 + 10, free=europe.free) == pytest.approx(0.85)
    assert europe.cost_usd(10, free=europe.free) == 0


def test_requests_are_billed_by_the_thousand_or_million(prices: PriceList) -> None:
    assert prices["s3.write_requests"].cost_usd(2_500) == pytest.approx(0.0135)
    assert prices["lambda.requests"].cost_usd(5_000_000) == pytest.approx(1.00)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ('unit = "GB"\nusd = 1\n', "missing required field `confirmed`"),
        ('unit = "GB"\nusd = 1\nconfirmed = false\n', "does not say where it comes from"),
        ('unit = "GB"\nusd = 1\nconfirmed = true\nprize = 2\n', "unknown field `prize`"),
        ('unit = "GB"\nusd = [[5, 1]]\nconfirmed = true\n', "do not ascend from 0"),
        ('unit = "GB"\nusd = -1\nconfirmed = true\n', ">= 0.0"),
    ],
)
def test_a_price_that_says_too_little_or_too_much_is_refused(tmp_path: Path, text: str, problem: str) -> None:
    with pytest.raises(PriceListError, match=problem):
        read(tmp_path, HEAD + text)


def test_a_price_without_a_source_is_refused(tmp_path: Path) -> None:
    text = HEAD.replace('source = "https://aws.amazon.com/"\n', "") + 'unit = "GB"\nusd = 1\nconfirmed = true\n'
    with pytest.raises(PriceListError, match="missing required field `source`"):
        read(tmp_path, text)
