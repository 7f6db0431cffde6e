"""account/: what an account holds once per region, so that no stage takes it away from another."""

from __future__ import annotations

import json

import pytest
import yaml

from tests.infrastructure.recorded_program import PROJECT, Recording, record_account

REGION = "eu-west-1"


@pytest.fixture(scope="module")
def account() -> Recording:
    return record_account(REGION, REGION)


def test_the_account_names_a_role_of_its_region_for_the_logs_of_every_api(account: Recording) -> None:
    setting = account.one("apigateway/account:Account", "api-logging")
    role = account.one("iam/role:Role", "api-logging")
    rights = account.one("iam/rolePolicyAttachment:RolePolicyAttachment", "api-logging")
    assert role.inputs["name"] == f"video-upload-api-logging-{REGION}"
    assert json.loads(role.inputs["assumeRolePolicy"])["Statement"][0]["Principal"] == {
        "Service": "apigateway.amazonaws.com"
    }
    assert rights.inputs["role"] == role.inputs["name"]
    assert setting.inputs["cloudwatchRoleArn"] == account.exports["apiLoggingRoleArn"]
    # API Gateway looks for the policy when it is given the role.
    assert rights.urn in account.before(setting)


def test_everything_in_it_refuses_to_be_destroyed(account: Recording) -> None:
    assert len(account.resources) == 3
    assert all(each.protect for each in account.resources)


def test_names_differ_by_region(account: Recording) -> None:
    other = record_account("us-east-1", "us-east-1")
    assert (
        other.one("iam/role:Role", "api-logging").inputs["name"]
        != (account.one("iam/role:Role", "api-logging").inputs["name"])
    )


def test_a_stack_that_is_not_named_for_its_region_is_refused() -> None:
    with pytest.raises(ValueError, match="name the stack for its region"):
        record_account("dev", REGION)


def test_no_stage_sets_what_belongs_to_the_account(recording: Recording) -> None:
    assert not recording.of("apigateway/account:Account")
    assert f"video-upload-{recording.stage}-api-logging" not in json.dumps(
        [each.inputs.get("name") for each in recording.resources]
    )


def test_it_runs_in_the_projects_own_environment() -> None:
    options = yaml.safe_load((PROJECT / "account" / "Pulumi.yaml").read_text())["runtime"]["options"]
    assert (PROJECT / "account" / options["virtualenv"]).resolve() == PROJECT / ".venv"
