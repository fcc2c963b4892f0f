"""A thing's membership in a static IoT thing group."""

import pulumi

from pulumi_aws_associations.iot import ThingGroupMembership

config = pulumi.Config()

membership = ThingGroupMembership(
    "example",
    thing_group_name=config.require("thingGroupName"),
    thing_name=config.require("thingName"),
)

pulumi.export("membershipId", membership.id)
