"""A file may lie, crash the decoder or call for others: it ends in a typed error, and nobody else notices."""

import ctypes
import random
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import av
import psutil
import pytest
from av.error import FFmpegError

from chalicelib.core.media import inspector_process
from chalicelib.core.media.containers import detect_container
from chalicelib.core.media.errors import (
    InspectorCrashedError,
    InspectorUnavailableError,
    MediaBudgetError,
    MediaError,
    MediaLimitsError,
    UnreadableMediaError,
)
from chalicelib.core.media.facts import Inspection, InspectionLimits
from chalicelib.core.media.inspection import inspect_media
from chalicelib.core.media.inspector import lock_up
from chalicelib.core.video_types import Container
from tests.media.containers import ContainerName
from tests.media.hostile_videos import damaged, playlist_of, with_external_media
from tests.media.sample_videos import MIB, write_sample_video
from tests.media.stored_file import StoredFile, inspect_file

PR_GET_DUMPABLE, PR_SET_DUMPABLE = 3, 4  # prctl(2)


def _inspect_bytes(data: bytes, container: Container, limits: InspectionLimits | None = None) -> Inspection:
    return inspect_media(lambda start, end: data[start:end], len(data), container, limits)


@pytest.fixture(autouse=True)
def no_process_left() -> Iterator[None]:
    """Demand after each test that the inspecting process has ended."""
    yield
    assert _inspectors() == []


@pytest.fixture
def listener() -> Iterator[tuple[int, list[object]]]:
    """A loopback port and who called."""
    callers: list[object] = []
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.1)
        done = threading.Event()

        def accept() -> None:
            while not done.is_set():
                try:
                    connection, caller = server.accept()
                except TimeoutError:
                    continue
                callers.append(caller)
                connection.close()

        thread = threading.Thread(target=accept)
        thread.start()
        yield server.getsockname()[1], callers
        done.set()
        thread.join()


@pytest.mark.parametrize("container", list(Container))
def test_a_playlist_calls_nobody(container: Container, listener: tuple[int, list[object]]) -> None:
    port, callers = listener
    playlist = playlist_of(f"http://127.0.0.1:{port}/1.ts")
    assert detect_container(playlist) is None
    with pytest.raises(UnreadableMediaError):
        _inspect_bytes(playlist, container)
    assert callers == []
    # The same bytes do call when the library may choose the demuxer and the protocol.
    with pytest.raises(FFmpegError):
        av.open(f"http://127.0.0.1:{port}/playlist.m3u8")
    time.sleep(0.2)
    assert callers


def test_a_movie_that_refers_to_another_file_does_not_get_it(tmp_path: Path) -> None:
    secret = write_sample_video(tmp_path / "secret.mov", "mov", audio=False)
    path = tmp_path / "v.mov"
    path.write_bytes(with_external_media(secret.read_bytes(), secret))
    with av.open(str(path), options={"enable_drefs": "1", "use_absolute_path": "1"}) as media:
        assert next(media.decode(video=0)).width == 320, "the reference works where it is allowed"
    with pytest.raises(UnreadableMediaError):
        inspect_file(path)


@pytest.mark.parametrize("name", ["mp4", "mkv", "webm", "avi"])
def test_damaged_files_end_in_facts_or_a_typed_error(name: ContainerName, tmp_path: Path) -> None:
    path = write_sample_video(tmp_path / "v", name, duration_seconds=0.4, width=64, height=36)
    data, random_numbers = path.read_bytes(), random.Random(name)
    container = detect_container(data)
    assert container
    outcomes: set[str] = set()
    for attempt in range(12):
        try:
            facts = _inspect_bytes(damaged(data, random_numbers, 2 ** (attempt % 9)), container).facts
            outcomes.add("facts")
            assert facts.video.width > 0
        except MediaError as error:
            outcomes.add(error.code)
    assert "facts" in outcomes
    assert outcomes <= {"facts", "unreadable_media", "no_video_stream", "unsupported_codec", "media_limits_exceeded"}


@pytest.mark.parametrize("name", ["mp4", "mkv", "webm", "avi"])
def test_truncated_files_end_in_facts_or_a_typed_error(name: ContainerName, tmp_path: Path) -> None:
    data = write_sample_video(tmp_path / "v", name, duration_seconds=1.0, width=64, height=36).read_bytes()
    container = detect_container(data)
    assert container
    for part in (0.02, 0.3, 0.9):
        cut = data[: max(int(len(data) * part), 40)]
        if name == "mp4" or part < 0.1:  # without its index, or without a picture
            with pytest.raises(UnreadableMediaError):
                _inspect_bytes(cut, container)
        else:
            assert _inspect_bytes(cut, container).facts.video.width == 64


