"""CloudFormation, played as AWS documents it: stacks, their events, custom resource requests, rollbacks and cleanups.

Sources: shared facts (cloudformation.md, engines.md) and the pages of the AWS CloudFormation User Guide named there. It
implements no rule of aws-associations. Where AWS does not say what it does, :class:`Habits` has a switch.
"""

from __future__ import annotations

import datetime
import json
from collections import Counter
from collections.abc import Callable, Generator, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar
from urllib.parse import urlsplit

from tests.model.aws import AwsError
from tests.model.function import FUNCTION_ARN, Delivery, Invocation, Lambda
from tests.model.simulation import Simulation
from tests.model.world import ACCOUNT, REGION, Fault, World, numbered

STACK_TYPE = "AWS::CloudFormation::Stack"
SERVICE_TIMEOUT = 3600.0
URL_LASTS = 7200.0
CLEANUP_TRIES = 3
MOST_BYTES = 4096
_UPDATABLE = frozenset({"CREATE_COMPLETE", "UPDATE_COMPLETE", "UPDATE_ROLLBACK_COMPLETE"})
HOST = f"cloudformation-custom-resource-response-{REGION.replace('-', '')}.s3.amazonaws.com"

T = TypeVar("T")
Steps = Generator["float | Signal", None, T]
"""What the engine does, one thing after the other: it waits for so many seconds, or for something to happen."""


class Signal:
    """Something that happens once."""

    def __init__(self, simulation: Simulation) -> None:
        self._simulation = simulation
        self._waiting: list[Callable[[], None]] = []
        self.happened = False

    def happen(self) -> None:
        """Let everybody who waits for it go on."""
        if not self.happened:
            self.happened = True
            for action in self._waiting:
                self._simulation.after(0, action)

    def then(self, action: Callable[[], None]) -> None:
        """Do that when it has happened."""
        if self.happened:
            self._simulation.after(0, action)
        else:
            self._waiting.append(action)


class Job:
    """Steps under way. ``ended``: they are over, by themselves or cancelled."""

    def __init__(self, simulation: Simulation, steps: Steps[Any]) -> None:
        self._simulation = simulation
        self._steps = steps
        self.ended = Signal(simulation)
        self.result: Any = None
        self.cancelled = False
        simulation.after(0, self._advance)

    def cancel(self) -> None:
        """Let them go no further."""
        if not self.ended.happened:
            self.cancelled = True
            self._steps.close()
            self.ended.happen()

    def _advance(self) -> None:
        if self.cancelled:
            return
        try:
            wait = next(self._steps)
        except StopIteration as end:
            self.result = end.value
            self.ended.happen()
            return
        if isinstance(wait, Signal):
            wait.then(self._advance)
        else:
            self._simulation.after(wait, self._advance)


# -- what a template declares -----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Declared:
    """One resource of a template.

    Attributes:
        type: ``Custom::...`` goes to the function; :data:`STACK_TYPE` is a nested stack; AWS makes all else itself.
        properties: all scalars are strings.
        retain: DeletionPolicy and UpdateReplacePolicy are Retain.
        after: logical ids that must be done first.
        seconds, fails: of what AWS makes itself: how long it takes, and whether it fails then.
        template: of a nested stack.
    """

    type: str
    properties: Mapping[str, str] = field(default_factory=dict)
    retain: bool = False
    after: tuple[str, ...] = ()
    seconds: float = 2.0
    fails: bool = False
    template: Mapping[str, Declared] = field(default_factory=dict)

    @property
    def is_custom(self) -> bool:
        return self.type.startswith("Custom::")

    def same(self, other: Declared) -> bool:
        """Whether an update would do nothing."""
        if self.type == STACK_TYPE:
            return same_template(self.template, other.template)
        return dict(self.properties) == dict(other.properties)


Template = Mapping[str, Declared]


def same_template(one: Template, other: Template) -> bool:
    """Whether an update from one to the other would do nothing."""
    return one.keys() == other.keys() and all(one[name].same(other[name]) for name in one)


@dataclass(frozen=True)
class Habits:
    """What AWS does one way or the other, and does not say.

    Attributes:
        event_lag: seconds until an event is shown.
        page: entries on a page of events.
        reads_a_second: how many reads it answers in any second; None: all.
        cancels_at_once: when a resource fails, those under way are given up at once (a Delete may then come while a
            Create runs); otherwise they are waited for.
        lists_removed: a resource that the template no longer has is listed until it is deleted.
        reverses_replaced: a replaced resource gets an Update back in a rollback; otherwise its new id is deleted only.
        records_failed_id: the new id that a FAILED Update answers is recorded, and deleted in the cleanup.
        signs_first: the ResponseURL is signed a moment before the event is written; otherwise a moment after.
        new_request_each_try: each try of a cleanup Delete has a RequestId of its own.
        replaces_preserving: a custom resource may be replaced although the rollback is disabled; otherwise that fails
            (documented for immutable updates; whether a custom resource's answer is one is not).
        reverses_failed: an update that failed, and whose rollback is disabled, is reversed at once (documented: failed
            resources go back to their last stable state); otherwise with the rollback that a user may ask for.
        deletes_failed_first: what could not be created is deleted before the next operation creates it again; otherwise
            in the cleanup.
    """

    event_lag: float = 0.0
    page: int = 100
    reads_a_second: int | None = None
    cancels_at_once: bool = True
    lists_removed: bool = True
    reverses_replaced: bool = True
    records_failed_id: bool = True
    signs_first: bool = False
    new_request_each_try: bool = True
    replaces_preserving: bool = True
    reverses_failed: bool = True
    deletes_failed_first: bool = True


