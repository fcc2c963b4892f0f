"""Plays many lifecycles in several processes; see ``make soak``."""

from __future__ import annotations

import argparse
import multiprocessing
import os
import queue
import random
import re
import sys
import time
import traceback
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from tests.model import draw, play, pulumi_play, pulumi_script, shrink
from tests.model.promises import LIMITS
from tests.model.pulumi_limits import openings
from tests.model.pulumi_promises import LIMITS as PULUMI_LIMITS

FAULTS = ("mishap", "deliveries again", "the table")
"""What the names of faults begin with."""

_SHRINKING = 20.0
"""Seconds for making one failing script smaller."""


@dataclass
class Part:
    """What one process has played since it told the last time.

    Attributes:
        broken: which lifecycles broke a promise, and what it was.
        failing: what was broken, without names and numbers → the smallest script that breaks it, in words.
        defect: the model itself failed.
    """

    lifecycles: int = 0
    broken: list[str] = field(default_factory=list)
    seen: Counter[str] = field(default_factory=Counter)
    limits: Counter[str] = field(default_factory=Counter)
    failing: dict[str, str] = field(default_factory=dict)
    defect: str = ""

    def add(self, other: Part) -> None:
        """Count another part in."""
        self.lifecycles += other.lifecycles
        self.broken += other.broken
        self.seen += other.seen
        self.limits += other.limits
        self.defect = self.defect or other.defect
        for name, script in other.failing.items():
            if len(script) < len(self.failing.get(name, script + " ")):
                self.failing[name] = script


@dataclass(frozen=True)
class Engine:
    """A played engine, as the soak needs it.

    Attributes:
        share: its part of the lifecycles.
        draw: the script that belongs to a number, of some kinds or of all.
        smaller: every script that is one step simpler.
    """

    name: str
    share: float
    theatre: Callable[[], AbstractContextManager[Any]]
    draw: Callable[[int, tuple[str, ...]], Any]
    smaller: Callable[[Any], Iterator[Any]]


ENGINES = (
    Engine("CloudFormation", 0.8, play.theatre, draw.by_chance, shrink.smaller),
    Engine(
        "Pulumi",
        0.2,
        pulumi_play.theatre,
        lambda number, kinds: pulumi_script.by_chance(number, kinds, openings(kinds)),
        pulumi_script.smaller,
    ),
)


def likeness(outcome: Any) -> str:
    """What the first broken promise has in common with others like it; empty if none is broken."""
    if not outcome.broken:
        return ""
    names = r"\(.*?\)|'[^']*'|\S+/v1/\S+|\b(a|b|c|one/m|two/m|[A-Z])\b|s[0-9](-Nested)?\b|[0-9.]+"
    return " ".join(re.sub(r"\b[A-Z][a-z]+[A-Z]\w*\b", "", re.sub(names, "", outcome.broken[0])).split())[:160]


def play_many(lifecycles: int, seed: int, seconds: float, kinds: tuple[str, ...], only: str, told: Any) -> None:
    """Play so many lifecycles in this process; put a Part into ``told`` now and then, and None at the end."""
    player = _Player(time.monotonic() + seconds, told)
    try:
        for engine in ENGINES:
            share = engine.share if not only else float(engine.name == only)
            if share:
                with engine.theatre() as stage:
                    player.play(stage, engine, round(lifecycles * share), seed, kinds)
    except BaseException:
        player.part.defect = traceback.format_exc()
        raise
    finally:
        told.put(player.part)
        told.put(None)


class _Player:
    def __init__(self, end: float, told: Any) -> None:
        self.part = Part()
        self._end = end
        self._told = told
        self._last = time.monotonic()

    def play(self, stage: Any, engine: Engine, lifecycles: int, seed: int, kinds: tuple[str, ...]) -> None:
        """Play, then make what failed smaller."""
        smallest: dict[str, Any] = {}
        for number in range(seed, seed + lifecycles):
            if time.monotonic() > self._end:
                break
            outcome = stage.play(engine.draw(number, kinds))
            name = likeness(outcome)
            if name:
                self.part.broken.append(f"--engine {engine.name} --seed {number}: {name}")
                if name not in smallest or len(str(outcome.script)) < len(str(smallest[name])):
                    smallest[name] = outcome.script
            self._count(outcome)
        for name, script in smallest.items():
            fails = partial(_breaks, stage, name)
            outcome = stage.play(shrink.shrunk(script, engine.smaller, fails, _SHRINKING))
            self.part.failing[name] = f"{outcome}\n\n{outcome.script!r}"

    def _count(self, outcome: Any) -> None:
        part = self.part
        part.lifecycles += 1
        part.seen += outcome.seen
        part.limits += outcome.limits
        if time.monotonic() - self._last > 1:
            self._told.put(part)
            self.part, self._last = Part(), time.monotonic()


