"""Plays a script: the played engine, the real function and the real emulator, and the promises judged all the way."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

from aws_associations.identity import Identity
from aws_associations.kinds import KINDS
from tests.contract.scenery import Values
from tests.model.cloudformation import STACK_TYPE, CloudFormation, Declared, Job, Operation, Request, Stack
from tests.model.function import Place, functions
from tests.model.promises import Promises
from tests.model.script import (
    Again,
    At,
    Cold,
    Continue,
    Deploy,
    Member,
    Others,
    Remove,
    Script,
    Service,
    Step,
    Table,
    Wait,
)
from tests.model.table import HOUR
from tests.model.world import Change, Door, Mishap, World, Worlds, worlds

BY_NAME = {kind.name: kind for kind in KINDS}
_OTHER = "AWS::SNS::Topic"
_LATEST = 24.0
"""Seconds after which a write arrives at the latest: what arrives after every margin is a documented limit."""


@dataclass
class Outcome:
    """What came of a script.

    Attributes:
        broken: the promises that were.
        limits: how often each documented limit occurred.
        seen: what was covered.
        history: what happened, in words.
        results: how each operation of the script ended.
        changes: who (``function`` or ``others``) did what (``granted`` or ``revoked``) to which pair, in the script.
        lines: the names of the function's log lines, in the script.
    """

    script: Script
    broken: list[str] = field(default_factory=list)
    limits: Counter[str] = field(default_factory=Counter)
    seen: Counter[str] = field(default_factory=Counter)
    history: list[str] = field(default_factory=list)
    results: list[str] = field(default_factory=list)
    changes: list[tuple[str, str, int]] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        told = "\n".join(self.history)
        return "\n".join([str(self.script), "", "What happened:", told, "", *self.broken])


class Theatre:
    """Plays one script after the other in this process."""

    def __init__(self, made: Worlds, place: Place) -> None:
        self.made, self.place = made, place

    def play(self, script: Script) -> Outcome:
        """Play it to its end; what was broken is in the outcome."""
        return Play(self, script).run()


@contextmanager
def theatre() -> Iterator[Theatre]:
    """Open one."""
    with worlds() as made, functions(made) as place:
        yield Theatre(made, place)


class Play:
    """One script, played."""

    def __init__(self, theatre: Theatre, script: Script) -> None:
        kind = BY_NAME[script.kind]
        self.script = script
        self.world: World = theatre.made.new(kind, seed=script.seed, switches=script.switches)
        self.engine = CloudFormation(self.world, script.habits)
        self.engine.function.warm = script.warm
        theatre.place.running = self.engine.function
        self.promises = Promises(self.world, self.engine)
        self.outcome = Outcome(script, history=self.engine.history)
        self.stacks: dict[int, Stack] = {}
        self._specs: dict[int, Deploy] = {}
        self._versions = itertools.count(1)
        self._running: list[tuple[Job, int]] = []
        self.world.ledger.on_change = self._changed

    def run(self) -> Outcome:
        for step in self.script.steps:
            self._step(step)
        self._wait_for_jobs()
        self.engine.calm()
        self._tell()
        self._end()
        self.outcome.broken = self.promises.broken
        self.outcome.limits = self.promises.limits
        self._count()
        return self.outcome

    # -- steps --------------------------------------------------------------------------------------------------------

    def _step(self, step: Step) -> None:
        if isinstance(step, Others):
            values = self._pair(step.pair)
            _ = self.world.others_grant(values) if step.grant else self.world.others_revoke(values)
        elif isinstance(step, Wait):
            self.world.simulation.pass_time(step.seconds)
        elif isinstance(step, Cold):
            self.engine.function.forget_processes()
        elif isinstance(step, Service):
            self._serve(step)
        elif isinstance(step, Table):
            self._lay(step)
        elif isinstance(step, (Deploy, Remove, Continue)):
            self._operate(step)

    def _serve(self, step: Service) -> None:
        world = self.world
        self.outcome.seen[f"the service {step.what}"] += 1
        self.engine.tell(f"== {step}")
        if step.what == "recovers":
            world.recover()
        elif step.what == "throttles":
            world.throttling = True
        elif step.what == "uses":
            world.use(self._pair(step.pair))
        elif step.what == "ends":
            world.end()
        else:
            world.fail_from_now_on(adding=step.what == "fails to add", removing=step.what == "fails to remove")

    def _lay(self, step: Table) -> None:
        table, now = self.world.table, self.world.simulation.now
        self.outcome.seen[f"the table is {step.what}"] += 1
        self.engine.tell(f"== {step}")
        if step.what == "emptied":
            table.empty()
        elif step.what == "restored to an hour ago":
            table.restore(now - HOUR)
        elif step.what == "down":
            table.fails_until = now + step.seconds
        else:
            table.throttles_until = now + step.seconds

    def _operate(self, step: Deploy | Remove | Continue) -> None:
        if any(number == step.stack for _, number in self._running):
            self._wait_for_jobs()
        meeting = _Meeting(self, step.mishaps)
        if not self._running:
            self.world.meet = meeting
        self.engine.on_send = _Repeating(self, step.again)
        job = self._begin(step)
        if job is not None:
            self.outcome.seen[f"operation: {type(step).__name__.lower()}"] += 1
            self._running.append((job, step.stack))
        if not step.together:
            self._wait_for_jobs()

    def _begin(self, step: Deploy | Remove | Continue) -> Job | None:
        stack = self.stacks.get(step.stack)
        if stack is not None and stack.is_gone:
            stack = None
        if isinstance(step, Deploy):
            template = self._template(step)
            if stack is None:
                on_failure = "DO_NOTHING" if step.preserve else step.on_failure
                job = self.engine.create(
                    f"s{step.stack}", template, on_failure=on_failure, stopped_after=step.stopped_after
                )
                self.stacks[step.stack] = list(self.engine.stacks.values())[-1]
                self._specs[step.stack] = step
                return job
            job_or_none = self.engine.update(stack, template, preserve=step.preserve, stopped_after=step.stopped_after)
            if job_or_none is not None:
                self._specs[step.stack] = step
            return job_or_none
        if stack is None:
            return None
        if isinstance(step, Remove):
            return self.engine.delete(stack)
        return self.engine.roll_back(stack) or self.engine.continue_rollback(stack, step.skip)

    def _wait_for_jobs(self) -> None:
        self.engine.finish(*(job for job, _ in self._running))
        for job, _ in self._running:
            operation: Operation = job.result
            self.promises.after(operation)
            self.outcome.seen[f"outcome: {operation.result}"] += 1
        self._running.clear()
        self.world.meet = lambda _: None
        self.engine.on_send = lambda _: None

    # -- the end: no more faults, everything is healed and removed ----------------------------------------------------

    def _end(self) -> None:
        self.engine.calm()
        self.promises.when_calm("when all is calm")
        self.world.recover()
        # What is still declared cannot be granted otherwise; what is deleted must do without.
        self.world.let_support_clear(may=True)
        self.world.simulation.pass_time(10.0)  # lists may lag behind what others did last
        for number, stack in self.stacks.items():
            # After the service's end there is nothing to go back to: such a stack can only be deleted.
            if stack.status == "UPDATE_ROLLBACK_FAILED" and not self.world.ended:
                self._recover(self.engine.continue_rollback(stack), frozenset({"UPDATE_ROLLBACK_COMPLETE"}))
            if stack.is_paused and not self.world.ended:
                ended = "UPDATE_ROLLBACK_COMPLETE" if stack.stable else "DELETE_COMPLETE"
                self._recover(self.engine.roll_back(stack), frozenset({ended}))
            self._heal(number, stack)
        self.world.let_support_clear(may=False)
        for stack in self.stacks.values():
            for wanted in (frozenset({"DELETE_COMPLETE", "DELETE_FAILED"}), frozenset({"DELETE_COMPLETE"})):
                self._recover(self.engine.delete(stack), wanted)
        self.engine.calm()
        self.promises.when_calm("when every stack is deleted")

    def _heal(self, number: int, stack: Stack) -> None:
        """Deploy what is declared once more, with a new Revision: then all of it must be granted."""
        if stack.status not in {"CREATE_COMPLETE", "UPDATE_COMPLETE", "UPDATE_ROLLBACK_COMPLETE"}:
            return

        def revised(template: Mapping[str, Declared]) -> dict[str, Declared]:
            return {
                name: Declared(
                    declared.type,
                    {**declared.properties, "Revision": "healed"} if declared.is_custom else declared.properties,
                    retain=declared.retain,
                    template=revised(declared.template),
                )
                for name, declared in template.items()
            }

        job = self.engine.update(stack, revised(stack.template))
        if job is None:
            return
        self._recover(job, frozenset({"UPDATE_COMPLETE"}))
        for identity in self._declared_by(stack):
            lost = identity not in self.world.granted() and not self.world.ended
            if lost and not self.promises.is_limit(identity):
                self.promises.fail(6, f"a new Revision was deployed, but {identity} is not granted")

    def _declared_by(self, stack: Stack) -> list[Identity]:
        found: list[Identity] = []
        for resource in stack.resources.values():
            if resource.child is not None:
                found += self._declared_by(resource.child)
            elif resource.declared.is_custom and (known := self.promises.id_of(resource.physical_id)) is not None:
                found.append(known.identity)
        return found

    def _recover(self, job: Job | None, wanted: frozenset[str]) -> None:
        if job is None:
            return
        self.engine.finish(job)
        self.promises.after(job.result)
        self.promises.judge_recovery(job.result, wanted)

    # -- what a template declares -------------------------------------------------------------------------------------

    def _template(self, step: Deploy) -> dict[str, Declared]:
        template = {name: self._member(member) for name, member in step.members.items()}
        if step.nested is not None:
            inner = {name: self._member(member) for name, member in step.nested.items()}
            template["Nested"] = Declared(STACK_TYPE, template=inner)
        if step.other is not None:
            version = {"Version": str(next(self._versions))}
            other = step.other
            template["Other"] = Declared(_OTHER, version, after=other.after, seconds=other.seconds, fails=other.fails)
        return template

    def _member(self, member: Member) -> Declared:
        kind, values = self.world.kind, dict(self._pair(member.pair))
        if member.spelled:
            for part, spellings in self.world.scenery.spellings.items():
                if values[part] == self.world.scenery.values[part]:
                    values[part] = spellings[0]
        left_out = {part.name for part in kind.parts if member.omits and part.default is not None}
        properties = {part.property_name: values[part.name] for part in kind.parts if part.name not in left_out}
        if member.adopt:
            properties["OnExisting"] = "Adopt"
        if member.revision:
            properties["Revision"] = str(member.revision)
        return Declared(kind.cloudformation_type, properties, retain=member.retain, after=member.after)

    def _pair(self, index: int) -> Values:
        return self.world.pairs[index % len(self.world.pairs)]

    # -- what is told -------------------------------------------------------------------------------------------------

    def _changed(self, change: Change) -> None:
        what = "granted" if change.granted else "revoked"
        self.engine.tell(f"   * {change.actor} {what} {change.identity}")

    def _tell(self) -> None:
        numbers = {self.world.identity(values): number for number, values in enumerate(self.world.pairs, 1)}
        self.world.granted()
        for change in self.world.ledger.changes:
            who = change.actor if isinstance(change.actor, str) else "function"
            what = "granted" if change.granted else "revoked"
            self.outcome.changes.append((who, what, numbers.get(change.identity, 0)))
        for request in self.engine.requests:
            self.outcome.lines += [str(line["event"]) for each in request.deliveries for line in each.lines]
        self.outcome.results = [operation.result for operation in self.engine.operations]

    def _count(self) -> None:
        seen = self.outcome.seen
        seen[f"kind: {self.script.kind}"] += 1
        seen["lifecycles"] += 1
        for request in self.engine.requests:
            seen[f"request: {request.request_type}{f' ({request.why})' if request.why else ''}"] += 1
            seen["deliveries"] += len(request.deliveries)
            seen["deliveries killed"] += sum(delivery.ended == "killed" for delivery in request.deliveries)
            seen["deliveries again without need"] += sum(delivery.spurious for delivery in request.deliveries)
        seen["changes by others"] += sum(isinstance(change.actor, str) for change in self.world.ledger.changes)
        seen["changes by the function"] += sum(
            not isinstance(change.actor, str) for change in self.world.ledger.changes
        )


class _Meeting:
    """The mishaps of a step, each met once."""

    def __init__(self, play: Play, mishaps: tuple[At, ...]) -> None:
        self._play = play
        self._mishaps = mishaps
        self._counts: Counter[str] = Counter()

    def __call__(self, door: Door) -> Mishap | None:
        kind = self._play.world.kind
        sorts = ["any"]
        if door.what == "service":
            sorts.append("call")
            sorts += ["write"] * door.writes + ["look"] * (door.operation == kind.look.operation)
        else:
            sorts.append("ledger" if door.what == "dynamodb" else door.what)
        for sort in sorts:
            self._counts[sort] += 1
        mishap: Mishap | None = None
        for at in self._mishaps:
            if at.sort in sorts and at.number <= self._counts[at.sort] < at.number + at.times:
                mishap = mishap or Mishap()
                self._add(mishap, at, door)
        return mishap

    def _add(self, mishap: Mishap, at: At, door: Door) -> None:
        world = self._play.world
        word, _, when = at.what.partition(" ")
        played = word != "others" and (door.what != "line" or word == "kill")
        if not played and word != "others":
            return
        self._play.outcome.seen[f"mishap: {at.what} ({at.sort})"] += 1
        self._play.engine.tell(f"   ~ {door.actor}, {door.what} {door.operation}: {at.what}")
        if word == "kill":
            mishap.kill = when
            mishap.seconds_before += min(at.amount, _LATEST)
        elif word in {"slow", "sleeps"}:
            self._delay(mishap, f"{'seconds' if word == 'slow' else word}_{when}", at.amount, door)
        elif word == "others":
            values = self._play._pair(int(at.amount))
            act = world.others_grant if when == "grant" else world.others_revoke
            mishap.others = lambda: act(values)
        elif word == "throttle":
            mishap.fault = "throttled"
        elif word == "deny":
            denied = "AccessDeniedException"
            if door.what == "service" and denied not in world.kind.errors:
                return
            mishap.fault = denied
        else:
            mishap.fault, mishap.when = {"cut": "cut", "fail": "internal_error"}[word], when

    @staticmethod
    def _delay(mishap: Mishap, what: str, seconds: float, door: Door) -> None:
        before = door.writes and what.endswith("before")
        room = _LATEST - mishap.seconds_before - mishap.sleeps_before if before else seconds
        setattr(mishap, what, getattr(mishap, what) + max(0.0, min(seconds, room)))


class _Repeating:
    """Delivers some requests of a step once more."""

    def __init__(self, play: Play, again: tuple[Again, ...]) -> None:
        self._play, self._again, self._count = play, again, 0

    def __call__(self, request: Request) -> None:
        self._count += 1
        for again in self._again:
            if again.request != self._count or request.invocation is None:
                continue
            if again.instead:
                request.invocation.held = again.seconds
            else:
                self._play.engine.function.deliver_again(request.invocation, again.seconds)
