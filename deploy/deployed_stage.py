"""A deployed stage, described by its stack's outputs, and the clients for operators' commands."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Self

import boto3

from chalicelib.adapters.emf_meter import EmfMeter
from chalicelib.adapters.lambda_trigger import LambdaTrigger
from chalicelib.adapters.mediaconvert_converter import MediaConvert
from chalicelib.adapters.s3_metadata import S3Metadata
from chalicelib.adapters.s3_videos import S3Videos
from chalicelib.adapters.sns_notifier import SnsNotifier
from chalicelib.core.announcements import Announcements
from chalicelib.core.caps import Caps
from chalicelib.core.conversions import Conversions
from chalicelib.core.index.folding import Folding
from chalicelib.core.records import Records
from chalicelib.core.upload_links import UploadLinks
from chalicelib.core.video_record import VideoRecord
from components.naming import StageNames
from deploy.stack_outputs import StackOutputs

if TYPE_CHECKING:
    from types_boto3_cognito_idp.client import CognitoIdentityProviderClient
    from types_boto3_lambda.client import LambdaClient
    from types_boto3_s3.client import S3Client

MOST_LOOKS = 60
"""Interval of looks at a conversion that is being cancelled."""

PAUSE_SECONDS = 1.0

MAX_SESSION_NAME_CHARS = 64  # STS API reference, AssumeRole


@dataclass(frozen=True)
class DeployedStage:
    """Buckets, functions and the user pool of one stage.

    outputs: of its stack. session: with the credentials, in the stage's region.
    """

    outputs: StackOutputs
    session: boto3.Session

    @classmethod
    def opened(cls, outputs: StackOutputs) -> Self:
        """Connect with the operators' role if the stage has one, else with the caller's own rights.

        Raises OutputsNotReadableError.
        """
        session = boto3.Session(region_name=outputs.region)
        role_arn = outputs.get("operatorRoleArn")
        return cls(outputs, _in_role(session, role_arn) if role_arn else session)

    @cached_property
    def context(self) -> StageNames:
        outputs = self.outputs
        return StageNames(stage=outputs.environment["STAGE"], account_id=outputs.account_id, region=outputs.region)

    @property
    def video_bucket(self) -> str:
        return self.outputs.environment["VIDEO_BUCKET"]

    @property
    def metadata_bucket(self) -> str:
        return self.outputs.environment["METADATA_BUCKET"]

    @property
    def makes_renditions(self) -> bool:
        return self.outputs.environment.get("RENDITIONS") == "true"

    @property
    def user_pool_id(self) -> str:
        return self.outputs["userPoolId"]

    @property
    def administrators_group(self) -> str:
        """The administrators' group; empty on a stage without administrators."""
        return self.outputs.environment["ADMINISTRATORS_GROUP"]

    @cached_property
    def s3(self) -> S3Client:
        return self.session.client("s3")

    @cached_property
    def lambdas(self) -> LambdaClient:
        return self.session.client("lambda")

    @cached_property
    def cognito(self) -> CognitoIdentityProviderClient:
        return self.session.client("cognito-idp")

    @cached_property
    def folding(self) -> Folding:
        return Folding(
            metadata=self.metadata,
            records=self.records,
            meter=EmfMeter(self.context.stage),
            now=lambda: datetime.now(UTC),
        )

    @cached_property
    def metadata(self) -> S3Metadata:
        return S3Metadata(self.s3, self.metadata_bucket)

    @cached_property
    def videos(self) -> S3Videos:
        return S3Videos(self.s3, self.video_bucket, self.outputs.environment["DATA_KEY_ARN"], lambda: self.s3)

    @cached_property
    def records(self) -> Records:
        return Records(self.metadata)

    @cached_property
    def links(self) -> UploadLinks:
        """Upload links, to list and revoke; operators create none."""
        return UploadLinks(
            metadata=self.metadata,
            records=self.records,
            now=lambda: datetime.now(UTC),
            longest=timedelta(),
            caps=Caps(max_open_uploads=0, max_reserved_bytes=0),
        )

    @cached_property
    def announcements(self) -> Announcements:
        sns = self.session.client("sns")
        notifier = SnsNotifier(lambda: sns, self.outputs.environment["COMPLETION_TOPIC_ARN"])
        return Announcements(records=self.records, notifier=notifier, now=lambda: datetime.now(UTC))

    @cached_property
    def conversions(self) -> Conversions | None:
        """Conversions, to find and cancel; operators start none. None on a stage without conversions."""
        environment = self.outputs.environment
        if not environment.get("CONVERSION_QUEUE_ARN"):
            return None
        converter = MediaConvert(
            self.session.client("mediaconvert"),
            bucket=self.video_bucket,
            data_key_arn=environment["DATA_KEY_ARN"],
            queue_arn=environment["CONVERSION_QUEUE_ARN"],
            role_arn=environment["CONVERSION_ROLE_ARN"],
            tags={},
        )
        return Conversions(
            records=self.records,
            converter=converter,
            processing=self.processing,
            now=lambda: datetime.now(UTC),
            budget=None,
        )

    def stops_conversion(self, record: VideoRecord) -> bool:
        """Cancel the conversion of a video and wait until nothing writes its rendition. False if it does not end."""
        if self.conversions is None or not record.may_be_converting:
            return True
        for _ in range(MOST_LOOKS):
            if self.conversions.stopped(record):
                return True
            time.sleep(PAUSE_SECONDS)
        return False

    @cached_property
    def processing(self) -> LambdaTrigger:
        return LambdaTrigger(self.lambdas, self.outputs.environment["PROCESSING_FUNCTION"], self.video_bucket)


def _in_role(session: boto3.Session, role_arn: str) -> boto3.Session:
    """A session of the operators' role, named for the caller in the trail."""
    sts = session.client("sts")
    caller = sts.get_caller_identity()["Arn"].rpartition("/")[2]
    taken = sts.assume_role(RoleArn=role_arn, RoleSessionName=caller[:MAX_SESSION_NAME_CHARS])["Credentials"]
    return boto3.Session(
        aws_access_key_id=taken["AccessKeyId"],
        aws_secret_access_key=taken["SecretAccessKey"],
        aws_session_token=taken["SessionToken"],
        region_name=session.region_name,
    )
