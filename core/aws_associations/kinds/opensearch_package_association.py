"""OpenSearch: a package on a domain. Wire facts: service model ``opensearch`` 2021-01-01 (API reference).

ResourceNotFoundException is HTTP 409 here, as ConflictException is: only the code tells.
"""

from __future__ import annotations

from aws_associations import errors
from aws_associations.kind import Duplicates, Kind, Look, Option, Part, Permission, Rejection, State

_KEY_STORE = {"KeyStoreAccessOption": {"KeyStoreAccessEnabled": True}}

KIND = Kind(
    name="opensearch-package-association",
    noun="OpenSearch package association",
    cloudformation_type="Custom::OpenSearchPackageAssociation",
    service="opensearch",
    parties=(
        Part("domain_name", "DomainName", "Name of the domain", "search"),
        Part("package_id", "PackageID", "Id of the package", "F123456789"),
    ),
    preposition="on",
    options=(
        Option(
            "prerequisite_package_id_list",
            "PrerequisitePackageIDList",
            "Packages that must be associated before this one",
            ["F111111111"],
            lasting=True,
        ),
        Option(
            "association_configuration",
            "AssociationConfiguration",
            "How the domain uses the package",
            _KEY_STORE,
            lasting=True,
        ),
    ),
    associate="AssociatePackage",
    disassociate="DissociatePackage",
    look=Look(
        operation="ListPackagesForDomain",
        request={"DomainName": "domain_name"},
        items="DomainPackageDetailsList[]",
        match={"PackageID": "package_id"},
        page_token=("NextToken", "NextToken"),
        status="DomainPackageStatus",
        states={
            "ASSOCIATING": State.ADDING,
            "ACTIVE": State.PRESENT,
            "ASSOCIATION_FAILED": State.FAILED,
            "DISSOCIATING": State.REMOVING,
            "DISSOCIATION_FAILED": State.REMOVAL_FAILED,
        },
        failure="ErrorDetails.ErrorMessage",
    ),
    errors={
        "AccessDeniedException": errors.AccessDenied,
        "BaseException": errors.InvalidRequest,
        "ConflictException": errors.ResourceConflict,
        "InternalException": errors.ServiceUnavailable,
        "ResourceNotFoundException": errors.NotFound,
        "ValidationException": errors.InvalidRequest,
    },
    # Observed: "A change/update is in progress" (siem-on-amazon-opensearch-service 444), "Package is already in desired
    # state" (terraform-provider-aws 46666). The API reference has ConflictException for a package that is in use.
    busy=(
        Rejection("ConflictException", message="^(?!.*(in use|already))"),
        Rejection("ValidationException", message="in progress"),
    ),
    renews=True,  # the developer guide: after UpdatePackage, associate the package again to apply its new version
    advice={
        "DissociatePackage answered ConflictException": "If an index still uses the package, delete or change that"
        " index first. If the domain is busy with another change, wait until it has ended. Then {again}.",
        "ConflictException": "Wait until the domain and the package have no change in progress, then {again}.",
        "ValidationException": "If the domain is busy with another change, wait until it has ended; otherwise correct"
        " what the service names. Then {again}.",
        "BaseException": "Mend what the service says, then {again}.",
    },
    duplicates=Duplicates.UNDOCUMENTED,
    timeout_seconds=3600,
    permissions=(
        Permission(
            ("es:AssociatePackage", "es:DissociatePackage", "es:ListPackagesForDomain"),
            ("arn:${Partition}:es:${Region}:${Account}:domain/*",),
        ),
    ),
    summary="A package (dictionary, plugin) associated with an OpenSearch Service domain.",
    notes=(
        "Expect minutes: a dictionary takes a few; a plugin changes the whole domain and can take longer than a Lambda"
        " function may run (15 minutes). Then the resource fails with NotStabilized and its real id, so that a rollback"
        " finds it. A package cannot be removed while it is being associated: if it still is when the rollback's time"
        " ends, delete the stack again later. Pulumi waits for an hour.",
        "Another value of an option takes a new association: Pulumi replaces; CloudFormation keeps it, with a warning.",
        "A package that an index uses cannot be dissociated; the error says so.",
        "After UpdatePackage the domain keeps the old version. Another Revision associates the package again.",
        "Whether KeyAccessRoleArn needs iam:PassRole is not documented; the function's role does not have it.",
    ),
    proof="the published service model and documentation, and a strict emulator with a switch for each thing left open",
)
