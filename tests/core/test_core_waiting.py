"""Lists that lag, statuses that take time, pages: what is seen decides, and a wait has an end."""

from __future__ import annotations

import itertools
from typing import Any

import pytest

from aws_associations.errors import AssociationError, NotStabilized
from aws_associations.lifecycle import How, Removal
from aws_associations.records import HoldState
from aws_associations.waiting import delays
from tests.core.world import ASSOCIATE, GROUP, LOOK, USER, World


@pytest.mark.parametrize("duplicate", ["conflict", "succeed"])
@pytest.mark.parametrize("again", ["within the window", "after the window"])
def test_a_list_far_behind_ends_as_created(inner: World, duplicate: Any, again: str) -> None:
    """A list 20 seconds behind hides the grant until it has caught up: created, never AlreadyExists, never foreign."""
    inner.control.configure(list_lag_seconds=20, duplicate_associate=duplicate)
    assert inner.create().how is How.CREATED

    inner.control.advance(30 if again == "within the window" else 700)
    inner.delete()
    inner.control.advance(30)
    assert inner.members() == set()

    assert inner.create().how is How.CREATED
    assert inner.members() == {(GROUP, USER)}


def test_a_list_far_behind_the_deadline_leaves_the_outcome_unknown(inner: World) -> None:
    """Granted, and the list never shows it in time: the ledger keeps what may remain."""
    inner.control.configure(list_lag_seconds=100)

    with pytest.raises(AssociationError) as caught:
        inner.create(inner.request(seconds=30))

    assert caught.value.outcome_unknown
    assert inner.holds() == {inner.id(): HoldState.PENDING}


@pytest.mark.parametrize("lag", [0.0, 3.0])
def test_an_addition_is_waited_for(world: World, lag: float) -> None:
    """A create returns when the addition has succeeded, not when it was accepted."""
    world.control.configure(addition_seconds=45, list_lag_seconds=lag)
    start = world.clock.now()

    assert world.create().status == "ADDITION_SUCCESS"
    assert 45 + lag <= world.clock.now() - start < 60
    assert world.effects(ASSOCIATE) == 1


def test_a_create_that_waited_in_vain_for_a_removal_wrote_nothing(inner: World) -> None:
    """The removal outlasts the deadline: NotStabilized that names it, and nothing of this create remains."""
    inner.grant_as_others_do()
    inner.revoke_as_others_do(seconds=10_000)

    with pytest.raises(NotStabilized, match="the last status seen was REMOVAL_IN_PROGRESS") as caught:
        inner.create(inner.request(seconds=30))

    assert not caught.value.outcome_unknown
    assert inner.holds() == {}
    assert inner.writes() == []


@pytest.mark.parametrize("non_member", ["not_found", "conflict", "succeed"])
@pytest.mark.parametrize("during_removal", ["conflict", "succeed"])
def test_a_delete_joins_a_removal_in_progress(inner: World, non_member: Any, during_removal: Any) -> None:
    """Others began to revoke it: the delete waits with them until it is gone."""
    inner.control.configure(disassociate_non_member=non_member, disassociate_during_removal=during_removal)
    inner.grant_as_others_do()
    inner.revoke_as_others_do(seconds=45)

    assert inner.delete() is Removal.REVOKED
    assert inner.members() == set()


def test_a_membership_behind_many_pages_is_found_and_the_paging_stops_there(world: World) -> None:
    """The look pages until the match and no further, and compares exactly."""
    for group in ("analyst", "analystss", "Analysts", "zebra"):
        world.add(group, USER)
        world.grant_as_others_do(group)
    world.control.configure(page_size=1)
    assert world.read() is None
    world.grant_as_others_do()
    world.control.clear_journal()

    assert world.read() is not None
    assert world.calls() == [LOOK] * 3  # "Analysts", "analyst", "analysts" in the order of the service


def test_delays_grow_and_spread() -> None:
    """Waiters ask often at first and seldom later, at most every few seconds, and not all at the same moment."""
    many = [[delay for delay, _ in zip(delays(), range(20), strict=False)] for _ in range(50)]

    means = [sum(column) / len(many) for column in zip(*many, strict=True)]
    assert means[0] < 0.3
    assert all(later > earlier for earlier, later in itertools.pairwise(means[:6]))
    assert 3.75 <= min(delays_[-1] for delays_ in many) <= max(delays_[-1] for delays_ in many) <= 6.25
    assert len({delays_[-1] for delays_ in many}) > 40