@pytest.mark.parametrize("container", list(Container))
def test_zeros_and_nothing_are_unreadable(container: Container) -> None:
    for data in (b"", bytes(5 * MIB)):
        with pytest.raises((UnreadableMediaError, MediaLimitsError)):
            _inspect_bytes(data, container)


def test_a_picture_that_unpacks_to_gigabytes_is_refused(tmp_path: Path) -> None:
    data = write_sample_video(tmp_path / "v", "webm", audio=False).read_bytes()
    dimensions = (320).to_bytes(2, "little") + (180).to_bytes(2, "little")
    bomb = data.replace(
        b"\x9d\x01\x2a" + dimensions, b"\x9d\x01\x2a\xff\x3f\xff\x3f"
    )  # 16,383 by 16,383 (RFC 6386, 9.1)
    assert bomb != data
    with pytest.raises((MediaLimitsError, UnreadableMediaError)):
        _inspect_bytes(bomb, Container.WEBM)


def _inspectors() -> list[psutil.Process]:
    """Processes that our template forked; it stays, and a platform of other tests has a template of its own."""
    started_as = inspector_process.template_command()
    templates = [child for child in psutil.Process().children() if child.cmdline() == started_as]
    return [child for template in templates for child in template.children() if child.cmdline() == started_as]


def _child() -> psutil.Process:
    (child,) = _inspectors()
    return child


def _after_the_prefetch(path: Path, act: Callable[[psutil.Process], object]) -> Callable[[int, int], bytes]:
    """Reads of a file that has its index in the middle, so that the process asks for more than head and tail."""
    stored = StoredFile(path)

    def read_range(start: int, end_exclusive: int, /) -> bytes:
        if len(stored.ranges) >= 2:
            act(_child())
        return stored.read_range(start, end_exclusive)

    return read_range


