"""Signing in through the browser, and tokens that are renewed without one."""

from __future__ import annotations

import json
import stat
import threading
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from tests.cli.conftest import Cli, sign_somebody_in
from tests.cli.fake_platform import FakePlatform
from video_upload.credentials import StoredCredentials


def open_like_a_browser(url: str) -> int:
    try:
        with urllib.request.urlopen(url, timeout=10) as response:  # noqa: S310 - a loopback URL of the fake's
            return response.status
    except urllib.error.HTTPError as error:
        with error:
            return error.code


def test_signing_in_and_out_through_the_browser(platform: FakePlatform, cli: Cli) -> None:
    with cli.start("login", platform.url, "--no-browser") as process:
        assert process.stdout is not None
        url = process.stdout.readline().strip()
        stranger = url.partition("redirect_uri=")[2].partition("&")[0]
        assert stranger.startswith("http%3A%2F%2F127.0.0.1%3A536")
        redirect_uri = stranger.replace("%3A", ":").replace("%2F", "/")
        assert open_like_a_browser(f"{redirect_uri}?code=stolen&state=guessed") == 400
        assert open_like_a_browser(url) == 200
        _, errors = process.communicate(timeout=20)
    assert process.returncode == 0, errors
    stored = cli.home / "profiles" / "fake.json"
    assert stat.S_IMODE(stored.stat().st_mode) == 0o600
    assert json.loads(stored.read_bytes())["sign_in"]["access_token"] in platform.sign_in.access_tokens
    assert json.loads(cli.run("list", "--json").stdout) == {"videos": []}

    assert cli.run("logout").returncode == 0
    assert not stored.exists()
    assert platform.sign_in.refresh_tokens == set()
    assert cli.run("list").returncode == 3


def test_a_declined_sign_in_says_so(platform: FakePlatform, cli: Cli) -> None:
    platform.sign_in.declines = True
    with cli.start("login", platform.url, "--no-browser") as process:
        assert process.stdout is not None
        open_like_a_browser(process.stdout.readline().strip())
        _, errors = process.communicate(timeout=20)
    assert process.returncode == 1
    assert "You said no." in errors
    assert not (cli.home / "profiles" / "fake.json").exists()


@pytest.mark.parametrize("address", ["http://example.test", "ftp://127.0.0.1:9"])
def test_an_unsafe_site_address_is_refused(cli: Cli, address: str) -> None:
    refused = cli.run("login", address, "--no-browser")
    assert refused.returncode == 1
    assert "only https" in refused.stderr


def test_an_issuer_that_is_another_is_refused(platform: FakePlatform, cli: Cli) -> None:
    platform.sign_in.issuer = "https://elsewhere.test"
    assert (
        "the issuer of its sign-in is https://elsewhere.test" in cli.run("login", platform.url, "--no-browser").stderr
    )


def test_an_expired_access_token_is_renewed_silently_and_once(platform: FakePlatform, home: Path) -> None:
    credentials = sign_somebody_in(platform, home, expires_at=0)
    tokens: list[str] = []
    threads = [threading.Thread(target=lambda: tokens.append(StoredCredentials(home).access_token())) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert platform.sign_in.refreshes == 1
    assert set(tokens) == {credentials.load().access_token}


def test_a_refused_access_token_is_renewed_once_per_call(platform: FakePlatform, cli: Cli) -> None:
    sign_somebody_in(platform, cli.home)
    platform.sign_in.access_tokens.clear()
    assert cli.run("list").returncode == 0
    assert platform.sign_in.refreshes == 1
    platform.sign_in.access_tokens.clear()
    platform.sign_in.refresh_tokens.clear()
    ended = cli.run("list")
    assert ended.returncode == 3
    assert "video-upload login" in ended.stderr
