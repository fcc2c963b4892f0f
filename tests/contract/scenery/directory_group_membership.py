"""Directory Service Data: groups and members in two directories, the first of which trusts another domain."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from association_emulator.remote import RemoteControl
from tests.contract import scenery
from tests.contract.scenery import Values

DOMAIN, PARTNER = "corp.example.com", "partner.example.com"


class SCENERY(scenery.Scenery):
    """Everything is a switch of the emulator."""

    lacks: ClassVar[Mapping[str, str]] = {
        "busy": "a directory that is busy is unavailable for a reason, which is transient",
        "renews": "a membership has no version",
        "wait": "the service has no status: what is listed is granted",
        "failed state": "the service has no status",
        "options": "the associate request takes nothing but the identity",
        "exclusive": "a member is in as many groups as anybody likes",
        "global": "directories belong to a region",
        "exchange": "the caller's own credentials sign every call",
    }
    reasons: ClassVar[Mapping[str, str]] = {
        "IAM_AUTH": "AccessDeniedException",
        "DIRECTORY_AUTH": "AccessDeniedException",
        "DATA_DISABLED": "AccessDeniedException",
        "INVALID_REALM": "ValidationException",
        "INVALID_DIRECTORY_TYPE": "ValidationException",
        "INVALID_SECONDARY_REGION": "ValidationException",
        "LDAP_SIZE_LIMIT_EXCEEDED": "ValidationException",
        "LDAP_UNSUPPORTED_OPERATION": "ValidationException",
        "INVALID_DIRECTORY_STATE": "DirectoryUnavailableException",
        "DIRECTORY_TIMEOUT": "DirectoryUnavailableException",
        "DIRECTORY_RESOURCES_EXCEEDED": "DirectoryUnavailableException",
        "NO_DISK_SPACE": "DirectoryUnavailableException",
        "TRUST_AUTH_FAILURE": "DirectoryUnavailableException",
    }
    final = ("DirectoryUnavailableException", "NO_DISK_SPACE")
    spellings: ClassVar[Mapping[str, tuple[str, ...]]] = {
        "member_realm": ("CORP.Example.com", f"{DOMAIN}."),
        "group_name": ("TRADERS",),
        "member_name": ("Bob",),
    }
    non_member = tuple({"remove_non_member": answer} for answer in ("not_found", "conflict", "succeed"))

    @property
    def service(self) -> RemoteControl:
        return self.control.directory

    def arrange(self) -> None:
        self.values = {
            "directory_id": "d-1234567890",
            "member_realm": DOMAIN,
            "group_name": "traders",
            "member_name": "bob",
        }
        self.others = {
            "directory_id": "d-2345678901",
            "member_realm": PARTNER,
            "group_name": "brokers",
            "member_name": "carol",
        }
        for directory in ("d-1234567890", "d-2345678901"):
            self.control.directory.add_directory(directory, domain=DOMAIN)
            for group in ("traders", "brokers"):
                self.control.directory.add_group(directory, group)
            for member in ("bob", "carol"):
                self.control.directory.add_user(directory, member)
        self.control.directory.add_user("d-1234567890", "bob", realm=PARTNER)

    def grant(self, values: Values) -> None:
        assert self.control.directory.grant(**values)

    def revoke(self, values: Values) -> None:
        assert self.control.directory.revoke(**values)

    def granted(self) -> list[Values]:
        return [
            {
                "directory_id": now.directory_id,
                "member_realm": now.member_realm,
                "group_name": now.group_name,
                "member_name": now.member_name,
            }
            for now in self.control.directory.memberships()
        ]

    def remove(self, part: str) -> None:
        self.control.directory.remove(self.values["directory_id"], self.values[part])

    def seen(self, *, present: bool) -> Mapping[str, Any]:
        group = {"SAMAccountName": self.values["group_name"]}
        return {"DirectoryId": self.values["directory_id"], "MemberRealm": DOMAIN, "Groups": [group] if present else []}

    def crowd(self) -> None:
        self.control.directory.configure(page_size=1)
        for name in ("a", "z"):
            self.control.directory.add_group("d-1234567890", name)
            self.control.directory.grant("d-1234567890", name, "bob")
