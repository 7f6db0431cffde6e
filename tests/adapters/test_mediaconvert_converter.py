"""Jobs that MediaConvert is asked for, held to AWS's own model of its API."""

from datetime import UTC, datetime
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from botocore.stub import ANY, Stubber

from chalicelib.adapters.conversion_events import video_in
from chalicelib.adapters.mediaconvert_converter import MediaConvert
from chalicelib.core.conversions import Conversion, ConversionRefusedError, JobState, fitted
from chalicelib.core.video_id import VideoRef

REF = VideoRef("ada", "f" * 28)
RUNNING_SINCE = datetime(2026, 11, 28, 12, tzinfo=UTC)
ANSWER: dict[str, Any] = {"Job": {"Id": "job-1", "Role": "role-arn", "Settings": {}}}


@pytest.fixture
def stubbed() -> tuple[MediaConvert, Stubber]:
    client = boto3.client(
        "mediaconvert", region_name="eu-central-1", aws_access_key_id="AK", aws_secret_access_key="SK"
    )
    stubber = Stubber(client)
    stubber.activate()
    converter = MediaConvert(client, "videos", "key-arn", "queue-arn", "role-arn", {"Stage": "prod"})
    return converter, stubber


def wanted(*, has_sound: bool = True, may_be_hdr: bool = False) -> Conversion:
    return Conversion(token="token-1", ref=REF, width=1920, height=1080, has_sound=has_sound, may_be_hdr=may_be_hdr)


def settings_of(converter: MediaConvert, stubber: Stubber, conversion: Conversion) -> dict[str, Any]:
    """The settings of the job that is asked for; botocore has checked them against its model."""
    asked: list[dict[str, Any]] = []
    expected = {
        "ClientRequestToken": "token-1",
        "Queue": "queue-arn",
        "Role": "role-arn",
        "Settings": ANY,
        "UserMetadata": {"videoId": REF.video_id, "owner": "ada"},
        "BillingTagsSource": "JOB",
        "Tags": {"Stage": "prod"},
    }
    stubber.add_response("create_job", ANSWER, expected)
    converter.mediaconvert.meta.events.register(
        "provide-client-params.mediaconvert.CreateJob", lambda params, **_: asked.append(params)
    )
    assert converter.begin(conversion) == "job-1"
    return asked[0]["Settings"]


@pytest.mark.parametrize("has_sound", [True, False])
def test_a_job_is_one_that_the_api_takes_and_makes_an_mp4_beside_the_video(
    stubbed: tuple[MediaConvert, Stubber], has_sound: bool
) -> None:
    settings = settings_of(*stubbed, wanted(has_sound=has_sound))
    (read,), (group,) = settings["Inputs"], settings["OutputGroups"]
    (output,) = group["Outputs"]
    written = group["OutputGroupSettings"]["FileGroupSettings"]
    assert read["FileInput"] == f"s3://videos/{REF.file_key}"
    assert f"{written['Destination']}.{output['Extension']}" == f"s3://videos/{REF.rendition_key}"
    assert written["DestinationSettings"]["S3Settings"]["Encryption"]["KmsKeyArn"] == "key-arn"
    assert ("AudioDescriptions" in output, "AudioSelectors" in read) == (has_sound, has_sound)


def test_a_job_asks_for_nothing_of_the_professional_tier_but_where_pictures_may_be_hdr(
    stubbed: tuple[MediaConvert, Stubber],
) -> None:
    converter, stubber = stubbed
    plain = settings_of(converter, stubber, wanted())
    (output,) = plain["OutputGroups"][0]["Outputs"]
    encoding = output["VideoDescription"]["CodecSettings"]["H264Settings"]
    assert encoding["QualityTuningLevel"] == "SINGLE_PASS_HQ"
    assert encoding["InterlaceMode"] == "PROGRESSIVE"
    assert "VideoPreprocessors" not in output["VideoDescription"]
    assert "AccelerationSettings" not in plain


def test_pictures_that_may_be_hdr_are_mapped_to_what_every_screen_shows(stubbed: tuple[MediaConvert, Stubber]) -> None:
    (output,) = settings_of(*stubbed, wanted(may_be_hdr=True))["OutputGroups"][0]["Outputs"]
    corrected = output["VideoDescription"]["VideoPreprocessors"]["ColorCorrector"]
    assert corrected["ColorSpaceConversion"] == "FORCE_709"


