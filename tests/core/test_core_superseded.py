"""A request that nobody waits for any more: late, repeated, or cancelled while it ran."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from aws_associations.errors import AccessDenied, AssociationError, Superseded
from aws_associations.host import Holder, Holders, Remainder
from aws_associations.identity import Identity
from aws_associations.kind import Kind
from aws_associations.lifecycle import Desired, How, OnExisting, Removal
from tests.core.world import ASSOCIATE, DISASSOCIATE, GROUP, LOOK, USER, World, after_seconds


def dies_after(world: World, monkeypatch: pytest.MonkeyPatch, seconds: float) -> list[float]:
    """Let the request be over after so long; return the times at which it was asked."""
    start = world.clock.now()
    asked: list[float] = []

    def live() -> bool:
        asked.append(world.clock.now() - start)
        return asked[-1] < seconds

    monkeypatch.setattr(world.host, "live", live)
    return asked


def test_an_ordinary_create_does_not_ask_whether_it_is_waited_for(
    inner: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A young request that never waits costs its service's calls and no other."""
    asked = dies_after(inner, monkeypatch, 1000)

    inner.create()

    assert asked == []


def test_a_late_create_that_is_over_grants_nothing(inner: World) -> None:
    """It may be a repeated delivery, so it looks, asks, and leaves things as they are."""
    inner.host.lives = False

    with pytest.raises(Superseded) as caught:
        inner.create(inner.request(late=True))

    assert not caught.value.outcome_unknown
    assert inner.writes() == []


