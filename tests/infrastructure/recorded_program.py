"""Runs the whole program for one stage against a mocked engine and keeps everything it asked for."""

from __future__ import annotations

import json
import os
import runpy
import tempfile
import threading
import warnings
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from unittest import mock

import pulumi
import yaml
from pulumi.runtime import mocks
from pulumi.runtime.settings import get_root_resource
from pulumi.runtime.stack import run_pulumi_func

from components.declared_stage import own_event_loop

PROJECT = Path(__file__).resolve().parents[2]
ACCOUNT_ID = "123456789012"
HEARS_ALARMS = "alarms@example.com"
"""Address that whoever deploys sets; no stage file holds one."""
STAGES = ("dev", "staging", "prod")


@dataclass(frozen=True)
class Recorded:
    """One resource as the program declared it; `inputs` with Pulumi's (camel case) property names.

    secrets: inputs and outputs that the state keeps encrypted.
    """

    type: str
    name: str
    urn: str
    inputs: dict[str, Any]
    parent: str
    depends_on: tuple[str, ...]
    protect: bool
    retain_on_delete: bool
    ignore_changes: tuple[str, ...]
    order: int
    secrets: frozenset[str] = frozenset()

    @property
    def region(self) -> str | None:
        return self.inputs.get("region")


@dataclass
class Recording:
    """Everything one run declared, in the order in which the engine would learn of it."""

    stage: str
    resources: list[Recorded] = field(default_factory=list)
    components: list[Recorded] = field(default_factory=list)
    exports: dict[str, Any] = field(default_factory=dict)
    secret_exports: set[str] = field(default_factory=set)

    def of(self, *types: str) -> list[Recorded]:
        """Resources of these types, such as `s3/bucket:Bucket`."""
        wanted = {f"aws:{kind}" for kind in types}
        return [resource for resource in self.resources if resource.type in wanted]

    def one(self, kind: str, name: str) -> Recorded:
        """The resource of this type and logical name."""
        (found,) = (resource for resource in self.of(kind) if resource.name == name)
        return found

    def names(self) -> set[str]:
        return {f"{resource.type}/{resource.name}" for resource in self.resources}

    def before(self, resource: Recorded) -> set[str]:
        """URNs of everything that must exist before this resource, transitively."""
        by_urn = {each.urn: each for each in [*self.resources, *self.components]}
        seen: set[str] = set()
        waiting = list(resource.depends_on)
        while waiting:
            urn = waiting.pop()
            if urn not in seen and urn in by_urn:
                seen.add(urn)
                waiting.extend(by_urn[urn].depends_on)
        return seen


def documents(value: object) -> Iterator[Any]:
    """All JSON documents hidden as text in an input."""
    if isinstance(value, str) and value.startswith("{"):
        try:
            yield json.loads(value)
        except json.JSONDecodeError:
            return
    elif isinstance(value, Mapping):
        for inner in value.values():  # pyright: ignore[reportUnknownVariableType]
            yield from documents(inner)  # pyright: ignore[reportUnknownArgumentType]
    elif isinstance(value, Sequence) and not isinstance(value, str | bytes):
        for inner in value:  # pyright: ignore[reportUnknownVariableType]
            yield from documents(inner)  # pyright: ignore[reportUnknownArgumentType]


def stage_config(stage: str, overrides: Mapping[str, object] | None = None) -> dict[str, str]:
    """Configuration as the engine hands it to the program: defaults, the stage's file if it has one, then overrides."""
    project: dict[str, Any] = yaml.safe_load((PROJECT / "Pulumi.yaml").read_text())
    name = project["name"]
    values: dict[str, object] = {}
    for key, declared in project["config"].items():
        values[key if ":" in key else f"{name}:{key}"] = declared.get("value", declared.get("default"))
    values[f"{name}:alarmEmails"] = [HEARS_ALARMS]
    values.update(stage_file(stage))
    values.update({key if ":" in key else f"{name}:{key}": value for key, value in (overrides or {}).items()})
    return {key: value if isinstance(value, str) else json.dumps(value) for key, value in values.items()}


