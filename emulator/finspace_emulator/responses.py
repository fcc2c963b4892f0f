"""Handles incoming finspacedata requests, invokes methods, returns responses."""

# ruff: noqa: D102 - a method is the operation of its name

from typing import Any

from association_emulator.exceptions import ServiceError
from association_emulator.responses import EmulatedResponse, Outcome
from association_emulator.wire import Signature

from .exceptions import AccessDeniedException, ExpiredTokenException, ValidationException
from .models import FinSpaceDataBackend, finspacedata_backends
from .service import service

EXCHANGE = "GetProgrammaticAccessCredentials"
"""The one operation for IAM credentials; every other one is for FinSpace's own."""


class FinSpaceDataResponse(EmulatedResponse):
    """Handler for FinSpace Data requests and responses. A method per operation, by its name in snake case."""

    service = service

    @property
    def finspacedata_backend(self) -> FinSpaceDataBackend:
        """Return backend instance specific for this region."""
        return finspacedata_backends[self.current_account][self.region]

    def refusal(self, message: str) -> ServiceError:
        """Return the error for input that breaks the service model."""
        return ValidationException(message, "FIELD_VALIDATION_FAILED")

    def described(self) -> dict[str, Any]:
        """Tell FinSpace's own credentials from IAM's in the journal."""
        with service.lock:
            issued = service.credentials.get(self.signature.access_key_id) if self.signature else None
        return {"caller": "finspace", "environment_id": issued.environment_id} if issued else {}

    def authenticate(self, signature: Signature) -> None:
        """Raise unless the credentials are the kind that the operation wants, in force, and for this place."""
        super().authenticate(signature)
        with service.lock:
            issued = service.credentials.get(signature.access_key_id)
            allowed, now = service.settings.allowed_access_keys, service.clock.now()
            expired_credentials = service.settings.expired_credentials
        if self.call.operation_name == EXCHANGE:
            if issued is not None:
                raise AccessDeniedException(f"{EXCHANGE} is for IAM credentials, these are FinSpace's own.")
            if allowed is not None and signature.access_key_id not in allowed:
                raise AccessDeniedException("The caller is not registered as a FinSpace user with API access.")
            return
        if issued is None:
            raise AccessDeniedException(
                f"FinSpace does not know these credentials. IAM credentials are only good for {EXCHANGE}, "
                "which returns those for every other operation."
            )
        if signature.session_token != issued.session_token:
            raise AccessDeniedException("The session token does not belong to the access key.")
        if now >= issued.expires_at:
            if expired_credentials == "expired_token":
                raise ExpiredTokenException("The security token included in the request is expired")
            raise AccessDeniedException("The FinSpace credentials have expired.")
        if issued.region != self.region:
            raise AccessDeniedException(f"The FinSpace credentials are for region {issued.region}.")
        # moto tells accounts apart by their IAM keys, of which this is none.
        self.current_account = issued.account_id
        self.environment_id = issued.environment_id

    def get_programmatic_access_credentials(self) -> Outcome:
        return self.finspacedata_backend.get_programmatic_access_credentials(
            environment_id=self._get_param("environmentId"),
            duration_in_minutes=self._get_param("durationInMinutes"),
        )

    def associate_user_to_permission_group(self) -> Outcome:
        return self.finspacedata_backend.associate_user_to_permission_group(
            environment_id=self.environment_id,
            permission_group_id=self._get_param("permissionGroupId"),
            user_id=self._get_param("userId"),
            client_token=self._get_param("clientToken"),
        )

    def disassociate_user_from_permission_group(self) -> Outcome:
        return self.finspacedata_backend.disassociate_user_from_permission_group(
            environment_id=self.environment_id,
            permission_group_id=self._get_param("permissionGroupId"),
            user_id=self._get_param("userId"),
            client_token=self._get_param("clientToken"),
        )

    def list_permission_groups_by_user(self) -> Outcome:
        return self.finspacedata_backend.list_permission_groups_by_user(
            environment_id=self.environment_id,
            user_id=self._get_param("userId"),
            max_results=self._get_param("maxResults"),
            next_token=self._get_param("nextToken"),
        )

    def list_users_by_permission_group(self) -> Outcome:
        return self.finspacedata_backend.list_users_by_permission_group(
            environment_id=self.environment_id,
            permission_group_id=self._get_param("permissionGroupId"),
            max_results=self._get_param("maxResults"),
            next_token=self._get_param("nextToken"),
        )

    def create_user(self) -> Outcome:
        return self.finspacedata_backend.create_user(
            environment_id=self.environment_id,
            email_address=self._get_param("emailAddress"),
            type=self._get_param("type"),
            first_name=self._get_param("firstName"),
            last_name=self._get_param("lastName"),
            api_access=self._get_param("apiAccess"),
            api_access_principal_arn=self._get_param("apiAccessPrincipalArn"),
            client_token=self._get_param("clientToken"),
        )

    def disable_user(self) -> Outcome:
        return self.finspacedata_backend.disable_user(
            environment_id=self.environment_id,
            user_id=self._get_param("userId"),
            client_token=self._get_param("clientToken"),
        )

    def create_permission_group(self) -> Outcome:
        return self.finspacedata_backend.create_permission_group(
            environment_id=self.environment_id,
            name=self._get_param("name"),
            application_permissions=self._get_param("applicationPermissions"),
            description=self._get_param("description"),
            client_token=self._get_param("clientToken"),
        )

    def delete_permission_group(self) -> Outcome:
        return self.finspacedata_backend.delete_permission_group(
            environment_id=self.environment_id,
            permission_group_id=self._get_param("permissionGroupId"),
            client_token=self._get_param("clientToken"),
        )
