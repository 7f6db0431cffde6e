"""Work that an upload does beyond its bytes: it grows neither with its parts nor with what earlier runs left behind."""

from __future__ import annotations

import gc
import os
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Cli, MakeVideo
from tests.cli.fake_platform import FakePlatform
from tests.cli.recorded_engine import RecordedEngine
from video_upload import upload_journal, video_file
from video_upload.api import VideoApi
from video_upload.engine import DEFAULT_PARALLEL, UploadEngine
from video_upload.events import PartStored, UploadEvent
from video_upload.part_urls import PARTS_PER_PAGE
from video_upload.schemas import PresignedPart
from video_upload.upload_journal import JournaledUpload, UploadJournal
from video_upload.video_types import require_video

KIB = 1024
PART = 64 * KIB
pytestmark = pytest.mark.usefixtures("signed_in")


@pytest.fixture
def folder(make_video: MakeVideo, tmp_path: Path) -> Path:
    """Three videos."""
    (tmp_path / "videos").mkdir()
    for number in range(3):
        make_video(KIB, f"videos/{number}.mp4", seed=number)
    return tmp_path / "videos"


@pytest.fixture
def heads(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Names of the files whose first bytes were looked at."""
    looked_at: list[str] = []

    def look(path: Path, head: bytes, accepted: frozenset[str]) -> None:
        looked_at.append(path.name)
        require_video(path, head, accepted)

    monkeypatch.setattr(video_file, "require_video", look)
    return looked_at


def test_the_first_bytes_of_each_file_are_read_once(cli: Cli, folder: Path, heads: list[str]) -> None:
    assert cli.run("upload", folder).returncode == 0
    assert sorted(heads) == ["0.mp4", "1.mp4", "2.mp4"]


def test_a_file_that_changes_while_it_waits_for_its_turn_is_looked_at_again(
    cli: Cli, folder: Path, heads: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    start_upload = VideoApi.start_upload

    def start_and_spoil(*arguments: object, **named: object) -> object:
        (folder / "2.mp4").write_bytes(b"no video any more")
        return start_upload(*arguments, **named)  # pyrefly: ignore[bad-argument-type] - as they came

    monkeypatch.setattr(VideoApi, "start_upload", start_and_spoil)
    done = cli.run("upload", folder, "--files", "1")
    assert heads.count("2.mp4") == 2
    assert "2.mp4: not a video" in done.stderr


def test_journals_of_earlier_runs_are_read_once_for_all_files(
    platform: FakePlatform, cli: Cli, home: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    left: list[Path] = []
    for number in range(5):
        path = folder.parent / f"gone-{number}.mp4"
        entry = JournaledUpload(
            api_url=f"{platform.url}/api",
            path=str(path),
            size_bytes=1,
            modified_ns=1,
            video_id=f"left-{number}",
            upload_token="t",
            part_size_bytes=PART,
            part_count=1,
            correlation_id=None,
        )
        with UploadJournal(home / "uploads", entry.api_url, path) as journal:
            journal.start(entry)
            left.append(journal.path)
    read: list[Path] = []
    read_entry = upload_journal.read_entry

    def note_and_read(path: Path) -> JournaledUpload | None:
        read.append(path)
        return read_entry(path)

    monkeypatch.setattr(upload_journal, "read_entry", note_and_read)
    assert cli.run("upload", folder).returncode == 0
    assert sorted(path for path in read if path in left) == sorted(left)


@pytest.fixture
def synced(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Inodes that were brought to the disk."""
    inodes: list[int] = []
    fsync = os.fsync

    def note_and_sync(descriptor: int) -> None:
        inodes.append(os.fstat(descriptor).st_ino)
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", note_and_sync)
    return inodes


def test_the_journal_of_a_new_upload_is_written_to_one_file_of_its_owner_alone(
    recorded: RecordedEngine, home: Path, make_video: MakeVideo, monkeypatch: pytest.MonkeyPatch
) -> None:
    names: set[str] = set()
    modes: set[int] = set()
    start_upload, complete = VideoApi.start_upload, VideoApi.complete

    def look(call: Callable[..., Any]) -> Callable[..., Any]:
        def look_and_call(*arguments: object) -> object:
            for path in (home / "uploads").glob("*.jsonl*"):
                names.add(f"{path.name} {path.stat().st_ino}")
                modes.add(stat.S_IMODE(path.stat().st_mode))
            return call(*arguments)

        return look_and_call

    monkeypatch.setattr(VideoApi, "start_upload", look(start_upload))
    monkeypatch.setattr(VideoApi, "complete", look(complete))
    recorded.engine.upload(make_video(3 * PART))
    assert (len(names), modes) == (1, {0o600})


@pytest.mark.parametrize("parts", [1, 20])
def test_the_journal_is_on_the_disk_before_s3_completes_and_is_brought_there_once(
    recorded: RecordedEngine,
    home: Path,
    make_video: MakeVideo,
    synced: list[int],
    monkeypatch: pytest.MonkeyPatch,
    *,
    parts: int,
) -> None:
    complete = VideoApi.complete
    at_completion: list[tuple[list[int], list[int]]] = []

    def note_and_complete(*arguments: object) -> object:
        (journal,) = (home / "uploads").glob("*.jsonl")
        at_completion.append(([*synced], [path.stat().st_ino for path in (journal, journal.parent)]))
        return complete(*arguments)  # pyrefly: ignore[bad-argument-type] - as they came

    monkeypatch.setattr(VideoApi, "complete", note_and_complete)
    recorded.engine.upload(make_video(parts * PART))
    ((before, wanted),) = at_completion
    assert before == wanted
    assert synced == wanted


def test_a_finished_file_is_on_the_disk_before_its_journal_goes(
    cli: Cli, home: Path, folder: Path, monkeypatch: pytest.MonkeyPatch, synced: list[int]
) -> None:
    forget = UploadJournal.forget
    on_disk: list[bool] = []

    def note_and_forget(journal: UploadJournal) -> None:
        if journal.path.exists():
            (finished,) = (home / "batches").glob("*.jsonl")
            on_disk.append(synced[-1] in {finished.stat().st_ino, finished.parent.stat().st_ino})
        forget(journal)

    monkeypatch.setattr(UploadJournal, "forget", note_and_forget)
    assert cli.run("upload", folder, "--files", "1").returncode == 0
    assert on_disk == [True] * 3
    assert len(synced) == 3 * 3 + 1, (
        "two for the journal, one for the list of finished files, and once that list's folder"
    )


def test_without_a_terminal_no_bar_is_moved(cli: Cli, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        pytest.fail("a bar that nobody sees")

    for name in ("__init__", "add_task", "advance", "update"):
        monkeypatch.setattr(f"rich.progress.Progress.{name}", refuse)
    done = cli.run("upload", folder)
    assert done.returncode == 0
    assert "0.mp4: Uploading 1.0 kB." in done.stderr


def test_the_urls_of_stored_parts_are_not_kept(
    platform: FakePlatform, recorded: RecordedEngine, make_video: MakeVideo
) -> None:
    platform.part_size_bytes, platform.first_page = KIB, 50
    kept: list[int] = []

    def count(event: UploadEvent) -> None:
        if isinstance(event, PartStored) and event.part_number % 100 == 0:
            # Not isinstance, which asks a dead weak proxy of another test for its class, and that raises.
            kept.append(sum(type(each) is PresignedPart for each in gc.get_objects()))

    UploadEngine(recorded.api, recorded.home, report=count).upload(make_video(300 * KIB))
    assert len(kept) == 3
    assert max(kept) <= platform.first_page + PARTS_PER_PAGE + DEFAULT_PARALLEL
