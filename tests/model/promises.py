"""The promises of aws-associations as invariants of a lifecycle, and the documented limits as predicates on it.

What happened is read from the service (the world's ledger of changes), from the played engine and from the journal of
attempts, never from the table; the function's own log only tells whether it said what it could not know.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from aws_associations.identity import AssociationId, Identity, parse_or_none
from aws_associations.kind import Duplicates, State
from aws_associations_lambda.words import WORDS
from tests.model.cloudformation import URL_LASTS, CloudFormation, Declared, Operation, Request, Resource, Stack
from tests.model.function import TIMEOUT, Delivery
from tests.model.world import NOBODY, Attempt, Change, World

_GREEN = frozenset({"CREATE_COMPLETE", "UPDATE_COMPLETE", "UPDATE_ROLLBACK_COMPLETE"})
_ENDED_WELL = frozenset({*_GREEN, "DELETE_COMPLETE", "ROLLBACK_COMPLETE"})
_COMPLETE = frozenset({"CREATE_COMPLETE", "UPDATE_COMPLETE"})
_LET_GO = frozenset({"DELETE_COMPLETE", "DELETE_SKIPPED"})

_YOUNG = 155.0
"""Seconds after which a request is not failed on purpose any more, with what signing and a last try may add."""

DRIFT = "drift: ours was revoked and granted again by others while we hold it"
WINDOW = "a foreign grant between our look and our write, or around a write that was not answered"
LOST_LEDGER = "a lost ledger, for a pair that was shared or adopted, or changed since"
TOLD = "told: the ledger or CloudFormation could not be asked, and a log line says what may remain"
PUT_OFF = "put off: what could not be dropped is left to the next request of the resource"

LIMITS = (DRIFT, WINDOW, LOST_LEDGER, TOLD, PUT_OFF)
"""What stays impossible (docs/limits.md), each with a predicate below, and what waits for the next request.

