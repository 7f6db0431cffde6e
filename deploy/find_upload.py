"""Show all data of an upload: `make find-upload STAGE=prod ARGS="VIDEO_ID"`.

The record with its older versions, object versions, the open multipart upload with its parts, the open marker, and a
CloudWatch Logs Insights query for its log lines. Changes nothing. Without --owner all owners are searched.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from typing import Any

from chalicelib.core.ports import UploadGoneError
from chalicelib.core.records import marker_key
from chalicelib.core.video_id import VideoRef
from chalicelib.core.video_record import VideoRecord
from deploy.command import chosen_outputs, exit_status, say, say_progress, shown_time, stage_parser, video_id
from deploy.deployed_stage import DeployedStage
from deploy.errors import VideoUnknownError
from deploy.log_queries import log_query
from deploy.object_versions import KeyHistory, ObjectVersion, history_of, unfinished_under
from deploy.users import find_owner

PARALLEL_LOOKS = 16
LOOKS_A_REPORT = 4_096
NAMED_MISSING_PARTS = 100


def find_video(stage: DeployedStage, video_id: str, owner: str | None = None) -> VideoRef:
    """Return the reference to a video, deleted or not. Raises VideoUnknownError."""
    owners = iter([owner]) if owner else _owners(stage)
    looked = 0
    with ThreadPoolExecutor(PARALLEL_LOOKS) as pool:
        while batch := list(islice(owners, LOOKS_A_REPORT)):
            refs = [VideoRef(each, video_id) for each in batch]
            for ref, is_there in zip(refs, pool.map(lambda ref: _has_record(stage, ref), refs), strict=True):
                if is_there:
                    return ref
            looked += len(batch)
            say_progress(f"{looked} owners looked at …")
    raise VideoUnknownError(video_id)


def find_by_upload_id(stage: DeployedStage, upload_id: str, owner: str | None = None) -> VideoRef:
    """Find a video by its uploadId: fast while the upload is open, by reading all records afterwards. Raises
    VideoUnknownError."""
    prefix = f"videos/{owner}/" if owner else "videos/"
    for key, open_upload_id in unfinished_under(stage.s3, stage.video_bucket, prefix):
        ref = VideoRef.from_file_key(key)
        if open_upload_id == upload_id and ref:
            return ref
    keys = (listed.key for listed in stage.metadata.list_keys(f"records/{owner}/" if owner else "records/"))
    looked = 0
    with ThreadPoolExecutor(PARALLEL_LOOKS) as readers:
        while batch := list(islice(keys, LOOKS_A_REPORT)):
            for stored in readers.map(stage.metadata.get, batch):
                record = VideoRecord.from_json(stored.body) if stored else None
                if record and record.upload_id == upload_id:
                    return record.ref
            looked += len(batch)
            say_progress(f"{looked} records read …")
    raise VideoUnknownError(upload_id)


def describe(stage: DeployedStage, ref: VideoRef) -> dict[str, Any]:
    """Return all data of one video, as JSON. Raises VideoUnknownError."""
    history = history_of(stage.s3, stage.metadata_bucket, ref.record_key)
    if not history.bodies:
        raise VideoUnknownError(ref.video_id)
    # The newest body, even if the lifecycle rule has hidden a tombstone by a delete marker.
    newest: dict[str, Any] = json.loads(_body_of(stage, history.bodies[0]))
    record = VideoRecord.from_json(json.dumps(newest).encode())
    ids = {name: newest.get(name) for name in ("videoId", "uploadId", "correlationId")}
    query = log_query(stage.context, ids, since=record.created_at)
    objects = history_of(stage.s3, stage.video_bucket, ref.file_key)
    return {
        "fileKey": ref.file_key,
        "record": newest,
        "recordVersions": _shown(history, lambda version: json.loads(_body_of(stage, version))["state"]),
        "objectVersions": _shown(objects, lambda version: _verdict_of(stage, version)),
        "renditionVersions": _shown(
            history_of(stage.s3, stage.video_bucket, ref.rendition_key), lambda version: _verdict_of(stage, version)
        ),
        "conversion": _conversion(stage, record),
        "posterVersions": _shown(history_of(stage.s3, stage.metadata_bucket, ref.poster_key), lambda _: None),
        "thumbnailsVersions": _shown(history_of(stage.s3, stage.metadata_bucket, ref.thumbnails_key), lambda _: None),
        "openUploads": [
            _open_upload(stage, record, upload_id) for upload_id in stage.videos.list_upload_ids(ref.file_key)
        ],
        "openMarkers": [listed.key for listed in stage.metadata.list_keys(marker_key(ref, 0).removesuffix("0"))],
        "logQuery": {
            "query": query.text,
            "logGroups": list(query.log_groups),
            "command": query.start_command,
            "results": query.results_command,
        },
    }


def _conversion(stage: DeployedStage, record: VideoRecord) -> dict[str, Any] | None:
    """State of a video's last conversion at MediaConvert."""
    job_id = record.rendition.job_id if record.rendition else None
    if stage.conversions is None or job_id is None:
        return None
    return {"jobId": job_id, "state": stage.conversions.converter.look(job_id).state.value}


def list_of_owner(stage: DeployedStage, owner: str) -> Iterator[str]:
    """One line for each of an owner's videos, newest first, including deleted ones."""
    for listed in stage.metadata.list_keys(f"records/{owner}/"):
        if stored := stage.metadata.get(listed.key):
            record = VideoRecord.from_json(stored.body)
            yield (
                f"{record.video_id}  {record.state:<10}  {record.size_bytes:>15,} bytes  "
                f"created {shown_time(record.created_at)}  uploadId {record.upload_id or '-'}"
            )


