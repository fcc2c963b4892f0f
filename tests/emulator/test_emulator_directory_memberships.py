"""Directory Service Data: memberships, names without case, realms, lists in pages, and what is refused."""

from functools import partial
from typing import Any

import pytest

from association_emulator.control import ControlError
from directory_emulator.control import CurrentMembership, DirectoryControl
from directory_emulator.models import dsdata_backends
from tests.emulator.associations import ACCOUNT, REGION, Associations
from tests.emulator.emulation import refused

DIRECTORY = "d-1234567890"
TRUSTED = "partner.example.org"
PAIR = {"DirectoryId": DIRECTORY, "GroupName": "Admins", "MemberName": "alice"}


@pytest.fixture
def control(associations: Associations) -> DirectoryControl:
    """A directory with two groups and two users, nobody in any group."""
    control = associations.control.directory
    control.add_directory(DIRECTORY)
    for group in ("Admins", "Readers"):
        control.add_group(DIRECTORY, group)
    for user in ("alice", "bob"):
        control.add_user(DIRECTORY, user)
    return control


@pytest.fixture
def directory(associations: Associations, control: DirectoryControl) -> Any:  # noqa: ARG001 - the directory is there
    """A client of the directory."""
    return associations.client("ds-data")


def members(directory: Any, group: str = "Admins", **arguments: Any) -> list[str]:
    """Return the members of a group, as the API lists them."""
    answer = directory.list_group_members(DirectoryId=DIRECTORY, SAMAccountName=group, **arguments)
    return [member["SAMAccountName"] for member in answer["Members"]]


def groups(directory: Any, member: str = "alice", **arguments: Any) -> list[str]:
    """Return the groups of a member, as the API lists them."""
    answer = directory.list_groups_for_member(DirectoryId=DIRECTORY, SAMAccountName=member, **arguments)
    return [group["SAMAccountName"] for group in answer["Groups"]]


def test_a_membership_begins_and_ends(directory: Any, control: DirectoryControl) -> None:
    """An added member is in both lists and a removed one in neither; neither operation answers a member."""
    assert set(directory.add_group_member(**PAIR)) == {"ResponseMetadata"}
    assert (members(directory), groups(directory)) == (["alice"], ["Admins"])
    assert control.memberships() == [
        CurrentMembership(ACCOUNT, REGION, DIRECTORY, "Admins", "alice", "corp.example.com")
    ]
    assert set(directory.remove_group_member(**PAIR)) == {"ResponseMetadata"}
    assert (members(directory), groups(directory), control.memberships()) == ([], [], [])


def test_lists_tell_what_a_member_and_a_group_is(directory: Any, control: DirectoryControl) -> None:
    """Users, groups and computers can be members; the lists give type, scope, SID and the realms they are about."""
    control.add_computer(DIRECTORY, "PC-1$")
    for name in ("alice", "Readers", "PC-1$"):
        directory.add_group_member(**{**PAIR, "MemberName": name})
    answer = directory.list_group_members(DirectoryId=DIRECTORY, SAMAccountName="admins")
    assert [(member["SAMAccountName"], member["MemberType"]) for member in answer["Members"]] == [
        ("alice", "USER"),
        ("PC-1$", "COMPUTER"),
        ("Readers", "GROUP"),
    ]
    assert all(member["SID"].startswith("S-1-5-21-") for member in answer["Members"])
    assert (answer["DirectoryId"], answer["Realm"], answer["MemberRealm"]) == (
        DIRECTORY,
        "corp.example.com",
        "corp.example.com",
    )
    (group,) = directory.list_groups_for_member(DirectoryId=DIRECTORY, SAMAccountName="ALICE")["Groups"]
    assert (group["GroupScope"], group["GroupType"]) == ("Global", "Security")


def test_names_compare_without_case_and_keep_their_spelling(directory: Any, control: DirectoryControl) -> None:
    """A membership of ALICE in admins is that of alice in Admins, and is listed as the objects were made."""
    directory.add_group_member(DirectoryId=DIRECTORY, GroupName="ADMINS", MemberName="Alice")
    assert (members(directory, "aDMINS"), groups(directory, "aLICE")) == (["alice"], ["Admins"])
    refused("ConflictException", lambda: directory.add_group_member(**PAIR))
    directory.remove_group_member(DirectoryId=DIRECTORY, GroupName="admins", MemberName="ALICE")
    assert control.memberships() == []


