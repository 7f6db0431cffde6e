"""Safety of the ways in: CloudFront, web ACL, API, network; and of who is called when something is wrong."""

from __future__ import annotations

from typing import Any

from components.edge.web_acl import COUNTED_GROUP, MANAGED_GROUPS
from tests.infrastructure.recorded_program import ACCOUNT_ID, Recorded, Recording
from tests.infrastructure.safety.reading import (
    EVERYONE,
    Violations,
    api_document,
    bucket_arn,
    operations,
    policy_of,
    require,
    require_present,
    require_statement,
    statements,
    value_at,
)

ANYWHERE = ("0.0.0.0/0", "::/0")
EDGE_TYPES = ("wafv2/", "cloudwatch/logDelivery")
COMPILED_SCRIPTS = "script-src 'self' 'wasm-unsafe-eval'"
"""Scripts of the site alone, which may compile WebAssembly but turn no text into a script."""
EDGE_LOGS = ("feature-logs-edge", "feature-logs-web-acl")


def _distribution(recording: Recording) -> Recorded:
    (distribution,) = recording.of("cloudfront/distribution:Distribution")
    return distribution


def _behaviors(recording: Recording) -> list[dict[str, Any]]:
    inputs = _distribution(recording).inputs
    return [inputs["defaultCacheBehavior"], *inputs["orderedCacheBehaviors"]]


def viewers_use_https(recording: Recording) -> Violations:
    for behavior in _behaviors(recording):
        page = behavior["targetOriginId"] == "site"
        if behavior["viewerProtocolPolicy"] != ("redirect-to-https" if page else "https-only"):
            yield f"{behavior.get('pathPattern', 'the page')}: {behavior['viewerProtocolPolicy']}"


def answers_carry_security_headers(recording: Recording) -> Violations:
    for behavior in _behaviors(recording):
        policy = "edge-page-id" if behavior["targetOriginId"] == "site" else "edge-data-id"
        if behavior.get("responseHeadersPolicyId") != policy:
            yield f"{behavior.get('pathPattern', 'the page')} has headers {behavior.get('responseHeadersPolicyId')}"
    for headers in recording.of("cloudfront/responseHeadersPolicy:ResponseHeadersPolicy"):
        config = "securityHeadersConfig"
        yield from require(
            headers,
            **{
                f"{config}__contentTypeOptions__override": True,
                f"{config}__strictTransportSecurity__accessControlMaxAgeSec": 2 * 365 * 24 * 3600,
                f"{config}__strictTransportSecurity__includeSubdomains": True,
                f"{config}__strictTransportSecurity__preload": True,
                f"{config}__strictTransportSecurity__override": True,
            },
        )
        if headers.name == "edge-page":
            yield from require(
                headers,
                **{
                    f"{config}__frameOptions__frameOption": "DENY",
                    f"{config}__frameOptions__override": True,
                    f"{config}__referrerPolicy__referrerPolicy": "no-referrer",
                    f"{config}__referrerPolicy__override": True,
                    f"{config}__contentSecurityPolicy__override": True,
                },
            )
            text = str(value_at(headers, f"{config}.contentSecurityPolicy.contentSecurityPolicy"))
            parts = [part.strip() for part in text.split(";")]
            for part in (
                *("default-src 'none'", COMPILED_SCRIPTS, "style-src 'self'", "worker-src 'self'"),
                *("base-uri 'none'", "frame-ancestors 'none'"),
            ):
                if part not in parts:
                    yield f"the page's policy lacks {part}"
            if "unsafe-" in text.replace(COMPILED_SCRIPTS, "") or " * " in text or " http:" in text:
                yield f"the page's policy is {text}"


def media_needs_a_signature(recording: Recording) -> Violations:
    for behavior in _behaviors(recording):
        media = behavior["targetOriginId"] in ("videos", "posters")
        if behavior.get("trustedKeyGroups") != (["edge-media-id"] if media else None):
            yield f"{behavior.get('pathPattern', 'the page')} trusts {behavior.get('trustedKeyGroups')}"


def only_the_page_and_signed_media_are_cached(recording: Recording) -> Violations:
    for behavior in _behaviors(recording):
        path = behavior.get("pathPattern")
        uncached = "4135ea2d-6df8-44a3-9df3-4b5a84be39ad"
        if (path in ("/api/*", "/config.json", "/share") or str(path).startswith("/media/large/")) and behavior[
            "cachePolicyId"
        ] != uncached:
            yield f"{path} is cached"
        writes = {"PUT", "POST", "PATCH", "DELETE"} & set(behavior["allowedMethods"])
        functions = [each["functionArn"] for each in behavior.get("functionAssociations") or []]
        answered_at_the_edge = path == "/share" and [each.rpartition(":")[2] for each in functions] == ["edge-share"]
        if writes and path != "/api/*" and not answered_at_the_edge:
            yield f"{path} takes {writes}"


