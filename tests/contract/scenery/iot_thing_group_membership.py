"""IoT: things and thing groups, which are moto's; somebody else is another client of the same API."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from tests.contract import scenery
from tests.contract.scenery import Values, client


class SCENERY(scenery.Scenery):
    """Changed by other operations than the core's, so that no fault meets somebody else."""

    lacks: ClassVar[Mapping[str, str]] = {
        "busy": "no rejection of the three operations means that the service is busy",
        "renews": "a membership has no version",
        "wait": "the service has no status: what is listed is granted",
        "failed state": "the service has no status",
        "pages": "moto answers all groups of a thing on one page",
        "token": "the service has no idempotency token",
        "throttled, then foreign": "adding twice succeeds, so nothing tells who added it: a documented limit",
        "exclusive": "a thing is in as many static groups as the service's quota allows",
        "global": "things belong to a region",
        "default": "every part must be given",
        "transient": "no rejection of IoT's is documented to pass by itself; the SDK repeats throttling",
        "retry after": "no error says when to come again",
        "reasons": "the errors carry no reason",
        "exchange": "the caller's own credentials sign every call",
    }

    def arrange(self) -> None:
        self.values = {"thing_group_name": "meters", "thing_name": "meter"}
        self.others = {"thing_group_name": "Meters", "thing_name": "Meter"}
        for group in ("meters", "Meters"):
            client("iot").create_thing_group(thingGroupName=group)
        for thing in ("meter", "Meter"):
            client("iot").create_thing(thingName=thing)

    def grant(self, values: Values) -> None:
        client("iot").update_thing_groups_for_thing(
            thingName=values["thing_name"], thingGroupsToAdd=[values["thing_group_name"]]
        )

    def revoke(self, values: Values) -> None:
        client("iot").update_thing_groups_for_thing(
            thingName=values["thing_name"], thingGroupsToRemove=[values["thing_group_name"]]
        )

    def granted(self) -> list[Values]:
        groups = [group["groupName"] for group in client("iot").list_thing_groups()["thingGroups"]]
        return [
            {"thing_group_name": group, "thing_name": thing}
            for group in groups
            for thing in client("iot").list_things_in_thing_group(thingGroupName=group)["things"]
        ]

    def remove(self, part: str) -> None:
        # moto leaves what it deletes in the group.
        self.revoke(self.values)
        if part == "thing_name":
            client("iot").delete_thing(thingName=self.values[part])
        else:
            client("iot").delete_thing_group(thingGroupName=self.values[part])

    def seen(self, *, present: bool) -> Mapping[str, Any]:
        group = {"groupName": self.values["thing_group_name"]}
        return {"thingGroups": [group] if present else []}