@pytest.mark.parametrize("realm", ["corp.example.com", "CORP.Example.Com", "corp.example.com."])
def test_the_default_realm_written_out_is_the_same(directory: Any, realm: str) -> None:
    """MemberRealm defaults to the directory's own domain and knows no case."""
    directory.add_group_member(**PAIR, MemberRealm=realm)
    refused("ConflictException", lambda: directory.add_group_member(**PAIR))
    assert members(directory) == members(directory, MemberRealm=realm, Realm=realm) == ["alice"]
    directory.remove_group_member(**PAIR)
    refused("ResourceNotFoundException", lambda: directory.remove_group_member(**PAIR, MemberRealm=realm))


def test_a_directory_has_the_domain_that_it_was_given(associations: Associations, control: DirectoryControl) -> None:
    """The control sets the domain; the realm of another directory is unknown."""
    control.add_directory("d-00000000aa", domain="office.example.net")
    control.add_group("d-00000000aa", "Admins")
    client = associations.client("ds-data")
    answer = client.list_group_members(DirectoryId="d-00000000aa", SAMAccountName="Admins")
    assert answer["Realm"] == "office.example.net"
    refused(
        "ValidationException",
        lambda: client.list_group_members(
            DirectoryId="d-00000000aa", SAMAccountName="Admins", MemberRealm="corp.example.com"
        ),
    )


def test_members_of_a_trusted_realm_are_others(directory: Any, control: DirectoryControl) -> None:
    """alice of a trusted realm is not alice of the directory; the lists show one realm at a time."""
    control.add_user(DIRECTORY, "alice", realm=TRUSTED)
    directory.add_group_member(**PAIR, MemberRealm=TRUSTED.upper())
    assert (members(directory), members(directory, MemberRealm=TRUSTED)) == ([], ["alice"])
    assert (groups(directory), groups(directory, MemberRealm=TRUSTED)) == ([], ["Admins"])
    directory.add_group_member(**PAIR)
    assert [membership.member_realm for membership in control.memberships()] == ["corp.example.com", TRUSTED]


def test_an_unknown_realm_is_refused(directory: Any, control: DirectoryControl) -> None:
    """A realm that the directory does not know is INVALID_REALM; a trusted one without the member is not found."""
    answer = refused("ValidationException", lambda: directory.add_group_member(**PAIR, MemberRealm=TRUSTED))
    assert answer["Reason"] == "INVALID_REALM"
    control.trust(DIRECTORY, TRUSTED)
    refused("ResourceNotFoundException", lambda: directory.add_group_member(**PAIR, MemberRealm=TRUSTED))


def test_a_duplicate_is_a_conflict(directory: Any, control: DirectoryControl) -> None:
    """Adding a member of the group, with a fresh token, is a ConflictException. Documented."""
    control.grant(DIRECTORY, "Admins", "alice")
    answer = refused("ConflictException", lambda: directory.add_group_member(**PAIR))
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 409
    assert "already a member" in answer["Error"]["Message"]


@pytest.mark.parametrize(
    ("choice", "error"), [("not_found", "ResourceNotFoundException"), ("conflict", "ConflictException")]
)
def test_removing_a_non_member_is_refused(directory: Any, control: DirectoryControl, choice: Any, error: str) -> None:
    """remove_non_member=not_found or conflict: it is an error."""
    control.configure(remove_non_member=choice)
    refused(error, lambda: directory.remove_group_member(**PAIR))


def test_removing_a_non_member_succeeds(directory: Any, control: DirectoryControl) -> None:
    """remove_non_member=succeed: it changes nothing."""
    control.configure(remove_non_member="succeed")
    directory.remove_group_member(**PAIR)
    assert [entry.changed for entry in control.journal("RemoveGroupMember")] == [False]


@pytest.mark.parametrize("missing", ["GroupName", "MemberName"])
@pytest.mark.parametrize("operation", ["add_group_member", "remove_group_member"])
def test_absent_parties_are_not_found(directory: Any, operation: str, missing: str) -> None:
    """A group or member that does not exist is a ResourceNotFoundException that names it."""
    answer = refused("ResourceNotFoundException", lambda: getattr(directory, operation)(**{**PAIR, missing: "nobody"}))
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 404
    assert "nobody" in answer["Error"]["Message"]


