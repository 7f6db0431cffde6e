"""Puts the web client and its config.json where CloudFront serves them: `python -m deploy.publish_site`.

Takes the selected stack's outputs. Order matters: what a page needs is there before the page that needs it, and files
that no page needs any more go last.

    PublishError
    ├── OutputsNotReadableError   no stack is selected, or it was never deployed
    └── PageNotFoundError         the folder holds no index.html
"""

from __future__ import annotations

import argparse
import json
import mimetypes
import subprocess
import sys
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from types_boto3_s3.client import S3Client

PAGE = Path(__file__).resolve().parents[1] / "clients" / "web" / "dist"
ENTRY = "index.html"
CONFIG = "config.json"
ASK_EACH_TIME = "no-cache"
"""For files that keep their names when they change; a browser asks, and mostly hears that nothing did."""
NAMED_BY_CONTENT = "assets/"
KEEP = "public, max-age=31536000, immutable"
DEFAULT_TYPE = "application/octet-stream"


class PublishError(Exception):
    """The site cannot be published."""


class OutputsNotReadableError(PublishError):
    """reason: Pulumi's words, or the output that is missing."""

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(f"cannot read the stack's outputs: {reason}")


class PageNotFoundError(PublishError):
    """folder: where the page was looked for."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        super().__init__(f"{folder} holds no {ENTRY}: build it with `make web`")


@dataclass(frozen=True, kw_only=True)
class Published:
    """Keys that were written and keys that were removed, each in order."""

    written: tuple[str, ...]
    removed: tuple[str, ...]


def publish(s3: S3Client, *, bucket: str, page: Path, config: Mapping[str, Any]) -> Published:
    """Make the bucket hold exactly this page and this config.json. Raises PageNotFoundError before it writes."""
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
            ContentType=mimetypes.guess_type(key)[0] or DEFAULT_TYPE,
            CacheControl=KEEP if key.startswith(NAMED_BY_CONTENT) else ASK_EACH_TIME,
        )
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket)
    held = [entry.get("Key", "") for listed in pages for entry in listed.get("Contents", [])]
    removed = tuple(key for key in held if key not in files and key != CONFIG)
    for key in removed:
        s3.delete_object(Bucket=bucket, Key=key)
    return Published(written=(CONFIG, *order), removed=removed)


def stack_outputs(stage: str | None = None, *, show_secrets: bool = False) -> dict[str, Any]:
    """Outputs of a stage's stack, or of the selected one. Raises OutputsNotReadableError."""
    command = ["pulumi", "stack", "output", "--json"]
    command += ["--stack", stage] if stage else []
    command += ["--show-secrets"] if show_secrets else []
    try:
        asked = subprocess.run(command, capture_output=True, text=True, check=False)
    except FileNotFoundError as error:
        raise OutputsNotReadableError("the command `pulumi` is not installed") from error
    if asked.returncode != 0:
        raise OutputsNotReadableError(asked.stderr.strip())
    return json.loads(asked.stdout)


def main() -> None:
    """Publish, and have CloudFront forget what it kept."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--page", type=Path, default=PAGE, help="folder of the web client")
    page: Path = parser.parse_args().page
    import boto3  # noqa: PLC0415 - `--help` needs none

    try:
        outputs = stack_outputs()
        session = boto3.Session()
        done = publish(session.client("s3"), bucket=outputs["siteBucket"], page=page, config=outputs["siteConfig"])
    except KeyError as missing:
        sys.exit(str(OutputsNotReadableError(f"it has no {missing}")))
    except PublishError as error:
        sys.exit(str(error))
    session.client("cloudfront").create_invalidation(
        DistributionId=outputs["distributionId"],
        InvalidationBatch={"Paths": {"Quantity": 1, "Items": ["/*"]}, "CallerReference": str(uuid.uuid4())},
    )
    sys.stdout.write(f"{outputs['siteUrl']}: {len(done.written)} files written, {len(done.removed)} removed\n")


if __name__ == "__main__":
    main()
