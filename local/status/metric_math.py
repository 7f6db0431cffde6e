"""The part of CloudWatch's metric math that the figures use, over time series of equal length.

Source: CloudWatch User Guide, "Using math expressions with CloudWatch metrics". A point that only one of two series has
is combined with 0; with a number a missing point stays missing.

    MetricMathError        the expression cannot be evaluated: it is wrong, or uses a function not in _FUNCTIONS
"""

import ast
import operator
from collections.abc import Callable, Sequence
from typing import Any

from simpleeval import EvalWithCompoundTypes, InvalidExpression

Points = tuple[float | None, ...]
"""One value per period, oldest first; None for a period without one."""


class MetricMathError(Exception):
    """expression: that cannot be evaluated."""

    def __init__(self, expression: str, reason: str) -> None:
        self.expression, self.reason = expression, reason
        super().__init__(f"{expression}: {reason}")


def evaluate(expression: str, metrics: Sequence[Points]) -> Points:
    """The points of an expression over `metrics`, named m0, m1, … in it. Raises MetricMathError."""
    evaluator: Any = EvalWithCompoundTypes(
        operators={node: _pointwise(compute) for node, compute in _OPERATORS.items()},
        names={f"m{position}": points for position, points in enumerate(metrics)},
    )
    evaluator.functions = _FUNCTIONS
    try:
        found: Any = evaluator.eval(expression)
        return found if isinstance(found, tuple) else (float(found),) * len(metrics[0])
    except (InvalidExpression, SyntaxError, LookupError, TypeError, ValueError) as error:
        raise MetricMathError(expression, str(error)) from error


def _at(value: Points | float | None, period: int) -> float | None:
    """The point of a period. A number has the same value in all periods."""
    return value[period] if isinstance(value, tuple) else value


def _pointwise(compute: Callable[[float, float], float | None]) -> Callable[[Any, Any], Points | float | None]:
    def apply(left: Points | float, right: Points | float) -> Points | float | None:
        if not isinstance(right, tuple):
            if not isinstance(left, tuple):
                return compute(left, right)
            return tuple(None if point is None else compute(point, right) for point in left)
        if not isinstance(left, tuple):
            return tuple(None if point is None else compute(left, point) for point in right)
        pairs = zip(left, right, strict=True)
        return tuple(None if a is None and b is None else compute(a or 0, b or 0) for a, b in pairs)

    return apply


def _if(condition: Points, true: Points | float, false: Points | float | None = None) -> Points:
    """IF: as in CloudWatch, a missing point is 0 if the condition holds, else missing."""
    return tuple(
        None if decides is None else (_at(true, period) or 0) if decides else _at(false, period)
        for period, decides in enumerate(condition)
    )


def _fill(series: Points, filling: Points | float) -> Points:
    return tuple(_at(filling, period) if point is None else point for period, point in enumerate(series))


def _sum(several: list[Points]) -> Points:
    """SUM over several series; missing points are skipped."""
    columns = zip(*several, strict=True)
    present = ([point for point in column if point is not None] for column in columns)
    return tuple(sum(points) if points else None for points in present)


def _diff(series: Points) -> Points:
    """DIFF: difference from the previous point; the first has none."""
    pairs = zip(series, (None, *series[:-1]), strict=True)
    return tuple(None if point is None or before is None else point - before for point, before in pairs)


_OPERATORS = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: lambda dividend, divisor: dividend / divisor if divisor else None,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
}
_FUNCTIONS = {"IF": _if, "FILL": _fill, "SUM": _sum, "DIFF": _diff}
