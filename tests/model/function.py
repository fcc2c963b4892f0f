"""The function as Lambda runs it: processes, asynchronous deliveries and their repetition, its log, the bucket.

Every process is a fresh execution of ``index.py``, so that what a process remembers is its own. All of it is the real
code; only Lambda, the table and the bucket behind the ResponseURL are played.
"""

from __future__ import annotations

import importlib
import json
import pkgutil
import threading
import types
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aws_associations_lambda
from aws_associations.kinds import KINDS
from aws_associations_lambda import index, log, responder, transport
from tests.model import table
from tests.model.simulation import Process, Task, VirtualTimer, time_module
from tests.model.world import ACCOUNT, REGION, World, Worlds, numbered, of_a_process

FUNCTION_ARN = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:aws-associations"
TIMEOUT = 360.0
"""Seconds of one invocation, as the function's template has them."""

REPETITIONS = (60.0, 120.0)
"""Seconds until Lambda delivers a failed event again, and again."""

_INDEX = Path(index.__file__)


@dataclass
class Invocation:
    """One asynchronous invocation, and all its deliveries.

    Attributes:
        event: what is delivered, the same every time.
        request: what CloudFormation knows of it.
        given_up: Lambda will not deliver it again.
        held: seconds that it waits for free concurrency.
    """

    event: Mapping[str, Any]
    request: Any
    lambda_id: str
    deliveries: list[Delivery] = field(default_factory=list)
    given_up: bool = False
    held: float = 0.0


@dataclass(eq=False)
class Delivery:
    """One delivery of an event to a process; the actor of what happens in it.

    Attributes:
        ended: None while it runs; else ``returned``, ``raised`` or ``killed``.
        puts: bodies that arrived at the bucket.
        lines: what it logged.
    """

    invocation: Invocation
    number: int
    began: float
    spurious: bool = False
    ended: str | None = None
    error: BaseException | None = None
    puts: list[bytes] = field(default_factory=list)
    lines: list[dict[str, Any]] = field(default_factory=list)

    @property
    def request(self) -> Any:
        """What CloudFormation knows of it."""
        return self.invocation.request

    def __str__(self) -> str:
        return f"{self.request} delivery {self.number}"


class Lambda:
    """Runs the function for one world.

    Attributes:
        put: where answers arrive: url and body to an HTTP status.
        warm: whether an idle process is used again.
    """

    def __init__(self, world: World, put: Callable[[str, bytes, Delivery], int]) -> None:
        self.world = world
        self.put = put
        self.warm = True
        self.timeout = TIMEOUT
        self.invocations: list[Invocation] = []
        self._idle: list[tuple[Process, types.ModuleType]] = []
        self._ids = numbered()

    @property
    def busy(self) -> bool:
        """Whether a delivery runs, or will."""
        return any(not each.given_up or any(d.ended is None for d in each.deliveries) for each in self.invocations)

    def invoke(self, event: Mapping[str, Any], request: Any, *, delay: float = 0.1) -> Invocation:
        """Take an event, and deliver it soon."""
        invocation = Invocation(event, request, f"lambda-{next(self._ids)}")
        self.invocations.append(invocation)
        self.world.simulation.after(delay, lambda: self._deliver(invocation, 0))
        return invocation

    def deliver_again(self, invocation: Invocation, delay: float) -> None:
        """Deliver it once more though nothing failed, as Lambda may."""
        self.world.simulation.after(delay, lambda: self._deliver(invocation, None))

    def _deliver(self, invocation: Invocation, attempt: int | None) -> None:
        """``attempt``: counts from 0; None: a duplicate, which is not repeated."""
        world = self.world
        if attempt == 0 and invocation.held:
            held, invocation.held = invocation.held, 0.0
            world.simulation.after(held, lambda: self._deliver(invocation, 0))
            return
        process, module = self._process()
        delivery = Delivery(invocation, len(invocation.deliveries) + 1, world.simulation.now, spurious=attempt is None)
        invocation.deliveries.append(delivery)
        process.actor = delivery
        context = _Context(world, invocation.lambda_id, self.timeout)
        # Through JSON, as it arrives.
        event = json.loads(json.dumps(invocation.event))
        task = Task(process, lambda: module.handler(event, context))
        over = world.simulation.after(self.timeout, process.kill)

        def ended() -> None:
            over.cancelled = True
            delivery.error = task.error
            if not process.alive:
                delivery.ended = "killed"
            else:
                delivery.ended = "raised" if task.error is not None else "returned"
                if task.error is None:
                    self._idle.append((process, module))
            if attempt is None:
                return
            if delivery.ended == "returned" or attempt >= len(REPETITIONS):
                invocation.given_up = True
            else:
                world.simulation.after(REPETITIONS[attempt], lambda: self._deliver(invocation, attempt + 1))

        task.then(ended)
        task.start()

    def _process(self) -> tuple[Process, types.ModuleType]:
        if self.warm and self._idle:
            return self._idle.pop()
        module = types.ModuleType(index.__name__)
        module.__file__ = str(_INDEX)
        exec(_code(), module.__dict__)  # noqa: S102 - the function's own module, as a new process executes it
        module.__dict__["_services"] = of_a_process(self.world.services)
        return Process(self.world.simulation), module

    def forget_processes(self) -> None:
        """Every process that is idle ends; the next delivery starts cold."""
        self._idle.clear()


