"""The sequences that break simpler designs (design: ownership), those of CloudFormation, each played to its end.

After every script the model heals and deletes what is left, and judges all promises; a test says besides what must have
happened on the way.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from aws_associations.kind import Duplicates, Kind
from aws_associations.kinds import KINDS
from tests.model.cloudformation import Habits
from tests.model.play import Outcome, Theatre
from tests.model.promises import PUT_OFF, WINDOW
from tests.model.script import Again, At, Continue, Deploy, Member, Other, Others, Remove, Script, Step, Wait

A, B = Member(0), Member(1)
FINSPACE, DIRECTORY = "finspace-permission-group-membership", "directory-group-membership"
ORGANIZATIONS, QUICKSIGHT = "organizations-delegated-administrator", "quicksight-group-membership"
OPENSEARCH = "opensearch-package-association"
NAMES = [kind.name for kind in KINDS]
MOVABLE = [kind.name for kind in KINDS if not kind.look.exclusive]

ONCE = [("function", "granted", 1), ("function", "revoked", 1)]

every_kind = pytest.mark.parametrize("kind", NAMES)


def played(
    stage: Theatre,
    kind: str,
    *steps: Step,
    switches: Mapping[str, Any] | None = None,
    habits: Habits | None = None,
    seed: int = 0,
) -> Outcome:
    """What came of it; no promise was broken."""
    outcome = stage.play(Script(kind, steps, switches=switches or {}, habits=habits or Habits(), seed=seed))
    assert not outcome.broken, f"\n{outcome}"
    return outcome


def kind_of(name: str) -> Kind:
    """The kind with this name."""
    return next(kind for kind in KINDS if kind.name == name)


# -- 1 ----------------------------------------------------------------------------------------------------------------


@every_kind
def test_others_who_grant_after_a_rollback_keep_their_grant(stage: Theatre, kind: str) -> None:
    """Sequence 1: granted, rolled back, granted by others, and deployed again within the token's life: not ours."""
    outcome = played(
        stage,
        kind,
        Deploy(1, {"B": B}),
        Deploy(1, {"A": A, "B": B}, Other(1, fails=True, after=("A",))),
        Others(0, grant=True),
        Deploy(1, {"A": A, "B": B}),
    )

    assert outcome.results == ["CREATE_COMPLETE", "UPDATE_ROLLBACK_COMPLETE", "UPDATE_ROLLBACK_COMPLETE"]
    assert [change for change in outcome.changes if change[2] == 1] == [
        ("function", "granted", 1),
        ("function", "revoked", 1),
        ("others", "granted", 1),
    ]
    assert not outcome.limits


# -- 2 ----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", [DIRECTORY, FINSPACE])
def test_tokens_that_are_used_every_hour_do_not_claim_what_others_grant(stage: Theatre, kind: str) -> None:
    """Sequence 2: deployed and destroyed every hour for a day; what others grant then is theirs."""
    hourly = [Deploy(1, {"A": A}), Remove(1), Wait(3600)] * 24
    outcome = played(stage, kind, *hourly, Others(0, grant=True), Deploy(1, {"A": A}))

    assert outcome.results == ["CREATE_COMPLETE", "DELETE_COMPLETE"] * 24 + ["ROLLBACK_COMPLETE"]
    assert outcome.changes[-1] == ("others", "granted", 1)
    assert not outcome.limits


# -- 3 ----------------------------------------------------------------------------------------------------------------


def test_a_grant_that_the_list_shows_late_is_our_own(stage: Theatre) -> None:
    """Sequence 3: the write took effect, the list lags, and the second token is told of a conflict."""
    outcome = played(stage, FINSPACE, Deploy(1, {"A": A}), Remove(1), switches={"list_lag_seconds": 9.0})

    assert outcome.results == ["CREATE_COMPLETE", "DELETE_COMPLETE"]
    assert outcome.changes == [("function", "granted", 1), ("function", "revoked", 1)]


# -- 4 ----------------------------------------------------------------------------------------------------------------


@every_kind
def test_a_delete_that_is_delivered_again_leaves_what_others_granted_since(stage: Theatre, kind: str) -> None:
    """Sequence 4: only a service without tokens cannot tell: a documented limit."""
    outcome = played(
        stage,
        kind,
        Deploy(1, {"A": A}),
        Remove(1, mishaps=(At("write", 1, "kill after"), At("write", 2, "others grant", 0))),
    )

    assert outcome.results == ["CREATE_COMPLETE", "DELETE_COMPLETE"]
    if kind_of(kind).token is None:
        assert outcome.limits == {WINDOW: 1}
    else:
        assert outcome.changes[-1] == ("others", "granted", 1)
        assert not outcome.limits


@every_kind
def test_a_create_that_comes_twice_grants_nothing_after_its_delete(stage: Theatre, kind: str) -> None:
    """Sequence 4: the duplicate arrives seconds after the whole stack is deleted."""
    outcome = played(stage, kind, Deploy(1, {"A": A}, again=(Again(1, 8),)), Remove(1))

    assert outcome.changes == [("function", "granted", 1), ("function", "revoked", 1)]


@every_kind
@pytest.mark.parametrize("seconds", [5, 30, 500])
def test_a_cleanup_delete_that_comes_twice_revokes_nothing_that_is_declared_again(
    stage: Theatre, kind: str, seconds: float
) -> None:
    """Sequence 4: renamed away and back before the duplicate arrives."""
    outcome = played(
        stage,
        kind,
        Deploy(1, {"A": A}),
        Deploy(1, {"B": A}, again=(Again(2, seconds),)),
        Deploy(1, {"A": A}),
    )

    assert outcome.changes == [("function", "granted", 1)]


