"""Stacks of FinSpace memberships under the real engine."""

from __future__ import annotations

from collections.abc import Callable

from engines.pulumi_engine import PulumiProject
from finspace_emulator.control import EmulatorControl

HEAD = """
import pulumi
from pulumi_aws_associations.finspace import PermissionGroupMembership

def member(name, group, user, **more):
    return PermissionGroupMembership(name, environment_id="env1", permission_group_id=group, user_id=user, **more)
"""

Start = Callable[..., PulumiProject]
"""Starts a stack with this program text behind :data:`HEAD`, or with the program in a folder."""


def members(service: EmulatorControl) -> set[tuple[str, str]]:
    """Who is in which group, by the service's own word."""
    return {(now.permission_group_id, now.user_id) for now in service.memberships()}
