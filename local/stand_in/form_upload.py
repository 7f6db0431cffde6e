"""PostObject: a browser's form, its fields first, then the file, streamed to disk."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from urllib.parse import quote

from werkzeug.http import parse_options_header
from werkzeug.sansio.multipart import Data, Epilogue, Field, File, MultipartDecoder, NeedData

from local.stand_in import checksums
from local.stand_in.bodies import PIECE_BYTES
from local.stand_in.buckets import Bucket, demand_no_customer_key
from local.stand_in.checksums import DEFAULT_ALGORITHM, Checksum
from local.stand_in.entity_tags import EntityTag
from local.stand_in.errors import S3Error, invalid_argument
from local.stand_in.object_operations import store_file
from local.stand_in.object_store import Call, ObjectStore, header_tags, kept_headers
from local.stand_in.payload import write_body
from local.stand_in.post_policy import PostPolicy
from local.stand_in.requests import S3Request
from local.stand_in.responses import Response, quoted_etag, wire_text, xml_response
from local.stand_in.s3_model import demand_canned_acl
from local.stand_in.versions import Conditions, Content, Version

MAX_FIELDS_BYTES = 20 * 1024  # S3 API Reference, "POST Object": form data besides the file
MAX_FILE_BYTES = 5 * 1024**3  # same page


@dataclass
class _Form:
    """A form that is being read: its fields before the file, with names in lower case."""

    fields: dict[str, str] = field(default_factory=dict[str, str])
    file_name: str = ""


def post_object(request: S3Request, bucket: Bucket, store: ObjectStore, now: datetime) -> Response:
    """Check the policy, then store the file. Raises S3Error as S3 does."""
    form = _Form()
    pieces = _read(request, form)
    policy = PostPolicy(form.fields, now)
    if "key" not in form.fields:
        raise invalid_argument("Bucket POST must contain a field named 'key'.", "key", "")
    key = form.fields["key"].replace("${filename}", form.file_name)
    policy.check_fields(bucket.name, key)
    demand_canned_acl(form.fields.get("acl"))
    demand_no_customer_key(form.fields)
    call = Call(request=request, signature=policy.signature, bucket=bucket, store=store)
    headers, tags = kept_headers(_as_headers(form.fields), bucket), header_tags(form.fields)
    sent_checksum = checksums.sent_in(form.fields)
    algorithm = sent_checksum[0] if sent_checksum else DEFAULT_ALGORITHM
    running, entity_tag = checksums.start(algorithm), EntityTag(headers)
    body = store.bodies.new()
    try:
        size_bytes = write_body(pieces, store.bodies, body, [running, entity_tag])
        policy.check_size(size_bytes)
        value = checksums.encode(running.digest())
        if sent_checksum:
            checksums.demand_equal(algorithm, sent_value=sent_checksum[1], computed_value=value)
    except BaseException:
        store.bodies.remove([body])
        raise
    content = Content(
        size_bytes=size_bytes,
        etag=entity_tag.digest().hex(),
        headers=headers,
        tags=tags,
        checksum=Checksum(algorithm=algorithm, type="FULL_OBJECT", value=value),
    )
    version = store_file(
        call, key=key, content=content, file_name=body, conditions=Conditions(), event_name="s3:ObjectCreated:Post"
    )
    return _answer(call, form, version)


def _as_headers(fields: Mapping[str, str]) -> dict[str, str]:
    return {name: wire_text(value) for name, value in fields.items()}


def _answer(call: Call, form: _Form, version: Version) -> Response:
    location = f"{call.request.base_url}/{call.bucket.name}/{quote(version.key)}"
    etag = quoted_etag(version.content.etag)
    headers = {"ETag": etag, "Location": location, **call.written_version_headers(version)}
    redirect = form.fields.get("success_action_redirect")
    if redirect:
        query = f"bucket={call.bucket.name}&key={quote(version.key, safe='')}&etag={quote(etag)}"
        headers["Location"] = f"{wire_text(redirect)}{'&' if '?' in redirect else '?'}{query}"
        return Response(status=303, headers=headers)
    wanted = form.fields.get("success_action_status", "204")
    if wanted != "201":
        return Response(status=200 if wanted == "200" else 204, headers=headers)
    answer = xml_response(
        "PostResponse",
        {"Location": location, "Bucket": call.bucket.name, "Key": version.key, "ETag": etag},
        headers,
    )
    answer.status = 201
    return answer


def _read(request: S3Request, form: _Form) -> Iterator[bytes]:
    """Read the fields and return the file's bytes. As in S3, fields after the file are ignored."""
    if request.content_length > MAX_FILE_BYTES + MAX_FIELDS_BYTES:
        raise S3Error(400, "EntityTooLarge", "Your proposed upload exceeds the maximum allowed size")
    boundary = parse_options_header(request.headers.get("content-type"))[1].get("boundary", "")
    if not boundary:
        raise _malformed()
    events = _events(request, MultipartDecoder(boundary.encode("latin-1")))
    name, value, total_bytes = "", b"", 0
    for event in events:
        if isinstance(event, (Field, File)):
            name, value = (event.name or "").lower(), b""
            if name == "file":
                form.file_name = event.filename if isinstance(event, File) else ""
                return _file_pieces(events)
        elif isinstance(event, Data):
            value += event.data
            total_bytes += len(event.data)
            if total_bytes > MAX_FIELDS_BYTES:
                raise S3Error(
                    400,
                    "MaxPostPreDataLengthExceeded",
                    "Your POST request fields preceding the upload file were too large.",
                )
            if not event.more_data:
                form.fields[name] = value.decode("utf-8", "replace")
    raise invalid_argument("POST requires exactly one file upload per request.", "file", "0")


def _file_pieces(events: Iterator[object]) -> Iterator[bytes]:
    for event in events:
        if not isinstance(event, Data):
            raise _malformed()
        yield event.data
        if not event.more_data:
            return


def _events(request: S3Request, decoder: MultipartDecoder) -> Iterator[object]:
    try:
        while True:
            event = decoder.next_event()
            if isinstance(event, NeedData):
                decoder.receive_data(request.body.read(PIECE_BYTES) or None)
            elif isinstance(event, Epilogue):
                return
            else:
                yield event
    except ValueError as error:
        raise _malformed() from error


def _malformed() -> S3Error:
    return S3Error(
        400,
        "MalformedPOSTRequest",
        "The body of your POST request is not well-formed multipart/form-data.",
    )
