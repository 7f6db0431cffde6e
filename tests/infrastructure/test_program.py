"""The whole program, run for each stage: every trigger, route and variable is exactly right."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest

from chalicelib.contract.requests import NewUpload
from chalicelib.core.json_values import JsonObject
from chalicelib.core.outbox import OUTBOX
from chalicelib.core.video_types import EVERY_CONTAINER, Container
from chalicelib.environment import FUNCTIONS, Environment
from components.settings import OTHER_CONTAINERS
from tests.infrastructure.recorded_program import ACCOUNT_ID, Recorded, Recording, program, record
from tests.infrastructure.safety.reading import api_document, bucket_name, operations, statements, variables
from tests.matrix.rules import RULES_BY_FUNCTION

LEFT_TO_DEFAULT = {"part_size_bytes", "url_ttl_seconds", "completion_patience_seconds", "aws_endpoint_url"}
"""The contract's own figures, the same on every stage; and no stand-in on AWS."""
SET_BY_LAMBDA = {"aws_region"}
READ_AT_IMPORT = {"USER_POOL_ARN", "CORS_ORIGIN", "VIDEO_BUCKET"}


def functions(recording: Recording) -> dict[str, Recorded]:
    made = recording.of("lambda/function:Function")
    return {each.name.removeprefix("compute-"): each for each in made if each.name.startswith("compute-")}


def test_the_functions_are_there_and_know_who_they_are(recording: Recording) -> None:
    assert set(functions(recording)) == set(FUNCTIONS)
    for name, made in functions(recording).items():
        assert variables(recording, name)["FUNCTION"] == name
        assert (made.inputs["runtime"], made.inputs["architectures"]) == ("python3.13", ["arm64"])


def test_the_variables_are_those_that_the_app_reads(recording: Recording) -> None:
    read = {name.upper() for name in Environment.__dataclass_fields__} - {
        name.upper() for name in LEFT_TO_DEFAULT | SET_BY_LAMBDA
    }
    for function in FUNCTIONS:
        assert set(variables(recording, function)) == read | READ_AT_IMPORT


def test_the_app_accepts_its_environment(recording: Recording) -> None:
    for function in FUNCTIONS:
        environment = Environment.read({**variables(recording, function), "AWS_REGION": "eu-central-1"})
        assert environment.token_keys == {
            "k1": f"arn:aws:kms:eu-central-1:{ACCOUNT_ID}:key/keys-upload-token-k1",
        }
        assert len(environment.client_ids) == 2
        largest: JsonObject = {
            "fileName": "a.mp4",
            "contentType": "video/mp4",
            "sizeBytes": environment.max_video_bytes,
        }
        assert NewUpload.parse(largest, environment.max_video_bytes, environment.containers)


def test_a_stage_takes_what_phones_cameras_and_screen_recorders_write_and_by_setting_all_that_the_app_knows() -> None:
    def accepted(overrides: Mapping[str, object]) -> frozenset[Container]:
        recording = record("dev", overrides=overrides)
        text = variables(recording, "multipart_init")["ACCEPTED_CONTAINERS"]
        assert recording.exports["siteConfig"]["acceptedContainers"] == text.split(",")
        return frozenset(map(Container, text.split(",")))

    assert accepted({}) == EVERY_CONTAINER - set(map(Container, OTHER_CONTAINERS))
    assert accepted({"acceptedContainers": list(Container)}) == EVERY_CONTAINER


def test_every_route_is_served_by_exactly_one_function(recording: Recording) -> None:
    served = {
        f"{method.upper()} {path}": operation["x-amazon-apigateway-integration"]["uri"]
        .split("function:")[1]
        .split(":")[0]
        for path, method, operation in operations(recording)
        if method != "options"
    }
    assert served == {
        route: f"video-upload-{recording.stage}-{function.replace('_', '-')}"
        for function, rules in RULES_BY_FUNCTION.items()
        for route in rules
    }


def test_the_gateway_calls_aliases_that_exist(recording: Recording) -> None:
    text = json.dumps(api_document(recording))
    aliases = {f"{alias.inputs['functionName']}:{alias.inputs['name']}" for alias in recording.of("lambda/alias:Alias")}
    called = {part.split("/invocations")[0] for part in text.split(f":{ACCOUNT_ID}:function:")[1:]}
    assert called <= aliases
    assert len(called) == 4
    assert "{{" not in text


