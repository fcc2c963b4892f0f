"""Virtual time, and programs that run in it: one thread each, one at a time, never two at once.

A program sleeps in virtual time only. While it sleeps, whatever is due before it wakes happens first, so that the order
of everything follows from the times alone: the same script gives the same run.
"""

from __future__ import annotations

import heapq
import itertools
import random
import threading
import types
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import ClassVar

MOST_EVENTS = 200_000
"""A run with more of them does not end."""


class Killed(BaseException):
    """The process is gone: nothing that it does from now on has an effect."""


@dataclass(order=True)
class Appointment:
    """Something that is due at a time. ``cancelled``: it will not happen."""

    when: float
    serial: int
    action: Callable[[], object] = field(compare=False)
    cancelled: bool = field(compare=False, default=False)


def _closed_lock() -> threading.Lock:
    """A lock that one thread opens for another; cheaper than a semaphore."""
    lock = threading.Lock()
    lock.acquire()
    return lock


class _Thread:
    """A thread that is used again: to start one costs more than to let it run."""

    idle: ClassVar[list[_Thread]] = []

    def __init__(self) -> None:
        self._turn = _closed_lock()
        self._code: Callable[[_Thread], None] = lambda _: None
        threading.Thread(target=self._run, daemon=True).start()

    @classmethod
    def begin(cls, code: Callable[[_Thread], None]) -> None:
        """Run that beside everything else; it says itself when the thread may be used again."""
        thread = cls.idle.pop() if cls.idle else cls()
        thread._code = code
        thread._turn.release()

    def rest(self) -> None:
        """Take the next one as soon as this is over."""
        self.idle.append(self)

    def _run(self) -> None:
        while True:
            self._turn.acquire()
            self._code(self)


class Process:
    """Programs that die together. ``actor``: who acts in it, for whoever wants to know."""

    def __init__(self, simulation: Simulation, actor: object = None) -> None:
        self.simulation = simulation
        self.actor = actor
        self.alive = True
        self.tasks: list[Task] = []

    def kill(self) -> None:
        """From this moment on nothing of it has an effect; what sleeps wakes up and dies."""
        self.alive = False
        for task in self.tasks:
            task.wake()


class Task:
    """One program in a thread of its own."""

    def __init__(self, process: Process, code: Callable[[], object]) -> None:
        self.process = process
        self.simulation = process.simulation
        self.ended = False
        self.result: object = None
        self.error: BaseException | None = None
        self._code = code
        self._begun = False
        self._turn = _closed_lock()
        self._wakes: Appointment | None = None
        self._waiting: list[Task] = []
        self._on_end: list[Callable[[], None]] = []
        process.tasks.append(self)

    def start(self, delay: float = 0.0) -> Task:
        """Let it begin after that many seconds."""
        self._wakes = self.simulation.after(delay, self._resume)
        return self

    def then(self, action: Callable[[], None]) -> None:
        """Do something as soon as it has ended."""
        self._on_end.append(action)

    def check(self) -> None:
        """Raise Killed if the process is gone."""
        if not self.process.alive:
            raise Killed

    def sleep(self, seconds: float) -> None:
        """Let virtual time pass; called by the program itself."""
        wake = self.simulation.now + max(0.0, seconds)
        if self.simulation.next_time() > wake:
            self.simulation.now = wake  # nothing happens in between
        else:
            self._wakes = self.simulation.at(wake, self._resume)
            self._give_way()
        self.check()

    def wait_for(self, other: Task) -> None:
        """Sleep until another program has ended; called by the program itself."""
        while not other.ended:
            other._waiting.append(self)
            self._wakes = None
            self._give_way()
            self.check()

    def pause(self) -> None:
        """Sleep until somebody wakes it; called by the program itself."""
        self._wakes = None
        self._give_way()
        self.check()

    def wake(self) -> None:
        """End its sleep now."""
        if not self.ended and self is not self.simulation.current:
            if self._wakes is not None:
                self._wakes.cancelled = True
            self._wakes = self.simulation.at(self.simulation.now, self._resume)

    def _run(self, thread: _Thread) -> None:
        try:
            if self.process.alive:
                self.result = self._code()
            else:
                self.error = Killed()
        except BaseException as error:  # noqa: BLE001 - whoever started it wants to know
            self.error = error
        self.ended = True
        self.process.tasks.remove(self)
        for waiting in self._waiting:
            waiting.wake()
        for action in self._on_end:
            self.simulation.at(self.simulation.now, action)
        thread.rest()
        self.simulation.idle.release()

    def _resume(self) -> None:
        """In the thread of the simulation: let it run until it sleeps or ends."""
        if self.ended:
            return
        self._wakes = None
        before, self.simulation.current = self.simulation.current, self
        if self._begun:
            self._turn.release()
        else:
            self._begun = True
            _Thread.begin(self._run)
        self.simulation.idle.acquire()
        self.simulation.current = before

    def _give_way(self) -> None:
        self.simulation.idle.release()
        self._turn.acquire()


