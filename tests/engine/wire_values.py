"""Wire format of properties: which are secret, unknown or force a new resource."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from components.simulated_aws import SimulatedAws

# Pulumi's wire format marks values that are secret, or assets and archives, by a signature.
SIGNATURE = "4dabf18193072939515e22adb298388d"
SECRET = "1b47061264138c4ac30d75fd1eb44270"
UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"

FORCES_NEW: Mapping[str, frozenset[str]] = {
    kind: frozenset(properties.split())
    for kind, properties in {
        "aws:apigateway/deployment:Deployment": "triggers restApi",
        "aws:apigateway/stage:Stage": "stageName restApi",
        "aws:cloudfront/publicKey:PublicKey": "encodedKey name",
        "aws:cloudwatch/logGroup:LogGroup": "name",
        "aws:cognito/userPool:UserPool": "usernameAttributes aliasAttributes usernameConfiguration",
        "aws:cognito/userPoolClient:UserPoolClient": "generateSecret userPoolId",
        "aws:cognito/userPoolDomain:UserPoolDomain": "domain userPoolId",
        "aws:ec2/securityGroup:SecurityGroup": "name description vpcId",
        "aws:ec2/subnet:Subnet": "cidrBlock vpcId availabilityZone",
        "aws:ec2/vpc:Vpc": "cidrBlock",
        "aws:ec2/vpcEndpoint:VpcEndpoint": "serviceName vpcId vpcEndpointType",
        "aws:iam/role:Role": "name path",
        "aws:kms/alias:Alias": "name",
        "aws:kms/key:Key": "customerMasterKeySpec keyUsage multiRegion",
        "aws:lambda/alias:Alias": "name functionName",
        "aws:lambda/function:Function": "name architectures packageType",
        "aws:s3/bucket:Bucket": "bucket",
        "aws:sns/topic:Topic": "name",
        "aws:sqs/queue:Queue": "name fifoQueue",
        "random:index/randomPassword:RandomPassword": "length keepers special",
    }.items()
}
"""Properties for which the Terraform provider makes a new resource, of the types where a mistake would hurt."""

SECRETS: Mapping[str, frozenset[str]] = {
    "aws:cognito/userPoolClient:UserPoolClient": frozenset({"clientSecret"}),
    "random:index/randomPassword:RandomPassword": frozenset({"result", "bcryptHash"}),
}
"""Outputs that the provider marks as secret."""


def plain(value: Any) -> Any:
    """The value without the wrapping of secrets; assets and archives are what they contain, not where they lie."""
    if isinstance(value, Mapping):
        if value.get(SIGNATURE) == SECRET:
            return plain(value["value"])
        if SIGNATURE in value and "hash" in value:
            return value["hash"]
        return {str(key): plain(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [plain(inner) for inner in value]
    return value


def added_properties(aws: SimulatedAws, kind: str, name: str, inputs: Mapping[str, Any]) -> dict[str, Any]:
    """Properties that AWS adds to a resource; those that the provider calls secret are marked as such."""
    added = aws.added_properties(kind, name, inputs)
    return {key: secret(value) if key in SECRETS.get(kind, ()) else value for key, value in added.items()}


def secret(value: str) -> dict[str, str]:
    """The value, marked as secret in Pulumi's wire format."""
    return {SIGNATURE: SECRET, "value": value}
