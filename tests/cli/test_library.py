"""The package as other programs use it: `from video_upload import Client`."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import threading
import zipfile
from pathlib import Path

import pytest

from tests.cli.conftest import REPOSITORY, MakeVideo, sha256_of
from tests.cli.fake_platform import FakePlatform
from tests.cli.fake_sign_in import MACHINE_SECRET
from video_upload import Client
from video_upload.credentials import StoredCredentials
from video_upload.errors import FileRefusedError, NotFoundError, NotSignedInError, UploadCancelledError
from video_upload.events import PartStored, UploadEvent
from video_upload.schemas import Labels
from video_upload.version import VERSION

KIB = 1024


@pytest.mark.usefixtures("signed_in")
def test_a_program_uploads_looks_and_deletes(platform: FakePlatform, home: Path, make_video: MakeVideo) -> None:
    client = Client(home=home)
    path = make_video(500 * KIB)
    video = client.upload(path, parallel=2, rate_limit=50e6)
    assert video.state == "ready"
    assert platform.video_sha256(video.video_id) == sha256_of(path)
    assert [one.video_id for one in client.videos()] == [video.video_id]
    client.delete(video.video_id)
    with pytest.raises(NotFoundError):
        client.video(video.video_id)


@pytest.mark.usefixtures("signed_in")
def test_a_file_object_is_uploaded_from_where_it_stands_under_the_name_it_is_given(
    platform: FakePlatform, home: Path, make_video: MakeVideo
) -> None:
    client = Client(home=home)
    path = make_video(500 * KIB)
    with path.open("rb") as source:
        video = client.upload(source, name="stream.mp4")
        assert platform.video_sha256(video.video_id) == sha256_of(path)
        assert video.file_name == "stream.mp4"
        with pytest.raises(FileRefusedError):
            client.upload(source, name="empty.mp4")
        with pytest.raises(TypeError):
            client.upload(source)
        with pytest.raises(TypeError):
            client.upload(path, name="other.mp4")
    assert len(platform.uploads) == 1
    assert list(home.glob("stream-*")) == []


@pytest.mark.usefixtures("signed_in")
def test_a_file_that_the_site_does_not_accept_is_refused_before_anything_is_sent(
    platform: FakePlatform, home: Path, make_video: MakeVideo
) -> None:
    platform.sign_in.accepted_containers = ("mp4",)
    client = Client(home=home)
    by_name, by_content = make_video(KIB, "film.mov"), make_video(KIB, "ogg.mp4")
    by_content.write_bytes(b"OggS" + bytes(KIB))
    for refused in (by_name, by_content):
        with pytest.raises(FileRefusedError):
            client.upload(refused)
        with refused.open("rb") as source, pytest.raises(FileRefusedError):
            client.upload(source, name=refused.name)
    assert not platform.uploads


@pytest.mark.usefixtures("signed_in")
@pytest.mark.parametrize("is_here", [True, False], ids=["here", "on another device"])
def test_an_upload_that_began_before_the_site_accepted_less_goes_on(
    platform: FakePlatform, home: Path, make_video: MakeVideo, tmp_path: Path, is_here: bool
) -> None:
    platform.storage.seconds_per_part = 0.05
    path = make_video(1000 * KIB, "film.mov")
    stopped = Client(home=home)

    def stop_early(event: UploadEvent) -> None:
        if isinstance(event, PartStored):
            threading.Thread(target=stopped.stop).start()

    with pytest.raises(UploadCancelledError):
        stopped.upload(path, report=stop_early)
    platform.sign_in.accepted_containers = ("mp4",)
    if not is_here:
        shutil.rmtree(home / "uploads")
    assert Client(home=home).upload(path).state == "ready"
    assert len(platform.uploads) == 1
    with pytest.raises(FileRefusedError):
        Client(home=home).upload(path)


@pytest.mark.usefixtures("signed_in")
def test_iterating_goes_on_over_pages_without_a_video(platform: FakePlatform, home: Path) -> None:
    platform.page_records = 10
    states = ["deleted"] * 25 + ["ready"] + ["aborted"] * 20 + ["ready"] * 12 + ["deleted"] * 15
    living = [video.video_id for video in platform.add_finished_videos(*states) if video.state == "ready"]
    assert [one.video_id for one in Client(home=home).videos()] == living
    assert platform.calls == ["GET /videos"] * 8


@pytest.mark.usefixtures("signed_in")
def test_a_stopped_upload_goes_on_in_another_client(platform: FakePlatform, home: Path, make_video: MakeVideo) -> None:
    platform.storage.seconds_per_part = 0.05
    path = make_video(1000 * KIB)
    client = Client(home=home)

    def stop_early(event: UploadEvent) -> None:
        if isinstance(event, PartStored):
            threading.Thread(target=client.stop).start()

    with pytest.raises(UploadCancelledError):
        client.upload(str(path), report=stop_early)
    platform.storage.settle()
    video = Client(home=home).upload(path)
    assert platform.video_sha256(video.video_id) == sha256_of(path)
    assert set(platform.storage.stores.values()) == {1}


def test_a_program_signs_in_by_itself_and_a_stranger_does_not(platform: FakePlatform, home: Path) -> None:
    client = Client.for_program(platform.url, client_id="machine", client_secret=MACHINE_SECRET, home=home)
    assert list(client.videos()) == []
    with pytest.raises(NotSignedInError):
        Client(home=home)  # the program's profile is not the person's
    server_side = Client.with_credentials(platform.url, StoredCredentials(home, "program"), home=home)
    assert server_side.open_uploads() == ()
    assert server_side.usage().stored_videos == 2


def test_the_wheel_holds_the_typed_library_and_the_command(tmp_path: Path) -> None:
    """Built as by `pip wheel`, unpacked, and imported from there alone."""
    built = subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)],
        cwd=REPOSITORY / "clients" / "cli",
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert built.returncode == 0, built.stderr
    (wheel,) = tmp_path.glob("*.whl")
    installed = tmp_path / "installed"
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
        archive.extractall(installed)
    assert "video_upload/py.typed" in names
    about = next(name for name in names if name.endswith(".dist-info/entry_points.txt"))
    assert "video-upload = video_upload.command_line:main" in (installed / about).read_text()
    script = (
        "import pathlib, video_upload; from video_upload import Client; "
        "print(pathlib.Path(video_upload.__file__).parent.parent, Client.__module__)"
    )
    environment = {name: text for name, text in os.environ.items() if name != "PYTHONPATH"}
    for arguments, expected in [
        (["-c", script], f"{installed} video_upload.client"),
        (["-m", "video_upload", "--version"], f"video-upload {VERSION}"),
    ]:
        ran = subprocess.run(
            [sys.executable, *arguments],
            cwd=tmp_path,
            env=environment | {"PYTHONPATH": str(installed)},
            capture_output=True,
            text=True,
            check=False,
            timeout=30,
        )
        assert ran.stdout.strip() == expected, ran.stderr


@pytest.mark.usefixtures("signed_in")
def test_a_program_labels_its_videos(home: Path, make_video: MakeVideo) -> None:
    client = Client(home=home)
    video = client.upload(make_video(KIB), labels=Labels(title="Sea", tags=("holiday",)))
    assert (video.name, video.tags) == ("Sea", ("holiday",))
    edited = client.edit(video.video_id, title=None)
    assert (edited.name, edited.tags) == (video.file_name, ("holiday",))
    assert client.edit(video.video_id, tags=[]).tags == ()
