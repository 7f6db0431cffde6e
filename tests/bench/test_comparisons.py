"""`make bench` in short: every cheap row runs and prints its figures. No figure is asserted."""

from __future__ import annotations

import re

import pytest

from bench import document, one_upload, peers, rounds, sweeps
from bench.__main__ import ROWS, main


def test_contestants_take_turns_and_ratios_are_those_of_one_round() -> None:
    turns: list[str] = []
    spent = {"ours": iter([9.0, 1.0, 2.0, 4.0]), "peer": iter([9.0, 2.0, 8.0, 8.0])}

    def take(name: str) -> float:
        turns.append(name)
        return next(spent[name])

    results = rounds.take_turns({name: lambda name=name: take(name) for name in spent}, 3)
    assert turns == ["ours", "peer"] * 4
    assert results.median("ours", float) == 2
    assert results.ratio("ours", "peer", float) == 0.5


@pytest.mark.parametrize(
    ("figure", "bounds", "is_met"),
    [
        (80, {"at_least": 80}, True),
        (79, {"at_least": 80}, False),
        (2, {"at_most": 2}, True),
        (3, {"at_most": 2}, False),
    ],
)
def test_a_reach_is_met_at_its_bound_and_says_so(figure: float, bounds: dict[str, float], *, is_met: bool) -> None:
    target = rounds.Target(text="a figure", figure=figure, **bounds)
    assert target.is_met is is_met
    assert str(target).endswith("**met**" if is_met else "**not met**")


def test_every_row_has_its_section_in_the_document() -> None:
    text = document.DOCUMENT.read_text()
    for row in ROWS.values():
        assert re.search(f"<!-- {row.section} -->.*<!-- /{row.section} -->", text, re.DOTALL), row.section


def test_figures_replace_those_of_an_earlier_run_and_nothing_else(
    monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> None:
    copy = tmp_path_factory.mktemp("docs") / "performance.md"
    copy.write_text("<!-- bench.summary -->\n<!-- /bench.summary -->\n## A\n<!-- a -->\nold\n<!-- /a -->\nafter\n")
    monkeypatch.setattr(document, "DOCUMENT", copy)
    document.write("a", r"new \1")
    assert copy.read_text().endswith("## A\n<!-- a -->\nnew \\1\n<!-- /a -->\nafter\n")
    with pytest.raises(LookupError, match="the marks of b 0 times"):
        document.write("b", "new")


def test_a_reach_that_is_written_stands_in_the_summary(
    monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> None:
    copy = tmp_path_factory.mktemp("docs") / "performance.md"
    copy.write_text("<!-- bench.summary -->\n<!-- /bench.summary -->\n### Cold starts\n<!-- a -->\n<!-- /a -->\n")
    monkeypatch.setattr(document, "DOCUMENT", copy)
    document.write("a", str(rounds.Target(text="ours / peer", figure=0.5, at_most=0.4)))
    assert "| [Cold starts](#cold-starts) | ours / peer | ≤ 0.4 | 0.5 | no |" in copy.read_text()
    document.write("a", str(rounds.Target(text="URLs", figure=81.54, at_least=80)))
    assert "| URLs | ≥ 80 | 81.5 | yes |" in copy.read_text()
    assert "peer" not in copy.read_text()


def test_the_summary_has_every_reach_of_the_document() -> None:
    text = document.DOCUMENT.read_text()
    assert document.summary(text) in text
    assert document.summary(text).count("\n") == text.count(" (target: at ") + 1


@pytest.mark.slow
def test_the_short_form_of_a_row_runs_and_prints_its_figures(capsys: pytest.CaptureFixture[str]) -> None:
    main(["--rows", "functions,cold-starts", "--quick"])
    printed = capsys.readouterr().out
    assert "rounds: 1." in printed
    assert re.search(r"POST /multipart/parts, 500 URLs \| [0-9.]+ \| [0-9.]+ \| [0-9.]+ \|", printed)
    assert re.search(r"\| authorizer \| [0-9]+ \| [0-9.]+ \|", printed)


@pytest.mark.skipif(not peers.PYTHON.exists(), reason="the peers are not installed: `make bench` does it")
def test_our_part_urls_are_boto3s_while_they_are_measured(capsys: pytest.CaptureFixture[str]) -> None:
    main(["--rows", "signing", "--quick"])
    assert re.search(r"\| 100 \| [0-9.]+ \| [0-9.]+ \| [0-9.]+ \|", capsys.readouterr().out)


def test_a_row_that_does_not_exist_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--rows", "signing,swimming"])
    assert "swimming is not one of signing" in capsys.readouterr().err


def test_every_call_of_an_upload_has_its_reason_and_every_reason_its_call() -> None:
    played = one_upload.play()
    assert not one_upload.unexplained(played)
    assert all(seconds >= 0 for seconds in played.cpu_seconds.values())


def test_a_call_without_a_reason_is_found() -> None:
    played = one_upload.play()
    played.calls["processing"].append("metadata.put starts/")
    assert one_upload.unexplained(played) == {("processing", "metadata.put starts/")}


def test_the_document_counts_the_calls_as_they_are_made_now() -> None:
    made = one_upload.report(1, quick=True).partition("\n\n")[2]
    assert made in document.DOCUMENT.read_text(), "make bench ARGS='--rows one-upload --write'"


@pytest.mark.slow
def test_a_sweep_reads_each_open_upload_once_and_a_run_of_the_program_is_measured(
    capsys: pytest.CaptureFixture[str],
) -> None:
    main(["--rows", "sweeps,pulumi-program", "--quick"])
    printed = capsys.readouterr().out
    assert re.search(r"\| 100 \| 101 \| [0-9.]+ \| [0-9,]+ \|", printed)
    assert re.search(r"\| dev \| [0-9.]+ \| [0-9.]+ \|", printed)


def test_a_page_of_an_owner_and_of_the_stage_costs_three_calls_at_any_size(capsys: pytest.CaptureFixture[str]) -> None:
    main(["--rows", "library", "--quick"])
    printed = capsys.readouterr().out
    assert len(re.findall(r"^\| 10(?:0)? \|", printed, re.MULTILINE)) == 4, printed
    for whose in ("an owner", "the stage"):
        assert f"most calls of a page of {whose}: 3 (target: at most 3), **met**" in printed


def test_the_longest_get_of_a_sweep_leaves_time_for_its_own_code() -> None:
    assert sweeps.longest_get_milliseconds(cpu_seconds=0, calls=120_000) == 100
    assert sweeps.longest_get_milliseconds(cpu_seconds=10, calls=120_000) == pytest.approx(88.5, abs=0.1)
