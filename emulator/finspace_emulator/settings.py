"""Switches and settings: what was never published about FinSpace, and how the emulator decides it.

Durations are seconds of the service clock.
"""

from dataclasses import dataclass, field
from typing import Literal, TypedDict

from association_emulator import settings


class SettingsChange(TypedDict, total=False):
    """Any of the settings, by name."""

    duplicate_associate: Literal["conflict", "succeed"]
    disassociate_non_member: Literal["not_found", "conflict", "succeed"]
    disassociate_during_addition: Literal["succeed", "conflict"]
    disassociate_during_removal: Literal["succeed", "conflict"]
    reused_token: Literal["conflict", "validation", "new_call"]
    token_scope: Literal["operation", "environment"]
    expired_credentials: Literal["access_denied", "expired_token"]
    addition_seconds: float
    removal_seconds: float
    list_lag_seconds: float
    page_size: int | None
    implicit_environments: bool
    allowed_access_keys: list[str] | None


@dataclass
class Settings(settings.Settings):
    """Every switch and setting, with its default. What each value does is told in emulator/README.md."""

    duplicate_associate: Literal["conflict", "succeed"] = "conflict"
    """Associate of a member, with a fresh token."""
    disassociate_non_member: Literal["not_found", "conflict", "succeed"] = "not_found"
    """Disassociate of a user who is not in the group, with a fresh token."""
    disassociate_during_addition: Literal["succeed", "conflict"] = "succeed"
    """Disassociate while the status is ADDITION_IN_PROGRESS."""
    disassociate_during_removal: Literal["succeed", "conflict"] = "succeed"
    """Disassociate while the status is REMOVAL_IN_PROGRESS."""
    reused_token: Literal["conflict", "validation", "new_call"] = "conflict"  # noqa: S105 - a switch
    """A clientToken that comes again within 10 minutes, with other parameters."""
    token_scope: Literal["operation", "environment"] = "operation"  # noqa: S105 - a switch
    """Whether a clientToken that another operation used counts as one with other parameters ("environment") or not."""
    expired_credentials: Literal["access_denied", "expired_token"] = "access_denied"
    """The error for FinSpace credentials past their end."""
    addition_seconds: float = 0.0
    """How long ADDITION_IN_PROGRESS lasts."""
    removal_seconds: float = 0.0
    """How long REMOVAL_IN_PROGRESS lasts."""
    list_lag_seconds: float = 0.0
    """How old the state is that the two lists show."""
    page_size: int | None = field(default=None, metadata={"max": 100})
    """The most entries on a page, whatever maxResults says; None: maxResults alone decides."""
    implicit_environments: bool = True
    """Whether an environment comes into being when somebody asks for its credentials."""
    allowed_access_keys: list[str] | None = None
    """The IAM access key ids that may exchange for FinSpace credentials; None: all, []: nobody."""