def test_an_arriving_video_starts_processing_and_nothing_else_does(recording: Recording) -> None:
    # EventBridge pricing page: S3's "opt-in data events" are billed, whether anybody listens or not.
    arrivals = recording.one("s3/bucketNotification:BucketNotification", "compute-videos").inputs
    assert not any(each.inputs.get("eventbridge") for each in recording.of("s3/bucketNotification:BucketNotification"))
    function = f"arn:aws:lambda:eu-central-1:{ACCOUNT_ID}:function:video-upload-{recording.stage}-video-processing:live"
    assert arrivals["bucket"] == bucket_name(recording, "videos")
    assert arrivals["lambdaFunctions"] == [
        {
            "id": "video_processing",
            "lambdaFunctionArn": function,
            "events": ["s3:ObjectCreated:*"],
            "filterPrefix": "videos/",
        }
    ]


def test_only_where_functions_do_not_reach_the_topic_a_message_waits_in_the_outbox(
    recording: Recording, full_prod: Recording
) -> None:
    network = bool(recording.of("ec2/vpc:Vpc"))
    assert [variables(each, "janitor")["MESSAGE_OUTBOX"] for each in (recording, full_prod)] == [
        "true" if network else "false",
        "false",
    ]
    for each, notifications in ((recording, 1 + network), (full_prod, 1)):
        assert len(each.of("s3/bucketNotification:BucketNotification")) == notifications
    endpoints = [{each.name for each in stage.of("ec2/vpcEndpoint:VpcEndpoint")} for stage in (recording, full_prod)]
    assert "network-sns" not in endpoints[0]
    assert "network-sns" in endpoints[1]
    if network:
        sent = recording.one("s3/bucketNotification:BucketNotification", "compute-metadata").inputs
        assert sent["bucket"] == bucket_name(recording, "metadata")
        (received,) = sent["lambdaFunctions"]
        assert received["lambdaFunctionArn"].endswith("-message-sender:live")
        assert received["filterPrefix"] == OUTBOX


def test_the_notification_waits_for_the_permission_and_functions_for_their_dependencies(
    recording: Recording,
) -> None:
    notification = recording.one("s3/bucketNotification:BucketNotification", "compute-videos")
    permission = recording.one("lambda/permission:Permission", "compute-video_processing-bucket")
    assert permission.urn in recording.before(notification)
    for group in recording.of("cloudwatch/logGroup:LogGroup"):
        if group.name.startswith("compute-"):
            assert group.urn in functions(recording)[group.name.removeprefix("compute-")].depends_on


def test_the_janitor_runs_on_the_apps_own_schedule(recording: Recording) -> None:
    (rule,) = recording.of("cloudwatch/eventRule:EventRule")
    assert rule.inputs["scheduleExpression"] == "rate(5 minutes)"
    assert rule.inputs["state"] == "ENABLED"


def test_failed_events_are_set_aside(recording: Recording) -> None:
    configs = recording.of("lambda/functionEventInvokeConfig:FunctionEventInvokeConfig")
    assert {each.name for each in configs} == {
        *("compute-video_processing", "compute-janitor", "compute-scan_verdict", "compute-message_sender")
    }
    queue = f"arn:aws:sqs:eu-central-1:{ACCOUNT_ID}:messaging-failed"
    for each in configs:
        assert each.inputs["destinationConfig"] == {"onFailure": {"destination": queue}}
        assert each.inputs["qualifier"] == "live"


def test_nothing_is_reserved_unless_the_stage_is_paused(recording: Recording) -> None:
    assert {each.inputs["reservedConcurrentExecutions"] for each in functions(recording).values()} == {-1}


def test_paused_means_that_no_function_runs() -> None:
    paused = record("dev", overrides={"paused": True})
    assert {each.inputs["reservedConcurrentExecutions"] for each in functions(paused).values()} == {0}
    (rule,) = paused.of("cloudwatch/eventRule:EventRule")
    assert rule.inputs["state"] == "DISABLED"
    assert "observability-janitor-silent" not in {each.name for each in paused.resources}


def test_rotating_the_token_key_keeps_the_old_one_for_verifying() -> None:
    rotated = record("dev", overrides={"uploadKeyNames": ["k2", "k1"]})
    assert variables(rotated, "multipart_init")["UPLOAD_TOKEN_KEYS"].startswith("k2=")
    key = f"arn:aws:kms:eu-central-1:{ACCOUNT_ID}:key/keys-upload-token-"
    grants = {
        each["Sid"]: each["Resource"]
        for function in ("multipart_init", "upload_token_authorizer")
        for each in statements(rotated.one("iam/rolePolicy:RolePolicy", f"compute-{function}"))
    }
    assert grants["SignTokens"] == f"{key}k2"
    assert grants["VerifyTokens"] == [f"{key}k2", f"{key}k1"]


