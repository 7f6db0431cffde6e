"""The frame around each invocation: ids, logs, and the count of cold starts."""

import functools
import logging
import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import Any, TypeVar

from chalice.app import BaseLambdaEvent

from chalicelib.adapters.emf_meter import EmfMeter
from chalicelib.adapters.json_logs import install_json_logs
from chalicelib.core import log_context
from chalicelib.environment import RunningFunction

log = logging.getLogger(__name__)

_first_invocation = threading.Lock()

Event = TypeVar("Event", bound=BaseLambdaEvent)
Result = TypeVar("Result")


@contextmanager
def invocation(
    context: Any,
    *,
    request_id: str | None = None,
    correlation_id: str | None = None,
    edge_request_id: str | None = None,
) -> Generator[None]:
    """One invocation of a function. Its lines carry the request id and, until the upload's own is known, the
    correlation id.

    context: Lambda's; None where there is none. request_id: API Gateway's; without one it is Lambda's.
    edge_request_id: CloudFront's, by which its access log tells the caller's address.
    """
    function = RunningFunction.read()
    lambda_request_id = str(getattr(context, "aws_request_id", "") or "")
    ids = {
        "function": function.name,
        "request_id": request_id or lambda_request_id,
        # What Lambda's own lines name, a timeout's for one.
        "lambda_request_id": lambda_request_id if request_id else None,
        "correlation_id": correlation_id,
        "edge_request_id": edge_request_id,
        "xray_trace_id": function.xray_trace_id,
    }
    with log_context.invocation(**ids):
        if _first_invocation.acquire(blocking=False):
            set_up_logs()
            if function.starts_cold:
                EmfMeter(function.stage).record(cold_starts_count=1)
        yield


def set_up_logs() -> None:
    """Set up the logs of a process that logs before its first invocation; otherwise that invocation sets them up."""
    function = RunningFunction.read()
    install_json_logs(stage=function.stage, version=function.version)


def in_an_invocation(handle: Callable[[Event], Result]) -> Callable[[Event], Result]:
    """Wrap a handler of events. Its error is logged while the ids are known, and raised: the event comes again."""

    @functools.wraps(handle)
    def handle_in_an_invocation(event: Event) -> Result:
        with invocation(event.context):
            try:
                return handle(event)
            except Exception:
                log.exception("%s failed", handle.__name__)
                raise

    return handle_in_an_invocation
