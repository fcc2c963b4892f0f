"""Draws scripts: what may come together, and how often. By hypothesis in the tests, by plain chance in the soak."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from typing import Any, Protocol, TypeVar

from hypothesis import strategies as st

from aws_associations.kinds import KINDS
from tests.model.cloudformation import Habits
from tests.model.script import (
    Again,
    At,
    Cold,
    Continue,
    Deploy,
    Member,
    Other,
    Others,
    Remove,
    Script,
    Service,
    Step,
    Table,
    Wait,
)

T = TypeVar("T")

_SWITCHES: Mapping[str, Mapping[str, tuple[Any, ...]]] = {
    "directory-group-membership": {
        "remove_non_member": ("not_found", "conflict", "succeed"),
        "token_scope": ("operation", "directory"),
        "token_spelling": ("exact", "same_identity"),
        "failed_token": ("forgotten", "remembered"),
        "list_lag_seconds": (0.0, 1.0, 4.0),
        "page_size": (None, 1),
    },
    "finspace-permission-group-membership": {
        "duplicate_associate": ("conflict", "succeed"),
        "disassociate_non_member": ("not_found", "conflict", "succeed"),
        "disassociate_during_addition": ("succeed", "conflict"),
        "disassociate_during_removal": ("succeed", "conflict"),
        "reused_token": ("conflict", "validation", "new_call"),
        "token_scope": ("operation", "environment"),
        "addition_seconds": (0.0, 3.0, 30.0),
        "removal_seconds": (0.0, 3.0, 30.0),
        "list_lag_seconds": (0.0, 1.0, 4.0),
        "page_size": (None, 1),
    },
    "opensearch-package-association": {
        "duplicate_associate": ("conflict", "succeed"),
        "associate_after_failure": ("succeed", "conflict"),
        "dissociate_non_member": ("not_found", "conflict", "validation", "succeed"),
        "dissociate_during_association": ("conflict", "succeed"),
        "dissociate_during_dissociation": ("conflict", "succeed"),
        "dissociate_after_failure": ("succeed", "conflict"),
        "dissociate_in_use": ("conflict", "fail"),
        "association_seconds": (0.0, 10.0, 60.0),
        "dissociation_seconds": (0.0, 10.0, 60.0),
        "page_size": (None, 1),
    },
    "quicksight-group-membership": {
        "duplicate_create": ("succeed", "resource_exists", "precondition_not_met"),
        "delete_non_member": ("not_found", "succeed"),
        "not_found": ("distinct", "alike"),
    },
}
"""Every switch of the emulator that decides what a lifecycle sees. The first value is the emulator's own."""

_LASTING: Mapping[str, tuple[str, ...]] = {
    "finspace-permission-group-membership": ("ends", "throttles", "throttles"),
    "opensearch-package-association": ("fails to add", "fails to add", "fails to remove", "uses", "throttles"),
}
"""What a service may turn to, if not to throttling alone."""

_NAMES = ("A", "B", "C")
_PAIRS = (0, 0, 1, 1, 2)
_SECONDS = (1.0, 3.0, 8.0, 30.0, 70.0, 200.0)

_KILLS = ("kill before", "kill after")
_FAULTS = ("cut before", "cut after", "fail before", "fail after", "throttle")
_MISHAPS: Sequence[tuple[Sequence[str], Sequence[str], Sequence[float]]] = (
    (("write", "write", "call"), _KILLS, (0.0,)),
    (("write", "write", "call", "ledger"), ("kill meanwhile",), (3.0, 15.0, 24.0)),
    (("write", "look", "call"), _FAULTS, (0.0,)),
    (("write", "look", "call"), ("slow before", "slow after"), _SECONDS),
    (("write", "look", "call", "ledger"), ("sleeps before", "sleeps after"), _SECONDS),
    (("write", "write", "look", "answer"), ("others grant", "others grant", "others revoke"), (0.0, 0.0, 1.0, 2.0)),
    (("ledger",), (*_FAULTS, "deny", *_KILLS, *_KILLS), (0.0,)),
    (("ledger", "cloudformation"), ("slow before", "slow after"), _SECONDS),
    (("cloudformation",), ("throttle", "deny", "cut before", "fail before", *_KILLS), (0.0,)),
    (("answer",), ("cut before", "cut after", "fail before", *_KILLS), (0.0,)),
    (("line", "any"), _KILLS, (0.0,)),
)
"""What leaves a process, what may happen to it, and by how much (or to which pair)."""

