"""Organizations: an organization with two member accounts, moto's; somebody else is another client of the same API."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from tests.contract import scenery
from tests.contract.scenery import Values, client


class SCENERY(scenery.Scenery):
    """Two services of those that moto lets a member account administer."""

    lacks: ClassVar[Mapping[str, str]] = {
        "renews": "a registration has no version",
        "wait": "the service has no status: what is listed is granted",
        "failed state": "the service has no status",
        "pages": "moto answers all services of an account on one page",
        "token": "the service has no idempotency token",
        "options": "the associate request takes nothing but the identity",
        "exclusive": "an account administers as many services as anybody likes",
        "delete without service_principal": "a service principal is a name of AWS's, which nobody removes",
        "create without service_principal": "a service principal is a name of AWS's, which nobody removes",
        "default": "every part must be given",
        "retry after": "no error says when to come again",
        "exchange": "the caller's own credentials sign every call",
    }

    reasons: ClassVar[Mapping[str, str]] = {
        "SERVICE_ACCESS_NOT_ENABLED": "ConstraintViolationException",
        "MAX_DELEGATED_ADMINISTRATORS_FOR_SERVICE_LIMIT_EXCEEDED": "ConstraintViolationException",
        "DELEGATED_ADMINISTRATOR_EXISTS_FOR_THIS_SERVICE": "ConstraintViolationException",
        "CANNOT_REGISTER_SUSPENDED_ACCOUNT_AS_DELEGATED_ADMINISTRATOR": "ConstraintViolationException",
        "CANNOT_REGISTER_MASTER_AS_DELEGATED_ADMINISTRATOR": "ConstraintViolationException",
        "ACCOUNT_CREATION_NOT_COMPLETE": "ConstraintViolationException",
        "WAIT_PERIOD_ACTIVE": "ConstraintViolationException",
        "ORGANIZATION_NOT_IN_ALL_FEATURES_MODE": "ConstraintViolationException",
        "UNRECOGNIZED_SERVICE_PRINCIPAL": "InvalidInputException",
        "TARGET_NOT_SUPPORTED": "InvalidInputException",
    }

    def arrange(self) -> None:
        organizations = client("organizations")
        organizations.create_organization()
        accounts = []
        for name in ("a", "b"):
            made = organizations.create_account(Email=f"{name}@example.com", AccountName=name)
            accounts.append(made["CreateAccountStatus"]["AccountId"])
        self.values = {"service_principal": "guardduty.amazonaws.com", "account_id": accounts[0]}
        self.others = {"service_principal": "ssm.amazonaws.com", "account_id": accounts[1]}

    def grant(self, values: Values) -> None:
        client("organizations").register_delegated_administrator(
            ServicePrincipal=values["service_principal"], AccountId=values["account_id"]
        )

    def revoke(self, values: Values) -> None:
        client("organizations").deregister_delegated_administrator(
            ServicePrincipal=values["service_principal"], AccountId=values["account_id"]
        )

    def granted(self) -> list[Values]:
        principals = (self.values["service_principal"], self.others["service_principal"])
        return [
            {"service_principal": principal, "account_id": administrator["Id"]}
            for principal in principals
            for administrator in client("organizations").list_delegated_administrators(ServicePrincipal=principal)[
                "DelegatedAdministrators"
            ]
        ]

    def remove(self, part: str) -> None:
        # AWS lets no account go that is a delegated administrator.
        if self.values in self.granted():
            self.revoke(self.values)
        client("organizations").remove_account_from_organization(AccountId=self.values[part])
        # The published answer; moto says that there is no organization.
        self.control.add_fault(
            "error",
            service="organizations",
            operation=self.kind.look.operation,
            error_code="AccountNotFoundException",
            count=None,
        )

    def seen(self, *, present: bool) -> Mapping[str, Any]:
        service = {"ServicePrincipal": self.values["service_principal"]}
        return {"DelegatedServices": [service] if present else []}
