"""One delivery of a request at work on one association, by the two records of the ledger.

Every change reads, applies a pure function and writes if nobody wrote meanwhile. The lease says who may call the
service: it is short, and :attr:`Work.deadline` renews it before every attempt of a call.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

from aws_associations.errors import (
    INTERRUPTED,
    AssociationError,
    LeaseLost,
    LedgerUnavailable,
    NotStabilized,
    Superseded,
    Throttling,
)
from aws_associations.host import Request
from aws_associations.identity import AssociationId, Identity, parse
from aws_associations.kind import Duplicates, State
from aws_associations.ledger import ChangedError, Ledger, Record
from aws_associations.look import Sighting, look, write
from aws_associations.records import (
    TOMBSTONE_SECONDS,
    Admission,
    Association,
    Basis,
    Claim,
    ClaimState,
    Hold,
    HoldState,
    Owner,
    RequestType,
    Resource,
    association_key,
    resource_key,
)
from aws_associations.service import LONGEST_CALL, Services
from aws_associations.waiting import Deadline, Pace, delays, delays_after_first

LEASE_SECONDS = 45.0
"""Longer than one call, so that a renewed lease always covers the next attempt; short for those who wait."""

_TOKEN_MARGIN = 3600.0
"""Seconds before the end of a token's window from which on a replay proves nothing any more."""

_SLICE = 10.0
"""Seconds of sleep between two renewals."""

Change = Callable[[Resource, Association], tuple[Resource, Association]]


@dataclass(frozen=True, slots=True)
class Standing:
    """Whether another owner's claim stands; ``untold``: why nobody could say, for a message."""

    stands: bool
    untold: str = ""


