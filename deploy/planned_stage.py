"""A stage before its first deployment: its declared program, and the account in which it is to be made."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from botocore.config import Config

from components.declared_stage import DeclaredStage
from components.settings import Settings
from deploy.stack_resources import StackResources

if TYPE_CHECKING:
    import boto3

_PATIENCE = Config(connect_timeout=5, read_timeout=20, retries={"mode": "standard", "max_attempts": 3})


@dataclass(frozen=True, kw_only=True)
class PlannedStage:
    """declared: what its program would make in this account. session: whose credentials are used.

    made: what its stack holds already, finished or not; these resources count as used. None: the stack cannot be read.
    """

    declared: DeclaredStage
    session: boto3.Session
    account_id: str
    made: StackResources | None

    @property
    def settings(self) -> Settings:
        return self.declared.settings

    @property
    def region(self) -> str:
        return self.declared.region

    def client(self, service: str, region: str | None = None) -> Any:
        """A client that gives up soon. region: another one than the stage's."""
        make: Any = self.session.client
        return make(service, region_name=region or self.region, config=_PATIENCE)

    def to_be_made(self, *types: str) -> int:
        """Number of declared resources of these types that the account does not hold yet."""
        made = sum(len(ids) for kind, ids in (self.made or {}).items() if kind in types)
        return max(0, len(self.declared.of(*types)) - made)

    def has_made(self, kind: str, id_: str) -> bool:
        """Check whether the stack already holds this resource."""
        return id_ in (self.made or {}).get(kind, ())