@every_kind
def test_a_delete_that_comes_twice_revokes_nothing_that_is_declared_anew(stage: Theatre, kind: str) -> None:
    """Sequence 4: removed, declared again at once, and then the duplicate of the Delete arrives."""
    outcome = played(
        stage,
        kind,
        Deploy(1, {"A": A, "B": B}),
        Deploy(1, {"B": B}, again=(Again(1, 3),)),
        Deploy(1, {"A": A, "B": B}),
    )

    assert [change for change in outcome.changes if change[2] == 1] == [
        ("function", "granted", 1),
        ("function", "revoked", 1),
        ("function", "granted", 1),
    ]


# -- 5 ----------------------------------------------------------------------------------------------------------------


@every_kind
def test_a_swap_ends_with_both_granted_and_writes_nothing(stage: Theatre, kind: str) -> None:
    """Sequence 5: whichever is updated first, the other one held the pair when the update began."""
    outcome = played(stage, kind, Deploy(1, {"A": A, "B": B}), Deploy(1, {"A": B, "B": A}))

    assert outcome.results == ["CREATE_COMPLETE", "UPDATE_COMPLETE"]
    assert sorted(outcome.changes) == [("function", "granted", 1), ("function", "granted", 2)]


@every_kind
def test_a_swap_that_rolls_back_ends_with_both_granted(stage: Theatre, kind: str) -> None:
    """Sequence 5: a later resource fails, and everything goes back."""
    outcome = played(
        stage,
        kind,
        Deploy(1, {"A": A, "B": B}),
        Deploy(1, {"A": B, "B": A}, Other(1, fails=True, after=("A", "B"))),
    )

    assert outcome.results == ["CREATE_COMPLETE", "UPDATE_ROLLBACK_COMPLETE"]
    assert sorted(outcome.changes) == [("function", "granted", 1), ("function", "granted", 2)]


# -- 6 ----------------------------------------------------------------------------------------------------------------


@every_kind
def test_a_reversed_update_finds_what_it_goes_back_to(stage: Theatre, kind: str) -> None:
    """Sequence 6: p1 to p2, a later failure: p1 was never revoked, and p2 is."""
    outcome = played(stage, kind, Deploy(1, {"A": A}), Deploy(1, {"A": B}, Other(1, fails=True, after=("A",))))

    assert outcome.results == ["CREATE_COMPLETE", "UPDATE_ROLLBACK_COMPLETE"]
    assert outcome.changes == [("function", "granted", 1), ("function", "granted", 2), ("function", "revoked", 2)]


@every_kind
def test_an_update_that_is_refused_leaves_everything_as_it_was(stage: Theatre, kind: str) -> None:
    """Sequence 6, definite: others hold p2. It stays theirs, p1 stays granted."""
    outcome = played(stage, kind, Deploy(1, {"A": A}), Others(1, grant=True), Deploy(1, {"A": B}))

    assert outcome.results == ["CREATE_COMPLETE", "UPDATE_ROLLBACK_COMPLETE"]
    assert outcome.changes == [("function", "granted", 1), ("others", "granted", 2)]


@every_kind
def test_an_update_whose_outcome_is_unknown_leaves_nothing_of_the_new(stage: Theatre, kind: str) -> None:
    """Sequence 6, unknown: the service fails after the effect, and for as long as the update may wait."""
    outcome = played(
        stage,
        kind,
        Deploy(1, {"A": A}),
        Deploy(
            1,
            {"A": B},
            Other(1, fails=True, after=("A",)),
            mishaps=(At("write", 1, "fail after"), At("look", 2, "fail before", times=60)),
        ),
    )

    assert outcome.results[-1] == "UPDATE_ROLLBACK_COMPLETE"
    assert ends(outcome, 2) == [("function", "granted"), ("function", "revoked")] or outcome.limits == {PUT_OFF: 1}


@every_kind
def test_a_reversed_update_grants_again_what_others_revoked_meanwhile(stage: Theatre, kind: str) -> None:
    """Sequence 6: p1 is revoked by others in between; the stack is rolling back, and p1 must be granted at its end."""
    outcome = played(
        stage,
        kind,
        Deploy(1, {"A": A}),
        Deploy(1, {"A": B}, Other(4, fails=True, after=("A",)), mishaps=(At("answer", 1, "others revoke", 0),)),
    )

    assert outcome.results == ["CREATE_COMPLETE", "UPDATE_ROLLBACK_COMPLETE"]
    assert outcome.changes[-2:] == [("function", "granted", 1), ("function", "revoked", 2)]


# -- 7 ----------------------------------------------------------------------------------------------------------------

ADOPTING = Member(0, adopt=True)


@every_kind
def test_what_a_nested_stack_adopted_is_left_when_its_parent_fails(stage: Theatre, kind: str) -> None:
    """Sequence 7: the nested stack was complete; the deployment was not."""
    outcome = played(
        stage,
        kind,
        Others(0, grant=True),
        Deploy(1, {}, Other(1, fails=True, after=("Nested",)), nested={"A": ADOPTING}),
    )

    assert outcome.results == ["ROLLBACK_COMPLETE"]
    assert outcome.changes == [("others", "granted", 1)]


@every_kind
@pytest.mark.parametrize("on_failure", ["ROLLBACK", "DELETE", "DO_NOTHING"])
def test_what_a_failed_stack_adopted_is_left(stage: Theatre, kind: str, on_failure: str) -> None:
    """Sequence 7: rolled back, deleted at once, or deleted by its user while in CREATE_FAILED."""
    outcome = played(
        stage,
        kind,
        Others(0, grant=True),
        Deploy(1, {"A": ADOPTING}, Other(1, fails=True, after=("A",)), on_failure=on_failure),
        Remove(1),
    )

    assert outcome.results[-1] == "DELETE_COMPLETE"
    assert outcome.changes == [("others", "granted", 1)]


@every_kind
def test_what_was_adopted_on_purpose_is_revoked_when_deleted_on_purpose(stage: Theatre, kind: str) -> None:
    """The other side of sequence 7: the deployment that adopted it completed."""
    outcome = played(stage, kind, Others(0, grant=True), Deploy(1, {"A": ADOPTING}), Remove(1))

    assert outcome.results == ["CREATE_COMPLETE", "DELETE_COMPLETE"]
    assert outcome.changes == [("others", "granted", 1), ("function", "revoked", 1)]


