"""A simulated AWS account: accepts every resource, adds the properties that only AWS knows, answers look-ups.

components/program_recorder.py runs programs against it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

ACCOUNT_ID = "123456789012"
"""Placeholder account id."""


@dataclass(frozen=True, kw_only=True)
class SimulatedAws:
    """One account, seen from a region.

    zone_ids: availability zones of the region, in the account's order.
    """

    region: str
    account_id: str = ACCOUNT_ID
    zone_ids: tuple[str, ...] = ("az3", "az1", "az2")

    def identity(self, kind: str, name: str, inputs: Mapping[str, Any]) -> str:
        """Id of a new resource; a bucket's is its name."""
        return inputs["bucket"] if kind == "aws:s3/bucket:Bucket" else f"{name}-id"

    def added_properties(self, kind: str, name: str, inputs: Mapping[str, Any]) -> dict[str, Any]:
        """Properties that AWS adds to the inputs of a resource."""
        if kind == "random:index/randomPassword:RandomPassword":
            return {"result": f"secret-of-{name}", "bcryptHash": f"hash-of-{name}"}
        real_name: str = inputs.get("name") or inputs.get("bucket") or name
        region: str = inputs.get("region") or self.region
        service = kind.partition("/")[0].removeprefix("aws:")

        def arn(resource: str, service: str = service) -> str:
            return f"arn:aws:{service}:{region}:{self.account_id}:{resource}"

        added: Mapping[str, Mapping[str, Any]] = {
            "aws:apigateway/restApi:RestApi": {
                "executionArn": arn(f"{name}-id", "execute-api"),
                "rootResourceId": "root",
            },
            "aws:cloudfront/distribution:Distribution": {
                "domainName": "d111111abcdef8.cloudfront.net",
                "hostedZoneId": "Z2FDTNDATAQYW2",
                "etag": "E1",
            },
            "aws:cognito/userPoolClient:UserPoolClient": {"clientSecret": "machine-secret"},
            "aws:ec2/vpcEndpoint:VpcEndpoint": {"prefixListId": "pl-0123456789abcdef0"},
            "aws:kms/key:Key": {"keyId": f"{name}-id", "arn": arn(f"key/{name}")},
            "aws:lambda/alias:Alias": {"arn": f"{inputs.get('functionName')}:{real_name}"},
            "aws:lambda/function:Function": {
                "arn": arn(f"function:{real_name}"),
                "invokeArn": arn(f"function:{real_name}/invocations"),
                "qualifiedArn": arn(f"function:{real_name}:1"),
                "version": "1",
            },
            "aws:s3/bucket:Bucket": {
                "arn": f"arn:aws:s3:::{real_name}",
                "bucketDomainName": f"{real_name}.s3.amazonaws.com",
                "bucketRegionalDomainName": f"{real_name}.s3.{region}.amazonaws.com",
                "hostedZoneId": "Z1",
            },
            "aws:sqs/queue:Queue": {"url": f"https://sqs.{region}.amazonaws.com/{self.account_id}/{real_name}"},
        }
        return {"arn": arn(name), "name": name, **added.get(kind, {})}

    def answer(self, function: str, arguments: Mapping[str, Any]) -> dict[str, Any] | None:
        """Result of a look-up such as getRegion; None for an unknown one."""
        key_id = arguments.get("keyId", "")
        answers: Mapping[str, dict[str, Any]] = {
            "getAvailabilityZones": {
                "names": [f"{self.region}{letter}" for letter in "abcdef"[: len(self.zone_ids)]],
                "zoneIds": list(self.zone_ids),
                "groupNames": [],
                "id": self.region,
                "region": self.region,
            },
            "getCallerIdentity": {
                "accountId": self.account_id,
                "arn": f"arn:aws:iam::{self.account_id}:user/deployer",
                "id": self.account_id,
                "userId": "AIDAEXAMPLE",
            },
            "getPartition": {
                "partition": "aws",
                "dnsSuffix": "amazonaws.com",
                "id": "aws",
                "reverseDnsPrefix": "com.amazonaws",
            },
            "getPublicKey": {
                "arn": f"arn:aws:kms:{self.region}:{self.account_id}:key/{key_id}",
                "customerMasterKeySpec": "ECC_NIST_P256",
                "id": key_id,
                "keyId": key_id,
                "keyUsage": "SIGN_VERIFY",
                "publicKey": "x",
                "publicKeyPem": "-----BEGIN PUBLIC KEY-----\nx\n-----END PUBLIC KEY-----",
                "region": self.region,
                "signingAlgorithms": [],
            },
            "getParameter": {
                "arn": f"arn:aws:ssm:{self.region}:{self.account_id}:parameter{arguments.get('name', '')}",
                "id": arguments.get("name", ""),
                "insecureValue": "",
                "name": arguments.get("name", ""),
                "region": self.region,
                "type": "SecureString",
                "value": f"value-of-{arguments.get('name', '')}",
                "version": 1,
                "withDecryption": True,
            },
            "getRegion": {
                "description": self.region,
                "endpoint": f"ec2.{self.region}.amazonaws.com",
                "id": self.region,
                "name": self.region,
                "region": self.region,
            },
        }
        return answers.get(function)
