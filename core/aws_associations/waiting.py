"""Time: an injected clock, a deadline given by the host, and jittered growing delays."""

from __future__ import annotations

import itertools
import random
import time
from collections.abc import Callable, Iterator
from typing import Protocol

from aws_associations.errors import DeadlinePassed


class Clock(Protocol):
    """Seconds that only move forward, and a way to let them pass."""

    def now(self) -> float:
        """Seconds since an arbitrary moment."""

    def sleep(self, seconds: float) -> None:
        """Return after that many seconds."""


class SystemClock:
    """The machine's monotonic clock."""

    def now(self) -> float:
        """Seconds since an arbitrary moment."""
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        """Return after that many seconds."""
        time.sleep(seconds)


class Deadline:
    """The moment after which an operation must not send anything any more. Safe to share between threads."""

    def __init__(
        self, clock: Clock, seconds: float, outer: Deadline | None = None, before_call: Callable[[], None] | None = None
    ) -> None:
        """``outer``: a deadline that ends this one too. ``before_call``: see :meth:`guarded`."""
        self._clock = clock
        self._end = clock.now() + seconds
        self._outer = outer
        self._before_call = before_call

    @property
    def remaining(self) -> float:
        """Seconds left, never negative."""
        own = max(0.0, self._end - self._clock.now())
        return own if self._outer is None else min(own, self._outer.remaining)

    def part(self, fraction: float) -> Deadline:
        """A deadline after that fraction of the time that is left."""
        return Deadline(self._clock, self.remaining * fraction, outer=self)

    def guarded(self, before_call: Callable[[], None]) -> Deadline:
        """The same deadline; before every attempt of a call this runs, and stops the attempt if it raises."""
        return Deadline(self._clock, self.remaining, outer=self, before_call=before_call)

    def end_now(self) -> None:
        """Let no further request begin, retries of the SDK included."""
        self._end = float("-inf")

    def check(self) -> None:
        """Called before every attempt of a call. Raises DeadlinePassed if no time is left."""
        if self.remaining <= 0:
            raise DeadlinePassed
        if self._before_call is not None:
            self._before_call()
        if self._outer is not None:
            self._outer.check()

    def sleep(self, seconds: float) -> None:
        """Sleep that long, or until the deadline if that is nearer."""
        self._clock.sleep(min(seconds, self.remaining))

    def elapsed_since(self, moment: float) -> float:
        """Seconds since a moment that :attr:`moment` told."""
        return self._clock.now() - moment

    @property
    def moment(self) -> float:
        """Now, on the clock of this deadline."""
        return self._clock.now()


def delays(first: float = 0.2, growth: float = 1.6, longest: float = 5.0) -> Iterator[float]:
    """Endless delays in seconds, each up to a quarter shorter or longer than planned so that waiters spread out."""
    planned = first
    while True:
        yield planned * random.uniform(0.75, 1.25)  # noqa: S311 - spreads load, protects nothing
        planned = min(planned * growth, longest)


def delays_after_first() -> Iterator[float]:
    """The same, with no delay before the first."""
    return itertools.chain((0.0,), delays())


class Pace:
    """How long what was accepted took to show the last times, and so when to look for it. Safe to share.

    It narrows down to the last look that was too early and the first that was not. Wrong at worst, it leaves no longer
    between two looks than :func:`delays` does.
    """

    _CLOSE = 0.05
    _LONGEST = 5.0
    _LONG_AGO = 13

    def __init__(self) -> None:
        self._between: tuple[float, float] | None = None
        self._in_time = 0

    @property
    def expected(self) -> float:
        """Seconds from the accepted write to the first look; 0: at once."""
        low, high = self._between or (0.0, 0.0)
        if not low:
            expected = high / 2
        elif high - low <= max(self._CLOSE, high / 20):
            expected = high
        else:
            # Nearer to what was not too early: a look in vain costs more than a little patience.
            expected = low + 0.8 * (high - low)
        return expected if expected > self._CLOSE / 2 else 0.0

    def learn(self, early: float | None, shown: float) -> None:
        """A wait is over. ``early``, ``shown``: seconds until the last look that was too early, and the first not."""
        low, high = self._between or (0.0, shown)
        if early is None:
            # It may have become quicker: very little earlier the next time, and much earlier if that goes on.
            high = min(high, shown)
            self._between = min(low, high) * max(0.0, 1 - 0.0002 * 2**self._in_time), high
            self._in_time = min(self._in_time + 1, self._LONG_AGO)
        else:
            self._in_time = 0
            low, high = max(low, early), min(high, shown)
            self._between = (low, high) if low < high else (early, shown)

    def delays(self, deadline: Deadline) -> Iterator[float]:
        """Endless delays, the first one before the first look: few until it is expected, then close ones."""
        begun, expected = deadline.moment, self.expected
        yield min(expected, self._LONGEST, deadline.remaining / 2)
        while (left := expected - deadline.elapsed_since(begun)) > self._CLOSE / 2:
            yield min(left, self._LONGEST)
        yield from delays(self._CLOSE) if expected else delays()
