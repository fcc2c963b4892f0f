"""OpenSearchControl: switches and state of the emulated packages, in this process or over HTTP."""

from dataclasses import dataclass
from typing import Any, Unpack

from association_emulator.remote import ServiceControl

from .settings import SettingsChange


@dataclass(frozen=True)
class CurrentAssociation:
    """An association as it is now."""

    account_id: str
    region: str
    package_id: str
    domain_name: str
    status: str
    in_use: bool
    version: int


class OpenSearchControl(ServiceControl):
    """Everything about the emulated packages that OpenSearch's API cannot do."""

    prefix = "/_emulator/opensearch/"

    def configure(self, **changes: Unpack[SettingsChange]) -> dict[str, Any]:
        """Change switches and settings; all of them, or none if one is wrong. Returns them all."""
        return dict(self._send("PATCH", "settings", **changes))

    def add_domain(self, domain_name: str) -> None:
        """Make a domain, as CreateDomain does."""
        self._send_place("POST", "domains", domain_name=domain_name)

    def remove_domain(self, domain_name: str) -> None:
        """Remove a domain, associations included, as DeleteDomain does."""
        self._send_place("DELETE", "domains", domain_name=domain_name)

    def add_package(self, package_id: str, **fields: str) -> None:
        """Put a package with a chosen id into the account. ``fields``: package_name, package_type, engine_version."""
        self._send_place("POST", "packages", package_id=package_id, **fields)

    def update_package(self, package_id: str) -> None:
        """Give a package a new version, as UpdatePackage does."""
        self._send_place("PATCH", "packages", package_id=package_id)

    def remove_package(self, package_id: str) -> None:
        """Remove a package completely, associations included."""
        self._send_place("DELETE", "packages", package_id=package_id)

    def associate(
        self, package_id: str, domain_name: str, *, in_progress_seconds: float = 0, failed: bool = False
    ) -> bool:
        """Associate as somebody else would, with no call in the journal. False: it was associated."""
        return self._change("POST", package_id, domain_name, in_progress_seconds, failed)

    def dissociate(
        self, package_id: str, domain_name: str, *, in_progress_seconds: float = 0, failed: bool = False
    ) -> bool:
        """Dissociate as somebody else would, with no call in the journal. False: it was not associated."""
        return self._change("DELETE", package_id, domain_name, in_progress_seconds, failed)

    def set_in_use(self, package_id: str, domain_name: str, *, in_use: bool = True) -> None:
        """Let an index of the domain use the package, or no longer."""
        self._send_place("PATCH", "associations", package_id=package_id, domain_name=domain_name, in_use=in_use)

    def associations(self, domain_name: str | None = None) -> list[CurrentAssociation]:
        """Return the associations there are, in every account and region; of one domain if it is named."""
        found = [CurrentAssociation(**association) for association in self._send("GET", "associations")]
        return [association for association in found if domain_name in (None, association.domain_name)]

    def _change(self, method: str, package_id: str, domain_name: str, seconds: float, failed: bool) -> bool:
        answer = self._send_place(
            method,
            "associations",
            package_id=package_id,
            domain_name=domain_name,
            in_progress_seconds=seconds,
            failed=failed,
        )
        return bool(answer["changed"])
