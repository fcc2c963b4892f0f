"""Update: the same identity is kept, another one is granted, and what did not succeed is dropped by the next."""

from __future__ import annotations

from typing import Any

import pytest

from aws_associations.errors import (
    AlreadyExists,
    AssociationError,
    InvalidRequest,
    ServiceUnavailable,
    Throttling,
)
from aws_associations.identity import marker
from aws_associations.lifecycle import How, OnExisting, Removal
from aws_associations.records import Basis, HoldState
from tests.core.world import ASSOCIATE, DISASSOCIATE, GROUP, LOOK, USER, World

BOB = (GROUP, "bob")


@pytest.fixture
def declared(world: World) -> World:
    """Alice's membership is granted and declared, Bob exists; the journal is empty."""
    world.add(*BOB)
    world.create()
    world.control.clear_journal()
    return world


@pytest.fixture
def ready(inner: World) -> World:
    """The same in this process only."""
    inner.add(*BOB)
    inner.create()
    inner.control.clear_journal()
    return inner


@pytest.mark.parametrize("heal", [False, True])
def test_the_same_identity_echoes_the_id_and_writes_nothing(declared: World, heal: bool) -> None:
    """Whatever else changed: the same id text and status, and a look only if it was asked for."""
    granted = declared.update(declared.id(), declared.identity(), heal=heal)

    assert (granted.id.text, granted.how, granted.status) == (declared.id(), How.KEPT, "ADDITION_SUCCESS")
    assert declared.calls() == ([LOOK] if heal else [])


@pytest.mark.parametrize("heal", [False, True])
def test_an_adopted_one_is_kept_as_adopted(inner: World, heal: bool) -> None:
    """Its id text never changes, and neither does how it came to be."""
    inner.grant_as_others_do()
    adopted = inner.create(on_existing=OnExisting.ADOPT)

    assert inner.update(adopted.id.text, inner.identity(), heal=heal).id == adopted.id
    assert inner.association().basis is Basis.FOUND


def test_what_is_granted_anew_is_ours_whatever_the_id_says(inner: World) -> None:
    """Adopted, revoked by others, healed: granted by us under the id that says adopted, so a delete revokes it."""
    inner.grant_as_others_do()
    text = inner.create(on_existing=OnExisting.ADOPT).id.text
    inner.revoke_as_others_do()

    assert inner.update(text, inner.identity(), heal=True).id.text == text
    assert inner.delete(text) is Removal.REVOKED
    assert inner.members() == set()


def test_healing_grants_again_what_is_gone(declared: World) -> None:
    """Revoked by others, asked to heal: granted again under the same id, within the window of the first token too."""
    declared.revoke_as_others_do()

    granted = declared.update(declared.id(), declared.identity(), heal=True)

    assert (granted.id.text, granted.how, granted.status) == (declared.id(), How.CREATED, "ADDITION_SUCCESS")
    assert declared.members() == {(GROUP, USER)}


def test_healing_waits_for_a_removal_and_grants_again(ready: World) -> None:
    """Being removed is not present: heal waits and grants again."""
    ready.revoke_as_others_do(seconds=45)

    ready.update(ready.id(), ready.identity(), heal=True)

    assert ready.members() == {(GROUP, USER)}


def test_healing_waits_for_an_addition(ready: World) -> None:
    """Being added is ours already: heal waits for it and writes nothing, adopts nothing."""
    ready.revoke_as_others_do()
    ready.grant_as_others_do(seconds=45)

    granted = ready.update(ready.id(), ready.identity(), heal=True)

    assert granted.status == "ADDITION_SUCCESS"
    assert ready.writes() == []


@pytest.mark.parametrize("duplicate", ["conflict", "succeed"])
def test_healing_that_meets_anothers_grant_is_satisfied(ready: World, duplicate: Any) -> None:
    """Others grant it between our look and our write: declared by us already, so no AlreadyExists."""
    ready.control.configure(duplicate_associate=duplicate)
    ready.control.add_fault("answer", operation=LOOK, status=200, body="{}")
    ready.control.advance(700)

    assert ready.update(ready.id(), ready.identity(), heal=True).id.text == ready.id()
    assert ready.holds() == {ready.id(): HoldState.SEEN}