def stage_file(stage: str) -> dict[str, object]:
    """Settings in which a stage's own file differs from the defaults; none without a file."""
    path = PROJECT / f"Pulumi.{stage}.yaml"
    return yaml.safe_load(path.read_text())["config"] if path.exists() else {}


class Answers(pulumi.runtime.Mocks):
    """What AWS would answer; in a preview nothing that only AWS knows."""

    zone_ids: Sequence[str] = ("az3", "az1", "az2")

    def __init__(self, region: str, preview: bool) -> None:
        self._region = region
        self._preview = preview

    def new_resource(self, args: mocks.MockResourceArgs) -> tuple[str | None, dict[Any, Any]]:
        outputs: dict[str, Any] = dict(args.inputs)
        if self._preview:
            return "", outputs
        kind = args.typ.partition("/")[0].removeprefix("aws:")
        outputs.setdefault("arn", f"arn:aws:{kind}:{self._region}:{ACCOUNT_ID}:{args.name}")
        outputs.setdefault("name", args.name)
        extra: dict[str, dict[str, Any]] = {
            "aws:s3/bucket:Bucket": {
                "arn": f"arn:aws:s3:::{outputs.get('bucket')}",
                "bucketRegionalDomainName": f"{outputs.get('bucket')}.s3.{self._region}.amazonaws.com",
            },
            "aws:kms/key:Key": {
                "keyId": f"{args.name}-id",
                "arn": f"arn:aws:kms:{outputs.get('region', self._region)}:{ACCOUNT_ID}:key/{args.name}",
            },
            "aws:lambda/function:Function": {
                "arn": f"arn:aws:lambda:{self._region}:{ACCOUNT_ID}:function:{outputs['name']}",
                "version": "1",
            },
            "aws:lambda/alias:Alias": {
                "arn": f"{outputs.get('functionName')}:{outputs['name']}",
            },
            "aws:cloudfront/distribution:Distribution": {"domainName": "d111111abcdef8.cloudfront.net"},
            "aws:cognito/userPoolClient:UserPoolClient": {"clientSecret": "machine-secret"},
            "aws:ec2/vpcEndpoint:VpcEndpoint": {"prefixListId": "pl-0123456789abcdef0"},
            "aws:apigateway/restApi:RestApi": {
                "executionArn": f"arn:aws:execute-api:{self._region}:{ACCOUNT_ID}:{args.name}-id",
                "rootResourceId": "root",
            },
            "random:index/randomPassword:RandomPassword": {"result": f"secret-of-{args.name}"},
        }
        outputs.update(extra.get(args.typ, {}))
        named_by_id = args.typ == "aws:s3/bucket:Bucket"
        return outputs["bucket"] if named_by_id else f"{args.name}-id", outputs

    def call(self, args: mocks.MockCallArgs) -> tuple[dict[Any, Any], list[tuple[str, str]] | None]:
        answers: dict[str, dict[str, Any]] = {
            "aws:index/getCallerIdentity:getCallerIdentity": {"accountId": ACCOUNT_ID},
            "aws:index/getRegion:getRegion": {"region": self._region},
            "aws:index/getAvailabilityZones:getAvailabilityZones": {"zoneIds": list(self.zone_ids)},
            "aws:kms/getPublicKey:getPublicKey": {"publicKeyPem": "-----BEGIN PUBLIC KEY-----"},
        }
        return answers[args.token], []


class _Monitor(mocks.MockMonitor):
    """Keeps requests as they come, and refuses what a real engine refuses and the mocked one lets through."""

    def __init__(self, answers: Answers, recording: Recording) -> None:
        super().__init__(answers)
        self._recording = recording
        self._lock = threading.Lock()

    def RegisterResource(self, request: Any) -> Any:  # noqa: N802 - named by the protocol
        urn = self.make_urn(request.parent, request.type, request.name)
        given: dict[str, Any] = pulumi.runtime.rpc.deserialize_properties(request.object, keep_unknowns=True)
        with self._lock:
            if request.type != "pulumi:pulumi:Stack":
                self._keep(urn, request, given)
        return super().RegisterResource(request)

    def _keep(self, urn: str, request: Any, given: dict[str, Any]) -> None:
        secrets = {key for key, value in given.items() if pulumi.runtime.rpc.is_rpc_secret(value)}
        inputs = {
            key: pulumi.runtime.rpc.unwrap_rpc_secret(value) if key in secrets else value
            for key, value in given.items()
        }
        kept = self._recording.resources if request.custom else self._recording.components
        if any(resource.urn == urn for resource in kept):
            message = f"{urn} is declared twice"
            raise ValueError(message)
        for missing in _missing_files(inputs):
            raise FileNotFoundError(missing)
        kept.append(
            Recorded(
                type=request.type,
                name=request.name,
                urn=urn,
                inputs=inputs,
                secrets=frozenset(secrets | set(request.additionalSecretOutputs)),
                parent=request.parent,
                depends_on=tuple(request.dependencies),
                protect=request.protect,
                retain_on_delete=request.retainOnDelete,
                ignore_changes=tuple(request.ignoreChanges),
                order=len(self._recording.resources) + len(self._recording.components),
            )
        )


