"""Checks of requests against the model of S3, with S3's own errors."""

import functools
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final, cast
from xml.etree import ElementTree as ET

from botocore.model import Shape, StructureShape

from local.stand_in.aws_models.constraints import Violation
from local.stand_in.aws_models.requests import located_violations
from local.stand_in.aws_models.services import Service, service
from local.stand_in.aws_models.wire import wire_name, xml_value
from local.stand_in.errors import S3Error, invalid_argument, malformed_xml
from local.stand_in.requests import S3Request
from local.stand_in.xml_bodies import parse_xml

# S3 API Reference, "Error responses"; for every other header and parameter it is InvalidArgument.
_CODES: Final = {
    "x-amz-server-side-encryption": "InvalidEncryptionAlgorithmError",
    "x-amz-storage-class": "InvalidStorageClass",
    "x-amz-sdk-checksum-algorithm": "InvalidRequest",
    "x-amz-checksum-algorithm": "InvalidRequest",
    "x-amz-checksum-type": "InvalidRequest",
}
# The stand-in checks these elsewhere.
_ANY_CASE: Final = frozenset({"x-amz-checksum-algorithm", "x-amz-checksum-mode", "x-amz-checksum-type"})


@dataclass(frozen=True)
class _Operation:
    """document: the shape of an XML body, whose root element is called `root`; None for bytes and for nothing."""

    shape: StructureShape
    document: Shape | None = None
    root: str | None = None


@functools.cache
def _s3() -> Service:
    return cast("Service", service("s3"))


@functools.cache
def _operation(name: str) -> _Operation | None:
    found = _s3().operation(name)
    shape = found.input_shape if found else None
    if shape is None:
        return None
    payload = cast("Mapping[str, Any]", shape.serialization).get("payload")
    member = cast("Mapping[str, Shape]", shape.members)[str(payload)] if payload else None
    if isinstance(member, StructureShape):
        return _Operation(shape, member, wire_name(str(payload), member))
    return _Operation(shape)


def xml_root(operation: str) -> str | None:
    """The root element of an operation's body; None for no body, or bytes."""
    found = _operation(operation)
    return found.root if found else None


def demand_model(request: S3Request, document: ET.Element | None) -> None:
    """Check a request except for a body of bytes. Raises S3Error 400 for violations of the model."""
    operation = _operation(request.operation)
    if operation is None:
        return
    headers = request.headers
    if not _ANY_CASE.isdisjoint(headers):
        headers = {name: text.upper() if name in _ANY_CASE else text for name, text in headers.items()}
    path = {"Bucket": request.bucket, "Key": request.key}
    found = located_violations(_s3(), operation.shape, path, request.query, headers)
    if found:
        raise _error(found[0])
    if (
        document is not None
        and operation.document is not None
        and _s3().broken(operation.document, xml_value(operation.document, document))
    ):
        raise malformed_xml()


def demand_bucket_model(request: S3Request, body: bytes) -> None:
    """Do the same for an operation on a bucket, whose name is determined later."""
    found = _s3().route(request.method, f"/{request.bucket}", request.query, request.headers)
    if found is None:
        return
    named = replace(request, operation=found[0].name)
    root = xml_root(named.operation)
    demand_model(named, parse_xml(body, root) if root and body else None)


def demand_canned_acl(name: str | None) -> None:
    """Raises S3Error 400 for a form's `acl` that is no canned one. The model covers the header."""
    operation = cast("_Operation", _operation("PutObject"))
    if name is not None and _s3().broken(cast("Mapping[str, Shape]", operation.shape.members)["ACL"], name):
        raise invalid_argument("", "x-amz-acl", name)


def _error(violation: Violation) -> S3Error:
    name = str(violation.path[0])
    code = _CODES.get(name.lower())
    if code:
        return S3Error(400, code, str(violation))
    return invalid_argument(str(violation), name, str(violation.value))
