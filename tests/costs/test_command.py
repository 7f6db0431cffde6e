"""The command, from its arguments to the screen."""

from __future__ import annotations

import io
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import redirect_stdout
from pathlib import Path

import pytest

from costs.__main__ import main
from costs.model import CostModel
from costs.prices import Driver
from costs.targets import CHANGES
from tests.infrastructure.recorded_program import PROJECT


@pytest.fixture(scope="module")
def one_change() -> Iterator[None]:
    """One change to try instead of all: each takes a run of the program."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("costs.targets.CHANGES", [change for change in CHANGES if str(change) == "waf: false"])
        yield


@pytest.fixture(scope="module")
def picture(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("picture") / "curve.svg"


@pytest.fixture(scope="module")
def said(one_change: None, picture: Path) -> str:
    """Output of one run for prod, with a picture."""
    with redirect_stdout(io.StringIO()) as printed:
        main(["--stage", "prod", "--svg", str(picture)])
    return printed.getvalue()


def test_it_prints_what_was_asked_for(prod: CostModel, said: str, picture: Path) -> None:
    bill, idle = prod.bill(), prod.idle_bill()
    for driver in Driver:
        assert re.search(rf"{re.escape(driver)} +{idle.of(driver):,.2f} +{bill.of(driver):,.2f}", said)
    assert re.search(rf"total +{idle.usd:,.2f} +{bill.usd:,.2f}", said)
    for strategy in (
        "Reserved Concurrency: 0",
        "Lifecycle",
        "Intelligent Tiering",
        "CDN Price Classes",
        "Auto-scaling",
    ):
        assert strategy in said
    assert f"Cost per GB: ${bill.usd_per(bill.stored_gb):,.3f}" in said
    assert re.search(r"target \$0\.230: (met|MISSED)", said)
    assert re.search(r"target 95\.0 %: (met|MISSED)", said)
    assert "upload servers" in said
    assert re.search(r"1 GB .*\n", said)
    assert re.search(r"1 PB .*\n", said)
    used = [line.price for line in bill.lines if line.usd > 0]
    assert all(price.confirmed or price.key in said for price in used)
    assert picture.read_text().startswith("<svg ")
    assert "target $0.23" in picture.read_text()


def test_a_missed_target_says_what_would_meet_it(said: str) -> None:
    assert said.count("MISSED") <= said.count("alone:") + said.count("together they")
    for missed in re.findall(r"together they reach (\S+)", said):
        assert missed
    assert said.count("all of these still miss it by") == said.count("together they reach")


@pytest.mark.usefixtures("one_change")
def test_a_workload_of_nothing_is_answered_too(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "nothing.toml"
    path.write_text(
        "uploads_per_day = 0\nactive_users_per_month = 0\nmachine_tokens_per_day = 0\npeak_concurrent_uploads = 0\n"
        "peak_users = 0\n"
    )
    main(["--stage", "dev", "--workload", str(path)])
    assert "nothing to measure" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (["--stage", "My-Stage"], "stack: is called 'My-Stage'"),
        (["--stage", "dev", "--workload", "no-such-file.toml"], "cannot be read"),
    ],
)
def test_it_ends_with_one_message_when_it_cannot_answer(arguments: list[str], problem: str) -> None:
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert problem in str(ended.value.code)


def test_a_stage_with_wrong_settings_ends_with_what_is_wrong_and_no_other_word() -> None:
    asked = (
        "import sys; sys.path.append('chalice_app')\n"
        "from components.declared_stage import StageRefusedError\n"
        "from components.declared_stage import declare\n"
        "try: declare('dev', (('logDays', -1),))\n"
        "except StageRefusedError as error: sys.exit(str(error))"
    )
    ended = subprocess.run([sys.executable, "-c", asked], cwd=PROJECT, capture_output=True, text=True, check=False)
    assert re.fullmatch(r"wrong settings:\n  logDays: is -1, not .*\n", ended.stderr)


def test_it_starts_without_anything_set_up() -> None:
    started = subprocess.run(
        [sys.executable, "-m", "costs", "--help"], cwd=PROJECT, env={}, capture_output=True, text=True, check=True
    )
    assert "--workload" in started.stdout
    assert "--stage STAGE" in started.stdout


@pytest.mark.parametrize("text", ["config: [", "config: [1, 2]", "hello"])
def test_a_stage_file_that_holds_no_settings_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    (tmp_path / "Pulumi.yaml").write_text((PROJECT / "Pulumi.yaml").read_text())
    (tmp_path / "Pulumi.broken.yaml").write_text(text)
    monkeypatch.setattr("components.declared_stage.PROJECT", tmp_path)
    with pytest.raises(SystemExit, match=r"wrong settings:\n  Pulumi\.broken\.yaml: (is no YAML|holds no settings)"):
        main(["--stage", "broken"])


def test_a_picture_that_cannot_be_written_is_refused_before_anything_is_computed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for context in (tmp_path, tmp_path / "missing" / "curve.svg"):
        with pytest.raises(SystemExit) as refused:
            main(["--stage", "prod", "--svg", str(context)])
        assert refused.value.code == 2
        said = capsys.readouterr()
        assert said.out == ""
        assert f"{context} cannot be a file" in said.err
