"""QuickSight group memberships: strict on moto's groups and users, with a switch for each thing left open."""

from functools import partial
from typing import Any

import pytest

from association_emulator.control import ControlError
from quicksight_emulator import exceptions
from quicksight_emulator.control import CurrentMembership, QuickSightControl
from quicksight_emulator.service import service
from tests.emulator.associations import ACCOUNT, REGION, Associations
from tests.emulator.emulation import refused

GROUP = {"AwsAccountId": ACCOUNT, "Namespace": "default", "GroupName": "analysts"}
PAIR = {**GROUP, "MemberName": "alice"}


@pytest.fixture
def control(associations: Associations) -> QuickSightControl:
    """A group and a user who is not in it."""
    control = associations.control.quicksight
    control.add_group("analysts")
    control.add_user("alice")
    return control


@pytest.fixture
def quicksight(associations: Associations, control: QuickSightControl) -> Any:  # noqa: ARG001 - the parties are there
    """A client."""
    return associations.client("quicksight")


def members(quicksight: Any, **arguments: Any) -> list[str]:
    """Return the members of the group, as the API lists them."""
    answer = quicksight.list_group_memberships(**GROUP, **arguments)
    return [member["MemberName"] for member in answer["GroupMemberList"]]


def test_a_membership_begins_and_ends(quicksight: Any, control: QuickSightControl) -> None:
    """Create, describe, list and delete agree; every answer has a status and a request id."""
    member = {"Arn": f"arn:aws:quicksight:{REGION}:{ACCOUNT}:user/default/alice", "MemberName": "alice"}
    created = quicksight.create_group_membership(**PAIR)
    described = quicksight.describe_group_membership(**PAIR)
    assert created["GroupMember"] == described["GroupMember"] == member
    assert (created["Status"], bool(created["RequestId"])) == (200, True)
    assert members(quicksight) == ["alice"]
    assert control.memberships() == [CurrentMembership(ACCOUNT, REGION, "default", "analysts", "alice")]

    deleted = quicksight.delete_group_membership(**PAIR)
    assert (deleted["Status"], bool(deleted["RequestId"])) == (200, True)
    assert (members(quicksight), control.memberships()) == ([], [])


def test_an_absent_membership_is_not_found(quicksight: Any) -> None:
    """Describe and delete of a user who is not in the group are a ResourceNotFoundException, 404."""
    for operation in (quicksight.describe_group_membership, quicksight.delete_group_membership):
        answer = refused("ResourceNotFoundException", partial(operation, **PAIR))
        assert answer["ResponseMetadata"]["HTTPStatusCode"] == 404
        assert (answer["ResourceType"], bool(answer["RequestId"])) == ("USER", True)


@pytest.mark.parametrize("operation", ["create", "describe", "delete"])
def test_absent_groups_are_not_found(quicksight: Any, operation: str) -> None:
    """An unknown group or namespace is a ResourceNotFoundException."""
    call = getattr(quicksight, f"{operation}_group_membership")
    assert refused("ResourceNotFoundException", lambda: call(**{**PAIR, "GroupName": "x"}))["ResourceType"] == "GROUP"
    refused("ResourceNotFoundException", lambda: call(**{**PAIR, "Namespace": "other"}))


def test_absent_users_and_lists_of_absent_groups_are_not_found(quicksight: Any) -> None:
    """Nobody can be put into a group who is no user; an unknown group has no list."""
    answer = refused(
        "ResourceNotFoundException", lambda: quicksight.create_group_membership(**{**PAIR, "MemberName": "bob"})
    )
    assert answer["ResourceType"] == "USER"
    refused("ResourceNotFoundException", lambda: quicksight.list_group_memberships(**{**GROUP, "GroupName": "x"}))


