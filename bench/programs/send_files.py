"""Upload files to the bucket `bench` by a library: `send_files.py boto3|obstore ENDPOINT FILE…`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

PART_BYTES = 5 * 2**20
BUCKET = "bench"


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


def main() -> None:
    send = {"boto3": boto3, "obstore": obstore}[sys.argv[1]]
    send(sys.argv[2], [Path(name) for name in sys.argv[3:]])


if __name__ == "__main__":
    main()
