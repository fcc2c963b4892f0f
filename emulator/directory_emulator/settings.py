"""Switches and settings: what the documentation of Directory Service Data leaves open.

Durations are seconds of the service clock.
"""

from dataclasses import dataclass, field
from typing import Literal, TypedDict

from association_emulator import settings


class SettingsChange(TypedDict, total=False):
    """Any of the settings, by name."""

    remove_non_member: Literal["not_found", "conflict", "succeed"]
    token_scope: Literal["operation", "directory"]
    token_spelling: Literal["exact", "same_identity"]
    failed_token: Literal["forgotten", "remembered"]
    unknown_directory: Literal["directory_auth", "iam_auth"]
    list_lag_seconds: float
    page_size: int | None
    allowed_access_keys: list[str] | None


@dataclass
class Settings(settings.Settings):
    """Every switch and setting, with its default. What each value does is told in emulator/README.md."""

    remove_non_member: Literal["not_found", "conflict", "succeed"] = "not_found"
    """RemoveGroupMember of an object that is not in the group, with a fresh token."""
    token_scope: Literal["operation", "directory"] = "operation"  # noqa: S105 - a switch
    """Whether a ClientToken that another operation used counts as one with other parameters ("directory") or not."""
    token_spelling: Literal["exact", "same_identity"] = "exact"  # noqa: S105 - a switch
    """Whether other letter case, or the default realm written out, makes other parameters for a ClientToken."""
    failed_token: Literal["forgotten", "remembered"] = "forgotten"  # noqa: S105 - a switch
    """Whether the token of a refused call conflicts with other parameters later on."""
    unknown_directory: Literal["directory_auth", "iam_auth"] = "directory_auth"
    """The Reason of AccessDeniedException for a directory that does not exist."""
    list_lag_seconds: float = 0.0
    """How old the memberships are that the two lists show."""
    page_size: int | None = field(default=None, metadata={"max": 250})
    """The most entries on a page, whatever MaxResults says; None: MaxResults alone decides."""
    allowed_access_keys: list[str] | None = None
    """The access key ids that IAM allows; None: all, []: nobody."""
