"""Ids that are legal and awkward: what is sent is what is stored."""

from typing import Any

import pytest

from tests.emulator.emulation import ENVIRONMENT, Emulator

IDS = [
    "a/b",
    "/",
    "//",
    "/a/",
    "users/u1",
    "a|b",
    "a b",
    " a ",
    "%",
    "%2F",
    "%252F",
    "100%",
    "a+b",
    "a&b=c",
    "a;b?c#d",
    "a:b@c",
    "~a-b._",
    "äöü 群 🙂",
    'quote"\\',
    "{x}",
    "x\ny",
    "moto-api",
    # Clients send these as they are: no HTTP library of botocore's takes the dots out of the path. The signature is
    # another matter (botocore signs the path without them), but no signature is verified here.
    ".",
    "..",
]


@pytest.mark.parametrize("identifier", IDS)
def test_ids_arrive_as_they_were_sent(emulator: Emulator, finspace: Any, identifier: str) -> None:
    """Every operation finds a user and a group by any legal id, and the journal shows it unharmed."""
    emulator.control.add_user(ENVIRONMENT, identifier)
    emulator.control.add_permission_group(ENVIRONMENT, identifier)
    pair = {"permissionGroupId": identifier, "userId": identifier}

    finspace.associate_user_to_permission_group(**pair)
    (group,) = finspace.list_permission_groups_by_user(userId=identifier, maxResults=5)["permissionGroups"]
    (user,) = finspace.list_users_by_permission_group(permissionGroupId=identifier, maxResults=5)["users"]
    (membership,) = emulator.control.memberships()
    assert group["permissionGroupId"] == user["userId"] == identifier
    assert (membership.permission_group_id, membership.user_id) == (identifier, identifier)
    assert emulator.control.journal("AssociateUserToPermissionGroup")[0].parameters == pair

    finspace.disable_user(userId=identifier)
    finspace.disassociate_user_from_permission_group(**pair)
    finspace.delete_permission_group(permissionGroupId=identifier)
    assert emulator.control.memberships() == []
