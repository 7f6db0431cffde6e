"""A lost authenticator app, by the operators' command against the local platform: it costs no video."""

from __future__ import annotations

import sys

import pytest
import requests

from deploy import reset_mfa
from tests.end_to_end.actors import Operator, Person, make_person, ready_video, users_at_the_sign_in
from tests.sign_in.authenticator import set_up_app
from tests.sign_in.browser_walk import Walk, answer
from tests.terminal import Terminal

PASSWORD = "correct horse battery"


def test_somebody_who_lost_the_device_signs_in_again_and_finds_every_video(
    person: Person, operator: Operator, small_video: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    sign_in = person.platform.sign_in
    sign_in.authority.users.set_password(person.email, PASSWORD)
    video = ready_video(person, small_video)
    lost, other = set_up_app(sign_in, person.email), make_person(person.platform)
    set_up_app(sign_in, other.email)
    thiefs = sign_in.issue_tokens(person.email)
    site = f"{person.platform.site_url}/"
    with users_at_the_sign_in(person.platform):
        monkeypatch.setattr(sys, "stdin", Terminal("yes\n"))
        assert "nothing was done" in operator.run(reset_mfa.main, person.email, status=1)
        browser = Walk(sign_in.authority_url, redirect_uri=site)
        assert browser.submit(person.email, PASSWORD).headers["Location"].startswith("/mfa?")
        monkeypatch.setattr(sys, "stdin", Terminal(f"{person.email}\n"))
        told = operator.run(reset_mfa.main, person.email)
        assert "signed out everywhere" in told
        assert "no such user" in operator.run(reset_mfa.main, f"no-{person.email}", "--yes", status=1)
        operator.run(reset_mfa.main, person.owner, "--yes")
    assert browser.refresh(thiefs.refresh_token or "").status_code == 400
    again = Walk(sign_in.authority_url, redirect_uri=site)
    tokens = again.exchange(answer(again.submit(person.email, PASSWORD))["code"]).json()
    listed = person.call("GET", "/videos", token=tokens["access_token"]).json()["videos"]
    assert [each["videoId"] for each in listed] == [video["videoId"]]
    assert lost.secret != set_up_app(sign_in, person.email).secret
    assert sign_in.authority.second_factors.is_asked_for(other.owner), "nobody else's app is touched"
    assert requests.get(f"{site}config.json", timeout=10).json()["accountClientId"] == "account"
