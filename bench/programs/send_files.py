"""Upload files to the bucket `bench` by a library: `send_files.py boto3|obstore|bytes ENDPOINT FILE…`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

PART_BYTES = 5 * 2**20
BUCKET = "bench"
THREADS = 4
BUFFER_BYTES = 256 * 1024


def boto3(endpoint: str, files: list[Path]) -> None:
    import boto3 as peer  # noqa: PLC0415
    from boto3.s3.transfer import TransferConfig  # noqa: PLC0415

    make: Any = peer.client
    client = make("s3", endpoint_url=endpoint)
    parts = TransferConfig(multipart_threshold=PART_BYTES, multipart_chunksize=PART_BYTES)
    for file in files:
        checksum = {"ChecksumAlgorithm": "CRC64NVME"}
        client.upload_file(str(file), BUCKET, file.name, ExtraArgs=checksum, Config=parts)


def obstore(endpoint: str, files: list[Path]) -> None:
    import obstore as peer  # noqa: PLC0415 # pyrefly: ignore[missing-import] - in the peers' environment
    from obstore.store import S3Store  # noqa: PLC0415 # pyrefly: ignore[missing-import] - in the peers' environment

    # Its TLS knows no certificate authorities but the system's.
    store = S3Store(BUCKET, endpoint=endpoint, client_options={"allow_invalid_certificates": True})
    for file in files:
        peer.put(store, file.name, file, chunk_size=PART_BYTES)


def bytes_alone(endpoint: str, files: list[Path]) -> None:
    """Read, sum and send the parts as our command does, without its calls, its journals and its checks."""
    import http.client  # noqa: PLC0415 - here and below: the other libraries need not load it
    import queue  # noqa: PLC0415
    import ssl  # noqa: PLC0415
    import threading  # noqa: PLC0415
    from urllib.parse import urlsplit  # noqa: PLC0415

    from awscrt.checksums import crc64nvme  # noqa: PLC0415

    place, tls = urlsplit(endpoint), ssl.create_default_context()
    parts: queue.SimpleQueue[tuple[Path, int, int]] = queue.SimpleQueue()
    for file in files:
        size_bytes = file.stat().st_size
        for offset_bytes in range(0, size_bytes, PART_BYTES):
            parts.put((file, offset_bytes, min(PART_BYTES, size_bytes - offset_bytes)))

    def work() -> None:
        connection = http.client.HTTPSConnection(place.hostname or "", place.port, context=tls)
        buffer = memoryview(bytearray(BUFFER_BYTES))
        while True:
            try:
                file, offset_bytes, left_bytes = parts.get_nowait()
            except queue.Empty:
                return connection.close()
            with file.open("rb", buffering=0) as source:
                source.seek(offset_bytes)
                connection.putrequest("PUT", f"/{BUCKET}/{file.name}-{offset_bytes}")
                connection.putheader("Content-Length", str(left_bytes))
                connection.endheaders()
                checksum = 0
                while left_bytes:
                    block = buffer[: source.readinto(buffer[: min(left_bytes, BUFFER_BYTES)])]
                    checksum = crc64nvme(block, checksum)  # pyrefly: ignore[bad-argument-type] - any buffer will do
                    connection.send(block)
                    left_bytes -= len(block)
            connection.getresponse().read()

    workers = [threading.Thread(target=work) for _ in range(THREADS)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()


def main() -> None:
    send = {"boto3": boto3, "obstore": obstore, "bytes": bytes_alone}[sys.argv[1]]
    send(sys.argv[2], [Path(name) for name in sys.argv[3:]])


if __name__ == "__main__":
    main()
