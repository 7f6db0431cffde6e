"""Observability: alarms and their recipients, traces, the dashboard, the budget."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import KW_ONLY, dataclass, replace

import pulumi
import pulumi_aws as aws

from components import policy
from components.naming import STAGE_TAG, StageContext, StageNames, type_token
from components.observability.alarms import Alarm, CompositeAlarm, alarms_of
from components.observability.dashboard import body_of
from components.observability.metrics import MonitoredResources
from components.policy import alarm_senders
from components.settings import ObservabilitySettings

WARNING_PERCENT = 80
SAMPLING_PRIORITY = 1_000


@dataclass(frozen=True)
class ObservabilityArgs:
    """Inputs of the observability tier.

    api_stage, distribution_id, functions, data_key_arn, web_acl_name: sources of metrics; the name is None without a
    web ACL.
    max_open_uploads: of one user. scans: whether videos are scanned for malware. deletes_old: whether retention deletes
        videos. makes_renditions: whether the stage makes renditions. destinations: of notifications.
    """

    context: StageContext
    settings: ObservabilitySettings
    _: KW_ONLY
    functions: Sequence[str]
    api_stage: str
    distribution_id: pulumi.Input[str]
    data_key_arn: pulumi.Input[str]
    web_acl_name: str | None
    log_key_arn: pulumi.Input[str]
    max_open_uploads: int
    scans: bool
    deletes_old: bool
    makes_renditions: bool
    destinations: Sequence[str]


class Observability(pulumi.ComponentResource):
    """Alarm topic and alarms, X-Ray group and sampling, dashboard, budget."""

    alarm_topic_arn: pulumi.Output[str]
    """Topic that receives every alarm."""
    dashboard_url: pulumi.Output[str] | None
    """The dashboard in the console."""

    def __init__(self, name: str, args: ObservabilityArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(type_token("Observability"), name, None, opts)
        self._name = name
        self._args = args
        self._child = pulumi.ResourceOptions(parent=self)
        context = args.context

        topic = aws.sns.Topic(
            f"{name}-alarms", name=context.name("alarms"), kms_master_key_id=args.log_key_arn, opts=self._child
        )
        allowed = aws.sns.TopicPolicy(
            f"{name}-alarms",
            arn=topic.arn,
            policy=policy.to_json(alarm_topic_policy(context, topic.arn, alarms=args.settings.alarms)),
            opts=self._child,
        )
        for address in args.settings.alarm_emails:
            aws.sns.TopicSubscription(
                f"{name}-alarms-{address}", topic=topic.arn, protocol="email", endpoint=address, opts=self._child
            )
        # Only the dashboard needs the outputs of edge and keys; no alarm does.
        self._monitored = MonitoredResources(
            stage=context.stage,
            region=context.region,
            api_name=context.name("api"),
            api_stage=args.api_stage,
            distribution_id="",
            video_bucket=context.bucket("videos"),
            function_names={function: context.name(function) for function in args.functions},
            queue_name=context.name("failed"),
            delivery_queue_names=[context.name(f"to-{destination}") for destination in args.destinations],
            data_key_arn="",
            web_acl_name=args.web_acl_name,
            scans=args.scans,
            deletes_old=args.deletes_old,
            makes_renditions=args.makes_renditions,
        )
        alarms = (
            alarms_of(self._monitored, paused=args.context.general.paused, max_open_uploads=args.max_open_uploads)
            if args.settings.alarms
            else []
        )
        made = {alarm.name: self._alarm(alarm, topic) for alarm in alarms if isinstance(alarm, Alarm)}
        for alarm in alarms:
            if isinstance(alarm, CompositeAlarm):
                self._composite_alarm(alarm, made, topic)
        self._traces()
        self._budget(topic, allowed)
        notifying = [alarm.name for alarm in alarms if isinstance(alarm, CompositeAlarm) or alarm.notifies]
        dashboard = self._dashboard(notifying) if args.settings.dashboard else None

        self.alarm_topic_arn = topic.arn
        console = f"https://{context.region}.console.aws.amazon.com/cloudwatch/home?region={context.region}#dashboards"
        self.dashboard_url = (
            pulumi.Output.concat(console, "/dashboard/", dashboard.dashboard_name) if dashboard else None
        )
        self.register_outputs({"alarmTopicArn": self.alarm_topic_arn})

    def _alarm(self, alarm: Alarm, topic: aws.sns.Topic) -> aws.cloudwatch.MetricAlarm:
        usual = alarm.usual_deviations is not None
        queries = [
            aws.cloudwatch.MetricAlarmMetricQueryArgs(
                id=f"m{position}",
                return_data=alarm.expression is None,
                metric=aws.cloudwatch.MetricAlarmMetricQueryMetricArgs(
                    namespace=metric.namespace,
                    metric_name=metric.name,
                    stat=metric.statistic,
                    period=alarm.period_seconds,
                    dimensions=dict(metric.dimensions),
                ),
            )
            for position, metric in enumerate(alarm.metrics)
        ]
        if alarm.expression is not None:
            queries.append(
                aws.cloudwatch.MetricAlarmMetricQueryArgs(
                    id="e0", expression=alarm.expression, label=alarm.name, return_data=True
                )
            )
        if usual:
            band = f"ANOMALY_DETECTION_BAND(m0, {alarm.usual_deviations})"
            queries.append(
                aws.cloudwatch.MetricAlarmMetricQueryArgs(
                    id="usual", expression=band, label="as usual", return_data=True
                )
            )
        return aws.cloudwatch.MetricAlarm(
            f"{self._name}-{alarm.name}",
            name=self._args.context.name(alarm.name),
            alarm_description=alarm.description,
            metric_queries=queries,
            comparison_operator=alarm.comparison,
            threshold=alarm.threshold,
            threshold_metric_id="usual" if usual else None,
            evaluation_periods=alarm.periods,
            datapoints_to_alarm=alarm.datapoints or alarm.periods,
            treat_missing_data="notBreaching" if alarm.silence_is_fine else "breaching",
            alarm_actions=[topic.arn] if alarm.notifies else [],
            ok_actions=[topic.arn] if alarm.notifies else [],
            opts=self._child,
        )

    def _composite_alarm(
        self, together: CompositeAlarm, made: Mapping[str, aws.cloudwatch.MetricAlarm], topic: aws.sns.Topic
    ) -> None:
        context = self._args.context
        aws.cloudwatch.CompositeAlarm(
            f"{self._name}-{together.name}",
            alarm_name=context.name(together.name),
            alarm_description=together.description,
            alarm_rule=" AND ".join(f'ALARM("{context.name(alarm.name)}")' for alarm in together.alarms),
            alarm_actions=[topic.arn],
            ok_actions=[topic.arn],
            opts=pulumi.ResourceOptions(parent=self, depends_on=[made[alarm.name] for alarm in together.alarms]),
        )

    def _traces(self) -> None:
        context = self._args.context
        service = f"{context.name('api')}/{self._args.api_stage}"
        aws.xray.Group(
            f"{self._name}-traces",
            group_name=context.name("api"),
            filter_expression=f'service("{service}")',
            insights_configuration=aws.xray.GroupInsightsConfigurationArgs(
                insights_enabled=True, notifications_enabled=False
            ),
            opts=self._child,
        )
        aws.xray.SamplingRule(
            f"{self._name}-sampling",
            rule_name=context.name("api"),
            priority=SAMPLING_PRIORITY,
            version=1,
            reservoir_size=1,
            fixed_rate=self._args.settings.traced_percent / 100,
            service_name=service,
            service_type="*",
            host="*",
            http_method="*",
            url_path="*",
            resource_arn="*",
            opts=self._child,
        )

    def _budget(self, topic: aws.sns.Topic, allowed: aws.sns.TopicPolicy) -> None:
        context = self._args.context
        aws.budgets.Budget(
            f"{self._name}-budget",
            name=context.account_wide_name("month"),
            budget_type="COST",
            time_unit="MONTHLY",
            limit_amount=str(self._args.settings.monthly_budget_usd),
            limit_unit="USD",
            # Counts resources with the stage's tag, once the tag is activated for cost allocation.
            cost_filters=[
                aws.budgets.BudgetCostFilterArgs(name="TagKeyValue", values=[f"user:{STAGE_TAG}${context.stage}"])
            ],
            notifications=[
                aws.budgets.BudgetNotificationArgs(
                    notification_type=kind,
                    comparison_operator="GREATER_THAN",
                    threshold=threshold,
                    threshold_type="PERCENTAGE",
                    subscriber_sns_topic_arns=[topic.arn],
                )
                for kind, threshold in (("ACTUAL", WARNING_PERCENT), ("FORECASTED", 100))
            ],
            opts=pulumi.ResourceOptions(parent=self, depends_on=[allowed]),
        )

    def _dashboard(self, alarm_names: Sequence[str]) -> aws.cloudwatch.Dashboard:
        context = self._args.context
        arns = [context.arn("cloudwatch", f"alarm:{context.name(name)}") for name in alarm_names]

        def body(known: tuple[str, str]) -> str:
            distribution_id, data_key_arn = known
            monitored = replace(self._monitored, distribution_id=distribution_id, data_key_arn=data_key_arn)
            log_group = context.function_log_group("video_upload")
            return json.dumps(body_of(monitored, alarm_arns=arns, progress_log_group=log_group))

        known = pulumi.Output.all(self._args.distribution_id, self._args.data_key_arn)
        return aws.cloudwatch.Dashboard(
            f"{self._name}-dashboard",
            dashboard_name=context.account_wide_name("overview"),
            dashboard_body=known.apply(lambda values: body((values[0], values[1]))),
            opts=self._child,
        )


def alarm_topic_policy(context: StageNames, topic_arn: pulumi.Input[str], *, alarms: bool) -> policy.PolicyDocument:
    """Allow the budget of this account to publish, and its alarms if there are any."""
    return policy.document(
        policy.allow(
            "AlarmsAndBudget",
            principal={"Service": alarm_senders(alarms=alarms)},
            actions="sns:Publish",
            resources=topic_arn,
            conditions={"StringEquals": {"aws:SourceAccount": context.account_id}},
        ),
        policy.deny_plain_http("sns:Publish", topic_arn),
    )