# -- what it keeps ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Answer:
    """What arrived at the bucket for a request. ``problem``: what CloudFormation says is wrong with it."""

    time: float
    delivery: Delivery
    problem: str
    status: str = ""
    physical_id: str = ""
    reason: str = ""


@dataclass(eq=False)
class Request:
    """One custom resource request.

    Attributes:
        settled: answered, timed out, or given up.
        outcome: the answer that counted; None: there was none in time.
        given_up: CloudFormation went on without an answer.
        operation: which operation of the stack it belongs to, counted over all stacks.
    """

    request_id: str
    request_type: str
    stack: Stack
    logical_id: str
    declared: Declared
    physical_id: str
    properties: Mapping[str, str]
    old_properties: Mapping[str, str]
    sent: float
    url: str
    settled: Signal
    operation: Operation
    why: str = ""
    outcome: Answer | None = None
    given_up: bool = False
    answers: list[Answer] = field(default_factory=list)
    invocation: Invocation | None = None

    def __str__(self) -> str:
        what = f"{self.request_type}{f' ({self.why})' if self.why else ''}"
        return f"{what} of {self.stack.name}.{self.logical_id}"

    @property
    def deliveries(self) -> list[Delivery]:
        return self.invocation.deliveries if self.invocation else []

    @property
    def succeeded(self) -> bool:
        return self.outcome is not None and self.outcome.status == "SUCCESS"


@dataclass(eq=False)
class Resource:
    """A resource of a stack.

    Attributes:
        declared: as it was last deployed, or is being deployed.
        created: the running operation creates it.
        touched: the running operation updates it.
        skipped: its rollback was skipped on the user's word, and it has not been updated since.
        before: what it was when the running operation began.
        child: the stack that it is.
    """

    logical_id: str
    declared: Declared
    physical_id: str = ""
    status: str = ""
    created: bool = False
    touched: bool = False
    skipped: bool = False
    before: tuple[Declared, str] | None = None
    child: Stack | None = None


@dataclass(frozen=True)
class StackEvent:
    """One event of a stack."""

    time: float
    logical_id: str
    physical_id: str
    type: str
    status: str
    reason: str


@dataclass(eq=False)
class Operation:
    """One operation of a stack that a user asked for.

    Attributes:
        result: the stack's status at its end.
        loud: what it told the user besides: Deletes that failed and were skipped, resources skipped on demand.
    """

    number: int
    what: str
    stack: Stack
    began: float
    result: str = ""
    loud: list[str] = field(default_factory=list)
    skipped: list[tuple[str, str]] = field(default_factory=list)


@dataclass(eq=False)
class Stack:
    """One stack.

    Attributes:
        leftovers: what a forward operation replaced: logical id, what it was, its id. Deleted in the cleanup.
        retained: ids that were left in place on the user's word.
        abandoned: ids whose cleanup failed three times, or that were skipped: told to the user.
        stable: it has completed an operation, to which it can be rolled back.
        stop: a user has had enough of the running operation.
        under_way: logical ids whose creation or update has begun in the running operation.
    """

    name: str
    stack_id: str
    parent: Stack | None = None
    status: str = ""
    template: Template = field(default_factory=dict)
    template_before: Template = field(default_factory=dict)
    resources: dict[str, Resource] = field(default_factory=dict)
    deleted: dict[str, Resource] = field(default_factory=dict)
    events: list[StackEvent] = field(default_factory=list)
    leftovers: list[tuple[str, Declared, str]] = field(default_factory=list)
    retained: list[str] = field(default_factory=list)
    abandoned: list[str] = field(default_factory=list)
    stuck: list[str] = field(default_factory=list)
    hidden: set[str] = field(default_factory=set)
    stable: bool = False
    stop: Signal | None = None
    under_way: set[str] = field(default_factory=set)

    @property
    def is_paused(self) -> bool:
        """Its last operation failed, and its rollback was disabled."""
        return self.status in {"CREATE_FAILED", "UPDATE_FAILED"}

    @property
    def has_nested(self) -> bool:
        return any(resource.child is not None for resource in self.resources.values())

    @property
    def is_gone(self) -> bool:
        return self.status == "DELETE_COMPLETE"

    @property
    def root(self) -> Stack:
        return self.parent.root if self.parent else self