@pytest.mark.parametrize("choice", ["distinct", "alike"])
def test_what_is_absent_may_be_told(quicksight: Any, control: QuickSightControl, choice: Any) -> None:
    """not_found: whether message and ResourceType tell an absent membership from an absent group."""
    control.configure(not_found=choice)
    membership = refused("ResourceNotFoundException", lambda: quicksight.describe_group_membership(**PAIR))
    group = refused(
        "ResourceNotFoundException", lambda: quicksight.describe_group_membership(**{**PAIR, "GroupName": "x"})
    )
    told = [(answer["Message"], answer.get("ResourceType")) for answer in (membership, group)]
    assert (told[0] == told[1]) is (choice == "alike")
    assert ("ResourceType" in membership) is (choice == "distinct")


def test_a_duplicate_succeeds(quicksight: Any, control: QuickSightControl) -> None:
    """duplicate_create=succeed: the same answer, and no change."""
    control.configure(duplicate_create="succeed")
    for _ in range(2):
        quicksight.create_group_membership(**PAIR)
    assert [entry.changed for entry in control.journal()] == [True, False]


@pytest.mark.parametrize(
    ("choice", "error", "status"),
    [("resource_exists", "ResourceExistsException", 409), ("precondition_not_met", "PreconditionNotMetException", 400)],
)
def test_a_duplicate_is_refused(
    quicksight: Any, control: QuickSightControl, choice: Any, error: str, status: int
) -> None:
    """duplicate_create=resource_exists or precondition_not_met: it is an error."""
    control.configure(duplicate_create=choice)
    control.grant("analysts", "alice")
    answer = refused(error, lambda: quicksight.create_group_membership(**PAIR))
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == status


def test_deleting_a_non_member_succeeds(quicksight: Any, control: QuickSightControl) -> None:
    """delete_non_member=succeed: it changes nothing."""
    control.configure(delete_non_member="succeed")
    quicksight.delete_group_membership(**PAIR)
    assert [entry.changed for entry in control.journal()] == [False]


def test_groups_and_users_are_motos_own(quicksight: Any, control: QuickSightControl) -> None:
    """CreateGroup and RegisterUser make the parties; their deletes take memberships along; moto's lists agree."""
    place = {"AwsAccountId": ACCOUNT, "Namespace": "other"}
    quicksight.create_group(**place, GroupName="ops")
    quicksight.register_user(
        **place, UserName="bob", Email="b@example.com", IdentityType="QUICKSIGHT", UserRole="READER"
    )
    quicksight.create_group_membership(**place, GroupName="ops", MemberName="bob")
    (group,) = quicksight.list_user_groups(**place, UserName="bob")["GroupList"]
    assert group["GroupName"] == "ops"
    quicksight.delete_user(**place, UserName="bob")
    assert control.memberships() == []
    quicksight.delete_group(**place, GroupName="ops")
    refused("ResourceNotFoundException", lambda: quicksight.list_group_memberships(**place, GroupName="ops"))


@pytest.mark.parametrize("name", ["Ops & Co", "a/b", "50%", "Büro Zürich", "a+b=c", "corp\\admins", ".."])
def test_names_arrive_as_they_were_sent(quicksight: Any, control: QuickSightControl, name: str) -> None:
    """Names with spaces, slashes and Latin-1 are kept."""
    control.add_group(name)
    control.add_user(name)
    pair = {**PAIR, "GroupName": name, "MemberName": name}
    assert quicksight.create_group_membership(**pair)["GroupMember"]["MemberName"] == name
    assert quicksight.describe_group_membership(**pair)["GroupMember"]["MemberName"] == name
    assert control.journal()[0].parameters == pair
    quicksight.delete_group_membership(**pair)
    assert control.memberships() == []


def test_another_account_is_denied(quicksight: Any) -> None:
    """A caller of another account than the request's gets an AccessDeniedException, with the published status 401."""
    answer = refused(
        "AccessDeniedException",
        lambda: quicksight.describe_group_membership(**{**PAIR, "AwsAccountId": "210987654321"}),
    )
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 401


