"""One request of every service that the platform, its commands and its program use: at a bound, and past it."""

from dataclasses import dataclass, field
from typing import Any

import pytest

from local.stand_in.aws_models.refusals import Refusal, refusal, unknown_operation
from local.stand_in.aws_models.requests import HttpRequest, ModelledCall, UnreadableError, modelled
from tests.aws_models.sent_requests import written


@dataclass(frozen=True)
class Bound:
    """A request that AWS takes, and one that it refuses: told apart by a single value."""

    service: str
    operation: str
    within: Any
    beyond: Any
    member: str
    code: str
    others: dict[str, Any] = field(default_factory=dict[str, Any])

    def __str__(self) -> str:
        return f"{self.service}:{self.operation}:{self.member}"


ROLE = "arn:aws:iam::123456789012:role/video-upload"
TRUST = {"AssumeRolePolicyDocument": "{}"}
BOUNDS = [
    Bound("kms", "generate_mac", b"x" * 4096, b"x" * 4097, "Message", "ValidationException",
          {"KeyId": "alias/token", "MacAlgorithm": "HMAC_SHA_256"}),
    Bound("kms", "sign", "ECDSA_SHA_256", "ECDSA_SHA256", "SigningAlgorithm", "ValidationException",
          {"KeyId": "alias/media", "Message": b"m"}),
    Bound("logs", "create_log_stream", "eu-central-1-9f", "eu-central-1:9f", "logStreamName",
          "InvalidParameterException", {"logGroupName": "/video-upload/local/client"}),
    Bound("logs", "put_log_events", "eu-central-1-9f", "eu-central-1:9f", "logStreamName",
          "InvalidParameterException", {"logGroupName": "clients", "logEvents": [{"timestamp": 1, "message": "{}"}]}),
    Bound("logs", "put_log_events", [{"timestamp": 1, "message": "m"}], [{"timestamp": 1, "message": ""}], "logEvents",
          "InvalidParameterException", {"logGroupName": "clients", "logStreamName": "s"}),
    Bound("logs", "create_log_group", "/a/b-c_d.e#f", "/a/b c", "logGroupName", "InvalidParameterException"),
    Bound("cognito-idp", "admin_get_user", "eu-central-1_Ab1", "eu-central-1-Ab1", "UserPoolId",
          "InvalidParameterException", {"Username": "ada"}),
    Bound("cognito-idp", "create_group", 0, -1, "Precedence", "InvalidParameterException",
          {"GroupName": "operators", "UserPoolId": "eu-central-1_Ab1"}),
    Bound("cognito-idp", "create_resource_server", "Api of dev", "Api: dev", "Name", "InvalidParameterException",
          {"Identifier": "video-upload", "UserPoolId": "eu-central-1_Ab1"}),
    Bound("sns", "publish_batch", [{"Id": "1", "Message": "m"}], [{"Id": "1"}], "PublishBatchRequestEntries",
          "InvalidParameter", {"TopicArn": "arn:aws:sns:eu-central-1:123456789012:t"}),
    Bound("sns", "tag_resource", "k" * 128, "k" * 129, "Tags", "InvalidParameter",
          {"ResourceArn": "arn:aws:sns:eu-central-1:123456789012:t"}),
    Bound("sqs", "send_message", "body", None, "MessageBody", "MissingParameter",
          {"QueueUrl": "https://sqs.eu-central-1.amazonaws.com/123456789012/events"}),
    Bound("sts", "assume_role", 900, 899, "DurationSeconds", "ValidationError",
          {"RoleArn": ROLE, "RoleSessionName": "ada"}),
    Bound("lambda", "invoke", "video-upload-local-janitor", "video upload", "FunctionName", "ValidationException"),
    Bound("lambda", "put_provisioned_concurrency_config", 1, 0, "ProvisionedConcurrentExecutions",
          "ValidationException", {"FunctionName": "f", "Qualifier": "live"}),
    Bound("lambda", "create_function", 128, 127, "MemorySize", "ValidationException",
          {"FunctionName": "f", "Role": ROLE, "Code": {"ZipFile": b"zip"}}),
    Bound("lambda", "create_function", {"Mode": "Active"}, {"Mode": "On"}, "TracingConfig", "ValidationException",
          {"FunctionName": "f", "Role": ROLE, "Code": {"ZipFile": b"zip"}}),
    Bound("application-autoscaling", "register_scalable_target", "lambda", "lamda", "ServiceNamespace",
          "ValidationException",
          {"ResourceId": "function:f:live", "ScalableDimension": "lambda:function:ProvisionedConcurrency"}),
    Bound("ce", "get_cost_and_usage", "2026-11-26", "26 November", "TimePeriod", "ValidationException",
          {"Granularity": "DAILY", "Metrics": ["UnblendedCost"]}),
    Bound("iam", "create_role", "Signs parts", "Signs parts \u2013 no more", "Description", "ValidationError",
          {"RoleName": "r", **TRUST}),
    Bound("iam", "create_role", "r" * 64, "r" * 65, "RoleName", "ValidationError", TRUST),
    Bound("ec2", "create_flow_logs", "ALL", "EVERYTHING", "TrafficType", "InvalidParameterValue",
          {"ResourceIds": ["vpc-1"], "ResourceType": "VPC"}),
    Bound("events", "put_rule", "d" * 512, "d" * 513, "Description", "ValidationException", {"Name": "janitor"}),
    Bound("wafv2", "create_web_acl", "CLOUDFRONT", "EDGE", "Scope", "ValidationException",
          {"Name": "edge", "DefaultAction": {"Allow": {}},
           "VisibilityConfig": {"SampledRequestsEnabled": True, "CloudWatchMetricsEnabled": True, "MetricName": "m"}}),
    Bound("xray", "create_group", "g" * 32, "g" * 33, "GroupName", "ValidationException"),
    Bound("budgets", "describe_budget", "dev-month", "dev:month", "BudgetName", "InvalidParameterException",
          {"AccountId": "123456789012"}),
    Bound("cloudfront", "create_function", "site", "site!", "Name", "InvalidArgument",
          {"FunctionConfig": {"Comment": "", "Runtime": "cloudfront-js-2.0"}, "FunctionCode": b"code"}),
    Bound("cloudfront", "create_origin_access_control", "always", "sometimes", "OriginAccessControlConfig",
          "InvalidArgument"),
    Bound("apigateway", "create_rest_api", "HEADER", "COOKIE", "apiKeySource", "BadRequestException", {"name": "api"}),
    Bound("cloudtrail", "create_trail", "arn", None, "S3BucketName", "InvalidParameterException", {"Name": "trail"}),
    Bound("service-quotas", "get_service_quota", "L-B99A9384", "L B99A9384", "QuotaCode", "ValidationException",
          {"ServiceCode": "lambda"}),
    Bound("sesv2", "put_account_details", "TRANSACTIONAL", "OTHER", "MailType", "BadRequestException",
          {"WebsiteURL": "https://example.org"}),
]  # fmt: skip


