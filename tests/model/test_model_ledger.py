"""What the ledger adds: its faults, its loss, and pairs that several stacks declare."""

from __future__ import annotations

import pytest

from aws_associations.kinds import KINDS
from tests.model.cloudformation import CloudFormation, Declared, Habits, Operation
from tests.model.play import Theatre
from tests.model.promises import LOST_LEDGER
from tests.model.script import At, Deploy, Member, Other, Others, Remove, Table, Wait
from tests.model.test_model_sequences import FINSPACE, ONCE, QUICKSIGHT, A, B, every_kind, played

ADOPTING = Member(0, adopt=True)

# -- a table that fails -----------------------------------------------------------------------------------------------


@every_kind
def test_a_create_outlasts_a_table_that_is_down_for_a_minute(stage: Theatre, kind: str) -> None:
    """The invocation fails on purpose, and the same event that Lambda delivers again succeeds."""
    outcome = played(stage, kind, Table("down", 30), Deploy(1, {"A": A}), Remove(1))

    assert outcome.results == ["CREATE_COMPLETE", "DELETE_COMPLETE"]
    assert outcome.lines.count("tried-again-later") == 1
    assert outcome.changes == ONCE


@every_kind
@pytest.mark.parametrize("trouble", ["down", "throttled"])
def test_a_create_writes_nothing_to_the_service_without_the_table(stage: Theatre, kind: str, trouble: str) -> None:
    """Down for longer than Lambda repeats: FAILED, and nothing was granted or revoked."""
    outcome = played(
        stage, kind, Table(trouble, 300), Deploy(1, {"A": A}, on_failure="DO_NOTHING"), Wait(60), Remove(1)
    )

    assert outcome.results == ["CREATE_FAILED", "DELETE_COMPLETE"]
    assert outcome.changes == []


@every_kind
def test_a_delete_that_failed_for_want_of_the_table_revokes_when_it_is_tried_again(stage: Theatre, kind: str) -> None:
    """Nothing is guessed meanwhile."""
    outcome = played(stage, kind, Deploy(1, {"A": A}), Table("down", 300), Remove(1), Wait(60), Remove(1))

    assert outcome.results == ["CREATE_COMPLETE", "DELETE_FAILED", "DELETE_COMPLETE"]
    assert outcome.changes == ONCE


READ, OPEN, ASK, CLOSE = 1, 2, 3, 4
"""The calls of the table that a create makes; a delete makes the first two, and closes with the third."""

INTERRUPTIONS = {
    "the answer of the opening is lost": At("ledger", OPEN, "cut after", times=4),
    "killed between pending and associate": At("ledger", ASK, "kill after"),
    "the answer of the asking is lost": At("ledger", ASK, "cut after", times=4),
    "killed between associate and close": At("ledger", CLOSE, "kill before"),
    "the answer of the close is lost": At("ledger", CLOSE, "cut after", times=4),
    "killed between close and answer": At("ledger", CLOSE, "kill after"),
    "the table fails at the close": At("ledger", CLOSE, "fail before", times=4),
}


@every_kind
@pytest.mark.parametrize("mishap", INTERRUPTIONS.values(), ids=INTERRUPTIONS)
def test_a_create_that_is_interrupted_is_finished_by_its_repetition(stage: Theatre, kind: str, mishap: At) -> None:
    """Wherever it happens, the same event delivered again grants once, and its Delete revokes once."""
    outcome = played(stage, kind, Deploy(1, {"A": A}, mishaps=(mishap,)), Remove(1))

    assert outcome.results == ["CREATE_COMPLETE", "DELETE_COMPLETE"]
    assert outcome.changes == ONCE
    assert not outcome.limits


@every_kind
@pytest.mark.parametrize("mishap", INTERRUPTIONS.values(), ids=INTERRUPTIONS)
def test_a_create_that_is_interrupted_and_given_up_leaves_nothing(stage: Theatre, kind: str, mishap: At) -> None:
    """The stack rolls back with an id that CloudFormation invents, before Lambda delivers the event again."""
    failing = Deploy(1, {"A": A}, Other(8, fails=True), mishaps=(mishap,))
    outcome = played(stage, kind, failing, Wait(300), Others(0, grant=True))

    assert outcome.results == ["ROLLBACK_COMPLETE"]
    assert outcome.changes in ([("others", "granted", 1)], [*ONCE, ("others", "granted", 1)])
    assert not outcome.limits


