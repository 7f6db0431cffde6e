"""Logs of a whole scenario: readable by a query, traceable by one id, and worthless to a thief."""

import json
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import quote
from uuid import uuid4

import pytest
import requests

from local.janitor_schedule import scheduled_event
from local.platform import LocalPlatform, Ports
from local.stand_in import names
from tests.end_to_end.actors import Person, StandIn, put_part, wait_until
from tests.end_to_end.log_search import PrintedLines, leaks, not_json, secrets_of_url
from tests.sign_in.browser_walk import Walk

EMAIL = "canary.bird@example.com"
PASSWORD = "a canary sings of coal"
FILE_NAME = "canary's holiday ünder gröund.mp4"


@dataclass
class Scenario:
    """Everything that one person does in a day. secrets: what they were handed, or typed, by name."""

    person: Person
    printed: PrintedLines
    secrets: dict[str, str]
    uploads: dict[str, dict[str, Any]] = field(default_factory=dict[str, dict[str, Any]])
    correlation_ids: dict[str, str] = field(default_factory=dict[str, str])

    def as_upload(self, name: str) -> Person:
        """The person, with a correlation id for one upload."""
        self.correlation_ids[name] = f"{name}-{uuid4()}"
        return replace(self.person, correlation_id=self.correlation_ids[name])

    def keep(self, name: str, started: dict[str, Any]) -> dict[str, Any]:
        self.uploads[name] = started
        if token := started.get("uploadToken"):
            self.secrets[f"upload token of {name}"] = token
        for field_name in ("policy", "x-amz-signature", "x-amz-security-token", "x-amz-credential"):
            if value := started.get("fields", {}).get(field_name):
                self.secrets[f"form's {field_name} of {name}"] = value
        self.keep_urls(name, started)
        return started

    def keep_urls(self, name: str, answer: dict[str, Any]) -> None:
        urls = [part["url"] for part in answer.get("presignedUrls", [])]
        urls += [answer[kind] for kind in ("posterUrl", "playbackUrl", "downloadUrl") if answer.get(kind)]
        for index, url in enumerate(urls):
            self.secrets |= secrets_of_url(f"{name} {index} {len(self.secrets)}", url)

    def lines(self, name: str) -> list[dict[str, Any]]:
        return self.printed.about(self.uploads[name]["videoId"])

    def messages(self, name: str) -> list[str]:
        return [line["message"] for line in self.lines(name) if "message" in line]


@pytest.fixture(scope="module")
def scenario(small_video: bytes) -> Scenario:
    printed = PrintedLines()
    variables = {"COMPLETION_PATIENCE_SECONDS": "2"}
    with LocalPlatform(data_dir=None, ports=Ports.free(), api_variables=variables, on_line=printed.add) as platform:
        scenario = Scenario(*_signed_in(platform, printed))
        stand_in = StandIn(platform.stand_in_url)
        _upload_in_parts(scenario, small_video)
        _send_no_video(scenario)
        _upload_small(scenario, small_video)
        _give_up(scenario)
        _be_refused(scenario)
        _meet_a_failure(scenario, stand_in)
        _tell_progress(scenario)
        _delete(scenario)
        _repeat_an_event(scenario, stand_in)
        _let_the_janitor_sweep(scenario, stand_in)
    return scenario


def _signed_in(platform: LocalPlatform, printed: PrintedLines) -> tuple[Person, PrintedLines, dict[str, str]]:
    platform.sign_in.create_user(EMAIL, PASSWORD)
    walk = Walk(platform.sign_in.authority_url, redirect_uri=f"{platform.site_url}/")
    code = walk.code(EMAIL, PASSWORD)
    tokens = walk.exchange(code).json()
    refreshed = walk.refresh(tokens["refresh_token"]).json()
    secrets = {
        "e-mail": EMAIL,
        "password": PASSWORD,
        "file name": FILE_NAME,
        "stem of the file name": "canary's holiday",
        "secret access key": names.SECRET_KEY,
        "sign-in code": code,
        "access token": tokens["access_token"],
        "ID token": tokens["id_token"],
        "refresh token": tokens["refresh_token"],
        "renewed access token": refreshed["access_token"],
    }
    return Person(platform, EMAIL, refreshed["access_token"]), printed, secrets


