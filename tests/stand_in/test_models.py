"""Requests beyond AWS's models: the stand-in refuses them as the service does, over HTTP and from any client."""

import json
from collections.abc import Callable
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from chalicelib.adapters.kms_client import KmsClient, KmsError
from chalicelib.core.sigv4 import Credentials
from local.stand_in import names
from local.stand_in.faults import Clock
from tests.stand_in.server_process import Server, send, status_of

KEY = "videos/someone/one.mp4"


def _client(server: Server, service: str) -> Any:
    """A client that checks nothing itself."""
    made = boto3.Session(
        aws_access_key_id=names.ACCESS_KEY, aws_secret_access_key=names.SECRET_KEY, region_name=names.REGION
    )
    config = Config(
        parameter_validation=False,
        request_checksum_calculation="when_required",
        retries={"total_max_attempts": 1},
        s3={"addressing_style": "path"},
    )
    return made.client(service, endpoint_url=server.url, config=config)  # pyrefly: ignore[no-matching-overload]


def _refusal(call: Callable[[], object]) -> tuple[int, str]:
    with pytest.raises(ClientError) as caught:
        call()
    return status_of(caught.value), caught.value.response.get("Error", {}).get("Code", "")


def test_a_log_stream_named_after_an_identity_is_refused(server: Server) -> None:
    logs = _client(server, "logs")
    logs.create_log_group(logGroupName="clients")
    stream = {"logGroupName": "clients", "logStreamName": f"{names.REGION}:0f9c"}
    events = [{"timestamp": 1, "message": "{}"}]
    assert _refusal(lambda: logs.create_log_stream(**stream)) == (400, "InvalidParameterException")
    assert _refusal(lambda: logs.put_log_events(**stream, logEvents=events)) == (400, "InvalidParameterException")
    logs.create_log_stream(logGroupName="clients", logStreamName=f"{names.REGION}-0f9c")


def test_calls_of_the_app_without_botocore_are_refused_too(server: Server) -> None:
    kms = KmsClient(
        endpoint_url=server.url,
        region=names.REGION,
        credentials=lambda: Credentials(names.ACCESS_KEY, names.SECRET_KEY),
        now=Clock().now,
    )
    token_key = {"KeyId": names.UPLOAD_TOKEN_KEY_ALIAS, "Message": "bWVzc2FnZQ=="}
    assert kms.call("GenerateMac", **token_key, MacAlgorithm="HMAC_SHA_256")["Mac"]
    for parameters in ({"MacAlgorithm": "HMAC_SHA256"}, {"MacAlgorithm": "HMAC_SHA_256", "Purpose": "tokens"}, {}):
        with pytest.raises(KmsError, match="ValidationException"):
            kms.call("GenerateMac", **token_key, **parameters)


def test_a_form_is_refused_in_the_xml_of_its_service(server: Server) -> None:
    sns = _client(server, "sns")
    arn = names.COMPLETIONS_TOPIC_ARN
    sns.tag_resource(ResourceArn=arn, Tags=[{"Key": "k" * 128, "Value": "v"}])
    too_long = [{"Key": "k" * 129, "Value": "v"}]
    assert _refusal(lambda: sns.tag_resource(ResourceArn=arn, Tags=too_long)) == (400, "InvalidParameter")


def test_a_queue_tells_what_is_missing(server: Server) -> None:
    sqs = _client(server, "sqs")
    url = names.queue_url(server.url, names.EVENTS_QUEUE)
    sqs.send_message(QueueUrl=url, MessageBody="{}")
    status, code = _refusal(lambda: sqs.send_message(QueueUrl=url))
    assert (status, code.rpartition(".")[2]) == (400, "MissingParameter")


def test_a_function_is_not_invoked_under_an_impossible_name(server: Server) -> None:
    functions = _client(server, "lambda")
    functions.invoke(FunctionName="video-upload-local-janitor", InvocationType="Event", Payload=b"{}")
    refused = _refusal(lambda: functions.invoke(FunctionName="the janitor", InvocationType="Event", Payload=b"{}"))
    assert refused == (400, "ValidationException")