@every_kind
@pytest.mark.parametrize("number", [1, 2, 3])
@pytest.mark.parametrize("what", ["kill before", "kill after", "cut after"])
def test_a_delete_that_is_interrupted_is_finished_by_its_repetition(
    stage: Theatre, kind: str, number: int, what: str
) -> None:
    """Killed before or after the table knows that it is dropping, or that it is gone; or the answer is lost."""
    mishap = At("ledger", number, what, times=4 if what == "cut after" else 1)
    outcome = played(stage, kind, Deploy(1, {"A": A}), Remove(1, mishaps=(mishap,)))

    assert outcome.results == ["CREATE_COMPLETE", "DELETE_COMPLETE"]
    assert outcome.changes == ONCE
    assert not outcome.limits


@every_kind
@pytest.mark.parametrize("number", [1, 2, 3, 4, 5, 6])
@pytest.mark.parametrize("what", ["kill after", "cut after", "sleeps after"])
def test_a_replacement_that_is_interrupted_ends_with_the_new_one_only(
    stage: Theatre, kind: str, number: int, what: str
) -> None:
    """p1 to p2, its cleanup included; a worker that sleeps for longer than its lease starts over."""
    mishap = At("ledger", number, what, 70 if what.startswith("sleeps") else 0, 4 if what == "cut after" else 1)
    outcome = played(stage, kind, Deploy(1, {"A": A}), Deploy(1, {"A": B}, mishaps=(mishap,)))

    assert outcome.results == ["CREATE_COMPLETE", "UPDATE_COMPLETE"]
    assert outcome.changes == [("function", "granted", 1), ("function", "granted", 2), ("function", "revoked", 1)]
    assert not outcome.limits


@every_kind
def test_a_write_that_arrives_after_its_worker_was_killed_is_settled(stage: Theatre, kind: str) -> None:
    """The stack gives up; its Delete waits until the write cannot arrive any more, and revokes it."""
    mishaps = (At("write", 1, "kill meanwhile", 20),)
    outcome = played(stage, kind, Deploy(1, {"A": A}, Other(3, fails=True), mishaps=mishaps))

    assert outcome.results == ["ROLLBACK_COMPLETE"]
    assert outcome.changes == ONCE


# -- a table that is lost ---------------------------------------------------------------------------------------------


@every_kind
@pytest.mark.parametrize("what", ["emptied", "restored to an hour ago"])
def test_a_lost_table_harms_no_pair_that_one_resource_has(stage: Theatre, kind: str, what: str) -> None:
    """An id in a stack is itself a claim: updated, replaced and deleted as before."""
    outcome = played(
        stage,
        kind,
        Deploy(1, {"A": A}),
        Wait(8000),
        Table(what),
        Deploy(1, {"A": Member(0, revision=1)}),
        Deploy(1, {"A": B}),
        Remove(1),
    )

    assert outcome.results == ["CREATE_COMPLETE", "UPDATE_COMPLETE", "UPDATE_COMPLETE", "DELETE_COMPLETE"]
    assert outcome.changes == [
        ("function", "granted", 1),
        ("function", "granted", 2),
        ("function", "revoked", 1),
        ("function", "revoked", 2),
    ]
    assert not outcome.limits


@every_kind
def test_a_lost_table_makes_nothing_ours_that_others_granted(stage: Theatre, kind: str) -> None:
    """The stack is gone, the table is emptied, others grant: the next stack is refused."""
    steps = (Deploy(1, {"A": A}), Remove(1), Table("emptied"), Others(0, grant=True), Deploy(2, {"A": A}))
    outcome = played(stage, kind, *steps)

    assert outcome.results == ["CREATE_COMPLETE", "DELETE_COMPLETE", "ROLLBACK_COMPLETE"]
    assert outcome.changes == [*ONCE, ("others", "granted", 1)]


def test_a_lost_table_forgets_who_shared_a_pair(stage: Theatre) -> None:
    """A documented limit: the first of two to be deleted revokes for both; deploying again heals it."""
    both, one = {"A": A, "C": A}, {"A": A}
    outcome = played(stage, QUICKSIGHT, Deploy(1, both), Table("emptied"), Deploy(1, one))

    assert outcome.limits == {LOST_LEDGER: 1}


# -- pairs that several stacks declare --------------------------------------------------------------------------------


