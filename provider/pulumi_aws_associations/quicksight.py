"""A user's membership in a QuickSight group.

Written by `make generate` from the declarations in aws_associations.kinds; change those.
"""

from __future__ import annotations

from typing import Literal

import pulumi

from aws_associations.kinds.quicksight_group_membership import KIND as QUICKSIGHT_GROUP_MEMBERSHIP
from pulumi_aws_associations.provider import AssociationProvider
from pulumi_aws_associations.resource import AssociationResource


class GroupMembershipProvider(AssociationProvider):
    """Stored in the state of every membership by this very name."""

    kind = QUICKSIGHT_GROUP_MEMBERSHIP


class GroupMembership(AssociationResource, module="aws-associations/quicksight", name="GroupMembership"):
    """A user's membership in a QuickSight group.

    Users and groups live in the region of the account's identities; deploy there. No maximum is published for group
    names; an id of over 1024 bytes is refused before any call.

    Example::

        GroupMembership(
            "example",
            group_name="analysts",
            member_name="alice",
        )
    """

    namespace: pulumi.Output[str]
    """Namespace of group and user."""

    group_name: pulumi.Output[str]
    """Name of the group."""

    member_name: pulumi.Output[str]
    """Name of the user."""

    region: pulumi.Output[str]
    """AWS region in which the membership was created."""

    account: pulumi.Output[str]
    """AWS account in which the membership was created, 12 digits."""

    adopted: pulumi.Output[bool]
    """Whether the membership was there before it was declared."""

    status_code: pulumi.Output[int]
    """HTTP status of the associate call; 0 if none was made."""

    def __init__(
        self,
        name: str,
        *,
        group_name: pulumi.Input[str],
        member_name: pulumi.Input[str],
        namespace: pulumi.Input[str] | None = None,
        region: pulumi.Input[str] | None = None,
        on_existing: pulumi.Input[Literal["fail", "adopt"]] = "fail",
        revision: pulumi.Input[str] | None = None,
        timeout_seconds: pulumi.Input[float] = 300,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """Declare one.

        Args:
            name: Logical name in the stack. To rename it, give ``opts`` an ``aliases`` entry for the old name.
            group_name: Name of the group. Changing it replaces the membership.
            member_name: Name of the user, 1 to 256 characters. Changing it replaces the membership.
            namespace: Namespace of group and user, 1 to 64 characters. By default 'default'. Changing it replaces the
                membership.
            region: AWS region; by default that of the stack's configuration or the environment when it is created.
            on_existing: What to do if the membership is there already and nothing shows that this resource granted it:
                ``fail``, or ``adopt`` it, after which deleting the resource revokes it.
            revision: Any text. Changing it looks, and grants again if the membership is gone.
            timeout_seconds: How long to wait for the service, for each create, read and delete; 1 to 86400.
            opts: Options of every Pulumi resource. ``custom_timeouts``, ``import_`` and providers of AWS are refused:
                Pulumi does not tell a dynamic resource of them.
        """
        super().__init__(
            GroupMembershipProvider(),
            name,
            {
                "group_name": group_name,
                "member_name": member_name,
                "namespace": namespace,
                "region": region,
                "on_existing": on_existing,
                "revision": revision,
                "timeout_seconds": timeout_seconds,
            },
            opts,
        )
