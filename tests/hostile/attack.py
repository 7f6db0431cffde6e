"""Hostile requests sent to a running platform, and a check of each response."""

import json
from collections import Counter
from collections.abc import Generator, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, cast

import requests

from local.platform import LocalPlatform, Ports
from tests.end_to_end.malformed_http import RawResponse, send_raw
from tests.hostile.hostile_requests import HostileRequest, Identity, hostile_request

MAX_RESPONSE_BYTES = 1_000_000
CONNECTIONS = 8
TIMEOUT_SECONDS = 60
_ERROR_FIELDS = {"code", "message", "details", "requestId"}


@dataclass
class Findings:
    """broken: what was wrong, by seed. slips: lines of the platform's logs that tell of a fault of its own."""

    requests: int = 0
    kinds: Counter[str] = field(default_factory=Counter[str])
    statuses: Counter[int] = field(default_factory=Counter[int])
    codes: Counter[str] = field(default_factory=Counter[str])
    largest_response_bytes: int = 0
    broken: dict[int, str] = field(default_factory=dict[int, str])
    slips: list[str] = field(default_factory=list[str])

    @property
    def is_flawless(self) -> bool:
        return not self.broken and not self.slips


@dataclass
class Target:
    """slips: see Findings; filled while the platform runs."""

    site_url: str
    identity: Identity
    slips: list[str]


@contextmanager
def running_target() -> Generator[Target]:
    slips: list[str] = []

    def on_line(process: str, line: str) -> None:
        if "Traceback" in line or '"level":"ERROR"' in line.replace(" ", ""):
            slips.append(f"{process}: {line[:2000]}")

    with LocalPlatform(data_dir=None, ports=Ports.free(), on_line=on_line) as platform:
        token = platform.sign_in.issue_tokens("hostile@example.com", client_id="desktop").access_token
        started, spare = (_start_upload(platform.site_url, token) for _ in range(2))
        link = _post(platform.site_url, token, "/links", LINK)["linkToken"]
        identity = Identity(token, started["uploadToken"], spare["uploadToken"], link, started["videoId"])
        yield Target(platform.site_url, identity, slips)


LINK = {"title": "Match day", "validSeconds": 3600, "maxVideos": 9, "maxBytes": 10**9}


def _start_upload(site_url: str, token: str) -> dict[str, Any]:
    film = {"fileName": "film.mp4", "contentType": "video/mp4", "sizeBytes": 12 * 2**20}
    return _post(site_url, token, "/multipart/init", film)


def _post(site_url: str, token: str, path: str, body: dict[str, Any]) -> dict[str, Any]:
    answer = requests.post(
        f"{site_url}/api{path}",
        json=body,
        headers={"Authorization": f"Bearer {token}"},
        timeout=TIMEOUT_SECONDS,
    )
    answer.raise_for_status()
    return answer.json()


def attack(target: Target, seeds: Iterable[int]) -> Findings:
    findings = Findings()
    with ThreadPoolExecutor(CONNECTIONS) as connections:
        for request, answer, problem in connections.map(lambda seed: send(target, seed), seeds):
            findings.requests += 1
            findings.kinds[request.kind] += 1
            if answer:
                findings.statuses[answer.status] += 1
                findings.largest_response_bytes = max(findings.largest_response_bytes, len(answer.body))
                findings.codes[_code(answer)] += 1
            if problem:
                findings.broken[request.seed] = f"{request.kind}: {problem}"
    findings.slips = list(target.slips)
    return findings


def send(target: Target, seed: int) -> tuple[HostileRequest, RawResponse | None, str | None]:
    """The request, its answer, and what is wrong with it."""
    request = hostile_request(seed, target.identity)
    try:
        answer = send_raw(target.site_url, request.sent, TIMEOUT_SECONDS, 2 * MAX_RESPONSE_BYTES)
    except (OSError, ValueError) as error:
        return request, None, f"{type(error).__name__}: {error}"
    return request, answer, _problem(request, answer)


def _problem(request: HostileRequest, answer: RawResponse) -> str | None:
    is_refusal, has_body = answer.status >= 400, not request.sent.startswith(b"HEAD ")
    broken = {
        "a status that blames the platform": not 200 <= answer.status < 500,
        f"more than {MAX_RESPONSE_BYTES} bytes": len(answer.body) > MAX_RESPONSE_BYTES,
        "a traceback": b"Traceback" in answer.body,
        "no CORS headers": is_refusal and "access-control-allow-origin" not in answer.headers,
        "another shape": is_refusal and has_body and not _code(answer),
    }
    said = ", ".join(what for what, is_so in broken.items() if is_so)
    return f"{said}: {answer.status} {answer.body[:200]!r}" if said else None


def _code(answer: RawResponse) -> str:
    """Code of an error in the one shape; empty for anything else."""
    try:
        body: Any = json.loads(answer.body)
    except ValueError:
        return ""
    if not isinstance(body, dict) or body.keys() != {"error"}:
        return ""
    error = cast("dict[str, Any]", body)["error"]
    is_shaped = isinstance(error, dict) and error.keys() == _ERROR_FIELDS and error["code"] and error["message"]
    return str(cast("dict[str, Any]", error)["code"]) if is_shaped else ""
