"""The promises as invariants of a Pulumi lifecycle, and the documented limits as predicates on its history.

What happened is read from the service (the changes), from the played engine's runs and state, and from the journal of
attempts. Of the provider's own words only errors and warnings are read: whether they said what they could not know.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

from aws_associations.errors import AlreadyExists, AssociationError, LedgerUnavailable
from aws_associations.identity import AssociationId, Identity, parse_or_none
from aws_associations.kind import Duplicates
from pulumi_aws_associations.words import WORDS
from tests.model.pulumi_engine import Call, Declared, Entry, Pulumi, Run, Stack
from tests.model.world import OTHERS, Attempt, Change, World

DRIFT = "drift: ours was revoked, or granted again, by others while we hold it"
WINDOW = "a foreign grant in the window of our write, or around one that was not answered"
KILLED_CREATE = "a create whose end the engine never learned stays granted"
KILLED_DELETE = "a delete whose end the engine never learned stays in the state until a refresh"
TOLD = "told: an error or a warning says that it is not known, or may remain"
REFRESHED_EARLY = "a refresh read while the service's list lagged behind"
TWO_STACKS = "two stacks declare one pair"
RENAMED = "a rename, an exchange or a new sharing without alias or adoption ends in AlreadyExists"
HALF_REPLACED = "a foreign grant of what a resource had whose replacement failed half way is taken over"
SHARED = "a failed or targeted command revoked what a resource shares that it did not come to"

IN_MEMORY = (TWO_STACKS, RENAMED, HALF_REPLACED, SHARED)
"""With a table they break a promise."""

LIMITS = (DRIFT, WINDOW, KILLED_CREATE, KILLED_DELETE, TOLD, REFRESHED_EARLY, *IN_MEMORY)

_NOT_KNOWN = ("Whether it took effect is not known", "It may be granted and is in no state")


@dataclass
class Promises:
    """Judges one lifecycle, run by run.

    Attributes:
        broken: what was promised and did not hold, in words.
        limits: how often each documented limit occurred.
    """

    world: World
    engine: Pulumi
    broken: list[str] = field(default_factory=list)
    limits: Counter[str] = field(default_factory=Counter)
    _judged_changes: int = 0
    _judged_calls: set[Call] = field(default_factory=set)
    _excused: set[tuple[str, int]] = field(default_factory=set)
    _lost: set[tuple[Entry, int]] = field(default_factory=set)
    _ids: dict[str, AssociationId | None] = field(default_factory=dict)

    def after(self, run: Run) -> None:
        """A command ended."""
        self._judge_calls_and_revocations()
        for entry in run.stack.entries:
            self._judge_state(run, entry)
        if run.result == "ok" and run.command == "up":
            self._judge_declared(run)

    def when_calm(self, moment: str) -> None:
        """Nothing is under way any more, at no stack."""
        self._judge_calls_and_revocations()
        self._judge_leaks(moment)

    def broke(self, promise: int, what: str) -> None:
        """Put down a broken promise."""
        text = f"promise {promise}: {what}"
        self.engine.tell(f"!! {text}")
        self.broken.append(text)

    def _excuse(self, limit: str | None, key: tuple[str, int], promise: int, otherwise: str) -> None:
        """Count a limit once; what is none, or is one of process memory only, breaks the promise."""
        if limit is None or (self.engine.table and limit in IN_MEMORY):
            self.broke(promise, otherwise)
        elif key not in self._excused:
            self._excused.add(key)
            self.limits[limit] += 1
            self.engine.tell(f"-- limit: {limit}")

    def _judge_calls_and_revocations(self) -> None:
        self.world.granted()
        for call in self._all_calls(previews=True):
            if call.ended is not None and call not in self._judged_calls:
                self._judged_calls.add(call)
                self._judge_call(call)
        changes = self.world.ledger.changes
        for change in changes[self._judged_changes :]:
            if not change.granted and isinstance(change.actor, Call):
                self._judge_revocation(change, change.actor)
        self._judged_changes = len(changes)

    # -- promise 1: what a successful deployment declares is granted --------------------------------------------------

    def _judge_declared(self, run: Run) -> None:
        """The state has what is declared; that it is granted is judged for the whole state."""
        for name, declared in run.program.items():
            if run.options.targets and name not in run.options.targets:
                continue
            identity = self.world.identity(declared.values)
            entry = run.stack.find(name)
            if entry is None or not entry.is_held or self.identity(entry) != identity:
                self.broke(1, f"{run} is ok, but the state has {entry} for {name}, which declares {identity}")

    def _judge_state(self, run: Run, entry: Entry) -> None:
        """What the state has must be granted, whatever became of the run."""
        identity = self.identity(entry)
        if not entry.is_held or entry.leaving or identity is None or identity in self.world.ledger.granted:
            return  # what is only to be deleted yet need not be granted
        changes = self.world.ledger.of(identity)
        while len(changes) > 2 and changes[-1].actor is changes[-2].actor and changes[-2].granted:
            changes = changes[:-2]  # granted and undone by one call: it was lost before that
        if not changes:
            self.broke(1, f"after {run} the state has {entry}, which was never granted")
            return
        last = changes[-1]
        if last.granted or ((entry, last.number) in self._lost and not self._was_seen_after(entry, last.time)):
            return  # told before, and perhaps renamed since
        self._lost.add((entry, last.number))
        otherwise = f"after {run} ({run.result}) the state has {entry}, but {last.actor} revoked it"
        self._excuse(self._why_lost(run.stack, entry, identity, last), ("lost", last.number), 1, otherwise)

    def _why_lost(self, stack: Stack, entry: Entry, identity: Identity, last: Change) -> str | None:
        """The limit that it is; None if it is broken."""
        call = last.actor
        if self._was_seen_after(entry, last.time):
            return None
        if not isinstance(call, Call):
            return DRIFT if call == OTHERS else None
        if call.run.stack is not stack:
            claims = self._declares(call, identity) or self._held_at(call.run.stack, identity, call.run.began)
            return TWO_STACKS if claims else None
        if not self._ends(call, identity):
            return None
        if call.ended == "raised":
            return TOLD if self._tells(call, identity) else None
        own = [each for each in self._calls(stack) if each.entry is entry and each.method == "delete"]
        if any(each.ended == "killed" or not each.recorded for each in (call, *own)):
            return KILLED_DELETE
        unseen = call.run.result != "ok" or (call.run.options.targets and entry.key not in call.run.options.targets)
        return SHARED if unseen and not self._came_to(entry, call) else None

    def _was_seen_after(self, entry: Entry, time: float) -> bool:
        """Whether a create, read or update of the resource looked later than that and still took it for granted."""
        stack = next(stack for stack in self.engine.stacks.values() if entry in stack.made)
        calls = [each for each in self._calls(stack) if each.entry is entry and each.method != "delete"]
        for call in [*calls, entry.made]:
            says_so = call.ended == "returned" and (call.method != "read" or call.result.id)
            looked = self._looks(call)[-1:] or ([call.began] if call.method in {"create", "read"} else [])
            if says_so and any(look - self._lag > time for look in looked):
                return True
        return False

    def _came_to(self, entry: Entry, revoked: Call) -> bool:
        """Whether a run had seen a resource before a call of it revoked, or had the time to grant it again."""
        for call in revoked.run.calls:
            if call.preview or call.entry is not entry or call.ended != "returned":
                continue
            before = call.method in {"diff", "read"} and call.at <= revoked.began
            after = call.method == "update" or (call.method == "diff" and not call.result.changes)
            if before or (after and call.at > revoked.at):
                return True
        return False

    # -- promise 2: what is not declared any more, and was ours, is revoked ------------------------------------------

    def _judge_leaks(self, moment: str) -> None:
        entries = [entry for stack in self.engine.stacks.values() for entry in stack.entries]
        held = {self.identity(entry) for entry in entries if entry.is_held}
        for identity, grant in list(self.world.ledger.granted.items()):
            if isinstance(grant.actor, Call) and identity not in held:
                otherwise = f"{moment} no state has {identity} any more, but what {grant.actor} granted is left"
                self._excuse(self._why_left(grant, grant.actor), ("leaked", grant.number), 2, otherwise)

    def _why_left(self, grant: Change, call: Call, before: float = float("inf")) -> str | None:
        """``before``: nothing that was made later counts."""
        identity = grant.identity
        if call.method == "create" and not self._held_after(identity, grant.time, before):
            if self._tells(call, identity):
                return TOLD
            if not call.recorded or call.ended == "killed":
                return KILLED_CREATE
        told = [each for each in self._all_calls() if each.at >= grant.time and self._warns(each, identity)]
        last = max(told, key=lambda each: each.at, default=None)
        if last is not None and not self._held_after(identity, last.at, before, but=last.entry):
            return TOLD
        for read in self._all_calls():
            dropped = read.method == "read" and read.ended == "returned" and not read.result.id
            if not dropped or not self._is(read.id, identity) or self._held_after(identity, read.run.ended, before):
                continue
            # Dropped by a refresh of which the list showed nothing yet.
            if any(look - self._lag <= grant.time <= look for look in self._looks(read)[-1:]):
                return REFRESHED_EARLY
        return None

    # -- promise 3: what we did not grant is never revoked ------------------------------------------------------------

    def _judge_revocation(self, change: Change, call: Call) -> None:
        if call.preview:
            self.broke(3, f"{call} revoked {change.identity} in a preview")
        before = [each for each in self.world.ledger.of(change.identity) if each.number < change.number]
        grant = before[-1]
        if isinstance(grant.actor, Call) and (self.engine.table or grant.actor.run.stack is call.run.stack):
            return
        if not self._is_deliberate(call, grant):
            otherwise = f"{call} revoked {change.identity}, which {grant.actor} had granted"
            self._excuse(self._why_revoked(call, change, grant, before[:-1]), ("revoked", change.number), 3, otherwise)

    def _is_deliberate(self, call: Call, grant: Change) -> bool:
        """Adopted on purpose since then, and now deleted on purpose."""
        return call.method == "delete" and any(
            each.method == "create"
            and each.ended == "returned"
            and each.at >= grant.time
            and self._is(each.result.id, grant.identity, adopted=True)
            and self._declared(each).on_existing == "adopt"
            for each in (self._all_calls() if self.engine.table else self._calls(call.run.stack))
        )

    def _why_revoked(self, call: Call, change: Change, grant: Change, before: list[Change]) -> str | None:
        stack, identity = call.run.stack, change.identity
        if not self._ends(call, identity) and not self._declares(call, identity):
            return None
        ended = before[-1] if before else None
        if ended is not None and self._is_repeated(call, ended):
            return WINDOW
        foreign = isinstance(grant.actor, Call)
        if self._held_at(stack, identity, grant.time, but=call.entry if ended and ended.actor is call else None):
            return TWO_STACKS if foreign else DRIFT
        if self._was_taken_for_gone(stack, identity, grant, change):
            return HALF_REPLACED
        if ended is not None and isinstance(ended.actor, Call) and ended.actor.run.stack is not stack:
            return TWO_STACKS if self._held_at(stack, identity, ended.time) else None
        in_window = self._was_left_asked(grant) or any(
            self._is_in_window(made, look, write, grant, change)
            for made, look, write in self._writes_without_effect(stack, identity, change)
        )
        return (TWO_STACKS if foreign else WINDOW) if in_window else None

    def _is_repeated(self, call: Call, ended: Change) -> bool:
        """Whether the call repeats what had ended the association already, and whose end nobody learned."""
        first = ended.actor
        if not isinstance(first, Call) or first.run.stack is not call.run.stack:
            return False
        if first is call:  # the service lost the answer
            return any(each.fault and ended in each.changes for each in self._attempts(call))
        unlearned = first.method == "delete" and (not first.recorded or first.ended != "returned")
        return unlearned and call.entry is not None and call.entry.is_held_at(ended.time)

    def _was_taken_for_gone(self, stack: Stack, identity: Identity, grant: Change, change: Change) -> bool:
        """Whether a create took it over because the state still showed it as that of a resource that was gone."""
        for create in self._calls(stack):
            took = (
                create.method == "create"
                and create.ended == "returned"
                and self._is(create.result.id, identity)
                and grant.time <= create.at <= change.time
                and not any(each.changes for each in self._writes(create, identity))
            )
            gone = [each for each in create.run.before if self._is(each.id, identity) and each.until <= grant.time]
            shown = [each for each in create.run.calls if each.method == "diff" and not each.preview]
            if took and any(each.entry in gone and each.at <= create.at for each in shown):
                return True
        return False

    def _was_left_asked(self, grant: Change) -> bool:
        """Whether the table went on saying that a create may have granted it, and the service cannot tell."""
        kind = self.world.kind
        tells = kind.duplicates is Duplicates.CONFLICT and kind.token is not None
        left = [
            each
            for each in self._all_calls()
            if self._declares(each, grant.identity) and each.began <= grant.time and each.ended != "returned"
        ]
        return bool(self.engine.table and left and not tells)

    def _is_in_window(self, call: Call, look: float, write: Attempt, grant: Change, change: Change) -> bool:
        """Others granted after a look of ours, or in what it could not show yet, and our write had no effect."""
        if grant.time < look - self._lag:
            return False
        if write.fault:
            unknown = write.fault.startswith(("cut", "internal_error", "unanswered"))
            return unknown and grant.time <= min(call.at, change.time)
        # What a list shows then may be the past; a repeated token may have granted nothing until the look after it.
        until = self._lag if self.world.kind.token is None else max(self._lag, self.world.kind.settle_seconds)
        longest = max(write.time, min(write.time + until, call.at))
        conflicts = self.world.kind.duplicates is Duplicates.CONFLICT
        return not conflicts and grant.time <= longest and self._declares(call, grant.identity)

    def _writes_without_effect(
        self, stack: Stack, identity: Identity, change: Change
    ) -> Iterator[tuple[Call, float, Attempt]]:
        """Before a change: the call, when it had looked last, and the write."""
        for call in self._all_calls() if self.engine.table else self._calls(stack):
            for write in self._writes(call, identity):
                looks = [look for look in self._looks(call) if look < write.time]
                if not write.changes and looks and write.time <= change.time:
                    yield call, looks[-1], write

    # -- what a user is told ------------------------------------------------------------------------------------------

    def _judge_call(self, call: Call) -> None:
        """Nothing but errors of ours, no call by a diff, and a remedy where a rename or an exchange ends."""
        error = call.error
        if call.ended == "raised" and (
            not isinstance(error, AssociationError) or getattr(error, "code", "") == "InternalFailure"
        ):
            self.broke(4, f"{call} ended in {error!r}")
        if call.method == "diff" and self._attempts(call):
            self.broke(4, f"{call} called the service")
        if isinstance(error, AlreadyExists) and call.method == "create":
            self._judge_already_exists(call, str(error))

    def _judge_already_exists(self, call: Call, text: str) -> None:
        identity, run = self.world.identity(self._declared(call).values), call.run
        if self._declared(call).on_existing == "adopt":
            self.broke(6, f"{call} adopts, and ends in {text}")
        grant = self.world.ledger.granted.get(identity)
        holders = [entry for entry in run.before if entry.is_held_at(run.began) and self._is(entry.id, identity)]
        if not holders or grant is None:
            return
        remedies = ("aliases", "pulumi up --refresh") if not self.engine.table else ()
        if not all(word in text for word in remedies) and "this run revoked it" not in text:
            self.broke(6, f"{call} ends in AlreadyExists without a remedy: {text}")
        if not isinstance(grant.actor, Call) or grant.actor.run.stack is not run.stack:
            return  # it is others' by now
        if self.engine.table and self._is_held_elsewhere(run.stack, identity, call.at):
            return
        reads = [each for each in run.calls if each.method == "read" and not each.preview and each.at <= call.began]
        for holder in holders:
            if any(each.entry is holder and each.ended == "returned" and each.result.id for each in reads):
                self.broke(6, f"{call} ends in AlreadyExists, though a refresh had shown {holder}")
        self._excuse(RENAMED, (run.stack.name, 10_000 * run.number + call.number), 6, f"{call} ends in {text}")

    # -- promise 6: what faults left behind is healed by deploying again ----------------------------------------------

    def judge_recovery(self, run: Run) -> None:
        """With no fault any more it must succeed, or say what is in the way: others, or what nobody could know."""
        if run.result == "ok":
            return
        raised = [call for call in run.calls if call.ended == "raised"]
        for call in raised:
            if not isinstance(call.error, AlreadyExists) or not self._is_in_the_way(call):
                self.broke(6, f"{run} without any fault: {call} ends in {call.error}")
        if not raised:
            self.broke(6, f"{run} without any fault fails: {run.errors}")

    def _is_in_the_way(self, call: Call) -> bool:
        identity, own = self.world.identity(self._declared(call).values), call.run.stack
        grant = self.world.ledger.granted.get(identity)
        if self._is_held_elsewhere(own, identity, call.at):
            return True
        if grant is None or not isinstance(grant.actor, Call) or grant.actor.run.stack is not own:
            return grant is not None
        held = any(entry.is_held and self.identity(entry) == identity for entry in call.run.before)
        return not held and self._why_left(grant, grant.actor, call.began) is not None

    # -- reading history ----------------------------------------------------------------------------------------------

    @property
    def _lag(self) -> float:
        return float(self.world.switches.get("list_lag_seconds", 0.0))

    def identity(self, entry: Entry) -> Identity | None:
        """What an entry means."""
        known = self._id(entry.id)
        return known.identity if known else None

    def _held_at(self, stack: Stack, identity: Identity, time: float, but: Entry | None = None) -> bool:
        """Whether the stack had it: in its state, or granted by the create of what came into the state."""
        for entry in stack.made:
            if entry is but or not self._is(entry.id, identity):
                continue
            own = [each.time for each in self.world.ledger.of(identity) if each.actor is entry.made and each.granted]
            if min([entry.made.at, *own]) <= time < entry.until:
                return True
        return False

    def _is_held_elsewhere(self, stack: Stack, identity: Identity, time: float) -> bool:
        """Whether another stack had it then, or a table says so because nobody learned how a create ended."""
        others = [other for other in self.engine.stacks.values() if other is not stack]
        unlearned = [
            call
            for call in self._all_calls()
            if call.run.stack is not stack and self._declares(call, identity)
            if call.ended == "killed" or not call.recorded
        ]
        held = any(self._held_at(other, identity, time) for other in others)
        return held or bool(self.engine.table and unlearned)

    def _held_after(self, identity: Identity, time: float, before: float, but: Entry | None = None) -> bool:
        """Whether any state had it later than that, by what was made before a moment."""
        made = [entry for stack in self.engine.stacks.values() for entry in stack.made if entry is not but]
        return any(entry.until > time and entry.made.at < before and self._is(entry.id, identity) for entry in made)

    @staticmethod
    def _declared(call: Call) -> Declared:
        return call.run.program[call.key]

    def _declares(self, call: Call, identity: Identity) -> bool:
        """Whether it is the create, or the update, of a resource that declares this."""
        return call.method in {"create", "update"} and self.world.identity(self._declared(call).values) == identity

    def _ends(self, call: Call, identity: Identity) -> bool:
        """Whether it is the delete of it, or a create that replaces what a delete had left it to."""
        if call.method == "delete":
            return self._is(call.id, identity)
        left = [each for each in call.run.calls if each.method == "delete" and self._is(each.id, identity)]
        return call.method == "create" and not self._declares(call, identity) and bool(left)

    def _all_calls(self, *, previews: bool = False) -> list[Call]:
        return [call for run in self.engine.runs for call in run.calls if previews or not call.preview]

    def _calls(self, stack: Stack) -> list[Call]:
        return sorted((call for call in self._all_calls() if call.run.stack is stack), key=lambda call: call.at)

    def _attempts(self, call: Call) -> list[Attempt]:
        return [attempt for attempt in self.world.attempts if attempt.actor is call]

    def _looks(self, call: Call) -> list[float]:
        """When it looked, before it revoked anything."""
        times = []
        for attempt in self._attempts(call):
            if attempt.operation == self.world.kind.disassociate:
                break
            if attempt.operation == self.world.kind.look.operation:
                times.append(attempt.time)
        return times

    def _writes(self, call: Call, identity: Identity) -> list[Attempt]:
        kind = self.world.kind
        return [each for each in self._attempts(call) if each.operation == kind.associate and each.is_about(identity)]

    @staticmethod
    def _tells(call: Call, identity: Identity) -> bool:
        """Whether an error says that its outcome is not known."""
        text = str(call.error)
        told = any(words in text for words in _NOT_KNOWN) or isinstance(call.error, LedgerUnavailable)
        return call.ended == "raised" and told and WORDS.named(identity) in text

    @staticmethod
    def _warns(call: Call, identity: Identity) -> bool:
        """Whether it warned that this may remain, or that nobody can say for whom it is kept."""
        words = ("may-remain", "cannot be asked")
        return any(WORDS.named(identity) in line and any(word in line for word in words) for line in call.lines)

    def _id(self, text: str) -> AssociationId | None:
        if text not in self._ids:
            self._ids[text] = parse_or_none(self.world.kind, text)
        return self._ids[text]

    def _is(self, text: str, identity: Identity, *, adopted: bool | None = None) -> bool:
        known = self._id(text)
        return known is not None and known.identity == identity and adopted in (None, known.adopted)
