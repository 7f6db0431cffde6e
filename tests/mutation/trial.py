"""The trial of one mutant: a process forked for it imports the changed module and runs the tests that cover it.

mutmut 3 looks for sources below the root, `src` or `source`; the app's root is `chalice_app`.
"""

from __future__ import annotations

import ast
import importlib.abc
import importlib.machinery
import importlib.util
import os
import signal
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

import pytest

from tests.mutation.operators import Mutant, mutants

REPOSITORY = Path(__file__).resolve().parents[2]
TIMEOUT_SECONDS = 180
NO_TESTS = {pytest.ExitCode.NO_TESTS_COLLECTED, pytest.ExitCode.USAGE_ERROR}

# What the tests load and no mutant changes is loaded once, before the processes part.
PRELOADED = ("awscrt.checksums", "boto3", "chalice.app", "hypothesis", "jwt", "requests")


@dataclass(frozen=True)
class Subject:
    """A module, and the tests that cover it, quick ones first."""

    path: str
    tests: Sequence[str]

    @property
    def module(self) -> str:
        return self.path.removeprefix("chalice_app/").removesuffix(".py").replace("/", ".")

    @property
    def mutants(self) -> list[Mutant]:
        return mutants((REPOSITORY / self.path).read_text())


class TestsFailError(Exception):
    """The tests fail, or there are none, before anything was changed."""


def try_all(subject: Subject, tried: Sequence[Mutant], workers: int) -> Iterator[tuple[Mutant, bool]]:
    """Each mutant, and whether a test noticed it. Raises TestsFailError."""
    for name in PRELOADED:
        importlib.import_module(name)
    if _in_a_process(subject, ast.parse((REPOSITORY / subject.path).read_text())) != 0:
        raise TestsFailError(subject.path)
    with ThreadPoolExecutor(workers) as pool:
        codes = pool.map(lambda mutant: _in_a_process(subject, mutant.tree), tried)
        for mutant, code in zip(tried, codes, strict=True):
            if code in NO_TESTS:
                raise TestsFailError(subject.path)
            yield mutant, code != 0


def _in_a_process(subject: Subject, tree: ast.Module) -> int:
    pid = os.fork()
    if pid == 0:
        try:
            _run(subject, tree)
        finally:
            os._exit(70)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def _run(subject: Subject, tree: ast.Module) -> None:
    """Never returns. A mutant that hangs is ended, and so was noticed."""
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.alarm(TIMEOUT_SECONDS)
    nowhere = os.open(os.devnull, os.O_RDWR)
    for stream in (1, 2):
        os.dup2(nowhere, stream)
    os.chdir(REPOSITORY)
    sys.meta_path.insert(0, _Changed(subject, tree))
    loaded_before = "ignore::pytest.PytestAssertRewriteWarning"
    code = pytest.main(["-x", "-W", loaded_before, "-p", "no:xdist", *subject.tests])
    sys.stdout.flush()
    os._exit(int(code))


class _Changed(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Finds the changed module in place of the one on disk."""

    def __init__(self, subject: Subject, tree: ast.Module) -> None:
        self._subject = subject
        self._tree = tree

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        if fullname != self._subject.module:
            return None
        return importlib.util.spec_from_file_location(fullname, REPOSITORY / self._subject.path, loader=self)

    def exec_module(self, module: ModuleType) -> None:
        exec(compile(self._tree, str(REPOSITORY / self._subject.path), "exec"), module.__dict__)  # noqa: S102
