"""Account-wide resources: created once per region, used by every stage in that region.

API Gateway writes the logs of all APIs in a region with one role, a setting of the account and region. If a stage owned
that setting, destroying the stage would stop the logs of all others.
"""

from __future__ import annotations

import json

import pulumi
import pulumi_aws as aws

WRITES_LOGS = "arn:aws:iam::aws:policy/service-role/AmazonAPIGatewayPushToCloudWatchLogs"
"""API Gateway accepts only a role with exactly this policy."""

region = aws.get_region().region
if pulumi.get_stack() != region:
    message = f"the stack is called {pulumi.get_stack()} and aws:region is {region}: name the stack for its region"
    raise ValueError(message)

tags = {"Product": "video-upload", "ManagedBy": "pulumi"}
# Every stage's logs need all three, so taking them away takes `pulumi state unprotect` first.
protected = pulumi.ResourceOptions(protect=True)

role = aws.iam.Role(
    "api-logging",
    name=f"video-upload-api-logging-{region}",
    assume_role_policy=json.dumps(
        {
            "Version": "2012-10-17",
            "Statement": [
                {"Effect": "Allow", "Principal": {"Service": "apigateway.amazonaws.com"}, "Action": "sts:AssumeRole"}
            ],
        }
    ),
    tags=tags,
    opts=protected,
)
rights = aws.iam.RolePolicyAttachment("api-logging", role=role.name, policy_arn=WRITES_LOGS, opts=protected)
aws.apigateway.Account(
    "api-logging",
    cloudwatch_role_arn=role.arn,
    opts=pulumi.ResourceOptions(protect=True, depends_on=[rights]),
)

pulumi.export("apiLoggingRoleArn", role.arn)