def _parameters(bound: Bound, value: Any) -> dict[str, Any]:
    shaped = {
        ("sns", "tag_resource"): lambda: [{"Key": value, "Value": "v"}],
        ("ce", "get_cost_and_usage"): lambda: {"Start": value, "End": "2026-11-27"},
        ("cloudfront", "create_origin_access_control"): lambda: {
            "Name": "buckets",
            "SigningProtocol": "sigv4",
            "SigningBehavior": value,
            "OriginAccessControlOriginType": "s3",
        },
    }.get((bound.service, bound.operation), lambda: value)
    given: dict[str, Any] = {bound.member: shaped()} if value is not None else {}
    return {**bound.others, **given}


def _call(request: HttpRequest) -> ModelledCall:
    call = modelled(request)
    assert call is not None
    return call


def _refused(request: HttpRequest) -> Refusal | None:
    call = _call(request)
    violations = call.violations(request)
    return refusal(call, violations) if violations else None


@pytest.mark.parametrize("bound", BOUNDS, ids=str)
def test_a_request_at_its_bound_passes_and_one_past_it_is_refused(bound: Bound) -> None:
    within = written(bound.service, bound.operation, **_parameters(bound, bound.within))
    assert _refused(within) is None
    beyond = written(bound.service, bound.operation, **_parameters(bound, bound.beyond))
    answer = _refused(beyond)
    assert answer is not None
    assert (answer.status, answer.code) == (400, bound.code), answer.body.decode()
    assert answer.code.encode() in answer.body
    assert bound.member[0].lower() + bound.member[1:] in answer.body.decode()


def _post(target: str, body: bytes, service: str = "kms") -> HttpRequest:
    credential = f"AWS4-HMAC-SHA256 Credential=local/20261126/eu-central-1/{service}/aws4_request, Signature=0"
    return HttpRequest(
        method="POST",
        path="/",
        query={},
        headers={"x-amz-target": target, "authorization": credential},
        body=body,
    )


@pytest.mark.parametrize(
    ("body", "code", "told"),
    [
        (b'{"KeyId": "k", "Purpose": "tokens"}', "ValidationException", "Value 'tokens' at 'purpose'"),
        (b'{"KeyId": 1}', "SerializationException", "Member must be a string"),
        (b"{}", "ValidationException", "Value null at 'keyId' failed to satisfy constraint: Member must not be null"),
        (b'{"KeyId": "", "GrantTokens": [""]}', "ValidationException", "2 validation errors detected"),
    ],
    ids=["an unknown member", "a wrong type", "a missing member", "two faults"],
)
def test_a_call_without_botocore_is_held_to_the_same_model(body: bytes, code: str, told: str) -> None:
    answer = _refused(_post("TrentService.DescribeKey", body))
    assert answer is not None
    assert answer.code == code
    assert told in answer.body.decode()


def test_an_operation_that_no_service_has_is_refused() -> None:
    call = _call(_post("TrentService.SignEverything", b"{}"))
    assert call.operation is None
    assert unknown_operation(call).code == "UnknownOperationException"


def test_a_body_that_is_not_json_is_refused() -> None:
    request = _post("TrentService.DescribeKey", b"KeyId=1")
    with pytest.raises(UnreadableError):
        _call(request).violations(request)


def test_a_secret_is_not_told_in_the_refusal() -> None:
    answer = _refused(
        written(
            "cognito-idp",
            "admin_set_user_password",
            UserPoolId="eu-central-1_Ab1",
            Username="ada",
            Password="p" * 257,
        )
    )
    assert answer is not None
    assert "ppp" not in answer.body.decode()
    assert "at 'password' failed to satisfy constraint" in answer.body.decode()


def test_a_request_signed_for_no_aws_service_is_not_checked() -> None:
    assert modelled(_post("Home.Grown", b"{}", service="homegrown")) is None
    assert modelled(HttpRequest(method="GET", path="/moto-api/", query={}, headers={})) is None


def test_before_credentials_there_is_a_model_too() -> None:
    request = _post("AWSCognitoIdentityProviderService.InitiateAuth", b'{"AuthFlow": "USER_AUTH", "ClientId": "a b"}')
    unsigned = HttpRequest(
        method="POST", path="/", query={}, headers={"x-amz-target": request.headers["x-amz-target"]}, body=request.body
    )
    answer = _refused(unsigned)
    assert answer is not None
    assert answer.code == "InvalidParameterException"
