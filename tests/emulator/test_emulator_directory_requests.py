"""Directory Service Data: client tokens for 8 hours, validation from the service model, faults, journal."""

from typing import Any

import pytest

from directory_emulator import exceptions
from directory_emulator.control import DirectoryControl
from directory_emulator.responses import DirectoryDataResponse
from directory_emulator.service import service
from tests.emulator.associations import ACCESS_KEY, REGION, Associations
from tests.emulator.emulation import refused

DIRECTORY = "d-1234567890"
PAIR = {"DirectoryId": DIRECTORY, "GroupName": "Admins", "MemberName": "alice"}
HOURS = 3600


@pytest.fixture
def control(associations: Associations) -> DirectoryControl:
    """A directory with a group and two users who are not in it."""
    control = associations.control.directory
    control.add_group(DIRECTORY, "Admins")
    control.add_user(DIRECTORY, "alice")
    control.add_user(DIRECTORY, "bob")
    return control


@pytest.fixture
def directory(associations: Associations, control: DirectoryControl) -> Any:  # noqa: ARG001 - the directory is there
    """A client of the directory."""
    return associations.client("ds-data")


def is_member(control: DirectoryControl, name: str = "alice") -> bool:
    """Tell whether a user is in the group."""
    return any(membership.member_name == name for membership in control.memberships())


def test_add_remove_add_with_one_token_is_silent(directory: Any, control: DirectoryControl) -> None:
    """The first success is answered to its token again, nobody is added, and the journal tells."""
    directory.add_group_member(**PAIR, ClientToken="t1")
    directory.remove_group_member(**PAIR, ClientToken="t2")
    directory.add_group_member(**PAIR, ClientToken="t1")
    assert not is_member(control)
    entries = control.journal("AddGroupMember")
    assert [(entry.changed, entry.replayed, entry.client_token) for entry in entries] == [
        (True, False, "t1"),
        (False, True, "t1"),
    ]


def test_a_token_is_remembered_for_8_hours(directory: Any, control: DirectoryControl) -> None:
    """8 hours after the first use the same call is a new one."""
    directory.add_group_member(**PAIR, ClientToken="t1")
    control.revoke(DIRECTORY, "Admins", "alice")
    control.advance(8 * HOURS)
    directory.add_group_member(**PAIR, ClientToken="t1")
    assert is_member(control)


def test_every_reuse_prolongs_a_token_by_8_hours(directory: Any, control: DirectoryControl) -> None:
    """A token used again after 7 hours is still remembered after 14, and 8 hours after its last use no more."""
    directory.add_group_member(**PAIR, ClientToken="t1")
    control.revoke(DIRECTORY, "Admins", "alice")
    for _ in range(3):
        control.advance(7 * HOURS)
        directory.add_group_member(**PAIR, ClientToken="t1")
        assert not is_member(control)
    control.advance(8 * HOURS)
    directory.add_group_member(**PAIR, ClientToken="t1")
    assert is_member(control)


def test_a_token_with_other_parameters_is_a_conflict(directory: Any, control: DirectoryControl) -> None:
    """Documented: ConflictException; the token stays with its first call and is not prolonged."""
    directory.add_group_member(**PAIR, ClientToken="t1")
    other = {**PAIR, "MemberName": "bob", "ClientToken": "t1"}
    control.advance(7 * HOURS)
    refused("ConflictException", lambda: directory.add_group_member(**other))
    assert not is_member(control, "bob")
    control.advance(1 * HOURS)
    directory.add_group_member(**other)
    assert is_member(control, "bob")


@pytest.mark.parametrize("choice", ["exact", "same_identity"])
@pytest.mark.parametrize("changed", [{"MemberName": "ALICE"}, {"MemberRealm": "corp.example.com"}])
def test_spelling_and_tokens(directory: Any, control: DirectoryControl, choice: Any, changed: dict[str, str]) -> None:
    """token_spelling: whether another spelling of the same identity makes other parameters."""
    control.configure(token_spelling=choice)
    directory.add_group_member(**PAIR, ClientToken="t1")
    again = {**PAIR, **changed, "ClientToken": "t1"}
    if choice == "exact":
        refused("ConflictException", lambda: directory.add_group_member(**again))
    else:
        directory.add_group_member(**again)
        assert control.journal()[-1].replayed


@pytest.mark.parametrize("choice", ["operation", "directory"])
def test_the_scope_of_tokens(directory: Any, control: DirectoryControl, choice: Any) -> None:
    """token_scope: whether an add and a remove may share a token, or the second is a reuse."""
    control.configure(token_scope=choice)
    directory.add_group_member(**PAIR, ClientToken="t1")
    if choice == "operation":
        directory.remove_group_member(**PAIR, ClientToken="t1")
    else:
        refused("ConflictException", lambda: directory.remove_group_member(**PAIR, ClientToken="t1"))
    assert is_member(control) is (choice == "directory")


