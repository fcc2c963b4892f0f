"""Pulumi, played as measured: stacks, their state, updates, and the host processes that run the real provider.

Sources: shared facts (pulumi.md), and the same calls traced under CLI 3.260.0 with a provider that only writes down how
it is called. Measured there, and played here:

- Resources arrive in no order of their own. One after the other is diffed if it is in the state; what follows from that
  runs beside it, four calls at once in the host. Check, which calls nothing, is left out.
- ``--replace`` is never diffed. An untargeted resource is not shown to the provider.
- A replacement that is deleted first and not created then: the state keeps the old outputs, marked; the next diff gets
  them, no delete follows, and a refresh or destroy passes them over without a call.
- A failure lets end what has begun, a call that waits for the host included; nothing else begins. What the program no
  longer has, and what was replaced, is deleted after it, at once, and only if nothing failed.
- A refresh reads everything at once, then diffs each that is still there, in the process that serves the update.
  An error fails it after the others were read; the program does not run.
- Ctrl-C is a failure without a message. A host that is killed fails every call that it has.

It implements no rule of aws-associations.
"""

from __future__ import annotations

import functools
import random
import types
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from pulumi.dynamic import DiffResult, ReadResult

from aws_associations import shared_look
from pulumi_aws_associations import provider, run
from pulumi_aws_associations.provider import LEDGER_CONFIG, AssociationProvider
from tests.contract.scenery import Values
from tests.model.cloudformation import Job, Signal, Steps
from tests.model.simulation import Process, SharedLock, Task
from tests.model.world import ACCOUNT, World, Worlds, numbered, of_a_process
from tests.provider.kinds import provider_of

HOST_THREADS = 4

_PROVIDER = Path(provider.__file__)


# -- what a program declares ------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Declared:
    """One association of a program.

    Attributes:
        values: part → value.
        alias: its key until now, which the options name.
        delete_first: the user's ``delete_before_replace``; None: the answer of the diff, in a forced replacement False.
    """

    values: Values
    on_existing: str = "fail"
    alias: str = ""
    delete_first: bool | None = None


Program = Mapping[str, Declared]
"""Logical name, behind the parent's and a slash if it has one → what is declared."""


@dataclass(frozen=True)
class Options:
    """Of one command.

    Attributes:
        refresh: ``--refresh``.
        targets, replace: keys of resources.
        account: whose credentials it runs with.
    """

    refresh: bool = False
    targets: tuple[str, ...] = ()
    replace: tuple[str, ...] = ()
    account: str = ACCOUNT


# -- what it keeps ----------------------------------------------------------------------------------------------------


@dataclass(eq=False)
class Entry:
    """A resource in the state.

    Attributes:
        replacing: deleted, and not created again yet.
        leaving: replaced, and not deleted yet.
        made: the create that it is of.
        until: when the stack ceased to have something by it.
    """

    key: str
    id: str
    inputs: dict[str, Any]
    outs: dict[str, Any]
    made: Call
    replacing: bool = False
    leaving: bool = False
    until: float = float("inf")

    @property
    def is_held(self) -> bool:
        """Whether the stack has something by it."""
        return not self.replacing

    def is_held_at(self, time: float) -> bool:
        """Whether the stack had something by it then."""
        return self.made.at <= time < self.until

    def __str__(self) -> str:
        return f"{self.key}: {self.id}{' (being replaced)' * self.replacing}{' (to be deleted)' * self.leaving}"


@dataclass(eq=False)
class Stack:
    """A stack and its state. ``made``: every resource that it ever had."""

    name: str
    entries: list[Entry] = field(default_factory=list)
    made: list[Entry] = field(default_factory=list)

    def find(self, name: str) -> Entry | None:
        """The live entry of a key."""
        return next((entry for entry in self.entries if entry.key == name and not entry.leaving), None)


