"""A thing's membership in an IoT billing group."""

import pulumi

from pulumi_aws_associations.iot import BillingGroupMembership

config = pulumi.Config()

membership = BillingGroupMembership(
    "example",
    billing_group_name=config.require("billingGroupName"),
    thing_name=config.require("thingName"),
)

pulumi.export("membershipId", membership.id)
