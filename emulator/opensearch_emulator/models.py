"""PackageBackend: packages, their associations with moto's domains, and the statuses that take time."""

import secrets
from dataclasses import dataclass
from typing import Any

from moto.core.base_backend import BackendDict, BaseBackend
from moto.opensearch.models import opensearch_backends

from association_emulator.paging import Pages, WrongPageToken
from association_emulator.responses import Outcome

from .exceptions import (
    ConflictException,
    ResourceAlreadyExistsException,
    ResourceNotFoundException,
    ValidationException,
)
from .service import service

MAX_RESULTS = 100
"""How many entries a page has if maxResults is not given. Not documented; the most that can be asked for."""

ASSOCIATING = "ASSOCIATING"
ACTIVE = "ACTIVE"
ASSOCIATION_FAILED = "ASSOCIATION_FAILED"
DISSOCIATING = "DISSOCIATING"
DISSOCIATION_FAILED = "DISSOCIATION_FAILED"


@dataclass
class Package:
    """A package of the account."""

    package_id: str
    package_name: str
    package_type: str = "TXT-DICTIONARY"
    engine_version: str | None = None
    description: str | None = None
    created_at: float = 0.0
    version: int = 1

    def to_wire(self) -> dict[str, Any]:
        """Return the package as CreatePackage and DeletePackage show it, members without a value left out."""
        details = {
            "PackageID": self.package_id,
            "PackageName": self.package_name,
            "PackageType": self.package_type,
            "PackageDescription": self.description,
            "PackageStatus": "AVAILABLE",
            "CreatedAt": self.created_at,
            "AvailablePackageVersion": f"v{self.version}",
            "EngineVersion": self.engine_version,
        }
        return {name: value for name, value in details.items() if value is not None}


@dataclass
class Association:
    """A package on a domain, or on its way there or away."""

    package: Package
    domain: Any
    """moto's domain: another one of the same name, made later, does not have the package."""
    arriving: bool
    """Whether it is being associated, or has been; else it is being dissociated."""
    changed_at: float
    final_at: float
    error: dict[str, str] | None = None
    """ErrorDetails, if the change that began last ends in failure."""
    prerequisites: list[str] | None = None
    configuration: dict[str, Any] | None = None
    in_use: bool = False
    version: int = 1
    """That of the package which the association applied."""

    def status(self, at: float) -> str | None:
        """Return the DomainPackageStatus at a time; None: the package is not on the domain."""
        if at < self.final_at:
            return ASSOCIATING if self.arriving else DISSOCIATING
        if self.error is not None:
            return ASSOCIATION_FAILED if self.arriving else DISSOCIATION_FAILED
        return ACTIVE if self.arriving else None

    def to_wire(self, at: float) -> dict[str, Any]:
        """Return the association as every operation shows it, members without a value left out."""
        failed = self.status(at) in (ASSOCIATION_FAILED, DISSOCIATION_FAILED)
        details = {
            "PackageID": self.package.package_id,
            "PackageName": self.package.package_name,
            "PackageType": self.package.package_type,
            "LastUpdated": self.changed_at if at < self.final_at else self.final_at,
            "DomainName": self.domain.domain_name,
            "DomainPackageStatus": self.status(at),
            "PackageVersion": f"v{self.version}",
            "PrerequisitePackageIDList": self.prerequisites,
            "ErrorDetails": self.error if failed else None,
            "AssociationConfiguration": self.configuration,
        }
        return {name: value for name, value in details.items() if value is not None}


