"""Upload links on the command line and in the library: what is refused before anything is sent."""

import pytest
from typer.testing import CliRunner

from video_upload import link_address
from video_upload.all_commands import app
from video_upload.errors import NotSignedInError, SiteError
from video_upload.link_api import LinkApi

runner = CliRunner()


@pytest.mark.parametrize(
    "arguments",
    [
        ("upload", "film.mp4", "--link", "https://videos.example.com/#link=x"),
        ("upload", "film.mp4", "--uploader", "Ada"),
        ("upload", "film.mp4", "--link", "https://videos.example.com/#link=x", "--uploader", "Ada", "--title", "Film"),
        ("upload", "film.mp4", "--link", "https://videos.example.com/#link=x", "--uploader", "Ada", "--dry-run"),
        ("link", "make", "Match day", "--size", "much"),
        ("link", "make", "Match day", "--videos", "0"),
    ],
    ids=" ".join,
)
def test_wrong_usage_is_refused_before_anything_is_asked(arguments: tuple[str, ...]) -> None:
    assert runner.invoke(app, arguments).exit_code == 2


@pytest.mark.parametrize("address", ["https://videos.example.com/", "https://videos.example.com/#other=x", "words"])
def test_an_address_that_is_no_link_is_refused(address: str) -> None:
    with pytest.raises(SiteError, match="not an upload link"):
        LinkApi.at(address, "Ada", pause=lambda seconds: None)


def test_the_address_carries_the_token_where_no_server_sees_it() -> None:
    assert link_address("https://videos.example.com", "a.b") == "https://videos.example.com/#link=a.b"


def test_a_bearer_asks_for_nothing_but_the_uploads_of_the_link() -> None:
    bearer = LinkApi("https://videos.example.com/api", "a.b", "Ada", pause=lambda seconds: None)
    with pytest.raises(NotSignedInError):
        bearer.list_videos()
    assert bearer.list_open_uploads() == ()


def test_each_link_has_journals_of_its_own() -> None:
    urls = {
        LinkApi("https://videos.example.com/api", token, "Ada", pause=lambda seconds: None).url
        for token in ("a.b", "a.c")
    }
    assert len(urls | {"https://videos.example.com/api"}) == 3
    assert not [url for url in urls if "a.b" in url or "a.c" in url]
