"""Texts of other people on a terminal: shown as they wrote them, and never obeyed."""

import io

import pytest
from msgspec.structs import replace
from rich.console import Console
from rich.progress import TextColumn

from video_upload.command_output import errors_console, results_console
from video_upload.presentation import plain, print_video
from video_upload.schemas import Video
from video_upload.upload_bars import UploadBars

HARMLESS = [
    "plain.mp4",
    "agenda:on:monday.mp4",
    ":skull: [bold red]not red[/] [link=http://evil.example]there[/link]",
    "back\\slash",
    "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645",
    "family \N{MAN}\u200d\N{WOMAN}\u200d\N{GIRL}",
    "e" + "\u0301" * 20,
]
CHANGED = [
    ("\x1b]0;title\x07\x1b[31mred", "\ufffd]0;title\ufffd\ufffd[31mred"),
    ("\x9b31m", "\ufffd31m"),
    ("film\u202e4pm.exe", "film\ufffd4pm.exe"),
    ("two\u2028lines", "two\ufffdlines"),
]
TEXTS = [*((text, text) for text in HARMLESS), *CHANGED]


VIDEO = Video(
    video_id="f" * 28,
    file_name="film.mp4",
    content_type="video/mp4",
    size_bytes=1,
    state="ready",
    created_at="2026-01-31T12:00:00Z",
    updated_at="2026-01-31T12:00:00Z",
)


@pytest.mark.parametrize("is_terminal", [False, True])
@pytest.mark.parametrize(("text", "shown"), TEXTS)
def test_results_and_errors_show_a_text_as_it_is(
    text: str, shown: str, is_terminal: bool, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    if is_terminal:
        # To rich, and one without colours.
        monkeypatch.setenv("FORCE_COLOR", "1")
        monkeypatch.setenv("TERM", "dumb")
    assert results_console().is_terminal == is_terminal
    print_video(results_console(), replace(VIDEO, title=text, uploader_name=text))
    errors_console().print(plain(text), highlight=False, soft_wrap=True)
    printed = capsys.readouterr()
    assert [line[11:] for line in printed.out.splitlines() if "title" in line[:9]] == [shown]
    assert [line[11:] for line in printed.out.splitlines() if "sent by" in line[:9]] == [shown]
    assert printed.err == f"{shown}\n"


@pytest.mark.parametrize(("text", "shown"), TEXTS)
def test_the_bar_of_a_file_shows_its_name_as_it_is(text: str, shown: str) -> None:
    bars = UploadBars(Console(file=io.StringIO(), width=400, force_terminal=True), 1, 10)
    bar = bars.add(text, 10, 0)
    name = bars._progress.columns[0]
    assert isinstance(name, TextColumn)
    (task,) = (each for each in bars._progress.tasks if each.id == bar)
    assert name.render(task).plain == shown
