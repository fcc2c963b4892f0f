"""Granting one association for one owner, under its lease. docs/ownership.md has the rules as a state table."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from aws_associations.client_token import client_token
from aws_associations.errors import (
    AlreadyExists,
    AssociationError,
    GaveUp,
    ResourceConflict,
)
from aws_associations.identity import AssociationId, Identity, parse
from aws_associations.kind import State
from aws_associations.look import Sighting, look_patiently
from aws_associations.patience import Patience
from aws_associations.records import Asked, Association, Basis, Claim, ClaimState, Hold, HoldState, Owner, Resource
from aws_associations.service import Services
from aws_associations.waiting import delays
from aws_associations.work import Change, Work, disclaim, replay, replay_tells, restore, unchanged

_MOVING = frozenset({State.ADDING, State.REMOVING})
_FAILED = frozenset({State.FAILED, State.REMOVAL_FAILED})
_THERE = frozenset(State) - {State.ABSENT}

_TO_SHARE = (
    "To share it, declare {adopt}: the last resource that declares it revokes it. Otherwise remove one of the two"
    " resources."
)


class OnExisting(enum.Enum):
    """What to do about an association that is present and not ours, or that another stack declares."""

    FAIL = "Fail"
    ADOPT = "Adopt"


class How(enum.Enum):
    """How a declared association came to be granted."""

    CREATED = "created"
    SHARED = "shared with another resource"
    ADOPTED = "adopted"
    KEPT = "kept"
    RENEWED = "applied again"


class Sent(enum.Enum):
    """What is known of the associates that were sent and not definitely rejected."""

    NOTHING = "none was sent"
    UNKNOWN = "one may have taken effect"
    ACCEPTED = "one was accepted"


@dataclass(frozen=True, slots=True)
class Granted:
    """A declared association that is granted.

    Attributes:
        id: its identity and whether it was adopted.
        how: how it came to be.
        status: the service's status, empty if it has none or the association was not seen.
        status_code: HTTP status of the associate call, None if none was made.
    """

    id: AssociationId
    how: How
    status: str
    status_code: int | None = None


@dataclass(frozen=True, slots=True)
class Desired:
    """What a host declares.

    Attributes:
        identity: what is associated.
        on_existing: what to do if it is there already and not ours.
        options: request member → value, for the associate request; see properties.typed_options.
    """

    identity: Identity
    on_existing: OnExisting = OnExisting.FAIL
    options: Mapping[str, object] = field(default_factory=dict)


class Grant:
    """One create, step by step, until :meth:`run` returns what the record is to say.

    Attributes:
        change: what the records are to say when the request is closed.
        undo: what they said before an associate that was definitely rejected.
    """

    def __init__(self, services: Services, work: Work, desired: Desired, patience: Patience) -> None:
        """Args: patience: of the request with failures that pass by themselves."""
        self._services, self._work, self._desired, self._patience = services, work, desired, patience
        self._kind = desired.identity.kind
        self._tokens = list(self._kind.token.associate) if self._kind.token else [None]
        self._sent = Sent.NOTHING
        self.change: Change = unchanged
        self.undo: Change = unchanged
        claim = work.claim
        if claim is not None and (claim.state, claim.request) == (ClaimState.PENDING, work.request.request_id):
            # An earlier try of the same request sent one.
            self._sent, self.undo = Sent.UNKNOWN, disclaim(work)
        self._code: int | None = None
        self._delays = delays(1.0)
        self._stale: tuple[str, ...] = ()

    def run(self, seen: Sighting | None = None) -> Granted:
        """Claim what is there or grant what is not, until the service says that it is so.

        Args:
            seen: a look under the lease; None: there was none so far.

        Raises:
            AssociationError: ``outcome_unknown`` tells whether something may remain.
        """
        try:
            seen = seen or look_patiently(self._services, self._desired.identity, self._patience, self._work.deadline)
            while True:
                seen = self._at_rest(seen)
                self._must_be_free_of_others(seen)
                granted = self._associate() if seen.state is State.ABSENT else self._claim(seen)
                if granted is not None:
                    return granted
                seen = next(self._work.looks("granted"))
        except AssociationError as error:
            error.outcome_unknown = self._sent is not Sent.NOTHING
            raise

    def renew(self, seen: Sighting) -> Granted:
        """Associate what is there once more, which applies what has become of its parties; a conflict: nothing has.

        Args:
            seen: a look under the lease that found it present, held by this owner.
        """
        work, how = self._work, How.RENEWED
        while how is How.RENEWED:
            try:
                work.send(self._kind.associate, self._parameters())
                seen = self._shown() or seen
                break
            except ResourceConflict as error:
                if error.passing is None and not error.outcome_unknown:
                    how = How.KEPT
                else:
                    self._be_patient(error)
            except AssociationError as error:
                self._be_patient(error)
        return self._granted(how, seen, work.association.basis or Basis.GRANTED)

    def _at_rest(self, seen: Sighting) -> Sighting:
        """Wait until it is neither being added nor being removed, and until an accepted removal had time to show."""
        work, association = self._work, self._work.association
        if seen.state in _MOVING:
            seen = next(seen for seen in work.looks("settled") if seen.state not in _MOVING)
        if seen.state is State.PRESENT and association.is_dropped:
            seen = work.look_until({State.ABSENT}, "removed")
            if seen.state is State.PRESENT:
                work.change(disclaim(work))  # somebody granted it since
        return seen

    # -- others -------------------------------------------------------------------------------------------------------

    def _must_be_free_of_others(self, seen: Sighting) -> None:
        """Raise AlreadyExists if another stack declares it and nobody asked to share. Resources of one stack share."""
        mine = self._work.request.owner
        others = self._work.association.others(self._work.owner)
        if seen.state is State.ELSEWHERE:
            raise ResourceConflict(
                f"it can be in one only, and is in {seen.details!r}",
                advice="Remove it there first, then {again}; this resource never moves what others hold.",
            )
        held = self._work.claim is not None and self._work.claim.state is ClaimState.HELD
        if held or self._desired.on_existing is OnExisting.ADOPT:
            return
        foreign = [key for key in others if (Owner.parse(key).host, Owner.parse(key).stack) != (mine.host, mine.stack)]
        for key in foreign:
            standing = self._work.standing(key)
            if standing.stands:
                raise AlreadyExists(f"{Owner.parse(key)} declares it already{standing.untold}", advice=_TO_SHARE)
        self._stale = tuple(foreign)

    # -- present ------------------------------------------------------------------------------------------------------

    def _claim(self, seen: Sighting) -> Granted:
        """It is there: ours by the record, adopted, or somebody else's."""
        work = self._work
        basis = self._basis()
        if basis is None and self._desired.on_existing is OnExisting.FAIL:
            there = "granted" if seen.state is State.PRESENT else f"there ({seen.status or seen.state.value})"
            raise AlreadyExists(f"it is {there} already, and no resource of ours granted it")
        if seen.state in _FAILED:
            raise GaveUp(
                f"it is {seen.status} {seen.details}".rstrip(), advice="Remove it at the service, then {again}."
            )
        if basis is None:
            return self._granted(How.ADOPTED, seen, Basis.FOUND)
        if work.claim is not None and work.claim.state is ClaimState.HELD:
            return self._granted(How.KEPT, seen, basis)
        shared = set(work.association.others(work.owner)) - set(self._stale)
        return self._granted(How.SHARED if shared else How.CREATED, seen, basis)

    def _basis(self) -> Basis | None:
        """How it came to be. An associate of unknown outcome is ours, unless a replay of its token is rejected."""
        work = self._work
        while work.association.basis is Basis.ASKED and replay_tells(work):
            try:
                replay(work)
            except (AlreadyExists, ResourceConflict) as error:
                if error.outcome_unknown:
                    raise
                # What an earlier request asked for may still be ours: its own token tells.
                work.change(disclaim(work) if self._sent is Sent.NOTHING else self.undo)
                self._sent = Sent.NOTHING
            else:
                return Basis.GRANTED
        return Basis.GRANTED if work.association.basis is Basis.ASKED else work.association.basis

    # -- absent -------------------------------------------------------------------------------------------------------

    def _associate(self) -> Granted | None:
        """Send the next token; None: look again."""
        work, token = self._work, self._kind.token
        parameters = self._parameters()
        value = ""
        scope = self._tokens[0]
        if token is not None and scope is not None:
            request = work.request
            operation, identity = self._kind.associate, self._desired.identity
            value = client_token(scope, request.owner, request.request_id, operation, identity, parameters)
            parameters[token.member] = value
        if self._sent is Sent.NOTHING:
            self.undo = restore(work)
        work.change(self._asking(value))
        sent, self._sent = self._sent, Sent.UNKNOWN if self._sent is Sent.NOTHING else self._sent
        try:
            answer = work.send(self._kind.associate, parameters)
        except AssociationError as error:
            self._rejected(error, sent)
            return None
        self._sent, self._code = Sent.ACCEPTED, _status_code(answer)
        seen = self._shown()
        if seen is None:
            self._tokens.pop(0)  # it was replayed without effect
            return None
        return self._granted(How.CREATED, seen, Basis.GRANTED)

    def _rejected(self, error: AssociationError, sent: Sent) -> None:
        """Decide after an associate that was not accepted: return to look again, or raise."""
        work = self._work
        conflict = isinstance(error, (ResourceConflict, AlreadyExists))
        if not error.outcome_unknown:
            self._sent = sent
        if self._sent is Sent.NOTHING and not conflict:
            self._be_patient(error)
            return
        if self._sent is Sent.NOTHING:
            work.change(self.undo)  # what is there from now on may be somebody else's
        if work.look_after(error, _THERE).state is not State.ABSENT:
            return
        if conflict and len(self._tokens) > 1:
            self._tokens.pop(0)  # the token's own past was the conflict
        elif conflict and self._sent is Sent.ACCEPTED:
            self._shown()  # the list lags behind a grant of our own
        else:
            self._be_patient(error)

    def _be_patient(self, error: AssociationError) -> None:
        """Pause before the next try if the error passes by itself; otherwise raise it."""
        if error.passing is None or not self._patience.allows(error):
            raise error
        if self._sent is Sent.NOTHING:
            self._work.change(self.undo)
        self._work.pause(next(self._delays), "granted", error.passing.value)

    def _shown(self) -> Sighting | None:
        """Wait until an accepted associate shows; None: it does not, and another token is left to try."""
        deadline, kind = self._work.deadline, self._kind
        pace, accepted = self._services.pace(kind, kind.associate), deadline.moment
        early, absent_since = None, deadline.moment
        for seen in self._work.looks("granted", pace):
            looked = deadline.elapsed_since(accepted)
            if seen.state is State.PRESENT:
                pace.learn(early, looked)
                return seen
            early = looked
            if seen.state in _FAILED:
                raise GaveUp(f"the service gave up: {seen.status} {seen.details}".rstrip())
            if seen.state is not State.ABSENT:
                absent_since = deadline.moment
            elif len(self._tokens) > 1 and deadline.elapsed_since(absent_since) >= kind.settle_seconds:
                return None
        raise AssertionError("looks are endless")

    # -- what the records say -----------------------------------------------------------------------------------------

    def _parameters(self) -> dict[str, object]:
        return {**self._desired.identity.parameters(), **self._desired.options}

    def _asking(self, token: str) -> Change:
        """The claim and its token, written before the associate."""
        work, request, now = self._work, self._work.request, self._work.now
        text = AssociationId(self._desired.identity).text

        def asking(resource: Resource, association: Association) -> tuple[Resource, Association]:
            mine = association.claims.get(work.owner)
            held = mine is not None and mine.state is ClaimState.HELD
            claim = mine if mine is not None and held else Claim(ClaimState.PENDING, request.request_id, now)
            hold = resource.holds.get(work.key)
            if hold is None or not held:
                hold = Hold(text, HoldState.PENDING, request.request_id, request.signed, now)
            return resource.holding(work.key, hold), association.asking(work.owner, claim, Asked(text, token, now))

        return asking

    def _granted(self, how: How, seen: Sighting, basis: Basis) -> Granted:
        work, request, now = self._work, self._work.request, self._work.now
        before, stale = work.hold, self._stale
        known = AssociationId(self._desired.identity, basis is Basis.FOUND)
        if before is not None and before.state in {HoldState.HELD, HoldState.SEEN}:
            known = parse(self._kind, before.id)  # the text of an id never changes, its spelling included

        def held(resource: Resource, association: Association) -> tuple[Resource, Association]:
            hold = Hold(known.text, HoldState.HELD, request.request_id, request.signed, now, seen.status)
            if before is not None and before.state is HoldState.SEEN:
                hold = replace(before, status=seen.status)
            claim = Claim(ClaimState.HELD, request.request_id, now)
            return resource.holding(work.key, hold), association.claimed(work.owner, claim, basis, *stale)

        self.change = held
        return Granted(known, how, seen.status, self._code)


def _status_code(answer: Mapping[str, Any]) -> int | None:
    """HTTP status of an associate: FinSpace says it in a member of its own."""
    code = answer.get("statusCode") or answer.get("ResponseMetadata", {}).get("HTTPStatusCode")
    return code if isinstance(code, int) else None
