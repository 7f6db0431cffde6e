"""The entry point of S3: verifies a request, injects faults, carries it out, and adds CORS headers."""

import logging
import re
import secrets
import time
from collections.abc import Callable, Iterable, Mapping
from io import BytesIO
from typing import cast
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from werkzeug.test import run_wsgi_app

from local.stand_in import (
    copy_operations,
    cors,
    listing_operations,
    multipart_operations,
    object_operations,
    signatures,
)
from local.stand_in.bucket_owner import OWNER
from local.stand_in.buckets import demand_no_customer_key, find_bucket, require_bucket
from local.stand_in.errors import S3Error, access_denied, not_implemented
from local.stand_in.faults import Fault, Faults, LoggedRequest, RequestLog
from local.stand_in.form_upload import post_object
from local.stand_in.http_server import ResponseLostError
from local.stand_in.object_store import MAX_XML_BYTES, Call, ObjectStore
from local.stand_in.payload import read_small
from local.stand_in.requests import S3Request, parse_request
from local.stand_in.responses import Response, error_response
from local.stand_in.s3_model import demand_bucket_model, demand_model, xml_root
from local.stand_in.signatures import Signature
from local.stand_in.snapshots import Snapshots
from local.stand_in.xml_bodies import parse_xml

_OPERATIONS: Mapping[str, Callable[[Call], Response]] = {
    "PutObject": object_operations.put_object,
    "GetObject": object_operations.get_object,
    "HeadObject": object_operations.head_object,
    "CopyObject": copy_operations.copy_object,
    "DeleteObject": object_operations.delete_object,
    "DeleteObjects": object_operations.delete_objects,
    "GetObjectTagging": object_operations.get_object_tagging,
    "PutObjectTagging": object_operations.put_object_tagging,
    "DeleteObjectTagging": object_operations.delete_object_tagging,
    "CreateMultipartUpload": multipart_operations.create_multipart_upload,
    "UploadPart": multipart_operations.upload_part,
    "UploadPartCopy": copy_operations.upload_part_copy,
    "ListParts": multipart_operations.list_parts,
    "CompleteMultipartUpload": multipart_operations.complete_multipart_upload,
    "AbortMultipartUpload": multipart_operations.abort_multipart_upload,
    "ListMultipartUploads": listing_operations.list_multipart_uploads,
    "ListObjects": listing_operations.list_objects,
    "ListObjectsV2": listing_operations.list_objects_v2,
    "ListObjectVersions": listing_operations.list_object_versions,
}
_LISTING_OWNER = re.compile(rb"<Owner>.*?</Owner>", re.DOTALL)
_ANNOUNCING = frozenset({"PutObject", "CopyObject", "CompleteMultipartUpload", "PostObject"})

_log = logging.getLogger(__name__)