@every_kind
def test_a_grant_of_our_own_is_not_shielded_by_who_adopted_it_in_the_same_deployment(stage: Theatre, kind: str) -> None:
    """Sequence 7: A adopts, others revoke, B grants, all is rolled back: nothing is left."""
    outcome = played(
        stage,
        kind,
        Others(0, grant=True),
        Deploy(
            1,
            {"A": ADOPTING, "B": Member(0, after=("A",))},
            Other(1, fails=True, after=("A", "B")),
            mishaps=(At("answer", 1, "others revoke", 0),),
        ),
    )

    assert outcome.results == ["ROLLBACK_COMPLETE"]
    assert outcome.changes[-2:] == [("function", "granted", 1), ("function", "revoked", 1)]


# -- 8 ----------------------------------------------------------------------------------------------------------------


def test_another_spelling_is_the_same_membership(stage: Theatre) -> None:
    """Sequence 8: other letter case, and the realm with a trailing dot: nothing is written."""
    outcome = played(stage, DIRECTORY, Deploy(1, {"A": A}), Deploy(1, {"A": Member(0, spelled=True)}))

    assert outcome.results == ["CREATE_COMPLETE", "UPDATE_COMPLETE"]
    assert outcome.changes == [("function", "granted", 1)]


# -- 9 ----------------------------------------------------------------------------------------------------------------


@every_kind
def test_a_connection_that_is_cut_after_the_effect_leaves_a_grant_of_our_own(stage: Theatre, kind: str) -> None:
    """Sequence 9: the SDK's own retry is told that it is there already; it is ours."""
    outcome = played(stage, kind, Deploy(1, {"A": A}, mishaps=(At("write", 1, "cut after"),)), Remove(1))

    assert outcome.results == ["CREATE_COMPLETE", "DELETE_COMPLETE"]
    assert outcome.changes == [("function", "granted", 1), ("function", "revoked", 1)]


def test_a_token_replay_that_fails_after_its_effect_is_repeated(stage: Theatre) -> None:
    """Sequence 9: cut after the effect, then the service fails in its answers to the replays, then it does not."""
    mishaps = (At("write", 1, "cut after"), At("write", 2, "fail after", times=5))
    outcome = played(stage, DIRECTORY, Deploy(1, {"A": A}, mishaps=mishaps), Remove(1))

    assert outcome.results == ["CREATE_COMPLETE", "DELETE_COMPLETE"]
    assert outcome.changes == [("function", "granted", 1), ("function", "revoked", 1)]


# -- 10 ---------------------------------------------------------------------------------------------------------------


@every_kind
def test_a_killed_create_that_comes_again_after_the_rollback_leaves_nothing(stage: Theatre, kind: str) -> None:
    """Sequence 10: killed after the effect, a Delete with an invented id, and then Lambda delivers the Create again."""
    outcome = played(stage, kind, Deploy(1, {"A": A}, Other(3, fails=True), mishaps=(At("write", 1, "kill after"),)))

    assert outcome.results == ["ROLLBACK_COMPLETE"]
    assert outcome.changes == [("function", "granted", 1), ("function", "revoked", 1)]
    assert not outcome.limits


@every_kind
def test_a_killed_create_that_was_refused_leaves_what_others_had_granted(stage: Theatre, kind: str) -> None:
    """Sequence 10 with others first: what the killed delivery announced was never granted by it."""
    outcome = played(
        stage,
        kind,
        Others(0, grant=True),
        Deploy(1, {"A": A}, Other(3, fails=True), mishaps=(At("write", 1, "kill after"),)),
    )

    assert outcome.results == ["ROLLBACK_COMPLETE"]
    assert outcome.changes == [("others", "granted", 1)]


@every_kind
@pytest.mark.parametrize("seconds", [0.1, 0.15, 0.2, 0.3, 1, 3])
def test_two_deliveries_of_one_create_at_the_same_time_agree(stage: Theatre, kind: str, seconds: float) -> None:
    """Sequence 10: whoever is first, the resource is created, and deleted with its stack."""
    outcome = played(stage, kind, Deploy(1, {"A": A}, again=(Again(1, seconds),)), Remove(1))

    assert outcome.results == ["CREATE_COMPLETE", "DELETE_COMPLETE"]
    # One that comes when all of it is over already may grant for a moment: it is too young to ask first.
    once = [("function", "granted", 1), ("function", "revoked", 1)]
    assert outcome.changes in ([once, once * 2] if seconds == 3 else [once])


@every_kind
def test_a_delivery_that_wakes_up_late_undoes_nobodys_new_grant(stage: Theatre, kind: str) -> None:
    """Sequence 10: another delivery answered, the stack was deleted and deployed again; the slow one must not undo."""
    outcome = played(
        stage,
        kind,
        Deploy(1, {"A": A}, mishaps=(At("write", 1, "slow after", 200),), again=(Again(1, 60),)),
        Remove(1),
        Deploy(1, {"A": A}),
        Wait(300),
    )

    assert outcome.changes[-1] == ("function", "granted", 1)
    assert outcome.results[-1] == "CREATE_COMPLETE"


UNKNOWN = (At("write", 1, "fail before", times=5), At("look", 2, "fail before", times=5))
"""The write fails without an effect, and nothing can be seen afterwards: FAILED with the real id."""


@pytest.mark.parametrize("kind", [FINSPACE, ORGANIZATIONS])
@pytest.mark.parametrize("warm", [True, False])
def test_what_its_own_delete_has_ended_is_not_taken_back_minutes_later(stage: Theatre, kind: str, warm: bool) -> None:
    """Sequence 10: the rollback's Delete found nothing; then others grant it, and then Lambda repeats the Create."""
    outcome = stage.play(
        Script(kind, (Deploy(1, {"A": A}, mishaps=UNKNOWN, again=(Again(1, 400),)), Others(0, grant=True)), warm=warm)
    )

    assert not outcome.broken, f"\n{outcome}"
    assert outcome.results == ["ROLLBACK_COMPLETE"]
    assert outcome.changes == [("others", "granted", 1)]
    assert not outcome.limits


