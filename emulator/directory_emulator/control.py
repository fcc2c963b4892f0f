"""DirectoryControl: switches and state of the emulated directories, in this process or over HTTP."""

from dataclasses import dataclass
from typing import Any, Literal, Unpack

from association_emulator.remote import ServiceControl

from .settings import SettingsChange

UnavailableReason = Literal[
    "INVALID_DIRECTORY_STATE",
    "DIRECTORY_TIMEOUT",
    "DIRECTORY_RESOURCES_EXCEEDED",
    "NO_DISK_SPACE",
    "TRUST_AUTH_FAILURE",
]


@dataclass(frozen=True)
class CurrentMembership:
    """A membership as it is now, whatever the API's lists show, in the spelling of the directory's objects."""

    account_id: str
    region: str
    directory_id: str
    group_name: str
    member_name: str
    member_realm: str


class DirectoryControl(ServiceControl):
    """Everything about the emulated directories that the API of Directory Service Data cannot do.

    A directory that a method names is made if it is new, except by ``remove_directory``.
    """

    prefix = "/_emulator/ds-data/"

    def configure(self, **changes: Unpack[SettingsChange]) -> dict[str, Any]:
        """Change switches and settings; all of them, or none if one is wrong. Returns them all."""
        return dict(self._send("PATCH", "settings", **changes))

    def add_directory(self, directory_id: str, *, domain: str = "corp.example.com") -> None:
        """Make a directory, or give one another domain."""
        self._send_place("POST", "directories", directory_id=directory_id, domain=domain)

    def remove_directory(self, directory_id: str) -> None:
        """Remove a directory with everything in it."""
        self._send_place("DELETE", "directories", directory_id=directory_id)

    def trust(self, directory_id: str, realm: str) -> None:
        """Let a directory know another domain, whose objects may be members."""
        self._send_place("POST", "directories", directory_id=directory_id, trusted=[realm])

    def set_data_access(self, directory_id: str, *, enabled: bool) -> None:
        """Enable or disable data access; a new directory has it enabled."""
        self._send_place("POST", "directories", directory_id=directory_id, data_access=enabled)

    def set_unavailable(self, directory_id: str, reason: UnavailableReason | None) -> None:
        """Make a directory unavailable for a reason, or, with None, available again."""
        self._send_place("POST", "directories", directory_id=directory_id, unavailable=reason)

    def add_user(self, directory_id: str, name: str, *, realm: str | None = None) -> None:
        """Put a user into a directory; of another realm, which is then trusted, if one is named."""
        self._send_place("POST", "objects", directory_id=directory_id, name=name, realm=realm, member_type="USER")

    def add_computer(self, directory_id: str, name: str, *, realm: str | None = None) -> None:
        """Put a computer into a directory."""
        self._send_place("POST", "objects", directory_id=directory_id, name=name, realm=realm, member_type="COMPUTER")

    def add_group(
        self,
        directory_id: str,
        name: str,
        *,
        realm: str | None = None,
        group_scope: str = "Global",
        group_type: str = "Security",
    ) -> None:
        """Put a group into a directory."""
        group = {"member_type": "GROUP", "group_scope": group_scope, "group_type": group_type}
        self._send_place("POST", "objects", directory_id=directory_id, name=name, realm=realm, **group)

    def remove(self, directory_id: str, name: str, *, realm: str | None = None) -> None:
        """Remove a user, computer or group completely, memberships included."""
        self._send_place("DELETE", "objects", directory_id=directory_id, name=name, realm=realm)

    def grant(self, directory_id: str, group_name: str, member_name: str, *, member_realm: str | None = None) -> bool:
        """Make an object a member as somebody else would, with no call in the journal. False: already a member."""
        return self._change("POST", directory_id, group_name, member_name, member_realm)

    def revoke(self, directory_id: str, group_name: str, member_name: str, *, member_realm: str | None = None) -> bool:
        """End a membership as somebody else would, with no call in the journal. False: there was none."""
        return self._change("DELETE", directory_id, group_name, member_name, member_realm)

    def memberships(self, directory_id: str | None = None) -> list[CurrentMembership]:
        """Return the memberships there really are, of every account and region; of one directory if it is named."""
        found = [CurrentMembership(**membership) for membership in self._send("GET", "memberships")]
        return [membership for membership in found if directory_id in (None, membership.directory_id)]

    def _change(
        self, method: str, directory_id: str, group_name: str, member_name: str, member_realm: str | None
    ) -> bool:
        answer = self._send_place(
            method,
            "memberships",
            directory_id=directory_id,
            group_name=group_name,
            member_name=member_name,
            member_realm=member_realm,
        )
        return bool(answer["changed"])
