"""Memberships: adding, removing, listing, and what was never published about them."""

from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.emulator.emulation import ENVIRONMENT, GROUP, USER, Emulator, refused

PAIR = {"permissionGroupId": GROUP, "userId": USER}


def statuses(finspace: Any) -> dict[str, str]:
    """Return the status of each of the user's groups, as the API lists them."""
    groups = finspace.list_permission_groups_by_user(userId=USER, maxResults=100)["permissionGroups"]
    return {group["permissionGroupId"]: group["membershipStatus"] for group in groups}


def truth(emulator: Emulator) -> dict[str, str]:
    """Return the status of each group that has the user, as it is."""
    return {
        membership.permission_group_id: membership.membership_status
        for membership in emulator.control.memberships(ENVIRONMENT)
        if membership.user_id == USER
    }


def test_associate_adds_the_user_to_the_group(finspace: Any) -> None:
    """An associated user is listed on both sides, with the published members."""
    answer = finspace.associate_user_to_permission_group(**PAIR)

    assert answer["statusCode"] == 200
    assert finspace.list_permission_groups_by_user(userId=USER, maxResults=1)["permissionGroups"] == [
        {"permissionGroupId": GROUP, "name": "Analysts", "membershipStatus": "ADDITION_SUCCESS"}
    ]
    assert finspace.list_users_by_permission_group(permissionGroupId=GROUP, maxResults=1)["users"] == [
        {
            "userId": USER,
            "status": "ENABLED",
            "emailAddress": f"{USER}@example.com",
            "type": "APP_USER",
            "apiAccess": "DISABLED",
            "membershipStatus": "ADDITION_SUCCESS",
        }
    ]


def test_disassociate_removes_the_user_from_the_group(finspace: Any) -> None:
    """A removed membership is absent from both lists."""
    finspace.associate_user_to_permission_group(**PAIR)

    answer = finspace.disassociate_user_from_permission_group(**PAIR)

    assert answer["statusCode"] == 200
    assert statuses(finspace) == {}
    assert finspace.list_users_by_permission_group(permissionGroupId=GROUP, maxResults=1)["users"] == []


@pytest.mark.parametrize("unknown", [{"permissionGroupId": "nobody"}, {"userId": "nobody"}])
def test_unknown_parties_are_not_found(finspace: Any, unknown: dict[str, str]) -> None:
    """A user or group that does not exist is a ResourceNotFoundException, when adding and when removing."""
    parties = {**PAIR, **unknown}
    for operation in (finspace.associate_user_to_permission_group, finspace.disassociate_user_from_permission_group):
        answer = refused("ResourceNotFoundException", partial(operation, **parties))
        assert "nobody" in answer["message"]
        assert answer["reason"]


def test_lists_of_unknown_parties_are_not_found(finspace: Any) -> None:
    """A list for a user or group that does not exist is a ResourceNotFoundException, not an empty list."""
    refused("ResourceNotFoundException", lambda: finspace.list_permission_groups_by_user(userId="nobody", maxResults=1))
    refused(
        "ResourceNotFoundException",
        lambda: finspace.list_users_by_permission_group(permissionGroupId="nobody", maxResults=1),
    )


def test_addition_lasts_as_long_as_told(emulator: Emulator, finspace: Any) -> None:
    """The status is ADDITION_IN_PROGRESS until addition_seconds have passed on the service's clock."""
    emulator.control.configure(addition_seconds=30)
    finspace.associate_user_to_permission_group(**PAIR)

    emulator.control.advance(29)
    assert statuses(finspace) == {GROUP: "ADDITION_IN_PROGRESS"}
    emulator.control.advance(1)
    assert statuses(finspace) == {GROUP: "ADDITION_SUCCESS"}


def test_removal_lasts_as_long_as_told(emulator: Emulator, finspace: Any) -> None:
    """The status is REMOVAL_IN_PROGRESS until removal_seconds have passed, then the membership is gone."""
    emulator.control.configure(removal_seconds=30)
    finspace.associate_user_to_permission_group(**PAIR)
    finspace.disassociate_user_from_permission_group(**PAIR)

    emulator.control.advance(29)
    assert statuses(finspace) == truth(emulator) == {GROUP: "REMOVAL_IN_PROGRESS"}
    emulator.control.advance(1)
    assert statuses(finspace) == truth(emulator) == {}


