"""A ledger that does not answer: nothing is written to the service, and the next request settles what was begun."""

from __future__ import annotations

import pytest

from aws_associations.errors import LedgerUnavailable
from aws_associations.identity import marker
from aws_associations.lifecycle import How, Removal
from aws_associations.records import HoldState
from tests.core.world import ASSOCIATE, DISASSOCIATE, GROUP, USER, World

READ, OPEN, ASKED, CLOSE = range(4)
"""The round trips of a create."""

ended = pytest.mark.parametrize("when", ["before", "after"])


def test_an_ordinary_create_makes_four_round_trips(inner: World) -> None:
    """Read, open with the lease, the claim before the write, and close."""
    inner.create()

    assert inner.ledger.trips == ["read", "write", "write", "write"]


def test_an_update_to_another_identity_makes_four_round_trips(inner: World) -> None:
    """The same as a create: what the resource holds is in the record that was read."""
    inner.add(GROUP, "bob")
    inner.create()
    inner.ledger.trips.clear()

    inner.update(inner.id(), inner.identity(user="bob"))

    assert inner.ledger.trips == ["read", "write", "write", "write"]


@pytest.mark.parametrize("replaced", [False, True])
def test_a_delete_makes_three_round_trips(inner: World, replaced: bool) -> None:
    """Read, open with the lease and the mark that it is being dropped, and close."""
    inner.add(GROUP, "bob")
    inner.create()
    if replaced:
        inner.update(inner.id(), inner.identity(user="bob"))
    inner.ledger.trips.clear()

    assert inner.delete() is Removal.REVOKED
    assert inner.ledger.trips == ["read", "write", "write"]


def test_a_repeated_request_makes_one_round_trip(inner: World) -> None:
    """Its answer is recorded."""
    inner.create(inner.request("r1"))
    inner.ledger.trips.clear()

    inner.create(inner.request("r1"))

    assert inner.ledger.trips == ["read"]


def test_an_unchanged_update_makes_three_round_trips(inner: World) -> None:
    """Read, open, and close."""
    inner.create()
    inner.ledger.trips.clear()

    inner.update(inner.id(), inner.identity())

    assert inner.ledger.trips == ["read", "write", "write"]


@pytest.mark.parametrize(
    ("trip", "when"), [(READ, "before"), (OPEN, "before"), (OPEN, "after"), (ASKED, "before"), (ASKED, "after")]
)
def test_nothing_is_granted_before_the_ledger_has_it(world: World, trip: int, when: str) -> None:
    """Whichever round trip before the associate fails, the service hears of no write, and the error says why."""
    world.ledger.fail(trip, when=when)

    with pytest.raises(LedgerUnavailable, match=r"^creating .* the ledger did not answer") as caught:
        world.create()

    assert world.writes() == []
    assert "settled then" in caught.value.advice


@pytest.mark.parametrize(
    ("trip", "when", "left"),
    [
        (READ, "before", {}),
        (OPEN, "before", {}),
        (OPEN, "after", {}),
        (ASKED, "before", {}),
        (ASKED, "after", HoldState.PENDING),
        (CLOSE, "before", HoldState.PENDING),
        (CLOSE, "after", HoldState.HELD),
    ],
)
def test_the_same_create_goes_on_where_the_ledger_failed(
    inner: World, trip: int, when: str, left: HoldState | dict[str, HoldState]
) -> None:
    """Delivered again it ends as created, by one grant, whatever was recorded before."""
    inner.ledger.fail(trip, when=when)
    with pytest.raises(LedgerUnavailable):
        inner.create(inner.request("r1"))
    assert inner.holds() == ({inner.id(): left} if left else {})

    assert inner.create(inner.request("r1")).how is How.CREATED
    assert inner.effects(ASSOCIATE) == 1
    assert inner.holds() == {inner.id(): HoldState.HELD}


@ended
@pytest.mark.parametrize("trip", [READ, OPEN, ASKED, CLOSE])
def test_the_rollback_of_a_create_whose_ledger_failed_leaves_nothing(inner: World, trip: int, when: str) -> None:
    """Its Delete has the marker, and the stack took no other id: what was granted is revoked."""
    inner.host.taken = False
    inner.ledger.fail(trip, when=when)
    with pytest.raises(LedgerUnavailable):
        inner.create()

    inner.delete(marker("Membership"))

    assert inner.members() == set()
    assert inner.holds() == {}


@ended
@pytest.mark.parametrize("trip", [0, 1])
def test_nothing_is_revoked_before_the_ledger_has_it(world: World, trip: int, when: str) -> None:
    """The Delete fails, and is tried again."""
    text = world.create().id.text
    world.ledger.fail(trip, when=when)

    with pytest.raises(LedgerUnavailable, match=r"^deleting "):
        world.delete(text)
    assert DISASSOCIATE not in world.calls()
    assert world.members() == {(GROUP, USER)}
    assert world.delete(text) is Removal.REVOKED


@ended
def test_a_removal_that_was_not_recorded_is_repeated_in_vain(inner: World, when: str) -> None:
    """It is delivered again: the same token, or the recorded answer, and success."""
    text = inner.create().id.text
    inner.ledger.fail(2, when=when)
    with pytest.raises(LedgerUnavailable):
        inner.delete(text, inner.request("d1"))

    assert inner.delete(text, inner.request("d1")) in {Removal.REVOKED, Removal.ABSENT}
    assert inner.members() == set()
    assert inner.effects(DISASSOCIATE) == 1


def test_a_failure_that_cannot_be_recorded_is_the_error_all_the_same(inner: World) -> None:
    """The service refused it, and the ledger does not answer: the user reads what the service said."""
    inner.control.add_fault("error", operation=ASSOCIATE, error_code="ValidationException")
    inner.ledger.fail(CLOSE)

    with pytest.raises(Exception, match="ValidationException"):
        inner.create()
    assert inner.host.noted("not-recorded")
    assert inner.create().how is How.CREATED


def test_a_resource_that_the_ledger_has_lost_is_kept_and_deleted(inner: World) -> None:
    """The table is new: an update and a delete believe the id that the stack has."""
    inner.add(GROUP, "bob")
    text = inner.create().id.text
    inner.lose_ledger()

    assert inner.update(text, inner.identity()).how is How.KEPT
    assert inner.holds() == {text: HoldState.SEEN}
    inner.lose_ledger()
    assert inner.update(text, inner.identity(user="bob")).how is How.CREATED
    inner.lose_ledger()
    assert inner.delete(text) is Removal.REVOKED
    assert inner.members() == {(GROUP, "bob")}