class PackageBackend(BaseBackend):
    """Implementation of OpenSearch's package APIs, for one account and region. Every method holds the lock."""

    def __init__(self, region_name: str, account_id: str) -> None:
        super().__init__(region_name, account_id)
        self.packages: dict[str, Package] = {}
        self.associations: dict[tuple[str, str], Association] = {}
        self.pages = Pages()

    @property
    def domains(self) -> dict[str, Any]:
        """moto's domains of this place, by name. To be asked for before the lock is held."""
        domains: dict[str, Any] = opensearch_backends[self.account_id][self.region_name].domains
        return domains

    def associate_package(
        self,
        package_id: str,
        domain_name: str,
        prerequisite_package_id_list: list[str] | None,
        association_configuration: dict[str, Any] | None,
    ) -> Outcome:
        """Begin to associate a package with a domain."""
        domains, settings = self.domains, service.settings
        with service.lock:
            package, domain = self._package(package_id), _domain(domains, domain_name)
            now = service.clock.now()
            association = self._association(domains, package_id, domain_name)
            status = association.status(now) if association else None
            if association is not None and status == DISSOCIATING:
                raise ConflictException(f"Package {package_id} is being dissociated from domain {domain_name}.")
            renews = association is not None and status == ACTIVE and association.version < package.version
            again = status == ASSOCIATION_FAILED and settings.associate_after_failure == "succeed"
            begins = status is None or again or renews
            if association is not None and not begins:
                if settings.duplicate_associate == "conflict" or status == ASSOCIATION_FAILED:
                    raise ConflictException(f"Package {package_id} is already associated with domain {domain_name}.")
                return Outcome({"DomainPackageDetails": association.to_wire(now)})
            association = self._begin_association(
                package, domain, settings.association_seconds, failed=settings.association_result == "failed"
            )
            association.prerequisites = prerequisite_package_id_list
            association.configuration = association_configuration
            return Outcome({"DomainPackageDetails": _at_first(association, ASSOCIATING)}, changed=True)

    def dissociate_package(self, package_id: str, domain_name: str) -> Outcome:
        """Begin to dissociate a package from a domain."""
        domains, settings = self.domains, service.settings
        with service.lock:
            package, domain = self._package(package_id), _domain(domains, domain_name)
            now = service.clock.now()
            association = self._association(domains, package_id, domain_name)
            status = association.status(now) if association else None
            pair = f"Package {package_id}, domain {domain_name}"
            if association is None or status is None:
                return self._dissociate_non_member(package, domain, f"{pair}: not associated.")
            refusals = {
                ASSOCIATING: settings.dissociate_during_association == "conflict",
                DISSOCIATING: settings.dissociate_during_dissociation == "conflict",
                ASSOCIATION_FAILED: settings.dissociate_after_failure == "conflict",
            }
            if refusals.get(status):
                raise ConflictException(f"{pair}: {status}.")
            if status == DISSOCIATING:
                return Outcome({"DomainPackageDetails": association.to_wire(now)})
            if association.in_use and settings.dissociate_in_use == "conflict":
                raise ConflictException(f"{pair}: the package is in use by an index.")
            self._begin_dissociation(
                association,
                settings.dissociation_seconds,
                failed=association.in_use or settings.dissociation_result == "failed",
            )
            return Outcome({"DomainPackageDetails": _at_first(association, DISSOCIATING)}, changed=True)

    def list_packages_for_domain(self, domain_name: str, max_results: int | None, next_token: str | None) -> Outcome:
        """List a page of the packages on a domain, failed and unfinished ones among them."""
        domains = self.domains
        with service.lock:
            _domain(domains, domain_name)
            found = {key: value for key, value in self._present(domains).items() if key[1] == domain_name}
            return self._page(("ListPackagesForDomain", domain_name), found, max_results, next_token)

    def list_domains_for_package(self, package_id: str, max_results: int | None, next_token: str | None) -> Outcome:
        """List a page of the domains that a package is on."""
        domains = self.domains
        with service.lock:
            self._package(package_id)
            found = {key: value for key, value in self._present(domains).items() if key[0] == package_id}
            return self._page(("ListDomainsForPackage", package_id), found, max_results, next_token)

    def create_package(
        self, package_name: str, package_type: str, description: str | None, engine_version: str | None
    ) -> Outcome:
        """Create a package with a new id, available at once. Its source is not looked at."""
        with service.lock:
            if any(package.package_name == package_name for package in self.packages.values()):
                raise ResourceAlreadyExistsException(f"Package {package_name} exists already.")
            plain = package_type == "TXT-DICTIONARY"
            package_id = f"F{secrets.randbelow(10**9)}" if plain else f"pkg-{secrets.token_hex(10)}"
            package = Package(package_id, package_name, package_type, engine_version, description, service.clock.now())
            self.packages[package_id] = package
            return Outcome({"PackageDetails": package.to_wire()}, changed=True)

    def delete_package(self, package_id: str) -> Outcome:
        """Delete a package that is on no domain."""
        domains = self.domains
        with service.lock:
            package = self._package(package_id)
            if any(key[0] == package_id for key in self._present(domains)):
                raise ConflictException(f"Package {package_id} is associated with a domain.")
            del self.packages[package_id]
            return Outcome({"PackageDetails": package.to_wire()}, changed=True)

    # What follows is no operation of the API: the state as a test sets and sees it.

    def add_package(self, package: Package) -> None:
        """Put a package with a chosen id into the account."""
        with service.lock:
            self.packages[package.package_id] = package

    def update_package(self, package_id: str) -> None:
        """Give a package a new version, as UpdatePackage does: a domain has it when it is associated again."""
        with service.lock:
            self._package(package_id).version += 1

    def remove_package(self, package_id: str) -> None:
        """Remove a package and its associations without a trace."""
        with service.lock:
            self._package(package_id)
            del self.packages[package_id]
            for key in [key for key in self.associations if key[0] == package_id]:
                del self.associations[key]

    def associate(self, package_id: str, domain_name: str, seconds: float, *, failed: bool) -> bool:
        """Associate as somebody else would. Returns whether that changed anything."""
        domains = self.domains
        with service.lock:
            package, domain = self._package(package_id), _domain(domains, domain_name)
            association = self._association(domains, package_id, domain_name)
            if association is not None and association.arriving and association.error is None:
                return False
            self._begin_association(package, domain, seconds, failed=failed)
            return True

    def dissociate(self, package_id: str, domain_name: str, seconds: float, *, failed: bool) -> bool:
        """Dissociate as somebody else would. Returns whether that changed anything."""
        domains = self.domains
        with service.lock:
            association = self._association(domains, package_id, domain_name)
            if association is None or association.status(service.clock.now()) is None:
                return False
            self._begin_dissociation(association, seconds, failed=failed)
            return True

    def set_in_use(self, package_id: str, domain_name: str, *, in_use: bool) -> None:
        """Let an index of the domain use the package, or no longer."""
        domains = self.domains
        with service.lock:
            association = self._association(domains, package_id, domain_name)
            if association is None:
                raise ResourceNotFoundException(f"Package {package_id} is not associated with domain {domain_name}.")
            association.in_use = in_use

    def current(self) -> list[dict[str, Any]]:
        """Return every association as it is now."""
        domains = self.domains
        with service.lock:
            now = service.clock.now()
            return [
                {
                    "account_id": self.account_id,
                    "region": self.region_name,
                    "package_id": package_id,
                    "domain_name": domain_name,
                    "status": association.status(now),
                    "in_use": association.in_use,
                    "version": association.version,
                }
                for (package_id, domain_name), association in sorted(self._present(domains).items())
            ]

    def _package(self, package_id: str) -> Package:
        if package_id not in self.packages:
            raise ResourceNotFoundException(f"Package not found: {package_id}")
        return self.packages[package_id]

    def _association(self, domains: dict[str, Any], package_id: str, domain_name: str) -> Association | None:
        association = self.associations.get((package_id, domain_name))
        if association is None or association.domain is not domains.get(domain_name):
            return None
        return association

    def _present(self, domains: dict[str, Any]) -> dict[tuple[str, str], Association]:
        now = service.clock.now()
        return {
            key: association
            for key, association in self.associations.items()
            if association.domain is domains.get(key[1]) and association.status(now) is not None
        }

    def _begin_association(self, package: Package, domain: Any, seconds: float, *, failed: bool) -> Association:
        now = service.clock.now()
        association = Association(package, domain, arriving=True, changed_at=now, final_at=now + seconds)
        association.error = _error() if failed else None
        association.version = package.version
        self.associations[package.package_id, domain.domain_name] = association
        return association

    def _begin_dissociation(self, association: Association, seconds: float, *, failed: bool) -> None:
        association.arriving = False
        association.changed_at = service.clock.now()
        association.final_at = association.changed_at + seconds
        association.error = _error() if failed else None

    def _dissociate_non_member(self, package: Package, domain: Any, message: str) -> Outcome:
        choice = service.settings.dissociate_non_member
        if choice == "not_found":
            raise ResourceNotFoundException(message)
        if choice == "conflict":
            raise ConflictException(message)
        if choice == "validation":
            raise ValidationException(message)
        now = service.clock.now()
        gone = Association(package, domain, arriving=False, changed_at=now, final_at=now)
        return Outcome({"DomainPackageDetails": _at_first(gone, DISSOCIATING)})

    def _page(
        self,
        subject: tuple[str, str],
        found: dict[tuple[str, str], Association],
        max_results: int | None,
        next_token: str | None,
    ) -> Outcome:
        size = max_results or MAX_RESULTS
        size = min(size, service.settings.page_size or size)
        try:
            keys, token = self.pages.page(subject, found, size, next_token)
        except WrongPageToken:
            raise ValidationException("The nextToken is not a token of this list.") from None
        now = service.clock.now()
        answer: dict[str, Any] = {"DomainPackageDetailsList": [found[key].to_wire(now) for key in keys]}
        return Outcome(answer if token is None else {**answer, "NextToken": token})


def _domain(domains: dict[str, Any], domain_name: str) -> Any:
    if domain_name not in domains:
        raise ResourceNotFoundException(f"Domain not found: {domain_name}")
    return domains[domain_name]


def _at_first(association: Association, status: str) -> dict[str, Any]:
    """Return what the operation answers: the change begins, even if it takes no time."""
    details = {**association.to_wire(association.changed_at), "DomainPackageStatus": status}
    details.pop("ErrorDetails", None)
    return details


def _error() -> dict[str, str]:
    return {"ErrorType": service.settings.error_type, "ErrorMessage": service.settings.error_message}


package_backends = BackendDict(PackageBackend, "opensearch")
