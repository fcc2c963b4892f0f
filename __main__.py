"""Declare the FinSpace memberships that the stack's configuration lists, and export their ids.

pulumi config set --path 'memberships.alice-analysts.environmentId' env1
pulumi config set --path 'memberships.alice-analysts.permissionGroupId' analysts
pulumi config set --path 'memberships.alice-analysts.userId' alice
"""

import pulumi

from pulumi_aws_associations.finspace import PermissionGroupMembership

config = pulumi.Config()
declared = config.get_object("memberships") or {}

ids = {}
for name, membership in declared.items():
    known = {"environmentId", "permissionGroupId", "userId", "region", "onExisting"}
    if (
        not isinstance(membership, dict)
        or not {"environmentId", "permissionGroupId", "userId"} <= set(membership) <= known
    ):
        raise pulumi.RunError(
            f"memberships.{name} needs environmentId, permissionGroupId and userId, and may have region and onExisting"
        )
    ids[name] = PermissionGroupMembership(
        name,
        environment_id=str(membership["environmentId"]),
        permission_group_id=str(membership["permissionGroupId"]),
        user_id=str(membership["userId"]),
        region=membership.get("region"),
        on_existing=membership.get("onExisting", "fail"),
    ).id

pulumi.export("membershipIds", ids)
