"""Plays a script of a Pulumi lifecycle: played engine, real provider, real emulator, and the promises judged."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from aws_associations.kinds import KINDS
from tests.contract.scenery import Values
from tests.model.cloudformation import Job
from tests.model.pulumi_engine import Call, Declared, Options, Other, Program, Pulumi, Run, pulumi_hosts
from tests.model.pulumi_promises import Promises
from tests.model.pulumi_script import Another, Destroy, Member, Refresh, Script, Up
from tests.model.script import At, Others, Step, Wait
from tests.model.world import ACCOUNT, Change, Door, Mishap, World, Worlds, worlds

BY_NAME = {kind.name: kind for kind in KINDS}
STRANGER = "999999999999"
"""Another account."""

_LISTS_SETTLE = 90.0
"""Seconds after which no list lags and nothing is being added or removed any more."""


@dataclass
class Outcome:
    """What came of a script."""

    script: Script
    broken: list[str] = field(default_factory=list)
    limits: Counter[str] = field(default_factory=Counter)
    seen: Counter[str] = field(default_factory=Counter)
    history: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        return "\n".join([str(self.script), "", "What happened:", *self.history, "", *self.broken])


class Theatre:
    """Plays one script after the other in this process."""

    def __init__(self, made: Worlds) -> None:
        self.made = made

    def play(self, script: Script) -> Outcome:
        """Play it to its end; what was broken is in the outcome."""
        return Play(self, script).run()


@contextmanager
def theatre() -> Iterator[Theatre]:
    """Open one."""
    with worlds() as made, pulumi_hosts(made):
        yield Theatre(made)


class Play:
    """One script, played."""

    def __init__(self, theatre: Theatre, script: Script) -> None:
        self.script = script
        self.world: World = theatre.made.new(BY_NAME[script.kind], seed=script.seed, switches=script.switches)
        self.engine = Pulumi(self.world)
        self.promises = Promises(self.world, self.engine)
        self.outcome = Outcome(script, history=self.engine.history)
        self._programs: dict[int, Program] = {}
        self._running: list[tuple[Job, int]] = []
        self.world.ledger.on_change = self._changed

    def run(self) -> Outcome:
        for step in self.script.steps:
            self._step(step)
        self._wait_for_jobs()
        self._end()
        self.outcome.broken = self.promises.broken
        self.outcome.limits = self.promises.limits
        self._count()
        return self.outcome

    # -- steps --------------------------------------------------------------------------------------------------------

    def _step(self, step: Step) -> None:
        if isinstance(step, Others):
            self._wait_for_jobs()
            values = self.pair(step.pair)
            _ = self.world.others_grant(values) if step.grant else self.world.others_revoke(values)
        elif isinstance(step, Wait):
            self._wait_for_jobs()
            self.world.simulation.pass_time(step.seconds)
        elif isinstance(step, (Up, Refresh, Destroy)):
            self._command(step)

    def _command(self, step: Up | Refresh | Destroy) -> None:
        if any(number == step.stack for _, number in self._running):
            self._wait_for_jobs()
        name = f"s{step.stack}"
        if not isinstance(step, Up) and name not in self.engine.stacks:
            return
        if not self._running:
            self.world.meet = _Meeting(self, step.mishaps)
        self.outcome.seen[f"command: {type(step).__name__.lower()}"] += 1
        if isinstance(step, Up):
            program = self._program(step)
            self._programs[step.stack] = program
            options = Options(step.refresh, self._targets(step), step.forced)
            job = self.engine.up(name, program, options)
        elif isinstance(step, Refresh):
            job = self.engine.refresh(name, Options(targets=self._targets(step)))
        else:
            account = STRANGER if step.stranger else ACCOUNT
            job = self.engine.destroy(name, Options(targets=self._targets(step), account=account))
        self._running.append((job, step.stack))
        if not (isinstance(step, Up) and step.together):
            self._wait_for_jobs()

    def _targets(self, step: Up | Refresh | Destroy) -> tuple[str, ...]:
        """Targets that name nothing are an error of the engine; leave them out."""
        stack = self.engine.stacks.get(f"s{step.stack}")
        known = {entry.key for entry in stack.entries} if stack else set()
        if isinstance(step, Up):
            known |= self._programs[step.stack].keys()
        return tuple(name for name in step.targets if name in known)

    def _wait_for_jobs(self) -> None:
        jobs = [job for job, _ in self._running]
        self._running.clear()
        self.engine.finish(*jobs)
        # A host whose engine was killed may go on.
        self.world.simulation.run(lambda: not any(host.busy for host in self.engine.hosts))
        for job in jobs:
            run: Run = job.result
            self.promises.after(run)
            self.outcome.seen[f"outcome: {run.command} {run.result}"] += 1
        self.world.meet = lambda _: None

    # -- the end: no more faults, everything is healed and removed ----------------------------------------------------

    def _end(self) -> None:
        self.world.simulation.run()
        self.promises.when_calm("when all is calm")
        for number in self._programs:
            self._heal(number)
        self.promises.when_calm("when all is healed")
        for name in self.engine.stacks:
            self.world.simulation.pass_time(_LISTS_SETTLE)
            run = self._run(self.engine.destroy(name))
            self.promises.judge_recovery(run)
        self.world.simulation.run()
        self.promises.when_calm("when every stack is destroyed")

    def _heal(self, number: int) -> None:
        """``pulumi up --refresh``, as the messages say: then all that is declared is granted, or others' is named."""
        self.world.simulation.pass_time(_LISTS_SETTLE)
        name, program = f"s{number}", self._programs[number]
        well = {key: self._well(declared) for key, declared in program.items()}
        run = self._run(self.engine.up(name, well, Options(refresh=True)))
        if run.result == "ok":
            for key, declared in well.items():
                if isinstance(declared, Declared) and self.world.identity(declared.values) not in self.world.granted():
                    self.promises.broke(6, f"{run} is ok, but {key}'s {declared.values} is not granted")
            return
        self.promises.judge_recovery(run)

    @staticmethod
    def _well(declared: Declared | Other) -> Declared | Other:
        return Other(0.3) if isinstance(declared, Other) else declared

    def _run(self, job: Job) -> Run:
        self.engine.finish(job)
        run: Run = job.result
        self.promises.after(run)
        return run

    # -- what a program declares --------------------------------------------------------------------------------------

    def _program(self, step: Up) -> Program:
        if step.members is None:
            return self._programs.get(step.stack, {})
        stack = self.engine.stacks.get(f"s{step.stack}")
        has = {entry.key for entry in stack.ours if not entry.leaving} if stack else set()
        program: dict[str, Declared | Other] = {}
        taken: set[str] = set()
        for name, member in step.members.items():
            was = member.was
            if was in step.members or was not in has or name in has or was in taken:
                was = ""
            taken.add(was)
            program[name] = self._declared(name, member, was, depends=step.other is not None)
        if step.other is not None:
            program["other"] = self._other(step.other)
        return program

    def _declared(self, name: str, member: Member, was: str, *, depends: bool) -> Declared:
        last = self.world.kind.parties[-1].name
        follows = depends and member.unknown
        return Declared(
            self.pair(member.pair),
            on_existing="adopt" if member.adopt else "fail",
            parent=name.rpartition("/")[0],
            alias=was,
            delete_first=not member.create_first,
            after="other" if follows else "",
            unknown=last if follows else "",
        )

    @staticmethod
    def _other(other: Another) -> Other:
        return Other(other.seconds, other.fails)

    def pair(self, index: int) -> Values:
        """The values of a pair."""
        return self.world.pairs[index % len(self.world.pairs)]

    # -- what is told -------------------------------------------------------------------------------------------------

    def _changed(self, change: Change) -> None:
        what = "granted" if change.granted else "revoked"
        self.engine.tell(f"   * {change.actor} {what} {change.identity}")

    def _count(self) -> None:
        seen = self.outcome.seen
        seen[f"kind: {self.script.kind}"] += 1
        seen["lifecycles"] += 1
        for run in self.engine.runs:
            for call in run.calls:
                if not call.preview:
                    seen[f"call: {call.method} {call.ended}"] += 1
        seen["changes by others"] += sum(not isinstance(each.actor, Call) for each in self.world.ledger.changes)
        seen["changes by the provider"] += sum(isinstance(each.actor, Call) for each in self.world.ledger.changes)


