"""Requests to S3, KMS and SNS per event, from calls.toml."""

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Self


@dataclass(frozen=True, kw_only=True)
class Calls:
    """Requests by price category."""

    s3_writes: float = 0
    s3_reads: float = 0
    s3_deletes: float = 0
    kms_requests: float = 0
    kms_signatures: float = 0
    publishes: float = 0

    def __add__(self, other: Self) -> Self:
        return type(self)(**{kind: count + vars(other)[kind] for kind, count in vars(self).items()})

    def times(self, count: float) -> Self:
        return type(self)(**{kind: each * count for kind, each in vars(self).items()})


_TABLES = tomllib.loads(Path(__file__).with_name("calls.toml").read_text())
CALLS = {event: Calls(**counts) for event, counts in _TABLES.items()}