def test_rotating_the_edges_secret_keeps_the_last_one_valid_and_deploys(dev: Recording) -> None:
    rotated = record("dev", overrides={"originSecretGeneration": 7})
    policy = api_document(rotated)["x-amazon-apigateway-policy"]
    accepted = policy["Statement"][1]["Condition"]["StringNotEquals"]["aws:Referer"]
    assert accepted == ["secret-of-api-origin-secret-7", "secret-of-api-origin-secret-6"]
    deployed = "apigateway/deployment:Deployment", "api-deployment"
    assert rotated.one(*deployed).inputs["triggers"] != dev.one(*deployed).inputs["triggers"]


def test_the_edges_secret_is_kept_encrypted_wherever_the_state_holds_it(recording: Recording) -> None:
    holders = {
        (each.name, key): key in each.secrets
        for each in recording.resources
        for key, value in each.inputs.items()
        if "secret-of-api-origin-secret" in repr(value)
    }
    assert holders == {
        ("api-rest", "body"): True,
        ("api-rest", "policy"): True,
        ("edge-distribution", "origins"): True,
    }


def test_the_document_names_what_an_import_would_reset(recording: Recording) -> None:
    api = recording.one("apigateway/restApi:RestApi", "api-rest").inputs
    document = api_document(recording)
    assert document["info"]["title"] == api["name"]
    assert str(document["x-amazon-apigateway-minimum-compression-size"]) == api["minimumCompressionSize"]
    assert not recording.of("apigateway/restApiPolicy:RestApiPolicy")


def test_an_own_domain_is_served_with_modern_tls_alone() -> None:
    domain = {
        "siteDomain": "video.example.com",
        "siteCertificateArn": f"arn:aws:acm:us-east-1:{ACCOUNT_ID}:certificate/1",
        "hostedZoneId": "Z1",
    }
    own = record("dev", overrides=domain)
    (distribution,) = own.of("cloudfront/distribution:Distribution")
    assert distribution.inputs["viewerCertificate"]["minimumProtocolVersion"] == "TLSv1.2_2021"
    assert own.exports["siteUrl"] == "https://video.example.com"
    assert {each.inputs["type"] for each in own.of("route53/record:Record")} == {"A", "AAAA"}


@pytest.mark.parametrize(
    ("extra", "allowed"),
    [
        ([], "https://video.example.com"),
        (["https://video.example.com/signed-in"], "https://video.example.com"),
        (["http://localhost:8000/"], "*"),
    ],
    ids=["the site alone", "the site twice", "another page"],
)
def test_every_page_that_may_send_parts_may_read_the_apis_answers(extra: list[str], allowed: str) -> None:
    own = record(
        "prod",
        overrides={
            "siteDomain": "video.example.com",
            "siteCertificateArn": f"arn:aws:acm:us-east-1:{ACCOUNT_ID}:certificate/1",
            "extraRedirectUrls": extra,
        },
    )
    (rules,) = own.one("s3/bucketCorsConfiguration:BucketCorsConfiguration", "upload-cors-videos").inputs["corsRules"]
    senders = set(rules["allowedOrigins"])
    assert allowed == "*" or senders == {allowed}
    document = api_document(own)
    header = "gatewayresponse.header.Access-Control-Allow-Origin"
    answers = document["x-amazon-apigateway-gateway-responses"].values()
    assert {each["responseParameters"][header] for each in answers} == {f"'{allowed}'"}
    preflight = document["paths"]["/videos"]["options"]["x-amazon-apigateway-integration"]["responses"]["default"]
    origin = "method.response.header.Access-Control-Allow-Origin"
    assert preflight["responseParameters"][origin] == f"'{allowed}'"
    assert variables(own, "video_upload")["CORS_ORIGIN"] == allowed


def test_only_members_of_a_domain_sign_up_where_the_stage_says_so() -> None:
    closed = record("dev", overrides={"signUp": "domain", "signUpDomains": ["example.com", "example.org"]})
    (made,) = (each for each in closed.of("lambda/function:Function") if each.name == "auth-sign-up-filter")
    assert made.inputs["environment"]["variables"] == {"ALLOWED_DOMAINS": "example.com,example.org"}
    assert "sign_up_by_domain.py" in made.inputs["code"].assets
    (pool,) = closed.of("cognito/userPool:UserPool")
    assert pool.inputs["lambdaConfig"]["preSignUp"].endswith("function:video-upload-dev-sign-up-filter")