@pytest.mark.parametrize("kind", [FINSPACE, ORGANIZATIONS])
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_process_does_not_take_back_what_another_one_has_ended(stage: Theatre, kind: str, seed: int) -> None:
    """The same with two resources: the process that began one of them serves the other one's Delete, and repeats it."""
    mishaps = (At("write", 1, "fail before", times=10), At("look", 3, "fail before", times=10))
    again = (Again(2, 400), Again(1, 400.5))
    outcome = played(
        stage,
        kind,
        Deploy(1, {"A": A, "B": B}, on_failure="DO_NOTHING", mishaps=mishaps, again=again),
        Remove(1),
        Others(0, grant=True),
        Others(1, grant=True),
        Wait(500),
        seed=seed,
    )

    assert outcome.results == ["CREATE_FAILED", "DELETE_COMPLETE"]
    assert outcome.changes == [("others", "granted", 1), ("others", "granted", 2)]
    assert not outcome.limits


@every_kind
@pytest.mark.parametrize("seconds", [0.15, 0.3])
def test_two_deliveries_give_one_answer_though_one_of_them_fails(stage: Theatre, kind: str, seconds: float) -> None:
    """Sequence 10: one cannot look, at first or after its write: the other one answers the same, or what it granted."""
    for blind in (At("look", 1, "fail before", times=8), At("look", 2, "throttle", times=10)):
        deploy = Deploy(1, {"A": A}, on_failure="DO_NOTHING", mishaps=(blind,), again=(Again(1, seconds),))
        outcome = played(stage, kind, deploy, Remove(1))

        assert outcome.results[-1] == "DELETE_COMPLETE"
        assert outcome.changes in ([], ONCE)
        assert not outcome.limits


@every_kind
def test_what_an_adopting_create_granted_itself_goes_in_a_rollback(stage: Theatre, kind: str) -> None:
    """Killed after the effect: present when it comes again, and its own, though it would have adopted."""
    mishaps = (At("write", 1, "kill after"),)
    outcome = played(stage, kind, Deploy(1, {"A": ADOPTING}, Other(90, fails=True), mishaps=mishaps))

    assert outcome.results == ["ROLLBACK_COMPLETE"]
    assert outcome.changes == ONCE


# -- 11 ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "switches"),
    [
        (QUICKSIGHT, {"duplicate_create": "precondition_not_met"}),
        (QUICKSIGHT, {"duplicate_create": "resource_exists"}),
        (OPENSEARCH, {"duplicate_associate": "conflict"}),
        (ORGANIZATIONS, {}),
        (DIRECTORY, {}),
        (FINSPACE, {"duplicate_associate": "conflict"}),
    ],
)
def test_an_intent_of_our_own_is_no_evidence_against_a_conflict(
    stage: Theatre, kind: str, switches: Mapping[str, Any]
) -> None:
    """Sequence 11: absent when we looked, granted by others before our write, and the service says so: theirs."""
    outcome = played(
        stage,
        kind,
        Deploy(1, {"A": A}, mishaps=(At("write", 1, "others grant", 0),)),
        switches=switches,
    )

    assert outcome.results == ["ROLLBACK_COMPLETE"]
    assert outcome.changes == [("others", "granted", 1)]
    assert not outcome.limits


def test_every_service_that_documents_duplicates_is_told_apart() -> None:
    """The kinds above are those whose service can refuse a duplicate; IoT's never does, which is a documented limit."""
    refusing = {QUICKSIGHT, OPENSEARCH, ORGANIZATIONS, DIRECTORY, FINSPACE}
    assert {kind.name for kind in KINDS if kind.duplicates is not Duplicates.SUCCEED} == refusing


@every_kind
def test_what_a_name_had_in_an_earlier_life_settles_no_adoption(stage: Theatre, kind: str) -> None:
    """Sequence 7: granted and removed, then granted by others and adopted under the same name; the rollback lets go."""
    outcome = played(
        stage,
        kind,
        Deploy(1, {"A": A, "B": Member(1)}),
        Deploy(1, {"B": Member(1)}),
        Others(0, grant=True),
        Deploy(1, {"A": Member(0, adopt=True), "B": Member(1)}, Other(2, fails=True, after=("A",))),
    )

    assert outcome.results[-1] == "UPDATE_ROLLBACK_COMPLETE"
    assert outcome.changes[-1] == ("others", "granted", 1)


# -- a rollback that is disabled ---------------------------------------------------------------------------------------

C = Member(2)
FAILING = Other(1, fails=True, after=("A",))

every_habit = pytest.mark.parametrize(
    "habits",
    [
        Habits(),
        Habits(reverses_failed=False),
        Habits(replaces_preserving=False),
        Habits(replaces_preserving=False, reverses_failed=False, deletes_failed_first=False),
    ],
    ids=["usual", "reversed later", "not replaced", "neither"],
)
"""Ways in which CloudFormation may go on after a failure; its documentation leaves them open."""

some_kinds = pytest.mark.parametrize("kind", [DIRECTORY, QUICKSIGHT, FINSPACE])


def ends(outcome: Outcome, pair: int) -> list[tuple[str, str]]:
    """What happened to one pair, in order."""
    return [change[:2] for change in outcome.changes if change[2] == pair]


