"""IAM actions that the AWS provider needs to create, read, update and delete each type of resource, by Pulumi type.

Derived from the provider's requests, and from the Service Authorization Reference if an action is not named for its
call. A test compares the keys with the program's types and the actions with AWS's models.
"""

from __future__ import annotations

from collections.abc import Mapping

_BUCKET_READ = ("s3:ListBucket", "s3:GetBucket*", "s3:Get*Configuration")
_TAGS_LOGS = ("logs:TagResource", "logs:UntagResource", "logs:ListTagsForResource")
_TAGS_ALARMS = ("cloudwatch:TagResource", "cloudwatch:UntagResource", "cloudwatch:ListTagsForResource")
_TAGS_CLOUDFRONT = ("cloudfront:TagResource", "cloudfront:UntagResource", "cloudfront:ListTagsForResource")
_TAGS_EC2 = ("ec2:CreateTags", "ec2:DeleteTags")
_SECURITY_GROUP_RULES = (
    *("ec2:AuthorizeSecurityGroupIngress", "ec2:AuthorizeSecurityGroupEgress", "ec2:RevokeSecurityGroupIngress"),
    *("ec2:RevokeSecurityGroupEgress", "ec2:ModifySecurityGroupRules", "ec2:DescribeSecurityGroupRules"),
    "ec2:DescribeSecurityGroups",
)
_REST = ("apigateway:GET", "apigateway:POST", "apigateway:PUT", "apigateway:PATCH", "apigateway:DELETE")
_DELIVERIES = ("logs:CreateLogDelivery", "logs:GetLogDelivery", "logs:UpdateLogDelivery", "logs:DeleteLogDelivery")
"""Permissions without a call, which services require before they deliver logs."""

