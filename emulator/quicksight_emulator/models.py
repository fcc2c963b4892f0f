"""GroupMembershipBackend: who is in which of moto's groups, and the rules that moto does not have."""

from typing import Any

from moto.core.base_backend import BackendDict, BaseBackend
from moto.quicksight.models import QuickSightBackend, quicksight_backends

from association_emulator.paging import Pages, WrongPageToken
from association_emulator.responses import Outcome

from .exceptions import (
    InvalidNextTokenException,
    PreconditionNotMetException,
    ResourceExistsException,
    ResourceNotFoundException,
)
from .service import service

MAX_RESULTS = 100
"""How many entries a page has if max-results is not given. Not documented; the most that can be asked for."""


class GroupMembershipBackend(BaseBackend):
    """Implementation of QuickSight's group membership APIs, for one account and region. Every method holds the lock.

    Groups, users and members are moto's own, so that its other operations show the same.
    """

    def __init__(self, region_name: str, account_id: str) -> None:
        super().__init__(region_name, account_id)
        self.pages = Pages()

    @property
    def moto(self) -> QuickSightBackend:
        """moto's backend of this place. To be asked for before the lock is held."""
        return quicksight_backends[self.account_id][self.region_name]

    def create_group_membership(self, namespace: str, group_name: str, member_name: str) -> Outcome:
        """Put a user into a group."""
        moto = self.moto
        with service.lock:
            group = self._group(moto, namespace, group_name)
            if self._name(namespace, member_name) not in moto.users:
                raise ResourceNotFoundException(f"User {member_name} does not exist.", "USER")
            changed = group.get_member(member_name) is None
            if not changed:
                message = f"User {member_name} is already in group {group_name}."
                if service.settings.duplicate_create == "resource_exists":
                    raise ResourceExistsException(message, "USER")
                if service.settings.duplicate_create == "precondition_not_met":
                    raise PreconditionNotMetException(message)
            group.add_member(member_name)
            return Outcome({"GroupMember": self._member(namespace, member_name)}, changed=changed)

    def describe_group_membership(self, namespace: str, group_name: str, member_name: str) -> Outcome:
        """Tell whether a user is in a group, by an error if not."""
        moto = self.moto
        with service.lock:
            group = self._group(moto, namespace, group_name)
            if group.get_member(member_name) is None:
                raise self._not_a_member(group_name, member_name)
            return Outcome({"GroupMember": self._member(namespace, member_name)})

    def delete_group_membership(self, namespace: str, group_name: str, member_name: str) -> Outcome:
        """Take a user out of a group."""
        moto = self.moto
        with service.lock:
            group = self._group(moto, namespace, group_name)
            if group.get_member(member_name) is None:
                if service.settings.delete_non_member == "not_found":
                    raise self._not_a_member(group_name, member_name)
                return Outcome()
            group.delete_member(member_name)
            return Outcome(changed=True)

    def list_group_memberships(
        self, namespace: str, group_name: str, max_results: int | None, next_token: str | None
    ) -> Outcome:
        """List a page of the members of a group."""
        moto = self.moto
        with service.lock:
            group = self._group(moto, namespace, group_name)
            size = max_results or MAX_RESULTS
            size = min(size, service.settings.page_size or size)
            try:
                names, token = self.pages.page((namespace, group_name), list(group.members), size, next_token)
            except WrongPageToken:
                raise InvalidNextTokenException("The NextToken is not a token of this list.") from None
            answer: dict[str, Any] = {"GroupMemberList": [self._member(namespace, name) for name in names]}
            return Outcome(answer if token is None else {**answer, "NextToken": token})

    # What follows is no operation of the API: the state as a test sets and sees it.

    def add_group(self, namespace: str, group_name: str) -> None:
        """Put a group into a namespace."""
        self.moto.create_group(group_name, "", self.account_id, namespace)

    def add_user(self, namespace: str, user_name: str) -> None:
        """Put a user into a namespace."""
        self.moto.register_user(
            "QUICKSIGHT", f"{user_name}@example.com", "READER", self.account_id, namespace, user_name
        )

    def remove_group(self, namespace: str, group_name: str) -> None:
        """Remove a group and its memberships without a trace."""
        self._group(self.moto, namespace, group_name)
        self.moto.delete_group(self.account_id, namespace, group_name)

    def remove_user(self, namespace: str, user_name: str) -> None:
        """Remove a user and their memberships without a trace."""
        if self._name(namespace, user_name) not in self.moto.users:
            raise ResourceNotFoundException(f"User {user_name} does not exist.", "USER")
        self.moto.delete_user(self.account_id, namespace, user_name)

    def grant(self, namespace: str, group_name: str, member_name: str) -> bool:
        """Make a user a member, as somebody else would. Returns whether that changed anything."""
        moto = self.moto
        with service.lock:
            group = self._group(moto, namespace, group_name)
            changed = group.get_member(member_name) is None
            group.add_member(member_name)
            return changed

    def revoke(self, namespace: str, group_name: str, member_name: str) -> bool:
        """End a membership, as somebody else would. Returns whether that changed anything."""
        moto = self.moto
        with service.lock:
            group = self._group(moto, namespace, group_name)
            changed = group.get_member(member_name) is not None
            group.delete_member(member_name)
            return changed

    def memberships(self) -> list[dict[str, Any]]:
        """Return every membership as it is now."""
        moto = self.moto
        with service.lock:
            return [
                {
                    "account_id": self.account_id,
                    "region": self.region_name,
                    "namespace": group.namespace,
                    "group_name": group.group_name,
                    "member_name": member_name,
                }
                for _, group in sorted(moto.groups.items())
                for member_name in sorted(group.members)
            ]

    def _name(self, namespace: str, name: str) -> str:
        """Return what moto calls a group or user of a namespace."""
        return f"{self.account_id}:{namespace}:{name}"

    def _group(self, moto: QuickSightBackend, namespace: str, group_name: str) -> Any:
        group = moto.groups.get(self._name(namespace, group_name))
        if group is None:
            raise self._not_found(f"Group {group_name} does not exist in namespace {namespace}.", "GROUP")
        return group

    def _not_a_member(self, group_name: str, member_name: str) -> ResourceNotFoundException:
        return self._not_found(f"User {member_name} is not in group {group_name}.", "USER")

    def _not_found(self, message: str, resource_type: str) -> ResourceNotFoundException:
        if service.settings.not_found == "alike":
            return ResourceNotFoundException("The resource that you asked for does not exist.")
        return ResourceNotFoundException(message, resource_type)

    def _member(self, namespace: str, member_name: str) -> dict[str, str]:
        place = f"arn:{self.partition}:quicksight:{self.region_name}:{self.account_id}"
        return {"Arn": f"{place}:user/{namespace}/{member_name}", "MemberName": member_name}


membership_backends = BackendDict(GroupMembershipBackend, "quicksight")
