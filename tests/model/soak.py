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
from dataclasses import dataclass, field
from typing import Any

from tests.model.draw import by_chance
from tests.model.play import BY_NAME, Outcome, Theatre, theatre
from tests.model.promises import LIMITS
from tests.model.pulumi_play import soak_pulumi
from tests.model.pulumi_promises import LIMITS as PULUMI_LIMITS
from tests.model.script import Script
from tests.model.shrink import shrunk, smaller

_SHRINKING = 20.0
"""Seconds for making one failing script smaller."""


@dataclass
class Part:
    """What one process has played since it told the last time.

    Attributes:
        failed: how many lifecycles broke a promise.
        failing: what was broken, without names and numbers → the smallest script that breaks it, in words.
        defect: the model itself failed.
    """

    lifecycles: int = 0
    failed: int = 0
    seen: Counter[str] = field(default_factory=Counter)
    limits: Counter[str] = field(default_factory=Counter)
    failing: dict[str, str] = field(default_factory=dict)
    defect: str = ""

    def add(self, other: Part) -> None:
        """Count another part in."""
        self.lifecycles += other.lifecycles
        self.failed += other.failed
        self.seen += other.seen
        self.limits += other.limits
        self.defect = self.defect or other.defect
        for name, script in other.failing.items():
            if len(script) < len(self.failing.get(name, script + " ")):
                self.failing[name] = script


def likeness(outcome: Outcome) -> str:
    """What the first broken promise has in common with others like it; empty if none is broken."""
    if not outcome.broken:
        return ""
    text = re.sub(r"'[^']*'|\(.*?\)|\b[A-Z]\b|s[0-9](-Nested)?\b|[0-9.]+", "", outcome.broken[0])
    return " ".join(re.sub(r"\b[A-Z][a-z]+[A-Z]\w*\b", "", text).split())[:160]


def play_many(lifecycles: int, seed: int, seconds: float, kinds: tuple[str, ...], told: Any) -> None:
    """Play so many lifecycles in this process; put a Part into ``told`` now and then, and None at the end."""
    player = _Player(seconds, told)
    try:
        with theatre() as stage:
            player.play(stage, lifecycles, seed, kinds)
    except BaseException:
        player.part.defect = traceback.format_exc()
        raise
    finally:
        told.put(player.part)
        told.put(None)


def play_both(lifecycles: int, seed: int, seconds: float, kinds: tuple[str, ...], told: Any) -> None:
    """Four of five lifecycles under CloudFormation, the others under Pulumi; two times None at the end."""
    end = time.monotonic() + seconds
    under_pulumi = lifecycles // 5
    play_many(lifecycles - under_pulumi, seed, seconds, kinds, told)
    soak_pulumi(under_pulumi, seed, max(0.0, end - time.monotonic()), kinds, told)


class _Player:
    def __init__(self, seconds: float, told: Any) -> None:
        self.part = Part()
        self._end = time.monotonic() + seconds
        self._told = told
        self._last = time.monotonic()
        self._smallest: dict[str, Script] = {}

    def play(self, stage: Theatre, lifecycles: int, seed: int, kinds: tuple[str, ...]) -> None:
        """Play, then make what failed smaller."""
        for number in range(seed, seed + lifecycles):
            if time.monotonic() > self._end:
                break
            self._count(stage.play(by_chance(number, kinds)))
        for name, script in self._smallest.items():
            found = shrunk(script, smaller, lambda tried, name=name: likeness(stage.play(tried)) == name, _SHRINKING)  # type: ignore[misc]
            self.part.failing[name] = str(stage.play(found))

    def _count(self, outcome: Outcome) -> None:
        part = self.part
        part.lifecycles += 1
        part.seen += outcome.seen
        part.limits += outcome.limits
        name = likeness(outcome)
        if name:
            part.failed += 1
            known = self._smallest.get(name)
            if known is None or len(str(outcome.script)) < len(str(known)):
                self._smallest[name] = outcome.script
        if time.monotonic() - self._last > 1:
            self._told.put(part)
            self.part, self._last = Part(), time.monotonic()


def main() -> int:
    """Play, tell how it goes and what was covered. Returns 1 if a promise was broken."""
    parser = argparse.ArgumentParser(prog="python -m tests.model", description="Play many lifecycles of stacks.")
    parser.add_argument("--lifecycles", type=int, default=10_000)
    parser.add_argument("--seconds", type=float, default=3600.0, help="play no longer than that")
    parser.add_argument("--seed", type=int, default=None, help="of the scripts; another one each time if left out")
    parser.add_argument("--kind", action="append", choices=sorted(BY_NAME), help="play these kinds only")
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1)
    chosen = parser.parse_args()
    seed = random.SystemRandom().randrange(10**9) if chosen.seed is None else chosen.seed
    print(f"{chosen.lifecycles} lifecycles in {chosen.processes} processes, --seed {seed}", flush=True)
    context = multiprocessing.get_context("spawn")
    told: Any = context.Queue()
    share = -(-chosen.lifecycles // chosen.processes)
    kinds = tuple(chosen.kind or ())
    workers = [
        context.Process(target=play_both, args=(share, seed + number * share, chosen.seconds, kinds, told), daemon=True)
        for number in range(chosen.processes)
    ]
    for worker in workers:
        worker.start()
    whole = _gather(told, workers)
    _report(whole)
    short = whole.lifecycles < chosen.lifecycles
    if short:
        print(f"\nOnly {whole.lifecycles} of {chosen.lifecycles} were played in the time given.")
    return 1 if whole.failed or whole.defect or short else 0


def _gather(told: Any, workers: list[Any]) -> Part:
    whole, running, begin = Part(), 2 * len(workers), time.monotonic()
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
        failed = f", {whole.failed} of them broke a promise" if whole.failed else ""
        print(
            f"\r{whole.lifecycles} lifecycles in {time.monotonic() - begin:.0f} s{failed}",
            end="",
            file=sys.stderr,
            flush=True,
        )
    print(file=sys.stderr)
    return whole


def _report(whole: Part) -> None:
    print(f"\n{whole.lifecycles} lifecycles, {whole.failed} of them broke a promise. What they covered:")
    for name, count in sorted(whole.seen.items()):
        print(f"  {count:8d}  {name}")
    print("\nHow often each documented limit occurred:")
    for name in dict.fromkeys((*LIMITS, *PULUMI_LIMITS)):
        print(f"  {whole.limits[name]:8d}  {name}")
    for name, script in sorted(whole.failing.items(), key=lambda item: len(item[1])):
        print(f"\nA PROMISE IS BROKEN: {name}\nThe smallest script:\n\n{script}")
    if whole.defect:
        print(f"\nTHE MODEL ITSELF FAILED:\n\n{whole.defect}")
