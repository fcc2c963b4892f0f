"""Create: granted when it says so, ours when it says so, and safe to repeat."""

from __future__ import annotations

import pytest

from aws_associations.errors import AlreadyExists
from aws_associations.lifecycle import How, Removal
from tests.core.world import GROUP, LOOK, USER, WORDS, World


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


def test_a_refusal_is_given_again_too(inner: World) -> None:
    """The same error, word for word, although the association could be granted by now."""
    inner.grant_as_others_do()
    with pytest.raises(AlreadyExists) as first:
        inner.create(inner.request("r1"))
    inner.revoke_as_others_do()

    with pytest.raises(AlreadyExists) as again:
        inner.create(inner.request("r1"))

    assert str(again.value) == str(first.value)
    assert inner.writes() == []


def test_the_notes_tell_the_story(world: World) -> None:
    """After each outcome a line that names the association and how it came about."""
    text = world.create().id.text
    world.delete(text)

    assert [event for event, _ in world.host.notes] == ["granted", "revoked"]
    assert [fields["how"] for _, fields in world.host.notes] == [How.CREATED.value, Removal.REVOKED.value]
    assert all(fields["association"] == WORDS.named(world.identity()) for _, fields in world.host.notes)
    assert world.host.warnings == []
