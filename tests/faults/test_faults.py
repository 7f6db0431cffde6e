"""Some of the runs of `make faults`, and what its verifier sees."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

import pytest

from chalicelib.core.upload_requests import StartUpload
from chalicelib.core.video_id import VideoRef
from chalicelib.core.video_record import State, VideoRecord
from tests.chromium import CHROMIUM, NO_BROWSER
from tests.faults.__main__ import main
from tests.faults.campaign import Findings, play_all, wanted_kinds
from tests.faults.kinds import KINDS, Client
from tests.faults.verifier import Remains, doubled, lost, residue

OF_THE_COMMAND = ("command/init/lost", "command/complete/dies-after")
BY_A_LINK = ("link/init/lost",)
OF_A_PROGRAM = ("machine/init/lost",)
OF_THE_PAGE = ("page/complete/lost", "link-page/init/lost")
NOW = datetime(2026, 1, 31, 12, tzinfo=UTC)


@pytest.fixture(scope="module")
def findings() -> Findings:
    """The results of one seed of each kind, on one platform."""
    names = OF_THE_COMMAND + BY_A_LINK + OF_A_PROGRAM + (OF_THE_PAGE if CHROMIUM.exists() else ())
    return play_all([KINDS[name] for name in names], range(1), lanes=2)


def test_the_command_keeps_every_promise_under_two_kinds_of_fault(findings: Findings) -> None:
    assert findings.runs[Client.COMMAND] == len(OF_THE_COMMAND)
    assert not findings.unstruck
    broken = {name: found for (name, _), found in findings.broken.items() if name in OF_THE_COMMAND}
    assert not broken, "see the steps with: make faults ARGS='--kinds NAME --seeds 1 --show'"


def test_somebody_with_a_link_finds_every_promise_kept_under_one(findings: Findings) -> None:
    assert findings.runs[Client.LINK] == len(BY_A_LINK)
    assert not [found for (name, _), found in findings.broken.items() if name in BY_A_LINK]


def test_a_program_finds_every_promise_kept_and_its_names_told_under_one(findings: Findings) -> None:
    assert findings.runs[Client.MACHINE] == len(OF_A_PROGRAM)
    assert not [found for (name, _), found in findings.broken.items() if name in OF_A_PROGRAM]


def test_the_page_keeps_every_promise_under_one_with_an_account_and_by_a_link(findings: Findings) -> None:
    if not CHROMIUM.exists():
        pytest.skip(NO_BROWSER)
    assert findings.runs[Client.PAGE] + findings.runs[Client.LINK_PAGE] == len(OF_THE_PAGE)
    assert not [found for (name, _), found in findings.broken.items() if name in OF_THE_PAGE]


def test_there_are_sixty_kinds_of_fault_and_more_of_both_clients(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--list"]) == 0
    assert len(capsys.readouterr().out.split()) == len(KINDS) >= 60
    assert {kind.client for kind in wanted_kinds([], None)} == set(Client)


@pytest.mark.parametrize(
    ("left", "promise"),
    [
        ({"records": (State.PROCESSING,)}, "stuck"),
        ({"markers": ("open/ada/v.1",)}, "ghost"),
        ({"uploads": ("videos/ada/v",)}, "orphaned"),
        ({"videos": ("videos/ada/v",)}, "orphaned"),
        ({"videos": ("videos/ada/v",), "records": (State.EXPIRED,)}, "orphaned"),
        ({"posters": ("posters/ada/v.jpg",), "records": (State.REJECTED,)}, "orphaned"),
    ],
    ids=str,
)
def test_the_verifier_sees_unfinished_work(left: dict[str, tuple[str, ...]], promise: str) -> None:
    assert [broken.promise for broken in residue(remains(left))] == [promise]


def test_the_verifier_sees_a_file_that_became_two_videos_and_bytes_that_are_not_the_files() -> None:
    twice = remains({"records": (State.READY.value, State.ABORTED.value)})
    assert [broken.promise for broken in doubled(twice, may_start_over=False)] == ["doubled"]
    assert not list(doubled(twice, may_start_over=True))
    assert [broken.promise for broken in lost("v", None, "a")] == ["lost"]
    assert [broken.promise for broken in lost("v", "b", "a")] == ["lost"]
    assert not list(lost("v", "a", "a"))


def test_the_verifier_finds_nothing_beside_a_video_that_is_ready() -> None:
    kept = {"records": (State.READY.value,), "videos": ("videos/ada/v",), "posters": ("posters/ada/v.jpg",)}
    assert not list(residue(remains(kept)))


def remains(left: Mapping[str, tuple[str, ...]]) -> Remains:
    request = StartUpload(file_name="film.mp4", content_type="video/mp4", size_bytes=1)
    begun = VideoRecord.begun(
        VideoRef("ada", "v"), request, part_size_bytes=1, upload_id="u", now=NOW, ttl=timedelta(days=7)
    )
    return Remains(
        records=tuple(begun.noted(state=State(state)) for state in left.get("records", ())),
        videos=left.get("videos", ()),
        posters=left.get("posters", ()),
        markers=left.get("markers", ()),
        uploads=left.get("uploads", ()),
    )
