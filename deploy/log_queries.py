"""CloudWatch Logs Insights queries for the log lines of one upload, over all functions."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from chalicelib.environment import FUNCTIONS
from components.naming import StageNames

REPORTED_BY_CLIENTS = "progress reported"
BEFORE = timedelta(minutes=5)
"""Allowance for differing clocks, and for client lines before the platform's first."""


@dataclass(frozen=True)
class LogQuery:
    """text: in Logs Insights' query language."""

    text: str
    log_groups: tuple[str, ...]
    since: datetime

    @property
    def start_command(self) -> str:
        """Shell command for the AWS CLI, which prints a queryId."""
        words = [
            *("aws", "logs", "start-query", "--log-group-names", *self.log_groups),
            *("--start-time", str(int((self.since - BEFORE).timestamp()))),
            *("--end-time", str(int(datetime.now(UTC).timestamp()))),
            *("--query-string", self.text),
        ]
        return shlex.join(words)

    @property
    def results_command(self) -> str:
        return "aws logs get-query-results --query-id <queryId>"


def log_query(context: StageNames, ids: Mapping[str, str | None], since: datetime) -> LogQuery:
    """Query of lines with a message and any of these ids. ids: by field; None is left out.

    Client reports are excluded: they may carry any id, and enough of them would displace the rest.
    """
    wanted = " or ".join(f'{field} = "{value}"' for field, value in ids.items() if value)
    text = (
        "fields @timestamp, level, function, message, correlationId, requestId, @log"
        f' | filter ({wanted}) and ispresent(message) and message != "{REPORTED_BY_CLIENTS}"'
        " | sort @timestamp asc | limit 10000"
    )
    groups = tuple(context.function_log_group(function) for function in FUNCTIONS)
    return LogQuery(text, groups, since)
