"""The promises of aws-associations as invariants of a lifecycle, and the documented limits as predicates on it.

What happened is read from the service (the ledger), from the played engine and from the journal of attempts; the
function's own log is read for one thing only: whether it said what it could not know.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from aws_associations.creation import SETTLING_SECONDS
from aws_associations.identity import AssociationId, Identity, parse_or_none
from aws_associations.kind import Duplicates, State
from tests.model.cloudformation import URL_LASTS, CloudFormation, Declared, Operation, Request, Resource, Stack
from tests.model.function import TIMEOUT, Delivery
from tests.model.world import NOBODY, OTHERS, Attempt, Change, World

_GREEN = frozenset({"CREATE_COMPLETE", "UPDATE_COMPLETE", "UPDATE_ROLLBACK_COMPLETE"})
_ENDED_WELL = frozenset({*_GREEN, "DELETE_COMPLETE", "ROLLBACK_COMPLETE"})
_COMPLETE = frozenset({"CREATE_COMPLETE", "UPDATE_COMPLETE"})
_LET_GO = frozenset({"DELETE_COMPLETE", "DELETE_SKIPPED"})

_TAKEN = 0.5
"""Seconds after which an answer that has arrived is an event of the stack, at most."""

_QUICK = 5.0
"""Seconds after which whoever wrote asks whether its request is waited for, with what clocks may differ by."""

_TOGETHER = 25.0
"""For how many seconds after a Delete's end one that is delivered again may not see that end: events lag, and the
function counts what is twenty seconds apart as together."""

TWO_STACKS = "two stacks declare one pair"
DRIFT = "drift: ours was revoked and granted again by others while we hold it"
WINDOW = "a foreign grant between our look and our write"
UNKNOWN = "a foreign grant around a write whose outcome is unknown"
KILLED_BEFORE_WRITE = "a foreign grant around a kill between intent and write"
RETRIED_DELETE = "a foreign grant before a Delete that is delivered again"
REAL_ID = "a real id for an unknown outcome without effect, and a foreign grant before its Delete"
SHARED_DELETES = "parallel or retried Deletes of a shared pair"
AFTER_FAILED_DELETE = "a foreign grant before a Delete is tried again after it failed"
REDEPLOYED = "a redeploy within seconds of a cancel"
OVERTAKEN = "an answered request delivered twice, overtaken by the next operation within seconds"
NEVER_RETRIED = "killed between effect and answer, and no retry came"
TOLD = "told: one log line says what may remain"
TOLD_HOLDERS = "told: a log line says that nobody could be asked who else holds it, and it was revoked"

LIMITS = (
    TWO_STACKS,
    DRIFT,
    WINDOW,
    UNKNOWN,
    KILLED_BEFORE_WRITE,
    RETRIED_DELETE,
    REAL_ID,
    SHARED_DELETES,
    AFTER_FAILED_DELETE,
    REDEPLOYED,
    OVERTAKEN,
    NEVER_RETRIED,
    TOLD,
    TOLD_HOLDERS,
)
"""What stays impossible (README), each with a predicate below, and what the function says it cannot know."""

_TELLING = frozenset({"may-remain"})
"""Lines by which the function says that something of its own may be left."""


@dataclass
class Promises:
    """Judges one lifecycle, operation by operation.

    Attributes:
        broken: what was promised and did not hold, in words.
        limits: how often each documented limit occurred.
    """

    world: World
    engine: CloudFormation
    broken: list[str] = field(default_factory=list)
    limits: Counter[str] = field(default_factory=Counter)
    _judged_changes: int = 0
    _judged_deliveries: set[Delivery] = field(default_factory=set)
    _excused: set[tuple[str, int]] = field(default_factory=set)
    _ids: dict[str, AssociationId | None] = field(default_factory=dict)

    # -- when to judge what -------------------------------------------------------------------------------------------

    def after(self, operation: Operation) -> None:
        """An operation of a stack ended."""
        self.world.granted()
        self.judge_revocations()
        self.judge_losses(operation.stack, f"after '{operation.what}'")

    def when_calm(self, moment: str) -> None:
        """Nothing is under way any more, at no stack."""
        self.world.granted()
        self.judge_revocations()
        for stack in self.engine.stacks.values():
            if stack.parent is None:
                self.judge_losses(stack, moment)
        self.judge_leaks(moment)
        self.judge_answers()

    def _break(self, promise: int, what: str) -> None:
        text = f"promise {promise}: {what}"
        self.engine.tell(f"!! {text}")
        self.broken.append(text)

    def _limit(self, name: str, key: tuple[str, int]) -> None:
        """Count a limit, each occurrence once."""
        if key not in self._excused:
            self._excused.add(key)
            self.limits[name] += 1
            self.engine.tell(f"-- limit: {name}")

    # -- promise 3: what we did not grant is never revoked ------------------------------------------------------------

    def judge_revocations(self) -> None:
        """Every revocation by the function since the last time."""
        changes = self.world.ledger.changes
        for change in changes[self._judged_changes :]:
            if not change.granted and isinstance(change.actor, Delivery):
                self._judge_revocation(change, change.actor)
        self._judged_changes = len(changes)

    def _judge_revocation(self, change: Change, delivery: Delivery) -> None:
        before = _granting([each for each in self.world.ledger.of(change.identity) if each.number < change.number])
        grant = before[-1]
        request: Request = delivery.request
        if isinstance(grant.actor, Delivery) or self._is_deliberate(request, grant):
            return  # what another stack granted is ours too: whether it is missed there, the first promise tells
        limit = self._excuse(request, delivery, change, grant, before[:-1])
        if limit is not None:
            self._limit(limit, ("revoked", change.number))
            return
        self._break(3, f"{delivery} revoked {change.identity}, which others had granted at {self._when(grant.time)}")

    def _is_deliberate(self, request: Request, grant: Change) -> bool:
        """Adopted by a deployment that completed, and then deleted on purpose."""
        known = self._id(request.physical_id)
        if request.request_type != "Delete" or known is None or not known.adopted or known.identity != grant.identity:
            return False
        stack = request.stack
        taken = [moment for moment in self._adopted_at(request, grant.identity) if moment >= grant.time]
        if not taken:
            return False
        since = min(taken)
        return all(
            any(
                event.time >= since
                and event.physical_id == member.stack_id
                and event.status in {*_COMPLETE, "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS"}
                for event in member.events
            )
            for member in _lineage(stack)
        )

    def _adopted_at(self, request: Request, identity: Identity) -> list[float]:
        """When the resource of a Delete was complete with it, as adopted, since it took it the last time."""
        found: list[float] = []
        for event in reversed(request.stack.events):
            if event.logical_id != request.logical_id or event.time > request.sent:
                continue
            same = self._is(event.physical_id, identity)
            if found and event.status in (_LET_GO if same else _COMPLETE):
                break  # of an earlier life, or what it had before
            if event.status in _COMPLETE and self._is(event.physical_id, identity, adopted=True):
                found.append(event.time)
        return found

    def _excuse(
        self, request: Request, delivery: Delivery, change: Change, grant: Change, before: list[Change]
    ) -> str | None:
        """The documented limit that this revocation of others' grant is, if it is one."""
        stack, identity = request.stack, change.identity
        ended = before[-1] if before else None  # how the grant before that one ended
        ours_ended = ended is not None and _stack_of(ended.actor) is stack
        held = self._held(stack, identity, grant.time)
        if not ours_ended and (held or self._in_hand(request, before, grant.time)):
            return DRIFT
        if held and ended is not None and ours_ended and (self._was_limit(ended) or self._holders_untold(ended)):
            return DRIFT  # a limit has revoked what a resource goes on holding
        if ended is not None and ours_ended and (repeated := self._repeated(request, delivery, change, ended)):
            return repeated
        made = self._made(request, identity)
        if self.world.kind.duplicates is Duplicates.CONFLICT and self.world.kind.token is not None:
            return self._real_id(request, made, identity, grant)  # the service itself tells whose it is
        return (
            self._in_window(made, identity, grant)
            or self._around_unknown(made, identity, grant)
            or self._around_kill(made, identity, grant)
            or self._real_id(request, made, identity, grant)
        )

    def _made(self, request: Request, identity: Identity) -> list[Request]:
        """The requests of the stack that were to grant it, up to this one."""
        return [
            each
            for each in self.engine.requests
            if each.stack is request.stack
            and each.request_type != "Delete"
            and each.sent <= request.sent
            and self._declares(each.declared, each.properties, identity)
        ]

    def _in_hand(self, request: Request, before: list[Change], moment: float) -> bool:
        """Whether the stack's last grant was ended by others before the request for it was, or its first Delete was.

        A request that was given up has no other end than the Delete with an id that CloudFormation invents.
        """
        last = next((each for each in reversed(before) if each.granted and isinstance(each.actor, Delivery)), None)
        if last is None or _stack_of(last.actor) is not request.stack:
            return False
        assert isinstance(last.actor, Delivery)
        granting: Request = last.actor.request
        invented = request.request_type == "Delete" and self._id(request.physical_id) is None
        given_up = granting.outcome is None and invented and granting.logical_id == request.logical_id
        return given_up or moment <= self._ended(granting)

    def _repeated(self, request: Request, delivery: Delivery, change: Change, ended: Change) -> str | None:
        """Others granted between a removal of ours and the same removal once more."""
        first = ended.actor
        assert isinstance(first, Delivery)
        other: Request = first.request
        if request.request_type != "Delete" or other.request_type != "Delete" or not self._in_time(delivery):
            return None
        if other.logical_id != request.logical_id:
            # Deleted in one operation, this one perhaps not for the last time.
            together = any(
                each.stack is request.stack
                and each.request_type == "Delete"
                and (each.logical_id, each.physical_id) == (request.logical_id, request.physical_id)
                and each.operation is other.operation
                for each in self.engine.requests
            )
            return SHARED_DELETES if together else None
        if other.request_id == request.request_id and self._token_protects(ended.time, change.time):
            return None
        if other is request:
            # One delivery sends it once more only if the first answer was lost.
            lost = any(ended in attempt.changes and attempt.fault for attempt in self._attempts(first))
            return RETRIED_DELETE if lost or delivery is not first else None
        again = other.physical_id == request.physical_id and not other.succeeded
        return AFTER_FAILED_DELETE if again else None

    @staticmethod
    def _in_time(delivery: Delivery) -> bool:
        """Whether CloudFormation waits for the request when it is delivered, or the function cannot know better."""
        request: Request = delivery.request
        over = request.outcome.time + _TOGETHER if request.outcome else float("inf")
        return delivery.began <= over or any(
            line["event"] == "cannot-tell" and "waits for this" in str(line.get("what", "")) for line in delivery.lines
        )

    def _in_window(self, made: list[Request], identity: Identity, grant: Change) -> str | None:
        """Others granted after a look of ours (or in what it could not show yet), and our write was accepted.

        A repeated token may have granted nothing, and what is accepted may fail afterwards: there until the look after
        the write.
        """
        kind = self.world.kind
        surely = kind.token is None and State.FAILED not in kind.look.states.values()
        until = 0.0 if surely else kind.settle_seconds
        for delivery in _deliveries(made):
            attempts = self._attempts(delivery)
            for write in _writes(attempts, self.world.kind.associate, identity):
                looked = self._looked(attempts, write.time)
                accepted = not write.changes and not write.error
                longest = max(write.time, min(write.time + until, self._ended(delivery.request)))
                if accepted and looked is not None and looked <= grant.time <= longest:
                    return WINDOW
        return None

    def _around_unknown(self, made: list[Request], identity: Identity, grant: Change) -> str | None:
        """A write of ours failed without a definite answer and without effect, and others granted about then."""
        for delivery in _deliveries(made):
            attempts = self._attempts(delivery)
            for write in _writes(attempts, self.world.kind.associate, identity):
                looked = self._looked(attempts, write.time)
                since = write.time if looked is None else looked
                unknown = write.fault.startswith(("cut", "internal_error")) and not write.changes
                if unknown and since <= grant.time <= self._ended(delivery.request):
                    return UNKNOWN
        return None

    def _around_kill(self, made: list[Request], identity: Identity, grant: Change) -> str | None:
        """A delivery announced its write and was killed without one, and others granted before another one looked."""
        named = str(identity).lower()
        for delivery in _deliveries(made):
            attempts = self._attempts(delivery)
            announced = any(
                line["event"] == "associating" and str(line.get("association")).lower() == named
                for line in delivery.lines
            )
            wrote = any(write.changes for write in _writes(attempts, self.world.kind.associate, identity))
            if delivery.ended != "killed" or not announced or wrote:
                continue
            rest = [each for each in delivery.request.deliveries if each is not delivery]
            last = max((attempt.time for each in rest for attempt in self._attempts(each)), default=0.0)
            looked = self._looked(attempts, float("inf"))
            if (delivery.began if looked is None else looked) <= grant.time <= last:
                return KILLED_BEFORE_WRITE
        return None

    def _real_id(self, request: Request, made: list[Request], identity: Identity, grant: Change) -> str | None:
        """A failure answered the real id, nothing of ours is there, and others granted before the Delete of that id."""
        if request.request_type != "Delete" or not self._is(request.physical_id, identity):
            return None
        for failed in made:
            answer = failed.outcome
            same = failed.logical_id == request.logical_id
            if not same or answer is None or answer.status != "FAILED" or not self._is(answer.physical_id, identity):
                continue
            deleted = any(
                each.request_type == "Delete"
                and each.stack is request.stack
                and each.logical_id == request.logical_id
                and self._is(each.physical_id, identity)
                and each.succeeded
                and each.outcome is not None
                and failed.sent < each.sent
                and each.outcome.time < grant.time
                for each in self.engine.requests
            )
            # What it may have granted is gone, and not by us: the caller has seen that this grant is others'.
            looked = failed.sent - self._switch("list_lag_seconds", 0.0)
            if looked <= grant.time and not deleted:
                return REAL_ID
        return None

    def _looked(self, attempts: list[Attempt], until: float) -> float | None:
        """The moment that the last look before then showed: lists may lag."""
        looks = [
            each.time for each in attempts if each.time < until and each.operation == self._look and not each.fault
        ]
        return looks[-1] - self._switch("list_lag_seconds", 0.0) if looks else None

    def _ended(self, request: Request) -> float:
        """When the stack had what a request made: at its answer, or when its last delivery was done."""
        if request.outcome is not None:
            return request.outcome.time + _TAKEN
        attempts = [attempt.time for delivery in request.deliveries for attempt in self._attempts(delivery)]
        return max([*(answer.time + _TAKEN for answer in request.answers), *attempts], default=request.sent)

    def _token_protects(self, first: float, again: float) -> bool:
        """Whether the service still remembers the token of the first removal, so that a repetition has no effect."""
        token = self.world.kind.token
        return token is not None and again - first < token.window.total_seconds()

    # -- promise 1: what a successful deployment declares is granted --------------------------------------------------

    def judge_losses(self, stack: Stack, moment: str) -> None:
        """Every association that a green stack has must be granted."""
        if stack.status not in _GREEN:
            return
        for resource in list(stack.resources.values()):
            if resource.child is not None:
                self.judge_losses(resource.child, moment)
            elif resource.declared.is_custom and resource.status in _COMPLETE and not resource.skipped:
                self._judge_loss(stack, resource, moment)

    def _judge_loss(self, stack: Stack, resource: Resource, moment: str) -> None:
        known = self._id(resource.physical_id)
        if known is None:
            if resource.physical_id not in stack.abandoned:
                self._break(1, f"{stack.name}.{resource.logical_id} is complete with the id {resource.physical_id}")
            return
        identity = known.identity
        if identity in self.world.ledger.granted or self.world.ended:
            return
        claims = [
            request
            for request in self.engine.requests
            if request.stack is stack
            and request.logical_id == resource.logical_id
            and request.succeeded
            and self._declares(request.declared, request.properties, identity)
            and self._looks(request)
        ]
        claim = claims[-1] if claims else None
        last = self._decisive(stack, identity, claim)
        if last is not None and last.actor in (OTHERS, NOBODY):
            if claim is None or claim.outcome is None:
                return  # others revoked it, and nothing was to grant it again
            looked = self._looked(self._attempts(claim.outcome.delivery), claim.outcome.time)
            if last.time >= (claim.outcome.time if looked is None else looked):
                return  # others revoked it after it was seen
        elif last is not None and (other := _stack_of(last.actor)) is not None:
            if claim is not None and self._overtaken(last, claim.sent, claim.outcome.time if claim.outcome else 0.0):
                self._limit(OVERTAKEN, ("lost", last.number))
                return
            if claim is not None and self._redeployed(claim, last):
                self._limit(REDEPLOYED, ("lost", last.number))
                return
            if ("revoked", last.number) in self._excused:
                return  # counted already: what was revoked there was others' grant, which this stack had adopted
            if other is not stack:
                granted = [each for each in self.world.ledger.of(identity) if each.number < last.number][-1]
                if (
                    _stack_of(granted.actor) is other
                    or self._held(other, identity, last.time)
                    or self._may_have_granted(other, identity)
                ):
                    self._limit(TWO_STACKS, ("lost", last.number))
                    return
            elif self._holders_untold(last):
                self._limit(TOLD_HOLDERS, ("lost", last.number))
                return
        how = "never granted" if last is None else f"revoked by {last.actor} at {self._when(last.time)}"
        self._break(
            1,
            f"{moment} stack {stack.name} is {stack.status}, but {resource.logical_id}'s {identity} is not granted:"
            f" {how}",
        )

    def _may_have_granted(self, stack: Stack, identity: Identity) -> bool:
        """Whether a write of the stack got no definite answer, so that its failure answered the real id."""
        made = [each for each in self.engine.requests if each.stack is stack]
        return any(
            write.fault.startswith(("cut", "internal_error"))
            for delivery in _deliveries(made)
            for write in _writes(self._attempts(delivery), self.world.kind.associate, identity)
        )

    def is_limit(self, identity: Identity) -> bool:
        """Whether the loss of it has been counted as a documented limit."""
        changes = self.world.ledger.of(identity)
        return bool(changes) and self._was_limit(changes[-1])

    def _was_limit(self, loss: Change) -> bool:
        return ("lost", loss.number) in self._excused

    def _decisive(self, stack: Stack, identity: Identity, claim: Request | None) -> Change | None:
        """The revocation since which the stack has to do without.

        What another stack granted and revoked after this one had claimed it is that stack's own affair.
        """
        claimed = claim.outcome.time if claim is not None and claim.outcome is not None else 0.0
        changes = self.world.ledger.of(identity)
        while len(changes) >= 2:
            grant, end = changes[-2], changes[-1]
            other = _stack_of(end.actor)
            if other is None or other is stack or _stack_of(grant.actor) is not other:
                break
            if grant.time <= claimed or self._held(other, identity, end.time):
                break
            del changes[-2:]
        return changes[-1] if changes else None

    def _looks(self, request: Request) -> bool:
        """Whether the request was to see to it that the association is granted."""
        if request.request_type == "Create":
            return True
        if request.request_type != "Update":
            return False
        new, old = dict(request.properties), dict(request.old_properties)
        same_revision = new.pop("Revision", None) == old.pop("Revision", None)
        asked = self._id(request.physical_id)
        kept = asked is not None and self._declares(request.declared, new, asked.identity)
        return not kept or not same_revision

    def _holders_untold(self, last: Change) -> bool:
        """CloudFormation refused to tell who else holds it, and the function said so."""
        assert isinstance(last.actor, Delivery)
        faults = [
            each.fault for each in self.world.faults if each.actor is last.actor and each.what == "cloudformation"
        ]
        # What passes by itself is waited out, or the Delete fails.
        return any(fault not in {"throttled", "internal_error", "cut"} for fault in faults) and any(
            line["event"] == "cannot-tell" and "hold it" in str(line.get("what", "")) for line in last.actor.lines
        )

    @staticmethod
    def _redeployed(claim: Request, last: Change) -> bool:
        """A request that was given up undid its own, while the next deployment took it over."""
        assert isinstance(last.actor, Delivery)
        undoing: Request = last.actor.request
        late = undoing is not claim and undoing.settled.happened and undoing.sent < claim.sent
        until = claim.outcome.time if claim.outcome else float("inf")
        return late and undoing.request_type != "Delete" and claim.sent <= last.time <= until + 5

    def _overtaken(self, change: Change, since: float, until: float) -> bool:
        """Whether another delivery had answered the request, and this one's write came after the next request began.

        It began while the request was waited for, so that nothing told it that it was over when it wrote.
        """
        assert isinstance(change.actor, Delivery)
        request: Request = change.actor.request
        answer = request.outcome
        if answer is None or answer.delivery is change.actor or not change.actor.began <= answer.time + _QUICK:
            return False
        on_its_way = any(each.actor is change.actor and each.fault.startswith("slow") for each in self.world.faults)
        soon = change.time <= max(until, since) + _QUICK
        return answer.time <= since <= change.time and (soon or on_its_way)

    # -- promise 2: what a deletion or rollback covered and we granted is revoked -------------------------------------

    def judge_leaks(self, moment: str) -> None:
        """Every association that the function granted must have a resource that holds it."""
        for identity in list(self.world.ledger.granted):
            grant = _granting(self.world.ledger.of(identity))[-1]
            if isinstance(grant.actor, Delivery):
                self._judge_leak(identity, grant, grant.actor, moment)

    def _judge_leak(self, identity: Identity, grant: Change, delivery: Delivery, moment: str) -> None:
        for stack in self.engine.stacks.values():
            if any(self._is(resource.physical_id, identity) for resource in stack.resources.values()):
                return
            if self._left_in_place(stack, identity, grant.time):
                return
        request: Request = delivery.request
        if any(stack.status not in _ENDED_WELL for stack in _lineage(request.stack)):
            return  # it failed, and says so
        if request.declared.retain or self._skipped_since(request, grant.time):
            return  # the user said so
        ending = [
            each.sent
            for each in self.engine.requests
            if each.request_type == "Delete"
            and each.stack is request.stack
            and self._is(each.physical_id, identity)
            and each.logical_id == request.logical_id
        ]
        if any(grant.time <= request.sent + _QUICK and self._overtaken(grant, sent, sent) for sent in ending):
            self._limit(OVERTAKEN, ("leaked", grant.number))
            return
        if self._killed_for_good(delivery) and self._warned(request):
            self._limit(NEVER_RETRIED, ("leaked", grant.number))
            return
        if self._told(request, identity, grant):
            self._limit(TOLD, ("leaked", grant.number))
            return
        self._break(
            2,
            f"{moment} nothing holds {identity} any more,"
            f" but what {delivery} granted at {self._when(grant.time)} is left",
        )

    @staticmethod
    def _skipped_since(request: Request, moment: float) -> bool:
        """Whether the user had the rollback of the resource skipped: what it should have gone back to is his."""
        return any(
            event.logical_id == request.logical_id and event.reason == "skipped" and event.time >= moment
            for event in request.stack.events
        )

    def _left_in_place(self, stack: Stack, identity: Identity, since: float) -> bool:
        """Whether the user said that it stays, or was told that it does."""
        left: set[tuple[str, str]] = set()
        for event in stack.events:
            if event.time < since or not self._is(event.physical_id, identity):
                continue
            key = (event.logical_id, event.physical_id)
            if event.status in {"DELETE_SKIPPED", "DELETE_FAILED"} or event.reason == "skipped":
                left.add(key)
            elif event.status == "DELETE_COMPLETE":
                left.discard(key)
        return bool(left)

    @staticmethod
    def _liveness_untold(grant: Change) -> bool:
        """Whether what granted it was not told if it was still waited for, and said so."""
        assert isinstance(grant.actor, Delivery)
        asked = "the stack waits for this request"
        return any(line["event"] == "cannot-tell" and asked in str(line.get("what", "")) for line in grant.actor.lines)

    @staticmethod
    def _killed_for_good(delivery: Delivery) -> bool:
        """Every delivery of the request was killed, that which granted it before it could say so."""
        deliveries: list[Delivery] = delivery.request.deliveries
        said = any(line["event"] == "granted" for line in delivery.lines)
        return all(each.ended == "killed" for each in deliveries) and not said

    def _warned(self, request: Request) -> bool:
        """Whether the function said of the same resource that something may be left, though perhaps not what."""
        return any(
            line["event"] in _TELLING
            for each in self.engine.requests
            if each.stack is request.stack and each.logical_id == request.logical_id and each.sent >= request.sent
            for line in _lines(each)
        )

    def _told(self, request: Request, identity: Identity, grant: Change) -> bool:
        """Whether the function said that what a request granted may be left, and had a reason not to know.

        Said it where the same resource or association was worked on, since what granted it began. A reason is:
        CloudFormation, the log or the service failed it there, or it was killed there; what these show lags for longer
        than it waits; or meanwhile somebody else changed the association or was about to.
        """
        if self._liveness_untold(grant):
            return True
        delivery = grant.actor
        assert isinstance(delivery, Delivery)
        about = [
            each
            for each in self.engine.requests
            if each.stack is request.stack
            # The request itself: another delivery may have answered it long before.
            and (each is request or self._ended(each) >= delivery.began)
            and (
                each.logical_id == request.logical_id
                or self._is(each.physical_id, identity)
                or self._declares(each.declared, each.properties, identity)
            )
        ]
        lines = [line for each in about for line in _lines(each)]
        # In whatever spelling: where case decides, no two pairs of a script differ by it alone.
        named = str(identity).lower()
        declared = {text.lower() for text in identity.parts().values()}
        if not any(
            (
                line["event"] in _TELLING
                and (named in str(line).lower() or (_declared(line) and _declared(line) <= declared))
            )
            or (line["event"] == "answer-not-delivered" and self._is(str(line.get("id")), identity))
            for line in lines
        ):
            return False
        deliveries = list(_deliveries(about))
        return (
            self.world.failing
            or self.engine.function.log_group.lag + self.engine.habits.event_lag > SETTLING_SECONDS
            or any(fault.actor in deliveries for fault in self.world.faults)
            or any(each.ended == "killed" for each in deliveries)
            or self._ended_during_its_write(identity, grant)
            or any(
                each.sent >= request.sent
                and each.outcome is not None
                and self._is(each.outcome.physical_id, identity, adopted=True)
                for each in about
            )
            # Healed under the id by which it was adopted, in a deployment that then failed.
            or self._is(request.physical_id, identity, adopted=True)
            or any(
                _stack_of(change.actor) is not request.stack and change.time >= request.sent
                for change in self.world.ledger.of(identity)
            )
            or any(
                each.stack is not request.stack
                and self._ended(each) >= request.sent
                and self._announced(each, identity)
                for each in self.engine.requests
            )
        )

    def _ended_during_its_write(self, identity: Identity, grant: Change) -> bool:
        """Whether it was revoked, or a Delete of it served, between the beginning of what granted it and its effect.

        Nobody can tell whether what is there afterwards is that effect, or what others granted after an earlier one.
        """
        began: float = grant.actor.began  # type: ignore[attr-defined]
        return any(
            not change.granted and isinstance(change.actor, Delivery) and began <= change.time <= grant.time
            for change in self.world.ledger.of(identity)
        ) or any(
            each.request_type == "Delete"
            and self._is(each.physical_id, identity)
            and any(began <= answer.time <= grant.time + 1 for answer in each.answers)
            for each in self.engine.requests
        )

    @staticmethod
    def _announced(request: Request, identity: Identity) -> bool:
        return any(
            line["event"] == "associating" and line.get("association") == str(identity) for line in _lines(request)
        )

    # -- promise 5: exactly one valid answer --------------------------------------------------------------------------

    def judge_answers(self) -> None:
        """Every delivery that came to its end gave one valid answer, and every request got one unless it was killed."""
        for request in self.engine.requests:
            for delivery in request.deliveries:
                if delivery not in self._judged_deliveries and delivery.ended is not None:
                    self._judged_deliveries.add(delivery)
                    self._judge_delivery(request, delivery)

    def _judge_delivery(self, request: Request, delivery: Delivery) -> None:
        for answer in request.answers:
            if answer.delivery is delivery and answer.problem:
                self._break(5, f"{delivery} answered what CloudFormation refuses: {answer.problem}")
        if len(set(delivery.puts)) > 1:
            self._break(5, f"{delivery} answered twice, and not the same")
        expired = delivery.began - request.sent > 7000
        if delivery.ended == "returned" and not delivery.puts and not expired:
            self._break(5, f"{delivery} returned without an answer")
        if delivery.ended == "raised":
            undelivered = any(each.actor is delivery and each.what == "answer" for each in self.world.faults)
            undelivered = undelivered or delivery.began - request.sent > URL_LASTS - TIMEOUT
            if type(delivery.error).__name__ != "AnswerNotDeliveredError" or not undelivered:
                self._break(5, f"{delivery} raised {delivery.error!r}")

    # -- promise 6: what faults left behind is healed by deploying again ----------------------------------------------

    def judge_recovery(self, operation: Operation, wanted: frozenset[str]) -> None:
        """With no fault any more, this operation must end so."""
        if operation.result not in wanted:
            reasons = [
                f"{request}: {request.outcome.reason if request.outcome else 'no answer'}"
                for request in self.engine.requests
                if request.operation is operation and not request.succeeded
            ]
            self._break(
                6, f"'{operation.what}' without any fault ends in {operation.result}: {'; '.join(reasons)[:600]}"
            )

    # -- reading history ----------------------------------------------------------------------------------------------

    @property
    def _look(self) -> str:
        return self.world.kind.look.operation

    def _switch(self, name: str, default: float) -> float:
        return float(self.world.switches.get(name, default))

    def _when(self, time: float) -> str:
        return f"{time - self.world.began:.1f}"

    def _id(self, text: str) -> AssociationId | None:
        if text not in self._ids:
            self._ids[text] = parse_or_none(self.world.kind, text)
        return self._ids[text]

    def _is(self, text: str, identity: Identity, *, adopted: bool | None = None) -> bool:
        known = self._id(text)
        return known is not None and known.identity == identity and adopted in (None, known.adopted)

    def _declares(self, declared: Declared, properties: object, identity: Identity) -> bool:
        if declared.type != self.world.kind.cloudformation_type:
            return False
        given: dict[str, str] = dict(properties)  # type: ignore[call-overload]
        parts = self.world.kind.parts
        return all(
            part.property_name not in given
            or part.compared_as(given[part.property_name]) == part.compared_as(identity[part.name])
            for part in parts
        )

    def _held(self, stack: Stack, identity: Identity, time: float) -> list[tuple[str, str]]:
        """Which logical ids of the stack had it at a time, with its id text; replaced ones too, until deleted."""
        found: dict[tuple[str, str], None] = {}
        failed: set[tuple[str, str]] = set()
        for event in stack.events:
            if event.time > time:
                break
            key = (event.logical_id, event.physical_id)
            if event.physical_id == stack.stack_id and event.status in _GREEN:
                # A cleanup that failed is not tried again.
                found = {each: None for each in found if each not in failed}
            if not self._is(event.physical_id, identity):
                continue
            failed.discard(key)
            if event.status in _COMPLETE:
                found[key] = None
            elif event.status in _LET_GO:
                found.pop(key, None)
            elif event.status == "DELETE_FAILED":
                failed.add(key)
        return list(found)

    def _attempts(self, delivery: Delivery) -> list[Attempt]:
        return [attempt for attempt in self.world.attempts if attempt.actor is delivery]


