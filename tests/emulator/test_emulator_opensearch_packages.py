"""OpenSearch packages: statuses that take time and can fail, packages in use, lists in pages, validation, faults."""

from functools import partial
from typing import Any

import pytest

from association_emulator.control import ControlError
from opensearch_emulator import exceptions
from opensearch_emulator.control import CurrentAssociation, OpenSearchControl
from opensearch_emulator.service import service
from tests.emulator.associations import ACCESS_KEY, ACCOUNT, REGION, Associations
from tests.emulator.emulation import refused

PACKAGE = "F123456789"
DOMAIN = "logs"
PAIR = {"PackageID": PACKAGE, "DomainName": DOMAIN}


@pytest.fixture
def control(associations: Associations) -> OpenSearchControl:
    """A domain and a package that is not on it."""
    control = associations.control.opensearch
    control.add_domain(DOMAIN)
    control.add_package(PACKAGE)
    return control


@pytest.fixture
def opensearch(associations: Associations, control: OpenSearchControl) -> Any:  # noqa: ARG001 - the parties are there
    """A client."""
    return associations.client("opensearch")


def listed(opensearch: Any, domain: str = DOMAIN) -> list[dict[str, Any]]:
    """Return the packages on a domain, as the API lists them."""
    found: list[dict[str, Any]] = opensearch.list_packages_for_domain(DomainName=domain)["DomainPackageDetailsList"]
    return found


def statuses(opensearch: Any) -> list[str]:
    """Return the statuses of the packages on the domain."""
    return [details["DomainPackageStatus"] for details in listed(opensearch)]


def test_an_association_begins_and_ends(opensearch: Any, control: OpenSearchControl) -> None:
    """Both operations answer the status that begins; at once, if no time is set, the package is there or gone."""
    details = opensearch.associate_package(**PAIR)["DomainPackageDetails"]
    assert (details["PackageID"], details["DomainName"], details["DomainPackageStatus"]) == (
        PACKAGE,
        DOMAIN,
        "ASSOCIATING",
    )
    assert statuses(opensearch) == ["ACTIVE"]
    assert control.associations() == [CurrentAssociation(ACCOUNT, REGION, PACKAGE, DOMAIN, "ACTIVE", False, 1)]
    details = opensearch.dissociate_package(**PAIR)["DomainPackageDetails"]
    assert details["DomainPackageStatus"] == "DISSOCIATING"
    assert (listed(opensearch), control.associations()) == ([], [])


def test_a_new_version_is_applied_by_associating_again(opensearch: Any, control: OpenSearchControl) -> None:
    """UpdatePackage leaves the domain as it is; what has the newest version already is a duplicate."""
    opensearch.associate_package(**PAIR)
    control.update_package(PACKAGE)
    assert listed(opensearch)[0]["PackageVersion"] == "v1"

    opensearch.associate_package(**PAIR)

    assert listed(opensearch)[0]["PackageVersion"] == "v2"
    with pytest.raises(opensearch.exceptions.ConflictException):
        opensearch.associate_package(**PAIR)


def test_statuses_last_as_long_as_told(opensearch: Any, control: OpenSearchControl) -> None:
    """association_seconds and dissociation_seconds: the status is final when they are over, and no earlier."""
    control.configure(association_seconds=600, dissociation_seconds=60)
    opensearch.associate_package(**PAIR)
    control.advance(599)
    assert statuses(opensearch) == ["ASSOCIATING"]
    control.advance(1)
    assert statuses(opensearch) == ["ACTIVE"]
    opensearch.dissociate_package(**PAIR)
    control.advance(59)
    assert statuses(opensearch) == ["DISSOCIATING"]
    control.advance(1)
    assert statuses(opensearch) == []


def test_an_association_fails(opensearch: Any, control: OpenSearchControl) -> None:
    """association_result=failed: ASSOCIATION_FAILED after its time, with the ErrorDetails that are set."""
    control.configure(
        association_result="failed", association_seconds=5, error_type="BadDictionary", error_message="Line 7."
    )
    assert "ErrorDetails" not in opensearch.associate_package(**PAIR)["DomainPackageDetails"]
    assert statuses(opensearch) == ["ASSOCIATING"]
    control.advance(5)
    (details,) = listed(opensearch)
    assert details["DomainPackageStatus"] == "ASSOCIATION_FAILED"
    assert details["ErrorDetails"] == {"ErrorType": "BadDictionary", "ErrorMessage": "Line 7."}


