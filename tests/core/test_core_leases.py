"""Leases: one delivery at a time works on an association, and none works under a lease that it lost."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import botocore.endpoint
import pytest

from aws_associations.errors import AlreadyExists, AssociationError, LeaseLost, NotStabilized, ServiceUnavailable
from aws_associations.lifecycle import How, OnExisting, Removal
from aws_associations.records import Association, ClaimState, HoldState, association_key
from aws_associations.service import LONGEST_CALL
from aws_associations.work import LEASE_SECONDS
from tests.core.world import ASSOCIATE, DISASSOCIATE, EXCHANGE, GROUP, LOOK, USER, World, after_seconds


class Killed(BaseException):
    """The process of a worker ends: nothing of it runs any more."""


def kill_at(world: World, monkeypatch: pytest.MonkeyPatch, operation: str, when: str) -> None:
    """The next call of the operation kills its worker, before or after its effect."""
    call, pending = world.services.call, [operation]

    def killing(kind: Any, identity: Any, operation: str, *more: Any) -> dict[str, Any]:
        dies = pending == [operation]
        if dies:
            pending.clear()
        if dies and when == "before":
            raise Killed
        answer = call(kind, identity, operation, *more)
        if dies:
            raise Killed
        return answer

    monkeypatch.setattr(world.services, "call", killing)


def steal(world: World, seconds: float = LEASE_SECONDS) -> None:
    """This worker oversleeps, and another delivery takes the lease for so long."""
    world.control.advance(LEASE_SECONDS)
    (record,) = world.ledger.read(association_key(world.identity()))
    stolen = Association.of(record.content).leased("another", world.control.now() + seconds)
    world.ledger.write(replace(record, content=stolen.content))


@pytest.mark.parametrize("slow", ["look", "status", "retry"])
def test_no_call_starts_unless_its_longest_time_fits_the_lease(
    inner: World, monkeypatch: pytest.MonkeyPatch, slow: str
) -> None:
    """The lease is renewed before each attempt, the SDK's own retries included, however long the waits are."""

    class Slowly:
        def sleep(self, _: float) -> None:
            inner.control.advance(40)

    if slow == "status":
        inner.control.configure(addition_seconds=240, removal_seconds=240)
    else:
        monkeypatch.setattr(botocore.endpoint, "time", Slowly())
        for operation in (LOOK,) if slow == "look" else (ASSOCIATE, DISASSOCIATE):
            inner.control.add_fault("internal_error", operation=operation, count=4)

    inner.create(inner.request(seconds=900))
    inner.control.advance(LEASE_SECONDS)
    inner.delete(request=inner.request(seconds=900))

    calls = [entry.time for entry in inner.control.journal() if entry.operation != EXCHANGE]
    assert len(calls) > 8
    for time in calls:
        until = max(end for written, end in inner.ledger.leases if written <= time)
        assert until - time >= LONGEST_CALL


def test_a_lease_is_free_after_the_request(inner: World) -> None:
    """Granted, refused or revoked: whoever comes next does not wait."""
    inner.create()
    with pytest.raises(AlreadyExists):
        inner.create(inner.request(stack="other"))
    begun = inner.clock.now()
    inner.delete()

    assert inner.clock.now() == begun
    assert inner.association() == Association()


@pytest.mark.parametrize("when", ["before", "after"])
def test_the_lease_of_a_killed_worker_is_waited_for_only_until_it_ends(
    inner: World, monkeypatch: pytest.MonkeyPatch, when: str
) -> None:
    """The next delivery of the request goes on where the first one died, some seconds later."""
    kill_at(inner, monkeypatch, ASSOCIATE, when)
    with pytest.raises(Killed):
        inner.create(inner.request("r1"))
    begun = inner.clock.now()

    assert inner.create(inner.request("r1")).how is How.CREATED
    assert LEASE_SECONDS - 1 <= inner.clock.now() - begun <= LEASE_SECONDS + 3
    assert inner.effects(ASSOCIATE) == 1


