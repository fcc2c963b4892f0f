"""A membership that is there already: whose is it, who else declares it, and what may be done with it."""

from __future__ import annotations

import pytest

from aws_associations.errors import AlreadyExists, AssociationError, NotStabilized
from aws_associations.identity import marker, parse
from aws_associations.kinds.finspace_permission_group_membership import KIND as PERMISSION_GROUP_MEMBERSHIP
from aws_associations.lifecycle import How, OnExisting, Removal
from aws_associations.records import Basis, HoldState
from tests.core.world import ASSOCIATE, GROUP, LOOK, USER, World


def test_a_foreign_membership_is_refused_with_every_way_to_go_on(world: World) -> None:
    """The message names user, group and environment, how to adopt, leave or replace it; nothing is written."""
    world.grant_as_others_do()

    with pytest.raises(AlreadyExists) as caught:
        world.create()

    message = str(caught.value)
    for words in ("creating", USER, GROUP, "env1", "AlreadyExists", "declare a wish to adopt"):
        assert words in message
    for way in ("remove this resource", "revoke it first"):
        assert way in message
    assert not caught.value.outcome_unknown
    assert world.holds() == {}
    assert world.writes() == []


def test_adopting_writes_nothing_and_marks_the_id(world: World) -> None:
    """Adopt takes a foreign membership as it is; the id says so, and parses back as adopted."""
    world.grant_as_others_do()

    granted = world.create(on_existing=OnExisting.ADOPT)

    assert (granted.how, granted.status, granted.status_code) == (How.ADOPTED, "ADDITION_SUCCESS", None)
    assert granted.id.text.endswith("/alice?adopted")
    assert parse(PERMISSION_GROUP_MEMBERSHIP, granted.id.text).adopted
    assert world.writes() == []


def test_adopting_waits_until_an_addition_is_done(inner: World) -> None:
    """A foreign addition in progress is adopted when it has succeeded, and not before."""
    inner.grant_as_others_do(seconds=45)

    granted = inner.create(on_existing=OnExisting.ADOPT)

    assert (granted.how, granted.status) == (How.ADOPTED, "ADDITION_SUCCESS")


def test_adopting_an_addition_that_does_not_end_leaves_nothing(inner: World) -> None:
    """At the deadline the status is named, and nothing of ours remains, because nothing was written."""
    inner.grant_as_others_do(seconds=10_000)

    with pytest.raises(NotStabilized, match="ADDITION_IN_PROGRESS") as caught:
        inner.create(inner.request(seconds=30), on_existing=OnExisting.ADOPT)

    assert not caught.value.outcome_unknown
    assert inner.holds() == {}


def test_an_adoption_whose_answer_was_not_taken_is_forgotten_without_a_question(inner: World) -> None:
    """The rollback's Delete has the marker: what was there before stays there, whatever events say."""
    inner.grant_as_others_do()
    inner.create(on_existing=OnExisting.ADOPT)
    inner.host.taken, inner.host.completed = False, True

    inner.delete(marker("Membership"))

    assert inner.host.asked == []
    assert inner.members() == {(GROUP, USER)}
    assert inner.holds() == {}


# -- others that declare it -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("adopted", [False, True])
def test_resources_of_one_stack_share_it_whoever_holds_it(inner: World, adopted: bool) -> None:
    """A rename, a swap, or a pair declared twice: no write, no question, and how it came to be is kept."""
    if adopted:
        inner.grant_as_others_do()
    first = inner.create(on_existing=OnExisting.ADOPT)
    written = len(inner.writes())

    second = inner.create(inner.request(owner="Renamed"))

    assert (second.how, second.id) == (How.SHARED, first.id)
    assert len(inner.writes()) == written
    assert inner.host.asked == []


@pytest.mark.parametrize("last", ["Membership", "Renamed"])
def test_a_shared_membership_lives_until_its_last_claim_goes(inner: World, last: str) -> None:
    """Whoever goes first releases it, and the last one revokes."""
    inner.create()
    inner.create(inner.request(owner="Renamed"))
    (first,) = {"Membership", "Renamed"} - {last}

    assert inner.delete(request=inner.request(owner=first)) is Removal.RELEASED
    assert inner.members() == {(GROUP, USER)}
    assert inner.delete(request=inner.request(owner=last)) is Removal.REVOKED
    assert inner.members() == set()


def test_what_is_shared_and_absent_is_granted_anew(inner: World) -> None:
    """Somebody revoked it behind the first one's back: the second one grants it, for both."""
    inner.create()
    inner.revoke_as_others_do()

    assert inner.create(inner.request(owner="Renamed")).how is How.CREATED
    assert inner.delete() is Removal.RELEASED
    assert inner.members() == {(GROUP, USER)}


