"""The program of the second act: members of one group of a directory, from configuration."""

import pulumi

from pulumi_aws_associations.directory import GroupMembership

config = pulumi.Config()

for logical_name, member in config.require_object("members").items():
    GroupMembership(
        logical_name,
        directory_id=config.require("directoryId"),
        group_name=config.require("groupName"),
        member_name=member["name"],
        member_realm=member.get("realm"),
    )
