"""Every rejection has a code of the API and a sentence for a person."""

import re
from collections.abc import Iterator
from dataclasses import fields
from typing import get_args

import pytest

from chalicelib.contract.responses import RejectionCode
from chalicelib.core.media import errors
from chalicelib.core.media.errors import MediaError, MediaLimitsError
from chalicelib.core.media.facts import InspectionLimits
from chalicelib.core.video_types import Container

EXAMPLES: list[MediaError] = [
    errors.NotAVideoError(),
    errors.NotAVideoError(found="HEIC"),
    errors.ContainerNotAcceptedError(Container.OGG, frozenset({Container.MP4})),
    errors.NoVideoStreamError(("audio",)),
    errors.EncryptedMediaError(),
    errors.UnsupportedCodecError("ffv1"),
    errors.UnreadableMediaError(problem="Invalid data found when processing input"),
    errors.InspectorCrashedError(exit_status=-11, evidence="a heap address"),
    errors.MediaLimitsError(limit="max_pixels", allowed=67_108_864, found=268_402_689),
    errors.MediaBudgetError(limit="max_fetched_bytes", allowed=1000, resource="bytes"),
]


def _leaves(kind: type[MediaError] = MediaError) -> Iterator[type[MediaError]]:
    for leaf in kind.__subclasses__():
        yield leaf
        yield from _leaves(leaf)


def test_every_error_has_an_example_here_and_a_place_in_the_drawn_tree() -> None:
    assert {type(example) for example in EXAMPLES} == set(_leaves())
    drawn = re.findall(r"^[│├└─ ]*(\w+Error)\b", errors.__doc__ or "", re.MULTILINE)
    assert {leaf.__name__ for leaf in _leaves()} <= set(drawn)


@pytest.mark.parametrize("limit", [field.name for field in fields(InspectionLimits)])
def test_every_limit_is_told_in_words_with_both_figures(limit: str) -> None:
    allowed = getattr(InspectionLimits(), limit)
    told = MediaLimitsError(limit=limit, allowed=allowed, found=2 * allowed).message
    assert "max" not in told
    assert "_" not in told
    figures = [float(figure.replace(",", "")) for figure in re.findall(r"[0-9][0-9,.]*(?=[ ;])", told)]
    assert figures[0] == 2 * figures[1]


def test_a_limit_is_told_as_people_say_it() -> None:
    assert (
        MediaLimitsError(limit="max_dimension_px", allowed=16_384, found=20_000).message
        == "The longer side of the picture is 20,000 pixels; 16,384 pixels are allowed."
    )
    assert (
        MediaLimitsError(limit="max_duration_seconds", allowed=30 * 86_400, found=31 * 86_400).message
        == "The duration of the video is 744 hours; 720 hours are allowed."
    )
    assert (
        MediaLimitsError(limit="max_memory_bytes", allowed=1_536 << 20).message
        == "The memory that it takes to inspect the file exceeds 1,536 MiB, the most that is allowed."
    )


@pytest.mark.parametrize("error", EXAMPLES, ids=lambda error: type(error).__name__)
def test_codes_are_the_contracts_and_messages_are_one_sentence(error: MediaError) -> None:
    assert error.code in get_args(RejectionCode)
    assert re.fullmatch(r"[A-Z][^\n]*\.", error.message)
    assert "e+" not in error.message, "figures are written out"
    assert "heap" not in error.message, "evidence is for the log"
