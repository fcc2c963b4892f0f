"""Revoking one association, unless it is not ours alone. The rules are those of docs/ownership.md."""

from __future__ import annotations

import enum

from aws_associations.client_token import client_token
from aws_associations.errors import AssociationError, InvalidRequest, NotFound, NotStabilized, ResourceConflict
from aws_associations.host import QUICK_SECONDS, Holder, Request
from aws_associations.identity import AssociationId
from aws_associations.kind import State
from aws_associations.look import Sighting, look, not_in_time, write
from aws_associations.service import Services
from aws_associations.waiting import Pace, delays


class Removal(enum.Enum):
    """How a delete ended."""

    REVOKED = "revoked"
    ABSENT = "was absent already"
    NEVER_CREATED = "was never created"
    RELEASED = "released, still granted"
    NOT_LIVE = "nothing done, the request is over"
    GRANTED_AGAIN = "revoked, and granted again by others since"
    SERVICE_ENDED = "the service has ended, and every grant with it"


class Revocation:
    """One disassociate, with everything that may stand in its way."""

    def __init__(self, services: Services, known: AssociationId, request: Request) -> None:
        self._services = services
        self._known = known
        self._identity = known.identity
        self._request = request
        self._failed_before: State | None = None
        self._asked = request.deadline.moment
        self._sure = False

    def run(self) -> Removal:
        """Revoke, unless nobody waits for it any more or it is not ours alone."""
        kept = self._to_keep()
        return kept or self._revoke_and_note()

    def take_back(self) -> Removal:
        """Revoke what this very request granted and nobody else has taken since, although nobody waits for it."""
        self._sure = True
        return self._revoke_and_note()

    def _revoke_and_note(self) -> Removal:
        removal = self._revoke()
        if removal is not Removal.NOT_LIVE:
            # With the id: what was announced of it before has ended.
            fields = {"association": str(self._identity), "id": self._known.text, "how": removal.value}
            self._request.host.note("revoked", fields)
        return removal

    def _to_keep(self) -> Removal | None:
        """Why nothing may be revoked; None if it may."""
        self._asked = self._request.deadline.moment
        if self._sure:
            return None
        host = self._request.host
        if host.live() is False:
            host.note("not-live", {"association": str(self._identity)}, warning=True)
            return Removal.NOT_LIVE
        return Removal.RELEASED if self._to_release() else None

    def _to_release(self) -> bool:
        """Whether another resource of this stack, or the one it was adopted from, goes on holding it."""
        host, identity = self._request.host, self._identity
        holders = host.holders(identity)
        if holders is not None:
            held = holders.at_start if holders.rolling_back else holders.now
            stays = any(holder.own and self._under_another_id(holder) for holder in holders.now)
            others = [holder for holder in held if not holder.own or holder.stays or stays]
            if (holders.rolling_back or holders.deleting) and not self._known.adopted:
                # Whoever adopted it in the operation that is taken back lets go of it: it shields no grant of our own.
                others = [holder for holder in others if not holder.unsettled]
            if others:
                host.note("released", {"association": str(identity), "held-by": others[0].name})
                return True
        if self._known.adopted:
            settled = host.adoption_settled(identity)
            if settled is not True:
                cause = "the deployment that adopted it never completed" if settled is False else "cannot be known"
                warned = settled is None or not (holders is not None and (holders.rolling_back or holders.deleting))
                host.note("released", {"association": str(identity), "cause": cause}, warning=warned)
                return True
        return False

    def _under_another_id(self, own: Holder) -> bool:
        """Whether the resource has the pair under an id other than the one that is deleted, and so keeps it."""
        return own.id is not None and own.id.text != self._known.text

    def clear(self, failed: State) -> None:
        """End what failed, so that it can be granted anew. It is ours: nobody is asked. Looks may lag behind that."""
        self._failed_before = failed
        self._sure = True
        self._revoke()

    def _revoke(self) -> Removal:
        deadline = self._request.deadline
        refused_since: float | None = None
        lost: AssociationError | None = None
        if self._identity.kind.look.exclusive:
            # What a removal does to a party that others have moved meanwhile is documented nowhere.
            seen = look(self._services, self._identity, deadline)
            if seen.state is State.ELSEWHERE:
                return Removal.ABSENT
        # A look may be slow, and others faster.
        waited = deadline.elapsed_since(self._asked) > QUICK_SECONDS
        for delay in delays():
            kept = self._to_keep() if waited else None
            if kept is not None and lost is not None:
                raise lost  # nothing more is sent, and nobody can say what was
            if kept is not None:
                return kept
            waited = True
            try:
                self._send_disassociate()
            except NotFound as error:
                return Removal.REVOKED if error.outcome_unknown else Removal.ABSENT
            except InvalidRequest as error:
                # Some services call it invalid to end what is not there.
                if self._seen_after(error).state not in {State.ABSENT, State.ELSEWHERE}:
                    error.outcome_unknown = error.outcome_unknown or lost is not None
                    raise
                return Removal.REVOKED if error.outcome_unknown or lost is not None else Removal.ABSENT
            except ResourceConflict as error:
                seen = self._seen_after(error)
                if seen.state in {State.ABSENT, State.ELSEWHERE}:
                    return Removal.ABSENT
                if seen.state is State.REMOVING:
                    return self._wait_for_absence(succeeded=False)
                # Being added, or the service is busy with a party, or the list lags behind a removal: the same token,
                # as nothing was accepted under it.
                if seen.state is State.ADDING:
                    refused_since = None
                elif refused_since is None:
                    refused_since = deadline.moment
                elif deadline.elapsed_since(refused_since) >= self._identity.kind.settle_seconds:
                    if seen.state is State.FAILED:
                        # It was never granted, and the service does not let go of it: the stack must be deletable.
                        fields = {"association": str(self._identity), "status": seen.status, "cause": error.cause}
                        self._request.host.note("failed-one-left", fields, warning=True)
                        return Removal.ABSENT
                    error.outcome_unknown = error.outcome_unknown or lost is not None
                    raise
                self._pause(delay, seen)
            except AssociationError as error:
                if not error.outcome_unknown:
                    error.outcome_unknown = lost is not None
                    raise
                seen = self._seen_after(error)
                if seen.state in {State.ABSENT, State.ELSEWHERE}:
                    return Removal.REVOKED
                if seen.state is State.REMOVING:
                    return self._wait_for_absence(succeeded=False)
                if lost is not None:
                    raise
                lost = error
            else:
                return self._wait_for_absence(succeeded=True)
        raise AssertionError("delays are endless")

    def _send_disassociate(self) -> None:
        identity, kind, request = self._identity, self._identity.kind, self._request
        parameters = identity.parameters()
        intent = {"association": str(identity), "id": self._known.text, "request": request.request_id}
        if kind.token is not None:
            token = client_token(
                kind.token.disassociate, request.owner, request.request_id, kind.disassociate, identity, parameters
            )
            parameters[kind.token.member] = token
        request.host.note("disassociating", intent)
        write(self._services, identity, kind.disassociate, parameters, request.deadline)

    def _seen_after(self, error: AssociationError) -> Sighting:
        """Look after a removal that did not succeed: absence counts once it has lasted, as a list may lag."""
        deadline = self._request.deadline
        start = deadline.moment
        for delay in delays():
            try:
                seen = look(self._services, self._identity, deadline)
            except AssociationError as blind:
                error.cause += f"; it could not be seen afterwards either ({blind.code}: {blind.cause})"
                raise error from blind
            absent = seen.state in {State.ABSENT, State.ELSEWHERE}
            if not absent or deadline.elapsed_since(start) >= self._identity.kind.settle_seconds:
                return seen
            self._pause(delay, seen)
        raise AssertionError("delays are endless")

    def _wait_for_absence(self, *, succeeded: bool) -> Removal:
        present_since: float | None = None
        deadline = self._request.deadline
        start = deadline.moment
        kind = self._identity.kind
        # A removal that others began says nothing of how long one takes.
        pace = self._services.pace(kind, kind.disassociate) if succeeded else Pace()
        early: float | None = None
        seen = Sighting(State.REMOVING)
        for delay in pace.delays(deadline):
            if delay:
                self._pause(delay, seen)
            looked = deadline.elapsed_since(start)
            try:
                seen = look(self._services, self._identity, deadline)
            except AssociationError as error:
                error.outcome_unknown = True
                raise
            if seen.state in {State.ABSENT, State.ELSEWHERE}:
                pace.learn(early, looked)
                return Removal.REVOKED
            early = looked
            stale = seen.state is self._failed_before and (
                deadline.elapsed_since(start) < self._identity.kind.settle_seconds
            )
            if seen.state is State.REMOVAL_FAILED and not stale:
                raise NotStabilized(f"the service gave up: {seen.status} {seen.details}".rstrip(), outcome_unknown=True)
            if seen.state not in {State.PRESENT, State.FAILED}:
                present_since = None
            elif present_since is None:
                present_since = deadline.moment
            elif succeeded and deadline.elapsed_since(present_since) >= self._identity.kind.settle_seconds:
                # Our removal took effect, in this delivery or an earlier one, and somebody granted it since.
                self._request.host.note("granted-again-by-others", {"association": str(self._identity)}, warning=True)
                return Removal.GRANTED_AGAIN
        raise AssertionError("delays are endless")

    def _pause(self, delay: float, seen: Sighting) -> None:
        self._request.tell_waiting(self._identity, "removed", seen.status or seen.state.value)
        self._request.deadline.sleep(delay)
        if self._request.deadline.remaining <= 0:
            raise not_in_time("removed", seen, outcome_unknown=True)
