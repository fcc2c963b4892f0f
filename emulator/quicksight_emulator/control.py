"""QuickSightControl: switches and state of the emulated group memberships, in this process or over HTTP."""

from dataclasses import dataclass
from typing import Any, Unpack

from association_emulator.remote import ServiceControl

from .settings import SettingsChange


@dataclass(frozen=True)
class CurrentMembership:
    """A membership as it is now."""

    account_id: str
    region: str
    namespace: str
    group_name: str
    member_name: str


class QuickSightControl(ServiceControl):
    """Everything about the emulated group memberships that QuickSight's API cannot do."""

    prefix = "/_emulator/quicksight/"

    def configure(self, **changes: Unpack[SettingsChange]) -> dict[str, Any]:
        """Change switches and settings; all of them, or none if one is wrong. Returns them all."""
        return dict(self._send("PATCH", "settings", **changes))

    def add_group(self, group_name: str, *, namespace: str = "default") -> None:
        """Make a group, as CreateGroup does."""
        self._send_place("POST", "groups", group_name=group_name, namespace=namespace)

    def remove_group(self, group_name: str, *, namespace: str = "default") -> None:
        """Remove a group, memberships included."""
        self._send_place("DELETE", "groups", group_name=group_name, namespace=namespace)

    def add_user(self, user_name: str, *, namespace: str = "default") -> None:
        """Make a user, as RegisterUser does."""
        self._send_place("POST", "users", user_name=user_name, namespace=namespace)

    def remove_user(self, user_name: str, *, namespace: str = "default") -> None:
        """Remove a user, memberships included."""
        self._send_place("DELETE", "users", user_name=user_name, namespace=namespace)

    def grant(self, group_name: str, member_name: str, *, namespace: str = "default") -> bool:
        """Make a user a member as somebody else would, with no call in the journal. False: already a member."""
        return self._change("POST", group_name, member_name, namespace)

    def revoke(self, group_name: str, member_name: str, *, namespace: str = "default") -> bool:
        """End a membership as somebody else would, with no call in the journal. False: there was none."""
        return self._change("DELETE", group_name, member_name, namespace)

    def memberships(self) -> list[CurrentMembership]:
        """Return the memberships there are, in every account and region."""
        return [CurrentMembership(**membership) for membership in self._send("GET", "memberships")]

    def _change(self, method: str, group_name: str, member_name: str, namespace: str) -> bool:
        names = {"group_name": group_name, "member_name": member_name, "namespace": namespace}
        return bool(self._send_place(method, "memberships", **names)["changed"])
