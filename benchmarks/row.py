"""One line of the table: a figure of ours beside that of a peer, and the limit of what lies between them."""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Self

NOISE = 0.1
"""The part of a limit by which a measured time or size of memory may miss it in a check: no two runs are alike."""


@dataclass(frozen=True)
class Figure:
    """What was measured, once or in several runs.

    Attributes:
        values: in the order of the runs.
        unit: stands behind each number; empty for a plain one.
        digits: behind the decimal point.
    """

    values: tuple[float, ...]
    unit: str = ""
    digits: int = 0

    @property
    def median(self) -> float:
        """The middle one: neither a slow run nor a lucky one moves it."""
        return statistics.median(self.values)

    def __str__(self) -> str:
        """The median, and the quartiles where there are several runs."""
        if len(self.values) == 1:
            return self._with_unit(self._number(self.median))
        low, _, high = statistics.quantiles(self.values, n=4, method="inclusive")
        return self._with_unit(f"{self._number(self.median)} ({self._number(low)} to {self._number(high)})")

    def _number(self, value: float) -> str:
        return f"{value:,.{self.digits}f}"

    def _with_unit(self, text: str) -> str:
        return f"{text} {self.unit}".rstrip()


@dataclass(frozen=True)
class Series(Figure):
    """Counts of one size after the other: all of them are shown."""

    def __str__(self) -> str:
        """Every value, in the order of the sizes."""
        return self._with_unit(", ".join(map(self._number, self.values)))


@dataclass(frozen=True)
class Row:
    """One line.

    Attributes:
        work: what is done.
        peer: what does the same, or the least of it.
        ours, theirs: the figures, of runs that took turns; nobody's where only ours is limited.
        between: what is limited: the ratio or the difference, run by run.
        limit: the most that its median may be.
        noise: by which part of the limit a check lets it be missed.
        not_run: why it was not measured; empty if it was.
    """

    work: str
    peer: str
    ours: Figure
    theirs: Figure | None
    between: Figure
    limit: float
    noise: float = NOISE
    not_run: str = ""

    @classmethod
    def of_nothing(cls, work: str, peer: str, limit: float, why: str) -> Self:
        """Nothing was measured."""
        nothing = Figure((math.nan,), "x", _digits(limit))
        return cls(work, peer, nothing, None, nothing, limit, not_run=f"not run: {why}")

    @classmethod
    def of_ratio(
        cls, work: str, peer: str, ours: Figure, theirs: Figure, limit: float, *, noise: float = NOISE
    ) -> Self:
        """Ours divided by theirs, run by run: a machine that is slow for a while is slow for both."""
        return cls(
            work, peer, ours, theirs, _between(ours, theirs, lambda a, b: a / b, "x", _digits(limit)), limit, noise
        )

    @classmethod
    def of_difference(
        cls, work: str, peer: str, ours: Figure, theirs: Figure, limit: float, *, noise: float = NOISE
    ) -> Self:
        """Ours less theirs, run by run."""
        between = _between(ours, theirs, lambda a, b: a - b, ours.unit, ours.digits)
        return cls(work, peer, ours, theirs, between, limit, noise)

    @classmethod
    def of_limit(cls, work: str, ours: Figure, limit: float, *, peer: str = "", noise: float = 0) -> Self:
        """Ours alone, below a limit in its own unit."""
        return cls(work, peer, ours, None, ours, limit, noise)

    @property
    def met(self) -> bool:
        """Whether the limit is kept."""
        return self.between.median <= self.limit

    @property
    def passes(self) -> bool:
        """Whether a check lets it pass: not run, or the limit is kept, or missed by no more than noise."""
        return bool(self.not_run) or self.between.median <= self.limit * (1 + self.noise)


def _between(ours: Figure, theirs: Figure, of: Callable[[float, float], float], unit: str, digits: int) -> Figure:
    return Figure(tuple(of(a, b) for a, b in zip(ours.values, theirs.values, strict=True)), unit, digits)


def _digits(limit: float) -> int:
    """So many that a limit below one shows."""
    return 2 if limit >= 0.1 else 4


def figure(values: Sequence[float], unit: str = "", digits: int = 0, *, scale: float = 1.0) -> Figure:
    """Take the values times ``scale``: seconds as ``ms``, say."""
    return Figure(tuple(value * scale for value in values), unit, digits)