def origins_are_private(recording: Recording) -> Violations:
    (access,) = recording.of("cloudfront/originAccessControl:OriginAccessControl")
    yield from require(access, signingBehavior="always", signingProtocol="sigv4", originAccessControlOriginType="s3")
    for origin in _distribution(recording).inputs["origins"]:
        if origin["originId"] != "api":
            if origin.get("originAccessControlId") != "edge-buckets-id":
                yield f"{origin['originId']} is read without a signature"
            continue
        custom = origin["customOriginConfig"]
        if (custom["originProtocolPolicy"], custom["originSslProtocols"]) != ("https-only", ["TLSv1.2"]):
            yield f"the API is called by {custom}"


def the_api_answers_the_edge_alone(recording: Recording) -> Violations:
    api = recording.one("apigateway/restApi:RestApi", "api-rest")
    secrets = ["secret-of-api-origin-secret-1", "secret-of-api-origin-secret-0"]
    everything = f"arn:aws:execute-api:eu-central-1:{ACCOUNT_ID}:*"
    yield from require_statement(
        api,
        "OnlyThroughTheEdge",
        Effect="Deny",
        Principal=EVERYONE,
        Action="execute-api:Invoke",
        Resource=everything,
        Condition={"StringNotEquals": {"aws:Referer": secrets}},
    )
    allowed = [each for each in statements(api) if each["Effect"] == "Allow"]
    if [(each["Action"], each["Resource"]) for each in allowed] != [("execute-api:Invoke", everything)]:
        yield f"the API allows {allowed}"
    if api_document(recording).get("x-amazon-apigateway-policy") != policy_of(api):
        yield "a change of the document opens the API"
    (origin,) = (each for each in _distribution(recording).inputs["origins"] if each["originId"] == "api")
    if origin["customHeaders"] != [{"name": "Referer", "value": secrets[0]}]:
        yield f"the edge sends {origin['customHeaders']}"
    for secret in (each for each in recording.resources if each.type.endswith(":RandomPassword")):
        yield from require(secret, length=48, special=False)


def the_web_acl_blocks_attacks_and_floods(recording: Recording) -> Violations:
    if recording.stage == "dev":
        return
    acls = recording.of("wafv2/webAcl:WebAcl")
    if not acls or not value_at(_distribution(recording), "webAclId"):
        yield "there is no web ACL"
    for acl in acls:
        yield from require(acl, scope="CLOUDFRONT", region="us-east-1", visibilityConfig__cloudwatchMetricsEnabled=True)
        yield from require(acl, visibilityConfig__sampledRequestsEnabled=True)
        rules = {rule["name"]: rule for rule in acl.inputs["rules"]}
        for name, key in (("RequestsPerIp", "IP"), ("RequestsPerToken", "CUSTOM_KEYS"), ("InitsPerIp", "IP")):
            limit = rules.get(name, {}).get("statement", {}).get("rateBasedStatement", {})
            if limit.get("aggregateKeyType") != key or not limit.get("limit", 0) <= 2000:
                yield f"{name} limits {limit}"
            if "block" not in rules.get(name, {}).get("action", {}):
                yield f"{name} does not block"
        groups = {
            rule["statement"]["managedRuleGroupStatement"]["name"]
            for rule in rules.values()
            if "managedRuleGroupStatement" in rule["statement"] and "none" in rule.get("overrideAction", {})
        }
        if groups != set(MANAGED_GROUPS) - {COUNTED_GROUP}:
            yield f"the managed groups are {groups}"
        for name, rule in rules.items():
            if not all(rule["visibilityConfig"][key] for key in ("cloudwatchMetricsEnabled", "sampledRequestsEnabled")):
                yield f"{name} cannot be seen"


