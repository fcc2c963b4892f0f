"""Create: granted when it says so, ours when it says so, and safe to repeat."""

from __future__ import annotations

from tests.core.world import GROUP, USER, World


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
