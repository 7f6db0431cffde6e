"""The functions' log lines as a person at a terminal sees them."""

import json

import pytest

from local.__main__ import _printer
from local.log_lines import readable

WARNING = {"level": "WARNING", "logger": "chalicelib.core.janitor", "message": "object missing", "videoId": "v-1"}
FAILURE = {"level": "ERROR", "logger": "a", "message": "failed", "exception": {"stackTrace": "Traceback\n  OSError"}}


def test_warnings_are_put_in_words_with_the_video_they_are_about() -> None:
    assert readable(json.dumps(WARNING)) == "WARNING chalicelib.core.janitor: object missing (videoId v-1)"


def test_a_warning_says_why_and_about_which_destination() -> None:
    warning = {"level": "WARNING", "logger": "a", "message": "not delivered", "destination": "billing", "reason": "500"}
    assert readable(json.dumps(warning)) == "WARNING a: not delivered, destination billing, reason 500"


def test_a_failure_shows_its_trace() -> None:
    assert readable(json.dumps(FAILURE)) == "ERROR a: failed\nTraceback\n  OSError"


@pytest.mark.parametrize("line", [{"level": "INFO", "message": "upload started"}, {"_aws": {}, "UploadsStarted": [1]}])
def test_lines_for_the_log_collector_are_hidden_from_people(line: object) -> None:
    assert readable(json.dumps(line)) is None


@pytest.mark.parametrize("line", ["ready http://127.0.0.1:1", "Traceback (most recent call last):", "{half a line"])
def test_other_text_than_log_lines_is_shown_as_it_is(line: str) -> None:
    assert readable(line) == line


def test_verbose_shows_everything_as_it_was_printed(capsys: pytest.CaptureFixture[str]) -> None:
    lines = [json.dumps(line) for line in (WARNING, {"level": "INFO"}, {"_aws": {}})]
    for verbose, shown in ((False, 1), (True, 3)):
        show = _printer(verbose=verbose)
        for line in lines:
            show("site", line)
        assert len(capsys.readouterr().out.splitlines()) == shown