@pytest.fixture(scope="module")
def video_of_many_reads(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = write_sample_video(tmp_path_factory.mktemp("video") / "v", duration_seconds=10.0, pad_to_bytes=20 * MIB)
    with path.open("ab") as file:
        file.write((4 * MIB).to_bytes(4, "big") + b"free" + bytes(4 * MIB - 8))
    return path


def test_a_killed_inspector_is_a_crash_over_this_file(video_of_many_reads: Path) -> None:
    read_range = _after_the_prefetch(video_of_many_reads, lambda child: child.kill())
    with pytest.raises(InspectorCrashedError) as raised:
        inspect_media(read_range, video_of_many_reads.stat().st_size, Container.MP4)
    assert raised.value.code == "unreadable_media"
    assert raised.value.exit_status == -9
    assert raised.value.message == "The video cannot be read: the decoder crashed."


def test_an_inspector_that_hangs_is_killed_at_the_deadline(video_of_many_reads: Path) -> None:
    read_range = _after_the_prefetch(video_of_many_reads, lambda child: child.suspend())
    began = time.monotonic()
    with pytest.raises(MediaBudgetError) as raised:
        inspect_media(
            read_range, video_of_many_reads.stat().st_size, Container.MP4, InspectionLimits(max_wall_seconds=1.0)
        )
    assert raised.value.resource == "seconds"
    assert time.monotonic() - began < 10


def test_a_storage_that_hangs_ends_at_the_deadline(video_of_many_reads: Path) -> None:
    released = threading.Event()
    read_range = _after_the_prefetch(video_of_many_reads, lambda _: released.wait(20))
    began = time.monotonic()
    with pytest.raises(MediaBudgetError) as raised:
        inspect_media(
            read_range, video_of_many_reads.stat().st_size, Container.MP4, InspectionLimits(max_wall_seconds=1.0)
        )
    released.set()
    assert raised.value.resource == "seconds"
    assert time.monotonic() - began < 10


def test_the_storages_error_comes_through_as_it_is(video_of_many_reads: Path) -> None:
    class ThrottledError(Exception):
        pass

    def throttle(_: psutil.Process) -> None:
        raise ThrottledError

    with pytest.raises(ThrottledError):
        inspect_media(
            _after_the_prefetch(video_of_many_reads, throttle), video_of_many_reads.stat().st_size, Container.MP4
        )


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_the_inspector_sees_no_credentials_and_holds_nothing_but_three_pipes(
    video_of_many_reads: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "a secret")
    monkeypatch.setenv("AWS_SESSION_TOKEN", "a secret")
    seen: list[tuple[dict[str, str], set[str], tuple[int, int]]] = []

    def look(child: psutil.Process) -> None:
        descriptors = {entry.readlink().name.split(":")[0] for entry in Path(f"/proc/{child.pid}/fd").iterdir()}
        seen.append((child.environ(), descriptors, child.rlimit(psutil.RLIMIT_NOFILE)))

    inspect_media(_after_the_prefetch(video_of_many_reads, look), video_of_many_reads.stat().st_size, Container.MP4)
    environment, descriptors, descriptor_limit = seen[0]
    assert environment.keys() <= {"PYTHONPATH", "LD_LIBRARY_PATH"}
    assert descriptors == {"pipe", "null"}
    assert descriptor_limit == (0, 0)


@pytest.mark.skipif(sys.platform != "linux", reason="Linux's prctl")
def test_the_process_that_lends_the_file_cannot_be_read_or_traced(video_of_many_reads: Path) -> None:
    libc = ctypes.CDLL(None)
    assert libc.prctl(PR_SET_DUMPABLE, 1, 0, 0, 0) == 0
    seen: list[int] = []

    def look(_: psutil.Process) -> None:
        seen.append(libc.prctl(PR_GET_DUMPABLE, 0, 0, 0, 0))

    try:
        size_bytes = video_of_many_reads.stat().st_size
        inspect_media(_after_the_prefetch(video_of_many_reads, look), size_bytes, Container.MP4)
    finally:
        libc.prctl(PR_SET_DUMPABLE, 1, 0, 0, 0)
    assert seen
    assert seen[0] == 0


_TELLS_ITS_SECRECY = """
import ctypes, select, socket, sys
from chalicelib.core.media import inspector_template
def tell():
    sys.exit(ctypes.CDLL(None).prctl(3, 0, 0, 0, 0))  # PR_GET_DUMPABLE
select.poll = tell
inspector_template.main()
"""


@pytest.mark.skipif(sys.platform != "linux", reason="the template is Linux's")
def test_the_template_can_be_neither_read_nor_traced_before_it_forks_anything() -> None:
    requests, theirs = socket.socketpair()
    with requests, theirs:
        command = [sys.executable, "-c", _TELLS_ITS_SECRECY]
        environment = {"PYTHONPATH": str(Path(inspector_process.__file__).parents[3])}
        assert psutil.Popen(command, stdin=theirs.fileno(), env=environment).wait(timeout=30) == 0


@pytest.mark.skipif(sys.platform != "linux", reason="the template is Linux's")
def test_every_file_has_a_process_of_its_own_from_one_template(video_of_many_reads: Path) -> None:
    seen: list[tuple[int, int]] = []
    size_bytes = video_of_many_reads.stat().st_size
    for _ in range(2):
        look = _after_the_prefetch(video_of_many_reads, lambda child: seen.append((child.pid, child.ppid())))
        inspect_media(look, size_bytes, Container.MP4)
    assert len({pid for pid, _ in seen}) == 2
    assert len({parent for _, parent in seen}) == 1


@pytest.mark.skipif(sys.platform != "linux", reason="the template is Linux's")
def test_a_template_that_is_gone_takes_its_process_along_and_blames_no_file(video_of_many_reads: Path) -> None:
    def kill_template(child: psutil.Process) -> None:
        template = child.parent()
        assert template
        template.kill()
        psutil.wait_procs([child], timeout=5)  # else it may ask for more first

    size_bytes = video_of_many_reads.stat().st_size
    with pytest.raises(InspectorUnavailableError):
        inspect_media(_after_the_prefetch(video_of_many_reads, kill_template), size_bytes, Container.MP4)
    assert inspect_file(video_of_many_reads).facts.video.width == 320, "the next one has a new template"


_LOCKED_UP = f"""
import os, socket, sys
from chalicelib.core.media.facts import InspectionLimits
from chalicelib.core.media.inspector import {lock_up.__name__}
{lock_up.__name__}(InspectionLimits(max_cpu_seconds=1))
def attempt(act):
    try:
        act()
    except OSError:
        return "refused"
    except MemoryError:
        return "no memory"
    return "done"
os.write(1, repr([
    attempt(lambda: open("/etc/passwd")),
    attempt(lambda: open("/dev/null", "w")),
    attempt(lambda: socket.socket()),
    attempt(lambda: os.pipe()),
    attempt(lambda: bytearray(2 << 30)),
]).encode())
while True:
    pass
"""


@pytest.mark.skipif(sys.platform != "linux", reason="address space is limited on Linux alone")
def test_a_locked_up_process_opens_nothing_and_ends_when_its_time_is_used_up() -> None:
    process = psutil.Popen(
        [sys.executable, "-c", _LOCKED_UP],
        stdout=-1,
        env={"PYTHONPATH": str(Path(inspector_process.__file__).parents[3])},
    )
    output, _ = process.communicate(timeout=20)
    assert output.decode() == repr(["refused", "refused", "refused", "refused", "no memory"])
    assert process.returncode == -24, "SIGXCPU"


_IMPOSTOR = """
import os, sys, time
from chalicelib.core.media.frames import HEADER, Frame, pack
def say(data):
    os.write(1, data)
def job():
    size = HEADER.unpack(os.read(0, HEADER.size))[1]
    os.read(0, size)
job()
"""
_READY = "say(pack(Frame.READY))\n"
_FACTS = '{"duration_seconds": 1, "bit_rate_bits_per_second": 1, "video": {"codec": "%s", "profile": %s, \
"width": %s, "height": 1, "rotation_degrees": 0, "frame_rate": null}, "audio": null}'


@pytest.mark.parametrize(
    ("speech", "error"),
    [
        ("raise SystemExit(7)", InspectorUnavailableError),
        ("import a_module_nobody_has", InspectorUnavailableError),
        ("say(b'GIF89a, not a frame' * 100)", InspectorUnavailableError),
        (_READY + "raise SystemExit(7)", InspectorCrashedError),
        (_READY + "os.kill(os.getpid(), 11)", InspectorCrashedError),
        (_READY + "os.kill(os.getpid(), 24)", MediaLimitsError),
        (_READY + "say(b'<html>' * 1000)", InspectorCrashedError),
        (_READY + "say(HEADER.pack(Frame.POSTER, 1 << 31))", InspectorCrashedError),
        (_READY + "say(pack(Frame.READ, (1 << 40).to_bytes(8, 'big') + b'\\0\\0\\0\\1'))", InspectorCrashedError),
        (_READY + "say(pack(Frame.READ, bytes(12)))", InspectorCrashedError),
        (_READY + "say(pack(Frame.READ, b'?'))", InspectorCrashedError),
        (_READY + "say(pack(Frame.FACTS, b'[1]'))", InspectorCrashedError),
        (_READY + "say(pack(Frame.FACTS, b'{}'))", InspectorCrashedError),
        (_READY + f"say(pack(Frame.FACTS, {_FACTS % ('h264', 'null', '-1')!r}.encode()))", InspectorCrashedError),
        (_READY + f"say(pack(Frame.FACTS, {_FACTS % ('<b>h264</b>', 'null', '1')!r}.encode()))", InspectorCrashedError),
        (_READY + f"say(pack(Frame.FACTS, {_FACTS % ('h264', '7', '1')!r}.encode()))", InspectorCrashedError),
        (_READY + f"say(pack(Frame.FACTS, {_FACTS % ('h264', 'null', '1')!r}.encode()))", InspectorCrashedError),
        (_READY + 'say(pack(Frame.PROBLEM, b\'{"error": "nothing we know"}\'))', InspectorCrashedError),
        (_READY + "time.sleep(60)", MediaBudgetError),
        ("time.sleep(60)", MediaBudgetError),
        (_READY + "while True: say(pack(Frame.READ, bytes(11) + b'\\1'))", MediaBudgetError),
    ],
)
def test_a_captured_inspector_cannot_say_anything_that_is_believed(
    speech: str, error: type[Exception], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "impostor.py").write_text(_IMPOSTOR + speech + "\ntime.sleep(60)\n")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(inspector_process, "INSPECTOR", "impostor")
    with pytest.raises(error) as raised:
        _inspect_bytes(
            bytes(1000), Container.MP4, InspectionLimits(max_wall_seconds=0.7 if error is MediaBudgetError else 30)
        )
    assert raised.type is error
