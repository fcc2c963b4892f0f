"""What the tests of the core share: one emulator, a user, a group, and the core in front of it."""

from __future__ import annotations

import datetime
import itertools
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import pytest

from aws_associations.host import Holders, Owner, Remainder, Request, UnknowingHost
from aws_associations.identity import AssociationId, Identity
from aws_associations.kind import Kind
from aws_associations.kinds.finspace_permission_group_membership import KIND as PERMISSION_GROUP_MEMBERSHIP
from aws_associations.lifecycle import Desired, Granted, Lifecycle, OnExisting, Removal
from aws_associations.look import Sighting
from aws_associations.service import Services
from aws_associations.waiting import Deadline
from finspace_emulator.control import EmulatorControl

ACCOUNT = "123456789012"
REGION = "us-east-1"
ENVIRONMENT, GROUP, USER = "env1", "analysts", "alice"
LOOK = "ListPermissionGroupsByUser"
ASSOCIATE = "AssociateUserToPermissionGroup"
DISASSOCIATE = "DisassociateUserFromPermissionGroup"
EXCHANGE = "GetProgrammaticAccessCredentials"


class EmulatorClock:
    """The service's own clock: sleeping moves it, so that no test waits."""

    def __init__(self, control: EmulatorControl) -> None:
        self._control = control

    def now(self) -> float:
        return self._control.now()

    def sleep(self, seconds: float) -> None:
        self._control.advance(seconds)


@dataclass
class ScriptedHost(UnknowingHost):
    """A host whose evidence a test sets; everything else cannot be known. Keeps the notes."""

    others: Holders | None = None
    lives: bool | None = None
    settled: bool | None = None
    intent: bool | None = None
    revoked_intent: bool = False
    intents: tuple[Identity, ...] | None = None
    claimed: bool | None = None
    behind: tuple[Remainder, ...] | None = None
    notes: list[tuple[str, Mapping[str, object]]] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)

    def holders(self, identity: Identity) -> Holders | None:
        return self.others

    def live(self) -> bool | None:
        return self.lives

    def adoption_settled(self, identity: Identity) -> bool | None:
        return self.settled

    def announced(self, identity: Identity, *, ever: bool = False) -> bool | None:
        return True if ever and self.revoked_intent else self.intent

    def announced_of(self, kind: Kind) -> tuple[Identity, ...] | None:
        return self.intents

    def claimed_since(self, identity: Identity) -> bool | None:
        return self.claimed

    def left_behind(self, kind: Kind) -> tuple[Remainder, ...] | None:
        return self.behind

    def note(self, event: str, fields: Mapping[str, object], *, warning: bool = False) -> None:
        self.notes.append((event, fields))
        if warning:
            self.warnings.append(event)

    def noted(self, event: str) -> bool:
        return any(name == event for name, _ in self.notes)


class World:
    """One emulator, one user and one group in it, and the core in front."""

    def __init__(self, control: EmulatorControl) -> None:
        self.control = control
        self.clock = EmulatorClock(control)
        self.services = Services(lambda: datetime.datetime.fromtimestamp(control.now(), datetime.UTC))
        self.lifecycle = Lifecycle(self.services)
        self.host = ScriptedHost()
        self._requests = itertools.count()
        control.freeze()
        self.add(GROUP, USER)

    def add(self, group: str, user: str, environment: str = ENVIRONMENT) -> None:
        """Make the parties, not the membership."""
        self.control.add_permission_group(environment, group)
        self.control.add_user(environment, user)

    def identity(self, group: str = GROUP, user: str = USER, environment: str = ENVIRONMENT) -> Identity:
        values = {"environment_id": environment, "permission_group_id": group, "user_id": user}
        return Identity.of(PERMISSION_GROUP_MEMBERSHIP, ACCOUNT, REGION, values)

    def request(
        self, name: str | None = None, owner: str = "Membership", seconds: float = 300, *, late: bool = False
    ) -> Request:
        """A request; the same name is a retry of the same request, no name a new one."""
        return Request(
            owner=Owner(("test", "stack", owner)),
            request_id=name or f"request-{next(self._requests)}",
            account=ACCOUNT,
            deadline=Deadline(self.clock, seconds),
            host=self.host,
            age=60.0 if late else 0.0,
        )

    def create(
        self,
        request: Request | None = None,
        *,
        identity: Identity | None = None,
        on_existing: OnExisting = OnExisting.FAIL,
    ) -> Granted:
        return self.lifecycle.create(Desired(identity or self.identity(), on_existing), request or self.request())

    def read(self) -> Sighting | None:
        return self.lifecycle.read(self.identity(), self.request())

    def delete(self, text: str | None = None, request: Request | None = None) -> Removal:
        text = AssociationId(self.identity()).text if text is None else text
        return self.lifecycle.delete(PERMISSION_GROUP_MEMBERSHIP, text, request or self.request())

    def update(
        self,
        current: str,
        identity: Identity,
        request: Request | None = None,
        *,
        heal: bool = False,
        on_existing: OnExisting = OnExisting.FAIL,
    ) -> Granted:
        return self.lifecycle.update(current, Desired(identity, on_existing), request or self.request(), heal=heal)

    def id(self, *, adopted: bool = False, group: str = GROUP, user: str = USER) -> str:
        """The id text of a membership, created or not."""
        return AssociationId(self.identity(group, user), adopted).text

    def grant_as_others_do(self, group: str = GROUP, user: str = USER, *, seconds: float = 0) -> None:
        assert self.control.grant(ENVIRONMENT, group, user, in_progress_seconds=seconds)

    def revoke_as_others_do(self, group: str = GROUP, user: str = USER, *, seconds: float = 0) -> None:
        assert self.control.revoke(ENVIRONMENT, group, user, in_progress_seconds=seconds)

    def writes(self) -> list[str]:
        """The associates and disassociates received so far."""
        return [name for name in self.calls() if name in (ASSOCIATE, DISASSOCIATE)]

    def effects(self, operation: str) -> int:
        """How many calls of the operation changed something."""
        return sum(entry.changed for entry in self.control.journal(operation))

    def members(self) -> set[tuple[str, str]]:
        """The truth: (group, user) of every membership there is, whatever the lists show."""
        return {(now.permission_group_id, now.user_id) for now in self.control.memberships()}

    def calls(self) -> list[str]:
        """The operations received so far, in order, without the exchange of credentials."""
        named = [entry.operation for entry in self.control.journal()]
        return [name for name in named if name is not None and name != EXCHANGE]

    def tokens(self, operation: str) -> list[str | None]:
        return [entry.client_token for entry in self.control.journal(operation)]


def after_seconds(world: World, monkeypatch: pytest.MonkeyPatch, seconds: float, act: Callable[[], None]) -> None:
    """Something happens during a wait, once so much time has passed."""
    begun, sleep = world.clock.now(), world.clock.sleep
    pending = [act]

    def sleeps(duration: float) -> None:
        sleep(duration)
        if pending and world.clock.now() - begun >= seconds:
            pending.pop()()

    monkeypatch.setattr(world.clock, "sleep", sleeps)