def _upload_in_parts(scenario: Scenario, video: bytes) -> None:
    person = scenario.as_upload("watched")
    started = scenario.keep("watched", person.start(len(video), FILE_NAME))
    token = started["uploadToken"]
    # Of the later calls one comes without the id: the platform remembers it.
    forgetful = replace(person, correlation_id="")
    again = forgetful.call("POST", "/multipart/parts", {"parts": [{"partNumber": 1}]}, token).json()
    scenario.keep_urls("watched", again)
    parts = [{"partNumber": 1, "etag": put_part(again["presignedUrls"][0], video, len(video))}]
    assert person.call("GET", "/multipart/parts", token=token).status_code == 200
    assert person.complete(started, parts, checksumCRC64NVME="AAAAAAAAAAA=").status_code == 400
    for _ in range(2):
        assert person.complete(started, parts).status_code == 200
    scenario.keep_urls("watched", person.wait_for(started["videoId"], "ready"))


def _send_no_video(scenario: Scenario) -> None:
    person = scenario.as_upload("refused")
    started = scenario.keep("refused", person.upload(b"no video at all " * 64, file_name=FILE_NAME))
    person.wait_for(started["videoId"], "rejected")


def _upload_small(scenario: Scenario, video: bytes) -> None:
    person = scenario.as_upload("small")
    body = {"fileName": FILE_NAME, "contentType": "video/mp4", "sizeBytes": len(video)}
    offered = scenario.keep("small", person.call("POST", "/upload", body).json())
    sent = requests.post(offered["url"], data=offered["fields"], files={"file": (FILE_NAME, video)}, timeout=30)
    assert sent.ok, sent.text
    scenario.keep_urls("small", person.wait_for(offered["videoId"], "ready"))


def _give_up(scenario: Scenario) -> None:
    person = scenario.as_upload("given-up")
    started = scenario.keep("given-up", person.start(100, FILE_NAME))
    assert person.call("POST", "/multipart/abort", {}, started["uploadToken"]).status_code == 200


def _be_refused(scenario: Scenario) -> None:
    person = scenario.as_upload("never-begun")
    wrong_type = {"fileName": f"{FILE_NAME}.exe", "contentType": "video/mp4", "sizeBytes": 1}
    assert person.call("POST", "/multipart/init", wrong_type).status_code == 415
    unknown_field = {"fileName": FILE_NAME, "contentType": "video/mp4", "sizeBytes": 1, EMAIL: PASSWORD}
    assert person.call("POST", "/multipart/init", unknown_field).status_code == 400
    token = scenario.uploads["watched"]["uploadToken"]
    forged = token[:-4] + ("AAAA" if token[-4:] != "AAAA" else "BBBB")
    scenario.secrets["forged upload token"] = forged
    assert person.call("GET", "/multipart/parts", token=forged).status_code == 401
    assert person.call("GET", "/videos", token="no.token.at-all").status_code == 401


def _meet_a_failure(scenario: Scenario, stand_in: StandIn) -> None:
    stand_in.fail("CreateMultipartUpload", status=400, code="MalformedXML", times=1)
    person = scenario.as_upload("failed")
    body = {"fileName": FILE_NAME, "contentType": "video/mp4", "sizeBytes": 10}
    assert person.call("POST", "/multipart/init", body).status_code == 500
    stand_in.heal()


