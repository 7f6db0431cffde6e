"""Errors of the estimate, apart from those of a wrong stage (components/declared_stage.py)."""

from collections.abc import Sequence


class CostModelError(Exception):
    """The model cannot estimate the stage's cost."""


class WorkloadError(CostModelError):
    """All wrong values of a workload file. problems: pairs of a key and its fault."""

    def __init__(self, problems: Sequence[tuple[str, str]]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(["wrong workload:", *(f"  {key}: {problem}" for key, problem in problems)]))


class PriceListError(CostModelError):
    """A price is wrong or missing, or of another region."""
