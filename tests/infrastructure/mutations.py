"""Every way to weaken one security-relevant property of a recorded program, derived from the recording itself."""

from __future__ import annotations

import copy
import dataclasses
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from tests.infrastructure.recorded_program import Recorded, Recording
from tests.infrastructure.safety.reading import POLICY_INPUTS

Path = tuple[str | int, ...]

WEAKER: dict[str, str] = {
    # a protective value → one that is not
    "redirect-to-https": "allow-all",
    "https-only": "allow-all",
    "TLSv1.2": "SSLv3",
    "aws:kms": "AES256",
    "AES256": "none",
    "BucketOwnerEnforced": "ObjectWriter",
    "Enabled": "Disabled",
    "ACTIVE": "INACTIVE",
    "ENFORCED": "OFF",
    "ENABLED": "LEGACY",
    "Active": "PassThrough",
    "BLOCK": "NO_ACTION",
    "KEEP": "DROP",
    "always": "never",
    "DENY": "SAMEORIGIN",
    "no-referrer": "unsafe-url",
    "ALL": "ACCEPT",
    "OPTIONAL": "OFF",
    "code": "implicit",
    "email": "phone_number",
    "verified_email": "admin_only",
    "authorization": "accept",
    "cookie": "accept",
    "INTELLIGENT_TIERING": "DEEP_ARCHIVE",
    "ERROR": "OFF",
    "JSON": "Text",
    "PLUS": "LITE",
}

REMOVABLE = {
    *("kmsKeyId", "kmsMasterKeyId", "webAclId", "vpcConfig", "tracingConfig", "loggingConfig", "accessLogSettings"),
    *("retentionInDays", "trustedKeyGroups", "responseHeadersPolicyId", "originAccessControlId", "redactedFields"),
    *(
        "securityGroupIds",
        "sourceArn",
        "sourceAccount",
        "qualifier",
        "customHeaders",
        "alarmActions",
        "sqsManagedSseEnabled",
    ),
    *(
        "compromisedCredentialsRiskConfiguration",
        "cloudWatchLogsGroupArn",
        "userAttributeUpdateSettings",
        "cachePolicyId",
    ),
    *(
        "attributesRequireVerificationBeforeUpdates",
        "referencedSecurityGroupId",
        "prefixListId",
        "autoVerifiedAttributes",
    ),
    *("throttlingRateLimit", "throttlingBurstLimit", "minimumLength", "enableKeyRotation", "overrideAction"),
}
"""Inputs whose absence leaves something open, unencrypted or unseen."""

PROTECTIONS = {
    *("s3/bucketPublicAccessBlock:BucketPublicAccessBlock", "s3/bucketOwnershipControls:BucketOwnershipControls"),
    *("s3/bucketPolicy:BucketPolicy", "s3/bucketLogging:BucketLogging", "s3/bucketVersioning:BucketVersioning"),
    "s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration",
    *("s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration", "wafv2/webAcl:WebAcl"),
    "wafv2/webAclLoggingConfiguration:WebAclLoggingConfiguration",
    *("apigateway/methodSettings:MethodSettings", "cloudtrail/trail:Trail", "ec2/flowLog:FlowLog"),
    *("ec2/defaultSecurityGroup:DefaultSecurityGroup", "cognito/riskConfiguration:RiskConfiguration"),
    *("sns/topicPolicy:TopicPolicy", "sqs/queuePolicy:QueuePolicy"),
    *("cloudwatch/logDelivery:LogDelivery", "cloudwatch/logDeliverySource:LogDeliverySource"),
}
"""Resources that exist only for protection or monitoring."""


@dataclass(frozen=True)
class Mutation:
    """One weakening; `apply` makes the weakened program."""

    resource: str
    what: str
    apply: Callable[[Recording], Recording]

    def __str__(self) -> str:
        return f"{self.resource}: {self.what}"


