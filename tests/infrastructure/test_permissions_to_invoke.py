"""Lambda permissions: each names the one source that its service calls for, and no condition that it never sends."""

from __future__ import annotations

import pytest

from tests.infrastructure.recorded_program import ACCOUNT_ID, STAGES, Recorded, record

BY_ARN = frozenset({"sourceArn"})
BY_ARN_AND_ACCOUNT = frozenset({"sourceArn", "sourceAccount"})
DOCUMENTED = {
    # API Gateway Developer Guide, "Control access to a REST API with Lambda authorizers": the API's ARN, which names
    # the account, and no source account.
    "apigateway.amazonaws.com": BY_ARN,
    # EventBridge User Guide, "Using resource-based policies": a rule's ARN.
    "events.amazonaws.com": BY_ARN,
    # Lambda Developer Guide, "Granting function access to AWS services": a bucket's ARN does not name its account.
    "s3.amazonaws.com": BY_ARN_AND_ACCOUNT,
    # Cognito Developer Guide, "Customizing user pool workflows with Lambda triggers": both.
    "cognito-idp.amazonaws.com": BY_ARN_AND_ACCOUNT,
}
"""Conditions that each service is documented to send when it calls a function."""


def conditions(permission: Recorded) -> frozenset[str]:
    return frozenset(key for key in permission.inputs if key.startswith(("source", "principalOrgId", "eventSource")))


@pytest.mark.parametrize("stage", STAGES)
def test_every_permission_has_exactly_the_conditions_that_its_service_sends(stage: str) -> None:
    by_domain = record(stage, overrides={"signUp": "domain", "signUpDomains": ["example.com"]})
    permissions = by_domain.of("lambda/permission:Permission")
    assert {each.inputs["principal"] for each in permissions} == set(DOCUMENTED)
    for each in permissions:
        assert conditions(each) == DOCUMENTED[each.inputs["principal"]], each.name


@pytest.mark.parametrize("stage", STAGES)
def test_every_permission_is_for_a_source_of_this_account(stage: str) -> None:
    for each in record(stage).of("lambda/permission:Permission"):
        owner = each.inputs.get("sourceAccount") or each.inputs["sourceArn"].split(":")[4]
        assert owner == ACCOUNT_ID, each.name
