"""A member account as delegated administrator of an AWS service in an organization.

Written by `make generate` from the declarations in aws_associations.kinds; change those.
"""

from __future__ import annotations

from typing import Literal

import pulumi

from aws_associations.kinds.organizations_delegated_administrator import KIND as ORGANIZATIONS_DELEGATED_ADMINISTRATOR
from pulumi_aws_associations.provider import AssociationProvider
from pulumi_aws_associations.resource import AssociationResource


class DelegatedAdministratorProvider(AssociationProvider):
    """Stored in the state of every administrator by this very name."""

    kind = ORGANIZATIONS_DELEGATED_ADMINISTRATOR


class DelegatedAdministrator(
    AssociationResource, module="aws-associations/organizations", name="DelegatedAdministrator"
):
    """A member account as delegated administrator of an AWS service in an organization.

    Works in the organization's management account only, from any region. Many services take one administrator.
    CloudFormation registers the new account before it deregisters the old one, so for those it cannot change
    ``account_id`` in one update: remove the resource in one, declare it anew in the next. Pulumi can: it deletes first.

    Example::

        DelegatedAdministrator(
            "example",
            service_principal="guardduty.amazonaws.com",
            account_id="210987654321",
        )
    """

    service_principal: pulumi.Output[str]
    """The service to administer."""

    account_id: pulumi.Output[str]
    """Id of the member account."""

    region: pulumi.Output[str]
    """AWS region in which the administrator was created."""

    account: pulumi.Output[str]
    """AWS account in which the administrator was created, 12 digits."""

    adopted: pulumi.Output[bool]
    """Whether the administrator was there before it was declared."""

    status_code: pulumi.Output[int]
    """HTTP status of the associate call; 0 if none was made."""

    def __init__(
        self,
        name: str,
        *,
        service_principal: pulumi.Input[str],
        account_id: pulumi.Input[str],
        on_existing: pulumi.Input[Literal["fail", "adopt"]] = "fail",
        revision: pulumi.Input[str] | None = None,
        timeout_seconds: pulumi.Input[float] = 300,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """Declare one.

        Args:
            name: Logical name in the stack. To rename it, give ``opts`` an ``aliases`` entry for the old name.
            service_principal: The service to administer, 1 to 128 characters. Changing it replaces the administrator.
            account_id: Id of the member account, 1 to 12 characters. Changing it replaces the administrator.
            on_existing: What to do if the administrator is there already and nothing shows that this resource granted
                it: ``fail``, or ``adopt`` it, after which deleting the resource revokes it.
            revision: Any text. Changing it looks, and grants again if the administrator is gone.
            timeout_seconds: How long to wait for the service, for each create, read and delete; 1 to 86400.
            opts: Options of every Pulumi resource. ``custom_timeouts``, ``import_`` and providers of AWS are refused:
                Pulumi does not tell a dynamic resource of them.
        """
        super().__init__(
            DelegatedAdministratorProvider(),
            name,
            {
                "service_principal": service_principal,
                "account_id": account_id,
                "on_existing": on_existing,
                "revision": revision,
                "timeout_seconds": timeout_seconds,
            },
            opts,
        )
