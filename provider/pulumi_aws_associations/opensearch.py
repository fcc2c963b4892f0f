"""A package (dictionary, plugin) associated with an OpenSearch Service domain.

Written by `make generate` from the declarations in aws_associations.kinds; change those.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal, Required, TypedDict

import pulumi

from aws_associations.kinds.opensearch_package_association import KIND as OPENSEARCH_PACKAGE_ASSOCIATION
from pulumi_aws_associations.provider import AssociationProvider
from pulumi_aws_associations.resource import AssociationResource


class KeyStoreAccessOptionArgs(TypedDict, total=False):
    """``KeyStoreAccessOption`` of AssociationConfiguration, as the API takes it."""

    KeyAccessRoleArn: pulumi.Input[str]
    KeyStoreAccessEnabled: Required[pulumi.Input[bool]]


class AssociationConfigurationArgs(TypedDict, total=False):
    """How the domain uses the package, as the API takes it."""

    KeyStoreAccessOption: pulumi.Input[KeyStoreAccessOptionArgs]


class PackageAssociationProvider(AssociationProvider):
    """Stored in the state of every association by this very name."""

    kind = OPENSEARCH_PACKAGE_ASSOCIATION


class PackageAssociation(AssociationResource, module="aws-associations/opensearch", name="PackageAssociation"):
    """A package (dictionary, plugin) associated with an OpenSearch Service domain.

    Expect minutes: a dictionary takes a few; a plugin changes the whole domain and can take longer than a Lambda
    function may run (15 minutes). Then the resource fails with NotStabilized and its real id, so that a rollback finds
    it. A package cannot be removed while it is being associated: if it still is when the rollback's time ends, delete
    the stack again later. Pulumi waits for an hour. Another value of an option takes a new association: Pulumi
    replaces; CloudFormation keeps it, with a warning. A package that an index uses cannot be dissociated; the error
    says so. After UpdatePackage the domain keeps the old version. Another Revision associates the package again.
    Whether KeyAccessRoleArn needs iam:PassRole is not documented; the function's role does not have it.

    Example::

        PackageAssociation(
            "example",
            domain_name="search",
            package_id="F123456789",
        )
    """

    domain_name: pulumi.Output[str]
    """Name of the domain."""

    package_id: pulumi.Output[str]
    """Id of the package."""

    prerequisite_package_id_list: pulumi.Output[Sequence[str] | None]
    """Packages that must be associated before this one."""

    association_configuration: pulumi.Output[Mapping[str, Any] | None]
    """How the domain uses the package."""

    region: pulumi.Output[str]
    """AWS region in which the association was created."""

    account: pulumi.Output[str]
    """AWS account in which the association was created, 12 digits."""

    adopted: pulumi.Output[bool]
    """Whether the association was there before it was declared."""

    status: pulumi.Output[str]
    """The service's word for its status."""

    status_code: pulumi.Output[int]
    """HTTP status of the associate call; 0 if none was made."""

    def __init__(
        self,
        name: str,
        *,
        domain_name: pulumi.Input[str],
        package_id: pulumi.Input[str],
        prerequisite_package_id_list: pulumi.Input[Sequence[pulumi.Input[str]]] | None = None,
        association_configuration: pulumi.Input[AssociationConfigurationArgs] | None = None,
        region: pulumi.Input[str] | None = None,
        on_existing: pulumi.Input[Literal["fail", "adopt"]] = "fail",
        revision: pulumi.Input[str] | None = None,
        timeout_seconds: pulumi.Input[float] = 3600,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """Declare one.

        Args:
            name: Logical name in the stack. To rename it, give ``opts`` an ``aliases`` entry for the old name.
            domain_name: Name of the domain, 3 to 28 characters. Changing it replaces the association.
            package_id: Id of the package. Changing it replaces the association.
            prerequisite_package_id_list: Packages that must be associated before this one. Changing it replaces the
                association.
            association_configuration: How the domain uses the package. Changing it replaces the association.
            region: AWS region; by default that of the stack's configuration or the environment when it is created.
            on_existing: What to do if the association is there already and nothing shows that this resource granted it:
                ``fail``, or ``adopt`` it, after which deleting the resource revokes it.
            revision: Any text. Changing it looks, and grants again if the association is gone.
            timeout_seconds: How long to wait for the service, for each create, read and delete; 1 to 86400.
            opts: Options of every Pulumi resource. ``custom_timeouts``, ``import_`` and providers of AWS are refused:
                Pulumi does not tell a dynamic resource of them.
        """
        super().__init__(
            PackageAssociationProvider(),
            name,
            {
                "domain_name": domain_name,
                "package_id": package_id,
                "prerequisite_package_id_list": prerequisite_package_id_list,
                "association_configuration": association_configuration,
                "region": region,
                "on_existing": on_existing,
                "revision": revision,
                "timeout_seconds": timeout_seconds,
            },
            opts,
        )
