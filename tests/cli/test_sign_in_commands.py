"""Sign-in commands: profiles, their names, and the storage of tokens."""

from __future__ import annotations

import json
import stat
import subprocess
import time
from pathlib import Path

import msgspec
import pytest
from keyring.backend import KeyringBackend

from tests.cli.conftest import Cli, sign_somebody_in
from tests.cli.fake_keyring import FILE_VARIABLE, OrderlyKeyring, SilentKeyring
from tests.cli.fake_platform import FakePlatform
from tests.cli.fake_sign_in import MACHINE_SECRET
from video_upload.credentials import CLIENT_SECRET_VARIABLE, StoredCredentials
from video_upload.errors import KeyringUnavailableError
from video_upload.os_keyring import OsKeyring

LONG_TOKEN = "t" * 3000


@pytest.fixture
def orderly_keyring(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The file behind a keyring that works, in this process."""
    return choose_keyring(monkeypatch, OrderlyKeyring(), tmp_path / "keyring.json")


def choose_keyring(monkeypatch: pytest.MonkeyPatch, backend: KeyringBackend, file: Path) -> Path:
    monkeypatch.setenv(FILE_VARIABLE, str(file))
    monkeypatch.setattr("keyring.core._keyring_backend", backend)
    return file


def test_a_program_signs_in_by_a_secret_from_its_environment_which_is_kept_nowhere(
    platform: FakePlatform, cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(CLIENT_SECRET_VARIABLE, MACHINE_SECRET)
    signed_in = cli.run("login", platform.url, "--client-id", "machine")
    assert signed_in.returncode == 0, signed_in.stderr
    assert cli.run("list").returncode == 0
    assert all(MACHINE_SECRET not in path.read_text() for path in cli.home.rglob("*") if path.is_file())
    platform.sign_in.access_tokens.clear()
    assert cli.run("list").returncode == 0
    assert platform.sign_in.machine_grants == 2
    platform.sign_in.access_tokens.clear()
    monkeypatch.delenv(CLIENT_SECRET_VARIABLE)
    ended = cli.run("list")
    assert (ended.returncode, CLIENT_SECRET_VARIABLE in ended.stderr) == (3, True)


def test_a_secret_from_the_standard_input_is_kept_privately_and_used_again(platform: FakePlatform, cli: Cli) -> None:
    with cli.start(
        "login", platform.url, "--client-id", "machine", "--client-secret-stdin", stdin=subprocess.PIPE
    ) as process:
        _, errors = process.communicate(f"{MACHINE_SECRET}\n", timeout=20)
    assert process.returncode == 0, errors
    assert "in a file that only you can read" in errors
    assert stat.S_IMODE((cli.home / "profiles" / "fake.json").stat().st_mode) == 0o600
    platform.sign_in.access_tokens.clear()
    assert cli.run("list").returncode == 0


def test_a_wrong_or_missing_secret_ends_at_once_and_says_so(platform: FakePlatform, cli: Cli) -> None:
    with cli.start("login", platform.url, "--client-id", "machine") as process:
        _, errors = process.communicate(timeout=20)
    assert (process.returncode, CLIENT_SECRET_VARIABLE in errors) == (1, True)
    cli.environment[CLIENT_SECRET_VARIABLE] = "guessed"
    with cli.start("login", platform.url, "--client-id", "machine") as process:
        _, errors = process.communicate(timeout=20)
    assert (process.returncode, "wrong client secret" in errors) == (3, True)


def test_tokens_go_into_a_keyring_that_works_and_leave_it_on_signing_out(
    platform: FakePlatform, home: Path, orderly_keyring: Path
) -> None:
    credentials = StoredCredentials(home, "fake")
    plain = sign_somebody_in(platform, home).load()
    long = msgspec.structs.replace(plain, refresh_token=LONG_TOKEN)
    assert credentials.store_safely(long) == "keyring"
    assert credentials.load() == long
    on_disk = (home / "profiles" / "fake.json").read_text()
    assert "access-1" not in on_disk
    assert LONG_TOKEN[:100] not in on_disk
    assert "access-1" in orderly_keyring.read_text()
    assert credentials.forget()
    assert json.loads(orderly_keyring.read_text()) == {}


def test_a_renewed_token_replaces_the_one_in_the_keyring(
    platform: FakePlatform, home: Path, orderly_keyring: Path
) -> None:
    plain = sign_somebody_in(platform, home, expires_at=0).load()
    credentials = StoredCredentials(home, "kept")
    credentials.store_safely(plain)
    renewed = credentials.access_token()
    assert renewed in platform.sign_in.access_tokens - {"access-1"}
    assert renewed in orderly_keyring.read_text()
    assert StoredCredentials(home, "kept").access_token() == renewed


def test_a_keyring_that_never_answers_holds_nobody_up(
    platform: FakePlatform, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    choose_keyring(monkeypatch, SilentKeyring(), tmp_path / "unused")
    began = time.monotonic()
    keyring = OsKeyring(timeout_seconds=0.2)
    credentials = StoredCredentials(home, "quiet", keyring)
    assert credentials.store_safely(sign_somebody_in(platform, home).load()) == "file"
    assert credentials.access_token() == "access-1"
    with pytest.raises(KeyringUnavailableError):
        keyring.read("anything")
    assert time.monotonic() - began < 5


def test_profiles_are_named_after_stages_listed_and_switched(
    platform: FakePlatform, cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(CLIENT_SECRET_VARIABLE, MACHINE_SECRET)
    assert cli.run("login", platform.url, "--client-id", "machine").returncode == 0
    assert cli.run("login", platform.url, "--client-id", "machine", "--profile", "staging").returncode == 0
    listed = json.loads(cli.run("profiles", "--json").stdout)["profiles"]
    assert [(one["name"], one["current"], one["kind"]) for one in listed] == [
        ("fake", False, "program"),
        ("staging", True, "program"),
    ]
    assert cli.run("profiles", "use", "fake").returncode == 0
    table = cli.run("profiles").stdout
    assert "staging" in table
    assert platform.url in table
    assert cli.run("profiles", "use", "prod").returncode == 2
    assert cli.run("list", "--profile", "../fake").returncode == 2
    assert cli.run("logout", "--profile", "staging").returncode == 0
    assert cli.run("list", "--profile", "staging").returncode == 3
    assert cli.run("list").returncode == 0


@pytest.mark.parametrize("address", ["http://127.0.0.1:9", "https://127.0.0.1:9"])
def test_a_site_where_nobody_answers_is_worth_another_try_later(cli: Cli, address: str) -> None:
    failed = cli.run("login", address)
    assert failed.returncode == 5
    assert failed.stderr.strip() == f"Error: {address}: cannot be reached (Connection refused)"


@pytest.mark.parametrize("address", ["https://no..site", "https://.site.test", "https://no site", "https://site:99999"])
def test_an_impossible_address_is_not_tried_again(cli: Cli, address: str) -> None:
    failed = cli.run("login", address)
    assert failed.returncode == 1
    assert failed.stderr.startswith(f"Error: {address}: is not a valid address (")


def test_a_site_that_speaks_no_tls_is_refused_in_words(platform: FakePlatform, cli: Cli) -> None:
    failed = cli.run("login", platform.url.replace("http:", "https:"))
    assert failed.returncode == 5
    assert "cannot be reached ([SSL: " in failed.stderr
    assert "HTTPSConnectionPool" not in failed.stderr


@pytest.mark.usefixtures("signed_in")
def test_a_profile_where_nobody_is_signed_in_is_named_beside_those_there_are(cli: Cli) -> None:
    refused = cli.run("list", "--profile", "elsewhere")
    assert refused.returncode == 3
    assert "You are not signed in as profile elsewhere; known profiles: default." in refused.stderr


STUMBLES = {
    "503": (503, b'{"error": "server_error"}'),
    "429": (429, b"{}"),
    "a gateway's 502": (502, b"<h1>Bad Gateway</h1>"),
    "somebody else's page": (200, b"<p>Welcome"),
    "an empty answer": (200, b"{}"),
}


@pytest.mark.parametrize("stumble", STUMBLES)
@pytest.mark.parametrize("is_machine", [False, True], ids=["a person", "a program"])
def test_a_sign_in_that_stumbles_is_worth_another_try_later_and_has_refused_nobody(
    platform: FakePlatform, cli: Cli, monkeypatch: pytest.MonkeyPatch, stumble: str, is_machine: bool
) -> None:
    credentials = sign_somebody_in(platform, cli.home, expires_at=0)
    if is_machine:
        credentials.store(msgspec.structs.replace(credentials.load(), is_machine=True, client_secret=MACHINE_SECRET))
    monkeypatch.setattr(platform.sign_in, "_token", lambda *_: (*STUMBLES[stumble], {}))
    ended = cli.run("list", "--json")
    assert (ended.returncode, json.loads(ended.stderr)["error"]["code"]) == (5, "SignInUnreachableError")


@pytest.mark.usefixtures("signed_in")
def test_the_account_is_at_the_site_that_one_is_signed_in_to(platform: FakePlatform, cli: Cli) -> None:
    shown = cli.run("account", "--no-browser")
    assert (shown.returncode, shown.stdout) == (0, f"{platform.url}/account.html\n")
    platform.sign_in.has_second_factors = False
    refused = cli.run("account", "--no-browser")
    assert refused.returncode == 1
    assert "has no authenticator apps" in refused.stderr
