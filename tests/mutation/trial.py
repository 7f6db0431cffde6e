"""The trial of mutants: a process forked for each runs the tests that cover the module.

The tests are collected once, with the module as it is. Where a function's body changed, the forked process gives the
function its changed code and runs the tests. Where the module changed otherwise, and where no test noticed, a process
of its own imports the changed module and collects the tests again: its result decides.

mutmut 3 looks for sources below the root, `src` or `source`; the app's root is `chalice_app`.
"""

from __future__ import annotations

import ast
import gc
import importlib.abc
import importlib.machinery
import importlib.util
import os
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

import pytest

from tests.mutation.changed_code import change_functions, functions_of
from tests.mutation.operators import Mutant, mutants

REPOSITORY = Path(__file__).resolve().parents[2]
TIMEOUT_SECONDS = 180
NO_TESTS = {pytest.ExitCode.NO_TESTS_COLLECTED, pytest.ExitCode.USAGE_ERROR}

# Modules that the tests load and no mutant changes are loaded once, before the processes fork.
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
    unchanged = ast.parse((REPOSITORY / subject.path).read_text())
    if _in_a_process(subject, unchanged) != 0:
        raise TestsFailError(subject.path)
    quick = [mutant for mutant in tried if mutant.in_a_body]
    noticed = _noticed_by_collected_tests(subject, unchanged, quick, workers)
    left = [mutant for mutant in tried if mutant.change not in noticed]
    yield from ((mutant, True) for mutant in tried if mutant.change in noticed)
    with ThreadPoolExecutor(workers) as pool:
        codes = pool.map(lambda mutant: _in_a_process(subject, mutant.tree), left)
        for mutant, code in zip(left, codes, strict=True):
            if code in NO_TESTS:
                raise TestsFailError(subject.path)
            yield mutant, code != 0


def _noticed_by_collected_tests(
    subject: Subject, unchanged: ast.Module, tried: Sequence[Mutant], workers: int
) -> set[str]:
    reading, writing = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            _run_tests(subject, [_Trials(subject, unchanged, tried, workers, writing)])
        finally:
            os._exit(70)
    os.close(writing)
    with os.fdopen(reading) as numbers:
        noticed = {tried[int(number)].change for number in numbers}
    os.waitpid(pid, 0)
    return noticed


class _Trials:
    """A pytest plugin: where pytest would run the collected tests once, it runs them in a fork for each mutant.

    noticed: file descriptor for the numbers of the mutants that a test noticed.
    """

    def __init__(
        self, subject: Subject, unchanged: ast.Module, tried: Sequence[Mutant], workers: int, noticed: int
    ) -> None:
        self._subject = subject
        self._unchanged = unchanged
        self._tried = tried
        self._workers = workers
        self._noticed = noticed

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool | None:
        """None in a forked process: pytest goes on and runs the tests there."""
        loaded = sys.modules.get(self._subject.module)
        if session.testsfailed or loaded is None:
            return True
        if (pid := os.fork()) == 0:
            return None
        if os.waitpid(pid, 0)[1] != 0:
            return True  # forked, they fail without a change
        functions = functions_of(loaded)
        gc.freeze()  # a fork would copy every page that its collector looks at
        running: dict[int, int] = {}
        for number, mutant in enumerate(self._tried):
            if len(running) == self._workers:
                self._wait_for_one_of(running)
            if (pid := os.fork()) == 0:
                if change_functions(functions, self._unchanged, mutant.tree):
                    return None
                os._exit(0)
            running[pid] = number
        while running:
            self._wait_for_one_of(running)
        return True

    def _wait_for_one_of(self, running: dict[int, int]) -> None:
        pid, status = os.wait()
        number = running.pop(pid)
        if os.waitstatus_to_exitcode(status) == pytest.ExitCode.TESTS_FAILED:
            os.write(self._noticed, f"{number}\n".encode())


def _in_a_process(subject: Subject, tree: ast.Module) -> int:
    pid = os.fork()
    if pid == 0:
        try:
            sys.meta_path.insert(0, _Changed(subject, tree))
            _run_tests(subject)
        finally:
            os._exit(70)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def _run_tests(subject: Subject, plugins: Sequence[object] = ()) -> None:
    """Never returns. A mutant that hangs fails its test in the end, and so was noticed."""
    nowhere = os.open(os.devnull, os.O_RDWR)
    for stream in (1, 2):
        os.dup2(nowhere, stream)
    os.chdir(REPOSITORY)
    loaded_before = "ignore::pytest.PytestAssertRewriteWarning"
    # Forked processes would share one file of captured output.
    options = ["-x", "-s", "--tb=no", "-W", loaded_before, "-p", "no:xdist", f"--timeout={TIMEOUT_SECONDS}"]
    code = pytest.main([*options, *subject.tests], plugins=[*plugins])
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
