"""A recorder of Pulumi programs: runs one against a simulated AWS and keeps its resources and outputs.

The cost estimate, the preflight and the tests read recordings. No Pulumi engine and no AWS account takes part.
"""

from __future__ import annotations

import asyncio
import contextvars
import functools
import runpy
import sys
import tempfile
import threading
import warnings
import zipfile
from collections.abc import Awaitable, Callable, Coroutine, Generator, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import pulumi
from google.protobuf import struct_pb2
from google.protobuf.json_format import MessageToDict
from pulumi.runtime import mocks, rpc
from pulumi.runtime.proto import resource_pb2
from pulumi.runtime.settings import get_root_resource
from pulumi.runtime.stack import run_pulumi_func

from components.compute.lambda_package import BUNDLER
from components.simulated_aws import SimulatedAws

_STACK = "pulumi:pulumi:Stack"
_T = TypeVar("_T")


@dataclass(frozen=True, kw_only=True)
class Recorded:
    """One declared resource.

    inputs: with Pulumi's (camel case) property names. depends_on: URNs.
    secrets: inputs and outputs that the state keeps encrypted. order: of the declaration.
    aliases: its types and names in older stacks.
    """

    type: str
    name: str
    inputs: Mapping[str, Any]
    urn: str = ""
    parent: str = ""
    depends_on: tuple[str, ...] = ()
    protect: bool = False
    retain_on_delete: bool = False
    ignore_changes: tuple[str, ...] = ()
    secrets: frozenset[str] = frozenset()
    order: int = 0
    aliases: tuple[tuple[str, str], ...] = ()

    @property
    def region(self) -> str | None:
        return self.inputs.get("region")


@dataclass(frozen=True, kw_only=True)
class Declarations:
    """Resources that a program declared."""

    resources: Sequence[Recorded]

    def of(self, *types: str) -> list[Recorded]:
        """Resources of these types, such as `s3/bucket:Bucket`."""
        wanted = {f"aws:{kind}" for kind in types}
        return [resource for resource in self.resources if resource.type in wanted]


@dataclass(frozen=True, kw_only=True)
class Recording(Declarations):
    """All declarations of one run, in the order of their registration."""

    stage: str
    region: str
    resources: list[Recorded] = field(default_factory=list[Recorded])
    components: list[Recorded] = field(default_factory=list[Recorded])
    exports: dict[str, Any] = field(default_factory=dict[str, Any])
    secret_exports: set[str] = field(default_factory=set[str])

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


@dataclass(frozen=True, kw_only=True)
class Program:
    """A program to run, with its stack and configuration.

    config: as the engine passes it, sorted by key. preview: values that only AWS decides are unknown.
    """

    main: Path
    project: str
    stack: str
    config: tuple[tuple[str, str], ...]
    aws: SimulatedAws
    preview: bool = False

    def record(self) -> Recording:
        """Run the program."""
        recording = Recording(stage=self.stack, region=self.aws.region)
        with tempfile.TemporaryDirectory() as folder:
            self._run(_Monitor(self, recording), lambda: _record(self.main, recording), bundles=Path(folder))
        return recording

    def configured(self, read: Callable[[], _T]) -> _T:
        """Call `read` with the stack and configuration in place, without running the program."""

        async def called() -> _T:
            return read()

        return self._run(_Monitor(self, Recording(stage=self.stack, region=self.aws.region)), called)

    def _run(self, monitor: _Monitor, body: Callable[[], Awaitable[_T]], *, bundles: Path | None = None) -> _T:
        async def run() -> _T:
            pulumi.runtime.set_mocks(
                monitor.mocks, project=self.project, stack=self.stack, preview=self.preview, monitor=monitor
            )
            pulumi.runtime.set_all_config(dict(self.config), [])
            if bundles:
                BUNDLER.set(functools.partial(_empty_bundle, bundles))
            return await body()

        # Pulumi keeps its settings and the stack's root in the context: each run gets a new context, in a thread.
        with _short_stack_traces(), ThreadPoolExecutor(1) as thread:
            return thread.submit(contextvars.Context().run, _in_new_loop, run).result()


@functools.cache
def recorded(program: Program) -> Recording:
    """The program's recording. A process runs each program once."""
    return program.record()


@contextmanager
def _short_stack_traces() -> Generator[None]:
    """Keep Pulumi from collecting a stack trace for every resource: no recording holds them.

    One frame remains, because Pulumi expects it.
    """
    before = getattr(sys, "tracebacklimit", None)
    sys.tracebacklimit = 1
    try:
        yield
    finally:
        if before is None:
            del sys.tracebacklimit
        else:
            sys.tracebacklimit = before


