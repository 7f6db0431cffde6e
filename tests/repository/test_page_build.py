"""Output of `make web`: one line while the page is built, the build's own output only if it fails."""

import subprocess
from pathlib import Path

import pytest

from tests.repository.tracked_files import PROJECT

PROGRESS = "Building the web page …\n"


@pytest.mark.parametrize(("status", "output"), [(0, PROGRESS), (3, f"{PROGRESS}what the build says\n")])
def test_the_builds_output_is_shown_only_if_it_fails(status: int, output: str, tmp_path: Path) -> None:
    built = subprocess.run(
        [
            "make",
            "--no-print-directory",
            "web",
            "--old-file=clients/node_modules/.package-lock.json",
            f"NPM=echo what the build says; exit {status};",
            f"WEB_BUILT={tmp_path / 'index.html'}",
        ],
        cwd=PROJECT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert built.stdout == output
    assert (built.returncode == 0) is (status == 0), built.stderr