def _owners(stage: DeployedStage) -> Iterator[str]:
    pages = stage.s3.get_paginator("list_objects_v2").paginate(
        Bucket=stage.metadata_bucket, Prefix="records/", Delimiter="/"
    )
    for page in pages:
        for folder in page.get("CommonPrefixes", []):
            yield folder.get("Prefix", "").split("/")[1]


def _has_record(stage: DeployedStage, ref: VideoRef) -> bool:
    found = stage.s3.list_object_versions(Bucket=stage.metadata_bucket, Prefix=ref.record_key, MaxKeys=1)
    # S3 returns only the newest version, which is a delete marker if the record has expired.
    return bool(found.get("Versions") or found.get("DeleteMarkers"))


def _body_of(stage: DeployedStage, version: ObjectVersion) -> bytes:
    answer = stage.s3.get_object(Bucket=stage.metadata_bucket, Key=version.key, VersionId=version.version_id)
    return answer["Body"].read()


def _verdict_of(stage: DeployedStage, version: ObjectVersion) -> str:
    tags = stage.s3.get_object_tagging(Bucket=stage.video_bucket, Key=version.key, VersionId=version.version_id)
    return next((tag["Value"] for tag in tags["TagSet"] if tag["Key"] == "verdict"), "no verdict")


def _shown(history: KeyHistory, note: Callable[[ObjectVersion], str | None]) -> list[dict[str, Any]]:
    newest_first = sorted(
        (*history.delete_markers, *history.bodies), key=lambda each: (each.is_latest, each.modified_at), reverse=True
    )
    return [
        {
            "versionId": version.version_id,
            "modifiedAt": shown_time(version.modified_at),
            "isLatest": version.is_latest,
            "sizeBytes": version.size_bytes,
            "note": "delete marker" if version.is_delete_marker else note(version),
        }
        for version in newest_first
    ]


def _open_upload(stage: DeployedStage, record: VideoRecord, upload_id: str) -> dict[str, Any]:
    try:
        parts = stage.videos.list_parts(record.ref.file_key, upload_id)
    except UploadGoneError:
        parts = []
    held = {part.part_number for part in parts}
    missing = [number for number in range(1, record.plan.part_count + 1) if number not in held]
    return {
        "uploadId": upload_id,
        "storedParts": len(parts),
        "plannedParts": record.plan.part_count,
        "storedBytes": sum(part.size_bytes for part in parts),
        "missingPartNumbers": missing[:NAMED_MISSING_PARTS],
        "lastPartAt": shown_time(max(part.last_modified for part in parts)) if parts else None,
    }


def as_text(found: Mapping[str, Any]) -> Iterator[str]:
    """Format for a terminal: the current state first, the query to paste last."""
    yield found["fileKey"]
    yield "record"
    yield from (f"  {name}: {json.dumps(value, ensure_ascii=False)}" for name, value in found["record"].items())
    for title, key in (
        ("record versions", "recordVersions"),
        ("object versions", "objectVersions"),
        ("rendition versions", "renditionVersions"),
        ("poster versions", "posterVersions"),
    ):
        yield title if found[key] else f"{title}: none"
        for version in found[key]:
            size = "" if version["sizeBytes"] is None else f"  {version['sizeBytes']:,} bytes"
            latest = "  latest" if version["isLatest"] else ""
            yield f"  {version['modifiedAt']}  {version['versionId']}{size}  {version['note'] or ''}{latest}".rstrip()
    if conversion := found["conversion"]:
        yield f"conversion: job {conversion['jobId']}, {conversion['state']}"
    yield "open multipart uploads" if found["openUploads"] else "open multipart uploads: none"
    for upload in found["openUploads"]:
        yield (
            f"  {upload['uploadId']}: {upload['storedParts']} of {upload['plannedParts']} parts, "
            f"{upload['storedBytes']:,} bytes, last part at {upload['lastPartAt'] or 'none'}, "
            f"missing {upload['missingPartNumbers']}"
        )
    yield f"open markers: {', '.join(found['openMarkers']) or 'none'}"
    query = found["logQuery"]
    yield "query for its log lines (CloudWatch Logs Insights)"
    yield f"  {query['query']}"
    yield f"  {query['command']}"
    yield f"  {query['results']}"


def parser() -> argparse.ArgumentParser:
    options = stage_parser(__file__, __doc__)
    which = options.add_mutually_exclusive_group()
    which.add_argument("video_id", nargs="?", type=video_id, metavar="VIDEO_ID", help="28 hex digits")
    which.add_argument("--upload-id", help="the multipart upload's id, instead")
    options.add_argument("--owner", metavar="USER", help="e-mail address or owner; alone it lists the user's videos")
    options.add_argument("--json", action="store_true", help="print JSON")
    return options


def main(arguments: Sequence[str] | None = None) -> int:
    options = parser().parse_args(arguments)
    if not (options.video_id or options.upload_id or options.owner):
        parser().error("give a VIDEO_ID, an --upload-id or an --owner")
    return exit_status(lambda: _find(DeployedStage.opened(chosen_outputs(options)), options))


def _find(stage: DeployedStage, options: argparse.Namespace) -> None:
    owner = find_owner(stage, options.owner).owner if options.owner else None
    if owner and not options.video_id and not options.upload_id:
        for line in list_of_owner(stage, owner):
            say(line)
        return
    if options.upload_id:
        ref = find_by_upload_id(stage, options.upload_id, owner)
    else:
        ref = find_video(stage, options.video_id, owner)
    found = describe(stage, ref)
    for line in [json.dumps(found, ensure_ascii=False)] if options.json else as_text(found):
        say(line)


if __name__ == "__main__":
    sys.exit(main())