def test_lists_of_absent_parties_are_not_found(directory: Any) -> None:
    """A list for a group or member that does not exist is refused; a user is no group."""
    refused("ResourceNotFoundException", lambda: members(directory, "nobody"))
    refused("ResourceNotFoundException", lambda: members(directory, "alice"))
    refused("ResourceNotFoundException", lambda: groups(directory, "nobody"))


def test_groups_and_users_by_the_api(directory: Any, control: DirectoryControl) -> None:
    """CreateGroup and CreateUser make parties, a taken name is a conflict, deletes take memberships along."""
    group = directory.create_group(DirectoryId=DIRECTORY, SAMAccountName="Ops", GroupScope="Universal")
    user = directory.create_user(DirectoryId=DIRECTORY, SAMAccountName="carol", OtherAttributes={"title": {"S": "x"}})
    assert (group["SAMAccountName"], user["DirectoryId"]) == ("Ops", DIRECTORY)
    refused("ConflictException", lambda: directory.create_user(DirectoryId=DIRECTORY, SAMAccountName="OPS"))
    directory.add_group_member(DirectoryId=DIRECTORY, GroupName="ops", MemberName="carol")
    directory.add_group_member(DirectoryId=DIRECTORY, GroupName="Admins", MemberName="ops")

    refused("ResourceNotFoundException", lambda: directory.delete_user(DirectoryId=DIRECTORY, SAMAccountName="Ops"))
    directory.delete_group(DirectoryId=DIRECTORY, SAMAccountName="OPS")
    assert control.memberships() == []
    directory.delete_user(DirectoryId=DIRECTORY, SAMAccountName="Carol")
    refused("ResourceNotFoundException", lambda: groups(directory, "carol"))


def test_somebody_else_grants_and_revokes(directory: Any, control: DirectoryControl) -> None:
    """A change by control is real, and no call in the journal."""
    assert [control.grant(DIRECTORY, "admins", "ALICE") for _ in range(2)] == [True, False]
    assert members(directory) == ["alice"]
    assert [control.revoke(DIRECTORY, "Admins", "alice") for _ in range(2)] == [True, False]
    assert [entry.operation for entry in control.journal()] == ["ListGroupMembers"]
    control.grant(DIRECTORY, "Admins", "bob")
    control.remove(DIRECTORY, "BOB")
    assert control.memberships() == []
    with pytest.raises(ControlError, match="nobody does not exist"):
        control.remove(DIRECTORY, "nobody")


def test_lists_come_in_pages(directory: Any, control: DirectoryControl) -> None:
    """MaxResults cuts both lists; the tokens lead through all of it, and botocore's paginator follows them."""
    for number in range(7):
        control.add_user(DIRECTORY, f"user{number}")
        control.grant(DIRECTORY, "Admins", f"user{number}")
    pages = directory.get_paginator("list_group_members").paginate(
        DirectoryId=DIRECTORY, SAMAccountName="Admins", PaginationConfig={"PageSize": 3}
    )
    found = [[member["SAMAccountName"] for member in page["Members"]] for page in pages]
    assert found == [["user0", "user1", "user2"], ["user3", "user4", "user5"], ["user6"]]

    control.grant(DIRECTORY, "Readers", "user0")
    pages = directory.get_paginator("list_groups_for_member").paginate(
        DirectoryId=DIRECTORY, SAMAccountName="user0", PaginationConfig={"PageSize": 1}
    )
    assert [[group["SAMAccountName"] for group in page["Groups"]] for page in pages] == [["Admins"], ["Readers"]]


def test_pages_are_at_most_250_and_can_be_shorter(directory: Any, control: DirectoryControl) -> None:
    """Without MaxResults a page holds 250; page_size cuts pages whatever the caller asks for."""
    backend = dsdata_backends[ACCOUNT][REGION]  # quicker than the control, and the same process
    for number in range(251):
        backend.put(DIRECTORY, f"u{number:03}", None)
        backend.grant(DIRECTORY, "Admins", f"u{number:03}", None)
    answer = directory.list_group_members(DirectoryId=DIRECTORY, SAMAccountName="Admins")
    assert (len(answer["Members"]), "NextToken" in answer) == (250, True)
    assert len(members(directory, NextToken=answer["NextToken"])) == 1
    control.configure(page_size=2)
    assert len(members(directory, MaxResults=100)) == 2


