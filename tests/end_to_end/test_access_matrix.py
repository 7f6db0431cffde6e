"""Access: a short form of `make matrix`, against the platform of this run."""

from pathlib import Path

from local.platform import LocalPlatform
from tests.matrix.matrix import play, routes
from tests.matrix.rules import RULES
from tests.media.sample_videos import write_sample_video

EVERY = 11
"""A prime, so that it does not meet the same targets at each identity."""


def test_every_route_has_a_rule_of_who_may() -> None:
    assert set(routes()) == set(RULES)


def test_no_cell_of_the_access_matrix_is_wrong(platform: LocalPlatform, small_video: bytes, tmp_path: Path) -> None:
    to_copy = write_sample_video(tmp_path / "small.mov", "mov", duration_seconds=2.0).read_bytes()
    played = play(platform, small_video, to_copy, every=EVERY)
    assert not played.wrong
    assert played.cells.total() > 500