@pytest.mark.parametrize("choice", ["forgotten", "remembered"])
def test_the_token_of_a_refused_call(directory: Any, control: DirectoryControl, choice: Any) -> None:
    """failed_token: forgotten, it may be used for anything; remembered, only for the same call again."""
    control.configure(failed_token=choice)
    nobody = {**PAIR, "MemberName": "carol", "ClientToken": "t1"}
    refused("ResourceNotFoundException", lambda: directory.add_group_member(**nobody))
    control.add_user(DIRECTORY, "carol")
    if choice == "remembered":
        refused("ConflictException", lambda: directory.add_group_member(**PAIR, ClientToken="t1"))
        directory.add_group_member(**nobody)
    else:
        directory.add_group_member(**PAIR, ClientToken="t1")
    assert is_member(control, "carol") is (choice == "remembered")


def test_a_lost_answer_and_a_foreign_grant_differ(directory: Any, control: DirectoryControl) -> None:
    """After one's own success the token replays it; after somebody else's grant it is a conflict."""
    control.add_fault("cut", when="after", operation="AddGroupMember")
    with pytest.raises(Exception, match="Connection was closed"):
        directory.add_group_member(**PAIR, ClientToken="t1")
    directory.add_group_member(**PAIR, ClientToken="t1")

    control.grant(DIRECTORY, "Admins", "bob")
    refused("ConflictException", lambda: directory.add_group_member(**{**PAIR, "MemberName": "bob"}, ClientToken="t2"))


@pytest.mark.parametrize(
    ("operation", "parameters", "member"),
    [
        ("add_group_member", {**PAIR, "DirectoryId": "d-12345"}, "DirectoryId"),
        ("add_group_member", {**PAIR, "DirectoryId": "D-1234567890"}, "DirectoryId"),
        ("add_group_member", {**PAIR, "GroupName": ""}, "GroupName"),
        ("add_group_member", {**PAIR, "GroupName": "g" * 65}, "GroupName"),
        ("add_group_member", {**PAIR, "GroupName": "a@b"}, "GroupName"),
        ("add_group_member", {**PAIR, "MemberName": "m" * 64}, "MemberName"),
        ("add_group_member", {**PAIR, "MemberName": "corp\\alice"}, "MemberName"),
        ("add_group_member", {**PAIR, "MemberRealm": "corp"}, "MemberRealm"),
        ("add_group_member", {**PAIR, "MemberRealm": f"{'a' * 250}.example"}, "MemberRealm"),
        ("add_group_member", {**PAIR, "ClientToken": "t" * 129}, "ClientToken"),
        ("add_group_member", {**PAIR, "ClientToken": "é"}, "ClientToken"),
        ("remove_group_member", {**PAIR, "MemberName": "a=b"}, "MemberName"),
        ("list_group_members", {"DirectoryId": DIRECTORY, "SAMAccountName": "g", "MaxResults": 0}, "MaxResults"),
        ("list_group_members", {"DirectoryId": DIRECTORY, "SAMAccountName": "g", "MaxResults": 251}, "MaxResults"),
        ("list_group_members", {"DirectoryId": DIRECTORY, "SAMAccountName": "g", "NextToken": ""}, "NextToken"),
        ("list_groups_for_member", {"DirectoryId": DIRECTORY, "SAMAccountName": "m" * 64}, "SAMAccountName"),
        ("create_user", {"DirectoryId": DIRECTORY, "SAMAccountName": "u" * 21}, "SAMAccountName"),
        ("create_group", {"DirectoryId": DIRECTORY, "SAMAccountName": "g", "GroupType": "Club"}, "GroupType"),
        (
            "create_group",
            {"DirectoryId": DIRECTORY, "SAMAccountName": "g", "OtherAttributes": {"a1": {"S": "x"}}},
            "OtherAttributes.key",
        ),
    ],
)
def test_constraints_are_checked(directory: Any, operation: str, parameters: dict[str, Any], member: str) -> None:
    """Input that breaks the service model is a ValidationException with a reason, which names the member."""
    answer = refused("ValidationException", lambda: getattr(directory, operation)(**parameters))
    assert (answer["Reason"], answer["ResponseMetadata"]["HTTPStatusCode"]) == ("INVALID_ATTRIBUTE_VALUE", 400)
    assert f"'{member}'" in answer["Error"]["Message"]


@pytest.mark.parametrize("missing", ["DirectoryId", "GroupName", "MemberName"])
def test_required_members_are_required(directory: Any, missing: str) -> None:
    """A call without a required member is a ValidationException, MISSING_ATTRIBUTE."""
    given = {name: value for name, value in PAIR.items() if name != missing}
    answer = refused("ValidationException", lambda: directory.add_group_member(**given))
    assert (answer["Reason"], f"'{missing}' is required" in answer["Error"]["Message"]) == ("MISSING_ATTRIBUTE", True)


