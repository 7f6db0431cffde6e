"""Access: a short form of `make matrix`, against the platform of this run."""

from local.platform import LocalPlatform
from tests.matrix.matrix import play, routes
from tests.matrix.rules import RULES

EVERY = 8


def test_every_route_has_a_rule_of_who_may() -> None:
    assert set(routes()) == set(RULES)


def test_no_cell_of_the_access_matrix_is_wrong(platform: LocalPlatform, small_video: bytes) -> None:
    played = play(platform, small_video, every=EVERY)
    assert not played.wrong
    assert played.cells.total() > 500
