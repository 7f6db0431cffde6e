"""Denials by AWS, separated from its other errors, with the missing permission."""

from dataclasses import dataclass

from botocore.exceptions import (
    ClientError,
    CredentialRetrievalError,
    LoginError,
    NoCredentialsError,
    PartialCredentialsError,
    SSOError,
    TokenRetrievalError,
)

from chalicelib.adapters.client_errors import error_code
from chalicelib.adapters.kms_client import KmsError
from chalicelib.core.ports import CredentialsMissingError

_DENIED = frozenset({"AccessDenied", "AccessDeniedException", "AuthorizationError", "403"})
"""403 stands for HEAD, whose answer has no body (S3 API reference, HeadObject)."""

_CREDENTIALS_REFUSED = frozenset(
    {
        *("ExpiredToken", "ExpiredTokenException", "InvalidToken", "InvalidAccessKeyId", "InvalidClientTokenId"),
        *("RequestExpired", "SignatureDoesNotMatch", "InvalidSignatureException", "UnrecognizedClientException"),
    }
)
"""S3 API reference, "List of error codes"; the other services' "Common errors"."""

_NO_CREDENTIALS = (
    *(CredentialsMissingError, NoCredentialsError, PartialCredentialsError, CredentialRetrievalError),
    *(TokenRetrievalError, SSOError, LoginError),
)

VALID_CREDENTIALS = "valid AWS credentials"

_PERMISSIONS = {
    # Operation → action, where their names differ: Service Authorization Reference, "Actions defined by Amazon S3".
    "HeadObject": "s3:GetObject",
    "ListObjectsV2": "s3:ListBucket",
    "CreateMultipartUpload": "s3:PutObject",
    "CompleteMultipartUpload": "s3:PutObject",
    "ListParts": "s3:ListMultipartUploadParts",
    "ListMultipartUploads": "s3:ListBucketMultipartUploads",
    # The others that the API's functions call.
    **{name: f"s3:{name}" for name in ("GetObject", "PutObject", "DeleteObject", "AbortMultipartUpload")},
    **{name: f"kms:{name}" for name in ("GenerateMac", "VerifyMac", "Sign")},
}


@dataclass(frozen=True)
class Denial:
    """operation: the call that AWS refused, where it got that far. missing: the permission, or credentials."""

    operation: str
    missing: str


def denial_in(error: Exception) -> Denial | None:
    """Find the denied permission, or None for any other error."""
    match error:
        case ClientError():
            operation, code = error.operation_name, error_code(error)
        case KmsError():
            operation, code = error.operation, error.code
        case _:
            return Denial("", VALID_CREDENTIALS) if isinstance(error, _NO_CREDENTIALS) else None
    if code in _CREDENTIALS_REFUSED:
        return Denial(operation, VALID_CREDENTIALS)
    return Denial(operation, _PERMISSIONS.get(operation, operation)) if code in _DENIED else None
