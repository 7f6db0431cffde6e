"""The network: private subnets without internet access, and endpoints for the services that the functions need."""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from dataclasses import KW_ONLY, dataclass

import pulumi
import pulumi_aws as aws

from components import policy
from components.naming import StageContext, StageNames, type_token
from components.settings import NetworkSettings

ZONES = 2
SUBNET_EXTRA_BITS = 4
HTTPS = 443
RDP = 3389
FIRST_EPHEMERAL = 1024  # VPC User Guide, "Ephemeral ports": Lambda uses 1024 to 65535
LAST_PORT = 65_535
TCP = "tcp"
NACL_TCP = "6"  # a network ACL uses IANA protocol numbers
ANYWHERE = "0.0.0.0/0"


class TooFewZonesError(pulumi.RunError):
    """A region with fewer available zones than the network has subnets."""

    def __init__(self, region: str, zones: int) -> None:
        super().__init__(f"network: {region} has {zones} available zones, and the functions' subnets need {ZONES}")


@dataclass(frozen=True)
class NetworkArgs:
    """Inputs of the network.

    key_arns, topic_arns: the endpoints' only targets besides the buckets of videos and records. Without an endpoint for
    SNS, topics are unreachable.
    log_group_arn: keeps the flow log.
    """

    context: StageContext
    settings: NetworkSettings
    _: KW_ONLY
    key_arns: Sequence[pulumi.Input[str]]
    topic_arns: Sequence[pulumi.Input[str]]
    log_group_arn: pulumi.Input[str]


