"""Every documented limit, met on purpose, and the same sequence with the decisive thing changed."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from tests.model.play import Outcome, Theatre
from tests.model.promises import DRIFT, WINDOW
from tests.model.script import At, Deploy, Member, Others, Remove, Script, Step

A = Member(0)
QUICKSIGHT, DIRECTORY, IOT = "quicksight-group-membership", "directory-group-membership", "iot-thing-group-membership"


@dataclass(frozen=True)
class Met:
    """A script that meets a limit, and the nearest that does not: nothing is broken in either.

    Attributes:
        near: the other script's steps; empty: the same ones.
        near_kind: its kind; empty: the same.
    """

    limit: str
    kind: str
    steps: tuple[Step, ...]
    near: tuple[Step, ...] = ()
    near_kind: str = ""


MET = (
    Met(
        DRIFT,
        QUICKSIGHT,
        (Deploy(1, {"A": A}), Others(0, grant=False), Others(0, grant=True), Remove(1)),
        near=(Others(0, grant=True), Deploy(1, {"A": A}), Remove(1)),
    ),
    Met(
        WINDOW,
        IOT,
        (Deploy(1, {"A": A}, mishaps=(At("write", 1, "others grant", 0),)), Remove(1)),
        # A directory rejects what is there already, so the write itself tells.
        near_kind=DIRECTORY,
    ),
)


def _played(stage: Theatre, kind: str, steps: tuple[Step, ...]) -> Outcome:
    return stage.play(Script(kind, steps))


@pytest.mark.parametrize("row", MET, ids=lambda row: row.limit)
def test_each_limit_can_be_met_and_breaks_no_promise(stage: Theatre, row: Met) -> None:
    """What stays impossible does happen, once in this script, and is counted as nothing else."""
    outcome = _played(stage, row.kind, row.steps)

    assert not outcome.broken, f"\n{outcome}"
    assert outcome.limits == {row.limit: 1}, f"\n{outcome}"


@pytest.mark.parametrize("row", MET, ids=lambda row: row.limit)
def test_next_to_each_limit_every_promise_holds(stage: Theatre, row: Met) -> None:
    """With the decisive thing changed there is nothing to excuse."""
    outcome = _played(stage, row.near_kind or row.kind, row.near or row.steps)

    assert not outcome.broken, f"\n{outcome}"
    assert not outcome.limits, f"\n{outcome}"