def blocked_requests_are_logged_without_tokens(recording: Recording) -> Violations:
    for acl in recording.of("wafv2/webAcl:WebAcl"):
        logged = [
            each
            for each in recording.of("wafv2/webAclLoggingConfiguration:WebAclLoggingConfiguration")
            if str(each.inputs["resourceArn"]).endswith(acl.name)
        ]
        if not logged:
            yield f"{acl.name} keeps no record"
        for log in logged:
            hidden = {field["singleHeader"]["name"] for field in log.inputs.get("redactedFields") or []}
            if hidden != {"authorization", "cookie"}:
                yield f"the record hides {hidden}"
            kept = {
                condition["actionCondition"]["action"]
                for filter_ in log.inputs["loggingFilter"]["filters"]
                if filter_["behavior"] == "KEEP" and filter_["requirement"] == "MEETS_ANY"
                for condition in filter_["conditions"]
            }
            if kept != {"BLOCK", "COUNT"}:
                yield f"the record keeps {kept}"


def requests_to_the_edge_are_logged(recording: Recording) -> Violations:
    sources = recording.of("cloudwatch/logDeliverySource:LogDeliverySource")
    deliveries = recording.of("cloudwatch/logDelivery:LogDelivery")
    if len(sources) != 1 or len(deliveries) != 1:
        yield "the edge keeps no access log"
    for source in sources:
        yield from require(
            source, logType="ACCESS_LOGS", resourceArn=f"arn:aws:cloudfront:eu-central-1:{ACCOUNT_ID}:edge-distribution"
        )


def what_belongs_to_the_edge_lives_where_cloudfront_looks(recording: Recording) -> Violations:
    for resource in recording.resources:
        edge = resource.type.removeprefix("aws:").startswith(EDGE_TYPES) or resource.name in EDGE_LOGS
        if edge and resource.region != "us-east-1":
            yield f"{resource.name} lives in {resource.region}"


def calls_of_the_api_are_logged_and_throttled(recording: Recording) -> Violations:
    (stage,) = recording.of("apigateway/stage:Stage")
    yield from require(stage, xrayTracingEnabled=True, stageName="api")
    yield from require_present(stage, "accessLogSettings.destinationArn", "accessLogSettings.format")
    settings = recording.of("apigateway/methodSettings:MethodSettings")
    if not settings:
        yield "the API is not throttled"
    rate, burst = {"dev": (20, 40), "staging": (200, 400), "prod": (2000, 4000)}[recording.stage]
    for setting in settings:
        yield from require(
            setting,
            methodPath="*/*",
            settings__throttlingRateLimit=rate,
            settings__throttlingBurstLimit=burst,
            settings__dataTraceEnabled=False,
            settings__loggingLevel="ERROR",
        )


def a_page_can_read_every_error(recording: Recording) -> Violations:
    document = api_document(recording)
    for kind, response in document["x-amazon-apigateway-gateway-responses"].items():
        header = "gatewayresponse.header.Access-Control-Allow-Origin"
        if response.get("responseParameters", {}).get(header) != "'*'":
            yield f"{kind} cannot be read by a page"
        if '"requestId": "$context.requestId"' not in response["responseTemplates"]["application/json"]:
            yield f"{kind} has another shape"
    if not {"DEFAULT_4XX", "DEFAULT_5XX", "UNAUTHORIZED"} <= set(document["x-amazon-apigateway-gateway-responses"]):
        yield "some errors have no answer of our own"
    for path, method, _ in operations(recording):
        if "options" not in document["paths"][path]:
            yield f"{method} {path} has no preflight"


def nothing_in_the_network_meets_the_internet(recording: Recording) -> Violations:
    doors = ("internetGateway", "natGateway", "egressOnlyInternetGateway", "eip:Eip")
    yield from (f"{each.name} is a way out" for each in recording.resources if any(door in each.type for door in doors))
    for subnet in recording.of("ec2/subnet:Subnet"):
        yield from require(subnet, mapPublicIpOnLaunch=False)
    for kind in (
        "vpc/securityGroupIngressRule:SecurityGroupIngressRule",
        "vpc/securityGroupEgressRule:SecurityGroupEgressRule",
    ):
        for rule in recording.of(kind):
            if rule.inputs.get("cidrIpv4") in ANYWHERE or rule.inputs.get("cidrIpv6") in ANYWHERE:
                yield f"{rule.name} is open to the internet"
            yield from require(rule, ipProtocol="tcp", fromPort=443, toPort=443)
            target = rule.inputs.get("referencedSecurityGroupId") or rule.inputs.get("prefixListId")
            if target not in ("network-functions-id", "network-endpoints-id", "pl-0123456789abcdef0"):
                yield f"{rule.name} reaches {target}"
    for group in recording.of("ec2/defaultSecurityGroup:DefaultSecurityGroup"):
        if group.inputs.get("ingress") or group.inputs.get("egress"):
            yield "the default group lets something through"
    if recording.of("ec2/vpc:Vpc") and not recording.of("ec2/defaultSecurityGroup:DefaultSecurityGroup"):
        yield "the default group is as AWS made it"


