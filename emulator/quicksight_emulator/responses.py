"""Handles incoming requests about QuickSight's group memberships, invokes methods, returns responses."""

# ruff: noqa: D102 - a method is the operation of its name

from dataclasses import replace
from uuid import uuid4

from association_emulator.exceptions import ServiceError
from association_emulator.responses import EmulatedResponse, Outcome
from association_emulator.wire import Signature

from .exceptions import AccessDeniedException, InvalidParameterValueException
from .models import GroupMembershipBackend, membership_backends
from .service import service


class GroupMembershipResponse(EmulatedResponse):
    """Handler for requests about group memberships. A method per operation, in snake case; moto has the others."""

    service = service

    @property
    def membership_backend(self) -> GroupMembershipBackend:
        """Return backend instance specific for this region."""
        return membership_backends[self.current_account][self.region]

    def refusal(self, message: str) -> ServiceError:
        """Return the error for input that breaks the service model."""
        return InvalidParameterValueException(message)

    def authenticate(self, signature: Signature) -> None:
        """Raise unless the caller's account is the one that the request names."""
        super().authenticate(signature)
        if self._get_param("AwsAccountId") != self.current_account and not self.call.problems:
            raise AccessDeniedException(f"The caller is not of account {self._get_param('AwsAccountId')}.")

    def create_group_membership(self) -> Outcome:
        return _with_request_id(
            self.membership_backend.create_group_membership(
                namespace=self._get_param("Namespace"),
                group_name=self._get_param("GroupName"),
                member_name=self._get_param("MemberName"),
            )
        )

    def describe_group_membership(self) -> Outcome:
        return _with_request_id(
            self.membership_backend.describe_group_membership(
                namespace=self._get_param("Namespace"),
                group_name=self._get_param("GroupName"),
                member_name=self._get_param("MemberName"),
            )
        )

    def delete_group_membership(self) -> Outcome:
        return _with_request_id(
            self.membership_backend.delete_group_membership(
                namespace=self._get_param("Namespace"),
                group_name=self._get_param("GroupName"),
                member_name=self._get_param("MemberName"),
            )
        )

    def list_group_memberships(self) -> Outcome:
        return _with_request_id(
            self.membership_backend.list_group_memberships(
                namespace=self._get_param("Namespace"),
                group_name=self._get_param("GroupName"),
                max_results=self._get_param("MaxResults"),
                next_token=self._get_param("NextToken"),
            )
        )


def _with_request_id(outcome: Outcome) -> Outcome:
    """Return the outcome with the member that every answer of QuickSight has."""
    return replace(outcome, answer={**outcome.answer, "RequestId": str(uuid4())})