@pytest.mark.usefixtures("control")
def test_unknown_members_are_refused(associations: Associations) -> None:
    """A body member that the operation does not have is a ValidationException."""
    client = associations.session.create_client(
        "ds-data",
        region_name=REGION,
        endpoint_url=associations.url,
        aws_access_key_id=ACCESS_KEY,
        aws_secret_access_key="secret",
    )

    def add_member(request: Any, **_: Any) -> None:
        request.data = b'{"GroupName": "Admins", "MemberName": "alice", "Colour": "red"}'

    client.meta.events.register("before-sign.directory-service-data.AddGroupMember", add_member)
    assert (
        "'Colour' is not a member"
        in refused("ValidationException", lambda: client.add_group_member(**PAIR))["Error"]["Message"]
    )


def test_names_as_long_and_odd_as_they_may_be(directory: Any, control: DirectoryControl) -> None:
    """The longest names with spaces and other alphabets are legal."""
    group, member = "Ä B " * 16, "群" * 63
    control.add_group(DIRECTORY, group)
    control.add_user(DIRECTORY, member)
    directory.add_group_member(DirectoryId=DIRECTORY, GroupName=group, MemberName=member)
    directory.remove_group_member(DirectoryId=DIRECTORY, GroupName=group.lower(), MemberName=member)


def test_throttling_tells_when_to_come_again(directory: Any, control: DirectoryControl) -> None:
    """A throttled call is a 429 with the RetryAfterSeconds that was asked for, and has no effect."""
    control.add_fault("throttled", members={"RetryAfterSeconds": 7})
    answer = refused("ThrottlingException", lambda: directory.add_group_member(**PAIR))
    assert (answer["RetryAfterSeconds"], answer["ResponseMetadata"]["HTTPStatusCode"]) == (7, 429)
    assert not is_member(control)


@pytest.mark.parametrize(
    ("error", "members", "status"),
    [
        ("AccessDeniedException", {"Reason": "DIRECTORY_AUTH"}, 403),
        ("DirectoryUnavailableException", {"Reason": "NO_DISK_SPACE"}, 400),
        ("ValidationException", {"Reason": "INVALID_SECONDARY_REGION"}, 400),
        ("ConflictException", {}, 409),
        ("ResourceNotFoundException", {"Message": "gone"}, 404),
    ],
)
def test_every_modelled_error_on_demand(
    directory: Any, control: DirectoryControl, error: str, members: dict[str, str], status: int
) -> None:
    """A fault of the kind error answers any error of the service with its members and its status."""
    control.add_fault("error", error_code=error, members=members, operation="AddGroupMember")
    answer = refused(error, lambda: directory.add_group_member(**PAIR))
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == status
    assert {name: answer[name] for name in members} == members
    directory.add_group_member(**PAIR)


def test_an_internal_error_after_the_effect(directory: Any, control: DirectoryControl) -> None:
    """A 500 may come after the member was added."""
    control.add_fault("internal_error", when="after")
    answer = refused("InternalServerException", lambda: directory.add_group_member(**PAIR))
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 500
    assert is_member(control)


def test_the_journal_tells_what_arrived(directory: Any, control: DirectoryControl) -> None:
    """An entry has the service, the operation, its input without the token, the token, the caller and the outcome."""
    directory.add_group_member(**PAIR, ClientToken="t1")
    (entry,) = control.journal()
    assert (entry.service, entry.operation, entry.parameters) == ("ds-data", "AddGroupMember", PAIR)
    assert (entry.client_token, entry.access_key_id, entry.caller, entry.region) == ("t1", ACCESS_KEY, "iam", REGION)
    assert (entry.status, entry.error_code, entry.changed, entry.by_moto) == (200, None, True, False)


# UnsupportedOperationException belongs to operations that are not served.
ANSWERED = [shape for shape in service.model.error_shapes if shape.name != "UnsupportedOperationException"]


@pytest.mark.parametrize("shape", ANSWERED, ids=lambda shape: shape.name)
def test_errors_have_the_published_shape(shape: Any) -> None:
    """An error's HTTP status and members are those of the service model."""
    error = getattr(exceptions, shape.name)
    assert error.code == shape.metadata["error"]["httpStatusCode"]
    assert set(error().values) == set(shape.members) - {"RetryAfterSeconds"}


def test_the_operations_are_served() -> None:
    """The pair, both lists, and what makes and removes the parties."""
    served = {name for name in service.model.operation_names if DirectoryDataResponse.serves(name)}
    assert served == {
        "AddGroupMember",
        "RemoveGroupMember",
        "ListGroupMembers",
        "ListGroupsForMember",
        "CreateGroup",
        "CreateUser",
        "DeleteGroup",
        "DeleteUser",
    }