@dataclass(eq=False)
class Run:
    """One command of a user.

    Attributes:
        command: ``up``, ``refresh`` or ``destroy``.
        result: ``ok``, ``failed`` or ``killed`` (the engine itself).
        errors: what the user was told, by resource.
        stopping: nothing new begins any more.
        interrupted: by Ctrl-C.
        before: the state that it began with.
    """

    number: int
    command: str
    stack: Stack
    program: Program
    options: Options
    began: float
    ended: float = float("inf")
    result: str = ""
    errors: list[tuple[str, str]] = field(default_factory=list)
    stopping: bool = False
    interrupted: bool = False
    calls: list[Call] = field(default_factory=list)
    before: tuple[Entry, ...] = ()

    def __str__(self) -> str:
        return f"pulumi {self.command} of {self.stack.name} ({self.number})"


@dataclass(eq=False)
class Call:
    """One call of the provider; the actor of what it does.

    Attributes:
        number: counts those of a run.
        key: of the resource.
        entry: the resource in the state that it is about; None for a create.
        ended: None while it waits or runs; else ``returned``, ``raised`` or ``killed``.
        recorded: the engine learned of its end.
        lines: what it wrote to standard error.
    """

    run: Run
    number: int
    method: str
    key: str
    entry: Entry | None
    arguments: tuple[Any, ...]
    preview: bool
    done: Signal
    began: float = float("inf")
    ended: str | None = None
    at: float = float("inf")
    result: Any = None
    error: BaseException | None = None
    recorded: bool = False
    lines: list[str] = field(default_factory=list)

    @property
    def id(self) -> str:
        """Of the resource."""
        return self.entry.id if self.entry else ""

    def __str__(self) -> str:
        return f"{self.method} of {self.run.stack.name}.{self.key} in run {self.run.number}"


# -- the host process -------------------------------------------------------------------------------------------------


class Host(Process):
    """A process that serves one preview or update: fresh modules, four threads."""

    def __init__(self, engine: Pulumi, run: Run, *, preview: bool) -> None:
        self._calls: dict[Task, Call] = {}
        super().__init__(engine.simulation)
        self.engine, self.run, self.preview = engine, run, preview
        self._waiting: list[Call] = []
        self._running: list[Call] = []
        self._provider = engine.fresh_provider(self)

    @property
    def actor(self) -> object:
        """Whose call runs at this moment."""
        return self._calls.get(self.simulation.current) if self.simulation.current else None

    @actor.setter
    def actor(self, _: object) -> None:
        """It is never told, but looked up."""

    def call(self, method: str, name: str, entry: Entry | None, *arguments: Any) -> Call:
        """Send a call; ``done`` happens when it has ended."""
        number, done = len(self.run.calls) + 1, Signal(self.simulation)
        call = Call(self.run, number, method, name, entry, arguments, self.preview, done)
        self.run.calls.append(call)
        self._waiting.append(call)
        self.simulation.after(0, self._next)
        return call

    def _next(self) -> None:
        if not self.alive:
            for call in self._waiting:
                self._end(call, "killed")
            self._waiting.clear()
        while self._waiting and len(self._running) < HOST_THREADS:
            self._begin(self._waiting.pop(0))

    def _begin(self, call: Call) -> None:
        call.began = self.simulation.now
        self._running.append(call)
        method = getattr(self._provider, call.method)
        task = Task(self, lambda: method(*call.arguments))
        self._calls[task] = call

        def ended() -> None:
            self._running.remove(call)
            call.result, call.error = task.result, task.error
            self._end(call, "killed" if not self.alive else "raised" if task.error is not None else "returned")
            self._next()

        task.then(ended)
        task.start(self.engine.latency())

    def _end(self, call: Call, how: str) -> None:
        call.ended, call.at = how, self.simulation.now
        call.done.happen()

    def write(self, text: str) -> None:
        """Take a line for standard error."""
        call = self.actor
        if isinstance(call, Call):
            call.lines.append(text)

    def flush(self) -> None:
        """Written already."""

    @property
    def busy(self) -> bool:
        return bool(self._waiting or self._running)


# -- the engine -------------------------------------------------------------------------------------------------------


