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
        "account_id '{digits}'": "An account id has 12 digits and no hyphens; quote it in YAML, so that a"
        " leading zero stays.",
        errors.AccessDenied: "Use the organization's management account, with the permissions in the documentation of"
        " this kind. Then {again}.",
        "AWSOrganizationsNotInUseException": "Use the management account of an organization, then {again}.",
        "AccountNotFoundException": "Declare as {account_id} a member account of the organization, then {again}.",
        "UnsupportedAPIEndpointException": "Organizations does not offer this at the endpoint in use: take away what"
        " overrides the endpoint, then {again}.",
        "SERVICE_ACCESS_NOT_ENABLED": "Enable trusted access first, with `aws organizations enable-aws-service-access"
        " --service-principal ...`, then {again}.",
        "MAX_DELEGATED_ADMINISTRATORS_FOR_SERVICE_LIMIT_EXCEEDED": "The service has as many administrators as it can"
        " have. List them with `aws organizations list-delegated-administrators --service-principal ...`, deregister"
        " one, then {again}.",
        "DELEGATED_ADMINISTRATOR_EXISTS_FOR_THIS_SERVICE": "The service takes one administrator. Find it with `aws"
        " organizations list-delegated-administrators --service-principal ...`, deregister it, then {again}.",
        "CANNOT_REGISTER_SUSPENDED_ACCOUNT_AS_DELEGATED_ADMINISTRATOR": "Reactivate the account through AWS Support, or"
        " declare another {account_id}, then {again}.",
        "CANNOT_REGISTER_MASTER_AS_DELEGATED_ADMINISTRATOR": "Declare as {account_id} a member account, then"
        " {again}: the management account administers every service anyway.",
        "ACCOUNT_CREATION_NOT_COMPLETE": "Wait until the account is fully active, then {again}.",
        "WAIT_PERIOD_ACTIVE": "Wait until the waiting period of the account is over, then {again}.",
        "ORGANIZATION_NOT_IN_ALL_FEATURES_MODE": "Enable all features in the organization, then {again}.",
        "ConstraintViolationException": "No property is wrong: change in the organization what the reason names, then"
        " {again}.",
        "UNRECOGNIZED_SERVICE_PRINCIPAL": "Declare as {service_principal} one that works with Organizations, such as"
        " guardduty.amazonaws.com, then {again}.",
        "TARGET_NOT_SUPPORTED": "Declare as {account_id} an account that the service can have as administrator, then"
        " {again}.",
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
