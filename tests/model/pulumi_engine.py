"""Pulumi, played as measured: stacks, their state, updates, and the host processes that run the real provider.

Sources: shared facts (pulumi.md), and the same calls traced under CLI 3.260.0 with a provider that only writes down how
it is called. Measured there, and played here:

- Resources arrive in no order of their own. One after the other is checked and, if it is in the state, diffed; what
  follows from that runs beside it, eight chains at once (four times the processors of that machine), four calls at
  once in the host.
- ``--replace`` is checked as a new resource and never diffed. An untargeted resource is not shown to the provider.
- A replacement is checked a second time, as new. Deleted first, and not created then: the state keeps the old outputs,
  marked; the next diff gets them, no delete follows, and a refresh or destroy passes them over without a call.
- A failure lets end what has begun, a call that waits for the host included; nothing else begins. What the program no
  longer has, and what was replaced, is deleted after it, at once, and only if nothing failed.
- A refresh reads everything at once, then diffs each that is still there, in the process that serves the update.
  An error fails it after the others were read; the program does not run.
- Ctrl-C is a failure without a message. A host that is killed fails every call that it has.

It implements no rule of aws-associations.
"""

from __future__ import annotations

import random
import types
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from pulumi.dynamic import DiffResult, ReadResult
from pulumi.dynamic.dynamic import serialize_provider
from pulumi.output import Unknown

from aws_associations import shared_look
from aws_associations.kind import Kind
from aws_associations.lifecycle import Lifecycle
from aws_associations.service import Services
from pulumi_aws_associations import ledger, provider
from pulumi_aws_associations.provider import AssociationProvider
from tests.contract.scenery import Values
from tests.model.cloudformation import Job, Signal, Steps
from tests.model.simulation import Process, Simulation, Task
from tests.model.world import ACCOUNT, World, Worlds, numbered, of_a_process
from tests.provider.kinds import provider_of

HOST_THREADS = 4
CHAINS = 8
PROVIDER_KEY = "__provider"

_PROVIDER = Path(provider.__file__)


# -- what a program declares ------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Declared:
    """One association of a program.

    Attributes:
        values: part → value.
        parent: name of the component that it is in; empty: none.
        alias: its key until now (see :func:`key`), which the options name.
        delete_first: ``delete_before_replace``; the class has True, the user's options may say otherwise.
        after: an :class:`Other` that it depends on.
        timeout_seconds: 0: the kind's own.
        unknown: the part whose value is an output of that one.
    """

    values: Values
    on_existing: str = "fail"
    parent: str = ""
    alias: str = ""
    delete_first: bool = True
    timeout_seconds: int = 0
    after: str = ""
    unknown: str = ""


@dataclass(frozen=True)
class Other:
    """A resource of another provider: it is created, changed by each update if it ``fails`` or not, and deleted."""

    seconds: float = 2.0
    fails: bool = False
    after: str = ""


Program = Mapping[str, "Declared | Other"]
"""Logical name, behind the parent's and a slash if it has one → what is declared."""


def key(name: str, parent: str = "") -> str:
    """Of a resource in a program."""
    return f"{parent}/{name}" if parent else name


@dataclass(frozen=True)
class Options:
    """Of one command.

    Attributes:
        refresh: ``--refresh``.
        targets, replace: keys of resources.
        preview: whether it is looked at first, which is usual.
        account: whose credentials it runs with.
    """

    refresh: bool = False
    targets: tuple[str, ...] = ()
    replace: tuple[str, ...] = ()
    preview: bool = True
    account: str = ACCOUNT


# -- what it keeps ----------------------------------------------------------------------------------------------------


@dataclass(eq=False)
class Entry:
    """A resource in the state.

    Attributes:
        id: empty for another provider's.
        replacing: deleted, and not created again yet.
        leaving: replaced, and not deleted yet.
        made: the create that it is of.
        until: when the stack ceased to have something by it.
    """

    key: str
    id: str
    inputs: dict[str, Any]
    outs: dict[str, Any]
    after: str = ""
    replacing: bool = False
    leaving: bool = False
    made: Call | None = None
    until: float = float("inf")

    @property
    def is_ours(self) -> bool:
        return bool(self.id)

    @property
    def is_held(self) -> bool:
        """Whether the stack has something by it."""
        return self.is_ours and not self.replacing

    def is_held_at(self, time: float) -> bool:
        """Whether the stack had something by it then."""
        return self.made is not None and self.made.at <= time < self.until

    def __str__(self) -> str:
        marks = [word for word, told in (("being replaced", self.replacing), ("to be deleted", self.leaving)) if told]
        return f"{self.key}: {self.id}{f' ({chr(44).join(marks)})' if marks else ''}"