class Pulumi:
    """The engine. Commands run as jobs in virtual time; :meth:`finish` waits for them.

    Attributes:
        history: what happened, in words.
        order: what the engine leaves to chance.
    """

    def __init__(self, world: World, table: str = "") -> None:
        """Args: table: that keeps the ledger; empty: process memory."""
        self.world, self.table = world, table
        self.simulation = world.simulation
        self.stacks: dict[str, Stack] = {}
        self.runs: list[Run] = []
        self.history: list[str] = []
        self.hosts: list[Host] = []
        self._order = random.Random(self.simulation.random.getrandbits(32))  # noqa: S311 - plays chance

    # -- what a user asks for -----------------------------------------------------------------------------------------

    def up(self, name: str, program: Program, options: Options = Options()) -> Job:
        """``pulumi up`` of a stack, made if there is none of that name."""
        return self._command("up", name, program, options)

    def refresh(self, name: str, options: Options = Options()) -> Job:
        """``pulumi refresh``."""
        return self._command("refresh", name, {}, options)

    def destroy(self, name: str, options: Options = Options()) -> Job:
        """``pulumi destroy``."""
        return self._command("destroy", name, {}, options)

    def finish(self, *jobs: Job) -> None:
        """Let virtual time pass until these have ended, and what their hosts still do."""
        self.simulation.run(lambda: all(job.ended.happened for job in jobs))
        assert all(job.ended.happened for job in jobs), "an operation of the played engine is stuck"

    def interrupt(self, run: Run) -> None:
        """Ctrl-C, once."""
        if not run.result:
            self.tell(f"   ~ Ctrl-C in {run}")
            run.stopping = run.interrupted = True

    def kill(self, run: Run) -> None:
        """The engine dies; its host goes on with what it has begun, and nobody records how that ends."""
        if not run.result:
            self.tell(f"   ~ the engine of {run} is killed")
            run.result, run.ended, run.stopping = "killed", self.simulation.now, True

    def tell(self, what: str) -> None:
        """Put something into the history."""
        self.history.append(f"{self.simulation.now - self.world.began:9.1f}  {what}")

    # -- commands -----------------------------------------------------------------------------------------------------

    def _command(self, command: str, name: str, program: Program, options: Options) -> Job:
        stack = self.stacks.setdefault(name, Stack(name))
        run = Run(
            len(self.runs) + 1, command, stack, program, options, self.simulation.now, before=tuple(stack.entries)
        )
        self.runs.append(run)
        self.tell(f"== {run}")
        return Job(self.simulation, self._run(run))

    def _run(self, run: Run) -> Steps[Run]:
        # A preview works on a copy of the state, and keeps nothing.
        copies = [replace(entry) for entry in run.stack.entries]
        yield from self._update(run, _Update(self, run, copies, preview=True))
        if not run.errors and not run.stopping:
            yield from self._update(run, _Update(self, run, run.stack.entries, preview=False))
        if run.result != "killed":
            run.result = "failed" if run.errors or run.interrupted else "ok"
            run.ended = self.simulation.now
        self.tell(f"== {run}: {run.result}")
        for name, message in run.errors:
            self.tell(f"     {name}: {message}")
        for entry in run.stack.entries:
            self.tell(f"     has {entry}")
        return run

    def _update(self, run: Run, update: _Update) -> Steps[None]:
        if run.command == "destroy":
            yield from update.delete(run.stack.entries)
        if run.command == "refresh" or run.options.refresh:
            yield from update.refresh()
        if run.command == "up" and not run.errors and not run.stopping:
            yield from update.program()

    # -- what hosts are made of ---------------------------------------------------------------------------------------

    def fresh_provider(self, host: Host) -> AssociationProvider:
        """The kind's provider from the modules of a process that has just begun."""
        self.hosts.append(host)
        module = types.ModuleType(provider.__name__)
        module.__file__ = str(_PROVIDER)
        exec(_code(), module.__dict__)  # noqa: S102 - the provider's own module, as a new process executes it
        services = of_a_process(self.world.services)
        services._account = host.run.options.account
        names = numbered(len(self.hosts) * 1000)
        module.__dict__.update(
            _services=lambda: services,
            _configured={LEDGER_CONFIG: self.table},
            sys=types.SimpleNamespace(stderr=host),
            uuid=types.SimpleNamespace(uuid4=lambda: types.SimpleNamespace(hex=next(names))),
        )
        real = type(provider_of(self.world.kind))
        made = type(real.__name__, (module.__dict__["AssociationProvider"],), {"kind": real.kind})
        fresh: AssociationProvider = made()
        return fresh

    def inputs(self, stack: Stack, name: str, declared: Declared) -> dict[str, Any]:
        """What a resource class sends, as it arrives in the host: no None, no integers."""
        parent, _, logical = name.rpartition("/")
        urn = f"urn:pulumi:{stack.name}::project::test:{parent}::{parent}" if parent else ""
        return {
            **declared.values,
            "on_existing": declared.on_existing,
            "timeout_seconds": float(self.world.kind.timeout_seconds),
            "declared_by": ["organization", "project", stack.name, urn, logical],
        }

    def latency(self) -> float:
        """Seconds that a call takes to its beginning."""
        return self._order.uniform(0.001, 0.03)

    def shuffled(self, names: Iterable[Any]) -> list[Any]:
        """In the order of chance."""
        found = list(names)
        self._order.shuffle(found)
        return found


