"""The application on the port: the stand-in's own controls, Lambda's Invoke, S3, and moto for every other service."""

import json
import re
import time
from collections.abc import Callable, Iterable
from http import HTTPStatus
from typing import Any, cast
from urllib.parse import parse_qs, parse_qsl
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from local.stand_in import long_polls, model_validation
from local.stand_in.aws_models.requests import CREDENTIAL_SERVICE
from local.stand_in.aws_models.services import unsigned
from local.stand_in.conversions import JOBS, SEARCH, ConversionJobs
from local.stand_in.errors import WrongControlError
from local.stand_in.events import send_to_queue
from local.stand_in.faults import Clock, Fault, Faults, LoggedRequest, RequestLog, parse_fault
from local.stand_in.http_server import OWN_NAMES, ResponseLostError
from local.stand_in.names import EVENTS_QUEUE, scan_request
from local.stand_in.object_gateway import ObjectGateway
from local.stand_in.responses import Response
from local.stand_in.snapshots import Snapshots

CONTROL_PREFIX = "/_stand-in/"
MOTO_CONTROL_PREFIX = "/moto-api"
MAX_CONTROL_BYTES = 1024**2
MAX_INVOKE_BYTES = 1024**2  # Lambda Developer Guide, "Lambda quotas": asynchronous invocation payload
_INVOKE = re.compile(r"/2015-03-31/functions/[^/]+/invocations")
_SCAN = "/object-malware-scan/send"  # GuardDuty API reference, SendObjectMalwareScan
_STORED_BEFORE_ANSWERED = frozenset({"ssm", "events"})
"""Services that change rarely and whose changes must not be lost, such as secrets."""
_READING_ACTIONS = re.compile(r"(Get|List|Describe|Generate|Verify|Encrypt|Decrypt|Filter|Test)")


