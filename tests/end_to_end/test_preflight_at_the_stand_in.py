"""`python -m deploy.preflight` as an operator starts it, against the stand-in for AWS."""

import os
import subprocess
import sys
from pathlib import Path

from local.platform import LocalPlatform
from local.stand_in import names

PROJECT = Path(__file__).resolve().parents[2]
WIDTH = len("cannot tell")


def test_a_preflight_answers_every_check_and_ends_without_a_traceback(platform: LocalPlatform) -> None:
    ran = subprocess.run(
        [sys.executable, "-m", "deploy.preflight", "--stage", "dev"],
        cwd=PROJECT,
        env={
            "PATH": os.environ["PATH"],
            "AWS_ENDPOINT_URL": platform.stand_in_url,
            "AWS_ACCESS_KEY_ID": names.ACCESS_KEY,
            "AWS_SECRET_ACCESS_KEY": names.SECRET_KEY,
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert "Traceback" not in ran.stderr
    *lines, counted = ran.stdout.splitlines()
    verdicts = {line[WIDTH:].partition(":")[0].strip(): line[:WIDTH].strip() for line in lines}
    assert set(verdicts.values()) <= {"ok", "will fail", "cannot tell"}
    # The stand-in offers S3, Cognito and STS; other services cannot be told there.
    assert {verdicts[subject] for subject in ("credentials", "bucket names", "sign-in domain")} == {"ok"}
    assert verdicts["Lambda concurrency"] == "cannot tell"
    assert ran.returncode == int("0 will fail" not in counted)
