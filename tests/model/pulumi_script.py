"""Scripts of Pulumi lifecycles, as data that hypothesis draws and shrinks; see ``script.py``.

A script is played by ``pulumi_play.py``; a step that makes no sense in the state that was reached is passed over.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Protocol, TypeVar

from hypothesis import strategies as st

from aws_associations.kinds import KINDS
from tests.model.draw import _SWITCHES as SWITCHES
from tests.model.script import At, Others, Step, Wait

T = TypeVar("T")

NAMES = ("a", "b", "c", "one/m", "two/m")
"""Logical names; those behind a slash are in a component."""


class Choose(Protocol):
    """Takes one of some options."""

    def __call__(self, options: Sequence[T], /) -> T: ...


@dataclass(frozen=True)
class Member:
    """One association of a program.

    Attributes:
        pair: index among those of the world.
        was: the name that its ``aliases`` has.
        create_first: the user's ``delete_before_replace=False``.
        unknown: a party is an output of the other resource.
    """

    pair: int
    adopt: bool = False
    was: str = ""
    create_first: bool = False
    unknown: bool = False

    def __str__(self) -> str:
        told = (
            ("on_existing='adopt'", self.adopt),
            (f"alias of {self.was}", self.was),
            ("delete_before_replace=False", self.create_first),
            ("with an output of other", self.unknown),
        )
        more = ", ".join(word for word, is_so in told if is_so)
        return f"p{self.pair + 1}{f' ({more})' if more else ''}"


@dataclass(frozen=True)
class Another:
    """A resource of another provider, by the name ``other``. ``after``: a member that it depends on."""

    seconds: float = 2.0
    fails: bool = False

    def __str__(self) -> str:
        return f"other: {'fails' if self.fails else 'is done'} after {self.seconds:g} s"


@dataclass(frozen=True)
class Up(Step):
    """``pulumi up``; None: the program as it was."""

    stack: int
    members: Mapping[str, Member] | None
    other: Another | None = None
    refresh: bool = False
    targets: tuple[str, ...] = ()
    forced: tuple[str, ...] = ()
    together: bool = False
    mishaps: tuple[At, ...] = ()

    def __str__(self) -> str:
        if self.members is None:
            told = "the program as it is"
        else:
            parts = [f"{name}: {member}" for name, member in self.members.items()]
            told = f"{{{'; '.join([*parts, *([str(self.other)] if self.other else [])])}}}"
        options = " --refresh" * self.refresh
        options += "".join(f" --target {name}" for name in self.targets)
        options += "".join(f" --replace {name}" for name in self.forced)
        return f"pulumi up{options} in stack {self.stack} with {told}{_tail(self.mishaps, self.together)}"


@dataclass(frozen=True)
class Refresh(Step):
    """``pulumi refresh``."""

    stack: int
    targets: tuple[str, ...] = ()
    mishaps: tuple[At, ...] = ()

    def __str__(self) -> str:
        targets = "".join(f" --target {name}" for name in self.targets)
        return f"pulumi refresh{targets} in stack {self.stack}{_tail(self.mishaps, False)}"


@dataclass(frozen=True)
class Destroy(Step):
    """``pulumi destroy``. ``stranger``: with the credentials of another account."""

    stack: int
    targets: tuple[str, ...] = ()
    stranger: bool = False
    mishaps: tuple[At, ...] = ()

    def __str__(self) -> str:
        targets = "".join(f" --target {name}" for name in self.targets)
        who = " with another account's credentials" * self.stranger
        return f"pulumi destroy{targets} in stack {self.stack}{who}{_tail(self.mishaps, False)}"


@dataclass(frozen=True)
class Script:
    """One lifecycle."""

    kind: str
    steps: tuple[Step, ...]
    seed: int = 0
    switches: Mapping[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        lines = [f"Pulumi, kind {self.kind}, seed {self.seed}"]
        if self.switches:
            lines.append(f"the service: {', '.join(f'{name} = {value}' for name, value in self.switches.items())}")
        lines += [f"{number}. {step}" for number, step in enumerate(self.steps, 1)]
        return "\n".join(lines)


def _tail(mishaps: tuple[At, ...], together: bool) -> str:
    lines = [*map(str, mishaps), *(["and at the same time:"] * together)]
    return "".join(f"\n      - {line}" for line in lines)


# -- drawing ----------------------------------------------------------------------------------------------------------


_SECONDS = (1.0, 3.0, 8.0, 30.0)
_KILLS = ("kill before", "kill after")
_ENDS = ("ctrl-c before", "ctrl-c after", "engine before", "engine after")
_FAULTS = ("cut before", "cut after", "fail before", "fail after", "throttle", "deny")
_SLOW = ("slow before", "slow after")
_OTHERS = ("others grant", "others grant", "others revoke")


def draw_script(choose: Choose, kinds: tuple[str, ...] = (), openings: Sequence[Script] = ()) -> Script:
    """A lifecycle of a few steps, with whatever may happen to it. ``openings``: how it may begin, now and then."""
    seldom: bool = choose((False,) * 7 + (True,))
    if openings and seldom:
        opening: Script = choose(openings)
        steps = tuple(_step(choose) for _ in range(choose((0, 0, 1, 2))))
        return replace(opening, steps=opening.steps + steps, seed=choose(range(1000)))
    kind = choose(kinds or tuple(kind.name for kind in KINDS))
    switches = {}
    if choose((False, True)):
        for name, values in SWITCHES.get(kind, {}).items():
            value = choose(values)
            if value != values[0]:
                switches[name] = value
    steps = tuple(_step(choose) for _ in range(choose((1, 2, 3, 3, 4, 4, 5, 6))))
    return Script(kind, steps, choose(range(1000)), switches)


def _step(choose: Choose) -> Step:
    what = choose(("up",) * 6 + ("refresh", "destroy", "others", "others", "wait"))
    if what == "others":
        return Others(pair=choose(range(3)), grant=choose((True, False)))
    if what == "wait":
        return Wait(choose((1.0, 30.0, 700.0, 30000.0)))
    stack = choose((1, 1, 1, 1, 1, 2))
    if what == "refresh":
        return Refresh(stack, _names(choose), _mishaps(choose))
    if what == "destroy":
        return Destroy(stack, _names(choose), choose((False,) * 5 + (True,)), _mishaps(choose))
    return Up(
        stack,
        _members(choose) if choose((True, True, True, True, False)) else None,
        Another(choose((0.3, 2.0, 10.0)), choose((True, False))) if choose((True, False, False)) else None,
        refresh=choose((False, False, True)),
        targets=_names(choose),
        forced=_names(choose),
        together=choose((False,) * 7 + (True,)),
        mishaps=_mishaps(choose),
    )


def _members(choose: Choose) -> Mapping[str, Member]:
    members = {}
    for name in NAMES:
        if choose((True, False)):
            members[name] = Member(
                pair=choose((0, 0, 1, 1, 2)),
                adopt=choose((False, False, False, True)),
                was=choose(("", "", "", *NAMES)),
                create_first=choose((False,) * 5 + (True,)),
                unknown=choose((False,) * 7 + (True,)),
            )
    return members


def _names(choose: Choose) -> tuple[str, ...]:
    return tuple(sorted({choose(NAMES) for _ in range(choose((0,) * 7 + (1, 2)))}))


def _mishaps(choose: Choose) -> tuple[At, ...]:
    return tuple(_mishap(choose) for _ in range(choose((0, 0, 1, 1, 2))))


def _mishap(choose: Choose) -> At:
    what = choose(choose((_KILLS, _ENDS, _FAULTS, _FAULTS, _SLOW, _OTHERS)))
    sort = choose(("write", "write", "look", "call"))
    amount, times = 0.0, 1
    if what in _SLOW:
        amount = choose(_SECONDS)
    elif what in _OTHERS:
        amount = float(choose(range(3)))
    if what in _FAULTS or what in _SLOW:
        times = choose((1, 1, 1, 2, 6, 40))
    return At(sort, choose(range(1, 7)), what, amount, times)


@st.composite
def scripts(draw: st.DrawFn, kinds: tuple[str, ...] = (), openings: Sequence[Script] = ()) -> Script:
    """As hypothesis draws them."""

    def choose(options: Sequence[T], /) -> T:
        return draw(st.sampled_from(options))

    return draw_script(choose, kinds, openings)


def by_chance(seed: int, kinds: tuple[str, ...] = (), openings: Sequence[Script] = ()) -> Script:
    """The one that belongs to a number."""
    return draw_script(random.Random(seed).choice, kinds, openings)  # noqa: S311 - plays chance, protects nothing


# -- making a script smaller ------------------------------------------------------------------------------------------


def smaller(script: Script) -> Iterator[Script]:
    """Every script that is one step simpler."""
    for number in range(len(script.steps)):
        yield replace(script, steps=script.steps[:number] + script.steps[number + 1 :])
    for name in script.switches:
        yield replace(script, switches={key: value for key, value in script.switches.items() if key != name})
    for number, step in enumerate(script.steps):
        for simpler in _smaller_steps(step):
            yield replace(script, steps=(*script.steps[:number], simpler, *script.steps[number + 1 :]))
    for seed in range(min(script.seed, 8)):
        yield replace(script, seed=seed)


def _smaller_steps(step: Step) -> Iterator[Step]:
    if not isinstance(step, (Up, Refresh, Destroy)):
        return
    for number, mishap in enumerate(step.mishaps):
        others = (*step.mishaps[:number], *step.mishaps[number + 1 :])
        yield replace(step, mishaps=others)
        if mishap.times > 1:
            yield replace(step, mishaps=(*others, replace(mishap, times=1)))
        if mishap.number > 1:
            yield replace(step, mishaps=(*others, replace(mishap, number=mishap.number - 1)))
    for number in range(len(step.targets)):
        yield replace(step, targets=step.targets[:number] + step.targets[number + 1 :])
    if not isinstance(step, Up):
        return
    usual = Up(step.stack, step.members)
    for name in ("other", "refresh", "forced", "together"):
        if getattr(step, name) != getattr(usual, name):
            yield replace(step, **{name: getattr(usual, name)})
    for name, member in (step.members or {}).items():
        rest = {key: other for key, other in (step.members or {}).items() if key != name}
        yield replace(step, members=rest)
        for attribute in ("adopt", "was", "create_first", "unknown"):
            if getattr(member, attribute):
                plain = replace(member, **{attribute: getattr(Member(0), attribute)})
                yield replace(step, members=dict(sorted({**rest, name: plain}.items())))