class CloudFormation:
    """The engine. Operations run as jobs in virtual time; :meth:`finish` waits for one.

    Attributes:
        history: what happened, in words.
        calls: how many calls of each operation arrived.
        on_send: called with every request before it is delivered; may add deliveries of its own.
    """

    def __init__(self, world: World, habits: Habits) -> None:
        self.world = world
        self.simulation = world.simulation
        self.habits = habits
        self.function = Lambda(world, self._put)
        self.stacks: dict[str, Stack] = {}
        self.requests: list[Request] = []
        self.operations: list[Operation] = []
        self.history: list[str] = []
        self.calls: Counter[str] = Counter()
        self._reads: list[float] = []
        self.on_send: Callable[[Request], None] = lambda _: None
        self._by_url: dict[str, Request] = {}
        self._names = numbered()
        world.aws["cloudformation"] = self._answer

    # -- what a user asks for -----------------------------------------------------------------------------------------

    def create(
        self, name: str, template: Template, *, on_failure: str = "ROLLBACK", stopped_after: float | None = None
    ) -> Job:
        """Create a stack.

        Args:
            name: of the stack.
            template: what it declares.
            on_failure: ROLLBACK, DELETE or DO_NOTHING, which disables the rollback.
            stopped_after: seconds after which the user deletes it, whether it is created or not.
        """
        stack = self._new_stack(name, None)
        operation = self._operation(f"create stack {name}", stack)
        self._stop_after(stack, stopped_after)
        return self._run(operation, self._create_stack(operation, stack, template, on_failure))

    def update(
        self, stack: Stack, template: Template, *, preserve: bool = False, stopped_after: float | None = None
    ) -> Job | None:
        """Update a stack; None: it cannot be updated now, or nothing would change.

        Args:
            stack: which.
            template: what it declares from now on.
            preserve: the rollback is disabled. A stack whose last operation ended so can be updated in no other way
                (documented). Of nested stacks nothing is documented, so that such a deployment is not played.
            stopped_after: seconds after which the user cancels the update.
        """
        nested = stack.has_nested or any(declared.type == STACK_TYPE for declared in template.values())
        if stack.is_paused:
            if not preserve or nested:
                return None
        elif stack.status not in _UPDATABLE or same_template(stack.template, template):
            return None
        preserve = preserve and not nested
        operation = self._operation(f"update stack {stack.name}{', preserving' * preserve}", stack)
        self._stop_after(stack, stopped_after if stack.stable else None)
        return self._run(operation, self._update_stack(operation, stack, template, preserve))

    def roll_back(self, stack: Stack) -> Job | None:
        """RollbackStack, of one whose last operation failed without a rollback; None: it is another one."""
        if not stack.is_paused:
            return None
        operation = self._operation(f"roll back stack {stack.name}", stack)
        # Documented: one that has no last stable state is deleted.
        steps = self._roll_back(operation, stack) if stack.stable else self._delete_stack(operation, stack)
        return self._run(operation, steps)

    def _stop_after(self, stack: Stack, seconds: float | None) -> None:
        stack.stop = stop = Signal(self.simulation)
        if seconds is not None:
            self.simulation.after(seconds, stop.happen)

    def delete(self, stack: Stack) -> Job | None:
        """Delete a stack; None: it is gone, or busy."""
        if stack.is_gone or stack.status.endswith("IN_PROGRESS"):
            return None
        operation = self._operation(f"delete stack {stack.name}", stack)
        return self._run(operation, self._delete_stack(operation, stack))

    def continue_rollback(self, stack: Stack, skip: bool = False) -> Job | None:
        """Continue a rollback that failed; ``skip``: leave out what failed."""
        if stack.status != "UPDATE_ROLLBACK_FAILED":
            return None
        operation = self._operation(f"continue the rollback of stack {stack.name}{', skipping' * skip}", stack)
        return self._run(operation, self._continue_rollback(operation, stack, skip))

    def finish(self, *jobs: Job) -> None:
        """Let virtual time pass until these have ended."""
        self.simulation.run(lambda: all(job.ended.happened for job in jobs))
        assert all(job.ended.happened for job in jobs), "an operation of the played engine is stuck"

    def calm(self) -> None:
        """Let everything happen that is still to come: repetitions, late deliveries."""
        self.simulation.run()

    def tell(self, what: str) -> None:
        """Put something into the history."""
        self.history.append(f"{self.simulation.now - self.world.began:9.1f}  {what}")

    def _operation(self, what: str, stack: Stack) -> Operation:
        operation = Operation(len(self.operations) + 1, what, stack, self.simulation.now)
        self.operations.append(operation)
        self.tell(f"== {what}")
        return operation

    def _run(self, operation: Operation, steps: Steps[None]) -> Job:
        def to_the_end() -> Steps[Operation]:
            yield from steps
            operation.result = operation.stack.status
            self.tell(f"== {operation.what}: {operation.result}")
            return operation

        return Job(self.simulation, to_the_end())

    def _new_stack(self, name: str, parent: Stack | None) -> Stack:
        number = next(self._names)
        stack = Stack(name, f"arn:aws:cloudformation:{REGION}:{ACCOUNT}:stack/{name}/{number}", parent)
        self.stacks[stack.stack_id] = stack
        return stack

    # -- operations ---------------------------------------------------------------------------------------------------

    def _create_stack(self, operation: Operation, stack: Stack, template: Template, on_failure: str) -> Steps[None]:
        self._status(stack, "CREATE_IN_PROGRESS")
        preserve = on_failure == "DO_NOTHING"
        succeeded = yield from self._apply(operation, stack, template, preserve)
        stack.template = template
        if succeeded:
            self._settle(stack, "CREATE_COMPLETE")
        elif stack.stop is not None and stack.stop.happened:
            yield from self._delete_stack(operation, stack)
        elif preserve:
            self._settle(stack, "CREATE_FAILED")
        elif on_failure == "DELETE":
            self._status(stack, "DELETE_IN_PROGRESS")
            yield from self._delete_all(operation, stack, "DELETE_COMPLETE", "DELETE_FAILED", "rollback")
        else:
            self._status(stack, "ROLLBACK_IN_PROGRESS")
            yield from self._delete_all(operation, stack, "ROLLBACK_COMPLETE", "ROLLBACK_FAILED", "rollback")

    def _update_stack(self, operation: Operation, stack: Stack, template: Template, preserve: bool) -> Steps[None]:
        if (yield from self._forward(operation, stack, template, preserve)):
            yield from self._cleanup(operation, stack)
        elif preserve and not (stack.stop is not None and stack.stop.happened):
            self._settle(stack, "UPDATE_FAILED")
        else:
            yield from self._roll_back(operation, stack)

    def _forward(self, operation: Operation, stack: Stack, template: Template, preserve: bool = False) -> Steps[bool]:
        """The part of an update that a failure turns back. What went before it is part of it if it did not complete."""
        continued = stack.is_paused
        if not continued:
            for resource in stack.resources.values():
                resource.before = (resource.declared, resource.physical_id)
                resource.created = resource.touched = False
            stack.leftovers, stack.stuck = [], []
            stack.template_before = stack.template
        self._status(stack, "UPDATE_IN_PROGRESS")
        if continued:
            yield from self._delete_failed(operation, stack)
        succeeded = yield from self._apply(operation, stack, template, preserve)
        if succeeded:
            stack.template = template
        return succeeded

    def _delete_failed(self, operation: Operation, stack: Stack) -> Steps[None]:
        """What could not be created, and has no stable state, is deleted by the next operation (documented)."""
        failed = [resource for resource in stack.resources.values() if resource.status == "CREATE_FAILED"]
        jobs = []
        for resource in failed:
            leftover = (resource.logical_id, resource.declared, resource.physical_id)
            if self.habits.deletes_failed_first:
                jobs.append(Job(self.simulation, self._clean(operation, stack, *leftover, resource)))
            else:
                stack.leftovers.append(leftover)
                del stack.resources[resource.logical_id]
        for job in jobs:
            yield job.ended

    def _cleanup(self, operation: Operation, stack: Stack) -> Steps[None]:
        """Delete what a forward update replaced and removed."""
        self._status(stack, "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS")
        removed = [resource for name, resource in stack.resources.items() if name not in stack.template]
        if not self.habits.lists_removed:
            stack.hidden = {resource.logical_id for resource in removed}
        jobs = [Job(self.simulation, self._clean(operation, stack, *leftover, None)) for leftover in stack.leftovers]
        for resource in removed:
            if resource.child is not None:
                jobs.append(Job(self.simulation, self._remove(operation, stack, resource, "cleanup")))
                continue
            leftover = (resource.logical_id, resource.declared, resource.physical_id)
            jobs.append(Job(self.simulation, self._clean(operation, stack, *leftover, resource)))
        for resource in stack.resources.values():
            if resource.child is not None and resource.touched:
                jobs.append(Job(self.simulation, self._cleanup(operation, resource.child)))
        for job in jobs:
            yield job.ended
        stack.leftovers, stack.hidden = [], set()
        self._settle(stack, "UPDATE_COMPLETE")

    def _roll_back(self, operation: Operation, stack: Stack) -> Steps[None]:
        yield self._pause()
        self._status(stack, "UPDATE_ROLLBACK_IN_PROGRESS")
        touched = [resource for resource in stack.resources.values() if resource.touched and not resource.created]
        yield from self._reverse_all(operation, stack, touched)

    def _reverse_all(self, operation: Operation, stack: Stack, touched: list[Resource]) -> Steps[None]:
        jobs = [Job(self.simulation, self._reverse(operation, stack, resource)) for resource in touched]
        for job in jobs:
            yield job.ended
        stack.stuck = [resource.logical_id for resource, job in zip(touched, jobs, strict=True) if not job.result]
        if stack.stuck:
            self._settle(stack, "UPDATE_ROLLBACK_FAILED")
        else:
            yield from self._clean_rollback(operation, stack)

    def _clean_rollback(self, operation: Operation, stack: Stack) -> Steps[None]:
        """Delete what the update that failed had made."""
        self._status(stack, "UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS")
        jobs = [Job(self.simulation, self._clean(operation, stack, *leftover, None)) for leftover in stack.leftovers]
        for resource in [resource for resource in stack.resources.values() if resource.created]:
            if resource.child is not None:
                jobs.append(Job(self.simulation, self._remove(operation, stack, resource, "rollback")))
                continue
            leftover = (resource.logical_id, resource.declared, resource.physical_id)
            jobs.append(Job(self.simulation, self._clean(operation, stack, *leftover, resource)))
        for job in jobs:
            yield job.ended
        stack.leftovers = []
        stack.template = stack.template_before
        self._settle(stack, "UPDATE_ROLLBACK_COMPLETE")

    def _continue_rollback(self, operation: Operation, stack: Stack, skip: bool) -> Steps[None]:
        self._status(stack, "UPDATE_ROLLBACK_IN_PROGRESS")
        stuck = [stack.resources[name] for name in stack.stuck]
        if skip:
            for resource in stuck:
                assert resource.before is not None
                if resource.child is not None:
                    yield from self._continue_rollback(operation, resource.child, skip)
                    resource.declared = resource.before[0]
                    self._note(stack, resource, "UPDATE_COMPLETE")
                    continue
                resource.skipped = True
                operation.loud.append(f"{resource.logical_id} was skipped")
                operation.skipped.append((resource.logical_id, resource.physical_id))
                stack.abandoned.append(resource.physical_id)
                resource.declared = resource.before[0]
                self._note(stack, resource, "UPDATE_COMPLETE", "skipped")
            stuck = []
        yield from self._reverse_all(operation, stack, stuck)

    def _delete_stack(self, operation: Operation, stack: Stack) -> Steps[None]:
        self._status(stack, "DELETE_IN_PROGRESS")
        yield from self._delete_all(operation, stack, "DELETE_COMPLETE", "DELETE_FAILED", "stack deleted")

    def _delete_all(self, operation: Operation, stack: Stack, done: str, failed: str, why: str) -> Steps[None]:
        """Delete every resource, those that others were made after last, and what was replaced and not cleaned up."""
        remaining = list(stack.resources.values())
        fine = True
        leftovers, stack.leftovers = stack.leftovers, []
        replaced = [Job(self.simulation, self._clean(operation, stack, *leftover, None)) for leftover in leftovers]
        while remaining:
            needed = {name for resource in remaining for name in resource.declared.after}
            first = [resource for resource in remaining if resource.logical_id not in needed] or remaining
            jobs = [Job(self.simulation, self._remove(operation, stack, resource, why)) for resource in reversed(first)]
            for job in jobs:
                yield job.ended
            fine = fine and all(job.result for job in jobs)
            remaining = [resource for resource in remaining if resource not in first]
        for job in replaced:
            yield job.ended
        self._settle(stack, done if fine else failed)

    # -- resources ----------------------------------------------------------------------------------------------------

    def _apply(self, operation: Operation, stack: Stack, template: Template, preserve: bool = False) -> Steps[bool]:
        """Create and update what differs, in parallel.

        False: something failed. What ran then was given up; with ``preserve`` whatever does not need what failed was
        done (documented).
        """
        changing = {
            name: declared
            for name, declared in template.items()
            if name not in stack.resources
            or not stack.resources[name].declared.same(declared)
            or stack.resources[name].status == "UPDATE_FAILED"
        }
        order = sorted(changing)
        self.simulation.random.shuffle(order)
        jobs: dict[str, Job] = {}
        done: set[str] = set(template) - set(changing)
        failed: set[str] = set()
        stack.under_way = set()
        stop = stack.stop or Signal(self.simulation)
        while len(done) < len(template):
            for name in order:
                new = name not in jobs and name not in done and name not in failed
                if new and template.keys() & set(changing[name].after) <= done:
                    jobs[name] = Job(self.simulation, self._deploy(operation, stack, name, changing[name], preserve))
            if not jobs and failed:
                return False
            if not jobs:
                raise AssertionError(f"the template's order cannot be kept: {sorted(set(changing) - done)}")
            progress = Signal(self.simulation)
            for job in jobs.values():
                job.ended.then(progress.happen)
            stop.then(progress.happen)
            yield progress
            ended = {name: job for name, job in jobs.items() if job.ended.happened}
            jobs = {name: job for name, job in jobs.items() if name not in ended}
            failed |= {name for name, job in ended.items() if not job.result}
            done |= ended.keys() - failed
            if len(done) < len(template) and (stop.happened or (failed and not preserve)):
                yield from self._give_up(stack, jobs)
                return False
        return True

    def _give_up(self, stack: Stack, jobs: Mapping[str, Job]) -> Steps[None]:
        """Something failed: let go of what is under way, or wait for it."""
        for name, job in jobs.items():
            if name not in stack.under_way:
                job.cancel()  # not begun
                continue
            resource = stack.resources[name]
            if self.habits.cancels_at_once and resource.child is None:
                job.cancel()
                for request in self.requests:
                    if request.stack is stack and request.logical_id == name and not request.settled.happened:
                        request.given_up = True
                        request.settled.happen()
                verb = "CREATE" if resource.created else "UPDATE"
                self._note(stack, resource, f"{verb}_FAILED", "Resource operation cancelled")
            else:
                yield job.ended

    def _deploy(self, operation: Operation, stack: Stack, name: str, declared: Declared, preserve: bool) -> Steps[bool]:
        yield self._pause()
        stack.under_way.add(name)
        resource = stack.resources.get(name)
        if resource is None:
            resource = stack.resources[name] = Resource(name, declared, created=True)
            return (yield from self._create_resource(operation, stack, resource))
        return (yield from self._update_resource(operation, stack, resource, declared, preserve))

    def _create_resource(self, operation: Operation, stack: Stack, resource: Resource) -> Steps[bool]:
        declared = resource.declared
        self._note(stack, resource, "CREATE_IN_PROGRESS")
        if declared.type == STACK_TYPE:
            resource.child = child = self._new_stack(f"{stack.name}-{resource.logical_id}", stack)
            resource.physical_id = child.stack_id
            self._note(stack, resource, "CREATE_IN_PROGRESS")
            yield from self._create_stack(operation, child, declared.template, "ROLLBACK")
            fine = child.status == "CREATE_COMPLETE"
        elif declared.is_custom:
            request = self._send(operation, stack, resource, "Create", declared.properties, {})
            yield request.settled
            fine = request.succeeded
            if request.outcome is not None and not request.outcome.problem:
                resource.physical_id = request.outcome.physical_id
            if fine:
                self._note(stack, resource, "CREATE_IN_PROGRESS")
        else:
            yield declared.seconds
            fine = not declared.fails
            resource.physical_id = f"{stack.name}-{resource.logical_id}" if fine else ""
        self._note(stack, resource, "CREATE_COMPLETE" if fine else "CREATE_FAILED")
        return fine

    def _update_resource(
        self, operation: Operation, stack: Stack, resource: Resource, declared: Declared, preserve: bool
    ) -> Steps[bool]:
        resource.touched, resource.skipped = True, False
        old = resource.declared
        self._note(stack, resource, "UPDATE_IN_PROGRESS")
        if resource.child is not None:
            resource.declared = declared
            fine = yield from self._forward(operation, resource.child, declared.template)
            if fine:
                self._settle(resource.child, "UPDATE_COMPLETE")
            else:
                yield from self._roll_back(operation, resource.child)
                resource.touched = False
                resource.declared = old
        elif declared.is_custom:
            request = self._send(operation, stack, resource, "Update", declared.properties, old.properties)
            resource.declared = declared
            before = resource.physical_id
            yield request.settled
            fine = request.succeeded
            self._take_id(stack, resource, old, request)
            if preserve and not self.habits.replaces_preserving and resource.physical_id != before:
                fine = False
            if preserve and not fine and self.habits.reverses_failed:
                self._note(stack, resource, "UPDATE_FAILED")
                yield from self._update_back(operation, stack, resource, old)
        else:
            resource.declared = declared
            yield declared.seconds
            fine = not declared.fails
        self._note(stack, resource, "UPDATE_COMPLETE" if fine else "UPDATE_FAILED")
        return fine

    def _take_id(self, stack: Stack, resource: Resource, old: Declared, request: Request) -> None:
        """An Update answered: another id replaces the resource; the old one is deleted in the cleanup."""
        outcome = request.outcome
        if outcome is None or outcome.problem or outcome.physical_id == resource.physical_id:
            return
        if request.succeeded or self.habits.records_failed_id:
            taken = (resource.logical_id, outcome.physical_id)
            stack.leftovers = [each for each in stack.leftovers if (each[0], each[2]) != taken]
            stack.leftovers.append((resource.logical_id, old, resource.physical_id))
            resource.physical_id = outcome.physical_id
            if request.succeeded:
                self._note(stack, resource, "UPDATE_IN_PROGRESS", "a new physical resource")

    def _update_back(self, operation: Operation, stack: Stack, resource: Resource, declared: Declared) -> Steps[bool]:
        """Send an Update with the properties swapped."""
        failed = resource.declared
        self._note(stack, resource, "UPDATE_IN_PROGRESS")
        request = self._send(
            operation, stack, resource, "Update", declared.properties, failed.properties, why="reversed"
        )
        yield request.settled
        if request.succeeded:
            resource.declared = declared
            self._take_id(stack, resource, failed, request)
        return request.succeeded

    def _reverse(self, operation: Operation, stack: Stack, resource: Resource) -> Steps[bool]:
        """Bring back what an update that failed had changed."""
        yield self._pause()
        assert resource.before is not None
        declared, physical_id = resource.before
        # What the forward update replaced is not deleted; what it made is.
        replaced = (resource.logical_id, physical_id)
        stack.leftovers = [each for each in stack.leftovers if (each[0], each[2]) != replaced]
        if resource.child is not None:
            resource.declared = declared
            if resource.child.status == "UPDATE_ROLLBACK_FAILED":
                yield from self._continue_rollback(operation, resource.child, skip=False)
            else:
                yield from self._roll_back(operation, resource.child)
            fine = resource.child.status == "UPDATE_ROLLBACK_COMPLETE"
        elif not declared.is_custom:
            yield 1.0
            resource.declared = declared
            fine = True
        elif (
            resource.status == "UPDATE_COMPLETE"
            and resource.physical_id != physical_id
            and (not self.habits.reverses_replaced)
        ):
            stack.leftovers.append((resource.logical_id, resource.declared, resource.physical_id))
            resource.declared, resource.physical_id = declared, physical_id
            fine = True
        else:
            fine = yield from self._update_back(operation, stack, resource, declared)
            if fine and resource.physical_id != physical_id:
                # It went back to something else: what it had is replaced after all.
                stack.leftovers.append((resource.logical_id, declared, physical_id))
        self._note(stack, resource, "UPDATE_COMPLETE" if fine else "UPDATE_FAILED")
        return fine

    def _clean(
        self,
        operation: Operation,
        stack: Stack,
        logical_id: str,
        declared: Declared,
        physical_id: str,
        resource: Resource | None,
    ) -> Steps[bool]:
        """Delete what an update left over; three tries, then it is skipped. ``resource``: it goes altogether."""
        yield self._pause()
        gone = resource or Resource(logical_id, declared, physical_id)
        fine = yield from self._delete_resource(operation, stack, gone, "cleanup", CLEANUP_TRIES)
        if not fine:
            operation.loud.append(f"the cleanup of {logical_id} failed {CLEANUP_TRIES} times")
            stack.abandoned.append(gone.physical_id)
        if resource is not None:
            stack.resources.pop(logical_id, None)
        return fine

    def _remove(self, operation: Operation, stack: Stack, resource: Resource, why: str) -> Steps[bool]:
        yield self._pause()
        if resource.child is not None:
            self._note(stack, resource, "DELETE_IN_PROGRESS")
            self._status(resource.child, "DELETE_IN_PROGRESS")
            yield from self._delete_all(operation, resource.child, "DELETE_COMPLETE", "DELETE_FAILED", why)
            fine = resource.child.is_gone
            self._note(stack, resource, "DELETE_COMPLETE" if fine else "DELETE_FAILED")
        else:
            fine = yield from self._delete_resource(operation, stack, resource, why, 1)
        if fine:
            stack.deleted[resource.logical_id] = stack.resources.pop(resource.logical_id)
        return fine

    def _delete_resource(
        self, operation: Operation, stack: Stack, resource: Resource, why: str, tries: int
    ) -> Steps[bool]:
        if resource.declared.retain:
            stack.retained.append(resource.physical_id)
            self._note(stack, resource, "DELETE_SKIPPED")
            return True
        self._note(stack, resource, "DELETE_IN_PROGRESS")
        if not resource.declared.is_custom:
            yield 1.0
            self._note(stack, resource, "DELETE_COMPLETE")
            return True
        if not resource.physical_id:
            suffix = f"{self.simulation.random.getrandbits(40):010X}"
            resource.physical_id = f"{stack.name}-{resource.logical_id}-{suffix}"
            why = f"{why}, an invented id"
        request: Request | None = None
        for number in range(1, tries + 1):
            again = request.request_id if request and not self.habits.new_request_each_try else None
            request = self._send(
                operation,
                stack,
                resource,
                "Delete",
                resource.declared.properties,
                {},
                why=why if number == 1 else f"{why}, try {number}",
                request_id=again,
            )
            yield request.settled
            if request.succeeded:
                self._note(stack, resource, "DELETE_COMPLETE")
                return True
            yield self._pause()
        self._note(stack, resource, "DELETE_FAILED")
        return False

    # -- requests and answers -----------------------------------------------------------------------------------------

    def _send(
        self,
        operation: Operation,
        stack: Stack,
        resource: Resource,
        request_type: str,
        properties: Mapping[str, str],
        old: Mapping[str, str],
        *,
        why: str = "",
        request_id: str | None = None,
    ) -> Request:
        number = next(self._names)
        moment = self.simulation.random.uniform(0, 1.0)
        signed = self.simulation.now + (-moment if self.habits.signs_first else moment)
        date = datetime.datetime.fromtimestamp(signed, datetime.UTC).strftime("%Y%m%dT%H%M%SZ")
        url = (
            f"https://{HOST}/{stack.stack_id.replace('/', '%2F')}%7C{resource.logical_id}%7C{number}"
            f"?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Date={date}&X-Amz-SignedHeaders=host&X-Amz-Expires=7200"
            f"&X-Amz-Credential=NOTACREDENTIAL&X-Amz-Signature={number}"
        )
        request = Request(
            request_id or f"{number}-0000-4000-8000-000000000000",
            request_type,
            stack,
            resource.logical_id,
            resource.declared,
            resource.physical_id if request_type != "Create" else "",
            properties,
            old,
            self.simulation.now,
            url,
            Signal(self.simulation),
            operation,
            why,
        )
        self.requests.append(request)
        self._by_url[urlsplit(url).path] = request
        event: dict[str, Any] = {
            "RequestType": request_type,
            "ServiceToken": FUNCTION_ARN,
            "ResponseURL": url,
            "StackId": stack.stack_id,
            "RequestId": request.request_id,
            "LogicalResourceId": resource.logical_id,
            "ResourceType": resource.declared.type,
            "ResourceProperties": {"ServiceToken": FUNCTION_ARN, **properties},
        }
        if request_type != "Create":
            event["PhysicalResourceId"] = resource.physical_id
        if request_type == "Update":
            event["OldResourceProperties"] = {"ServiceToken": FUNCTION_ARN, **old}
        shown = f" {resource.physical_id}" if request_type != "Create" else ""
        self.tell(f"   {request}{shown} -> function")
        delay = max(0.05, signed - self.simulation.now) + 0.05
        request.invocation = self.function.invoke(event, request, delay=delay)
        timeout = self.simulation.after(SERVICE_TIMEOUT, lambda: self._time_out(request))

        def settled() -> None:
            timeout.cancelled = True

        request.settled.then(settled)
        self.on_send(request)
        return request

    def _time_out(self, request: Request) -> None:
        if not request.settled.happened:
            request.given_up = True
            self.tell(f"   {request}: no answer in {SERVICE_TIMEOUT:.0f} s")
            request.settled.happen()

    def _put(self, url: str, body: bytes, delivery: Delivery) -> int:
        """The bucket: take an answer, and let CloudFormation have it."""
        request = self._by_url.get(urlsplit(url).path)
        if request is None or url != request.url:
            return 403
        if self.simulation.now - request.sent > URL_LASTS:
            return 403
        answer = judged(request, body, self.simulation.now, delivery)
        request.answers.append(answer)
        self.simulation.after(self.simulation.random.uniform(0.05, 0.5), lambda: self._take(request, answer))
        return 200

    def _take(self, request: Request, answer: Answer) -> None:
        told = f"{answer.status} {answer.physical_id} {answer.reason}" if not answer.problem else answer.problem
        if request.settled.happened:
            self.tell(f"   {request}: late answer ignored: {told[:150]}")
            return
        self.tell(f"   {request}: {told[:500]}")
        request.outcome = answer
        request.settled.happen()

    # -- what stacks show ---------------------------------------------------------------------------------------------

    def _pause(self) -> float:
        return self.simulation.random.uniform(0.0, 1.0)

    def _status(self, stack: Stack, status: str) -> None:
        stack.status = status
        event = StackEvent(self.simulation.now, stack.name, stack.stack_id, STACK_TYPE, status, "")
        stack.events.append(event)

    def _settle(self, stack: Stack, status: str) -> None:
        """The last status of an operation."""
        self._status(stack, status)
        stack.stable = stack.stable or status in _UPDATABLE

    def _note(self, stack: Stack, resource: Resource, status: str, reason: str = "") -> None:
        resource.status = status
        stack.events.append(
            StackEvent(
                self.simulation.now,
                resource.logical_id,
                resource.physical_id,
                resource.declared.type,
                status,
                reason,
            )
        )

    def _answer(self, operation: str, parameters: Mapping[str, Any]) -> dict[str, Any]:
        """DescribeStackEvents, DescribeStackResource and DescribeStacks."""
        self.calls[operation] += 1
        self._check_rate()
        stack = self.stacks.get(str(parameters.get("StackName", "")))
        if stack is None:
            raise AwsError("ValidationError", f"Stack [{parameters.get('StackName')}] does not exist")
        if operation == "DescribeStackEvents":
            return self._paged("StackEvents", list(self._events(stack)), parameters)
        if operation == "DescribeStackResource":
            return {"StackResourceDetail": self._resource(stack, parameters["LogicalResourceId"])}
        if operation == "DescribeStacks":
            related = {"ParentId": stack.parent.stack_id, "RootId": stack.root.stack_id} if stack.parent else {}
            shown = {"StackId": stack.stack_id, "StackName": stack.name, "StackStatus": stack.status, **related}
            return {"Stacks": [shown]}
        raise AwsError("AccessDenied", f"not authorized to perform cloudformation:{operation}", 403)

    def _check_rate(self) -> None:
        """Answer Throttling to more reads in a second than it serves."""
        self._reads = [moment for moment in self._reads if moment > self.simulation.now - 1]
        if len(self._reads) >= (self.habits.reads_a_second or float("inf")):
            task = self.simulation.current
            self.world.faults.append(Fault(task.process.actor if task else None, "cloudformation", "throttled"))
            raise AwsError("Throttling", "Rate exceeded")
        self._reads.append(self.simulation.now)

    def _events(self, stack: Stack) -> Iterable[dict[str, Any]]:
        shown_until = self.simulation.now - self.habits.event_lag
        for event in reversed(stack.events):
            if event.time <= shown_until:
                yield {
                    "StackId": stack.stack_id,
                    "StackName": stack.name,
                    "EventId": f"{event.logical_id}-{event.time}",
                    "Timestamp": datetime.datetime.fromtimestamp(round(event.time, 3), datetime.UTC),
                    "LogicalResourceId": event.logical_id,
                    "PhysicalResourceId": event.physical_id,
                    "ResourceType": event.type,
                    "ResourceStatus": event.status,
                }

    def _resource(self, stack: Stack, logical_id: str) -> dict[str, Any]:
        resource = stack.resources.get(logical_id) or (stack.deleted.get(logical_id) if stack.is_gone else None)
        if resource is None or logical_id in stack.hidden:
            raise AwsError("ValidationError", f"Resource {logical_id} does not exist for stack {stack.name}")
        return {
            "LogicalResourceId": logical_id,
            "ResourceType": resource.declared.type,
            "ResourceStatus": resource.status,
            **({"PhysicalResourceId": resource.physical_id} if resource.physical_id else {}),
        }

    def _paged(self, name: str, whole: list[dict[str, Any]], parameters: Mapping[str, Any]) -> dict[str, Any]:
        # A page begins after an entry, not at a number: events that come meanwhile do not shift it.
        remaining = int(parameters.get("NextToken", len(whole)))
        start, end = len(whole) - remaining, len(whole) - remaining + self.habits.page
        following = {"NextToken": str(len(whole) - end)} if end < len(whole) else {}
        return {name: whole[start:end], **following}


