"""IoT: things and billing groups, which are moto's; somebody else is another client of the same API."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from tests.contract import scenery
from tests.contract.scenery import Values, client


class SCENERY(scenery.Scenery):
    """A thing is in one billing group at most."""

    lacks: ClassVar[Mapping[str, str]] = {
        "busy": "no rejection of the four operations means that the service is busy",
        "renews": "a membership has no version",
        "wait": "the service has no status: what is described is granted",
        "failed state": "the service has no status",
        "pages": "the look describes the one thing",
        "token": "the service has no idempotency token",
        "options": "the associate request takes nothing but the identity",
        "throttled, then foreign": "adding twice succeeds, so nothing tells who added it: a documented limit",
        "replacement of billing_group_name": "the thing is in the old group until that is deleted, and it is not moved",
        "global": "things belong to a region",
        "default": "every part must be given",
        "transient": "no rejection of IoT's is documented to pass by itself; the SDK repeats throttling",
        "retry after": "no error says when to come again",
        "reasons": "the errors carry no reason",
        "exchange": "the caller's own credentials sign every call",
    }

    def arrange(self) -> None:
        self.values = {"billing_group_name": "cheap", "thing_name": "meter"}
        self.others = {"billing_group_name": "Cheap", "thing_name": "Meter"}
        for group in ("cheap", "Cheap"):
            client("iot").create_billing_group(billingGroupName=group)
        for thing in ("meter", "Meter"):
            client("iot").create_thing(thingName=thing)

    def grant(self, values: Values) -> None:
        client("iot").add_thing_to_billing_group(
            billingGroupName=values["billing_group_name"], thingName=values["thing_name"]
        )

    def revoke(self, values: Values) -> None:
        client("iot").remove_thing_from_billing_group(
            billingGroupName=values["billing_group_name"], thingName=values["thing_name"]
        )

    def granted(self) -> list[Values]:
        groups = [group["groupName"] for group in client("iot").list_billing_groups()["billingGroups"]]
        return [
            {"billing_group_name": group, "thing_name": thing}
            for group in groups
            for thing in client("iot").list_things_in_billing_group(billingGroupName=group)["things"]
        ]

    def remove(self, part: str) -> None:
        if part == "thing_name":
            client("iot").delete_thing(thingName=self.values[part])
        else:
            # moto leaves its name on the things.
            self.revoke(self.values)
            client("iot").delete_billing_group(billingGroupName=self.values[part])

    def seen(self, *, present: bool) -> Mapping[str, Any]:
        group = {"billingGroupName": self.values["billing_group_name"]}
        return {"thingName": self.values["thing_name"], **(group if present else {})}
