"""The only maker of AWS clients: everything is made once, at its first use.

The upload authorizer's way through here touches neither boto3 nor botocore, whose import is most of a cold start.
"""

from datetime import UTC, datetime, timedelta
from functools import cached_property, lru_cache, partial
from threading import Lock
from typing import TYPE_CHECKING, Any

from chalicelib.adapters.kms_client import KmsClient
from chalicelib.adapters.kms_mac import KmsMac
from chalicelib.core.ports import Clock, CredentialsMissingError, Mac, Meter
from chalicelib.core.sigv4 import BucketAddress, Credentials
from chalicelib.core.upload_token import UploadTokens
from chalicelib.environment import Environment

if TYPE_CHECKING:  # costly to import, or not in every function's bundle
    import boto3
    from types_boto3_s3.client import S3Client
    from types_boto3_sns.client import SNSClient

    from chalicelib.adapters.lambda_trigger import LambdaTrigger
    from chalicelib.adapters.s3_metadata import S3Metadata
    from chalicelib.adapters.s3_videos import S3Videos
    from chalicelib.adapters.sns_notifier import SnsNotifier
    from chalicelib.core.announcements import Announcements
    from chalicelib.core.caps import Caps, Room
    from chalicelib.core.completion import Completions
    from chalicelib.core.conversions import Conversions
    from chalicelib.core.deletion import Deletions
    from chalicelib.core.index.folding import Folding
    from chalicelib.core.index.reading import IndexReader
    from chalicelib.core.janitor import Janitor
    from chalicelib.core.library import Library
    from chalicelib.core.malware_scan import ScanPolicy, ScanVerdicts
    from chalicelib.core.multipart_upload import MultipartUploads
    from chalicelib.core.notification_delivery import Deliveries
    from chalicelib.core.outbox import Outbox
    from chalicelib.core.part_urls import PartUrls
    from chalicelib.core.pending_renditions import PendingRenditions
    from chalicelib.core.processing import Processing
    from chalicelib.core.progress import ProgressLog
    from chalicelib.core.records import Records
    from chalicelib.core.renditions import Renditions
    from chalicelib.core.retention import Retention
    from chalicelib.core.retention_policy import RetentionPolicy
    from chalicelib.core.simple_upload import SimpleUploads
    from chalicelib.core.stage_figures import StageFigures
    from chalicelib.core.stage_library import StageLibrary
    from chalicelib.core.stage_usage import StageUsage
    from chalicelib.core.upload_links import UploadLinks
    from chalicelib.core.viewing_urls import ViewingUrlSource


def utc_now() -> datetime:
    return datetime.now(UTC)


