"""Create, read, update and delete of one association, the same for every kind and every host.

The rules are those of docs/ownership.md: when a present association is ours, and what may then be done. Missing is
normal: a read of it finds nothing, a delete of it succeeds.
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

from aws_associations.client_token import client_token
from aws_associations.errors import (
    AlreadyExists,
    AssociationError,
    DeadlinePassed,
    InvalidRequest,
    NotFound,
    NotStabilized,
    ResourceConflict,
    ServiceUnavailable,
    Superseded,
    Throttling,
)
from aws_associations.host import Request
from aws_associations.identity import AssociationId, Identity, is_marker, parse
from aws_associations.kind import Duplicates, Kind, Scope, State
from aws_associations.look import ABSENT, Sighting, look
from aws_associations.service import Services
from aws_associations.waiting import delays

SETTLE_SECONDS = 6.0
"""How long a list must keep saying the same before it outweighs a success answer. Lists may lag behind writes; no lag
was ever published for FinSpace, so this is a choice: long enough for a list that is a few seconds behind, short enough
not to be felt."""

_CREATE_SHARE = 0.75
"""The part of the time in which an association must be granted where a failure is undone; the rest is for undoing."""


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


class Removal(enum.Enum):
    """How a delete ended."""

    REVOKED = "revoked"
    ABSENT = "was absent already"
    NEVER_CREATED = "was never created"
    RELEASED = "released, still granted"
    NOT_LIVE = "nothing done, the request is over"
    GRANTED_AGAIN = "revoked, and granted again by others since"
    SERVICE_ENDED = "the service has ended, and every grant with it"


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
    """What a host declares."""

    identity: Identity
    on_existing: OnExisting = OnExisting.FAIL


class Lifecycle:
    """The four operations over AWS. Holds no state of a request; safe to share between threads."""

    def __init__(self, services: Services) -> None:
        self._services = services

    # -- create ---------------------------------------------------------------------------------------------------

    def create(self, desired: Desired, request: Request) -> Granted:
        """Grant, or take what is ours already, and return when the service says that it is so.

        Raises:
            AssociationError: ``outcome_unknown`` tells whether something may remain. AlreadyExists: present, and
                nothing shows that it is ours.
        """
        with _doing("creating", desired.identity), _outcome(request):
            return _Creation(self._services, desired, request).run()

    def create_or_undo(self, desired: Desired, request: Request) -> Granted:
        """Create, and revoke again what a failure leaves unknown: for a host that cannot keep what has failed.

        A quarter of the time is kept for that.

        Raises:
            AssociationError: ``outcome_unknown`` means that undoing was not possible, and something may remain.
        """
        whole = request.deadline
        request.deadline = whole.part(_CREATE_SHARE)
        try:
            try:
                return self.create(desired, request)
            finally:
                request.deadline = whole
        except AssociationError as error:
            if error.outcome_unknown:
                self._undo(desired.identity, request, error)
            raise

    # -- read -----------------------------------------------------------------------------------------------------

    def read(self, identity: Identity, request: Request) -> Sighting | None:
        """What the service says of it; None if it is absent or being removed.

        Raises:
            AssociationError: it could not be seen, which is never absence.
        """
        with _doing("reading", identity):
            _check_account(identity, request)
            sighting = look(self._services, identity, request.deadline)
        return None if sighting.state in {State.ABSENT, State.REMOVING, State.ELSEWHERE} else sighting

    # -- update ---------------------------------------------------------------------------------------------------

    def update(self, current: str, desired: Desired, request: Request, *, heal: bool) -> Granted:
        """Bring the association with the id text ``current`` to what is desired.

        The same identity is kept under its own id text, whatever else changed; with ``heal`` it is granted again if it
        is gone. Another identity is created; the host deletes the old one afterwards, never this.

        Raises:
            AssociationError: ``outcome_unknown`` means that the *new* identity may remain; otherwise nothing of it
                does, because an unknown outcome is undone before this raises.
        """
        known = _parsed(desired.identity.kind, current)
        if known is not None and known.identity == desired.identity:
            with _doing("updating", desired.identity), _outcome(request):
                return self._keep(known, desired, request, heal=heal)
        return self.create_or_undo(desired, request)

    def _keep(self, known: AssociationId, desired: Desired, request: Request, *, heal: bool) -> Granted:
        identity = desired.identity
        _check_account(identity, request)
        try:
            sighting = (
                self._look_patiently(identity, request) if heal else look(self._services, identity, request.deadline)
            )
        except AssociationError as error:
            # An update must not fail for want of a look that nobody asked for, nor for a service that has ended:
            # CloudFormation would send its reverse, which would fail the same way and block the stack.
            if heal and not self._ended(error, identity.kind):
                raise
            request.host.note("not-seen", {"association": str(identity), "cause": str(error)}, warning=True)
            return Granted(known, How.KEPT, "")
        if heal and sighting.state is not State.PRESENT:
            granted = _Creation(self._services, desired, request, ours=True).run(sighting)
            return Granted(known, How.KEPT, granted.status, granted.status_code)
        if sighting.state is not State.PRESENT:
            request.host.note(
                "declared-but-not-granted", {"association": str(identity), "state": sighting.state.value}, warning=True
            )
        return Granted(known, How.KEPT, sighting.status)

    def _look_patiently(self, identity: Identity, request: Request) -> Sighting:
        """Look until the service answers, within half of the time: a reverse update that fails blocks a whole stack."""
        patience = request.deadline.part(0.5)
        for delay in delays():
            try:
                return look(self._services, identity, request.deadline)
            except (Throttling, ServiceUnavailable) as error:
                patience.sleep(delay)
                if patience.remaining <= 0 or self._ended(error, identity.kind):
                    raise
        raise AssertionError("delays are endless")

    def _ended(self, error: AssociationError, kind: Kind) -> bool:
        """Whether the error is that of a service that has ended for good."""
        over = kind.retirement is not None and self._services.utc_now().date() >= kind.retirement.ended
        return over and error.gone

    def _undo(self, identity: Identity, request: Request, error: AssociationError) -> None:
        """Revoke what a failed update to another identity may have granted; on success nothing of it remains."""
        try:
            removal = _Removal(self._services, AssociationId(identity), request).run()
        except AssociationError as failed:
            remains = failed.cause
        else:
            # Granted again: or our own removal was a replay without effect, of an earlier delivery's undoing.
            remains = removal.value if removal in {Removal.NOT_LIVE, Removal.GRANTED_AGAIN} else ""
        if remains:
            request.host.note("may-remain", {"association": str(identity), "cause": remains}, warning=True)
            return
        request.host.note("undone", {"association": str(identity)})
        request.may_exist = None
        error.outcome_unknown = False

    # -- delete ---------------------------------------------------------------------------------------------------

    def delete(self, kind: Kind, text: str, request: Request) -> Removal:
        """Revoke what the id text names, unless it is not ours to revoke. Absent is success.

        Raises:
            AssociationError: it may still be granted.
        """
        if is_marker(text):
            return Removal.NEVER_CREATED
        known = _parsed(kind, text)
        if known is None:
            # An id that CloudFormation invented for a create that never answered. What that create did is undone by
            # its own delivery; refusing here would only make the stack undeletable.
            request.host.note("not-our-id", {"id": text[:200]}, warning=True)
            return Removal.NEVER_CREATED
        with _doing("deleting", known.identity):
            _check_account(known.identity, request)
            try:
                return _Removal(self._services, known, request).run()
            except ServiceUnavailable as error:
                if not self._ended(error, kind):
                    raise
                # A stack must stay deletable after the service's end.
                request.host.note(
                    "service-ended", {"association": str(known.identity), "cause": error.cause}, warning=True
                )
                return Removal.SERVICE_ENDED


class _Creation:
    """One create, step by step. The same object through all of them, so that it knows what it has sent."""

    def __init__(self, services: Services, desired: Desired, request: Request, *, ours: bool = False) -> None:
        """Args: ours: the identity is declared by us already, so a present one needs no other evidence."""
        self._services = services
        self._desired = desired
        self._identity = desired.identity
        self._kind = desired.identity.kind
        self._request = request
        self._ours = ours
        self._success: Mapping[str, object] | None = None
        self._unknown = False

    def run(self, sighting: Sighting | None = None) -> Granted:
        """Create; ``sighting`` is a look that was just made."""
        _check_account(self._identity, self._request)
        if sighting is None and self._kind.duplicates is not Duplicates.CONFLICT:
            sighting = self._look()
        # Without a look on a service that rejects duplicates: there the write itself tells.
        if sighting is not None and sighting.state is State.REMOVING:
            sighting = self._wait("removed", lambda seen: seen.state is not State.REMOVING)
            self._must_be_live()  # a wait lies behind us
        if sighting is not None and sighting.state is not State.ABSENT:
            return self._claim(sighting)
        return self._associate()

    # -- present: is it ours? -------------------------------------------------------------------------------------

    def _claim(self, sighting: Sighting, *, rejected: bool = False) -> Granted:
        """The association is there. The first evidence that it is ours decides; without any it is not."""
        if sighting.state is State.ELSEWHERE:
            raise ResourceConflict(
                f"it can be in one only, and is in {sighting.details!r}",
                advice="Remove it there first; this resource never moves what others hold.",
            )
        granted = self._evidence(sighting, rejected=rejected)
        if granted is not None:
            return granted
        # Two deliveries of one request may run at once, and what one of them shows may lag: wait, and ask it all again.
        sighting = self._later(sighting)
        self._must_be_live()
        if sighting.state is State.ABSENT:
            return self._associate()
        granted = self._evidence(sighting, rejected=rejected)
        if granted is not None:
            return granted
        if self._desired.on_existing is OnExisting.ADOPT:
            return self._granted(How.ADOPTED, self._present(sighting), adopted=True)
        raise AlreadyExists(
            "it is granted already, and nothing shows that this resource granted it",
            advice=(
                "To let this resource own it, deploy with OnExisting: Adopt (Pulumi: on_existing='adopt'). To leave it"
                " to its owner, remove this resource. To grant it anew, revoke it first and deploy again."
            ),
        )

    def _evidence(self, sighting: Sighting, *, rejected: bool) -> Granted | None:
        """What shows that a present association is ours, in the order of docs/ownership.md; None if nothing does."""
        identity, host = self._identity, self._request.host
        if self._ours or host.granted_here(identity):
            return self._granted(How.CREATED, self._present(sighting))
        # A replay comes first, because it is the service's own word. It is a write.
        if self._replay_tells() and self._replayed():
            return self._granted(How.CREATED, self._present(sighting))
        if not rejected and host.announced(identity):
            return self._granted(How.CREATED, self._present(sighting))
        holders = host.holders(identity)
        if holders is not None and (holders.now or holders.at_start):
            holder = (holders.now or holders.at_start)[0]
            host.note("taken-over", {"association": str(identity), "from": holder.name}, warning=True)
            return self._granted(How.TAKEN_OVER, self._present(sighting), adopted=holder.adopted)
        return None

    def _later(self, sighting: Sighting) -> Sighting:
        """Look again after SETTLE_SECONDS, and as long as it is still being added or removed."""
        deadline = self._request.deadline
        self._pause(min(SETTLE_SECONDS, deadline.remaining / 3), sighting, "settled")
        moving = {State.ADDING, State.REMOVING}
        return self._wait("settled", lambda seen: seen.state not in moving, sighting)

    def _replay_tells(self) -> bool:
        return self._kind.duplicates is Duplicates.CONFLICT and self._kind.token is not None

    def _replayed(self) -> bool:
        """Send the request token again: a service that rejects duplicates accepts it only from whoever used it."""
        assert self._kind.token is not None
        token = self._kind.token.associate[-1]
        for attempt in (1, 2):
            self._must_be_live()
            try:
                self._send_associate(token)
            except (ResourceConflict, AlreadyExists) as error:
                if not error.outcome_unknown:
                    self._request.may_exist = None
                    return False
            except AssociationError as error:
                if not error.outcome_unknown or attempt == 2:
                    raise
            else:
                return True
        raise NotStabilized("the service did not tell whose it is", outcome_unknown=True)

    # -- absent: grant it -----------------------------------------------------------------------------------------

    def _associate(self) -> Granted:
        """Send the tokens in turn until the settled look shows the association."""
        scopes: list[Scope | None] = list(self._kind.token.associate) if self._kind.token else [None]
        first = True
        while True:
            scope = scopes.pop(0)
            if not first:
                self._must_be_live()  # a wait lies behind us
            first = False
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
            self._request.may_exist = None
            raise error
        if not unknown:
            self._request.host.note("refused", {"association": str(self._identity), "cause": error.cause})
            self._request.may_exist = None
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
            error.outcome_unknown = unknown
            raise error
        if not unknown:
            return self._claim(seen, rejected=True)
        if self._success is None and self._replay_tells() and not self._replayed():
            return self._claim(seen, rejected=True)
        return self._granted(How.CREATED, self._present(seen))

    def _send_associate(self, scope: Scope | None) -> Mapping[str, object]:
        identity, kind, request = self._identity, self._kind, self._request
        parameters = _parameters(identity)
        intent = {"association": str(identity), "request": request.request_id}
        if scope is not None:
            assert kind.token is not None
            token = client_token(scope, request.owner, request.request_id, kind.associate, identity, parameters)
            parameters[kind.token.member] = token
            intent["token"] = token
        request.host.note("associating", intent)
        request.may_exist = identity
        return self._services.call(kind, identity, kind.associate, parameters, request.deadline)

    def _wait_for_presence(self, *, last: bool) -> Sighting | None:
        """After a success: None if the settled look says absent and another token is left to try."""
        request, absent_since = self._request, None
        seen = Sighting(State.ABSENT)
        for delay in delays():
            seen = self._look_again(seen)
            if seen.state is State.PRESENT:
                return seen
            if seen.state is State.FAILED:
                raise NotStabilized(f"the service gave up: {seen.status} {seen.details}".rstrip(), outcome_unknown=True)
            if seen.state is not State.ABSENT:
                absent_since = None
            elif absent_since is None:
                absent_since = request.deadline.moment
            elif not last and request.deadline.elapsed_since(absent_since) >= SETTLE_SECONDS:
                return None
            self._pause(delay, seen, "granted")
        raise AssertionError("delays are endless")

    def _present(self, sighting: Sighting) -> Sighting:
        """Wait until what is there, and not ours to grant again, is there for good."""
        if sighting.state is State.PRESENT:
            return sighting
        seen = self._wait("granted", lambda now: now.state is not State.ADDING, sighting)
        if seen.state is State.PRESENT:
            return seen
        raise NotStabilized(
            f"it is {seen.state.value} {seen.details}".rstrip(), outcome_unknown=self._request.may_exist is not None
        )

    # -- looking and waiting --------------------------------------------------------------------------------------

    def _look(self) -> Sighting:
        return look(self._services, self._identity, self._request.deadline)

    def _look_again(self, last: Sighting) -> Sighting:
        """Look after a success of our own: a look that fails then leaves the outcome unknown."""
        try:
            return self._look()
        except AssociationError as error:
            if isinstance(error.__cause__, DeadlinePassed):
                raise self._too_late("granted", last) from error
            error.outcome_unknown = True
            raise

    def _settled(self, decided: Callable[[Sighting], bool]) -> Sighting:
        """Look until the look is decided, or has said the other thing for SETTLE_SECONDS."""
        start = self._request.deadline.moment
        for delay in delays():
            seen = self._look()
            if decided(seen) or self._request.deadline.elapsed_since(start) >= SETTLE_SECONDS:
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
        deadline.sleep(delay)
        if deadline.remaining <= 0:
            raise self._too_late(what, seen)

    def _too_late(self, what: str, seen: Sighting) -> NotStabilized:
        word = f"{seen.status} ({seen.state.value})" if seen.status else seen.state.value
        return NotStabilized(
            f"it was not {what} in time; the last status seen was {word}",
            outcome_unknown=self._request.may_exist is not None,
        )

    def _must_be_live(self) -> None:
        if self._request.host.live() is False:
            raise Superseded(
                "the deployment no longer waits for this request", outcome_unknown=self._request.may_exist is not None
            )

    def _granted(self, how: How, seen: Sighting, *, adopted: bool = False) -> Granted:
        code = self._success.get("statusCode") if self._success else None
        if code is None and self._success:
            metadata = self._success.get("ResponseMetadata")
            code = metadata.get("HTTPStatusCode") if isinstance(metadata, dict) else None
        granted = Granted(
            AssociationId(self._identity, adopted), how, seen.status, code if isinstance(code, int) else None
        )
        self._request.host.note(
            "granted", {"association": str(self._identity), "how": how.value, "id": granted.id.text}
        )
        return granted


class _Removal:
    """One disassociate, with everything that may stand in its way."""

    def __init__(self, services: Services, known: AssociationId, request: Request) -> None:
        self._services = services
        self._known = known
        self._identity = known.identity
        self._request = request

    def run(self) -> Removal:
        """Revoke, unless nobody waits for it any more or it is not ours alone."""
        host = self._request.host
        if host.live() is False:
            host.note("not-live", {"association": str(self._identity)}, warning=True)
            return Removal.NOT_LIVE
        if self._to_release():
            return Removal.RELEASED
        removal = self._revoke()
        host.note("revoked", {"association": str(self._identity), "how": removal.value})
        return removal

    def _to_release(self) -> bool:
        """Whether another resource of this stack, or the one it was adopted from, goes on holding it."""
        host, identity = self._request.host, self._identity
        holders = host.holders(identity)
        if holders is not None:
            others = holders.at_start if holders.rolling_back else holders.now
            if others:
                host.note("released", {"association": str(identity), "held-by": others[0].name})
                return True
        if self._known.adopted:
            settled = host.adoption_settled(identity)
            if settled is not True:
                cause = "the deployment that adopted it never completed" if settled is False else "cannot be known"
                host.note("released", {"association": str(identity), "cause": cause}, warning=settled is None)
                return True
        return False

    def _revoke(self) -> Removal:
        deadline = self._request.deadline
        refused_since: float | None = None
        lost = False
        for delay in delays():
            try:
                self._send_disassociate()
            except NotFound as error:
                return Removal.REVOKED if error.outcome_unknown else Removal.ABSENT
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
                elif deadline.elapsed_since(refused_since) >= SETTLE_SECONDS:
                    error.outcome_unknown = error.outcome_unknown or lost
                    raise
                self._pause(delay, seen)
            except AssociationError as error:
                if not error.outcome_unknown:
                    error.outcome_unknown = lost
                    raise
                seen = self._seen_after(error)
                if seen.state in {State.ABSENT, State.ELSEWHERE}:
                    return Removal.REVOKED
                if seen.state is State.REMOVING:
                    return self._wait_for_absence(succeeded=False)
                if lost or self._request.host.live() is False:
                    raise
                lost = True
            else:
                return self._wait_for_absence(succeeded=True)
        raise AssertionError("delays are endless")

    def _send_disassociate(self) -> None:
        identity, kind, request = self._identity, self._identity.kind, self._request
        parameters = _parameters(identity)
        intent = {"association": str(identity), "request": request.request_id}
        if kind.token is not None:
            token = client_token(
                kind.token.disassociate, request.owner, request.request_id, kind.disassociate, identity, parameters
            )
            parameters[kind.token.member] = token
        request.host.note("disassociating", intent)
        self._services.call(kind, identity, kind.disassociate, parameters, request.deadline)

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
            if not absent or deadline.elapsed_since(start) >= SETTLE_SECONDS:
                return seen
            self._pause(delay, seen)
        raise AssertionError("delays are endless")

    def _wait_for_absence(self, *, succeeded: bool) -> Removal:
        present_since: float | None = None
        deadline = self._request.deadline
        for delay in delays():
            try:
                seen = look(self._services, self._identity, deadline)
            except AssociationError as error:
                error.outcome_unknown = True
                raise
            if seen.state in {State.ABSENT, State.ELSEWHERE}:
                return Removal.REVOKED
            if seen.state is State.FAILED:
                raise NotStabilized(f"the service gave up: {seen.status} {seen.details}".rstrip(), outcome_unknown=True)
            if seen.state is not State.PRESENT:
                present_since = None
            elif present_since is None:
                present_since = deadline.moment
            elif succeeded and deadline.elapsed_since(present_since) >= SETTLE_SECONDS:
                # Our removal took effect, in this delivery or an earlier one, and somebody granted it since.
                self._request.host.note("granted-again-by-others", {"association": str(self._identity)}, warning=True)
                return Removal.GRANTED_AGAIN
            self._pause(delay, seen)
        raise AssertionError("delays are endless")

    def _pause(self, delay: float, seen: Sighting) -> None:
        self._request.deadline.sleep(delay)
        if self._request.deadline.remaining <= 0:
            word = f"{seen.status} ({seen.state.value})" if seen.status else seen.state.value
            raise NotStabilized(f"it was not removed in time; the last status seen was {word}", outcome_unknown=True)


def _parameters(identity: Identity) -> dict[str, object]:
    return {part.wire: identity[part.name] for part in identity.kind.parts if part.wire is not None}


def _parsed(kind: Kind, text: str) -> AssociationId | None:
    try:
        return parse(kind, text)
    except InvalidRequest:
        return None


def _check_account(identity: Identity, request: Request) -> None:
    """With the credentials of another account everything looks absent, so nothing may be concluded."""
    if identity.account != request.account:
        raise InvalidRequest(
            f"it belongs to account {identity.account}, but the AWS credentials are of account {request.account}",
            advice=f"Use credentials of account {identity.account}.",
        )


@contextmanager
def _doing(verb: str, identity: Identity) -> Iterator[None]:
    """Say in every error what was being done to what."""
    try:
        yield
    except AssociationError as error:
        error.action = f"{verb} {identity.kind.noun} {identity}"
        raise


@contextmanager
def _outcome(request: Request) -> Iterator[None]:
    """Keep ``may_exist`` and ``outcome_unknown`` telling the same."""
    try:
        yield
    except AssociationError as error:
        if not error.outcome_unknown:
            request.may_exist = None
        raise