def test_a_late_create_that_is_waited_for_looks_once_more_before_it_writes(
    inner: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Asking the stack takes time, in which somebody else may grant it."""

    def live() -> bool:
        if not inner.members():
            inner.grant_as_others_do()
        return True

    monkeypatch.setattr(inner.host, "live", live)

    with pytest.raises(AssociationError, match="AlreadyExists"):
        inner.create(inner.request(late=True))

    assert inner.writes() == []


def test_a_create_that_is_cancelled_while_it_waits_undoes_itself(inner: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Granted, and in the meantime the deployment was rolled back: nobody else would ever revoke it."""
    inner.control.configure(addition_seconds=20)
    inner.host.claimed = False
    dies_after(inner, monkeypatch, 10)
    request = inner.request()

    with pytest.raises(Superseded) as caught:
        inner.create(request)

    assert not caught.value.outcome_unknown
    assert request.undone
    assert request.may_exist is None
    assert inner.host.noted("undone")
    assert inner.members() == set()


@pytest.mark.parametrize("claimed", [True, None])
def test_a_cancelled_create_leaves_what_others_may_have_taken(
    inner: World, monkeypatch: pytest.MonkeyPatch, claimed: bool | None
) -> None:
    """A redeployment may have taken it since, or that cannot be told: a warning, and nothing is revoked."""
    inner.control.configure(addition_seconds=20)
    inner.host.claimed = claimed
    dies_after(inner, monkeypatch, 10)

    with pytest.raises(Superseded) as caught:
        inner.create()

    assert caught.value.outcome_unknown
    assert "may-remain" in inner.host.warnings
    # The Delete that follows reads it: once nobody else holds the pair, that can revoke it.
    assert inner.host.noted("granted")
    assert inner.effects(DISASSOCIATE) == 0


def test_a_cancelled_create_without_an_answer_of_its_own_leaves_what_is_there(
    inner: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was sent got no answer, so what is there may be somebody else's."""
    inner.host.claimed = False
    inner.control.add_fault("internal_error", operation=ASSOCIATE, when="before", count=5)
    dies_after(inner, monkeypatch, 0)

    with pytest.raises(AssociationError) as caught:
        inner.lifecycle.update(inner.id(user="bob"), Desired(inner.identity()), inner.request(), heal=False)

    assert caught.value.outcome_unknown
    assert "may-remain" in inner.host.warnings
    assert not inner.host.noted("granted")
    assert (inner.effects(ASSOCIATE), inner.effects(DISASSOCIATE)) == (0, 0)


def test_an_update_that_is_cancelled_undoes_itself_once(inner: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The new association goes again; the undoing is not stopped by the request being over."""
    inner.control.configure(addition_seconds=20)
    inner.host.claimed = False
    dies_after(inner, monkeypatch, 10)

    with pytest.raises(Superseded):
        inner.update(inner.id(user="bob"), inner.identity())

    assert inner.effects(DISASSOCIATE) == 1
    assert inner.members() == set()


def test_a_removal_asks_again_after_a_wait(inner: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The service was busy, and meanwhile the same association was declared anew."""
    inner.grant_as_others_do()
    inner.control.add_fault("error", operation=DISASSOCIATE, error_code="ConflictException", count=None)
    dies_after(inner, monkeypatch, 1)

    assert inner.delete() is Removal.NOT_LIVE
    assert inner.members() == {(GROUP, USER)}


def test_an_update_repeats_what_fails_for_a_while(inner: World) -> None:
    """The reverse of a failed update must not fail for a moment's trouble: it would block the whole stack."""
    inner.control.add_fault("throttled", operation=ASSOCIATE, count=12)

    assert inner.update(inner.id(user="bob"), inner.identity()).how is How.CREATED
    assert inner.members() == {(GROUP, USER)}


def test_an_update_that_gets_no_answer_sends_the_same_token_again(inner: World) -> None:
    """Five hundreds without an effect: repeated under the token that would tell an effect from none."""
    inner.control.add_fault("internal_error", operation=ASSOCIATE, when="before", count=6)

    assert inner.update(inner.id(user="bob"), inner.identity()).how is How.CREATED
    assert len(set(inner.tokens(ASSOCIATE))) == 1


def test_a_create_does_not_repeat_what_the_sdk_gave_up(inner: World) -> None:
    """Its failure blocks nothing: the rollback deletes what may remain."""
    inner.control.add_fault("throttled", operation=ASSOCIATE, count=12)

    with pytest.raises(AssociationError, match="Throttling"):
        inner.create()


def test_a_definite_rejection_takes_its_announcement_back(inner: World) -> None:
    """A later delivery that reads the log must not take a stranger's grant for this one's."""
    with pytest.raises(AssociationError, match="NotFound"):
        inner.create(identity=inner.identity(user="nobody"))

    assert [name for name, _ in inner.host.notes] == ["associating", "refused"]


def test_a_rollback_tells_of_what_a_failed_update_left(inner: World) -> None:
    """The reverse update keeps what the resource has, and says that the other one is there and nobody's."""
    inner.grant_as_others_do()
    inner.control.add_user("env1", "bob")
    inner.grant_as_others_do(user="bob")

    def reverse(left: Identity | None) -> None:
        desired = Desired(inner.identity(user="bob"))
        inner.lifecycle.update(inner.id(user="bob"), desired, inner.request(), heal=False, left=left)

    reverse(None)
    assert inner.host.warnings == []
    inner.host.others = Holders(rolling_back=True)
    reverse(inner.identity())
    assert inner.host.warnings == ["may-remain"]
    # The rollback may not be shown yet, or be disabled.
    inner.host.others = Holders()
    reverse(inner.identity())
    assert inner.host.warnings == ["may-remain"] * 2
    assert inner.writes() == []
    assert LOOK in inner.calls()
    assert (GROUP, USER) in inner.members()


@pytest.mark.parametrize("held", [True, False])
def test_a_reverse_that_is_not_shown_yet_asks_once_more_who_holds_what_was_left(
    inner: World, monkeypatch: pytest.MonkeyPatch, held: bool
) -> None:
    """Events lag: whoever holds it by then keeps it in silence, and what nobody holds is told."""
    inner.grant_as_others_do()
    inner.control.add_user("env1", "bob")
    inner.grant_as_others_do(user="bob")
    inner.host.others = Holders(current=False)
    shown = Holders(now=(Holder("Other"),) if held else (), current=held)
    after_seconds(inner, monkeypatch, 1, lambda: setattr(inner.host, "others", shown))
    desired, left = Desired(inner.identity()), inner.identity(user="bob")

    inner.lifecycle.update(inner.id(), desired, inner.request(), heal=False, left=left)

    assert inner.host.warnings == ([] if held else ["may-remain"])
    assert inner.writes() == []


def test_a_reverse_that_is_shown_waits_for_nothing(inner: World) -> None:
    """Who holds what was left is known then, and a rollback is no slower for it."""
    inner.grant_as_others_do()
    inner.host.others = Holders(rolling_back=True)
    begun = inner.clock.now()

    desired, left = Desired(inner.identity()), inner.identity(user="bob")
    inner.lifecycle.update(inner.id(), desired, inner.request(), heal=False, left=left)

    assert inner.clock.now() == begun


def test_a_late_create_that_is_over_takes_back_what_an_earlier_delivery_granted(inner: World) -> None:
    """Killed after its effect, rolled back, and delivered again: nobody else would ever revoke it."""
    inner.create(inner.request("r1"))
    inner.host.intent, inner.host.claimed, inner.host.lives = True, False, False

    with pytest.raises(Superseded):
        inner.create(inner.request("r1", late=True))

    assert inner.host.noted("undone")
    assert inner.members() == set()


@pytest.mark.parametrize(("intent", "claimed"), [(False, False), (True, True), (True, None)])
def test_a_late_create_that_is_over_leaves_what_may_be_others(inner: World, intent: bool, claimed: bool | None) -> None:
    """Without an announcement of this request it is somebody's; with one, a redeployment may have taken it since."""
    inner.grant_as_others_do()
    inner.host.intent, inner.host.claimed, inner.host.lives = intent, claimed, False

    with pytest.raises(Superseded):
        inner.create(inner.request(late=True))

    assert ("may-remain" in inner.host.warnings) is intent
    assert not inner.host.noted("granted")
    assert inner.writes() == []


def test_a_create_that_took_long_asks_before_it_answers(inner: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The associate's answer came after seconds, and the deployment was rolled back meanwhile."""
    asked = dies_after(inner, monkeypatch, 0)
    inner.host.claimed = False
    send = inner.services.call

    def slowly(*arguments: object, **keywords: object) -> object:
        inner.clock.sleep(2)
        return send(*arguments, **keywords)  # type: ignore[arg-type]

    monkeypatch.setattr(inner.services, "call", slowly)

    with pytest.raises(Superseded):
        inner.create()

    assert asked
    assert inner.members() == set()


def test_what_an_earlier_delivery_announced_and_others_revoked_since_is_told(inner: World) -> None:
    """Its write may have come after that: what is there is not taken back, and not left in silence either."""
    inner.grant_as_others_do()
    inner.host.intent, inner.host.revoked_intent = False, True
    inner.host.claimed, inner.host.lives = False, False

    with pytest.raises(Superseded):
        inner.create(inner.request(late=True))

    assert inner.host.warnings == ["may-remain"]
    assert inner.writes() == []


# -- a create that fails and is over ----------------------------------------------------------------------------------


def answers_after(world: World, monkeypatch: pytest.MonkeyPatch, seconds: float) -> None:
    """The associate takes so long, and of what it did nothing can be seen at first."""
    send = world.services.call

    def slowly(kind: Kind, identity: Identity, operation: str, *more: Any) -> dict[str, Any]:
        answer = send(kind, identity, operation, *more)
        if operation == ASSOCIATE:
            world.clock.sleep(seconds)
        return answer

    monkeypatch.setattr(world.services, "call", slowly)
    world.control.add_fault("error", operation=LOOK, error_code="AccessDeniedException", skip=1)


@pytest.mark.parametrize(
    ("seconds", "lives", "stays"),
    [(4, False, False), (4, True, True), (4, None, True), (1, False, True)],
    ids=["over", "waited for", "cannot be told", "at once"],
)
def test_a_create_that_fails_after_seconds_and_is_over_takes_back_what_it_granted(
    inner: World, monkeypatch: pytest.MonkeyPatch, seconds: float, lives: bool | None, stays: bool
) -> None:
    """Its real id is no answer then: no Delete of that will come. Before that, or waited for, it is the answer."""
    answers_after(inner, monkeypatch, seconds)
    inner.host.lives, inner.host.claimed = lives, False
    request = inner.request()

    with pytest.raises(AccessDenied) as caught:
        inner.create(request)

    assert caught.value.outcome_unknown is stays
    assert request.may_exist == (inner.identity() if stays else None)
    assert inner.members() == ({(GROUP, USER)} if stays else set())
    assert inner.host.warnings == []


def test_a_create_that_fails_and_is_over_tells_what_it_may_not_take_back(
    inner: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody may have taken since what it granted: it stays, and a line says so."""
    answers_after(inner, monkeypatch, 4)
    inner.host.lives, inner.host.claimed = False, True

    with pytest.raises(AccessDenied) as caught:
        inner.create()

    assert caught.value.outcome_unknown
    assert inner.host.warnings == ["may-remain"]
    assert inner.members() == {(GROUP, USER)}


def test_a_failure_that_is_over_takes_back_what_another_delivery_granted(inner: World) -> None:
    """Denied here, granted there, and the stack has turned back meanwhile: nobody else would revoke it."""
    inner.grant_as_others_do()
    inner.host.intent, inner.host.lives, inner.host.claimed = True, False, False
    inner.control.add_fault("error", operation=LOOK, error_code="AccessDeniedException")

    with pytest.raises(AccessDenied) as caught:
        inner.create()

    assert not caught.value.outcome_unknown
    assert inner.members() == set()


@pytest.mark.parametrize("later", [False, None])
def test_an_update_that_fails_and_is_over_is_undone_once(
    inner: World, monkeypatch: pytest.MonkeyPatch, later: bool | None
) -> None:
    """Others may have taken what it granted: one line says that it remains, and no second undoing revokes it."""
    answers_after(inner, monkeypatch, 4)
    inner.host.claimed = True
    told = iter([False])
    monkeypatch.setattr(inner.host, "live", lambda: next(told, later))

    with pytest.raises(AccessDenied) as caught:
        inner.update(inner.id(user="bob"), inner.identity())

    assert caught.value.outcome_unknown
    assert inner.host.warnings == ["not-live", "may-remain"]
    assert inner.members() == {(GROUP, USER)}


# -- a healing update -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("claimed", [False, True, None])
def test_a_healing_that_is_cancelled_takes_back_or_says(
    inner: World, monkeypatch: pytest.MonkeyPatch, claimed: bool | None
) -> None:
    """The resource went while it was granted anew, so that no Delete of it is to come."""
    inner.control.configure(addition_seconds=20)
    inner.host.claimed = claimed
    dies_after(inner, monkeypatch, 10)

    with pytest.raises(Superseded) as caught:
        inner.update(inner.id(), inner.identity(), heal=True)

    taken_back = claimed is False
    assert caught.value.outcome_unknown is not taken_back
    assert inner.members() == (set() if taken_back else {(GROUP, USER)})
    assert inner.host.warnings == ([] if taken_back else ["may-remain"])


@pytest.mark.parametrize(
    ("adopted", "settled", "told"),
    [(True, False, True), (True, None, True), (True, True, False), (False, False, False)],
    ids=["not settled", "cannot be told", "settled", "not adopted"],
)
def test_what_is_granted_anew_under_an_adopted_id_is_told_while_that_may_be_let_go(
    inner: World, adopted: bool, settled: bool | None, told: bool
) -> None:
    """If the deployment that adopted it fails, its Delete releases what this update granted."""
    inner.host.settled = settled

    healed = inner.update(inner.id(adopted=adopted), inner.identity(), heal=True)

    assert healed.id.text == inner.id(adopted=adopted)
    assert inner.members() == {(GROUP, USER)}
    assert inner.host.warnings == (["may-remain"] if told else [])


def test_what_others_grant_during_a_healing_raises_no_alarm(inner: World) -> None:
    """It was on its way already, so that the update granted nothing that its Delete would let go of."""
    inner.grant_as_others_do(seconds=20)
    inner.host.settled = False

    inner.update(inner.id(adopted=True), inner.identity(), heal=True)

    assert inner.host.warnings == []
    assert inner.writes() == []


def test_a_healing_that_fails_and_is_over_takes_back_what_it_granted(
    inner: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It could not be seen whether it was granted anew, and the deployment has moved on: no Delete is to come."""
    answers_after(inner, monkeypatch, 4)
    inner.host.lives, inner.host.claimed = False, False

    with pytest.raises(AccessDenied) as caught:
        inner.update(inner.id(), inner.identity(), heal=True)

    assert not caught.value.outcome_unknown
    assert inner.host.warnings == []
    assert inner.members() == set()


# -- a Delete with an id that CloudFormation invented -----------------------------------------------------------------

INVENTED = "team-Membership-1A2B3C4D5E"


def test_what_a_create_granted_that_was_given_up_goes_with_its_invented_id(inner: World) -> None:
    """The create had ended just before the rollback began, and its answer came too late to be taken."""
    inner.create()
    inner.host.behind = (Remainder(inner.identity(), sure=True),)

    assert inner.delete(INVENTED) is Removal.REVOKED
    assert inner.members() == set()


def test_what_a_create_may_have_granted_is_told(inner: World) -> None:
    """Announced, and killed: it may be somebody else's. The stack can be deleted all the same."""
    inner.grant_as_others_do()
    inner.host.behind = (Remainder(inner.identity(), sure=False),)

    assert inner.delete(INVENTED) is Removal.NEVER_CREATED
    assert inner.host.warnings == ["not-our-id", "may-remain"]
    assert inner.members() == {(GROUP, USER)}


def test_what_a_create_left_is_looked_for_after_it_had_time_to_end(inner: World) -> None:
    """It may be at work, and logs lag; nothing is waited for where nothing can be known."""
    began = inner.clock.now()
    inner.delete(INVENTED)
    assert inner.clock.now() == began

    inner.host.behind = ()
    assert inner.delete(INVENTED) is Removal.NEVER_CREATED
    assert inner.clock.now() >= began + 5
    assert inner.calls() == []


def test_an_invented_id_never_fails_a_deletion(inner: World) -> None:
    """What cannot be seen or revoked is told, and the stack goes."""
    inner.create()
    inner.host.behind = (Remainder(inner.identity(), sure=True),)
    inner.control.add_fault("internal_error", operation=DISASSOCIATE, count=None)

    assert inner.delete(INVENTED) is Removal.NEVER_CREATED
    assert inner.host.warnings == ["not-our-id", "not-revoked", "may-remain"]


def test_a_late_delete_of_an_invented_id_does_nothing(inner: World) -> None:
    """The name was declared anew, and what it granted since is no remainder."""
    inner.create()
    inner.host.behind, inner.host.lives = (Remainder(inner.identity(), sure=True),), False

    assert inner.delete(INVENTED) is Removal.NEVER_CREATED
    assert inner.members() == {(GROUP, USER)}


# -- a repeated delivery that cannot look -----------------------------------------------------------------------------


@pytest.mark.parametrize("announced", [True, False])
def test_what_an_earlier_delivery_may_have_granted_is_not_forgotten_for_want_of_a_look(
    inner: World, announced: bool
) -> None:
    """Killed after its effect, delivered again, and the service does not answer: the rollback must clean it up."""
    inner.create(inner.request("r1"))
    inner.host.intent, inner.host.lives = announced, True
    inner.control.add_fault("error", operation=LOOK, error_code="AccessDeniedException")
    request = inner.request("r1", late=True)

    with pytest.raises(AssociationError) as caught:
        inner.create(request)

    assert caught.value.outcome_unknown is announced
    assert request.may_exist == (inner.identity() if announced else None)


@pytest.mark.parametrize(("age", "told"), [(1, False), (10, True)], ids=["at once", "seconds after it was made"])
def test_an_adoption_is_told_if_an_earlier_delivery_may_have_granted_it(inner: World, age: float, told: bool) -> None:
    """A rollback lets go of what was adopted; the first delivery of a request comes at once, and is not doubted."""
    inner.grant_as_others_do()

    adopted = inner.create(replace(inner.request(), age=age), on_existing=OnExisting.ADOPT)

    assert adopted.how is How.ADOPTED
    assert inner.host.warnings == (["may-remain"] if told else [])
