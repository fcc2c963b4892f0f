"""Create, read, update and delete of one association, the same for every kind and every host.

The rules are those of docs/ownership.md: when a present association is ours, and what may then be done. Missing is
normal: a read of it finds nothing, a delete of it succeeds. ``creation.py`` and ``removal.py`` do the two writes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from aws_associations.creation import SETTLING_SECONDS, Creation, Desired, Granted, How, OnExisting
from aws_associations.errors import (
    AlreadyExists,
    AssociationError,
    InternalFailure,
    InvalidRequest,
    ServiceUnavailable,
    Superseded,
)
from aws_associations.host import Host, Remainder, Request
from aws_associations.identity import AssociationId, Identity, is_marker, parse_or_none
from aws_associations.kind import Asked, Kind, State
from aws_associations.look import Sighting, look, look_lately, look_patiently, patiently
from aws_associations.removal import Removal, Revocation
from aws_associations.service import Services
from aws_associations.waiting import Deadline

__all__ = ["Desired", "Granted", "How", "Lifecycle", "OnExisting", "Removal"]

_CREATE_SHARE = 0.75
"""The part of the time in which an association must be granted where a failure is undone; the rest is for undoing."""

_SHOWN = 200
"""Characters of a value that a line shows of what nobody has checked."""


class Lifecycle:
    """The four operations over AWS. Holds no state of a request; safe to share between threads."""

    def __init__(self, services: Services) -> None:
        self._services = services

    # -- identity -------------------------------------------------------------------------------------------------

    def identify(
        self,
        kind: Kind,
        account: str,
        region: str,
        values: Mapping[str, str],
        deadline: Deadline,
        *,
        before: tuple[Identity, Mapping[str, str]] | None = None,
        host: Host | None = None,
    ) -> Identity:
        """The identity that is meant by a kind's parts as a user declares them: part name → value.

        A part that is left out gets its default, for which the service may be asked; a global service's region is that
        of its endpoint.

        Args:
            kind: what is associated.
            account: 12 digits.
            region: where it is declared.
            values: the parts that are given.
            deadline: after it nothing is asked any more.
            before: for an update: the identity so far, and the values that were given then. A default that meant
                something then still means it, so that nothing is asked. If the service does not tell, the reverse of an
                update that failed keeps the identity that is still there, with a note: it must not fail as well.
            host: takes that note.

        Raises:
            AssociationError: a value can never be sent or named, or the default cannot be told.
        """
        region = self._services.region_of(kind, region)
        given = {**{part.name: part.default for part in kind.parts if isinstance(part.default, str)}, **values}
        asked = {part.name: part.default for part in kind.parts if isinstance(part.default, Asked)}
        missing = {name: default for name, default in asked.items() if name not in given}
        # Named as far as it is known, for the message of a question that fails.
        identity = Identity.of(kind, account, region, {**dict.fromkeys(missing, "default"), **given})
        told = {}
        with _doing("reading the defaults of", identity):
            for name, default in missing.items():
                kept = before is not None and name not in before[1] and _same_scope(identity, before[0], but=name)
                if before is not None and kept:
                    told[name] = before[0][name]
                    continue
                try:
                    told[name] = self._ask(identity, default, deadline)
                except AssociationError as error:
                    if before is None or not _stayed(before, given, name):
                        raise
                    told[name] = before[0][name]
                    if host is not None:
                        fields = {"association": str(before[0]), "part": name, "cause": error.cause}
                        host.note("default-not-told", fields, warning=True)
        return Identity.of(kind, account, region, {**given, **told}) if told else identity

    def _ask(self, identity: Identity, default: Asked, deadline: Deadline) -> str:
        import jmespath

        parameters = identity.filled(default.request, default.constants)

        def ask() -> dict[str, Any]:
            return self._services.call(identity.kind, identity, default.operation, parameters, deadline)

        try:
            # Patiently: an earlier delivery of the same request may have been answered, and granted it.
            answer = patiently(ask, deadline)
        except AssociationError as error:
            error.outcome_unknown = False  # nothing was written
            raise
        value = jmespath.search(default.answer, answer)
        if not isinstance(value, str) or not value:
            raise InternalFailure(f"{default.operation} did not answer {default.answer}")
        return value

    # -- create ---------------------------------------------------------------------------------------------------

    def create(self, desired: Desired, request: Request, *, patient: bool = False) -> Granted:
        """Grant, or take what is ours already, and return when the service says that it is so.

        ``patient``: a first look that fails is repeated for a while.

        Raises:
            AssociationError: ``outcome_unknown`` tells whether something may remain. AlreadyExists: present, and
                nothing shows that it is ours.
        """
        creation = Creation(self._services, desired, request, patient=patient)
        try:
            return self._create(creation, desired, request)
        except AssociationError as error:
            self._take_back_if_over(creation, desired.identity, request, error)
            raise

    @staticmethod
    def _create(creation: Creation, desired: Desired, request: Request) -> Granted:
        with _doing("creating", desired.identity), _outcome(request):
            try:
                return creation.run()
            except Superseded:
                raise
            except AssociationError as error:
                if not error.outcome_unknown and not isinstance(error, (AlreadyExists, InvalidRequest)):
                    error.outcome_unknown = creation.granted_meanwhile()
                raise

    def forget_nothing(self, kind: Kind, values: Mapping[str, str], request: Request, error: AssociationError) -> None:
        """A create fails before it is known what is meant: another delivery of it may have granted it all the same.

        Args:
            kind: what was to be associated.
            values: the parts that are given.
            request: gets ``may_exist``, so that the host answers with it.
            error: of the failure.
        """
        host, deadline = request.host, request.deadline
        if not request.late:
            if isinstance(error, InvalidRequest) or host.announced_of(kind) is None:
                return
            deadline.sleep(min(SETTLING_SECONDS, deadline.remaining / 3))
        told = host.announced_of(kind)
        if told is None:
            self.note_unnamed(values, request, f"an earlier delivery may have granted it: {error.cause}")
        elif told:
            request.may_exist, error.outcome_unknown = told[0], True

    @staticmethod
    def note_unnamed(values: Mapping[str, str], request: Request, cause: str) -> None:
        """Say that something may remain, of which only the parts are known that were given."""
        declared = {name: value[:_SHOWN] for name, value in values.items()}
        request.host.note("may-remain", {"cause": cause, "declared": declared}, warning=True)

    def create_or_undo(self, desired: Desired, request: Request, *, patient: bool = False) -> Granted:
        """Create, and revoke again what a failure leaves unknown: for a host that cannot keep what has failed.

        A quarter of the time is kept for that. ``patient``: a first look that fails is repeated for a while.

        Raises:
            AssociationError: ``outcome_unknown`` means that undoing was not possible, and something may remain.
        """
        whole = request.deadline
        request.deadline = whole.part(_CREATE_SHARE)
        creation = Creation(self._services, desired, request, patient=patient)
        try:
            try:
                return self._create(creation, desired, request)
            finally:
                request.deadline = whole
        except Superseded as error:
            self._take_back_if_over(creation, desired.identity, request, error)
            raise
        except AssociationError as error:
            # What another delivery announced it may be about to answer with success. One that is over undoes its own.
            if error.outcome_unknown and not request.host.announced(desired.identity):
                self._undo(desired.identity, request, error)
            raise

    # -- read -----------------------------------------------------------------------------------------------------

    def read(self, identity: Identity, request: Request, *, lately: bool = False) -> Sighting | None:
        """What the service says of it; None if it is absent or being removed.

        ``lately``: that it is there may have been said up to ten seconds ago.

        Raises:
            AssociationError: it could not be seen, which is never absence.
        """
        with _doing("reading", identity):
            request.check_account(identity)
            sighting = (look_lately if lately else look)(self._services, identity, request.deadline)
        return None if sighting.state in {State.ABSENT, State.REMOVING, State.ELSEWHERE} else sighting

    # -- update ---------------------------------------------------------------------------------------------------

    def update(
        self,
        current: str,
        desired: Desired,
        request: Request,
        *,
        heal: bool,
        options_before: Mapping[str, object] | None = None,
        left: Identity | None = None,
    ) -> Granted:
        """Bring the association with the id text ``current`` to what is desired.

        The same identity is kept under its own id text, whatever else changed; with ``heal`` it is granted again if it
        is gone. Options that it would have to be made anew for are left as they are, with a warning: a failure would
        fail the reverse that a rollback sends, too. Another identity is created; the host deletes the old one
        afterwards, never this.

        Args:
            current: the id text that the resource has.
            desired: what is declared now.
            request: of the host.
            heal: look, and grant again what is gone.
            options_before: those that were declared until now.
            left: what an update that failed, whose reverse this may be, was to grant.

        Raises:
            AssociationError: ``outcome_unknown`` means that the *new* identity may remain; otherwise nothing of it
                does, because an unknown outcome is undone before this raises.
        """
        if left is not None:
            self._clear_left(left, request)
        known = parse_or_none(desired.identity.kind, current)
        if known is not None and known.identity == desired.identity:
            self._warn_of_options(desired, options_before, request)
            with _doing("updating", desired.identity), _outcome(request):
                return self._keep(known, desired, request, heal=heal)
        return self.create_or_undo(desired, request, patient=True)

    @staticmethod
    def _warn_of_options(desired: Desired, before: Mapping[str, object] | None, request: Request) -> None:
        lasting = [option for option in desired.identity.kind.options if option.lasting]
        changed = [
            option.property_name
            for option in lasting
            if before is not None and before.get(option.wire) != desired.options.get(option.wire)
        ]
        if changed:
            request.host.note(
                "options-not-applied",
                {"association": str(desired.identity), "options": ", ".join(changed)},
                warning=True,
            )

    def _clear_left(self, left: Identity, request: Request) -> None:
        """End what the update before this one granted that was given up, or say that it is there.

        Not in a rollback only: one that has begun may not be shown yet, and there is none where it is disabled.
        """
        host = request.host
        try:
            holders = host.holders(left)
            if holders is not None and not holders.current:
                request.deadline.sleep(min(SETTLING_SECONDS, request.deadline.remaining / 3))
                holders = host.holders(left)
            if holders is None or holders.now or holders.at_start or holders.since:
                return
            told = self._left_behind(left.kind, request)
            if told is None or left not in {remainder.identity for remainder in told}:
                told = (Remainder(left, sure=False),)
            self._end_left_behind([remainder for remainder in told if remainder.identity == left], request)
        except AssociationError as error:
            # The reverse of an update must not fail for what it cleans up.
            self._note_remainder(left, request, error.cause)

    def _keep(self, known: AssociationId, desired: Desired, request: Request, *, heal: bool) -> Granted:
        identity = desired.identity
        request.check_account(identity)
        try:
            sighting = (look_patiently if heal else look)(self._services, identity, request.deadline)
        except AssociationError as error:
            # An update must not fail for want of a look that nobody asked for, nor for a service that has ended:
            # CloudFormation would send its reverse, which would fail the same way and block the stack.
            if heal and not self.has_ended(error, identity.kind):
                raise
            request.host.note("not-seen", {"association": str(identity), "cause": str(error)}, warning=True)
            return Granted(known, How.KEPT, "")
        if heal and sighting.state in {State.FAILED, State.REMOVAL_FAILED}:
            Revocation(self._services, known, request).clear(sighting.state)
            sighting = look(self._services, identity, request.deadline)
        if heal and sighting.state is not State.PRESENT:
            granted = self._heal(Creation(self._services, desired, request, ours=True), sighting, known, request)
            return Granted(known, How.KEPT, granted.status, granted.status_code)
        if sighting.state is not State.PRESENT:
            request.host.note(
                "declared-but-not-granted", {"association": str(identity), "state": sighting.state.value}, warning=True
            )
        return Granted(known, How.KEPT, sighting.status)

    def _heal(self, creation: Creation, sighting: Sighting, known: AssociationId, request: Request) -> Granted:
        try:
            granted = creation.run(sighting)
        except AssociationError as error:
            self._take_back_if_over(creation, known.identity, request, error)
            raise
        if known.adopted and request.may_exist is not None and not request.host.adoption_settled(known.identity):
            # Under its id it will be released if the deployment fails, as what was there before.
            self._note_remainder(known.identity, request, "it was adopted in a deployment that has not completed")
        return granted

    def has_ended(self, error: AssociationError, kind: Kind) -> bool:
        """Whether the error is that of a service that has ended for good."""
        over = kind.retirement is not None and self._services.utc_now().date() >= kind.retirement.ended
        return over and error.gone

    def _take_back_if_over(
        self, creation: Creation, identity: Identity, request: Request, error: AssociationError
    ) -> None:
        """After a failure: if nobody waits for the request, no Delete of its answer will come."""
        unknown = error.outcome_unknown and request.slow and request.host.live() is False
        if unknown or isinstance(error, Superseded):
            self._take_back(creation, identity, request, error)

    def _take_back(self, creation: Creation, identity: Identity, request: Request, error: AssociationError) -> None:
        """Revoke what was granted for a request that nobody waits for any more, if it is surely that grant."""
        try:
            absent = look(self._services, identity, request.deadline).state is State.ABSENT
            sure = not absent and creation.surely_granted()
        except AssociationError:
            absent = sure = False
        host = request.host
        if (
            not sure
            and not error.outcome_unknown
            and (absent or not (host.granted_here(identity) or host.announced(identity, ever=True)))
        ):
            return  # nothing was granted for this request
        if sure and request.host.claimed_since(identity) is False:
            revocation = Revocation(self._services, AssociationId(identity), request)
            self._undo_with(revocation.take_back, identity, request, error)
            return
        creation.tell_what_was_accepted()
        self._note_remainder(identity, request)

    @staticmethod
    def _note_remainder(
        identity: Identity,
        request: Request,
        cause: str = "the deployment has moved on, and it cannot be told whose it is now",
    ) -> None:
        request.host.note("may-remain", {"association": str(identity), "cause": cause}, warning=True)

    def _undo(self, identity: Identity, request: Request, error: AssociationError) -> None:
        """Revoke what a failed create or update may have granted; on success nothing of it remains."""
        self._undo_with(Revocation(self._services, AssociationId(identity), request).run, identity, request, error)

    @staticmethod
    def _undo_with(
        revoke: Callable[[], Removal], identity: Identity, request: Request, error: AssociationError
    ) -> None:
        try:
            removal = revoke()
        except AssociationError as failed:
            remains = failed.cause
        else:
            # Granted again: or our own removal was a replay without effect, of an earlier delivery's undoing.
            remains = removal.value if removal in {Removal.NOT_LIVE, Removal.GRANTED_AGAIN} else ""
        if remains:
            request.host.note("may-remain", {"association": str(identity), "cause": remains}, warning=True)
            return
        request.host.note("undone", {"association": str(identity), "id": AssociationId(identity).text})
        request.may_exist, request.undone = None, True
        error.outcome_unknown = False

    # -- delete ---------------------------------------------------------------------------------------------------

    def delete(self, kind: Kind, text: str, request: Request) -> Removal:
        """Revoke what the id text names, unless it is not ours to revoke. Absent is success.

        Raises:
            AssociationError: it may still be granted.
        """
        if is_marker(text):
            return Removal.NEVER_CREATED
        known = parse_or_none(kind, text)
        if known is None:
            # An id that CloudFormation invented for a create that it gave up. Refusing here would only make the stack
            # undeletable.
            request.host.note("not-our-id", {"id": text[:200]}, warning=True)
            if request.host.live() is False:
                return Removal.NEVER_CREATED
            return self._end_left_behind(self._left_behind(kind, request) or (), request)
        with _doing("deleting", known.identity):
            request.check_account(known.identity)
            try:
                return Revocation(self._services, known, request).run()
            except ServiceUnavailable as error:
                if not self.has_ended(error, kind):
                    raise
                # A stack must stay deletable after the service's end.
                request.host.note(
                    "service-ended", {"association": str(known.identity), "cause": error.cause}, warning=True
                )
                return Removal.SERVICE_ENDED

    def _left_behind(self, kind: Kind, request: Request) -> tuple[Remainder, ...] | None:
        """Ask after some seconds: whoever was given up may be about to end, and what it said may not be shown yet."""
        if request.host.left_behind(kind) is None:
            return None
        request.deadline.sleep(min(SETTLING_SECONDS, request.deadline.remaining / 3))
        return request.host.left_behind(kind)

    def _end_left_behind(self, remainders: Iterable[Remainder], request: Request) -> Removal:
        """Revoke what requests granted that were given up before their answers arrived.

        One that is still at work undoes itself; one that had ended cannot.
        """
        host, removal = request.host, Removal.NEVER_CREATED
        for remainder in remainders:
            identity = remainder.identity
            try:
                request.check_account(identity)
                if look(self._services, identity, request.deadline).state is State.ABSENT:
                    continue
                if remainder.sure and host.live() is not False:
                    removal = Revocation(self._services, AssociationId(identity), request).take_back()
                    continue
            except AssociationError as error:
                # Not a reason to fail: nothing that is declared depends on it, and the stack must be deletable.
                host.note("not-revoked", {"association": str(identity), "cause": error.cause}, warning=True)
            self._note_remainder(identity, request)
        return removal


def _stayed(before: tuple[Identity, Mapping[str, str]], given: Mapping[str, str], name: str) -> bool:
    """Whether an update that gave the part failed and this is its reverse: the identity is that from before it."""
    identity, values = before
    part = next(part for part in identity.kind.parts if part.name == name)
    changed = name in values and part.compared_as(values[name]) != part.compared_as(identity[name])
    return changed and identity.may_be(given)


def _same_scope(one: Identity, other: Identity, *, but: str) -> bool:
    """Whether two identities of a kind are in the same place, one part left aside."""
    scope = [part for part in one.kind.scope if part.name != but]
    same = all(part.compared_as(one[part.name]) == part.compared_as(other[part.name]) for part in scope)
    return same and (one.account, one.region) == (other.account, other.region)


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
