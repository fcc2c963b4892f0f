"""Runs that take turns: peer, ours, peer, ours. What slows the machine down for a while slows down both."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeVar

_T = TypeVar("_T")

Progress = Callable[[str], None]
"""Told what runs now, for whoever waits."""


def turns(sides: Mapping[str, Callable[[], _T]], runs: int, what: str, progress: Progress) -> dict[str, list[_T]]:
    """What each side measured in its runs, in their order; one more before them warms up and does not count."""
    measured: dict[str, list[_T]] = {name: [] for name in sides}
    for run in range(runs + 1):
        progress(f"{what}: {f'run {run} of {runs}' if run else 'warm-up'}")
        for name, side in sides.items():
            taken = side()
            if run:
                measured[name].append(taken)
    return measured
