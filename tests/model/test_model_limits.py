"""Every documented limit, met on purpose; the same sequence with the decisive thing changed; and what no limit excuses.

The last are played with a function that is broken on purpose: a predicate that is too wide would hide its harm.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest

from aws_associations.errors import Throttling
from aws_associations.grant import Grant, Granted
from aws_associations.kind import State
from aws_associations.look import Sighting, look
from aws_associations.records import Admission, Association, Basis, Resource
from aws_associations.revoke import Removal, Revocation
from aws_associations_lambda.stack import CloudFormationHost
from tests.model.play import Outcome, Theatre
from tests.model.promises import DRIFT, LIMITS, LOST_LEDGER, PUT_OFF, TOLD, WINDOW
from tests.model.script import At, Deploy, Member, Other, Others, Remove, Script, Step, Table, Wait
from tests.model.test_model_sequences import DIRECTORY, ORGANIZATIONS, QUICKSIGHT, A, B

ADOPTING = Member(0, adopt=True)
IOT = "iot-thing-group-membership"


@dataclass(frozen=True)
class Met:
    """A script that meets a limit, once, and the nearest that does not: nothing is broken in either.

    Attributes:
        why: what decides between the two.
        near: the other script's steps; empty: the same ones.
        near_kind: its kind; empty: the same.
    """

    limit: str
    why: str
    steps: tuple[Step, ...]
    near: tuple[Step, ...] = ()
    kind: str = QUICKSIGHT
    near_kind: str = ""


UNSEEN = At("cloudformation", 1, "deny", times=40)
LATE = At("answer", 1, "slow before", 3)
REVERSED_UNSEEN = (Deploy(1, {"A": A}), Deploy(1, {"A": B}, Other(1, fails=True), mishaps=(LATE, UNSEEN)))

MET = (
    Met(
        DRIFT,
        "Others end our grant and grant it anew while the stack has it, or after the stack has let go of it.",
        (Deploy(1, {"A": A}), Others(0, grant=False), Others(0, grant=True), Remove(1)),
        (Deploy(1, {"A": A}), Others(0, grant=False), Remove(1), Others(0, grant=True)),
    ),
    Met(
        DRIFT,
        "The same before the stack has it: after our write, and not before it.",
        (
            Deploy(1, {"A": A}, mishaps=(At("look", 2, "others revoke", 0), At("look", 3, "others grant", 0))),
            Remove(1),
        ),
        (Others(0, grant=True), Deploy(1, {"A": A}), Remove(1)),
    ),
    Met(
        WINDOW,
        "A service that accepts duplicates does not tell who was first; one that refuses them does.",
        (Deploy(1, {"A": A}, mishaps=(At("write", 1, "others grant", 0),)), Remove(1)),
        near_kind=ORGANIZATIONS,
    ),
    Met(
        WINDOW,
        "Our write failed without a word, and theirs came before our next look; a token tells whose it is.",
        (
            Deploy(1, {"A": A}, mishaps=(At("write", 1, "fail before", times=5), At("look", 2, "others grant", 0))),
            Remove(1),
        ),
        near_kind=DIRECTORY,
    ),
    Met(
        WINDOW,
        "What a killed delivery was about to grant counts as granted by it, unless a token tells.",
        (
            Deploy(1, {"A": A}, mishaps=(At("write", 1, "kill before"), At("look", 2, "others grant", 0))),
            Remove(1),
        ),
        near_kind=DIRECTORY,
    ),
    Met(
        WINDOW,
        "A removal that was not answered is sent once more, unless a token makes it the same removal.",
        (
            Deploy(1, {"A": A}),
            Remove(1, mishaps=(At("write", 1, "kill after"), At("write", 2, "others grant", 0))),
        ),
        near_kind=DIRECTORY,
    ),
    Met(
        LOST_LEDGER,
        "The table forgets that two resources share the pair, or there was one only.",
        (Deploy(1, {"A": A, "C": A}), Table("emptied"), Deploy(1, {"A": A})),
        (Deploy(1, {"A": A, "C": B}), Table("emptied"), Deploy(1, {"A": A})),
    ),
    Met(
        TOLD,
        "No request may ask whether CloudFormation took the answer that came late, or the last one may.",
        (*REVERSED_UNSEEN, Remove(1, mishaps=(UNSEEN,))),
        (*REVERSED_UNSEEN, Remove(1)),
    ),
    Met(
        PUT_OFF,
        "A reverse may not ask whether CloudFormation took the answer that came late, or may.",
        REVERSED_UNSEEN,
        (Deploy(1, {"A": A}), Deploy(1, {"A": B}, Other(1, fails=True), mishaps=(LATE,))),
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


def test_no_limit_is_without_its_script() -> None:
    """A limit that nothing can meet would be an excuse for nothing, or for everything."""
    assert {row.limit for row in MET} == set(LIMITS)


# -- what no limit excuses --------------------------------------------------------------------------------------------

Defect = Callable[[pytest.MonkeyPatch], None]
"""Breaks the function."""


def _believes_refusals(patch: pytest.MonkeyPatch) -> None:
    """Takes whatever is there for its own."""
    patch.setattr(Grant, "_basis", lambda _: Basis.GRANTED)


def _removes_until_gone(patch: pytest.MonkeyPatch) -> None:
    """Sends the removal again for as long as something is there."""
    revoke = Revocation._revoke

    def again(self: Revocation) -> Removal:
        removal = revoke(self)
        if look(self._services, self._work.identity, self._work.deadline).state is State.PRESENT:
            self._send_disassociate()
        return removal

    patch.setattr(Revocation, "_revoke", again)


def _forgets_adoptions(patch: pytest.MonkeyPatch) -> None:
    """Takes every adoption for completed."""
    patch.setattr(CloudFormationHost, "adoption_completed", lambda *_: True)


def _cannot_ask(patch: pytest.MonkeyPatch) -> None:
    """Says that CloudFormation throttles, without having asked."""

    def took(*_: object) -> bool:
        raise Throttling("no reason")

    patch.setattr(CloudFormationHost, "took", took)


def _serves_everything(patch: pytest.MonkeyPatch) -> None:
    """Takes every delivery for one that the stack waits for."""
    patch.setattr(Resource, "admission", lambda *_: Admission.SERVE)


def _knows_everything(patch: pytest.MonkeyPatch) -> None:
    """Takes an id that its ledger does not know for one that was settled."""
    patch.setattr(Resource, "knows", lambda *_: True)


def _shares_nothing(patch: pytest.MonkeyPatch) -> None:
    """Sees nobody's claim but its own."""
    patch.setattr(Association, "others", lambda *_: {})