class Network(pulumi.ComponentResource):
    """VPC, subnets, route tables, security groups, network ACL, endpoints, flow log."""

    vpc_config: aws.lambda_.FunctionVpcConfigArgs
    """Private subnets of the functions, one per zone, and their security group, which allows connections to the
    endpoints only and none to the functions."""
    s3_endpoint_id: pulumi.Output[str]
    """Gateway endpoint, the only way from the subnets to S3. Bucket policies can require it."""

    def __init__(self, name: str, args: NetworkArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(type_token("Network"), name, None, opts)
        self._name = name
        self._args = args
        self._child = pulumi.ResourceOptions(parent=self)
        context = args.context

        vpc = aws.ec2.Vpc(
            f"{name}-vpc",
            cidr_block=args.settings.vpc_cidr,
            enable_dns_support=True,
            enable_dns_hostnames=True,  # the interface endpoints' private DNS needs both
            opts=self._child,
        )
        # The default group would allow all traffic between its members.
        aws.ec2.DefaultSecurityGroup(f"{name}-default", vpc_id=vpc.id, ingress=[], egress=[], opts=self._child)

        zones = aws.get_availability_zones(
            state="available",
            filters=[aws.GetAvailabilityZonesFilterArgs(name="opt-in-status", values=["opt-in-not-required"])],
            opts=pulumi.InvokeOptions(parent=self),
        )
        # Sorted, so that the choice does not depend on the order of AWS's response.
        zone_ids = sorted(zones.zone_ids)[:ZONES]
        if len(zone_ids) < ZONES:
            raise TooFewZonesError(context.region, len(zone_ids))
        ranges = ipaddress.ip_network(args.settings.vpc_cidr).subnets(prefixlen_diff=SUBNET_EXTRA_BITS)
        subnets = [
            aws.ec2.Subnet(
                f"{name}-private-{number}",
                vpc_id=vpc.id,
                availability_zone_id=zone_id,
                cidr_block=str(cidr),
                map_public_ip_on_launch=False,
                # A subnet keeps its zone if the region's zones change.
                opts=pulumi.ResourceOptions(parent=self, ignore_changes=["availabilityZoneId"]),
            )
            for number, (zone_id, cidr) in enumerate(zip(zone_ids, ranges, strict=False), start=1)
        ]
        route_tables = [
            aws.ec2.RouteTable(f"{name}-private-{number}", vpc_id=vpc.id, opts=self._child)
            for number in range(1, len(subnets) + 1)
        ]
        for number, (subnet, table) in enumerate(zip(subnets, route_tables, strict=True), start=1):
            aws.ec2.RouteTableAssociation(
                f"{name}-private-{number}", subnet_id=subnet.id, route_table_id=table.id, opts=self._child
            )
        self._network_acl(vpc, subnets)

        s3_endpoint = aws.ec2.VpcEndpoint(
            f"{name}-s3",
            vpc_id=vpc.id,
            vpc_endpoint_type="Gateway",
            service_name=f"com.amazonaws.{context.region}.s3",
            route_table_ids=[table.id for table in route_tables],
            policy=policy.to_json(
                s3_endpoint_policy(context, [context.bucket_arn(purpose) for purpose in ("videos", "metadata")])
            ),
            opts=self._child,
        )
        functions = aws.ec2.SecurityGroup(
            f"{name}-functions",
            vpc_id=vpc.id,
            name=context.name("functions"),
            description="Functions: out to S3 and the endpoints, nothing in",
            opts=self._child,
        )
        endpoints = aws.ec2.SecurityGroup(
            f"{name}-endpoints",
            vpc_id=vpc.id,
            name=context.name("endpoints"),
            description="Interface endpoints: in from the functions, nothing out",
            opts=self._child,
        )
        aws.vpc.SecurityGroupEgressRule(
            f"{name}-functions-to-s3",
            security_group_id=functions.id,
            description="S3 through the gateway endpoint",
            ip_protocol=TCP,
            from_port=HTTPS,
            to_port=HTTPS,
            prefix_list_id=s3_endpoint.prefix_list_id,
            opts=self._child,
        )
        aws.vpc.SecurityGroupEgressRule(
            f"{name}-functions-to-endpoints",
            security_group_id=functions.id,
            description="KMS and SNS",
            ip_protocol=TCP,
            from_port=HTTPS,
            to_port=HTTPS,
            referenced_security_group_id=endpoints.id,
            opts=self._child,
        )
        aws.vpc.SecurityGroupIngressRule(
            f"{name}-endpoints-from-functions",
            security_group_id=endpoints.id,
            description="Functions",
            ip_protocol=TCP,
            from_port=HTTPS,
            to_port=HTTPS,
            referenced_security_group_id=functions.id,
            opts=self._child,
        )
        interface_policies = {"kms": kms_endpoint_policy(context, args.key_arns)}
        if args.settings.sns_endpoint:
            interface_policies["sns"] = sns_endpoint_policy(context, args.topic_arns)
        for service, endpoint_policy in interface_policies.items():
            aws.ec2.VpcEndpoint(
                f"{name}-{service}",
                vpc_id=vpc.id,
                vpc_endpoint_type="Interface",
                service_name=f"com.amazonaws.{context.region}.{service}",
                subnet_ids=[subnet.id for subnet in subnets],
                security_group_ids=[endpoints.id],
                private_dns_enabled=True,
                policy=policy.to_json(endpoint_policy),
                opts=self._child,
            )
        self._flow_log(vpc)

        subnet_ids = [subnet.id for subnet in subnets]
        self.vpc_config = aws.lambda_.FunctionVpcConfigArgs(subnet_ids=subnet_ids, security_group_ids=[functions.id])
        self.s3_endpoint_id = s3_endpoint.id
        self.register_outputs({"subnetIds": subnet_ids, "s3EndpointId": self.s3_endpoint_id})

    def _network_acl(self, vpc: aws.ec2.Vpc, subnets: Sequence[aws.ec2.Subnet]) -> None:
        """Allow HTTPS out and its replies in; within the VPC also HTTPS in and replies out. RDP's port is among the
        ephemeral ones and stays closed."""
        cidr = self._args.settings.vpc_cidr
        ephemeral = ((FIRST_EPHEMERAL, RDP - 1), (RDP + 1, LAST_PORT))
        ingress = [(cidr, HTTPS, HTTPS), *((ANYWHERE, low, high) for low, high in ephemeral)]
        egress = [(ANYWHERE, HTTPS, HTTPS), *((cidr, low, high) for low, high in ephemeral)]
        aws.ec2.NetworkAcl(
            f"{self._name}-private",
            vpc_id=vpc.id,
            subnet_ids=[subnet.id for subnet in subnets],
            ingress=[
                aws.ec2.NetworkAclIngressArgs(
                    rule_no=100 * position,
                    action="allow",
                    protocol=NACL_TCP,
                    cidr_block=source,
                    from_port=low,
                    to_port=high,
                )
                for position, (source, low, high) in enumerate(ingress, start=1)
            ],
            egress=[
                aws.ec2.NetworkAclEgressArgs(
                    rule_no=100 * position,
                    action="allow",
                    protocol=NACL_TCP,
                    cidr_block=target,
                    from_port=low,
                    to_port=high,
                )
                for position, (target, low, high) in enumerate(egress, start=1)
            ],
            opts=self._child,
        )

    def _flow_log(self, vpc: aws.ec2.Vpc) -> None:
        context = self._args.context
        role = aws.iam.Role(
            f"{self._name}-flow",
            name=context.account_wide_name("network-flow"),
            assume_role_policy=policy.to_json(
                policy.assumed_by(
                    "vpc-flow-logs.amazonaws.com", {"StringEquals": {"aws:SourceAccount": context.account_id}}
                )
            ),
            opts=self._child,
        )
        write = aws.iam.RolePolicy(
            f"{self._name}-flow",
            role=role.name,
            policy=policy.to_json(write_flow_log(context)),
            opts=self._child,
        )
        aws.ec2.FlowLog(
            f"{self._name}-flow",
            vpc_id=vpc.id,
            traffic_type="ALL",
            log_destination_type="cloud-watch-logs",
            log_destination=self._args.log_group_arn,
            iam_role_arn=role.arn,
            opts=pulumi.ResourceOptions(parent=self, depends_on=[write]),
        )


def _from_own_account(context: StageNames) -> policy.Conditions:
    return {"StringEquals": {"aws:PrincipalAccount": context.account_id}}


def s3_endpoint_policy(context: StageNames, bucket_arns: Sequence[str]) -> policy.PolicyDocument:
    """Allow only this stage's buckets: a compromised function cannot copy data to a foreign bucket."""
    return policy.document(
        policy.allow(
            "OwnBuckets",
            principal=policy.EVERYONE,
            actions=[
                "s3:GetObject*",
                "s3:PutObject*",
                "s3:DeleteObject*",
                "s3:ListBucket*",
                "s3:AbortMultipartUpload",
                "s3:ListMultipartUploadParts",
            ],
            resources=[arn for bucket in bucket_arns for arn in (bucket, f"{bucket}/*")],
            conditions=_from_own_account(context),
        )
    )


def kms_endpoint_policy(context: StageNames, key_arns: Sequence[pulumi.Input[str]]) -> policy.PolicyDocument:
    """Allow upload tokens and media URLs. S3 and SNS use the data key without this endpoint."""
    return policy.document(
        policy.allow(
            "UseOwnKeys",
            principal=policy.EVERYONE,
            actions=["kms:GenerateMac", "kms:VerifyMac", "kms:Sign"],
            resources=list(key_arns),
            conditions=_from_own_account(context),
        )
    )


def sns_endpoint_policy(context: StageNames, topic_arns: Sequence[pulumi.Input[str]]) -> policy.PolicyDocument:
    """Allow publishing to this stage's topics."""
    return policy.document(
        policy.allow(
            "PublishToOwnTopics",
            principal=policy.EVERYONE,
            actions="sns:Publish",
            resources=list(topic_arns),
            conditions=_from_own_account(context),
        )
    )


def write_flow_log(context: StageNames) -> policy.PolicyDocument:
    """Allow writing to one log group. VPC names the streams."""
    group = context.arn("logs", f"log-group:{context.log_group('network-flow')}")
    return policy.document(
        policy.allow(
            "WriteFlowLog",
            actions=["logs:CreateLogStream", "logs:PutLogEvents", "logs:DescribeLogStreams"],
            resources=[group, f"{group}:*"],
        )
    )
