"""Imports of pulumi_aws by class: what is asked for is found, and what is not is not loaded."""

from __future__ import annotations

import sys
from types import ModuleType
from typing import Any, cast

import pulumi_aws
import pytest

from components.lean_imports import load_classes_alone
from tests.infrastructure.recorded_program import Recording


def loaded(service: str) -> set[str]:
    return {name.rpartition(".")[2] for name in sys.modules if name.startswith(f"pulumi_aws.{service}.")}


@pytest.fixture
def schemas() -> Any:
    """A service that no stage uses."""
    load_classes_alone()
    return cast("Any", pulumi_aws.schemas)


def test_a_stage_loads_no_class_of_a_service_that_it_does_not_use(prod: Recording) -> None:
    assert prod.of("s3/bucket:Bucket", "wafv2/webAcl:WebAcl")
    assert "bucket" in loaded("s3")
    assert "bucket_acl" not in loaded("s3")
    assert not loaded("wafv2")


def test_a_class_a_function_and_their_arguments_are_found_by_their_files(schemas: ModuleType) -> None:
    assert schemas.Registry.__module__ == "pulumi_aws.schemas.registry"
    assert schemas.RegistryArgs.__module__ == "pulumi_aws.schemas.registry"
    assert pulumi_aws.ssm.get_parameter_output.__module__ == "pulumi_aws.ssm.get_parameter"
    assert pulumi_aws.sqs.QueuePolicyArgs.__module__ == "pulumi_aws.sqs.queue_policy"
    assert "schema" not in loaded("schemas")


def test_a_name_without_a_file_is_found_by_the_whole_service(schemas: ModuleType) -> None:
    with pytest.raises(AttributeError):
        _ = schemas.NoSuchClass
    assert "schema" in loaded("schemas")
    assert schemas.Discoverer.__module__ == "pulumi_aws.schemas.discoverer"


def test_a_recording_leaves_the_processs_tracebacks_as_long_as_they_were(prod: Recording) -> None:
    assert prod.resources
    assert not hasattr(sys, "tracebacklimit")