class _Update:
    """One pass over a stack in one host process: of a preview, or the update itself."""

    def __init__(self, engine: Pulumi, run: Run, entries: list[Entry], *, preview: bool) -> None:
        self.engine, self.run, self.entries, self.preview = engine, run, entries, preview
        self.simulation = engine.simulation
        self.host = Host(engine, run, preview=preview)
        self.failed = False

    @property
    def over(self) -> bool:
        return self.failed or self.run.stopping

    def refresh(self) -> Steps[None]:
        """Read everything, then drop what is gone."""
        gone: list[Entry] = []

        def one(entry: Entry) -> Steps[None]:
            call = yield from self._call("read", entry.key, entry, entry.id, _wire(entry.outs))
            if not self._succeeded(call):
                return
            result: ReadResult = call.result
            if not result.id:
                gone.append(entry)
                return
            entry.outs = _wire(result.outs)
            yield from self._call("diff", entry.key, entry, entry.id, _wire(entry.outs), _wire(entry.inputs))

        yield from [self._submit(one(entry)) for entry in self._targeted(self.entries) if entry.is_held]
        if self.run.result == "killed":
            return
        for entry in gone:
            self._drop(entry)

    def program(self) -> Steps[None]:
        """Register what the program declares, and let happen what follows; delete the rest if nothing failed."""
        program, under_way = self.run.program, []
        for name in self.engine.shuffled(program):
            chain = None if self.over else (yield from self._register(name, program[name]))
            if chain is not None and not self.preview:
                under_way.append(self._submit(chain))
        yield from under_way
        kept = program.keys() | {declared.alias for declared in program.values()}
        if not self.over:
            yield from self.delete([entry for entry in self.entries if entry.leaving or entry.key not in kept])

    def delete(self, entries: Iterable[Entry]) -> Steps[None]:
        """Delete what is targeted of these."""
        if not self.preview:
            yield from [self._submit(self._delete(entry)) for entry in self.engine.shuffled(self._targeted(entries))]

    def _register(self, name: str, declared: Declared) -> Steps[Steps[Any] | None]:
        """Check and diff; returns what follows."""
        options = self.run.options
        old = self._find(name) or self._find(declared.alias)
        if options.targets and name not in options.targets:
            if old is not None:
                old.key = name
            return None
        news = self.engine.inputs(self.run.stack, name, declared)
        forced = old is not None and (name in options.replace or old.key in options.replace)
        if old is None:
            return self._create(name, news, None)
        replaces, changes, delete_first = forced, forced, False
        if not forced:
            call = yield from self._call("diff", name, old, old.id, _wire(old.outs), news)
            if not self._succeeded(call):
                return None
            result: DiffResult = call.result
            replaces, changes = bool(result.replaces), bool(result.changes)
            delete_first = bool(result.delete_before_replace)
        old.key = name
        if replaces or old.replacing:
            told = declared.delete_first
            return self._replace(name, news, old, delete_first=delete_first if told is None else told)
        if changes:
            return self._change(name, old, news)
        old.inputs = news
        return None

    def _find(self, name: str) -> Entry | None:
        return next((entry for entry in self.entries if entry.key == name and not entry.leaving), None)

    # -- chains of steps ----------------------------------------------------------------------------------------------

    def _replace(self, name: str, news: dict[str, Any], old: Entry, *, delete_first: bool) -> Steps[None]:
        if not delete_first and not old.replacing:
            made = yield from self._create(name, news, None)
            old.leaving = made
            return
        if not old.replacing:
            call = yield from self._call("delete", old.key, old, old.id, _wire(old.outs))
            if not self._succeeded(call):
                return
            old.replacing, old.until = True, self.simulation.now
        if not self.over:
            yield from self._create(name, news, old)

    def _create(self, name: str, news: dict[str, Any], old: Entry | None) -> Steps[bool]:
        """``old``: what it takes the place of in the state."""
        call = yield from self._call("create", name, None, _wire(news))
        if not self._succeeded(call):
            return False
        if old is not None:
            self._drop(old)
        entry = Entry(name, call.result.id, news, _wire(call.result.outs), call)
        self.entries.append(entry)
        self.run.stack.made.append(entry)
        return True

    def _change(self, name: str, old: Entry, news: dict[str, Any]) -> Steps[None]:
        call = yield from self._call("update", name, old, old.id, _wire(old.outs), _wire(news))
        if self._succeeded(call):
            old.inputs, old.outs = news, _wire(call.result.outs)

    def _delete(self, entry: Entry) -> Steps[None]:
        if entry.is_held:
            call = yield from self._call("delete", entry.key, entry, entry.id, _wire(entry.outs))
            if not self._succeeded(call):
                return
        self._drop(entry)

    def _drop(self, entry: Entry) -> None:
        self.entries.remove(entry)
        entry.until = min(entry.until, self.simulation.now)

    def _submit(self, chain: Steps[Any]) -> Signal:
        """Let it go on beside everything else."""
        return Job(self.simulation, chain).ended

    # -- calls --------------------------------------------------------------------------------------------------------

    def _call(self, method: str, name: str, entry: Entry | None, *arguments: Any) -> Steps[Call]:
        call = self.host.call(method, name, entry, *arguments)
        yield call.done
        if method in {"create", "update", "delete", "read"}:
            told = call.error if call.ended == "raised" else getattr(call.result, "id", "") or call.ended
            self.engine.tell(f"   {call}: {str(told)[:300]}")
        return call

    def _succeeded(self, call: Call) -> bool:
        """Take the end of a call; an engine that is dead takes nothing."""
        if self.run.result == "killed":
            return False
        call.recorded = True
        if call.ended == "returned":
            return True
        self.failed = True
        self.run.errors.append((call.key, str(call.error) if call.ended == "raised" else "the host is gone"))
        return False

    def _targeted(self, entries: Iterable[Entry]) -> list[Entry]:
        targets = self.run.options.targets
        return [entry for entry in entries if not targets or entry.key in targets]


