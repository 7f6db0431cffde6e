"""The Chalice app: which route, authorizer, event and schedule exists. Their code is in chalicelib."""

from typing import Any
from urllib.parse import unquote_plus

from chalice.app import Chalice, CloudWatchEvent, Rate, S3Event, SQSEvent

from chalicelib.adapters.conversion_events import CONVERTER, ENDS, JOB_CHANGED, video_in
from chalicelib.adapters.guardduty_scanner import SCAN_RESULT, SCANNER
from chalicelib.core.outbox import OUTBOX
from chalicelib.core.ports import QueuedMessage, StoredObject
from chalicelib.environment import ImportTimeSettings, LocalSignIn
from chalicelib.invocations import in_an_invocation
from chalicelib.routes.health import health
from chalicelib.routes.multipart_complete import multipart_complete
from chalicelib.routes.multipart_init import multipart_init
from chalicelib.routes.stage_videos import stage_videos
from chalicelib.routes.upload_links import upload_links
from chalicelib.routes.upload_tokens import upload_tokens
from chalicelib.routes.video_upload import video_upload
from chalicelib.wiring import services

JANITOR_INTERVAL_MINUTES = 5
CONVERSION_EVENTS = {"source": [CONVERTER], "detail-type": [JOB_CHANGED], "detail": {"status": list(ENDS)}}
"""Events that wake the janitor ahead of its schedule; one that is lost costs time alone."""

DELIVERIES_AT_ONCE = 5
"""Messages of one destination that an invocation attempts one after the other."""

app = Chalice(app_name="video-upload", configure_logs=False)
for blueprint in (upload_tokens, video_upload, stage_videos, multipart_init, upload_links, multipart_complete, health):
    app.register_blueprint(blueprint)


@app.on_s3_event(bucket=ImportTimeSettings.read().video_bucket, events=["s3:ObjectCreated:*"], prefix="videos/")
@in_an_invocation
def video_processing(event: S3Event) -> None:
    for record in event.to_dict()["Records"]:
        services().processing.process(_arrived(record["s3"]["object"]))


@app.on_s3_event(bucket=ImportTimeSettings.read().metadata_bucket, events=["s3:ObjectCreated:*"], prefix=OUTBOX)
@in_an_invocation
def message_sender(event: S3Event) -> None:
    for record in event.to_dict()["Records"]:
        services().outbox.send(unquote_plus(record["s3"]["object"]["key"]))


@app.on_cw_event(
    {
        "source": [SCANNER],
        "detail-type": [SCAN_RESULT],
        "detail": {"s3ObjectDetails": {"bucketName": [ImportTimeSettings.read().video_bucket]}},
    }
)
@in_an_invocation
def scan_verdict(event: CloudWatchEvent) -> None:
    from chalicelib.adapters.scan_events import verdict_in

    services().scan_verdicts.receive(verdict_in(event.detail))


@app.schedule(Rate(JANITOR_INTERVAL_MINUTES, unit=Rate.MINUTES))
@in_an_invocation
def janitor(event: CloudWatchEvent) -> dict[str, int]:
    if event.source == CONVERTER:
        if video := video_in(event.detail):
            services().pending_renditions.job_changed(video)
        return {}
    # The sweep late: it alone is not bounded in time.
    is_folded = services().folding.record()
    services().stage_usage.record()
    services().stage_figures.record()
    services().retention.walk()
    services().outbox.send_delayed()
    outcomes = dict(services().janitor.sweep())
    if not is_folded:
        services().folding.record()
    return outcomes


# One function for every destination's queue: the infrastructure names them.
@app.on_sqs_message(queue="destinations", batch_size=DELIVERIES_AT_ONCE)
@in_an_invocation
def notification_delivery(event: SQSEvent) -> dict[str, list[dict[str, str]]]:
    failed = services().deliveries.deliver([_queued(record) for record in event.to_dict()["Records"]])
    # Lambda Developer Guide, "Implementing partial batch responses"
    return {"batchItemFailures": [{"itemIdentifier": message_id} for message_id in failed]}


def _queued(record: dict[str, Any]) -> QueuedMessage:
    return QueuedMessage(
        message_id=record["messageId"],
        receipt_handle=record["receiptHandle"],
        queue_arn=record["eventSourceARN"],
        body=record["body"],
        receive_count=int(record["attributes"]["ApproximateReceiveCount"]),
    )


def _arrived(stored: dict[str, Any]) -> StoredObject:
    # Chalice decodes the first record's key only; S3 codes keys as a form would.
    return StoredObject(file_key=unquote_plus(stored["key"]), version_id=stored.get("versionId"))


if sign_in := LocalSignIn.read():
    from chalicelib import local_gateway

    local_gateway.install(sign_in)
