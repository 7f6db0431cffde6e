"""Ids of the invocation and its upload: there for every line, and gone with their invocation."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from chalicelib.core.log_context import about_upload, carried, current_ids, invocation
from tests.in_memory_platform import InMemoryPlatform


def test_an_invocation_begins_with_nothing_of_the_last_one_even_if_that_failed() -> None:
    def fail_in_the_middle() -> None:
        with invocation(request_id="r-1"):
            about_upload(video_id="v-1")
            assert current_ids() == {"requestId": "r-1", "videoId": "v-1"}
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail_in_the_middle()
    assert current_ids() == {}
    with invocation(request_id="r-2"):
        assert current_ids() == {"requestId": "r-2"}


def test_a_second_upload_takes_the_place_of_the_first_and_keeps_none_of_its_ids() -> None:
    with invocation(request_id="r"):
        about_upload(video_id="v-1", upload_id="u-1")
        about_upload(video_id="v-2", upload_id=None)
        assert current_ids() == {"requestId": "r", "videoId": "v-2"}
        about_upload()
        assert current_ids() == {"requestId": "r"}


def test_the_uploads_own_correlation_id_wins_over_the_callers() -> None:
    with invocation(correlation_id="of-the-call"):
        about_upload(video_id="v", correlation_id=None)
        assert current_ids()["correlationId"] == "of-the-call"
        about_upload(video_id="v", correlation_id="of-the-upload")
        assert current_ids()["correlationId"] == "of-the-upload"


def test_outside_an_invocation_nothing_is_kept() -> None:
    about_upload(video_id="v")
    assert current_ids() == {}


def test_other_threads_know_the_ids_only_if_they_are_carried_there() -> None:
    with invocation(request_id="r"), ThreadPoolExecutor(4) as workers:
        assert workers.submit(current_ids).result() == {}
        ask = carried(lambda _: current_ids())
        assert list(workers.map(ask, range(50))) == [{"requestId": "r"}] * 50


def test_a_record_of_old_without_an_id_is_still_read(platform: InMemoryPlatform) -> None:
    transfer = platform.start()
    key = transfer.started.record.ref.record_key
    body, etag, changed_at = platform.metadata.objects[key]
    assert b',"correlationId":null' in body
    platform.metadata.objects[key] = (body.replace(b',"correlationId":null', b""), etag, changed_at)
    found = platform.records.find(transfer.started.record.ref)
    assert found == transfer.started.record


def test_log_lines_during_a_completion_are_about_that_upload(platform: InMemoryPlatform) -> None:
    """Completing waits in another thread."""
    transfer = platform.start()
    said: list[dict[str, str]] = []
    platform.videos.before_complete = lambda: said.append(current_ids())
    with invocation(request_id="r"):
        transfer.send_and_complete()
    assert [(ids["requestId"], ids["uploadId"]) for ids in said] == [("r", transfer.token.upload_id)]


def test_each_look_of_a_sweep_is_about_its_own_upload_and_leaves_nothing_behind(
    platform: InMemoryPlatform, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The janitor looks in several threads at once."""
    transfers = [platform.start(owner=f"owner-{number}") for number in range(12)]
    said: dict[str, dict[str, str]] = {}
    delete = platform.videos.delete

    def listen(file_key: str) -> None:
        said[file_key] = current_ids()
        delete(file_key)

    monkeypatch.setattr(platform.videos, "delete", listen)
    platform.clock.pass_time(days=8)
    with invocation(request_id="r"):
        platform.janitor.sweep()
        assert current_ids() == {"requestId": "r"}
    assert said == {
        transfer.key: {
            "requestId": "r",
            "owner": transfer.token.owner,
            "videoId": transfer.token.video_id,
            "uploadId": transfer.token.upload_id,
        }
        for transfer in transfers
    }
