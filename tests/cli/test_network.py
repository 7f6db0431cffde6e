"""Proxies and certificate authorities: what holds for the API's calls holds for the parts."""

from __future__ import annotations

import json
import socket
import ssl
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.cli.conftest import Certificate, Cli, MakeVideo, sha256_of
from tests.cli.fake_platform import FakePlatform
from tests.cli.fake_platform_server import serve_parts_over_tls
from tests.cli.logging_proxy import CREDENTIALS, logging_proxy
from tests.cli.recorded_engine import RecordedEngine
from video_upload import session
from video_upload.errors import PartFailedError
from video_upload.network import CA_VARIABLES

KIB = 1024


def test_parts_and_calls_go_through_the_same_proxy(
    platform: FakePlatform, recorded: RecordedEngine, make_video: MakeVideo, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = make_video(256 * KIB)
    with logging_proxy(wants_password=True) as proxy:
        monkeypatch.setenv("HTTP_PROXY", f"http://{CREDENTIALS}127.0.0.1:{proxy.port}")
        video = recorded.engine.upload(path)
    assert platform.video_sha256(video.video_id) == sha256_of(path)
    assert proxy.count("PUT") == 4
    assert proxy.count("POST") == len([call for call in platform.calls if call.startswith("POST ")])


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_parts_over_tls_go_through_a_tunnel_of_the_proxy(
    platform: FakePlatform,
    recorded: RecordedEngine,
    make_video: MakeVideo,
    monkeypatch: pytest.MonkeyPatch,
    tls: ssl.SSLContext,
    *,
    scheme: str,
) -> None:
    """scheme: how the proxy itself is spoken to."""
    path = make_video(1024 * KIB)
    platform.storage.part_faults = {1: ["expired"], 2: ["slow_down"], 3: ["dropped"]}
    stop = serve_parts_over_tls(platform, tls)
    try:
        with logging_proxy(tls if scheme == "https" else None, wants_password=True) as proxy:
            monkeypatch.setenv("HTTPS_PROXY", f"{scheme}://{CREDENTIALS}127.0.0.1:{proxy.port}")
            video = recorded.engine.upload(path)
    finally:
        stop()
    assert platform.video_sha256(video.video_id) == sha256_of(path)
    assert set(proxy.log) == {f"CONNECT {platform.parts_url.removeprefix('https://')}"}
    assert proxy.tunnel_bytes > path.stat().st_size, "every part went through it"


def test_a_stop_ends_a_part_in_a_tunnel_at_once(
    platform: FakePlatform,
    recorded: RecordedEngine,
    make_video: MakeVideo,
    monkeypatch: pytest.MonkeyPatch,
    tls: ssl.SSLContext,
) -> None:
    stop = serve_parts_over_tls(platform, tls)
    try:
        with logging_proxy(tls) as proxy:
            monkeypatch.setenv("HTTPS_PROXY", f"https://127.0.0.1:{proxy.port}")
            recorded.stop_in_the_middle(make_video(1024 * KIB), after_parts=2)
    finally:
        stop()
    assert proxy.log


@pytest.mark.parametrize("exception", ["127.0.0.1", "*", "elsewhere.test,127.0.0.0/8"])
def test_no_proxy_holds_for_parts_as_for_calls(
    recorded: RecordedEngine, make_video: MakeVideo, monkeypatch: pytest.MonkeyPatch, exception: str
) -> None:
    with logging_proxy() as proxy:
        monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{proxy.port}")
        monkeypatch.setenv("NO_PROXY", exception)
        recorded.engine.upload(make_video(64 * KIB))
    assert proxy.log == []


def closed_port() -> int:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        return unused.getsockname()[1]


@pytest.mark.parametrize(
    ("proxy", "words"),
    [
        ("http://127.0.0.1:{port}", "Connection refused"),
        ("socks5h://127.0.0.1:{port}", "socks5h://127.0.0.1"),
        ("http://{wrong}", "407"),
    ],
    ids=["nobody there", "no HTTP proxy", "refuses us"],
)
def test_a_proxy_that_does_not_let_parts_through_is_named_and_never_gone_around(
    platform: FakePlatform,
    recorded: RecordedEngine,
    make_video: MakeVideo,
    monkeypatch: pytest.MonkeyPatch,
    tls: ssl.SSLContext,
    *,
    proxy: str,
    words: str,
) -> None:
    stop = serve_parts_over_tls(platform, tls)
    try:
        with logging_proxy(wants_password=True) as guarded:
            address = proxy.format(port=closed_port(), wrong=f"127.0.0.1:{guarded.port}")
            monkeypatch.setenv("HTTPS_PROXY", address)
            with pytest.raises(PartFailedError, match=words):
                recorded.engine.upload(make_video(64 * KIB))
    finally:
        stop()
    assert not platform.storage.puts


@pytest.mark.parametrize("variable", CA_VARIABLES)
def test_a_certificate_authority_of_ones_own_holds_for_parts_and_for_calls(
    platform: FakePlatform,
    recorded: RecordedEngine,
    make_video: MakeVideo,
    monkeypatch: pytest.MonkeyPatch,
    certificate: Certificate,
    *,
    variable: str,
) -> None:
    stop = serve_parts_over_tls(platform, certificate.server)
    try:
        with pytest.raises(PartFailedError, match="certificate"):
            recorded.engine.upload(make_video(64 * KIB))
        monkeypatch.setenv(variable, str(certificate.file))
        again = RecordedEngine(platform, recorded.credentials, recorded.home)
        again.api._api_url = f"{platform.parts_url}/api"
        again.engine.upload(make_video(64 * KIB))
    finally:
        stop()


@pytest.mark.parametrize("variable", CA_VARIABLES)
@pytest.mark.usefixtures("signed_in")
def test_a_file_of_authorities_that_cannot_be_used_is_told_in_one_line(
    cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    (tmp_path / "empty.pem").touch()
    for name in ("missing.pem", "empty.pem"):
        monkeypatch.setenv(variable, str(tmp_path / name))
        failed = cli.run("list", "--json")
        assert failed.returncode == 2
        error = json.loads(failed.stderr)["error"]
        assert error["code"] == "NetworkSettingError"
        assert variable in error["message"]
        assert name in error["message"]


def test_the_environment_is_read_once_for_each_host(monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[str] = []

    def proxies_of(url: str, no_proxy: str | None) -> dict[str, str]:
        read.append(url)
        return {"https": f"http://proxy-of-{urlsplit(url).hostname}:3128"}

    monkeypatch.setattr(session, "get_environ_proxies", proxies_of)
    made = session.Session()
    for address in ("https://a.test/one", "https://a.test/two", "https://b.test/one"):
        settings = made.merge_environment_settings(address, {}, None, None, None)
        assert settings["proxies"] == {"https": f"http://proxy-of-{urlsplit(address).hostname}:3128"}
        assert settings["verify"] == made.verify
    assert read == ["https://a.test/one", "https://b.test/one"]
