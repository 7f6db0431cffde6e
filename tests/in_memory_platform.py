"""The domain's services over an outside world in memory."""

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from chalicelib.core.announcements import Announcements
from chalicelib.core.caps import Caps, Room
from chalicelib.core.completion import Completions
from chalicelib.core.conversion_budget import ConversionBudget
from chalicelib.core.conversions import Conversions
from chalicelib.core.deletion import Deletions
from chalicelib.core.idempotency_keys import IdempotencyKeys
from chalicelib.core.index.folding import Folding
from chalicelib.core.index.reading import IndexReader, PackCache
from chalicelib.core.janitor import Janitor
from chalicelib.core.library import Library
from chalicelib.core.malware_scan import NO_SCAN, ScanPolicy, ScanResult, ScanVerdict, ScanVerdicts, VerdictOutcome
from chalicelib.core.multipart_upload import MultipartUploads, StartedUpload
from chalicelib.core.notification_delivery import Deliveries
from chalicelib.core.outbox import Outbox
from chalicelib.core.part_plan import MIN_PART_BYTES
from chalicelib.core.part_urls import PartUrls
from chalicelib.core.pending_renditions import PendingRenditions
from chalicelib.core.ports import OutcomeUnknownError, StoredObject
from chalicelib.core.processing import Processed, Processing
from chalicelib.core.progress import ProgressLog
from chalicelib.core.records import Records
from chalicelib.core.renditions import Renditions
from chalicelib.core.retention import Retention
from chalicelib.core.retention_policy import FOR_EVER, RetentionPolicy
from chalicelib.core.sigv4 import BucketAddress, Credentials
from chalicelib.core.simple_upload import SimpleUploads
from chalicelib.core.stage_figures import StageFigures
from chalicelib.core.stage_library import StageLibrary
from chalicelib.core.stage_usage import StageUsage
from chalicelib.core.upload_links import UploadLinks
from chalicelib.core.upload_requests import CompleteUpload, StartUpload
from chalicelib.core.upload_token import UploadToken, UploadTokens
from chalicelib.core.video_record import VideoRecord
from chalicelib.core.viewing_urls import S3ViewingUrls
from tests.fake_converter import FakeConverter
from tests.fakes import (
    FakeBill,
    FakeClock,
    FakeMac,
    FakeMetadata,
    FakeMeter,
    FakeNotifier,
    FakeOutside,
    FakeRenditions,
    FakeScaling,
    FakeScanner,
    FakeTrigger,
    FakeVideos,
)
from tests.in_memory_films import (
    copied,
    film,
    inspected,
    inspected_of_hevc,
    inspected_of_quicktime,
    parts_of_film,
    refuse_to_copy,
)

OWNER = "2b1f7c1e-user"