ACTIONS_BY_TYPE: Mapping[str, tuple[str, ...]] = {
    "apigateway/clientCertificate:ClientCertificate": _REST,
    "apigateway/deployment:Deployment": _REST,
    "apigateway/methodSettings:MethodSettings": _REST,
    "apigateway/restApi:RestApi": (*_REST, "apigateway:UpdateRestApiPolicy"),
    "apigateway/stage:Stage": _REST,
    "appautoscaling/policy:Policy": (
        *("application-autoscaling:PutScalingPolicy", "application-autoscaling:DescribeScalingPolicies"),
        *("application-autoscaling:DeleteScalingPolicy", "cloudwatch:PutMetricAlarm", "cloudwatch:DeleteAlarms"),
        "cloudwatch:DescribeAlarms",
    ),
    "appautoscaling/target:Target": (
        *("application-autoscaling:RegisterScalableTarget", "application-autoscaling:DescribeScalableTargets"),
        *("application-autoscaling:DeregisterScalableTarget", "application-autoscaling:TagResource"),
        *("application-autoscaling:UntagResource", "application-autoscaling:ListTagsForResource"),
        "iam:CreateServiceLinkedRole",
    ),
    "budgets/budget:Budget": (
        *("budgets:ModifyBudget", "budgets:ViewBudget", "budgets:TagResource", "budgets:UntagResource"),
        "budgets:ListTagsForResource",
    ),
    "cloudfront/distribution:Distribution": (
        *("cloudfront:CreateDistribution", "cloudfront:GetDistribution", "cloudfront:UpdateDistribution"),
        *("cloudfront:DeleteDistribution", *_TAGS_CLOUDFRONT),
    ),
    "cloudfront/function:Function": (
        *("cloudfront:CreateFunction", "cloudfront:GetFunction", "cloudfront:DescribeFunction"),
        *("cloudfront:UpdateFunction", "cloudfront:PublishFunction", "cloudfront:DeleteFunction"),
    ),
    "cloudfront/keyGroup:KeyGroup": (
        *("cloudfront:CreateKeyGroup", "cloudfront:GetKeyGroup", "cloudfront:UpdateKeyGroup"),
        "cloudfront:DeleteKeyGroup",
    ),
    "cloudfront/monitoringSubscription:MonitoringSubscription": (
        *("cloudfront:CreateMonitoringSubscription", "cloudfront:GetMonitoringSubscription"),
        "cloudfront:DeleteMonitoringSubscription",
    ),
    "cloudfront/originAccessControl:OriginAccessControl": (
        *("cloudfront:CreateOriginAccessControl", "cloudfront:GetOriginAccessControl"),
        *("cloudfront:UpdateOriginAccessControl", "cloudfront:DeleteOriginAccessControl"),
    ),
    "cloudfront/publicKey:PublicKey": (
        *("cloudfront:CreatePublicKey", "cloudfront:GetPublicKey", "cloudfront:UpdatePublicKey"),
        "cloudfront:DeletePublicKey",
    ),
    "cloudfront/responseHeadersPolicy:ResponseHeadersPolicy": (
        *("cloudfront:CreateResponseHeadersPolicy", "cloudfront:GetResponseHeadersPolicy"),
        *("cloudfront:UpdateResponseHeadersPolicy", "cloudfront:DeleteResponseHeadersPolicy"),
    ),
    "cloudtrail/trail:Trail": (
        *("cloudtrail:CreateTrail", "cloudtrail:UpdateTrail", "cloudtrail:DeleteTrail", "cloudtrail:DescribeTrails"),
        *("cloudtrail:GetTrail", "cloudtrail:GetTrailStatus", "cloudtrail:StartLogging", "cloudtrail:StopLogging"),
        *("cloudtrail:PutEventSelectors", "cloudtrail:GetEventSelectors", "cloudtrail:GetInsightSelectors"),
        *("cloudtrail:AddTags", "cloudtrail:RemoveTags", "cloudtrail:ListTags", "iam:PassRole"),
    ),
    "cloudwatch/compositeAlarm:CompositeAlarm": (
        *("cloudwatch:PutCompositeAlarm", "cloudwatch:DescribeAlarms", "cloudwatch:DeleteAlarms", *_TAGS_ALARMS),
    ),
    "cloudwatch/dashboard:Dashboard": (
        *("cloudwatch:PutDashboard", "cloudwatch:GetDashboard", "cloudwatch:DeleteDashboards"),
    ),
    "cloudwatch/eventRule:EventRule": (
        *("events:PutRule", "events:DescribeRule", "events:DeleteRule", "events:EnableRule", "events:DisableRule"),
        *("events:TagResource", "events:UntagResource", "events:ListTagsForResource"),
    ),
    "cloudwatch/eventTarget:EventTarget": ("events:PutTargets", "events:ListTargetsByRule", "events:RemoveTargets"),
    "cloudwatch/logDelivery:LogDelivery": (
        *("logs:CreateDelivery", "logs:GetDelivery", "logs:DeleteDelivery", "logs:UpdateDeliveryConfiguration"),
        *_TAGS_LOGS,
    ),
    "cloudwatch/logDeliveryDestination:LogDeliveryDestination": (
        *("logs:PutDeliveryDestination", "logs:GetDeliveryDestination", "logs:DeleteDeliveryDestination", *_TAGS_LOGS),
        *("s3:GetBucket*", "s3:PutBucketPolicy"),
    ),
    "cloudwatch/logDeliverySource:LogDeliverySource": (
        *("logs:PutDeliverySource", "logs:GetDeliverySource", "logs:DeleteDeliverySource", *_TAGS_LOGS),
        "cloudfront:AllowVendedLogDeliveryForResource",
    ),
    "cloudwatch/logGroup:LogGroup": (
        *("logs:CreateLogGroup", "logs:DescribeLogGroups", "logs:DeleteLogGroup", "logs:PutRetentionPolicy"),
        *("logs:DeleteRetentionPolicy", "logs:AssociateKmsKey", "logs:DisassociateKmsKey", *_TAGS_LOGS),
    ),
    "cloudwatch/metricAlarm:MetricAlarm": (
        *("cloudwatch:PutMetricAlarm", "cloudwatch:DescribeAlarms", "cloudwatch:DeleteAlarms", *_TAGS_ALARMS),
    ),
    "cloudwatch/queryDefinition:QueryDefinition": (
        *("logs:PutQueryDefinition", "logs:DescribeQueryDefinitions", "logs:DeleteQueryDefinition"),
    ),
    "cognito/identityProvider:IdentityProvider": (
        *("cognito-idp:CreateIdentityProvider", "cognito-idp:DescribeIdentityProvider"),
        *("cognito-idp:UpdateIdentityProvider", "cognito-idp:DeleteIdentityProvider"),
    ),
    "cognito/resourceServer:ResourceServer": (
        *("cognito-idp:CreateResourceServer", "cognito-idp:DescribeResourceServer"),
        *("cognito-idp:UpdateResourceServer", "cognito-idp:DeleteResourceServer"),
    ),
    "cognito/riskConfiguration:RiskConfiguration": (
        *("cognito-idp:SetRiskConfiguration", "cognito-idp:DescribeRiskConfiguration"),
    ),
    "cognito/userPool:UserPool": (
        *("cognito-idp:CreateUserPool", "cognito-idp:DescribeUserPool", "cognito-idp:UpdateUserPool"),
        *("cognito-idp:DeleteUserPool", "cognito-idp:GetUserPoolMfaConfig", "cognito-idp:SetUserPoolMfaConfig"),
        *("cognito-idp:AddCustomAttributes", "cognito-idp:TagResource", "cognito-idp:UntagResource"),
        *("cognito-idp:ListTagsForResource", "iam:CreateServiceLinkedRole"),
    ),
    "cognito/userGroup:UserGroup": (
        *("cognito-idp:CreateGroup", "cognito-idp:DeleteGroup", "cognito-idp:GetGroup"),
        "cognito-idp:UpdateGroup",
    ),
    "cognito/userPoolClient:UserPoolClient": (
        *("cognito-idp:CreateUserPoolClient", "cognito-idp:DescribeUserPoolClient"),
        *("cognito-idp:UpdateUserPoolClient", "cognito-idp:DeleteUserPoolClient"),
    ),
    "cognito/userPoolDomain:UserPoolDomain": (
        *("cognito-idp:CreateUserPoolDomain", "cognito-idp:DescribeUserPoolDomain"),
        *("cognito-idp:UpdateUserPoolDomain", "cognito-idp:DeleteUserPoolDomain"),
    ),
    "ec2/defaultSecurityGroup:DefaultSecurityGroup": (*_SECURITY_GROUP_RULES, *_TAGS_EC2),
    "ec2/flowLog:FlowLog": (
        *("ec2:CreateFlowLogs", "ec2:DescribeFlowLogs", "ec2:DeleteFlowLogs", *_TAGS_EC2, *_DELIVERIES, "iam:PassRole"),
    ),
    "ec2/networkAcl:NetworkAcl": (
        *("ec2:CreateNetworkAcl", "ec2:DescribeNetworkAcls", "ec2:DeleteNetworkAcl", "ec2:CreateNetworkAclEntry"),
        *("ec2:DeleteNetworkAclEntry", "ec2:ReplaceNetworkAclAssociation", *_TAGS_EC2),
    ),
    "ec2/routeTable:RouteTable": (
        *("ec2:CreateRouteTable", "ec2:DescribeRouteTables", "ec2:DeleteRouteTable", *_TAGS_EC2),
    ),
    "ec2/routeTableAssociation:RouteTableAssociation": (
        *("ec2:AssociateRouteTable", "ec2:DescribeRouteTables", "ec2:DisassociateRouteTable"),
        "ec2:ReplaceRouteTableAssociation",
    ),
    "ec2/securityGroup:SecurityGroup": (
        *("ec2:CreateSecurityGroup", "ec2:DeleteSecurityGroup", *_SECURITY_GROUP_RULES, *_TAGS_EC2),
        # Network interfaces left behind by Lambda block the deletion of a group.
        *("ec2:DescribeNetworkInterfaces", "ec2:DetachNetworkInterface", "ec2:DeleteNetworkInterface"),
    ),
    "ec2/subnet:Subnet": (
        *("ec2:CreateSubnet", "ec2:DescribeSubnets", "ec2:ModifySubnetAttribute", "ec2:DeleteSubnet", *_TAGS_EC2),
        *("ec2:DescribeAvailabilityZones", "ec2:DescribeNetworkInterfaces"),
    ),
    "ec2/vpc:Vpc": (
        *("ec2:CreateVpc", "ec2:DescribeVpcs", "ec2:DescribeVpcAttribute", "ec2:ModifyVpcAttribute", "ec2:DeleteVpc"),
        *("ec2:DescribeNetworkAcls", "ec2:DescribeRouteTables", "ec2:DescribeSecurityGroups", *_TAGS_EC2),
    ),
    "ec2/vpcEndpoint:VpcEndpoint": (
        *("ec2:CreateVpcEndpoint", "ec2:DescribeVpcEndpoints", "ec2:ModifyVpcEndpoint", "ec2:DeleteVpcEndpoints"),
        *("ec2:DescribePrefixLists", "ec2:DescribeNetworkInterfaces", *_TAGS_EC2),
    ),
    "guardduty/malwareProtectionPlan:MalwareProtectionPlan": (
        *("guardduty:CreateMalwareProtectionPlan", "guardduty:GetMalwareProtectionPlan"),
        *("guardduty:UpdateMalwareProtectionPlan", "guardduty:DeleteMalwareProtectionPlan"),
        *("guardduty:TagResource", "guardduty:UntagResource", "guardduty:ListTagsForResource", "iam:PassRole"),
    ),
    "mediaconvert/queue:Queue": (
        *("mediaconvert:CreateQueue", "mediaconvert:GetQueue", "mediaconvert:UpdateQueue", "mediaconvert:DeleteQueue"),
        *("mediaconvert:TagResource", "mediaconvert:UntagResource", "mediaconvert:ListTagsForResource"),
    ),
    "iam/role:Role": (
        *("iam:CreateRole", "iam:GetRole", "iam:UpdateRole", "iam:UpdateRoleDescription", "iam:DeleteRole"),
        *("iam:UpdateAssumeRolePolicy", "iam:TagRole", "iam:UntagRole", "iam:ListRoleTags", "iam:ListRolePolicies"),
        *("iam:ListAttachedRolePolicies", "iam:ListInstanceProfilesForRole"),
    ),
    "iam/rolePolicy:RolePolicy": ("iam:PutRolePolicy", "iam:GetRolePolicy", "iam:DeleteRolePolicy"),
    "kms/alias:Alias": ("kms:CreateAlias", "kms:UpdateAlias", "kms:DeleteAlias", "kms:ListAliases"),
    "kms/key:Key": (
        *("kms:CreateKey", "kms:DescribeKey", "kms:GetKeyPolicy", "kms:PutKeyPolicy", "kms:GetKeyRotationStatus"),
        *("kms:EnableKeyRotation", "kms:DisableKeyRotation", "kms:UpdateKeyDescription", "kms:ListResourceTags"),
        *("kms:TagResource", "kms:UntagResource", "kms:ScheduleKeyDeletion", "kms:GetPublicKey"),
    ),
    "lambda/alias:Alias": (*("lambda:CreateAlias", "lambda:GetAlias", "lambda:UpdateAlias", "lambda:DeleteAlias"),),
    "lambda/eventSourceMapping:EventSourceMapping": (
        *("lambda:CreateEventSourceMapping", "lambda:GetEventSourceMapping", "lambda:UpdateEventSourceMapping"),
        *("lambda:DeleteEventSourceMapping", "lambda:TagResource", "lambda:UntagResource", "lambda:ListTags"),
    ),
    "lambda/function:Function": (
        *("lambda:CreateFunction", "lambda:GetFunction", "lambda:GetFunctionConfiguration", "lambda:DeleteFunction"),
        *("lambda:UpdateFunctionCode", "lambda:UpdateFunctionConfiguration", "lambda:PublishVersion"),
        *("lambda:ListVersionsByFunction", "lambda:GetFunctionCodeSigningConfig", "lambda:PutFunctionConcurrency"),
        *("lambda:DeleteFunctionConcurrency", "lambda:TagResource", "lambda:UntagResource", "lambda:ListTags"),
        *("iam:PassRole", "ec2:DescribeSecurityGroups", "ec2:DescribeSubnets", "ec2:DescribeVpcs"),
    ),
    "lambda/functionEventInvokeConfig:FunctionEventInvokeConfig": (
        *("lambda:PutFunctionEventInvokeConfig", "lambda:GetFunctionEventInvokeConfig"),
        *("lambda:UpdateFunctionEventInvokeConfig", "lambda:DeleteFunctionEventInvokeConfig"),
    ),
    "lambda/permission:Permission": ("lambda:AddPermission", "lambda:GetPolicy", "lambda:RemovePermission"),
    "lambda/provisionedConcurrencyConfig:ProvisionedConcurrencyConfig": (
        *("lambda:PutProvisionedConcurrencyConfig", "lambda:GetProvisionedConcurrencyConfig"),
        "lambda:DeleteProvisionedConcurrencyConfig",
    ),
    "s3/bucket:Bucket": (
        *("s3:CreateBucket", "s3:DeleteBucket", "s3:PutBucketTagging", *_BUCKET_READ),
        # Unprotected stages are destroyed with their contents.
        *("s3:ListBucketVersions", "s3:DeleteObject", "s3:DeleteObjectVersion"),
    ),
    "s3/bucketCorsConfiguration:BucketCorsConfiguration": ("s3:PutBucketCORS", *_BUCKET_READ),
    "s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration": ("s3:PutLifecycleConfiguration", *_BUCKET_READ),
    "s3/bucketLogging:BucketLogging": ("s3:PutBucketLogging", *_BUCKET_READ),
    "s3/bucketNotification:BucketNotification": ("s3:PutBucketNotification", *_BUCKET_READ),
    "s3/bucketOwnershipControls:BucketOwnershipControls": ("s3:PutBucketOwnershipControls", *_BUCKET_READ),
    "s3/bucketPolicy:BucketPolicy": ("s3:PutBucketPolicy", "s3:DeleteBucketPolicy", *_BUCKET_READ),
    "s3/bucketPublicAccessBlock:BucketPublicAccessBlock": ("s3:PutBucketPublicAccessBlock", *_BUCKET_READ),
    "s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration": (
        *("s3:PutEncryptionConfiguration", *_BUCKET_READ),
    ),
    "s3/bucketVersioning:BucketVersioning": ("s3:PutBucketVersioning", *_BUCKET_READ),
    "sns/topic:Topic": (
        *("sns:CreateTopic", "sns:GetTopicAttributes", "sns:SetTopicAttributes", "sns:DeleteTopic", "sns:TagResource"),
        *("sns:UntagResource", "sns:ListTagsForResource"),
    ),
    "sns/topicPolicy:TopicPolicy": ("sns:GetTopicAttributes", "sns:SetTopicAttributes"),
    "sqs/queue:Queue": (
        *("sqs:CreateQueue", "sqs:GetQueueAttributes", "sqs:SetQueueAttributes", "sqs:DeleteQueue", "sqs:TagQueue"),
        *("sqs:UntagQueue", "sqs:ListQueueTags"),
    ),
    "sqs/queuePolicy:QueuePolicy": ("sqs:GetQueueAttributes", "sqs:SetQueueAttributes"),
    "vpc/securityGroupEgressRule:SecurityGroupEgressRule": (*_SECURITY_GROUP_RULES, *_TAGS_EC2),
    "vpc/securityGroupIngressRule:SecurityGroupIngressRule": (*_SECURITY_GROUP_RULES, *_TAGS_EC2),
    "wafv2/webAcl:WebAcl": (
        *("wafv2:CreateWebACL", "wafv2:GetWebACL", "wafv2:UpdateWebACL", "wafv2:DeleteWebACL", "wafv2:TagResource"),
        *("wafv2:UntagResource", "wafv2:ListTagsForResource"),
    ),
    "wafv2/webAclLoggingConfiguration:WebAclLoggingConfiguration": (
        *("wafv2:PutLoggingConfiguration", "wafv2:GetLoggingConfiguration", "wafv2:DeleteLoggingConfiguration"),
        *(*_DELIVERIES, "logs:PutResourcePolicy", "logs:DescribeResourcePolicies", "logs:DescribeLogGroups"),
    ),
    "xray/group:Group": (
        *("xray:CreateGroup", "xray:GetGroup", "xray:UpdateGroup", "xray:DeleteGroup", "xray:TagResource"),
        *("xray:UntagResource", "xray:ListTagsForResource"),
    ),
    "xray/samplingRule:SamplingRule": (
        *("xray:CreateSamplingRule", "xray:GetSamplingRules", "xray:UpdateSamplingRule", "xray:DeleteSamplingRule"),
        *("xray:TagResource", "xray:UntagResource", "xray:ListTagsForResource"),
    ),
    "sns/topicSubscription:TopicSubscription": (
        *("sns:Subscribe", "sns:GetSubscriptionAttributes", "sns:SetSubscriptionAttributes", "sns:Unsubscribe"),
    ),
    "route53/record:Record": (
        *("route53:ChangeResourceRecordSets", "route53:ListResourceRecordSets", "route53:GetChange"),
        "route53:GetHostedZone",
    ),
    "s3/bucketAccelerateConfiguration:BucketAccelerateConfiguration": (
        *("s3:PutAccelerateConfiguration", *_BUCKET_READ),
    ),
}
"""Types that only some settings need are included: subscriptions, records of an own domain, acceleration."""
