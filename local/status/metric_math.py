"""The part of CloudWatch's metric math that the figures use, over time series of equal length.

Source: CloudWatch User Guide, "Using math expressions with CloudWatch metrics". A point that only one of two series has
meets a 0 in the other; with a number a missing point stays missing.

    MetricMathError        the expression cannot be evaluated: it is wrong, or uses a function not in _FUNCTIONS
"""

import ast
import operator
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from simpleeval import EvalWithCompoundTypes, InvalidExpression

Points = tuple[float | None, ...]
"""One value a period, oldest first; None where there is none."""


class MetricMathError(Exception):
    """expression: the one that cannot be evaluated."""

    def __init__(self, expression: str, reason: str) -> None:
        self.expression, self.reason = expression, reason
        super().__init__(f"{expression}: {reason}")


class _TimeSeries:
    """Points that take part in arithmetic."""

    def __init__(self, points: Points) -> None:
        self.points = points

    def with_each(self, other: "_TimeSeries", compute: Callable[[float, float], float | None]) -> "_TimeSeries":
        pairs = zip(self.points, other.points, strict=True)
        return _TimeSeries(tuple(None if a is None and b is None else compute(a or 0, b or 0) for a, b in pairs))

    def where_present(self, compute: Callable[[float], float | None]) -> "_TimeSeries":
        return _TimeSeries(tuple(None if point is None else compute(point) for point in self.points))


def evaluate(expression: str, metrics: Sequence[Points]) -> Points:
    """The points of an expression over `metrics`, which it calls m0, m1, …. Raises MetricMathError."""
    length = len(metrics[0])

    def series_of(value: object) -> _TimeSeries:
        if isinstance(value, _TimeSeries):
            return value
        if isinstance(value, (int, float)):
            return _TimeSeries((float(value),) * length)
        raise MetricMathError(expression, f"{value!r} is no number")

    def pointwise(compute: Callable[[float, float], float | None]) -> Callable[[Any, Any], _TimeSeries]:
        def over(left: Any, right: Any) -> _TimeSeries:
            if isinstance(left, (int, float)):
                return series_of(right).where_present(lambda point: compute(left, point))
            if isinstance(right, (int, float)):
                return series_of(left).where_present(lambda point: compute(point, right))
            return series_of(left).with_each(series_of(right), compute)

        return over

    def on_series(function: Callable[..., _TimeSeries]) -> Callable[..., _TimeSeries]:
        return lambda *given: function(
            *([series_of(one) for one in value] if isinstance(value, list) else series_of(value) for value in given)
        )

    evaluator: Any = EvalWithCompoundTypes(
        operators={node: pointwise(compute) for node, compute in _OPERATORS.items()},
        names={f"m{position}": _TimeSeries(points) for position, points in enumerate(metrics)},
    )
    evaluator.functions = {name: on_series(function) for name, function in _FUNCTIONS.items()}
    try:
        return series_of(evaluator.eval(expression)).points
    except (InvalidExpression, SyntaxError, KeyError, TypeError) as error:
        raise MetricMathError(expression, str(error)) from error


def _if(condition: _TimeSeries, true: _TimeSeries, false: _TimeSeries | None = None) -> _TimeSeries:
    """IF: as in CloudWatch, a missing point is 0 where the condition holds, and stays missing elsewhere."""
    others = false.points if false else (None,) * len(true.points)
    return _TimeSeries(
        tuple(
            None if decides is None else (chosen or 0) if decides else other
            for decides, chosen, other in zip(condition.points, true.points, others, strict=True)
        )
    )


def _fill(series: _TimeSeries, filling: _TimeSeries) -> _TimeSeries:
    pairs = zip(series.points, filling.points, strict=True)
    return _TimeSeries(tuple(filler if point is None else point for point, filler in pairs))


def _sum(several: list[_TimeSeries]) -> _TimeSeries:
    """SUM over several series; missing points are skipped."""
    columns = zip(*(series.points for series in several), strict=True)
    present = ([point for point in column if point is not None] for column in columns)
    return _TimeSeries(tuple(sum(points) if points else None for points in present))


def _diff(series: _TimeSeries) -> _TimeSeries:
    """DIFF: difference from the previous point; the first has none."""
    pairs = zip(series.points, (None, *series.points[:-1]), strict=True)
    return _TimeSeries(tuple(None if point is None or before is None else point - before for point, before in pairs))


def _quotient(dividend: float, divisor: float) -> float | None:
    return dividend / divisor if divisor else None


_OPERATORS: Mapping[type[ast.AST], Callable[[float, float], float | None]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: _quotient,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
}
_FUNCTIONS: Mapping[str, Callable[..., _TimeSeries]] = {"IF": _if, "FILL": _fill, "SUM": _sum, "DIFF": _diff}
