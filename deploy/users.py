"""User lookup by e-mail address, user name, or the owner id in object keys."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from chalicelib.core.video_id import is_owner
from deploy.deployed_stage import DeployedStage
from deploy.errors import UserAmbiguousError, UserNotFoundError

if TYPE_CHECKING:
    from types_boto3_cognito_idp.type_defs import UserTypeTypeDef


@dataclass(frozen=True, kw_only=True)
class Owner:
    """owner: the `sub`, first folder of every key. user_name: None for a user who is not in the pool. company: the
    provider that vouches for the address; empty for local users.
    """

    owner: str
    user_name: str | None
    email: str | None
    company: str = ""

    def __str__(self) -> str:
        of_company = f", says {self.company}" if self.company else ""
        return f"{self.owner} ({self.email or 'not in the user pool'}{of_company})"


def folders_of(stage: DeployedStage, owner: str) -> list[tuple[str, str]]:
    """Buckets and prefixes of an owner's data."""
    folders = ("records", "posters", "open", "starts", "links", "link-uses", "index/new", "index/packs/owners")
    return [
        (stage.video_bucket, f"videos/{owner}/"),
        (stage.video_bucket, f"renditions/{owner}/"),
        *((stage.metadata_bucket, f"{folder}/{owner}/") for folder in folders),
    ]


def find_owner(stage: DeployedStage, name: str) -> Owner:
    """Find users.

    name: an e-mail address, a user name or an owner, even of a deleted account as long as objects are left.

    Raises UserNotFoundError, UserAmbiguousError.
    """
    for attribute in ("sub", "email", "username"):
        if user := _find_user(stage, attribute, name):
            return user
    if is_owner(name) and _has_objects(stage, name):
        return Owner(owner=name, user_name=None, email=None)
    raise UserNotFoundError(name)


def _find_user(stage: DeployedStage, attribute: str, value: str) -> Owner | None:
    quoted = value.replace("\\", "\\\\").replace('"', '\\"')
    users = stage.cognito.list_users(UserPoolId=stage.user_pool_id, Filter=f'{attribute} = "{quoted}"', Limit=2)[
        "Users"
    ]
    if len(users) > 1:
        raise UserAmbiguousError(value)
    return owner_of(users[0]) if users else None


def owner_of(user: UserTypeTypeDef) -> Owner:
    attributes = {attribute["Name"]: attribute.get("Value", "") for attribute in user.get("Attributes", [])}
    identities: list[dict[str, str]] = json.loads(attributes.get("identities") or "[]")
    return Owner(
        owner=attributes["sub"],
        user_name=user.get("Username"),
        email=attributes.get("email"),
        company=", ".join(identity["providerName"] for identity in identities),
    )


def _has_objects(stage: DeployedStage, owner: str) -> bool:
    for bucket, prefix in folders_of(stage, owner):
        found = stage.s3.list_object_versions(Bucket=bucket, Prefix=prefix, MaxKeys=1)
        if found.get("Versions") or found.get("DeleteMarkers"):
            return True
    return False
