"""System calls of the inspecting process over hostile files, as strace records them."""

import os
import random
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from chalicelib.core.media import inspector_process
from chalicelib.core.media.containers import detect_container
from chalicelib.core.video_types import Container
from tests.media.containers import SAMPLES
from tests.media.hostile_videos import damaged, playlist_of, with_external_media
from tests.media.sample_videos import write_sample_video

_INSPECTS = """
import sys
from pathlib import Path
from chalicelib.core.media.errors import MediaError
from chalicelib.core.media.copying import COPY_LIMITS, Sink, Source, copy_media, write_media
from chalicelib.core.media.inspection import inspect_media
from chalicelib.core.video_types import Container
for path in map(Path, sys.argv[1:]):
    data = path.read_bytes()
    container = Container(path.suffix[1:])
    source = Source(
        read_range=lambda start, end: data[start:end], size_bytes=len(data), container=container, packets=100
    )
    try:
        copy_media(source, lambda number, body: None)
    except MediaError:
        pass
    if container in (Container.QUICKTIME, Container.MPEG_TS):  # some of each kind
        job = {"width": 64, "height": 36, "hasSound": True}
        try:
            sink = Sink(lambda number, body: None, 1 << 20)
            write_media(source, sink, COPY_LIMITS, module="local.conversion.encoder", job=job)
        except MediaError:
            pass
    try:
        inspection = inspect_media(lambda start, end: data[start:end], len(data), container)
        print("thumbnails" if inspection.thumbnails else "facts")
    except MediaError as error:
        print(error.code)
"""
_LAST_LIMIT = "prlimit64(0, RLIMIT_NPROC, {rlim_cur=0, rlim_max=0}"
"""The last of the limits that the process puts on itself; it has seen no byte of the file yet."""
_REFUSED_TABLE = re.compile(r'openat\(AT_FDCWD, "[^"]*/gconv[^"]*", .*\) = -1 EMFILE .*')
"""The C library looks for a table of characters, for names in a transport stream, and does not get it."""
_THREAD = re.compile(rf"clone3\(\{{flags=[A-Z_|]*CLONE_THREAD|{_REFUSED_TABLE.pattern}$")
"""PyAV's resampler asks for threads, which only root gets then; they have the limits of their process."""
_ENDS = ("exit_group(", "+++ exited", "+++ killed")
_KILLED_AT_A_CALL = re.compile(r"^\?\?\?\(.*<unfinished \.\.\.>\n(?=\+\+\+ killed by SIGKILL)", re.MULTILINE)
"""The parent killed the process at the entry of a call, before strace could read which; it was not carried out."""


def _hostile_files(folder: Path) -> Iterator[Path]:
    secret = write_sample_video(folder / "secret.mov", "mov", audio=False, width=64, height=36, duration_seconds=0.4)
    external = folder / "external.quicktime"
    external.write_bytes(with_external_media(secret.read_bytes(), secret))
    yield external
    for container in (Container.MP4, Container.MPEG_TS):
        path = folder / f"playlist.{container}"
        path.write_bytes(playlist_of("http://127.0.0.1:9/1.ts"))
        yield path
    for name in SAMPLES:
        data = write_sample_video(folder / "v", name, width=64, height=36).read_bytes()
        container = detect_container(data)
        assert container
        whole = folder / f"whole {name}.{container}"
        whole.write_bytes(data)
        yield whole
        path = folder / f"damaged {name}.{container}"
        path.write_bytes(damaged(data, random.Random(name), 16))
        yield path


@pytest.mark.skipif(shutil.which("strace") is None, reason="strace is not installed")
def test_no_inspector_copier_or_encoder_opens_a_file_or_a_socket_once_it_is_locked_up(tmp_path: Path) -> None:
    hostile = list(_hostile_files(tmp_path))
    app = str(Path(inspector_process.__file__).parents[3])
    encoded = sum(path.suffix in {f".{Container.QUICKTIME}", f".{Container.MPEG_TS}"} for path in hostile)
    calls = "trace=%file,%network,%process,prlimit64,dup,dup2,dup3,pipe,pipe2"
    traced = subprocess.run(
        ["strace", "-ff", "-o", tmp_path / "calls", "-e", calls, sys.executable, "-c", _INSPECTS, *hostile],
        env={"PYTHONPATH": os.pathsep.join([app, str(Path(__file__).parents[2])])},
        capture_output=True,
        text=True,
        check=False,
    )
    if "ptrace" in traced.stderr and not traced.stdout:
        pytest.skip("this machine lets nobody trace a process")
    assert traced.returncode == 0, traced.stderr
    outcomes = traced.stdout.split()
    assert len(outcomes) == len(hostile)
    assert outcomes[:3] == ["unreadable_media"] * 3, "what refers to others is not followed"
    assert outcomes[3::2] == ["thumbnails"] * len(SAMPLES), "every container is drawn under these walls"

    locked_up = 0
    for log in tmp_path.glob("calls.*"):  # one of each process
        before, limit, after = log.read_text().partition(_LAST_LIMIT)
        if limit:
            locked_up += 1
            harmless = _THREAD if '"local.conversion.encoder"' in before else _REFUSED_TABLE
            calls_after = _KILLED_AT_A_CALL.sub("", after).splitlines()[1:]
            called = [call for call in calls_after if not harmless.match(call)]
            assert all(call.startswith(_ENDS) for call in called), "\n".join(called)
    assert locked_up == 2 * len(hostile) + encoded, "each file has an inspector of its own, a copier, some an encoder"
