"""The API: a REST API with the app's routes, closed to every caller that bypasses the edge."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import KW_ONLY, dataclass
from typing import Any

import pulumi
import pulumi_aws as aws
import pulumi_random as random

from components import policy
from components.api import document as api_document
from components.naming import StageContext, StageNames, type_token
from components.protection import protected
from components.settings import ApiSettings

STAGE_NAME = "api"
"""Stage name. It is also the first segment of every path, so that the edge passes paths on unchanged."""
MIN_COMPRESSED_BYTES = 1_024
SECRET_CHARS = 48
ACCESS_LOG_FORMAT = json.dumps(
    {
        name: f"$context.{variable}"
        for name, variable in {
            "requestId": "requestId",
            "time": "requestTimeEpoch",
            "method": "httpMethod",
            "route": "resourcePath",
            "status": "status",
            "latencyMilliseconds": "responseLatency",
            "integrationMilliseconds": "integrationLatency",
            "authorizerMilliseconds": "authorizer.latency",
            "responseBytes": "responseLength",
            "error": "error.responseType",
            "user": "authorizer.claims.sub",
            # Address of the direct caller: a CloudFront location, or a client that bypasses CloudFront.
            "peerIp": "identity.sourceIp",
            "trace": "xrayTraceId",
        }.items()
    }
)


@dataclass(frozen=True)
class ApiArgs:
    """Inputs of the API.

    document: OpenAPI with tokens (see components/api/document.py).
    user_pool_arn: of the pool whose access tokens the user routes accept.
    cors_origin: origin of the pages that may read responses; `*` for any.
    """

    context: StageContext
    settings: ApiSettings
    _: KW_ONLY
    document: dict[str, Any]
    user_pool_arn: pulumi.Input[str]
    cors_origin: str
    log_key_arn: pulumi.Input[str]


class Api(pulumi.ComponentResource):
    """REST API with its policy, deployment, and stage with logs, traces and throttling."""

    host: pulumi.Output[str]
    """`….execute-api.….amazonaws.com`: the edge's origin, closed to everyone else."""
    execute_api_url: pulumi.Output[str]
    """`https://<host>/api`: must refuse every caller, which `make smoke` verifies."""
    execution_arn: pulumi.Output[str]
    """ARN of the API in the functions' permissions."""
    origin_secret: pulumi.Output[str]
    """Value of the Referer header that the edge must send."""

    def __init__(self, name: str, args: ApiArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(type_token("Api"), name, None, opts)
        self._name = name
        self._args = args
        self._child = pulumi.ResourceOptions(parent=self)
        context = args.context

        generation = args.settings.origin_secret_generation
        secrets = [self._secret(number) for number in (generation, generation - 1)]
        closed = policy.to_json(edge_only(context, secrets))
        body = _filled(
            _with_literals(args.document, context.name("api")),
            {
                api_document.USER_POOL_ARN: args.user_pool_arn,
                api_document.CORS_ORIGIN: args.cors_origin,
                **{
                    api_document.function_token(function): invocation_uri(context, function)
                    for function in api_document.functions_in(args.document)
                },
            },
            closed,
        )
        rest_api = aws.apigateway.RestApi(
            f"{name}-rest",
            name=context.name("api"),
            # An import overwrites the policy, so the document contains it as well. Both change in one update.
            body=body,
            policy=closed,
            endpoint_configuration=aws.apigateway.RestApiEndpointConfigurationArgs(types="REGIONAL"),
            minimum_compression_size=str(MIN_COMPRESSED_BYTES),
            opts=pulumi.ResourceOptions(parent=self, additional_secret_outputs=["body", "policy"]),
        )
        deployment = aws.apigateway.Deployment(
            f"{name}-deployment",
            rest_api=rest_api.id,
            # Changes of routes and policy take effect with a deployment.
            triggers={"document": body.apply(_fingerprint)},
            opts=self._child,
        )
        access_log = aws.cloudwatch.LogGroup(
            f"{name}-access",
            name=context.log_group("api-access"),
            retention_in_days=args.context.general.log_days,
            kms_key_id=args.log_key_arn,
            opts=protected(self, args.context.general.protect),
        )
        certificate = aws.apigateway.ClientCertificate(
            f"{name}-gateway",
            description=f"{context.name('api')}: for HTTP integrations; Lambda asks for none",
            opts=self._child,
        )
        stage = aws.apigateway.Stage(
            f"{name}-stage",
            rest_api=rest_api.id,
            deployment=deployment.id,
            stage_name=STAGE_NAME,
            client_certificate_id=certificate.id,
            xray_tracing_enabled=True,
            access_log_settings=aws.apigateway.StageAccessLogSettingsArgs(
                destination_arn=access_log.arn, format=ACCESS_LOG_FORMAT
            ),
            # API Gateway refuses log settings until account/ has given the region a role for logs.
            opts=self._child,
        )
        aws.apigateway.MethodSettings(
            f"{name}-methods",
            rest_api=rest_api.id,
            stage_name=stage.stage_name,
            method_path="*/*",
            settings=aws.apigateway.MethodSettingsSettingsArgs(
                # Metrics by method are paid, and no figure or alarm reads them. Those of the whole stage are free.
                metrics_enabled=False,
                logging_level="ERROR",
                data_trace_enabled=False,  # keeps bodies and tokens out of the log
                throttling_rate_limit=args.settings.api_requests_per_second,
                throttling_burst_limit=args.settings.api_burst,
            ),
            opts=pulumi.ResourceOptions(parent=self, depends_on=[stage]),
        )

        self.host = pulumi.Output.concat(rest_api.id, ".execute-api.", context.region, ".amazonaws.com")
        self.execute_api_url = pulumi.Output.concat("https://", self.host, "/", stage.stage_name)
        self.execution_arn = rest_api.execution_arn
        self.origin_secret = secrets[0]
        self.register_outputs({"host": self.host})

    def _secret(self, generation: int) -> pulumi.Output[str]:
        password = random.RandomPassword(
            f"{self._name}-origin-secret-{generation}", length=SECRET_CHARS, special=False, opts=self._child
        )
        return pulumi.Output.secret(password.result)


def invocation_uri(context: StageNames, function: str) -> str:
    """Return the URI by which API Gateway invokes a function: that of its alias, which is the same for every version.

    It is built from the name, because the function is created after the API: it needs the site's address.
    """
    target = context.live_arn(function)
    return f"arn:aws:apigateway:{context.region}:lambda:path/2015-03-31/functions/{target}/invocations"


def edge_only(context: StageNames, secrets: Sequence[pulumi.Input[str]]) -> policy.PolicyDocument:
    """Deny every call without a secret of the edge. A Deny precedes any authorizer."""
    # All APIs of the account: the policy cannot name the id of the API that it is part of, and applies to that one
    # alone.
    everything = context.arn("execute-api", "*")
    return policy.document(
        policy.allow("Callers", principal=policy.EVERYONE, actions="execute-api:Invoke", resources=everything),
        policy.deny(
            "OnlyThroughTheEdge",
            principal=policy.EVERYONE,
            actions="execute-api:Invoke",
            resources=everything,
            # An absent Referer counts as different.
            conditions={"StringNotEquals": {"aws:Referer": secrets}},
        ),
    )


def _with_literals(document: Mapping[str, Any], title: str) -> dict[str, Any]:
    """The document with the API's own properties: an import resets those that it does not name."""
    return {
        **document,
        "info": {**document["info"], "title": title},
        "x-amazon-apigateway-minimum-compression-size": MIN_COMPRESSED_BYTES,
    }


def _filled(
    document: Mapping[str, Any], values: Mapping[str, pulumi.Input[str]], closed: pulumi.Input[str]
) -> pulumi.Output[str]:
    """The document as text, with all tokens replaced and the API's policy."""

    def replaced(known: dict[str, str], policy_text: str) -> str:
        text = json.dumps({**document, "x-amazon-apigateway-policy": json.loads(policy_text)})
        for token, value in known.items():
            text = text.replace(token, json.dumps(value)[1:-1])
        return text

    return pulumi.Output.all(pulumi.Output.all(**values), closed).apply(lambda known: replaced(known[0], known[1]))


def _fingerprint(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
