"""Decoding by several threads at once, as a command's files do it."""

from __future__ import annotations

import subprocess
import sys

PROGRAM = """
import sys, threading
from types import ModuleType
from video_upload.decoding import decode

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
        decode(b'{"one":{"x":[{"a":1}],"y":{"k":{"a":2}}}}', module.Outer)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
"""


def test_threads_that_meet_at_a_type_nobody_has_decoded_yet_do_not_crash() -> None:
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
