"""The guards of a delete, of an undo and of an invented id, one by one: each is needless until its sequence is seen."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from association_emulator.control import EmulatorControl
from aws_associations.errors import AssociationError, NotStabilized, Superseded
from aws_associations.host import Holder, Holders, Remainder
from aws_associations.identity import AssociationId, Identity
from aws_associations.kinds.opensearch_package_association import KIND as PACKAGE_ASSOCIATION
from aws_associations.lifecycle import Desired, Removal
from tests.core.world import ACCOUNT, ASSOCIATE, DISASSOCIATE, GROUP, LOOK, REGION, USER, World, after_seconds

INVENTED = "team-Membership-1A2B3C4D5E"


def refuse(world: World, count: int | None, code: str = "ConflictException", status: int = 409) -> None:
    """The service refuses removals."""
    world.control.add_fault("answer", operation=DISASSOCIATE, status=status, error_code=code, body="{}", count=count)


def answers(world: World, monkeypatch: pytest.MonkeyPatch, *lives: bool) -> None:
    """What the host says of the request's life, in turn; the last one for good."""
    told = list(lives)
    monkeypatch.setattr(world.host, "live", lambda: told.pop(0) if len(told) > 1 else told[0])


def a_package(control: EmulatorControl) -> Identity:
    """A package that no domain has."""
    control.opensearch.add_domain("search")
    control.opensearch.add_package("F123456789")
    values = {"domain_name": "search", "package_id": "F123456789"}
    return Identity.of(PACKAGE_ASSOCIATION, ACCOUNT, REGION, values)


def a_failed_package(world: World) -> Identity:
    """One that the service accepted and then failed to associate."""
    control = EmulatorControl()
    identity = a_package(control)
    control.opensearch.configure(association_result="failed")
    with pytest.raises(NotStabilized):
        world.lifecycle.create(Desired(identity), world.request())
    return identity


def refuse_packages(control: EmulatorControl, count: int | None) -> None:
    """OpenSearch refuses to dissociate."""
    control.add_fault(
        "answer",
        service="opensearch",
        operation="DissociatePackage",
        status=409,
        error_code="ConflictException",
        count=count,
    )


# -- who else holds it? -----------------------------------------------------------------------------------------------


def test_a_resource_does_not_shield_its_pair_from_itself(inner: World) -> None:
    """It is among those that hold it now, or held it when the operation began."""
    inner.grant_as_others_do()
    itself = (Holder("Membership", own=True),)
    inner.host.others = Holders(itself, itself, rolling_back=True)

    assert inner.delete() is Removal.REVOKED


@pytest.mark.parametrize("rolling_back", [True, False])
def test_what_a_resource_keeps_is_not_revoked_under_another_id_of_it(inner: World, rolling_back: bool) -> None:
    """A cleanup deletes an id that means the same as the one that the resource has now."""
    inner.grant_as_others_do()
    itself = (Holder("Membership", own=True, stays=True),)
    inner.host.others = Holders(itself, itself, rolling_back=rolling_back)

    assert inner.delete() is Removal.RELEASED
    assert inner.members() == {(GROUP, USER)}


@pytest.mark.parametrize(
    ("spelled", "removal"), [(False, Removal.REVOKED), (True, Removal.RELEASED)], ids=["same id", "another id"]
)
def test_what_a_resource_has_under_another_id_it_keeps(inner: World, spelled: bool, removal: Removal) -> None:
    """No event of the cleanup may be shown yet, and still only the id that it has is deleted for good."""
    inner.grant_as_others_do()
    itself = Holder("Membership", own=True, id=AssociationId(inner.identity(), adopted=spelled))
    inner.host.others = Holders((itself,), (itself,))

    assert inner.delete() is removal
    assert inner.members() == ({(GROUP, USER)} if spelled else set())


