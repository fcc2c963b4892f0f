"""Handles incoming requests about OpenSearch's packages, invokes methods, returns responses."""

# ruff: noqa: D102 - a method is the operation of its name

from association_emulator.exceptions import ServiceError
from association_emulator.responses import EmulatedResponse, Outcome

from .exceptions import ValidationException
from .models import PackageBackend, package_backends
from .service import service


class PackageResponse(EmulatedResponse):
    """Handler for requests about packages. A method per operation, by its name in snake case; moto has the others."""

    service = service

    @property
    def package_backend(self) -> PackageBackend:
        """Return backend instance specific for this region."""
        return package_backends[self.current_account][self.region]

    def refusal(self, message: str) -> ServiceError:
        """Return the error for input that breaks the service model."""
        return ValidationException(message)

    def associate_package(self) -> Outcome:
        return self.package_backend.associate_package(
            package_id=self._get_param("PackageID"),
            domain_name=self._get_param("DomainName"),
            prerequisite_package_id_list=self._get_param("PrerequisitePackageIDList"),
            association_configuration=self._get_param("AssociationConfiguration"),
        )

    def dissociate_package(self) -> Outcome:
        return self.package_backend.dissociate_package(
            package_id=self._get_param("PackageID"),
            domain_name=self._get_param("DomainName"),
        )

    def list_packages_for_domain(self) -> Outcome:
        return self.package_backend.list_packages_for_domain(
            domain_name=self._get_param("DomainName"),
            max_results=self._get_param("MaxResults"),
            next_token=self._get_param("NextToken"),
        )

    def list_domains_for_package(self) -> Outcome:
        return self.package_backend.list_domains_for_package(
            package_id=self._get_param("PackageID"),
            max_results=self._get_param("MaxResults"),
            next_token=self._get_param("NextToken"),
        )

    def create_package(self) -> Outcome:
        return self.package_backend.create_package(
            package_name=self._get_param("PackageName"),
            package_type=self._get_param("PackageType"),
            description=self._get_param("PackageDescription"),
            engine_version=self._get_param("EngineVersion"),
        )

    def delete_package(self) -> Outcome:
        return self.package_backend.delete_package(package_id=self._get_param("PackageID"))
