"""The program's resource types: the operation of AWS that each becomes, or why it is held against none."""

from __future__ import annotations

from collections.abc import Mapping

from tests.infrastructure.aws_members import Held

_REFERENCE = "ids of other resources, which AWS gives"
_PATCHED = "sent as a patch operation, whose value the model does not describe"
_ATTRIBUTE = "sent as an attribute, whose values the model does not describe"
_SECURITY_RULE = {
    "description": "IpPermissions.UserIdGroupPairs.Description",
    "referencedSecurityGroupId": "IpPermissions.UserIdGroupPairs.GroupId",
    "prefixListId": "IpPermissions.PrefixListIds.PrefixListId",
    "securityGroupId": "GroupId",
}

OPERATIONS: Mapping[str, tuple[Held, ...]] = {
    "aws:apigateway/account:Account": (Held("apigateway", "UpdateAccount", apart={"cloudwatchRoleArn": _PATCHED}),),
    "aws:apigateway/clientCertificate:ClientCertificate": (Held("apigateway", "GenerateClientCertificate"),),
    "aws:apigateway/deployment:Deployment": (Held("apigateway", "CreateDeployment", renamed={"restApi": "restApiId"}),),
    "aws:apigateway/restApi:RestApi": (
        Held("apigateway", "CreateRestApi", apart={"body": "imported by PutRestApi, as bytes"}),
    ),
    "aws:apigateway/stage:Stage": (
        Held(
            "apigateway",
            "CreateStage",
            renamed={"restApi": "restApiId", "deployment": "deploymentId", "xrayTracingEnabled": "tracingEnabled"},
            apart={"accessLogSettings": _PATCHED, "clientCertificateId": _PATCHED},
        ),
    ),
    "aws:appautoscaling/policy:Policy": (
        Held("application-autoscaling", "PutScalingPolicy", renamed={"name": "PolicyName"}),
    ),
    "aws:appautoscaling/target:Target": (Held("application-autoscaling", "RegisterScalableTarget"),),
    "aws:budgets/budget:Budget": (
        Held(
            "budgets",
            "CreateBudget",
            renamed={
                "name": "Budget.BudgetName",
                "budgetType": "Budget.BudgetType",
                "timeUnit": "Budget.TimeUnit",
                "limitAmount": "Budget.BudgetLimit.Amount",
                "limitUnit": "Budget.BudgetLimit.Unit",
                "costFilters": "Budget.CostFilters",
                "notifications": "NotificationsWithSubscribers",
                **{
                    f"notifications.{name}": f"Notification.{name[0].upper()}{name[1:]}"
                    for name in ("comparisonOperator", "notificationType", "threshold", "thresholdType")
                },
            },
            apart={"notifications.subscriberSnsTopicArns": _REFERENCE},
        ),
    ),
    "aws:cloudfront/distribution:Distribution": (
        Held(
            "cloudfront",
            "CreateDistributionWithTags",
            within="DistributionConfigWithTags.DistributionConfig",
            renamed={
                "tags": "DistributionConfigWithTags.Tags.Items",
                "orderedCacheBehaviors": "DistributionConfigWithTags.DistributionConfig.CacheBehaviors",
                "origins.originId": "Id",
                "origins.customHeaders.name": "HeaderName",
                "origins.customHeaders.value": "HeaderValue",
                **{
                    f"{kind}.cachedMethods": "AllowedMethods.CachedMethods.Items"
                    for kind in ("defaultCacheBehavior", "orderedCacheBehaviors")
                },
            },
        ),
    ),
    "aws:cloudfront/function:Function": (
        Held(
            "cloudfront",
            "CreateFunction",
            renamed={"code": "FunctionCode", "runtime": "FunctionConfig.Runtime", "tags": "Tags.Items"},
            apart={"publish": "a call without values"},
        ),
    ),
    "aws:cloudfront/keyGroup:KeyGroup": (Held("cloudfront", "CreateKeyGroup", within="KeyGroupConfig"),),
    "aws:cloudfront/monitoringSubscription:MonitoringSubscription": (
        Held("cloudfront", "CreateMonitoringSubscription"),
    ),
    "aws:cloudfront/originAccessControl:OriginAccessControl": (
        Held("cloudfront", "CreateOriginAccessControl", within="OriginAccessControlConfig"),
    ),
    "aws:cloudfront/publicKey:PublicKey": (Held("cloudfront", "CreatePublicKey", within="PublicKeyConfig"),),
    "aws:cloudfront/responseHeadersPolicy:ResponseHeadersPolicy": (
        Held("cloudfront", "CreateResponseHeadersPolicy", within="ResponseHeadersPolicyConfig"),
    ),
    "aws:cloudtrail/trail:Trail": (
        Held(
            "cloudtrail",
            "CreateTrail",
            renamed={"cloudWatchLogsGroupArn": "CloudWatchLogsLogGroupArn"},
            apart={"enableLogging": "a call without values"},
        ),
        Held("cloudtrail", "PutEventSelectors"),
    ),
    "aws:cloudwatch/compositeAlarm:CompositeAlarm": (Held("cloudwatch", "PutCompositeAlarm"),),
    "aws:cloudwatch/dashboard:Dashboard": (Held("cloudwatch", "PutDashboard"),),
    "aws:cloudwatch/eventRule:EventRule": (Held("events", "PutRule"),),
    "aws:cloudwatch/eventTarget:EventTarget": (Held("events", "PutTargets", renamed={"arn": "Targets.Arn"}),),
    "aws:cloudwatch/logDelivery:LogDelivery": (Held("logs", "CreateDelivery"),),
    "aws:cloudwatch/logDeliveryDestination:LogDeliveryDestination": (Held("logs", "PutDeliveryDestination"),),
    "aws:cloudwatch/logDeliverySource:LogDeliverySource": (Held("logs", "PutDeliverySource"),),
    "aws:cloudwatch/logGroup:LogGroup": (
        Held("logs", "CreateLogGroup", renamed={"name": "logGroupName"}),
        Held("logs", "PutRetentionPolicy", renamed={"name": "logGroupName"}),
    ),
    "aws:cloudwatch/logMetricFilter:LogMetricFilter": (
        Held(
            "logs",
            "PutMetricFilter",
            renamed={
                "name": "filterName",
                "pattern": "filterPattern",
                "metricTransformation.name": "metricName",
                "metricTransformation.namespace": "metricNamespace",
                "metricTransformation.value": "metricValue",
            },
        ),
    ),
    "aws:cloudwatch/metricAlarm:MetricAlarm": (
        Held(
            "cloudwatch",
            "PutMetricAlarm",
            renamed={
                "name": "AlarmName",
                "metricQueries": "Metrics",
                "metricQueries.metric": "MetricStat",
                **{
                    f"metricQueries.metric.{name}": f"Metric.{name[0].upper()}{name[1:]}"
                    for name in ("metricName", "namespace", "dimensions")
                },
            },
        ),
    ),
    "aws:cloudwatch/queryDefinition:QueryDefinition": (Held("logs", "PutQueryDefinition"),),
    "aws:cognito/identityProvider:IdentityProvider": (Held("cognito-idp", "CreateIdentityProvider"),),
    "aws:cognito/resourceServer:ResourceServer": (Held("cognito-idp", "CreateResourceServer"),),
    "aws:cognito/riskConfiguration:RiskConfiguration": (Held("cognito-idp", "SetRiskConfiguration"),),
    "aws:cognito/userGroup:UserGroup": (Held("cognito-idp", "CreateGroup", renamed={"name": "GroupName"}),),
    "aws:cognito/userPool:UserPool": (
        Held(
            "cognito-idp", "CreateUserPool", renamed={"name": "PoolName", "passwordPolicy": "Policies.PasswordPolicy"}
        ),
        Held("cognito-idp", "SetUserPoolMfaConfig"),
    ),
    "aws:cognito/userPoolClient:UserPoolClient": (
        Held("cognito-idp", "CreateUserPoolClient", renamed={"name": "ClientName"}),
    ),
    "aws:cognito/userPoolDomain:UserPoolDomain": (Held("cognito-idp", "CreateUserPoolDomain"),),
    "aws:ec2/flowLog:FlowLog": (
        Held("ec2", "CreateFlowLogs", renamed={"iamRoleArn": "DeliverLogsPermissionArn", "vpcId": "ResourceIds"}),
    ),
    "aws:ec2/networkAcl:NetworkAcl": (
        Held(
            "ec2",
            "CreateNetworkAcl",
            apart={
                "ingress": "each entry is a call of its own",
                "egress": "each entry is a call of its own",
                "subnetIds": _REFERENCE,
            },
        ),
    ),
    "aws:ec2/routeTable:RouteTable": (Held("ec2", "CreateRouteTable"),),
    "aws:ec2/routeTableAssociation:RouteTableAssociation": (Held("ec2", "AssociateRouteTable"),),
    "aws:ec2/securityGroup:SecurityGroup": (Held("ec2", "CreateSecurityGroup", renamed={"name": "GroupName"}),),
    "aws:ec2/subnet:Subnet": (
        Held("ec2", "CreateSubnet"),
        Held("ec2", "ModifySubnetAttribute", renamed={"mapPublicIpOnLaunch": "MapPublicIpOnLaunch.Value"}),
    ),
    "aws:ec2/vpc:Vpc": (
        Held("ec2", "CreateVpc"),
        Held(
            "ec2",
            "ModifyVpcAttribute",
            renamed={"enableDnsHostnames": "EnableDnsHostnames.Value", "enableDnsSupport": "EnableDnsSupport.Value"},
        ),
    ),
    "aws:ec2/vpcEndpoint:VpcEndpoint": (Held("ec2", "CreateVpcEndpoint", renamed={"policy": "PolicyDocument"}),),
    "aws:guardduty/malwareProtectionPlan:MalwareProtectionPlan": (
        Held("guardduty", "CreateMalwareProtectionPlan", renamed={"actions.taggings": "Tagging"}),
    ),
    "aws:mediaconvert/queue:Queue": (Held("mediaconvert", "CreateQueue"),),
    "aws:iam/role:Role": (
        Held("iam", "CreateRole", renamed={"name": "RoleName", "assumeRolePolicy": "AssumeRolePolicyDocument"}),
    ),
    "aws:iam/rolePolicy:RolePolicy": (
        Held("iam", "PutRolePolicy", renamed={"role": "RoleName", "policy": "PolicyDocument"}),
    ),
    "aws:iam/rolePolicyAttachment:RolePolicyAttachment": (
        Held("iam", "AttachRolePolicy", renamed={"role": "RoleName"}),
    ),
    "aws:kms/alias:Alias": (Held("kms", "CreateAlias", renamed={"name": "AliasName"}),),
    "aws:kms/key:Key": (
        Held("kms", "CreateKey", apart={"enableKeyRotation": "a call without values"}),
        Held("kms", "ScheduleKeyDeletion", renamed={"deletionWindowInDays": "PendingWindowInDays"}),
    ),
    "aws:lambda/alias:Alias": (Held("lambda", "CreateAlias"),),
    "aws:lambda/eventSourceMapping:EventSourceMapping": (Held("lambda", "CreateEventSourceMapping"),),
    "aws:lambda/function:Function": (
        Held(
            "lambda",
            "CreateFunction",
            renamed={"name": "FunctionName"},
            apart={
                "code": "an archive on this machine",
                "reservedConcurrentExecutions": "-1 is the provider's own word for none",
            },
        ),
    ),
    "aws:lambda/functionEventInvokeConfig:FunctionEventInvokeConfig": (Held("lambda", "PutFunctionEventInvokeConfig"),),
    "aws:lambda/permission:Permission": (Held("lambda", "AddPermission", renamed={"function": "FunctionName"}),),
    "aws:lambda/provisionedConcurrencyConfig:ProvisionedConcurrencyConfig": (
        Held("lambda", "PutProvisionedConcurrencyConfig"),
    ),
    "aws:s3/bucket:Bucket": (
        Held("s3", "CreateBucket"),
        Held("s3", "PutBucketTagging", renamed={"tags": "Tagging.TagSet"}),
    ),
    "aws:s3/bucketCorsConfiguration:BucketCorsConfiguration": (
        Held("s3", "PutBucketCors", renamed={"corsRules": "CORSConfiguration.CORSRules"}),
    ),
    "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration": (
        Held("s3", "PutBucketLifecycleConfiguration", renamed={"rules": "LifecycleConfiguration.Rules"}),
    ),
    "aws:s3/bucketLogging:BucketLogging": (
        Held(
            "s3",
            "PutBucketLogging",
            renamed={
                "targetBucket": "BucketLoggingStatus.LoggingEnabled.TargetBucket",
                "targetPrefix": "BucketLoggingStatus.LoggingEnabled.TargetPrefix",
            },
        ),
    ),
    "aws:s3/bucketNotification:BucketNotification": (
        Held(
            "s3",
            "PutBucketNotificationConfiguration",
            renamed={
                "lambdaFunctions": "NotificationConfiguration.LambdaFunctionConfigurations",
                "lambdaFunctions.filterPrefix": "Filter.Key.FilterRules.Value",
            },
            apart={"eventbridge": "true is an empty EventBridgeConfiguration, false none"},
        ),
    ),
    "aws:s3/bucketOwnershipControls:BucketOwnershipControls": (
        Held("s3", "PutBucketOwnershipControls", renamed={"rule": "OwnershipControls.Rules"}),
    ),
    "aws:s3/bucketPolicy:BucketPolicy": (Held("s3", "PutBucketPolicy"),),
    "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock": (
        Held("s3", "PutPublicAccessBlock", within="PublicAccessBlockConfiguration", renamed={"bucket": "Bucket"}),
    ),
    "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration": (
        Held(
            "s3",
            "PutBucketEncryption",
            renamed={
                "rules": "ServerSideEncryptionConfiguration.Rules",
                "rules.blockedEncryptionTypes": "BlockedEncryptionTypes.EncryptionType",
            },
        ),
    ),
    "aws:s3/bucketVersioning:BucketVersioning": (Held("s3", "PutBucketVersioning"),),
    "aws:sns/topic:Topic": (Held("sns", "CreateTopic", apart={"kmsMasterKeyId": _ATTRIBUTE}),),
    "aws:sns/topicPolicy:TopicPolicy": (
        Held("sns", "SetTopicAttributes", renamed={"arn": "TopicArn"}, apart={"policy": _ATTRIBUTE}),
    ),
    "aws:sns/topicSubscription:TopicSubscription": (
        Held(
            "sns",
            "Subscribe",
            renamed={"topic": "TopicArn"},
            apart={"filterPolicy": _ATTRIBUTE, "rawMessageDelivery": _ATTRIBUTE},
        ),
    ),
    "aws:sqs/queue:Queue": (
        Held(
            "sqs",
            "CreateQueue",
            renamed={"name": "QueueName"},
            apart={
                "messageRetentionSeconds": _ATTRIBUTE,
                "redrivePolicy": _ATTRIBUTE,
                "sqsManagedSseEnabled": _ATTRIBUTE,
                "visibilityTimeoutSeconds": _ATTRIBUTE,
            },
        ),
    ),
    "aws:sqs/queuePolicy:QueuePolicy": (Held("sqs", "SetQueueAttributes", apart={"policy": _ATTRIBUTE}),),
    "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule": (
        Held("ec2", "AuthorizeSecurityGroupEgress", renamed=_SECURITY_RULE),
    ),
    "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule": (
        Held("ec2", "AuthorizeSecurityGroupIngress", renamed=_SECURITY_RULE),
    ),
    "aws:wafv2/webAcl:WebAcl": (Held("wafv2", "CreateWebACL"),),
    "aws:wafv2/webAclLoggingConfiguration:WebAclLoggingConfiguration": (
        Held("wafv2", "PutLoggingConfiguration", within="LoggingConfiguration"),
    ),
    "aws:xray/group:Group": (Held("xray", "CreateGroup"),),
    "aws:xray/samplingRule:SamplingRule": (
        Held("xray", "CreateSamplingRule", within="SamplingRule", renamed={"tags": "Tags"}),
    ),
}

NOT_HELD: Mapping[str, str] = {
    "aws:apigateway/methodSettings:MethodSettings": _PATCHED,
    "aws:apigateway/restApiPolicy:RestApiPolicy": _PATCHED,
    "aws:ec2/defaultSecurityGroup:DefaultSecurityGroup": "takes rules away from the group that AWS made",
    "random:index/randomPassword:RandomPassword": "is made by no service of AWS",
}