def test_a_failed_association_can_be_taken_away(opensearch: Any, control: OpenSearchControl) -> None:
    """dissociate_after_failure=succeed: DissociatePackage cleans up an ASSOCIATION_FAILED."""
    control.associate(PACKAGE, DOMAIN, failed=True)
    opensearch.dissociate_package(**PAIR)
    assert listed(opensearch) == []


def test_a_failed_association_can_be_stuck(opensearch: Any, control: OpenSearchControl) -> None:
    """dissociate_after_failure=conflict: it stays."""
    control.configure(dissociate_after_failure="conflict")
    control.associate(PACKAGE, DOMAIN, failed=True)
    refused("ConflictException", lambda: opensearch.dissociate_package(**PAIR))
    assert statuses(opensearch) == ["ASSOCIATION_FAILED"]


@pytest.mark.parametrize("choice", ["succeed", "conflict"])
def test_associating_again_after_a_failure(opensearch: Any, control: OpenSearchControl, choice: Any) -> None:
    """associate_after_failure: it begins anew, or counts as a duplicate."""
    control.configure(associate_after_failure=choice, duplicate_associate="succeed")
    control.associate(PACKAGE, DOMAIN, failed=True)
    if choice == "conflict":
        refused("ConflictException", lambda: opensearch.associate_package(**PAIR))
    else:
        opensearch.associate_package(**PAIR)
    assert statuses(opensearch) == ["ACTIVE" if choice == "succeed" else "ASSOCIATION_FAILED"]


def test_a_dissociation_fails(opensearch: Any, control: OpenSearchControl) -> None:
    """dissociation_result=failed: DISSOCIATION_FAILED with ErrorDetails; a later attempt may succeed."""
    control.configure(dissociation_result="failed", dissociation_seconds=5)
    control.associate(PACKAGE, DOMAIN)
    opensearch.dissociate_package(**PAIR)
    control.advance(5)
    (details,) = listed(opensearch)
    assert details["DomainPackageStatus"] == "DISSOCIATION_FAILED"
    assert "failure on demand" in details["ErrorDetails"]["ErrorMessage"]
    control.configure(dissociation_result="dissociated", dissociation_seconds=0)
    opensearch.dissociate_package(**PAIR)
    assert listed(opensearch) == []


@pytest.mark.parametrize("seconds", [0, 10])
def test_a_duplicate_is_a_conflict(opensearch: Any, control: OpenSearchControl, seconds: float) -> None:
    """duplicate_associate=conflict: whether ACTIVE or still ASSOCIATING."""
    control.associate(PACKAGE, DOMAIN, in_progress_seconds=seconds)
    answer = refused("ConflictException", lambda: opensearch.associate_package(**PAIR))
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 409
    assert "already associated" in answer["Error"]["Message"]


def test_a_duplicate_succeeds(opensearch: Any, control: OpenSearchControl) -> None:
    """duplicate_associate=succeed: the answer shows the present status and nothing changes."""
    control.configure(duplicate_associate="succeed")
    control.associate(PACKAGE, DOMAIN)
    assert opensearch.associate_package(**PAIR)["DomainPackageDetails"]["DomainPackageStatus"] == "ACTIVE"
    assert [entry.changed for entry in control.journal()] == [False]


@pytest.mark.parametrize(
    ("choice", "error"),
    [
        ("not_found", "ResourceNotFoundException"),
        ("conflict", "ConflictException"),
        ("validation", "ValidationException"),
    ],
)
def test_dissociating_a_non_member_is_refused(
    opensearch: Any, control: OpenSearchControl, choice: Any, error: str
) -> None:
    """dissociate_non_member: one of the errors whose documentation fits."""
    control.configure(dissociate_non_member=choice)
    refused(error, lambda: opensearch.dissociate_package(**PAIR))


def test_dissociating_a_non_member_succeeds(opensearch: Any, control: OpenSearchControl) -> None:
    """dissociate_non_member=succeed: it changes nothing."""
    control.configure(dissociate_non_member="succeed")
    opensearch.dissociate_package(**PAIR)
    assert [entry.changed for entry in control.journal()] == [False]


