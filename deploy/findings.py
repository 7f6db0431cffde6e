"""Checks of the preflight and their findings."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from botocore.exceptions import BotoCoreError, ClientError

from chalicelib.adapters.client_errors import error_code, error_message, is_unavailable
from chalicelib.adapters.denials import denial_in
from deploy.planned_stage import PlannedStage


class Verdict(StrEnum):
    """Forecast for `pulumi up` and the resulting stage."""

    OK = "ok"
    WILL_FAIL = "will fail"
    CANNOT_TELL = "cannot tell"


@dataclass(frozen=True)
class Finding:
    """text: the facts, and the next step unless the outcome is OK."""

    verdict: Verdict
    text: str


def ok(text: str) -> Finding:
    """Make a finding that does not block the stage."""
    return Finding(Verdict.OK, text)


def will_fail(text: str) -> Finding:
    """Make a finding that blocks the stage; text says what to do."""
    return Finding(Verdict.WILL_FAIL, text)


def cannot_tell(text: str) -> Finding:
    """Make a finding without an answer of AWS; text says how to find out."""
    return Finding(Verdict.CANNOT_TELL, text)


Answer = Callable[[PlannedStage], Finding]


@dataclass(frozen=True, kw_only=True)
class Check:
    """subject: the beginning of its line. actions: the IAM permissions that it needs.

    applies: whether the check is relevant for the stage's settings.
    """

    subject: str
    actions: tuple[str, ...]
    answer: Answer
    applies: Callable[[PlannedStage], bool] = lambda _: True

    def find(self, stage: PlannedStage) -> Finding:
        """Run the check. The finding is CANNOT_TELL, with the reason, if AWS gives no answer."""
        try:
            return self.answer(stage)
        except ClientError as error:
            return cannot_tell(self._refusal(error))
        except BotoCoreError as error:
            return cannot_tell(f"AWS cannot be reached ({error}); check the network and run this again")

    def _refusal(self, error: ClientError) -> str:
        if denial_in(error):
            wanted = " and ".join(self.actions)
            return f"AWS denied {error.operation_name}; the check needs {wanted} ({error_message(error)})"
        if is_unavailable(error):
            return f"AWS is too busy for {error.operation_name}; run this again in a minute"
        return f"AWS answered {error.operation_name} with {error_code(error)}: {error_message(error)}; run this again"
