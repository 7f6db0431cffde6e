"""The proof of a deployed stage, here against the local platform."""

import re
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import botocore.session
import pytest
from botocore.validate import ParamValidator

import deploy.smoke as smoke_module
from deploy.smoke import MachineClient, Smoke, run
from deploy.smoke_metrics import counted_by_cloudwatch
from local.platform import LocalPlatform
from tests.end_to_end.actors import StandIn


def machine_of(platform: LocalPlatform) -> MachineClient:
    client = platform.sign_in.machine_client
    return MachineClient(client.client_id, str(client.secret))


class _Closed(BaseHTTPRequestHandler):
    """Refuses every call, as API Gateway does by a resource policy."""

    def do_GET(self) -> None:
        self.send_response(403)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base's name
        pass


@pytest.fixture
def closed_address() -> Iterator[str]:
    server = HTTPServer(("127.0.0.1", 0), _Closed)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/api"
    server.shutdown()
    server.server_close()


def test_every_step_of_the_smoke_test_holds(platform: LocalPlatform, capsys: pytest.CaptureFixture[str]) -> None:
    smoke = Smoke(platform.site_url, machine_of(platform))
    assert run(smoke), capsys.readouterr().out
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == len(smoke.steps)
    assert all(line.startswith("ok ") for line in lines)
    (told,) = [line for line in lines if "tell progress" in line]
    assert re.search(r"the metric ClientUploadsArrived rose from \d+ to \d+", told), told


def test_progress_that_becomes_no_metric_fails_and_without_a_witness_nothing_is_claimed(
    platform: LocalPlatform, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(smoke_module, "METRIC_SECONDS", 0)
    assert not run(Smoke(platform.site_url, machine_of(platform), arrived_count=lambda: 3.0))
    assert "FAILED  tell progress: after 0 s the metric ClientUploadsArrived is still 3" in capsys.readouterr().out
    monkeypatch.setattr(smoke_module, "LOCAL_STAGE", "another")
    assert run(Smoke(platform.site_url, machine_of(platform)))
    assert "only with --stage can the metric be checked" in capsys.readouterr().out


def test_cloudwatch_is_asked_for_the_one_metric_of_the_stage() -> None:
    asked: list[dict[str, Any]] = []

    class CloudWatch:
        def get_metric_data(self, **request: Any) -> dict[str, Any]:
            asked.append(request)
            return {"MetricDataResults": [{"Id": "arrived", "Values": [1.0, 2.0]}]}

    assert counted_by_cloudwatch(CloudWatch(), "prod")() == 3
    (query,) = asked[0]["MetricDataQueries"]
    assert query["MetricStat"]["Metric"] == {
        "Namespace": "VideoUpload",
        "MetricName": "ClientUploadsArrived",
        "Dimensions": [{"Name": "Stage", "Value": "prod"}],
    }
    # AWS's own model of the call takes it.
    shape: Any = (
        botocore.session.get_session().get_service_model("cloudwatch").operation_model("GetMetricData").input_shape
    )
    assert not ParamValidator().validate(asked[0], shape).has_errors()


def test_a_step_that_fails_is_named_and_nothing_is_left_behind(
    platform: LocalPlatform, stand_in: StandIn, capsys: pytest.CaptureFixture[str]
) -> None:
    stand_in.fail("ListParts", status=404, code="NoSuchUpload", times=1)
    smoke = Smoke(platform.site_url, machine_of(platform))
    assert not run(smoke)
    assert "FAILED  list parts" in capsys.readouterr().out
    stand_in.heal()
    assert not smoke._api.list_open_uploads()


def test_an_api_that_answers_past_the_edge_fails(platform: LocalPlatform, capsys: pytest.CaptureFixture[str]) -> None:
    # Nothing stands before the local API, so its address is open as a stage's would be without its policy.
    assert not run(Smoke(platform.site_url, machine_of(platform), f"{platform.site_url}/api"))
    said = capsys.readouterr().out
    assert "FAILED  refuse calls past the edge: the API's own address answered 200 instead of 403" in said


def test_an_api_that_refuses_calls_past_the_edge_passes(platform: LocalPlatform, closed_address: str) -> None:
    smoke = Smoke(platform.site_url, machine_of(platform), closed_address)
    assert smoke.refuse_calls_past_the_edge in smoke.steps
    assert "refuses every call" in smoke.refuse_calls_past_the_edge()


def test_a_wrong_secret_fails_at_signing_in(platform: LocalPlatform, capsys: pytest.CaptureFixture[str]) -> None:
    wrong = MachineClient(machine_of(platform).client_id, "wrong")
    assert not run(Smoke(platform.site_url, wrong))
    assert "FAILED  sign in" in capsys.readouterr().out


def test_a_site_that_is_away_is_named_with_the_reason(capsys: pytest.CaptureFixture[str]) -> None:
    assert not run(Smoke("http://127.0.0.1:9", MachineClient("machine", "secret")))
    said = capsys.readouterr().out
    assert said == "FAILED  serve the page: http://127.0.0.1:9/ cannot be reached (Connection refused)\n"
