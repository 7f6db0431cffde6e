"""A denied call is known from others, and named by the permission that is missing."""

import pytest
from botocore.exceptions import ClientError, NoCredentialsError

from chalicelib.adapters.denials import VALID_CREDENTIALS, Denial, denial_in
from chalicelib.adapters.kms_client import KmsError
from chalicelib.core.ports import CredentialsMissingError


def refused(operation: str, code: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": "no"}}, operation)


@pytest.mark.parametrize(
    ("error", "denial"),
    [
        (refused("HeadObject", "403"), Denial("HeadObject", "s3:GetObject")),
        (refused("ListObjectsV2", "AccessDenied"), Denial("ListObjectsV2", "s3:ListBucket")),
        (refused("PutObject", "AccessDenied"), Denial("PutObject", "s3:PutObject")),
        (KmsError("Sign", 400, "AccessDeniedException"), Denial("Sign", "kms:Sign")),
        (refused("GetObject", "ExpiredToken"), Denial("GetObject", VALID_CREDENTIALS)),
        (KmsError("GenerateMac", 400, "ExpiredTokenException"), Denial("GenerateMac", VALID_CREDENTIALS)),
        (CredentialsMissingError(), Denial("", VALID_CREDENTIALS)),
        (NoCredentialsError(), Denial("", VALID_CREDENTIALS)),
    ],
    ids=str,
)
def test_a_denial_names_what_is_missing(error: Exception, denial: Denial) -> None:
    assert denial_in(error) == denial


@pytest.mark.parametrize(
    "error",
    [refused("PutObject", "MalformedXML"), KmsError("VerifyMac", 400, "DisabledException"), ValueError("wrong")],
    ids=str,
)
def test_any_other_error_is_not_a_denial(error: Exception) -> None:
    assert denial_in(error) is None
