"""Create, read, update and delete of one association, the same for every kind and every host.

Every write to a service is written to the ledger first. docs/ownership.md has the rules; ``grant.py`` and ``revoke.py``
do the two writes, ``work.py`` is one delivery at work.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from typing import Any, TypeVar

from aws_associations import errors
from aws_associations.errors import (
    INTERRUPTED,
    AssociationError,
    InternalFailure,
    InvalidRequest,
    LeaseLost,
    Superseded,
)
from aws_associations.grant import Desired, Grant, Granted, How, OnExisting
from aws_associations.host import Host, Request
from aws_associations.identity import AssociationId, Identity, is_marker, parse, parse_or_none
from aws_associations.kind import Asked, Kind, Part, State
from aws_associations.kinds import KINDS
from aws_associations.ledger import Ledger
from aws_associations.look import Sighting, look, look_lately, look_patiently, patiently
from aws_associations.patience import Patience
from aws_associations.records import Association, ClaimState, Hold, RequestType, Resource
from aws_associations.revoke import Removal, Revocation, drop_if_plain
from aws_associations.service import Services
from aws_associations.vocabulary import DELETING
from aws_associations.waiting import Deadline
from aws_associations.work import Change, Work, release, unchanged

__all__ = ["Desired", "Granted", "How", "Lifecycle", "OnExisting", "Removal"]

_T = TypeVar("_T")

_PATIENCE = 0.5
"""The part of an update's time in which an outage is waited out: a failed reverse blocks a whole stack."""

_SETTLING = 0.5
"""The part of the time of a Create or Update in which it drops what the requests before it left."""

_TRIES = 3
"""How often a delivery that lost its lease starts over."""


