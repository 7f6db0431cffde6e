"""Errors of the operators' commands.

DeployError
├── OutputsNotReadableError    no stack is selected, it was never deployed, or it lacks an output
├── StateNotReadableError      Pulumi is not installed, not logged in, or cannot reach the state
├── PageNotFoundError          the folder holds no index.html
├── EventRefusedError          Lambda did not take an event
├── EventCameBackError         an event failed again while others were sent
├── UserNotFoundError          nobody in the user pool, and nothing in the buckets, has this name
├── AccountNotFoundError       an owner of videos who has no account in the user pool
├── NoAdministratorsError      the stage names no group of administrators
├── UserAmbiguousError         several users of the pool have it
├── VideoUnknownError          no record, not even of a deleted video
├── NotReplayableError         processing would destroy, or find nothing to do
├── NotRestorableError         a deleted video that cannot come back
├── NotRemadeError             a video that gets no rendition
├── RecordsUnreadableError     some records are unreadable, and all others indexed
├── NotErasedError             something of a user is still there
├── WebhookSecretError         a webhook's secret cannot be made, rotated or retired now
└── NotConfirmedError          the operator did not confirm, or could not be asked
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path


class DeployError(Exception):
    """Base of all errors, whose texts are for operators."""


class OutputsNotReadableError(DeployError):
    """reason: Pulumi's message, or the missing output."""

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(f"cannot read the stack's outputs: {reason}")


class StateNotReadableError(DeployError):
    """reason: Pulumi's message."""

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(f"cannot read the stack's state: {reason}")


class PageNotFoundError(DeployError):
    """folder: where the page was looked for."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        super().__init__(f"{folder} holds no index.html: build it with `make web`")


class EventRefusedError(DeployError):
    """function_arn: of the event's function; status: of Lambda's response."""

    def __init__(self, function_arn: str, status: int) -> None:
        self.function_arn, self.status = function_arn, status
        super().__init__(f"{function_arn} did not accept an event: {status}")


class EventCameBackError(DeployError):
    """function_arn: of the event's function; sent: number of events sent once."""

    def __init__(self, function_arn: str, sent: int) -> None:
        self.function_arn, self.sent = function_arn, sent
        super().__init__(
            f"{sent} events sent, but one of {function_arn} came back at once: its cause persists, or the stage is "
            "paused. It stays in the queue"
        )


class UserNotFoundError(DeployError):
    """name: the e-mail address, user name or owner that was asked for."""

    def __init__(self, name: str) -> None:
        self.name = name
        super().__init__(f"{name}: no such user in the pool, and nothing in the buckets belongs to such an owner")


class AccountNotFoundError(DeployError):
    """name: the owner that was asked for."""

    def __init__(self, name: str) -> None:
        self.name = name
        super().__init__(f"{name} has no account in the user pool")


class NoAdministratorsError(DeployError):
    """stage: whose `administratorsGroup` is empty."""

    def __init__(self, stage: str) -> None:
        self.stage = stage
        super().__init__(f"{stage} has no administrators: its setting `administratorsGroup` is empty")


class UserAmbiguousError(DeployError):
    """name: shared by several users of the pool."""

    def __init__(self, name: str) -> None:
        self.name = name
        super().__init__(f"several users of the pool match {name}: give the owner's id, which is the user's `sub`")


class VideoUnknownError(DeployError):
    """wanted: the videoId or uploadId that was asked for."""

    def __init__(self, wanted: str) -> None:
        self.wanted = wanted
        super().__init__(
            f"{wanted}: there is no record of it, nor an older version of one. Its lines may still be in the logs"
        )


class NotReplayableError(DeployError):
    """video_id, reason: why its event must not, or need not, be sent again."""

    def __init__(self, video_id: str, reason: str) -> None:
        self.video_id, self.reason = video_id, reason
        super().__init__(f"{video_id}: {reason}")


class NotRemadeError(DeployError):
    """video_id, reason: why it gets no rendition."""

    def __init__(self, video_id: str, reason: str) -> None:
        self.video_id, self.reason = video_id, reason
        super().__init__(f"{video_id} gets no rendition: {reason}")


class NotRestorableError(DeployError):
    """video_id, reason: what is missing."""

    def __init__(self, video_id: str, reason: str) -> None:
        self.video_id, self.reason = video_id, reason
        super().__init__(f"{video_id} cannot be restored: {reason}")


class RecordsUnreadableError(DeployError):
    """keys: of the objects that are no record. All others are indexed."""

    def __init__(self, keys: Sequence[str]) -> None:
        self.keys = keys
        listed = "\n  ".join(keys)
        super().__init__(
            f"all records are indexed except these, which are unreadable:\n  {listed}\n"
            "restore them with `make restore-records`, then run `make index`"
        )


class NotErasedError(DeployError):
    """owner; left: remaining objects."""

    def __init__(self, owner: str, left: Sequence[str]) -> None:
        self.owner, self.left = owner, tuple(left)
        super().__init__(
            f"{owner}: {len(left)} objects or uploads are left, the first is {left[0]}; run the command again"
        )


class WebhookSecretError(DeployError):
    """webhook: its name; reason: the obstacle."""

    def __init__(self, webhook: str, reason: str) -> None:
        self.webhook, self.reason = webhook, reason
        super().__init__(f"{webhook} {reason}")


class NotConfirmedError(DeployError):
    """reason: the text typed instead, or the reason why the command could not ask."""

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(f"nothing was done: {reason}")
