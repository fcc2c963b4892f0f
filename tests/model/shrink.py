"""Makes a script smaller for as long as it still breaks the same promise."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any, TypeVar

from tests.model.cloudformation import Habits
from tests.model.script import At, Continue, Deploy, Remove, Script, Step

S = TypeVar("S")


def shrunk(script: S, smaller: Callable[[S], Iterator[S]], fails: Callable[[S], bool], seconds: float = 30.0) -> S:
    """The smallest script found in that time that still fails; ``smaller``: every one that is one step simpler."""
    end = time.monotonic() + seconds
    progress = True
    while progress:
        progress = False
        for simpler in smaller(script):
            if time.monotonic() > end:
                return script
            if fails(simpler):
                script, progress = simpler, True
                break
    return script


def smaller(script: Script) -> Iterator[Script]:
    """Every script that is one step simpler."""
    for number in range(len(script.steps)):
        yield replace(script, steps=script.steps[:number] + script.steps[number + 1 :])
    usual = Script(script.kind, ())
    for name in ("habits", "warm"):
        if getattr(script, name) != getattr(usual, name):
            yield replace(script, **{name: getattr(usual, name)})
    for name in script.switches:
        yield replace(script, switches={key: value for key, value in script.switches.items() if key != name})
    for name in Habits.__dataclass_fields__:
        if getattr(script.habits, name) != getattr(Habits(), name):
            yield replace(script, habits=replace(script.habits, **{name: getattr(Habits(), name)}))
    for number, step in enumerate(script.steps):
        for simpler in _smaller_steps(step):
            yield replace(script, steps=(*script.steps[:number], simpler, *script.steps[number + 1 :]))
    for seed in range(min(script.seed, 5)):
        yield replace(script, seed=seed)


def _smaller_steps(step: Step) -> Iterator[Step]:
    if not isinstance(step, (Deploy, Remove, Continue)):
        return
    for number, mishap in enumerate(step.mishaps):
        others = (*step.mishaps[:number], *step.mishaps[number + 1 :])
        yield replace(step, mishaps=others)
        yield from (replace(step, mishaps=(*others, smaller)) for smaller in _smaller_mishaps(mishap))
    for number in range(len(step.again)):
        yield replace(step, again=step.again[:number] + step.again[number + 1 :])
    if step.together:
        yield replace(step, together=False)
    if not isinstance(step, Deploy):
        return
    if step.nested is not None:
        yield replace(step, nested=None)
        for name in step.nested:
            yield replace(step, nested={key: member for key, member in step.nested.items() if key != name})
    if step.other is not None:
        yield replace(step, other=None)
        if step.other.after:
            yield replace(step, other=replace(step.other, after=()))
    if step.preserve:
        yield replace(step, preserve=False)
    if step.stopped_after is not None:
        yield replace(step, stopped_after=None)
    if step.on_failure != "ROLLBACK":
        yield replace(step, on_failure="ROLLBACK")
    yield from _smaller_members(step)


def _smaller_members(step: Deploy) -> Iterator[Step]:
    for name, member in step.members.items():
        yield replace(step, members={key: other for key, other in step.members.items() if key != name})
        plain: dict[str, Any] = {
            "adopt": False,
            "revision": 0,
            "retain": False,
            "spelled": False,
            "omits": False,
            "after": (),
        }
        for attribute, value in plain.items():
            if getattr(member, attribute) != value:
                yield replace(step, members={**step.members, name: replace(member, **{attribute: value})})


def _smaller_mishaps(mishap: At) -> Iterator[At]:
    if mishap.times > 1:
        yield replace(mishap, times=1)
        yield replace(mishap, times=mishap.times // 2)
    if mishap.number > 1:
        yield replace(mishap, number=mishap.number - 1)
