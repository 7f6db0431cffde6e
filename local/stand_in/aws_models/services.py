"""One service's model: its operations, by name or by method and path, and the checks of their inputs."""

import functools
import re
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, cast
from urllib.parse import parse_qsl, unquote

from botocore.exceptions import UnknownServiceError
from botocore.loaders import Loader
from botocore.model import OperationModel, ServiceModel, Shape, StructureShape

from local.stand_in.aws_models.constraints import (
    Check,
    Naming,
    Path,
    ShapeChecks,
    Violation,
    member_name,
    takes_any_text,
)
from local.stand_in.aws_models.wire import ec2_name, wire_name

# Signing names that differ from the model's name. Of several models, the first that has the operation applies.
_SIGNED_AS: Final[Mapping[str, tuple[str, ...]]] = {
    "monitoring": ("cloudwatch",),
    "servicequotas": ("service-quotas",),
    "ses": ("sesv2", "ses"),
    "elasticloadbalancing": ("elbv2", "elb"),
    "tagging": ("resourcegroupstaggingapi",),
    "aws-budgets": ("budgets",),
    "states": ("stepfunctions",),
}
# Calls without credentials.
_UNSIGNED_TARGETS: Final[Mapping[str, str]] = {
    "AWSCognitoIdentityProviderService": "cognito-idp",
}

_loader = Loader()
_making = threading.Lock()


@dataclass(frozen=True)
class _Route:
    """Method and path of an operation of a REST protocol.

    query: parameters in the path itself. members: required parameters and headers, which distinguish operations with
    the same path. weight: the heaviest match wins.
    """

    name: str
    method: str
    path: re.Pattern[str]
    parameters: tuple[str, ...]
    query: Mapping[str, str]
    members: tuple[tuple[str, str], ...]
    weight: tuple[bool, int]

    def match(self, method: str, path: str, query: Mapping[str, str]) -> dict[str, str] | None:
        """The parameters of the path, if it matches."""
        found = self.path.fullmatch(path) if method == self.method else None
        if found is None:
            return None
        if any(name not in query or (text and query[name] != text) for name, text in self.query.items()):
            return None
        return {name: unquote(text) for name, text in zip(self.parameters, found.groups(), strict=True)}

    def has_members(self, query: Mapping[str, str], headers: Mapping[str, str]) -> bool:
        """Check that all required members outside of the body are present."""
        return all(name in (query if location == "querystring" else headers) for location, name in self.members)


@dataclass(frozen=True, slots=True)
class Located:
    """A constrained member of a REST request outside of the body.

    location: `uri`, `querystring` or `header`. key: its name there; a header's in lower case. check: None if the member
    is required but any text is valid.
    """

    location: str
    key: str
    name: str
    shape: Shape
    check: Check | None
    is_required: bool


