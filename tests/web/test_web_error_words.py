"""Every error that a person can see has words of its own, and a next step, in each language."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import pytest

from chalicelib.contract.errors import STATUS_BY_CODE
from chalicelib.contract.responses import RejectionCode

REPOSITORY = Path(__file__).parents[2]
CLIENTS = REPOSITORY / "clients"
NEXT_STEP = {
    "en": "Allow|Ask|Check|Choose|Contact|Correct|Delete|Enter|Find|Finish|Let|Reload|Remove|Sign in|Switch|Try|"
    "Upload|Wait",
    "de": r"\w+ Sie",
}
"""Beginnings of sentences that say what to do."""


def texts(language: str) -> dict[str, list[str]]:
    """Each error of the uploader and of the page, in all its forms."""
    found: dict[str, list[str]] = {}
    for client in ("uploader", "web"):
        said = json.loads((CLIENTS / client / "src" / "texts" / f"{language}.json").read_text(encoding="utf-8"))
        for key, text in said.items():
            if key.startswith("error."):
                found[key.removeprefix("error.")] = list(text.values()) if isinstance(text, dict) else [text]
    return found


def codes_in(schema: Any) -> Iterator[str]:
    match schema:
        case {"code": dict(code), **more}:
            yield from code.get("enum", [code["const"]] if "const" in code else [])
            yield from codes_in(more)
        case dict():
            for each in schema.values():
                yield from codes_in(each)
        case list():
            for each in schema:
                yield from codes_in(each)
        case _:
            pass


def contract_codes() -> set[str]:
    """The codes of errors and of rejections, as clients read them."""
    document = json.loads((REPOSITORY / "docs" / "openapi.json").read_text(encoding="utf-8"))
    return set(codes_in(document["components"]["schemas"]))


def test_the_contract_names_every_code_that_the_app_knows() -> None:
    assert contract_codes() >= {*STATUS_BY_CODE, *get_args(RejectionCode)}
    assert {"file_too_large", "gateway_timeout", "no_video_stream"} <= contract_codes()


@pytest.mark.parametrize("language", NEXT_STEP)
def test_every_code_of_the_contract_has_its_own_words(language: str) -> None:
    words = {code: texts(language).get(code) for code in contract_codes()}
    assert sorted(code for code, said in words.items() if said is None) == []
    assert len({str(said) for said in words.values()}) == len(words)


@pytest.mark.parametrize("language", NEXT_STEP)
def test_every_error_says_what_to_do_next(language: str) -> None:
    step = re.compile(rf"(?:^|[.?] )(?:{NEXT_STEP[language]})\b")
    said = texts(language)
    del said["no_problems"]  # a part of a sentence
    assert {code: text for code, forms in said.items() for text in forms if not step.search(text)} == {}
