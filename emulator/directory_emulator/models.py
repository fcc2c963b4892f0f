"""DirectoryDataBackend: directories with groups, users, computers and memberships, and the rules among them."""

import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from moto.core.base_backend import BackendDict, BaseBackend

from association_emulator.exceptions import ServiceError
from association_emulator.paging import Pages, WrongPageToken
from association_emulator.responses import Outcome
from association_emulator.tokens import TokenMemory

from .exceptions import (
    AccessDeniedException,
    ConflictException,
    DirectoryUnavailableException,
    ResourceNotFoundException,
    ValidationException,
)
from .service import service

TOKEN_SECONDS = 8 * 3600
"""How long a ClientToken is remembered, and by how much every reuse prolongs that. Both documented."""

MAX_RESULTS = 250
"""How many entries a page has if MaxResults is not given. Not documented; the most that can be asked for."""

DEFAULT_DOMAIN = "corp.example.com"

Key = tuple[str, str]
"""What identifies an object of a directory: realm and name, without case."""


def key_of(realm: str, name: str) -> Key:
    """Return what is compared: Active Directory knows no case, and DNS no trailing dot."""
    return realm.lower().removesuffix("."), name.lower()


@dataclass
class DirectoryObject:
    """A user, group or computer; names keep the spelling that they were made with."""

    name: str
    realm: str
    member_type: str = "USER"
    sid: str = field(default_factory=lambda: f"S-1-5-21-{secrets.randbelow(10**9)}-{secrets.randbelow(10**9)}")
    group_scope: str = "Global"
    group_type: str = "Security"

    @property
    def key(self) -> Key:
        """What identifies it."""
        return key_of(self.realm, self.name)

    def to_member(self) -> dict[str, Any]:
        """Return the object as ListGroupMembers shows it."""
        return {"MemberType": self.member_type, "SAMAccountName": self.name, "SID": self.sid}

    def to_group(self) -> dict[str, Any]:
        """Return the object as ListGroupsForMember shows it."""
        return {
            "GroupScope": self.group_scope,
            "GroupType": self.group_type,
            "SAMAccountName": self.name,
            "SID": self.sid,
        }


@dataclass
class Membership:
    """When an object joined a group and left it. Kept whole, so that a list can show an older state."""

    changes: list[tuple[float, bool]] = field(default_factory=list)

    def present(self, at: float) -> bool:
        """Tell whether it was a membership at a time."""
        return next((present for when, present in reversed(self.changes) if when <= at), False)


@dataclass
class Directory:
    """A directory with a domain of its own, and objects of trusted domains."""

    directory_id: str
    domain: str = DEFAULT_DOMAIN
    data_access: bool = True
    unavailable: str | None = None
    """The Reason of DirectoryUnavailableException, as long as it is set."""
    trusted: set[str] = field(default_factory=set)
    objects: dict[Key, DirectoryObject] = field(default_factory=dict)
    memberships: dict[tuple[Key, Key], Membership] = field(default_factory=dict)
    tokens: TokenMemory = field(default_factory=lambda: TokenMemory(TOKEN_SECONDS, prolonging=True))
    pages: Pages = field(default_factory=Pages)

    def realm(self, given: str | None) -> str:
        """Return the realm that is meant, in the spelling of the directory; raise if it is unknown."""
        known = {key_of(realm, "")[0]: realm for realm in (self.domain, *self.trusted)}
        realm, _ = key_of(given or self.domain, "")
        if realm not in known:
            raise ValidationException(f"{given} is not the directory's domain or one that it trusts.", "INVALID_REALM")
        return known[realm]

    def object(self, name: str, realm: str | None, *, types: tuple[str, ...] = ()) -> DirectoryObject:
        """Return an object, or raise; of these types if any are given."""
        found = self.objects.get(key_of(self.realm(realm), name))
        if found is None or (types and found.member_type not in types):
            what = types[0].capitalize() if types else "Member"
            raise ResourceNotFoundException(f"{what} {name} does not exist in {self.realm(realm)}.")
        return found

    def group(self, name: str, realm: str | None = None) -> DirectoryObject:
        """Return a group, or raise."""
        return self.object(name, realm, types=("GROUP",))

    def membership(self, group_name: str, member_name: str, member_realm: str | None) -> Membership:
        """Return the membership of a group and a member that both exist, or raise."""
        pair = self.group(group_name).key, self.object(member_name, member_realm).key
        return self.memberships.setdefault(pair, Membership())

    def add(self, added: DirectoryObject) -> None:
        """Put an object into the directory, or raise: a name is good for one object, of whatever type."""
        if added.key in self.objects:
            raise ConflictException(f"{added.name} exists already in {added.realm}.")
        self.objects[added.key] = added

    def remove(self, removed: DirectoryObject) -> None:
        """Remove an object and its memberships, on both sides."""
        del self.objects[removed.key]
        for pair in [pair for pair in self.memberships if removed.key in pair]:
            del self.memberships[pair]