def test_a_job_that_the_service_takes_for_wrong_is_refused_for_good(stubbed: tuple[MediaConvert, Stubber]) -> None:
    converter, stubber = stubbed
    stubber.add_client_error("create_job", "BadRequestException")
    with pytest.raises(ConversionRefusedError):
        converter.begin(wanted())
    stubber.add_client_error("create_job", "TooManyRequestsException")
    with pytest.raises(ClientError):
        converter.begin(wanted())


def test_a_job_is_found_by_its_video_and_its_token(stubbed: tuple[MediaConvert, Stubber]) -> None:
    converter, stubber = stubbed
    jobs = [{**ANSWER["Job"], "Id": token, "ClientRequestToken": token} for token in ("token-2", "token-1")]
    asked = {"InputFile": f"s3://videos/{REF.file_key}", "Queue": "queue-arn", "MaxResults": 20, "Order": "DESCENDING"}
    for token, found in (("token-1", "token-1"), ("token-3", None)):
        stubber.add_response("search_jobs", {"Jobs": jobs}, asked)
        assert converter.find(REF, token) == found


def test_an_event_names_the_video_of_its_job() -> None:
    assert video_in({"status": "COMPLETE", "userMetadata": {"owner": "ada", "videoId": REF.video_id}}) == REF


@pytest.mark.parametrize(
    "told", [{}, {"userMetadata": {"made": "by hand"}}, {"userMetadata": {"owner": "../x", "videoId": REF.video_id}}]
)
def test_an_event_of_a_job_that_the_platform_did_not_begin_names_no_video(told: dict[str, Any]) -> None:
    assert video_in({"status": "COMPLETE", **told}) is None


@pytest.mark.parametrize(
    ("status", "state"),
    [
        ("SUBMITTED", JobState.RUNNING),
        ("PROGRESSING", JobState.RUNNING),
        ("COMPLETE", JobState.COMPLETE),
        ("ERROR", JobState.FAILED),
        ("CANCELED", JobState.FAILED),
    ],
)
def test_a_jobs_state_is_read(stubbed: tuple[MediaConvert, Stubber], status: str, state: JobState) -> None:
    converter, stubber = stubbed
    job: Any = {"Job": {"Id": "job-1", "Role": "r", "Settings": {}, "Status": status}}
    stubber.add_response("get_job", job, {"Id": "job-1"})
    assert converter.look("job-1").state is state


def test_a_jobs_run_and_the_length_of_its_result_are_read(stubbed: tuple[MediaConvert, Stubber]) -> None:
    converter, stubber = stubbed
    told: Any = {
        **ANSWER["Job"],
        "Status": "COMPLETE",
        "Timing": {"StartTime": RUNNING_SINCE},
        "OutputGroupDetails": [{"OutputDetails": [{"DurationInMs": 61_500, "VideoDetails": {}}]}],
    }
    stubber.add_response("get_job", {"Job": told}, {"Id": "job-1"})
    job = converter.look("job-1")
    assert (job.running_since, job.result_seconds) == (RUNNING_SINCE, 61.5)


def test_a_job_that_nobody_knows_is_unknown_and_needs_no_cancelling(stubbed: tuple[MediaConvert, Stubber]) -> None:
    converter, stubber = stubbed
    stubber.add_client_error("get_job", "NotFoundException")
    assert converter.look("job-1").state is JobState.UNKNOWN
    stubber.add_client_error("cancel_job", "NotFoundException")
    converter.cancel("job-1")


@pytest.mark.parametrize(
    ("picture", "fits"),
    [
        ((3840, 2160), (1920, 1080)),
        ((2160, 3840), (1080, 1920)),
        ((1280, 720), (1280, 720)),
        ((4096, 1716), (1920, 804)),
        ((721, 405), (720, 404)),
    ],
)
def test_a_picture_is_fitted_into_1080p_and_never_enlarged(picture: tuple[int, int], fits: tuple[int, int]) -> None:
    assert fitted(*picture) == fits