class _Context:
    """What Lambda gives a handler."""

    def __init__(self, world: World, lambda_id: str, seconds: float) -> None:
        self._simulation = world.simulation
        self._end = world.simulation.now + seconds
        self.invoked_function_arn = FUNCTION_ARN
        self.function_name = "aws-associations"
        self.aws_request_id = lambda_id

    def get_remaining_time_in_millis(self) -> int:
        return int((self._end - self._simulation.now) * 1000)


# -- what the function's modules find in place of the machine's -------------------------------------------------------

_compiled: list[Any] = []


def _code() -> Any:
    if not _compiled:
        _compiled.append(compile(_INDEX.read_text(), str(_INDEX), "exec"))
    return _compiled[0]


@dataclass
class Place:
    """Where the function runs at the moment: set for every world."""

    running: Lambda | None = None

    @property
    def now(self) -> Lambda:
        assert self.running is not None
        return self.running


@contextmanager
def functions(made: Worlds) -> Iterator[Place]:
    """Put virtual time, the table's name and the bucket into the function's modules."""
    place = Place()
    patch = made.patch
    for kind in KINDS:
        patch.setenv(kind.switch, "*")
    patch.setenv(index.LEDGER_TABLE, table.NAME)
    _forget_clients()
    virtual = time_module(lambda: made.world.simulation)
    for module in _modules():
        if getattr(module, "time", None) is not None and isinstance(module.time, types.ModuleType):
            patch.setattr(module, "time", virtual)
    patch.setattr(responder, "threading", _virtual_threading(made))
    patch.setattr(transport, "_attempt", _bucket(made, place))
    patch.setattr(log, "sys", types.SimpleNamespace(stdout=_Output(made)))
    for module in (responder, transport):
        assert vars(module)["time"] is virtual, f"{module.__name__} looks at a clock that is not the model's"
    try:
        yield place
    finally:
        _forget_clients()


def _modules() -> list[types.ModuleType]:
    names = [module.name for module in pkgutil.iter_modules(aws_associations_lambda.__path__)]
    return [importlib.import_module(f"{aws_associations_lambda.__name__}.{name}") for name in names]


def _forget_clients() -> None:
    """Those of another test were made without the door of this model."""
    for module in _modules():
        for value in vars(module).values():
            if callable(getattr(value, "cache_clear", None)):
                value.cache_clear()


def _virtual_threading(made: Worlds) -> types.SimpleNamespace:
    def timer(interval: float, function: Callable[[], None]) -> VirtualTimer:
        return made.world.simulation.timer(interval, function)

    return types.SimpleNamespace(Timer=timer, Lock=threading.Lock)


def _bucket(made: Worlds, place: Place) -> Callable[..., int]:
    def attempt(host: str, _port: int, target: str, body: bytes, headers: Mapping[str, str], timeout: float) -> int:
        world, task = made.world, made.world.simulation.current
        assert task is not None
        delivery: Delivery = task.process.actor  # type: ignore[assignment]
        assert headers.get("Content-Type") == "", "the URL was signed without a content type"

        def put() -> int:
            delivery.puts.append(body)
            return place.now.put(f"https://{host}{target}", body, delivery)

        def fail(fault: str) -> int:
            if fault == "internal_error":
                return 503
            raise ConnectionResetError("cut on demand")

        def give_up() -> int:
            raise TimeoutError

        return world.through("answer", "PUT", put, fail=fail, late=(timeout, give_up))

    return attempt


class _Output:
    """Standard output of whichever process runs."""

    def __init__(self, made: Worlds) -> None:
        self._made = made

    def write(self, text: str) -> int:
        world, task = self._made.world, self._made.world.simulation.current
        assert task is not None
        delivery: Delivery = task.process.actor  # type: ignore[assignment]
        line = json.loads(text)
        world.through("line", str(line["event"]), lambda: delivery.lines.append(line), at_once=True)
        return len(text)

    def flush(self) -> None:
        """Written already."""