def _wire(value: Any) -> Any:
    """A value after its way from one process to the other: no None in a mapping, every number a float."""
    if isinstance(value, Mapping):
        return {name: _wire(item) for name, item in value.items() if item is not None}
    if isinstance(value, list | tuple):
        return [_wire(item) for item in value]
    if isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    return value


@functools.cache
def _code() -> Any:
    return compile(_PROVIDER.read_text(), str(_PROVIDER), "exec")


class _Condition(SharedLock):
    """``threading.Condition`` in virtual time."""

    def wait_for(self, predicate: Callable[[], bool], timeout: float = float("inf")) -> bool:
        """Let time pass until it is so, or for so long; return whether it is."""
        simulation = self._simulation()
        end = simulation.now + timeout
        while not predicate() and simulation.now < end:
            self.release()
            simulation.pass_time(0.05)
            self.acquire()
        return predicate()

    def notify_all(self) -> None:
        """Who waits looks by himself."""


@contextmanager
def pulumi_hosts(made: Worlds) -> Iterator[None]:
    """Let what the provider's threads share wait in virtual time."""
    virtual = types.SimpleNamespace(Condition=lambda: _Condition(lambda: made.world.simulation))
    for module in (run, shared_look):
        made.patch.setattr(module, "threading", virtual)
    yield