def test_without_healing_nobody_looks(declared: World) -> None:
    """An unchanged declaration grants nothing again, and nothing of the service can fail it in a rollback."""
    declared.revoke_as_others_do()
    declared.control.add_fault("internal_error", count=None)

    assert declared.update(declared.id(), declared.identity()).id.text == declared.id()
    assert declared.control.journal() == []
    assert declared.members() == set()


def test_a_claim_that_another_stack_took_over_is_looked_at_again(ready: World) -> None:
    """That stack was told that ours declares it no more; declared all the same, it is refused or shared."""
    ready.host.standing = False
    ready.create(ready.request(stack="other"))
    ready.host.standing = True

    with pytest.raises(AlreadyExists, match="stack other"):
        ready.update(ready.id(), ready.identity())
    assert ready.update(ready.id(), ready.identity(), on_existing=OnExisting.ADOPT).how is How.SHARED
    assert ready.writes() == []


def test_a_look_that_fails_fails_a_healing(ready: World) -> None:
    """It was asked for, and nothing was written: the claim stays as it was."""
    ready.control.add_fault("internal_error", operation=LOOK, count=None)

    with pytest.raises(ServiceUnavailable, match=r"^updating") as caught:
        ready.update(ready.id(), ready.identity(), heal=True)
    assert not caught.value.outcome_unknown
    assert ready.holds() == {ready.id(): HoldState.SEEN}


def test_another_identity_is_granted_and_the_old_one_is_left_to_the_host(declared: World) -> None:
    """The new membership has a new id; the host deletes the old one afterwards, never the update."""
    granted = declared.update(declared.id(), declared.identity(user="bob"))

    assert granted.id.text == declared.id(user="bob")
    assert granted.how is How.CREATED
    assert DISASSOCIATE not in declared.calls()
    assert declared.members() == {(GROUP, USER), BOB}


@pytest.mark.parametrize("current", ["mystack-Membership-1ABC", marker("Membership")])
def test_an_unreadable_old_id_makes_an_update_a_create(ready: World, current: str) -> None:
    """Whatever the old id was, the desired membership is granted under an id of ours."""
    assert ready.update(current, ready.identity(user="bob")).id.text == ready.id(user="bob")


@pytest.mark.parametrize("blind", [False, True])
def test_what_an_update_may_have_granted_is_dropped_by_the_next_request(declared: World, blind: bool) -> None:
    """It answers the old id, so the rollback keeps alice; bob, whom nobody saw granted, is revoked on the way."""
    declared.control.add_fault("cut", operation=ASSOCIATE, when="after", count=5)
    declared.control.add_fault("error", operation=LOOK, error_code="AccessDeniedException", skip=1)
    with pytest.raises(AssociationError) as caught:
        declared.update(declared.id(), declared.identity(user="bob"))
    assert caught.value.outcome_unknown
    assert declared.holds() == {declared.id(): HoldState.SEEN, declared.id(user="bob"): HoldState.PENDING}
    assert BOB in declared.members()
    if blind:
        declared.control.add_fault("throttled", operation=DISASSOCIATE, count=None)

    assert declared.update(declared.id(), declared.identity()).how is How.KEPT

    assert declared.host.warnings == (["may-remain"] if blind else [])
    assert declared.members() == ({(GROUP, USER), BOB} if blind else {(GROUP, USER)})
    declared.control.clear_faults()
    declared.delete()
    assert declared.members() == set()


def test_what_is_wanted_again_is_not_revoked_first(ready: World) -> None:
    """An update that failed is repeated: what it may have granted is looked at, and taken as its own."""
    ready.control.add_fault("cut", operation=ASSOCIATE, when="after", count=5)
    ready.control.add_fault("error", operation=LOOK, error_code="AccessDeniedException", skip=1)
    with pytest.raises(AssociationError):
        ready.update(ready.id(), ready.identity(user="bob"))

    assert ready.update(ready.id(), ready.identity(user="bob")).how is How.CREATED
    assert DISASSOCIATE not in ready.calls()
    assert ready.effects(ASSOCIATE) == 1


