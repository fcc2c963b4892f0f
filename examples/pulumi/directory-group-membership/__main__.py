"""A user, group or computer as a member of a group in an AWS Managed Microsoft AD directory."""

import pulumi

from pulumi_aws_associations.directory import GroupMembership

config = pulumi.Config()

membership = GroupMembership(
    "example",
    directory_id=config.require("directoryId"),
    group_name=config.require("groupName"),
    member_name=config.require("memberName"),
)

pulumi.export("membershipId", membership.id)
