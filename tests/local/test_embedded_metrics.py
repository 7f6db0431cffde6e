"""Log lines as CloudWatch takes metrics from them."""

import json
from typing import Any

import pytest
from aws_lambda_powertools.metrics import MetricUnit

from local.status.embedded_metrics import Sample, read_samples, series_name, write_metrics

UPLOADS = series_name("VideoUpload", "UploadsReady", {"Stage": "local"})


def emf(**changes: Any) -> dict[str, Any]:
    return {
        "_aws": {
            "Timestamp": 1_700_000_000_500,
            "CloudWatchMetrics": [
                {
                    "Namespace": "VideoUpload",
                    "Dimensions": [["Stage"]],
                    "Metrics": [{"Name": "UploadsReady", "Unit": "Count"}],
                }
            ],
        },
        "Stage": "local",
        "UploadsReady": 1,
        **changes,
    }


def read(document: Any) -> list[Sample]:
    return read_samples(json.dumps(document))


def test_a_value_comes_with_its_series_and_moment() -> None:
    assert read(emf()) == [Sample(UPLOADS, 1_700_000_000.5, (1.0,))]


def test_an_array_is_many_values_of_one_moment() -> None:
    (sample,) = read(emf(UploadsReady=[1, 2.5, 3]))
    assert sample.values == (1.0, 2.5, 3.0)


def test_each_set_of_dimensions_is_a_series_of_its_own() -> None:
    document = emf(Function="janitor")
    document["_aws"]["CloudWatchMetrics"][0]["Dimensions"] = [["Stage"], ["Stage", "Function"], []]
    assert {sample.series for sample in read(document)} == {
        series_name("VideoUpload", "UploadsReady", dimensions)
        for dimensions in ({"Stage": "local"}, {"Function": "janitor", "Stage": "local"}, {})
    }


def test_metadata_is_neither_metric_nor_dimension() -> None:
    assert read(emf(videoId="0123", owner="somebody", sizeBytes=5)) == read(emf())


def test_a_declared_metric_may_be_absent() -> None:
    document = emf()
    document["_aws"]["CloudWatchMetrics"][0]["Metrics"].append({"Name": "UploadsRejected", "Unit": "Count"})
    assert [sample.series for sample in read(document)] == [UPLOADS]


@pytest.mark.parametrize(
    "line",
    [
        "worker started",
        "",
        "{",
        '{"level": "INFO", "message": "an \\"_aws\\" in a text"}',
        '["_aws"]',
        '{"_aws": 1}',
        '{"_aws": {}}',
        json.dumps(emf(UploadsReady="1")),
        json.dumps(emf(UploadsReady=True)),
        json.dumps(emf(UploadsReady=float("nan"))),
        json.dumps(emf(UploadsReady=[1] * 101)),
        json.dumps(emf(UploadsReady=10**400)),
        json.dumps(emf(_aws={**emf()["_aws"], "Timestamp": float("nan")})),
        json.dumps(emf(_aws={**emf()["_aws"], "Timestamp": "now"})),
        '{"_aws": ' + "[" * 100_000,
        json.dumps(emf(Stage=7)),
        json.dumps({name: value for name, value in emf().items() if name != "Stage"}),
        "x" + json.dumps(emf()),
    ],
)
def test_lines_that_cloudwatch_would_drop_are_dropped(line: str) -> None:
    assert read_samples(line) == []


def test_written_metrics_can_be_read(capsys: pytest.CaptureFixture[str]) -> None:
    write_metrics(
        "AWS/ApiGateway",
        {"Stage": "api", "ApiName": "videos"},
        {"4XXError": (0, MetricUnit.Count), "Latency": (12.5, MetricUnit.Milliseconds)},
    )
    (line,) = capsys.readouterr().out.splitlines()
    assert {sample.series: sample.values for sample in read_samples(line)} == {
        series_name("AWS/ApiGateway", "4XXError", {"ApiName": "videos", "Stage": "api"}): (0.0,),
        series_name("AWS/ApiGateway", "Latency", {"ApiName": "videos", "Stage": "api"}): (12.5,),
    }