def test_associate_during_removal_conflicts(emulator: Emulator, finspace: Any) -> None:
    """A user whose removal is in progress cannot be added until it is over."""
    emulator.control.configure(removal_seconds=30)
    finspace.associate_user_to_permission_group(**PAIR)
    finspace.disassociate_user_from_permission_group(**PAIR)

    refused(
        "ConflictException",
        lambda: finspace.associate_user_to_permission_group(**PAIR),
        reason="REMOVAL_IN_PROGRESS",
    )
    emulator.control.advance(30)
    finspace.associate_user_to_permission_group(**PAIR)
    assert statuses(finspace) == {GROUP: "ADDITION_SUCCESS"}


def test_duplicate_associate_conflicts(emulator: Emulator, finspace: Any) -> None:
    """With duplicate_associate=conflict, adding a member with a fresh token is a ConflictException."""
    emulator.control.configure(duplicate_associate="conflict")
    finspace.associate_user_to_permission_group(**PAIR)

    refused("ConflictException", lambda: finspace.associate_user_to_permission_group(**PAIR), reason="ALREADY_A_MEMBER")
    assert statuses(finspace) == {GROUP: "ADDITION_SUCCESS"}


def test_duplicate_associate_succeeds(emulator: Emulator, finspace: Any) -> None:
    """With duplicate_associate=succeed, adding a member with a fresh token succeeds and changes nothing."""
    emulator.control.configure(duplicate_associate="succeed", addition_seconds=30)
    finspace.associate_user_to_permission_group(**PAIR)
    emulator.control.advance(30)

    assert finspace.associate_user_to_permission_group(**PAIR)["statusCode"] == 200
    assert statuses(finspace) == {GROUP: "ADDITION_SUCCESS"}
    assert [entry.changed for entry in emulator.control.journal("AssociateUserToPermissionGroup")] == [True, False]


@pytest.mark.parametrize(
    ("choice", "error"),
    [("not_found", "ResourceNotFoundException"), ("conflict", "ConflictException"), ("succeed", None)],
)
def test_disassociate_of_a_non_member(emulator: Emulator, finspace: Any, choice: Any, error: str | None) -> None:
    """disassociate_non_member decides what removing a user who is not in the group answers."""
    emulator.control.configure(disassociate_non_member=choice)

    if error is None:
        assert finspace.disassociate_user_from_permission_group(**PAIR)["statusCode"] == 200
    else:
        refused(error, lambda: finspace.disassociate_user_from_permission_group(**PAIR), reason="NOT_A_MEMBER")


@pytest.mark.parametrize("choice", ["succeed", "conflict"])
def test_disassociate_during_addition(emulator: Emulator, finspace: Any, choice: Any) -> None:
    """disassociate_during_addition decides whether an addition in progress can be undone."""
    emulator.control.configure(disassociate_during_addition=choice, addition_seconds=30)
    finspace.associate_user_to_permission_group(**PAIR)

    if choice == "succeed":
        finspace.disassociate_user_from_permission_group(**PAIR)
        assert statuses(finspace) == {}
    else:
        refused(
            "ConflictException",
            lambda: finspace.disassociate_user_from_permission_group(**PAIR),
            reason="ADDITION_IN_PROGRESS",
        )
        assert statuses(finspace) == {GROUP: "ADDITION_IN_PROGRESS"}


@pytest.mark.parametrize("choice", ["succeed", "conflict"])
def test_disassociate_during_removal(emulator: Emulator, finspace: Any, choice: Any) -> None:
    """disassociate_during_removal decides what a second removal answers; neither makes the first one longer."""
    emulator.control.configure(disassociate_during_removal=choice, removal_seconds=30)
    finspace.associate_user_to_permission_group(**PAIR)
    finspace.disassociate_user_from_permission_group(**PAIR)
    emulator.control.advance(20)

    if choice == "succeed":
        finspace.disassociate_user_from_permission_group(**PAIR)
    else:
        refused(
            "ConflictException",
            lambda: finspace.disassociate_user_from_permission_group(**PAIR),
            reason="REMOVAL_IN_PROGRESS",
        )
    assert statuses(finspace) == {GROUP: "REMOVAL_IN_PROGRESS"}
    emulator.control.advance(10)
    assert statuses(finspace) == {}