@pytest.mark.parametrize("choice", ["conflict", "succeed"])
def test_dissociating_while_associating(opensearch: Any, control: OpenSearchControl, choice: Any) -> None:
    """dissociate_during_association: refused, or it turns round."""
    control.configure(dissociate_during_association=choice)
    control.associate(PACKAGE, DOMAIN, in_progress_seconds=10)
    if choice == "conflict":
        refused("ConflictException", lambda: opensearch.dissociate_package(**PAIR))
    else:
        opensearch.dissociate_package(**PAIR)
    control.advance(10)
    assert statuses(opensearch) == (["ACTIVE"] if choice == "conflict" else [])


@pytest.mark.parametrize("choice", ["conflict", "succeed"])
def test_dissociating_while_dissociating(opensearch: Any, control: OpenSearchControl, choice: Any) -> None:
    """dissociate_during_dissociation: refused, or answered without a change; associating meanwhile is a conflict."""
    control.configure(dissociate_during_dissociation=choice)
    control.associate(PACKAGE, DOMAIN)
    assert control.dissociate(PACKAGE, DOMAIN, in_progress_seconds=10)
    if choice == "conflict":
        refused("ConflictException", lambda: opensearch.dissociate_package(**PAIR))
    else:
        opensearch.dissociate_package(**PAIR)
    refused("ConflictException", lambda: opensearch.associate_package(**PAIR))
    control.advance(10)
    assert statuses(opensearch) == []


def test_a_package_in_use_is_refused(opensearch: Any, control: OpenSearchControl) -> None:
    """dissociate_in_use=conflict: a package that an index uses cannot be dissociated until it is free."""
    control.associate(PACKAGE, DOMAIN)
    control.set_in_use(PACKAGE, DOMAIN)
    answer = refused("ConflictException", lambda: opensearch.dissociate_package(**PAIR))
    assert "in use" in answer["Error"]["Message"]
    control.set_in_use(PACKAGE, DOMAIN, in_use=False)
    opensearch.dissociate_package(**PAIR)
    assert listed(opensearch) == []


def test_a_package_in_use_fails_later(opensearch: Any, control: OpenSearchControl) -> None:
    """dissociate_in_use=fail: the call is accepted and ends in DISSOCIATION_FAILED."""
    control.configure(dissociate_in_use="fail", dissociation_seconds=3)
    control.associate(PACKAGE, DOMAIN)
    control.set_in_use(PACKAGE, DOMAIN)
    opensearch.dissociate_package(**PAIR)
    control.advance(3)
    assert statuses(opensearch) == ["DISSOCIATION_FAILED"]


def test_configuration_and_prerequisites_are_shown(opensearch: Any) -> None:
    """AssociationConfiguration and PrerequisitePackageIDList are accepted and visible in both lists."""
    given = {
        "PrerequisitePackageIDList": ["G1", "pkg-00ff"],
        "AssociationConfiguration": {
            "KeyStoreAccessOption": {
                "KeyStoreAccessEnabled": True,
                "KeyAccessRoleArn": f"arn:aws:iam::{ACCOUNT}:role/Keys",
            }
        },
    }
    opensearch.associate_package(**PAIR, **given)
    (by_package,) = opensearch.list_domains_for_package(PackageID=PACKAGE)["DomainPackageDetailsList"]
    assert listed(opensearch) == [by_package]
    assert {name: by_package[name] for name in given} == given


def test_absent_parties_are_not_found(opensearch: Any) -> None:
    """An unknown package or domain is a ResourceNotFoundException, with the published status 409."""
    for operation, parameters in (
        ("associate_package", {**PAIR, "PackageID": "F1"}),
        ("associate_package", {**PAIR, "DomainName": "nothing"}),
        ("dissociate_package", {**PAIR, "PackageID": "F1"}),
        ("dissociate_package", {**PAIR, "DomainName": "nothing"}),
        ("list_packages_for_domain", {"DomainName": "nothing"}),
        ("list_domains_for_package", {"PackageID": "F1"}),
    ):
        answer = refused("ResourceNotFoundException", partial(getattr(opensearch, operation), **parameters))
        assert answer["ResponseMetadata"]["HTTPStatusCode"] == 409
        assert "not found" in answer["Error"]["Message"]


