"""Signing of part URLs: ours, boto3's presigner, obstore's."""

from __future__ import annotations

import json
import subprocess
from dataclasses import asdict

from bench import peers
from bench.document import REPOSITORY
from bench.programs.sign_part_urls import Job
from bench.rounds import Results, Target, table, take_turns
from local.api_environment import CHALICE_APP

SECTION = "bench.signing"
PEERS = ("boto3", "obstore")
COUNTS = (10, 100, 1_000, 10_000)
QUICK_COUNTS = (100,)
REACHED_FROM = 1_000
PROGRAM = "bench.programs.sign_part_urls"


def job(count: int) -> Job:
    """An upload as a function of ours signs it: a role's session token has about a thousand letters."""
    return Job(
        count=count,
        part_bytes=5 * 2**20,
        access_key="ASIAIOSFODNN7EXAMPLE",
        secret_key="wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY",  # noqa: S106 - AWS's own example
        session_token="IQoJb3JpZ2luX2Vj+/=" * 52,
        region="eu-central-1",
        bucket="video-upload-prod-videos-0123456789",
        key="videos/2b1f7c1e-5a54-4a3b-9f0e-7d2a3c4b5d6e/8e4f0c51b2aa7d93",
        upload_id="Vx2Kq8_b.Zl0" * 10,
        expires_seconds=900,
        moment="2026-01-31T12:00:00+00:00",
    )


def cpu_seconds(signer: str, asked: Job) -> tuple[float, str]:
    """CPU time of signing, and the digest of the URLs."""
    finished = subprocess.run(
        [str(peers.PYTHON), "-m", PROGRAM, signer],
        input=json.dumps(asdict(asked)),
        cwd=REPOSITORY,
        # boto3 as it is installed without its `crt` extra, whose signer takes no moment.
        env={"PYTHONPATH": f"{REPOSITORY}:{CHALICE_APP}", "BOTO_DISABLE_CRT": "true"},
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    answer = json.loads(finished.stdout)
    assert answer["count"] == asked.count
    return answer["cpu_seconds"], answer["digest"]


def compare(count: int, rounds: int) -> Results[tuple[float, str]]:
    """Raises AssertionError if boto3 signs the same parts at the same moment otherwise."""
    asked = job(count)
    results = take_turns({name: lambda name=name: cpu_seconds(name, asked) for name in ("ours", *PEERS)}, rounds)
    digests = {digest for name in ("ours", "boto3") for _, digest in results.by_name[name]}
    assert len(digests) == 1, f"{count} URLs differ from boto3's"
    return results


def report(rounds: int, *, quick: bool) -> str:
    peers.install()
    rows: list[list[str]] = []
    targets: list[Target] = []
    for count in QUICK_COUNTS if quick else COUNTS:
        results = compare(count, rounds)
        spent = {name: results.median(name, lambda each: each[0]) for name in ("ours", *PEERS)}
        times = {name: 1 / results.ratio("ours", name, lambda each: each[0]) for name in PEERS}
        rows.append(
            [
                f"{count:,}",
                *(f"{seconds / count * 1e6:.1f}" for seconds in spent.values()),
                *(f"{each:.1f}" for each in times.values()),
            ]
        )
        if count >= REACHED_FROM:
            targets += [
                Target(text=f"boto3 / ours, {count:,} URLs", figure=times["boto3"], at_least=80),
                Target(text=f"obstore / ours, {count:,} URLs", figure=times["obstore"], at_least=4),
            ]
    head = ["URLs", "ours, µs each", "boto3, µs each", "obstore, µs each", "boto3 / ours", "obstore / ours"]
    return "\n\n".join([table(head, rows), "\n".join(map(str, targets))]).strip()
