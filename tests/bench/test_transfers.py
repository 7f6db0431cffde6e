"""The sink for uploads by whole processes, and what is measured of them."""

from __future__ import annotations

import sys
from collections.abc import Iterator

import pytest

from bench import peers, transfers
from bench.programs.send_files import PART_BYTES
from bench.transfers import MIB, ResourceUse, Results, RunningSink

SIZE_BYTES = PART_BYTES + MIB
OUR_COMMAND = [sys.executable, "-m", "video_upload", "upload", "--no-wait"]


@pytest.fixture(scope="module")
def sink() -> Iterator[RunningSink]:
    with transfers.running_sink() as started:
        transfers.write_video(started.folder / "video.mp4", SIZE_BYTES)
        yield started


def test_the_sink_takes_an_upload_of_our_command_over_tls_and_counts_its_bytes(sink: RunningSink) -> None:
    spent = transfers.run(sink, [*OUR_COMMAND, str(sink.folder / "video.mp4")], SIZE_BYTES)
    assert sink.url.startswith("https://")
    assert spent.cpu_seconds > 0
    assert spent.peak_rss_bytes > 10 * MIB


def test_the_sink_takes_boto3s_chunks_with_their_trailing_checksums(sink: RunningSink) -> None:
    command = [sys.executable, str(transfers.SEND), "boto3", sink.url, str(sink.folder / "video.mp4")]
    transfers.run(sink, command, SIZE_BYTES)


def test_the_sink_takes_the_bytes_alone(sink: RunningSink) -> None:
    command = [sys.executable, str(transfers.SEND), "bytes", sink.url, str(sink.folder / "video.mp4")]
    transfers.run(sink, command, SIZE_BYTES)


def test_a_client_that_fails_or_sends_less_is_no_figure(sink: RunningSink) -> None:
    with pytest.raises(AssertionError, match="missing"):
        transfers.run(sink, [*OUR_COMMAND, str(sink.folder / "missing.mp4")], 0)
    with pytest.raises(AssertionError):
        transfers.run(sink, [sys.executable, "-c", ""], SIZE_BYTES)


def test_a_peak_is_that_of_the_client_and_not_of_the_process_that_measures_it(sink: RunningSink) -> None:
    ballast = b"\1" * (64 * MIB)
    spent = transfers.run(sink, [sys.executable, "-I", "-S", "-c", ""], 0)
    assert spent.peak_rss_bytes < len(ballast)


def test_ratios_are_held_against_their_reach() -> None:
    def spent(cpu_seconds: float) -> list[ResourceUse]:
        return [ResourceUse(cpu_seconds=cpu_seconds, wall_seconds=1, peak_rss_bytes=40 * MIB)]

    results = Results({transfers.OURS: spent(0.3), transfers.AWS: spent(1.0), transfers.RCLONE: spent(0.9)})
    targets = transfers._targets(results, "a file", transfers.MOST_CPU_OF_ONE)
    assert [str(target) for target in targets] == [
        "- a file, CPU, ours / aws s3 cp: 0.3 (target: at most 0.35), **met**",
        "- a file, CPU, ours / rclone: 0.333 (target: at most 0.3), **not met**",
    ]


def test_every_peer_that_sends_is_pinned() -> None:
    assert set(peers.versions(*transfers.PEERS)) == set(transfers.PEERS)
