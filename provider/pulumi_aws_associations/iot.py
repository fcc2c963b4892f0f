"""A thing's membership in an IoT billing group. A thing's membership in a static IoT thing group.

Written by `make generate` from the declarations in aws_associations.kinds; change those.
"""

from __future__ import annotations

from typing import Literal

import pulumi

from aws_associations.kinds.iot_billing_group_membership import KIND as IOT_BILLING_GROUP_MEMBERSHIP
from aws_associations.kinds.iot_thing_group_membership import KIND as IOT_THING_GROUP_MEMBERSHIP
from pulumi_aws_associations.provider import AssociationProvider
from pulumi_aws_associations.resource import AssociationResource


class BillingGroupMembershipProvider(AssociationProvider):
    """Stored in the state of every membership by this very name."""

    kind = IOT_BILLING_GROUP_MEMBERSHIP


class BillingGroupMembership(AssociationResource, module="aws-associations/iot", name="BillingGroupMembership"):
    """A thing's membership in an IoT billing group.

    A thing is in one billing group at most. One that is in another is refused, naming it: the API would move it.
    CloudFormation creates before it deletes, so it cannot change ``billing_group_name`` in one update: remove the
    resource in one, declare it anew in the next. Pulumi can: it deletes first.

    Example::

        BillingGroupMembership(
            "example",
            billing_group_name="tariff-a",
            thing_name="meter-7",
        )
    """

    billing_group_name: pulumi.Output[str]
    """Name of the billing group."""

    thing_name: pulumi.Output[str]
    """Name of the thing."""

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
        billing_group_name: pulumi.Input[str],
        thing_name: pulumi.Input[str],
        region: pulumi.Input[str] | None = None,
        on_existing: pulumi.Input[Literal["fail", "adopt"]] = "fail",
        revision: pulumi.Input[str] | None = None,
        timeout_seconds: pulumi.Input[float] = 300,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """Declare one.

        Args:
            name: Logical name in the stack. To rename it, give ``opts`` an ``aliases`` entry for the old name.
            billing_group_name: Name of the billing group, 1 to 128 characters. Changing it replaces the membership.
            thing_name: Name of the thing, 1 to 128 characters. Changing it replaces the membership.
            region: AWS region; by default that of the stack's configuration or the environment when it is created.
            on_existing: What to do if the membership is there already and nothing shows that this resource granted it:
                ``fail``, or ``adopt`` it, after which deleting the resource revokes it.
            revision: Any text. Changing it looks, and grants again if the membership is gone.
            timeout_seconds: How long to wait for the service, for each create, read and delete; 1 to 86400.
            opts: Options of every Pulumi resource. ``custom_timeouts``, ``import_`` and providers of AWS are refused:
                Pulumi does not tell a dynamic resource of them.
        """
        super().__init__(
            BillingGroupMembershipProvider(),
            name,
            {
                "billing_group_name": billing_group_name,
                "thing_name": thing_name,
                "region": region,
                "on_existing": on_existing,
                "revision": revision,
                "timeout_seconds": timeout_seconds,
            },
            opts,
        )


class ThingGroupMembershipProvider(AssociationProvider):
    """Stored in the state of every membership by this very name."""

    kind = IOT_THING_GROUP_MEMBERSHIP


class ThingGroupMembership(AssociationResource, module="aws-associations/iot", name="ThingGroupMembership"):
    """A thing's membership in a static IoT thing group.

    Adding twice and removing what is absent both succeed, so a look before the write tells what was there.

    Example::

        ThingGroupMembership(
            "example",
            thing_group_name="pumps",
            thing_name="pump-7",
        )
    """

    thing_group_name: pulumi.Output[str]
    """Name of the thing group."""

    thing_name: pulumi.Output[str]
    """Name of the thing."""

    override_dynamic_groups: pulumi.Output[bool | None]
    """Whether to leave a dynamic group if the thing is in as many groups as it can be."""

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
        thing_group_name: pulumi.Input[str],
        thing_name: pulumi.Input[str],
        override_dynamic_groups: pulumi.Input[bool] | None = None,
        region: pulumi.Input[str] | None = None,
        on_existing: pulumi.Input[Literal["fail", "adopt"]] = "fail",
        revision: pulumi.Input[str] | None = None,
        timeout_seconds: pulumi.Input[float] = 300,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """Declare one.

        Args:
            name: Logical name in the stack. To rename it, give ``opts`` an ``aliases`` entry for the old name.
            thing_group_name: Name of the thing group, 1 to 128 characters. Changing it replaces the membership.
            thing_name: Name of the thing, 1 to 128 characters. Changing it replaces the membership.
            override_dynamic_groups: Whether to leave a dynamic group if the thing is in as many groups as it can be.
            region: AWS region; by default that of the stack's configuration or the environment when it is created.
            on_existing: What to do if the membership is there already and nothing shows that this resource granted it:
                ``fail``, or ``adopt`` it, after which deleting the resource revokes it.
            revision: Any text. Changing it looks, and grants again if the membership is gone.
            timeout_seconds: How long to wait for the service, for each create, read and delete; 1 to 86400.
            opts: Options of every Pulumi resource. ``custom_timeouts``, ``import_`` and providers of AWS are refused:
                Pulumi does not tell a dynamic resource of them.
        """
        super().__init__(
            ThingGroupMembershipProvider(),
            name,
            {
                "thing_group_name": thing_group_name,
                "thing_name": thing_name,
                "override_dynamic_groups": override_dynamic_groups,
                "region": region,
                "on_existing": on_existing,
                "revision": revision,
                "timeout_seconds": timeout_seconds,
            },
            opts,
        )
