"""The sender of sign-in mails: which SES identities and addresses Cognito accepts."""

from __future__ import annotations

SES_REGIONS = ("us-east-1", "us-west-2", "eu-west-1")
"""Cognito Developer Guide, "Email settings for Amazon Cognito user pools": in addition to the pool's own region."""


def mail_sender_checks(
    mail_from: str, identity_arn: str, region: str | None
) -> list[tuple[tuple[str, ...], bool, str]]:
    """Checks between settings: the settings concerned, whether they contradict each other, and the message."""
    if not (mail_from and identity_arn):
        return []
    identity, sender = _problem_of_identity(identity_arn, region), _problem_of_sender(mail_from, identity_arn)
    return [
        (("mailIdentityArn", "aws:region"), identity is not None, identity or ""),
        (("mailFrom", "mailIdentityArn"), sender is not None, sender or ""),
    ]


def _problem_of_identity(identity_arn: str, region: str | None) -> str | None:
    """Return why a pool in this region cannot send through the identity, or None if it can."""
    found = identity_arn.split(":")[3]
    if found in {region, *SES_REGIONS}:
        return None
    return f"is in {found}; Cognito sends from SES in the stage's region or in {', '.join(SES_REGIONS)}"


def _problem_of_sender(mail_from: str, identity_arn: str) -> str | None:
    """Return why the identity does not cover the address, or None if it does: it is another address, or of another
    domain."""
    identity = identity_arn.partition(":identity/")[2].lower()
    domain = mail_from.lower().rpartition("@")[2]
    if mail_from.lower() == identity or ("@" not in identity and f".{domain}".endswith(f".{identity}")):
        return None
    return f"is {mail_from!r}, not {'the address' if '@' in identity else 'an address of the domain'} {identity!r}"