def _stack_of(actor: object) -> Stack | None:
    if not isinstance(actor, Delivery):
        return None
    stack: Stack = actor.request.stack
    return stack


def _lineage(stack: Stack) -> list[Stack]:
    """The stack, and every stack around it."""
    return [stack, *(_lineage(stack.parent) if stack.parent is not None else ())]


def _granting(changes: list[Change]) -> list[Change]:
    """The changes up to the grant that lasts. What a removal left because it failed at the service lasts, too."""
    while len(changes) >= 3 and changes[-1].granted and changes[-1].actor == NOBODY:
        changes = changes[:-2]
    return changes


def _deliveries(requests: Iterable[Request]) -> Iterator[Delivery]:
    for request in requests:
        yield from request.deliveries


def _lines(request: Request) -> Iterator[dict[str, object]]:
    for delivery in request.deliveries:
        yield from delivery.lines


def _declared(line: dict[str, object]) -> set[str]:
    """What the resource declared of which the line says that it may remain, as far as it named that."""
    declared = line.get("declared")
    return {str(value).lower() for value in declared.values()} if isinstance(declared, dict) else set()


def _writes(attempts: list[Attempt], operation: str, identity: Identity) -> list[Attempt]:
    return [attempt for attempt in attempts if attempt.operation == operation and attempt.is_about(identity)]
