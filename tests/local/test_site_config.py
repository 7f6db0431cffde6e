"""The stage's configuration as the local site tells it to the page."""

import json
from types import SimpleNamespace
from typing import Any, cast

import pytest

from local.sign_in.second_factors import Mfa
from local.site import Site


@pytest.mark.parametrize(
    ("mfa", "local_users", "has_view"),
    [(Mfa.OPTIONAL, True, True), (Mfa.REQUIRED, True, True), (Mfa.OFF, True, False), (Mfa.REQUIRED, False, False)],
)
def test_the_account_view_is_there_for_local_users_with_a_second_factor(
    mfa: Mfa, local_users: bool, has_view: bool
) -> None:
    """The same as on AWS: `components/auth/app_clients.py`."""
    site = Site(
        cast("Any", SimpleNamespace(app_name="video-upload")),
        stand_in_url="",
        sign_in_url="",
        mfa=mfa,
        local_users=local_users,
    )
    answer = site({"REQUEST_METHOD": "GET", "PATH_INFO": "/config.json"}, cast("Any", lambda *_: None))
    assert ("accountClientId" in json.loads(b"".join(answer))) is has_view
