"""Questions to the trail, saved where Logs Insights lists them. Knows no Pulumi.

`VIDEO_ID`, `OWNER` and `FUNCTION` stand for what the asker puts in: saved queries know parameters, but the provider
does not declare them yet. docs/audit.md says what each answers, and how to read it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

ADMINISTRATOR_ACTED = "administrator acted"
"""The app's own message; tests/infrastructure/test_audit.py compares them."""
MAX_ROWS = 10_000  # CloudWatch Logs quotas, "Query results"


@dataclass(frozen=True, kw_only=True)
class SavedQuery:
    """asks: which logs, the trail's or the functions'."""

    name: str
    asks: Literal["trail", "functions"]
    text: str


def audit_queries(role_names: Sequence[str]) -> list[SavedQuery]:
    """role_names: of the functions, whose calls are the platform's own."""
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
                # Not what clients tell, under any id they like and as often: it would push the rest out of MAX_ROWS.
                'filter (videoId = "VIDEO_ID" or owner = "OWNER") and ispresent(message)'
                ' and message != "progress told"',
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
