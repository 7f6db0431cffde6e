"""A stage before its first deployment: its declared program and its account.

DocumentError                the document cannot be read from here
└── DocumentRefusedError     its server sends something else
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import requests
from botocore.config import Config

from components.declared_stage import DeclaredStage
from components.naming import StageNames
from components.settings import Settings
from deploy.stack_resources import StackResources

if TYPE_CHECKING:
    import boto3

_PATIENCE = Config(connect_timeout=5, read_timeout=20, retries={"mode": "standard", "max_attempts": 3})


_FETCH_SECONDS = 10

UNREADABLE = "and Pulumi cannot read the stack to say whether it is its own; `pulumi login`, then run this again"


class DocumentError(Exception):
    """A public document cannot be read from this machine. The text follows the address in messages."""


class DocumentRefusedError(DocumentError):
    """The document's server was reached, but did not send the document."""


def fetch_document(address: str) -> bytes:
    """Fetch a public document. Raises DocumentError."""
    try:
        answer = requests.get(address, timeout=_FETCH_SECONDS)
    except requests.RequestException as error:
        raise DocumentError(f"cannot be reached from this machine ({type(error).__name__})") from error
    if not answer.ok:
        raise DocumentRefusedError(f"answers {answer.status_code}")
    return answer.content


@dataclass(frozen=True, kw_only=True)
class PlannedStage:
    """declared: resources of its program in this account. session: with the credentials.

    made: resources in its stack, finished or not, which count as used. None if the stack cannot be read. fetch: reads a
    company's public document. Raises DocumentError.
    """

    declared: DeclaredStage
    session: boto3.Session
    account_id: str
    made: StackResources | None
    fetch: Callable[[str], bytes] = fetch_document

    @property
    def settings(self) -> Settings:
        return self.declared.settings

    @property
    def region(self) -> str:
        return self.declared.region

    @property
    def names(self) -> StageNames:
        """Names of the stage's resources."""
        return StageNames(stage=self.settings.stage, account_id=self.account_id, region=self.region)

    def client(self, service: str, region: str | None = None) -> Any:
        """A client with short timeouts. region: if not the stage's."""
        make: Any = self.session.client
        return make(service, region_name=region or self.region, config=_PATIENCE)

    def to_be_made(self, *types: str) -> int:
        """Number of declared resources of these types that do not exist yet."""
        made = sum(len(ids) for kind, ids in (self.made or {}).items() if kind in types)
        return max(0, len(self.declared.of(*types)) - made)

    def has_made(self, kind: str, id_: str) -> bool:
        """Check whether the stack already has this resource."""
        return id_ in (self.made or {}).get(kind, ())

    def parameter_types(self, names: Iterable[str]) -> dict[str, str]:
        """Types of these parameters in Parameter Store, such as SecureString; values stay encrypted and unread.

        names: 1 to 10 (Systems Manager API reference, GetParameters); no setting names more.
        """
        answer = self.client("ssm").get_parameters(Names=list(names))
        return {found["Name"]: found["Type"] for found in answer["Parameters"]}
