"""Handles incoming dsdata requests, invokes methods, returns responses."""

# ruff: noqa: D102 - a method is the operation of its name

from association_emulator.exceptions import ServiceError
from association_emulator.responses import EmulatedResponse, Outcome
from association_emulator.wire import Signature

from .exceptions import AccessDeniedException, ValidationException
from .models import DirectoryDataBackend, dsdata_backends
from .service import service


class DirectoryDataResponse(EmulatedResponse):
    """Handler for Directory Service Data requests and responses. A method per operation, by its name in snake case."""

    service = service

    @property
    def dsdata_backend(self) -> DirectoryDataBackend:
        """Return backend instance specific for this region."""
        return dsdata_backends[self.current_account][self.region]

    def refusal(self, message: str) -> ServiceError:
        """Return the error for input that breaks the service model."""
        return ValidationException(
            message, "MISSING_ATTRIBUTE" if " is required" in message else "INVALID_ATTRIBUTE_VALUE"
        )

    def authenticate(self, signature: Signature) -> None:
        """Raise unless IAM allows the caller."""
        super().authenticate(signature)
        with service.lock:
            allowed = service.settings.allowed_access_keys
        if allowed is not None and signature.access_key_id not in allowed:
            raise AccessDeniedException(f"IAM does not allow ds-data:{self.call.operation_name}.", "IAM_AUTH")

    def add_group_member(self) -> Outcome:
        return self.dsdata_backend.add_group_member(
            directory_id=self._get_param("DirectoryId"),
            group_name=self._get_param("GroupName"),
            member_name=self._get_param("MemberName"),
            member_realm=self._get_param("MemberRealm"),
            client_token=self._get_param("ClientToken"),
        )

    def remove_group_member(self) -> Outcome:
        return self.dsdata_backend.remove_group_member(
            directory_id=self._get_param("DirectoryId"),
            group_name=self._get_param("GroupName"),
            member_name=self._get_param("MemberName"),
            member_realm=self._get_param("MemberRealm"),
            client_token=self._get_param("ClientToken"),
        )

    def list_group_members(self) -> Outcome:
        return self.dsdata_backend.list_group_members(
            directory_id=self._get_param("DirectoryId"),
            sam_account_name=self._get_param("SAMAccountName"),
            realm=self._get_param("Realm"),
            member_realm=self._get_param("MemberRealm"),
            max_results=self._get_param("MaxResults"),
            next_token=self._get_param("NextToken"),
        )

    def list_groups_for_member(self) -> Outcome:
        return self.dsdata_backend.list_groups_for_member(
            directory_id=self._get_param("DirectoryId"),
            sam_account_name=self._get_param("SAMAccountName"),
            realm=self._get_param("Realm"),
            member_realm=self._get_param("MemberRealm"),
            max_results=self._get_param("MaxResults"),
            next_token=self._get_param("NextToken"),
        )

    def create_group(self) -> Outcome:
        return self.dsdata_backend.create_group(
            directory_id=self._get_param("DirectoryId"),
            sam_account_name=self._get_param("SAMAccountName"),
            group_scope=self._get_param("GroupScope"),
            group_type=self._get_param("GroupType"),
            other_attributes=self._get_param("OtherAttributes"),
            client_token=self._get_param("ClientToken"),
        )

    def create_user(self) -> Outcome:
        names = ("EmailAddress", "GivenName", "OtherAttributes", "Surname")
        return self.dsdata_backend.create_user(
            directory_id=self._get_param("DirectoryId"),
            sam_account_name=self._get_param("SAMAccountName"),
            attributes={name: self._get_param(name) for name in names},
            client_token=self._get_param("ClientToken"),
        )

    def delete_group(self) -> Outcome:
        return self.dsdata_backend.delete_group(
            directory_id=self._get_param("DirectoryId"),
            sam_account_name=self._get_param("SAMAccountName"),
            client_token=self._get_param("ClientToken"),
        )

    def delete_user(self) -> Outcome:
        return self.dsdata_backend.delete_user(
            directory_id=self._get_param("DirectoryId"),
            sam_account_name=self._get_param("SAMAccountName"),
            client_token=self._get_param("ClientToken"),
        )
