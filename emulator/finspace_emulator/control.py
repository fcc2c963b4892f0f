"""EmulatorControl: switches, faults, journal, clock and state of FinSpace, in this process or over HTTP.

Loads nothing but the standard library until it talks to the emulator of its own process.
"""

from dataclasses import dataclass
from typing import Any, Unpack

from association_emulator.remote import ControlError, RemoteControl

from .journal import JournalEntry
from .settings import SettingsChange

__all__ = ["ControlError", "CurrentMembership", "EmulatorControl"]


@dataclass(frozen=True)
class CurrentMembership:
    """A membership as it is now, whatever the API's lists show."""

    account_id: str
    region: str
    environment_id: str
    permission_group_id: str
    user_id: str
    membership_status: str


class EmulatorControl(RemoteControl):
    """Everything about the emulated FinSpace that its API cannot do.

    ``url``: where the emulator listens; None: the emulator in this process, under ``mock_aws()`` or not.
    ``region`` and ``account_id``: where the environments are that the methods name; the account is moto's default.
    """

    prefix = "/_finspace/"

    def configure(self, **changes: Unpack[SettingsChange]) -> dict[str, Any]:
        """Change switches and settings; all of them, or none if one is wrong. Returns them all."""
        return dict(self._send("PATCH", "settings", **changes))

    def journal(self, operation: str | None = None) -> list[JournalEntry]:
        """Return the calls that FinSpace received, in order; of one operation if it is named."""
        return self._journal(JournalEntry, operation)

    def memberships(self, environment_id: str | None = None) -> list[CurrentMembership]:
        """Return the memberships there really are, of every account and region; of one environment if it is named."""
        found = [CurrentMembership(**membership) for membership in self._send("GET", "memberships")]
        return [membership for membership in found if environment_id in (None, membership.environment_id)]

    def grant(
        self, environment_id: str, permission_group_id: str, user_id: str, *, in_progress_seconds: float = 0
    ) -> bool:
        """Make a user a member as somebody else would, with no call in the journal. False: already a member."""
        return self._change("POST", environment_id, permission_group_id, user_id, in_progress_seconds)

    def revoke(
        self, environment_id: str, permission_group_id: str, user_id: str, *, in_progress_seconds: float = 0
    ) -> bool:
        """End a membership as somebody else would, with no call in the journal. False: there was none."""
        return self._change("DELETE", environment_id, permission_group_id, user_id, in_progress_seconds)

    def add_environment(self, environment_id: str) -> None:
        """Make an environment; needed only when ``implicit_environments`` is off."""
        self._send_place("POST", "environments", environment_id=environment_id)

    def add_user(self, environment_id: str, user_id: str, **fields: str) -> None:
        """Put a user with a chosen id into an environment, made if it is new.

        ``fields``: email_address, type, first_name, last_name, api_access, api_access_principal_arn, status.
        """
        self._send_place("POST", "users", environment_id=environment_id, user_id=user_id, **fields)

    def remove_user(self, environment_id: str, user_id: str) -> None:
        """Remove a user completely, memberships included."""
        self._send_place("DELETE", "users", environment_id=environment_id, user_id=user_id)

    def add_permission_group(self, environment_id: str, permission_group_id: str, *, name: str | None = None) -> None:
        """Put a permission group with a chosen id into an environment, made if it is new."""
        group = {"permission_group_id": permission_group_id, "name": name or permission_group_id}
        self._send_place("POST", "permission-groups", environment_id=environment_id, **group)

    def remove_permission_group(self, environment_id: str, permission_group_id: str) -> None:
        """Remove a permission group completely, memberships included."""
        group = {"environment_id": environment_id, "permission_group_id": permission_group_id}
        self._send_place("DELETE", "permission-groups", **group)

    def _change(self, method: str, environment_id: str, permission_group_id: str, user_id: str, seconds: float) -> bool:
        answer = self._send_place(
            method,
            "memberships",
            environment_id=environment_id,
            permission_group_id=permission_group_id,
            user_id=user_id,
            in_progress_seconds=seconds,
        )
        return bool(answer["changed"])
