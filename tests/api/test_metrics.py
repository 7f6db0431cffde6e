"""Metrics as the log collector reads them."""

import json

import pytest

from chalicelib.adapters.emf_meter import EmfMeter


def test_a_value_becomes_a_metric_with_its_unit_and_the_stage(capsys: pytest.CaptureFixture[str]) -> None:
    EmfMeter("dev").record(uploads_ready_count=1, upload_throughput_bytes_per_second=5e6, processing_milliseconds=12)
    line = json.loads(capsys.readouterr().out)
    (described,) = line["_aws"]["CloudWatchMetrics"]
    assert described["Namespace"] == "VideoUpload"
    assert described["Dimensions"] == [["Stage"]]
    assert {metric["Name"]: metric["Unit"] for metric in described["Metrics"]} == {
        "UploadsReady": "Count",
        "UploadThroughput": "Bytes/Second",
        "Processing": "Milliseconds",
    }
    assert (line["Stage"], line["UploadsReady"]) == ("dev", [1.0])


def test_a_metric_that_the_catalogue_does_not_have_is_a_defect() -> None:
    with pytest.raises(KeyError, match="uploads"):
        EmfMeter("dev").record(uploads=1)
