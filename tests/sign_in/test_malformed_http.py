"""Malformed HTTP requests: each is answered in words, and no connection ends in a traceback."""

import pytest

from local.sign_in.server import SignIn
from tests.end_to_end.malformed_http import MALFORMED, send_raw


def test_a_malformed_request_is_answered(caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]) -> None:
    with SignIn(port=0) as sign_in:
        for kind, (sent, status, _) in MALFORMED.items():
            assert (kind, send_raw(sign_in.authority_url, sent).status) == (kind, status)
    assert not caplog.records
    assert "Traceback" not in capfd.readouterr().err
