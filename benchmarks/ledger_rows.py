"""What a stack of N memberships asks of the ledger, of CloudFormation and of CloudWatch Logs: counts, no times.

``tests/model`` plays CloudFormation in virtual time; the function and its ledger are the real ones.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from aws_associations.kinds import KINDS
from benchmarks.row import Row, Series, figure
from benchmarks.turns import Progress
from tests.model import simulation
from tests.model.cloudformation import CloudFormation, Declared, Habits, Job, Operation, Request, Template
from tests.model.function import Place, functions
from tests.model.world import Door, Worlds, worlds

SIZES = (10, 50, 200, 500)
_FINAL = (0.0, 2.0)
"""Seconds until a status of the service is final."""

_GROWTH = 1.05
"""Calls for each resource of the greatest stack, to those of the second smallest: linear but for so much."""

_READS_A_SECOND = 2

_KIND = next(kind for kind in KINDS if kind.name == "finspace-permission-group-membership")
_ENVIRONMENT = "env1"
_SERVICE = {_KIND.look.operation, _KIND.associate, _KIND.disassociate, "GetProgrammaticAccessCredentials"}

_FAIL_EARLY = "fail while others run"
_ENDS = {
    "create": "CREATE_COMPLETE",
    "keep all": "UPDATE_COMPLETE",
    "replace all": "UPDATE_COMPLETE",
    "delete": "DELETE_COMPLETE",
    "fail at the end": "ROLLBACK_COMPLETE",
    _FAIL_EARLY: "ROLLBACK_COMPLETE",
}
"""Operation of a stack, in the order in which they run → the status in which it has to end."""

_COUNTED = [operation for operation in _ENDS if operation != _FAIL_EARLY]
"""Those whose calls depend on nothing but the number of memberships."""

_MOST = {"Create": ("a create", 4), "Update": ("an update", 4), "Delete": ("a delete", 3)}
"""Type of a request → its name, and the most round trips to the ledger that one may take."""

_EVENTS = 20_000_000
"""Of the played world: so many memberships make more of them than one lifecycle of a test."""


@dataclass
class Counted:
    """What one stack asked, and how its operations ended.

    Attributes:
        round_trips: request → calls of the ledger.
        asked: operation of the stack → calls of CloudFormation and CloudWatch Logs.
        failed: operations of the stack that ended otherwise than they have to.
        warned: lines of the function that say that something may remain.
        left: memberships that were granted when the stack that declared them was gone.
    """

    round_trips: Counter[Request] = field(default_factory=Counter)
    asked: Counter[str] = field(default_factory=Counter)
    failed: list[str] = field(default_factory=list)
    warned: int = 0
    left: int = 0

    def most_round_trips(self, request_type: str) -> int:
        """Of any one request of this type."""
        return max(trips for request, trips in self.round_trips.items() if request.request_type == request_type)

    @property
    def calls(self) -> int:
        """All of both."""
        return self.round_trips.total() + self.asked.total()

    @property
    def harm(self) -> int:
        """What failed, and what was left."""
        return len(self.failed) + self.left


class Account:
    """A played account with parties for so many memberships, and one stack after the other."""

    def __init__(self, made: Worlds, place: Place, size: int, final: float, habits: Habits) -> None:
        """Args: final: seconds until a status of the service is final."""
        self._world = made.new(_KIND)
        self._engine = CloudFormation(self._world, habits)
        place.running = self._engine.function
        self._world.scenery.slow(adding=final, removing=final)
        self._users = [f"user{number}" for number in range(size)]
        for user in self._users:
            self._world.control.finspace.add_user(_ENVIRONMENT, user)
        self._counted = Counted()
        self._operation = ""
        self._world.meet = self._count
        # Nobody asks who granted what; to look for it at every write takes time that grows with the square.
        self._world.ledger.truth = frozenset

    def play(self, *operations: str) -> Counted:
        """Run these operations, in this order."""
        for self._operation in operations:
            self._run(self._begin(self._operation))
        for request in self._engine.requests:
            told = [line["event"] for delivery in request.deliveries for line in delivery.lines]
            self._counted.warned += told.count("may-remain")
        return self._counted

    def _begin(self, operation: str) -> Job | None:
        engine, name = self._engine, f"s{len(self._engine.operations)}"
        if operation == "create":
            return engine.create(name, self._members("traders"))
        *_, stack = (None, *engine.stacks.values())
        assert stack is not None, "the first operation creates"
        if operation == "keep all":
            return engine.update(stack, self._members("traders", OnExisting="Fail"))
        if operation == "replace all":
            return engine.update(stack, self._members("brokers"))
        if operation == "delete":
            return engine.delete(stack)
        members = self._members("traders")
        after = () if operation == _FAIL_EARLY else tuple(members)
        return engine.create(name, {**members, "Other": Declared("AWS::SNS::Topic", after=after, fails=True)})

    def _members(self, group: str, **more: str) -> Template:
        scope = {"EnvironmentId": _ENVIRONMENT, "PermissionGroupId": group, **more}
        return {
            f"Member{number}": Declared(_KIND.cloudformation_type, {**scope, "UserId": user})
            for number, user in enumerate(self._users)
        }

    def _run(self, job: Job | None) -> None:
        assert job is not None, f"{self._operation} cannot begin"
        self._engine.finish(job)
        self._engine.calm()
        operation: Operation = job.result
        if operation.result != _ENDS[self._operation] or operation.loud:
            self._counted.failed.append(f"{self._operation}: {operation.result} {operation.loud}".rstrip(" []"))
        if operation.result in {"DELETE_COMPLETE", "ROLLBACK_COMPLETE"}:
            self._counted.left += len(self._world.scenery.granted())

    def _count(self, door: Door) -> None:
        if door.what == "dynamodb":
            self._counted.round_trips[door.actor.request] += 1  # type: ignore[attr-defined]
        elif door.what not in {"line", "answer"} and door.operation not in _SERVICE:
            self._counted.asked[self._operation] += 1


def rows(_runs: int, progress: Progress, sizes: Sequence[int] = SIZES) -> Iterator[Row]:
    """The rows, in the order of the table. ``sizes``: three at least. One run: counts are the same in every one."""
    with worlds() as made, functions(made) as place:
        made.patch.setattr(simulation, "MOST_EVENTS", _EVENTS)
        for seconds in _FINAL:
            counted: dict[int, Counted] = {}
            for size in sizes:
                progress(f"stack of {size}, status final after {seconds:g} s")
                counted[size] = Account(made, place, size, seconds, Habits()).play(*_COUNTED)
            yield from _counts(f"stacks of {', '.join(map(str, sizes))}, status final after {seconds:g} s", counted)
            yield _growth(f"status final after {seconds:g} s", counted)
        progress(f"stack of {sizes[-1]}, CloudFormation throttles")
        account = Account(made, place, sizes[-1], max(_FINAL), Habits(reads_a_second=_READS_A_SECOND))
        yield from _throttled(sizes[-1], account.play(*_ENDS))


def _counts(what: str, counted: Mapping[int, Counted]) -> Iterator[Row]:
    for request_type, (name, limit) in _MOST.items():
        most = [each.most_round_trips(request_type) for each in counted.values()]
        yield _series(f"{what}: most ledger round trips of {name}", most, limit)
    kept = [each.asked.total() - each.asked["replace all"] for each in counted.values()]
    yield _series(f"{what}: calls of CloudFormation and Logs, nothing replaced", kept, 0)
    replaced = [each.asked["replace all"] / size for size, each in counted.items()]
    yield _series(f"{what}: calls of CloudFormation and Logs for each resource that is replaced", replaced, 1)
    yield _series(f"{what}: operations that failed, and memberships left", [each.harm for each in counted.values()], 0)


def _series(work: str, values: Sequence[float], limit: float) -> Row:
    """All sizes in one row; the greatest value is what is limited."""
    return Row(work, "", Series(tuple(values)), None, figure([max(values)]), limit, noise=0)


def _growth(what: str, counted: Mapping[int, Counted]) -> Row:
    _, few, *_, many = counted
    theirs, ours = (figure([counted[size].calls / size], digits=2) for size in (few, many))
    work = f"stack of {many}, {what}: calls of the ledger, CloudFormation and Logs for each resource"
    return Row.of_ratio(work, f"a stack of {few}", ours, theirs, _GROWTH, noise=0)


def _throttled(size: int, counted: Counted) -> Iterator[Row]:
    what = f"stack of {size}, {_READS_A_SECOND} reads of CloudFormation a second"
    yield Row.of_limit(f"{what}: operations that failed", figure([len(counted.failed)]), 0)
    yield Row.of_limit(f"{what}: memberships left", figure([counted.left]), 0)
    yield Row.of_limit(f"{what}: warnings that something may remain", figure([counted.warned]), 0)
