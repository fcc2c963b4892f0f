"""A user's membership in a FinSpace permission group.

Written by `make generate` from the declarations in aws_associations.kinds; change those.
"""

from __future__ import annotations

from typing import Literal

import pulumi

from aws_associations.kinds.finspace_permission_group_membership import KIND as FINSPACE_PERMISSION_GROUP_MEMBERSHIP
from pulumi_aws_associations.provider import AssociationProvider
from pulumi_aws_associations.resource import AssociationResource


class PermissionGroupMembershipProvider(AssociationProvider):
    """Stored in the state of every membership by this very name."""

    kind = FINSPACE_PERMISSION_GROUP_MEMBERSHIP


class PermissionGroupMembership(
    AssociationResource, module="aws-associations/finspace", name="PermissionGroupMembership"
):
    """A user's membership in a FinSpace permission group.

    FinSpace authorizes by credentials of its own: register the caller's role as the apiAccessPrincipalArn of an enabled
    FinSpace user who is a superuser or holds ManageUsersAndGroups.

    Example::

        PermissionGroupMembership(
            "example",
            environment_id="env1",
            permission_group_id="analysts",
            user_id="alice",
        )
    """

    environment_id: pulumi.Output[str]
    """Id of the FinSpace environment."""

    permission_group_id: pulumi.Output[str]
    """Id of the permission group."""

    user_id: pulumi.Output[str]
    """Id of the FinSpace user."""

    region: pulumi.Output[str]
    """AWS region in which the membership was created."""

    account: pulumi.Output[str]
    """AWS account in which the membership was created, 12 digits."""

    adopted: pulumi.Output[bool]
    """Whether the membership was there before it was declared."""

    membership_status: pulumi.Output[str]
    """The service's word for its status."""

    status_code: pulumi.Output[int]
    """HTTP status of the associate call; 0 if none was made."""

    def __init__(
        self,
        name: str,
        *,
        environment_id: pulumi.Input[str],
        permission_group_id: pulumi.Input[str],
        user_id: pulumi.Input[str],
        region: pulumi.Input[str] | None = None,
        on_existing: pulumi.Input[Literal["fail", "adopt"]] = "fail",
        revision: pulumi.Input[str] | None = None,
        timeout_seconds: pulumi.Input[float] = 300,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """Declare one.

        Args:
            name: Logical name in the stack. To rename it, give ``opts`` an ``aliases`` entry for the old name.
            environment_id: Id of the FinSpace environment, 1 to 26 characters. Changing it replaces the membership.
            permission_group_id: Id of the permission group, 1 to 26 characters. Changing it replaces the membership.
            user_id: Id of the FinSpace user, 1 to 26 characters. Changing it replaces the membership.
            region: AWS region; by default that of the stack's configuration or the environment when it is created.
            on_existing: What to do if the membership is there already and nothing shows that this resource granted it:
                ``fail``, or ``adopt`` it, after which deleting the resource revokes it.
            revision: Any text. Changing it looks, and grants again if the membership is gone.
            timeout_seconds: How long to wait for the service, for each create, read and delete; 1 to 86400.
            opts: Options of every Pulumi resource. ``custom_timeouts``, ``import_`` and providers of AWS are refused:
                Pulumi does not tell a dynamic resource of them.
        """
        super().__init__(
            PermissionGroupMembershipProvider(),
            name,
            {
                "environment_id": environment_id,
                "permission_group_id": permission_group_id,
                "user_id": user_id,
                "region": region,
                "on_existing": on_existing,
                "revision": revision,
                "timeout_seconds": timeout_seconds,
            },
            opts,
        )
