"""Granting one association, or finding out that it is ours already. The rules are those of docs/ownership.md."""

from __future__ import annotations

import enum
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from aws_associations.client_token import client_token
from aws_associations.errors import (
    AlreadyExists,
    AssociationError,
    DeadlinePassed,
    NotStabilized,
    ResourceConflict,
    ServiceUnavailable,
    Superseded,
    Throttling,
)
from aws_associations.host import Holders, Request
from aws_associations.identity import AssociationId, Identity
from aws_associations.kind import Duplicates, Scope, State
from aws_associations.look import ABSENT, Sighting, look, look_patiently, not_in_time, write
from aws_associations.service import Services
from aws_associations.waiting import delays

SETTLING_SECONDS = 6.0
"""After how long a present association is looked at again before it counts as somebody else's."""

_PATIENCE = 0.5
"""The part of an update's time in which an associate that fails for a while is repeated."""


class OnExisting(enum.Enum):
    """What to do about an association that is present and not ours."""

    FAIL = "Fail"
    ADOPT = "Adopt"


class How(enum.Enum):
    """How a declared association came to be granted."""

    CREATED = "created"
    TAKEN_OVER = "taken over from another resource of this stack"
    ADOPTED = "adopted"
    KEPT = "kept"


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


class Creation:
    """One create, step by step. The same object through all of them, so that it knows what it has sent."""

    def __init__(
        self, services: Services, desired: Desired, request: Request, *, ours: bool = False, patient: bool = False
    ) -> None:
        """Args: ours: declared by us already, so a present one needs no other evidence; patient: see look_patiently."""
        self._services = services
        self._desired = desired
        self._identity = desired.identity
        self._kind = desired.identity.kind
        self._request = request
        self._ours = ours
        self._patient = patient
        self._patience = request.deadline.part(_PATIENCE if patient else 0.0)
        self._delays = delays()
        self._foreign = False
        self._success: Mapping[str, object] | None = None
        self._unknown = False
        self._waited = False

    def surely_granted(self) -> bool:
        """After it turned out that nobody waits: whether what is there was surely granted for this request.

        Where a token tells, an announcement alone is not enough. There the token is replayed, though nobody waits for
        it: if it is accepted, what is there goes at once.
        """
        if self._success is not None:
            return True
        # Not what this process remembers: a Delete that another one served may have ended that.
        if not self._request.host.announced(self._identity):
            return False
        try:
            return not self._replay_tells() or self._replayed(waited_for=False)
        except AssociationError:
            return False

    def run(self, sighting: Sighting | None = None) -> Granted:
        """Create; ``sighting`` is a look that was just made."""
        self._request.check_account(self._identity)
        if sighting is None:
            # Even where a token tells afterwards whose it is: of a write whose outcome stays unknown the real id is
            # answered, and the Delete of that must not revoke what was there before.
            try:
                sighting = self._look()
            except AssociationError as error:
                if not self._request.late:
                    raise
                return self._unseen(error)
        stale = self._request.slow
        if sighting.state is State.REMOVING:
            sighting = self._wait("removed", lambda seen: seen.state is not State.REMOVING)
            stale = True
        if sighting.state is not State.ABSENT:
            return self._claim(sighting)
        return self._associate(stale=stale)

    def _unseen(self, error: AssociationError) -> Granted:
        """A late delivery cannot look, and an earlier one may have granted it: that must not be forgotten."""
        if self._sent_before():
            self._must_be_live()
            if self._replay_tells():
                return self._associate(stale=False)
            error.outcome_unknown = True
        raise error

    def granted_meanwhile(self) -> bool:
        """After a failure of which nothing remains: whether another delivery of the request granted it all the same.

        Two of them may run at once, and the failure of one is the answer to both. What one of them shows may lag.
        """
        host, deadline = self._request.host, self._request.deadline
        if host.announced(self._identity) is None:
            return False
        deadline.sleep(min(SETTLING_SECONDS, deadline.remaining / 3))
        return self._sent_before()

    def _sent_before(self) -> bool:
        """Whether this delivery, or another one of the request, sent an associate that may have taken effect."""
        sent: bool | None = self._success is not None or self._unknown
        sent = sent or self._request.host.announced(self._identity)
        if sent:
            self._request.may_exist = self._identity
        elif sent is None and self._request.repeated:
            cause = "an earlier delivery of the request may have granted it, and that cannot be told"
            fields = {"association": str(self._identity), "cause": cause}
            self._request.host.note("may-remain", fields, warning=True)
        return bool(sent)

    # -- present: is it ours? -------------------------------------------------------------------------------------

    def _claim(self, sighting: Sighting, *, rejected: bool = False) -> Granted:
        """The association is there. The first evidence that it is ours decides; without any it is not."""
        if sighting.state is not State.ELSEWHERE:
            # What rejected us may have been a stranger between our look and our write; an announcement of another
            # delivery that was rejected likewise is not taken back yet.
            granted = self._evidence(sighting, announced=not rejected)
            if granted is not None:
                return granted
        # Two deliveries of one request may run at once, and what one of them shows may lag: wait, and ask it all again.
        sighting = self._later(sighting)
        self._must_be_live()
        self._refuse_to_move(sighting)
        if sighting.state is State.ABSENT:
            return self._associate(stale=True)
        granted = self._evidence(sighting, announced=True)
        if granted is not None:
            return granted
        if self._desired.on_existing is OnExisting.ADOPT:
            if not self._replay_tells():
                self._sent_before()  # a rollback lets go of what is adopted
            return self._granted(How.ADOPTED, self._present(sighting), adopted=True)
        there = "granted" if sighting.state is State.PRESENT else f"there ({sighting.status or sighting.state.value})"
        raise AlreadyExists(f"it is {there} already, and nothing shows that this resource granted it")

    def _refuse_to_move(self, sighting: Sighting) -> None:
        if sighting.state is State.ELSEWHERE:
            raise ResourceConflict(
                f"it can be in one only, and is in {sighting.details!r}",
                advice="Remove it there first; this resource never moves what others hold.",
            )

    def _evidence(self, sighting: Sighting, *, announced: bool) -> Granted | None:
        """What shows that a present association is ours, in the order of docs/ownership.md; None if nothing does."""
        identity, host = self._identity, self._request.host
        if self._ours or host.granted_here(identity):
            return self._granted(How.CREATED, self._present(sighting))
        # A replay comes first, because it is the service's own word. It is a write.
        if self._replay_tells() and self._replayed():
            return self._granted(How.CREATED, self._present(sighting))
        if announced and not self._replay_tells() and host.announced(identity):
            return self._granted(How.CREATED, self._present(sighting))
        try:
            holders = host.holders(identity) or Holders()
        except AssociationError:
            holders = Holders()
        held = holders.now
        if not held and holders.current:
            held = holders.at_start or holders.since
        if holders.rolling_back and holders.current:
            # It goes back to what it had, whoever has come to hold that since.
            held = tuple(each for each in holders.at_start if each.own) or held
        if held:
            holder = sorted(held, key=lambda each: each.own)[0]
            if holder.own:
                # Under the id that it had: for CloudFormation another spelling would be a replacement.
                return self._granted(How.KEPT, self._present(sighting), adopted=holder.adopted, known=holder.id)
            if holder.adopted and not self._replay_tells():
                self._sent_before()  # a rollback lets go of it
            host.note("taken-over", {"association": str(identity), "from": holder.name}, warning=True)
            return self._granted(How.TAKEN_OVER, self._present(sighting), adopted=holder.adopted)
        return None

    def _later(self, sighting: Sighting) -> Sighting:
        """Look again after it had time to settle, and as long as it is still being added or removed."""
        deadline = self._request.deadline
        self._pause(min(SETTLING_SECONDS, deadline.remaining / 3), sighting, "settled")
        moving = {State.ADDING, State.REMOVING}
        return self._wait("settled", lambda seen: seen.state not in moving, sighting)

    def _replay_tells(self) -> bool:
        return self._kind.duplicates is Duplicates.CONFLICT and self._kind.token is not None

    def _replayed(self, *, waited_for: bool = True) -> bool:
        """Send the request token again: a service that rejects duplicates accepts it only from whoever used it.

        An association that was there before anything was sent is not ours for want of an answer to that.
        """
        assert self._kind.token is not None
        token = self._kind.token.associate[-1]
        if self._request.late:
            self._sent_before()  # a host that is cut short now answers what an earlier delivery may have granted
        for attempt in (1, 2):
            if waited_for:
                self._must_be_live()
            try:
                self._send_associate(token, replay=True)
            except (ResourceConflict, AlreadyExists) as error:
                if not error.outcome_unknown:
                    self._foreign = True
                    self._take_back_announcement(error)
                    return False
            except AssociationError as error:
                if self._foreign:
                    # The service has told already that our token was not accepted: no later silence makes it ours.
                    self._take_back_announcement(error)
                    return False
                if not error.outcome_unknown or attempt == 2:
                    # A refusal of this attempt says nothing of the one that asked for it.
                    error.outcome_unknown = self._sent_before()
                    raise
            else:
                self._request.may_exist = self._identity
                return True
        raise NotStabilized("the service did not tell whose it is", outcome_unknown=self._sent_before())

    # -- absent: grant it -----------------------------------------------------------------------------------------

    def _associate(self, *, stale: bool) -> Granted:
        """Send the tokens in turn until the settled look shows the association.

        ``stale``: time has passed since the last look, or since the request was made.
        """
        scopes: list[Scope | None] = list(self._kind.token.associate) if self._kind.token else [None]
        self._foreign = False  # it is absent now, so what is there later may be ours
        while True:
            scope = scopes.pop(0)
            if stale:
                self._must_be_live()
                # Asking took time: somebody may have granted it since.
                now = self._look_again(ABSENT) if self._success is not None or self._unknown else self._look()
                if now.state is not State.ABSENT:
                    return self._after_unknown(now) if self._success is not None or self._unknown else self._claim(now)
            stale = True
            try:
                self._success = self._send_associate(scope)
            except AssociationError as error:
                granted = self._rejected(error, scope, scopes)
                if granted is not None:
                    return granted
                continue
            seen = self._wait_for_presence(last=not scopes)
            if seen is not None:
                return self._granted(How.CREATED, seen)
            # Success, and the settled look says absent: the token was replayed without effect. Use the next one.

    def _rejected(self, error: AssociationError, scope: Scope | None, scopes: list[Scope | None]) -> Granted | None:
        """Decide after an associate that was not a success: granted, try again (None), or raise."""
        unknown = error.outcome_unknown or self._success is not None or self._unknown
        conflict = isinstance(error, (ResourceConflict, AlreadyExists))
        if not unknown and not conflict:
            # Definite, and nothing of ours was sent before: a host that is cut short now has nothing to clean up.
            self._take_back_announcement(error)
            if self._again(error, scope, scopes):
                return None
            raise error
        if not unknown:
            self._take_back_announcement(error)
            self._foreign = self._replay_tells() and scope is Scope.REQUEST
        self._unknown = unknown
        try:
            seen = self._settled(lambda sighting: sighting.state is not State.ABSENT)
        except AssociationError as blind:
            error.outcome_unknown = unknown
            error.cause += f"; it could not be seen afterwards either ({blind.code}: {blind.cause})"
            raise error from blind
        if seen.state is State.REMOVING:
            seen = self._wait("removed", lambda sighting: sighting.state is not State.REMOVING)
            if seen.state is State.ABSENT:
                scopes.insert(0, scope)  # the removal was the conflict
                return None
        if seen.state is State.ABSENT:
            if conflict and scopes:
                return None  # the token's own past was the conflict
            if conflict and self._success is not None:
                # Accepted under one token and rejected under the next: the list lags behind a grant of our own.
                late = self._wait_for_presence(last=True)
                assert late is not None
                return self._granted(How.CREATED, late)
            if self._again(error, scope, scopes):
                return None
            error.outcome_unknown = unknown
            raise error
        return self._after_unknown(seen) if unknown else self._claim(seen, rejected=True)

    def _after_unknown(self, seen: Sighting) -> Granted:
        """It is there after a write of ours whose outcome nobody can say: ours, unless a token says otherwise."""
        if self._success is None and self._replay_tells() and not self._replayed():
            return self._claim(seen, rejected=True)
        return self._granted(How.CREATED, self._present(seen))

    def _send_associate(self, scope: Scope | None, *, replay: bool = False) -> Mapping[str, object]:
        identity, kind, request = self._identity, self._kind, self._request
        parameters = {**identity.parameters(), **self._desired.options}
        intent = _intent(identity, request)
        if scope is not None:
            assert kind.token is not None
            token = client_token(scope, request.owner, request.request_id, kind.associate, identity, parameters)
            parameters[kind.token.member] = token
            intent["token"] = token
        # A replay announces nothing: what is there was there before it.
        request.host.note("replaying" if replay else "associating", intent)
        if not replay:
            request.may_exist = identity
        return write(self._services, identity, kind.associate, parameters, request.deadline)

    def _again(self, error: AssociationError, scope: Scope | None, scopes: list[Scope | None]) -> bool:
        """Whether to send the same token again, after a pause, because the error passes by itself.

        For an update: its failure would be followed by the reverse, and a reverse that fails blocks a whole stack.
        """
        passing = isinstance(error, (Throttling, ServiceUnavailable)) and not error.gone
        if not passing or self._patience.remaining <= 0:
            return False
        self._pause(next(self._delays), ABSENT, "granted")
        scopes.insert(0, scope)
        return True

    def _take_back_announcement(self, error: AssociationError) -> None:
        """The service said that it did nothing: what was announced is no evidence of a grant, here or elsewhere."""
        self._request.host.note("refused", {**_intent(self._identity, self._request), "cause": error.cause})
        self._request.may_exist = None

    def _wait_for_presence(self, *, last: bool) -> Sighting | None:
        """After a success: None if the settled look says absent and another token is left to try."""
        request, absent_since = self._request, None
        pace, accepted = self._services.pace(self._kind, self._kind.associate), request.deadline.moment
        early: float | None = None
        seen = Sighting(State.ABSENT)
        for delay in pace.delays(request.deadline):
            if delay:
                self._pause(delay, seen, "granted")
            looked = request.deadline.elapsed_since(accepted)
            seen = self._look_again(seen)
            if seen.state is State.PRESENT:
                pace.learn(early, looked)
                return seen
            early = looked
            if seen.state in {State.FAILED, State.REMOVAL_FAILED}:
                raise NotStabilized(f"the service gave up: {seen.status} {seen.details}".rstrip(), outcome_unknown=True)
            if seen.state is not State.ABSENT:
                absent_since = None
            elif absent_since is None:
                absent_since = request.deadline.moment
            elif not last and request.deadline.elapsed_since(absent_since) >= self._kind.settle_seconds:
                return None
        raise AssertionError("delays are endless")

    def _present(self, sighting: Sighting) -> Sighting:
        """Wait until what is there, and not ours to grant again, is there for good."""
        if sighting.state is State.PRESENT:
            return sighting
        seen = self._wait("granted", lambda now: now.state is not State.ADDING, sighting)
        if seen.state is State.PRESENT:
            return seen
        failed = seen.state in {State.FAILED, State.REMOVAL_FAILED}
        raise NotStabilized(
            f"it is {seen.status or seen.state.value} {seen.details}".rstrip(),
            advice="Deploy with another Revision to have it made anew, or delete it first." if failed else None,
            outcome_unknown=self._request.may_exist is not None,
        )

    # -- looking and waiting --------------------------------------------------------------------------------------

    def _look(self) -> Sighting:
        how = look_patiently if self._patient else look
        return how(self._services, self._identity, self._request.deadline)

    def _look_again(self, last: Sighting) -> Sighting:
        """Look after a success of our own: a look that fails then leaves the outcome unknown."""
        try:
            return self._look()
        except AssociationError as error:
            if isinstance(error.__cause__, DeadlinePassed):
                raise not_in_time("granted", last, outcome_unknown=True) from error
            error.outcome_unknown = True
            raise

    def _settled(self, decided: Callable[[Sighting], bool]) -> Sighting:
        """Look until the look is decided, or has said the other thing for as long as the kind needs to settle."""
        start = self._request.deadline.moment
        for delay in delays():
            seen = self._look()
            if decided(seen) or self._request.deadline.elapsed_since(start) >= self._kind.settle_seconds:
                return seen
            self._pause(delay, seen, "settled")
        raise AssertionError("delays are endless")

    def _wait(self, what: str, reached: Callable[[Sighting], bool], first: Sighting = ABSENT) -> Sighting:
        seen = first
        for delay in delays():
            try:
                seen = self._look()
            except AssociationError as error:
                error.outcome_unknown = self._request.may_exist is not None
                raise
            if reached(seen):
                return seen
            self._pause(delay, seen, what)
        raise AssertionError("delays are endless")

    def _pause(self, delay: float, seen: Sighting, what: str) -> None:
        deadline = self._request.deadline
        self._waited = True
        self._request.tell_waiting(self._identity, what, seen.status or seen.state.value)
        deadline.sleep(delay)
        if deadline.remaining <= 0:
            raise not_in_time(what, seen, outcome_unknown=self._request.may_exist is not None)

    def _must_be_live(self) -> None:
        if self._request.host.live() is False:
            raise Superseded(
                "the deployment no longer waits for this request", outcome_unknown=self._request.may_exist is not None
            )

    def _granted(
        self, how: How, seen: Sighting, *, adopted: bool = False, known: AssociationId | None = None
    ) -> Granted:
        # What takes long may have been cancelled meanwhile. An ordinary create asks nothing.
        if self._waited or self._request.late or (self._success is not None and self._request.slow):
            self._must_be_live()
        code = self._success.get("statusCode") if self._success else None
        if code is None and self._success:
            metadata = self._success.get("ResponseMetadata")
            code = metadata.get("HTTPStatusCode") if isinstance(metadata, dict) else None
        granted = Granted(
            known or AssociationId(self._identity, adopted), how, seen.status, code if isinstance(code, int) else None
        )
        self._tell_granted(how, granted.id)
        return granted

    def tell_what_was_accepted(self) -> None:
        """Say that it was granted although the request is over, so that the Delete that follows can revoke it."""
        if self._success is not None:
            self._tell_granted(How.CREATED, AssociationId(self._identity))

    def _tell_granted(self, how: How, known: AssociationId) -> None:
        fields = {"association": str(self._identity), "how": how.value, "id": known.text}
        self._request.host.note("granted", fields)


def _intent(identity: Identity, request: Request) -> dict[str, str]:
    """What a line about a write names: for who reads the log, and for another delivery of the same request."""
    return {"association": str(identity), "id": AssociationId(identity).text, "request": request.request_id}