def test_domains_are_motos_own(opensearch: Any, control: OpenSearchControl) -> None:
    """A domain made by CreateDomain takes packages; deleted and made again, it has none."""
    opensearch.create_domain(DomainName="metrics")
    package = opensearch.create_package(
        PackageName="words", PackageType="TXT-DICTIONARY", PackageSource={"S3BucketName": "bucket", "S3Key": "k"}
    )["PackageDetails"]
    pair = {"PackageID": package["PackageID"], "DomainName": "metrics"}
    opensearch.associate_package(**pair)
    assert [details["PackageName"] for details in listed(opensearch, "metrics")] == ["words"]
    refused("ConflictException", lambda: opensearch.delete_package(PackageID=package["PackageID"]))

    opensearch.delete_domain(DomainName="metrics")
    refused("ResourceNotFoundException", lambda: listed(opensearch, "metrics"))
    control.add_domain("metrics")
    assert listed(opensearch, "metrics") == []
    opensearch.delete_package(PackageID=package["PackageID"])
    refused("ResourceNotFoundException", lambda: opensearch.associate_package(**pair))


def test_somebody_else_associates_and_dissociates(opensearch: Any, control: OpenSearchControl) -> None:
    """A change by control is real, and no call in the journal."""
    assert [control.associate(PACKAGE, DOMAIN) for _ in range(2)] == [True, False]
    assert statuses(opensearch) == ["ACTIVE"]
    assert [control.dissociate(PACKAGE, DOMAIN) for _ in range(2)] == [True, False]
    assert [entry.operation for entry in control.journal()] == ["ListPackagesForDomain"]
    control.associate(PACKAGE, DOMAIN)
    control.remove_package(PACKAGE)
    assert control.associations() == []
    control.remove_domain(DOMAIN)
    for change in (partial(control.remove_domain, DOMAIN), partial(control.set_in_use, PACKAGE, DOMAIN)):
        with pytest.raises(ControlError):
            change()
    with pytest.raises(ControlError, match="not offered in 'mars-1'"):
        OpenSearchControl(None, region="mars-1").add_package(PACKAGE)


def test_lists_come_in_pages(opensearch: Any, control: OpenSearchControl) -> None:
    """maxResults and page_size cut both lists; the tokens lead through all of it, each through its own list."""
    for number in range(5):
        control.add_package(f"F{number}")
        control.associate(f"F{number}", DOMAIN)
    found: list[list[str]] = []
    token: dict[str, str] = {}
    while True:
        page = opensearch.list_packages_for_domain(DomainName=DOMAIN, MaxResults=2, **token)
        found.append([details["PackageID"] for details in page["DomainPackageDetailsList"]])
        if "NextToken" not in page:
            break
        token = {"NextToken": page["NextToken"]}
    assert found == [["F0", "F1"], ["F2", "F3"], ["F4"]]
    refused("ValidationException", lambda: opensearch.list_domains_for_package(PackageID="F0", **token))
    control.configure(page_size=1)
    assert len(listed(opensearch)) == 1


