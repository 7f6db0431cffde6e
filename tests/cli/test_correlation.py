"""One id for one upload: with every call, in every event and error, and never with a part."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from tests.cli.conftest import Cli, MakeVideo
from tests.cli.fake_platform import FakePlatform
from tests.cli.recorded_engine import RecordedEngine
from video_upload.errors import ApiUnreachableError, InvalidRequestError
from video_upload.events import UploadBegan

KIB = 1024
ACCEPTED = re.compile(r"[A-Za-z0-9-]{8,64}")  # docs/api.md, "One id for one upload"


def test_every_call_of_an_upload_carries_its_id_and_no_part_does(
    platform: FakePlatform, recorded: RecordedEngine, make_video: MakeVideo
) -> None:
    platform.first_page = 2  # the other parts' URLs are signed by further calls
    platform.completing_answers = platform.processing_polls = 1
    recorded.engine.upload(make_video(500 * KIB))
    (correlation_id,) = set(platform.correlation_ids)
    assert ACCEPTED.fullmatch(correlation_id)
    assert {"POST /multipart/init", "POST /multipart/parts", "POST /multipart/complete"} < set(platform.calls)
    assert set(platform.correlation_ids_of_parts) == {""}
    (began,) = [event for event in recorded.events if isinstance(event, UploadBegan)]
    assert began.correlation_id == correlation_id


def test_a_resumed_upload_keeps_its_id_and_another_file_has_another(
    platform: FakePlatform, recorded: RecordedEngine, make_video: MakeVideo
) -> None:
    platform.storage.seconds_per_part = 0.02
    path = make_video(1024 * KIB)
    recorded.stop_in_the_middle(path, after_parts=4)
    recorded.engine.upload(path)
    assert len(set(platform.correlation_ids)) == 1
    assert platform.calls.count("GET /uploads") == 1, "the journal knows it, and nothing is looked for elsewhere"
    recorded.engine.upload(make_video(KIB, "another.mp4"))
    assert len(set(platform.correlation_ids)) == 2


@pytest.mark.parametrize("times", [1, 2])
def test_a_run_that_ended_before_it_knew_the_platforms_answer_asks_again_under_the_same_id(
    platform: FakePlatform, recorded: RecordedEngine, make_video: MakeVideo, home: Path, *, times: int
) -> None:
    path = make_video(500 * KIB)
    recorded.stop_in_the_middle(path, after_parts=1)
    # Uploads of these runs are not offered as uploads from elsewhere.
    platform.only_upload().state = "expired"
    (journal,) = (home / "uploads").glob("*.jsonl")
    requested, opened, *_ = journal.read_bytes().splitlines(keepends=True)
    journal.write_bytes(requested + opened[:40])
    for _ in range(times - 1):
        platform.api_faults["/multipart/init"] = [(0, "", {})] * 8
        with pytest.raises(ApiUnreachableError):
            recorded.engine.upload(path)
    recorded.engine.upload(path)
    assert len(set(platform.correlation_ids)) == 1


@pytest.mark.parametrize("why", ["the platform gave it up", "the file has changed"])
def test_an_upload_that_starts_over_is_another_one(
    platform: FakePlatform, recorded: RecordedEngine, make_video: MakeVideo, why: str
) -> None:
    platform.storage.seconds_per_part = 0.02
    path = make_video(1024 * KIB)
    recorded.stop_in_the_middle(path, after_parts=4)
    begun_before = len(platform.correlation_ids)
    if why == "the platform gave it up":
        platform.only_upload().state = "expired"
    else:
        path.write_bytes(path.read_bytes()[:-1] + b"x")
    recorded.engine.upload(path)
    (lost,) = set(platform.correlation_ids[:begun_before])
    assert platform.calls.count("POST /multipart/init") == 2
    assert platform.correlation_ids[-1] not in {lost, ""}
    inits = [id_ for call, id_ in zip(platform.calls, platform.correlation_ids, strict=True) if call.endswith("/init")]
    assert inits == [lost, platform.correlation_ids[-1]]


def test_an_error_names_the_upload_for_programs_and_for_people(
    platform: FakePlatform, recorded: RecordedEngine, make_video: MakeVideo, cli: Cli
) -> None:
    refusal = (415, "unsupported_video_type", {})
    platform.api_faults["/multipart/init"] = [refusal] * 3
    path = make_video(KIB)
    with pytest.raises(InvalidRequestError) as refused:
        recorded.engine.upload(path)
    assert refused.value.correlation_id == platform.correlation_ids[-1]
    as_json = cli.run("upload", path, "--json")
    assert json.loads(as_json.stderr)["error"]["correlationId"] == platform.correlation_ids[-1]
    in_words = cli.run("upload", path)
    assert f"unsupported_video_type, request request-1, upload {platform.correlation_ids[-1]}" in in_words.stderr


def test_a_call_of_no_upload_carries_no_id(platform: FakePlatform, recorded: RecordedEngine) -> None:
    recorded.api.list_videos()
    assert platform.correlation_ids == [""]
