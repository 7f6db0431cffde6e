"""Compute: the functions with their roles, logs, aliases and triggers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import KW_ONLY, dataclass

import pulumi
import pulumi_aws as aws

from components import policy
from components.app_description import AppDescription, BucketEvents
from components.compute.function_table import FUNCTIONS, FunctionSpec, Trigger, role_policy, scalable_id, triggered_by
from components.compute.lambda_package import LambdaPackage
from components.compute.permissions import Resources
from components.naming import LIVE, StageContext, type_token
from components.protection import protected
from components.settings import ComputeSettings

RUNTIME = "python3.13"
ARCHITECTURE = "arm64"
UNRESERVED = -1
PAUSED = 0
EVENT_RETRIES = 2  # Lambda Developer Guide, "Asynchronous invocation": 0 to 2
EVENT_AGE_SECONDS = 6 * 3600  # same page: at most 6 hours
WARM_USE = 0.7
CALLS_A_DESTINATION = 2  # Lambda API reference, ScalingConfig: the minimum


@dataclass(frozen=True)
class ComputeArgs:
    """Inputs of the functions.

    app: handlers and trigger events. package: their bundles. environment: variables that all functions share.
    resources: that their roles may use. api_execution_arn: of the API that may invoke them. event_buckets: names of the
    buckets that may, by purpose.
    delivery_queue_arns: queues of notifications, by destination.
    vpc_config: None without a network.
    dependencies: resources that must exist before the first function can write.
    """

    context: StageContext
    settings: ComputeSettings
    _: KW_ONLY
    app: AppDescription
    package: LambdaPackage
    environment: Mapping[str, pulumi.Input[str]]
    resources: Resources
    api_execution_arn: pulumi.Input[str]
    event_buckets: Mapping[str, pulumi.Input[str]]
    delivery_queue_arns: Mapping[str, pulumi.Input[str]]
    vpc_config: aws.lambda_.FunctionVpcConfigArgs | None
    log_key_arn: pulumi.Input[str]
    dependencies: Sequence[pulumi.Resource]


class Compute(pulumi.ComponentResource):
    """The functions, their aliases, scaling and triggers."""

    notification: pulumi.Resource
    """Notification configuration of the video bucket. Resources that change it as well must depend on it."""

    def __init__(self, name: str, args: ComputeArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(type_token("Compute"), name, None, opts)
        self._name = name
        self._args = args
        self._child = pulumi.ResourceOptions(parent=self)

        self._log_groups = {function: self._log_group(function) for function in FUNCTIONS}
        functions = {function: self._function(function, spec) for function, spec in FUNCTIONS.items()}
        aliases = {function: self._alias(function, made) for function, made in functions.items()}

        for function, spec in FUNCTIONS.items():
            if spec.is_called_by_gateway:
                self._let_gateway_call(function, aliases[function], spec)
                if args.settings.provisioned_concurrency:
                    self._keep_warm(function, aliases[function])
            if spec.is_invoked_asynchronously:
                self._send_failures_to_dead_letter_queue(function, aliases[function])
        self.notification = self._receive_events("videos", args.app.uploads, triggered_by(Trigger.BUCKET), aliases)
        if args.resources.settings.network.uses_outbox:
            self._receive_events("metadata", args.app.messages, triggered_by(Trigger.OUTBOX), aliases)
        self._run_on_schedule(triggered_by(Trigger.SCHEDULE), aliases)
        if args.resources.settings.malware.malware_scan:
            self._receive_verdicts(triggered_by(Trigger.SCANNER), aliases)
        if args.resources.settings.playback.renditions:
            self._hear_of_conversions(triggered_by(Trigger.SCHEDULE), aliases)
        self._deliver_notifications(triggered_by(Trigger.QUEUES), aliases)

        self.register_outputs({"functionNames": {function: made.name for function, made in functions.items()}})

    def _log_group(self, function: str) -> aws.cloudwatch.LogGroup:
        return aws.cloudwatch.LogGroup(
            f"{self._name}-{function}",
            name=self._args.context.function_log_group(function),
            retention_in_days=self._args.context.general.log_days,
            kms_key_id=self._args.log_key_arn,
            opts=protected(self, self._args.context.general.protect),
        )

    def _function(self, function: str, spec: FunctionSpec) -> aws.lambda_.Function:
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
            policy=policy.to_json(role_policy(function, args.resources, in_network=args.vpc_config is not None)),
            opts=self._child,
        )
        return aws.lambda_.Function(
            f"{self._name}-{function}",
            name=args.context.name(function),
            runtime=RUNTIME,
            architectures=[ARCHITECTURE],
            handler=args.app.handlers[function],
            code=pulumi.FileArchive(str(args.package.bundles[spec.bundle])),
            role=role.arn,
            memory_size=spec.memory_mib(args.settings),
            timeout=spec.timeout_seconds(args.settings),
            reserved_concurrent_executions=PAUSED if args.context.general.paused else UNRESERVED,
            publish=True,
            environment=aws.lambda_.FunctionEnvironmentArgs(variables={**args.environment, "FUNCTION": function}),
            tracing_config=aws.lambda_.FunctionTracingConfigArgs(mode="Active"),
            logging_config=aws.lambda_.FunctionLoggingConfigArgs(
                log_format="JSON",
                application_log_level="INFO",
                system_log_level="WARN",
                log_group=self._log_groups[function].name,
            ),
            vpc_config=args.vpc_config if spec.in_network else None,
            opts=pulumi.ResourceOptions(
                parent=self, depends_on=[self._log_groups[function], rights, *args.dependencies]
            ),
        )

    def _alias(self, function: str, made: aws.lambda_.Function) -> aws.lambda_.Alias:
        """Alias that every caller names, so that a deploy switches running uploads to the new version at once."""
        return aws.lambda_.Alias(
            f"{self._name}-{function}",
            name=LIVE,
            function_name=made.name,
            function_version=made.version,
            opts=self._child,
        )

    def _let_gateway_call(self, function: str, alias: aws.lambda_.Alias, spec: FunctionSpec) -> None:
        path = "authorizers/*" if spec.trigger is Trigger.AUTHORIZER else "api/*/*"
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
            provisioned_concurrent_executions=args.settings.provisioned_concurrency,
            # After the creation, target tracking sets it.
            opts=pulumi.ResourceOptions(parent=self, ignore_changes=["provisionedConcurrentExecutions"]),
        )
        target = aws.appautoscaling.Target(
            f"{self._name}-{function}",
            service_namespace="lambda",
            resource_id=scalable_id(args.context, function),
            scalable_dimension="lambda:function:ProvisionedConcurrency",
            min_capacity=args.settings.provisioned_concurrency,
            max_capacity=args.settings.provisioned_concurrency_max,
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

    def _receive_events(
        self, bucket: str, received: BucketEvents, function: str, aliases: Mapping[str, aws.lambda_.Alias]
    ) -> aws.s3.BucketNotification:
        args, alias = self._args, aliases[function]
        allowed = aws.lambda_.Permission(
            f"{self._name}-{function}-bucket",
            function=alias.function_name,
            qualifier=alias.name,
            action="lambda:InvokeFunction",
            principal="s3.amazonaws.com",
            source_arn=args.context.bucket_arn(bucket),
            source_account=args.context.account_id,  # a bucket's ARN does not contain the account
            opts=self._child,
        )
        return aws.s3.BucketNotification(
            f"{self._name}-{bucket}",
            bucket=args.event_buckets[bucket],
            # GuardDuty learns of new videos from EventBridge and turns it on; without this line an `up` would turn it
            # off.
            eventbridge=args.resources.settings.malware.malware_scan and bucket == "videos",
            lambda_functions=[
                aws.s3.BucketNotificationLambdaFunctionArgs(
                    id=function,
                    lambda_function_arn=args.context.live_arn(function),
                    events=received["events"],
                    filter_prefix=received["prefix"],
                )
            ],
            opts=pulumi.ResourceOptions(parent=self, depends_on=[allowed]),
        )

    def _receive_verdicts(self, function: str, aliases: Mapping[str, aws.lambda_.Alias]) -> None:
        args = self._args
        rule = aws.cloudwatch.EventRule(
            f"{self._name}-{function}",
            name=args.context.name(function),
            description="Results of the malware scan of videos",
            event_pattern=args.app.scan_events_of(args.context.bucket("videos")),
            opts=self._child,
        )
        self._let_rule_call(function, aliases[function], rule, "rule")

    def _hear_of_conversions(self, function: str, aliases: Mapping[str, aws.lambda_.Alias]) -> None:
        args = self._args
        rule = aws.cloudwatch.EventRule(
            f"{self._name}-{function}-conversions",
            name=args.context.name("conversions"),
            description="Ends of conversions, ahead of the schedule",
            event_pattern=args.app.conversion_events_of(args.context.conversion_queue_arn),
            # The schedule covers lost events.
            state="DISABLED" if args.context.general.paused else "ENABLED",
            opts=self._child,
        )
        self._let_rule_call(function, aliases[function], rule, "conversions", target=f"{function}-conversions")

    def _run_on_schedule(self, function: str, aliases: Mapping[str, aws.lambda_.Alias]) -> None:
        args, alias = self._args, aliases[function]
        rule = aws.cloudwatch.EventRule(
            f"{self._name}-{function}",
            name=args.context.name(function),
            description="Looks after uploads nobody finished",
            schedule_expression=args.app.schedule,
            state="DISABLED" if args.context.general.paused else "ENABLED",
            opts=self._child,
        )
        self._let_rule_call(function, alias, rule, "schedule")

    def _let_rule_call(
        self,
        function: str,
        alias: aws.lambda_.Alias,
        rule: aws.cloudwatch.EventRule,
        purpose: str,
        *,
        target: str | None = None,
    ) -> None:
        """target: its name, if not the function's."""
        allowed = aws.lambda_.Permission(
            f"{self._name}-{function}-{purpose}",
            function=alias.function_name,
            qualifier=alias.name,
            action="lambda:InvokeFunction",
            principal="events.amazonaws.com",
            source_arn=rule.arn,
            opts=self._child,
        )
        aws.cloudwatch.EventTarget(
            f"{self._name}-{target or function}",
            rule=rule.name,
            arn=alias.arn,
            opts=pulumi.ResourceOptions(parent=self, depends_on=[allowed]),
        )

    def _deliver_notifications(self, function: str, aliases: Mapping[str, aws.lambda_.Alias]) -> None:
        args = self._args
        for destination, queue_arn in args.delivery_queue_arns.items():
            aws.lambda_.EventSourceMapping(
                f"{self._name}-{function}-{destination}",
                event_source_arn=queue_arn,
                function_name=aliases[function].arn,
                batch_size=args.app.delivery_batch_size,
                function_response_types=["ReportBatchItemFailures"],
                scaling_config=aws.lambda_.EventSourceMappingScalingConfigArgs(maximum_concurrency=CALLS_A_DESTINATION),
                # Each receive counts as an attempt, even if a paused function accepts nothing.
                enabled=not args.context.general.paused,
                opts=self._child,
            )
