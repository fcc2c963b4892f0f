"""The promises as invariants of a Pulumi lifecycle, and the documented limits as predicates on its history.

What happened is read from the service (the ledger of changes), from the played engine's runs and state, and from the
journal of attempts. Of the provider's own words only errors are read: whether they said what they could not know.
"""

from __future__ import annotations

from collections import Counter
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
REPEATED_DELETE = "a foreign grant before a delete that is repeated because the engine never learned of its end"
KILLED_CREATE = "a create whose end the engine never learned stays granted"
KILLED_DELETE = "a delete whose end the engine never learned stays in the state until a refresh"
TOLD = "told: the error says that the outcome is not known"
RENAMED = "a rename without alias or adoption ends in AlreadyExists"
SWAPPED = "an exchange without adoption stops half way"
HALF_REPLACED = "a foreign grant of what a resource had whose replacement failed half way"
TARGETED = "a targeted command revokes what an untargeted resource shares"
SHARED = "a failed update revoked what a resource shares that it had not come to"
REFRESHED_EARLY = "a refresh read while the service's list lagged behind"

# Not in the design's list of limits, found here: HALF_REPLACED, TARGETED, SHARED, REFRESHED_EARLY.
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
        if not entry.is_held or identity is None or identity in self.world.ledger.granted:
            return
        changes = self.world.ledger.of(identity)
        last = changes[-1] if changes else None
        if last is None:
            self.broke(1, f"after {run} the state has {entry}, which was never granted")
            return
        if last.granted:
            return
        if (entry, last.number) in self._lost:
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
        if not isinstance(last.actor, Call):
            return DRIFT
        call = last.actor
        if call.run.stack is not stack:
            return TWO_STACKS
        if call.method == "delete" and call.ended != "returned":
            return TOLD if self._says_unknown(call) else KILLED_DELETE if call.ended == "killed" else None
        if not call.recorded:
            return KILLED_DELETE
        if self._says_unknown(call):
            return TOLD
        if call.run.options.targets and entry.key not in call.run.options.targets:
            return TARGETED
        own = [each for each in self._calls(stack) if each.key == entry.key and each.id == entry.id]
        if any(each.method == "delete" and each.at >= last.time and not each.recorded for each in own):
            return KILLED_DELETE
        shown = any(each.run is call.run and each.method in {"diff", "read"} and each.at <= call.began for each in own)
        if call.run.result != "ok" and call.method == "delete" and not shown:
            return SHARED
        return None

    # -- promise 2: what is not declared any more, and was ours, is revoked ------------------------------------------

    def _judge_leaks(self, moment: str) -> None:
        for identity, grant in list(self.world.ledger.granted.items()):
            call = grant.actor
            if not isinstance(call, Call) or self._holders(identity):
                continue
            limit = self._why_left(identity, call)
            if limit is None:
                self.broke(
                    2,
                    f"{moment} no state has {identity} any more, but what {call} granted at {self._when(grant.time)}"
                    " is left",
                )
            else:
                self._limit(limit, ("leaked", grant.number))

    def _why_left(self, identity: Identity, call: Call) -> str | None:
        if not call.recorded:
            return KILLED_CREATE
        if call.ended == "killed":
            return KILLED_CREATE
        if self._says_unknown(call):
            return TOLD
        # Dropped by a refresh of which the list showed nothing yet.
        lag = float(self.world.switches.get("list_lag_seconds", 0.0))
        for run in self.engine.runs:
            for read in run.calls:
                dropped = read.method == "read" and read.ended == "returned" and not read.result.id
                if dropped and self._id(read.id) and self._is(read.id, identity):
                    recent = [
                        each for each in self.world.ledger.of(identity) if read.began - lag <= each.time <= read.at
                    ]
                    if recent:
                        return REFRESHED_EARLY
        return None

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
                for run in self.engine.runs
                if run.stack is call.run.stack
                for each in run.calls
            )
        )

    def _why_revoked(self, call: Call, change: Change, grant: Change, before: list[Change]) -> str | None:
        stack, identity = call.run.stack, change.identity
        ended = before[-1] if before else None
        if ended is not None and isinstance(ended.actor, Call) and ended.actor.run.stack is stack:
            first = ended.actor
            if first.method == "delete" and (not first.recorded or first.ended != "returned"):
                return REPEATED_DELETE
            if first is call:
                return REPEATED_DELETE  # the service lost the answer, and it was repeated
        if self._held_at(stack, identity, grant.time):
            return DRIFT
        if self._half_replaced(stack, identity, grant.time):
            return HALF_REPLACED
        if ended is not None and isinstance(ended.actor, Call) and ended.actor.run.stack is not stack:
            return TWO_STACKS if self._held_at(stack, identity, ended.time) else None
        return self._in_window(stack, identity, grant) or self._around_unknown(stack, identity, grant, change)

    def _in_window(self, stack: Stack, identity: Identity, grant: Change) -> str | None:
        """Others granted after a look of ours (or in what it could not show yet), and our write had no effect."""
        if self.world.kind.duplicates is Duplicates.CONFLICT:
            return None
        lag = float(self.world.switches.get("list_lag_seconds", 0.0))
        for call in self._calls(stack):
            attempts = self._attempts(call)
            for write in self._writes(attempts, identity):
                looks = [
                    each.time
                    for each in attempts
                    if each.time < write.time and each.operation == self.world.kind.look.operation
                ]
                if not write.changes and looks and looks[-1] - lag <= grant.time <= write.time:
                    return WINDOW
        return None

    def _around_unknown(self, stack: Stack, identity: Identity, grant: Change, change: Change) -> str | None:
        """A write of ours failed without a definite answer and without effect, and others granted about then."""
        for call in self._calls(stack):
            for write in self._writes(self._attempts(call), identity):
                unknown = write.fault.startswith(("cut", "internal_error")) and not write.changes
                if unknown and write.time - 10 <= grant.time <= min(call.at, change.time):
                    return UNKNOWN
        return None

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
        holders = [
            entry for entry in call.run.before if entry.is_ours and self._is(entry.id, identity) and not entry.replacing
        ]
        if not holders or identity not in self.world.ledger.granted:
            return
        text = str(call.error)
        if not all(word in text for word in ("aliases", "pulumi up --refresh")) and "this run revoked it" not in text:
            self.broke(6, f"{call} ends in AlreadyExists without a remedy: {text}")
        gone = all(holder.key not in call.run.program for holder in holders)
        self._limit(RENAMED if gone else SWAPPED, (call.run.stack.name, 10_000 * call.run.number + call.number))

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
        held = any(entry.is_held and self.identity(entry) == grant.identity for entry in call.run.before)
        return not held and self._why_left(grant.identity, owner) is not None

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

    def _held_at(self, stack: Stack, identity: Identity, time: float) -> bool:
        """Whether the stack had it: a create of it ended well before, and no delete of that since."""
        held = 0
        for call in self._calls(stack):
            if call.at > time or not call.recorded or call.ended != "returned":
                continue
            if call.method == "create" and self._is(call.result.id, identity):
                held += 1
            elif call.method == "delete" and self._is(call.id, identity):
                held -= 1
        return held > 0

    def _half_replaced(self, stack: Stack, identity: Identity, time: float) -> bool:
        """Whether a resource had it whose replacement failed after the delete."""
        for run in self.engine.runs:
            if run.stack is not stack:
                continue
            for call in run.calls:
                if call.method == "delete" and self._is(call.id, identity) and call.at <= time:
                    again = [
                        each
                        for each in run.calls
                        if each.method == "create"
                        and each.key == call.key
                        and each.ended == "returned"
                        and each.recorded
                    ]
                    if call.key in run.program and not again:
                        return True
        return False

    def _calls(self, stack: Stack) -> list[Call]:
        calls = [call for run in self.engine.runs if run.stack is stack for call in run.calls if not call.preview]
        return sorted(calls, key=lambda call: call.at)

    def _attempts(self, call: Call) -> list[Attempt]:
        return [attempt for attempt in self.world.attempts if attempt.actor is call]

    def _writes(self, attempts: list[Attempt], identity: Identity) -> list[Attempt]:
        kind = self.world.kind
        return [each for each in attempts if each.operation == kind.associate and each.is_about(identity)]

    @staticmethod
    def _says_unknown(call: Call) -> bool:
        return call.ended == "raised" and _NOT_KNOWN in str(call.error)

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