_TOGETHER: Sequence[tuple[tuple[str, int, str, int], ...]] = (
    (("write", 1, "fail before", 5), ("look", 2, "others grant", 1)),
    (("write", 1, "fail before", 5), ("look", 2, "fail before", 5), ("write", 6, "others grant", 1)),
    (("write", 1, "kill before", 1), ("look", 2, "others grant", 1)),
    (("write", 1, "kill after", 1), ("write", 2, "others grant", 1)),
    (("write", 1, "kill after", 1), ("look", 2, "kill before", 1), ("look", 3, "kill before", 1)),
    (("write", 1, "kill after", 1), ("ledger", 3, "fail before", 40)),
    (("look", 2, "others revoke", 1), ("look", 3, "others grant", 1)),
    (("look", 1, "fail before", 200),),
    (("cloudformation", 1, "deny", 40),),
    (("ledger", 4, "cut after", 5),),
)
"""What has to come together for a documented limit (see test_model_limits.py): chance alone would take too long."""


class Choose(Protocol):
    """Takes one of several, each as likely as it is often named."""

    def __call__(self, options: Sequence[T], /) -> T:
        """One of them; the first is the simplest."""


def _some(choose: Choose, counts: Sequence[int]) -> range:
    return range(choose(counts))


def _member(choose: Choose, name: str) -> Member:
    return Member(
        pair=choose(_PAIRS),
        adopt=choose((False, False, False, True)),
        revision=choose((0, 0, 1, 2)),
        retain=choose((False,) * 12 + (True,)),
        spelled=choose((False,) * 7 + (True,)),
        omits=choose((False, False, True)),
        # Nothing comes after itself, and A after nothing.
        after=choose(((), (), (), ("A",))) if name != "A" else (),
    )


def _members(choose: Choose, least: int = 0) -> dict[str, Member]:
    names = [name for name in _NAMES if choose((False, True))] or _NAMES[:least]
    return {name: _member(choose, name) for name in names}


def _mishap(choose: Choose) -> At:
    sorts, whats, amounts = choose(_MISHAPS)
    sort, what, amount = choose(sorts), choose(whats), choose(amounts)
    often = {"line": range(1, 9), "any": range(1, 26), "ledger": range(1, 13)}
    number = choose(often.get(sort, (1, 1, 1, 2, 2, 3, 4, 6)))
    times = 1 if what.startswith(("kill", "others")) else choose((1, 1, 1, 2, 6, 40))
    return At(sort, number, what, amount, times)


def _mishaps(choose: Choose) -> tuple[At, ...]:
    found = tuple(_mishap(choose) for _ in _some(choose, (0, 1, 1, 2, 2, 3)))
    if choose((False,) * 9 + (True,)):
        pair = choose((0.0, 0.0, 1.0))
        found += tuple(At(sort, number, what, pair, times) for sort, number, what, times in choose(_TOGETHER))
    return found


def _again(choose: Choose) -> tuple[Again, ...]:
    seconds = (0.15, 0.3, 1.0, 3.0, 10.0, 60.0, 400.0, 4000.0)
    # Lambda holds an event back for six hours at most.
    held = (30.0, 400.0, 4000.0, 20000.0)
    found = []
    for _ in _some(choose, (0, 0, 0, 1)):
        instead = choose((False, False, False, True))
        found.append(Again(choose((1, 2, 3, 4)), choose(held if instead else seconds), instead))
    return tuple(found)


def _stack(choose: Choose) -> int:
    return choose((1, 1, 1, 1, 2))


def _deploy(choose: Choose) -> Deploy:
    other = None
    if choose((False, False, True)):
        other = Other(
            seconds=choose((0.3, 1.0, 2.0, 4.0, 10.0, 90.0)),
            fails=choose((True, True, False)),
            after=choose(((), (), ("A",), ("B",), _NAMES)),
        )
    return Deploy(
        stack=_stack(choose),
        members=_members(choose),
        other=other,
        nested=_members(choose, 1) if choose((False, False, False, True)) else None,
        on_failure=choose(("ROLLBACK", "ROLLBACK", "ROLLBACK", "DELETE", "DO_NOTHING")),
        preserve=choose((False, False, False, True)),
        stopped_after=choose((*(None,) * 12, 0.3, 1.0, 3.0, 10.0)),
        together=choose((False, False, False, False, False, True)),
        mishaps=_mishaps(choose),
        again=_again(choose),
    )