@pytest.mark.parametrize(
    ("operation", "parameters", "member"),
    [
        ("associate_package", {**PAIR, "PackageID": "X1"}, "PackageID"),
        ("associate_package", {**PAIR, "PackageID": "pkg-XY"}, "PackageID"),
        ("associate_package", {**PAIR, "DomainName": "ab"}, "DomainName"),
        ("associate_package", {**PAIR, "DomainName": "a" * 29}, "DomainName"),
        ("associate_package", {**PAIR, "DomainName": "Logs"}, "DomainName"),
        (
            "associate_package",
            {**PAIR, "PrerequisitePackageIDList": ["F1", "no"]},
            "PrerequisitePackageIDList.2.member",
        ),
        (
            "associate_package",
            {**PAIR, "AssociationConfiguration": {"KeyStoreAccessOption": {}}},
            "AssociationConfiguration.KeyStoreAccessOption.KeyStoreAccessEnabled",
        ),
        (
            "associate_package",
            {
                **PAIR,
                "AssociationConfiguration": {
                    "KeyStoreAccessOption": {"KeyStoreAccessEnabled": True, "KeyAccessRoleArn": "role"}
                },
            },
            "AssociationConfiguration.KeyStoreAccessOption.KeyAccessRoleArn",
        ),
        ("dissociate_package", {**PAIR, "PackageID": "F"}, "PackageID"),
        ("list_packages_for_domain", {"DomainName": DOMAIN, "MaxResults": 101}, "MaxResults"),
        ("create_package", {"PackageName": "words", "PackageType": "TXT-DICTIONARY"}, "PackageSource"),
        ("create_package", {"PackageName": "words", "PackageType": "ODT", "PackageSource": {}}, "PackageType"),
    ],
)
def test_constraints_are_checked(opensearch: Any, operation: str, parameters: dict[str, Any], member: str) -> None:
    """Input that breaks the service model, at any depth, is a ValidationException that names the member."""
    answer = refused("ValidationException", lambda: getattr(opensearch, operation)(**parameters))
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 400
    assert f"'{member}'" in answer["Error"]["Message"]


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        (b'{"Colour": "red"}', "'Colour' is not a member"),
        (b'{"AssociationConfiguration": {"Colour": "red"}}', "'AssociationConfiguration.Colour' is not a member"),
        (b'{"AssociationConfiguration": 7}', "must be an object"),
        (b'{"PrerequisitePackageIDList": "F1"}', "must be a list"),
        (
            b'{"AssociationConfiguration": {"KeyStoreAccessOption": {"KeyStoreAccessEnabled": "yes"}}}',
            "must be true or false",
        ),
    ],
)
@pytest.mark.usefixtures("control")
def test_unknown_members_and_wrong_types_are_refused(associations: Associations, body: bytes, problem: str) -> None:
    """A body member that the operation does not have, or of another type, is a ValidationException."""
    client = associations.client("opensearch")

    def replace_body(request: Any, **_: Any) -> None:
        request.data = body

    event = "before-sign.opensearch.AssociatePackage"
    client.meta.events.register(event, replace_body, unique_id="body")
    try:
        answer = refused("ValidationException", lambda: client.associate_package(**PAIR))
    finally:
        client.meta.events.unregister(event, unique_id="body")
    assert problem in answer["Error"]["Message"]


@pytest.mark.parametrize(
    ("error", "status"),
    [
        ("BaseException", 400),
        ("InternalException", 500),
        ("AccessDeniedException", 403),
        ("ConflictException", 409),
        ("ResourceNotFoundException", 409),
        ("ThrottlingException", 429),
    ],
)
def test_every_modelled_error_on_demand(opensearch: Any, control: OpenSearchControl, error: str, status: int) -> None:
    """A fault of the kind error answers any error of the service, with the status that the model gives it."""
    control.add_fault("error", error_code=error, members={"message": "No."}, operation="AssociatePackage")
    answer = refused(error, lambda: opensearch.associate_package(**PAIR))
    assert (answer["ResponseMetadata"]["HTTPStatusCode"], answer["Error"]["Message"]) == (status, "No.")
    assert control.associations() == []


def test_throttling_and_internal_errors(opensearch: Any, control: OpenSearchControl) -> None:
    """The faults that every service has answer OpenSearch's own errors."""
    control.add_fault("throttled")
    refused("ThrottlingException", lambda: opensearch.associate_package(**PAIR))
    control.add_fault("internal_error", when="after")
    refused("InternalException", lambda: opensearch.associate_package(**PAIR))
    assert statuses(opensearch) == ["ACTIVE"]


def test_the_journal_tells_what_arrived(opensearch: Any, control: OpenSearchControl) -> None:
    """Both the emulator's and moto's operations are in the journal, with their parameters and who answered."""
    opensearch.associate_package(**PAIR, PrerequisitePackageIDList=["F1"])
    opensearch.describe_domain(DomainName=DOMAIN)
    refused("ResourceNotFoundException", lambda: opensearch.describe_domain(DomainName="nothing"))
    own, motos, failed = control.journal()
    assert (own.operation, own.parameters) == ("AssociatePackage", {**PAIR, "PrerequisitePackageIDList": ["F1"]})
    assert (own.access_key_id, own.client_token, own.changed, own.by_moto) == (ACCESS_KEY, None, True, False)
    assert (motos.operation, motos.parameters) == ("DescribeDomain", {"DomainName": DOMAIN})
    assert (motos.by_moto, motos.status, motos.error_code) == (True, 200, None)
    assert (failed.status, failed.error_code) == (409, "ResourceNotFoundException")


@pytest.mark.parametrize("name", ["ConflictException", "ResourceNotFoundException", "ValidationException"])
def test_errors_have_the_published_status(name: str) -> None:
    """An error's HTTP status is the service model's."""
    shape = service.model.shape_for(name)
    assert getattr(exceptions, name).code == shape.metadata["error"]["httpStatusCode"]
