"""Organizations: a member account as delegated administrator of an AWS service.

Wire facts: service model ``organizations`` 2016-11-28 (API reference). Every error is HTTP 400; the code tells.
"""

from __future__ import annotations

from aws_associations import errors
from aws_associations.kind import Duplicates, Kind, Look, Part, Permission, Rejection

_ACCOUNTS = "arn:${Partition}:organizations::${Account}:account/o-*/*"

KIND = Kind(
    name="organizations-delegated-administrator",
    noun="Organizations delegated administrator",
    cloudformation_type="Custom::OrganizationsDelegatedAdministrator",
    service="organizations",
    is_global=True,
    parties=(
        Part("service_principal", "ServicePrincipal", "The service to administer", "guardduty.amazonaws.com"),
        Part("account_id", "AccountId", "Id of the member account", "210987654321"),
    ),
    preposition="for",
    associate="RegisterDelegatedAdministrator",
    disassociate="DeregisterDelegatedAdministrator",
    look=Look(
        operation="ListDelegatedServicesForAccount",
        request={"AccountId": "account_id"},
        items="DelegatedServices[]",
        match={"ServicePrincipal": "service_principal"},
        page_token=("NextToken", "NextToken"),
    ),
    errors={
        "AccessDeniedException": errors.AccessDenied,
        "AccountAlreadyRegisteredException": errors.AlreadyExists,
        "AccountNotFoundException": errors.NotFound,
        "AccountNotRegisteredException": errors.NotFound,
        "AWSOrganizationsNotInUseException": errors.NotFound,  # without an organization nobody is registered
        "ConcurrentModificationException": errors.ResourceConflict,
        "ConstraintViolationException": errors.InvalidRequest,
        "InvalidInputException": errors.InvalidRequest,
        "ServiceException": errors.ServiceUnavailable,
        "TooManyRequestsException": errors.Throttling,
        "UnsupportedAPIEndpointException": errors.InvalidRequest,
    },
    transient={"TooManyRequestsException": frozenset()},
    busy=(
        Rejection("ConcurrentModificationException"),
        Rejection("ConstraintViolationException", "ACCOUNT_CREATION_NOT_COMPLETE"),
    ),
    lasting=(Rejection("AWSOrganizationsNotInUseException"),),
    advice={
        errors.AccessDenied: "Deploy in the organization's management account, with the permissions in the"
        " documentation of this kind.",
        "AWSOrganizationsNotInUseException": "Deploy in the management account of an organization.",
    },
    duplicates=Duplicates.CONFLICT,
    permissions=(
        Permission(
            ("organizations:RegisterDelegatedAdministrator",),
            (_ACCOUNTS,),
            granting_key="organizations:ServicePrincipal",
        ),
        # Without the key: what was registered must stay removable when its service is no longer allowed.
        Permission(
            ("organizations:DeregisterDelegatedAdministrator", "organizations:ListDelegatedServicesForAccount"),
            (_ACCOUNTS,),
        ),
    ),
    summary="A member account as delegated administrator of an AWS service in an organization.",
    notes=(
        "Works in the organization's management account only, from any region.",
        "Many services take one administrator. CloudFormation registers the new account before it deregisters the old"
        " one, so for those it cannot change AccountId in one update: remove the resource in one, declare it anew in"
        " the next. Pulumi can: it deletes first.",
    ),
    proof="moto's Organizations, the published service model",
)
