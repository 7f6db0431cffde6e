"""The status page as the site sends it."""

import json
import re
import time
from contextlib import closing
from pathlib import Path

import pytest

from local.status.metric_store import MetricStore
from local.status.status_page import StatusPage


@pytest.fixture
def page(tmp_path: Path) -> StatusPage:
    """The page of a machine on which 1,247 uploads are under way, 47 videos became ready and 2 uploads failed."""
    values = {"UploadsReady": [1] * 47, "UploadsFailed": [1, 1], "UploadsInFlight": 1247, "StoredSize": 12_345_678_901}
    metrics = [{"Name": name} for name in values]
    directive = {"Namespace": "VideoUpload", "Dimensions": [["Stage"]], "Metrics": metrics}
    described = {"Timestamp": int(time.time() * 1000), "CloudWatchMetrics": [directive]}
    file = tmp_path / "metrics.sqlite3"
    with closing(MetricStore(file)) as store:
        store.collect(json.dumps({"_aws": described, "Stage": "local", **values}))
    return StatusPage(file)


def sent(page: StatusPage, path: str = "/status") -> str:
    response = page.answer(path)
    assert response
    assert response.status_code == 200
    return response.get_data(as_text=True)


def article(html: str, key: str) -> str:
    (found,) = re.findall(rf'<article class="figure" id="{key}".*?</article>', html, re.DOTALL)
    return found


def test_it_shows_its_figures_before_any_script_runs(page: StatusPage) -> None:
    html = sent(page)
    success = article(html, "upload-success-rate")
    assert '<p class="value">95.92 <span class="unit">%</span></p>' in success
    assert re.search(r"Target: at least 99\.9 %\s*<strong class=\"\">· not met", success)
    assert '<p class="value absent">only on AWS</p>' in article(html, "cost-per-gb")
    assert '<p class="value absent">nothing yet</p>' in article(html, "error-rate")
    assert "<dt>Uploads under way</dt><dd data-live>1,247</dd>" in html
    assert '<th scope="row">Videos ready</th><td>47</td><td>47</td>' in html


def test_a_target_is_drawn_where_it_leaves_something_of_the_bars(page: StatusPage) -> None:
    html = sent(page)
    assert article(html, "upload-success-rate").count('<line class="goal"') == 1
    assert article(html, "upload-success-rate").count('<rect class="bar"') == 1
    # A daily sum has no target for a minute.
    assert '<line class="goal"' not in article(html, "storage-growth")


def test_a_file_that_cannot_be_read_is_said(tmp_path: Path) -> None:
    response = StatusPage(tmp_path / "none.sqlite3").answer("/status")
    assert response
    assert response.status_code == 503


@pytest.mark.parametrize(
    ("path", "content_type"),
    [
        ("/status.json", "application/json"),
        ("/status/status.js", "text/javascript"),
        ("/status/icon.svg", "image/svg+"),
    ],
)
def test_assets_and_figures_are_for_this_origin_only(page: StatusPage, path: str, content_type: str) -> None:
    response = page.answer(path)
    assert response
    assert response.headers["Content-Type"].startswith(content_type)
    assert response.headers["Cross-Origin-Resource-Policy"] == "same-origin"
    assert page.answer("/status/nothing") is None
