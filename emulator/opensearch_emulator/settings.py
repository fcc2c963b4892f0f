"""Switches and settings: what the documentation of OpenSearch's packages leaves open.

Durations are seconds of the service clock.
"""

from dataclasses import dataclass, field
from typing import Literal, TypedDict

from association_emulator import settings


class SettingsChange(TypedDict, total=False):
    """Any of the settings, by name."""

    duplicate_associate: Literal["conflict", "succeed"]
    associate_after_failure: Literal["succeed", "conflict"]
    dissociate_non_member: Literal["not_found", "conflict", "validation", "succeed"]
    dissociate_during_association: Literal["conflict", "succeed"]
    dissociate_during_dissociation: Literal["conflict", "succeed"]
    dissociate_after_failure: Literal["succeed", "conflict"]
    dissociate_in_use: Literal["conflict", "fail"]
    association_result: Literal["active", "failed"]
    dissociation_result: Literal["dissociated", "failed"]
    error_type: str
    error_message: str
    association_seconds: float
    dissociation_seconds: float
    page_size: int | None


@dataclass
class Settings(settings.Settings):
    """Every switch and setting, with its default. What each value does is told in emulator/README.md."""

    duplicate_associate: Literal["conflict", "succeed"] = "conflict"
    """AssociatePackage of a package that is on the domain, or on its way there."""
    associate_after_failure: Literal["succeed", "conflict"] = "succeed"
    """AssociatePackage while ASSOCIATION_FAILED: begins anew, or counts as a duplicate."""
    dissociate_non_member: Literal["not_found", "conflict", "validation", "succeed"] = "not_found"
    """DissociatePackage of a package that is not on the domain."""
    dissociate_during_association: Literal["conflict", "succeed"] = "conflict"
    """DissociatePackage while ASSOCIATING."""
    dissociate_during_dissociation: Literal["conflict", "succeed"] = "conflict"
    """DissociatePackage while DISSOCIATING."""
    dissociate_after_failure: Literal["succeed", "conflict"] = "succeed"
    """DissociatePackage while ASSOCIATION_FAILED."""
    dissociate_in_use: Literal["conflict", "fail"] = "conflict"
    """DissociatePackage of a package that an index uses: refused, or accepted and then DISSOCIATION_FAILED."""
    association_result: Literal["active", "failed"] = "active"
    """What an association that begins now ends in."""
    dissociation_result: Literal["dissociated", "failed"] = "dissociated"
    """What a dissociation that begins now ends in."""
    error_type: str = "InternalFailure"
    """ErrorDetails.ErrorType of a failure that begins now."""
    error_message: str = "The package could not be processed. This is a failure on demand."
    """ErrorDetails.ErrorMessage of a failure that begins now."""
    association_seconds: float = 0.0
    """How long ASSOCIATING lasts."""
    dissociation_seconds: float = 0.0
    """How long DISSOCIATING lasts."""
    page_size: int | None = field(default=None, metadata={"max": 100})
    """The most entries on a page, whatever MaxResults says; None: MaxResults alone decides."""
