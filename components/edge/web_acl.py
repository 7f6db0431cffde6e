"""The web ACL (setting `waf`): known attacks and callers that ask too often are turned away before they cost."""

from __future__ import annotations

import json
from dataclasses import KW_ONLY, dataclass
from http import HTTPStatus

import pulumi
import pulumi_aws as aws

from components.naming import SITE_REGION, StageContext, type_token
from components.settings import EdgeSettings

WINDOW_SECONDS = 300
TOO_OFTEN, BLOCKED = "too-often", "blocked"
BLOCK_RESPONSES = {
    # key of a response body: code and message, in the API's error shape; only AWS knows the request's id
    TOO_OFTEN: ("too_many_requests", "Too many requests; try again in a few minutes."),
    BLOCKED: ("forbidden", "This request is not allowed."),
}
READABLE = {"Access-Control-Allow-Origin": "*", "Cache-Control": "no-store"}
"""These answers are the same for everybody, so that pages of any origin may read them."""
COUNTED_GROUP = "AWSManagedRulesAnonymousIpList"
"""Seen, not blocked: people behind a VPN and programs in data centres are welcome, as long as they sign in."""
MANAGED_GROUPS = (
    COUNTED_GROUP,
    "AWSManagedRulesAmazonIpReputationList",
    "AWSManagedRulesKnownBadInputsRuleSet",
    "AWSManagedRulesCommonRuleSet",
)
BLOCKING_RULES: dict[str, tuple[str, ...]] = {
    "AWSManagedRulesAmazonIpReputationList": ("AWSManagedIPReputationList", "AWSManagedReconnaissanceList"),
    "AWSManagedRulesKnownBadInputsRuleSet": (
        *("ExploitablePaths_URIPATH", "Host_localhost_HEADER", "PROPFIND_METHOD", "ReactJSRCE_BODY"),
        *(f"JavaDeserializationRCE_{part}" for part in ("BODY", "HEADER", "QUERYSTRING", "URIPATH")),
        *(f"Log4JRCE_{part}" for part in ("BODY", "HEADER", "QUERYSTRING", "URIPATH")),
    ),
    "AWSManagedRulesCommonRuleSet": (
        *("NoUserAgent_HEADER", "UserAgent_BadBots_HEADER"),
        *(f"SizeRestrictions_{part}" for part in ("Cookie_HEADER", "QUERYSTRING", "URIPATH")),
        *(f"EC2MetaDataSSRF_{part}" for part in ("BODY", "COOKIE", "QUERYARGUMENTS", "URIPATH")),
        *(f"GenericLFI_{part}" for part in ("BODY", "QUERYARGUMENTS", "URIPATH")),
        *(f"GenericRFI_{part}" for part in ("BODY", "QUERYARGUMENTS", "URIPATH")),
        *(f"RestrictedExtensions_{part}" for part in ("QUERYARGUMENTS", "URIPATH")),
        *(f"CrossSiteScripting_{part}" for part in ("BODY", "COOKIE", "QUERYARGUMENTS", "URIPATH")),
    ),
}
"""WAF Developer Guide, "AWS Managed Rules rule groups list". A rule that AWS adds later blocks with CloudFront's page
until it is named here; WAF ignores a name that it does not know."""
COUNTED_RULES = {"AWSManagedRulesCommonRuleSet": ("SizeRestrictions_BODY",)}
"""POST /multipart/complete names up to 10,000 parts; the API bounds bodies itself."""

API_PATHS, INIT_PATHS = "/api/", "/multipart/init"
AS_ROUTED = ("URL_DECODE", "URL_DECODE_UNI", "NORMALIZE_PATH")
"""CloudFront and API Gateway find the route of an encoded path, too; decoded twice, nothing stays hidden."""


@dataclass(frozen=True)
class WebAclArgs:
    """log_group_arn: where it logs."""

    context: StageContext
    settings: EdgeSettings
    _: KW_ONLY
    log_group_arn: pulumi.Input[str]


