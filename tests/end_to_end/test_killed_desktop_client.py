"""A client that dies again and again, on the real platform."""

import hashlib
import random
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest

from tests.end_to_end.actors import Desktop, Person, StandIn, wait_until
from tests.media.sample_videos import write_sample_video

SEED = 4
DIE_EARLY = 4
"""Every fourth client may die before it has sent anything."""
PARALLEL = 2
FILE_MIB_BY_KILLS = {5: 240, 20: 480}
"""More than the killed clients store together."""
PART_SECONDS = 0.3
"""S3 waits so long before it reads a part: there are moments to die in."""
QUIET_SECONDS = 0.4
"""Without a new part for so long, what was on its way when the client died has arrived."""


@pytest.mark.parametrize("kills", [5, pytest.param(20, marks=pytest.mark.slow)])
def test_killed_again_and_again_an_upload_arrives_whole_and_no_stored_part_is_sent_again(
    desktop: Desktop, stand_in: StandIn, person: Person, tmp_path: Path, kills: int
) -> None:
    file = write_sample_video(tmp_path / "long.mp4", pad_to_bytes=FILE_MIB_BY_KILLS[kills] * 2**20)
    stand_in.fail("UploadPart", delaySeconds=PART_SECONDS, times=100_000)
    moments = random.Random(SEED)
    begun = None
    sent: list[dict[str, Any]] = []
    stored: set[int] = set()
    lost_in_flight = 0
    for number in range(kills):
        process = desktop.start("upload", str(file), "--parallel", str(PARALLEL))
        begun = begun or wait_until(lambda: next(iter(person.call("GET", "/uploads").json()["uploads"]), None))
        if number % DIE_EARLY:
            # However long this machine takes to start a client.
            wait_for_a_part(stand_in, begun["fileKey"], len(sent))
        kill(process, after_seconds=moments.uniform(0, 1))
        log = settled(stand_in, begun["fileKey"])
        sent_again, wasted, stored_now = tally(log[len(sent) :], stored)
        assert sent_again == set()
        assert wasted <= PARALLEL
        lost_in_flight += wasted
        sent, stored = log, stored | stored_now
    assert begun
    stored_by_the_killed = len(stored)
    assert PARALLEL < stored_by_the_killed < begun["partCount"]
    stand_in.heal()

    result = desktop.upload(file)

    assert (result["videoId"], result["state"]) == (begun["videoId"], "ready")
    log = settled(stand_in, begun["fileKey"])
    assert tally(log[len(sent) :], stored) == (set(), 0, set(range(1, begun["partCount"] + 1)) - stored)
    assert len(log) == begun["partCount"] + lost_in_flight
    with file.open("rb") as source:
        sha256 = hashlib.file_digest(source, "sha256").digest()
    assert hashlib.sha256(stand_in.stored(begun["fileKey"])).digest() == sha256
    print(
        f"{begun['partCount']} parts, {stored_by_the_killed} of them by clients that died, {lost_in_flight} broken off"
    )


def wait_for_a_part(stand_in: StandIn, file_key: str, requests_before: int) -> None:
    wait_until(lambda: len(stand_in.requests_of("UploadPart", file_key)) > requests_before or None)


def kill(process: "subprocess.Popen[str]", *, after_seconds: float) -> None:
    """Kill the process with SIGKILL, in the middle of its work."""
    try:
        _, errors = process.communicate(timeout=after_seconds)
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()
        return
    raise AssertionError(f"it ended by itself: {errors}")


def settled(stand_in: StandIn, file_key: str) -> list[dict[str, Any]]:
    """All UploadPart requests so far, once no more arrive."""
    log = stand_in.requests_of("UploadPart", file_key)
    while True:
        time.sleep(QUIET_SECONDS)
        later = stand_in.requests_of("UploadPart", file_key)
        if len(later) == len(log):
            return later
        log = later


def tally(run: list[dict[str, Any]], stored_before: set[int]) -> tuple[set[int], int, set[int]]:
    """Sort one client's requests: parts sent although S3 had them, parts that broke off, parts that S3 now has."""
    sent = [entry["partNumber"] for entry in run]
    stored = [entry["partNumber"] for entry in run if entry["status"] == 200]
    return set(sent) & stored_before, len(sent) - len(stored), set(stored)
