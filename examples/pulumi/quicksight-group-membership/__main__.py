"""A user's membership in a QuickSight group."""

import pulumi

from pulumi_aws_associations.quicksight import GroupMembership

config = pulumi.Config()

membership = GroupMembership(
    "example",
    group_name=config.require("groupName"),
    member_name=config.require("memberName"),
)

pulumi.export("membershipId", membership.id)
