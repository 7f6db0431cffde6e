"""Random histories keep every promise; `make soak` plays thousands of them."""

import pytest

from chalicelib.core.announcements import Announcements
from chalicelib.core.janitor import Janitor
from chalicelib.core.processing import Processed, Processing
from chalicelib.core.records import Records
from chalicelib.core.upload_links import UploadLinks
from chalicelib.core.video_record import VideoRecord
from tests.soak.__main__ import main, play
from tests.soak.history import History

HISTORIES = 60
ENOUGH_TO_NOTICE = 150


def test_no_promise_is_broken_in_sixty_histories() -> None:
    assert {seed: broken for seed in range(HISTORIES) if (broken := play(seed).broken)} == {}


def test_a_history_is_its_seed() -> None:
    first, second = History(7), History(7)
    assert first.run() == second.run()
    assert first.steps == second.steps
    assert first.platform.metadata.objects == second.platform.metadata.objects


@pytest.mark.slow  # of the judge of `make soak`, not of the platform
@pytest.mark.parametrize(
    ("owner", "method"),
    [
        (Janitor, "_remove_uninspected"),
        (Janitor, "_retry"),
        (Janitor, "_scanning"),
        (Announcements, "send_owed"),
        (Records, "close"),
    ],
    ids=lambda named: named if isinstance(named, str) else named.__name__,
)
def test_histories_notice_what_is_left_undone(monkeypatch: pytest.MonkeyPatch, owner: type, method: str) -> None:
    monkeypatch.setattr(owner, method, lambda *arguments: arguments[-1] if owner is Announcements else "left undone")
    assert any(play(seed).broken for seed in range(ENOUGH_TO_NOTICE))


def test_histories_notice_a_version_that_a_late_event_destroys(monkeypatch: pytest.MonkeyPatch) -> None:
    def destroy(self: Processing, record: VideoRecord) -> Processed:
        newest = self.videos.head(record.ref.file_key)
        for version_id in {record.version_id, newest.version_id if newest else None} - {None}:
            self.videos.delete_version(record.ref.file_key, version_id or "")
        return Processed.REMOVED

    monkeypatch.setattr(Processing, "_hide_late", destroy)
    assert any(play(seed).broken for seed in range(ENOUGH_TO_NOTICE))


def test_histories_notice_a_link_that_counts_what_was_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Records, "release_use", lambda *arguments: None)
    assert any("was given up" in each for seed in range(ENOUGH_TO_NOTICE) for each in play(seed).broken)


def test_histories_notice_a_link_that_takes_more_than_it_was_made_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(UploadLinks, "_require_room", lambda *arguments: None)
    assert any("a link for" in each for seed in range(ENOUGH_TO_NOTICE) for each in play(seed).broken)


def test_the_command_shows_the_steps_of_one_seed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--show", "3"]) == 0
    shown = capsys.readouterr().out
    assert "everything comes to rest" in shown
    assert "no promise was broken" in shown
