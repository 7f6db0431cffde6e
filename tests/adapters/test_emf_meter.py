"""Metrics as CloudWatch reads them: one JSON document a line."""

import io
import json
import sys
import time
from typing import Any

import pytest
from aws_lambda_powertools.metrics import EphemeralMetrics

from chalicelib.adapters.emf_meter import EmfMeter


class Writes(io.StringIO):
    """Standard output that remembers its writes one by one."""

    def __init__(self) -> None:
        super().__init__()
        self.texts: list[str] = []

    def write(self, text: str, /) -> int:
        self.texts.append(text)
        return super().write(text)


def test_a_line_is_one_write_so_that_threads_cannot_break_it(monkeypatch: pytest.MonkeyPatch) -> None:
    output = Writes()
    monkeypatch.setattr(sys, "stdout", output)
    EmfMeter("prod").record(uploads_started_count=1, upload_size_bytes=7)
    EmfMeter("prod").record(processing_milliseconds=2.5)
    assert [text[-1] for text in output.texts] == ["\n", "\n"]


def test_names_units_and_the_stage_are_what_the_dashboard_reads(capsys: pytest.CaptureFixture[str]) -> None:
    EmfMeter("prod").record(uploads_started_count=1, upload_size_bytes=7, upload_throughput_bytes_per_second=3.5)
    document = json.loads(capsys.readouterr().out)
    (directive,) = document["_aws"]["CloudWatchMetrics"]
    assert directive["Namespace"] == "VideoUpload"
    assert directive["Dimensions"] == [["Stage"]]
    assert {metric["Name"]: metric["Unit"] for metric in directive["Metrics"]} == {
        "UploadsStarted": "Count",
        "UploadSize": "Bytes",
        "UploadThroughput": "Bytes/Second",
    }
    assert (document["Stage"], document["UploadsStarted"], document["UploadSize"]) == ("prod", [1], [7])


def test_a_line_is_what_powertools_would_write(capsys: pytest.CaptureFixture[str]) -> None:
    EmfMeter("prod").record(uploads_started_count=1, completion_milliseconds=2.5, month_cost_usd=3)
    ours = json.loads(capsys.readouterr().out)
    reference = EphemeralMetrics(namespace="VideoUpload")
    reference.set_default_dimensions(Stage="prod")
    for name, unit, value in (
        ("UploadsStarted", "Count", 1),
        ("Completion", "Milliseconds", 2.5),
        ("MonthCost", "None", 3),
    ):
        reference.add_metric(name=name, unit=unit, value=value)
    theirs: dict[str, Any] = dict(reference.serialize_metric_set())
    for line in (ours, theirs):
        assert abs(line["_aws"].pop("Timestamp") / 1000 - time.time()) < 60
    assert ours == theirs