@dataclass(eq=False)
class Stack:
    """A stack and its state. ``made``: every resource that it ever had."""

    name: str
    entries: list[Entry] = field(default_factory=list)
    made: list[Entry] = field(default_factory=list)

    def find(self, name: str) -> Entry | None:
        """The live entry of a key."""
        return next((entry for entry in self.entries if entry.key == name and not entry.leaving), None)

    @property
    def ours(self) -> list[Entry]:
        return [entry for entry in self.entries if entry.is_ours]


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
        key, id: of the resource; the id is empty for a create.
        entry: the resource in the state that it is about.
        ended: None while it waits or runs; else ``returned``, ``raised`` or ``killed``.
        recorded: the engine learned of its end.
        lines: what it wrote to standard error.
    """

    run: Run
    number: int
    method: str
    key: str
    id: str
    arguments: tuple[Any, ...]
    preview: bool
    done: Signal
    began: float = float("inf")
    ended: str | None = None
    at: float = float("inf")
    result: Any = None
    error: BaseException | None = None
    recorded: bool = False
    entry: Entry | None = None
    lines: list[str] = field(default_factory=list)

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
        call = Call(
            self.run,
            len(self.run.calls) + 1,
            method,
            name,
            entry.id if entry else "",
            arguments,
            self.preview,
            Signal(self.simulation),
            entry=entry,
        )
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

    @property
    def busy(self) -> bool:
        return bool(self._waiting or self._running)


class _Output:
    """Standard error of whichever host runs."""

    def __init__(self, host: Host) -> None:
        self._host = host

    def write(self, text: str) -> int:
        call = self._host.actor
        if isinstance(call, Call):
            call.lines.append(text)
        return len(text)

    def flush(self) -> None:
        """Written already."""


# -- the engine -------------------------------------------------------------------------------------------------------


class Pulumi:
    """The engine. Commands run as jobs in virtual time; :meth:`finish` waits for them.

    Attributes:
        history: what happened, in words.
        order: what the engine leaves to chance.
    """

    def __init__(self, world: World) -> None:
        self.world = world
        self.simulation = world.simulation
        self.stacks: dict[str, Stack] = {}
        self.runs: list[Run] = []
        self.history: list[str] = []
        self.hosts: list[Host] = []
        self._order = random.Random(self.simulation.random.getrandbits(32))  # noqa: S311 - plays chance
        self._serialized = serialized(world.kind)

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
        if run.options.preview:
            # It works on a copy of the state, and keeps nothing.
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
            yield from update.delete_all()
            return
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
        services: Services = _with_account(self.world.services, host.run.options.account)
        both = (services, Lifecycle(services))
        names = numbered(len(self.hosts) * 1000)
        module.__dict__.update(
            _core=lambda: both,
            sys=types.SimpleNamespace(stderr=_Output(host)),
            uuid=types.SimpleNamespace(uuid4=lambda: types.SimpleNamespace(hex=next(names))),
        )
        real = type(provider_of(self.world.kind))
        made = type(real.__name__, (module.__dict__["AssociationProvider"],), {"kind": real.kind})
        fresh: AssociationProvider = made()
        return fresh

    def inputs(self, stack: Stack, name: str, declared: Declared, *, unknown: bool) -> dict[str, Any]:
        """What a resource class sends, as it arrives in the host: no None, no integers."""
        parent, _, logical = name.rpartition("/")
        urn = f"urn:pulumi:{stack.name}::project::test:{parent}::{parent}" if parent else ""
        inputs: dict[str, Any] = {
            **declared.values,
            "on_existing": declared.on_existing,
            "timeout_seconds": float(declared.timeout_seconds or self.world.kind.timeout_seconds),
            "declared_by": ["organization", "project", stack.name, urn, logical],
            PROVIDER_KEY: self._serialized,
        }
        if unknown and declared.unknown:
            inputs[declared.unknown] = Unknown()  # type: ignore[no-untyped-call]
        return inputs

    def latency(self) -> float:
        """Seconds that a call takes to its beginning."""
        return self._order.uniform(0.001, 0.03)

    def shuffled(self, names: Iterable[Any]) -> list[Any]:
        """In the order of chance."""
        found = list(names)
        self._order.shuffle(found)
        return found


Step = Callable[[], "Steps[bool]"]


class _Update:
    """One pass over a stack in one host process: of a preview, or the update itself."""

    def __init__(self, engine: Pulumi, run: Run, entries: list[Entry], *, preview: bool) -> None:
        self.engine, self.run, self.entries, self.preview = engine, run, entries, preview
        self.simulation = engine.simulation
        self.host = Host(engine, run, preview=preview)
        self.failed = False
        self._chains: list[tuple[Steps[None], Signal]] = []
        self._active = 0
        self._done: set[str] = set()
        self._unknown: set[str] = set()

    @property
    def over(self) -> bool:
        return self.failed or self.run.stopping

    # -- refresh ------------------------------------------------------------------------------------------------------

    def refresh(self) -> Steps[None]:
        """Read everything, then drop what is gone."""
        gone: list[Entry] = []
        read: list[Entry] = []

        def one(entry: Entry) -> Steps[None]:
            call = yield from self._call("read", entry.key, entry, entry.id, _wire(entry.outs))
            if not self._succeeded(call):
                return
            result: ReadResult = call.result
            if not result.id:
                gone.append(entry)
                return
            read.append(entry)
            entry.outs = {**_wire(result.outs or {}), PROVIDER_KEY: entry.outs[PROVIDER_KEY]}
            if result.inputs is not None:
                entry.inputs = {**_wire(result.inputs), PROVIDER_KEY: entry.inputs[PROVIDER_KEY]}
            yield from self._call("diff", entry.key, entry, entry.id, _wire(entry.outs), _wire(entry.inputs))

        yield from self._all(one(entry) for entry in self._targeted(self.entries) if entry.is_held)
        if self.run.result == "killed":
            return
        for entry in gone:
            self._drop(entry)
            if not self.preview:
                self.engine.tell(f"   refresh: {entry} is gone")

    # -- the program --------------------------------------------------------------------------------------------------

    def program(self) -> Steps[None]:
        """Register what the program declares, and let happen what follows; delete the rest if nothing failed."""
        program = self.run.program
        waiting = self.engine.shuffled(program)
        registered: dict[str, Signal] = {}
        while waiting and not self.over:
            ready = [name for name in waiting if not program[name].after or program[name].after in self._done]
            ready = [name for name in ready if program[name].after in {"", *self._done}]
            if not ready:
                needed = [registered[after] for name in waiting if (after := program[name].after) in registered]
                under_way = [done for done in needed if not done.happened]
                if not under_way:
                    break  # what they depend on is not declared, or failed
                yield under_way[0]
                continue
            name = ready[0]
            waiting.remove(name)
            done = yield from self._register(name, program[name])
            if done is not None:
                registered[name] = done
        yield from registered.values()
        if self.over or waiting:
            return
        leaving = [
            entry
            for entry in self.entries
            if entry.leaving or (entry.key not in program and entry.key not in self._aliased(program))
        ]
        yield from self._delete(self._targeted(leaving))

    def _aliased(self, program: Program) -> set[str]:
        return {each.alias for each in program.values() if isinstance(each, Declared) and each.alias}

    def _register(self, name: str, declared: Declared | Other) -> Steps[Signal | None]:
        """Check and diff; the chain that follows runs by itself. None: nothing has to be done."""
        targets = self.run.options.targets
        if targets and name not in targets:
            if isinstance(declared, Declared) and (same := self._find(name, declared.alias)) is not None:
                same.key = name
            self._done.add(name)
            return None
        if isinstance(declared, Other):
            return self._start(name, [lambda: self._other(name, declared)])
        old = self._find(name, declared.alias)
        unknown = self.preview and declared.after in self._unknown
        news = self.engine.inputs(self.run.stack, name, declared, unknown=unknown)
        forced = old is not None and (name in self.run.options.replace or old.key in self.run.options.replace)
        olds = {} if old is None or forced else old.inputs
        call = yield from self._call("check", name, None, _wire(olds), dict(news))
        if not self._checked(call):
            return None
        if old is None:
            return self._start(name, [lambda: self._create(name, news, None)])
        replaces = forced
        changes = forced
        if not forced:
            call = yield from self._call("diff", name, old, old.id, _wire(old.outs), dict(news))
            if not self._succeeded(call):
                return None
            result: DiffResult = call.result
            replaces, changes = bool(result.replaces), bool(result.changes)
            if replaces or old.replacing:
                call = yield from self._call("check", name, None, {}, dict(news))
                if not self._checked(call):
                    return None
        old.key = name
        if old.replacing:
            return self._start(name, [lambda: self._create(name, news, old)])
        if replaces and declared.delete_first:
            return self._start(name, [lambda: self._delete_one(old, keep=True), lambda: self._create(name, news, old)])
        if replaces:
            return self._start(name, [lambda: self._create(name, news, old, leaves=True)])
        if changes:
            return self._start(name, [lambda: self._change(name, old, news)])
        old.inputs = news
        self._done.add(name)
        return None

    def _find(self, name: str, alias: str = "") -> Entry | None:
        live = [entry for entry in self.entries if not entry.leaving and entry.is_ours]
        for wanted in (name, alias):
            for entry in live:
                if wanted and entry.key == wanted:
                    return entry
        return None

    # -- steps --------------------------------------------------------------------------------------------------------

    def _create(self, name: str, news: dict[str, Any], old: Entry | None, *, leaves: bool = False) -> Steps[bool]:
        if self.preview:
            return True
        call = yield from self._call("create", name, None, _wire(news))
        if not self._succeeded(call):
            return False
        if old is not None and leaves:
            old.leaving = True
        elif old is not None:
            self._drop(old)
        outs = {**_wire(call.result.outs or {}), PROVIDER_KEY: news[PROVIDER_KEY]}
        entry = Entry(name, call.result.id, news, outs, made=call)
        self.entries.append(entry)
        self.run.stack.made.append(entry)
        return True

    def _drop(self, entry: Entry) -> None:
        self.entries.remove(entry)
        entry.until = min(entry.until, self.simulation.now)

    def _change(self, name: str, old: Entry, news: dict[str, Any]) -> Steps[bool]:
        if self.preview:
            return True
        call = yield from self._call("update", name, old, old.id, _wire(old.outs), _wire(news))
        if not self._succeeded(call):
            return False
        old.inputs, old.outs = news, {**_wire(call.result.outs or {}), PROVIDER_KEY: news[PROVIDER_KEY]}
        return True

    def _delete_one(self, entry: Entry, *, keep: bool = False) -> Steps[bool]:
        """``keep``: it stays in the state until it is created again."""
        if self.preview:
            return True
        if entry.is_held:
            call = yield from self._call("delete", entry.key, entry, entry.id, _wire(entry.outs))
            if not self._succeeded(call):
                return False
        if keep:
            entry.replacing, entry.until = True, self.simulation.now
        else:
            self._drop(entry)
        return True

    def _other(self, name: str, declared: Other) -> Steps[bool]:
        if self.preview:
            if not any(entry.key == name for entry in self.entries):
                self._unknown.add(name)
            return True
        yield declared.seconds
        if declared.fails and self.run.result != "killed":
            self.failed = True
            self.run.errors.append((name, "another provider's error"))
            return False
        if self.run.result != "killed" and not any(entry.key == name for entry in self.entries):
            self.entries.append(Entry(name, "", {}, {}, after=declared.after))
        return True

    def delete_all(self) -> Steps[None]:
        """Destroy."""
        yield from self._delete(self._targeted(self.entries))

    def _delete(self, entries: list[Entry]) -> Steps[None]:
        def one(entry: Entry) -> Steps[None]:
            yield from self._delete_one(entry)

        ours = [entry for entry in self.engine.shuffled(entries) if entry.is_ours]
        yield from self._all(one(entry) for entry in ours)
        if not self.over and not self.preview:
            for entry in entries:
                if entry in self.entries:
                    self._drop(entry)

    # -- chains of steps ----------------------------------------------------------------------------------------------

    def _start(self, name: str, steps: list[Step]) -> Signal:
        def chain() -> Steps[None]:
            for step in steps:
                if self.over:
                    return
                if not (yield from step()):
                    return
            self._done.add(name)

        return self._submit(chain())

    def _all(self, chains: Iterable[Steps[None]]) -> Steps[None]:
        yield from [self._submit(chain) for chain in chains]

    def _submit(self, chain: Steps[None]) -> Signal:
        done = Signal(self.simulation)
        self._chains.append((chain, done))
        self.simulation.after(0, self._next_chain)
        return done

    def _next_chain(self) -> None:
        while self._chains and self._active < CHAINS:
            chain, done = self._chains.pop(0)
            if self.over:
                done.happen()
                continue
            self._active += 1
            job = Job(self.simulation, chain)

            def ended(done: Signal = done) -> None:
                self._active -= 1
                done.happen()
                self._next_chain()

            job.ended.then(ended)

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

    def _checked(self, call: Call) -> bool:
        if not self._succeeded(call):
            return False
        for failure in call.result.failures:
            self.failed = True
            self.run.errors.append((call.key, f"{failure.property} {failure.reason}"))
        return not self.failed

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


_made: dict[str, str] = {}


def serialized(kind: Kind) -> str:
    """The provider as it stands in every resource's inputs."""
    if kind.name not in _made:
        _made[kind.name] = serialize_provider(provider_of(kind))
    return _made[kind.name]


