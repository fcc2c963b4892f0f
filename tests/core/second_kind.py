"""More kinds, declared here only: a new kind is one declaration, and no edit of the lifecycle."""

from __future__ import annotations

import datetime

from aws_associations.errors import (
    AccessDenied,
    AlreadyExists,
    InvalidRequest,
    NotFound,
    ResourceConflict,
    ServiceUnavailable,
    Throttling,
)
from aws_associations.kind import ClientToken, Duplicates, Kind, Look, Part, Scope, State

THING_GROUP_MEMBERSHIP = Kind(
    name="iot-thing-group-membership",
    noun="IoT thing group membership",
    cloudformation_type="Custom::IoTThingGroupMembership",
    service="iot",
    scope=(),
    parties=(
        Part("thing_group_name", "thingGroupName", "Name of the thing group."),
        Part("thing_name", "thingName", "Name of the thing."),
    ),
    associate="AddThingToThingGroup",
    disassociate="RemoveThingFromThingGroup",
    look=Look(
        operation="ListThingGroupsForThing",
        request={"thingName": "thing_name"},
        items="thingGroups[]",
        match={"groupName": "thing_group_name"},
        page_token=("nextToken", "nextToken"),
    ),
    errors={
        "InternalFailureException": ServiceUnavailable,
        "InvalidRequestException": InvalidRequest,
        "ResourceNotFoundException": NotFound,
        "ThrottlingException": Throttling,
    },
    duplicates=Duplicates.SUCCEED,
    token=None,
    iam_actions=("iot:AddThingToThingGroup", "iot:RemoveThingFromThingGroup", "iot:ListThingGroupsForThing"),
)

BILLING_GROUP_MEMBERSHIP = Kind(
    name="iot-billing-group-membership",
    noun="IoT billing group membership",
    cloudformation_type="Custom::IoTBillingGroupMembership",
    service="iot",
    scope=(),
    parties=(
        Part("billing_group_name", "billingGroupName", "Name of the billing group."),
        Part("thing_name", "thingName", "Name of the thing."),
    ),
    associate="AddThingToBillingGroup",
    disassociate="RemoveThingFromBillingGroup",
    look=Look(
        operation="DescribeThing",
        request={"thingName": "thing_name"},
        items="[@][?billingGroupName]",
        match={"billingGroupName": "billing_group_name"},
        exclusive=True,
    ),
    errors=THING_GROUP_MEMBERSHIP.errors,
    duplicates=Duplicates.SUCCEED,
    token=None,
)

DELEGATED_ADMINISTRATOR = Kind(
    name="organizations-delegated-administrator",
    noun="Organizations delegated administrator",
    cloudformation_type="Custom::OrganizationsDelegatedAdministrator",
    service="organizations",
    scope=(),
    parties=(
        Part("service_principal", "ServicePrincipal", "The AWS service that is administered."),
        Part("account_id", "AccountId", "Id of the member account."),
    ),
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
        "AccessDeniedException": AccessDenied,
        "AccountAlreadyRegisteredException": AlreadyExists,
        "AccountNotFoundException": NotFound,
        "AccountNotRegisteredException": NotFound,
        "ConcurrentModificationException": ResourceConflict,
        "ConstraintViolationException": InvalidRequest,
        "InvalidInputException": InvalidRequest,
        "ServiceException": ServiceUnavailable,
        "TooManyRequestsException": Throttling,
    },
    duplicates=Duplicates.CONFLICT,
    token=None,
)

DIRECTORY_GROUP_MEMBERSHIP = Kind(
    name="directory-group-membership",
    noun="Directory group membership",
    cloudformation_type="Custom::DirectoryGroupMembership",
    service="ds-data",
    scope=(Part("directory_id", "DirectoryId", "Id of the directory."),),
    parties=(
        Part("group_name", "GroupName", "Name of the group.", ignores_case=True),
        Part("member_name", "MemberName", "Name of the member.", ignores_case=True),
    ),
    associate="AddGroupMember",
    disassociate="RemoveGroupMember",
    look=Look(
        operation="ListGroupsForMember",
        request={"DirectoryId": "directory_id", "SAMAccountName": "member_name"},
        items="Groups[]",
        match={"SAMAccountName": "group_name"},
        page_token=("NextToken", "NextToken"),
    ),
    errors={
        "AccessDeniedException": AccessDenied,
        "ConflictException": ResourceConflict,
        "DirectoryUnavailableException": ServiceUnavailable,
        "InternalServerException": ServiceUnavailable,
        "ResourceNotFoundException": NotFound,
        "ThrottlingException": Throttling,
        "ValidationException": InvalidRequest,
    },
    duplicates=Duplicates.CONFLICT,
    token=ClientToken("ClientToken", datetime.timedelta(hours=8), (Scope.REQUEST,)),
)

PACKAGE_ASSOCIATION = Kind(
    name="opensearch-package-association",
    noun="OpenSearch package association",
    cloudformation_type="Custom::OpenSearchPackageAssociation",
    service="opensearch",
    scope=(),
    parties=(
        Part("domain_name", "DomainName", "Name of the domain."),
        Part("package_id", "PackageID", "Id of the package."),
    ),
    associate="AssociatePackage",
    disassociate="DissociatePackage",
    look=Look(
        operation="ListPackagesForDomain",
        request={"DomainName": "domain_name"},
        items="DomainPackageDetailsList[]",
        match={"PackageID": "package_id"},
        page_token=("NextToken", "NextToken"),
        status="DomainPackageStatus",
        states={
            "ASSOCIATING": State.ADDING,
            "ACTIVE": State.PRESENT,
            "ASSOCIATION_FAILED": State.FAILED,
            "DISSOCIATING": State.REMOVING,
            "DISSOCIATION_FAILED": State.FAILED,
        },
        failure="ErrorDetails.ErrorMessage",
    ),
    errors={
        "AccessDeniedException": AccessDenied,
        "BaseException": InvalidRequest,
        "ConflictException": ResourceConflict,
        "InternalException": ServiceUnavailable,
        "ResourceNotFoundException": NotFound,
        "ValidationException": InvalidRequest,
    },
    duplicates=Duplicates.UNDOCUMENTED,
    token=None,
)
