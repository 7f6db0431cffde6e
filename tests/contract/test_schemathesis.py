"""The running platform keeps to the document, whatever schemathesis makes of it, links from answer to call included."""

import os
import re
import subprocess
import sys
from pathlib import Path

from local.platform import LocalPlatform, Ports
from tests.contract.made import OPENAPI, PROJECT

HERE = Path(__file__).parent
FEWEST_CASES = 500
PEOPLE = 20
TIMEOUT_SECONDS = 280
ROOM = {"MAX_OPEN_UPLOADS_PER_USER": "1000", "MAX_STORED_BYTES_PER_USER": "0"}
"""Otherwise the caps would refuse most uploads that a run begins."""


def test_schemathesis_finds_nothing(tmp_path: Path) -> None:
    slips: list[str] = []

    def on_line(process: str, line: str) -> None:
        if "Traceback" in line or '"level":"ERROR"' in line.replace(" ", ""):
            slips.append(f"{process}: {line[:2000]}")

    with LocalPlatform(data_dir=None, ports=Ports.free(), api_variables=ROOM, on_line=on_line) as platform:
        people = [
            platform.sign_in.issue_tokens(f"contract{number}@example.com", client_id="desktop").access_token
            for number in range(PEOPLE)
        ]
        run = subprocess.run(
            [
                *(Path(sys.executable).with_name("st"), "--config-file", HERE / "schemathesis.toml"),
                *("run", OPENAPI, "--url", f"{platform.site_url}/api"),
            ],
            env={
                **os.environ,
                "SCHEMATHESIS_HOOKS": "tests.contract.schemathesis_hooks",
                "CONTRACT_ACCESS_TOKENS": ",".join(people),
                "PYTHONPATH": f"{PROJECT}:{PROJECT / 'chalice_app'}",
                "NO_COLOR": "1",
                "COLUMNS": "120",
            },
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
            timeout=TIMEOUT_SECONDS,
        )
    assert run.returncode == 0, run.stdout[-6000:] + run.stderr
    cases = re.search(r"(\d+) generated", run.stdout)
    assert cases, run.stdout
    assert int(cases[1]) >= FEWEST_CASES
    links = re.search(r"API Links:\s+(\d+) covered", run.stdout)
    assert links, run.stdout
    assert int(links[1]) > 0
    assert not slips, slips[:3]
