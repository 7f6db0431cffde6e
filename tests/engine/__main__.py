"""The whole life of stages under the engine, with the time of each step: `make engine`, `make engine STAGE=dev`."""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

from tests.engine.engine import Engine, EngineError, installed
from tests.engine.life import Life

STAGES = ("dev", "staging", "prod", "ada")
"""The stages with a file of their own, and a personal one."""


def live(stage: str) -> list[str]:
    """Everything that broke a promise."""

    def tell(step: str, outcome: str, seconds: float) -> None:
        print(f"{stage:<8} {step:<32} {seconds:6.1f} s  {outcome}", flush=True)

    with tempfile.TemporaryDirectory() as folder:
        life = Life(Engine(Path(folder) / "engine"), stage, tell)
        for part in (
            life.go_up_twice,
            life.change_a_route,
            life.rotate_the_origin_secret,
            life.flip_every_flag,
            life.turn_everything_on_and_off,
            life.refresh,
            life.read_outputs,
            life.destroy,
            life.come_back,
        ):
            try:
                part()
            except EngineError as error:
                return [*life.failures, f"{stage}: {error}"]
    return life.failures


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.engine", description=__doc__)
    parser.add_argument("--stage", action="append", help=f"default: {', '.join(STAGES)}")
    stages = parser.parse_args().stage or STAGES
    if not installed():
        print("There is no `pulumi` on the PATH: https://www.pulumi.com/docs/iac/download-install/", file=sys.stderr)
        return 2
    failures = [failure for stage in stages for failure in live(stage)]
    print("\n\n".join(failures), file=sys.stderr)
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
