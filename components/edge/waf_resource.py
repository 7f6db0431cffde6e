"""Resources of AWS WAF, declared by their properties alone.

`pulumi_aws.wafv2` has a class for each nesting of statements, thousands of them: importing it takes longer than the
rest of the program. Its types still check the properties.
"""

from __future__ import annotations

import importlib.metadata
from collections.abc import Mapping
from typing import Any, ClassVar, cast

import pulumi

from components.setting_fields import camel_case

PROVIDER = "pulumi-aws"


class WafResource(pulumi.CustomResource):
    """A resource of the AWS provider's module `wafv2`. kind: its type in that module."""

    kind: ClassVar[str]
    arn: pulumi.Output[str]

    def __init__(self, name: str, properties: Mapping[str, object], opts: pulumi.ResourceOptions) -> None:
        """properties: by their Python names, at every depth."""
        # The same version as pulumi_aws's classes: another version would be a second provider.
        version = pulumi.ResourceOptions(version=importlib.metadata.version(PROVIDER))
        inputs = {"arn": None, **cast("dict[str, Any]", _named_for_the_provider(properties))}
        super().__init__(f"aws:wafv2/{self.kind}", name, inputs, pulumi.ResourceOptions.merge(version, opts))


class WebAclResource(WafResource):
    """A web ACL. The program tags resources with this property."""

    kind = "webAcl:WebAcl"

    @property
    @pulumi.getter
    def tags(self) -> pulumi.Output[Mapping[str, str] | None]:
        return pulumi.get(self, "tags")


class WebAclLogs(WafResource):
    """Log configuration of a web ACL."""

    kind = "webAclLoggingConfiguration:WebAclLoggingConfiguration"


def _named_for_the_provider(value: object) -> object:
    match value:
        case Mapping():
            named = cast("Mapping[str, object]", value)
            return {camel_case(key): _named_for_the_provider(each) for key, each in named.items()}
        case list():
            return [_named_for_the_provider(each) for each in cast("list[object]", value)]
        case _:
            return value
