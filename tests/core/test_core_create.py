"""Create: granted when it says so, ours when it says so, and safe to repeat."""

from __future__ import annotations

from aws_associations.lifecycle import How, Removal
from tests.core.world import ASSOCIATE, DISASSOCIATE, GROUP, LOOK, USER, World


def test_an_ordinary_create_costs_three_calls(world: World) -> None:
    """A create looks, associates and looks again, and nothing more."""
    granted = world.create()

    assert world.calls() == [
        "ListPermissionGroupsByUser",
        "AssociateUserToPermissionGroup",
        "ListPermissionGroupsByUser",
    ]
    assert granted.status == "ADDITION_SUCCESS"
    assert granted.status_code == 200
    assert world.members() == {(GROUP, USER)}
    assert granted.id.text == "finspace-permission-group-membership/v1/123456789012/us-east-1/env1/analysts/alice"


def test_a_read_costs_one_call(world: World) -> None:
    """A read of a user with up to a hundred groups is one list, whether it finds the membership or not."""
    for number in range(99):
        world.add(f"a{number:03}", USER)
        world.grant_as_others_do(f"a{number:03}")

    assert world.read() is None
    assert world.calls() == [LOOK]
    world.grant_as_others_do()
    assert world.read() is not None
    assert world.calls() == [LOOK, LOOK]
    assert [entry.parameters["maxResults"] for entry in world.control.journal(LOOK)] == [100, 100]


def test_a_create_that_is_retried_by_its_host_ends_the_same_way(world: World) -> None:
    """A host that lost our answer and remembers the grant asks again: the same id, nothing written twice."""
    first = world.create(world.request("r1"))
    world.host.intent = True

    second = world.create(world.request("r1"))

    assert second.id == first.id
    assert second.how is How.CREATED
    assert world.effects(ASSOCIATE) == 1


def test_the_notes_tell_the_story(world: World) -> None:
    """Before each write a line that names the association and the request, after each outcome a line that tells it."""
    text = world.create(world.request("r1")).id.text
    assert world.delete(text, world.request("r2")) is Removal.REVOKED

    told = dict(world.host.notes)
    assert list(told) == ["associating", "granted", "disassociating", "revoked"]
    assert told["associating"]["request"] == "r1"
    assert told["associating"]["token"] == world.tokens(ASSOCIATE)[0]
    assert told["disassociating"]["request"] == "r2"
    assert all(USER in str(fields["association"]) and GROUP in str(fields["association"]) for fields in told.values())
    assert world.calls()[-2] == DISASSOCIATE
