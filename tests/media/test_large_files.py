"""However large a video is, little of it is read."""

from pathlib import Path

import pytest

from chalicelib.core.media.errors import MediaBudgetError
from chalicelib.core.media.facts import Inspection, InspectionLimits
from chalicelib.core.media.inspection import inspect_media
from tests.media.containers import ContainerName
from tests.media.sample_videos import MIB, write_sample_video
from tests.media.stored_file import StoredFile

GIB = 1 << 30
FRAGMENTED = "frag_keyframe+empty_moov+default_base_moof+skip_trailer"


def _inspect(path: Path, limits: InspectionLimits | None = None) -> tuple[Inspection, StoredFile]:
    stored = StoredFile(path)
    return inspect_media(stored.read_range, stored.size_bytes, limits=limits), stored


@pytest.mark.parametrize("name", ["mp4", "mov", "mkv", "webm", "avi"])
def test_two_gigabytes_with_the_index_at_the_end_cost_a_few_megabytes(name: ContainerName, tmp_path: Path) -> None:
    path = write_sample_video(tmp_path / "v", name, pad_to_bytes=2 * GIB, sparse_padding=True)
    if name in {"mp4", "mov"}:
        assert b"moov" in _tail(path)
    inspection, stored = _inspect(path)
    assert inspection.facts.duration_seconds == pytest.approx(2.0, abs=0.1)
    assert stored.fetched_bytes < 4 * MIB
    assert len(stored.ranges) <= 4


@pytest.mark.parametrize("size_bytes", [24 * MIB, GIB], ids=["small", "large"])
@pytest.mark.parametrize("faststart", [True, False], ids=["index first", "index last"])
def test_an_index_of_megabytes_is_read_in_one_go(size_bytes: int, faststart: bool, tmp_path: Path) -> None:
    path = write_sample_video(
        tmp_path / "v", width=64, height=36, faststart=faststart, pad_to_bytes=size_bytes, sparse_padding=True
    )
    _grow_index(path, 5 * MIB)
    inspection, stored = _inspect(path)
    assert inspection.facts.duration_seconds == pytest.approx(2.0, abs=0.1)
    assert len(stored.ranges) <= 4
    assert any(end - start > 4 * MIB for start, end in stored.ranges)
    assert stored.fetched_bytes < 9 * MIB


def _grow_index(path: Path, by_bytes: int) -> None:
    """Put a box that players skip at the beginning of the index, and move the chunk offsets where media data follow."""
    with path.open("r+b") as file:
        head = file.read(MIB)
        at = head.find(b"moov") - 4
        if at >= 0:
            file.seek(0)
        else:
            at = file.seek(-MIB, 2)
            at += file.read().rindex(b"moov") - 4
        file.seek(at)
        index = bytearray(file.read(int.from_bytes(file.read(4), "big") - 4))
        following = file.read(MIB)
        position = index.find(b"stco") if at < MIB else -1
        while position >= 0:
            count = int.from_bytes(index[position + 8 : position + 12], "big")
            for entry in range(position + 12, position + 12 + 4 * count, 4):
                index[entry : entry + 4] = (int.from_bytes(index[entry : entry + 4], "big") + by_bytes).to_bytes(
                    4, "big"
                )
            position = index.find(b"stco", position + 4)
        file.seek(at)
        file.write((len(index) + 4 + by_bytes).to_bytes(4, "big") + index[:4])
        file.write(by_bytes.to_bytes(4, "big") + b"free" + bytes(by_bytes - 8) + index[4:])
        if following:
            rest = path.stat().st_size
            file.write(following)
            file.truncate(rest + by_bytes)


def _tail(path: Path) -> bytes:
    with path.open("rb") as file:
        file.seek(-64 * 1024, 2)
        return file.read()


def _spread(path: Path, mark: bytes, before_mark_bytes: int, filler_head: bytes, filler_bytes: int) -> Path:
    """Put a filler (a hole with a head) in front of every piece that starts with a mark, but for the first."""
    pieces = _split(path.read_bytes(), mark, before_mark_bytes)
    with path.open("wb") as file:
        file.write(pieces[0] + pieces[1])
        for piece in pieces[2:]:
            file.write(filler_head)
            file.seek(filler_bytes - len(filler_head), 1)
            file.write(piece)
    return path


def _split(data: bytes, mark: bytes, before_mark_bytes: int) -> list[bytes]:
    starts = [0]
    position = data.find(mark)
    while position >= 0:
        starts.append(position - before_mark_bytes)
        position = data.find(mark, position + 1)
    return [data[start:end] for start, end in zip(starts, [*starts[1:], len(data)], strict=True)]


def test_a_fragmented_mp4_is_not_walked_from_end_to_end(tmp_path: Path) -> None:
    path = write_sample_video(
        tmp_path / "v", duration_seconds=10.0, width=64, height=36, muxer_options={"movflags": FRAGMENTED}
    )
    filler_bytes = 24 * MIB
    _spread(path, b"moof", 4, filler_bytes.to_bytes(4, "big") + b"free", filler_bytes)
    assert path.stat().st_size > 400 * MIB
    inspection, stored = _inspect(path)
    assert inspection.facts.duration_seconds == pytest.approx(10.0, abs=0.1)
    assert inspection.facts.video.width == 64
    assert stored.fetched_bytes < 4 * MIB
    assert len(stored.ranges) <= 4


def test_a_live_webm_is_not_walked_from_end_to_end(tmp_path: Path) -> None:
    path = write_sample_video(
        tmp_path / "v", "webm", duration_seconds=30.0, width=64, height=36, muxer_options={"live": "1"}
    )
    filler_bytes = 72 * MIB
    void = b"\xec\x01" + (filler_bytes - 9).to_bytes(7, "big")
    _spread(path, b"\x1f\x43\xb6\x75", 0, void, filler_bytes)
    assert path.stat().st_size > 300 * MIB
    inspection, stored = _inspect(path)
    assert inspection.facts.duration_seconds == pytest.approx(30.0, abs=0.1)
    assert stored.fetched_bytes < 24 * MIB


def test_a_live_video_whose_end_tells_no_time_has_no_duration(tmp_path: Path) -> None:
    path = write_sample_video(tmp_path / "v", duration_seconds=4.0, muxer_options={"movflags": FRAGMENTED})
    with path.open("ab") as file:
        file.write((64 * MIB).to_bytes(4, "big") + b"free")
        file.truncate(file.tell() + 64 * MIB - 8)
    facts = _inspect(path)[0].facts.to_json()
    assert (facts["durationSeconds"], facts["bitRateBitsPerSecond"]) == (None, None)
    assert facts["video"]


def test_a_budget_too_small_for_the_index_is_an_error_with_the_figure(tmp_path: Path) -> None:
    path = write_sample_video(tmp_path / "v", faststart=False, pad_to_bytes=20 * MIB)
    with pytest.raises(MediaBudgetError) as raised:
        _inspect(path, InspectionLimits(max_fetched_bytes=MIB - 1))
    assert (raised.value.resource, raised.value.allowed) == ("bytes", MIB - 1)


def test_noise_grows_a_video_to_the_byte_and_the_same_call_gives_the_same_bytes(tmp_path: Path) -> None:
    one = write_sample_video(tmp_path / "1", pad_to_bytes=3 * MIB + 7, seed=4)
    two = write_sample_video(tmp_path / "2", pad_to_bytes=3 * MIB + 7, seed=4)
    other = write_sample_video(tmp_path / "3", pad_to_bytes=3 * MIB + 7, seed=5)
    assert one.stat().st_size == 3 * MIB + 7
    assert one.read_bytes() == two.read_bytes() != other.read_bytes()