class Gateway:
    """The WSGI application. reset: restores the state of a fresh stand-in."""

    def __init__(
        self,
        *,
        objects: ObjectGateway,
        moto: WSGIApplication,
        snapshots: Snapshots,
        faults: Faults,
        request_log: RequestLog,
        clock: Clock,
        reset: Callable[[], None],
    ) -> None:
        self._objects = objects
        self._moto = moto
        self._snapshots = snapshots
        self._faults = faults
        self._request_log = request_log
        self._clock = clock
        self._reset = reset
        self._conversions = ConversionJobs(self._tell_of_conversion)

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Route the request to the service that answers it."""
        path = str(environ.get("PATH_INFO", ""))
        if path.startswith((CONTROL_PREFIX, MOTO_CONTROL_PREFIX)) and _is_of_a_foreign_page(environ):
            return _refusal().send(start_response, head_only=False)
        if path.startswith(CONTROL_PREFIX):
            return self._control(environ, path.removeprefix(CONTROL_PREFIX)).send(start_response, head_only=False)
        if _is_s3(environ, path):
            return self._objects(environ, start_response)
        if _is_of_another_machines_page(environ):
            return _refusal().send(start_response, head_only=False)
        return self._service(environ, path, start_response)

    def _service(self, environ: WSGIEnvironment, path: str, start_response: StartResponse) -> Iterable[bytes]:
        """Respond for any service but S3, after validation against its model."""
        if _lacks_signature(environ):
            return _missing_signature().send(start_response, head_only=False)
        refused = model_validation.refused(environ)
        if refused:
            self._request_log.add(
                LoggedRequest(operation=refused.operation, key="", part_number=None, status=refused.answer.status)
            )
            return refused.answer.send(start_response, head_only=False)
        if _INVOKE.fullmatch(path):
            return self._invoke(environ).send(start_response, head_only=False)
        if path.startswith((JOBS, SEARCH)):
            return self._conversion(environ, path).send(start_response, head_only=False)
        if path == _SCAN:
            return self._scan(environ).send(start_response, head_only=False)
        return self._other_service(environ, start_response)

    def _control(self, environ: WSGIEnvironment, name: str) -> Response:
        method = str(environ["REQUEST_METHOD"])
        try:
            return self._carry_out(method, name, environ)
        except WrongControlError as error:
            return _json({"error": str(error)}, status=400)

    def _carry_out(self, method: str, name: str, environ: WSGIEnvironment) -> Response:
        match method, name:
            case "GET", "requests":
                return _json(self._request_log.document())
            case "DELETE", "requests":
                self._request_log.clear()
            case "POST", "faults":
                self._faults.add(parse_fault(_json_body(environ)))
            case "DELETE", "faults":
                self._faults.clear()
            case "POST", "clock":
                self._clock.offset_seconds = _offset_seconds(_json_body(environ))
            case "GET", "conversions":
                return _json(self._conversions.unfinished())
            case "POST", "conversions":
                return _json({"status": self._conversions.move(_json_body(environ))})
            case "POST", "reset":
                self._conversions.clear()
                self._reset()
            case _:
                return _json({"error": f"there is no {method} {CONTROL_PREFIX}{name}"}, status=404)
        return Response(status=204)

    def _invoke(self, environ: WSGIEnvironment) -> Response:
        """Lambda's Invoke, asynchronous only: the payload goes to the queue of bucket events."""
        if environ["REQUEST_METHOD"] != "POST" or environ.get("HTTP_X_AMZ_INVOCATION_TYPE") != "Event":
            return _lambda_error(400, "InvalidParameterValueException", "Only InvocationType Event is served here.")
        length = int(environ.get("CONTENT_LENGTH") or 0)
        if length > MAX_INVOKE_BYTES:
            return _lambda_error(413, "RequestTooLargeException", f"{length} byte payload is too large")
        payload = _body(environ, length)
        try:
            json.loads(payload)
        except ValueError:
            return _lambda_error(400, "InvalidRequestContentException", "Could not parse request body into json")
        send_to_queue(EVENTS_QUEUE, payload.decode())
        # The response confirms the event, so it must be stored first.
        self._snapshots.write(["sqs"])
        self._request_log.add(LoggedRequest(operation="Invoke", key="", part_number=None, status=202))
        return Response(status=202)

    def _scan(self, environ: WSGIEnvironment) -> Response:
        """GuardDuty's SendObjectMalwareScan: the request goes to the queue of bucket events, for the local scanner."""
        wanted = cast("dict[str, dict[str, str]]", _json_body(environ))["s3Object"]
        send_to_queue(EVENTS_QUEUE, json.dumps(scan_request(wanted["bucket"], wanted["key"], wanted["versionId"])))
        self._snapshots.write(["sqs"])
        self._request_log.add(
            LoggedRequest(operation="SendObjectMalwareScan", key=wanted["key"], part_number=None, status=200)
        )
        return _json({})

    def _conversion(self, environ: WSGIEnvironment, path: str) -> Response:
        """MediaConvert: jobs for the local converter."""
        query = dict(parse_qsl(str(environ.get("QUERY_STRING", ""))))
        method = str(environ["REQUEST_METHOD"])
        body = cast("dict[str, object]", _json_body(environ)) if method == "POST" else {}
        answer = self._conversions.answer(method, path, query, body)
        operation = {"POST": "CreateJob", "DELETE": "CancelJob"}.get(
            method, "SearchJobs" if path == SEARCH else "GetJob"
        )
        self._request_log.add(LoggedRequest(operation=operation, key="", part_number=None, status=answer.status))
        return answer

    def _tell_of_conversion(self, event: dict[str, Any]) -> None:
        send_to_queue(EVENTS_QUEUE, json.dumps(event))
        self._snapshots.note(["sqs"])

    def _other_service(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        target = str(environ.get("HTTP_X_AMZ_TARGET", ""))
        action = target.rpartition(".")[2]
        fault = self._faults.take(action, "") if action else None
        if fault:
            time.sleep(fault.delay_seconds)
            if fault.status:
                return _service_error(fault).send(start_response, head_only=False)
        answered: list[int] = []

        def note_status(status: str, headers: list[tuple[str, str]], *rest: object) -> Callable[[bytes], object]:
            answered.append(int(status.split(" ", 1)[0]))
            return cast("Callable[..., Callable[[bytes], object]]", start_response)(status, headers, *rest)

        def by_moto() -> list[bytes]:
            return list(self._moto(environ, cast("StartResponse", note_status)))

        if action == long_polls.ACTION and "HTTP_CONTENT_ENCODING" not in environ:
            pieces, is_change = long_polls.receive(environ, by_moto)
        else:
            pieces, is_change = by_moto(), not _READING_ACTIONS.match(action)
        if is_change:
            self._note_change(environ)
        if action:
            is_lost = fault is not None and fault.lose_response
            status = 0 if is_lost else answered[-1]
            self._request_log.add(LoggedRequest(operation=action, key="", part_number=None, status=status))
            if is_lost:
                raise ResponseLostError
        return pieces

    def _note_change(self, environ: WSGIEnvironment) -> None:
        found = CREDENTIAL_SERVICE.search(str(environ.get("HTTP_AUTHORIZATION", "")))
        service = found.group(1) if found else ""
        names = {"monitoring": "cloudwatch"}
        changed = {names.get(service, service)}
        # A topic passes its messages to queues.
        self._snapshots.note(changed | ({"sqs"} if service in ("sns", "events") else set()))
        if service in _STORED_BEFORE_ANSWERED:
            self._snapshots.write()


def _is_of_a_foreign_page(environ: WSGIEnvironment) -> bool:
    """Check the origin, which browsers send with every writing request, since a simple POST needs no preflight."""
    origin = environ.get("HTTP_ORIGIN")
    return origin is not None and origin != f"http://{environ.get('HTTP_HOST')}"


def _is_of_another_machines_page(environ: WSGIEnvironment) -> bool:
    """Require a signature and an allowed origin: moto requires neither."""
    origin = environ.get("HTTP_ORIGIN")
    return origin is not None and str(origin).partition("://")[2].partition(":")[0] not in OWN_NAMES


def _lacks_signature(environ: WSGIEnvironment) -> bool:
    """Refuse a target without a signature: moto would treat the request as S3's and list the buckets."""
    prefix, _, action = str(environ.get("HTTP_X_AMZ_TARGET", "")).rpartition(".")
    return bool(action) and "HTTP_AUTHORIZATION" not in environ and unsigned(prefix) is None


def _missing_signature() -> Response:
    # "Common Errors" of the services' API references.
    code = "MissingAuthenticationToken"
    message = "The request must contain a valid AWS access key ID."
    answer = _json({"__type": code, "message": message}, HTTPStatus.FORBIDDEN)
    answer.headers["x-amzn-ErrorType"] = code
    return answer


def _refusal() -> Response:
    return _json({"error": "not for pages of other origins"}, status=403)


def _is_s3(environ: WSGIEnvironment, path: str) -> bool:
    authorization = str(environ.get("HTTP_AUTHORIZATION", ""))
    found = CREDENTIAL_SERVICE.search(authorization)
    if found:
        return found.group(1) == "s3"
    credential = parse_qs(str(environ.get("QUERY_STRING", ""))).get("X-Amz-Credential")
    if credential:
        return "/s3/" in credential[-1]
    # Unsigned: sign-in services name a target or post to the root, moto's own pages have their paths, and any other
    # request is for a bucket.
    is_foreign = (
        "HTTP_X_AMZ_TARGET" in environ or path == "/" or path.startswith(MOTO_CONTROL_PREFIX) or "/.well-known/" in path
    )
    is_preflight_of_other = environ["REQUEST_METHOD"] == "OPTIONS" and path == "/"
    return not is_foreign and not is_preflight_of_other


def _body(environ: WSGIEnvironment, length: int) -> bytes:
    return environ["wsgi.input"].read(length)


def _json_body(environ: WSGIEnvironment) -> object:
    length = int(environ.get("CONTENT_LENGTH") or 0)
    if length > MAX_CONTROL_BYTES:
        raise WrongControlError(f"a control request takes at most {MAX_CONTROL_BYTES} bytes")
    try:
        return json.loads(_body(environ, length))
    except ValueError as error:
        raise WrongControlError("the body is not JSON") from error


def _offset_seconds(document: object) -> float:
    offset = cast("dict[str, object]", document).get("offsetSeconds") if isinstance(document, dict) else None
    if not isinstance(offset, (int, float)) or isinstance(offset, bool):
        raise WrongControlError('the clock takes {"offsetSeconds": <number>}')
    return float(offset)


def _json(document: object, status: int = HTTPStatus.OK) -> Response:
    return Response(status=status, headers={"Content-Type": "application/json"}, body=json.dumps(document).encode())


def _lambda_error(status: int, code: str, message: str) -> Response:
    answer = _json({"Type": "User", "Message": message}, status)
    answer.headers["x-amzn-ErrorType"] = code
    return answer


def _service_error(fault: Fault) -> Response:
    answer = _json({"__type": fault.code, "message": "An injected fault."}, fault.status or 500)
    # Pages may call these services from anywhere, and read their errors.
    answer.headers["Access-Control-Allow-Origin"] = "*"
    answer.headers["x-amzn-ErrorType"] = fault.code
    return answer