class DirectoryDataBackend(BaseBackend):
    """Implementation of Directory Service Data APIs, for one account and region. Every method holds the lock."""

    def __init__(self, region_name: str, account_id: str) -> None:
        super().__init__(region_name, account_id)
        self.directories: dict[str, Directory] = {}

    def add_group_member(
        self,
        directory_id: str,
        group_name: str,
        member_name: str,
        member_realm: str | None,
        client_token: str | None,
    ) -> Outcome:
        """Add a user, group or computer to a group."""

        def effect(directory: Directory) -> Outcome:
            membership = directory.membership(group_name, member_name, member_realm)
            now = service.clock.now()
            if membership.present(now):
                raise ConflictException(f"{member_name} is already a member of group {group_name}.")
            membership.changes.append((now, True))
            return Outcome(changed=True)

        parameters = {"GroupName": group_name, "MemberName": member_name, "MemberRealm": member_realm}
        return self._once(directory_id, "AddGroupMember", parameters, client_token, effect)

    def remove_group_member(
        self,
        directory_id: str,
        group_name: str,
        member_name: str,
        member_realm: str | None,
        client_token: str | None,
    ) -> Outcome:
        """Remove a member from a group."""

        def effect(directory: Directory) -> Outcome:
            membership = directory.membership(group_name, member_name, member_realm)
            now = service.clock.now()
            if not membership.present(now):
                message = f"{member_name} is not a member of group {group_name}."
                if service.settings.remove_non_member == "not_found":
                    raise ResourceNotFoundException(message)
                if service.settings.remove_non_member == "conflict":
                    raise ConflictException(message)
                return Outcome()
            membership.changes.append((now, False))
            return Outcome(changed=True)

        parameters = {"GroupName": group_name, "MemberName": member_name, "MemberRealm": member_realm}
        return self._once(directory_id, "RemoveGroupMember", parameters, client_token, effect)

    def list_group_members(
        self,
        directory_id: str,
        sam_account_name: str,
        realm: str | None,
        member_realm: str | None,
        max_results: int | None,
        next_token: str | None,
    ) -> Outcome:
        """List a page of the members of a group that are of one realm, as they were ``list_lag_seconds`` ago."""
        with service.lock:
            directory = self._serving(directory_id)
            group = directory.group(sam_account_name, realm)
            shown_realm = directory.realm(member_realm)
            members = [
                member
                for group_key, member in self._listed(directory)
                if group_key == group.key and member[0] == key_of(shown_realm, "")[0]
            ]
            subject = ("ListGroupMembers", group.key, shown_realm)
            page, token = self._page(directory, subject, members, max_results, next_token)
            return Outcome(
                {
                    "DirectoryId": directory_id,
                    "Realm": group.realm,
                    "MemberRealm": shown_realm,
                    "Members": [directory.objects[key].to_member() for key in page],
                    **token,
                }
            )

    def list_groups_for_member(
        self,
        directory_id: str,
        sam_account_name: str,
        realm: str | None,
        member_realm: str | None,
        max_results: int | None,
        next_token: str | None,
    ) -> Outcome:
        """List a page of the groups of one realm that an object is in, as they were ``list_lag_seconds`` ago."""
        with service.lock:
            directory = self._serving(directory_id)
            shown_realm = directory.realm(realm)
            # Documented: the member's realm defaults to the group's.
            member = directory.object(sam_account_name, member_realm or shown_realm)
            groups = [
                group
                for group, member_key in self._listed(directory)
                if member_key == member.key and group[0] == key_of(shown_realm, "")[0]
            ]
            subject = ("ListGroupsForMember", member.key, shown_realm)
            page, token = self._page(directory, subject, groups, max_results, next_token)
            return Outcome(
                {
                    "DirectoryId": directory_id,
                    "Realm": shown_realm,
                    "MemberRealm": member.realm,
                    "Groups": [directory.objects[key].to_group() for key in page],
                    **token,
                }
            )

    def create_group(
        self,
        directory_id: str,
        sam_account_name: str,
        group_scope: str | None,
        group_type: str | None,
        other_attributes: dict[str, Any] | None,
        client_token: str | None,
    ) -> Outcome:
        """Create a group in the directory's own domain. Other attributes are not kept."""

        def effect(directory: Directory) -> Outcome:
            group = DirectoryObject(sam_account_name, directory.domain, "GROUP")
            group.group_scope, group.group_type = group_scope or "Global", group_type or "Security"
            return _created(directory, group)

        parameters = {
            "SAMAccountName": sam_account_name,
            "GroupScope": group_scope,
            "GroupType": group_type,
            "OtherAttributes": other_attributes,
        }
        return self._once(directory_id, "CreateGroup", parameters, client_token, effect)

    def create_user(
        self, directory_id: str, sam_account_name: str, attributes: dict[str, Any], client_token: str | None
    ) -> Outcome:
        """Create a user in the directory's own domain. Attributes are not kept."""

        def effect(directory: Directory) -> Outcome:
            return _created(directory, DirectoryObject(sam_account_name, directory.domain))

        parameters = {"SAMAccountName": sam_account_name, **attributes}
        return self._once(directory_id, "CreateUser", parameters, client_token, effect)

    def delete_group(self, directory_id: str, sam_account_name: str, client_token: str | None) -> Outcome:
        """Delete a group, and the memberships in it."""
        return self._delete("DeleteGroup", directory_id, sam_account_name, "GROUP", client_token)

    def delete_user(self, directory_id: str, sam_account_name: str, client_token: str | None) -> Outcome:
        """Delete a user, and their memberships."""
        return self._delete("DeleteUser", directory_id, sam_account_name, "USER", client_token)

    # What follows is no operation of the API: the state as a test sets and sees it.

    def directory(self, directory_id: str) -> Directory:
        """Return the directory, new or not."""
        with service.lock:
            return self.directories.setdefault(directory_id, Directory(directory_id))

    def put(self, directory_id: str, name: str, realm: str | None, **fields: str) -> None:
        """Put an object into a directory; a realm that is new is trusted from now on."""
        with service.lock:
            directory = self.directory(directory_id)
            if realm is not None and key_of(realm, "") != key_of(directory.domain, ""):
                directory.trusted.add(realm)
            directory.add(DirectoryObject(name, directory.realm(realm), **fields))

    def grant(self, directory_id: str, group_name: str, member_name: str, member_realm: str | None) -> bool:
        """Make an object a member, as somebody else would. Returns whether that changed anything."""
        return self._change(directory_id, group_name, member_name, member_realm, present=True)

    def revoke(self, directory_id: str, group_name: str, member_name: str, member_realm: str | None) -> bool:
        """End a membership, as somebody else would. Returns whether that changed anything."""
        return self._change(directory_id, group_name, member_name, member_realm, present=False)

    def memberships(self) -> list[dict[str, Any]]:
        """Return every membership as it is now, whatever the lists show, in the spelling of the objects."""
        with service.lock:
            now = service.clock.now()
            return [
                {
                    "account_id": self.account_id,
                    "region": self.region_name,
                    "directory_id": directory.directory_id,
                    "group_name": directory.objects[group].name,
                    "member_name": directory.objects[member].name,
                    "member_realm": directory.objects[member].realm,
                }
                for directory in self.directories.values()
                for (group, member), membership in sorted(directory.memberships.items())
                if membership.present(now)
            ]

    def _change(
        self, directory_id: str, group_name: str, member_name: str, member_realm: str | None, *, present: bool
    ) -> bool:
        with service.lock:
            membership = self.directory(directory_id).membership(group_name, member_name, member_realm)
            now = service.clock.now()
            if membership.present(now) is present:
                return False
            membership.changes.append((now, present))
            return True

    def _serving(self, directory_id: str) -> Directory:
        """Return a directory that exists, may be used and can answer, or raise."""
        directory = self.directories.get(directory_id)
        if directory is None:
            # Documented: also when the DirectoryId does not exist.
            reason = service.settings.unknown_directory.upper()
            raise AccessDeniedException(f"You may not access directory {directory_id}.", reason)
        if not directory.data_access:
            raise AccessDeniedException(f"Data access is disabled for directory {directory_id}.", "DATA_DISABLED")
        if directory.unavailable is not None:
            raise DirectoryUnavailableException(f"Directory {directory_id} is unavailable.", directory.unavailable)
        return directory

    def _delete(
        self, operation: str, directory_id: str, name: str, member_type: str, client_token: str | None
    ) -> Outcome:
        def effect(directory: Directory) -> Outcome:
            directory.remove(directory.object(name, None, types=(member_type,)))
            return Outcome(changed=True)

        return self._once(directory_id, operation, {"SAMAccountName": name}, client_token, effect)

    def _once(
        self,
        directory_id: str,
        operation: str,
        parameters: dict[str, Any],
        client_token: str | None,
        effect: Callable[[Directory], Outcome],
    ) -> Outcome:
        """Let a call take effect, unless its ClientToken says that it already did."""
        with service.lock:
            directory = self._serving(directory_id)
            if client_token is None:
                return effect(directory)
            settings, now = service.settings, service.clock.now()
            if settings.token_spelling == "same_identity":  # noqa: S105 - a switch
                parameters = _without_spelling(directory, parameters)
            key = (client_token, operation) if settings.token_scope == "operation" else (client_token,)  # noqa: S105
            earlier = directory.tokens.recall(key, now)
            if earlier is not None:
                if not earlier.is_of(operation, parameters):
                    raise ConflictException("This ClientToken was used for a request with other parameters.")
                if earlier.answer is not None:
                    return Outcome(directory.tokens.reuse(earlier, now), replayed=True)
            try:
                outcome = effect(directory)
            except ServiceError:
                if settings.failed_token == "remembered":  # noqa: S105 - a switch
                    directory.tokens.remember(key, now, operation, parameters, None)
                raise
            directory.tokens.remember(key, now, operation, parameters, outcome.answer)
            return outcome

    def _listed(self, directory: Directory) -> list[tuple[Key, Key]]:
        at = service.clock.now() - service.settings.list_lag_seconds
        return [pair for pair, membership in directory.memberships.items() if membership.present(at)]

    def _page(
        self,
        directory: Directory,
        subject: tuple[Any, ...],
        keys: list[Key],
        max_results: int | None,
        next_token: str | None,
    ) -> tuple[list[Key], dict[str, str]]:
        """Return a page in the order of the names, and the NextToken member if more follows."""
        size = max_results or MAX_RESULTS
        size = min(size, service.settings.page_size or size)
        try:
            page, token = directory.pages.page(subject, keys, size, next_token)
        except WrongPageToken:
            raise ValidationException("NextToken is not a token of this list.", "INVALID_NEXT_TOKEN") from None
        return page, {} if token is None else {"NextToken": token}


def _created(directory: Directory, created: DirectoryObject) -> Outcome:
    directory.add(created)
    answer = {"DirectoryId": directory.directory_id, "SAMAccountName": created.name, "SID": created.sid}
    return Outcome(answer, changed=True)


def _without_spelling(directory: Directory, parameters: dict[str, Any]) -> dict[str, Any]:
    compared = {name: value.lower() if isinstance(value, str) else value for name, value in parameters.items()}
    if "MemberRealm" in compared:
        compared["MemberRealm"], _ = key_of(compared["MemberRealm"] or directory.domain, "")
    return compared


# Where Managed Microsoft AD is: botocore has no list of regions for its data.
dsdata_backends = BackendDict(DirectoryDataBackend, "ds")
