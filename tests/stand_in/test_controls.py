"""Faults on purpose, the log of requests, Lambda's Invoke, and the other services."""

import http.client
import json
import socket

import pytest
from botocore.exceptions import ClientError, ConnectionClosedError

from local.stand_in import names
from tests.stand_in.server_process import MIB, Server, send, wait_for


def test_a_fault_refuses_as_often_as_it_was_told_and_only_where(server: Server) -> None:
    fault = {"operation": "UploadPart", "status": 503, "code": "SlowDown", "times": 2, "keyContains": "slow"}
    assert server.control("POST", "faults", fault).status == 204
    server.upload("videos/quick", [b"x"])
    upload_id = server.upload("videos/slow", [])
    url = server.presign("upload_part", Key="videos/slow", UploadId=upload_id, PartNumber=1)
    assert [(reply := send("PUT", url, b"x")).status for _ in range(3)] == [503, 503, 200]
    assert reply.headers["etag"]
    log = [entry for entry in server.requests() if entry["operation"] == "UploadPart"]
    assert log == [
        {"operation": "UploadPart", "key": f"videos/{key}", "partNumber": 1, "status": status}
        for key, status in (("quick", 200), ("slow", 503), ("slow", 503), ("slow", 200))
    ]
    counters = json.loads(server.control("GET", "requests").body)["counters"]
    assert counters["UploadPart"] == 4


def test_a_lost_answer_is_a_completed_upload_and_a_broken_connection(server: Server) -> None:
    server.control("POST", "faults", {"operation": "CompleteMultipartUpload", "loseResponse": True})
    upload_id = server.upload("videos/k", [b"x" * 5 * MIB, b"y"])
    with pytest.raises(ConnectionClosedError):
        server.complete("videos/k", upload_id)
    assert server.s3.head_object(Bucket=server.bucket, Key="videos/k")["ContentLength"] == 5 * MIB + 1
    assert len(server.events()) == 1
    with pytest.raises(ClientError, match="NoSuchUpload"):
        server.complete("videos/k", upload_id, MultipartUpload={"Parts": [{"PartNumber": 1, "ETag": "x"}]})


def test_a_slow_completion_has_no_effect_until_it_is_over(server: Server) -> None:
    server.control("POST", "faults", {"operation": "CompleteMultipartUpload", "delaySeconds": 3})
    upload_id = server.upload("videos/k", [b"x"])
    listed = server.listed("videos/k", upload_id)
    url = server.presign("complete_multipart_upload", Key="videos/k", UploadId=upload_id)
    part = f"<Part><PartNumber>1</PartNumber><ETag>{listed[0]['ETag']}</ETag></Part>"
    body = f"<CompleteMultipartUpload>{part}</CompleteMultipartUpload>"
    with pytest.raises(TimeoutError):
        send("POST", url, body.encode(), timeout=0.3)
    assert server.s3.list_objects_v2(Bucket=server.bucket)["KeyCount"] == 0
    # The client is long gone; S3 finishes all the same.
    wait_for(lambda: server.s3.list_objects_v2(Bucket=server.bucket)["KeyCount"] == 1)


def test_faults_can_be_cleared_and_strike_other_services_too(server: Server) -> None:
    server.control("POST", "faults", {"operation": "GenerateMac", "status": 500, "code": "KMSInternalException"})
    kms = server.client("kms")
    request = {"KeyId": names.UPLOAD_TOKEN_KEY_ALIAS, "Message": b"m", "MacAlgorithm": "HMAC_SHA_256"}
    with pytest.raises(ClientError, match="KMSInternalException"):
        kms.generate_mac(**request)
    server.control("POST", "faults", {"operation": "GenerateMac", "status": 500, "times": 9})
    server.control("DELETE", "faults")
    mac = kms.generate_mac(**request)["Mac"]
    assert kms.verify_mac(**request, Mac=mac)["MacValid"]
    with pytest.raises(ClientError, match="KMSInvalidMac"):
        kms.verify_mac(**request, Mac=mac[::-1])