def test_what_a_killed_create_granted_goes_with_the_rollback(inner: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """CloudFormation gives up the create, and its Delete has an id that we never answered."""
    kill_at(inner, monkeypatch, ASSOCIATE, "after")
    with pytest.raises(Killed):
        inner.create()
    assert inner.members() == {(GROUP, USER)}

    inner.delete("mystack-Membership-1ABC2DEF")

    assert inner.members() == set()
    assert inner.holds() == {}


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_killed_removal_is_done_by_the_next_delivery(
    inner: World, monkeypatch: pytest.MonkeyPatch, when: str
) -> None:
    """It repeats the same token, and ends as the first one would have."""
    text = inner.create().id.text
    kill_at(inner, monkeypatch, DISASSOCIATE, when)
    with pytest.raises(Killed):
        inner.delete(text, inner.request("d1"))

    assert inner.delete(text, inner.request("d1")) in {Removal.REVOKED, Removal.ABSENT}
    assert inner.members() == set()
    assert len({*inner.tokens(DISASSOCIATE)}) == 1


def test_a_removal_that_may_be_under_way_does_not_count_as_a_claim(
    inner: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its worker was killed: another stack grants it anew instead of sharing what may soon be gone."""
    kill_at(inner, monkeypatch, DISASSOCIATE, "after")
    inner.create()
    with pytest.raises(Killed):
        inner.delete()
    (claim,) = inner.association().claims.values()
    assert claim.state is ClaimState.DROPPING

    assert inner.create(inner.request(stack="other")).how is How.CREATED
    assert inner.members() == {(GROUP, USER)}
    assert inner.delete() is Removal.RELEASED


def test_who_waits_for_a_lease_says_so_and_ends_in_time(inner: World) -> None:
    """Another delivery works on it until the deadline: an error that says so, and nothing was sent."""
    inner.create(inner.request(stack="other"))
    steal(inner, 1000)
    sent = len(inner.calls())

    with pytest.raises(NotStabilized, match="at work for another request"):
        inner.create(inner.request(seconds=30), on_existing=OnExisting.ADOPT)
    assert len(inner.calls()) == sent


@pytest.mark.parametrize(("times", "granted"), [(1, True), (2, True), (3, False)])
def test_a_worker_that_overslept_starts_over_at_most_three_times(
    inner: World, monkeypatch: pytest.MonkeyPatch, times: int, granted: bool
) -> None:
    """What it decided counts no more; each time it reads the ledger and looks again."""
    left = iter(range(times))
    sleep = inner.clock.sleep

    def sleeps(seconds: float) -> None:
        sleep(seconds)
        (record,) = inner.ledger.read(association_key(inner.identity()))
        if Association.of(record.content).holder != "another" and next(left, None) is not None:
            steal(inner)

    monkeypatch.setattr(inner.clock, "sleep", sleeps)
    inner.grant_as_others_do()
    inner.revoke_as_others_do(seconds=600)

    if granted:
        assert inner.create(inner.request(seconds=1500)).how is How.CREATED
    else:
        with pytest.raises(LeaseLost):
            inner.create(inner.request(seconds=1500))
        assert inner.writes() == []
    assert next(left, None) is None


def test_a_worker_that_overslept_writes_nothing(inner: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """It had looked, and another stack granted and left again while it slept: it looks anew before it writes."""
    inner.grant_as_others_do()
    inner.revoke_as_others_do(seconds=10)

    def oversleep() -> None:
        inner.control.advance(LEASE_SECONDS)
        inner.create(inner.request(stack="other"))

    after_seconds(inner, monkeypatch, 1, oversleep)

    with pytest.raises(AlreadyExists, match="stack other"):
        inner.create()
    assert inner.effects(ASSOCIATE) == 1


def test_a_worker_that_lost_its_lease_after_a_lost_associate_still_says_that_something_may_remain(
    inner: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It starts over and fails at once: the host must undo what its first try may have granted."""
    inner.control.add_fault("cut", operation=ASSOCIATE, when="after", count=5)
    after_seconds(inner, monkeypatch, 8, lambda: steal(inner, 1))
    inner.control.add_fault("error", operation=LOOK, skip=1, error_code="AccessDeniedException", status=403, count=None)

    with pytest.raises(AssociationError) as caught:
        inner.create()

    assert caught.value.outcome_unknown
    assert inner.holds() == {inner.id(): HoldState.PENDING}


def remove_unseen(world: World) -> None:
    """A Delete whose disassociate is accepted, and of which no look is answered."""
    world.control.add_fault("error", operation=LOOK, error_code="AccessDeniedException", status=403, count=None)
    with pytest.raises(AssociationError):
        world.delete()
    world.control.clear_faults()
    assert {claim.state for claim in world.association().claims.values()} == {ClaimState.DROPPED}


def test_nobody_looks_before_an_accepted_removal_had_time_to_show(inner: World) -> None:
    """The list lags, and the Delete could not look: a Create that follows at once does not take it for present."""
    inner.create()
    inner.control.advance(60)
    inner.control.configure(list_lag_seconds=4)
    remove_unseen(inner)

    assert inner.create(inner.request(stack="other")).how is How.CREATED
    assert inner.members() == {(GROUP, USER)}
    assert inner.effects(ASSOCIATE) == 2


def test_what_others_grant_after_an_accepted_removal_is_theirs(inner: World) -> None:
    """The removal was accepted and is over: what is there is foreign, to a create that fails and to one that adopts."""
    inner.create()
    remove_unseen(inner)
    inner.control.advance(LEASE_SECONDS)
    inner.grant_as_others_do()

    with pytest.raises(AlreadyExists):
        inner.create()
    assert inner.create(on_existing=OnExisting.ADOPT).id.adopted


@pytest.mark.parametrize("operation", [ASSOCIATE, DISASSOCIATE])
def test_no_look_is_believed_before_a_lost_write_can_arrive_no_more(inner: World, operation: str) -> None:
    """It may take effect until its longest time is over; only then the look decides."""
    if operation == DISASSOCIATE:
        inner.create()
    inner.control.add_fault("cut", operation=operation, when="after", count=5)
    begun = inner.clock.now()
    inner.create() if operation == ASSOCIATE else inner.delete()

    calls = [(entry.operation, entry.time) for entry in inner.control.journal() if entry.time >= begun]
    lost = max(time for name, time in calls if name == operation)
    assert min(time for name, time in calls if name == LOOK and time > lost) >= lost + LONGEST_CALL


def test_the_lease_of_a_lost_write_is_not_freed_before(inner: World) -> None:
    """The time was over before the write could no more arrive: nobody works on it until then."""
    inner.control.add_fault("cut", operation=ASSOCIATE, count=5)
    with pytest.raises(ServiceUnavailable, match="could not be seen afterwards") as caught:
        inner.create(inner.request(seconds=10))
    assert caught.value.outcome_unknown
    lost = max(entry.time for entry in inner.control.journal(ASSOCIATE))
    sent = len(inner.control.journal())

    inner.delete("mystack-Membership-1ABC2DEF")

    assert inner.control.journal()[sent].time >= lost + LONGEST_CALL


@pytest.mark.parametrize("settled", [True, False])
def test_an_older_request_that_is_delivered_late_is_refused(inner: World, settled: bool) -> None:
    """The host has moved on: by an id in the record, or by a signing time before the newest Delete."""
    late = inner.request("late", age=60)
    if settled:
        inner.delete(inner.create().id.text)
    else:
        inner.create()
    sent = len(inner.calls())

    with pytest.raises(AssociationError, match="no longer waits"):
        inner.create(late)
    assert len(inner.calls()) == sent


def test_a_create_that_a_delete_overtakes_stops(inner: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """CloudFormation gave it up while it waited: it writes nothing more, and the Delete leaves nothing."""
    inner.grant_as_others_do()
    inner.revoke_as_others_do(seconds=20)
    after_seconds(inner, monkeypatch, 1, lambda: inner.delete("mystack-Membership-1ABC2DEF"))

    with pytest.raises(AssociationError, match="no longer waits"):
        inner.create()
    assert inner.writes() == []
    assert inner.holds() == {}


def test_a_service_that_fails_leaves_no_lease(inner: World) -> None:
    """Whatever call failed: the next request begins at once."""
    for operation in (LOOK, ASSOCIATE):
        inner.control.add_fault("error", operation=operation, error_code="ValidationException")
        with pytest.raises(AssociationError):
            inner.create()
    inner.create()
    inner.control.add_fault("internal_error", operation=LOOK, count=None)
    with pytest.raises(ServiceUnavailable):
        inner.update(inner.id(), inner.identity(), heal=True)

    assert inner.association().holder == ""
