"""Links between documents: every relative link leads to a file, and every fragment to a heading."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.repository.tracked_files import PROJECT, tracked

DOCUMENTS = sorted(tracked("*.md"))
ADDRESS = re.compile(r"[a-z]+:")


def links(document: Path) -> list[str]:
    text = re.sub(r"```.*?```", "", document.read_text(encoding="utf-8"), flags=re.DOTALL)
    found: list[str] = re.findall(r"\]\(([^)\s]+)\)", text)
    return [link for link in found if not ADDRESS.match(link)]


def fragments(document: Path) -> set[str]:
    """Return the fragments by which GitHub reaches the document's headings."""
    headings = re.findall(r"^#+ (.+)$", document.read_text(encoding="utf-8"), re.MULTILINE)
    shown = [re.sub(r"\[([^]]*)\]\([^)]*\)", r"\1", heading) for heading in headings]
    return {re.sub(r"[^\w\- ]", "", text.strip().lower()).replace(" ", "-") for text in shown}


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(PROJECT)))
def test_every_relative_link_leads_somewhere(document: Path) -> None:
    dead: list[str] = []
    for link in links(document):
        path, _, fragment = link.partition("#")
        target = document.parent / path if path else document
        if not target.exists() or (fragment and fragment not in fragments(target)):
            dead.append(link)
    assert dead == []


def test_the_readme_leads_to_every_guide() -> None:
    linked = {PROJECT / link.partition("#")[0] for link in links(PROJECT / "README.md")}
    guides = {document for document in DOCUMENTS if document.name == "README.md" or document.parent.name == "docs"}
    assert sorted(str(guide.relative_to(PROJECT)) for guide in guides - linked - {PROJECT / "README.md"}) == []
