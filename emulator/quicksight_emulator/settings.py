"""Switches and settings: what the documentation of QuickSight's group memberships leaves open."""

from dataclasses import dataclass, field
from typing import Literal, TypedDict

from association_emulator import settings


class SettingsChange(TypedDict, total=False):
    """Any of the settings, by name."""

    duplicate_create: Literal["succeed", "resource_exists", "precondition_not_met"]
    delete_non_member: Literal["not_found", "succeed"]
    not_found: Literal["distinct", "alike"]
    page_size: int | None


@dataclass
class Settings(settings.Settings):
    """Every switch and setting, with its default. What each value does is told in emulator/README.md."""

    duplicate_create: Literal["succeed", "resource_exists", "precondition_not_met"] = "succeed"
    """CreateGroupMembership of a member; ResourceExistsException is not published for this operation."""
    delete_non_member: Literal["not_found", "succeed"] = "not_found"
    """DeleteGroupMembership of a user who is not in the group."""
    not_found: Literal["distinct", "alike"] = "distinct"
    """Whether an absent membership and an absent group differ in message and ResourceType."""
    page_size: int | None = field(default=None, metadata={"max": 100})
    """The most entries on a page, whatever MaxResults says; None: MaxResults alone decides."""
