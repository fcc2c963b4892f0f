"""Organizations, IoT and STS: answered by moto as it is, in the same journal and met by the same faults."""

from functools import partial
from typing import Any

import pytest
from botocore.exceptions import ConnectionClosedError

from association_emulator.control import ControlError
from tests.emulator.associations import ACCESS_KEY, ACCOUNT, REGION, Associations
from tests.emulator.emulation import refused

SERVICE = "guardduty.amazonaws.com"
THING = {"thingGroupName": "sensors", "thingName": "s1"}
BILLED = {"billingGroupName": "east", "thingName": "s1"}


@pytest.fixture
def organization(associations: Associations) -> tuple[Any, str]:
    """A client of an organization, and a member account."""
    client = associations.client("organizations")
    client.create_organization(FeatureSet="ALL")
    account = client.create_account(Email="a@example.com", AccountName="a")["CreateAccountStatus"]["AccountId"]
    associations.control.clear_journal()
    return client, account


@pytest.fixture
def iot(associations: Associations) -> Any:
    """A client, with a thing, a thing group and a billing group."""
    client = associations.client("iot")
    client.create_thing(thingName="s1")
    client.create_thing_group(thingGroupName="sensors")
    client.create_billing_group(billingGroupName="east")
    associations.control.clear_journal()
    return client


def test_delegated_administrators_are_journaled(associations: Associations, organization: tuple[Any, str]) -> None:
    """The pair and the look are in the journal with parameters, caller and outcome; errors by their code."""
    client, account = organization
    pair = {"AccountId": account, "ServicePrincipal": SERVICE}
    refused("AccountNotRegisteredException", lambda: client.list_delegated_services_for_account(AccountId=account))
    client.register_delegated_administrator(**pair)
    refused("AccountAlreadyRegisteredException", lambda: client.register_delegated_administrator(**pair))
    client.deregister_delegated_administrator(**pair)

    entries = associations.control.journal(service="organizations")
    assert [(entry.operation, entry.status, entry.error_code) for entry in entries] == [
        ("ListDelegatedServicesForAccount", 400, "AccountNotRegisteredException"),
        ("RegisterDelegatedAdministrator", 200, None),
        ("RegisterDelegatedAdministrator", 400, "AccountAlreadyRegisteredException"),
        ("DeregisterDelegatedAdministrator", 200, None),
    ]
    assert entries[1].parameters == pair
    assert (entries[1].access_key_id, entries[1].region, entries[1].by_moto) == (ACCESS_KEY, REGION, True)


@pytest.mark.parametrize(
    ("error", "status"),
    [
        ("ConcurrentModificationException", 400),
        ("AWSOrganizationsNotInUseException", 400),
        ("TooManyRequestsException", 400),
        ("AccessDeniedException", 400),
    ],
)
def test_errors_of_organizations_on_demand(
    associations: Associations, organization: tuple[Any, str], error: str, status: int
) -> None:
    """A fault of the kind error is answered in the JSON protocol, so that botocore knows its code and message."""
    client, account = organization
    associations.control.add_fault(
        "error",
        service="organizations",
        operation="RegisterDelegatedAdministrator",
        error_code=error,
        members={"Message": "Not now."},
    )
    register = partial(client.register_delegated_administrator, AccountId=account, ServicePrincipal=SERVICE)
    answer = refused(error, register)
    assert (answer["Error"]["Message"], answer["ResponseMetadata"]["HTTPStatusCode"]) == ("Not now.", status)
    register()


@pytest.mark.parametrize("kind", ["thing_group", "billing_group"])
def test_iot_is_journaled(associations: Associations, iot: Any, kind: str) -> None:
    """Adding and removing a thing is in the journal, with the parameters by their API names."""
    pair = THING if kind == "thing_group" else BILLED
    getattr(iot, f"add_thing_to_{kind}")(**pair)
    getattr(iot, f"remove_thing_from_{kind}")(**pair)
    iot.list_thing_groups_for_thing(thingName="s1", maxResults=7)
    refused("ResourceNotFoundException", lambda: iot.describe_thing(thingName="nothing"))
    name = "ThingGroup" if kind == "thing_group" else "BillingGroup"
    entries = associations.control.journal(service="iot")
    assert [(entry.operation, entry.status) for entry in entries] == [
        (f"AddThingTo{name}", 200),
        (f"RemoveThingFrom{name}", 200),
        ("ListThingGroupsForThing", 200),
        ("DescribeThing", 404),
    ]
    assert entries[0].parameters == entries[1].parameters == pair
    assert entries[2].parameters == {"thingName": "s1", "maxResults": 7}
    assert entries[3].error_code == "ResourceNotFoundException"


def test_a_fault_names_service_and_operation(associations: Associations, iot: Any) -> None:
    """A fault of one service and operation leaves every other call alone."""
    associations.control.add_fault("throttled", service="iot", operation="AddThingToThingGroup")
    iot.add_thing_to_billing_group(**BILLED)
    associations.client("sts").get_caller_identity()
    refused("ThrottlingException", lambda: iot.add_thing_to_thing_group(**THING))
    iot.add_thing_to_thing_group(**THING)
    assert [entry.fault for entry in associations.control.journal("AddThingToThingGroup")] == [
        "throttled:before",
        None,
    ]


