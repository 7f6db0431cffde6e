"""Conversion by several threads at once, as the janitor's looks and the local platform's calls do it."""

import subprocess
import sys

from tests.contract.made import PROJECT

PROGRAM = """
import sys, threading
from types import ModuleType
from chalicelib.contract.converting import converted

TYPES = '''
from __future__ import annotations
from msgspec import Struct

class Inner(Struct):
    a: int

class Middle(Struct):
    x: list[Inner] | None
    y: dict[str, Inner]

class Outer(Struct):
    one: Middle
    two: Middle | None = None
'''
sys.setswitchinterval(1e-6)
for number in range(50):
    module = sys.modules[f"made_{number}"] = ModuleType(f"made_{number}")
    exec(TYPES, module.__dict__)
    barrier = threading.Barrier(4)

    def work():
        barrier.wait()
        converted({"one": {"x": [{"a": 1}], "y": {"k": {"a": 2}}}}, module.Outer)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
"""


def test_threads_that_meet_at_a_type_nobody_has_converted_to_yet_do_not_crash() -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        env={"PYTHONPATH": str(PROJECT / "chalice_app")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
