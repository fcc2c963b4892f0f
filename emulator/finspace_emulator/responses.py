"""Handles incoming finspacedata requests, invokes methods, returns responses."""

# ruff: noqa: D102 - a method is the operation of its name

import json
import socket
import time
from dataclasses import dataclass, field
from typing import Any

from botocore.exceptions import ConnectionClosedError, EndpointConnectionError
from moto.core.common_types import TYPE_RESPONSE
from moto.core.responses import BaseResponse
from moto.core.utils import camelcase_to_underscores
from moto.utilities.aws_headers import gen_amzn_requestid_long

from .exceptions import (
    AccessDeniedException,
    ExpiredTokenException,
    FinSpaceDataError,
    InternalServerException,
    InvalidSignatureException,
    MissingAuthenticationTokenException,
    ThrottlingException,
    UnknownOperationException,
    ValidationException,
)
from .faults import Fault
from .journal import JournalEntry
from .models import REGIONS, FinSpaceDataBackend, Outcome, finspacedata_backends
from .service import service
from .wire import Call, Signature, service_model

EXCHANGE = "GetProgrammaticAccessCredentials"
"""The one operation for IAM credentials; every other one is for FinSpace's own."""


@dataclass(frozen=True)
class Answer:
    """What goes back over the wire."""

    status: int
    body: str
    error_code: str | None = None
    headers: dict[str, str] = field(default_factory=lambda: {"Content-Type": "application/json"})

    @classmethod
    def of_error(cls, error: FinSpaceDataError) -> "Answer":
        """Return an error as the protocol rest-json carries it."""
        return cls(error.code, error.description, error.error_code, dict(error.get_headers()))


class FinSpaceDataResponse(BaseResponse):
    """Handler for FinSpace Data requests and responses. A method per operation, by its name in snake case."""

    use_raw_body = True

    def __init__(self) -> None:
        super().__init__(service_name="finspace-data")

    @property
    def finspacedata_backend(self) -> FinSpaceDataBackend:
        """Return backend instance specific for this region."""
        return finspacedata_backends[self.current_account][self.region]

    def call_action(self) -> TYPE_RESPONSE:
        """Journal the call, answer it, and play the fault that it meets. Faults wait outside the service's lock."""
        request = self.normalized_request
        self.call = Call.read(request.method, self.raw_path, request.query_string, self.raw_body)
        self.signature = Signature.read(self.headers)
        if self.signature is not None and self.signature.region not in REGIONS and not request.from_wsgi_server:
            # The name of the regional endpoint would not resolve. Over HTTP the request is answered, below.
            raise EndpointConnectionError(endpoint_url=f"{self.parsed_url.scheme}://{self.parsed_url.netloc}")
        with service.lock:
            entry = self._open_entry()
            fault = service.faults.take(self.call.operation_name)
        answer: Answer | None = None
        try:
            if fault is not None:
                entry.fault = fault.label
            if fault is not None and fault.when == "before":
                answer = self._play(fault)
            if answer is None:
                answer = self._answer(entry)
                if fault is not None and fault.when == "after":
                    # Not the answer that was made, should the connection be cut.
                    made, answer = answer, None
                    answer = self._play(fault) or made
        finally:
            with service.lock:
                if answer is not None:
                    entry.status, entry.error_code = answer.status, answer.error_code
                entry.finished = True
        headers = {**self.response_headers, **answer.headers}
        gen_amzn_requestid_long(headers)
        return answer.status, headers, answer.body

    def _open_entry(self) -> JournalEntry:
        parameters = dict(self.call.parameters)
        client_token = parameters.pop("clientToken", None)
        signature = self.signature
        issued = service.credentials.get(signature.access_key_id) if signature else None
        return service.journal.open(
            time=service.clock.now(),
            operation=self.call.operation_name,
            parameters=parameters,
            client_token=client_token,
            caller="unsigned" if signature is None else "iam" if issued is None else "finspace",
            access_key_id=signature.access_key_id if signature else None,
            region=signature.region if signature else None,
            environment_id=issued.environment_id if issued else None,
        )

    def _play(self, fault: Fault) -> Answer | None:
        """Let a fault strike. Returns the answer to give; None: the usual one."""
        time.sleep(fault.seconds)
        if fault.kind == "throttled":
            return Answer.of_error(ThrottlingException())
        if fault.kind == "internal_error":
            return Answer.of_error(InternalServerException("The service failed. This is a fault on demand."))
        if fault.kind == "cut":
            self._cut()
        if fault.kind == "answer":
            headers = {"Content-Type": fault.content_type}
            if fault.error_code is not None:
                headers["x-amzn-ErrorType"] = fault.error_code
            return Answer(fault.status, fault.body, fault.error_code, headers)
        return None

    def _cut(self) -> None:
        """End the connection without an answer."""
        request = self.normalized_request
        if not request.from_wsgi_server:
            # moto runs inside botocore's "before-send" event: botocore treats what is raised here as its own.
            raise ConnectionClosedError(endpoint_url=f"{self.parsed_url.scheme}://{self.parsed_url.netloc}")
        connection: socket.socket | None = request.environ.get("werkzeug.socket")
        if connection is not None:
            connection.shutdown(socket.SHUT_RDWR)
        # werkzeug takes this for a client that went away, and writes nothing.
        raise ConnectionAbortedError("cut on demand")

    def _answer(self, entry: JournalEntry) -> Answer:
        try:
            self._authenticate()
            if self.call.operation is None:
                raise UnknownOperationException(f"No operation is {self.method} {self.raw_path}.")
            if self.call.problems:
                count = len(self.call.problems)
                problems = "; ".join(self.call.problems)
                errors = "error" if count == 1 else "errors"
                raise ValidationException(
                    f"{count} validation {errors} detected: {problems}", "FIELD_VALIDATION_FAILED"
                )
            outcome: Outcome = getattr(self, camelcase_to_underscores(self.call.operation.name))()
        except FinSpaceDataError as error:
            return Answer.of_error(error)
        entry.changed, entry.replayed = outcome.changed, outcome.replayed
        return Answer(200, json.dumps(outcome.answer))

    def _authenticate(self) -> None:
        """Raise unless the credentials are the kind that the operation wants, in force, and for this place."""
        if self.signature is None:
            raise MissingAuthenticationTokenException("Missing Authentication Token")
        expected = service_model().signing_name
        if self.signature.service != expected:
            raise InvalidSignatureException(f"Credential should be scoped to correct service: '{expected}'.")
        if self.signature.region not in REGIONS:
            raise InvalidSignatureException("Credential should be scoped to a valid region.")
        self.region = self.signature.region
        with service.lock:
            issued = service.credentials.get(self.signature.access_key_id)
            allowed, now = service.settings.allowed_access_keys, service.clock.now()
            expired_credentials = service.settings.expired_credentials
        if self.call.operation_name == EXCHANGE:
            if issued is not None:
                raise AccessDeniedException(f"{EXCHANGE} is for IAM credentials, these are FinSpace's own.")
            if allowed is not None and self.signature.access_key_id not in allowed:
                raise AccessDeniedException("The caller is not registered as a FinSpace user with API access.")
            return
        if issued is None:
            raise AccessDeniedException(
                f"FinSpace does not know these credentials. IAM credentials are only good for {EXCHANGE}, "
                "which returns those for every other operation."
            )
        if self.signature.session_token != issued.session_token:
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

    def _get_param(self, param_name: str, if_none: Any = None) -> Any:
        return self.call.parameters.get(param_name, if_none)

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