def test_a_call_without_credentials_is_refused_too(server: Server) -> None:
    headers = {
        "X-Amz-Target": "AWSCognitoIdentityProviderService.InitiateAuth",
        "Content-Type": "application/x-amz-json-1.1",
    }
    reply = send("POST", server.url, json.dumps({"AuthFlow": "USER_AUTH", "ClientId": "a b"}).encode(), headers)
    assert (reply.status, json.loads(reply.body)["__type"]) == (400, "InvalidParameterException")


def test_a_refused_call_stands_in_the_request_log(server: Server) -> None:
    _refusal(lambda: _client(server, "kms").describe_key(KeyId=""))
    (logged,) = server.requests()
    assert (logged["operation"], logged["status"]) == ("DescribeKey", 400)


@pytest.mark.parametrize(
    ("parameters", "code"),
    [
        ({"StorageClass": "STANDARD_IA"}, None),
        ({"StorageClass": "COLD"}, "InvalidStorageClass"),
        ({"ServerSideEncryption": "AES512"}, "InvalidEncryptionAlgorithmError"),
        ({"ObjectLockMode": "FOREVER"}, "InvalidArgument"),
        ({"ACL": "everybody"}, "InvalidArgument"),
    ],
)
def test_an_object_takes_only_headers_that_s3_knows(
    server: Server, parameters: dict[str, str], code: str | None
) -> None:
    s3 = _client(server, "s3")
    if code is None:
        s3.put_object(Bucket=server.bucket, Key=KEY, Body=b"x", **parameters)
    else:
        assert _refusal(lambda: s3.put_object(Bucket=server.bucket, Key=KEY, Body=b"x", **parameters)) == (400, code)


def test_an_upload_and_its_parts_are_held_to_the_model(server: Server) -> None:
    s3 = _client(server, "s3")
    where = {"Bucket": server.bucket, "Key": KEY}
    upload = {**where, "UploadId": server.upload(KEY, [])}
    s3.upload_part(**upload, PartNumber=1, Body=b"x", RequestPayer="requester")
    refused = _refusal(lambda: s3.upload_part(**upload, PartNumber=1, Body=b"x", RequestPayer="somebody"))
    assert refused == (400, "InvalidArgument")
    assert _refusal(lambda: s3.create_multipart_upload(**where, ACL="everybody")) == (400, "InvalidArgument")
    assert _refusal(lambda: s3.list_parts(**upload, RequestPayer="somebody")) == (400, "InvalidArgument")


def test_an_xml_body_that_the_model_does_not_know_is_malformed(server: Server) -> None:
    s3 = _client(server, "s3")
    s3.put_object(Bucket=server.bucket, Key=KEY, Body=b"x")
    s3.put_object_tagging(Bucket=server.bucket, Key=KEY, Tagging={"TagSet": [{"Key": "a", "Value": "b"}]})
    without_value = {"TagSet": [{"Key": "a"}]}
    refused = _refusal(lambda: s3.put_object_tagging(Bucket=server.bucket, Key=KEY, Tagging=without_value))
    assert refused == (400, "MalformedXML")


@pytest.mark.parametrize(("status", "code"), [("Enabled", None), ("On", "MalformedXML")])
def test_a_bucket_is_held_to_the_model_as_well(server: Server, status: str, code: str | None) -> None:
    s3 = _client(server, "s3")

    def call() -> object:
        rules = [{"ID": "old", "Filter": {"Prefix": ""}, "Status": status, "Expiration": {"Days": 1}}]
        return s3.put_bucket_lifecycle_configuration(Bucket=server.bucket, LifecycleConfiguration={"Rules": rules})

    if code is None:
        call()
        s3.delete_bucket_lifecycle(Bucket=server.bucket)
    else:
        assert _refusal(call) == (400, code)
