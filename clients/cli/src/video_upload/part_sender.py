"""One part, one PUT: bytes from the file straight to S3, with their checksum taken on the way."""

from __future__ import annotations

import http.client
import re
import socket
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import SplitResult, urlsplit

from awscrt.checksums import crc64nvme

from video_upload.backoff import Interruption
from video_upload.connections import Connections
from video_upload.loopback import is_loopback
from video_upload.network import Line
from video_upload.rate_limit import RateLimit
from video_upload.schemas import PresignedPart
from video_upload.video_file import PartReader

LONGEST_ERROR_BYTES = 64 * 1024


@dataclass(frozen=True, kw_only=True)
class Stored:
    """S3 has the part. The checksum is of the bytes that were sent."""

    etag: str
    crc64nvme: int


@dataclass(frozen=True, kw_only=True)
class Refused:
    """S3 does not have the part. status is None when the connection broke; code is S3's, such as SlowDown."""

    status: int | None
    code: str
    reason: str

    @property
    def may_pass(self) -> bool:
        """Return whether the same request may succeed later."""
        if self.status is None or self.status >= 500 or self.status in {408, 429}:
            return True
        # S3 error responses: a slow line, and bytes that were damaged on the way.
        return self.code in {"RequestTimeout", "BadDigest", "IncompleteBody"}

    @property
    def lacks_checksum(self) -> bool:
        """Return whether the store may have wanted the part's checksum.

        S3 computes it by itself; LocalStack and MinIO answer 400, each with a code of its own.
        """
        return self.status == 400 and not self.may_pass and self.code != "InsecureUrl"


class PartSender:
    """One worker's sender. For one thread, except `hang_up`."""

    def __init__(
        self,
        reader: PartReader,
        connections: Connections,
        interruption: Interruption,
        rate_limit: RateLimit | None = None,
    ) -> None:
        self._reader = reader
        self._connections = connections
        self._interruption = interruption
        self._rate_limit = rate_limit
        self._line: Line | None = None

    def crc64nvme(self, part_number: int) -> int:
        """Read the part for its checksum alone. Raises FileChangedError and FileUnreadableError."""
        return self._reader.crc64nvme(part_number)

    def send(self, part: PresignedPart, on_bytes: Callable[[int], None]) -> Stored | Refused:
        """Send one part, once, as the holder of a turn. Raises UploadCancelledError and FileChangedError.

        on_bytes: told how many bytes went out, after each buffer.
        """
        url = urlsplit(part.url)
        if url.scheme != "https" and not (url.scheme == "http" and is_loopback(url.hostname)):
            return Refused(
                status=400, code="InsecureUrl", reason=f"the platform gave out an insecure URL ({url.netloc})"
            )
        try:
            return self._put(self._connect(url), url, part, on_bytes)
        except (OSError, http.client.HTTPException) as error:
            self._interruption.check()  # a hang-up looks like a broken line
            return Refused(status=None, code="ConnectionLost", reason=str(error) or type(error).__name__)
        finally:
            self._close()

    def _connect(self, url: SplitResult) -> Line:
        self._line = self._connections.open(url)
        return self._line

    def _put(
        self, line: Line, url: SplitResult, part: PresignedPart, on_bytes: Callable[[int], None]
    ) -> Stored | Refused:
        connection = line.connection
        # The signature covers path and query letter by letter: send them as they came.
        connection.putrequest("PUT", f"{line.target_prefix}{url.path}?{url.query}", skip_accept_encoding=True)
        connection.putheader("Content-Length", str(part.size_bytes))
        connection.putheader("Content-Type", "application/octet-stream")
        for name, value in (*part.headers.items(), *line.headers.items()):
            connection.putheader(name, value)
        connection.endheaders()
        checksum, unsent_bytes = self._send_body(connection, part, on_bytes)
        response = connection.getresponse()
        body = response.read(LONGEST_ERROR_BYTES)
        # The rest of a body would be taken for the next request.
        if not unsent_bytes and response.isclosed() and connection.sock is not None:
            self._line = None
            self._connections.keep(url, line)
        etag = response.getheader("ETag")
        if response.status == 200 and etag and not unsent_bytes:
            return Stored(etag=etag, crc64nvme=checksum)
        return _refusal(response, body)

    def _send_body(
        self, connection: http.client.HTTPConnection, part: PresignedPart, on_bytes: Callable[[int], None]
    ) -> tuple[int, int]:
        """The checksum of what was sent, and the bytes left when S3 answered before the end."""
        self._reader.open_part(part.part_number)
        remaining_bytes = part.size_bytes
        checksum = 0
        while remaining_bytes:
            block = self._reader.read(self._allowed(remaining_bytes))
            checksum = crc64nvme(block, checksum)  # pyrefly: ignore[bad-argument-type] - any buffer will do
            try:
                connection.send(block)
            except TimeoutError:
                raise
            except OSError:
                # S3 answers an expired URL or SlowDown without reading on; the answer says more than the broken pipe,
                # which TLS reports as an SSLError of its own.
                return checksum, remaining_bytes
            remaining_bytes -= len(block)
            on_bytes(len(block))
        return checksum, 0

    def _allowed(self, remaining_bytes: int) -> int:
        """Return how many bytes to send next; waits until the rate limit allows them."""
        if self._rate_limit is None:
            self._interruption.check()
            return remaining_bytes
        count = min(remaining_bytes, self._rate_limit.slice_bytes)
        self._interruption.pause(self._rate_limit.wait_seconds(count))
        return count

    def hang_up(self) -> None:
        """From another thread: end a send that may block for a long time."""
        line = self._line
        if line is not None:
            try:
                line.shut_down(socket.SHUT_RDWR)
            except OSError:
                return  # it ended by itself

    def _close(self) -> None:
        if self._line is not None:
            self._connections.drop(self._line)
            self._line = None


def _refusal(response: http.client.HTTPResponse, body: bytes) -> Refused:
    code = re.search(rb"<Code>(\w{1,64})</Code>", body)
    name = code.group(1).decode("ascii") if code else ""
    return Refused(status=response.status, code=name, reason=f"S3 answered {response.status} {name or response.reason}")
