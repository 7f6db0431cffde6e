"""Compute: the functions, each with its own role, log and alias, and what sets them off."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pulumi
import pulumi_aws as aws

from components import policy
from components.compute import permissions
from components.compute.permissions import OUTSIDE_THE_NETWORK
from components.function_table import API_FUNCTIONS
from components.naming import LIVE, StageContext, type_token
from components.protection import protected

RUNTIME = "python3.13"
ARCHITECTURE = "arm64"
UNRESERVED = -1
PAUSED = 0
GATEWAY_SECONDS = 29  # API Gateway quotas, "Maximum integration timeout"
AUTHORIZER_SECONDS = 10  # same page: authorizers get 30 s; three tries at KMS fit into ten
JANITOR_SECONDS = 300
AUTHORIZER_MEMORY_MIB = 256
JANITOR_MEMORY_MIB = 512
EVENT_RETRIES = 2  # Lambda Developer Guide, "Asynchronous invocation": 0 to 2
EVENT_AGE_SECONDS = 6 * 3600  # same page: at most 6 hours
WARM_USE = 0.7
CALLED_BY_GATEWAY = (*API_FUNCTIONS, "upload_token_authorizer")
EVENT_FUNCTIONS = ("video_processing", "janitor")


@dataclass(frozen=True, kw_only=True)
class FunctionSize:
    """memory_mib also sets the share of a CPU: 1,769 MiB are one."""

    memory_mib: int
    timeout_seconds: int


def scalable_id(context: StageContext, function: str) -> str:
    """What Application Auto Scaling calls a function's alias."""
    return f"function:{context.name(function)}:{LIVE}"


@dataclass(frozen=True, kw_only=True)
class ComputeArgs:
    """What the functions need.

    bundles: zip file by function; handlers: entry point by function.
    environment: variables that all functions share.
    schedule: how often the janitor runs, as EventBridge writes it.
    bucket_events, bucket_prefix: what sets processing off.
    api_execution_arn: the API that may call; video_bucket_name: the bucket that may.
    subnet_ids, security_group_id: empty and None without a network.
    protect: whether logs refuse deletion and outlive the stack.
    provisioned_concurrency, provisioned_concurrency_max: warm instances; 0 for none.
    paused: no function runs; events wait in the dead-letter queue.
    dependencies: resources that must exist before the first function can write.
    """

    context: StageContext
    bundles: Mapping[str, Path]
    handlers: Mapping[str, str]
    environment: Mapping[str, pulumi.Input[str]]
    resources: permissions.Resources
    schedule: str
    bucket_events: Sequence[str]
    bucket_prefix: str
    api_execution_arn: pulumi.Input[str]
    video_bucket_name: pulumi.Input[str]
    subnet_ids: Sequence[pulumi.Input[str]]
    security_group_id: pulumi.Input[str] | None
    log_key_arn: pulumi.Input[str]
    log_days: int
    protect: bool
    api_memory_mib: int
    processing_memory_mib: int
    processing_timeout_seconds: int
    provisioned_concurrency: int
    provisioned_concurrency_max: int
    paused: bool
    dependencies: Sequence[pulumi.Resource]


