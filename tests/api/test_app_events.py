"""Events: what the functions make of S3's message and of the schedule's."""

import importlib
import logging
import sys
from collections.abc import Generator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any

import pytest
from chalice.app import Chalice

import app as handlers
from chalicelib import invocations, local_gateway
from chalicelib.core.ports import StoredObject
from chalicelib.environment import LocalSignIn

CONTEXT = SimpleNamespace(aws_request_id="lambda-1")


@pytest.fixture(autouse=True)
def plain_invocations(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    contexts: list[Any] = []

    @contextmanager
    def invocation(context: Any) -> Generator[None]:
        contexts.append(context)
        yield

    monkeypatch.setattr(invocations, "invocation", invocation)
    return contexts


def s3_event(*objects: dict[str, str]) -> dict[str, Any]:
    return {"Records": [{"s3": {"bucket": {"name": "videos"}, "object": each}} for each in objects]}


def test_each_object_of_an_event_is_processed_by_its_own_key_and_version(
    monkeypatch: pytest.MonkeyPatch, plain_invocations: list[Any]
) -> None:
    arrived: list[StoredObject] = []
    monkeypatch.setattr(
        handlers, "services", lambda: SimpleNamespace(processing=SimpleNamespace(process=arrived.append))
    )
    event = s3_event({"key": "videos/a+b/%C3%BC", "versionId": "v1"}, {"key": "videos/c%2Bd/1"})
    handlers.video_processing(event, CONTEXT)
    assert arrived == [StoredObject("videos/a b/ü", "v1"), StoredObject("videos/c+d/1", None)]
    assert plain_invocations == [CONTEXT]


def test_an_object_that_fails_fails_the_event_so_that_it_comes_again(monkeypatch: pytest.MonkeyPatch) -> None:
    def process(arrived: StoredObject) -> None:
        raise ConnectionError

    monkeypatch.setattr(handlers, "services", lambda: SimpleNamespace(processing=SimpleNamespace(process=process)))
    with pytest.raises(ConnectionError):
        handlers.video_processing(s3_event({"key": "videos/a/1"}), CONTEXT)


@pytest.mark.parametrize("is_folded", [True, False])
def test_the_schedule_sweeps_late_so_that_a_long_sweep_delays_no_count_and_no_retention(
    monkeypatch: pytest.MonkeyPatch, plain_invocations: list[Any], *, is_folded: bool
) -> None:
    done: list[str] = []

    def fold() -> bool:
        done.append("fold")
        return is_folded

    def sweep() -> dict[str, int]:
        done.append("sweep")
        return {"open": 2}

    services = SimpleNamespace(
        janitor=SimpleNamespace(sweep=sweep),
        outbox=SimpleNamespace(send_delayed=lambda: done.append("send")),
        stage_figures=SimpleNamespace(record=lambda: done.append("record")),
        stage_usage=SimpleNamespace(record=lambda: done.append("count")),
        folding=SimpleNamespace(record=fold),
        retention=SimpleNamespace(walk=lambda: done.append("walk")),
    )
    monkeypatch.setattr(handlers, "services", lambda: services)
    scheduled = dict.fromkeys(("version", "account", "region", "detail-type", "source", "time", "id"), "")
    assert handlers.janitor({**scheduled, "detail": {}, "resources": []}, CONTEXT) == {"open": 2}
    left = [] if is_folded else ["fold"]
    assert done == ["fold", "count", "record", "walk", "send", "sweep", *left]
    assert plain_invocations == [CONTEXT]


def test_every_five_minutes_is_janitors_time_and_every_new_video_is_processed() -> None:
    configs: dict[str, Any] = {config.name: config for config in handlers.app.event_sources}
    assert configs["janitor"].schedule_expression.to_string() == "rate(5 minutes)"
    assert configs["video_processing"].events == ["s3:ObjectCreated:*"]
    assert configs["video_processing"].prefix == "videos/"
    assert configs["video_processing"].bucket == handlers.ImportTimeSettings.read().video_bucket
    assert handlers.app.app_name == "video-upload"


def test_the_app_serves_every_blueprint() -> None:
    assert {"/upload", "/videos", "/multipart/init", "/multipart/complete", "/health"} <= set(handlers.app.routes)
    assert "upload_token_authorizer" in {authorizer.name for authorizer in handlers.app.builtin_auth_handlers}


def test_chalice_writes_no_lines_of_its_own() -> None:
    assert not logging.getLogger(handlers.app.app_name).handlers


@pytest.mark.parametrize("sign_in", [LocalSignIn("issuer", "issuer/keys", ""), None], ids=["chalice local", "lambda"])
def test_the_gateway_is_played_where_there_is_a_local_sign_in(
    monkeypatch: pytest.MonkeyPatch, sign_in: LocalSignIn | None
) -> None:
    installed: list[LocalSignIn] = []
    monkeypatch.setattr(LocalSignIn, "read", lambda: sign_in)
    monkeypatch.setattr(local_gateway, "install", installed.append)
    # A blueprint can be registered once: Chalice takes the methods out of its routes.
    monkeypatch.setattr(Chalice, "register_blueprint", lambda app, blueprint: None)
    monkeypatch.delitem(sys.modules, "app")
    importlib.import_module("app")
    assert installed == ([sign_in] if sign_in else [])
