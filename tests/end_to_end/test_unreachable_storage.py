"""S3 that breaks off, fails or stays silent: the API answers 503 and says when to come back."""

import pytest

from tests.end_to_end.actors import Person, StandIn


@pytest.mark.parametrize(
    "fault",
    [{"loseResponse": True}, {"status": 500}, {"status": 503, "code": "SlowDown"}, {"delaySeconds": 5.5}],
    ids=["connection reset", "internal error", "busy", "timed out"],
)
def test_a_storage_out_of_reach_is_503_with_a_time_to_come_back(
    person: Person, stand_in: StandIn, fault: dict[str, object]
) -> None:
    stand_in.fail("ListObjectsV2", times=50, **fault)
    answer = person.call("GET", "/videos")
    assert answer.status_code == 503, answer.text
    assert answer.json()["error"]["code"] == "storage_unavailable"
    assert int(answer.headers["Retry-After"]) >= 1
    assert "Access-Control-Allow-Origin" in answer.headers
    stand_in.heal()
    assert person.call("GET", "/videos").status_code == 200