def test_a_sender_of_ones_own_sends_every_mail_and_turns_on_the_answers_to_stolen_accounts(prod: Recording) -> None:
    assert "emailConfiguration" not in prod.one("cognito/userPool:UserPool", "auth-users").inputs
    sender = {
        "mailIdentityArn": "arn:aws:ses:eu-central-1:123456789012:identity/example.com",
        "mailFrom": "a@example.com",
    }
    made = record("prod", overrides=sender)
    assert made.one("cognito/userPool:UserPool", "auth-users").inputs["emailConfiguration"] == {
        "emailSendingAccount": "DEVELOPER",
        "sourceArn": sender["mailIdentityArn"],
        "fromEmailAddress": "a@example.com",
    }
    threats = made.one("cognito/riskConfiguration:RiskConfiguration", "auth-threats").inputs
    warned = threats["accountTakeoverRiskConfiguration"]["notifyConfiguration"]
    assert (warned["sourceArn"], warned["from"]) == (sender["mailIdentityArn"], "a@example.com")


def test_warm_instances_follow_their_use_where_they_are_paid_for(prod: Recording, full_prod: Recording) -> None:
    assert not prod.of("appautoscaling/target:Target")
    targets = full_prod.of("appautoscaling/target:Target")
    assert len(targets) == 4
    for target in targets:
        assert (target.inputs["minCapacity"], target.inputs["maxCapacity"]) == (2, 20)
        assert target.inputs["resourceId"].endswith(":live")


def test_a_preview_declares_what_an_update_makes(preview: Recording, request: pytest.FixtureRequest) -> None:
    update: Recording = request.getfixturevalue(preview.stage)
    assert preview.names() == update.names()


def test_the_same_settings_make_the_same_program(dev: Recording) -> None:
    again = program("dev").record()
    assert {each.urn: comparable(each) for each in again.resources} == {
        each.urn: comparable(each) for each in dev.resources
    }


def comparable(resource: Recorded) -> dict[str, Any]:
    return {key: value for key, value in resource.inputs.items() if key != "code"}


def test_stages_differ_only_in_what_they_leave_out(dev: Recording, staging: Recording, prod: Recording) -> None:
    threats = {name for name in prod.names() if name.endswith("/auth-threats")}
    unused = ("/feature-logs-sign-up-filter", "/feature-logs-company-groups")
    unused_logs = {name for name in prod.names() if name.endswith(unused)}
    assert prod.names() - staging.names() == threats | unused_logs
    assert staging.names() - prod.names() == set()
    assert dev.names() - staging.names() == set()
    hit_rate = {name for name in staging.names() if name.endswith("/edge-metrics")}
    second_factor = {name for name in staging.names() if name.endswith("/app-clients-account")}
    outbox = {
        name for name in staging.names() if name.endswith(("/compute-metadata", "/compute-message_sender-bucket"))
    }
    left_out = staging.names() - dev.names() - hit_rate - second_factor - outbox
    tiers = {name.rpartition("/")[2].partition("-")[0] for name in left_out}
    assert tiers == {"network", "web", "audit", "observability", "feature"}


def test_secrets_are_exported_as_secrets(full_prod: Recording) -> None:
    assert full_prod.secret_exports == {"machineClientSecret"}


def test_an_output_without_a_value_is_not_exported(recording: Recording) -> None:
    assert [name for name, value in recording.exports.items() if value in (None, "")] == []


def test_a_stage_exports_nothing_that_it_leaves_out(dev: Recording, full_prod: Recording) -> None:
    assert full_prod.exports.keys() - dev.exports.keys() == {"machineClientId", "machineClientSecret", "dashboardUrl"}


def test_every_resource_belongs_to_a_tier(recording: Recording) -> None:
    components = {each.urn for each in recording.components}
    assert {each.parent for each in recording.resources} <= components


def test_a_stack_of_an_earlier_version_keeps_what_its_renamed_tiers_made(prod: Recording) -> None:
    """Without the alias the desktop client would be replaced, and the engine refuses to delete a protected one."""
    renamed = {tier.name: tier.aliases for tier in prod.components if tier.aliases}
    assert renamed == {
        "messaging": (("video-upload:tier:Messages", "messages"),),
        "app-clients": (("video-upload:tier:SignIn", "sign-in"),),
        "upload-cors": (("video-upload:tier:Site", "site"),),
    }