class Work:
    """The records of one resource and one association, as last read or written, and the lease.

    Attributes:
        request: that is served.
        identity: of the association; None: the request names none.
        key: of the association's record; empty if it names none.
        deadline: the request's; renews the lease before every attempt of a call to the service.
    """

    def __init__(self, services: Services, ledger: Ledger, request: Request, identity: Identity | None) -> None:
        self.request = request
        self._identity = identity
        self.key = association_key(identity) if identity else ""
        self.owner = request.owner.key
        self.deadline = request.deadline.guarded(self.keep_lease)
        self._services, self._ledger = services, ledger
        self._holder = uuid.uuid4().hex
        self._in_flight_until = 0.0
        self._stored: dict[str, Record] = {}
        self.resource, self.association = Resource(), Association()

    def beside(self, identity: Identity, deadline: Deadline) -> Work:
        """The same request at work on another association, until then."""
        work = Work(self._services, self._ledger, self.request, identity)
        work.deadline = deadline.guarded(work.keep_lease)
        return work

    @property
    def identity(self) -> Identity:
        """The association that this works on."""
        assert self._identity is not None
        return self._identity

    @property
    def named(self) -> str:
        """The association in the words of the host."""
        return self.request.named(self.identity)

    @property
    def hold(self) -> Hold | None:
        """What the resource claims of the association."""
        return self.resource.holds.get(self.key)

    @property
    def claim(self) -> Claim | None:
        """The owner's claim to the association."""
        return self.association.claims.get(self.owner)

    @property
    def now(self) -> float:
        """Epoch seconds."""
        return self._services.utc_now().timestamp()

    # -- opening a request ------------------------------------------------------------------------------------------

    def open(self, type_: RequestType, first: Change, known: AssociationId | None) -> Mapping[str, Any] | None:
        """Begin the request in one write, and take the lease with it if nothing else has to be done before.

        Args:
            type_: of the request.
            first: what else is written at once if the lease is free.
            known: the id that the host has for the resource.

        Returns:
            The answer that was recorded for the request; None: it is to be served.

        Raises:
            Superseded: the host has moved on.
        """
        request = self.request
        told: dict[str, HoldState] = {}
        while True:
            self._read()
            admission = self.resource.admission(type_, request.request_id, request.signed)
            if admission is Admission.REPEAT:
                return self.resource.answer_to(request.request_id)
            if admission is Admission.REFUSE:
                raise _superseded()
            try:
                if known is not None and not self.resource.knows(known.text):
                    self.beside(known.identity, self.deadline).seed(known)
                    continue
                opened = self.resource.opened(type_, request.request_id, request.signed, request.physical_id)
                resource, association = self._asked(opened, told), self.association
                works = self.key and (type_ is RequestType.GRANT or self.key in resource.holds)
                if works and association.is_free(self._holder, self.now) and not self._to_settle(resource):
                    resource, association = first(resource, self._leased(association))
                self._write(resource, association)
            except ChangedError:
                continue
            return None

    def recorded(self) -> Mapping[str, Any] | None:
        """The answer that was given to this request; None: none was."""
        self._read()
        return self.resource.answer_to(self.request.request_id)

    def seed(self, known: AssociationId) -> None:
        """Believe the host: an id in its stack whose record is missing is itself a claim, as old as can be."""
        hold, claim = Hold(known.text, HoldState.SEEN), Claim(ClaimState.HELD)

        def seed() -> None:
            if not self.resource.knows(known.text):
                basis = self.association.basis or (Basis.FOUND if known.adopted else Basis.GRANTED)
                self._write(self.resource.holding(self.key, hold), self.association.claimed(self.owner, claim, basis))

        self._read()
        self._until_written(seed)

    def forget(self) -> None:
        """Remove the resource's record and its claim: the host's state has it no more."""

        def forget() -> None:
            kept = self.association.without(self.owner).content
            resource, association = self._stored[resource_key(self.request.owner)], self._stored[self.key]
            self._ledger.write(replace(resource, content={}), replace(association, content=kept))

        self._read()
        self._until_written(forget)

    def _to_settle(self, resource: Resource) -> dict[str, Hold]:
        """What the requests before this one left, but for what this one wants itself."""
        return {key: hold for key, hold in resource.in_state(HoldState.DROP).items() if key != self.key}

    def to_settle(self) -> list[Hold]:
        """What is to be dropped before the work begins."""
        return list(self._to_settle(self.resource).values())

    def _asked(self, resource: Resource, told: dict[str, HoldState]) -> Resource:
        """Ask the host for each id of which nobody knows whether it was taken; ``told``: what it said already."""
        for key, hold in resource.in_state(HoldState.ASK).items():
            if key not in told:
                told[key] = self._ask(hold, resource)
            resource = resource.turned(key, told[key])
        return resource

    def _ask(self, hold: Hold, resource: Resource) -> HoldState:
        try:
            return HoldState.SEEN if self.request.host.took(hold.id, hold.signed) else HoldState.DROP
        except AssociationError as error:
            # The cleanup of a replacement asks for the newest id: the next request shows that it was taken.
            newest = resource.main is not None and resource.main.request == hold.request
            if not (newest and isinstance(error, Throttling)):
                cause = f"it cannot be told whether {hold.id} was taken: {error.cause}"
                self.request.host.note("may-remain", {"id": hold.id, "cause": cause}, warning=True)
            return HoldState.ASK

    def standing(self, owner: str) -> Standing:
        """Ask whether another owner's claim still stands. One that cannot be asked stands."""
        try:
            return Standing(self.request.host.stands(Owner.parse(owner), self.association.claims[owner], self.identity))
        except AssociationError as error:
            return Standing(True, f"; whether it still does cannot be asked ({error.cause})")

    # -- the lease ----------------------------------------------------------------------------------------------------

    def lease(self) -> Mapping[str, Any] | None:
        """Wait until nobody else works on the association, and take the lease.

        Returns:
            The answer that another delivery of the request has recorded meanwhile; None: it has not.

        Raises:
            Superseded: the host has moved on meanwhile.
            NotStabilized: another delivery worked on it until the deadline.
        """
        for delay in delays(longest=2.0):
            if self.association.holder == self._holder:
                return None
            self._read()
            self._must_be_current()
            answer = self.resource.answer_to(self.request.request_id)
            if answer is not None:
                return answer
            if self.association.is_free(self._holder, self.now):
                with suppress(ChangedError):
                    self._write(self.resource, self._leased(self.association))
            else:
                self.pause(delay, "free", "at work for another request")
        raise AssertionError("delays are endless")

    def keep_lease(self) -> None:
        """Renew the lease if the longest call would not fit into it.

        Raises:
            LeaseLost: another delivery works on the association.
            Superseded: the host has moved on.
        """
        if self.association.holder and self.association.until - self.now < LONGEST_CALL:
            self._read()
            self.change(unchanged)

    def _leased(self, association: Association) -> Association:
        return association.leased(self._holder, self.now + LEASE_SECONDS)

    def _must_be_current(self) -> None:
        if not self.resource.may_write(self.request.request_id):
            raise _superseded()

    def _must_hold(self) -> None:
        if self.association.holder != self._holder:
            raise LeaseLost("another delivery works on it")

    # -- changes ------------------------------------------------------------------------------------------------------

    def change(self, change: Change) -> None:
        """Apply a pure function to both records.

        Raises:
            LeaseLost: another delivery has taken the lease, so what was decided under it counts no more.
            Superseded: the host has moved on.
        """

        def write_change() -> None:
            self._must_be_current()
            self._must_hold()
            self._write(*change(self.resource, self._leased(self.association)))

        self._until_written(write_change)

    def answer(self, answer: Mapping[str, Any]) -> None:
        """Record the answer of a request that has no association at work. Raises Superseded."""

        def write_answer() -> None:
            self._must_be_current()
            self._write(self.resource.answered(self.request.request_id, answer), self.association)

        self._until_written(write_answer)

    def close(self, answer: Mapping[str, Any], change: Change) -> None:
        """Record the answer and free the lease, in one write with the change."""

        def closed(resource: Resource, association: Association) -> tuple[Resource, Association]:
            resource, association = change(resource, association)
            return resource.answered(self.request.request_id, answer), self._freed(association)

        self.change(closed)

    def finish(self, change: Change) -> None:
        """Free the lease, in one write with the change."""

        def finished(resource: Resource, association: Association) -> tuple[Resource, Association]:
            resource, association = change(resource, association)
            return resource, self._freed(association)

        if self.association.holder == self._holder:
            self.change(finished)

    def let_go(self) -> None:
        """Free the lease although the host has moved on. What cannot be written expires by itself."""
        with suppress(ChangedError, LedgerUnavailable):
            if self.association.holder == self._holder:
                self._write(self.resource, self._freed(self.association))

    def _freed(self, association: Association) -> Association:
        """Nobody works on it; a write that may still arrive keeps the lease until then."""
        if self._in_flight_until > self.now:
            return association.leased(self._holder, self._in_flight_until)
        return association.released()

    def _until_written(self, write: Callable[[], None]) -> None:
        """Repeat a write on what is stored now, until nobody wrote in between."""
        while True:
            try:
                write()
            except ChangedError:
                self._read()
            else:
                return

    def _read(self) -> None:
        names = (resource_key(self.request.owner), *([self.key] if self.key else []))
        self._keep(self._ledger.read(*names))

    def _write(self, resource: Resource, association: Association) -> None:
        """Write what differs from the stored records. Raises ChangedError."""
        changed = []
        if resource != self.resource:
            expires = None if resource.holds else int(self.now) + TOMBSTONE_SECONDS
            changed.append(
                replace(self._stored[resource_key(self.request.owner)], content=resource.content, expires=expires)
            )
        if association != self.association:
            changed.append(replace(self._stored[self.key], content=association.content))
        if changed:
            self._keep(self._ledger.write(*changed))

    def _keep(self, records: Iterable[Record]) -> None:
        for record in records:
            self._stored[record.key] = record
            if record.key == self.key:
                self.association = Association.of(record.content)
            else:
                self.resource = Resource.of(record.content)

    # -- the service --------------------------------------------------------------------------------------------------

    def send(self, operation: str, parameters: Mapping[str, object]) -> Mapping[str, Any]:
        """Associate or disassociate. Raises AssociationError."""
        lost = True
        try:
            answer = write(self._services, self.identity, operation, parameters, self.deadline)
            lost = self._services.may_still_arrive
        except AssociationError as error:
            lost = error.lost
            raise
        finally:
            if lost:
                self._in_flight_until = self.now + LONGEST_CALL
        return answer

    def wait_out(self) -> None:
        """Wait until a write that was not answered can arrive no more: before that no look is believed."""
        while (left := self._in_flight_until - self.now) > 0:
            self.keep_lease()
            self.pause(min(left, _SLICE), "settled", "unknown, after a request without an answer")

    def looks(self, until: str, pace: Pace | None = None) -> Iterator[Sighting]:
        """Look again and again, with a pause between two looks. Raises NotStabilized at the deadline."""
        seen = Sighting(State.ABSENT)
        for delay in pace.delays(self.deadline) if pace else delays_after_first():
            if delay:
                self.pause(delay, until, seen.told)
            seen = look(self._services, self.identity, self.deadline)
            yield seen

    def look_until(self, states: Collection[State], until: str) -> Sighting:
        """Look until it is in one of these states, or for as long as a list of the service may lag."""
        start = self.deadline.moment
        for seen in self.looks(until):
            if seen.state in states or self.deadline.elapsed_since(start) >= self.identity.kind.settle_seconds:
                return seen
        raise AssertionError("looks are endless")

    def look_after(self, error: AssociationError, states: Collection[State]) -> Sighting:
        """The same after a write that failed, which it names if it cannot be seen."""
        try:
            self.wait_out()
            return self.look_until(states, "settled")
        except INTERRUPTED:
            raise
        except AssociationError as blind:
            if blind.cause == error.cause:
                raise error from blind
            error.cause += f"; it could not be seen afterwards either ({blind.code}: {blind.cause})"
            raise error from blind

    def expect_late(self, seconds: float) -> None:
        """What the service accepted may show that late: nobody else is to look before."""
        self._in_flight_until = max(self._in_flight_until, self.now + seconds)

    def pause(self, seconds: float, until: str, status: str) -> None:
        """Let time pass, and say what is waited for. Raises NotStabilized at the deadline."""
        self.request.tell_waiting(self.identity, until, status)
        self.deadline.sleep(seconds)
        if self.deadline.remaining <= 0:
            raise NotStabilized(f"it was not {until} in time; the last status seen was {status}")