def _missing_files(value: object) -> Iterator[str]:
    if isinstance(value, pulumi.FileArchive | pulumi.FileAsset):
        if not Path(value.path).exists():
            yield value.path
    elif isinstance(value, pulumi.AssetArchive):
        yield from _missing_files(value.assets)
    elif isinstance(value, Mapping):
        for inner in value.values():  # pyright: ignore[reportUnknownVariableType]
            yield from _missing_files(inner)  # pyright: ignore[reportUnknownArgumentType]


def record(
    stage: str,
    *,
    preview: bool = False,
    overrides: Mapping[str, object] | None = None,
    settings_of: str | None = None,
) -> Recording:
    """Run `__main__.py` for this stage. In a preview nothing is known that only AWS decides.

    settings_of: the stage whose file is taken, when it is another's.

    The bundles are empty stand-ins: what is in the real ones is tested by itself.
    """
    with tempfile.TemporaryDirectory() as scratch, _stand_in_bundles(Path(scratch)):
        return _recorded(PROJECT / "__main__.py", stage, stage_config(settings_of or stage, overrides), preview=preview)


def record_account(stack: str, region: str) -> Recording:
    """Run `account/__main__.py`, the part of an account that all its stages share."""
    return _recorded(PROJECT / "account" / "__main__.py", stack, {"aws:region": region}, preview=False)


def _recorded(main: Path, stack: str, config: dict[str, str], *, preview: bool) -> Recording:
    recording = Recording(stack)
    answers = Answers(config["aws:region"], preview)
    with (
        # An output that is formatted into a string would otherwise become an apology instead of an error.
        mock.patch.dict(os.environ, {"PULUMI_ERROR_OUTPUT_STRING": "true"}),
        warnings.catch_warnings(),
        own_event_loop() as loop,
    ):
        # Importing a service of pulumi_aws imports its retired classes, which say so.
        warnings.filterwarnings("ignore", r"\S+ has been deprecated in favor of", DeprecationWarning)
        pulumi.runtime.set_mocks(
            answers,
            project="video-upload-platform",
            stack=stack,
            preview=preview,
            monitor=_Monitor(answers, recording),
        )
        pulumi.runtime.set_all_config(config, [])
        # Made by the first run and kept: without this a stage would export what the one before it had.
        root: Any = get_root_resource()
        root.outputs = {}
        loop.run_until_complete(run_pulumi_func(lambda: _discard(runpy.run_path(str(main), run_name="__main__"))))
        exported: dict[str, Any] = root.outputs
        for key, value in exported.items():
            output: pulumi.Output[Any] = pulumi.Output.from_input(value)
            recording.exports[key] = loop.run_until_complete(output.future(with_unknowns=False))
            if loop.run_until_complete(output.is_secret()):
                recording.secret_exports.add(key)
    return recording


def _stand_in_bundles(folder: Path) -> AbstractContextManager[object]:
    def bundle(_app: Path, _locks: object, _folder: Path, name: str, *_: object, **__: object) -> Path:
        path = folder / f"{name}-0123456789abcdef.zip"
        zipfile.ZipFile(path, "w").close()
        return path

    return mock.patch("components.compute.lambda_package.bundle", bundle)


def _discard(_: object) -> None:
    """The engine waits for what a program returns; this one returns nothing."""
