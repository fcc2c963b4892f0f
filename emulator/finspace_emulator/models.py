"""FinSpaceDataBackend: environments with users, permission groups and memberships, and the rules among them."""

import secrets
import string
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from typing import Any

from moto.core.base_backend import BackendDict, BaseBackend

from association_emulator.paging import Pages, WrongPageToken
from association_emulator.responses import Outcome
from association_emulator.tokens import TokenMemory

from .exceptions import (
    AccessDeniedException,
    ConflictException,
    ResourceNotFoundException,
    ValidationException,
)
from .service import REGIONS, service

TOKEN_SECONDS = 600
"""How long a clientToken is remembered. Published: "This token expires in 10 minutes"."""

SESSION_MINUTES = 60
"""How long credentials last if durationInMinutes is not given. Not published; the longest that can be asked for."""

ADDITION_IN_PROGRESS = "ADDITION_IN_PROGRESS"
ADDITION_SUCCESS = "ADDITION_SUCCESS"
REMOVAL_IN_PROGRESS = "REMOVAL_IN_PROGRESS"

_ID_CHARACTERS = string.ascii_lowercase + string.digits


@dataclass
class User:
    """A FinSpace user. Field names are the API's, in snake case."""

    user_id: str
    email_address: str
    type: str
    first_name: str | None = None
    last_name: str | None = None
    api_access: str = "DISABLED"
    api_access_principal_arn: str | None = None
    status: str = "ENABLED"

    def to_wire(self) -> dict[str, Any]:
        """Return the user as ListUsersByPermissionGroup shows it, members without a value left out."""
        return {_camel_case(name): value for name, value in asdict(self).items() if value is not None}


@dataclass
class PermissionGroup:
    """A permission group."""

    permission_group_id: str
    name: str
    application_permissions: list[str] = field(default_factory=list)
    description: str | None = None


@dataclass(frozen=True)
class Change:
    """A membership began to be, or to end, at a time; its status becomes final at another."""

    at: float
    present: bool
    final_at: float


@dataclass
class Membership:
    """What happened between a user and a group. Kept whole, so that a list can show an older state."""

    changes: list[Change] = field(default_factory=list)

    def status(self, at: float) -> str | None:
        """Return the membershipStatus at a time; None: not a member."""
        last = next((change for change in reversed(self.changes) if change.at <= at), None)
        if last is None:
            return None
        if last.present:
            return ADDITION_IN_PROGRESS if at < last.final_at else ADDITION_SUCCESS
        return REMOVAL_IN_PROGRESS if at < last.final_at else None


@dataclass
class Environment:
    """A FinSpace environment: nothing in it is known in another one."""

    environment_id: str
    users: dict[str, User] = field(default_factory=dict)
    permission_groups: dict[str, PermissionGroup] = field(default_factory=dict)
    memberships: dict[tuple[str, str], Membership] = field(default_factory=dict)
    tokens: TokenMemory = field(default_factory=lambda: TokenMemory(TOKEN_SECONDS))
    pages: Pages = field(default_factory=Pages)

    def user(self, user_id: str) -> User:
        """Return the user, or raise."""
        if user_id not in self.users:
            raise ResourceNotFoundException(
                f"User {user_id} does not exist in environment {self.environment_id}.", "USER_NOT_FOUND"
            )
        return self.users[user_id]

    def permission_group(self, permission_group_id: str) -> PermissionGroup:
        """Return the permission group, or raise."""
        if permission_group_id not in self.permission_groups:
            raise ResourceNotFoundException(
                f"Permission group {permission_group_id} does not exist in environment {self.environment_id}.",
                "PERMISSION_GROUP_NOT_FOUND",
            )
        return self.permission_groups[permission_group_id]

    def membership(self, permission_group_id: str, user_id: str) -> Membership:
        """Return the membership of a user and a group that both exist, or raise."""
        self.permission_group(permission_group_id)
        self.user(user_id)
        return self.memberships.setdefault((permission_group_id, user_id), Membership())


