"""The function as Lambda runs it: processes, asynchronous deliveries and their repetition, its log group, the bucket.

Every process is a fresh execution of ``index.py``, so that what a process remembers is its own. All of it is the real
code; only Lambda, the log group and the bucket behind the ResponseURL are played.
"""

from __future__ import annotations

import importlib
import json
import pkgutil
import re
import threading
import types
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aws_associations_lambda
from aws_associations.kinds import KINDS
from aws_associations.lifecycle import Lifecycle
from aws_associations_lambda import index, log, own_stack, responder, transport
from tests.model.simulation import Killed, Process, Task, VirtualTimer, time_module
from tests.model.world import ACCOUNT, REGION, AwsError, World, Worlds, numbered, of_a_process

LOG_GROUP = "aws-associations-LogGroup-1"
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


@dataclass
class Line:
    """One line in the log group, visible from a time on."""

    time: float
    visible: float
    stream: str
    text: str


class LogGroup:
    """CloudWatch Logs, as far as the function may ask: FilterLogEvents of its own group."""

    def __init__(self, world: World, *, lag: float = 0.0, page: int = 100) -> None:
        """Args: lag: seconds until a line is found; page: lines looked at for one answer, found or not."""
        self._world = world
        self.lag, self.page = lag, page
        self.lines: list[Line] = []

    def write(self, stream: str, text: str) -> None:
        now = self._world.simulation.now
        self.lines.append(Line(now, now + self.lag, stream, text))

    def __call__(self, operation: str, parameters: Mapping[str, Any]) -> dict[str, Any]:
        if operation != "FilterLogEvents":
            raise AwsError("AccessDeniedException", f"not authorized to perform logs:{operation}", 400)
        if parameters.get("logGroupName", parameters.get("logGroupIdentifier")) != LOG_GROUP:
            raise AwsError("ResourceNotFoundException", "The specified log group does not exist.")
        now = self._world.simulation.now
        matches = _pattern(parameters.get("filterPattern", ""))
        first, last = parameters.get("startTime", 0) / 1000, parameters.get("endTime", 1e15) / 1000
        begin = int(parameters.get("nextToken", "0"))
        seen = [line for line in self.lines if line.visible <= now and first <= line.time <= last]
        found = [line for line in seen[begin : begin + self.page] if matches(line.text)]
        answer: dict[str, Any] = {
            "events": [
                {"logStreamName": line.stream, "timestamp": int(line.time * 1000), "message": line.text}
                for line in found
            ],
            "searchedLogStreams": [],
        }
        if begin + self.page < len(seen):
            answer["nextToken"] = str(begin + self.page)
        return answer


def _pattern(text: str) -> Callable[[str], bool]:
    """Terms of a filter pattern: all of them, or any of those that begin with a question mark; quoted or not."""
    terms = re.findall(r'(\??)(?:"((?:[^"\\]|\\.)*)"|([^\s"]+))', text)
    wanted = [
        (optional, (quoted or bare).replace('\\"', '"').replace("\\\\", "\\")) for optional, quoted, bare in terms
    ]
    every = [term for optional, term in wanted if not optional]
    some = [term for optional, term in wanted if optional]
    return lambda line: all(term in line for term in every) and (not some or any(term in line for term in some))


class Lambda:
    """Runs the function for one world.

    Attributes:
        put: where answers arrive: url and body to an HTTP status.
        warm: whether an idle process is used again.
    """

    def __init__(self, world: World, put: Callable[[str, bytes, Delivery], int], *, log_lag: float = 0.0) -> None:
        self.world = world
        self.put = put
        self.warm = True
        self.timeout = TIMEOUT
        self.log_group = LogGroup(world, lag=log_lag)
        self.invocations: list[Invocation] = []
        self._idle: list[tuple[Process, types.ModuleType]] = []
        self._ids = numbered()
        world.aws["logs"] = self.log_group

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
        self.log_group.write("stream", f"START RequestId: {invocation.lambda_id} Version: $LATEST\n")
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
        services = of_a_process(self.world.services)
        module.__dict__["_services"], module.__dict__["_lifecycle"] = services, Lifecycle(services)
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
        self.log_group_name = LOG_GROUP
        self.log_stream_name = "stream"

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
    """Put virtual time, the log group and the bucket into the function's modules."""
    place = Place()
    patch = made.patch
    for kind in KINDS:
        patch.setenv(kind.switch, "*")
    patch.setenv("AWS_LAMBDA_LOG_GROUP_NAME", LOG_GROUP)
    patch.setenv("AWS_LAMBDA_LOG_STREAM_NAME", "stream")
    patch.setenv("AWS_LAMBDA_FUNCTION_NAME", "aws-associations")
    _forget_clients()
    virtual = time_module(lambda: made.world.simulation)
    for module in _modules():
        if getattr(module, "time", None) is not None and isinstance(module.time, types.ModuleType):
            patch.setattr(module, "time", virtual)
    patch.setattr(responder, "threading", _virtual_threading(made))
    patch.setattr(transport, "_attempt", _bucket(made, place))
    patch.setattr(log, "sys", types.SimpleNamespace(stdout=_Output(made, place)))
    for module in (own_stack, transport):
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
    def attempt(host: str, _port: int, target: str, body: bytes, headers: Mapping[str, str], _timeout: float) -> int:
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

        return world.through("answer", "PUT", put, fail=fail)

    return attempt


class _Output:
    """Standard output of whichever process runs."""

    def __init__(self, made: Worlds, place: Place) -> None:
        self._made, self._place = made, place

    def write(self, text: str) -> int:
        world, task = self._made.world, self._made.world.simulation.current
        assert task is not None
        delivery: Delivery = task.process.actor  # type: ignore[assignment]
        line = json.loads(text)

        def effect() -> None:
            delivery.lines.append(line)
            self._place.now.log_group.write("stream", text)

        world.through("line", str(line["event"]), effect, at_once=True)
        return len(text)

    def flush(self) -> None:
        """Written already."""


__all__ = ["Delivery", "Invocation", "Killed", "Lambda", "LogGroup", "Place", "functions"]
