"""FinSpace: users and permission groups in two environments."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from association_emulator.remote import RemoteControl
from tests.contract import scenery
from tests.contract.scenery import Values


class SCENERY(scenery.Scenery):
    """Everything is a switch of the emulator."""

    lacks: ClassVar[Mapping[str, str]] = {
        "busy": "no rejection was published to mean that the service is busy",
        "renews": "a membership has no version",
        "options": "the associate request takes nothing but the identity",
        "failed state": "no status says that an addition or a removal failed",
        "exclusive": "a user is in as many permission groups as anybody likes",
        "global": "environments belong to a region",
        "default": "every part must be given",
        "transient": "no rejection of FinSpace's was published to pass by itself; the SDK repeats throttling",
        "retry after": "no error says when to come again",
        "reasons": "the reasons of FinSpace's errors were never published",
    }
    non_member = tuple({"disassociate_non_member": answer} for answer in ("not_found", "conflict", "succeed"))

    @property
    def service(self) -> RemoteControl:
        return self.control.finspace

    def arrange(self) -> None:
        self.values = {"environment_id": "env1", "permission_group_id": "traders", "user_id": "bob"}
        self.others = {"environment_id": "env2", "permission_group_id": "brokers", "user_id": "carol"}
        for environment in ("env1", "env2"):
            for group in ("traders", "brokers"):
                self.control.finspace.add_permission_group(environment, group)
            for user in ("bob", "carol"):
                self.control.finspace.add_user(environment, user)

    def grant(self, values: Values) -> None:
        assert self.control.finspace.grant(*self.ordered(values))

    def revoke(self, values: Values) -> None:
        assert self.control.finspace.revoke(*self.ordered(values))

    def granted(self) -> list[Values]:
        parts = ("environment_id", "permission_group_id", "user_id")
        return [{part: getattr(now, part) for part in parts} for now in self.control.finspace.memberships()]

    def remove(self, part: str) -> None:
        environment, name = self.values["environment_id"], self.values[part]
        if part == "user_id":
            self.control.finspace.remove_user(environment, name)
        else:
            self.control.finspace.remove_permission_group(environment, name)

    def seen(self, *, present: bool) -> Mapping[str, Any]:
        group = {"permissionGroupId": self.values["permission_group_id"], "membershipStatus": "ADDITION_SUCCESS"}
        return {"permissionGroups": [group] if present else []}

    def slow(self, *, adding: float = 0, removing: float = 0) -> None:
        self.control.finspace.configure(addition_seconds=adding, removal_seconds=removing)

    def crowd(self) -> None:
        self.control.finspace.configure(page_size=1)
        for name in ("a", "z"):
            self.control.finspace.add_permission_group("env1", name)
            self.control.finspace.grant("env1", name, "bob")
