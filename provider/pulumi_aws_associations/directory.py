"""A user, group or computer as a member of a group in an AWS Managed Microsoft AD directory.

Written by `make generate` from the declarations in aws_associations.kinds; change those.
"""

from __future__ import annotations

from typing import Literal

import pulumi

from aws_associations.kinds.directory_group_membership import KIND as DIRECTORY_GROUP_MEMBERSHIP
from pulumi_aws_associations.provider import AssociationProvider
from pulumi_aws_associations.resource import AssociationResource


class GroupMembershipProvider(AssociationProvider):
    """Stored in the state of every membership by this very name."""

    kind = DIRECTORY_GROUP_MEMBERSHIP


class GroupMembership(AssociationResource, module="aws-associations/directory", name="GroupMembership"):
    """A user, group or computer as a member of a group in an AWS Managed Microsoft AD directory.

    Data access must be enabled on the directory, and calls go to its primary region. Names and realm compare without
    case; another spelling is the same membership, and keeps the first one's id. Without ``member_realm`` one more call
    asks the directory for its own domain.

    Example::

        GroupMembership(
            "example",
            directory_id="d-1234567890",
            group_name="Analysts",
            member_name="alice",
        )
    """

    directory_id: pulumi.Output[str]
    """Id of the directory."""

    member_realm: pulumi.Output[str]
    """Domain of the member (the directory's own if left out)."""

    group_name: pulumi.Output[str]
    """Name of the group (sAMAccountName)."""

    member_name: pulumi.Output[str]
    """Name of the member."""

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
        directory_id: pulumi.Input[str],
        group_name: pulumi.Input[str],
        member_name: pulumi.Input[str],
        member_realm: pulumi.Input[str] | None = None,
        region: pulumi.Input[str] | None = None,
        on_existing: pulumi.Input[Literal["fail", "adopt"]] = "fail",
        revision: pulumi.Input[str] | None = None,
        timeout_seconds: pulumi.Input[float] = 300,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """Declare one.

        Args:
            name: Logical name in the stack. To rename it, give ``opts`` an ``aliases`` entry for the old name.
            directory_id: Id of the directory. Changing it replaces the membership.
            group_name: Name of the group (sAMAccountName), 1 to 64 characters. Changing it replaces the membership.
            member_name: Name of the member, 1 to 63 characters. Changing it replaces the membership.
            member_realm: Domain of the member (the directory's own if left out), 1 to 255 characters. Changing it
                replaces the membership.
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
                "directory_id": directory_id,
                "group_name": group_name,
                "member_name": member_name,
                "member_realm": member_realm,
                "region": region,
                "on_existing": on_existing,
                "revision": revision,
                "timeout_seconds": timeout_seconds,
            },
            opts,
        )
