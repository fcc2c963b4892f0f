"""What lasts: a service that fails what it took, throttles for hours, or has ended; an event that Lambda holds back.

After every script the service recovers, unless it has ended, and the model heals and deletes what is left.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from tests.model.play import Outcome, Theatre
from tests.model.script import Again, Deploy, Member, Other, Others, Remove, Script, Service, Step, Wait
from tests.model.test_model_sequences import FINSPACE, OPENSEARCH, A, B, every_kind

SLOW = {"association_seconds": 10.0, "dissociation_seconds": 10.0}


def played(stage: Theatre, kind: str, *steps: Step, switches: Mapping[str, Any] | None = None) -> Outcome:
    """What came of it; no promise was broken, and no limit needed."""
    outcome = stage.play(Script(kind, steps, switches=switches or {}))
    assert not outcome.broken, f"\n{outcome}"
    assert not outcome.limits, f"\n{outcome}"
    return outcome


# -- a service that fails what it accepted ----------------------------------------------------------------------------


@pytest.mark.parametrize("switches", [{}, SLOW], ids=["at once", "after a while"])
def test_an_association_that_fails_fails_its_deployment_and_goes_with_it(
    stage: Theatre, switches: Mapping[str, Any]
) -> None:
    """Not granted is not SUCCESS, and the rollback clears what the service still shows."""
    outcome = played(stage, OPENSEARCH, Service("fails to add"), Deploy(1, {"A": A}), switches=switches)

    assert outcome.results == ["ROLLBACK_COMPLETE"]
    assert "revoked" in outcome.lines


def test_an_association_that_failed_is_made_anew_when_the_service_recovers(stage: Theatre) -> None:
    """The next deployment does not take what failed for what is granted."""
    outcome = played(
        stage,
        OPENSEARCH,
        Service("fails to add"),
        Deploy(1, {"A": A, "B": B}, on_failure="DO_NOTHING"),
        Service("recovers"),
        Remove(1),
        Deploy(1, {"A": A, "B": B}),
    )

    assert outcome.results == ["CREATE_FAILED", "DELETE_COMPLETE", "CREATE_COMPLETE"]
    assert sorted(outcome.changes) == [("function", "granted", 1), ("function", "granted", 2)]


KEEPS_FAILED = {"dissociate_after_failure": "conflict"}


@pytest.mark.parametrize("switches", [KEEPS_FAILED, {**SLOW, **KEEPS_FAILED}], ids=["at once", "after a while"])
@pytest.mark.parametrize("on_failure", ["ROLLBACK", "DO_NOTHING"])
def test_an_association_that_failed_and_cannot_be_ended_blocks_no_deletion(
    stage: Theatre, switches: Mapping[str, Any], on_failure: str
) -> None:
    """The service refuses to dissociate what was never granted: its stack goes all the same, with a warning."""
    outcome = played(
        stage,
        OPENSEARCH,
        Service("fails to add"),
        Deploy(1, {"A": A}, on_failure=on_failure),
        Remove(1),
        switches=switches,
    )

    assert (
        outcome.results
        == {
            "ROLLBACK": ["ROLLBACK_COMPLETE", "DELETE_COMPLETE"],
            "DO_NOTHING": ["CREATE_FAILED", "DELETE_COMPLETE"],
        }[on_failure]
    )
    assert "failed-one-left" in outcome.lines
    assert ("function", "revoked", 1) not in outcome.changes


def test_an_update_whose_association_failed_and_cannot_be_ended_goes_back(stage: Theatre) -> None:
    """p1 to p2, which the service fails and keeps: p1 stays, and the rollback is not blocked."""
    outcome = played(
        stage,
        OPENSEARCH,
        Deploy(1, {"A": A}),
        Service("fails to add"),
        Deploy(1, {"A": B}),
        Remove(1),
        switches=KEEPS_FAILED,
    )

    assert outcome.results == ["CREATE_COMPLETE", "UPDATE_ROLLBACK_COMPLETE", "DELETE_COMPLETE"]
    assert outcome.changes == [("function", "granted", 1), ("function", "revoked", 1)]


@pytest.mark.parametrize("switches", [{}, SLOW], ids=["at once", "after a while"])
def test_a_removal_that_fails_at_the_service_fails_the_delete_until_it_recovers(
    stage: Theatre, switches: Mapping[str, Any]
) -> None:
    """A Delete never answers SUCCESS for what is still there, and the same Delete later revokes it."""
    outcome = played(
        stage,
        OPENSEARCH,
        Deploy(1, {"A": A}),
        Service("fails to remove"),
        Remove(1),
        Service("recovers"),
        Remove(1),
        switches=switches,
    )

    assert outcome.results == ["CREATE_COMPLETE", "DELETE_FAILED", "DELETE_COMPLETE"]
    assert outcome.changes[-1][1:] == ("revoked", 1)


@pytest.mark.parametrize("answer", ["conflict", "fail"])
def test_a_package_in_use_fails_the_delete_until_it_is_not(stage: Theatre, answer: str) -> None:
    """Whether the service refuses, or accepts and then fails: the delete fails, and the next one revokes."""
    outcome = played(
        stage,
        OPENSEARCH,
        Deploy(1, {"A": A}),
        Service("uses"),
        Remove(1),
        Service("recovers"),
        Remove(1),
        switches={"dissociate_in_use": answer},
    )

    assert outcome.results == ["CREATE_COMPLETE", "DELETE_FAILED", "DELETE_COMPLETE"]
    assert outcome.changes[-1] == ("function", "revoked", 1)


# -- a service that throttles for hours -------------------------------------------------------------------------------


@every_kind
def test_hours_of_throttling_lose_and_leave_nothing(stage: Theatre, kind: str) -> None:
    """What cannot be changed fails, stays as it is, and can be deleted when the service answers again."""
    outcome = played(
        stage,
        kind,
        Deploy(1, {"A": A}),
        Service("throttles"),
        Deploy(1, {"A": B}),
        Wait(20000),
        Remove(1),
        Service("recovers"),
        Remove(1),
    )

    assert outcome.results == ["CREATE_COMPLETE", "UPDATE_ROLLBACK_COMPLETE", "DELETE_FAILED", "DELETE_COMPLETE"]
    assert outcome.changes == [("function", "granted", 1), ("function", "revoked", 1)]


# -- a service that has ended -----------------------------------------------------------------------------------------


def test_after_the_end_creates_fail_updates_keep_and_deletes_succeed_with_a_warning(stage: Theatre) -> None:
    """Stacks stay usable and deletable when FinSpace is gone, and every such answer is said in the log."""
    outcome = played(
        stage,
        FINSPACE,
        Deploy(1, {"A": A, "B": B}),
        Service("ends"),
        Deploy(1, {"A": A, "B": B, "C": Member(2)}),
        Deploy(1, {"A": Member(0, revision=1)}),
        Remove(1),
    )

    assert outcome.results == ["CREATE_COMPLETE", "UPDATE_ROLLBACK_COMPLETE", "UPDATE_COMPLETE", "DELETE_COMPLETE"]
    assert outcome.changes[2:] == [("the service", "revoked", 1), ("the service", "revoked", 2)]
    assert outcome.lines.count("service-ended") == 2
    assert "not-seen" in outcome.lines


def test_a_new_stack_after_the_end_fails_and_leaves_nothing(stage: Theatre) -> None:
    """Its rollback has nothing to revoke."""
    outcome = played(stage, FINSPACE, Service("ends"), Deploy(1, {"A": A}))

    assert outcome.results == ["ROLLBACK_COMPLETE"]
    assert not outcome.changes


# -- an event that Lambda holds back ----------------------------------------------------------------------------------


@every_kind
@pytest.mark.parametrize("seconds", [4000, 20000])
def test_a_create_that_comes_when_its_stack_has_given_up_does_nothing(
    stage: Theatre, kind: str, seconds: float
) -> None:
    """Held back for an hour and longer: the stack is rolled back, and others may have granted it since."""
    outcome = played(
        stage, kind, Deploy(1, {"A": A}, again=(Again(1, seconds, instead=True),)), Others(0, grant=True), Wait(30000)
    )

    assert outcome.results == ["ROLLBACK_COMPLETE"]
    assert outcome.changes == [("others", "granted", 1)]


@every_kind
def test_a_delete_that_comes_late_but_is_waited_for_revokes(stage: Theatre, kind: str) -> None:
    """Held back for minutes: the stack waits for it."""
    outcome = played(stage, kind, Deploy(1, {"A": A}), Remove(1, again=(Again(1, 400, instead=True),)))

    assert outcome.results == ["CREATE_COMPLETE", "DELETE_COMPLETE"]
    assert outcome.changes == [("function", "granted", 1), ("function", "revoked", 1)]


@every_kind
def test_a_cleanup_that_comes_when_it_was_given_up_revokes_nothing_that_is_declared_again(
    stage: Theatre, kind: str
) -> None:
    """Held back while CloudFormation tried three times and went on: declared again meanwhile, it stays."""
    outcome = played(
        stage,
        kind,
        Deploy(1, {"A": A, "B": B}),
        Deploy(1, {"B": B}, Other(1), again=tuple(Again(number, 20000, instead=True) for number in (1, 2, 3))),
        Deploy(1, {"B": B, "C": Member(0, adopt=True)}, Other(1)),
        Wait(30000),
    )

    assert outcome.results[-1] == "UPDATE_COMPLETE"
    assert [change for change in outcome.changes if change[2] == 1] == [("function", "granted", 1)]