def test_lists_lag_behind_writes(emulator: Emulator, finspace: Any) -> None:
    """With list_lag_seconds, both lists show additions and removals late, while the truth has them at once."""
    emulator.control.configure(list_lag_seconds=30)
    finspace.associate_user_to_permission_group(**PAIR)

    emulator.control.advance(29)
    assert statuses(finspace) == {}
    assert finspace.list_users_by_permission_group(permissionGroupId=GROUP, maxResults=9)["users"] == []
    assert truth(emulator) == {GROUP: "ADDITION_SUCCESS"}
    emulator.control.advance(1)
    assert statuses(finspace) == {GROUP: "ADDITION_SUCCESS"}

    finspace.disassociate_user_from_permission_group(**PAIR)
    emulator.control.advance(29)
    assert statuses(finspace) == {GROUP: "ADDITION_SUCCESS"}
    assert len(finspace.list_users_by_permission_group(permissionGroupId=GROUP, maxResults=9)["users"]) == 1
    assert truth(emulator) == {}
    emulator.control.advance(1)
    assert statuses(finspace) == {}


def test_lists_without_lag_show_writes_at_once(emulator: Emulator, finspace: Any) -> None:
    """Without list_lag_seconds a list shows what was just written."""
    emulator.control.configure(list_lag_seconds=0)
    finspace.associate_user_to_permission_group(**PAIR)
    assert statuses(finspace) == {GROUP: "ADDITION_SUCCESS"}


def test_pages_end_with_the_last_entry(emulator: Emulator, finspace: Any) -> None:
    """Pages hold maxResults entries and a token for the rest, and together every entry once."""
    groups = [f"g{number}" for number in range(5)]
    for group in groups:
        emulator.control.add_permission_group(ENVIRONMENT, group)
        emulator.control.grant(ENVIRONMENT, group, USER)

    pages: list[list[str]] = []
    token: dict[str, str] = {}
    while True:
        answer = finspace.list_permission_groups_by_user(userId=USER, maxResults=2, **token)
        pages.append([group["permissionGroupId"] for group in answer["permissionGroups"]])
        if "nextToken" not in answer:
            break
        token = {"nextToken": answer["nextToken"]}
    assert [len(page) for page in pages] == [2, 2, 1]
    assert sorted(group for page in pages for group in page) == groups


def test_users_are_paged_too(emulator: Emulator, finspace: Any) -> None:
    """The list of a group's users has pages as well; a full last page has no token."""
    for user in ("a", "b", "c", "d"):
        emulator.control.add_user(ENVIRONMENT, user)
        emulator.control.grant(ENVIRONMENT, GROUP, user)

    first = finspace.list_users_by_permission_group(permissionGroupId=GROUP, maxResults=2)
    second = finspace.list_users_by_permission_group(
        permissionGroupId=GROUP, maxResults=2, nextToken=first["nextToken"]
    )

    assert [user["userId"] for user in first["users"] + second["users"]] == ["a", "b", "c", "d"]
    assert "nextToken" not in second


def test_page_size_makes_pages_smaller(emulator: Emulator, finspace: Any) -> None:
    """page_size limits a page below maxResults."""
    for group in ("g1", "g2", "g3"):
        emulator.control.add_permission_group(ENVIRONMENT, group)
        emulator.control.grant(ENVIRONMENT, group, USER)

    emulator.control.configure(page_size=2)
    answer = finspace.list_permission_groups_by_user(userId=USER, maxResults=100)
    assert len(answer["permissionGroups"]) == 2
    assert "nextToken" in answer

    emulator.control.configure(page_size=None)
    answer = finspace.list_permission_groups_by_user(userId=USER, maxResults=100)
    assert len(answer["permissionGroups"]) == 3


def test_next_token_is_good_for_its_own_list_only(emulator: Emulator, finspace: Any) -> None:
    """A nextToken that was made up, or belongs to another list, is a ValidationException."""
    for group in ("g1", "g2"):
        emulator.control.add_permission_group(ENVIRONMENT, group)
        emulator.control.grant(ENVIRONMENT, group, USER)
    emulator.control.add_user(ENVIRONMENT, "other")
    token = finspace.list_permission_groups_by_user(userId=USER, maxResults=1)["nextToken"]

    for user, given in ((USER, "garbage"), (USER, ""), ("other", token)):
        call = partial(finspace.list_permission_groups_by_user, userId=user, maxResults=1, nextToken=given)
        refused("ValidationException", call, reason="INVALID_NEXT_TOKEN")


