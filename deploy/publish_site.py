"""Publish the web client and its config.json to CloudFront's bucket: `make publish STAGE=dev`.

Order matters: a page's files are written before the page, and unused files are removed last.
"""

from __future__ import annotations

import argparse
import json
import mimetypes
import sys
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from deploy.command import chosen_outputs, exit_status, say, stage_parser
from deploy.errors import PageNotFoundError
from deploy.stack_outputs import StackOutputs

if TYPE_CHECKING:
    from types_boto3_s3.client import S3Client

PAGE = Path(__file__).resolve().parents[1] / "clients" / "web" / "dist"
ENTRY = "index.html"
CONFIG = "config.json"
ASK_EACH_TIME = "no-cache"
"""Cache-Control of files whose names do not change with their content: browsers revalidate them at each use."""
NAMED_BY_CONTENT = "assets/"
KEEP = "public, max-age=31536000, immutable"
APPLE_APP_LINKS = ".well-known/apple-app-site-association"
DEFAULT_TYPE = "application/octet-stream"


@dataclass(frozen=True, kw_only=True)
class Published:
    """Written keys and removed keys, each in order."""

    written: tuple[str, ...]
    removed: tuple[str, ...]


def publish(s3: S3Client, *, bucket: str, page: Path, config: Mapping[str, Any]) -> Published:
    """Make the bucket contain exactly this page and this config.json. Raises PageNotFoundError before it writes."""
    if not (page / ENTRY).is_file():
        raise PageNotFoundError(page)
    files = {path.relative_to(page).as_posix(): path for path in page.rglob("*") if path.is_file()}
    order = [*sorted(key for key in files if key != ENTRY), ENTRY]
    body = json.dumps(config, sort_keys=True).encode()
    s3.put_object(Bucket=bucket, Key=CONFIG, Body=body, ContentType="application/json", CacheControl="no-store")
    for key in order:
        s3.put_object(
            Bucket=bucket,
            Key=key,
            Body=files[key].read_bytes(),
            ContentType=_content_type(key),
            CacheControl=KEEP if key.startswith(NAMED_BY_CONTENT) else ASK_EACH_TIME,
        )
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket)
    held = [entry.get("Key", "") for listed in pages for entry in listed.get("Contents", [])]
    removed = tuple(key for key in held if key not in files and key != CONFIG)
    for key in removed:
        s3.delete_object(Bucket=bucket, Key=key)
    return Published(written=(CONFIG, *order), removed=removed)


def _content_type(key: str) -> str:
    # Apple requires the file without an extension, and as JSON (Supporting associated domains).
    if key == APPLE_APP_LINKS:
        return "application/json"
    return mimetypes.guess_type(key)[0] or DEFAULT_TYPE


def parser() -> argparse.ArgumentParser:
    options = stage_parser(__file__, __doc__)
    options.add_argument("--page", type=Path, default=PAGE, help="folder of the web client")
    return options


def main(arguments: Sequence[str] | None = None) -> int:
    """Publish the page and invalidate CloudFront's cache."""
    options = parser().parse_args(arguments)
    return exit_status(lambda: _publish(chosen_outputs(options), options.page))


def _publish(outputs: StackOutputs, page: Path) -> None:
    import boto3  # noqa: PLC0415 - `--help` needs none

    session = boto3.Session(region_name=outputs.region)
    done = publish(session.client("s3"), bucket=outputs["siteBucket"], page=page, config=outputs["siteConfig"])
    session.client("cloudfront").create_invalidation(
        DistributionId=outputs["distributionId"],
        InvalidationBatch={"Paths": {"Quantity": 1, "Items": ["/*"]}, "CallerReference": str(uuid.uuid4())},
    )
    say(f"{outputs['siteUrl']}: {len(done.written)} files written, {len(done.removed)} removed")


if __name__ == "__main__":
    sys.exit(main())
