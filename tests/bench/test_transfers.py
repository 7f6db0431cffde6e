"""The sink for uploads by whole processes, and what is measured of them."""

from __future__ import annotations

import sys
from collections.abc import Iterator

import pytest

from bench import peers, transfers
from bench.programs.send_files import PART_BYTES
from bench.transfers import MIB, Place, Results, Spent

SIZE_BYTES = PART_BYTES + MIB
OUR_COMMAND = [sys.executable, "-m", "video_upload", "upload", "--no-wait"]


@pytest.fixture(scope="module")
def where() -> Iterator[Place]:
    with transfers.place() as started:
        transfers.write_video(started.folder / "video.mp4", SIZE_BYTES)
        yield started


def test_the_sink_takes_an_upload_of_our_command_over_tls_and_counts_its_bytes(where: Place) -> None:
    spent = transfers.run(where, [*OUR_COMMAND, str(where.folder / "video.mp4")], SIZE_BYTES)
    assert where.url.startswith("https://")
    assert spent.cpu_seconds > 0
    assert spent.peak_rss_bytes > 10 * MIB


def test_the_sink_takes_boto3s_chunks_with_their_trailing_checksums(where: Place) -> None:
    command = [sys.executable, str(transfers.SEND), "boto3", where.url, str(where.folder / "video.mp4")]
    transfers.run(where, command, SIZE_BYTES)


def test_a_client_that_fails_or_sends_less_is_no_figure(where: Place) -> None:
    with pytest.raises(AssertionError, match="missing"):
        transfers.run(where, [*OUR_COMMAND, str(where.folder / "missing.mp4")], 0)
    with pytest.raises(AssertionError):
        transfers.run(where, [sys.executable, "-c", ""], SIZE_BYTES)


def test_a_peak_is_that_of_the_client_and_not_of_the_process_that_measures_it(where: Place) -> None:
    ballast = b"\1" * (64 * MIB)
    spent = transfers.run(where, [sys.executable, "-I", "-S", "-c", ""], 0)
    assert spent.peak_rss_bytes < len(ballast)


def test_ratios_are_held_against_their_reach() -> None:
    def spent(cpu_seconds: float) -> list[Spent]:
        return [Spent(cpu_seconds=cpu_seconds, wall_seconds=1, peak_rss_bytes=40 * MIB)]

    results = Results({transfers.OURS: spent(0.3), transfers.AWS: spent(1.0), transfers.RCLONE: spent(0.9)})
    reaches = transfers._reaches(results, "a file", transfers.MOST_CPU_OF_ONE)
    assert [str(reach) for reach in reaches] == [
        "- a file, CPU, ours / aws s3 cp: 0.3, shall be at most 0.35: **met**",
        "- a file, CPU, ours / rclone: 0.333, shall be at most 0.3: **not met**",
    ]


def test_every_peer_that_sends_is_pinned() -> None:
    assert set(peers.versions(*transfers.PEERS)) == set(transfers.PEERS)
