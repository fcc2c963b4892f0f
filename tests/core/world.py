"""What the tests of the core share: one emulator, a user, a group, and the core in front of it."""

from __future__ import annotations

import datetime
import itertools
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import pytest

from aws_associations.errors import CannotAsk, LedgerUnavailable
from aws_associations.host import Request
from aws_associations.identity import AssociationId, Identity
from aws_associations.kinds.finspace_permission_group_membership import KIND as PERMISSION_GROUP_MEMBERSHIP
from aws_associations.ledger import ProcessMemory, Record
from aws_associations.lifecycle import Desired, Granted, Lifecycle, OnExisting, Removal
from aws_associations.look import Sighting
from aws_associations.records import (
    Association,
    Claim,
    HoldState,
    Owner,
    Resource,
    association_key,
    resource_key,
)
from aws_associations.service import Services
from aws_associations.vocabulary import DELETING, Vocabulary
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


WORDS = Vocabulary(
    called=lambda member: f"its {member.name}",
    adopt="a wish to adopt",
    more_time="be patient",
    set_region="go to",
    again="try again",
    again_after={DELETING: "delete again"},
)
"""Words that no host of the product has: where one of theirs is read, it did not come from the host."""


@dataclass
class ScriptedHost:
    """A host whose answers a test sets; an answer that is None cannot be given. Keeps the notes."""

    taken: bool | None = True
    standing: bool | None = True
    completed: bool | None = None
    asked: list[str] = field(default_factory=list)
    notes: list[tuple[str, Mapping[str, object]]] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    words: Vocabulary = WORDS

    def took(self, id_text: str, since: float) -> bool:
        return self._answer("took", self.taken)

    def stands(self, owner: Owner, claim: Claim, identity: Identity) -> bool:
        return self._answer("stands", self.standing)

    def adoption_completed(self, since: float) -> bool:
        return self._answer("adoption_completed", self.completed)

    def _answer(self, question: str, answer: bool | None) -> bool:
        self.asked.append(question)
        if answer is None:
            raise CannotAsk("nobody answers")
        return answer

    def note(self, event: str, fields: Mapping[str, object], *, warning: bool = False) -> None:
        self.notes.append((event, fields))
        if warning:
            self.warnings.append(event)

    def waiting(self, seconds: float, fields: Mapping[str, object]) -> None:
        """Nowhere to say it."""

    def noted(self, event: str) -> bool:
        return any(name == event for name, _ in self.notes)


class WatchedLedger(ProcessMemory):
    """Process memory that keeps what is written, and that does not answer when a test says so.

    Attributes:
        trips: ``read`` or ``write`` for each round trip.
        leases: time and end of the lease of every association that was written, in epoch seconds.
    """

    def __init__(self, now: Callable[[], float]) -> None:
        super().__init__()
        self.trips: list[str] = []
        self.leases: list[tuple[float, float]] = []
        self._now = now
        self._faults: dict[int, str] = {}

    def fail(self, *trips: int, when: str = "before") -> None:
        """These round trips from now on, counted from 0, are not answered: before they take effect, or after."""
        self._faults = {len(self.trips) + trip: when for trip in trips}

    def read(self, *keys: str) -> tuple[Record, ...]:
        if self._begin("read"):
            raise LedgerUnavailable("the ledger did not answer")
        return super().read(*keys)

    def write(self, *records: Record) -> tuple[Record, ...]:
        fault = self._begin("write")
        written = super().write(*records)
        associations = [Association.of(each.content) for each in records if each.key.startswith("association/")]
        self.leases += [(self._now(), association.until) for association in associations]
        if fault:
            raise LedgerUnavailable("the ledger did not answer")
        return written

    def _begin(self, trip: str) -> str:
        fault = self._faults.pop(len(self.trips), "")
        self.trips.append(trip)
        if fault == "before":
            raise LedgerUnavailable("the ledger did not answer")
        return fault


class World:
    """One emulator, one user and one group in it, and the core in front."""

    def __init__(self, control: EmulatorControl) -> None:
        self.control = control
        self.clock = EmulatorClock(control)
        self.services = Services(lambda: datetime.datetime.fromtimestamp(control.now(), datetime.UTC))
        self.lose_ledger()
        self.host = ScriptedHost()
        self._requests = itertools.count()
        control.freeze()
        self.add(GROUP, USER)

    def lose_ledger(self) -> None:
        """The ledger is new, or was lost: it says nothing."""
        self.ledger = WatchedLedger(self.control.now)
        self.lifecycle = Lifecycle(self.services, self.ledger)

    def add(self, group: str, user: str, environment: str = ENVIRONMENT) -> None:
        """Make the parties, not the membership."""
        self.control.add_permission_group(environment, group)
        self.control.add_user(environment, user)

    def identity(self, group: str = GROUP, user: str = USER, environment: str = ENVIRONMENT) -> Identity:
        values = {"environment_id": environment, "permission_group_id": group, "user_id": user}
        return Identity.of(PERMISSION_GROUP_MEMBERSHIP, ACCOUNT, REGION, values)

    def request(
        self,
        name: str | None = None,
        owner: str = "Membership",
        seconds: float = 300,
        *,
        stack: str = "stack",
        physical_id: str = "",
        age: float = 0.0,
    ) -> Request:
        """A request; the same name is a retry of the same request, no name a new one."""
        return Request(
            owner=Owner("cloudformation", (stack,), (owner,)),
            request_id=name or f"request-{next(self._requests)}",
            account=ACCOUNT,
            deadline=Deadline(self.clock, seconds),
            host=self.host,
            signed=self.control.now() - age,
            physical_id=physical_id,
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
        request = request or self.request()
        request.physical_id = AssociationId(self.identity()).text if text is None else text
        return self.lifecycle.delete(PERMISSION_GROUP_MEMBERSHIP, request)

    def update(
        self,
        current: str,
        identity: Identity,
        request: Request | None = None,
        *,
        heal: bool = False,
        on_existing: OnExisting = OnExisting.FAIL,
    ) -> Granted:
        request = request or self.request()
        request.physical_id = current
        return self.lifecycle.update(Desired(identity, on_existing), request, heal=heal)

    def id(self, *, adopted: bool = False, group: str = GROUP, user: str = USER) -> str:
        """The id text of a membership, created or not."""
        return AssociationId(self.identity(group, user), adopted).text

    def holds(self, owner: str = "Membership", *, stack: str = "stack") -> dict[str, HoldState]:
        """What the ledger says that a resource claims: id text → state."""
        (record,) = self.ledger.read(resource_key(Owner("cloudformation", (stack,), (owner,))))
        return {hold.id: hold.state for hold in Resource.of(record.content).holds.values()}

    def association(self) -> Association:
        """What the ledger says of the membership."""
        (record,) = self.ledger.read(association_key(self.identity()))
        return Association.of(record.content)

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


def after_seconds(world: World, monkeypatch: pytest.MonkeyPatch, seconds: float, act: Callable[[], object]) -> None:
    """Something happens during a wait, once so much time has passed."""
    begun, sleep = world.clock.now(), world.clock.sleep
    pending = [act]

    def sleeps(duration: float) -> None:
        sleep(duration)
        if pending and world.clock.now() - begun >= seconds:
            pending.pop()()

    monkeypatch.setattr(world.clock, "sleep", sleeps)
