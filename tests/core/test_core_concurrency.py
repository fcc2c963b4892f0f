"""Threads: one lifecycle serves them all, and a race for one membership has a known end."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest

from aws_associations.errors import AlreadyExists
from aws_associations.identity import AssociationId
from aws_associations.lifecycle import How, Removal
from tests.core.world import ASSOCIATE, DISASSOCIATE, EXCHANGE, GROUP, USER, World

USERS = [f"user{number}" for number in range(8)]


@pytest.fixture(autouse=True)
def waits_let_others_run(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever waits for a lease lets its holder get on: a sleep that costs no time would outrun the other thread."""
    sleep = world.clock.sleep

    def sleeps(seconds: float) -> None:
        sleep(seconds)
        time.sleep(0.05)

    monkeypatch.setattr(world.clock, "sleep", sleeps)


def test_threads_create_and_delete_different_memberships(world: World) -> None:
    """Eight threads, one lifecycle: each grants and revokes its own, with one exchange of credentials for all."""
    for user in USERS:
        world.add(GROUP, user)
    start = Barrier(len(USERS))

    def grant(user: str) -> str:
        start.wait()
        granted = world.create(world.request(owner=user), identity=world.identity(user=user))
        assert granted.how is How.CREATED
        return granted.id.text

    with ThreadPoolExecutor(len(USERS)) as threads:
        ids = list(threads.map(grant, USERS))
        assert world.members() == {(GROUP, user) for user in USERS}
        assert ids == [AssociationId(world.identity(user=user)).text for user in USERS]
        requests = [world.request(owner=user) for user in USERS]
        assert set(threads.map(world.delete, ids, requests)) == {Removal.REVOKED}

    assert world.members() == set()
    assert len(world.control.journal(EXCHANGE)) == 1


def test_two_stacks_race_for_one_membership(world: World) -> None:
    """The lease lets one of them work at a time: one grants it, and the other is told who did."""
    start = Barrier(2)

    def grant(stack: str) -> object:
        start.wait()
        try:
            return world.create(world.request(stack=stack)).how
        except AlreadyExists as error:
            return "not known" if error.outcome_unknown else AlreadyExists

    with ThreadPoolExecutor(2) as threads:
        ends = list(threads.map(grant, ["one", "other"]))

    assert sorted(ends, key=str) == sorted([How.CREATED, AlreadyExists], key=str)
    assert world.members() == {(GROUP, USER)}
    assert world.effects(ASSOCIATE) == 1


def test_two_resources_of_a_stack_race_for_one_membership(world: World) -> None:
    """One grants it, the other one shares it; deleted at the same time, the last one revokes."""
    names = ["A", "B"]
    start = Barrier(2)

    def grant(name: str) -> How:
        start.wait()
        return world.create(world.request(owner=name)).how

    def revoke(name: str) -> Removal:
        start.wait()
        return world.delete(request=world.request(owner=name))

    with ThreadPoolExecutor(2) as threads:
        assert set(threads.map(grant, names)) == {How.CREATED, How.SHARED}
        assert set(threads.map(revoke, names)) == {Removal.RELEASED, Removal.REVOKED}

    assert world.members() == set()
    assert world.effects(ASSOCIATE) == world.effects(DISASSOCIATE) == 1


def test_two_deliveries_of_one_request_grant_once(world: World) -> None:
    """They take turns under the lease: granted once, and both give the same answer."""
    with ThreadPoolExecutor(2) as threads:
        first, second = threads.map(lambda _: world.create(world.request("r1")), range(2))

    assert first == second
    assert world.calls().count(ASSOCIATE) == 1
