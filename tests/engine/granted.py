"""What the provider answers: the properties that only AWS knows, made up; the ones that force a new resource."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

ACCOUNT_ID = "123456789012"

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


def identity(kind: str, name: str, inputs: Mapping[str, Any]) -> str:
    """Id of a resource; a bucket's is its name."""
    return inputs["bucket"] if kind == "aws:s3/bucket:Bucket" else _token(f"id of {kind} {name}")[:16]


def outputs_of(kind: str, name: str, inputs: Mapping[str, Any], region: str) -> dict[str, Any]:
    """Properties that AWS adds to the inputs of a resource."""
    token = _token(f"{kind} {name}")
    if kind == "random:index/randomPassword:RandomPassword":
        return {"result": secret(token), "bcryptHash": secret(token)}
    service = kind.partition("/")[0].removeprefix("aws:")
    real_name: str = inputs.get("name") or inputs.get("bucket") or name

    def arn(resource: str) -> str:
        return f"arn:aws:{service}:{region}:{ACCOUNT_ID}:{resource}"

    added: Mapping[str, Mapping[str, Any]] = {
        "aws:apigateway/restApi:RestApi": {
            "executionArn": f"arn:aws:execute-api:{region}:{ACCOUNT_ID}:{token[:10]}",
            "rootResourceId": "root",
        },
        "aws:cloudfront/distribution:Distribution": {
            "domainName": "d111111abcdef8.cloudfront.net",
            "hostedZoneId": "Z2FDTNDATAQYW2",
            "etag": "E1",
        },
        "aws:cognito/userPoolClient:UserPoolClient": {"clientSecret": secret("machine-secret")},
        "aws:ec2/vpcEndpoint:VpcEndpoint": {"prefixListId": "pl-0123456789abcdef0"},
        "aws:kms/key:Key": {"keyId": token[:36], "arn": arn(f"key/{token[:36]}")},
        "aws:lambda/alias:Alias": {"arn": arn(f"function:{inputs.get('functionName')}:{real_name}")},
        "aws:lambda/function:Function": {
            "arn": arn(f"function:{real_name}"),
            "version": "1",
            "invokeArn": arn(f"function:{real_name}/invocations"),
            "qualifiedArn": arn(f"function:{real_name}:1"),
        },
        "aws:s3/bucket:Bucket": {
            "arn": f"arn:aws:s3:::{real_name}",
            "bucketDomainName": f"{real_name}.s3.amazonaws.com",
            "bucketRegionalDomainName": f"{real_name}.s3.{region}.amazonaws.com",
            "hostedZoneId": "Z1",
        },
        "aws:sqs/queue:Queue": {"url": f"https://sqs.{region}.amazonaws.com/{ACCOUNT_ID}/{real_name}"},
    }
    return {"arn": arn(real_name), **added.get(kind, {})}


def answer_to(function: str, arguments: Mapping[str, Any], region: str) -> dict[str, Any] | None:
    """Answer of a function that the program asks, such as getRegion; None for an unknown one."""
    answers: Mapping[str, dict[str, Any]] = {
        "getAvailabilityZones": {
            "names": [f"{region}{letter}" for letter in "abc"],
            "zoneIds": [f"{region}-az{number}" for number in (1, 2, 3)],
            "groupNames": [],
            "id": region,
            "region": region,
        },
        "getCallerIdentity": {
            "accountId": ACCOUNT_ID,
            "arn": f"arn:aws:iam::{ACCOUNT_ID}:user/deployer",
            "id": ACCOUNT_ID,
            "userId": "AIDAEXAMPLE",
        },
        "getPartition": {
            "partition": "aws",
            "dnsSuffix": "amazonaws.com",
            "id": "aws",
            "reverseDnsPrefix": "com.amazonaws",
        },
        "getPublicKey": {
            "arn": f"arn:aws:kms:{region}:{ACCOUNT_ID}:key/{arguments.get('keyId')}",
            "customerMasterKeySpec": "ECC_NIST_P256",
            "id": arguments.get("keyId", ""),
            "keyId": arguments.get("keyId", ""),
            "keyUsage": "SIGN_VERIFY",
            "publicKey": "x",
            "publicKeyPem": "-----BEGIN PUBLIC KEY-----\nx\n-----END PUBLIC KEY-----",
            "region": region,
            "signingAlgorithms": [],
        },
        "getRegion": {
            "description": region,
            "endpoint": f"ec2.{region}.amazonaws.com",
            "id": region,
            "name": region,
            "region": region,
        },
    }
    return answers.get(function)


def secret(value: str) -> dict[str, str]:
    """The value, marked as secret in Pulumi's wire format."""
    return {SIGNATURE: SECRET, "value": value}


def _token(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
