"""The local converter: carries out the jobs of the stand-in's MediaConvert one by one.

An event announces new jobs, and the converter lists them at the stand-in: a job that a killed converter left unfinished
starts again.
"""

import logging
import threading
from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

import requests

from chalicelib.adapters.s3_renditions import S3Renditions
from chalicelib.core.media.copying import Sink, Source, write_media
from chalicelib.core.media.facts import MIB, InspectionLimits, MediaFacts
from chalicelib.core.media.inspection import inspect_media
from chalicelib.core.media.ranged_file import ReadRange
from chalicelib.core.renditions import RENDITION_CONTENT_TYPE

if TYPE_CHECKING:
    from types_boto3_s3.client import S3Client

log = logging.getLogger(__name__)

ENCODER = "local.conversion.encoder"
CONTROL = "/_stand-in/conversions"
LIMITS = InspectionLimits(max_wall_seconds=6 * 3600, max_cpu_seconds=6 * 3600)
MAX_GROWTH = 8
"""Limit of the result's size. H.264 takes more bytes than newer codecs; the limit refuses decompression bombs."""

_RETRY_SECONDS = 5
_TIMEOUT_SECONDS = 30
_SOUND_PACKETS_PER_SECOND = 60
_UNKNOWN_FRAME_RATE = 60.0


class CancelledError(Exception):
    """The job was cancelled, and its result is no longer needed."""


class LocalConverter:
    """stand_in_url: of AWS."""

    def __init__(self, s3: "S3Client", stand_in_url: str) -> None:
        self._s3 = s3
        self._url = f"{stand_in_url}{CONTROL}"
        self._woken = threading.Event()

    def wake(self, event: Mapping[str, Any], _: object) -> None:
        """Look for jobs, when an event announces some."""
        self._woken.set()

    def run(self) -> None:
        """Carry out jobs, and wait for more."""
        while True:
            self._woken.clear()
            try:
                self.carry_out_all()
            except Exception as error:
                log.warning("the stand-in does not answer: %s", error)
                self._woken.wait(_RETRY_SECONDS)
            else:
                self._woken.wait()

    def carry_out_all(self) -> None:
        while jobs := requests.get(self._url, timeout=_TIMEOUT_SECONDS).json():
            self._carry_out(jobs[0])

    def _carry_out(self, job: Mapping[str, Any]) -> None:
        self._tell(job, "PROGRESSING")
        try:
            milliseconds = self._convert(job)
        except CancelledError:
            log.info("job %s cancelled", job["id"])
        except Exception as error:
            # Including a missing file: the platform decides whether to request the job again.
            log.warning("job %s failed: %s", job["id"], error)
            self._tell(job, "ERROR")
        else:
            self._tell(job, "COMPLETE", durationInMs=milliseconds)

    def _tell(self, job: Mapping[str, Any], status: str, **result: int) -> str:
        told = {"id": job["id"], "status": status, **result}
        answer = requests.post(self._url, json=told, timeout=_TIMEOUT_SECONDS)
        answer.raise_for_status()
        return answer.json()["status"]

    def _require_wanted(self, job: Mapping[str, Any]) -> None:
        if self._tell(job, "PROGRESSING") != "PROGRESSING":
            raise CancelledError

    def _convert(self, job: Mapping[str, Any]) -> int:
        """Write the result, and return its length in milliseconds."""
        (read,), (group,) = job["settings"]["inputs"], job["settings"]["outputGroups"]
        (output,), target = group["outputs"], group["outputGroupSettings"]["fileGroupSettings"]
        bucket, key = _place(read["fileInput"])
        encryption = target["destinationSettings"]["s3Settings"]["encryption"]
        written_bucket, written_key = _place(f"{target['destination']}.{output['extension']}")
        renditions = S3Renditions(self._s3, written_bucket, encryption["kmsKeyArn"])
        source = self._source(bucket, key)
        upload_id = renditions.begin(written_key, RENDITION_CONTENT_TYPE)
        etags: dict[int, str] = {}

        def send(part_number: int, body: bytes) -> None:
            self._require_wanted(job)
            etags[part_number] = renditions.put_part(written_key, upload_id, part_number, body)

        picture = output["videoDescription"]
        wanted = {
            "width": picture["width"],
            "height": picture["height"],
            "hasSound": bool(output.get("audioDescriptions")),
        }
        try:
            sink = Sink(send, source.size_bytes * MAX_GROWTH + 64 * MIB)
            write_media(source, sink, LIMITS, module=ENCODER, job=wanted)
            self._require_wanted(job)
        except BaseException:
            renditions.abort(written_key, upload_id)
            raise
        renditions.complete(written_key, upload_id, sorted(etags.items()))
        _, facts = self._inspected(written_bucket, written_key)
        return round((facts.duration_seconds or 0) * 1000)

    def _source(self, bucket: str, key: str) -> Source:
        (read_range, size_bytes), facts = self._inspected(bucket, key)
        packets_per_second = (facts.video.frame_rate or _UNKNOWN_FRAME_RATE) + _SOUND_PACKETS_PER_SECOND
        return Source(
            read_range=read_range,
            size_bytes=size_bytes,
            container=facts.container,
            packets=round((facts.duration_seconds or 0) * packets_per_second),
        )

    def _inspected(self, bucket: str, key: str) -> tuple[tuple[ReadRange, int], MediaFacts]:
        head = self._s3.head_object(Bucket=bucket, Key=key)
        version = {"Bucket": bucket, "Key": key, "VersionId": head["VersionId"]}
        read_range, size_bytes = partial(self._read, version), head["ContentLength"]
        return (read_range, size_bytes), inspect_media(read_range, size_bytes, thumbnails=False).facts

    def _read(self, version: Any, start: int, end: int) -> bytes:
        return self._s3.get_object(**version, Range=f"bytes={start}-{end - 1}")["Body"].read()


def _place(url: str) -> tuple[str, str]:
    """Bucket and key of an address such as `s3://videos/a/b`."""
    bucket, _, key = url.removeprefix("s3://").partition("/")
    return bucket, key
