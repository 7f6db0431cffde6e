"""One style of arguments for every command of deploy/."""

from __future__ import annotations

import argparse
import importlib
import io
import re
import shlex
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

from deploy.command import FAILED, INTERRUPTED, confirm, exit_status
from deploy.errors import NotConfirmedError, OutputsNotReadableError
from tests.terminal import Terminal

PROJECT = Path(__file__).resolve().parents[2]
COMMANDS = sorted(path.stem for path in (PROJECT / "deploy").glob("*.py") if "parser()" in path.read_text())
RECIPE = re.compile(r"^([a-z-]+):.*\n\t@?\$\(OPERATE\)\.(\w+) ", re.MULTILINE)
TARGETS = {name: target for target, name in RECIPE.findall((PROJECT / "Makefile").read_text())}
ADA = "ada@example.com"
CHANGES_FOR_GOOD = {
    **{"restore_video": "0" * 28, "remake_rendition": "0" * 28},
    **{"webhook_secret": "finish billing", "administrators": f"add {ADA}"},
    **{"restore_records": "2026-11-27T08:00:00Z", "revoke_user": ADA, "erase_user": ADA, "reset_mfa": ADA},
}
"""Commands that ask before they change what cannot simply be changed back, and what they are asked about."""


def command(name: str) -> ModuleType:
    return importlib.import_module(f"deploy.{name}")


def options_of(parser: argparse.ArgumentParser) -> dict[str, str]:
    """Help by option or positional argument."""
    told: dict[str, str] = {}
    for group in parser._action_groups:  # argparse has no public list of its arguments
        for action in group._group_actions:
            told[max(action.option_strings, key=len, default=str(action.metavar))] = str(action.help)
    return told


def test_the_commands_are_found() -> None:
    assert {*CHANGES_FOR_GOOD, "preflight", "smoke", "deploy_role", "find_upload", "publish_site"} <= set(COMMANDS)
    assert set(COMMANDS) - set(TARGETS) == {"deploy_role", "print_environment"}


@pytest.mark.parametrize("name", COMMANDS)
def test_help_names_the_program_as_it_is_typed_and_the_command_that_a_person_types(name: str) -> None:
    shown = command(name).parser().format_help()
    assert shown.startswith(f"usage: python -m deploy.{name} ")
    target = TARGETS.get(name)
    first_line = str(command(name).__doc__).splitlines()[0]
    typed = re.search(r"`([^`]+)`", first_line)
    assert typed, first_line
    assert typed[1].startswith(f"make {target} STAGE=" if target else f"python -m deploy.{name}")
    if target:
        dry = ["make", "-n", "-o", "install", "-o", "web", *shlex.split(typed[1])[1:]]
        runs = subprocess.run(dry, cwd=PROJECT, capture_output=True, text=True, check=True).stdout
        assert f"-m deploy.{name} --stage " in runs


def test_an_argument_means_the_same_wherever_it_is_taken() -> None:
    meanings: dict[str, set[str]] = {}
    for name in COMMANDS:
        for option, meaning in options_of(command(name).parser()).items():
            meanings.setdefault(option, set()).add(meaning)
    # A preflight checks a stage that has no stack yet, and find-upload lists by --owner alone.
    shared = {option: told for option, told in meanings.items() if option not in {"--stage", "--owner", "VIDEO_ID"}}
    assert {option: told for option, told in shared.items() if len(told) > 1} == {}


@pytest.mark.parametrize("name", COMMANDS)
def test_an_option_is_spelt_out(name: str) -> None:
    """`--y` of a script must not come to mean `--yes`."""
    assert not command(name).parser().allow_abbrev


@pytest.mark.parametrize("name", COMMANDS)
def test_only_what_asks_takes_yes(name: str) -> None:
    assert ("--yes" in options_of(command(name).parser())) == (name in CHANGES_FOR_GOOD)


@pytest.mark.parametrize(("name", "about"), CHANGES_FOR_GOOD.items())
def test_yes_is_an_answer_and_changes_nothing_else(name: str, about: str) -> None:
    parse = command(name).parser().parse_args
    asked, answered = vars(parse(about.split())), vars(parse([*about.split(), "--yes"]))
    assert {key for key in asked if asked[key] != answered[key]} == {"yes"}


def test_a_question_is_answered_by_typing_what_it_is_about(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", Terminal("ada\n"))
    confirm("Ada goes.", "ada", confirmed=False)
    for typed in ("", "y\n", "yes\n", "adam\n"):
        monkeypatch.setattr(sys, "stdin", Terminal(typed))
        with pytest.raises(NotConfirmedError, match="was not typed"):
            confirm("Ada goes.", "ada", confirmed=False)


def test_without_a_terminal_nobody_is_asked_and_nothing_is_done(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO("ada\n"))
    with pytest.raises(NotConfirmedError, match="--yes"):
        confirm("Ada goes.", "ada", confirmed=False)
    confirm("Ada goes.", "ada", confirmed=True)
    assert "Type" not in capsys.readouterr().out


def test_every_command_ends_with_the_same_codes(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def refused() -> None:
        raise OutputsNotReadableError("there is none")

    def interrupted() -> None:
        raise KeyboardInterrupt

    assert exit_status(lambda: None) == 0
    assert exit_status(lambda: FAILED) == FAILED
    assert exit_status(refused) == FAILED
    assert exit_status(interrupted) == INTERRUPTED
    assert "there is none" in capsys.readouterr().err


@pytest.mark.parametrize("name", COMMANDS)
def test_a_wrong_argument_ends_with_2_before_anything_is_asked(name: str) -> None:
    with pytest.raises(SystemExit) as ended:
        command(name).main(["--no-such-option"])
    assert ended.value.code == 2
