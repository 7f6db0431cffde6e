"""The examples that AWS gives of its own operations pass, over the wire: the models allow what AWS takes."""

from collections.abc import Mapping
from typing import Any, cast

import pytest
from botocore import xform_name
from botocore.loaders import Loader

from local.stand_in.aws_models.requests import modelled
from tests.aws_models.sent_requests import written

# Examples that contradict their own model by mistake: a digit that no cluster's id has, an id of a third of its
# length, a blank at the end. No other constraint is broken by an example, so none had to be let go.
MISTAKEN = {
    ("kms", "cloudHsmClusterId"),
    ("lambda", "uUID"),
    ("ec2", "excessCapacityTerminationPolicy"),
}

UNSIGNED = {"AssumeRoleWithSAML", "AssumeRoleWithWebIdentity"}  # forms that do not tell their service


@pytest.mark.parametrize("name", ["s3", "kms", "lambda", "sts", "iam", "ec2", "application-autoscaling"])
def test_the_examples_of_aws_pass(name: str) -> None:
    document = cast("Mapping[str, Any]", Loader().load_service_model(name, "examples-1"))
    broken: list[str] = []
    seen = 0
    for operation, examples in document["examples"].items():
        for given in (example["input"] for example in examples if example.get("input")):
            if given.get("Bucket") == "":
                continue  # a placeholder, which no client sends
            request = written(name, xform_name(operation), **given)
            call = modelled(request)
            if call is None:
                assert operation in UNSIGNED
                continue
            assert call.name in (operation, f"{operation}Configuration")  # the newer of two of the same path
            seen += 1
            broken += [
                f"{operation}: {violation}"
                for violation in call.violations(request)
                if (name, violation.place) not in MISTAKEN
            ]
    assert broken == []
    assert seen >= 4