def _tell_progress(scenario: Scenario) -> None:
    """Report progress as a client does, and as an attacker who would like a metric of their own."""
    told = {
        "event": "uploadState",
        "at": 1_769_860_800_000,
        "videoId": scenario.uploads["watched"]["videoId"],
        "correlationId": scenario.correlation_ids["watched"],
        "sizeBytes": 10,
        "sentBytes": 10,
        "state": "processing",
    }
    minted = {"Timestamp": 1, "CloudWatchMetrics": [{"Namespace": "VideoUpload", "Dimensions": [[]], "Metrics": []}]}
    for hostile in ({**told, "_aws": minted}, {**told, "state": '"}\n{"_aws": {}}'}, {**told, "sizeBytes": 1e300}):
        refused = scenario.person.call("POST", "/progress", {"client": "web/1", "events": [told, hostile]})
        assert refused.status_code == 400, refused.text
    answer = scenario.person.call("POST", "/progress", {"client": "web/1", "events": [told]})
    assert (answer.status_code, answer.json()) == (200, {"accepted": 1})


def _delete(scenario: Scenario) -> None:
    person = replace(scenario.person, correlation_id=scenario.correlation_ids["watched"])
    assert person.call("DELETE", f"/videos/{scenario.uploads['watched']['videoId']}").status_code == 200


def _repeat_an_event(scenario: Scenario, stand_in: StandIn) -> None:
    stored = {"bucket": {"name": names.VIDEO_BUCKET}, "object": {"key": scenario.uploads["small"]["fileKey"]}}
    _send_event(scenario, stand_in, {"Records": [{"s3": stored}]}, "duplicate event ignored")


def _let_the_janitor_sweep(scenario: Scenario, stand_in: StandIn) -> None:
    _send_event(scenario, stand_in, scheduled_event(), "sweep finished")


def _send_event(scenario: Scenario, stand_in: StandIn, event: dict[str, Any], answer: str) -> None:
    """Send an event as S3 and the schedule do. answer: the function's answer to it."""
    queue_url = names.queue_url(stand_in.url, names.EVENTS_QUEUE)
    stand_in.client("sqs").send_message(QueueUrl=queue_url, MessageBody=json.dumps(event))
    wait_until(lambda: any(answer in line for line in scenario.printed.of_functions()) or None)


def test_every_line_of_our_functions_is_one_json_object(scenario: Scenario) -> None:
    assert not_json(scenario.printed.of_functions()) == []
    assert len(scenario.printed.of_functions()) > 30


def test_no_line_of_any_process_shows_a_secret_or_a_name(scenario: Scenario) -> None:
    lines = [line for _, line in scenario.printed.lines]
    assert leaks(lines, scenario.secrets) == []
    # The search was for all of it: each kind of secret was there to be found.
    for kind in ("X-Amz-Signature of", "upload token of", "form's policy", "e-mail"):
        assert any(kind in name for name in scenario.secrets), kind


UPLOAD_STORIES = {
    "watched": {
        *("upload started", "parts signed", "completion refused", "request refused", "upload completed"),
        *("video ready", "subscribers notified", "viewing URLs issued", "progress reported", "video deleted"),
    },
    "refused": {"upload started", "upload completed", "video rejected", "subscribers notified"},
    "small": {"small upload started", "video ready", "subscribers notified", "duplicate event ignored"},
    "given-up": {"upload started", "upload aborted"},
}


@pytest.mark.parametrize("name", UPLOAD_STORIES)
def test_one_id_leads_through_the_whole_story_of_an_upload(scenario: Scenario, name: str) -> None:
    lines = scenario.lines(name)
    assert UPLOAD_STORIES[name] <= set(scenario.messages(name))
    assert {line.get("correlationId") for line in lines} == {scenario.correlation_ids[name]}
    assert {line.get("owner") for line in lines} == {scenario.person.owner}
    if name != "small":
        # A client names its video and leaves the multipart upload's id to the platform.
        held = [line for line in lines if line.get("message") != "progress reported"]
        assert {line.get("uploadId") for line in held} == {scenario.uploads[name]["uploadId"]}
    assert all(line.get("requestId") for line in lines)
    by_id = [
        line for line in scenario.printed.documents() if line.get("correlationId") == scenario.correlation_ids[name]
    ]
    assert {line.get("videoId") for line in by_id} == {scenario.uploads[name]["videoId"]}