@pytest.mark.parametrize(("standing", "words"), [(True, ""), (None, "whether it still does cannot be asked")])
def test_another_stacks_claim_is_refused_by_naming_it(inner: World, standing: bool | None, words: str) -> None:
    """Stack, resource and how to share are in the message; a claim that cannot be asked for stands, and says so."""
    inner.create(inner.request(owner="Theirs", stack="other"))
    inner.host.standing = standing

    with pytest.raises(AlreadyExists, match=f"resource Theirs of stack other declares it already.*{words}") as caught:
        inner.create()

    assert "declare a wish to adopt" in str(caught.value)
    assert inner.holds() == {}


def test_a_claim_of_another_stack_is_not_asked_for_to_share(inner: World) -> None:
    """Adopt shares whatever the other one does."""
    inner.create(inner.request(stack="other"))

    assert inner.create(on_existing=OnExisting.ADOPT).how is How.SHARED
    assert inner.host.asked == []


@pytest.mark.parametrize("stack", ["stack", "other"])
def test_a_claim_that_no_longer_stands_keeps_nothing_granted(inner: World, stack: str) -> None:
    """Its resource was retained, or its stack deleted: the last one that declares it revokes."""
    inner.create(inner.request(owner="Gone", stack=stack))
    inner.create(on_existing=OnExisting.ADOPT)
    inner.host.standing = False

    assert inner.delete() is Removal.REVOKED
    assert inner.members() == set()
    assert inner.association().claims == {}


def test_a_claim_that_cannot_be_asked_for_keeps_it_granted_with_a_warning(inner: World) -> None:
    """The line names the stack and the resource."""
    inner.create(inner.request(owner="Theirs", stack="other"))
    inner.create(on_existing=OnExisting.ADOPT)
    inner.host.standing = None

    assert inner.delete() is Removal.RELEASED
    assert inner.host.warnings == ["released"]
    assert "resource Theirs of stack other" in str(inner.host.notes[-1][1]["cause"])
    assert inner.members() == {(GROUP, USER)}


def test_handing_over_ends_with_the_new_stack_as_the_only_owner(inner: World) -> None:
    """Retained in the old stack, adopted in the new one: the old claim goes when the new one is asked to revoke."""
    old = inner.request(owner="Old", stack="old")
    inner.create(old)
    inner.create(inner.request(stack="new"), on_existing=OnExisting.ADOPT)
    inner.host.standing = False

    assert inner.delete(request=inner.request(stack="new")) is Removal.REVOKED
    assert inner.delete(request=inner.request(owner="Old", stack="old")) is Removal.ABSENT
    assert inner.writes().count(ASSOCIATE) == 1


# -- what a host's state shows ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("adopted", [False, True])
def test_a_state_that_shows_an_id_is_believed_once(inner: World, adopted: bool) -> None:
    """Pulumi's process knows nothing of earlier ones: the state is a claim, and asking for it again changes nothing."""
    known = parse(PERMISSION_GROUP_MEMBERSHIP, inner.id(adopted=adopted))
    inner.lifecycle.show(known, inner.request())
    assert inner.holds() == {known.text: HoldState.SEEN}
    assert inner.association().basis is (Basis.FOUND if adopted else Basis.GRANTED)
    inner.ledger.trips.clear()

    inner.lifecycle.show(known, inner.request())

    assert inner.ledger.trips == ["read"]


def test_what_a_state_shows_no_more_is_forgotten(inner: World) -> None:
    """No delete will come: neither record has it, nothing is revoked, and what others claim stays."""
    known = inner.create().id
    inner.create(inner.request(owner="Other"))

    inner.lifecycle.forget(known, inner.request())

    assert inner.holds() == {}
    assert inner.holds("Other") == {known.text: HoldState.HELD}
    assert inner.members() == {(GROUP, USER)}
    assert inner.delete(request=inner.request(owner="Other")) is Removal.REVOKED


def test_a_recorded_answer_can_be_asked_for_without_an_identity(inner: World) -> None:
    """A host that cannot tell what is meant any more still answers a repeated request."""
    kind = PERMISSION_GROUP_MEMBERSHIP
    assert inner.lifecycle.recorded(kind, inner.request("r1")) is None
    granted = inner.create(inner.request("r1"))
    assert inner.lifecycle.recorded(kind, inner.request("r1")) == granted

    inner.control.add_fault("error", operation=LOOK, error_code="ValidationException")
    with pytest.raises(AssociationError) as first:
        inner.create(inner.request("r2", owner="Other"))
    with pytest.raises(AssociationError, match=first.value.cause.split()[0]):
        inner.lifecycle.recorded(kind, inner.request("r2", owner="Other"))
