"""Log lines as CloudWatch Logs reads them: one JSON object a line, by the standard library.

The upload authorizer's cold start is everybody's: powertools' formatter adds 11 ms of CPU to its 81, this one, with the
metrics, 3 (docs/logs.md).
"""

import json
import logging
import re
import sys
from datetime import UTC, datetime
from typing import Any

from chalicelib.core.log_context import current_ids

_PLAIN_RECORD = frozenset({*vars(logging.makeLogRecord({})), "message", "asctime", "taskName"})
"""Attributes of every record; any other attribute came by `extra` and is shown."""

# Also as they stand in an encoded URL or in Python's form of bytes.
_SECRETS = re.compile(
    r"""
      eyJ[\w+/=-]{12,} (?:\.[\w+/=-]*)*                         # JWTs, upload tokens, POST policies: base64 of '{"'
    | (?i:x-amz-(?:signature|security-token|credential)|(?<![a-z])signature|(?<![a-z])key-pair-id)
      ["']? \s* (?i:[=:]|%3D) \s* b?["']? [^\s"'&,}]+
    | (?i:\b(?:bearer|basic)\s+) [^\s"',}]+
    | [\w.+-]{1,64} (?:@|%40) [\w-]+ (?:\.[\w-]+)+              # e-mail addresses: RFC 5321, 4.5.3.1.1 bounds the time
    """,
    re.VERBOSE,
)
REDACTED = "[redacted]"


def redacted(text: str) -> str:
    """Remove secrets that libraries put into their errors; our own lines hold none."""
    return _SECRETS.sub(REDACTED, text)


def _redacted_within(value: Any) -> Any:
    match value:
        case str():
            return redacted(value)
        case list():
            return [_redacted_within(each) for each in value]
        case dict():
            return {name: _redacted_within(each) for name, each in value.items()}
        case _:
            return value


class JsonFormatter(logging.Formatter):
    """constants: what every line of this process says."""

    def __init__(self, **constants: str) -> None:
        super().__init__()
        self._constants = constants

    def format(self, record: logging.LogRecord) -> str:
        # Lambda filters by `level` and `timestamp` (Lambda Developer Guide, "Log-level filtering").
        moment = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        line: dict[str, Any] = {
            "timestamp": moment.replace("+00:00", "Z"),
            "level": record.levelname,
            "message": redacted(record.getMessage()),
            "logger": record.name,
            **self._constants,
            **current_ids(),
        }
        for name, value in vars(record).items():
            if name not in _PLAIN_RECORD:
                line[name] = _redacted_within(value)
        if record.exc_info and record.exc_info[0]:
            line["exception"] = {
                "type": record.exc_info[0].__name__,
                "message": redacted(str(record.exc_info[1])),
                "stackTrace": redacted(self.formatException(record.exc_info)),
            }
        return json.dumps(line, separators=(",", ":"), default=lambda value: redacted(str(value)))


class _StandardOutput(logging.Handler):
    """Standard output, shared with the metrics so that lines keep their order; looked up per line, as `print` does."""

    def emit(self, record: logging.LogRecord) -> None:
        try:
            # In one write, for the same reason as the metrics'.
            sys.stdout.write(self.format(record) + "\n")
            sys.stdout.flush()
        except Exception:
            self.handleError(record)


def install_json_logs(*, stage: str, version: str) -> None:
    """Every line of this process as JSON, our own from INFO and the libraries' from WARNING.

    Replaces what was there: Lambda's own handler would write each line a second time.
    """
    handler = _StandardOutput()
    handler.setFormatter(JsonFormatter(stage=stage, version=version))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.WARNING)
    logging.getLogger("chalicelib").setLevel(logging.INFO)
    logging.captureWarnings(capture=True)
