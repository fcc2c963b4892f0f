"""The promises as invariants of a Pulumi lifecycle, and the documented limits as predicates on its history.

What happened is read from the service (the ledger of changes), from the played engine's runs and state, and from the
journal of attempts. Of the provider's own words only errors are read: whether they said what they could not know.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

from aws_associations.errors import AlreadyExists, AssociationError
from aws_associations.identity import AssociationId, Identity, parse_or_none
from aws_associations.kind import Duplicates
from tests.model.pulumi_engine import Call, Declared, Entry, Pulumi, Run, Stack
from tests.model.world import NOBODY, OTHERS, Attempt, Change, World

TWO_STACKS = "two stacks declare one pair"
DRIFT = "drift: ours was revoked, or granted again, by others while we hold it"
WINDOW = "a foreign grant between our look and our write"
UNKNOWN = "a foreign grant around a write whose outcome is unknown"
REPEATED_DELETE = "a foreign grant before a delete that is repeated because nobody learned of its end"
KILLED_CREATE = "a create whose end the engine never learned stays granted"
KILLED_DELETE = "a delete whose end the engine never learned stays in the state until a refresh"
TOLD = "told: an error or a warning says that it is not known, or may remain"
RENAMED = "a rename without alias or adoption ends in AlreadyExists"
SWAPPED = "an exchange, or a new sharing, without adoption stops half way"
HALF_REPLACED = "a foreign grant of what a resource had whose replacement failed half way is taken over"
LEFT = "left to a resource whose replacement had failed, in an up that failed before it was made"
TARGETED = "a targeted command revokes what an untargeted resource shares"
SHARED = "a failed update revoked what a resource shares that it had not come to"
REFRESHED_EARLY = "a refresh read while the service's list lagged behind"

LIMITS = (
    TWO_STACKS,
    DRIFT,
    WINDOW,
    UNKNOWN,
    REPEATED_DELETE,
    KILLED_CREATE,
    KILLED_DELETE,
    TOLD,
    RENAMED,
    SWAPPED,
    HALF_REPLACED,
    LEFT,
    TARGETED,
    SHARED,
    REFRESHED_EARLY,
)

_NOT_KNOWN = "Whether it took effect is not known"


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

    # -- when to judge what -------------------------------------------------------------------------------------------

    def after(self, run: Run) -> None:
        """A command ended."""
        self.world.granted()
        self.judge_calls()
        self.judge_revocations()
        for entry in run.stack.ours:
            self._judge_state(run, entry)
        if run.result == "ok" and run.command == "up":
            self._judge_declared(run)

    def when_calm(self, moment: str) -> None:
        """Nothing is under way any more, at no stack."""
        self.world.granted()
        self.judge_calls()
        self.judge_revocations()
        self._judge_leaks(moment)

    def broke(self, promise: int, what: str) -> None:
        """Put down a broken promise."""
        text = f"promise {promise}: {what}"
        self.engine.tell(f"!! {text}")
        self.broken.append(text)

    def _limit(self, name: str, key: tuple[str, int]) -> None:
        if key not in self._excused:
            self._excused.add(key)
            self.limits[name] += 1
            self.engine.tell(f"-- limit: {name}")

    # -- promise 1: what a successful deployment declares is granted --------------------------------------------------

    def _judge_declared(self, run: Run) -> None:
        """The state has what is declared; that it is granted is judged for the whole state."""
        for name, declared in run.program.items():
            if not isinstance(declared, Declared) or (run.options.targets and name not in run.options.targets):
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
        last = changes[-1] if changes else None
        if last is None:
            self.broke(1, f"after {run} the state has {entry}, which was never granted")
            return
        if last.granted:
            return
        if (entry, last.number) in self._lost and not self._was_seen_after(entry, last.time):
            return  # told before, and perhaps renamed since
        limit = self._why_lost(run.stack, entry, identity, last)
        if limit is None:
            how = f"{last.actor} revoked it at {self._when(last.time)}"
            self.broke(1, f"after {run} ({run.result}) the state has {entry}, but {how}")
        else:
            self._lost.add((entry, last.number))
            self._limit(limit, ("lost", last.number))

    def _why_lost(self, stack: Stack, entry: Entry, identity: Identity, last: Change) -> str | None:
        """The limit that it is; None if it is broken."""
        if self._was_seen_after(entry, last.time):
            return None
        if last.actor == OTHERS:
            return DRIFT
        if not isinstance(last.actor, Call):
            return None
        call = last.actor
        if call.run.stack is not stack:
            return TWO_STACKS if self._claims(call, identity) else None
        if not self._ends(call, identity):
            return None
        if call.ended == "raised":
            return TOLD if self._tells(call, identity) else None
        if call.ended == "killed" or not call.recorded:
            return KILLED_DELETE
        targets = call.run.options.targets
        if targets and entry.key not in targets and call.key in targets:
            return TARGETED
        own = [each for each in self._calls(stack) if each.entry is entry]
        if any(each.method == "delete" and each.at >= last.time and not each.recorded for each in own):
            return KILLED_DELETE
        return SHARED if call.run.result != "ok" and not self._came_to(entry, call) else None

    def _was_seen_after(self, entry: Entry, time: float) -> bool:
        """Whether a create, read or update of the resource looked later than that and still took it for granted."""
        lag = float(self.world.switches.get("list_lag_seconds", 0.0))
        calls = [each for each in self._calls(self._stack_of(entry)) if each.entry is entry and each.method != "delete"]
        for call in [*calls, *([entry.made] if entry.made else [])]:
            says_so = call.ended == "returned" and (call.method != "read" or call.result.id)
            looked = self._looks(call)[-1:] or ([call.began] if call.method in {"create", "read"} else [])
            if says_so and any(look - lag > time for look in looked):
                return True
        return False

    def _came_to(self, entry: Entry, revoked: Call) -> bool:
        """Whether a run had seen a resource before a call of it revoked, or had the time to grant it again."""
        for call in revoked.run.calls:
            if call.preview or call.entry is not entry or call.ended != "returned":
                continue
            if call.method in {"diff", "read"} and call.at <= revoked.began:
                return True
            if call.method == "update" and call.at > revoked.at:
                return True
            if call.method == "diff" and call.at > revoked.at and not call.result.changes:
                return True
        return False

    # -- promise 2: what is not declared any more, and was ours, is revoked ------------------------------------------

    def _judge_leaks(self, moment: str) -> None:
        for identity, grant in list(self.world.ledger.granted.items()):
            call = grant.actor
            if not isinstance(call, Call) or self._holders(identity):
                continue
            limit = self._why_left(grant, call)
            if limit is None:
                self.broke(
                    2,
                    f"{moment} no state has {identity} any more, but what {call} granted at {self._when(grant.time)}"
                    " is left",
                )
            else:
                self._limit(limit, ("leaked", grant.number))

    def _why_left(self, grant: Change, call: Call, before: float = float("inf")) -> str | None:
        """``before``: nothing that was made later counts."""
        identity = grant.identity
        if call.method == "create" and not self._held_after(identity, grant.time, before):
            if call.ended == "raised" and self._tells(call, identity):
                return TOLD
            if not call.recorded or call.ended == "killed":
                return KILLED_CREATE
        if self._is_left_to_gone(grant, before):
            return LEFT
        told = [each for each in self._all_calls() if each.at >= grant.time and self._warns(each, identity)]
        if told and not self._held_after(identity, told[-1].at, before):
            return TOLD
        lag = float(self.world.switches.get("list_lag_seconds", 0.0))
        for read in self._all_calls():
            dropped = read.method == "read" and read.ended == "returned" and not read.result.id
            if not dropped or not self._is(read.id, identity) or self._held_after(identity, read.run.ended, before):
                continue
            # Dropped by a refresh of which the list showed nothing yet.
            if any(look - lag <= grant.time <= look for look in self._looks(read)[-1:]):
                return REFRESHED_EARLY
        return None

    def _is_left_to_gone(self, grant: Change, before: float) -> bool:
        """Whether a delete left it to a resource that was gone, and the up that was to replace that one failed."""
        for call in self._all_calls():
            run = call.run
            released = call.method == "delete" and call.ended == "returned" and self._is(call.id, grant.identity)
            if not released or run.result == "ok" or call.at < grant.time:
                continue
            for entry in self._gone_before(run, grant.identity):
                shown = any(
                    each.method == "diff" and each.entry is entry and not each.preview and each.at <= call.at
                    for each in run.calls
                )
                made = any(each.key == entry.key and each.made in run.calls for each in run.stack.made)
                if shown and not made and not self._held_after(grant.identity, call.at, before):
                    return True
        return False

    # -- promise 3: what we did not grant is never revoked ------------------------------------------------------------

    def judge_revocations(self) -> None:
        """Every revocation by a provider since the last time."""
        changes = self.world.ledger.changes
        for change in changes[self._judged_changes :]:
            if not change.granted and isinstance(change.actor, Call):
                self._judge_revocation(change, change.actor)
        self._judged_changes = len(changes)

    def _judge_revocation(self, change: Change, call: Call) -> None:
        if call.preview:
            self.broke(3, f"{call} revoked {change.identity} in a preview")
        before = [each for each in self.world.ledger.of(change.identity) if each.number < change.number]
        grant = before[-1]
        if isinstance(grant.actor, Call) and grant.actor.run.stack is call.run.stack:
            return
        if self._is_deliberate(call, grant):
            return
        limit = self._why_revoked(call, change, grant, before[:-1])
        if limit is not None:
            self._limit(limit, ("revoked", change.number))
            return
        whose = f"stack {grant.actor.run.stack.name}" if isinstance(grant.actor, Call) else "others"
        self.broke(3, f"{call} revoked {change.identity}, which {whose} had granted at {self._when(grant.time)}")

    def _is_deliberate(self, call: Call, grant: Change) -> bool:
        """Adopted on purpose since then, and now deleted on purpose."""
        known = self._id(call.id)
        return (
            call.method == "delete"
            and known is not None
            and known.adopted
            and any(
                each.method == "create"
                and each.ended == "returned"
                and each.at >= grant.time
                and self._is(each.result.id, grant.identity, adopted=True)
                and self._declared(each).on_existing == "adopt"
                for each in self._calls(call.run.stack)
            )
        )

    def _why_revoked(self, call: Call, change: Change, grant: Change, before: list[Change]) -> str | None:
        stack, identity = call.run.stack, change.identity
        if not self._ends(call, identity) and not self._declares(call, identity):
            return None
        ended = before[-1] if before else None
        if ended is not None and self._is_repeated(call, ended):
            return REPEATED_DELETE
        deleted = call.entry if ended is not None and ended.actor is call else None
        if self._held_at(stack, identity, grant.time, but=deleted):
            return TWO_STACKS if isinstance(grant.actor, Call) else DRIFT
        if self._was_taken_for_gone(stack, identity, grant, change):
            return HALF_REPLACED
        if ended is not None and isinstance(ended.actor, Call) and ended.actor.run.stack is not stack:
            return TWO_STACKS if self._held_at(stack, identity, ended.time) else None
        found = self._in_window(stack, identity, grant, change) or self._around_unknown(stack, identity, grant, change)
        return TWO_STACKS if found and isinstance(grant.actor, Call) else found

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
                and not any(each.changes for each in self._writes(self._attempts(create), identity))
            )
            if not took:
                continue
            for entry in self._gone_before(create.run, identity):
                shown = [each for each in create.run.calls if each.entry is entry and each.method == "diff"]
                if entry.until <= grant.time and any(not each.preview and each.at <= create.at for each in shown):
                    return True
        return False

    def _in_window(self, stack: Stack, identity: Identity, grant: Change, change: Change) -> str | None:
        """Others granted after a look of ours (or in what it could not show yet), and our write had no effect."""
        if self.world.kind.duplicates is Duplicates.CONFLICT:
            return None
        lag = float(self.world.switches.get("list_lag_seconds", 0.0))
        for call, look, write in self._writes_without_effect(stack, identity, change):
            # What a list shows then may be the past; a repeated token may have granted nothing until the look after it.
            until = lag if self.world.kind.token is None else max(lag, self.world.kind.settle_seconds)
            longest = max(write.time, min(write.time + until, call.at))
            if not write.fault and look - lag <= grant.time <= longest and self._declares(call, identity):
                return WINDOW
        return None

    def _around_unknown(self, stack: Stack, identity: Identity, grant: Change, change: Change) -> str | None:
        """A write of ours failed without a definite answer and without effect, and others granted about then."""
        lag = float(self.world.switches.get("list_lag_seconds", 0.0))
        for call, look, write in self._writes_without_effect(stack, identity, change):
            unknown = write.fault.startswith(("cut", "internal_error"))
            if unknown and look - lag <= grant.time <= min(call.at, change.time):
                return UNKNOWN
        return None

    def _writes_without_effect(
        self, stack: Stack, identity: Identity, change: Change
    ) -> Iterator[tuple[Call, float, Attempt]]:
        """Before a change: the call, when it had looked last, and the write."""
        for call in self._calls(stack):
            attempts = self._attempts(call)
            for write in self._writes(attempts, identity):
                looks = [look for look in self._looks(call) if look < write.time]
                if not write.changes and looks and write.time <= change.time:
                    yield call, looks[-1], write

    # -- what a user is told ------------------------------------------------------------------------------------------

    def judge_calls(self) -> None:
        """Nothing but errors of ours, no write in a preview, and a remedy in what a rename or an exchange ends in."""
        for run in self.engine.runs:
            for call in run.calls:
                if call.ended is not None and call not in self._judged_calls:
                    self._judged_calls.add(call)
                    self._judge_call(call)

    def _judge_call(self, call: Call) -> None:
        if call.ended == "raised" and not isinstance(call.error, AssociationError):
            self.broke(4, f"{call} ended in {call.error!r}")
        if call.ended == "raised" and getattr(call.error, "code", "") == "InternalFailure":
            self.broke(4, f"{call} ended in {call.error}")
        if call.method == "check" and self._attempts(call):
            self.broke(4, f"{call} called the service")
        if isinstance(call.error, AlreadyExists) and call.method == "create":
            self._judge_already_exists(call)

    def _judge_already_exists(self, call: Call) -> None:
        declared = call.run.program[call.key]
        assert isinstance(declared, Declared)
        identity = self.world.identity(declared.values)
        if declared.on_existing == "adopt":
            self.broke(6, f"{call} adopts, and ends in {call.error}")
        run, grant = call.run, self.world.ledger.granted.get(identity)
        holders = [entry for entry in run.before if entry.is_held_at(run.began) and self._is(entry.id, identity)]
        if not holders or grant is None:
            return
        text = str(call.error)
        if not all(word in text for word in ("aliases", "pulumi up --refresh")) and "this run revoked it" not in text:
            self.broke(6, f"{call} ends in AlreadyExists without a remedy: {text}")
        if not isinstance(grant.actor, Call) or grant.actor.run.stack is not run.stack:
            return  # it is others' by now
        for holder in holders:
            shown = [each for each in run.calls if each.entry is holder and each.method == "read" and not each.preview]
            if any(each.ended == "returned" and each.result.id and each.at <= call.began for each in shown):
                self.broke(6, f"{call} ends in AlreadyExists, though a refresh had shown {holder}")
        gone = all(holder.key not in run.program for holder in holders)
        self._limit(RENAMED if gone else SWAPPED, (run.stack.name, 10_000 * run.number + call.number))

    # -- promise 6: what faults left behind is healed by deploying again ----------------------------------------------

    def judge_recovery(self, run: Run) -> None:
        """With no fault any more it must succeed, or say what is in the way: others, or what nobody could know."""
        if run.result == "ok":
            return
        for call in run.calls:
            if call.ended != "raised":
                continue
            if isinstance(call.error, AlreadyExists) and self._is_in_the_way(call):
                continue
            self.broke(6, f"{run} without any fault: {call} ends in {call.error}")
        if not any(call.ended == "raised" for call in run.calls):
            self.broke(6, f"{run} without any fault fails: {run.errors}")

    def _is_in_the_way(self, call: Call) -> bool:
        declared = call.run.program[call.key]
        assert isinstance(declared, Declared)
        grant = self.world.ledger.granted.get(self.world.identity(declared.values))
        if grant is None:
            return False
        owner = grant.actor
        if not isinstance(owner, Call) or owner.run.stack is not call.run.stack:
            return True
        if any(self._held_at(stack, grant.identity, call.at) for stack in self._others(call.run.stack)):
            return True
        held = any(entry.is_held and self.identity(entry) == grant.identity for entry in call.run.before)
        return not held and self._why_left(grant, owner, call.began) is not None

    # -- reading history ----------------------------------------------------------------------------------------------

    def identity(self, entry: Entry) -> Identity | None:
        """What an entry means."""
        known = self._id(entry.id)
        return known.identity if known else None

    def _holders(self, identity: Identity) -> list[Entry]:
        return [
            entry
            for stack in self.engine.stacks.values()
            for entry in stack.ours
            if entry.is_held and self.identity(entry) == identity
        ]

    def _held_at(self, stack: Stack, identity: Identity, time: float, but: Entry | None = None) -> bool:
        """Whether the stack had it: in its state, or granted by the create of what came into the state."""
        for entry in stack.made:
            if entry is but or not self._is(entry.id, identity) or entry.made is None:
                continue
            own = [each.time for each in self.world.ledger.of(identity) if each.actor is entry.made and each.granted]
            if min([entry.made.at, *own]) <= time < entry.until:
                return True
        return False

    def _held_after(self, identity: Identity, time: float, before: float) -> bool:
        """Whether any state had it later than that, by what was made before a moment."""
        made = [entry for stack in self.engine.stacks.values() for entry in stack.made]
        return any(
            entry.until > time and entry.made is not None and entry.made.at < before and self._is(entry.id, identity)
            for entry in made
        )

    def _gone_before(self, run: Run, identity: Identity) -> list[Entry]:
        """What the state showed when a run began, though it had been deleted: its replacement had failed."""
        return [entry for entry in run.before if self._is(entry.id, identity) and entry.until <= run.began]

    def _stack_of(self, entry: Entry) -> Stack:
        return next(stack for stack in self.engine.stacks.values() if entry in stack.made)

    def _others(self, stack: Stack) -> list[Stack]:
        return [other for other in self.engine.stacks.values() if other is not stack]

    def _declared(self, call: Call) -> Declared:
        declared = call.run.program[call.key]
        assert isinstance(declared, Declared)
        return declared

    def _declares(self, call: Call, identity: Identity) -> bool:
        """Whether it is the create, or the update, of a resource that declares this."""
        return call.method in {"create", "update"} and self.world.identity(self._declared(call).values) == identity

    def _ends(self, call: Call, identity: Identity) -> bool:
        """Whether it is the delete of it, or a create that replaces what a delete had left it to."""
        if call.method == "delete":
            return self._is(call.id, identity)
        left = [each for each in call.run.calls if each.method == "delete" and self._is(each.id, identity)]
        return call.method == "create" and not self._declares(call, identity) and bool(left)

    def _claims(self, call: Call, identity: Identity) -> bool:
        """Whether its stack has or declares it."""
        return self._declares(call, identity) or self._held_at(call.run.stack, identity, call.run.began)

    def _all_calls(self) -> list[Call]:
        return [call for stack in self.engine.stacks.values() for call in self._calls(stack)]

    def _looks(self, call: Call) -> list[float]:
        """When it looked, before it revoked anything."""
        times = []
        for attempt in self._attempts(call):
            if attempt.operation == self.world.kind.disassociate:
                break
            if attempt.operation == self.world.kind.look.operation:
                times.append(attempt.time)
        return times

    def _calls(self, stack: Stack) -> list[Call]:
        calls = [call for run in self.engine.runs if run.stack is stack for call in run.calls if not call.preview]
        return sorted(calls, key=lambda call: call.at)

    def _attempts(self, call: Call) -> list[Attempt]:
        return [attempt for attempt in self.world.attempts if attempt.actor is call]

    def _writes(self, attempts: list[Attempt], identity: Identity) -> list[Attempt]:
        kind = self.world.kind
        return [each for each in attempts if each.operation == kind.associate and each.is_about(identity)]

    @staticmethod
    def _tells(call: Call, identity: Identity) -> bool:
        """Whether an error says that its outcome is not known."""
        return call.ended == "raised" and _NOT_KNOWN in str(call.error) and str(identity) in str(call.error)

    @staticmethod
    def _warns(call: Call, identity: Identity) -> bool:
        """Whether it warned that this may remain."""
        return any("may-remain" in line and str(identity) in line for line in call.lines)

    def _when(self, time: float) -> str:
        return f"{time - self.world.began:.1f}"

    def _id(self, text: str) -> AssociationId | None:
        if text not in self._ids:
            self._ids[text] = parse_or_none(self.world.kind, text)
        return self._ids[text]

    def _is(self, text: str, identity: Identity, *, adopted: bool | None = None) -> bool:
        known = self._id(text)
        return known is not None and known.identity == identity and adopted in (None, known.adopted)


__all__ = ["LIMITS", "NOBODY", "OTHERS", "Promises"]