def the_network_lets_https_out_and_answers_in(recording: Recording) -> Violations:
    for acl in recording.of("ec2/networkAcl:NetworkAcl"):
        cidr = {"staging": "10.41.0.0/16", "prod": "10.42.0.0/16"}[recording.stage]
        ephemeral = [(1024, 3388), (3390, 65535)]
        wanted = {
            "ingress": {(cidr, 443, 443), *(("0.0.0.0/0", low, high) for low, high in ephemeral)},
            "egress": {("0.0.0.0/0", 443, 443), *((cidr, low, high) for low, high in ephemeral)},
        }
        for way, rules in wanted.items():
            found = {(rule["cidrBlock"], rule["fromPort"], rule["toPort"]) for rule in acl.inputs[way]}
            if found != rules or {(rule["action"], rule["protocol"]) for rule in acl.inputs[way]} != {("allow", "6")}:
                yield f"{way}: {found}"


def endpoints_reach_this_stage_alone(recording: Recording) -> Violations:
    own_account = {"StringEquals": {"aws:PrincipalAccount": ACCOUNT_ID}}
    buckets = [bucket_arn(recording, name) for name in ("videos", "metadata")]
    reach: dict[str, tuple[object, object]] = {
        "network-s3": (
            [
                *("s3:GetObject*", "s3:PutObject*", "s3:DeleteObject*", "s3:ListBucket*"),
                *("s3:AbortMultipartUpload", "s3:ListMultipartUploadParts"),
            ],
            [arn for bucket in buckets for arn in (bucket, f"{bucket}/*")],
        ),
        "network-kms": (
            ["kms:GenerateMac", "kms:VerifyMac", "kms:Sign"],
            [f"arn:aws:kms:eu-central-1:{ACCOUNT_ID}:key/keys-{name}" for name in ("upload-token-k1", "media")],
        ),
        "network-sns": ("sns:Publish", [f"arn:aws:sns:eu-central-1:{ACCOUNT_ID}:messaging-completed"]),
    }
    for endpoint in recording.of("ec2/vpcEndpoint:VpcEndpoint"):
        actions, resources = reach[endpoint.name]
        wanted = [("Allow", EVERYONE, actions, resources, own_account)]
        found = [
            tuple(each.get(key) for key in ("Effect", "Principal", "Action", "Resource", "Condition"))
            for each in statements(endpoint)
        ]
        if found != wanted:
            yield f"{endpoint.name}: {found}"
        if endpoint.name != "network-s3":
            yield from require(endpoint, privateDnsEnabled=True, securityGroupIds=["network-endpoints-id"])


def traffic_in_the_network_is_logged(recording: Recording) -> Violations:
    if recording.of("ec2/vpc:Vpc") and not recording.of("ec2/flowLog:FlowLog"):
        yield "traffic leaves no trace"
    for log in recording.of("ec2/flowLog:FlowLog"):
        yield from require(log, trafficType="ALL", logDestinationType="cloud-watch-logs")
    for vpc in recording.of("ec2/vpc:Vpc"):
        yield from require(vpc, enableDnsSupport=True, enableDnsHostnames=True)


def alarms_reach_somebody(recording: Recording) -> Violations:
    topic = f"arn:aws:sns:eu-central-1:{ACCOUNT_ID}:observability-alarms"
    together = recording.of("cloudwatch/compositeAlarm:CompositeAlarm")
    for alarm in together:
        yield from require(alarm, alarmActions=[topic], okActions=[topic])
    rules = " ".join(alarm.inputs["alarmRule"] for alarm in together)
    for alarm in recording.of("cloudwatch/metricAlarm:MetricAlarm"):
        part_of_another = f'ALARM("{alarm.inputs["name"]}")' in rules
        called = [] if part_of_another else [topic]
        yield from require(alarm, alarmActions=called, okActions=called)
        if alarm.inputs.get("actionsEnabled") is False:
            yield f"{alarm.name} is mute"
        results = [query for query in alarm.inputs["metricQueries"] if query.get("returnData")]
        band = alarm.inputs.get("thresholdMetricId")
        if len(results) != (2 if band else 1) or (band and band not in {query["id"] for query in results}):
            yield f"{alarm.name} watches {len(results)} values"
    for budget in recording.of("budgets/budget:Budget"):
        for notification in budget.inputs["notifications"]:
            if notification["subscriberSnsTopicArns"] != [topic]:
                yield "nobody hears of the budget"