@dataclass
class InMemoryPlatform:
    """One platform in memory."""

    clock: FakeClock
    metadata: FakeMetadata
    videos: FakeVideos
    renditions: FakeRenditions
    converter: FakeConverter
    mac: FakeMac
    notifier: FakeNotifier
    trigger: FakeTrigger
    scanner: FakeScanner
    scaling: FakeScaling
    bill: FakeBill
    meter: FakeMeter
    records: Records
    tokens: UploadTokens
    uploads: MultipartUploads
    simple_uploads: SimpleUploads
    completions: Completions
    processing: Processing
    scan_verdicts: ScanVerdicts
    janitor: Janitor
    library: Library
    retention: Retention
    stage_library: StageLibrary
    folding: Folding
    room: Room
    stage_usage: StageUsage
    links: UploadLinks
    outbox: Outbox
    stage_figures: StageFigures
    progress_log: ProgressLog
    deliveries: Deliveries
    viewing_urls: S3ViewingUrls

    def start(
        self, size_bytes: int = 3 * MIN_PART_BYTES - 1, owner: str = OWNER, *, correlation_id: str | None = None
    ) -> "Transfer":
        started = self.uploads.start(owner, StartUpload("film.mp4", "video/mp4", size_bytes), correlation_id)
        return Transfer(self, started, self.tokens.verify(started.token))

    def record_state(self, transfer: "Transfer") -> str:
        record = self.records.find(transfer.token.ref)
        assert record
        return record.state.value

    def process(self, transfer: "Transfer") -> Processed:
        newest = self.videos.versions[transfer.key][-1]
        return self.processing.process(StoredObject(transfer.key, newest.version_id))

    def scanned(self, transfer: "Transfer", result: ScanResult, version_id: str | None = None) -> VerdictOutcome:
        """The scanner's verdict on a version, the newest unless another is named."""
        newest = self.videos.versions[transfer.key][-1].version_id
        return self.scan_verdicts.receive(ScanVerdict(transfer.key, version_id or newest, "", result))

    def process_what_was_asked(self) -> list[Processed]:
        """Run the processing that verdicts and sweeps asked for."""
        asked = list(self.trigger.triggered)
        self.trigger.triggered.clear()
        return [self.processing.process(StoredObject(*event)) for event in asked]

    def restore(self, transfer: "Transfer", before: VideoRecord) -> None:
        """Restore as an operator's command does, without its event. before: the record before the deletion."""
        tombstone = self.records.find(before.ref)
        assert tombstone
        self.videos.hidden.discard(transfer.key)
        version_id = self.videos.versions[transfer.key][-1].version_id
        self.records.reserve(before.ref, before.size_bytes)
        restored = before.restored(self.clock(), version_id=version_id, scans=tombstone.scans)
        self.metadata.put(before.ref.record_key, restored.to_json(), "application/json")
        self.trigger.trigger(transfer.key, version_id, before.size_bytes)

    def change_retention(self, policy: RetentionPolicy) -> None:
        """Deploy another setting: of new instances, over the same buckets."""
        self.library = replace(self.library, retention=policy)
        self.retention = replace(self.retention, policy=policy)

    def change_renditions(self, *, makes: bool) -> None:
        """Deploy another setting: of new instances, over the same buckets."""
        maker = Renditions(
            records=self.records,
            videos=self.videos,
            bucket=self.renditions,
            copy=copied,
            inspect=inspected_of_quicktime,
            announcements=self.processing.announcements,
            meter=self.processing.meter,
            now=self.clock,
        )
        self.processing = replace(
            self.processing, renditions=maker if makes else None, inspect=inspected_of_quicktime if makes else inspected
        )
        self.janitor = replace(self.janitor, renditions=replace(self.janitor.renditions, is_on=makes))
        urls = replace(self.viewing_urls, plays_renditions=makes)
        self.library = replace(self.library, urls=urls)

    def turn_conversions_on(self, *, max_seconds_per_user: int = 0, max_seconds_per_stage: int = 0) -> None:
        """Deploy a stage that makes renditions; videos arrive in a codec that needs the converter."""
        self.change_renditions(makes=True)
        maker = self.processing.renditions
        assert maker
        self.processing = replace(self.processing, renditions=replace(maker, converts=True), inspect=inspected_of_hevc)
        budget = ConversionBudget(
            metadata=self.metadata,
            now=self.clock,
            max_seconds_per_user=max_seconds_per_user,
            max_seconds_per_stage=max_seconds_per_stage,
        )
        conversions = Conversions(
            records=self.records,
            converter=self.converter,
            processing=self.trigger,
            now=self.clock,
            budget=budget,
        )
        pending = replace(self.janitor.renditions, conversions=conversions)
        self.janitor = replace(self.janitor, renditions=pending)

    def fail_copies(self) -> None:
        """Have every copy fail from now on."""
        assert self.processing.renditions
        self.processing = replace(self.processing, renditions=replace(self.processing.renditions, copy=refuse_to_copy))

    def change_scans(self, policy: ScanPolicy) -> None:
        """Deploy another setting: of new instances, over the same buckets."""
        self.processing = replace(self.processing, scans=policy)
        self.janitor = replace(self.janitor, scans=policy)


@dataclass
class Transfer:
    """One client with one upload."""

    platform: InMemoryPlatform
    started: StartedUpload
    token: UploadToken

    @property
    def key(self) -> str:
        return self.token.file_key

    @property
    def body(self) -> bytes:
        return film(self.started.record.size_bytes)

    def send_parts(self) -> dict[int, str]:
        bodies = parts_of_film(self.started.record.size_bytes, self.started.record.plan.part_size_bytes)
        return {
            number: self.platform.videos.put_part(self.token.upload_id, number, body)
            for number, body in enumerate(bodies, 1)
        }

    def completion(self, etags: dict[int, str], checksum: str | None = None) -> CompleteUpload:
        return CompleteUpload(etags, checksum, None, None)

    def send_and_complete(self) -> None:
        self.platform.completions.complete(self.token, self.completion(self.send_parts()))

    def die_completing(self, request: CompleteUpload) -> None:
        """The function dies before S3 has put anything together."""

        def die() -> None:
            raise OutcomeUnknownError

        self.platform.videos.before_complete = die
        self.platform.completions.complete(self.token, request)
        self.platform.videos.before_complete = lambda: None


