"""QuickSight: groups and users in two namespaces."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from association_emulator.remote import RemoteControl
from tests.contract import scenery
from tests.contract.scenery import Values


class SCENERY(scenery.Scenery):
    """Everything is a switch of the emulator."""

    lacks: ClassVar[Mapping[str, str]] = {
        "renews": "a membership has no version",
        "wait": "the service has no status: what is described is granted",
        "failed state": "the service has no status",
        "pages": "the look asks for the one membership",
        "token": "the service has no idempotency token",
        "options": "the associate request takes nothing but the identity",
        "exclusive": "a user is in as many groups as anybody likes",
        "global": "the association is kept under the region it was declared in",
        "transient": "no rejection of QuickSight's is documented to pass by itself",
        "retry after": "no error says when to come again",
        "reasons": "the errors carry no reason",
        "exchange": "the caller's own credentials sign every call",
    }
    rejecting: ClassVar[Mapping[str, Any]] = {"duplicate_create": "precondition_not_met"}
    non_member = tuple({"delete_non_member": answer} for answer in ("not_found", "succeed"))

    @property
    def service(self) -> RemoteControl:
        return self.control.quicksight

    def arrange(self) -> None:
        self.values = {"namespace": "default", "group_name": "traders", "member_name": "bob"}
        self.others = {"namespace": "team", "group_name": "brokers", "member_name": "carol"}
        for namespace in ("default", "team"):
            for group in ("traders", "brokers"):
                self.control.quicksight.add_group(group, namespace=namespace)
            for user in ("bob", "carol"):
                self.control.quicksight.add_user(user, namespace=namespace)

    def grant(self, values: Values) -> None:
        assert self.control.quicksight.grant(**values)

    def revoke(self, values: Values) -> None:
        assert self.control.quicksight.revoke(**values)

    def granted(self) -> list[Values]:
        return [
            {"namespace": now.namespace, "group_name": now.group_name, "member_name": now.member_name}
            for now in self.control.quicksight.memberships()
        ]

    def remove(self, part: str) -> None:
        namespace = self.values["namespace"]
        if part == "group_name":
            self.control.quicksight.remove_group(self.values[part], namespace=namespace)
        else:
            self.control.quicksight.remove_user(self.values[part], namespace=namespace)

    def seen(self, *, present: bool) -> dict[str, dict[str, str]] | str:
        if not present:
            return "ResourceNotFoundException"
        return {"GroupMember": {"MemberName": self.values["member_name"]}}