@dataclass
class Service:
    """A service's model with checks. Operations are compiled on first use."""

    model: ServiceModel
    checks: ShapeChecks
    _routes: tuple[_Route, ...] | None = None
    _operations: dict[str, OperationModel] = field(default_factory=dict[str, OperationModel])
    _located: dict[str, tuple[Located, ...]] = field(default_factory=dict[str, tuple[Located, ...]])

    @property
    def name(self) -> str:
        """The service's name in botocore."""
        return str(self.model.service_name)

    @property
    def metadata(self) -> Mapping[str, Any]:
        """The service's metadata in the model: protocol, target prefix, namespace."""
        return cast("Mapping[str, Any]", self.model.metadata)

    def operation(self, name: str) -> OperationModel | None:
        """The operation of this name; None for an unknown name."""
        if name not in self._operations:
            if name not in self.model.operation_names:
                return None
            with _making:
                self._operations[name] = self.model.operation_model(name)
        return self._operations[name]

    def route(
        self, method: str, path: str, query: Mapping[str, str], headers: Mapping[str, str]
    ) -> tuple[OperationModel, dict[str, str]] | None:
        """The operation of a REST request, and the parameters in its raw path (still encoded)."""
        if self._routes is None:
            self._routes = tuple(sorted(_routes(self.model), key=lambda route: route.weight, reverse=True))
        found = [(route, route.match(method, path, query)) for route in self._routes]
        matching = [(route, parameters) for route, parameters in found if parameters is not None]
        if not matching:
            return None
        complete = (each for each in matching if each[0].has_members(query, headers))
        # A request without a required member still matches, so that the response can name the member.
        route, parameters = next(complete, matching[-1])
        operation = self.operation(route.name)
        return (operation, parameters) if operation else None

    def located(self, shape: StructureShape) -> tuple[Located, ...]:
        """Constrained members of an operation's input in its path, query and headers."""
        if shape.name not in self._located:
            with _making:
                self._located[shape.name] = tuple(self._constrained(shape))
        return self._located[shape.name]

    def _constrained(self, shape: StructureShape) -> Iterator[Located]:
        for name, member in cast("Mapping[str, Shape]", shape.members).items():
            location = cast("Mapping[str, Any]", member.serialization).get("location")
            if location not in ("uri", "querystring", "header") or member.type_name == "map":
                continue
            check = self.checks.of(member)
            check = None if takes_any_text(check) else check
            is_required = self.checks.is_required(shape, name)
            if check or is_required:
                key = wire_name(name, member)
                lookup = key.lower() if location == "header" else key
                yield Located(str(location), lookup, key, member, check, is_required)

    def body_check(self, shape: StructureShape) -> Check:
        """The check of a REST operation's body."""
        with _making:
            return self.checks.of_body(shape)

    def broken(self, shape: Shape, values: object, path: Path = ()) -> list[Violation]:
        """Violations in the value of a shape."""
        with _making:  # compiled at the first call, and only once
            check = self.checks.of(shape)
        found: list[Violation] = []
        if check is not None:
            check(values, path, found)
        return found


@functools.lru_cache(maxsize=64)
def service(name: str, *, is_on_the_wire: bool = True) -> Service | None:
    """A service by botocore's name; None if there is none. Members have other names on the wire."""
    try:
        model = ServiceModel(_loader.load_service_model(name, "service-2"), name)
    except UnknownServiceError:
        return None
    on_the_wire: Naming = ec2_name if model.metadata["protocol"] == "ec2" else wire_name
    return Service(model, ShapeChecks(on_the_wire if is_on_the_wire else member_name))


def signing(signing_name: str) -> Iterator[Service]:
    """The services whose requests are signed under this name."""
    for name in _SIGNED_AS.get(signing_name, (signing_name,)):
        found = service(name)
        if found is not None:
            yield found


def unsigned(target_prefix: str) -> Service | None:
    """The service that accepts this target without a signature."""
    name = _UNSIGNED_TARGETS.get(target_prefix)
    return service(name) if name else None


def _routes(model: ServiceModel) -> Iterator[_Route]:
    for name in model.operation_names:
        operation = model.operation_model(name)
        http = cast("Mapping[str, str]", operation.http)
        path, _, query = http["requestUri"].partition("?")
        pieces = re.split(r"\{([^}]+)\}", path.rstrip("/") if len(path) > 1 else path)
        pattern = "".join(
            re.escape(piece) if not number % 2 else "(.+)" if piece.endswith("+") else "([^/]+)"
            for number, piece in enumerate(pieces)
        )
        required, members = dict(parse_qsl(query, keep_blank_values=True)), tuple(_needed(operation))
        yield _Route(
            name=name,
            method=http["method"],
            path=re.compile(f"{pattern}/?"),
            parameters=tuple(piece.rstrip("+") for piece in pieces[1::2]),
            query=required,
            members=members,
            weight=(not operation.deprecated, 1000 * (len(required) + len(members)) + sum(map(len, pieces[::2]))),
        )


def _needed(operation: OperationModel) -> Iterator[tuple[str, str]]:
    shape = operation.input_shape
    if shape is None:
        return
    members = cast("Mapping[str, Shape]", shape.members)
    for name in cast("list[str]", cast("Mapping[str, Any]", shape.metadata).get("required", [])):
        location = cast("Mapping[str, Any]", members[name].serialization).get("location")
        if location in ("querystring", "header"):
            key = wire_name(name, members[name])
            yield str(location), key.lower() if location == "header" else key
