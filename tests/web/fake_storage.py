"""S3 as a browser meets it: parts by presigned URL on another origin, with CORS, expiry and signed lengths."""

import base64
import hashlib
import secrets
import threading
from dataclasses import dataclass, field
from io import BytesIO

from awscrt.checksums import crc64nvme
from flask import Flask, Response, request, send_file

CHECKSUM_HEADER = "x-amz-checksum-crc64nvme"


@dataclass(frozen=True)
class Grant:
    """Scope of one presigned URL."""

    video_id: str
    part_number: int
    size_bytes: int
    checksum: str | None = None


@dataclass
class FakeStorage:
    """Knobs and records.

    faults: statuses to answer the next parts with; 0 answers without CORS headers, which a page sees as no answer.
    damaged_parts: part numbers whose first bytes are lost on the way, once each.
    hide_etag: whether CORS forgets to expose the ETag.
    wants_checksums: whether a part without its checksum is refused, as two look-alikes of S3 do.
    open_parts: how many parts may still pass; the others wait for `let_through`; None lets all pass.
    puts: part numbers in the order they arrived whole.
    """

    url: str = ""
    site_origin: str = ""
    faults: list[int] = field(default_factory=list[int])
    damaged_parts: set[int] = field(default_factory=set[int])
    hide_etag: bool = False
    wants_checksums: bool = False
    puts: list[int] = field(default_factory=list[int])
    most_at_once: int = 0
    parts: dict[str, dict[int, bytes]] = field(default_factory=dict[str, dict[int, bytes]])
    objects: dict[str, tuple[str, bytes]] = field(default_factory=dict[str, tuple[str, bytes]])
    _open_parts: int | None = None
    _cuts: int = 0
    _at_once: int = 0
    _grants: dict[str, Grant] = field(default_factory=dict[str, Grant])
    _changed: threading.Condition = field(default_factory=threading.Condition)

    def sign(self, grant: Grant) -> str:
        signature = secrets.token_hex(16)
        self._grants[signature] = grant
        return f"{self.url}/parts/{grant.video_id}/{grant.part_number}?X-Amz-Expires=900&X-Amz-Signature={signature}"

    def end_signatures(self) -> None:
        """Invalidate all URLs, as at the end of the role's session that signed them."""
        self._grants.clear()

    def let_through(self, parts: int | None) -> None:
        with self._changed:
            self._open_parts = parts
            self._changed.notify_all()

    def cut(self) -> None:
        """Lose the parts that wait: the page that sent them is gone."""
        with self._changed:
            self._cuts += 1
            self._changed.notify_all()

    def app(self) -> Flask:
        app = Flask(__name__)
        app.put("/parts/<video_id>/<int:part_number>")(self._put)
        app.get("/objects/<name>")(self._get)
        app.after_request(self._add_cors)
        return app

    def _put(self, video_id: str, part_number: int) -> Response:
        body = request.get_data()
        with self._changed:
            self._at_once += 1
            self.most_at_once = max(self.most_at_once, self._at_once)
            cuts = self._cuts
            self._changed.wait_for(
                lambda: self._open_parts is None or self._open_parts > 0 or self._cuts > cuts, timeout=30
            )
            if self._cuts > cuts:
                self._at_once -= 1
                return Response(status=299)
            if self._open_parts is not None:
                self._open_parts -= 1
            self._at_once -= 1
            if self.faults:
                return Response(status=self.faults.pop(0) or 299)
            grant = self._grants.get(request.args.get("X-Amz-Signature", ""))
            given = request.headers.get(CHECKSUM_HEADER)
            if grant != Grant(video_id, part_number, len(body), given):
                return Response("<Error><Code>AccessDenied</Code></Error>", status=403)
            if self.wants_checksums and given != crc64nvme_base64(body):
                return Response("<Error><Code>InvalidRequest</Code></Error>", status=400)
            if video_id not in self.parts:
                return Response("<Error><Code>NoSuchUpload</Code></Error>", status=404)
            if part_number in self.damaged_parts:
                self.damaged_parts.remove(part_number)
                body = bytes(16) + body[16:]
            self.parts[video_id][part_number] = body
            self.puts.append(part_number)
        return Response(headers={"ETag": f'"{hashlib.md5(body, usedforsecurity=False).hexdigest()}"'})

    def _get(self, name: str) -> Response:
        content_type, body = self.objects[name]
        return send_file(BytesIO(body), mimetype=content_type, conditional=True)

    def _add_cors(self, response: Response) -> Response:
        if request.headers.get("Origin") == self.site_origin and response.status_code != 299:
            response.headers["Access-Control-Allow-Origin"] = self.site_origin
            response.headers["Access-Control-Allow-Methods"] = "PUT"
            response.headers["Access-Control-Allow-Headers"] = f"content-type, {CHECKSUM_HEADER}"
            if not self.hide_etag:
                response.headers["Access-Control-Expose-Headers"] = "ETag"
        return response


def crc64nvme_base64(data: bytes) -> str:
    return base64.b64encode(crc64nvme(data).to_bytes(8, "big")).decode()
