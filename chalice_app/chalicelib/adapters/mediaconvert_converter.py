"""AWS Elemental MediaConvert: one job makes one MP4 that every browser plays.

MediaConvert API reference, `CreateJob`; MediaConvert User Guide, "Creating a job".
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from chalicelib.adapters.client_errors import error_code
from chalicelib.adapters.conversion_events import OWNER, VIDEO_ID
from chalicelib.core.conversions import UNKNOWN_JOB, Conversion, ConversionRefusedError, Job, JobState
from chalicelib.core.video_id import VideoRef

MAX_BITS_PER_SECOND = 8_000_000
"""For the busiest pictures of 1080p; QVBR takes what the quality needs, mostly less."""
QUALITY_LEVEL = 7
"""User Guide, "Guidelines for setting up QVBR": 7 for viewing on tablets and PCs, 8 or 9 on large screens."""
SOUND_BITS_PER_SECOND = 128_000

_STATES = {
    "SUBMITTED": JobState.RUNNING,
    "PROGRESSING": JobState.RUNNING,
    "COMPLETE": JobState.COMPLETE,
    "CANCELED": JobState.FAILED,
    "ERROR": JobState.FAILED,
}
_SOUND = "Audio Selector 1"
_TO_SDR = {"ColorSpaceConversion": "FORCE_709", "HdrToSdrToneMapper": "PRESERVE_DETAILS"}
"""Without it, browsers would show pictures of a high dynamic range pale: H.264 in 8 bits does not carry it. Asked for
only where pictures may have one: AWS does not say to which tier it belongs."""


@dataclass(frozen=True)
class MediaConvert:
    """role_arn: assumed by MediaConvert. tags: of each job, for cost allocation."""

    mediaconvert: Any
    bucket: str
    data_key_arn: str
    queue_arn: str
    role_arn: str
    tags: dict[str, str]

    def begin(self, conversion: Conversion) -> str:
        try:
            answer = self.mediaconvert.create_job(
                ClientRequestToken=conversion.token,
                Queue=self.queue_arn,
                Role=self.role_arn,
                Settings=self._settings(conversion),
                UserMetadata={OWNER: conversion.ref.owner, VIDEO_ID: conversion.ref.video_id},
                BillingTagsSource="JOB",
                Tags=self.tags,
            )
        except ClientError as error:
            if error_code(error) == "BadRequestException":
                raise ConversionRefusedError from error
            raise
        return answer["Job"]["Id"]

    def find(self, ref: VideoRef, token: str) -> str | None:
        # Jobs are remembered for months, and an operator may have had many begun for one video.
        found = self.mediaconvert.search_jobs(
            InputFile=self._input(ref), Queue=self.queue_arn, MaxResults=20, Order="DESCENDING"
        )
        return next((job["Id"] for job in found.get("Jobs", []) if job.get("ClientRequestToken") == token), None)

    def look(self, job_id: str) -> Job:
        try:
            job = self.mediaconvert.get_job(Id=job_id)["Job"]
        except ClientError as error:
            if error_code(error) == "NotFoundException":
                return UNKNOWN_JOB
            raise
        return Job(
            state=_STATES[job["Status"]],
            running_since=job.get("Timing", {}).get("StartTime"),
            result_seconds=_result_seconds(job),
        )

    def cancel(self, job_id: str) -> None:
        try:
            self.mediaconvert.cancel_job(Id=job_id)
        except ClientError as error:
            # It has ended meanwhile.
            if error_code(error) not in {"NotFoundException", "ConflictException", "BadRequestException"}:
                raise

    def _input(self, ref: VideoRef) -> str:
        return f"s3://{self.bucket}/{ref.file_key}"

    def _settings(self, conversion: Conversion) -> dict[str, Any]:
        picture = {
            "Width": conversion.width,
            "Height": conversion.height,
            "ScalingBehavior": "STRETCH_TO_OUTPUT",  # the shape is the same, but for a pixel of rounding
            "CodecSettings": {
                "Codec": "H_264",
                "H264Settings": {
                    "RateControlMode": "QVBR",
                    "QvbrSettings": {"QvbrQualityLevel": QUALITY_LEVEL},
                    "MaxBitrate": MAX_BITS_PER_SECOND,
                    "CodecProfile": "HIGH",
                    # The best of the Basic tier: "balanced single-pass encoding" of the pricing page.
                    "QualityTuningLevel": "SINGLE_PASS_HQ",
                    # From interlaced pictures as well, without the deinterlacer, which is of the Professional tier.
                    "InterlaceMode": "PROGRESSIVE",
                    "FramerateControl": "INITIALIZE_FROM_SOURCE",
                    "ParControl": "SPECIFIED",
                    "ParNumerator": 1,
                    "ParDenominator": 1,
                },
            },
            **({"VideoPreprocessors": {"ColorCorrector": _TO_SDR}} if conversion.may_be_hdr else {}),
        }
        sound = {
            "AudioSourceName": _SOUND,
            "CodecSettings": {
                "Codec": "AAC",
                "AacSettings": {
                    "Bitrate": SOUND_BITS_PER_SECOND,
                    "CodingMode": "CODING_MODE_2_0",
                    "SampleRate": 48_000,
                },
            },
        }
        output = {
            "Extension": "mp4",
            "ContainerSettings": {"Container": "MP4", "Mp4Settings": {"MoovPlacement": "PROGRESSIVE_DOWNLOAD"}},
            "VideoDescription": picture,
            **({"AudioDescriptions": [sound]} if conversion.has_sound else {}),
        }
        encryption = {"EncryptionType": "SERVER_SIDE_ENCRYPTION_KMS", "KmsKeyArn": self.data_key_arn}
        return {
            "TimecodeConfig": {"Source": "ZEROBASED"},
            "Inputs": [
                {
                    "FileInput": self._input(conversion.ref),
                    "TimecodeSource": "ZEROBASED",
                    "VideoSelector": {"Rotate": "AUTO"},
                    **({"AudioSelectors": {_SOUND: {"DefaultSelection": "DEFAULT"}}} if conversion.has_sound else {}),
                }
            ],
            "OutputGroups": [
                {
                    "Name": "File Group",
                    "OutputGroupSettings": {
                        "Type": "FILE_GROUP_SETTINGS",
                        "FileGroupSettings": {
                            "Destination": f"s3://{self.bucket}/{conversion.ref.rendition_key.removesuffix('.mp4')}",
                            "DestinationSettings": {"S3Settings": {"Encryption": encryption}},
                        },
                    },
                    "Outputs": [output],
                }
            ],
        }


def _result_seconds(job: Mapping[str, Any]) -> float | None:
    """Length of a completed job's output; None while MediaConvert does not report it."""
    lengths = [
        output["DurationInMs"]
        for group in job.get("OutputGroupDetails", [])
        for output in group.get("OutputDetails", [])
        if "DurationInMs" in output
    ]
    return sum(lengths) / 1000 if lengths else None