class Services:
    """The domain's services over real AWS clients."""

    def __init__(self, environment: Environment, now: Clock = utc_now) -> None:
        self.environment = environment
        self._now = now
        # boto3 sessions are not thread-safe while they make clients; `chalice local` answers in threads.
        self._one_client_at_a_time = Lock()

    @cached_property
    def tokens(self) -> UploadTokens:
        return UploadTokens(self._mac, self._now)

    @property
    def now(self) -> Clock:
        return self._now

    @cached_property
    def links(self) -> "UploadLinks":
        from chalicelib.core.upload_links import UploadLinks

        return UploadLinks(
            metadata=self._metadata,
            records=self.records,
            now=self._now,
            longest=timedelta(seconds=self.environment.max_link_seconds),
            caps=self.caps,
        )

    @cached_property
    def uploads(self) -> "MultipartUploads":
        from chalicelib.core.idempotency_keys import IdempotencyKeys
        from chalicelib.core.multipart_upload import MultipartUploads

        return MultipartUploads(
            records=self.records,
            videos=self._videos,
            urls=self._part_urls,
            tokens=self.tokens,
            idempotency_keys=IdempotencyKeys(self._metadata, self.records, self._now),
            meter=self.meter,
            now=self._now,
            room=self.room,
            links=self.links,
            preferred_part_bytes=self.environment.part_size_bytes,
            upload_ttl=timedelta(seconds=self.environment.upload_ttl_seconds),
        )

    @cached_property
    def completions(self) -> "Completions":
        from chalicelib.core.completion import Completions

        return Completions(
            records=self.records,
            links=self.links,
            videos=self._videos,
            meter=self.meter,
            now=self._now,
            patience_seconds=self.environment.completion_patience_seconds,
        )

    @cached_property
    def simple_uploads(self) -> "SimpleUploads":
        from chalicelib.core.simple_upload import SimpleUploads

        return SimpleUploads(
            records=self.records,
            signer=self._videos,
            meter=self.meter,
            now=self._now,
            room=self.room,
            form_ttl=timedelta(seconds=self.environment.url_ttl_seconds),
        )

    @cached_property
    def library(self) -> "Library":
        from chalicelib.core.library import Library

        return Library(
            records=self.records,
            index=self.index,
            urls=self._viewing_urls,
            deletions=self._deletions,
            meter=self.meter,
            now=self._now,
            retention=self._retention_policy,
        )

    @cached_property
    def stage_library(self) -> "StageLibrary":
        from chalicelib.core.stage_library import StageLibrary

        return StageLibrary(library=self.library, usage=self.stage_usage)

    @cached_property
    def progress_log(self) -> "ProgressLog":
        from chalicelib.core.progress import ProgressLog

        return ProgressLog(self.meter)

    @cached_property
    def processing(self) -> "Processing":
        from chalicelib.core.media.inspection import inspect_media
        from chalicelib.core.processing import Processing

        return Processing(
            records=self.records,
            videos=self._videos,
            metadata=self._metadata,
            inspect=partial(inspect_media, thumbnails=self.environment.thumbnails == "true"),
            announcements=self._announcements,
            meter=self.meter,
            now=self._now,
            scans=self._scan_policy,
            containers=self.environment.containers,
            renditions=self._renditions if self.environment.makes_renditions else None,
        )

    @cached_property
    def _renditions(self) -> "Renditions":
        from chalicelib.adapters.s3_renditions import S3Renditions
        from chalicelib.core.media.copying import copy_media
        from chalicelib.core.media.inspection import inspect_media
        from chalicelib.core.renditions import Renditions

        environment = self.environment
        return Renditions(
            records=self.records,
            videos=self._videos,
            bucket=S3Renditions(self._patient_s3, environment.video_bucket, environment.data_key_arn),
            copy=copy_media,
            inspect=inspect_media,
            announcements=self._announcements,
            meter=self.meter,
            now=self._now,
            converts=environment.converts,
        )

    @cached_property
    def pending_renditions(self) -> "PendingRenditions":
        from chalicelib.core.pending_renditions import PendingRenditions

        return PendingRenditions(
            records=self.records,
            videos=self._videos,
            processing=self._processing_trigger,
            now=self._now,
            is_on=self.environment.makes_renditions,
            conversions=self._conversions if self.environment.converts else None,
        )

    @cached_property
    def _conversions(self) -> "Conversions":
        from chalicelib.adapters.mediaconvert_converter import MediaConvert
        from chalicelib.core.conversion_budget import ConversionBudget
        from chalicelib.core.conversions import Conversions

        environment = self.environment
        converter = MediaConvert(
            self._client("mediaconvert"),
            bucket=environment.video_bucket,
            data_key_arn=environment.data_key_arn,
            queue_arn=environment.conversion_queue_arn,
            role_arn=environment.conversion_role_arn,
            tags=dict([environment.stage_tag.split("=", 1)]),
        )
        budget = ConversionBudget(
            metadata=self._metadata,
            now=self._now,
            max_seconds_per_user=environment.max_converted_seconds_per_user,
            max_seconds_per_stage=environment.max_converted_seconds_per_stage,
        )
        return Conversions(
            records=self.records,
            converter=converter,
            processing=self._processing_trigger,
            now=self._now,
            budget=budget,
        )

    @cached_property
    def scan_verdicts(self) -> "ScanVerdicts":
        from chalicelib.core.malware_scan import ScanVerdicts

        return ScanVerdicts(records=self.records, processing=self._processing_trigger, meter=self.meter)

    @cached_property
    def janitor(self) -> "Janitor":
        from chalicelib.adapters.guardduty_scanner import GuardDutyScanner
        from chalicelib.core.janitor import Janitor

        scans = self._scan_policy
        bucket = self.environment.video_bucket
        return Janitor(
            records=self.records,
            videos=self._videos,
            metadata=self._metadata,
            completions=self.completions,
            processing=self._processing_trigger,
            announcements=self._announcements,
            meter=self.meter,
            now=self._now,
            scans=scans,
            scanner=GuardDutyScanner(self._client("guardduty"), bucket) if scans.is_on else None,
            renditions=self.pending_renditions,
        )

    @cached_property
    def retention(self) -> "Retention":
        from chalicelib.core.retention import Retention

        return Retention(
            records=self.records,
            videos=self._videos,
            metadata=self._metadata,
            announcements=self._announcements,
            deletions=self._deletions,
            meter=self.meter,
            now=self._now,
            policy=self._retention_policy,
        )

    @cached_property
    def stage_figures(self) -> "StageFigures":
        from chalicelib.adapters.cost_explorer import CostExplorer
        from chalicelib.adapters.scaling_activities import ScalingActivities
        from chalicelib.core.stage_figures import StageFigures

        scaled, tag = self.environment.scaled_functions, self.environment.cost_tag
        return StageFigures(
            metadata=self._metadata,
            scaling=ScalingActivities(self._client("application-autoscaling"), scaled.split(",")) if scaled else None,
            bill=CostExplorer(self._client("ce"), *tag.split("=", 1)) if tag else None,
            meter=self.meter,
            now=self._now,
        )

    @cached_property
    def deliveries(self) -> "Deliveries":
        from chalicelib.adapters.event_bus import EventBridgeBus
        from chalicelib.adapters.public_https import PublicHttps
        from chalicelib.adapters.sqs_queue import SqsQueue
        from chalicelib.adapters.webhook_secrets import SsmWebhookSecrets
        from chalicelib.core.notification_delivery import Deliveries

        environment = self.environment
        bus = environment.event_bus_name
        return Deliveries(
            webhooks=environment.webhook_urls,
            secrets=SsmWebhookSecrets(self._client("ssm"), environment.stage),
            poster=PublicHttps(allows_loopback=environment.is_local),
            event_bus=EventBridgeBus(self._client("events"), bus) if bus else None,
            queue=SqsQueue(self._client("sqs")),
            meter=self.meter,
            now=self._now,
        )

    @cached_property
    def records(self) -> "Records":
        from chalicelib.core.records import Records

        return Records(self._metadata)

    @cached_property
    def index(self) -> "IndexReader":
        from chalicelib.core.index.reading import IndexReader, PackCache

        return IndexReader(self._metadata, self.records, PackCache(self._metadata), self._now)

    @cached_property
    def folding(self) -> "Folding":
        from chalicelib.core.index.folding import Folding

        return Folding(metadata=self._metadata, records=self.records, meter=self.meter, now=self._now)

    @cached_property
    def meter(self) -> Meter:
        from chalicelib.adapters.emf_meter import EmfMeter

        return EmfMeter(self.environment.stage)

    @cached_property
    def outbox(self) -> "Outbox":
        from chalicelib.core.outbox import Outbox

        return Outbox(metadata=self._metadata, topic=self._topic, now=utc_now)

    @cached_property
    def _announcements(self) -> "Announcements":
        from chalicelib.adapters.outbox_notifier import OutboxNotifier
        from chalicelib.core.announcements import Announcements

        uses_outbox = self.environment.message_outbox == "true"
        notifier = OutboxNotifier(self._metadata) if uses_outbox else self._topic
        return Announcements(records=self.records, notifier=notifier, now=self._now)

    @cached_property
    def _deletions(self) -> "Deletions":
        from chalicelib.core.deletion import Deletions

        return Deletions(
            records=self.records,
            videos=self._videos,
            metadata=self._metadata,
            announcements=self._announcements,
            now=self._now,
        )

    @cached_property
    def _retention_policy(self) -> "RetentionPolicy":
        from chalicelib.core.retention_policy import RetentionPolicy

        environment = self.environment
        return RetentionPolicy(
            stays=timedelta(seconds=environment.retention_seconds),
            warning=timedelta(seconds=environment.retention_warning_seconds),
        )

    @cached_property
    def _topic(self) -> "SnsNotifier":
        from chalicelib.adapters.sns_notifier import SnsNotifier

        return SnsNotifier(lambda: self._sns, self.environment.completion_topic_arn)

    @cached_property
    def _sns(self) -> "SNSClient":
        return self._client("sns", attempts=2)

    @cached_property
    def _scan_policy(self) -> "ScanPolicy":
        from chalicelib.core.malware_scan import ScanPolicy

        environment = self.environment
        return ScanPolicy(
            is_on=environment.malware_scan == "true", accepts_unscanned=environment.malware_unscanned == "accept"
        )

    @cached_property
    def _processing_trigger(self) -> "LambdaTrigger":
        from chalicelib.adapters.lambda_trigger import LambdaTrigger

        return LambdaTrigger(
            self._client("lambda"), self.environment.processing_function, self.environment.video_bucket
        )

    @cached_property
    def _mac(self) -> Mac:
        return KmsMac(self._kms, self.environment.token_keys)

    @cached_property
    def _kms(self) -> KmsClient:
        region = self.environment.aws_region
        endpoint_url = self.environment.aws_endpoint_url or f"https://kms.{region}.amazonaws.com"
        return KmsClient(endpoint_url, region, self._credentials, self._now)

    @cached_property
    def room(self) -> "Room":
        from chalicelib.core.caps import Room

        return Room(records=self.records, videos=self._videos, stage=self.stage_usage, caps=self.caps)

    @cached_property
    def caps(self) -> "Caps":
        from chalicelib.core.caps import Caps

        return Caps(
            self.environment.max_open_uploads_per_user,
            self.environment.max_reserved_bytes_per_user,
            self.environment.max_stored_bytes_per_user,
            self.environment.max_stored_videos_per_user,
        )

    @cached_property
    def stage_usage(self) -> "StageUsage":
        from chalicelib.core.stage_usage import StageUsage

        return StageUsage(
            records=self.records,
            videos=self._videos,
            metadata=self._metadata,
            meter=self.meter,
            now=self._now,
            max_bytes=self.environment.max_stored_bytes_per_stage,
        )

    @cached_property
    def _part_urls(self) -> "PartUrls":
        from chalicelib.core.part_urls import PartUrls

        return PartUrls(
            video_address=self._address(
                self.environment.video_bucket, accelerated=self.environment.transfer_acceleration == "true"
            ),
            region=self.environment.aws_region,
            credentials=self._credentials,
            ttl_seconds=self.environment.url_ttl_seconds,
            now=self._now,
        )

    @cached_property
    def _viewing_urls(self) -> "ViewingUrlSource":
        from chalicelib.adapters.kms_signer import KmsSigner
        from chalicelib.core.viewing_urls import CloudFrontViewingUrls, S3ViewingUrls

        environment = self.environment
        if environment.media_key_pair_id:
            return CloudFrontViewingUrls(
                site_url=environment.site_url,
                key_pair_id=environment.media_key_pair_id,
                signer=KmsSigner(self._kms, environment.media_key_arn),
                ttl_seconds=environment.url_ttl_seconds,
                now=self._now,
                plays_renditions=environment.makes_renditions,
            )
        return S3ViewingUrls(
            video_address=self._address(environment.video_bucket),
            metadata_address=self._address(environment.metadata_bucket),
            region=environment.aws_region,
            credentials=self._credentials,
            ttl_seconds=environment.url_ttl_seconds,
            now=self._now,
            plays_renditions=environment.makes_renditions,
        )

    @cached_property
    def _videos(self) -> "S3Videos":
        from chalicelib.adapters.s3_videos import S3Videos

        return S3Videos(
            self._s3, self.environment.video_bucket, self.environment.data_key_arn, lambda: self._patient_s3
        )

    @cached_property
    def _metadata(self) -> "S3Metadata":
        from chalicelib.adapters.s3_metadata import S3Metadata

        return S3Metadata(self._s3, self.environment.metadata_bucket)

    @cached_property
    def _s3(self) -> "S3Client":
        return self._client("s3")

    @cached_property
    def _session(self) -> "boto3.Session":
        import boto3

        return boto3.Session(region_name=self.environment.aws_region)

    @cached_property
    def _patient_s3(self) -> "S3Client":
        """Client for completions, which may take S3 minutes (S3 API, CompleteMultipartUpload)."""
        return self._client("s3", read_timeout_seconds=300, attempts=5)

    def _client(self, service: str, *, read_timeout_seconds: int = 5, attempts: int = 4) -> Any:
        from botocore.config import Config

        local = bool(self.environment.aws_endpoint_url)
        with self._one_client_at_a_time:
            make: Any = self._session.client
            return make(
                service,
                endpoint_url=self.environment.aws_endpoint_url or None,
                config=Config(
                    signature_version="s3v4" if service == "s3" else None,
                    s3={"addressing_style": "path" if local else "virtual"},
                    # boto3 else adds a CRC32 of its own to every upload, and to what it presigns.
                    request_checksum_calculation="when_required",
                    response_checksum_validation="when_required",
                    retries={"mode": "standard", "total_max_attempts": attempts},
                    max_pool_connections=64,  # as many calls as the local site lets in at once
                    # All attempts end before API Gateway gives up (API Gateway quotas, "Maximum integration timeout").
                    connect_timeout=3,
                    read_timeout=read_timeout_seconds,
                ),
            )

    def _credentials(self) -> Credentials:
        """Return the function's role's credentials from the environment on AWS; those of boto3's chain elsewhere."""
        if given := self.environment.credentials():
            return given
        found = self._session.get_credentials()
        if found is None:
            raise CredentialsMissingError
        frozen: Any = found.get_frozen_credentials()
        return Credentials(frozen.access_key, frozen.secret_key, frozen.token)

    def _address(self, bucket: str, *, accelerated: bool = False) -> BucketAddress:
        if self.environment.aws_endpoint_url:
            return BucketAddress(self.environment.aws_endpoint_url, f"/{bucket}")
        if accelerated:
            return BucketAddress(f"https://{bucket}.s3-accelerate.amazonaws.com")
        return BucketAddress(f"https://{bucket}.s3.{self.environment.aws_region}.amazonaws.com")


@lru_cache(maxsize=1)
def services() -> Services:
    """Raises InvalidEnvironmentError."""
    return Services(Environment.read())