class ObjectGateway:
    """A WSGI application that is S3: objects in our own store, buckets in moto behind the same verification."""

    def __init__(
        self,
        *,
        store: ObjectStore,
        moto: WSGIApplication,
        snapshots: Snapshots,
        faults: Faults,
        request_log: RequestLog,
    ) -> None:
        self._store = store
        self._moto = moto
        self._snapshots = snapshots
        self._faults = faults
        self._request_log = request_log

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Respond to one request. Raises ResponseLostError for a fault that loses the response."""
        request_id = secrets.token_hex(8).upper()
        operation, key, part_number = "Unreadable", "", None
        head_only = environ["REQUEST_METHOD"] == "HEAD"
        cors_headers: dict[str, str] = {}
        is_lost = False
        try:
            request = parse_request(environ)
            operation, key = request.operation, request.key
            part = request.query.get("partNumber", "")
            part_number = int(part) if part.isdigit() else None
            bucket = find_bucket(request.bucket)
            cors_headers = cors.response_headers(request, bucket.cors_rules) if bucket else {}
            fault = self._faults.take(operation, key)
            answer = self._answer(request, fault)
            is_lost = fault is not None and fault.lose_response
        except S3Error as error:
            answer = error_response(error, resource=str(environ.get("PATH_INFO", "")), request_id=request_id)
        except ResponseLostError:
            raise
        except Exception:
            _log.exception("%s of %r failed", operation, key)
            internal = S3Error(500, "InternalError", "We encountered an internal error. Please try again.")
            answer = error_response(internal, resource=str(environ.get("PATH_INFO", "")), request_id=request_id)
        status = 0 if is_lost else answer.status
        self._request_log.add(LoggedRequest(operation=operation, key=key, part_number=part_number, status=status))
        if is_lost:
            raise ResponseLostError
        answer.headers = {**answer.headers, **cors_headers, "x-amz-request-id": request_id, "x-amz-id-2": request_id}
        return answer.send(start_response, head_only=head_only)

    def _answer(self, request: S3Request, fault: Fault | None) -> Response:
        if fault and fault.status:
            raise S3Error(fault.status, fault.code, "An injected fault.")
        if request.operation == "Preflight":
            bucket = require_bucket(request.bucket)
            return cors.preflight(request, bucket.cors_rules)
        now = self._store.clock.now()
        if request.operation == "PostObject":
            _wait(fault)
            answer = post_object(request, require_bucket(request.bucket), self._store, now)
        else:
            signature = signatures.verify(request, now)
            if signature is None:
                # Nothing here is public.
                raise access_denied()
            _wait(fault)
            answer = self._carry_out(request, signature)
        if request.operation in _ANNOUNCING:
            self._store.outbox.deliver()
        return answer

    def _carry_out(self, request: S3Request, signature: Signature) -> Response:
        handler = _OPERATIONS.get(request.operation)
        if handler is not None:
            bucket = require_bucket(request.bucket)
            root = xml_root(request.operation)
            document = parse_xml(read_small(request, signature, MAX_XML_BYTES), root) if root else None
            demand_model(request, document)
            demand_no_customer_key(request.headers)
            return handler(
                Call(request=request, signature=signature, bucket=bucket, store=self._store, document=document)
            )
        if request.operation == "MethodNotAllowed":
            raise S3Error(405, "MethodNotAllowed", "The specified method is not allowed against this resource.")
        if request.key:
            raise not_implemented(f"{request.operation} is not supported by the local stand-in")
        if request.operation == "DeleteBucket" and not self._store.versions.is_empty(request.bucket):
            raise S3Error(409, "BucketNotEmpty", "The bucket you tried to delete is not empty")
        body = read_small(request, signature, MAX_XML_BYTES)
        demand_bucket_model(request, body)
        return self._pass_to_moto(request, body)

    def _pass_to_moto(self, request: S3Request, body: bytes) -> Response:
        environ = {**request.environ, "wsgi.input": BytesIO(body), "CONTENT_LENGTH": str(len(body))}
        environ.pop("HTTP_TRANSFER_ENCODING", None)
        body_pieces, status, headers = run_wsgi_app(self._moto, environ, buffered=True)
        if request.method not in ("GET", "HEAD"):
            self._snapshots.write(["s3"])
        # moto allows every origin; here the bucket's rules decide.
        kept = {name: text for name, text in headers.items() if not name.lower().startswith("access-control-")}
        if request.method == "HEAD":
            kept.setdefault("Content-Length", "0")
        answered = b"".join(cast("list[bytes]", body_pieces))
        if request.operation == "ListBuckets":
            # moto names different owners here and in each bucket.
            answered = _LISTING_OWNER.sub(f"<Owner><ID>{OWNER['ID']}</ID></Owner>".encode(), answered)
            kept["Content-Length"] = str(len(answered))
        return Response(status=int(status.split(" ", 1)[0]), headers=kept, body=answered)


def _wait(fault: Fault | None) -> None:
    if fault and fault.delay_seconds:
        time.sleep(fault.delay_seconds)
