"""Round robin: contestants take turns, so that a busy moment of the machine meets all of them, and pairs compare."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

Figure = TypeVar("Figure")


@dataclass(frozen=True)
class Results(Generic[Figure]):
    """Expenses of each contestant, one entry a round."""

    by_name: Mapping[str, Sequence[Figure]]

    def median(self, name: str, figure: Callable[[Figure], float]) -> float:
        return statistics.median(figure(each) for each in self.by_name[name])

    def ratio(self, ours: str, peer: str, figure: Callable[[Figure], float]) -> float:
        """Median of the ratios of ours to the peer's, each of one round."""
        pairs = zip(self.by_name[ours], self.by_name[peer], strict=True)
        return statistics.median(figure(mine) / figure(theirs) for mine, theirs in pairs)


def take_turns(contestants: Mapping[str, Callable[[], Figure]], rounds: int) -> Results[Figure]:
    """Let each contestant run once a round. A first round that does not count fills caches."""
    by_name: dict[str, list[Figure]] = {name: [] for name in contestants}
    for number in range(rounds + 1):
        for name, run in contestants.items():
            spent = run()
            if number:
                by_name[name].append(spent)
    return Results(by_name)


@dataclass(frozen=True, kw_only=True)
class Target:
    """Bound of a figure: `at_least` or `at_most`."""

    text: str
    figure: float
    at_least: float | None = None
    at_most: float | None = None

    @property
    def is_met(self) -> bool:
        above = self.at_least is None or self.figure >= self.at_least
        return above and (self.at_most is None or self.figure <= self.at_most)

    def __str__(self) -> str:
        bound = f"at least {self.at_least:g}" if self.at_least is not None else f"at most {self.at_most:g}"
        return f"- {self.text}: {self.figure:.3g} (target: {bound}), **{'met' if self.is_met else 'not met'}**"


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table, its first column of text and the others of figures."""
    lines = [head, ["---", *["---:"] * (len(head) - 1)], *rows]
    return (
        "\n".join("| " + " | ".join(line) + " |" for line in lines)
        .replace("| --- |", "|---|")
        .replace(" ---: |", "---:|")
    )
