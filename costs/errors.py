"""Why there is no answer, apart from what is wrong with the stage itself (components/declared_stage.py).

CostModelError
├── WorkloadError         every wrong value of a workload file
├── PriceListError        the price file is wrong, or made for another region
└── ProgramChangedError   the program declares something that the model cannot read
"""

from __future__ import annotations

from collections.abc import Sequence


class CostModelError(Exception):
    """The model cannot say what the stage costs."""


class WorkloadError(CostModelError):
    """problems: (key, what is wrong with it)."""

    def __init__(self, problems: Sequence[tuple[str, str]]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(["wrong workload:", *(f"  {key}: {problem}" for key, problem in problems)]))


class PriceListError(CostModelError):
    """key: of the price; problem: what is wrong with it."""

    def __init__(self, key: str, problem: str) -> None:
        self.key, self.problem = key, problem
        super().__init__(f"prices.toml: {key} {problem}")


class ProgramChangedError(CostModelError):
    """resource: type and name; problem: what the model does not understand about it."""

    def __init__(self, resource: str, problem: str) -> None:
        self.resource, self.problem = resource, problem
        super().__init__(f"{resource}: {problem}")
