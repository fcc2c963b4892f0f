"""A user's membership in a FinSpace permission group."""

import pulumi

from pulumi_aws_associations.finspace import PermissionGroupMembership

config = pulumi.Config()

membership = PermissionGroupMembership(
    "example",
    environment_id=config.require("environmentId"),
    permission_group_id=config.require("permissionGroupId"),
    user_id=config.require("userId"),
)

pulumi.export("membershipId", membership.id)
