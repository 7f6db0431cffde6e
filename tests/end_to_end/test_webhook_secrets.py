"""The operators' command for the secrets of webhooks, and the redrive of notifications, at the stand-in."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from chalicelib.adapters.webhook_secrets import SsmWebhookSecrets, parameter_name
from chalicelib.core.webhook_signatures import signing_key
from deploy import webhook_secret
from deploy.redrive import redrive_notifications
from local.stand_in import names
from tests.end_to_end.actors import Operator, StandIn


@pytest.fixture
def webhook(operator: Operator, tmp_path: Path) -> str:
    """Name of a webhook that the stage's outputs know."""
    file = tmp_path / "outputs.json"
    outputs = json.loads(file.read_text())
    outputs["functionEnvironment"]["WEBHOOKS"] = "billing=https://billing.example.com/,other=https://b.example.com/"
    file.write_text(json.dumps(outputs))
    return "billing"


def test_a_secret_is_printed_once_and_stored_encrypted(operator: Operator, stand_in: StandIn, webhook: str) -> None:
    ssm = stand_in.client("ssm")
    name = parameter_name("local", webhook)
    *_, first = operator.run(webhook_secret.main, "make", webhook).split()
    signing_key(first)
    assert ssm.get_parameter(Name=name)["Parameter"]["Type"] == "SecureString"
    assert first not in operator.run(webhook_secret.main, "make", webhook, status=1)
    assert "is not being rotated" in operator.run(webhook_secret.main, "finish", webhook, "--yes", status=1)
    assert "Add --yes" in operator.run(webhook_secret.main, "rotate", webhook, status=1)

    *_, second = operator.run(webhook_secret.main, "rotate", webhook, "--yes").split()
    assert SsmWebhookSecrets(ssm, "local").of(webhook) == (second, first)
    assert "already" in operator.run(webhook_secret.main, "rotate", webhook, "--yes", status=1)

    told = operator.run(webhook_secret.main, "finish", webhook, "--yes")
    assert second not in told
    assert SsmWebhookSecrets(ssm, "local").of(webhook) == (second,)
    assert "is not a webhook of local" in operator.run(webhook_secret.main, "make", "unknown", status=1)
    assert "has no secret" in operator.run(webhook_secret.main, "rotate", "other", "--yes", status=1)


def test_undelivered_notifications_are_sent_again(stand_in: StandIn) -> None:
    sqs = stand_in.client("sqs")
    for name in ("video-upload-local-to-dead", "video-upload-local-to-dead-failed"):
        sqs.create_queue(QueueName=name)
    dead = names.queue_url(stand_in.url, "video-upload-local-to-dead-failed")
    for number in range(12):
        sqs.send_message(QueueUrl=dead, MessageBody=f"message {number}")
    assert redrive_notifications(sqs, queue="video-upload-local-to-dead") == 12
    assert redrive_notifications(sqs, queue="video-upload-local-to-dead") == 0
    alive = sqs.get_queue_attributes(
        QueueUrl=names.queue_url(stand_in.url, "video-upload-local-to-dead"),
        AttributeNames=["ApproximateNumberOfMessages"],
    )
    assert alive["Attributes"]["ApproximateNumberOfMessages"] == "12"