@some_kinds
@every_habit
def test_a_rollback_takes_back_every_update_that_was_not_completed(stage: Theatre, kind: str, habits: Habits) -> None:
    """p1 to p2, something else fails, p2 to p3, it fails again, RollbackStack: p1 was never revoked, the others are."""
    outcome = played(
        stage,
        kind,
        Deploy(1, {"A": A}),
        Deploy(1, {"A": B}, FAILING, preserve=True),
        Deploy(1, {"A": C}, FAILING, preserve=True),
        Continue(1),
        habits=habits,
    )

    assert outcome.results == ["CREATE_COMPLETE", "UPDATE_FAILED", "UPDATE_FAILED", "UPDATE_ROLLBACK_COMPLETE"]
    assert ends(outcome, 1) == [("function", "granted")]
    assert ends(outcome, 2) == ends(outcome, 3) == [("function", "granted"), ("function", "revoked")]
    assert not outcome.limits


@pytest.mark.parametrize("kind", MOVABLE)
def test_a_rollback_of_several_updates_grants_again_what_others_revoked(stage: Theatre, kind: str) -> None:
    """The same, and others revoked p1 and granted p2 meanwhile: p1 is granted again."""
    outcome = played(
        stage,
        kind,
        Deploy(1, {"A": A}),
        Deploy(1, {"A": B}, FAILING, preserve=True),
        Others(0, grant=False),
        Deploy(1, {"A": C}, FAILING, preserve=True),
        Continue(1),
    )

    assert outcome.results[-1] == "UPDATE_ROLLBACK_COMPLETE"
    assert ends(outcome, 1) == [("function", "granted"), ("others", "revoked"), ("function", "granted")]
    assert ends(outcome, 2) == ends(outcome, 3) == [("function", "granted"), ("function", "revoked")]


@some_kinds
@every_habit
def test_what_others_hold_survives_updates_that_are_not_rolled_back(stage: Theatre, kind: str, habits: Habits) -> None:
    """p2 is theirs: the update to it fails twice, and nothing of it is revoked by the rollback."""
    outcome = played(
        stage,
        kind,
        Deploy(1, {"A": A}),
        Others(1, grant=True),
        Deploy(1, {"A": B}, preserve=True),
        Deploy(1, {"A": B}, preserve=True),
        Continue(1),
        habits=habits,
    )

    assert outcome.results == ["CREATE_COMPLETE", "UPDATE_FAILED", "UPDATE_FAILED", "UPDATE_ROLLBACK_COMPLETE"]
    assert outcome.changes == [("function", "granted", 1), ("others", "granted", 2)]


@pytest.mark.parametrize("kind", MOVABLE)
def test_an_update_that_is_continued_revokes_in_the_end_what_it_left(stage: Theatre, kind: str) -> None:
    """p1 to p2 fails elsewhere, p2 to p3 completes: the cleanup revokes p1 and p2."""
    outcome = played(
        stage,
        kind,
        Deploy(1, {"A": A}),
        Deploy(1, {"A": B}, FAILING, preserve=True),
        Deploy(1, {"A": C}, preserve=True),
    )

    assert outcome.results == ["CREATE_COMPLETE", "UPDATE_FAILED", "UPDATE_COMPLETE"]
    assert outcome.changes[:3] == [("function", "granted", number) for number in (1, 2, 3)]
    assert sorted(outcome.changes[3:]) == [("function", "revoked", 1), ("function", "revoked", 2)]


@pytest.mark.parametrize("kind", MOVABLE)
def test_an_update_that_is_continued_takes_back_what_it_had_between(stage: Theatre, kind: str) -> None:
    """p1, p2, p3 and p2 again, which is still granted: it is the stack's own, and nothing else of it is left."""
    outcome = played(
        stage,
        kind,
        Deploy(1, {"A": A}),
        Deploy(1, {"A": B}, FAILING, preserve=True),
        Deploy(1, {"A": C}, FAILING, preserve=True),
        Deploy(1, {"A": B}, preserve=True),
    )

    assert outcome.results == ["CREATE_COMPLETE", "UPDATE_FAILED", "UPDATE_FAILED", "UPDATE_COMPLETE"]
    assert ends(outcome, 2) == [("function", "granted")]
    assert ends(outcome, 1) == ends(outcome, 3) == [("function", "granted"), ("function", "revoked")]


@some_kinds
@every_habit
@pytest.mark.parametrize("back", [True, False])
def test_a_creation_that_is_continued_leaves_what_was_declared_last(
    stage: Theatre, kind: str, habits: Habits, back: bool
) -> None:
    """CREATE_FAILED, updated once more; then completed, or rolled back to nothing."""
    last: Step = Continue(1) if back else Deploy(1, {"A": A}, preserve=True)
    outcome = played(
        stage,
        kind,
        Deploy(1, {"A": A}, FAILING, preserve=True),
        Deploy(1, {"A": A, "B": B}, FAILING, preserve=True),
        last,
        habits=habits,
    )

    assert outcome.results == ["CREATE_FAILED", "UPDATE_FAILED", "DELETE_COMPLETE" if back else "UPDATE_COMPLETE"]
    assert ends(outcome, 1) == [("function", "granted"), ("function", "revoked")][: 1 + back]
    assert ends(outcome, 2) == [("function", "granted"), ("function", "revoked")]


@some_kinds
@every_habit
def test_a_create_of_unknown_outcome_is_made_anew_by_the_next_update(stage: Theatre, kind: str, habits: Habits) -> None:
    """It failed under its real id, which CloudFormation deletes when it goes on; in the end it is granted."""
    unseen = (At("write", 1, "fail after", times=9), At("look", 2, "fail before", times=60))
    outcome = played(
        stage,
        kind,
        Deploy(1, {"A": A}, preserve=True, mishaps=unseen),
        Deploy(1, {"A": A}, preserve=True),
        Continue(1),
        Deploy(1, {"A": A}),
        habits=habits,
    )

    assert outcome.results[0] == "CREATE_FAILED"
    assert outcome.results[-1] in {"CREATE_COMPLETE", "UPDATE_COMPLETE"}
    assert ends(outcome, 1)[-1] == ("function", "granted")


# -- a user who has enough ---------------------------------------------------------------------------------------------


