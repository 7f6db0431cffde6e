"""Safety of functions and the API: who calls them, where they run, what they leave behind."""

from __future__ import annotations

from chalicelib.environment import FUNCTIONS
from components.api.document import BEARER
from tests.infrastructure.function_rights import OUTSIDE_NETWORK
from tests.infrastructure.recorded_program import ACCOUNT_ID, Recording
from tests.infrastructure.safety.reading import (
    Violations,
    api_document,
    bucket_arn,
    operations,
    physical_name,
    require,
)
from tests.matrix.rules import RULES_BY_FUNCTION


def functions_are_called_by_their_triggers_alone(recording: Recording) -> Violations:
    execution = "api-rest"
    account = ACCOUNT_ID
    gateway = "apigateway.amazonaws.com"
    api = f"arn:aws:execute-api:eu-central-1:{account}:{execution}-id"
    rule = f"arn:aws:cloudwatch:eu-central-1:{account}:compute"
    wanted: dict[str, tuple[str, str, str | None]] = {
        **{f"compute-{function}-gateway": (gateway, f"{api}/api/*/*", None) for function in RULES_BY_FUNCTION},
        "compute-upload_token_authorizer-gateway": (gateway, f"{api}/authorizers/*", None),
        "compute-video_processing-bucket": (
            "s3.amazonaws.com",
            bucket_arn(recording, "videos"),
            account,
        ),
        "compute-message_sender-bucket": ("s3.amazonaws.com", bucket_arn(recording, "metadata"), account),
        "compute-janitor-schedule": ("events.amazonaws.com", f"{rule}-janitor", None),
        "compute-janitor-conversions": ("events.amazonaws.com", f"{rule}-janitor-conversions", None),
        "compute-scan_verdict-rule": ("events.amazonaws.com", f"{rule}-scan_verdict", None),
    }
    for permission in recording.of("lambda/permission:Permission"):
        caller, source, owner = wanted[permission.name]
        yield from require(
            permission,
            action="lambda:InvokeFunction",
            principal=caller,
            sourceArn=source,
            sourceAccount=owner,
            qualifier="live",
        )


def functions_leave_traces_and_logs(recording: Recording) -> Violations:
    for function in FUNCTIONS:
        made = recording.one("lambda/function:Function", f"compute-{function}")
        yield from require(
            made,
            tracingConfig__mode="Active",
            loggingConfig__logFormat="JSON",
            loggingConfig__applicationLogLevel="INFO",
            loggingConfig__systemLogLevel="WARN",
            loggingConfig__logGroup=f"/aws/lambda/{physical_name(recording, function)}",
            publish=True,
        )


def functions_run_in_the_network_where_there_is_one(recording: Recording) -> Violations:
    if not recording.of("ec2/vpc:Vpc"):
        return
    for function in set(FUNCTIONS) - OUTSIDE_NETWORK:
        made = recording.one("lambda/function:Function", f"compute-{function}")
        yield from require(
            made,
            vpcConfig__subnetIds=["network-private-1-id", "network-private-2-id"],
            vpcConfig__securityGroupIds=["network-functions-id"],
        )


def the_environment_holds_no_secret(recording: Recording) -> Violations:
    for function in recording.of("lambda/function:Function"):
        for name, value in function.inputs["environment"]["variables"].items():
            if "secret" in str(value).lower() or any(word in name for word in ("SECRET", "PASSWORD", "CREDENTIAL")):
                yield f"{function.name}: {name}"


def every_route_asks_who_is_calling(recording: Recording) -> Violations:
    open_to_all = {("/health", "get")}
    for path, method, operation in operations(recording):
        if method == "options" or (path, method) in open_to_all:
            continue
        (security,) = operation.get("security") or [{}]
        token_route = path.split("/")[1] in {"multipart", "link"} and path != "/multipart/init"
        reads = method == "get"
        scopes = ["video-upload/read", "video-upload/write"] if reads else ["video-upload/write"]
        wanted = {"upload_token_authorizer": []} if token_route else {"users": scopes}
        if {name: sorted(found) for name, found in security.items()} != wanted:
            yield f"{method} {path} is open to {security}"


def both_authorizers_are_what_they_say(recording: Recording) -> Violations:
    schemes = api_document(recording)["components"]["securitySchemes"]
    users = schemes["users"]["x-amazon-apigateway-authorizer"]
    if users != {"type": "cognito_user_pools", "providerARNs": [_pool_arn(recording)]}:
        yield f"users are {users}"
    tokens = schemes["upload_token_authorizer"]["x-amazon-apigateway-authorizer"]
    if tokens["type"] != "token" or "upload-token-authorizer:live" not in tokens["authorizerUri"]:
        yield f"upload tokens are {tokens}"
    if tokens.get("identityValidationExpression") != BEARER or tokens["authorizerResultTtlInSeconds"] > 300:
        yield f"upload tokens are {tokens}"


def _pool_arn(recording: Recording) -> str:
    (pool,) = recording.of("cognito/userPool:UserPool")
    return f"arn:aws:cognito:eu-central-1:{ACCOUNT_ID}:{pool.name}"
