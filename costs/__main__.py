"""Starts the command: python -m costs --stage prod"""

from __future__ import annotations

import sys
from pathlib import Path

CHALICE_APP = Path(__file__).resolve().parents[1] / "chalice_app"


def start() -> None:
    # The functions' code lies as Lambda unpacks it: beside, not inside, a package.
    sys.path.insert(0, str(CHALICE_APP))
    from costs.command import main

    main()


if __name__ == "__main__":
    start()
