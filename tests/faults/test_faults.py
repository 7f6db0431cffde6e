"""A few of the runs of `make faults`, and that its judge has eyes."""

import pytest

from tests.chromium import CHROMIUM, NO_BROWSER
from tests.faults.__main__ import main
from tests.faults.campaign import Findings, play_all, wanted_kinds
from tests.faults.kinds import KINDS, Client

SHORT = ("command/init/lost", "command/complete/dies-after")
SHORT_OF_THE_PAGE = ("page/complete/lost",)


def played(*names: str) -> Findings:
    findings = play_all([KINDS[name] for name in names], range(1), lanes=2)
    assert findings.runs.total() == len(names)
    assert not findings.unstruck
    return findings


def test_the_command_keeps_every_promise_under_two_kinds_of_fault() -> None:
    assert not played(*SHORT).kept(), "see the steps with: make faults ARGS='--kinds NAME --seeds 1 --show'"


def test_the_page_keeps_every_promise_under_one() -> None:
    if not CHROMIUM.exists():
        pytest.skip(NO_BROWSER)
    assert not played(*SHORT_OF_THE_PAGE).kept()


def test_there_are_sixty_kinds_of_fault_and_more_of_both_clients(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--list"]) == 0
    assert len(capsys.readouterr().out.split()) == len(KINDS) >= 60
    assert {kind.client for kind in wanted_kinds([], None)} == set(Client)
