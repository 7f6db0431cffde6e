"""Patterns for Java match what Java would have them match."""

from typing import Any, cast

import pytest

from local.stand_in.aws_models.patterns import matcher
from local.stand_in.aws_models.services import service
from tests.aws_models.test_requests import BOUNDS


@pytest.mark.parametrize(
    ("pattern", "taken", "refused"),
    [
        (r"[^:*]*", "clients/9f", "eu-central-1:9f"),  # the whole text, anchored or not
        (r"[\w+=,.@-]+", "video-upload", "Zo\u00eb"),  # \w is ASCII
        (r"\d{12}", "123456789012", "12345678901\u0662"),
        (r"[\p{L}\p{M}\p{S}\p{N}\p{P}]+", "Zo\u00eb's", "two words"),  # \p{L} is Unicode
        (r"\p{Print}+", "Two words.", "Zo\u00eb"),  # POSIX classes are ASCII
        (r"[\p{Alnum}_]+", "a_1", "\u00e9"),
        (r"[\u0020-\uD7FF\uE000-\uFFFD\uD800\uDC00-\uDBFF\uDFFF\t]*", "film \U0001f3ac", "two\nlines"),
        (r"\A[a-z]+\z", "site", "site\n"),
        (r"[\p{Print}&&[^|:/]]+", "a b", "a:b"),
        (r"[a\x{60}]+", "a`", "a'"),
        (r"[\s\S]*", "any\nthing \u20ac", None),
    ],
)
def test_a_pattern_for_java_is_matched_as_java_does(pattern: str, taken: str, refused: str | None) -> None:
    matches = matcher(pattern)
    assert matches is not None
    assert matches(taken)
    assert refused is None or not matches(refused)


@pytest.mark.parametrize("name", sorted({bound.service for bound in BOUNDS} | {"s3", "cloudwatch", "athena", "glue"}))
def test_every_pattern_of_the_services_in_use_is_understood(name: str) -> None:
    found = service(name, is_on_the_wire=False)
    assert found is not None
    shapes = [cast("Any", found.model.shape_for(shape)) for shape in found.model.shape_names]
    patterns = {shape.metadata["pattern"] for shape in shapes if "pattern" in shape.metadata}
    assert [pattern for pattern in patterns if matcher(pattern) is None] == []