@pytest.mark.parametrize(("when", "effect"), [("before", []), ("after", ["sensors"])])
@pytest.mark.parametrize("kind", ["cut", "internal_error"])
def test_lost_answers_of_moto(associations: Associations, iot: Any, kind: Any, when: Any, effect: list[str]) -> None:
    """A cut connection or a 500, before or after moto did what was asked."""
    associations.control.add_fault(kind, service="iot", when=when)
    if kind == "cut":
        with pytest.raises(ConnectionClosedError):
            iot.add_thing_to_thing_group(**THING)
    else:
        refused("InternalFailureException", lambda: iot.add_thing_to_thing_group(**THING))
    groups = iot.list_thing_groups_for_thing(thingName="s1")["thingGroups"]
    assert [group["groupName"] for group in groups] == effect


def test_sts_is_journaled(associations: Associations) -> None:
    """The query protocol too: operation, parameters and errors; moto still understands the form."""
    sts = associations.client("sts")
    assert sts.get_caller_identity()["Account"] == ACCOUNT
    role = f"arn:aws:iam::{ACCOUNT}:role/Deploy"
    assert sts.assume_role(RoleArn=role, RoleSessionName="session")["Credentials"]["AccessKeyId"]
    associations.control.add_fault("throttled", service="sts")
    assert refused("Throttling", sts.get_caller_identity)["ResponseMetadata"]["HTTPStatusCode"] == 400
    associations.control.add_fault("internal_error", service="sts")
    assert refused("InternalFailure", sts.get_caller_identity)["ResponseMetadata"]["HTTPStatusCode"] == 500
    associations.control.add_fault(
        "error", service="sts", error_code="ExpiredTokenException", members={"message": "a < b"}
    )
    assert refused("ExpiredTokenException", sts.get_caller_identity)["Error"]["Message"] == "a < b"

    first, second, *rest = associations.control.journal(service="sts")
    assert (first.operation, first.parameters) == ("GetCallerIdentity", {})
    assert second.parameters == {"RoleArn": role, "RoleSessionName": "session"}
    assert [entry.error_code for entry in rest] == ["Throttling", "InternalFailure", "ExpiredTokenException"]


def test_one_journal_for_all_services(associations: Associations) -> None:
    """The journal of all services tells the order of their calls; a service's control sees its own."""
    control = associations.control
    control.directory.add_group("d-1234567890", "g")
    associations.client("sts").get_caller_identity()
    associations.client("ds-data").list_group_members(DirectoryId="d-1234567890", SAMAccountName="g")
    associations.client("organizations").create_organization(FeatureSet="ALL")
    assert [(entry.number, entry.service) for entry in control.journal()] == [
        (1, "sts"),
        (2, "ds-data"),
        (3, "organizations"),
    ]
    assert [entry.number for entry in control.directory.journal()] == [2]
    control.directory.clear_journal()
    assert [entry.service for entry in control.journal()] == ["sts", "organizations"]
    control.clear_journal()
    assert control.journal() == []


def test_faults_of_one_service_and_of_all(associations: Associations) -> None:
    """A service's control sees and clears its own faults; those for any service meet whichever call comes first."""
    control = associations.control
    control.quicksight.add_fault("throttled")
    control.add_fault("throttled")
    assert [fault["service"] for fault in control.faults()] == ["quicksight", None]
    assert len(control.quicksight.faults()) == 1
    control.quicksight.clear_faults()
    assert [fault["service"] for fault in control.faults()] == [None]
    refused("TooManyRequestsException", associations.client("organizations").describe_organization)
    assert control.faults() == []


def test_wrong_faults_are_refused(associations: Associations) -> None:
    """An unknown service, an operation of another service and an error without a code are refused."""
    control = associations.control
    for arguments, message in (
        ({"kind": "throttled", "service": "s3"}, "there are finspace-data, ds-data"),
        ({"kind": "throttled", "service": "iot", "operation": "AddGroupMember"}, "does not exist; there are"),
        ({"kind": "throttled", "operation": "AddGroupMembers"}, "does not exist"),
        ({"kind": "error"}, "needs an error_code"),
    ):
        with pytest.raises(ControlError, match=message):
            control.add_fault(**arguments)  # type: ignore[arg-type]
    assert control.faults() == []


def test_the_settings_of_all_services(associations: Associations) -> None:
    """They are shown by service; services that moto answers have none."""
    associations.control.directory.configure(page_size=250)
    settings = associations.control.settings()
    assert settings["ds-data"]["page_size"] == 250
    assert settings["finspace-data"]["page_size"] is None
    assert settings["organizations"] == {}
    with pytest.raises(ControlError, match="from 1 to 100"):
        associations.control.quicksight.configure(page_size=101)


def test_a_reset_is_for_all_services(associations: Associations) -> None:
    """One call empties every service, whichever control makes it."""
    control = associations.control
    control.directory.add_user("d-1234567890", "alice")
    control.quicksight.add_group("g")
    control.opensearch.add_domain("logs")
    control.opensearch.configure(page_size=3)
    control.quicksight.reset()
    assert control.opensearch.settings()["page_size"] is None
    refused(
        "AccessDeniedException",
        lambda: associations.client("ds-data").list_groups_for_member(
            DirectoryId="d-1234567890", SAMAccountName="alice"
        ),
    )
    assert associations.client("opensearch").list_domain_names()["DomainNames"] == []
    control.quicksight.add_group("g")


def test_paths_that_moto_does_not_have(associations: Associations) -> None:
    """An operation that neither the emulator nor moto serves is journaled with a 404."""
    quicksight = associations.client("quicksight")
    refused(
        "UnknownOperationException",
        lambda: quicksight.describe_vpc_connection(AwsAccountId=ACCOUNT, VPCConnectionId="v"),
    )
    (entry,) = associations.control.journal()
    assert (entry.operation, entry.status) == ("DescribeVPCConnection", 404)