def mutations(recording: Recording) -> Iterator[Mutation]:
    """All weakenings of this recording, each of one property."""
    for resource in recording.resources:
        kind = resource.type.removeprefix("aws:")
        if kind in PROTECTIONS:
            yield Mutation(resource.name, f"no {kind}", _without(resource))
        yield from _of_inputs(resource)
        for name in POLICY_INPUTS:
            text = resource.inputs.get(name)
            if isinstance(text, str) and text.startswith("{"):
                yield from _of_policy(resource, name, json.loads(text))
        if kind == "apigateway/restApi:RestApi":
            yield from _of_api(resource, json.loads(resource.inputs["body"]))
        for option in ("protect", "retain_on_delete"):
            if getattr(resource, option):
                yield Mutation(resource.name, f"not {option}", _replaced(resource, **{option: False}))


def _of_inputs(resource: Recorded) -> Iterator[Mutation]:
    for path, value in _leaves(resource.inputs):
        if path[0] in ("tags", "region"):
            continue
        shown = ".".join(map(str, path))
        if isinstance(value, bool):
            yield Mutation(resource.name, f"{shown} = {not value}", _changed(resource, path, not value))
        elif isinstance(value, str) and value in WEAKER and path[-1] not in ("name", "displayName"):
            yield Mutation(resource.name, f"{shown} = {WEAKER[value]}", _changed(resource, path, WEAKER[value]))
        elif path[-1] == "cidrBlock" and resource.type.endswith("NetworkAcl") and value != "0.0.0.0/0":
            yield Mutation(resource.name, f"{shown} = anywhere", _changed(resource, path, "0.0.0.0/0"))
    for path in _removable(resource.inputs):
        yield Mutation(resource.name, f"no {'.'.join(map(str, path))}", _removed(resource, path))


def _of_policy(resource: Recorded, name: str, policy: dict[str, Any]) -> Iterator[Mutation]:
    for number, statement in enumerate(policy["Statement"]):
        shown = f"{name}: {statement.get('Sid', number)}"

        def weakened(
            change: Callable[[list[dict[str, Any]]], object], policy: dict[str, Any] = policy
        ) -> Callable[[Recording], Recording]:
            copied = copy.deepcopy(policy)
            change(copied["Statement"])
            return _changed(resource, (name,), json.dumps(copied))

        if statement["Effect"] == "Deny":
            yield Mutation(resource.name, f"{shown}: gone", weakened(lambda all_, n=number: all_.pop(n)))
            narrowed = {"Action": "s3:GetBucketLocation"}
            yield Mutation(
                resource.name, f"{shown}: narrowed", weakened(lambda all_, n=number, w=narrowed: all_[n].update(w))
            )
        else:
            service = str(_first(statement["Action"])).partition(":")[0]
            wider: dict[str, Any] = {"Action": f"{service}:*"}
            if statement["Action"] != f"{service}:*":
                yield Mutation(
                    resource.name, f"{shown}: every action", weakened(lambda all_, n=number, w=wider: all_[n].update(w))
                )
            if statement.get("Resource", "*") != "*":
                yield Mutation(
                    resource.name,
                    f"{shown}: every resource",
                    weakened(lambda all_, n=number: all_[n].update(Resource="*")),
                )
            if "Principal" in statement and statement["Principal"] != {"AWS": "*"}:
                yield Mutation(
                    resource.name,
                    f"{shown}: everyone",
                    weakened(lambda all_, n=number: all_[n].update(Principal={"AWS": "*"})),
                )
        for operator, tests in statement.get("Condition", {}).items():
            for key in tests:
                yield Mutation(
                    resource.name,
                    f"{shown}: without {operator} {key}",
                    weakened(lambda all_, n=number, o=operator, k=key: all_[n]["Condition"][o].pop(k)),
                )
                yield Mutation(
                    resource.name,
                    f"{shown}: another {operator} {key}",
                    weakened(lambda all_, n=number, o=operator, k=key: all_[n]["Condition"][o].update({k: "other"})),
                )


