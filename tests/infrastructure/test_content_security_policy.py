"""The page runs locally under the policy that it has on AWS."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

from components.program_recorder import Recording
from local.site import Site

AWS_HOST, LOCAL_HOST = "https://", "http://"


def _directives(policy: str, host: str) -> dict[str, set[str]]:
    """Sources by directive, without those that name a host."""
    directives = (directive.split() for directive in policy.split(";"))
    return {name: {source for source in sources if not source.startswith(host)} for name, *sources in directives}


def _local_policy(folder: Path) -> str:
    (folder / "index.html").write_text("")
    site = Site(
        cast("Any", SimpleNamespace(app_name="video-upload")),
        stand_in_url=f"{LOCAL_HOST}127.0.0.1:1",
        sign_in_url=f"{LOCAL_HOST}127.0.0.1:2",
        web_client=folder,
    )
    told: dict[str, str] = {}
    _ = site(
        {"REQUEST_METHOD": "GET", "PATH_INFO": "/"}, cast("Any", lambda status, headers, *_: told.update(dict(headers)))
    )
    return told["Content-Security-Policy"]


def test_the_local_page_has_the_policy_of_the_edge_but_for_the_hosts(dev: Recording, tmp_path: Path) -> None:
    headers = dev.one("cloudfront/responseHeadersPolicy:ResponseHeadersPolicy", "edge-page").inputs
    policy: str = headers["securityHeadersConfig"]["contentSecurityPolicy"]["contentSecurityPolicy"]
    assert _directives(_local_policy(tmp_path), LOCAL_HOST) == _directives(policy, AWS_HOST)