class WebAcl(pulumi.ComponentResource):
    """Managed rule groups, three rate rules, and a log of what was blocked; all in us-east-1."""

    arn: pulumi.Output[str]
    """ARN for the distribution."""
    metric_name: str
    """Name in the ACL's metrics."""

    def __init__(self, name: str, args: WebAclArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(type_token("WebAcl"), name, None, opts)
        child = pulumi.ResourceOptions(parent=self)
        context = args.context
        self.metric_name = context.account_wide_name("edge")

        acl = aws.wafv2.WebAcl(
            f"{name}-acl",
            region=SITE_REGION,
            name=self.metric_name,
            scope="CLOUDFRONT",
            default_action=aws.wafv2.WebAclDefaultActionArgs(allow=aws.wafv2.WebAclDefaultActionAllowArgs()),
            custom_response_bodies=[
                aws.wafv2.WebAclCustomResponseBodyArgs(
                    key=key, content=_error_body(code, message), content_type="APPLICATION_JSON"
                )
                for key, (code, message) in BLOCK_RESPONSES.items()
            ],
            rules=[*self._rate_rules(args), *self._managed_rules()],
            visibility_config=aws.wafv2.WebAclVisibilityConfigArgs(
                cloudwatch_metrics_enabled=True, metric_name=self.metric_name, sampled_requests_enabled=True
            ),
            opts=child,
        )
        aws.wafv2.WebAclLoggingConfiguration(
            f"{name}-logs",
            region=SITE_REGION,
            resource_arn=acl.arn,
            log_destination_configs=[args.log_group_arn],
            redacted_fields=[
                aws.wafv2.WebAclLoggingConfigurationRedactedFieldArgs(
                    single_header=aws.wafv2.WebAclLoggingConfigurationRedactedFieldSingleHeaderArgs(name=header)
                )
                for header in ("authorization", "cookie")
            ],
            logging_filter=aws.wafv2.WebAclLoggingConfigurationLoggingFilterArgs(
                default_behavior="DROP",
                filters=[
                    aws.wafv2.WebAclLoggingConfigurationLoggingFilterFilterArgs(
                        behavior="KEEP",
                        requirement="MEETS_ANY",
                        conditions=[
                            aws.wafv2.WebAclLoggingConfigurationLoggingFilterFilterConditionArgs(
                                action_condition=aws.wafv2.WebAclLoggingConfigurationLoggingFilterFilterConditionActionConditionArgs(
                                    action=action
                                )
                            )
                            for action in ("BLOCK", "COUNT")
                        ],
                    )
                ],
            ),
            opts=child,
        )

        self.arn = acl.arn
        self.register_outputs({"arn": self.arn})

    def _rate_rules(self, args: WebAclArgs) -> list[aws.wafv2.WebAclRuleArgs]:
        limited = aws.wafv2.WebAclRuleStatementRateBasedStatementArgs
        # Of the API alone: a whole office behind one address loads pages, posters and ranges of videos without bound.
        per_ip = limited(
            limit=args.settings.requests_per_ip,
            aggregate_key_type="IP",
            evaluation_window_sec=WINDOW_SECONDS,
            scope_down_statement=_path_contains(API_PATHS),
        )
        per_token = limited(
            limit=args.settings.requests_per_token,
            aggregate_key_type="CUSTOM_KEYS",
            evaluation_window_sec=WINDOW_SECONDS,
            custom_keys=[
                aws.wafv2.WebAclRuleStatementRateBasedStatementCustomKeyArgs(
                    header=aws.wafv2.WebAclRuleStatementRateBasedStatementCustomKeyHeaderArgs(
                        name="authorization",
                        text_transformations=[
                            aws.wafv2.WebAclRuleStatementRateBasedStatementCustomKeyHeaderTextTransformationArgs(
                                # The scheme has no case of its own (RFC 9110, section 11.1): one token, one count.
                                priority=0,
                                type="LOWERCASE",
                            )
                        ],
                    )
                )
            ],
        )
        inits = limited(
            limit=args.settings.inits_per_ip,
            aggregate_key_type="IP",
            evaluation_window_sec=WINDOW_SECONDS,
            scope_down_statement=_path_contains(INIT_PATHS),
        )
        block = aws.wafv2.WebAclRuleActionArgs(
            block=aws.wafv2.WebAclRuleActionBlockArgs(
                custom_response=aws.wafv2.WebAclRuleActionBlockCustomResponseArgs(
                    response_code=HTTPStatus.TOO_MANY_REQUESTS,
                    custom_response_body_key=TOO_OFTEN,
                    response_headers=[
                        aws.wafv2.WebAclRuleActionBlockCustomResponseResponseHeaderArgs(name=name, value=value)
                        for name, value in {
                            **READABLE,
                            "Access-Control-Expose-Headers": "Retry-After",
                            "Retry-After": str(WINDOW_SECONDS),
                        }.items()
                    ],
                )
            )
        )
        return [
            aws.wafv2.WebAclRuleArgs(
                name=rule,
                priority=priority,
                action=block,
                statement=aws.wafv2.WebAclRuleStatementArgs(rate_based_statement=statement),
                visibility_config=_visible(rule),
            )
            for priority, (rule, statement) in enumerate(
                {"RequestsPerIp": per_ip, "RequestsPerToken": per_token, "InitsPerIp": inits}.items()
            )
        ]

    def _managed_rules(self) -> list[aws.wafv2.WebAclRuleArgs]:
        return [
            aws.wafv2.WebAclRuleArgs(
                name=group.removeprefix("AWSManagedRules"),
                priority=priority,
                override_action=aws.wafv2.WebAclRuleOverrideActionArgs(
                    count=aws.wafv2.WebAclRuleOverrideActionCountArgs()
                )
                if group == COUNTED_GROUP
                else aws.wafv2.WebAclRuleOverrideActionArgs(none=aws.wafv2.WebAclRuleOverrideActionNoneArgs()),
                statement=aws.wafv2.WebAclRuleStatementArgs(
                    managed_rule_group_statement=aws.wafv2.WebAclRuleStatementManagedRuleGroupStatementArgs(
                        vendor_name="AWS",
                        name=group,
                        rule_action_overrides=_rule_actions(group),
                    )
                ),
                visibility_config=_visible(group.removeprefix("AWSManagedRules")),
            )
            for priority, group in enumerate(MANAGED_GROUPS, start=10)
        ]


def _error_body(code: str, message: str) -> str:
    return json.dumps({"error": {"code": code, "message": message, "details": {}, "requestId": ""}})


def _path_contains(part: str) -> aws.wafv2.WebAclRuleStatementRateBasedStatementScopeDownStatementArgs:
    """Contains, not begins with: to count a path too many costs less than to miss a spelling of one."""
    waf = aws.wafv2
    return waf.WebAclRuleStatementRateBasedStatementScopeDownStatementArgs(
        byte_match_statement=waf.WebAclRuleStatementRateBasedStatementScopeDownStatementByteMatchStatementArgs(
            field_to_match=waf.WebAclRuleStatementRateBasedStatementScopeDownStatementByteMatchStatementFieldToMatchArgs(
                uri_path=waf.WebAclRuleStatementRateBasedStatementScopeDownStatementByteMatchStatementFieldToMatchUriPathArgs()
            ),
            positional_constraint="CONTAINS",
            search_string=part,
            text_transformations=[
                waf.WebAclRuleStatementRateBasedStatementScopeDownStatementByteMatchStatementTextTransformationArgs(
                    priority=priority, type=transformation
                )
                for priority, transformation in enumerate(AS_ROUTED)
            ],
        )
    )


def _rule_actions(
    group: str,
) -> list[aws.wafv2.WebAclRuleStatementManagedRuleGroupStatementRuleActionOverrideArgs] | None:
    """Each rule blocks as it always does, with an answer of ours. By the group's labels that would take a rule of its
    own, and a group that blocks nothing by itself."""
    waf = aws.wafv2
    block = waf.WebAclRuleStatementManagedRuleGroupStatementRuleActionOverrideActionToUseBlockArgs(
        custom_response=waf.WebAclRuleStatementManagedRuleGroupStatementRuleActionOverrideActionToUseBlockCustomResponseArgs(
            response_code=HTTPStatus.FORBIDDEN,
            custom_response_body_key=BLOCKED,
            response_headers=[
                waf.WebAclRuleStatementManagedRuleGroupStatementRuleActionOverrideActionToUseBlockCustomResponseResponseHeaderArgs(
                    name=name, value=value
                )
                for name, value in READABLE.items()
            ],
        )
    )
    count = waf.WebAclRuleStatementManagedRuleGroupStatementRuleActionOverrideActionToUseCountArgs()
    actions = {
        **{
            rule: waf.WebAclRuleStatementManagedRuleGroupStatementRuleActionOverrideActionToUseArgs(block=block)
            for rule in BLOCKING_RULES.get(group, ())
        },
        **{
            rule: waf.WebAclRuleStatementManagedRuleGroupStatementRuleActionOverrideActionToUseArgs(count=count)
            for rule in COUNTED_RULES.get(group, ())
        },
    }
    return [
        waf.WebAclRuleStatementManagedRuleGroupStatementRuleActionOverrideArgs(name=rule, action_to_use=action)
        for rule, action in actions.items()
    ] or None


def _visible(metric: str) -> aws.wafv2.WebAclRuleVisibilityConfigArgs:
    return aws.wafv2.WebAclRuleVisibilityConfigArgs(
        cloudwatch_metrics_enabled=True, metric_name=metric, sampled_requests_enabled=True
    )
