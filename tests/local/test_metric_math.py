"""Metric math as CloudWatch calculates it."""

import pytest

from components.observability.figures import Figure, figures_of
from local.status.metric_math import MetricMathError, Points, evaluate
from tests.infrastructure.monitored_stage import ANY_STAGE


@pytest.mark.parametrize(
    ("expression", "metrics", "points"),
    [
        ("m0/1000000", [(5e6, None)], (5.0, None)),
        ("m0-m1", [(12.0, 5.0, None, None), (2.0, None, 1.0, None)], (10.0, 5.0, -1.0, None)),
        ("100*m0/m1", [(1.0, 1.0), (4.0, 0.0)], (25.0, None)),
        ("IF(m1>0, 100*m0/m1)", [(0.0, 3.0, None), (0.0, 12.0, None)], (None, 25.0, None)),
        ("IF(m1>0, 100*m0/m1)", [(None,), (12.0,)], (0.0,)),
        ("IF(m0>=2, 1, 0)", [(1.0, 2.0, None)], (0.0, 1.0, None)),
        ("IF(m0>=2, m1, 7)", [(2.0, 2.0, 1.0), (5.0, None, None)], (5.0, 0.0, 7.0)),
        ("FILL(m0,0)+FILL(m1,0)", [(1.0, None), (None, None)], (1.0, 0.0)),
        ("SUM([m0,m1])", [(1.0, None, None), (2.0, 5.0, None)], (3.0, 5.0, None)),
        ("DIFF(SUM([m0,m1]))", [(1.0, 4.0, 2.0), (1.0, 1.0, None)], (None, 3.0, -3.0)),
        ("5", [(1.0, None)], (5.0, 5.0)),
    ],
)
def test_a_missing_point_is_0_beside_one_that_is_there_and_else_stays_missing(
    expression: str, metrics: list[Points], points: Points
) -> None:
    assert evaluate(expression, metrics) == points


@pytest.mark.parametrize("expression", ["m1", "AVG(m0)", "m0 m0", "SUM(m0)", "__import__('os')", "m0.points", "'text'"])
def test_unknown_metric_math_is_refused(expression: str) -> None:
    with pytest.raises(MetricMathError) as refused:
        evaluate(expression, [(1.0,)])
    assert refused.value.expression == expression


@pytest.mark.parametrize("figure", figures_of(ANY_STAGE), ids=lambda figure: figure.key)
def test_every_figure_of_the_dashboard_can_be_computed_here(figure: Figure) -> None:
    for metrics, expression in [
        (figure.metrics, figure.expression),
        *([(figure.interim.metrics, figure.interim.expression)] if figure.interim else []),
    ]:
        points = [(2e9, 3e9)] * len(metrics)
        assert evaluate(expression or "m0", points)[-1] is not None