@pytest.mark.parametrize(
    "document", [[], {}, {"operation": 1}, {"operation": "PutObject", "times": True}, {"operation": "x", "often": 1}]
)
def test_a_fault_that_is_none_is_refused(document: object, server: Server) -> None:
    assert server.control("POST", "faults", document).status == 400


def test_invoke_puts_the_payload_on_the_events_queue(server: Server) -> None:
    function = server.client("lambda")
    event = {"Records": [{"s3": {"object": {"key": "videos/a"}}}]}
    answer = function.invoke(FunctionName="video-processing:live", InvocationType="Event", Payload=json.dumps(event))
    assert answer["StatusCode"] == 202
    assert server.events() == [event]
    with pytest.raises(ClientError, match="Only InvocationType Event"):
        function.invoke(FunctionName="video-processing", Payload="{}")


def test_a_completion_message_reaches_the_subscribed_queue(server: Server) -> None:
    server.client("sns").publish(TopicArn=names.COMPLETIONS_TOPIC_ARN, Message="ready")
    (message,) = server.events(names.COMPLETIONS_QUEUE)
    assert message["Message"] == "ready"


def test_a_connection_serves_many_requests_deletes_and_refusals_included(server: Server) -> None:
    connection = http.client.HTTPConnection(server.url.removeprefix("http://"), timeout=10)
    put, delete = server.presign("put_object", Key="k"), server.presign("delete_object", Key="k")
    connection.connect()
    first_socket = connection.sock
    for method, url, status in (("PUT", put, 200), ("PUT", put + "0", 403), ("DELETE", delete, 204), ("PUT", put, 200)):
        body = b"x" * 300_000 if method == "PUT" else None
        connection.request(method, url.removeprefix(server.url), body=body)
        answer = connection.getresponse()
        answer.read()
        assert answer.status == status
        assert connection.sock is first_socket
    connection.close()


def test_a_client_that_asks_before_it_sends_is_refused_before_it_sends(server: Server) -> None:
    address = server.url.removeprefix("http://")
    host, _, port = address.partition(":")
    good = server.presign("put_object", Key="k").removeprefix(server.url)
    for target, first in ((good, b"HTTP/1.1 100 Continue"), (good + "0", b"HTTP/1.1 403 Forbidden")):
        with socket.create_connection((host, int(port)), timeout=10) as connection:
            head = f"PUT {target} HTTP/1.1\r\nHost: {address}\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n"
            connection.sendall(head.encode())
            assert connection.recv(4096).startswith(first)
            if target == good:
                connection.sendall(b"hello")
                assert connection.recv(4096).startswith(b"HTTP/1.1 200 OK")
    assert server.s3.get_object(Bucket=server.bucket, Key="k")["Body"].read() == b"hello"


def test_a_body_without_a_length_and_one_that_breaks_off_are_not_stored(server: Server) -> None:
    address = server.url.removeprefix("http://")
    host, _, port = address.partition(":")
    target = server.presign("put_object", Key="k").removeprefix(server.url)
    with socket.create_connection((host, int(port)), timeout=10) as connection:
        head = f"PUT {target} HTTP/1.1\r\nHost: {address}\r\nTransfer-Encoding: chunked\r\n\r\n"
        connection.sendall(head.encode() + b"5\r\nhello\r\n0\r\n\r\n")
        assert connection.recv(4096).startswith(b"HTTP/1.1 411 ")
    with socket.create_connection((host, int(port)), timeout=10) as connection:
        head = f"PUT {target} HTTP/1.1\r\nHost: {address}\r\nContent-Length: 500\r\n\r\n"
        connection.sendall(head.encode() + b"hello")
        connection.shutdown(socket.SHUT_WR)
        assert b"<Code>IncompleteBody</Code>" in b"".join(iter(lambda: connection.recv(4096), b""))
    assert server.s3.list_objects_v2(Bucket=server.bucket)["KeyCount"] == 0