def test_metrics_of_an_upload_carry_its_ids_beside_their_values(scenario: Scenario) -> None:
    metrics = {metric for line in scenario.lines("watched") if "_aws" in line for metric in line if metric[0].isupper()}
    assert {"UploadsStarted", "UploadsCompleted", "UploadsReady"} <= metrics


def test_what_a_client_tells_is_counted_once_under_a_name_that_it_cannot_choose(scenario: Scenario) -> None:
    told = [line for line in scenario.printed.documents() if line.get("message") == "progress reported"]
    assert [(event["state"], line["client"], line["owner"]) for line in told for event in line["events"]] == [
        ("processing", "web/1", scenario.person.owner)
    ]
    metrics = [line for line in scenario.printed.documents() if "_aws" in line]
    assert [line["ClientUploadsArrived"] for line in metrics if "ClientUploadsArrived" in line] == [[1]]
    directives = [directive for line in metrics for directive in line["_aws"]["CloudWatchMetrics"]]
    dimensions = {tuple(names) for directive in directives for names in directive["Dimensions"]}
    assert dimensions <= {("Stage",), ("ApiName", "Stage"), ("QueueName",)}


def test_the_figures_of_a_sweep_belong_to_no_upload(scenario: Scenario) -> None:
    gauges = [line for line in scenario.printed.documents() if "UploadsInFlight" in line]
    assert gauges
    assert not any("videoId" in line or "correlationId" in line for line in gauges)


def test_a_refusal_tells_status_code_and_time_but_not_what_was_asked(scenario: Scenario) -> None:
    refusals = [line for line in scenario.printed.documents() if line.get("message") == "request refused"]
    assert {(line["route"], line["status"], line["code"]) for line in refusals} >= {
        ("POST /multipart/init", 415, "unsupported_video_type"),
        ("POST /multipart/init", 400, "invalid_request"),
        ("POST /multipart/init", 500, "internal_error"),
        ("POST /multipart/complete", 400, "checksum_mismatch"),
    }
    assert all(line["durationMilliseconds"] >= 0 for line in refusals)
    assert {line["level"] for line in refusals if line["status"] >= 500} == {"WARNING"}


def test_what_fails_unforeseen_is_told_once_with_its_reason(scenario: Scenario) -> None:
    lines = [line for line in scenario.printed.documents() if line.get("level") == "ERROR"]
    # A janitor that a busy machine keeps waiting tells of it, too, and of no request.
    failed = [line for line in lines if line["function"] != "janitor"]
    told = [(line.get("correlationId"), line.get("exception", {}).get("type")) for line in failed]
    assert told == [(scenario.correlation_ids["failed"], "ClientError")], failed
    assert "create_multipart_upload" in failed[0]["exception"]["stackTrace"]


@pytest.mark.parametrize(
    "kind", ["e-mail", "password", "file name", "access token", "refresh token", "secret access key"]
)
def test_the_search_finds_what_is_planted(scenario: Scenario, kind: str) -> None:
    secret = scenario.secrets[kind]
    planted = [json.dumps({"message": f"starting {secret}"}), f"GET /?q={quote(secret)}"]
    for line in planted:
        assert leaks([line], scenario.secrets), line


def test_the_search_finds_half_a_token_and_any_signed_url(scenario: Scenario) -> None:
    token = scenario.secrets["upload token of watched"]
    assert leaks([f"refused {token.split('.')[0]}"], scenario.secrets)
    assert leaks(["GET https://a.b/c?X-Amz-Signature=00"], {})
    assert leaks(["all is well"], scenario.secrets) == []
    assert not_json(['{"a": 1}', "Traceback (most recent call last):", '"text"', ""]) == [
        *("Traceback (most recent call last):", '"text"', "")
    ]
