"""Publishing the site, and the environment of a deployed stage on a developer's machine."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from moto import mock_aws

from chalicelib.environment import Environment
from deploy.print_environment import environment_of
from deploy.publish_site import PageNotFoundError, publish
from tests.infrastructure.recorded_program import Recording

if TYPE_CHECKING:
    from types_boto3_s3.client import S3Client

BUCKET = "site"


@pytest.fixture
def s3(monkeypatch: pytest.MonkeyPatch) -> Iterator[S3Client]:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "nobody")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "nothing")
    with mock_aws():
        client = boto3.client("s3", region_name="us-east-1")
        client.create_bucket(Bucket=BUCKET)
        yield client


@pytest.fixture
def page(tmp_path: Path) -> Path:
    (tmp_path / "app").mkdir()
    (tmp_path / "index.html").write_text("<!doctype html>")
    (tmp_path / "app" / "main.js").write_text("export {};")
    return tmp_path


def test_the_page_comes_after_what_it_needs(s3: S3Client, page: Path) -> None:
    done = publish(s3, bucket=BUCKET, page=page, config={"stage": "dev"})
    assert done.written == ("config.json", "app/main.js", "index.html")
    assert done.removed == ()


def test_browsers_get_types_they_run_and_ask_for_changes(s3: S3Client, page: Path) -> None:
    publish(s3, bucket=BUCKET, page=page, config={"stage": "dev"})
    script, config = (s3.get_object(Bucket=BUCKET, Key=key) for key in ("app/main.js", "config.json"))
    assert script["ContentType"] in ("text/javascript", "application/javascript")
    assert (script["CacheControl"], config["CacheControl"]) == ("no-cache", "no-store")
    assert json.loads(config["Body"].read()) == {"stage": "dev"}


def test_files_named_by_their_content_are_kept_by_browsers(s3: S3Client, page: Path) -> None:
    (page / "assets").mkdir()
    (page / "assets" / "index-1a2b.js").write_text("export {};")
    publish(s3, bucket=BUCKET, page=page, config={})
    assert "immutable" in s3.get_object(Bucket=BUCKET, Key="assets/index-1a2b.js")["CacheControl"]


def test_files_of_an_older_page_go_last(s3: S3Client, page: Path) -> None:
    s3.put_object(Bucket=BUCKET, Key="app/old.js", Body=b"")
    done = publish(s3, bucket=BUCKET, page=page, config={})
    assert done.removed == ("app/old.js",)
    held = {entry.get("Key") for entry in s3.list_objects_v2(Bucket=BUCKET).get("Contents", [])}
    assert held == {"config.json", "app/main.js", "index.html"}


def test_a_folder_without_a_page_is_refused_before_anything_is_written(s3: S3Client, tmp_path: Path) -> None:
    with pytest.raises(PageNotFoundError):
        publish(s3, bucket=BUCKET, page=tmp_path, config={})
    assert "Contents" not in s3.list_objects_v2(Bucket=BUCKET)


def test_the_app_runs_locally_with_a_deployed_stages_environment(recording: Recording) -> None:
    outputs: dict[str, Any] = recording.exports
    environment = environment_of(outputs)
    assert Environment.read(environment).aws_region == "eu-central-1"
    assert environment["TOKEN_ISSUER"] == outputs["authority"]
