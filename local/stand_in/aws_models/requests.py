"""HTTP requests of every AWS protocol, parsed into an operation and its values."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, cast
from urllib.parse import parse_qsl
from xml.etree import ElementTree as ET

from botocore.model import ListShape, OperationModel, Shape, StructureShape

from local.stand_in.aws_models import services
from local.stand_in.aws_models.constraints import REQUIRED, Violation
from local.stand_in.aws_models.services import Service
from local.stand_in.aws_models.wire import form_value, scalar, wire_name, xml_value

CREDENTIAL_SERVICE: Final = re.compile(r"Credential=[^/,\s]+/[^/]+/[^/]+/([^/]+)/aws4_request")
_REST: Final = frozenset({"rest-json", "rest-xml"})


class UnreadableError(Exception):
    """The body is not in the protocol's format: JSON, XML or a form."""


@dataclass(frozen=True, kw_only=True)
class HttpRequest:
    """path: raw, still encoded. headers: names in lower case. query: decoded."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes = b""


@dataclass(frozen=True)
class ModelledCall:
    """operation: None for a name that the service does not have."""

    service: Service
    protocol: str
    name: str
    operation: OperationModel | None
    parameters: Mapping[str, str]

    def violations(self, request: HttpRequest) -> list[Violation]:
        """Violations of the operation's model; raises UnreadableError."""
        shape = self.operation.input_shape if self.operation else None
        if shape is None:
            return []
        match self.protocol:
            case "json":
                return self.service.broken(shape, _json(request.body))
            case "query" | "ec2":
                values = form_value(shape, _pairs(request), is_ec2=self.protocol == "ec2")
                return self.service.broken(shape, values)
            case _:
                return [
                    *located_violations(self.service, shape, self.parameters, request.query, request.headers),
                    *_body_violations(self.service, shape, self.protocol, request.body),
                ]


def modelled(request: HttpRequest) -> ModelledCall | None:
    """The call in a request; None for a service without a model in botocore."""
    prefix, _, target = request.headers.get("x-amz-target", "").rpartition(".")
    signed = CREDENTIAL_SERVICE.search(request.headers.get("authorization", ""))
    if signed is None:
        found = services.unsigned(prefix) if target else None
        return _named(found, "json", target) if found else None
    candidates = list(services.signing(signed[1]))
    calls = [call for call in (_call(each, request, prefix, target) for each in candidates) if call is not None]
    known = [call for call in calls if call.operation is not None]
    return next(iter(known or calls), None)


def _call(candidate: Service, request: HttpRequest, prefix: str, target: str) -> ModelledCall | None:
    protocol = str(candidate.metadata["protocol"])
    if target:
        return _named(candidate, "json", target) if candidate.metadata.get("targetPrefix") == prefix else None
    if protocol in _REST:
        found = candidate.route(request.method, request.path, request.query, request.headers)
        if found is None:
            return ModelledCall(candidate, protocol, f"{request.method} {request.path}", None, {})
        return ModelledCall(candidate, protocol, found[0].name, found[0], found[1])
    is_form = "x-www-form-urlencoded" in request.headers.get("content-type", "")
    name = dict(_pairs(request)).get("Action", "")
    if not name and not is_form:
        # The Smithy RPC protocol in CBOR: moto does not support it, but responds to it.
        return None
    return _named(candidate, "ec2" if protocol == "ec2" else "query", name)


def _named(found: Service, protocol: str, name: str) -> ModelledCall:
    return ModelledCall(found, protocol, name, found.operation(name), {})


def located_violations(
    found: Service,
    shape: StructureShape,
    parameters: Mapping[str, str],
    query: Mapping[str, str],
    headers: Mapping[str, str],
) -> list[Violation]:
    """Violations in the path, query and headers of a REST request."""
    violations: list[Violation] = []
    for each in found.located(shape):
        source = headers if each.location == "header" else query if each.location == "querystring" else parameters
        text = source.get(each.key)
        if text is None:
            if each.is_required:
                violations.append(Violation((each.name,), None, REQUIRED))
        elif each.check is not None:
            each.check(_located_value(each.shape, text), (each.name,), violations)
    return violations


def _located_value(shape: Shape, text: str) -> object:
    if isinstance(shape, ListShape):
        return [scalar(shape.member, item.strip()) for item in text.split(",")]
    return scalar(shape, text)


def _body_violations(found: Service, shape: StructureShape, protocol: str, body: bytes) -> list[Violation]:
    """Violations in the body of a REST request; bytes and streams are not read."""
    members = cast("Mapping[str, Shape]", shape.members)
    payload = cast("Mapping[str, Any]", shape.serialization).get("payload")
    if payload is None:
        if not body and not any("location" not in member.serialization for member in members.values()):
            return []
        value = (_json(body) if protocol == "rest-json" else xml_value(shape, _xml(body))) if body else {}
        violations: list[Violation] = []
        found.body_check(shape)(value, (), violations)
        return violations
    member, name = members[str(payload)], wire_name(str(payload), members[str(payload)])
    if not body:
        return [Violation((name,), None, REQUIRED)] if found.checks.is_required(shape, str(payload)) else []
    return found.broken(member, _payload(member, protocol, body), (name,))


def _payload(member: Shape, protocol: str, body: bytes) -> object:
    if member.type_name == "blob":
        return body
    if member.type_name == "string":
        return body.decode("utf-8", "replace")
    return _json(body) if protocol == "rest-json" else xml_value(member, _xml(body))


def _pairs(request: HttpRequest) -> list[tuple[str, str]]:
    try:
        return [*request.query.items(), *parse_qsl(request.body.decode(), keep_blank_values=True)]
    except ValueError as error:
        raise UnreadableError from error


def _json(body: bytes) -> object:
    try:
        return json.loads(body or b"{}")
    except ValueError as error:
        raise UnreadableError from error


def _xml(body: bytes) -> ET.Element:
    try:
        # expat itself limits entities since 2.4.1, and callers limit bodies.
        return ET.fromstring(body)  # noqa: S314
    except ET.ParseError as error:
        raise UnreadableError from error
