"""The resources that a stage's program declares: it runs against an engine that makes nothing.

The cost model and the preflight read them, so that both follow the program.

StageError
└── StageRefusedError     the stage's settings or its name are wrong
"""

from __future__ import annotations

import asyncio
import functools
import gc
import json
import runpy
import warnings
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import pulumi
import yaml
from pulumi.runtime import mocks, rpc
from pulumi.runtime.stack import run_pulumi_func

from components.compute import lambda_package
from components.settings import Settings
from components.stack_configuration import SettingsError, load_settings

PROJECT = Path(__file__).resolve().parents[1]
ACCOUNT_ID = "123456789012"
"""Stands for the account where none is given."""

Setting = str | int | bool
Overrides = tuple[tuple[str, Setting], ...]
"""Settings by name that differ from the stage's file."""
HEARD: Overrides = (("alarmEmails", '["alarms@example.com"]'),)
"""For a look at a stage before anybody is named who hears its alarms."""


class StageError(Exception):
    """There is no program to look at."""


class StageRefusedError(StageError):
    """problems: (setting, what is wrong with it)."""

    def __init__(self, problems: Sequence[tuple[str, str]]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(["wrong settings:", *(f"  {key}: {problem}" for key, problem in problems)]))


@dataclass(frozen=True, kw_only=True)
class Declared:
    """One resource; `inputs` with Pulumi's (camel case) property names."""

    type: str
    name: str
    inputs: Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class DeclaredStage:
    """A stage's settings and the resources that its program declares with them."""

    settings: Settings
    region: str
    resources: tuple[Declared, ...]

    def of(self, *types: str) -> list[Declared]:
        """Resources of these types, such as `s3/bucket:Bucket`."""
        wanted = {f"aws:{kind}" for kind in types}
        return [resource for resource in self.resources if resource.type in wanted]


@functools.cache
def declare(stage: str, overrides: Overrides = (), *, account_id: str = ACCOUNT_ID) -> DeclaredStage:
    """Run the program for this stage in this account. Raises StageRefusedError."""
    with warnings.catch_warnings(), own_event_loop() as loop, _no_bundles(), _garbage_kept():
        # Importing a service of pulumi_aws imports its retired classes, which say so.
        warnings.filterwarnings("ignore", r"\S+ has been deprecated in favor of", DeprecationWarning)
        engine, settings = _configured(stage, overrides, account_id)
        main = str(PROJECT / "__main__.py")
        loop.run_until_complete(run_pulumi_func(lambda: _discard(runpy.run_path(main, run_name="__main__"))))
    return DeclaredStage(settings=settings, region=engine.region, resources=tuple(engine.declared))


def settings_of(stage: str, overrides: Overrides = ()) -> Settings:
    """What the program goes by, without running it. Raises StageRefusedError."""
    with own_event_loop():
        return _configured(stage, overrides, ACCOUNT_ID)[1]


def _configured(stage: str, overrides: Overrides, account_id: str) -> tuple[_Engine, Settings]:
    project, config = _config(stage, dict(overrides))
    engine = _Engine(config["aws:region"], account_id)
    pulumi.runtime.set_mocks(engine, project=project, stack=stage, preview=False)
    pulumi.runtime.set_all_config(config, [])
    try:
        return engine, load_settings()
    except SettingsError as error:
        raise StageRefusedError(error.problems) from error


def _config(stage: str, overrides: Mapping[str, Setting]) -> tuple[str, dict[str, str]]:
    """Project name, and configuration as the engine hands it to the program."""
    project: dict[str, Any] = yaml.safe_load((PROJECT / "Pulumi.yaml").read_text())
    name: str = project["name"]
    values: dict[str, object] = {
        key if ":" in key else f"{name}:{key}": declared.get("value", declared.get("default"))
        for key, declared in project["config"].items()
    }
    values |= _stage_config(f"Pulumi.{stage}.yaml")
    values |= {f"{name}:{key}": value for key, value in overrides.items()}
    return name, {key: value if isinstance(value, str) else json.dumps(value) for key, value in values.items()}


