"""SQS's long polling, and clients that do not wait for its end."""

import threading
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError, ReadTimeoutError

from local.stand_in import names
from tests.stand_in.server_process import Server

LONG_SECONDS = 10
"""Far longer than what a test waits for."""


@pytest.fixture
def queue(server: Server) -> str:
    return names.queue_url(server.url, names.COMPLETIONS_QUEUE)


def impatient(server: Server) -> Any:
    """A client that closes its connection after half a second."""
    return boto3.client(
        "sqs",
        endpoint_url=server.url,
        region_name=names.REGION,
        aws_access_key_id=names.ACCESS_KEY,
        aws_secret_access_key=names.SECRET_KEY,
        config=Config(read_timeout=0.5, retries={"total_max_attempts": 1}),
    )


def bodies(answer: Any) -> list[str]:
    return [message["Body"] for message in answer.get("Messages", [])]


def test_a_client_that_is_gone_takes_no_message(server: Server, queue: str) -> None:
    with pytest.raises(ReadTimeoutError):
        impatient(server).receive_message(QueueUrl=queue, WaitTimeSeconds=LONG_SECONDS)
    server.sqs.send_message(QueueUrl=queue, MessageBody="for somebody who is there")
    answer = server.sqs.receive_message(QueueUrl=queue, WaitTimeSeconds=LONG_SECONDS)
    assert bodies(answer) == ["for somebody who is there"]
    assert "ReceiveMessage" in {entry["operation"] for entry in server.requests()}


def test_a_waiting_client_gets_what_comes_meanwhile(server: Server, queue: str) -> None:
    sender = threading.Timer(0.3, server.sqs.send_message, kwargs={"QueueUrl": queue, "MessageBody": "late"})
    sender.start()
    assert bodies(server.client("sqs").receive_message(QueueUrl=queue, WaitTimeSeconds=LONG_SECONDS)) == ["late"]
    sender.join()


def test_a_waiting_client_gets_what_nobody_has_deleted_in_time(server: Server, queue: str) -> None:
    server.sqs.send_message(QueueUrl=queue, MessageBody="forgotten")
    assert bodies(server.sqs.receive_message(QueueUrl=queue, VisibilityTimeout=1)) == ["forgotten"]
    assert bodies(server.sqs.receive_message(QueueUrl=queue)) == []
    assert bodies(server.sqs.receive_message(QueueUrl=queue, WaitTimeSeconds=LONG_SECONDS)) == ["forgotten"]


def test_the_end_of_the_time_is_an_empty_answer_and_an_unknown_queue_an_error_at_once(
    server: Server, queue: str
) -> None:
    assert bodies(server.sqs.receive_message(QueueUrl=queue, WaitTimeSeconds=1)) == []
    with pytest.raises(ClientError, match="NonExistentQueue"):
        server.sqs.receive_message(QueueUrl=f"{queue}-unknown", WaitTimeSeconds=LONG_SECONDS)