@every_kind
@pytest.mark.parametrize(("first", "last"), [(1, 2), (2, 1)])
def test_two_stacks_share_a_pair_and_the_last_one_revokes_it(stage: Theatre, kind: str, first: int, last: int) -> None:
    """Whichever is deleted first."""
    outcome = played(stage, kind, Deploy(1, {"A": A}), Deploy(2, {"A": ADOPTING}), Remove(first), Remove(last))

    assert outcome.results == ["CREATE_COMPLETE", "CREATE_COMPLETE", "DELETE_COMPLETE", "DELETE_COMPLETE"]
    assert outcome.changes == ONCE
    assert not outcome.limits


@every_kind
def test_a_stack_that_declares_what_another_one_has_is_refused_by_name(stage: Theatre, kind: str) -> None:
    """Without Adopt; the first one keeps it, and can be deployed and deleted."""
    outcome = played(stage, kind, Deploy(1, {"A": A}), Deploy(2, {"C": A}), Remove(1))

    assert outcome.results == ["CREATE_COMPLETE", "ROLLBACK_COMPLETE", "DELETE_COMPLETE"]
    assert any("resource A of stack" in told and "stack/s1/" in told for told in outcome.history)
    assert outcome.changes == ONCE


@every_kind
def test_a_stack_whose_pair_another_one_shares_can_still_be_healed_and_rolled_back(stage: Theatre, kind: str) -> None:
    """It had the pair first, and never asked to share."""
    outcome = played(
        stage,
        kind,
        Deploy(1, {"A": A}),
        Deploy(2, {"A": ADOPTING}),
        Deploy(1, {"A": Member(0, revision=1)}),
        Deploy(1, {"A": B}, Other(1, fails=True, after=("A",))),
    )

    assert outcome.results[2:] == ["UPDATE_COMPLETE", "UPDATE_ROLLBACK_COMPLETE"]
    assert [change for change in outcome.changes if change[2] == 1] == [("function", "granted", 1)]


@every_kind
def test_a_pair_that_is_handed_over_has_the_new_stack_as_its_only_owner(stage: Theatre, kind: str) -> None:
    """Retained by the old stack, adopted by the new one, and revoked with that."""
    outcome = played(
        stage,
        kind,
        Deploy(1, {"A": Member(0, retain=True), "B": B}),
        Deploy(2, {"A": ADOPTING}),
        Deploy(1, {"B": B}),
        Deploy(2, {"A": Member(0, adopt=True, revision=1)}),
        Remove(2),
    )

    assert set(outcome.results[:-1]) == {"CREATE_COMPLETE", "UPDATE_COMPLETE"}
    assert [change for change in outcome.changes if change[2] == 1] == ONCE
    assert not outcome.limits


# -- CloudFormation throttles -----------------------------------------------------------------------------------------

SIZE = 200


def test_a_large_stack_fails_in_nothing_though_cloudformation_throttles(stage: Theatre) -> None:
    """Two reads a second for 200 memberships: created, all replaced, deleted; created, failed and rolled back."""
    world = stage.made.new(next(kind for kind in KINDS if kind.name == FINSPACE))
    engine = CloudFormation(world, Habits(reads_a_second=2))
    stage.place.running = engine.function
    world.ledger.truth = frozenset  # to look for every grant at every write takes long
    for number in range(SIZE):
        world.control.finspace.add_user("env1", f"user{number}")

    def members(group: str) -> dict[str, Declared]:
        scope = {"EnvironmentId": "env1", "PermissionGroupId": group}
        return {
            f"Member{number}": Declared(
                "Custom::FinSpacePermissionGroupMembership", {**scope, "UserId": f"user{number}"}
            )
            for number in range(SIZE)
        }

    def run(job: object) -> str:
        engine.finish(job)  # type: ignore[arg-type]
        operation: Operation = job.result  # type: ignore[attr-defined]
        assert not operation.loud
        return operation.result

    assert run(engine.create("s1", members("traders"))) == "CREATE_COMPLETE"
    assert engine.calls.total() == 0
    stack = next(iter(engine.stacks.values()))
    assert run(engine.update(stack, members("brokers"))) == "UPDATE_COMPLETE"
    assert set(engine.calls) == {"DescribeStackResource"}
    assert len(world.scenery.granted()) == SIZE
    assert run(engine.delete(stack)) == "DELETE_COMPLETE"
    failing = {"Other": Declared("AWS::SNS::Topic", seconds=1, fails=True)}
    assert run(engine.create("s2", {**members("traders"), **failing})) == "ROLLBACK_COMPLETE"
    engine.calm()
    assert world.scenery.granted() == []