class Lifecycle:
    """The four operations over AWS and a ledger. Holds no state of a request; safe to share between threads."""

    def __init__(self, services: Services, ledger: Ledger) -> None:
        self._services = services
        self._ledger = ledger

    # -- identity -------------------------------------------------------------------------------------------------

    def identify(
        self,
        kind: Kind,
        account: str,
        region: str,
        values: Mapping[str, str],
        deadline: Deadline,
        host: Host,
        *,
        before: tuple[Identity, Mapping[str, str]] | None = None,
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
            host: tells its words, and takes a note.
            before: for an update: the identity so far, and the values that were given then. A default that meant
                something then still means it, so that nothing is asked. If the service does not tell, the reverse of an
                update that failed keeps the identity that is still there, with a note: it must not fail as well.

        Raises:
            AssociationError: a value can never be sent or named, or the default cannot be told.
        """
        region = self._services.region_of(kind, region)
        given = {**{part.name: part.default for part in kind.parts if isinstance(part.default, str)}, **values}
        missing = [part for part in kind.parts if isinstance(part.default, Asked) and part.name not in given]
        unknown = {part.name: "unknown" for part in missing}
        identity = Identity.of(kind, account, region, {**unknown, **given})
        if not missing:
            return identity
        with _doing("reading the defaults of", identity, host, but=unknown):
            told = {part.name: self._default(identity, part, given, deadline, before, host) for part in missing}
        return Identity.of(kind, account, region, {**given, **told})

    def _default(
        self,
        identity: Identity,
        part: Part,
        given: Mapping[str, str],
        deadline: Deadline,
        before: tuple[Identity, Mapping[str, str]] | None,
        host: Host,
    ) -> str:
        """What a part that is left out means."""
        if before is not None and part.name not in before[1] and _same_scope(identity, before[0], but=part.name):
            return before[0][part.name]
        assert isinstance(part.default, Asked)
        try:
            return self._ask(identity, part.default, deadline)
        except AssociationError as error:
            if before is None or not _stayed(before, given, part.name):
                raise
            words = host.words
            fields = {"association": words.named(before[0]), "part": words.called(part), "cause": error.cause}
            host.note("default-not-told", fields, warning=True)
            return before[0][part.name]

    def _ask(self, identity: Identity, default: Asked, deadline: Deadline) -> str:
        import jmespath

        parameters = identity.filled(default.request, default.constants)

        def ask() -> dict[str, Any]:
            return self._services.call(identity.kind, identity, default.operation, parameters, deadline)

        try:
            # Patiently: an earlier delivery of the same request may have been answered, and granted it.
            answer = patiently(ask, Patience(identity.kind, deadline, _PATIENCE))
        except AssociationError as error:
            error.outcome_unknown = False  # nothing was written
            raise
        value = jmespath.search(default.answer, answer)
        if not isinstance(value, str) or not value:
            raise InternalFailure(f"{default.operation} did not answer {default.answer}")
        return value

    # -- create and update --------------------------------------------------------------------------------------------

    def create(self, desired: Desired, request: Request) -> Granted:
        """Grant, or take what is ours already, and return when the service says that it is so.

        Raises:
            AssociationError: ``outcome_unknown`` tells whether something may remain; the ledger then knows of it, and
                the next request of the resource drops it. AlreadyExists: present, and not ours.
        """
        patience = Patience(desired.identity.kind, request.deadline)
        return self._serve("creating", desired, request, partial(self._grant, desired, patience))

    def update(
        self,
        desired: Desired,
        request: Request,
        *,
        heal: bool,
        options_before: Mapping[str, object] | None = None,
    ) -> Granted:
        """Bring the association with the request's physical id to what is desired.

        The same identity is kept under its own id text, whatever else changed. Options that it would have to be made
        anew for are left as they are, with a warning. Another identity is created; the host deletes the old one.

        Args:
            desired: what is declared now.
            request: of the host.
            heal: look, and grant again what is gone.
            options_before: those that were declared until now.
        """
        known = parse_or_none(desired.identity.kind, request.physical_id)
        patience = Patience(desired.identity.kind, request.deadline, _PATIENCE)
        if known is None or known.identity != desired.identity:
            return self._serve("creating", desired, request, partial(self._grant, desired, patience))
        self._warn_of_options(desired, options_before, request)
        return self._serve("updating", desired, request, partial(self._heal if heal else self._keep, desired, patience))

    @staticmethod
    def _warn_of_options(desired: Desired, before: Mapping[str, object] | None, request: Request) -> None:
        lasting = [option for option in desired.identity.kind.options if option.lasting]
        changed = [
            request.host.words.called(option)
            for option in lasting
            if before is not None and before.get(option.wire) != desired.options.get(option.wire)
        ]
        if changed:
            request.host.note(
                "options-not-applied",
                {"association": request.named(desired.identity), "options": ", ".join(changed)},
                warning=True,
            )

    def recorded(self, kind: Kind, request: Request) -> Granted | None:
        """The answer that was given to a Create or Update; raises the error that was."""
        answer = Work(self._services, self._ledger, request, None).recorded()
        return None if answer is None else _granted_again(answer, kind)

    def _serve(self, verb: str, desired: Desired, request: Request, step: Callable[[Work], Granted]) -> Granted:
        """Open the request, drop what the requests before it left, and do the step under the lease."""
        identity = desired.identity

        def serve() -> Granted:
            request.check_account(identity)
            work = Work(self._services, self._ledger, request, identity)
            answer = work.open(RequestType.GRANT, unchanged, parse_or_none(identity.kind, request.physical_id))
            if answer is not None:
                return _granted_again(answer, identity.kind)
            self._settle_what_can_be(work)
            with _letting_go(work):
                answer = work.lease()
                return step(work) if answer is None else _granted_again(answer, identity.kind)

        with _doing(verb, identity, request.host):
            return _started_over(serve)

    def _grant(self, desired: Desired, patience: Patience, work: Work) -> Granted:
        """Grant, or claim what is ours already."""
        return self._granted(desired, patience, work, Grant.run)

    def _first_look(self, patience: Patience, work: Work) -> Sighting:
        return look_patiently(self._services, work.identity, patience, work.deadline)

    def _granted(self, desired: Desired, patience: Patience, work: Work, step: Callable[[Grant], Granted]) -> Granted:
        grant = Grant(self._services, work, desired, patience)
        try:
            granted = step(grant)
        except INTERRUPTED:
            raise
        except AssociationError as error:
            _record_failure(work, error, grant.undo)
            raise
        work.close(_recorded(granted), grant.change)
        work.request.host.note("granted", {"association": work.named, "how": granted.how.value})
        return granted

    def _keep(self, desired: Desired, patience: Patience, work: Work) -> Granted:
        """Keep the association without a look, if the ledger has the claim in both records."""
        hold, claim = work.hold, work.claim
        if hold is None or claim is None or claim.state is not ClaimState.HELD:
            return self._grant(desired, patience, work)
        return _close_kept(work, hold)

    def _heal(self, desired: Desired, patience: Patience, work: Work) -> Granted:
        """Look, and grant again what is gone or has failed; apply again what is there if the kind does that."""
        hold = work.hold
        try:
            seen = self._first_look(patience, work)
            if seen.state in {State.FAILED, State.REMOVAL_FAILED} and work.claim is not None:
                Revocation(self._services, work).clear(seen.state)
                seen = self._first_look(patience, work)
        except INTERRUPTED:
            raise
        except AssociationError as error:
            if hold is None or not self.has_ended(error, work.identity.kind):
                _record_failure(work, error, unchanged)
                raise
            # A failure would be followed by the reverse, which would fail the same way for ever.
            work.request.host.note("not-seen", {"association": work.named, "cause": error.cause}, warning=True)
            return _close_kept(work, hold)
        renews = work.identity.kind.renews and seen.state is State.PRESENT and hold is not None
        step = Grant.renew if renews else Grant.run
        return self._granted(desired, patience, work, lambda grant: step(grant, seen))

    def has_ended(self, error: AssociationError, kind: Kind) -> bool:
        """Whether the error is that of a service that has ended for good."""
        over = kind.retirement is not None and self._services.utc_now().date() >= kind.retirement.ended
        return over and error.gone

    def _settle_what_can_be(self, work: Work) -> None:
        """Drop what the requests before this one left. What cannot be dropped now keeps its mark."""
        deadline = work.request.deadline.part(_SETTLING)
        for hold in work.to_settle():
            try:
                self._settle(work, hold, deadline)
            except INTERRUPTED:
                raise
            except AssociationError as error:
                work.request.host.note("may-remain", {"id": hold.id, "cause": error.cause}, warning=True)

    def _settle(self, work: Work, hold: Hold, deadline: Deadline) -> None:
        """Drop one claim that an earlier request of the resource left."""
        known = _parse_any(hold.id)
        work.request.check_account(known.identity)
        beside = work.beside(known.identity, deadline)
        with _letting_go(beside):
            beside.lease()
            _, change = self._revoke(beside)
            beside.finish(change)

    def _revoke(self, work: Work) -> tuple[Removal, Change]:
        """Drop the claim under the lease; also returns what the records are to say when the request is closed."""
        revocation = Revocation(self._services, work)
        try:
            return revocation.run(), revocation.change
        except INTERRUPTED:
            raise
        except AssociationError as error:
            if self.has_ended(error, work.identity.kind):
                # A stack must stay deletable after the service's end.
                fields = {"association": work.named, "cause": error.cause}
                work.request.host.note("service-ended", fields, warning=True)
                return Removal.SERVICE_ENDED, release(work)
            _record(work, revocation.failure)
            raise

    # -- what a host's state shows ------------------------------------------------------------------------------------

    def show(self, known: AssociationId, request: Request) -> None:
        """Believe the state of a host that has this id for the resource."""
        Work(self._services, self._ledger, request, known.identity).seed(known)

    def forget(self, known: AssociationId, request: Request) -> None:
        """The host's state has the resource no more, and no delete will come."""
        Work(self._services, self._ledger, request, known.identity).forget()

    # -- read -----------------------------------------------------------------------------------------------------

    def read(self, identity: Identity, request: Request, *, lately: bool = False) -> Sighting | None:
        """What the service says of it; None if it is absent or being removed.

        ``lately``: that it is there may have been said up to ten seconds ago.

        Raises:
            AssociationError: it could not be seen, which is never absence.
        """
        with _doing("reading", identity, request.host):
            request.check_account(identity)
            sighting = (look_lately if lately else look)(self._services, identity, request.deadline)
        return None if sighting.state in {State.ABSENT, State.REMOVING, State.ELSEWHERE} else sighting

    # -- delete -------------------------------------------------------------------------------------------------------

    def delete(self, kind: Kind, request: Request) -> Removal:
        """Drop the claim that the request's physical id names, and what the requests before it left. Absent is success.

        Raises:
            AssociationError: something may still be granted; the next Delete tries again.
        """
        known = parse_or_none(kind, request.physical_id)
        if known is None:
            if not is_marker(request.physical_id):
                # CloudFormation invents an id for a create that it gave up.
                request.host.note("not-our-id", {"id": request.physical_id[:200]})
            return _started_over(lambda: self._delete(None, request))
        with _doing(DELETING, known.identity, request.host):
            request.check_account(known.identity)
            return _started_over(lambda: self._delete(known, request))

    def _delete(self, known: AssociationId | None, request: Request) -> Removal:
        work = Work(self._services, self._ledger, request, known.identity if known else None)
        answer = work.open(RequestType.DROP, drop_if_plain(work), known)
        if answer is not None:
            return Removal(answer["removal"])
        for hold in work.to_settle():
            self._settle(work, hold, request.deadline)
        if work.hold is None:
            removal = Removal.ABSENT if known else Removal.NEVER_CREATED
            work.answer({"removal": removal.value})
            return removal
        with _letting_go(work):
            answer = work.lease()
            if answer is not None:
                return Removal(answer["removal"])
            removal, change = self._revoke(work)
            work.close({"removal": removal.value}, change)
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
def _doing(verb: str, identity: Identity, host: Host, but: Collection[str] = ()) -> Iterator[None]:
    """Say in every error what was being done to what, as the host calls it; ``but``: parts that are not known."""
    try:
        yield
    except AssociationError as error:
        kind = identity.kind
        host.words.tell(error, verb, f"{kind.noun} {host.words.named(identity, but)}", kind)
        raise


@contextmanager
def _letting_go(work: Work) -> Iterator[None]:
    """Free the lease of a request that the host waits for no more: whoever comes next needs it."""
    try:
        yield
    except Superseded:
        work.let_go()
        raise


def _started_over(serve: Callable[[], _T]) -> _T:
    """Serve the request; a delivery that overslept its lease starts over, since what it decided counts no more."""
    for _ in range(_TRIES - 1):
        try:
            return serve()
        except LeaseLost:
            continue
    return serve()


def _parse_any(text: str) -> AssociationId:
    """Read an id text of any kind: a resource whose type changed has claims of two kinds."""
    for kind in KINDS:
        if text.startswith(f"{kind.name}/"):
            return parse(kind, text)
    raise InvalidRequest(f"{text[:200]!r} is of a kind that this version does not serve")


def _close_kept(work: Work, hold: Hold) -> Granted:
    granted = Granted(parse(work.identity.kind, hold.id), How.KEPT, hold.status)
    work.close(_recorded(granted), unchanged)
    return granted


# -- recorded answers -------------------------------------------------------------------------------------------------


def _recorded(granted: Granted) -> dict[str, Any]:
    told = {"id": granted.id.text, "how": granted.how.value, "status": granted.status}
    return told if granted.status_code is None else {**told, "status_code": granted.status_code}


def _granted_again(answer: Mapping[str, Any], kind: Kind) -> Granted:
    """The recorded answer, once more; raises the error that was recorded."""
    if "error" in answer:
        error: AssociationError = getattr(errors, answer["error"])(answer["cause"], advice=answer["advice"])
        error.outcome_unknown = answer["outcome_unknown"]
        raise error
    return Granted(parse(kind, answer["id"]), How(answer["how"]), answer["status"], answer.get("status_code"))


def _record_failure(work: Work, error: AssociationError, undo: Change) -> None:
    answer = {
        "error": type(error).__name__,
        "cause": error.cause,
        "advice": error.advice,
        "outcome_unknown": error.outcome_unknown,
    }

    def failed(resource: Resource, association: Association) -> tuple[Resource, Association]:
        resource, association = (unchanged if error.outcome_unknown else undo)(resource, association)
        return resource.answered(work.request.request_id, answer), association

    _record(work, failed)


def _record(work: Work, change: Change) -> None:
    """Record how a request failed, and free the lease. What cannot be recorded is settled by the next request."""
    try:
        work.finish(change)
    except INTERRUPTED as lost:
        work.request.host.note("not-recorded", {"association": work.named, "cause": lost.cause})
