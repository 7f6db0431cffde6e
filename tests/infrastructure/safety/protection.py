"""Resources that a protecting stage keeps when it is destroyed, derived from references between resources."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from tests.infrastructure.recorded_program import Recorded, Recording
from tests.infrastructure.safety.reading import ACCOUNT_ROOT, EVERYONE, Violations, statements

HOLDERS = (
    *("s3/bucket:Bucket", "kms/key:Key", "cognito/userPool:UserPool"),
    "cloudwatch/logGroup:LogGroup",
)
SHORT_LIVED = "GENERATE_VERIFY_MAC"
"""Usage of keys that hold nothing: what they signed is worth nothing after a few days."""

GOES: Mapping[str, str] = {
    # type or name → why it goes, although it belongs to what is kept
    "aws:s3/bucketNotification:BucketNotification": "calls a function, which goes",
    "aws:s3/bucketCorsConfiguration:BucketCorsConfiguration": "lets the site in, which goes",
    "aws:s3/bucketAccelerateConfiguration:BucketAccelerateConfiguration": "a second way in, by a setting",
    "aws:cognito/identityProvider:IdentityProvider": "a company's sign-in, by a setting; its people stay in the pool",
    "aws:cognito/userGroup:UserGroup": "by a setting; who is in it may delete everything, and operators say so again",
    "aws:cognito/riskConfiguration:RiskConfiguration": "by a setting; the stack forgets it and the pool keeps it",
    "aws:cloudwatch/queryDefinition:QueryDefinition": "reads the log",
    "aws:cloudwatch/metricAlarm:MetricAlarm": "watches the log",
    "aws:cloudwatch/dashboard:Dashboard": "shows the log",
    "app-clients-web": "names the site, which goes",
    "app-clients-account": "names the site, which goes",
    "app-clients-machine": "credentials, which a setting takes back",
    "app-clients-native": "redirects, which a setting takes back",
}


def holders(recording: Recording) -> list[Recorded]:
    """Resources that hold data."""
    return [each for each in recording.of(*HOLDERS) if each.inputs.get("keyUsage") != SHORT_LIVED]


def belongings(recording: Recording) -> Iterator[Recorded]:
    """Resources of a holder's own service that refer to it: they configure it or are a part of it."""
    held = holders(recording)
    for resource in recording.resources:
        if resource not in held and not {resource.type, resource.name} & GOES.keys():
            texts = set(_texts(resource.inputs))
            if any(_service(holder) == _service(resource) and _refers(resource, texts, holder) for holder in held):
                yield resource


def kept_by_destroying(recording: Recording) -> set[str]:
    """Names of what `pulumi destroy --exclude-protected` leaves: protected resources and all they depend on."""
    protected = [each for each in recording.resources if each.protect]
    urns = {each.urn for each in protected}.union(*(recording.before(each) for each in protected))
    return {f"{each.type}/{each.name}" for each in recording.resources if each.urn in urns}


def data_is_protected_in_prod_with_everything_that_belongs_to_it(recording: Recording) -> Violations:
    if recording.stage != "prod":
        return
    for resource in [*holders(recording), *belongings(recording)]:
        if not resource.protect:
            yield f"{resource.type} {resource.name} can be destroyed"
        if not resource.retain_on_delete:
            yield f"{resource.type} {resource.name} goes with its last mention"


def protected_resources_name_no_principal_that_goes(recording: Recording) -> Violations:
    """A deleted role in a Principal turns into an id that nothing can match again. Services and the account stay."""
    for resource in recording.resources:
        if not resource.protect:
            continue
        for statement in statements(resource) if isinstance(resource.inputs.get("policy"), str) else []:
            principal = statement["Principal"]
            if principal not in (EVERYONE, ACCOUNT_ROOT) and set(principal) != {"Service"}:
                yield f"{resource.name}: {statement['Sid']} names {principal}"


def answers_to_threats_are_left_to_the_pool(recording: Recording) -> Violations:
    """Their deletion is a call that a pool without threat protection refuses."""
    for answers in recording.of("cognito/riskConfiguration:RiskConfiguration"):
        if not answers.retain_on_delete:
            yield f"{answers.name} is deleted by a call"


def _service(resource: Recorded) -> str:
    return resource.type.partition("/")[0]


def _refers(resource: Recorded, texts: set[str], holder: Recorded) -> bool:
    """Return whether a resource refers to the holder, by a reference or by its name as text."""
    names = {holder.inputs.get(key) for key in ("bucket", "name")} - {None}
    return holder.urn in resource.depends_on or not texts.isdisjoint(names)


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for inner in value.values():
            yield from _texts(inner)
    elif isinstance(value, Sequence):
        for inner in value:
            yield from _texts(inner)
