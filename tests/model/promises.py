"""The promises of aws-associations as invariants of a lifecycle, and the documented limits as predicates on it.

What happened is read from the service (the ledger), from the played engine and from the journal of attempts; the
function's own log is read for one thing only: whether it said what it could not know.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from aws_associations.identity import AssociationId, Identity, parse_or_none
from aws_associations.kind import Duplicates
from tests.model.cloudformation import CloudFormation, Declared, Operation, Request, Resource, Stack
from tests.model.function import Delivery
from tests.model.world import NOBODY, OTHERS, Attempt, Change, World

_GREEN = frozenset({"CREATE_COMPLETE", "UPDATE_COMPLETE", "UPDATE_ROLLBACK_COMPLETE"})
_ENDED_WELL = frozenset({*_GREEN, "DELETE_COMPLETE", "ROLLBACK_COMPLETE"})
_COMPLETE = frozenset({"CREATE_COMPLETE", "UPDATE_COMPLETE"})

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
        before = [each for each in self.world.ledger.of(change.identity) if each.number < change.number]
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
        taken = [
            event.time
            for event in stack.events
            if event.status in _COMPLETE and self._is(event.physical_id, grant.identity, adopted=True)
        ]
        if not taken or max(taken) < grant.time:
            return False
        since = min(moment for moment in taken if moment >= grant.time)
        lineage, each = [stack], stack
        while each.parent is not None:
            each = each.parent
            lineage.append(each)
        return all(
            any(
                event.time >= since
                and event.physical_id == member.stack_id
                and event.status in {*_COMPLETE, "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS"}
                for event in member.events
            )
            for member in lineage
        )

    def _excuse(
        self, request: Request, delivery: Delivery, change: Change, grant: Change, before: list[Change]
    ) -> str | None:
        """The documented limit that this revocation of others' grant is, if it is one."""
        stack, identity = request.stack, change.identity
        ended = before[-1] if before else None  # how the grant before that one ended
        ours_ended = ended is not None and _stack_of(ended.actor) is stack
        held = self._held(stack, identity, grant.time)
        if held and not ours_ended:
            return DRIFT
        if ours_ended:
            assert ended is not None
            assert isinstance(ended.actor, Delivery)
            other: Request = ended.actor.request
            if other is request and not self._token_protects(ended.time, change.time):
                return RETRIED_DELETE
            sharing = {name for name, _ in self._held(stack, identity, ended.time)}
            if {other.logical_id, request.logical_id} <= sharing and len(sharing) > 1:
                return SHARED_DELETES
            again = other.logical_id == request.logical_id and other.physical_id == request.physical_id
            if other is not request and again and other.request_type == "Delete" and not other.succeeded:
                return AFTER_FAILED_DELETE
        made = self._made(request, identity)
        if self.world.kind.duplicates is Duplicates.CONFLICT and self.world.kind.token is not None:
            return self._real_id(made, identity, grant, change)  # the service itself tells whose it is
        return (
            self._in_window(made, identity, grant)
            or self._around_unknown(made, identity, grant)
            or self._around_kill(made, identity, grant)
            or self._real_id(made, identity, grant, change)
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

    def _in_window(self, made: list[Request], identity: Identity, grant: Change) -> str | None:
        """Others granted after a look of ours (or in what it could not show yet), and our write had no effect."""
        lag = float(self._switch("list_lag_seconds", 0.0))
        for delivery in _deliveries(made):
            attempts = self._attempts(delivery)
            for write in _writes(attempts, self.world.kind.associate, identity):
                looks = [each.time for each in attempts if each.time < write.time and each.operation == self._look]
                if not write.changes and looks and looks[-1] - lag <= grant.time <= write.time:
                    return WINDOW
        return None

    def _around_unknown(self, made: list[Request], identity: Identity, grant: Change) -> str | None:
        """A write of ours failed without a definite answer and without effect, and others granted about then."""
        for delivery in _deliveries(made):
            for write in _writes(self._attempts(delivery), self.world.kind.associate, identity):
                unknown = write.fault.startswith(("cut", "internal_error")) and not write.changes
                until = max((answer.time for answer in delivery.request.answers), default=float("inf"))
                if unknown and write.time - 10 <= grant.time <= until:
                    return UNKNOWN
        return None

    def _around_kill(self, made: list[Request], identity: Identity, grant: Change) -> str | None:
        """A delivery announced its write and was killed before it, and others granted before the next delivery."""
        for request in made:
            for delivery in request.deliveries:
                announced = any(line["event"] == "associating" for line in delivery.lines)
                wrote = [
                    write
                    for write in _writes(self._attempts(delivery), self.world.kind.associate, identity)
                    if write.changes
                ]
                later = [each for each in request.deliveries if each.began > delivery.began]
                if delivery.ended != "returned" and announced and not wrote and later and delivery.began <= grant.time:
                    return KILLED_BEFORE_WRITE
        return None

    def _real_id(self, made: list[Request], identity: Identity, grant: Change, change: Change) -> str | None:
        """A failure answered the real id, nothing was granted, and others granted before the Delete of that id."""
        for request in made:
            answer = request.outcome
            if answer is None or answer.status != "FAILED" or not self._is(answer.physical_id, identity):
                continue
            # What it may have granted is gone, and not by us: the caller has seen that this grant is others'.
            if request.sent <= grant.time <= change.time:
                return REAL_ID
        return None

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
        if identity in self.world.ledger.granted:
            return
        claims = [
            request
            for request in self.engine.requests
            if request.stack is stack
            and request.logical_id == resource.logical_id
            and request.succeeded
            and self._looks(request)
        ]
        claim = claims[-1] if claims else None
        last = self._decisive(stack, identity, claim)
        if last is not None and last.actor in (OTHERS, NOBODY):
            lag = self._switch("list_lag_seconds", 0.0)
            if claim is None or not claim.deliveries or claim.deliveries[0].began - lag <= last.time:
                return  # others revoked it while or after it was granted
        elif last is not None and (other := _stack_of(last.actor)) is not None:
            if other is not stack:
                granted = [each for each in self.world.ledger.of(identity) if each.number < last.number][-1]
                if _stack_of(granted.actor) is other or self._held(other, identity, last.time):
                    self._limit(TWO_STACKS, ("lost", last.number))
                    return
            elif self._holders_untold(last):
                self._limit(TOLD_HOLDERS, ("lost", last.number))
                return
            elif claim is not None and self._redeployed(claim, last):
                self._limit(REDEPLOYED, ("lost", last.number))
                return
        how = "never granted" if last is None else f"revoked by {last.actor} at {self._when(last.time)}"
        self._break(
            1,
            f"{moment} stack {stack.name} is {stack.status}, but {resource.logical_id}'s {identity} is not granted:"
            f" {how}",
        )

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

    @staticmethod
    def _holders_untold(last: Change) -> bool:
        """CloudFormation did not answer who else holds it, and the function said so."""
        assert isinstance(last.actor, Delivery)
        return any(
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

    # -- promise 2: what a deletion or rollback covered and we granted is revoked -------------------------------------

    def judge_leaks(self, moment: str) -> None:
        """Every association that the function granted must have a resource that holds it."""
        for identity, grant in list(self.world.ledger.granted.items()):
            if isinstance(grant.actor, Delivery):
                self._judge_leak(identity, grant, grant.actor, moment)

    def _judge_leak(self, identity: Identity, grant: Change, delivery: Delivery, moment: str) -> None:
        for stack in self.engine.stacks.values():
            if any(self._is(resource.physical_id, identity) for resource in stack.resources.values()):
                return
            if any(self._is(text, identity) for text in (*stack.retained, *stack.abandoned)):
                return
            if stack.status not in _ENDED_WELL:
                return  # it failed, and says so
        stack = delivery.request.stack
        if delivery.request.declared.retain:
            return  # the user said so
        if not any(each.ended == "returned" for each in delivery.request.deliveries):
            self._limit(NEVER_RETRIED, ("leaked", grant.number))
            return
        if self._told(stack, identity):
            self._limit(TOLD, ("leaked", grant.number))
            return
        self._break(
            2,
            f"{moment} nothing holds {identity} any more,"
            f" but what {delivery} granted at {self._when(grant.time)} is left",
        )

    def _told(self, stack: Stack, identity: Identity) -> bool:
        """Whether the function said that something may be left, and had a reason not to know.

        A reason is: CloudFormation or the log did not answer, somebody else changed it or was about to, the service
        failed, or the function was killed.
        """
        requests = [request for request in self.engine.requests if request.stack is stack]
        lines = [line for request in requests for line in _lines(request)]
        # In whatever spelling: where case decides, no two pairs of a script differ by it alone.
        named = str(identity).lower()
        if not any(line["event"] in _TELLING and named in str(line).lower() for line in lines):
            return False
        return (
            any(line["event"] == "cannot-tell" for line in lines)
            or any(_stack_of(change.actor) is not stack for change in self.world.ledger.of(identity))
            or any(each.stack is not stack and self._announced(each, identity) for each in self.engine.requests)
            or any(attempt.fault for delivery in _deliveries(requests) for attempt in self._attempts(delivery))
            or any(delivery.ended == "killed" for delivery in _deliveries(requests))
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
        if delivery.ended == "raised" and type(delivery.error).__name__ != "AnswerNotDeliveredError":
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
        for event in stack.events:
            if event.time > time:
                break
            if not self._is(event.physical_id, identity):
                continue
            if event.status in _COMPLETE:
                found[event.logical_id, event.physical_id] = None
            elif event.status == "DELETE_COMPLETE":
                found.pop((event.logical_id, event.physical_id), None)
        return list(found)

    def _attempts(self, delivery: Delivery) -> list[Attempt]:
        return [attempt for attempt in self.world.attempts if attempt.actor is delivery]


def _stack_of(actor: object) -> Stack | None:
    if not isinstance(actor, Delivery):
        return None
    stack: Stack = actor.request.stack
    return stack


def _deliveries(requests: Iterable[Request]) -> Iterator[Delivery]:
    for request in requests:
        yield from request.deliveries


def _lines(request: Request) -> Iterator[dict[str, object]]:
    for delivery in request.deliveries:
        yield from delivery.lines


def _writes(attempts: list[Attempt], operation: str, identity: Identity) -> list[Attempt]:
    return [attempt for attempt in attempts if attempt.operation == operation and attempt.is_about(identity)]
