"""Every documented limit, met on purpose; the same sequence with the decisive thing changed; and what no limit excuses.

The last are played with a function that is broken on purpose: a predicate that is too wide would hide its harm.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest

from aws_associations.creation import Creation, Granted, How
from aws_associations.errors import AlreadyExists
from aws_associations.host import Holders
from aws_associations.identity import AssociationId, Identity
from aws_associations.kind import State
from aws_associations.look import Sighting, look
from aws_associations.removal import Removal, Revocation
from aws_associations_lambda.host import CloudFormationHost
from tests.model.play import Outcome, Theatre
from tests.model.promises import (
    AFTER_FAILED_DELETE,
    DRIFT,
    KILLED_BEFORE_WRITE,
    LIMITS,
    NEVER_RETRIED,
    OVERTAKEN,
    REAL_ID,
    REDEPLOYED,
    RETRIED_DELETE,
    SHARED_DELETES,
    TOLD,
    TOLD_HOLDERS,
    TWO_STACKS,
    UNKNOWN,
    WINDOW,
)
from tests.model.script import Again, At, Deploy, Member, Other, Others, Remove, Script, Step, Wait

A, B = Member(0), Member(1)
ADOPTING = Member(0, adopt=True)
QUICKSIGHT, ORGANIZATIONS = "quicksight-group-membership", "organizations-delegated-administrator"
DIRECTORY, IOT = "directory-group-membership", "iot-thing-group-membership"


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


REVOKED_IN_TURN = {"A": A, "B": Member(0, after=("A",))}

MET = (
    Met(
        TWO_STACKS,
        "The first stack is deleted and revokes for both, unless it retains.",
        (Deploy(1, {"A": A}), Deploy(2, {"A": ADOPTING}), Remove(1)),
        (Deploy(1, {"A": Member(0, retain=True)}), Deploy(2, {"A": ADOPTING}), Remove(1)),
    ),
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
        UNKNOWN,
        "Our write failed without a word, and theirs came before our next look; a token tells whose it is.",
        (
            Deploy(1, {"A": A}, mishaps=(At("write", 1, "fail before", times=5), At("look", 2, "others grant", 0))),
            Remove(1),
        ),
        near_kind=DIRECTORY,
    ),
    Met(
        KILLED_BEFORE_WRITE,
        "What a killed delivery announced counts as granted by it, unless a token tells.",
        (
            Deploy(1, {"A": A}, mishaps=(At("write", 1, "kill before"), At("look", 2, "others grant", 0))),
            Remove(1),
        ),
        near_kind=DIRECTORY,
    ),
    Met(
        RETRIED_DELETE,
        "A Delete that is delivered again removes once more, unless a token makes it the same removal.",
        (
            Deploy(1, {"A": A}),
            Remove(1, mishaps=(At("write", 1, "kill after"), At("write", 2, "others grant", 0))),
        ),
        near_kind=DIRECTORY,
    ),
    Met(
        REAL_ID,
        "The Delete of what a failed create may have granted: others granted before it, or after it.",
        (
            Deploy(
                1,
                {"A": A},
                mishaps=(
                    At("write", 1, "fail before", times=5),
                    At("look", 2, "fail before", times=5),
                    At("write", 6, "others grant", 0),
                ),
            ),
        ),
        (
            Deploy(
                1, {"A": A}, mishaps=(At("write", 1, "fail before", times=5), At("look", 2, "fail before", times=5))
            ),
            Others(0, grant=True),
            Deploy(1, {"A": A}),
        ),
    ),
    Met(
        SHARED_DELETES,
        "Both resources of one pair are deleted at the same time, or in turn: then the first one lets go of it only.",
        (Deploy(1, {"A": A, "B": A}), Remove(1, mishaps=(At("write", 2, "others grant", 0),))),
        (Deploy(1, REVOKED_IN_TURN), Remove(1, mishaps=(At("answer", 2, "others grant", 0),))),
    ),
    Met(
        AFTER_FAILED_DELETE,
        "The Delete failed after its effect, so that the next one cannot know of it; or before its effect.",
        (
            Deploy(1, {"A": A}),
            Remove(1, mishaps=(At("look", 1, "fail before", times=200),)),
            Others(0, grant=True),
            Remove(1),
        ),
        (
            Deploy(1, {"A": A}),
            Remove(1, mishaps=(At("write", 1, "fail before", times=200),)),
            Others(0, grant=True),
            Remove(1),
        ),
    ),
    Met(
        REDEPLOYED,
        "The next deployment adopts between the last look of the one that undoes and its write; or it looks in time.",
        (
            Deploy(1, {"B": B}),
            Deploy(1, {"A": A, "B": B}, Other(2, fails=True), mishaps=(At("write", 1, "slow after", 30),)),
            Deploy(1, {"A": ADOPTING, "B": B}, mishaps=(At("look", 2, "slow after", 30),)),
        ),
        (
            Deploy(1, {"B": B}),
            Deploy(1, {"A": A, "B": B}, Other(2, fails=True), mishaps=(At("write", 1, "slow after", 30),)),
            Deploy(1, {"A": ADOPTING, "B": B}),
        ),
    ),
    Met(
        OVERTAKEN,
        "A Delete is delivered twice, and one's write is on its way when the next deployment grants; or once.",
        (
            Deploy(1, {"A": A}),
            Remove(1, mishaps=(At("write", 1, "slow before", 8),), again=(Again(1, 2),)),
            Deploy(1, {"A": A}),
        ),
        (Deploy(1, {"A": A}), Remove(1, mishaps=(At("write", 1, "slow before", 8),)), Deploy(1, {"A": A})),
    ),
    Met(
        OVERTAKEN,
        "A Create is delivered twice within three seconds, and its resource deleted within them; or later.",
        (Deploy(1, {"A": A}, again=(Again(1, 2.5),)), Deploy(1, {}), Wait(30)),
        (Deploy(1, {"A": A}, again=(Again(1, 8),)), Deploy(1, {}), Wait(30)),
    ),
    Met(
        NEVER_RETRIED,
        "Killed after its effect, and so is every repetition; or the last one is not.",
        (
            Deploy(
                1,
                {"A": A},
                mishaps=(At("write", 1, "kill after"), At("look", 2, "kill before"), At("look", 3, "kill before")),
            ),
        ),
        (Deploy(1, {"A": A}, mishaps=(At("write", 1, "kill after"), At("look", 2, "kill before"))), Remove(1)),
    ),
    Met(
        TOLD,
        "Killed after its effect, and cancelled; when it comes again the log is refused to it, or is not.",
        (
            Deploy(
                2,
                {},
                Other(100),
                together=True,
                mishaps=(At("write", 1, "kill after"), At("logs", 1, "deny", times=40)),
            ),
            Deploy(1, {"A": A}, Other(2, fails=True)),
        ),
        (
            Deploy(2, {}, Other(100), together=True, mishaps=(At("write", 1, "kill after"),)),
            Deploy(1, {"A": A}, Other(2, fails=True)),
        ),
    ),
    Met(
        TOLD_HOLDERS,
        "CloudFormation refuses to tell who else has it, or does so for a moment.",
        (
            Deploy(1, {"A": A, "B": A}),
            Deploy(1, {"A": A}, mishaps=(At("cloudformation", 1, "deny", times=40),)),
        ),
        (
            Deploy(1, {"A": A, "B": A}),
            Deploy(1, {"A": A}, mishaps=(At("cloudformation", 1, "throttle", times=10),)),
        ),
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

    def claim(self: Creation, sighting: Sighting, **_: bool) -> Granted:
        return self._granted(How.CREATED, sighting)

    patch.setattr(Creation, "_claim", claim)


def _answers_real_ids(patch: pytest.MonkeyPatch) -> None:
    """A create that was refused answers the id of what it did not grant."""

    def claim(self: Creation, *_: Sighting, **__: bool) -> Granted:
        self._request.may_exist = self._identity
        raise AlreadyExists("it is there", outcome_unknown=True)

    patch.setattr(Creation, "_claim", claim)


def _removes_until_gone(patch: pytest.MonkeyPatch) -> None:
    """Sends the removal again for as long as something is there."""
    revoke = Revocation._revoke

    def again(self: Revocation) -> Removal:
        removal = revoke(self)
        if look(self._services, self._identity, self._request.deadline).state is State.PRESENT:
            self._send_disassociate()
        return removal

    patch.setattr(Revocation, "_revoke", again)


def _never_asks_for_whom(patch: pytest.MonkeyPatch) -> None:
    """Takes every delivery for one that the stack waits for."""
    patch.setattr(CloudFormationHost, "live", lambda _: True)


def _forgets_adoptions(patch: pytest.MonkeyPatch) -> None:
    """Takes every adoption for completed."""
    patch.setattr(CloudFormationHost, "adoption_settled", lambda *_: True)


def _claims_nobody_asked(patch: pytest.MonkeyPatch) -> None:
    """Takes it for granted that nobody has taken since what a cancelled request granted."""
    patch.setattr(CloudFormationHost, "claimed_since", lambda *_: False)


def _leaves_behind(patch: pytest.MonkeyPatch) -> None:
    """Takes it for granted that a create that was given up left nothing."""
    patch.setattr(CloudFormationHost, "left_behind", lambda *_: ())


def _only_says_so(patch: pytest.MonkeyPatch) -> None:
    """Revokes nothing, and says that it may remain."""

    def run(self: Revocation) -> Removal:
        self._request.host.note("may-remain", {"association": str(self._identity), "cause": "no reason"}, warning=True)
        return Removal.NOT_LIVE

    patch.setattr(Revocation, "run", run)


def _revokes_nothing(patch: pytest.MonkeyPatch) -> None:
    """Answers that it is revoked."""
    patch.setattr(Revocation, "run", lambda _: Removal.REVOKED)


def _says_it_cannot_ask(patch: pytest.MonkeyPatch) -> None:
    """A Delete says that nobody tells who else has it, without having asked."""
    ask = CloudFormationHost.holders

    def holders(self: CloudFormationHost, identity: Identity) -> Holders | None:
        if self._event.request_type != "Delete":
            return ask(self, identity)
        self.note("cannot-tell", {"what": "which resources of the stack hold it", "cause": "no reason"}, warning=True)
        return None

    patch.setattr(CloudFormationHost, "holders", holders)


def _takes_over_unseen(patch: pytest.MonkeyPatch) -> None:
    """Takes over what another resource has without a look whether it is there."""
    run = Creation.run

    def take(self: Creation, sighting: Sighting | None = None) -> Granted:
        holders = self._request.host.holders(self._identity)
        if holders is not None and holders.now:
            return Granted(AssociationId(self._identity, False), How.TAKEN_OVER, "")
        return run(self, sighting)

    patch.setattr(Creation, "run", take)


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
        "The stack had let go of it, and left it in place on its user's word.",
        _believes_refusals,
        (
            Deploy(1, {"A": Member(0, retain=True), "B": B}),
            Deploy(1, {"B": B}),
            Others(0, grant=False),
            Others(0, grant=True),
            Deploy(1, {"B": B, "C": A}),
            Remove(1),
        ),
    ),
    Broken(
        DRIFT,
        "Our own grant ended in its own deployment, and was over when others granted.",
        _believes_refusals,
        (
            Deploy(1, {"A": A, "B": B}),
            Others(0, grant=False),
            Deploy(1, {"B": B}),
            *OTHERS_FIRST,
        ),
    ),
    Broken(
        UNKNOWN,
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
        KILLED_BEFORE_WRITE,
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
        REAL_ID,
        "The Delete of the real id has succeeded before others granted.",
        _believes_refusals,
        (
            Deploy(1, {"B": B}),
            Deploy(
                1,
                {"A": A, "B": B},
                mishaps=(At("write", 1, "fail before", times=5), At("look", 2, "fail before", times=5)),
            ),
            *OTHERS_FIRST,
        ),
    ),
    Broken(
        REAL_ID,
        "The real id is answered for a refusal, and what it names was there before.",
        _answers_real_ids,
        (Others(0, grant=True), Deploy(1, {"A": A})),
    ),
    Broken(
        RETRIED_DELETE,
        "The removal was answered, and is sent once more by the same delivery.",
        _removes_until_gone,
        (Deploy(1, {"A": A}), Remove(1, mishaps=(At("look", 1, "others grant", 0),))),
        kind=IOT,
    ),
    Broken(
        RETRIED_DELETE,
        "The Delete that comes again was answered minutes ago.",
        _never_asks_for_whom,
        (
            Deploy(1, {"A": A, "B": B}),
            Deploy(1, {"B": B}, again=(Again(1, 400),)),
            Others(0, grant=True),
        ),
    ),
    Broken(
        SHARED_DELETES,
        "The Delete of the other one comes again when both are done.",
        _never_asks_for_whom,
        (Deploy(1, {"A": A, "B": A}), Remove(1, again=(Again(2, 400),)), Others(0, grant=True)),
    ),
    Broken(
        AFTER_FAILED_DELETE,
        "The Delete after the one that failed has succeeded, and comes again.",
        _never_asks_for_whom,
        (
            Deploy(1, {"A": A}),
            Remove(1, mishaps=(At("look", 1, "fail before", times=200),)),
            Remove(1, again=(Again(1, 400),)),
            Others(0, grant=True),
        ),
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
        TWO_STACKS,
        "The other stack never had it: it was refused.",
        _answers_real_ids,
        (Deploy(1, {"A": A}), Deploy(2, {"A": A})),
        promise=1,
    ),
    Broken(
        REDEPLOYED,
        "The next deployment was complete for minutes when the cancelled one undid.",
        _claims_nobody_asked,
        (
            Deploy(1, {"B": B}),
            Deploy(1, {"A": A, "B": B}, Other(2, fails=True), mishaps=(At("write", 1, "slow after", 200),)),
            Deploy(1, {"A": ADOPTING, "B": B}),
            Wait(300),
        ),
        promise=1,
    ),
    Broken(
        OVERTAKEN,
        "The request was over for long when it was delivered again.",
        _never_asks_for_whom,
        (Deploy(1, {"A": A}, again=(Again(1, 30),)), Deploy(1, {}), Wait(100)),
        promise=2,
    ),
    Broken(
        TOLD_HOLDERS,
        "Nobody had refused to tell.",
        _says_it_cannot_ask,
        (Deploy(1, {"A": A, "C": A}), Deploy(1, {"A": A})),
        promise=1,
    ),
    Broken(
        "others revoked it",
        "They did so before the deployment that says that it is granted.",
        _takes_over_unseen,
        (
            Deploy(1, {"A": A}),
            Deploy(1, {"C": A}, mishaps=(At("cloudformation", 1, "others revoke", 0),)),
        ),
        promise=1,
    ),
    Broken(
        NEVER_RETRIED,
        "It was killed after it had said in the log that it granted.",
        _leaves_behind,
        (
            Deploy(
                1,
                {"A": A},
                mishaps=(At("answer", 1, "kill before"), At("look", 3, "kill before"), At("look", 4, "kill before")),
            ),
        ),
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
