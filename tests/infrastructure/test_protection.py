"""A protecting stage: any setting can be turned off and on, and what holds data stays, with what belongs to it."""

from __future__ import annotations

import functools

import pytest

from tests.infrastructure.every_setting import NO_FEATURE, SHAPES
from tests.infrastructure.recorded_program import Recording, record, stage_config
from tests.infrastructure.safety.protection import (
    GOES,
    HOLDERS,
    data_is_protected_in_prod_with_everything_that_belongs_to_it,
    holders,
    kept_by_destroying,
    protected_resources_name_no_principal_that_goes,
)

STAY_FOR_OTHERS = {
    # the metadata bucket's policy names the endpoint
    *("aws:ec2/vpc:Vpc", "aws:ec2/routeTable:RouteTable", "aws:ec2/vpcEndpoint:VpcEndpoint"),
    # the pool calls the sign-up filter
    *("aws:lambda/function:Function", "aws:iam/role:Role", "aws:iam/rolePolicy:RolePolicy"),
    "aws:lambda/permission:Permission",
    # the desktop client names the companies that it lets in
    "aws:cognito/identityProvider:IdentityProvider",
}
"""Types of unprotected resources that stay, because something kept depends on them; none costs anything idle."""


@functools.cache
def shaped(shape: str) -> Recording:
    return record("prod", overrides=SHAPES[shape])


@pytest.fixture(params=SHAPES)
def prod(request: pytest.FixtureRequest) -> Recording:
    """Production in each of its shapes."""
    return shaped(request.param)


def test_everything_of_a_protected_resource_is_protected_under_every_setting(prod: Recording) -> None:
    assert list(data_is_protected_in_prod_with_everything_that_belongs_to_it(prod)) == []
    assert list(protected_resources_name_no_principal_that_goes(prod)) == []


@pytest.mark.parametrize("before", SHAPES)
@pytest.mark.parametrize("after", SHAPES)
def test_no_setting_drops_what_the_engine_refuses_to_drop(before: str, after: str) -> None:
    protected = {f"{each.type}/{each.name}" for each in shaped(before).resources if each.protect}
    assert protected - shaped(after).names() == set()


def test_every_flag_is_turned_on_and_off() -> None:
    shapes = [stage_config("prod", overrides) for overrides in SHAPES.values()]
    values = {
        key.rpartition(":")[2]: {shape[key] for shape in shapes}
        for key in shapes[0]
        if {shape[key] for shape in shapes} <= {"true", "false"}
    }
    assert {key for key, seen in values.items() if len(seen) < 2} == set(NO_FEATURE)


def test_destroying_takes_all_that_costs_while_idle_but_data_and_its_keys(prod: Recording) -> None:
    kept_types = {f"aws:{kind}" for kind in HOLDERS}
    protected = {f"{each.type}/{each.name}" for each in prod.resources if each.protect}
    dragged = kept_by_destroying(prod) - protected
    assert {name.rpartition("/")[0] for name in dragged} <= STAY_FOR_OTHERS
    dragging = ("network-", "auth-sign-up-filter", "auth-company-groups", "auth-acme", "auth-umbrella")
    assert all(name.rpartition("/")[2].startswith(dragging) for name in dragged)
    assert kept_types <= {each.type for each in holders(prod)}


@pytest.mark.parametrize("function", ["auth-sign-up-filter", "auth-company-groups"])
def test_a_function_that_a_protected_pool_calls_stays_with_its_permission(function: str) -> None:
    kept = kept_by_destroying(shaped("everything on"))
    for kind in ("lambda/function:Function", "lambda/permission:Permission", "iam/rolePolicy:RolePolicy"):
        assert f"aws:{kind}/{function}" in kept


def test_upload_token_keys_can_be_dropped_and_go_by_themselves() -> None:
    keys = [each for each in shaped("as it ships").of("kms/key:Key") if "upload-token" in each.name]
    assert keys
    for key in keys:
        assert (key.protect, key.retain_on_delete, key.inputs["deletionWindowInDays"]) == (False, False, 30)


def test_every_exception_from_protection_has_a_reason_that_is_needed() -> None:
    seen = {key for shape in SHAPES for each in shaped(shape).resources for key in (each.type, each.name)}
    assert set(GOES) <= seen


def test_a_stage_without_protection_keeps_nothing(dev: Recording) -> None:
    assert [each.name for each in dev.resources if each.protect or each.retain_on_delete] == []
    assert kept_by_destroying(dev) == set()