def _of_api(resource: Recorded, document: dict[str, Any]) -> Iterator[Mutation]:
    def weakened(change: Callable[[dict[str, Any]], object]) -> Callable[[Recording], Recording]:
        copied = copy.deepcopy(document)
        change(copied)
        return _changed(resource, ("body",), json.dumps(copied))

    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            if "security" not in operation:
                continue
            yield Mutation(
                resource.name,
                f"{method} {path} without authorizer",
                weakened(lambda doc, p=path, m=method: doc["paths"][p][m].pop("security")),
            )
            if any(operation["security"][0].values()):
                yield Mutation(
                    resource.name,
                    f"{method} {path} without scopes",
                    weakened(lambda doc, p=path, m=method: doc["paths"][p][m].update(security=[{"users": []}])),
                )
    for kind in document["x-amazon-apigateway-gateway-responses"]:
        yield Mutation(
            resource.name,
            f"{kind} without CORS",
            weakened(
                lambda doc, k=kind: doc["x-amazon-apigateway-gateway-responses"][k]["responseParameters"].pop(
                    "gatewayresponse.header.Access-Control-Allow-Origin"
                )
            ),
        )
    for scheme in document["components"]["securitySchemes"]:
        for key in document["components"]["securitySchemes"][scheme]["x-amazon-apigateway-authorizer"]:
            yield Mutation(
                resource.name,
                f"{scheme} with another {key}",
                weakened(
                    lambda doc, s=scheme, k=key: doc["components"]["securitySchemes"][s][
                        "x-amazon-apigateway-authorizer"
                    ].update({k: 3600 if k.endswith("Seconds") else "other"})
                ),
            )


def _first(value: Any) -> Any:
    return value[0] if isinstance(value, list) else value


def _leaves(value: Any, path: Path = ()) -> Iterator[tuple[Path, Any]]:
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _leaves(inner, (*path, str(key)))
    elif isinstance(value, list):
        for position, inner in enumerate(value):
            yield from _leaves(inner, (*path, position))
    else:
        yield path, value


def _removable(value: Any, path: Path = ()) -> Iterator[Path]:
    if isinstance(value, dict):
        for key, inner in value.items():
            here: Path = (*path, str(key))
            if key in REMOVABLE and inner:
                yield here
            yield from _removable(inner, here)
    elif isinstance(value, list):
        for position, inner in enumerate(value):
            yield from _removable(inner, (*path, position))


def _replaced(resource: Recorded, **changes: Any) -> Callable[[Recording], Recording]:
    def apply(recording: Recording) -> Recording:
        changed = dataclasses.replace(resource, **changes)
        resources = [changed if each is resource else each for each in recording.resources]
        return dataclasses.replace(recording, resources=resources)

    return apply


def _without(resource: Recorded) -> Callable[[Recording], Recording]:
    return lambda recording: dataclasses.replace(
        recording, resources=[each for each in recording.resources if each is not resource]
    )


def _changed(resource: Recorded, path: Path, value: Any) -> Callable[[Recording], Recording]:
    return _replaced(resource, inputs=_edited(resource.inputs, path, value))


def _removed(resource: Recorded, path: Path) -> Callable[[Recording], Recording]:
    return _replaced(resource, inputs=_edited(resource.inputs, path, None))


def _edited(inputs: Mapping[str, Any], path: Path, value: Any) -> dict[str, Any]:
    """A copy in which one place is another; None takes it out."""
    copied: Any = {key: _thawed(inner) for key, inner in inputs.items()}
    parent = copied
    for step in path[:-1]:
        parent = parent[step]
    if value is None:
        del parent[path[-1]]
    else:
        parent[path[-1]] = value
    return copied


def _thawed(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _thawed(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_thawed(inner) for inner in value]
    return value