def _stage_config(file_name: str) -> dict[str, object]:
    try:
        stage: object = yaml.safe_load((PROJECT / file_name).read_text()) or {}
    except FileNotFoundError:
        return {}
    except yaml.YAMLError as error:
        raise StageRefusedError([(file_name, f"is no YAML: {error}")]) from error
    config: object = (stage.get("config") or {}) if isinstance(stage, dict) else None
    if not isinstance(config, dict):
        raise StageRefusedError([(file_name, "holds no settings by name below config:")])
    return config


class _Engine(mocks.Mocks):
    """Takes every resource for made, and knows as little of AWS as the program needs to go on."""

    def __init__(self, region: str, account_id: str) -> None:
        self.region, self._account_id = region, account_id
        self.declared: list[Declared] = []

    def new_resource(self, args: mocks.MockResourceArgs) -> tuple[str | None, dict[Any, Any]]:
        inputs: dict[str, Any] = {
            key: rpc.unwrap_rpc_secret(value) if rpc.is_rpc_secret(value) else value
            for key, value in args.inputs.items()
        }
        if not args.typ.startswith("video-upload:"):
            self.declared.append(Declared(type=args.typ, name=args.name, inputs=inputs))
        made_by_aws = {
            "arn": f"arn:aws:{args.typ.split(':')[1].split('/')[0]}:{self.region}:{self._account_id}:{args.name}",
            "name": args.name,
            "keyId": args.name,
            "version": "1",
            "result": args.name,
            "domainName": f"{args.name}.example.com",
            "bucketRegionalDomainName": f"{args.name}.s3.{self.region}.amazonaws.com",
            "executionArn": args.name,
            "clientSecret": args.name,
        }
        return inputs.get("bucket", args.name), made_by_aws | inputs

    def call(self, args: mocks.MockCallArgs) -> tuple[dict[Any, Any], list[tuple[str, str]] | None]:
        answers: dict[str, dict[str, Any]] = {
            "aws:index/getCallerIdentity:getCallerIdentity": {"accountId": self._account_id},
            "aws:index/getRegion:getRegion": {"region": self.region},
            "aws:index/getAvailabilityZones:getAvailabilityZones": {"zoneIds": [f"az{number}" for number in (1, 2, 3)]},
            "aws:kms/getPublicKey:getPublicKey": {"publicKeyPem": ""},
        }
        return answers[args.token], []


@contextmanager
def _no_bundles() -> Generator[None]:
    """A bundle's content declares nothing, and making one takes an interpreter and a package index."""
    with _replaced(lambda_package, "bundle", lambda *_, **__: Path("build/not-made-0000000000000000.zip")):
        yield


@contextmanager
def _replaced(module: ModuleType, name: str, value: object) -> Generator[None]:
    kept = getattr(module, name)
    setattr(module, name, value)
    try:
        yield
    finally:
        setattr(module, name, kept)


@contextmanager
def own_event_loop() -> Generator[asyncio.AbstractEventLoop]:
    """A loop to which the engine binds; closed at the end, as are those that Pulumi makes beside it."""
    made: list[asyncio.AbstractEventLoop] = []
    make = asyncio.new_event_loop

    def remembered() -> asyncio.AbstractEventLoop:
        made.append(make())
        return made[-1]

    with _replaced(asyncio, "new_event_loop", remembered):
        loop = asyncio.new_event_loop()
        asyncio.set_event_loop(loop)
        try:
            yield loop
        finally:
            # What a refused stage has begun, so that it ends without a word.
            loop.run_until_complete(asyncio.gather(*asyncio.all_tasks(loop), return_exceptions=True))
            asyncio.set_event_loop(None)
            for each in made:
                each.close()


@contextmanager
def _garbage_kept() -> Generator[None]:
    """Half of a run goes into looking for garbage among resources that are all still needed."""
    was_looked_for = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_looked_for:
            gc.enable()


def _discard(_: object) -> None:
    """The engine waits for what a program returns; this one returns nothing."""