def _in_new_loop(main: Callable[[], Coroutine[Any, Any, _T]]) -> _T:
    """Run `main` in a new event loop until every task that it started has ended, and return its result.

    Not asyncio.run, which searches all tasks of the process: tens of thousands after a hundred programs.
    """
    loop = asyncio.new_event_loop()
    begun: set[asyncio.Future[Any]] = set()

    def begin(loop: asyncio.AbstractEventLoop, coroutine: Any, **options: Any) -> asyncio.Future[Any]:
        task = asyncio.Task[Any](coroutine, loop=loop, **options)
        begun.add(task)
        task.add_done_callback(begun.discard)
        return task

    loop.set_task_factory(begin)
    try:
        asyncio.set_event_loop(loop)
        return loop.run_until_complete(main())
    finally:
        # A refused program leaves registrations behind.
        while begun:
            loop.run_until_complete(asyncio.gather(*begun, return_exceptions=True))
        loop.run_until_complete(loop.shutdown_default_executor())
        asyncio.set_event_loop(None)
        loop.close()


async def _record(main: Path, recording: Recording) -> None:
    with warnings.catch_warnings():
        # Importing a service of pulumi_aws imports its retired classes, which warn.
        warnings.filterwarnings("ignore", r"\S+ has been deprecated in favor of", DeprecationWarning)
        await run_pulumi_func(lambda: _discard(runpy.run_path(str(main), run_name="__main__")))
    root: Any = get_root_resource()
    for key, value in root.outputs.items():
        output: pulumi.Output[Any] = pulumi.Output.from_input(value)
        recording.exports[key] = await output.future(with_unknowns=False)
        if await output.is_secret():
            recording.secret_exports.add(key)


class _NoMocks(mocks.Mocks):
    """Unused: the monitor needs no mocks."""

    def call(self, args: mocks.MockCallArgs) -> Any:
        raise NotImplementedError

    def new_resource(self, args: mocks.MockResourceArgs) -> Any:
        raise NotImplementedError


class _Monitor(mocks.MockMonitor):
    """A resource monitor that keeps requests in order and refuses what a real engine refuses. Method names are the
    protocol's."""

    def __init__(self, program: Program, recording: Recording) -> None:
        super().__init__(_NoMocks())
        self._program = program
        self._recording = recording
        self._lock = threading.Lock()

    def RegisterResource(self, request: Any) -> resource_pb2.RegisterResourceResponse:  # noqa: N802
        urn = self.make_urn(request.parent, request.type, request.name)
        if request.type == _STACK:
            return resource_pb2.RegisterResourceResponse(urn=urn)
        given: dict[str, Any] = rpc.deserialize_properties(request.object, keep_unknowns=True)
        with self._lock:
            resource = self._keep(urn, request, given)
        if self._program.preview or not request.custom:
            return resource_pb2.RegisterResourceResponse(urn=urn, object=request.object)
        aws = self._program.aws
        properties = struct_pb2.Struct()
        properties.update(aws.added_properties(resource.type, resource.name, resource.inputs))
        properties.MergeFrom(request.object)
        return resource_pb2.RegisterResourceResponse(
            urn=urn, id=aws.identity(resource.type, resource.name, resource.inputs), object=properties
        )

    def Invoke(self, request: Any) -> resource_pb2.ResourceInvokeResponse:  # noqa: N802
        answer = self._program.aws.answer(request.tok.rpartition(":")[2], MessageToDict(request.args))
        if answer is None:
            raise NotImplementedError(request.tok)
        returned = struct_pb2.Struct()
        returned.update(answer)
        answered: dict[str, Any] = {"return": returned}
        return resource_pb2.ResourceInvokeResponse(**answered)

    def _keep(self, urn: str, request: Any, given: dict[str, Any]) -> Recorded:
        secrets = {key for key, value in given.items() if rpc.is_rpc_secret(value)}
        inputs = {key: rpc.unwrap_rpc_secret(value) if key in secrets else value for key, value in given.items()}
        kept = self._recording.resources if request.custom else self._recording.components
        if any(resource.urn == urn for resource in kept):
            message = f"{urn} is declared twice"
            raise ValueError(message)
        for missing in _missing_files(inputs):
            raise FileNotFoundError(missing)
        resource = Recorded(
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
            aliases=tuple((alias.spec.type, alias.spec.name) for alias in request.aliases),
        )
        kept.append(resource)
        return resource


def _missing_files(value: object) -> Iterator[str]:
    if isinstance(value, pulumi.FileArchive | pulumi.FileAsset):
        if not Path(value.path).exists():
            yield value.path
    elif isinstance(value, pulumi.AssetArchive):
        yield from _missing_files(value.assets)
    elif isinstance(value, Mapping):
        for inner in value.values():
            yield from _missing_files(inner)


def _empty_bundle(empty: Path, _app: Path, _locks: object, _folder: Path, name: str, *_: object, **__: object) -> Path:
    """Return a placeholder for a bundle: packing a real one needs a package index, and its content declares nothing."""
    path = empty / f"{name}-0123456789abcdef.zip"
    zipfile.ZipFile(path, "w").close()
    return path


def _discard(_: object) -> None:
    """Return nothing: the engine would await the result of the program."""