def _only_says_so(patch: pytest.MonkeyPatch) -> None:
    """Revokes nothing, and says that it may remain."""

    def run(self: Revocation) -> Removal:
        hold = self._work.hold
        told = {"id": hold.id if hold else "", "cause": "no reason"}
        self._work.request.host.note("may-remain", told, warning=True)
        return Removal.RELEASED

    patch.setattr(Revocation, "run", run)


def _revokes_nothing(patch: pytest.MonkeyPatch) -> None:
    """Answers that it is revoked."""
    patch.setattr(Revocation, "run", lambda _: Removal.REVOKED)


def _looks_at_nothing(patch: pytest.MonkeyPatch) -> None:
    """Takes it for granted that what a resource has is there."""
    run = Grant.run

    def believing(self: Grant, seen: Sighting | None = None) -> Granted:
        return run(self, Sighting(State.PRESENT) if self._work.association.basis else seen)

    patch.setattr(Grant, "run", believing)


@dataclass(frozen=True)
class Broken:
    """A script that breaks a promise with a broken function; no limit may excuse it.

    Attributes:
        near: the limit that comes nearest to it, or what else the model lets pass.
        promise: the one that must be found broken.
    """

    near: str
    why: str
    defect: Defect
    steps: tuple[Step, ...]
    promise: int = 3
    kind: str = QUICKSIGHT
    switches: Mapping[str, Any] = field(default_factory=dict)


OTHERS_FIRST = (Others(0, grant=True), Deploy(1, {"A": A, "B": B}), Remove(1))