class FinSpaceDataBackend(BaseBackend):
    """Implementation of FinSpace Data APIs, for one account and region. Every method holds the service's lock."""

    def __init__(self, region_name: str, account_id: str) -> None:
        super().__init__(region_name, account_id)
        self.environments: dict[str, Environment] = {}

    def create_environment(self, environment_id: str) -> Environment:
        """Return the environment, new or not. FinSpace Data has no operation for it."""
        with service.lock:
            return self.environments.setdefault(environment_id, Environment(environment_id))

    def get_programmatic_access_credentials(self, environment_id: str, duration_in_minutes: int | None) -> Outcome:
        """Issue credentials for an environment."""
        with service.lock:
            if environment_id not in self.environments and not service.settings.implicit_environments:
                raise AccessDeniedException(f"Environment {environment_id} does not exist or is not yours.")
            self.create_environment(environment_id)
            minutes = duration_in_minutes or SESSION_MINUTES
            issued = service.issue_credentials(self.account_id, self.region_name, environment_id, minutes)
            credentials = {
                "accessKeyId": issued.access_key_id,
                "secretAccessKey": issued.secret_access_key,
                "sessionToken": issued.session_token,
            }
            return Outcome({"credentials": credentials, "durationInMinutes": minutes})

    def associate_user_to_permission_group(
        self, environment_id: str, permission_group_id: str, user_id: str, client_token: str | None
    ) -> Outcome:
        """Add a user to a permission group."""

        def effect(environment: Environment) -> Outcome:
            membership = environment.membership(permission_group_id, user_id)
            status = membership.status(service.clock.now())
            pair = f"User {user_id}, permission group {permission_group_id}"
            if status == REMOVAL_IN_PROGRESS:
                raise ConflictException(f"{pair}: the removal is still in progress.", "REMOVAL_IN_PROGRESS")
            if status is not None:
                if service.settings.duplicate_associate == "conflict":
                    raise ConflictException(f"{pair}: already a member.", "ALREADY_A_MEMBER")
                return Outcome()
            self._change(membership, present=True, seconds=service.settings.addition_seconds)
            return Outcome(changed=True)

        parameters = {"permissionGroupId": permission_group_id, "userId": user_id}
        return self._once(environment_id, "AssociateUserToPermissionGroup", parameters, client_token, effect)

    def disassociate_user_from_permission_group(
        self, environment_id: str, permission_group_id: str, user_id: str, client_token: str | None
    ) -> Outcome:
        """Remove a user from a permission group."""

        def effect(environment: Environment) -> Outcome:
            membership = environment.membership(permission_group_id, user_id)
            status = membership.status(service.clock.now())
            pair = f"User {user_id}, permission group {permission_group_id}"
            settings = service.settings
            if status is None:
                if settings.disassociate_non_member == "not_found":
                    raise ResourceNotFoundException(f"{pair}: not a member.", "NOT_A_MEMBER")
                if settings.disassociate_non_member == "conflict":
                    raise ConflictException(f"{pair}: not a member.", "NOT_A_MEMBER")
                return Outcome()
            if status == REMOVAL_IN_PROGRESS:
                if settings.disassociate_during_removal == "conflict":
                    raise ConflictException(f"{pair}: the removal is still in progress.", "REMOVAL_IN_PROGRESS")
                return Outcome()
            if status == ADDITION_IN_PROGRESS and settings.disassociate_during_addition == "conflict":
                raise ConflictException(f"{pair}: the addition is still in progress.", "ADDITION_IN_PROGRESS")
            self._change(membership, present=False, seconds=settings.removal_seconds)
            return Outcome(changed=True)

        parameters = {"permissionGroupId": permission_group_id, "userId": user_id}
        return self._once(environment_id, "DisassociateUserFromPermissionGroup", parameters, client_token, effect)

    def list_permission_groups_by_user(
        self, environment_id: str, user_id: str, max_results: int, next_token: str | None
    ) -> Outcome:
        """List a page of the groups that a user is in, as they were ``list_lag_seconds`` ago."""
        with service.lock:
            environment = self.environments[environment_id]
            environment.user(user_id)
            at = service.clock.now() - service.settings.list_lag_seconds
            statuses = {
                group_id: membership.status(at)
                for (group_id, member_id), membership in environment.memberships.items()
                if member_id == user_id
            }
            page, token = self._page(
                environment, "ListPermissionGroupsByUser", user_id, statuses, max_results, next_token
            )
            groups = [
                {
                    "permissionGroupId": group_id,
                    "name": environment.permission_groups[group_id].name,
                    "membershipStatus": status,
                }
                for group_id, status in page
            ]
            return Outcome({"permissionGroups": groups, **token})

    def list_users_by_permission_group(
        self, environment_id: str, permission_group_id: str, max_results: int, next_token: str | None
    ) -> Outcome:
        """List a page of the users in a group, as they were ``list_lag_seconds`` ago."""
        with service.lock:
            environment = self.environments[environment_id]
            environment.permission_group(permission_group_id)
            at = service.clock.now() - service.settings.list_lag_seconds
            statuses = {
                user_id: membership.status(at)
                for (group_id, user_id), membership in environment.memberships.items()
                if group_id == permission_group_id
            }
            page, token = self._page(
                environment, "ListUsersByPermissionGroup", permission_group_id, statuses, max_results, next_token
            )
            users = [{**environment.users[user_id].to_wire(), "membershipStatus": status} for user_id, status in page]
            return Outcome({"users": users, **token})

    def create_user(
        self,
        environment_id: str,
        email_address: str,
        type: str,  # noqa: A002 - the API's name
        first_name: str | None,
        last_name: str | None,
        api_access: str | None,
        api_access_principal_arn: str | None,
        client_token: str | None,
    ) -> Outcome:
        """Create a user with a new id."""
        parameters = {
            "emailAddress": email_address,
            "type": type,
            "firstName": first_name,
            "lastName": last_name,
            "apiAccess": api_access,
            "apiAccessPrincipalArn": api_access_principal_arn,
        }

        def effect(environment: Environment) -> Outcome:
            # Published: the e-mail address identifies a user within an environment.
            if any(user.email_address == email_address for user in environment.users.values()):
                raise ConflictException("A user with this emailAddress exists already.", "EMAIL_ADDRESS_IN_USE")
            user = User(
                user_id=_new_id(),
                email_address=email_address,
                type=type,
                first_name=first_name,
                last_name=last_name,
                api_access=api_access or "DISABLED",
                api_access_principal_arn=api_access_principal_arn,
            )
            environment.users[user.user_id] = user
            return Outcome({"userId": user.user_id}, changed=True)

        return self._once(environment_id, "CreateUser", parameters, client_token, effect)

    def disable_user(self, environment_id: str, user_id: str, client_token: str | None) -> Outcome:
        """Set a user's status to DISABLED. Memberships stay."""

        def effect(environment: Environment) -> Outcome:
            user = environment.user(user_id)
            changed = user.status != "DISABLED"
            user.status = "DISABLED"
            return Outcome({"userId": user_id}, changed=changed)

        return self._once(environment_id, "DisableUser", {"userId": user_id}, client_token, effect)

    def create_permission_group(
        self,
        environment_id: str,
        name: str,
        application_permissions: list[str],
        description: str | None,
        client_token: str | None,
    ) -> Outcome:
        """Create a permission group with a new id."""
        parameters = {"name": name, "applicationPermissions": application_permissions, "description": description}

        def effect(environment: Environment) -> Outcome:
            group = PermissionGroup(_new_id(), name, application_permissions, description)
            environment.permission_groups[group.permission_group_id] = group
            return Outcome({"permissionGroupId": group.permission_group_id}, changed=True)

        return self._once(environment_id, "CreatePermissionGroup", parameters, client_token, effect)

    def delete_permission_group(
        self, environment_id: str, permission_group_id: str, client_token: str | None
    ) -> Outcome:
        """Delete a permission group, and the memberships in it."""

        def effect(environment: Environment) -> Outcome:
            self.remove_permission_group(environment.environment_id, permission_group_id)
            return Outcome({"permissionGroupId": permission_group_id}, changed=True)

        parameters = {"permissionGroupId": permission_group_id}
        return self._once(environment_id, "DeletePermissionGroup", parameters, client_token, effect)

    # What follows is no operation of the API: the state as a test sets and sees it.

    def grant(self, environment_id: str, permission_group_id: str, user_id: str, seconds: float) -> bool:
        """Make a user a member, as somebody else would. Returns whether that changed anything."""
        with service.lock:
            membership = self.create_environment(environment_id).membership(permission_group_id, user_id)
            if membership.status(service.clock.now()) in (ADDITION_IN_PROGRESS, ADDITION_SUCCESS):
                return False
            self._change(membership, present=True, seconds=seconds)
            return True

    def revoke(self, environment_id: str, permission_group_id: str, user_id: str, seconds: float) -> bool:
        """End a membership, as somebody else would. Returns whether that changed anything."""
        with service.lock:
            membership = self.create_environment(environment_id).membership(permission_group_id, user_id)
            if membership.status(service.clock.now()) in (None, REMOVAL_IN_PROGRESS):
                return False
            self._change(membership, present=False, seconds=seconds)
            return True

    def add_user(self, environment_id: str, user: User) -> None:
        """Put a user with a chosen id into an environment."""
        with service.lock:
            self.create_environment(environment_id).users[user.user_id] = user

    def add_permission_group(self, environment_id: str, group: PermissionGroup) -> None:
        """Put a permission group with a chosen id into an environment."""
        with service.lock:
            self.create_environment(environment_id).permission_groups[group.permission_group_id] = group

    def remove_user(self, environment_id: str, user_id: str) -> None:
        """Remove a user and their memberships without a trace."""
        with service.lock:
            environment = self.create_environment(environment_id)
            environment.user(user_id)
            del environment.users[user_id]
            for pair in [pair for pair in environment.memberships if pair[1] == user_id]:
                del environment.memberships[pair]

    def remove_permission_group(self, environment_id: str, permission_group_id: str) -> None:
        """Remove a permission group and its memberships without a trace."""
        with service.lock:
            environment = self.create_environment(environment_id)
            environment.permission_group(permission_group_id)
            del environment.permission_groups[permission_group_id]
            for pair in [pair for pair in environment.memberships if pair[0] == permission_group_id]:
                del environment.memberships[pair]

    def memberships(self) -> list[dict[str, Any]]:
        """Return every membership as it is now, whatever the lists show."""
        with service.lock:
            now = service.clock.now()
            return [
                {
                    "account_id": self.account_id,
                    "region": self.region_name,
                    "environment_id": environment.environment_id,
                    "permission_group_id": permission_group_id,
                    "user_id": user_id,
                    "membership_status": status,
                }
                for environment in self.environments.values()
                for (permission_group_id, user_id), membership in sorted(environment.memberships.items())
                if (status := membership.status(now)) is not None
            ]

    def _change(self, membership: Membership, *, present: bool, seconds: float) -> None:
        now = service.clock.now()
        membership.changes.append(Change(at=now, present=present, final_at=now + seconds))

    def _once(
        self,
        environment_id: str,
        operation: str,
        parameters: dict[str, Any],
        client_token: str | None,
        effect: Callable[[Environment], Outcome],
    ) -> Outcome:
        """Let a call take effect, unless its clientToken says that it already did."""
        with service.lock:
            environment = self.environments[environment_id]
            if client_token is None:
                return effect(environment)
            now = service.clock.now()
            key: tuple[str, ...] = (client_token,)
            if service.settings.token_scope == "operation":  # noqa: S105 - a switch
                key = (client_token, operation)
            earlier = environment.tokens.recall(key, now)
            if earlier is not None:
                if earlier.is_of(operation, parameters):
                    return Outcome(environment.tokens.reuse(earlier, now), replayed=True)
                message = "This clientToken was used for a call with other parameters."
                if service.settings.reused_token == "conflict":  # noqa: S105 - a switch
                    raise ConflictException(message, "CLIENT_TOKEN_REUSED")
                if service.settings.reused_token == "validation":  # noqa: S105 - a switch
                    raise ValidationException(message, "CLIENT_TOKEN_REUSED")
            outcome = effect(environment)
            environment.tokens.remember(key, now, operation, parameters, outcome.answer)
            return outcome

    def _page(
        self,
        environment: Environment,
        operation: str,
        subject: str,
        statuses: dict[str, str | None],
        max_results: int,
        next_token: str | None,
    ) -> tuple[list[tuple[str, str]], dict[str, str]]:
        """Return a page in the order of the ids, and the nextToken member if more follows."""
        present = {key: status for key, status in statuses.items() if status is not None}
        size = min(max_results, service.settings.page_size or max_results)
        try:
            keys, token = environment.pages.page((operation, subject), present, size, next_token)
        except WrongPageToken:
            raise ValidationException("'nextToken' is not a token of this list.", "INVALID_NEXT_TOKEN") from None
        return [(key, present[key]) for key in keys], {} if token is None else {"nextToken": token}


def _new_id() -> str:
    return "".join(secrets.choice(_ID_CHARACTERS) for _ in range(26))


def _camel_case(name: str) -> str:
    head, *rest = name.split("_")
    return head + "".join(word.capitalize() for word in rest)


finspacedata_backends = BackendDict(
    FinSpaceDataBackend,
    "finspace-data",
    use_boto3_regions=False,
    additional_regions=list(REGIONS),
)