def _breaks(stage: Any, name: str, script: Any) -> bool:
    return likeness(stage.play(script)) == name


def main() -> int:
    """Play, tell how it goes and what was covered. Returns 1 if a promise was broken."""
    parser = argparse.ArgumentParser(prog="python -m tests.model", description="Play many lifecycles of stacks.")
    parser.add_argument("--lifecycles", type=int, default=10_000)
    parser.add_argument("--seconds", type=float, default=3600.0, help="play no longer than that")
    parser.add_argument("--seed", type=int, default=None, help="of the scripts; another one each time if left out")
    parser.add_argument("--kind", action="append", choices=sorted(play.BY_NAME), help="play these kinds only")
    parser.add_argument("--engine", choices=[engine.name for engine in ENGINES], default="", help="play this one only")
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1)
    chosen = parser.parse_args()
    seed = random.SystemRandom().randrange(10**9) if chosen.seed is None else chosen.seed
    print(f"{chosen.lifecycles} lifecycles in {chosen.processes} processes, --seed {seed}", flush=True)
    context = multiprocessing.get_context("spawn")
    told: Any = context.Queue()
    share = -(-chosen.lifecycles // chosen.processes)
    kinds = tuple(chosen.kind or ())
    workers = [
        context.Process(
            target=play_many,
            args=(share, seed + number * share, chosen.seconds, kinds, chosen.engine, told),
            daemon=True,
        )
        for number in range(chosen.processes)
    ]
    for worker in workers:
        worker.start()
    whole = _gather(told, workers)
    _report(whole)
    short = whole.lifecycles < chosen.lifecycles
    if short:
        print(f"\nOnly {whole.lifecycles} of {chosen.lifecycles} were played in the time given.")
    return 1 if whole.broken or whole.defect or short else 0


def _gather(told: Any, workers: list[Any]) -> Part:
    whole, running, begin = Part(), len(workers), time.monotonic()
    while running:
        try:
            part = told.get(timeout=5)
        except queue.Empty:
            if not any(worker.is_alive() for worker in workers):
                whole.defect = whole.defect or "a process ended without a word"
                break
            continue
        if part is None:
            running -= 1
            continue
        whole.add(part)
        for broken in part.broken:
            print(f"\r{broken}", file=sys.stderr)
        failed = f", {len(whole.broken)} of them broke a promise" if whole.broken else ""
        print(
            f"\r{whole.lifecycles} lifecycles in {time.monotonic() - begin:.0f} s{failed}",
            end="",
            file=sys.stderr,
            flush=True,
        )
    print(file=sys.stderr)
    return whole


def _report(whole: Part) -> None:
    print(f"\n{whole.lifecycles} lifecycles, {len(whole.broken)} of them broke a promise. What they covered:")
    for name, count in sorted(whole.seen.items()):
        print(f"  {count:8d}  {name}")
    faults = sum(count for name, count in whole.seen.items() if name.startswith(FAULTS))
    print(f"\nFaults per lifecycle: {faults / max(1, whole.lifecycles):.2f}")
    print("\nHow often each documented limit occurred:")
    for name in dict.fromkeys((*LIMITS, *PULUMI_LIMITS)):
        print(f"  {whole.limits[name]:8d}  {name}")
    for name, script in sorted(whole.failing.items(), key=lambda item: len(item[1])):
        print(f"\nA PROMISE IS BROKEN: {name}\nThe smallest script:\n\n{script}")
    if whole.defect:
        print(f"\nTHE MODEL ITSELF FAILED:\n\n{whole.defect}")
