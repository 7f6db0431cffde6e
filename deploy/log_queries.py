"""CloudWatch Logs Insights queries for the lines of one upload, over the logs of all functions."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from chalicelib.environment import FUNCTIONS
from components.naming import StageNames

TOLD_BY_CLIENTS = "progress told"
BEFORE = timedelta(minutes=5)
"""Clocks differ, and a client speaks before the platform does."""


@dataclass(frozen=True)
class LogQuery:
    """text: in Logs Insights' own language."""

    text: str
    log_groups: tuple[str, ...]
    since: datetime

    @property
    def start_command(self) -> str:
        """Command for a shell with the AWS CLI; it prints a queryId."""
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
    """Lines with a message that carry any of these ids. ids: by the field that holds them; None is left out.

    Without what clients tell: they write it under any id they like, and enough of it would push the rest out.
    """
    wanted = " or ".join(f'{field} = "{value}"' for field, value in ids.items() if value)
    text = (
        "fields @timestamp, level, function, message, correlationId, requestId, @log"
        f' | filter ({wanted}) and ispresent(message) and message != "{TOLD_BY_CLIENTS}"'
        " | sort @timestamp asc | limit 10000"
    )
    groups = tuple(context.function_log_group(function) for function in FUNCTIONS)
    return LogQuery(text, groups, since)