def test_environments_share_nothing(emulator: Emulator, finspace: Any) -> None:
    """Groups and users of one environment are not found with the credentials of another."""
    elsewhere = emulator.finspace("env2")
    refused("ResourceNotFoundException", lambda: elsewhere.associate_user_to_permission_group(**PAIR))

    emulator.control.add_permission_group("env2", GROUP)
    emulator.control.add_user("env2", USER)
    elsewhere.associate_user_to_permission_group(**PAIR)
    assert statuses(elsewhere) == {GROUP: "ADDITION_SUCCESS"}
    assert statuses(finspace) == {}


def test_created_users_and_groups_can_be_associated(emulator: Emulator) -> None:
    """CreateUser and CreatePermissionGroup answer ids that the other operations take, with what was given."""
    finspace = emulator.finspace()
    role = "arn:aws:iam::123456789012:role/Deploy"
    user = finspace.create_user(
        emailAddress="ada@example.com",
        type="SUPER_USER",
        firstName="Ada",
        lastName="L",
        apiAccess="ENABLED",
        apiAccessPrincipalArn=role,
    )["userId"]
    group = finspace.create_permission_group(name="Ops", applicationPermissions=["ManageUsersAndGroups"])[
        "permissionGroupId"
    ]
    finspace.associate_user_to_permission_group(permissionGroupId=group, userId=user)

    assert finspace.list_users_by_permission_group(permissionGroupId=group, maxResults=5)["users"] == [
        {
            "userId": user,
            "status": "ENABLED",
            "firstName": "Ada",
            "lastName": "L",
            "emailAddress": "ada@example.com",
            "type": "SUPER_USER",
            "apiAccess": "ENABLED",
            "apiAccessPrincipalArn": role,
            "membershipStatus": "ADDITION_SUCCESS",
        }
    ]
    groups = finspace.list_permission_groups_by_user(userId=user, maxResults=5)["permissionGroups"]
    assert groups == [{"permissionGroupId": group, "name": "Ops", "membershipStatus": "ADDITION_SUCCESS"}]


def test_an_email_address_is_one_user(emulator: Emulator) -> None:
    """A second user with the same e-mail address is a ConflictException."""
    finspace = emulator.finspace()
    finspace.create_user(emailAddress="ada@example.com", type="APP_USER")
    refused("ConflictException", lambda: finspace.create_user(emailAddress="ada@example.com", type="SUPER_USER"))


def test_a_disabled_user_keeps_the_memberships(finspace: Any) -> None:
    """DisableUser changes the user's own status, not the membershipStatus."""
    finspace.associate_user_to_permission_group(**PAIR)
    assert finspace.disable_user(userId=USER)["userId"] == USER

    (user,) = finspace.list_users_by_permission_group(permissionGroupId=GROUP, maxResults=5)["users"]
    assert (user["status"], user["membershipStatus"]) == ("DISABLED", "ADDITION_SUCCESS")
    refused("ResourceNotFoundException", lambda: finspace.disable_user(userId="nobody"))


def test_a_deleted_group_takes_its_memberships_along(finspace: Any) -> None:
    """After DeletePermissionGroup the group is not found and its users are no longer in it."""
    finspace.associate_user_to_permission_group(**PAIR)
    assert finspace.delete_permission_group(permissionGroupId=GROUP)["permissionGroupId"] == GROUP

    assert statuses(finspace) == {}
    refused(
        "ResourceNotFoundException",
        lambda: finspace.list_users_by_permission_group(permissionGroupId=GROUP, maxResults=5),
    )
    refused("ResourceNotFoundException", lambda: finspace.delete_permission_group(permissionGroupId=GROUP))


def test_associate_is_atomic(emulator: Emulator, finspace: Any) -> None:
    """Of many calls for one pair at once, exactly one adds the user and every other one conflicts."""

    def associate(_: int) -> str:
        try:
            finspace.associate_user_to_permission_group(**PAIR)
        except ClientError as error:
            return str(error.response["Error"]["Code"])
        return "added"

    with ThreadPoolExecutor(8) as pool:
        answers = sorted(pool.map(associate, range(16)))
    assert answers == ["ConflictException"] * 15 + ["added"]
    assert sum(entry.changed for entry in emulator.control.journal()) == 1