CAPS = Caps(max_open_uploads=3, max_reserved_bytes=100 * 2**20)


def platform_in_memory(
    scans: ScanPolicy = NO_SCAN,
    caps: Caps = CAPS,
    max_stage_bytes: int = 0,
    retention: RetentionPolicy = FOR_EVER,
) -> InMemoryPlatform:
    """Its clock stands still until a test lets time pass."""
    clock = FakeClock()
    metadata, videos = FakeMetadata(clock), FakeVideos(clock)
    mac, notifier, trigger, meter = FakeMac(), FakeNotifier(), FakeTrigger(), FakeMeter()
    scanner, scaling, bill = FakeScanner(), FakeScaling(), FakeBill()
    records = Records(metadata)
    announcements = Announcements(records=records, notifier=notifier, now=clock)
    deletions = Deletions(records=records, videos=videos, metadata=metadata, announcements=announcements, now=clock)
    tokens = UploadTokens(mac, clock)
    stage_usage = StageUsage(
        records=records, videos=videos, metadata=metadata, meter=meter, now=clock, max_bytes=max_stage_bytes
    )
    room = Room(records=records, videos=videos, stage=stage_usage, caps=caps)
    links = UploadLinks(metadata=metadata, records=records, now=clock, longest=timedelta(days=30), caps=caps)
    video_address = BucketAddress("https://videos.s3.test")
    signing: Any = {
        "region": "eu-central-1",
        "credentials": lambda: Credentials("AK", "SK"),
        "ttl_seconds": 900,
        "now": clock,
    }
    part_urls = PartUrls(video_address=video_address, **signing)
    viewing_urls = S3ViewingUrls(
        video_address=video_address, metadata_address=BucketAddress("https://metadata.s3.test"), **signing
    )
    library = Library(
        records=records,
        index=IndexReader(metadata, records, PackCache(metadata), clock),
        urls=viewing_urls,
        deletions=deletions,
        meter=meter,
        now=clock,
        retention=retention,
    )
    completions = Completions(records=records, links=links, videos=videos, meter=meter, now=clock, patience_seconds=10)
    return InMemoryPlatform(
        clock=clock,
        metadata=metadata,
        videos=videos,
        renditions=FakeRenditions(videos),
        converter=FakeConverter(clock, videos),
        viewing_urls=viewing_urls,
        mac=mac,
        notifier=notifier,
        trigger=trigger,
        scanner=scanner,
        scaling=scaling,
        bill=bill,
        meter=meter,
        records=records,
        tokens=tokens,
        uploads=MultipartUploads(
            records=records,
            videos=videos,
            urls=part_urls,
            tokens=tokens,
            idempotency_keys=IdempotencyKeys(metadata, records, clock),
            meter=meter,
            now=clock,
            room=room,
            links=links,
            preferred_part_bytes=MIN_PART_BYTES,
            upload_ttl=timedelta(days=7),
        ),
        simple_uploads=SimpleUploads(
            records=records, signer=videos, meter=meter, now=clock, room=room, form_ttl=timedelta(minutes=15)
        ),
        completions=completions,
        processing=Processing(
            records=records,
            videos=videos,
            metadata=metadata,
            inspect=inspected,
            announcements=announcements,
            meter=meter,
            now=clock,
            scans=scans,
        ),
        scan_verdicts=ScanVerdicts(records=records, processing=trigger, meter=meter),
        janitor=Janitor(
            records=records,
            videos=videos,
            metadata=metadata,
            completions=completions,
            processing=trigger,
            announcements=announcements,
            meter=meter,
            now=clock,
            renditions=PendingRenditions(records=records, videos=videos, processing=trigger, now=clock),
            scans=scans,
            scanner=scanner,
        ),
        stage_figures=StageFigures(metadata=metadata, scaling=scaling, bill=bill, meter=meter, now=clock),
        progress_log=ProgressLog(meter),
        deliveries=Deliveries(
            webhooks={},
            secrets=(outside := FakeOutside()),
            poster=outside,
            event_bus=None,
            queue=outside,
            meter=meter,
            now=clock,
        ),
        library=library,
        stage_library=StageLibrary(library=library, usage=stage_usage),
        retention=Retention(
            records=records,
            videos=videos,
            metadata=metadata,
            announcements=announcements,
            deletions=deletions,
            meter=meter,
            now=clock,
            policy=retention,
        ),
        folding=Folding(metadata=metadata, records=records, meter=meter, now=clock),
        room=room,
        stage_usage=stage_usage,
        links=links,
        outbox=Outbox(metadata=metadata, topic=notifier, now=clock),
    )
