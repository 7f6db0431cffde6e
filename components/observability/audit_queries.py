"""Audit queries, saved in Logs Insights. Knows no Pulumi.

`VIDEO_ID`, `OWNER` and `FUNCTION` are to be replaced by hand: saved queries have parameters, but the provider cannot
declare them yet. docs/audit.md describes each query and its result.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

ADMINISTRATOR_ACTED = "administrator acted"
"""The app's log message; tests/infrastructure/test_audit.py compares them."""
MAX_ROWS = 10_000  # CloudWatch Logs quotas, "Query results"


@dataclass(frozen=True, kw_only=True)
class SavedQuery:
    """asks: the queried logs, either the trail's or the functions'."""

    name: str
    asks: Literal["trail", "functions"]
    text: str


def audit_queries(role_names: Sequence[str]) -> list[SavedQuery]:
    """role_names: of the functions, whose calls are the platform's."""
    platform = "|".join(role_names)
    who = "coalesce(userIdentity.arn, userIdentity.invokedBy) as who"
    how = "additionalEventData.AuthenticationMethod as how"
    return [
        SavedQuery(
            name="who-touched-a-video",
            asks="trail",
            text=_lines(
                f"fields eventTime, eventName, {who}, sourceIPAddress, {how}, requestParameters.key as key,"
                " errorCode, requestID",
                'filter eventSource = "s3.amazonaws.com" and @message like "VIDEO_ID"',
            ),
        ),
        SavedQuery(
            name="who-touched-an-owners-videos",
            asks="trail",
            text=_lines(
                f"fields eventTime, eventName, {who}, sourceIPAddress, {how}, requestParameters.key as key,"
                " errorCode, requestID",
                'filter eventSource = "s3.amazonaws.com" and @message like "/OWNER/"',
            ),
        ),
        SavedQuery(
            name="who-else-touched-videos",
            asks="trail",
            text=_lines(
                f"fields eventTime, eventName, {who}, sourceIPAddress, userAgent, requestParameters.key as key,"
                " errorCode, requestID",
                'filter eventSource = "s3.amazonaws.com" and ispresent(userIdentity.arn)'
                f" and userIdentity.arn not like /assumed-role\\/({platform})\\//",
            ),
        ),
        SavedQuery(
            name="who-called-a-function",
            asks="trail",
            text=_lines(
                f"fields eventTime, eventName, {who}, sourceIPAddress, requestParameters.functionName as function,"
                " errorCode, requestID",
                'filter eventSource = "lambda.amazonaws.com" and @message like "FUNCTION"',
            ),
        ),
        SavedQuery(
            name="who-was-given-urls",
            asks="functions",
            text=_lines(
                "fields @timestamp, function, message, owner, videoId, uploadId, requestId, edgeRequestId,"
                " correlationId",
                # Without client reports, which may carry any id any number of times and would exceed MAX_ROWS.
                'filter (videoId = "VIDEO_ID" or owner = "OWNER") and ispresent(message)'
                ' and message != "progress reported"',
                order="@timestamp",
            ),
        ),
        SavedQuery(
            name="what-administrators-did",
            asks="functions",
            text=_lines(
                "fields @timestamp, administrator, action, owner, videoId, videos, requestId, edgeRequestId",
                f'filter message = "{ADMINISTRATOR_ACTED}"',
                order="@timestamp",
            ),
        ),
    ]


def _lines(fields: str, condition: str, order: str = "eventTime") -> str:
    return f"{fields}\n| {condition}\n| sort {order} asc\n| limit {MAX_ROWS}"
