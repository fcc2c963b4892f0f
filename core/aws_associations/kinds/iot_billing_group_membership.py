"""IoT: a thing in a billing group. Wire facts: service model ``iot`` 2015-05-28 (API reference)."""

from __future__ import annotations

from aws_associations import errors
from aws_associations.kind import Duplicates, Kind, Look, Part, Permission

KIND = Kind(
    name="iot-billing-group-membership",
    noun="IoT billing group membership",
    cloudformation_type="Custom::IotBillingGroupMembership",
    service="iot",
    parties=(
        Part("billing_group_name", "billingGroupName", "Name of the billing group", "tariff-a"),
        Part("thing_name", "thingName", "Name of the thing", "meter-7"),
    ),
    associate="AddThingToBillingGroup",
    disassociate="RemoveThingFromBillingGroup",
    look=Look(
        operation="DescribeThing",
        request={"thingName": "thing_name"},
        items="[@][?billingGroupName]",
        match={"billingGroupName": "billing_group_name"},
        exclusive=True,  # the API reference: a thing is in one at most, and adding it to another moves it
    ),
    errors={
        "InternalFailureException": errors.ServiceUnavailable,
        "InvalidRequestException": errors.InvalidRequest,
        "ResourceNotFoundException": errors.NotFound,
        "ServiceUnavailableException": errors.ServiceUnavailable,
        "ThrottlingException": errors.Throttling,
        "UnauthorizedException": errors.AccessDenied,
    },
    duplicates=Duplicates.SUCCEED,
    settle_seconds=30.0,  # the API reference: a removal is asynchronous and may take several seconds to propagate
    permissions=(
        Permission(
            ("iot:AddThingToBillingGroup", "iot:RemoveThingFromBillingGroup", "iot:DescribeThing"),
            (
                "arn:${Partition}:iot:${Region}:${Account}:thing/*",
                "arn:${Partition}:iot:${Region}:${Account}:billinggroup/*",
            ),
        ),
    ),
    summary="A thing's membership in an IoT billing group.",
    notes=(
        "A thing is in one billing group at most. One that is in another is refused, naming it: the API would move it.",
        "CloudFormation creates before it deletes, so it cannot change BillingGroupName in one update: remove the"
        " resource in one, declare it anew in the next. Pulumi can: it deletes first.",
    ),
    proof="moto's IoT, the published service model",
)
