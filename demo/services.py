"""The two services that the acts are about, on the emulator: it knows the truth about them, whatever is told."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any, ClassVar, NamedTuple

from association_emulator.control import EmulatorControl

Member = tuple[str, str]
"""A group, and who is in it."""


class Change(NamedTuple):
    """What a call really changed: ``verb`` is granted or revoked; the names are spelled as the call did."""

    verb: str
    group: str
    member: str

    def __str__(self) -> str:
        return f"{self.verb} {self.member} in {self.group}"

    def folded(self) -> Change:
        """The same with its names in lower case, for a service that does not mind the case."""
        return Change(self.verb, self.group.lower(), self.member.lower())


def granted(group: str, member: str) -> Change:
    """A grant, to compare with."""
    return Change("granted", group, member)


def revoked(group: str, member: str) -> Change:
    """A revocation, to compare with."""
    return Change("revoked", group, member)


class Service(ABC):
    """Who is in which group, and what the service was asked."""

    title: ClassVar[str]
    name: ClassVar[str]
    verbs: ClassVar[Mapping[str, str]]
    group_parameter: ClassVar[str]
    member_parameter: ClassVar[str]

    def __init__(self, control: EmulatorControl) -> None:
        self.control = control
        self.by_hand: list[Change] = []

    @abstractmethod
    def members(self) -> set[Member]:
        """Who is in which group right now."""

    def somebody_grants(self, group: str, member: str) -> None:
        """What somebody else does by hand, without a call."""
        self._grant(group, member)
        self.by_hand.append(granted(group, member))

    def somebody_revokes(self, group: str, member: str) -> None:
        """What somebody else does by hand, without a call."""
        self._revoke(group, member)
        self.by_hand.append(revoked(group, member))

    @abstractmethod
    def _grant(self, group: str, member: str) -> None: ...

    @abstractmethod
    def _revoke(self, group: str, member: str) -> None: ...

    def calls(self, since: int = 0) -> list[dict[str, Any]]:
        """The parameters of the calls after the first ``since``, each with its ``operation``."""
        entries = self.control.journal(service=self.name)[since:]
        return [{"operation": entry.operation, **entry.parameters} for entry in entries]

    def changes(self, since: int = 0) -> list[Change]:
        """What the calls after the first ``since`` changed, in order."""
        return [
            Change(
                self.verbs[str(entry.operation)],
                entry.parameters[self.group_parameter],
                entry.parameters[self.member_parameter],
            )
            for entry in self.control.journal(service=self.name)[since:]
            if entry.changed and entry.operation in self.verbs
        ]


class FinSpace(Service):
    """A FinSpace environment with its groups and users."""

    title = "FinSpace"
    name = "finspace-data"
    verbs: ClassVar = {"AssociateUserToPermissionGroup": "granted", "DisassociateUserFromPermissionGroup": "revoked"}
    group_parameter = "permissionGroupId"
    member_parameter = "userId"

    environment = "demo-env"

    def __init__(self, control: EmulatorControl) -> None:
        super().__init__(control)
        for group in ("analysts", "traders"):
            control.finspace.add_permission_group(self.environment, group)
        for user in ("alice", "bob", "carol", "dave", "erin"):
            control.finspace.add_user(self.environment, user)
        # A membership takes a moment to become effective, as it did on AWS, so that waiting is part of the story.
        control.finspace.configure(addition_seconds=0.5, removal_seconds=0.5)

    def members(self) -> set[Member]:
        """Who is in which group right now."""
        return {(now.permission_group_id, now.user_id) for now in self.control.finspace.memberships(self.environment)}

    def _grant(self, group: str, member: str) -> None:
        self.control.finspace.grant(self.environment, group, member)

    def _revoke(self, group: str, member: str) -> None:
        self.control.finspace.revoke(self.environment, group, member)


class Directory(Service):
    """An AWS Managed Microsoft AD directory with its groups and users."""

    title = "The directory"
    name = "ds-data"
    verbs: ClassVar = {"AddGroupMember": "granted", "RemoveGroupMember": "revoked"}
    group_parameter = "GroupName"
    member_parameter = "MemberName"

    id = "d-9067e1c4f2"
    domain = "corp.example.com"
    groups = ("Analysts", "Traders", "Domain Admins")
    users = ("alice", "bob", "carol", "dave", "erin", "frank")

    def __init__(self, control: EmulatorControl) -> None:
        super().__init__(control)
        control.directory.add_directory(self.id, domain=self.domain)
        for group in self.groups:
            control.directory.add_group(self.id, group)
        for user in self.users:
            control.directory.add_user(self.id, user)

    def members(self) -> set[Member]:
        """Who is in which group right now, in the directory's own spelling."""
        return {(now.group_name, now.member_name) for now in self.control.directory.memberships(self.id)}

    def _grant(self, group: str, member: str) -> None:
        self.control.directory.grant(self.id, group, member)

    def _revoke(self, group: str, member: str) -> None:
        self.control.directory.revoke(self.id, group, member)