BROKEN = (
    Broken(
        WINDOW,
        "The service refused the write, so that there was no window.",
        _believes_refusals,
        (Deploy(1, {"A": A}, mishaps=(At("write", 1, "others grant", 0),)), Remove(1)),
        kind=ORGANIZATIONS,
    ),
    Broken(
        WINDOW,
        "The same where only a switch of the service tells that it refuses.",
        _believes_refusals,
        (Deploy(1, {"A": A}, mishaps=(At("write", 1, "others grant", 0),)), Remove(1)),
        switches={"duplicate_create": "resource_exists"},
    ),
    Broken(
        DRIFT,
        "Our own grant ended in its own deployment, and was over when others granted.",
        _believes_refusals,
        (Deploy(1, {"A": A, "B": B}), Others(0, grant=False), Deploy(1, {"B": B}), *OTHERS_FIRST),
    ),
    Broken(
        WINDOW,
        "The write that was never answered was given up long before others granted.",
        _believes_refusals,
        (
            Deploy(1, {"B": B}),
            Deploy(
                1,
                {"A": A, "B": B},
                mishaps=(
                    At("write", 1, "cut before", times=5),
                    At("look", 2, "kill before"),
                    At("look", 3, "kill before"),
                    At("look", 4, "kill before"),
                ),
            ),
            *OTHERS_FIRST,
        ),
    ),
    Broken(
        WINDOW,
        "The killed delivery came again, and found nothing, long before others granted.",
        _believes_refusals,
        (
            Deploy(1, {"B": B}),
            Deploy(1, {"A": A, "B": B}, Other(3, fails=True), mishaps=(At("write", 1, "kill before"),)),
            Wait(700),
            *OTHERS_FIRST,
        ),
    ),
    Broken(
        WINDOW,
        "The removal was answered, and is sent once more by the same delivery.",
        _removes_until_gone,
        (Deploy(1, {"A": A}), Remove(1, mishaps=(At("look", 1, "others grant", 0),))),
        kind=IOT,
    ),
    Broken(
        "adopted on purpose",
        "An earlier deployment adopted it for another resource and completed; the one that failed had not.",
        _forgets_adoptions,
        (
            Others(0, grant=True),
            Deploy(1, {"A": Member(0, adopt=True, retain=True), "B": B}),
            Deploy(1, {"B": B}),
            Deploy(1, {"B": B, "C": ADOPTING}, Other(1, fails=True, after=("C",))),
        ),
    ),
    Broken(
        LOST_LEDGER,
        "The pair had one resource only, whose id is its claim.",
        _knows_everything,
        (Deploy(1, {"A": A}), Wait(30), Table("emptied"), Remove(1)),
        promise=2,
    ),
    Broken(
        LOST_LEDGER,
        "The table was not lost.",
        _shares_nothing,
        (Deploy(1, {"A": A}), Deploy(2, {"A": ADOPTING}), Remove(1)),
        promise=1,
    ),
    Broken(
        "others revoked it",
        "They did so before the deployment that says that it is granted.",
        _looks_at_nothing,
        (Deploy(1, {"A": A}), Others(0, grant=False), Deploy(1, {"C": A})),
        promise=1,
    ),
    Broken(
        PUT_OFF,
        "Nobody had refused to tell.",
        _cannot_ask,
        (Deploy(1, {"A": A}), Deploy(1, {"A": B}, Other(1, fails=True), mishaps=(LATE,))),
        promise=2,
    ),
    Broken(
        TOLD,
        "Nothing stood in the way of knowing, but for a fault that another resource met.",
        _only_says_so,
        (
            Deploy(1, {"A": A}, Other(1)),
            Deploy(1, {"A": A, "C": B}, Other(1), mishaps=(At("look", 1, "fail before"),)),
            Deploy(1, {"C": B}, Other(1)),
        ),
        promise=2,
    ),
    Broken(
        "left in place on the user's word",
        "That was an earlier grant; this one was to be revoked.",
        _revokes_nothing,
        (
            Deploy(1, {"A": Member(0, retain=True)}, Other(1)),
            Deploy(1, {}, Other(1)),
            Others(0, grant=False),
            Deploy(1, {"A": A}, Other(1)),
            Deploy(1, {}, Other(1)),
        ),
        promise=2,
    ),
)


@pytest.mark.parametrize("row", BROKEN, ids=lambda row: row.why)
def test_no_limit_excuses_a_function_that_is_broken(
    stage: Theatre, monkeypatch: pytest.MonkeyPatch, row: Broken
) -> None:
    """What looks like a limit, and is a defect, is found."""
    row.defect(monkeypatch)

    outcome = stage.play(Script(row.kind, row.steps, switches=row.switches))

    assert any(f"promise {row.promise}:" in broken for broken in outcome.broken), f"\n{outcome}"


@pytest.mark.parametrize("row", BROKEN, ids=lambda row: row.why)
def test_the_same_scripts_break_nothing_with_the_function_as_it_is(stage: Theatre, row: Broken) -> None:
    """It is the defect that breaks the promise, not the script."""
    outcome = stage.play(Script(row.kind, row.steps, switches=row.switches))

    assert not outcome.broken, f"\n{outcome}"
