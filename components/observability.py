"""Observability: alarms and who hears of them, traces, the dashboard, the budget."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pulumi
import pulumi_aws as aws

from components import policy
from components.alarms import NAMESPACE, Alarm, Metric, alarms_of
from components.naming import SITE_REGION, Place, type_token

DAY_SECONDS = 86_400
WARNING_PERCENT = 80
SAMPLING_PRIORITY = 1_000
WIDGET_WIDTH, WIDGET_HEIGHT, WIDGETS_A_ROW = 6, 6, 4


@dataclass(frozen=True, kw_only=True)
class ObservabilityArgs:
    """What watching needs.

    api_name, api_stage, distribution_id, function_names, queue_name: whose metrics are watched.
    alarm_emails: who hears of alarms and of the budget.
    dashboard: whether to make it. traced_percent: of requests. monthly_budget_usd: of this stage.
    paused: whether silence is to be expected.
    """

    place: Place
    api_name: str
    api_stage: str
    distribution_id: pulumi.Input[str]
    function_names: Mapping[str, str]
    queue_name: str
    log_key_arn: pulumi.Input[str]
    alarm_emails: Sequence[str]
    dashboard: bool
    traced_percent: int
    monthly_budget_usd: int
    paused: bool


class Observability(pulumi.ComponentResource):
    """Alarm topic and alarms, X-Ray group and sampling, dashboard, budget."""

    alarm_topic_arn: pulumi.Output[str]
    """Where every alarm goes."""
    dashboard_url: pulumi.Output[str] | None
    """In the console."""

    def __init__(self, name: str, args: ObservabilityArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(type_token("Observability"), name, None, opts)
        self._name = name
        self._args = args
        self._child = pulumi.ResourceOptions(parent=self)
        place = args.place

        topic = aws.sns.Topic(
            f"{name}-alarms", name=place.name("alarms"), kms_master_key_id=args.log_key_arn, opts=self._child
        )
        allowed = aws.sns.TopicPolicy(
            f"{name}-alarms",
            arn=topic.arn,
            policy=policy.to_json(alarm_topic_policy(place, topic.arn)),
            opts=self._child,
        )
        for address in args.alarm_emails:
            aws.sns.TopicSubscription(
                f"{name}-alarms-{address}", topic=topic.arn, protocol="email", endpoint=address, opts=self._child
            )
        alarms = alarms_of(
            stage=place.stage,
            api_name=args.api_name,
            api_stage=args.api_stage,
            function_names=args.function_names,
            queue_name=args.queue_name,
            paused=args.paused,
        )
        for alarm in alarms:
            self._alarm(alarm, topic)
        self._traces()
        self._budget(topic, allowed)
        dashboard = self._dashboard() if args.dashboard else None

        self.alarm_topic_arn = topic.arn
        console = f"https://{place.region}.console.aws.amazon.com/cloudwatch/home?region={place.region}#dashboards"
        self.dashboard_url = (
            pulumi.Output.concat(console, "/dashboard/", dashboard.dashboard_name) if dashboard else None
        )
        self.register_outputs({"alarmTopicArn": self.alarm_topic_arn})

    def _alarm(self, alarm: Alarm, topic: aws.sns.Topic) -> None:
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
        aws.cloudwatch.MetricAlarm(
            f"{self._name}-{alarm.name}",
            name=self._args.place.name(alarm.name),
            alarm_description=alarm.meaning,
            metric_queries=queries,
            comparison_operator=alarm.comparison,
            threshold=alarm.threshold,
            evaluation_periods=alarm.periods,
            treat_missing_data="notBreaching" if alarm.silence_is_fine else "breaching",
            alarm_actions=[topic.arn],
            ok_actions=[topic.arn],
            opts=self._child,
        )

    def _traces(self) -> None:
        place = self._args.place
        service = f"{place.name('api')}/{self._args.api_stage}"
        aws.xray.Group(
            f"{self._name}-traces",
            group_name=place.name("api"),
            filter_expression=f'service("{service}")',
            insights_configuration=aws.xray.GroupInsightsConfigurationArgs(
                insights_enabled=True, notifications_enabled=False
            ),
            opts=self._child,
        )
        aws.xray.SamplingRule(
            f"{self._name}-sampling",
            rule_name=place.name("api"),
            priority=SAMPLING_PRIORITY,
            version=1,
            reservoir_size=1,
            fixed_rate=self._args.traced_percent / 100,
            service_name=service,
            service_type="*",
            host="*",
            http_method="*",
            url_path="*",
            resource_arn="*",
            opts=self._child,
        )

    def _budget(self, topic: aws.sns.Topic, allowed: aws.sns.TopicPolicy) -> None:
        place = self._args.place
        aws.budgets.Budget(
            f"{self._name}-budget",
            name=place.name("month"),
            budget_type="COST",
            time_unit="MONTHLY",
            limit_amount=str(self._args.monthly_budget_usd),
            limit_unit="USD",
            # Counts what carries the stage's tag, once the tag is activated for cost allocation.
            cost_filters=[aws.budgets.BudgetCostFilterArgs(name="TagKeyValue", values=[f"user:Stage${place.stage}"])],
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

    def _dashboard(self) -> aws.cloudwatch.Dashboard:
        place = self._args.place
        return aws.cloudwatch.Dashboard(
            f"{self._name}-dashboard",
            dashboard_name=place.name("overview"),
            dashboard_body=pulumi.Output.from_input(self._args.distribution_id).apply(
                lambda distribution_id: pulumi.Output.json_dumps({"widgets": self._widgets(distribution_id)})
            ),
            opts=self._child,
        )

    def _widgets(self, distribution_id: str) -> list[dict[str, Any]]:
        args, region = self._args, self._args.place.region
        api = {"ApiName": args.api_name, "Stage": args.api_stage}
        stage = {"Stage": args.place.stage}
        functions = list(args.function_names.values())
        edge = Metric(
            namespace="AWS/CloudFront",
            name="CacheHitRate",
            statistic="Average",
            dimensions={"DistributionId": distribution_id, "Region": "Global"},
        )

        def of_api(name: str, statistic: str) -> Metric:
            return Metric(namespace="AWS/ApiGateway", name=name, statistic=statistic, dimensions=api)

        def own(name: str, statistic: str) -> Metric:
            return Metric(namespace=NAMESPACE, name=name, statistic=statistic, dimensions=stage)

        errors = [
            Metric(namespace="AWS/Lambda", name="Errors", statistic="Sum", dimensions={"FunctionName": function})
            for function in functions
        ]
        charts: list[tuple[str, str, list[Metric], str | None, int]] = [
            (
                "Upload success rate (%)",
                region,
                [own("UploadsReady", "Sum"), own("UploadsRejected", "Sum")],
                "IF(m0+m1>0, 100*m0/(m0+m1))",
                DAY_SECONDS,
            ),
            ("Average response time (ms)", region, [of_api("Latency", "Average")], None, 300),
            ("Concurrent uploads", region, [own("UploadsInFlight", "Maximum")], None, 300),
            (
                "Error rate (%)",
                region,
                [of_api("5XXError", "Sum"), of_api("Count", "Sum")],
                "IF(m1>0, 100*m0/m1, 0)",
                300,
            ),
            ("S3 upload speed (bytes/s, median)", region, [own("UploadThroughput", "p50")], None, 300),
            (
                "API Gateway latency (ms)",
                region,
                [of_api("Latency", "Average"), of_api("IntegrationLatency", "Average")],
                "m0-m1",
                300,
            ),
            ("CDN hit rate (%)", SITE_REGION, [edge], None, 3_600),
            ("Function errors", region, errors, None, 300),
        ]
        return [
            {
                "type": "metric",
                "x": position % WIDGETS_A_ROW * WIDGET_WIDTH,
                "y": position // WIDGETS_A_ROW * WIDGET_HEIGHT,
                "width": WIDGET_WIDTH,
                "height": WIDGET_HEIGHT,
                "properties": _chart(title, chart_region, metrics, expression, period_seconds),
            }
            for position, (title, chart_region, metrics, expression, period_seconds) in enumerate(charts)
        ]


def _chart(
    title: str, region: str, metrics: Sequence[Metric], expression: str | None, period_seconds: int
) -> dict[str, Any]:
    rows: list[list[Any]] = [
        [
            metric.namespace,
            metric.name,
            *(text for pair in metric.dimensions.items() for text in pair),
            {"id": f"m{position}", "stat": metric.statistic, "visible": expression is None},
        ]
        for position, metric in enumerate(metrics)
    ]
    if expression is not None:
        rows.insert(0, [{"expression": expression, "label": title, "id": "e0"}])
    return {"title": title, "region": region, "view": "timeSeries", "period": period_seconds, "metrics": rows}


def alarm_topic_policy(place: Place, topic_arn: pulumi.Input[str]) -> policy.PolicyDocument:
    """CloudWatch's alarms and the budget of this account."""
    return policy.document(
        policy.allow(
            "AlarmsAndBudget",
            principal={"Service": ["cloudwatch.amazonaws.com", "budgets.amazonaws.com"]},
            actions="sns:Publish",
            resources=topic_arn,
            conditions={"StringEquals": {"aws:SourceAccount": place.account_id}},
        ),
        policy.deny(
            "NoPlainHttp",
            principal=policy.EVERYONE,
            actions="sns:Publish",
            resources=topic_arn,
            conditions={"Bool": {"aws:SecureTransport": "false"}},
        ),
    )
