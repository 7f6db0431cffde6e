"""One parsed S3 request: bucket, key, decoded query, lower-case headers, and the name of its operation."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import IO, cast
from urllib.parse import unquote, urlsplit
from wsgiref.types import WSGIEnvironment

from local.stand_in.errors import S3Error

MAX_KEY_BYTES = 1024  # S3 User Guide, "Naming Amazon S3 objects"

_KEY_SUBRESOURCES = {
    "tagging": {"GET": "GetObjectTagging", "PUT": "PutObjectTagging", "DELETE": "DeleteObjectTagging"},
    "uploads": {"POST": "CreateMultipartUpload"},
    "uploadId": {
        "GET": "ListParts",
        "PUT": "UploadPart",
        "POST": "CompleteMultipartUpload",
        "DELETE": "AbortMultipartUpload",
    },
}
_KEY_OPERATIONS = {"GET": "GetObject", "HEAD": "HeadObject", "PUT": "PutObject", "DELETE": "DeleteObject"}
_UNSUPPORTED_KEY_SUBRESOURCES = frozenset(
    {"acl", "attributes", "legal-hold", "restore", "retention", "select", "torrent", "renameObject"}
)
_BUCKET_SUBRESOURCES = {
    "uploads": {"GET": "ListMultipartUploads"},
    "versions": {"GET": "ListObjectVersions"},
    "delete": {"POST": "DeleteObjects"},
}
_BUCKET_OPERATIONS = {"GET": "ListObjects", "HEAD": "HeadBucket", "PUT": "CreateBucket", "DELETE": "DeleteBucket"}


@dataclass(frozen=True, kw_only=True)
class S3Request:
    """One request to S3, path-style.

    bucket, key: empty if the path names none. query: decoded, with the last value of a repeated name. query_pairs:
    decoded, in order, for the signature. headers: names in lower case. body: after the headers; content_length is its
    length in bytes.
    """

    method: str
    path: str
    bucket: str
    key: str
    query: Mapping[str, str]
    query_pairs: tuple[tuple[str, str], ...]
    headers: Mapping[str, str]
    body: IO[bytes]
    content_length: int
    operation: str
    environ: WSGIEnvironment

    @property
    def origin(self) -> str | None:
        """Origin of the page that sent the request; None if no browser sent it."""
        return self.headers.get("origin")

    @property
    def resource(self) -> str:
        """Bucket and key in error responses."""
        return f"/{self.bucket}/{self.key}" if self.key else f"/{self.bucket}"

    @property
    def base_url(self) -> str:
        """Scheme and host the client used."""
        return f"http://{self.headers.get('host', '127.0.0.1')}"

    def text_number(self, name: str, default: int) -> int:
        """A whole number from the query. Raises S3Error 400 for anything else."""
        text = self.query.get(name, "")
        if not text:
            return default
        if not text.isascii() or not text.isdigit():
            raise S3Error(
                400,
                "InvalidArgument",
                f"Provided {name} not an integer or within integer range",
                {"ArgumentName": name, "ArgumentValue": text},
            )
        return int(text)


def parse_request(environ: WSGIEnvironment) -> S3Request:
    """Parse a WSGI request. Raises S3Error for a path or key that S3 does not accept."""
    target = urlsplit(_raw_target(environ))
    path = _decode(target.path)
    bucket, _, key = path.removeprefix("/").partition("/")
    if len(key.encode()) > MAX_KEY_BYTES:
        raise S3Error(400, "KeyTooLongError", "Your key is too long", {"MaxSizeAllowed": str(MAX_KEY_BYTES)})
    query_pairs = tuple(_query_pairs(target.query))
    query = dict(query_pairs)
    headers = request_headers(environ)
    method = str(environ["REQUEST_METHOD"])
    return S3Request(
        method=method,
        path=path,
        bucket=bucket,
        key=key,
        query=query,
        query_pairs=query_pairs,
        headers=headers,
        body=cast("IO[bytes]", environ["wsgi.input"]),
        content_length=int(environ.get("CONTENT_LENGTH") or 0),
        operation=_operation(method, bucket, key, query, headers),
        environ=environ,
    )


def request_headers(environ: WSGIEnvironment) -> dict[str, str]:
    """The request's headers with lower-case names."""
    headers = {
        name[5:].replace("_", "-").lower(): str(value) for name, value in environ.items() if name.startswith("HTTP_")
    }
    for name in ("CONTENT_TYPE", "CONTENT_LENGTH"):
        if environ.get(name):
            headers[name.replace("_", "-").lower()] = str(environ[name])
    return headers


def _raw_target(environ: WSGIEnvironment) -> str:
    target = str(environ["REQUEST_URI"])
    # A path that begins with two slashes would otherwise be parsed as a host.
    return f"/.{target}" if target.startswith("//") else target


def _decode(text: str) -> str:
    try:
        return unquote(text, errors="strict")
    except UnicodeDecodeError as error:
        raise S3Error(400, "InvalidURI", "Couldn't parse the specified URI.") from error


def _query_pairs(raw_query: str) -> list[tuple[str, str]]:
    pairs: list[tuple[str, str]] = []
    for piece in raw_query.split("&") if raw_query else ():
        name, _, value = piece.partition("=")
        pairs.append((_decode(name), _decode(value)))
    return pairs


def _operation(method: str, bucket: str, key: str, query: Mapping[str, str], headers: Mapping[str, str]) -> str:
    if method == "OPTIONS":
        return "Preflight"
    if not bucket:
        return "ListBuckets"
    if key:
        return _key_operation(method, query, headers)
    return _bucket_operation(method, query, headers)


def _key_operation(method: str, query: Mapping[str, str], headers: Mapping[str, str]) -> str:
    for name, by_method in _KEY_SUBRESOURCES.items():
        if name in query:
            operation = by_method.get(method, "MethodNotAllowed")
            return "UploadPartCopy" if operation == "UploadPart" and "x-amz-copy-source" in headers else operation
    unsupported = _UNSUPPORTED_KEY_SUBRESOURCES.intersection(query)
    if unsupported:
        return f"{method} ?{min(unsupported)}"
    if method == "PUT" and "x-amz-copy-source" in headers:
        return "CopyObject"
    return _KEY_OPERATIONS.get(method, "MethodNotAllowed")


def _bucket_operation(method: str, query: Mapping[str, str], headers: Mapping[str, str]) -> str:
    for name, by_method in _BUCKET_SUBRESOURCES.items():
        if name in query and method in by_method:
            return by_method[method]
    if method == "GET" and query.get("list-type") == "2":
        return "ListObjectsV2"
    if method == "POST" and headers.get("content-type", "").startswith("multipart/form-data"):
        return "PostObject"
    listing = {"prefix", "marker", "max-keys", "delimiter", "encoding-type"}
    bare = not query or set(query) <= listing or "X-Amz-Signature" in query
    return _BUCKET_OPERATIONS.get(method, "MethodNotAllowed") if bare else f"{method} bucket ?{min(query)}"
