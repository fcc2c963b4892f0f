"""Scripts of Pulumi lifecycles, as data that chance draws and that can be made smaller; see ``script.py``.

A script is played by ``pulumi_play.py``; a step that makes no sense in the state that was reached is passed over.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import MISSING, dataclass, field, fields, is_dataclass, replace
from typing import Any

from aws_associations.kinds import KINDS
from tests.model.draw import _SWITCHES as SWITCHES
from tests.model.script import At, Others, Step, Wait

NAMES = ("a", "b", "c", "one/m", "two/m")
"""Logical names; those behind a slash are in a component."""


@dataclass(frozen=True)
class Member:
    """One association of a program.

    Attributes:
        pair: index among those of the world.
        was: the name that its ``aliases`` has.
        delete_first: the user's ``delete_before_replace``.
    """

    pair: int
    adopt: bool = False
    was: str = ""
    delete_first: bool | None = None

    def __str__(self) -> str:
        more = " (on_existing='adopt')" * self.adopt + f" (alias of {self.was})" * bool(self.was)
        order = f" (delete_before_replace={self.delete_first})" * (self.delete_first is not None)
        return f"p{self.pair + 1}{more}{order}"


@dataclass(frozen=True)
class Up(Step):
    """``pulumi up``; None: the program as it was."""

    stack: int
    members: Mapping[str, Member] | None
    refresh: bool = False
    targets: tuple[str, ...] = ()
    forced: tuple[str, ...] = ()
    together: bool = False
    mishaps: tuple[At, ...] = ()

    def __str__(self) -> str:
        parts = [f"{name}: {member}" for name, member in (self.members or {}).items()]
        told = "the program as it is" if self.members is None else f"{{{'; '.join(parts)}}}"
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
    """One lifecycle. ``table``: a table keeps the ledger, not the memory of each process."""

    kind: str
    steps: tuple[Step, ...]
    seed: int = 0
    switches: Mapping[str, Any] = field(default_factory=dict)
    table: bool = False

    def __str__(self) -> str:
        lines = [f"Pulumi with {'a table' if self.table else 'process memory'}, kind {self.kind}, seed {self.seed}"]
        if self.switches:
            lines.append(f"the service: {', '.join(f'{name} = {value}' for name, value in self.switches.items())}")
        lines += [f"{number}. {step}" for number, step in enumerate(self.steps, 1)]
        return "\n".join(lines)


def _tail(mishaps: tuple[At, ...], together: bool) -> str:
    lines = [*map(str, mishaps), *(["and at the same time:"] * together)]
    return "".join(f"\n      - {line}" for line in lines)


# -- drawing ----------------------------------------------------------------------------------------------------------


Choose = random.Random

_MISHAPS: Sequence[tuple[Sequence[str], Sequence[str], Sequence[float]]] = (
    (("write", "write", "call", "ledger"), ("kill before", "kill after"), (0.0,)),
    (("write", "write", "call", "ledger"), ("kill meanwhile",), (3.0, 15.0, 24.0)),
    (("write", "write", "look"), ("ctrl-c before", "ctrl-c after", "engine before", "engine after"), (0.0,)),
    (("write", "look", "call"), ("cut before", "cut after", "fail before", "fail after", "throttle", "deny"), (0.0,)),
    (("ledger",), ("cut before", "cut after", "fail before", "throttle"), (0.0,)),
    (("write", "write", "look", "ledger"), ("slow before", "slow after"), (1.0, 3.0, 8.0, 30.0)),
    (("write", "look", "call"), ("others grant", "others grant", "others revoke"), (0.0, 1.0, 2.0)),
)
"""What leaves a process, what may happen to it, and for how long (or to which pair)."""


def by_chance(seed: int, kinds: tuple[str, ...] = (), openings: Sequence[Script] = ()) -> Script:
    """The lifecycle that belongs to a number. ``openings``: how it may begin, now and then."""
    chance = random.Random(seed)  # noqa: S311 - plays chance, protects nothing
    if openings and chance.random() < 0.125:
        opening = chance.choice(openings)
        steps = tuple(_step(chance) for _ in range(chance.choice((0, 0, 1, 2))))
        return replace(opening, steps=opening.steps + steps, seed=chance.randrange(1000))
    kind = chance.choice(kinds or tuple(kind.name for kind in KINDS))
    switches = {}
    if chance.random() < 0.5:
        drawn = {name: (values[0], chance.choice(values)) for name, values in SWITCHES.get(kind, {}).items()}
        switches = {name: value for name, (usual, value) in drawn.items() if value != usual}
    steps = tuple(_step(chance) for _ in range(chance.choice((1, 2, 3, 3, 4, 4, 5, 6))))
    return Script(kind, steps, chance.randrange(1000), switches, chance.random() < 0.5)


def _step(chance: Choose) -> Step:
    what = chance.choice(("up",) * 6 + ("refresh", "destroy", "others", "others", "wait"))
    if what == "others":
        return Others(pair=chance.randrange(3), grant=chance.random() < 0.5)
    if what == "wait":
        return Wait(chance.choice((1.0, 30.0, 700.0, 30000.0)))
    stack = chance.choice((1, 1, 1, 1, 1, 2))
    if what == "refresh":
        return Refresh(stack, _names(chance), _mishaps(chance))
    if what == "destroy":
        return Destroy(stack, _names(chance), chance.random() < 0.17, _mishaps(chance))
    return Up(
        stack,
        _members(chance) if chance.random() < 0.8 else None,
        refresh=chance.random() < 0.33,
        targets=_names(chance),
        forced=_names(chance),
        together=chance.random() < 0.125,
        mishaps=_mishaps(chance),
    )


def _members(chance: Choose) -> Mapping[str, Member]:
    return {
        name: Member(
            pair=chance.choice((0, 0, 1, 1, 2)),
            adopt=chance.random() < 0.25,
            was=chance.choice(("", "", "", *NAMES)),
            delete_first=chance.choice((None,) * 4 + (False, True)),
        )
        for name in NAMES
        if chance.random() < 0.5
    }


def _names(chance: Choose) -> tuple[str, ...]:
    return tuple(sorted({chance.choice(NAMES) for _ in range(chance.choice((0,) * 7 + (1, 2)))}))


def _mishaps(chance: Choose) -> tuple[At, ...]:
    return tuple(_mishap(chance) for _ in range(chance.choice((0, 0, 1, 1, 2))))


def _mishap(chance: Choose) -> At:
    sorts, whats, amounts = chance.choice(_MISHAPS)
    sort, what, amount = chance.choice(sorts), chance.choice(whats), chance.choice(amounts)
    times = chance.choice((1, 1, 1, 2, 6, 40)) if what.startswith(("cut", "fail", "thr", "deny", "slow")) else 1
    return At(sort, chance.randrange(1, 13 if sort == "ledger" else 7), what, amount, times)


# -- making a script smaller ------------------------------------------------------------------------------------------


def smaller(script: Script) -> Iterator[Script]:
    """Every script that is one step simpler."""
    yield from _simpler(script)


def _simpler(value: Any) -> Iterator[Any]:
    """The same with one thing left out, or as it usually is, at any depth."""
    if isinstance(value, tuple):
        for number, each in enumerate(value):
            yield value[:number] + value[number + 1 :]
            yield from ((*value[:number], simpler, *value[number + 1 :]) for simpler in _simpler(each))
    elif isinstance(value, Mapping):
        for name, each in value.items():
            yield {other: kept for other, kept in value.items() if other != name}
            yield from ({**value, name: simpler} for simpler in _simpler(each))
    elif is_dataclass(value) and not isinstance(value, type):
        for part in fields(value):
            now = getattr(value, part.name)
            if part.default is not MISSING and now != part.default:
                yield replace(value, **{part.name: part.default})
            yield from (replace(value, **{part.name: simpler}) for simpler in _simpler(now))
    elif type(value) is int and value > 1:
        yield value - 1