@pytest.mark.parametrize(("taken", "stays"), [(True, True), (None, True), (False, False)])
def test_an_answer_is_asked_for_that_the_next_request_does_not_name(
    ready: World, taken: bool | None, stays: bool
) -> None:
    """The next request still names alice, so bob's id was not taken, unless the stack says so or cannot be asked."""
    ready.update(ready.id(), ready.identity(user="bob"))
    ready.host.taken = taken

    ready.update(ready.id(), ready.identity())

    assert ready.host.asked == ["took"]
    assert (BOB in ready.members()) is stays
    assert ready.host.warnings == (["may-remain"] if taken is None else [])


def test_the_clean_up_of_a_replacement_asks_once_and_drops_the_old_one(ready: World) -> None:
    """Its Delete names the old id while the newest answer names the new one."""
    ready.update(ready.id(), ready.identity(user="bob"))

    assert ready.delete(ready.id()) is Removal.REVOKED
    assert ready.host.asked == ["took"]
    assert ready.members() == {BOB}
    assert ready.holds() == {ready.id(user="bob"): HoldState.SEEN}


def test_a_question_that_is_throttled_is_put_off_without_a_warning(
    ready: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The mark stays for the next request, which asks again."""
    ready.update(ready.id(), ready.identity(user="bob"))

    def throttled(id_text: str, since: float) -> bool:
        raise Throttling(f"{id_text} cannot be asked for since {since}")

    with monkeypatch.context() as patch:
        patch.setattr(ready.host, "took", throttled)
        ready.delete(ready.id())
    assert ready.holds() == {ready.id(user="bob"): HoldState.ASK}
    assert ready.host.warnings == []

    ready.host.taken = False
    ready.delete(marker("Membership"))
    assert ready.members() == set()


def test_a_definite_rejection_leaves_nothing(declared: World) -> None:
    """Refused at once: the ledger says again what it said before."""
    declared.control.add_fault("answer", operation=ASSOCIATE, status=400, error_code="ValidationException", body="{}")

    with pytest.raises(InvalidRequest) as caught:
        declared.update(declared.id(), declared.identity(user="bob"))

    assert not caught.value.outcome_unknown
    assert declared.holds() == {declared.id(): HoldState.SEEN}


def test_an_update_to_a_foreign_membership_is_refused(declared: World) -> None:
    """Others granted what the update wants: AlreadyExists, and theirs is neither taken nor revoked."""
    declared.grant_as_others_do(*BOB)

    with pytest.raises(AlreadyExists):
        declared.update(declared.id(), declared.identity(user="bob"))

    assert declared.writes() == []
    assert declared.members() == {(GROUP, USER), BOB}


def test_healing_waits_out_a_service_that_fails(ready: World) -> None:
    """Looks that fail for a while delay a healing and do not fail it: its reverse would block the whole stack."""
    ready.control.add_fault("internal_error", operation=LOOK, count=12)

    granted = ready.update(ready.id(), ready.identity(), heal=True)

    assert granted.id.text == ready.id()
    assert ready.members() == {(GROUP, USER)}


def test_healing_after_the_services_end_keeps_the_resource(ready: World) -> None:
    """A service that has ended can grant nothing again; the update succeeds with a warning instead of blocking."""
    page = {"status": 404, "body": "<html>gone</html>", "content_type": "text/html"}
    ready.control.advance(400 * 86_400)
    ready.control.add_fault("answer", count=None, **page)  # type: ignore[arg-type]

    assert ready.update(ready.id(), ready.identity(), heal=True).how is How.KEPT
    assert "not-seen" in ready.host.warnings


def test_a_reverse_update_waits_out_a_service_that_fails(ready: World) -> None:
    """The first look of an update to another identity is repeated while the service fails, as a rollback needs it."""
    ready.control.add_fault("internal_error", operation=LOOK, count=12)

    granted = ready.update(ready.id(), ready.identity(user="bob"))

    assert granted.how is How.CREATED
    assert BOB in ready.members()