def test_a_page_token_is_good_for_its_list(directory: Any, control: DirectoryControl) -> None:
    """A token of another group's list, or of no list, is INVALID_NEXT_TOKEN."""
    for group in ("Admins", "Readers"):
        for user in ("alice", "bob"):
            control.grant(DIRECTORY, group, user)
    token = directory.list_group_members(DirectoryId=DIRECTORY, SAMAccountName="Admins", MaxResults=1)["NextToken"]
    for group, given in (("Readers", token), ("Admins", "made-up")):
        answer = refused("ValidationException", partial(members, directory, group, NextToken=given))
        assert answer["Reason"] == "INVALID_NEXT_TOKEN"


@pytest.mark.parametrize(("seconds", "seen"), [(0, ["alice"]), (10, [])])
def test_lists_can_lag(directory: Any, control: DirectoryControl, seconds: float, seen: list[str]) -> None:
    """list_lag_seconds: the lists show the memberships as they were so long ago."""
    control.configure(list_lag_seconds=seconds)
    directory.add_group_member(**PAIR)
    assert members(directory) == seen
    control.advance(10)
    assert members(directory) == ["alice"]


@pytest.mark.parametrize(("choice", "reason"), [("directory_auth", "DIRECTORY_AUTH"), ("iam_auth", "IAM_AUTH")])
def test_an_unknown_directory_is_access_denied(
    directory: Any, control: DirectoryControl, choice: Any, reason: str
) -> None:
    """Documented: AccessDeniedException, also for a directory of another region or a removed one."""
    control.configure(unknown_directory=choice)
    answer = refused(
        "AccessDeniedException", lambda: directory.add_group_member(**{**PAIR, "DirectoryId": "d-0000000000"})
    )
    assert (answer["Reason"], answer["ResponseMetadata"]["HTTPStatusCode"]) == (reason, 403)
    control.remove_directory(DIRECTORY)
    refused("AccessDeniedException", lambda: members(directory))


@pytest.mark.usefixtures("control")
def test_a_directory_belongs_to_a_region(associations: Associations) -> None:
    """In another region the directory is unknown."""
    client = associations.client("ds-data", region="eu-west-1")
    refused("AccessDeniedException", lambda: client.add_group_member(**PAIR))


def test_data_access_can_be_disabled(directory: Any, control: DirectoryControl) -> None:
    """A directory without data access answers DATA_DISABLED until it is enabled again."""
    control.set_data_access(DIRECTORY, enabled=False)
    answer = refused("AccessDeniedException", lambda: directory.add_group_member(**PAIR))
    assert answer["Reason"] == "DATA_DISABLED"
    control.set_data_access(DIRECTORY, enabled=True)
    directory.add_group_member(**PAIR)


def test_iam_can_deny(directory: Any, control: DirectoryControl) -> None:
    """allowed_access_keys: who is not in it gets IAM_AUTH."""
    control.configure(allowed_access_keys=[])
    assert refused("AccessDeniedException", lambda: members(directory))["Reason"] == "IAM_AUTH"
    control.configure(allowed_access_keys=None)
    assert members(directory) == []


def test_a_directory_can_be_unavailable(directory: Any, control: DirectoryControl) -> None:
    """An unavailable directory answers its reason until it is available again; an unknown reason is refused."""
    control.set_unavailable(DIRECTORY, "DIRECTORY_TIMEOUT")
    answer = refused("DirectoryUnavailableException", lambda: directory.add_group_member(**PAIR))
    assert (answer["Reason"], answer["ResponseMetadata"]["HTTPStatusCode"]) == ("DIRECTORY_TIMEOUT", 400)
    control.set_unavailable(DIRECTORY, None)
    directory.add_group_member(**PAIR)
    wrong: Any = "TIRED"
    with pytest.raises(ControlError, match="one of INVALID_DIRECTORY_STATE"):
        control.set_unavailable(DIRECTORY, wrong)
