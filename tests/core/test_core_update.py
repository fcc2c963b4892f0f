"""Update: the same identity is kept, another one is granted, and what did not succeed is undone."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from aws_associations.errors import AccessDenied, AlreadyExists, AssociationError, ServiceUnavailable
from aws_associations.host import Holder, Holders
from aws_associations.identity import marker
from aws_associations.lifecycle import How, OnExisting
from tests.core.world import ASSOCIATE, DISASSOCIATE, ENVIRONMENT, GROUP, LOOK, USER, World

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
@pytest.mark.parametrize("adopted", [False, True])
def test_the_same_identity_echoes_the_id_and_writes_nothing(declared: World, heal: bool, adopted: bool) -> None:
    """Whatever else changed, and even if it was adopted: the same id text, one look, no associate."""
    current = declared.id(adopted=adopted)

    granted = declared.update(current, declared.identity(), heal=heal, on_existing=OnExisting.ADOPT)

    assert granted.id.text == current
    assert granted.how is How.KEPT
    assert granted.status == "ADDITION_SUCCESS"
    assert declared.calls() == [LOOK]


def test_healing_grants_again_what_is_gone(declared: World) -> None:
    """Revoked by others, asked to heal: granted again under the same id, within the window of the first token too."""
    declared.revoke_as_others_do()

    granted = declared.update(declared.id(), declared.identity(), heal=True)

    assert granted.id.text == declared.id()
    assert granted.how is How.KEPT
    assert granted.status == "ADDITION_SUCCESS"
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


def test_healing_that_meets_anothers_grant_is_satisfied(ready: World) -> None:
    """Others grant it between our look and our write: declared by us already, so no AlreadyExists."""
    ready.control.add_fault("answer", operation=LOOK, status=200, body="{}")
    ready.control.advance(700)

    assert ready.update(ready.id(), ready.identity(), heal=True).how is How.KEPT


def test_without_healing_a_lost_grant_is_warned_of_and_left(declared: World) -> None:
    """An unchanged declaration grants nothing again, but an operator can see that it should be there."""
    declared.revoke_as_others_do()

    granted = declared.update(declared.id(), declared.identity())

    assert granted.id.text == declared.id()
    assert granted.status == ""
    assert "declared-but-not-granted" in declared.host.warnings
    assert declared.writes() == []
    assert declared.members() == set()


@pytest.mark.parametrize("heal", [False, True])
def test_a_look_that_fails_fails_only_a_healing(ready: World, heal: bool) -> None:
    """A reverse update in a rollback must not fail for want of a look that nobody asked for; a healing must."""
    ready.control.add_fault("internal_error", operation=LOOK, count=None)

    if heal:
        with pytest.raises(ServiceUnavailable, match=r"^updating") as caught:
            ready.update(ready.id(), ready.identity(), heal=True)
        assert not caught.value.outcome_unknown
    else:
        assert ready.update(ready.id(), ready.identity()).id.text == ready.id()
        assert "not-seen" in ready.host.warnings


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


def test_an_update_restores_the_hosts_deadline(ready: World) -> None:
    """An update gives its create a part of the time; the request has the whole again afterwards."""
    request = ready.request()
    whole = request.deadline

    ready.update(ready.id(), ready.identity(user="bob"), request)

    assert request.deadline is whole


def test_an_update_keeps_a_quarter_of_its_time_for_the_undo(ready: World) -> None:
    """A grant that does not come within three quarters of the time is undone in the last quarter."""
    ready.control.configure(addition_seconds=10_000, removal_seconds=5)
    start = ready.clock.now()

    with pytest.raises(AssociationError) as caught:
        ready.update(ready.id(), ready.identity(user="bob"), ready.request(seconds=100))

    assert not caught.value.outcome_unknown
    assert 75 <= ready.clock.now() - start <= 100
    assert BOB not in ready.members()


@pytest.mark.parametrize("when", ["before", "after"])
def test_an_unknown_outcome_is_undone(declared: World, when: Any) -> None:
    """The associate was lost and cannot be seen either: revoked, and then nothing remains and the error is definite."""
    declared.control.add_fault("cut", operation=ASSOCIATE, when=when, count=None)
    declared.control.add_fault("error", operation=LOOK, error_code="AccessDeniedException", skip=1)
    request = declared.request()

    with pytest.raises(AssociationError) as caught:
        declared.update(declared.id(), declared.identity(user="bob"), request)

    assert not caught.value.outcome_unknown
    assert "not known" not in str(caught.value)
    assert request.may_exist is None
    assert declared.host.noted("undone")
    assert declared.members() == {(GROUP, USER)}


def test_an_undo_that_fails_leaves_the_outcome_unknown(declared: World) -> None:
    """Neither the grant nor its undo can be seen: the new membership may remain, and a warning names it."""
    declared.control.add_fault("cut", operation=ASSOCIATE, when="after", count=None)
    declared.control.add_fault("throttled", operation=LOOK, skip=1, count=None)
    declared.control.add_fault("cut", operation=DISASSOCIATE, count=None)
    request = declared.request()

    with pytest.raises(AssociationError) as caught:
        declared.update(declared.id(), declared.identity(user="bob"), request)

    assert caught.value.outcome_unknown
    assert request.may_exist == declared.identity(user="bob")
    assert "may-remain" in declared.host.warnings
    assert BOB in declared.members()


def test_an_undo_by_a_request_that_is_over_removes_nothing(ready: World) -> None:
    """Nobody waits any more: what an unknown outcome may have granted is left, warned of, and stays unknown."""
    ready.control.add_fault("cut", operation=ASSOCIATE, when="after", count=None)
    ready.control.add_fault("throttled", operation=LOOK, skip=1, count=None)
    ready.host.lives = False

    with pytest.raises(AssociationError) as caught:
        ready.update(ready.id(), ready.identity(user="bob"))

    assert caught.value.outcome_unknown
    assert DISASSOCIATE not in ready.calls()
    assert "may-remain" in ready.host.warnings


def test_an_undo_spares_what_another_resource_holds(ready: World) -> None:
    """The unknown grant is one that another resource of the stack declares: nothing is revoked or left over."""
    ready.control.add_fault("cut", operation=ASSOCIATE, when="after", count=None)
    ready.control.add_fault("throttled", operation=LOOK, skip=1, count=None)
    ready.host.others = Holders((Holder("Bobs"),), (Holder("Bobs"),))

    with pytest.raises(AssociationError) as caught:
        ready.update(ready.id(), ready.identity(user="bob"))

    assert not caught.value.outcome_unknown
    assert DISASSOCIATE not in ready.calls()


def test_a_definite_rejection_is_not_undone(declared: World) -> None:
    """Denied at once: nothing to undo, nothing is disassociated."""
    declared.control.add_fault("answer", operation=ASSOCIATE, status=403, error_code="AccessDeniedException", body="{}")

    with pytest.raises(AccessDenied) as caught:
        declared.update(declared.id(), declared.identity(user="bob"))

    assert not caught.value.outcome_unknown
    assert DISASSOCIATE not in declared.calls()


def test_an_update_to_a_foreign_membership_is_refused(declared: World) -> None:
    """Others granted what the update wants: AlreadyExists, and theirs is neither taken nor revoked."""
    declared.grant_as_others_do(*BOB)

    with pytest.raises(AlreadyExists):
        declared.update(declared.id(), declared.identity(user="bob"))

    assert declared.writes() == []
    assert declared.members() == {(GROUP, USER), BOB}


def test_an_undone_membership_is_granted_by_the_next_deployment(ready: World) -> None:
    """Undone, then fixed and deployed again within the token window: granted, although the token is remembered."""
    ready.control.add_fault("error", operation=LOOK, error_code="AccessDeniedException", skip=1)
    with pytest.raises(AssociationError):
        ready.update(ready.id(), ready.identity(user="bob"))
    assert BOB not in ready.members()

    assert ready.update(ready.id(), ready.identity(user="bob")).how is How.CREATED
    assert BOB in ready.members()
    assert len(ready.control.memberships(ENVIRONMENT)) == 2


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

    assert ready.update(ready.id(), ready.identity(), heal=True).status == ""
    assert "not-seen" in ready.host.warnings


def test_an_undo_that_was_replayed_is_not_taken_for_one(ready: World) -> None:
    """The same request is delivered twice and each time undone: the second removal is a replay, and bob may remain."""

    def lose_the_looks(after_write: int) -> None:
        note, writes = type(ready.host).note, iter(range(1, 9))

        def hook(event: str, fields: Mapping[str, object], *, warning: bool = False) -> None:
            note(ready.host, event, fields, warning=warning)
            if event == "associating" and next(writes) == after_write:
                ready.control.add_fault("error", operation=LOOK, error_code="AccessDeniedException")

        ready.host.note = hook  # type: ignore[method-assign]

    lose_the_looks(after_write=1)
    with pytest.raises(AssociationError) as first:
        ready.update(ready.id(), ready.identity(user="bob"), ready.request("R"))
    assert not first.value.outcome_unknown
    assert BOB not in ready.members()

    lose_the_looks(after_write=2)
    with pytest.raises(AssociationError) as second:
        ready.update(ready.id(), ready.identity(user="bob"), ready.request("R"))

    assert second.value.outcome_unknown
    assert "may-remain" in ready.host.warnings
    assert BOB in ready.members()


def test_a_reverse_update_waits_out_a_service_that_fails(ready: World) -> None:
    """The first look of an update to another identity is repeated while the service fails, as a rollback needs it."""
    ready.control.add_fault("internal_error", operation=LOOK, count=12)

    granted = ready.update(ready.id(), ready.identity(user="bob"))

    assert granted.how is How.CREATED
    assert BOB in ready.members()
