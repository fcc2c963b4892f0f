"""Switches and settings: what was never published about FinSpace, and how the emulator decides it.

Durations are seconds of the service clock.
"""

from dataclasses import asdict, dataclass, fields
from typing import Any, Literal, TypedDict, get_args, get_type_hints


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


_CHOICES = {
    name: get_args(hint)
    for name, hint in get_type_hints(SettingsChange).items()
    if name not in ("page_size", "allowed_access_keys") and get_args(hint)
}


@dataclass
class Settings:
    """Every switch and setting, with its default. What each value does is told in emulator/README.md."""

    duplicate_associate: str = "conflict"
    """Associate of a member, with a fresh token."""
    disassociate_non_member: str = "not_found"
    """Disassociate of a user who is not in the group, with a fresh token."""
    disassociate_during_addition: str = "succeed"
    """Disassociate while the status is ADDITION_IN_PROGRESS."""
    disassociate_during_removal: str = "succeed"
    """Disassociate while the status is REMOVAL_IN_PROGRESS."""
    reused_token: str = "conflict"  # noqa: S105 - a switch
    """A clientToken that comes again within 10 minutes, with other parameters."""
    token_scope: str = "operation"  # noqa: S105 - a switch
    """Whether a clientToken that another operation used counts as one with other parameters ("environment") or not."""
    expired_credentials: str = "access_denied"
    """The error for FinSpace credentials past their end."""
    addition_seconds: float = 0.0
    """How long ADDITION_IN_PROGRESS lasts."""
    removal_seconds: float = 0.0
    """How long REMOVAL_IN_PROGRESS lasts."""
    list_lag_seconds: float = 0.0
    """How old the state is that the two lists show."""
    page_size: int | None = None
    """The most entries on a page, whatever maxResults says; None: maxResults alone decides."""
    implicit_environments: bool = True
    """Whether an environment comes into being when somebody asks for its credentials."""
    allowed_access_keys: list[str] | None = None
    """The IAM access key ids that may exchange for FinSpace credentials; None: all, []: nobody."""

    def update(self, changes: dict[str, Any]) -> None:
        """Apply all changes, or none and raise ValueError that names the setting and what it may be."""
        for name, value in changes.items():
            _check(name, value)
        for name, value in changes.items():
            setattr(self, name, value)

    def to_dict(self) -> dict[str, Any]:
        """Return every setting by name."""
        return asdict(self)


_NAMES = [field.name for field in fields(Settings)]


def _check(name: str, value: Any) -> None:
    if name not in _NAMES:
        raise ValueError(f"setting {name!r} does not exist; there are {', '.join(_NAMES)}")
    if name in _CHOICES:
        expected, fits = f"one of {', '.join(_CHOICES[name])}", value in _CHOICES[name]
    elif name.endswith("_seconds"):
        expected, fits = "a number of seconds, 0 or more", _is_number(value) and value >= 0
    elif name == "page_size":
        expected = "a whole number from 1 to 100, or null"
        fits = value is None or (isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= 100)
    elif name == "implicit_environments":
        expected, fits = "true or false", isinstance(value, bool)
    else:
        expected = "a list of access key ids, or null"
        fits = value is None or (isinstance(value, list) and all(isinstance(key, str) for key in value))
    if not fits:
        raise ValueError(f"setting {name!r} must be {expected}, not {value!r}")


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)
