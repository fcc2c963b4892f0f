"""Plays a script of a Pulumi lifecycle: played engine, real provider, real emulator, and the promises judged."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from tests.contract.scenery import Values
from tests.model import play
from tests.model.cloudformation import Job
from tests.model.pulumi_engine import Call, Declared, Options, Program, Pulumi, Run, pulumi_hosts
from tests.model.pulumi_promises import Promises
from tests.model.pulumi_script import Destroy, Refresh, Script, Up
from tests.model.script import At, Others, Step, Wait
from tests.model.table import NAME
from tests.model.world import ACCOUNT, Change, Door, Mishap, World, Worlds, worlds

STRANGER = "999999999999"
"""Another account."""

_LISTS_SETTLE = 90.0
"""Seconds after which no list lags and nothing is being added or removed any more."""


class Theatre:
    """Plays one script after the other in this process."""

    def __init__(self, made: Worlds) -> None:
        self.made = made

    def play(self, script: Script) -> play.Outcome:
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
        self.world: World = theatre.made.new(play.BY_NAME[script.kind], seed=script.seed, switches=script.switches)
        self.engine = Pulumi(self.world, NAME if script.table else "")
        self.promises = Promises(self.world, self.engine)
        self.outcome = play.Outcome(script, history=self.engine.history)  # type: ignore[arg-type]
        self._programs: dict[int, Program] = {}
        self._running: list[tuple[Job, int]] = []
        self.world.ledger.on_change = self._changed

    def run(self) -> play.Outcome:
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
            values = self._pair(step.pair)
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
            self.world.meet = _Meeting(self, step.mishaps)  # type: ignore[arg-type]
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
        run = self._run(self.engine.up(name, program, Options(refresh=True)))
        self.promises.judge_recovery(run)
        for key, declared in program.items() if run.result == "ok" else ():
            if self.world.identity(declared.values) not in self.world.granted():
                self.promises.broke(6, f"{run} is ok, but {key}'s {declared.values} is not granted")

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
        has = {entry.key for entry in stack.entries if not entry.leaving} if stack else set()
        program: dict[str, Declared] = {}
        taken: set[str] = set()
        for name, member in step.members.items():
            was = member.was
            if was in step.members or was not in has or name in has or was in taken:
                was = ""
            taken.add(was)
            adopt = "adopt" if member.adopt else "fail"
            program[name] = Declared(self._pair(member.pair), adopt, was, member.delete_first)
        return program

    def _pair(self, index: int) -> Values:
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


class _Meeting(play._Meeting):
    """The mishaps of a step, each met once; some are met by the engine."""

    def _add(self, mishap: Mishap, at: At, door: Door) -> None:
        word, _, when = at.what.partition(" ")
        engine, call = self._play.engine, door.actor
        if word not in {"ctrl-c", "engine"}:
            super()._add(mishap, at, door)
            return
        assert isinstance(engine, Pulumi)
        assert isinstance(call, Call)
        self._play.outcome.seen[f"mishap: {at.what} ({at.sort})"] += 1
        act = engine.interrupt if word == "ctrl-c" else engine.kill
        engine.simulation.after(0.06 if when == "after" else 0, lambda: act(call.run))
