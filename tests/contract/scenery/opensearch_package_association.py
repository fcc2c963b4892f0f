"""OpenSearch: two packages and two domains."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from association_emulator.remote import RemoteControl
from tests.contract import scenery
from tests.contract.scenery import Values


class SCENERY(scenery.Scenery):
    """Everything is a switch of the emulator."""

    lacks: ClassVar[Mapping[str, str]] = {
        "token": "the service has no idempotency token",
        "exclusive": "a package is on as many domains as anybody likes",
        "global": "domains belong to a region",
        "default": "every part must be given",
        "transient": "no rejection of OpenSearch's is documented to pass by itself",
        "retry after": "no error says when to come again",
        "reasons": "the errors carry no reason",
        "exchange": "the caller's own credentials sign every call",
    }
    non_member = tuple({"dissociate_non_member": answer} for answer in ("not_found", "conflict", "succeed"))

    @property
    def service(self) -> RemoteControl:
        return self.control.opensearch

    def arrange(self) -> None:
        self.values = {"domain_name": "search", "package_id": "F123456789"}
        self.others = {"domain_name": "logs", "package_id": "F987654321"}
        for domain in ("search", "logs"):
            self.control.opensearch.add_domain(domain)
        for package in ("F123456789", "F987654321"):
            self.control.opensearch.add_package(package)

    def grant(self, values: Values) -> None:
        assert self.control.opensearch.associate(values["package_id"], values["domain_name"])

    def revoke(self, values: Values) -> None:
        assert self.control.opensearch.dissociate(values["package_id"], values["domain_name"])

    def granted(self) -> list[Values]:
        return [
            {"domain_name": now.domain_name, "package_id": now.package_id}
            for now in self.control.opensearch.associations()
        ]

    def remove(self, part: str) -> None:
        if part == "domain_name":
            self.control.opensearch.remove_domain(self.values[part])
        else:
            self.control.opensearch.remove_package(self.values[part])

    def seen(self, *, present: bool) -> Mapping[str, Any]:
        package = {
            "PackageID": self.values["package_id"],
            "DomainName": self.values["domain_name"],
            "DomainPackageStatus": "ACTIVE",
        }
        return {"DomainPackageDetailsList": [package] if present else []}

    def slow(self, *, adding: float = 0, removing: float = 0) -> None:
        self.control.opensearch.configure(association_seconds=adding, dissociation_seconds=removing)

    def fail(self, details: str, *, adding: bool = False, removing: bool = False) -> None:
        self.control.opensearch.configure(
            association_result="failed" if adding else "active",
            dissociation_result="failed" if removing else "dissociated",
            error_message=details,
        )

    def crowd(self) -> None:
        self.control.opensearch.configure(page_size=1)
        for package in ("F000000001", "F999999999"):
            self.control.opensearch.add_package(package)
            self.control.opensearch.associate(package, "search")