Two ledgers are not played, nor a write that takes effect later than every margin.
"""


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

    def fail(self, promise: int, what: str) -> None:
        """A promise is broken."""
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
        if isinstance(grant.actor, Delivery) or self._is_deliberate(delivery.request, grant):
            return  # whether what another stack granted is missed there, the first promise tells
        limit = self._excuse(change, grant, before[:-1])
        if limit is not None:
            self._limit(limit, ("revoked", change.number))
            return
        self.fail(3, f"{delivery} revoked {change.identity}, which others had granted at {self._when(grant.time)}")

    def _is_deliberate(self, request: Request, grant: Change) -> bool:
        """Adopted by a deployment that completed, and then deleted on purpose."""
        known = self._id(request.physical_id)
        if request.request_type != "Delete" or known is None or not known.adopted or known.identity != grant.identity:
            return False
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
            for member in _lineage(request.stack)
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

    def _excuse(self, change: Change, grant: Change, before: list[Change]) -> str | None:
        """The documented limit that this revocation of others' grant is, if it is one."""
        if self._is_drift(grant, before):
            return DRIFT
        if self._is_window(change, grant):
            return WINDOW
        return LOST_LEDGER if self._was_lost(change.identity, grant.time) else None

    def _is_drift(self, grant: Change, before: list[Change]) -> bool:
        """Others ended it while we had it, or a limit did, and others granted it anew."""
        if not before:
            return False
        ended = before[-1]
        by_limit = ("lost", ended.number) in self._excused
        if isinstance(ended.actor, Delivery) and not by_limit:
            return False
        return self._claims(grant.identity, ended.time) and self._claims(grant.identity, grant.time)

    def _claims(self, identity: Identity, moment: float) -> bool:
        """Whether a resource had it then, by its requests and their answers.

        What is left in place on a user's word, or was given up by CloudFormation, is had until it is deleted.
        """
        for request in self._made(identity, moment):
            if self._took(request) or any(self._wrote(each, identity, moment) for each in request.deliveries):
                ended = self._settled(request, identity)
                if ended > moment:
                    return True
        return False

    def _made(self, identity: Identity, until: float = float("inf")) -> Iterator[Request]:
        """The requests that were to grant it, those of every stack."""
        for request in self.engine.requests:
            asked = request.request_type != "Delete" and request.sent <= until
            if asked and self._declares(request.declared, request.properties, identity):
                yield request

    @staticmethod
    def _took(request: Request) -> bool:
        """Whether CloudFormation took a success."""
        return request.succeeded and not request.given_up

    def _wrote(self, delivery: Delivery, identity: Identity, until: float) -> bool:
        """Whether a delivery granted it, or may have, by then."""
        return any(
            write.time <= until and (write.changes or _is_unanswered(write))
            for write in _writes(self._attempts(delivery), self.world.kind.associate, identity)
        )

    def _settled(self, request: Request, identity: Identity) -> float:
        """When what a Create or Update left was taken back: by its own Delete, or by what came next if it failed."""
        for each in self.engine.requests:
            if not _same_resource(each, request) or each.sent < request.sent or each is request or not each.succeeded:
                continue
            deleted = each.request_type == "Delete" and self._is(each.physical_id, identity)
            if deleted or not self._took(request):
                assert each.outcome is not None
                return each.outcome.time
        return float("inf")

    def _is_window(self, change: Change, grant: Change) -> bool:
        """Others granted between a look of ours (or what it could not show yet) and the end of our write."""
        return any(self._is_around(write, change, grant) for write in self._about(grant.identity)) or any(
            self._is_around_claim(delivery, grant) for delivery in _deliveries(self._made(grant.identity))
        )

    def _is_around(self, write: Attempt, change: Change, grant: Change) -> bool:
        delivery = write.actor
        assert isinstance(delivery, Delivery)
        looked = self._looked(self._attempts(delivery), write.time)
        since = delivery.began if looked is None else looked
        if write.operation == self.world.kind.disassociate:
            protected = self._token_protects(write, change)
        else:
            protected = self._is_told_by_replay()
            if not write.changes and not write.error:
                # Accepted though it was there. A token that was replayed may have granted nothing.
                longest = max(write.time, min(write.time + self._lag, self._outcome(delivery.request)))
                if since <= grant.time <= longest:
                    return True
        return not protected and since <= grant.time <= self._over(write.time, delivery, _is_unanswered(write))

    def _is_around_claim(self, delivery: Delivery, grant: Change) -> bool:
        """Whether it was ended between the ledger and the service, so that nobody knows whether its write was sent."""
        looked = self._looked(self._attempts(delivery), float("inf"))
        interrupted = delivery.ended in {"killed", "raised"} or delivery.request.given_up
        if not interrupted or looked is None or self._is_told_by_replay():
            return False
        return looked <= grant.time <= self._over(looked, delivery, unanswered=True)

    def _about(self, identity: Identity) -> list[Attempt]:
        operations = {self.world.kind.associate, self.world.kind.disassociate}
        return [each for each in self.world.attempts if each.operation in operations and each.is_about(identity)]

    @property
    def _lag(self) -> float:
        kind = self.world.kind
        surely = kind.token is None and State.FAILED not in kind.look.states.values()
        return 0.0 if surely else kind.settle_seconds

    def _over(self, moment: float, delivery: Delivery, unanswered: bool) -> float:
        """Until when nobody knew what came of a write of that moment; the end of all time if nobody does yet."""
        request: Request = delivery.request
        answered = any(answer.delivery is delivery for answer in request.answers)
        if not unanswered and delivery.ended == "returned" and answered:
            return float("-inf")
        for each in self.engine.requests:
            same = _same_resource(each, request) and each.sent >= request.sent
            if same and each.succeeded and each.outcome is not None and each.outcome.time > moment:
                return each.outcome.time
        return float("inf")

    def _is_told_by_replay(self) -> bool:
        """Whether the service itself tells by its token whose an association is."""
        kind = self.world.kind
        return kind.duplicates is Duplicates.CONFLICT and kind.token is not None

    def _token_protects(self, write: Attempt, again: Change) -> bool:
        """Whether the service still remembers the token of a removal, so that a repetition has no effect."""
        token = self.world.kind.token
        return token is not None and again.time - write.time < token.window.total_seconds()

    def _looked(self, attempts: list[Attempt], until: float) -> float | None:
        """The moment that the last look before then showed: lists may lag."""
        operation = self.world.kind.look.operation
        looks = [each.time for each in attempts if each.time < until and each.operation == operation and not each.fault]
        return looks[-1] - float(self.world.switches.get("list_lag_seconds", 0.0)) if looks else None

    @staticmethod
    def _outcome(request: Request) -> float:
        """When CloudFormation had the answer."""
        return request.outcome.time + 0.5 if request.outcome is not None else float("inf")

    # -- a lost ledger ------------------------------------------------------------------------------------------------

    def _was_lost(self, identity: Identity, until: float = float("inf")) -> bool:
        """Whether the table was lost by then, and the pair had been shared or adopted, or changed since."""
        return any(lost <= until and self._was_special(identity, lost, since) for lost, since in self.world.table.lost)

    def _was_special(self, identity: Identity, lost: float, since: float) -> bool:
        """Whether two resources had it then or later, it was adopted, or something of it was under way or changed."""
        owners, special = set(), False
        for request in self.engine.requests:
            asked = self._declares(request.declared, request.properties, identity)
            if not asked and not self._is(request.physical_id, identity):
                continue
            deletes = request.request_type == "Delete"
            ended = self._outcome(request) if deletes else self._settled(request, identity)
            if not deletes and ended > lost:
                owners.add((request.stack.stack_id, request.logical_id))
            if request.sent <= lost:
                answered = request.outcome.physical_id if request.outcome is not None else ""
                changed = since != float("-inf") and max(request.sent, self._outcome(request)) > since
                special = special or self._is(answered, identity, adopted=True) or changed
                special = special or self._outcome(request) > lost or (not self._took(request) and ended > lost)
        return len(owners) > 1 or special

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
                self.fail(1, f"{stack.name}.{resource.logical_id} is complete with the id {resource.physical_id}")
            return
        identity = known.identity
        if identity in self.world.ledger.granted or self.world.ended:
            return
        changes = self.world.ledger.of(identity)
        last = changes[-1] if changes else None
        if last is not None and not isinstance(last.actor, Delivery) and self._came_after(last, stack, resource):
            return
        if last is not None and (("revoked", last.number) in self._excused or self._was_lost(identity, last.time)):
            self._limit(LOST_LEDGER, ("lost", last.number))
            return
        how = "never granted" if last is None else f"revoked by {last.actor} at {self._when(last.time)}"
        self.fail(
            1,
            f"{moment} stack {stack.name} is {stack.status}, but {resource.logical_id}'s {identity} is not granted:"
            f" {how}",
        )

    def _came_after(self, end: Change, stack: Stack, resource: Resource) -> bool:
        """Whether others revoked it when nothing was to grant it again, or after that was seen to be granted."""
        claims = [
            request
            for request in self._made(end.identity)
            if request.stack is stack
            and request.logical_id == resource.logical_id
            and request.succeeded
            and self._looks(request)
        ]
        outcome = claims[-1].outcome if claims else None
        if outcome is None:
            return True
        looked = self._looked(self._attempts(outcome.delivery), outcome.time)
        return end.time >= (outcome.time if looked is None else looked)

    def is_limit(self, identity: Identity) -> bool:
        """Whether the loss of it has been counted as a documented limit."""
        changes = self.world.ledger.of(identity)
        return bool(changes) and ("lost", changes[-1].number) in self._excused

    def _looks(self, request: Request) -> bool:
        """Whether the request was to see to it that the association is granted."""
        if request.request_type == "Create":
            return True
        new, old = dict(request.properties), dict(request.old_properties)
        same_revision = new.pop("Revision", None) == old.pop("Revision", None)
        asked = self._id(request.physical_id)
        kept = asked is not None and self._declares(request.declared, new, asked.identity)
        return not kept or not same_revision

    # -- promise 2: what a deletion or rollback covered and we granted is revoked -------------------------------------

    def judge_leaks(self, moment: str) -> None:
        """Every association that the function granted must have a resource that holds it."""
        for identity in list(self.world.ledger.granted):
            grant = _granting(self.world.ledger.of(identity))[-1]
            if isinstance(grant.actor, Delivery):
                self._judge_leak(identity, grant, grant.actor, moment)

    def _judge_leak(self, identity: Identity, grant: Change, delivery: Delivery, moment: str) -> None:
        request: Request = delivery.request
        if self._is_accounted_for(identity, grant, request):
            return
        if self._was_lost(identity):
            self._limit(LOST_LEDGER, ("leaked", grant.number))
            return
        if self._is_put_off(identity, request):
            self._limit(PUT_OFF, ("leaked", grant.number))
            return
        if self._is_told(identity, request):
            self._limit(TOLD, ("leaked", grant.number))
            return
        self.fail(
            2,
            f"{moment} nothing holds {identity} any more,"
            f" but what {delivery} granted at {self._when(grant.time)} is left",
        )

    def _is_accounted_for(self, identity: Identity, grant: Change, request: Request) -> bool:
        """Whether a resource has it, its user wants it to stay, or CloudFormation says that something failed."""
        for stack in self.engine.stacks.values():
            if any(self._is(resource.physical_id, identity) for resource in stack.resources.values()):
                return True
            if self._left_in_place(stack, identity, grant.time):
                return True
        owners = [request, *(each for each in self._made(identity) if self._settled(each, identity) > grant.time)]
        return request.declared.retain or any(
            any(stack.status not in _ENDED_WELL for stack in _lineage(each.stack)) or self._said_since(each, grant.time)
            for each in owners
        )

    @staticmethod
    def _said_since(request: Request, moment: float) -> bool:
        """Whether CloudFormation says since then that the resource was skipped or left, or that its deletion failed."""
        ends = [
            "skipped" if event.reason == "skipped" else event.status
            for event in request.stack.events
            if event.logical_id == request.logical_id
            and event.time >= moment
            and (event.status in {"DELETE_FAILED", *_LET_GO} or event.reason == "skipped")
        ]
        return bool({"skipped", "DELETE_SKIPPED"} & set(ends)) or ends[-1:] == ["DELETE_FAILED"]

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

    def _is_told(self, identity: Identity, request: Request) -> bool:
        """Whether a line says that it may remain, and the ledger or CloudFormation had failed who wrote the line."""
        about = [
            each
            for each in self.engine.requests
            if (_same_resource(each, request) and each.sent >= request.sent)
            or self._is(each.physical_id, identity)
            or self._declares(each.declared, each.properties, identity)
        ]
        return any(
            self._says_so(delivery, identity) and self._failed_by(delivery) & {"dynamodb", "cloudformation"}
            for delivery in _deliveries(about)
        )

    def _is_put_off(self, identity: Identity, request: Request) -> bool:
        """Whether the resource will get another request, and one since could not drop it and says so.

        That CloudFormation throttled the question is not said.
        """
        since = [each for each in self.engine.requests if _same_resource(each, request) and each.sent >= request.sent]
        return request.logical_id in request.stack.resources and any(
            (self._says_so(delivery, identity) and self._failed_by(delivery))
            or "cloudformation" in self._failed_by(delivery)
            for delivery in _deliveries(since)
        )

    def _says_so(self, delivery: Delivery, identity: Identity) -> bool:
        named = WORDS.named(identity).lower()
        return any(
            (line["event"] == "may-remain" and self._is(str(line.get("id")), identity))
            or (line["event"] == "released" and line["level"] == "WARNING" and named in str(line).lower())
            for line in delivery.lines
        )

    def _failed_by(self, delivery: Delivery) -> set[str]:
        """What a delivery met faults at."""
        return {each.what for each in self.world.faults if each.actor is delivery}

    # -- promise 5: exactly one valid answer --------------------------------------------------------------------------

    def judge_answers(self) -> None:
        """Every delivery that came to its end gave one valid answer, or let Lambda deliver the request again."""
        for request in self.engine.requests:
            for delivery in request.deliveries:
                if delivery not in self._judged_deliveries and delivery.ended is not None:
                    self._judged_deliveries.add(delivery)
                    self._judge_delivery(request, delivery)
            granted = {answer.physical_id for answer in request.answers if answer.status == "SUCCESS"}
            if len(granted) > 1 and not any(lost >= request.sent for lost, _ in self.world.table.lost):
                self.fail(5, f"{request} has two answers: {sorted(granted)}")

    def _judge_delivery(self, request: Request, delivery: Delivery) -> None:
        for answer in request.answers:
            if answer.delivery is delivery and answer.problem:
                self.fail(5, f"{delivery} answered what CloudFormation refuses: {answer.problem}")
        if len(set(delivery.puts)) > 1:
            self.fail(5, f"{delivery} answered twice, and not the same")
        expired = delivery.began - request.sent > URL_LASTS - TIMEOUT
        if delivery.ended == "returned" and not delivery.puts and not expired:
            self.fail(5, f"{delivery} returned without an answer")
        if delivery.ended == "raised":
            met = self._failed_by(delivery)
            again = "dynamodb" in met and delivery.began - request.sent < _YOUNG and not delivery.puts
            undelivered = "answer" in met or expired or again
            if type(delivery.error).__name__ != "AnswerNotDeliveredError" or not undelivered:
                self.fail(5, f"{delivery} raised {delivery.error!r}")

    # -- promise 6: what faults left behind is healed by deploying again ----------------------------------------------

    def judge_recovery(self, operation: Operation, wanted: frozenset[str]) -> None:
        """With no fault any more, this operation must end so."""
        if operation.result not in wanted:
            reasons = [
                f"{request}: {request.outcome.reason if request.outcome else 'no answer'}"
                for request in self.engine.requests
                if request.operation is operation and not request.succeeded
            ]
            self.fail(6, f"'{operation.what}' without any fault ends in {operation.result}: {'; '.join(reasons)[:600]}")

    # -- reading history ----------------------------------------------------------------------------------------------

    def _when(self, time: float) -> str:
        return f"{time - self.world.began:.1f}"

    def _id(self, text: str) -> AssociationId | None:
        if text not in self._ids:
            self._ids[text] = parse_or_none(self.world.kind, text)
        return self._ids[text]

    def id_of(self, text: str) -> AssociationId | None:
        """What an id text names; None: nothing of ours."""
        return self._id(text)

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

    def _attempts(self, delivery: Delivery) -> list[Attempt]:
        return [attempt for attempt in self.world.attempts if attempt.actor is delivery]


def _same_resource(one: Request, other: Request) -> bool:
    return one.stack is other.stack and one.logical_id == other.logical_id


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


def _writes(attempts: list[Attempt], operation: str, identity: Identity) -> list[Attempt]:
    return [attempt for attempt in attempts if attempt.operation == operation and attempt.is_about(identity)]


def _is_unanswered(write: Attempt) -> bool:
    """Whether nobody learned from its answer what came of it."""
    return write.fault.startswith(("cut", "internal_error", "unanswered"))