class Simulation:
    """A clock that only moves when nobody has anything left to do, and what is due when.

    Attributes:
        now: seconds since the epoch.
        current: the program that runs at this moment; None: nobody's, the engine's or the test's own code.
    """

    def __init__(self, start: float, seed: int = 0) -> None:
        self.now = start
        self.current: Task | None = None
        self.idle = _closed_lock()
        self.random = random.Random(seed)  # noqa: S311 - plays chance, protects nothing
        self._due: list[Appointment] = []
        self._serials = itertools.count()
        self._happened = 0

    def at(self, when: float, action: Callable[[], object]) -> Appointment:
        """Let something happen at a time."""
        appointment = Appointment(max(when, self.now), next(self._serials), action)
        heapq.heappush(self._due, appointment)
        return appointment

    def after(self, seconds: float, action: Callable[[], object]) -> Appointment:
        """Let something happen after a time."""
        return self.at(self.now + seconds, action)

    def next_time(self) -> float:
        """When the next thing happens; infinite if nothing is due."""
        while self._due and self._due[0].cancelled:
            heapq.heappop(self._due)
        return self._due[0].when if self._due else float("inf")

    def run(self, until: Callable[[], bool] = lambda: False) -> None:
        """Let happen what is due, until that is so or nothing is left."""
        while not until() and self.next_time() != float("inf"):
            self._happened += 1
            if self._happened > MOST_EVENTS:
                raise AssertionError(f"the run does not end: {MOST_EVENTS} events")
            appointment = heapq.heappop(self._due)
            self.now = max(self.now, appointment.when)
            appointment.action()

    def pass_time(self, seconds: float) -> None:
        """Let virtual time pass, and everything happen that is due meanwhile."""
        if self.current is not None:
            self.current.sleep(seconds)
            return
        reached: list[bool] = []
        self.after(seconds, lambda: reached.append(True))
        self.run(lambda: bool(reached))

    @contextmanager
    def outside(self) -> Iterator[None]:
        """What is done meanwhile is nobody's doing in any process."""
        before, self.current = self.current, None
        try:
            yield
        finally:
            self.current = before

    # -- what stands in for Python's own modules ----------------------------------------------------------------------

    def timer(self, interval: float, function: Callable[[], None]) -> VirtualTimer:
        """What ``threading.Timer`` makes."""
        return VirtualTimer(self, interval, function)


class SharedLock:
    """``threading.RLock`` of what processes share here and nowhere else: whoever waits lets virtual time pass."""

    _SECONDS = 0.01

    def __init__(self, simulation: Callable[[], Simulation]) -> None:
        self._simulation = simulation
        self._owner: object = None
        self._held = 0

    def acquire(self, blocking: bool = True) -> bool:
        """Take it; False: somebody else has it, and ``blocking`` is False."""
        me = self._simulation().current
        while self._held and self._owner is not me:
            if not blocking:
                return False
            assert me is not None, "nobody's code cannot wait"
            me.sleep(self._SECONDS)
        self._owner = me
        self._held += 1
        return True

    def release(self) -> None:
        """Let go of it."""
        self._held -= 1

    def __enter__(self) -> SharedLock:
        self.acquire()
        return self

    def __exit__(self, *_: object) -> None:
        self.release()


class VirtualTimer:
    """``threading.Timer`` in virtual time. Its function runs in the process that started it, beside everything else."""

    def __init__(self, simulation: Simulation, interval: float, function: Callable[[], None]) -> None:
        self.daemon = True
        self._simulation = simulation
        self._interval = interval
        self._function = function
        self._appointment: Appointment | None = None
        self._task: Task | None = None

    def start(self) -> None:
        """Begin to wait."""
        assert self._simulation.current is not None, "a timer belongs to a process"
        process = self._simulation.current.process

        def fire() -> None:
            if process.alive:
                self._task = Task(process, self._function).start()

        self._appointment = self._simulation.after(self._interval, fire)

    def cancel(self) -> None:
        """Stop waiting; too late once the function runs."""
        if self._appointment is not None:
            self._appointment.cancelled = True

    def is_alive(self) -> bool:
        """Whether it waits, or its function runs."""
        if self._task is not None:
            return not self._task.ended
        return self._appointment is not None and not self._appointment.cancelled

    def join(self, timeout: float | None = None) -> None:
        """Wait until the function has ended."""
        if self._task is not None and self._simulation.current is not None:
            self._simulation.current.wait_for(self._task)


def time_module(simulation: Callable[[], Simulation]) -> types.SimpleNamespace:
    """What a module imported as ``time``, in virtual time."""

    def now() -> float:
        return simulation().now

    def sleep(seconds: float) -> None:
        simulation().pass_time(seconds)

    return types.SimpleNamespace(monotonic=now, time=now, sleep=sleep)
