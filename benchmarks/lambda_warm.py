"""A warm create and delete: the calls made, and the time that is our own."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from statistics import mean

from benchmarks.lambda_place import Place, Side, processor_time
from benchmarks.row import Figure, Row, figure
from benchmarks.turns import Progress, turns
from engines.lambda_runtime import LambdaRuntime
from engines.response_sink import Event

_BARE = "a bare boto3 script that makes the same calls"
_OWN_MILLISECONDS = 2.0
_NOISE = 0.5
"""Of so little: what lies between two operations of some 20 ms each is not told to a tenth."""
_REPETITIONS = 5
"""Operations in a row for one cold start: they are quick, and what lies between them is small."""


@dataclass(frozen=True)
class _Operation:
    """One invocation of a warm process: its time, its processor time, and what it called."""

    seconds: float
    cpu: float
    calls: tuple[str, ...]


class _Warm:
    """A side's process, through the life of one association after the other in one environment."""

    def __init__(self, place: Place, side: Side, runtime: LambdaRuntime, environment: str) -> None:
        self._place, self._side, self._runtime, self._environment = place, side, runtime, environment
        self._created: Event = {}

    def create(self) -> _Operation:
        """Create an association."""
        self._created = self._place.event("Create", self._environment)
        return self._invoke(self._created)

    def delete(self) -> _Operation:
        """Delete the one that was created last."""
        same = {name: self._created[name] for name in ("LogicalResourceId", "ResourceProperties")}
        event = self._place.event("Delete", physical_resource_id=self._id(), **same)
        return self._invoke(event)

    def _id(self) -> str:
        return str(self._place.sink.answer(self._created).physical_resource_id)

    def _invoke(self, event: Event) -> _Operation:
        self._place.control.clear_journal()
        self._place.table.asked.clear()
        pid = self._runtime.pid
        before = processor_time(pid) if pid else 0.0
        invocation = self._runtime.invoke(event)
        cpu = processor_time(pid) - before if pid else 0.0
        answer = self._place.sink.answer(event)
        if invocation.error is not None or answer.status != "SUCCESS":
            raise RuntimeError(f"{self._side.handler} failed: {invocation.error or answer.reason}\n{invocation.log}")
        called = tuple(str(entry.operation) for entry in self._place.control.journal())
        return _Operation(invocation.seconds, cpu, (*self._place.table.asked, *called))


def rows(place: Place, runs: int, progress: Progress) -> Iterator[Row]:
    """One process a side, both warm; their operations in turns."""
    bare = place.peer("floor.handler")
    with place.runtime(place.ours) as our_runtime, place.runtime(bare) as their_runtime:
        ours = _Warm(place, place.ours, our_runtime, "warm-ours")
        theirs = _Warm(place, bare, their_runtime, "warm-theirs")
        sides: dict[str, Callable[[], tuple[_Operation, _Operation]]] = {
            "theirs": lambda: (theirs.create(), theirs.delete()),
            "ours": lambda: (ours.create(), ours.delete()),
        }
        measured = turns(sides, runs * _REPETITIONS, "warm create and delete", progress)
    for index, name in enumerate(("create", "delete")):
        our_runs = [run[index] for run in measured["ours"]]
        their_runs = [run[index] for run in measured["theirs"]]
        differing = [_differing(a, b) for a, b in zip(our_runs, their_runs, strict=True)]
        yield Row(
            f"calls of a warm {name}",
            _BARE,
            figure([max(len(run.calls) for run in our_runs)]),
            figure([max(len(run.calls) for run in their_runs)]),
            figure([max(differing)], "other calls"),
            limit=0,
            noise=0,
        )
        yield Row.of_difference(
            f"warm {name}", _BARE, _milliseconds(our_runs), _milliseconds(their_runs), _OWN_MILLISECONDS, noise=_NOISE
        )
        yield Row.of_difference(
            f"processor time of a warm {name}, mean",
            _BARE,
            _mean_processor_time(our_runs),
            _mean_processor_time(their_runs),
            _OWN_MILLISECONDS,
            noise=_NOISE,
        )


def _differing(ours: _Operation, theirs: _Operation) -> int:
    """How many calls one of them made and the other did not."""
    a, b = Counter(ours.calls), Counter(theirs.calls)
    return ((a - b) + (b - a)).total()


def _milliseconds(operations: list[_Operation]) -> Figure:
    return figure([operation.seconds for operation in operations], "ms", 1, scale=1000)


def _mean_processor_time(operations: list[_Operation]) -> Figure:
    # Of one operation the kernel tells ticks of 10 ms only.
    return figure([mean(operation.cpu for operation in operations)], "ms", 1, scale=1000)
