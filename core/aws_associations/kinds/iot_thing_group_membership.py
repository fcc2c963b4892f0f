"""IoT: a thing in a static thing group. Wire facts: service model ``iot`` 2015-05-28 (API reference)."""

from __future__ import annotations

from aws_associations import errors
from aws_associations.kind import Duplicates, Kind, Look, Option, Part, Permission

KIND = Kind(
    name="iot-thing-group-membership",
    noun="IoT thing group membership",
    cloudformation_type="Custom::IotThingGroupMembership",
    service="iot",
    parties=(
        Part("thing_group_name", "thingGroupName", "Name of the thing group", "pumps"),
        Part("thing_name", "thingName", "Name of the thing", "pump-7"),
    ),
    options=(
        Option(
            "override_dynamic_groups",
            "overrideDynamicGroups",
            "Whether to leave a dynamic group if the thing is in as many groups as it can be",
            True,
            lasting=False,
        ),
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
        "InternalFailureException": errors.ServiceUnavailable,
        "InvalidRequestException": errors.InvalidRequest,
        "ResourceNotFoundException": errors.NotFound,
        "ThrottlingException": errors.Throttling,
    },
    advice={
        "AddThingToThingGroup answered InvalidRequestException": "A thing joins static groups only, and 10 groups at"
        " most: check the type of the group and the groups of the thing, then {again}.",
    },
    duplicates=Duplicates.SUCCEED,
    permissions=(
        Permission(
            ("iot:AddThingToThingGroup", "iot:RemoveThingFromThingGroup", "iot:ListThingGroupsForThing"),
            (
                "arn:${Partition}:iot:${Region}:${Account}:thing/*",
                "arn:${Partition}:iot:${Region}:${Account}:thinggroup/*",
            ),
        ),
    ),
    summary="A thing's membership in a static IoT thing group.",
    notes=("Adding twice and removing what is absent both succeed, so a look before the write tells what was there.",),
    proof="moto's IoT, the published service model",
)
