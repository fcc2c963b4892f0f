"""Threads: one lifecycle serves them all, and a race for one membership has a known end."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest

from aws_associations.errors import AlreadyExists
from aws_associations.identity import AssociationId, Identity
from aws_associations.lifecycle import How, Removal
from aws_associations.look import Sighting, look
from aws_associations.service import Services
from aws_associations.waiting import Deadline
from tests.core.world import ASSOCIATE, EXCHANGE, GROUP, USER, World

USERS = [f"user{number}" for number in range(8)]


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
        assert set(threads.map(world.delete, ids)) == {Removal.REVOKED}

    assert world.members() == set()
    assert len(world.control.journal(EXCHANGE)) == 1


@pytest.mark.parametrize("duplicate", ["conflict", "succeed"])
def test_two_owners_race_for_one_membership(world: World, duplicate: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both look before either writes: one gets AlreadyExists if duplicates conflict, else both believe they did it."""
    world.control.configure(duplicate_associate=duplicate)
    world.read()
    both_looked, looks = Barrier(2, timeout=20), []

    def looking(services: Services, identity: Identity, deadline: Deadline) -> Sighting:
        seen = look(services, identity, deadline)
        looks.append(seen)
        if len(looks) <= 2:
            both_looked.wait()
        return seen

    monkeypatch.setattr("aws_associations.creation.look", looking)

    def grant(owner: str) -> object:
        try:
            return world.create(world.request(owner=owner)).how
        except AlreadyExists as error:
            return "unknown" if error.outcome_unknown else AlreadyExists

    with ThreadPoolExecutor(2) as threads:
        ends = list(threads.map(grant, ["A", "B"]))

    assert world.members() == {(GROUP, USER)}
    assert world.effects(ASSOCIATE) == 1
    expected = [How.CREATED, AlreadyExists] if duplicate == "conflict" else [How.CREATED, How.CREATED]
    assert sorted(ends, key=str) == sorted(expected, key=str)


def test_one_owner_racing_with_itself_grants_once(world: World) -> None:
    """Two deliveries of one request at the same time send the same token: granted once, and neither fails."""
    with ThreadPoolExecutor(2) as threads:
        world.host.intent = True
        ends = list(threads.map(lambda _: world.create(world.request("r1")).how, range(2)))

    assert ends == [How.CREATED, How.CREATED]
    assert world.effects(ASSOCIATE) == 1