class _Meeting:
    """The mishaps of a step, each met once."""

    def __init__(self, play: Play, mishaps: tuple[At, ...]) -> None:
        self._play, self._mishaps = play, mishaps
        self._counts: Counter[str] = Counter()

    def __call__(self, door: Door) -> Mishap | None:
        world = self._play.world
        sorts = ["any", "call"]
        sorts += ["write"] * door.writes + ["look"] * (door.operation == world.kind.look.operation)
        for sort in sorts:
            self._counts[sort] += 1
        mishap: Mishap | None = None
        for at in self._mishaps:
            if at.sort in sorts and at.number <= self._counts[at.sort] < at.number + at.times:
                mishap = mishap or Mishap()
                self._add(mishap, at, door)
        return mishap

    def _add(self, mishap: Mishap, at: At, door: Door) -> None:
        play, world = self._play, self._play.world
        call = door.actor
        assert isinstance(call, Call)
        word, _, when = at.what.partition(" ")
        play.outcome.seen[f"mishap: {at.what} ({at.sort})"] += 1
        play.engine.tell(f"   ~ {call}, {door.operation}: {at.what}")
        if word == "kill":
            mishap.kill = when
        elif word in {"ctrl-c", "engine"}:
            act = play.engine.interrupt if word == "ctrl-c" else play.engine.kill
            if when == "before":
                act(call.run)
            else:
                world.simulation.after(0.06, lambda: act(call.run))
        elif word == "slow" and when == "before":
            mishap.seconds_before += at.amount
        elif word == "slow":
            mishap.seconds_after += at.amount
        elif word == "others":
            values = play.pair(int(at.amount))
            do = world.others_grant if when == "grant" else world.others_revoke
            mishap.others = lambda: do(values)
        elif word == "throttle":
            mishap.fault = "throttled"
        elif word == "deny":
            if "AccessDeniedException" in world.kind.errors:
                mishap.fault = "AccessDeniedException"
        else:
            mishap.fault, mishap.when = {"cut": "cut", "fail": "internal_error"}[word], when
