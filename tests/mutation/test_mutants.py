"""Mutants: made of every decision, and explained where one survives."""

import ast

import pytest

from tests.mutation.operators import mutants
from tests.mutation.reasons import read_reasons
from tests.mutation.subjects import SUBJECTS
from tests.mutation.trial import REPOSITORY, Subject

SOURCE = '''
"""Left alone."""

LIMIT = 3


def decide(size: int, *, name: str = "a") -> bool:
    """Left alone."""
    log.info("left alone")
    if not name:
        raise ValueError
    return size < LIMIT and name == "b"
'''

CHANGES = {
    "module: 3 → 4",
    "decide: 'a' → 'Xa'",
    "decide: if not name: raise ValueError → if not not name: raise ValueError",
    "decide: not name → name",
    "decide: raise ValueError → pass",
    "decide: return size < LIMIT and name == 'b' → return None",
    "decide: size < LIMIT and name == 'b' → size < LIMIT or name == 'b'",
    "decide: size < LIMIT and name == 'b' → name == 'b'",
    "decide: size < LIMIT and name == 'b' → size < LIMIT",
    "decide: size < LIMIT → size <= LIMIT",
    "decide: name == 'b' → name != 'b'",
    "decide: 'b' → 'Xb'",
}


def test_the_name_of_a_policy_statement_is_left_alone() -> None:
    made = mutants('allow("Name", actions="s3:GetObject")')
    assert {mutant.after for mutant in made} == {"pass", "allow('Name')", "'Xs3:GetObject'"}


def test_each_decision_is_changed_and_what_is_only_said_is_not() -> None:
    made = mutants(SOURCE)
    assert {mutant.change for mutant in made} == CHANGES
    assert len({ast.unparse(mutant.tree) for mutant in made}) == len(CHANGES)


@pytest.mark.parametrize("subject", SUBJECTS, ids=lambda subject: subject.path)
def test_every_reason_is_of_a_mutant_that_is_made_and_every_test_is_there(subject: Subject) -> None:
    changes = [mutant.change for mutant in subject.mutants]
    assert len(changes) == len(set(changes))
    assert set(read_reasons().get(subject.path, {})) <= set(changes)
    assert all((REPOSITORY / test.partition("::")[0]).is_file() for test in subject.tests)


def test_reasons_are_about_modules_that_are_measured() -> None:
    assert set(read_reasons()) <= {subject.path for subject in SUBJECTS}
