"""Some of the requests of `make hostile`."""

from tests.hostile.attack import attack, running_target

REQUESTS = 400


def test_every_hostile_request_gets_a_small_refusal_in_the_one_shape() -> None:
    with running_target() as target:
        findings = attack(target, range(REQUESTS))
    assert findings.requests == REQUESTS
    assert not findings.broken, "see one with: make hostile ARGS='--show SEED'"
    assert not findings.slips