def test_somebody_else_grants_and_revokes(quicksight: Any, control: QuickSightControl) -> None:
    """A change by control is real, and no call in the journal."""
    assert [control.grant("analysts", "alice") for _ in range(2)] == [True, False]
    assert members(quicksight) == ["alice"]
    assert [control.revoke("analysts", "alice") for _ in range(2)] == [True, False]
    assert [entry.operation for entry in control.journal()] == ["ListGroupMemberships"]
    control.grant("analysts", "alice")
    control.remove_user("alice")
    assert control.memberships() == []
    control.remove_group("analysts")
    with pytest.raises(ControlError, match="Group analysts does not exist"):
        control.grant("analysts", "alice")
    with pytest.raises(ControlError, match="User alice does not exist"):
        control.remove_user("alice")


def test_lists_come_in_pages(quicksight: Any, control: QuickSightControl) -> None:
    """MaxResults and page_size cut the list; botocore's paginator follows the tokens; a wrong token is refused."""
    for number in range(5):
        control.add_user(f"user{number}")
        control.grant("analysts", f"user{number}")
    pages = quicksight.get_paginator("list_group_memberships").paginate(**GROUP, PaginationConfig={"PageSize": 2})
    found = [[member["MemberName"] for member in page["GroupMemberList"]] for page in pages]
    assert found == [["user0", "user1"], ["user2", "user3"], ["user4"]]
    control.configure(page_size=1)
    assert members(quicksight) == ["user0"]
    refused("InvalidNextTokenException", lambda: members(quicksight, NextToken="made-up"))


@pytest.mark.parametrize(
    ("parameters", "member"),
    [
        ({**PAIR, "AwsAccountId": "1234"}, "AwsAccountId"),
        ({**PAIR, "Namespace": "n" * 65}, "Namespace"),
        ({**PAIR, "Namespace": "a b"}, "Namespace"),
        ({**PAIR, "GroupName": "群"}, "GroupName"),
        ({**PAIR, "MemberName": "m" * 257}, "MemberName"),
        ({**PAIR, "MemberName": "a\tb"}, "MemberName"),
    ],
)
@pytest.mark.parametrize("operation", ["create", "describe", "delete"])
def test_constraints_are_checked(quicksight: Any, operation: str, parameters: dict[str, Any], member: str) -> None:
    """Input that breaks the service model is an InvalidParameterValueException that names the member."""
    call = getattr(quicksight, f"{operation}_group_membership")
    answer = refused("InvalidParameterValueException", lambda: call(**parameters))
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 400
    assert f"'{member}'" in answer["Message"]


def test_constraints_of_the_list_are_checked(quicksight: Any) -> None:
    """MaxResults is from 1 to 100."""
    for size in (0, 101):
        refused("InvalidParameterValueException", partial(members, quicksight, MaxResults=size))


@pytest.mark.parametrize(
    ("error", "members", "status"),
    [
        ("ResourceUnavailableException", {"ResourceType": "GROUP"}, 503),
        ("PreconditionNotMetException", {}, 400),
        ("InvalidParameterValueException", {"Message": "No."}, 400),
        ("AccessDeniedException", {}, 401),
        ("ThrottlingException", {}, 429),
        ("InternalFailureException", {}, 500),
    ],
)
def test_every_modelled_error_on_demand(
    quicksight: Any, control: QuickSightControl, error: str, members: dict[str, str], status: int
) -> None:
    """A fault of the kind error answers any error of the service, with its members and its status."""
    control.add_fault("error", error_code=error, members=members, operation="CreateGroupMembership")
    answer = refused(error, lambda: quicksight.create_group_membership(**PAIR))
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == status
    assert {name: answer[name] for name in members} == members
    assert control.memberships() == []


@pytest.mark.parametrize(
    "name",
    [
        "AccessDeniedException",
        "InvalidNextTokenException",
        "InvalidParameterValueException",
        "PreconditionNotMetException",
        "ResourceExistsException",
        "ResourceNotFoundException",
    ],
)
def test_errors_have_the_published_shape(name: str) -> None:
    """An error's HTTP status and members are those of the service model."""
    shape = service.model.shape_for(name)
    error = getattr(exceptions, name)
    assert error.code == shape.metadata["error"]["httpStatusCode"]
    assert set(error("m", *(["USER"] if "ResourceType" in shape.members else [])).values) == set(shape.members)