def _step(choose: Choose, kind: str) -> Step:
    what = choose(
        ("deploy",) * 9
        + ("remove", "remove", "continue", "others", "others", "others", "wait", "cold", "service", "table")
    )
    if what == "deploy":
        return _deploy(choose)
    if what == "remove":
        return Remove(_stack(choose), mishaps=_mishaps(choose), again=_again(choose))
    if what == "continue":
        return Continue(_stack(choose), skip=choose((False, True)), mishaps=_mishaps(choose))
    if what == "others":
        return Others(choose(_PAIRS), grant=choose((True, True, False)))
    if what == "wait":
        return Wait(choose((1.0, 5.0, 30.0, 90.0, 700.0, 30000.0)))
    if what == "service":
        return Service(choose((*_LASTING.get(kind, ("throttles",)), "recovers")), pair=choose(_PAIRS))
    if what == "table":
        # A table that is lost is rare, and excuses much.
        lost = choose((False,) * 5 + (True,))
        if lost:
            return Table(choose(("emptied", "restored to an hour ago")))
        return Table(choose(("down", "throttled")), choose((5.0, 60.0, 400.0)))
    return Cold()


def _steps(choose: Choose, kind: str) -> tuple[Step, ...]:
    """Mostly one; or some that have to follow one another for a documented limit."""
    what = choose(("one",) * 24 + ("drift", "delete twice", "redeploy", "unshare", "hand over"))
    stack, pair = _stack(choose), choose(_PAIRS)
    if what == "drift":
        return (Others(pair, grant=False), Others(pair, grant=True))
    if what == "delete twice":
        failing = At("look", 1, choose(("fail before", "throttle")), times=200)
        return (Remove(stack, mishaps=(failing,)), Others(pair, grant=True), Remove(stack))
    if what == "redeploy":
        others = {"C": Member(choose((1, 2)))}
        slow = tuple(At(sort, number, "sleeps after", choose(_SECONDS)) for sort, number in (("write", 1), ("look", 2)))
        return (
            Deploy(stack, others),
            Deploy(stack, {"A": Member(0), **others}, Other(2.0, fails=True), mishaps=slow[:1]),
            Deploy(stack, {"A": Member(0, adopt=choose((True, False))), **others}, mishaps=slow[1:]),
        )
    if what == "unshare":
        refused = At("cloudformation", choose((1, 2)), choose(("deny", "throttle")), times=40)
        return (
            Deploy(stack, {"A": Member(pair), "B": Member(pair)}),
            Deploy(stack, {"B": Member(pair)}, mishaps=(refused,)),
        )
    if what == "hand over":
        return (
            Deploy(1, {"A": Member(pair, retain=choose((True, False))), "B": Member(1)}),
            Deploy(2, {"A": Member(pair, adopt=True)}, mishaps=_mishaps(choose)),
            choose((Deploy(1, {"B": Member(1)}), Remove(1), Remove(2))),
        )
    return (_step(choose, kind),)


def _habits(choose: Choose) -> Habits:
    return Habits(
        event_lag=choose((0.0, 0.0, 0.5, 2.0)),
        page=choose((100, 100, 7, 2)),
        reads_a_second=choose((None, None, 2)),
        cancels_at_once=choose((True, True, False)),
        lists_removed=choose((True, False)),
        reverses_replaced=choose((True, True, False)),
        records_failed_id=choose((True, True, False)),
        signs_first=choose((False, True)),
        new_request_each_try=choose((True, False)),
        replaces_preserving=choose((True, True, False)),
        reverses_failed=choose((True, False)),
        deletes_failed_first=choose((True, False)),
    )


def draw_script(choose: Choose, kinds: Sequence[str] = ()) -> Script:
    """A lifecycle of a few steps, with whatever may happen to it."""
    kind = choose(kinds or [kind.name for kind in KINDS])
    switches = {}
    if choose((False, True)):
        for name, values in _SWITCHES.get(kind, {}).items():
            value = choose(values)
            if value != values[0]:
                switches[name] = value
    return Script(
        kind=kind,
        steps=tuple(step for _ in _some(choose, (1, 2, 3, 3, 4, 4, 5, 6)) for step in _steps(choose, kind)),
        seed=choose(range(1000)),
        switches=switches,
        habits=_habits(choose) if choose((False, True)) else Habits(),
        warm=choose((True, False)),
    )


@st.composite
def scripts(draw: st.DrawFn, kinds: tuple[str, ...] = ()) -> Script:
    """As hypothesis draws them."""

    def choose(options: Sequence[T], /) -> T:
        return draw(st.sampled_from(options))

    return draw_script(choose, kinds)


class _Chance:
    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)  # noqa: S311 - plays chance, protects nothing

    def __call__(self, options: Sequence[T], /) -> T:
        return self._random.choice(options)


def by_chance(seed: int, kinds: tuple[str, ...] = ()) -> Script:
    """The one that belongs to a number: thousands of them have more in them than hypothesis puts into its examples."""
    return draw_script(_Chance(seed), kinds)