def _superseded() -> Superseded:
    return Superseded("the deployment no longer waits for this request")


# -- changes that granting and revoking share -------------------------------------------------------------------------


def unchanged(resource: Resource, association: Association) -> tuple[Resource, Association]:
    """Both records as they are."""
    return resource, association


def restore(work: Work) -> Change:
    """The change back to what the records say now of this owner's claim and of the basis."""
    hold, claim, before = work.hold, work.claim, work.association

    def restored(resource: Resource, association: Association) -> tuple[Resource, Association]:
        claims = {key: each for key, each in association.claims.items() if key != work.owner}
        claims |= {work.owner: claim} if claim else {}
        resource = resource.holding(work.key, hold) if hold else resource.never_held(work.key)
        return resource, replace(association, claims=claims, basis=before.basis, asked=before.asked)

    return restored


def disclaim(work: Work) -> Change:
    """What is there is not ours: neither this owner's claim nor the basis stands."""

    def disclaimed(resource: Resource, association: Association) -> tuple[Resource, Association]:
        association = replace(association.without(work.owner), basis=None, asked=None)
        return resource.without(work.key), association

    return disclaimed


def release(work: Work, *stale: str) -> Change:
    """The owner's claim goes, and stale claims with it. What others share keeps its basis."""

    def released(resource: Resource, association: Association) -> tuple[Resource, Association]:
        return resource.without(work.key), association.without(work.owner, *stale)

    return released


def replay_tells(work: Work) -> bool:
    """Whether the service remembers the token of an associate, and rejects a duplicate under another one."""
    kind, asked = work.identity.kind, work.association.asked
    if kind.duplicates is not Duplicates.CONFLICT or kind.token is None or asked is None:
        return False
    if parse(kind, asked.id).identity != work.identity:
        return False  # whoever may write the table must not choose what this sends
    return work.now - asked.at < kind.token.window.total_seconds() - _TOKEN_MARGIN


def replay(work: Work) -> None:
    """Send the associate of unknown outcome again: accepted, it was ours; a conflict, it was not."""
    kind, asked = work.identity.kind, work.association.asked
    assert kind.token is not None
    assert asked is not None
    # As it was spelled then: a service rejects a token that comes back with other parameters.
    parameters = parse(kind, asked.id).identity.parameters()
    work.send(kind.associate, {**parameters, kind.token.member: asked.token})
