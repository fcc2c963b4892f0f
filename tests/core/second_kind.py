"""Three more kinds, declared here only: a new kind is one declaration, and no edit of the lifecycle."""

from __future__ import annotations

from aws_associations.errors import (
    AccessDenied,
    AlreadyExists,
    InvalidRequest,
    NotFound,
    ResourceConflict,
    ServiceUnavailable,
    Throttling,
)
from aws_associations.kind import Duplicates, Kind, Look, Part

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
