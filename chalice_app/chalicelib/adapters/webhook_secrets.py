"""Signing secrets of webhooks, in SSM Parameter Store."""

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from chalicelib.core.notification_delivery import NotDeliveredError

if TYPE_CHECKING:
    from types_boto3_ssm.client import SSMClient

CACHE_SECONDS = 60
"""After this, a rotation is known to every instance of the function."""


def parameter_name(stage: str, destination: str) -> str:
    """Name of the SecureString that holds one or two secrets, the newer first, separated by a space."""
    return f"/video-upload/{stage}/webhooks/{destination}"


@dataclass(frozen=True)
class SsmWebhookSecrets:
    ssm: "SSMClient"
    stage: str
    _known: dict[str, tuple[float, tuple[str, ...]]] = field(default_factory=dict[str, tuple[float, tuple[str, ...]]])

    def of(self, destination: str) -> tuple[str, ...]:
        read_at, secrets = self._known.get(destination, (0.0, ()))
        if not secrets or time.monotonic() - read_at > CACHE_SECONDS:
            secrets = self._read(destination)
            self._known[destination] = (time.monotonic(), secrets)
        return secrets

    def _read(self, destination: str) -> tuple[str, ...]:
        name = parameter_name(self.stage, destination)
        try:
            answer = self.ssm.get_parameter(Name=name, WithDecryption=True)
        except self.ssm.exceptions.ParameterNotFound:
            raise NotDeliveredError(f"{destination} has no signing secret; `make webhook-secret` makes one") from None
        return tuple(answer["Parameter"].get("Value", "").split())