@some_kinds
@pytest.mark.parametrize("seconds", [0.5, 1.5, 3.0])
@pytest.mark.parametrize("slow", [0.0, 2.0, 8.0])
def test_an_update_that_is_cancelled_leaves_what_was_there_before(
    stage: Theatre, kind: str, seconds: float, slow: float
) -> None:
    """Cancelled early or late, while its write is on the way or done: p1 stays, and p2 is revoked if it was granted."""
    outcome = played(
        stage,
        kind,
        Deploy(1, {"A": A}),
        Deploy(
            1, {"A": B}, Other(60), stopped_after=seconds, mishaps=(At("write", 1, "slow before", slow),) * bool(slow)
        ),
        Wait(60),
    )

    assert outcome.results == ["CREATE_COMPLETE", "UPDATE_ROLLBACK_COMPLETE"]
    assert ends(outcome, 1) == [("function", "granted")]
    assert ends(outcome, 2) in ([], [("function", "granted"), ("function", "revoked")])
    assert not outcome.limits


@some_kinds
def test_an_update_that_is_cancelled_at_once_leaves_nothing_behind(stage: Theatre, kind: str) -> None:
    """Update and reverse begin within two seconds, and the write comes when the reverse has looked already."""
    for seed in range(4):
        cancelled = Deploy(1, {"A": B}, Other(60), stopped_after=1.0, mishaps=(At("write", 1, "slow before", 8.0),))
        outcome = played(stage, kind, Deploy(1, {"A": A}), cancelled, Wait(60), seed=seed)

        assert ends(outcome, 2) in ([], [("function", "granted"), ("function", "revoked")])


@some_kinds
@pytest.mark.parametrize("seconds", [0.5, 1.5, 3.0])
@pytest.mark.parametrize("slow", [0.0, 2.0, 8.0])
def test_a_stack_that_is_deleted_while_it_is_created_leaves_nothing(
    stage: Theatre, kind: str, seconds: float, slow: float
) -> None:
    """Its Create may be under way, and its Delete have an id that CloudFormation invented."""
    outcome = played(
        stage,
        kind,
        Deploy(
            1, {"A": A}, Other(60), stopped_after=seconds, mishaps=(At("write", 1, "slow before", slow),) * bool(slow)
        ),
        Wait(60),
    )

    assert outcome.results == ["DELETE_COMPLETE"]
    assert outcome.changes in ([], [("function", "granted", 1), ("function", "revoked", 1)])
    assert not outcome.limits


# -- another spelling --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("revoked", [True, False])
def test_a_rollback_to_another_spelling_keeps_what_is_granted(stage: Theatre, revoked: bool) -> None:
    """Declared anew in other letters, changed, and changed back: the id is the one that the resource had.

    CloudFormation would take another one for a replacement, and delete the old one, which means the same. If others
    revoked it meanwhile it is granted again, and that Delete must not revoke it.
    """
    mishaps = (At("answer", 1, "others revoke", 0),) * revoked
    outcome = played(
        stage,
        DIRECTORY,
        Deploy(1, {"A": A}),
        Deploy(1, {"A": Member(0, spelled=True)}),
        Deploy(1, {"A": B}, Other(4, fails=True, after=("A",)), mishaps=mishaps),
    )

    again = [("others", "revoked"), ("function", "granted")] * revoked
    assert outcome.results == ["CREATE_COMPLETE", "UPDATE_COMPLETE", "UPDATE_ROLLBACK_COMPLETE"]
    assert ends(outcome, 1) == [("function", "granted"), *again]
    assert ends(outcome, 2) == [("function", "granted"), ("function", "revoked")]


@every_kind
def test_a_slow_create_does_not_take_back_what_came_after_a_later_life(stage: Theatre, kind: str) -> None:
    """Sequence 10: given up during its write, redeployed, deleted; then others grant, and then it wakes up."""
    outcome = played(
        stage,
        kind,
        Deploy(1, {}),
        Deploy(1, {"A": A}, Other(2, fails=True), mishaps=(At("write", 1, "slow after", 70),)),
        Deploy(1, {"A": Member(0, adopt=True)}),
        Remove(1),
        Others(0, grant=True),
        Wait(200),
    )

    assert outcome.results[-1] == "DELETE_COMPLETE"
    assert outcome.changes[-1] == ("others", "granted", 1)
    assert not outcome.limits


@every_kind
def test_a_pair_that_was_let_go_of_is_not_taken_over_for_want_of_newer_events(stage: Theatre, kind: str) -> None:
    """C let go of p2 in an update, others grant it, and the next update's events lag when B asks for it."""
    outcome = stage.play(
        Script(
            kind,
            (
                Deploy(1, {"A": A, "C": B}),
                Deploy(1, {"A": A, "C": A}),
                Others(1, grant=True),
                Deploy(1, {"A": A, "B": B, "C": A}),
            ),
            habits=Habits(event_lag=2.0, signs_first=True),
        )
    )

    assert not outcome.broken, f"\n{outcome}"
    assert outcome.results == ["CREATE_COMPLETE", "UPDATE_COMPLETE", "UPDATE_ROLLBACK_COMPLETE"]
    assert outcome.changes[-1] == ("others", "granted", 2)


def test_a_delete_whose_look_was_slow_asks_again_who_waits(stage: Theatre) -> None:
    """Its repetition has revoked and answered meanwhile, and another stack has granted it: that stays."""
    outcome = played(
        stage,
        "iot-billing-group-membership",
        Deploy(1, {"A": A}),
        Deploy(1, {}, mishaps=(At("look", 1, "slow before", 30),), again=(Again(1, 10),)),
        Deploy(2, {"A": A}),
        Wait(100),
    )

    assert outcome.results == ["CREATE_COMPLETE", "UPDATE_COMPLETE", "CREATE_COMPLETE"]
    assert outcome.changes[-1] == ("function", "granted", 1)
    assert not outcome.limits