def judged(request: Request, body: bytes, now: float, delivery: Delivery) -> Answer:
    """An answer, and what the User Guide says is wrong with it; empty if nothing is."""
    if len(body) > MOST_BYTES:
        return Answer(now, delivery, "Response object is too long.")
    try:
        content = json.loads(body)
    except ValueError:
        return Answer(now, delivery, "Invalid JSON.")
    if not isinstance(content, dict):
        return Answer(now, delivery, "Not an object.")
    physical_id = content.get("PhysicalResourceId")
    problem = ""
    if content.get("Status") not in {"SUCCESS", "FAILED"}:
        problem = "Invalid Status."
    elif not isinstance(physical_id, str) or not 1 <= len(physical_id.encode()) <= 1024:
        problem = "Invalid PhysicalResourceId."
    elif (content.get("StackId"), content.get("RequestId"), content.get("LogicalResourceId")) != (
        request.stack.stack_id,
        request.request_id,
        request.logical_id,
    ):
        problem = "Ids are not those of the request."
    elif content["Status"] == "FAILED" and not content.get("Reason"):
        problem = "Reason is missing."
    elif not isinstance(content.get("Data", {}), dict):
        problem = "Data is not an object."
    return Answer(
        now,
        delivery,
        problem,
        str(content.get("Status")),
        str(physical_id),
        str(content.get("Reason", "")),
    )
