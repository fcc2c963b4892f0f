"""Dropping one owner's claim, under the lease: revoke what is ours alone, let go of the rest.

docs/ownership.md has the rules as a state table.
"""

from __future__ import annotations

import enum

from aws_associations.client_token import client_token
from aws_associations.errors import (
    AlreadyExists,
    AssociationError,
    GaveUp,
    NotFound,
    Passing,
    ResourceConflict,
)
from aws_associations.kind import State
from aws_associations.look import Sighting
from aws_associations.patience import Patience
from aws_associations.records import Association, Basis, ClaimState, HoldState, Owner, Resource
from aws_associations.service import Services
from aws_associations.waiting import delays
from aws_associations.work import Change, Work, release, replay, replay_tells, unchanged

_GONE = frozenset({State.ABSENT, State.ELSEWHERE})
_THERE = frozenset(State) - _GONE


class Removal(enum.Enum):
    """How a delete ended."""

    REVOKED = "revoked"
    ABSENT = "was absent already"
    NEVER_CREATED = "was never created"
    RELEASED = "released, still granted"
    GRANTED_AGAIN = "revoked, and granted again by others since"
    SERVICE_ENDED = "the service has ended, and every grant with it"


def drop_if_plain(work: Work) -> Change:
    """Drop the claim at once if the owner alone holds what a write of ours granted: nobody has to be asked."""

    def dropped(resource: Resource, association: Association) -> tuple[Resource, Association]:
        mine = association.claims.get(work.owner)
        plain = mine is not None and mine.state is ClaimState.HELD and not association.others(work.owner)
        if not plain or association.basis is not Basis.GRANTED:
            return resource, association
        return dropping(work)(resource, association)

    return dropped


def dropping(work: Work, *stale: str) -> Change:
    """The claim is being dropped: written before the disassociate."""

    def dropped(resource: Resource, association: Association) -> tuple[Resource, Association]:
        return resource, association.dropping(work.owner, work.request.request_id, *stale)

    return dropped


def dropped(work: Work) -> Change:
    """The disassociate was accepted."""

    def accepted(resource: Resource, association: Association) -> tuple[Resource, Association]:
        return resource, association.dropped(work.owner)

    return accepted