@pytest.mark.parametrize("event_lag", [0.0, 2.0])
@pytest.mark.parametrize("kind", MOVABLE)
def test_what_was_adopted_before_outlives_a_rollback_to_it(stage: Theatre, kind: str, event_lag: float) -> None:
    """A goes back to what it had adopted, which B grants anew meanwhile: B's Delete, and the cleanup, leave it."""
    steps = (
        Deploy(1, {"A": B}),
        Others(0, grant=True),
        Deploy(1, {"A": Member(0, adopt=True)}),
        Others(0, grant=False),
        Deploy(1, {"A": B, "B": A}, Other(200 if kind == OPENSEARCH else 15, fails=True)),
    )

    outcome = played(stage, kind, *steps, habits=Habits(event_lag=event_lag, signs_first=True))

    assert outcome.results == ["CREATE_COMPLETE", "UPDATE_COMPLETE", "UPDATE_ROLLBACK_COMPLETE"]
    assert [change for change in outcome.changes if change[2] == 1][-1] == ("function", "granted", 1)
    assert not outcome.limits


@pytest.mark.parametrize("event_lag", [0.0, 2.0])
@pytest.mark.parametrize("kind", MOVABLE)
def test_what_a_nested_stack_adopted_before_outlives_a_rollback_around_it(
    stage: Theatre, kind: str, event_lag: float
) -> None:
    """The stack around it fails after the nested one completed: what A has, and B granted anew, stays A's."""
    adopter = Member(0, adopt=True)
    steps = (
        Others(0, grant=True),
        Deploy(1, {}, nested={"A": adopter}),
        Others(0, grant=False),
        Deploy(1, {}, Other(1, fails=True, after=("Nested",)), nested={"A": adopter, "B": A}),
    )

    outcome = played(stage, kind, *steps, habits=Habits(event_lag=event_lag, signs_first=True))

    assert outcome.results == ["CREATE_COMPLETE", "UPDATE_ROLLBACK_COMPLETE"]
    assert outcome.changes[-1] == ("function", "granted", 1)
    assert not outcome.limits


@pytest.mark.parametrize("event_lag", [0.0, 2.0])
@pytest.mark.parametrize("end", [Remove(1), Continue(1)], ids=["deleted", "rolled back"])
@pytest.mark.parametrize("kind", [name for name in NAMES if not kind_of(name).token])
def test_what_a_failed_create_left_goes_though_the_next_one_adopted_it(
    stage: Theatre, kind: str, end: Step, event_lag: float
) -> None:
    """A's first create was cut short, its second one adopts the grant; neither id of A shields the other."""
    blind = (At("write", 1, "cut after"), At("look", 2, "fail before", times=60))
    steps = (
        Deploy(1, {"B": B}),
        Deploy(1, {"B": B, "A": A}, preserve=True, mishaps=blind),
        Wait(100),
        Deploy(1, {"B": B, "A": Member(0, adopt=True)}, Other(1, fails=True, after=("A",)), preserve=True),
        Wait(100),
        end,
    )

    habits = Habits(event_lag=event_lag, signs_first=True, deletes_failed_first=False)
    outcome = played(stage, kind, *steps, habits=habits)

    assert ("function", "revoked", 1) in outcome.changes
    assert not outcome.limits


def test_the_last_try_of_a_cleanup_revokes_though_the_first_was_long_ago(stage: Theatre) -> None:
    """The service throttles through two tries; the third is killed, and Lambda delivers it again a minute later."""
    mishaps = (At("write", 1, "throttle", times=10), At("write", 11, "kill before"))
    outcome = played(stage, QUICKSIGHT, Deploy(1, {"A": A, "B": B}), Deploy(1, {"A": A}, mishaps=mishaps))

    assert outcome.lines.count("failed") == 2
    assert outcome.results == ["CREATE_COMPLETE", "UPDATE_COMPLETE"]
    assert outcome.changes[-1] == ("function", "revoked", 2)
    assert not outcome.limits


@pytest.mark.parametrize("kind", [DIRECTORY, QUICKSIGHT])
def test_what_a_cancelled_update_granted_goes_where_a_default_was_left_out(stage: Theatre, kind: str) -> None:
    """p1 to p2, cancelled at once; neither names the realm or the namespace: its reverse knows p2 all the same."""
    old, new = Member(0, omits=True), Member(1, omits=True)
    for seed in range(3):
        steps = (Deploy(1, {"A": old}), Deploy(1, {"A": new}, Other(0.3, fails=True)))
        outcome = played(stage, kind, *steps, seed=seed)

        assert outcome.results == ["CREATE_COMPLETE", "UPDATE_ROLLBACK_COMPLETE"]
        assert ("function", "revoked", 1) not in outcome.changes
        assert not outcome.limits


@every_kind
def test_a_healing_update_that_is_over_takes_back_what_it_granted_or_says_so(stage: Theatre, kind: str) -> None:
    """Its write is slow; meanwhile the stack was rolled back and deleted."""
    heal = Deploy(
        1, {"A": Member(0, revision=1)}, Other(90), stopped_after=2, mishaps=(At("write", 1, "slow before", 8),)
    )
    outcome = played(stage, kind, Deploy(1, {"A": A}), Others(0, grant=False), heal, Remove(1))

    assert outcome.results[-1] == "DELETE_COMPLETE"
    assert outcome.changes[-1] == ("function", "revoked", 1) or "may-remain" in outcome.lines


@pytest.mark.parametrize("kind", [QUICKSIGHT, DIRECTORY])
def test_an_adoption_that_a_rollback_skipped_stays_its_owners(stage: Theatre, kind: str) -> None:
    """The update that adopted p1 failed, its reverse as well, the user had it skipped and deleted the stack."""
    outcome = played(
        stage,
        kind,
        Deploy(1, {"A": B}),
        Others(0, grant=True),
        Deploy(
            1,
            {"A": Member(0, adopt=True)},
            Other(1, fails=True, after=("A",)),
            mishaps=(At("ledger", 5, "fail before", times=400),),
        ),
        Continue(1, skip=True),
        Remove(1),
    )

    assert outcome.results[1:] == ["UPDATE_ROLLBACK_FAILED", "UPDATE_ROLLBACK_COMPLETE", "DELETE_COMPLETE"]
    assert ("function", "revoked", 1) not in outcome.changes