@pytest.mark.parametrize(
    ("turn", "adopted", "removal"),
    [
        ({"rolling_back": True}, False, Removal.REVOKED),
        ({"deleting": True}, False, Removal.REVOKED),
        ({}, False, Removal.RELEASED),
        ({"rolling_back": True}, True, Removal.RELEASED),
        ({"deleting": True}, True, Removal.RELEASED),
    ],
    ids=["rolling back", "deleting", "going forward", "rolling back, adopted", "deleting, adopted"],
)
def test_who_adopted_it_in_a_deployment_that_is_taken_back_shields_no_grant_of_ours(
    inner: World, turn: dict[str, Any], adopted: bool, removal: Removal
) -> None:
    """It lets go of it as well, and then nobody would revoke what we granted; what was there before both stays."""
    inner.grant_as_others_do()
    inner.host.settled = True
    others = (Holder("Other", adopted=True, unsettled=True),)
    inner.host.others = Holders(others, others, **turn)

    assert inner.delete(inner.id(adopted=adopted)) is removal
    assert inner.members() == (set() if removal is Removal.REVOKED else {(GROUP, USER)})


# -- the removal itself -----------------------------------------------------------------------------------------------


def test_an_undo_goes_on_although_nobody_waits(inner: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The service is busy at first: the undo of a cancelled create is repeated all the same."""
    inner.control.configure(addition_seconds=20)
    inner.host.claimed = False
    begun = inner.clock.now()
    monkeypatch.setattr(inner.host, "live", lambda: inner.clock.now() - begun < 10)
    refuse(inner, 1)

    with pytest.raises(Superseded):
        inner.create()

    assert inner.members() == set()


def test_what_failed_is_cleared_although_others_hold_it(inner: World) -> None:
    """A failed association that two resources declare is made anew when one of them asks, busy service or not."""
    control, identity = EmulatorControl(), a_failed_package(inner)
    control.opensearch.configure(association_result="active")
    inner.host.others = Holders(now=(Holder("Other"),))
    refuse_packages(control, 1)

    healed = inner.lifecycle.update(AssociationId(identity).text, Desired(identity), inner.request(), heal=True)

    assert healed.status == "ACTIVE"


@pytest.mark.parametrize(("code", "status"), [("ValidationException", 400), ("ConflictException", 409)])
def test_a_refusal_after_a_lost_removal_never_sounds_definite(inner: World, code: str, status: int) -> None:
    """First lost, then refused for good: the first one may have taken effect."""
    inner.grant_as_others_do()
    inner.control.add_fault("cut", operation=DISASSOCIATE, count=5)
    refuse(inner, None, code, status)

    with pytest.raises(AssociationError, match=code) as caught:
        inner.delete()

    assert caught.value.outcome_unknown


def test_what_the_sdks_own_retry_does_not_find_was_revoked(inner: World) -> None:
    """Cut after the effect, and the retry finds nothing: revoked by this delete, which others must know."""
    inner.grant_as_others_do()
    inner.control.add_fault("cut", operation=DISASSOCIATE, when="after")
    refuse(inner, 1, "ResourceNotFoundException", 404)

    assert inner.delete() is Removal.REVOKED


def test_a_removal_that_runs_after_a_lost_answer_is_sent_once(inner: World) -> None:
    """Every answer was lost and the removal is under way: waited for, not sent again."""
    inner.grant_as_others_do()
    inner.control.configure(removal_seconds=30)
    inner.control.add_fault("cut", operation=DISASSOCIATE, when="after", count=5)

    assert inner.delete() is Removal.REVOKED
    assert inner.calls().count(DISASSOCIATE) == 5


def test_a_removal_without_an_answer_is_sent_twice_and_no_more(inner: World) -> None:
    """Two rounds of attempts are enough to know that nobody answers: the rest of the time is not spent on it."""
    inner.grant_as_others_do()
    inner.control.add_fault("cut", operation=DISASSOCIATE, count=11)

    with pytest.raises(AssociationError) as caught:
        inner.delete()

    assert caught.value.outcome_unknown
    assert inner.calls().count(DISASSOCIATE) == 10


def test_the_error_of_a_lost_removal_is_not_hidden_by_that_of_the_look(inner: World) -> None:
    """Neither was answered: both are told, and that nobody knows."""
    inner.grant_as_others_do()
    inner.control.add_fault("cut", operation=DISASSOCIATE, count=5)
    inner.control.add_fault("throttled", operation=LOOK, count=None)

    with pytest.raises(AssociationError, match=r"lost the connection.*could not be seen afterwards") as caught:
        inner.delete()

    assert caught.value.outcome_unknown


def test_a_removal_by_others_that_ends_in_a_new_grant_is_no_success_of_ours(
    inner: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ours was refused while theirs ran, and it was granted again: it never succeeded, so it is an error."""
    inner.grant_as_others_do()
    inner.revoke_as_others_do(seconds=10)
    inner.control.configure(disassociate_during_removal="conflict")
    after_seconds(inner, monkeypatch, 11, inner.grant_as_others_do)

    with pytest.raises(NotStabilized):
        inner.delete(request=inner.request(seconds=60))

    assert inner.members() == {(GROUP, USER)}


@pytest.mark.parametrize("busy", [True, False])
def test_a_failed_one_that_the_service_keeps_is_left_with_a_warning(inner: World, busy: bool) -> None:
    """It was never granted, and its stack must be deletable; a service that is only busy gets the time to end it."""
    control, identity = EmulatorControl(), a_failed_package(inner)
    control.opensearch.configure(dissociate_after_failure="succeed" if busy else "conflict")
    if busy:
        refuse_packages(control, 2)
    begun = inner.clock.now()

    removal = inner.lifecycle.delete(PACKAGE_ASSOCIATION, AssociationId(identity).text, inner.request())

    assert removal is (Removal.REVOKED if busy else Removal.ABSENT)
    assert inner.host.warnings == ([] if busy else ["failed-one-left"])
    assert bool(control.opensearch.associations()) is not busy
    if not busy:
        assert inner.clock.now() - begun >= PACKAGE_ASSOCIATION.settle_seconds
        assert inner.host.notes[-1][1]["how"] == Removal.ABSENT.value


def test_a_granted_one_that_the_service_keeps_fails_the_delete(inner: World) -> None:
    """Whoever has it could use it: that is no success."""
    control = EmulatorControl()
    identity = a_package(control)
    inner.lifecycle.create(Desired(identity), inner.request())
    refuse_packages(control, None)

    with pytest.raises(AssociationError, match="ConflictException"):
        inner.lifecycle.delete(PACKAGE_ASSOCIATION, AssociationId(identity).text, inner.request())

    assert inner.host.warnings == []


# -- undoing ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("announced", [True, False, None])
def test_what_only_this_process_remembers_is_told_and_not_taken_back(
    inner: World, monkeypatch: pytest.MonkeyPatch, announced: bool | None
) -> None:
    """A Delete that another process served may have ended it, and others granted it since: the log tells, or nobody."""
    inner.create(inner.request("r1"))
    monkeypatch.setattr(inner.host, "granted_here", lambda _: True)
    inner.host.intent, inner.host.claimed, inner.host.lives = announced, False, False

    with pytest.raises(Superseded):
        inner.create(inner.request("r1", late=True))

    assert inner.members() == (set() if announced else {(GROUP, USER)})
    assert inner.host.warnings == ([] if announced else ["may-remain"])


def test_what_cannot_be_seen_is_not_taken_back(inner: World) -> None:
    """Announced by an earlier delivery, and the look fails: told, and not revoked on a guess."""
    inner.create(inner.request("r1"))
    inner.host.intent, inner.host.claimed, inner.host.lives = True, False, False
    inner.control.add_fault("throttled", operation=LOOK, skip=1, count=None)
    written = len(inner.writes())

    with pytest.raises(Superseded):
        inner.create(inner.request("r1", late=True))

    assert "may-remain" in inner.host.warnings
    assert len(inner.writes()) == written


def test_what_is_absent_is_not_taken_back(inner: World) -> None:
    """Announced by an earlier delivery, which came to nothing: no removal that might meet somebody's next grant."""
    inner.host.intent, inner.host.claimed, inner.host.lives = True, False, False

    with pytest.raises(Superseded):
        inner.create(inner.request(late=True))

    assert inner.writes() == []
    assert inner.host.warnings == []


def test_a_lost_write_that_no_list_shows_is_told(inner: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """An update's associate was lost, the request died in the wait: it may still appear, so a line says so."""
    inner.control.add_fault("internal_error", operation=ASSOCIATE, count=5)
    begun = inner.clock.now()
    monkeypatch.setattr(inner.host, "live", lambda: inner.clock.now() - begun < 3)

    with pytest.raises(Superseded) as caught:
        inner.update(inner.id(user="bob"), inner.identity())

    assert caught.value.outcome_unknown
    assert inner.host.warnings == ["may-remain"]


def test_an_update_that_is_over_is_undone_by_nobody_else(inner: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """It may not be taken back, for others may have taken it: then no second way of undoing takes it either."""
    inner.control.configure(addition_seconds=20)
    inner.host.claimed = True
    begun, asked = inner.clock.now(), list[float]()

    def live() -> bool | None:
        asked.append(inner.clock.now() - begun)
        return False if len(asked) == 1 else None

    monkeypatch.setattr(inner.host, "live", live)

    with pytest.raises(Superseded):
        inner.update(inner.id(user="bob"), inner.identity())

    assert inner.effects(DISASSOCIATE) == 0


# -- what a create left behind ----------------------------------------------------------------------------------------


def behind(world: World) -> None:
    """A create granted it and was given up."""
    world.create()
    world.host.behind = (Remainder(world.identity(), sure=True),)


def test_a_remainder_is_left_if_the_delete_is_over_after_its_wait(
    inner: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The name was declared anew during the wait: what is there now may be its new grant."""
    behind(inner)
    answers(inner, monkeypatch, True, False)

    assert inner.delete(INVENTED) is Removal.NEVER_CREATED
    assert inner.members() == {(GROUP, USER)}


def test_a_late_delete_of_an_invented_id_waits_for_nothing(inner: World) -> None:
    """Nobody waits for it, so nothing is looked at and no time is spent."""
    behind(inner)
    inner.host.lives = False
    begun, calls = inner.clock.now(), len(inner.calls())

    inner.delete(INVENTED)

    assert inner.clock.now() == begun
    assert len(inner.calls()) == calls


def test_a_remainder_of_another_account_is_told_and_not_looked_for(inner: World) -> None:
    """With these credentials it looks absent, so nothing is concluded."""
    behind(inner)
    calls = len(inner.calls())

    inner.delete(INVENTED, replace(inner.request(), account="999999999999"))

    assert "may-remain" in inner.host.warnings
    assert len(inner.calls()) == calls


def test_a_remainder_that_is_gone_is_not_removed(inner: World) -> None:
    """Somebody revoked it: no removal is sent that might meet a new grant."""
    behind(inner)
    inner.revoke_as_others_do()

    assert inner.delete(INVENTED) is Removal.NEVER_CREATED
    assert inner.calls().count(DISASSOCIATE) == 0


# -- what a failed update left ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("case", ["held", "to be cleaned up", "absent", "left", "left, rolling back"])
def test_only_what_is_found_and_nobody_holds_is_told(inner: World, case: str) -> None:
    """Not what a resource holds, or had, nor what is absent; a stranger's may be meant: it stays."""
    inner.grant_as_others_do()
    inner.add(GROUP, "bob")
    if case != "absent":
        inner.grant_as_others_do(user="bob")
    holders = {"held": Holders(now=(Holder("Other"),)), "to be cleaned up": Holders(since=(Holder("It", own=True),))}
    inner.host.others = holders.get(case, Holders(rolling_back=case.endswith("rolling back")))
    left = inner.identity(user="bob")

    inner.lifecycle.update(inner.id(), Desired(inner.identity()), inner.request(), heal=False, left=left)

    assert ("may-remain" in inner.host.warnings) is case.startswith("left")
    assert inner.writes() == []


def test_a_rollback_ends_what_the_failed_update_surely_granted_and_nothing_else(inner: World) -> None:
    """The resource announced two pairs in this operation; the reverse goes back to one of them."""
    inner.create()
    inner.add(GROUP, "bob")
    inner.create(identity=inner.identity(user="bob"))
    inner.host.others = Holders(rolling_back=True)
    left = inner.identity(user="bob")
    inner.host.behind = (Remainder(left, sure=True), Remainder(inner.identity(), sure=True))

    inner.lifecycle.update(inner.id(), Desired(inner.identity()), inner.request(), heal=False, left=left)

    assert inner.members() == {(GROUP, USER)}
