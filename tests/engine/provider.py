"""A resource plugin for the Pulumi engine that grants every wish: inputs come back as outputs, with made-up ARNs.

`python -m tests.engine.provider PACKAGE VERSION` serves one package and prints its port, as the engine expects it. It
shows what the engine does with a program (configuration, order, previews with unknowns, secrets, second runs,
protection, deletion), and nothing of what AWS says.
"""

from __future__ import annotations

import json
import sys
from concurrent import futures
from typing import Any

import grpc
from google.protobuf import empty_pb2, struct_pb2
from google.protobuf.json_format import MessageToDict
from pulumi.runtime.proto import plugin_pb2, provider_pb2, provider_pb2_grpc

from components.simulated_aws import SimulatedAws
from tests.engine.wire_values import FORCES_NEW, UNKNOWN, added_properties, plain

MAX_MESSAGE_BYTES = 1 << 28
CALLS_AT_ONCE = 32


class Provider(provider_pb2_grpc.ResourceProviderServicer):
    """One package, such as `aws`. Method names are the protocol's."""

    def __init__(self, package: str, version: str) -> None:
        self._package = package
        self._version = version
        self._region = ""

    def Handshake(self, request: Any, context: Any) -> Any:
        return provider_pb2.ProviderHandshakeResponse(accept_secrets=True, accept_resources=False, accept_outputs=False)

    def GetPluginInfo(self, request: Any, context: Any) -> Any:
        return plugin_pb2.PluginInfo(version=self._version)

    def GetSchema(self, request: Any, context: Any) -> Any:
        return provider_pb2.GetSchemaResponse(schema=json.dumps({"name": self._package, "version": self._version}))

    def CheckConfig(self, request: Any, context: Any) -> Any:
        return provider_pb2.CheckResponse(inputs=request.news)

    def DiffConfig(self, request: Any, context: Any) -> Any:
        return provider_pb2.DiffResponse(changes=provider_pb2.DiffResponse.DIFF_NONE)

    def Configure(self, request: Any, context: Any) -> Any:
        self._region = _values(request.args).get("region", "")
        return provider_pb2.ConfigureResponse(
            acceptSecrets=True, supportsPreview=True, acceptResources=False, acceptOutputs=False
        )

    def Check(self, request: Any, context: Any) -> Any:
        return provider_pb2.CheckResponse(inputs=request.news)

    def Diff(self, request: Any, context: Any) -> Any:
        old, new = _values(request.old_inputs), _values(request.news)
        changed = sorted(
            key for key in old.keys() | new.keys() if old.get(key) != new.get(key) and not key.startswith("__")
        )
        replacing = [key for key in changed if key in FORCES_NEW.get(_kind(request.urn), ())]
        answer = provider_pb2.DiffResponse
        return answer(
            changes=answer.DIFF_SOME if changed else answer.DIFF_NONE,
            diffs=changed,
            replaces=replacing,
            deleteBeforeReplace=bool(replacing),
        )

    def Create(self, request: Any, context: Any) -> Any:
        properties = self._granted(request.urn, request.properties, preview=request.preview)
        kind, name = _kind(request.urn), _name(request.urn)
        made = "" if request.preview else self._aws().identity(kind, name, _values(request.properties))
        return provider_pb2.CreateResponse(id=made, properties=properties)

    def Update(self, request: Any, context: Any) -> Any:
        return provider_pb2.UpdateResponse(properties=self._granted(request.urn, request.news, preview=False))

    def Read(self, request: Any, context: Any) -> Any:
        return provider_pb2.ReadResponse(id=request.id, properties=request.properties, inputs=request.inputs)

    def Delete(self, request: Any, context: Any) -> Any:
        return empty_pb2.Empty()

    def Invoke(self, request: Any, context: Any) -> Any:
        arguments = _values(request.args)
        function = request.tok.rpartition(":")[2]
        answer = self._aws(arguments.get("region")).answer(function, arguments)
        if answer is None:
            context.abort(grpc.StatusCode.UNIMPLEMENTED, f"the provider of the tests has no answer to {request.tok}")
        answered: dict[str, Any] = {"return": _struct(answer or {})}
        return provider_pb2.InvokeResponse(**answered)

    def Cancel(self, request: Any, context: Any) -> Any:
        return empty_pb2.Empty()

    def Attach(self, request: Any, context: Any) -> Any:
        return empty_pb2.Empty()

    def GetMapping(self, request: Any, context: Any) -> Any:
        return provider_pb2.GetMappingResponse()

    def GetMappings(self, request: Any, context: Any) -> Any:
        return provider_pb2.GetMappingsResponse()

    def _granted(self, urn: str, properties: struct_pb2.Struct, *, preview: bool) -> struct_pb2.Struct:
        """Inputs, and what AWS adds; unknown in a preview."""
        inputs = _values(properties)
        added = added_properties(self._aws(), _kind(urn), _name(urn), inputs)
        if preview:
            added = dict.fromkeys(added, UNKNOWN)
        return _struct({**added, **MessageToDict(properties)})

    def _aws(self, region: str | None = None) -> SimulatedAws:
        return SimulatedAws(region=region or self._region)


def _values(struct: struct_pb2.Struct) -> dict[str, Any]:
    return plain(MessageToDict(struct))


def _struct(values: dict[str, Any]) -> struct_pb2.Struct:
    made = struct_pb2.Struct()
    made.update(values)
    return made


def _kind(urn: str) -> str:
    return urn.split("::")[2].rpartition("$")[2]


def _name(urn: str) -> str:
    return urn.rpartition("::")[2]


def main() -> None:
    package, version = sys.argv[1:3]
    server = grpc.server(
        futures.ThreadPoolExecutor(CALLS_AT_ONCE), options=[("grpc.max_receive_message_length", MAX_MESSAGE_BYTES)]
    )
    provider_pb2_grpc.add_ResourceProviderServicer_to_server(Provider(package, version), server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    print(port, flush=True)
    server.wait_for_termination()


if __name__ == "__main__":
    main()