def test_a_create_whose_default_cannot_be_told_any_more_answers_what_it_granted(
    stage: Theatre, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Killed after its write; delivered again it may not ask for the default: the rollback revokes the real id."""
    monkeypatch.setattr("aws_associations.patience._PERMISSION_SECONDS", 0.0)
    mishaps = (At("write", 1, "kill after"), At("look", 3, "deny"))
    outcome = played(stage, DIRECTORY, Deploy(1, {"A": Member(0, omits=True)}, mishaps=mishaps))

    assert outcome.results == ["ROLLBACK_COMPLETE"]
    assert outcome.changes == [("function", "granted", 1), ("function", "revoked", 1)]
    assert not outcome.limits


@every_kind
def test_what_is_healed_under_an_adopted_id_is_our_own(stage: Theatre, kind: str) -> None:
    """Adopted in a deployment that never completed, revoked by its owner, healed: the rollback revokes it."""
    adopting = {"A": Member(0, adopt=True)}
    outcome = played(
        stage,
        kind,
        Others(0, grant=True),
        Deploy(1, adopting, Other(1, fails=True), preserve=True),
        Others(0, grant=False),
        Deploy(1, {"A": Member(0, adopt=True, revision=1)}, Other(1, fails=True), preserve=True),
        Continue(1),
    )

    assert outcome.changes[-2:] == [("function", "granted", 1), ("function", "revoked", 1)]


@every_kind
def test_what_a_reverse_cannot_ask_for_is_left_to_the_next_request(stage: Theatre, kind: str) -> None:
    """p1 to p2, whose answer is late; its reverse may not ask whether CloudFormation took p2."""
    mishaps = (At("answer", 1, "slow before", 3), At("cloudformation", 1, "throttle", times=400))
    update = Deploy(1, {"A": B}, Other(1, fails=True), mishaps=mishaps)
    outcome = stage.play(Script(kind, (Deploy(1, {"A": A}), update), warm=False))

    assert not outcome.broken, f"\n{outcome}"
    assert set(outcome.limits) <= {PUT_OFF}


@every_kind
def test_an_update_does_not_undo_what_its_other_delivery_grants(stage: Theatre, kind: str) -> None:
    """Delivered twice at once: one's write is slow, the other one cannot look, and fails first or last."""
    for seconds in (0.05, 0.3):
        for slow in (5, 6, 7):
            mishaps = (At("write", 1, "slow before", slow), At("look", 2, "deny"))
            again = (Again(1, seconds),)
            update = Deploy(1, {"A": B}, mishaps=mishaps, again=again)
            outcome = stage.play(Script(kind, (Deploy(1, {"A": A}), update), warm=False))

            assert not outcome.broken, f"\n{outcome}"
            assert not outcome.limits


# -- what the soak found ----------------------------------------------------------------------------------------------


@every_kind
def test_a_cleanup_that_comes_hours_late_revokes_nothing_that_is_declared_again(stage: Theatre, kind: str) -> None:
    """Held back while CloudFormation tried three times under one RequestId; the pair was declared again since."""
    held = tuple(Again(number, 20000, instead=True) for number in (2, 3, 4))
    outcome = played(
        stage,
        kind,
        Deploy(1, {"A": A}),
        Deploy(1, {"A": B}, again=held),
        Deploy(1, {"A": ADOPTING}),
        Wait(30000),
        habits=Habits(new_request_each_try=False),
    )

    assert outcome.results == ["CREATE_COMPLETE", "UPDATE_COMPLETE", "UPDATE_COMPLETE"]
    assert ends(outcome, 1) == [("function", "granted")]


@every_kind
def test_what_a_late_create_of_a_second_life_grants_goes_with_its_delete(stage: Theatre, kind: str) -> None:
    """Granted, deleted, declared again; the Create comes after it was given up, and CloudFormation throttles."""
    outcome = played(
        stage,
        kind,
        Deploy(1, {"A": A, "B": B}),
        Deploy(1, {"B": B}),
        Deploy(1, {"A": A, "B": B}, preserve=True, again=(Again(1, 4000, instead=True),)),
        Wait(1000),
        Continue(1),
        habits=Habits(page=2, reads_a_second=2),
    )

    assert outcome.results[-2:] == ["UPDATE_FAILED", "UPDATE_ROLLBACK_COMPLETE"]
    assert ends(outcome, 1) == [("function", "granted"), ("function", "revoked")] * 2


@pytest.mark.parametrize("kind", MOVABLE)
def test_a_pair_that_is_being_replaced_elsewhere_is_not_stale_because_events_lag(stage: Theatre, kind: str) -> None:
    """B goes from p1 to p2 in the stack around; a new nested stack asks for p1, and all of it is rolled back."""
    outcome = played(
        stage,
        kind,
        Deploy(1, {"B": A}),
        Deploy(1, {"B": B}, Other(9, fails=True, after=("B",)), nested={"A": A}),
        habits=Habits(event_lag=2.0),
    )

    assert outcome.results == ["CREATE_COMPLETE", "UPDATE_ROLLBACK_COMPLETE"]
    assert ends(outcome, 1) == [("function", "granted")]


@pytest.mark.parametrize("kind", [OPENSEARCH, QUICKSIGHT])
def test_a_write_that_arrives_after_the_one_that_repeated_it_is_waited_for(stage: Theatre, kind: str) -> None:
    """The client timed out and sent it again; the first one arrives seconds after the second was answered."""
    late = (At("write", 1, "slow before", 24),)
    outcome = played(stage, kind, Deploy(1, {"A": A}, Other(22, fails=True), mishaps=late), Wait(60))

    assert outcome.results == ["ROLLBACK_COMPLETE"]
    assert outcome.changes[-1] == ("function", "revoked", 1)