class Compute(pulumi.ComponentResource):
    """Six functions behind aliases, their scaling, and their triggers."""

    function_names: dict[str, pulumi.Output[str]]
    """By function."""

    def __init__(self, name: str, args: ComputeArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(type_token("Compute"), name, None, opts)
        self._name = name
        self._args = args
        self._child = pulumi.ResourceOptions(parent=self)

        sizes = {
            function: FunctionSize(memory_mib=args.api_memory_mib, timeout_seconds=GATEWAY_SECONDS)
            for function in API_FUNCTIONS
        } | {
            "upload_token_authorizer": FunctionSize(
                memory_mib=AUTHORIZER_MEMORY_MIB, timeout_seconds=AUTHORIZER_SECONDS
            ),
            "video_processing": FunctionSize(
                memory_mib=args.processing_memory_mib, timeout_seconds=args.processing_timeout_seconds
            ),
            "janitor": FunctionSize(memory_mib=JANITOR_MEMORY_MIB, timeout_seconds=JANITOR_SECONDS),
        }
        self._log_groups = {function: self._log_group(function) for function in sizes}
        functions = {function: self._function(function, size) for function, size in sizes.items()}
        aliases = {function: self._alias(function, made) for function, made in functions.items()}

        for function in CALLED_BY_GATEWAY:
            self._let_gateway_call(function, aliases[function])
            if args.provisioned_concurrency:
                self._keep_warm(function, aliases[function])
        for function in EVENT_FUNCTIONS:
            self._send_failures_to_dead_letter_queue(function, aliases[function])
        self._process_arrivals(aliases["video_processing"])
        self._run_on_schedule(aliases["janitor"])

        self.function_names = {function: made.name for function, made in functions.items()}
        self.register_outputs({"functionNames": self.function_names})

    def _log_group(self, function: str) -> aws.cloudwatch.LogGroup:
        return aws.cloudwatch.LogGroup(
            f"{self._name}-{function}",
            name=self._args.context.function_log_group(function),
            retention_in_days=self._args.log_days,
            kms_key_id=self._args.log_key_arn,
            opts=protected(self, self._args.protect),
        )

    def _function(self, function: str, size: FunctionSize) -> aws.lambda_.Function:
        args = self._args
        role = aws.iam.Role(
            f"{self._name}-{function}",
            name=args.context.account_wide_name(function),
            assume_role_policy=policy.to_json(policy.assumed_by("lambda.amazonaws.com")),
            opts=self._child,
        )
        rights = aws.iam.RolePolicy(
            f"{self._name}-{function}",
            role=role.name,
            policy=policy.to_json(permissions.policy_of(function, args.resources)),
            opts=self._child,
        )
        in_network = args.security_group_id is not None and function not in OUTSIDE_THE_NETWORK
        return aws.lambda_.Function(
            f"{self._name}-{function}",
            name=args.context.name(function),
            runtime=RUNTIME,
            architectures=[ARCHITECTURE],
            handler=args.handlers[function],
            code=pulumi.FileArchive(str(args.bundles[function])),
            role=role.arn,
            memory_size=size.memory_mib,
            timeout=size.timeout_seconds,
            reserved_concurrent_executions=PAUSED if args.paused else UNRESERVED,
            publish=True,
            environment=aws.lambda_.FunctionEnvironmentArgs(variables={**args.environment, "FUNCTION": function}),
            tracing_config=aws.lambda_.FunctionTracingConfigArgs(mode="Active"),
            logging_config=aws.lambda_.FunctionLoggingConfigArgs(
                log_format="JSON",
                application_log_level="INFO",
                system_log_level="WARN",
                log_group=self._log_groups[function].name,
            ),
            vpc_config=aws.lambda_.FunctionVpcConfigArgs(
                subnet_ids=list(args.subnet_ids), security_group_ids=[args.security_group_id]
            )
            if in_network and args.security_group_id is not None
            else None,
            opts=pulumi.ResourceOptions(
                parent=self, depends_on=[self._log_groups[function], rights, *args.dependencies]
            ),
        )

    def _alias(self, function: str, made: aws.lambda_.Function) -> aws.lambda_.Alias:
        """Callers name the alias, so a deploy changes versions under running uploads at one stroke."""
        return aws.lambda_.Alias(
            f"{self._name}-{function}",
            name=LIVE,
            function_name=made.name,
            function_version=made.version,
            opts=self._child,
        )

    def _let_gateway_call(self, function: str, alias: aws.lambda_.Alias) -> None:
        path = "authorizers/*" if function == "upload_token_authorizer" else "api/*/*"
        aws.lambda_.Permission(
            f"{self._name}-{function}-gateway",
            function=alias.function_name,
            qualifier=alias.name,
            action="lambda:InvokeFunction",
            principal="apigateway.amazonaws.com",
            source_arn=pulumi.Output.concat(self._args.api_execution_arn, "/", path),
            opts=self._child,
        )

    def _keep_warm(self, function: str, alias: aws.lambda_.Alias) -> None:
        args = self._args
        warm = aws.lambda_.ProvisionedConcurrencyConfig(
            f"{self._name}-{function}",
            function_name=alias.function_name,
            qualifier=alias.name,
            provisioned_concurrent_executions=args.provisioned_concurrency,
            # From here on target tracking decides.
            opts=pulumi.ResourceOptions(parent=self, ignore_changes=["provisionedConcurrentExecutions"]),
        )
        target = aws.appautoscaling.Target(
            f"{self._name}-{function}",
            service_namespace="lambda",
            resource_id=scalable_id(args.context, function),
            scalable_dimension="lambda:function:ProvisionedConcurrency",
            min_capacity=args.provisioned_concurrency,
            max_capacity=args.provisioned_concurrency_max,
            opts=pulumi.ResourceOptions(parent=self, depends_on=[warm]),
        )
        aws.appautoscaling.Policy(
            f"{self._name}-{function}",
            name=args.context.name(function),
            policy_type="TargetTrackingScaling",
            service_namespace=target.service_namespace,
            resource_id=target.resource_id,
            scalable_dimension=target.scalable_dimension,
            target_tracking_scaling_policy_configuration=aws.appautoscaling.PolicyTargetTrackingScalingPolicyConfigurationArgs(
                target_value=WARM_USE,
                predefined_metric_specification=aws.appautoscaling.PolicyTargetTrackingScalingPolicyConfigurationPredefinedMetricSpecificationArgs(
                    predefined_metric_type="LambdaProvisionedConcurrencyUtilization"
                ),
            ),
            opts=self._child,
        )

    def _send_failures_to_dead_letter_queue(self, function: str, alias: aws.lambda_.Alias) -> None:
        aws.lambda_.FunctionEventInvokeConfig(
            f"{self._name}-{function}",
            function_name=alias.function_name,
            qualifier=alias.name,
            maximum_retry_attempts=EVENT_RETRIES,
            maximum_event_age_in_seconds=EVENT_AGE_SECONDS,
            destination_config=aws.lambda_.FunctionEventInvokeConfigDestinationConfigArgs(
                on_failure=aws.lambda_.FunctionEventInvokeConfigDestinationConfigOnFailureArgs(
                    destination=self._args.resources.dead_letter_queue_arn
                )
            ),
            opts=self._child,
        )

    def _process_arrivals(self, alias: aws.lambda_.Alias) -> None:
        args = self._args
        allowed = aws.lambda_.Permission(
            f"{self._name}-video_processing-bucket",
            function=alias.function_name,
            qualifier=alias.name,
            action="lambda:InvokeFunction",
            principal="s3.amazonaws.com",
            source_arn=args.context.bucket_arn("videos"),
            source_account=args.context.account_id,  # a bucket's ARN does not say whose it is
            opts=self._child,
        )
        aws.s3.BucketNotification(
            f"{self._name}-videos",
            bucket=args.video_bucket_name,
            lambda_functions=[
                aws.s3.BucketNotificationLambdaFunctionArgs(
                    id="video_processing",
                    lambda_function_arn=args.context.live_arn("video_processing"),
                    events=list(args.bucket_events),
                    filter_prefix=args.bucket_prefix,
                )
            ],
            opts=pulumi.ResourceOptions(parent=self, depends_on=[allowed]),
        )

    def _run_on_schedule(self, alias: aws.lambda_.Alias) -> None:
        args = self._args
        rule = aws.cloudwatch.EventRule(
            f"{self._name}-janitor",
            name=args.context.name("janitor"),
            description="Looks after uploads nobody finished",
            schedule_expression=args.schedule,
            state="DISABLED" if args.paused else "ENABLED",
            opts=self._child,
        )
        allowed = aws.lambda_.Permission(
            f"{self._name}-janitor-schedule",
            function=alias.function_name,
            qualifier=alias.name,
            action="lambda:InvokeFunction",
            principal="events.amazonaws.com",
            source_arn=rule.arn,
            opts=self._child,
        )
        aws.cloudwatch.EventTarget(
            f"{self._name}-janitor",
            rule=rule.name,
            arn=alias.arn,
            opts=pulumi.ResourceOptions(parent=self, depends_on=[allowed]),
        )