def _with_account(services: Services, account: str) -> Services:
    """The same clients, for a process whose credentials are of that account."""
    own = of_a_process(services)
    own._account = account
    return own


_compiled: list[Any] = []


def _code() -> Any:
    if not _compiled:
        _compiled.append(compile(_PROVIDER.read_text(), str(_PROVIDER), "exec"))
    return _compiled[0]


# -- locks in virtual time --------------------------------------------------------------------------------------------


class VirtualLock:
    """``threading.Lock`` for programs in virtual time."""

    def __init__(self, simulation: Callable[[], Simulation]) -> None:
        self._simulation = simulation
        self._held = False
        self._waiting: list[Task] = []

    def __enter__(self) -> None:
        _wait(self._simulation(), self._waiting, lambda: not self._held)
        self._held = True

    def __exit__(self, *_: object) -> None:
        self._held = False
        _wake(self._waiting)


class VirtualCondition:
    """``threading.Condition``: nobody gets in between here anyway, unless somebody waits."""

    def __init__(self, simulation: Callable[[], Simulation]) -> None:
        self._simulation = simulation
        self._waiting: list[Task] = []

    def __enter__(self) -> None:
        """Nothing to wait for."""

    def __exit__(self, *_: object) -> None:
        """Nothing to let go."""

    def wait_for(self, predicate: Callable[[], bool], timeout: float | None = None) -> bool:
        """Wait until somebody notified and it is so, or for so long; return whether it is."""
        _wait(self._simulation(), self._waiting, predicate, timeout)
        return predicate()

    def notify_all(self) -> None:
        """Let everybody who waits look again."""
        _wake(self._waiting)


def _wait(
    simulation: Simulation, waiting: list[Task], reached: Callable[[], bool], timeout: float | None = None
) -> None:
    end = None if timeout is None else simulation.now + timeout
    while not reached() and (end is None or simulation.now < end):
        task = simulation.current
        assert task is not None, "nobody's code cannot wait"
        waiting.append(task)
        if end is None:
            task.pause()
        else:
            task.sleep(end - simulation.now)


def _wake(waiting: list[Task]) -> None:
    for task in waiting:
        task.wake()
    waiting.clear()


@contextmanager
def pulumi_hosts(made: Worlds) -> Iterator[None]:
    """Let the locks of the provider's modules wait in virtual time."""

    def now() -> Simulation:
        return made.world.simulation

    virtual = types.SimpleNamespace(Lock=lambda: VirtualLock(now), Condition=lambda: VirtualCondition(now))
    for module in (ledger, shared_look):
        made.patch.setattr(module, "threading", virtual)
    yield