class Revocation:
    """One claim being dropped.

    Attributes:
        change: what the records are to say afterwards.
        failure: what they are to say if it failed.
    """

    def __init__(self, services: Services, work: Work) -> None:
        self._services, self._work = services, work
        self._kind = work.identity.kind
        self._failed_before: State | None = None
        self._unknown = False
        self._refused_since = 0.0
        self._patience = Patience(self._kind, work.deadline)
        self.change: Change = release(work)
        self.failure: Change = unchanged

    def run(self) -> Removal:
        """Drop the claim. Absent is success.

        Raises:
            AssociationError: it may still be granted, and the claim stays.
        """
        work = self._work
        if work.claim is None:
            return Removal.ABSENT  # it was settled before
        before = work.claim.state
        if before.stands or work.association.others(work.owner):
            kept = self._why_kept()
            if kept is not None:
                return kept
        if not self._is_ours():
            return Removal.ABSENT
        if before is ClaimState.DROPPED and next(work.looks("removed")).state is not State.REMOVAL_FAILED:
            removal = self._see_its_end()
        else:
            removal = self._revoke()
        work.request.host.note("revoked", {"association": work.named, "how": removal.value})
        return removal

    def clear(self, failed: State) -> None:
        """End what the service failed to add, so that it can be granted anew; the claim stays."""
        self._failed_before = failed
        self._revoke()

    # -- what must stay -----------------------------------------------------------------------------------------------

    def _why_kept(self) -> Removal | None:
        """Let go of what others hold or what was there before; None: it is ours alone, and is being dropped now."""
        work = self._work
        association = work.association
        stale: list[str] = []
        mine = work.request.owner.declaration
        # What an earlier create of the same declaration left goes in any case, so it is asked for first.
        for other in sorted(association.others(work.owner), key=lambda key: Owner.parse(key).declaration != mine):
            standing = work.standing(other)
            if standing.stands:
                self.change = release(work, *stale)
                return self._released(
                    f"{Owner.parse(other)} declares it, too{standing.untold}", warning=bool(standing.untold)
                )
            stale.append(other)
        self.change = release(work, *stale)
        if association.basis is None:
            # This process revoked it for another resource: what is there now was granted by others.
            return Removal.ABSENT
        if association.basis is Basis.FOUND:
            kept = self._adoption()
            if kept is not None:
                return kept
        work.change(dropping(work, *stale))
        return None

    def _adoption(self) -> Removal | None:
        """Let go of an adopted association unless the deployment that adopted it has completed."""
        hold = self._work.hold
        if hold is None or hold.state is not HoldState.SEEN:
            return self._released("its adoption was never taken", warning=False)
        try:
            if self._work.request.host.adoption_completed(hold.since):
                return None
        except AssociationError as error:
            return self._released(f"whether its adoption completed cannot be asked ({error.cause})", warning=True)
        return self._released("the deployment that adopted it did not complete", warning=False)

    def _released(self, cause: str, *, warning: bool) -> Removal:
        fields = {"association": self._work.named, "cause": cause}
        self._work.request.host.note("released", fields, warning=warning)
        return Removal.RELEASED

    def _is_ours(self) -> bool:
        """Ask the service whose grant it is, where an associate of unknown outcome can be replayed."""
        work = self._work
        if work.association.basis is not Basis.ASKED or not replay_tells(work):
            return True
        if work.look_until(_THERE, "settled").state in _GONE:
            return False
        try:
            replay(work)
        except (AlreadyExists, ResourceConflict) as error:
            if error.outcome_unknown:
                raise
            return False
        return True

    # -- revoking -----------------------------------------------------------------------------------------------------

    def _revoke(self) -> Removal:
        """Disassociate, and look until it is gone."""
        work = self._work
        if self._kind.look.exclusive and next(work.looks("removed")).state is State.ELSEWHERE:
            return Removal.ABSENT  # what a removal does to a party that others have moved is documented nowhere
        self._refused_since = work.deadline.moment
        for delay in delays():
            try:
                self._send_disassociate()
            except AssociationError as error:
                removal = self._after_rejection(error, delay)
                if removal is not None:
                    return removal
            else:
                self.failure = dropped(work)
                return self._see_its_end()
        raise AssertionError("delays are endless")

    def _see_its_end(self) -> Removal:
        """A disassociate was accepted, by this request or an earlier one: what stays was granted since."""
        try:
            return self._wait_for_absence()
        except AssociationError as error:
            error.outcome_unknown = True  # the removal may show later
            self._work.expect_late(self._kind.settle_seconds)
            raise

    def _after_rejection(self, error: AssociationError, delay: float) -> Removal | None:
        """Absent is success, whatever the service said; None: try again."""
        work, before = self._work, self._unknown
        self._unknown = self._unknown or error.outcome_unknown
        gone = Removal.REVOKED if self._unknown else Removal.ABSENT
        if isinstance(error, NotFound):
            return gone
        seen = work.look_after(error, _THERE)
        if seen.state in _GONE:
            return gone
        if seen.state is State.REMOVING:
            return self._wait_for_removal_of_others()
        if error.passing is Passing.BUSY and seen.state is not State.FAILED and self._patience.allows(error):
            work.pause(delay, "removed", error.passing.value)
            return None
        if isinstance(error, ResourceConflict):
            # Being added, or the service is busy with a party, or the list lags behind a removal.
            if seen.state is State.ADDING:
                self._refused_since = work.deadline.moment
            if work.deadline.elapsed_since(self._refused_since) >= self._kind.settle_seconds:
                return self._leave_if_failed(seen, error)
        elif before or not error.outcome_unknown:
            error.outcome_unknown = self._unknown
            raise error
        work.pause(delay, "removed", seen.told)
        return None

    def _leave_if_failed(self, seen: Sighting, error: AssociationError) -> Removal:
        """What the service failed to add and does not let go of was never granted: the stack must be deletable."""
        if seen.state is not State.FAILED:
            raise error
        fields = {"association": self._work.named, "status": seen.status, "cause": error.cause}
        self._work.request.host.note("failed-one-left", fields, warning=True)
        return Removal.ABSENT

    def _send_disassociate(self) -> None:
        work, kind = self._work, self._kind
        parameters = work.identity.parameters()
        if kind.token is not None:
            claim = work.claim
            request = claim.dropped_by if claim is not None and claim.dropped_by else work.request.request_id
            parameters[kind.token.member] = client_token(
                kind.token.disassociate, work.request.owner, request, kind.disassociate, work.identity, parameters
            )
        work.send(kind.disassociate, parameters)

    def _wait_for_absence(self) -> Removal:
        """Look until an accepted removal shows, and learn how long that takes."""
        work, deadline, kind = self._work, self._work.deadline, self._kind
        pace, start = self._services.pace(kind, kind.disassociate), deadline.moment
        early: float | None = None
        present_since: float | None = None
        for seen in work.looks("removed", pace):
            looked = deadline.elapsed_since(start)
            if seen.state in _GONE:
                pace.learn(early, looked)
                return Removal.REVOKED
            early = looked
            stale = seen.state is self._failed_before and looked < kind.settle_seconds
            if seen.state is State.REMOVAL_FAILED and not stale:
                raise _gave_up(seen)
            if seen.state not in {State.PRESENT, State.FAILED}:
                present_since = None
            elif present_since is None:
                present_since = deadline.moment
            elif deadline.elapsed_since(present_since) >= kind.settle_seconds:
                # Our removal took effect, in this delivery or an earlier one, and somebody granted it since.
                work.request.host.note("granted-again-by-others", {"association": work.named}, warning=True)
                return Removal.GRANTED_AGAIN
        raise AssertionError("looks are endless")

    def _wait_for_removal_of_others(self) -> Removal:
        """Look until a removal that others began has ended."""
        for seen in self._work.looks("removed"):
            if seen.state in _GONE:
                return Removal.REVOKED
            if seen.state is State.REMOVAL_FAILED:
                raise _gave_up(seen)
        raise AssertionError("looks are endless")


def _gave_up(seen: Sighting) -> GaveUp:
    return GaveUp(f"the service gave up: {seen.status} {seen.details}".rstrip(), outcome_unknown=True)
