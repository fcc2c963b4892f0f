"""clientToken: remembered for 10 minutes of the service's clock."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.emulator.emulation import ENVIRONMENT, GROUP, USER, Emulator, refused

PAIR = {"permissionGroupId": GROUP, "userId": USER}


def is_member(emulator: Emulator) -> bool:
    """Tell whether the user is in the group."""
    return bool(emulator.control.memberships(ENVIRONMENT))


def test_a_replayed_associate_has_no_effect(emulator: Emulator, finspace: Any) -> None:
    """Associate, disassociate, associate with the first token: the first success is answered and nobody is added."""
    first = finspace.associate_user_to_permission_group(**PAIR, clientToken="t1")
    finspace.disassociate_user_from_permission_group(**PAIR, clientToken="t2")

    again = finspace.associate_user_to_permission_group(**PAIR, clientToken="t1")

    assert again["statusCode"] == first["statusCode"] == 200
    assert not is_member(emulator)
    entries = emulator.control.journal("AssociateUserToPermissionGroup")
    assert [(entry.replayed, entry.changed, entry.client_token) for entry in entries] == [
        (False, True, "t1"),
        (True, False, "t1"),
    ]


def test_a_replayed_disassociate_has_no_effect(emulator: Emulator, finspace: Any) -> None:
    """A token in the query string is remembered as well."""
    finspace.associate_user_to_permission_group(**PAIR)
    finspace.disassociate_user_from_permission_group(**PAIR, clientToken="t2")
    finspace.associate_user_to_permission_group(**PAIR)

    finspace.disassociate_user_from_permission_group(**PAIR, clientToken="t2")

    assert is_member(emulator)


def test_a_replay_answers_what_was_answered_first(emulator: Emulator) -> None:
    """CreateUser and CreatePermissionGroup answer the same id to the same token, and make one of each."""
    finspace = emulator.finspace()
    user = {"emailAddress": "ada@example.com", "type": "APP_USER", "clientToken": "t1"}
    group = {"name": "Ops", "applicationPermissions": [], "clientToken": "t1"}

    assert finspace.create_user(**user)["userId"] == finspace.create_user(**user)["userId"]
    first = finspace.create_permission_group(**group)["permissionGroupId"]
    assert finspace.create_permission_group(**group)["permissionGroupId"] == first


def test_a_replay_does_not_care_whether_the_parties_still_exist(emulator: Emulator, finspace: Any) -> None:
    """The remembered success is answered even after the group is gone."""
    finspace.associate_user_to_permission_group(**PAIR, clientToken="t1")
    emulator.control.remove_permission_group(ENVIRONMENT, GROUP)

    assert finspace.associate_user_to_permission_group(**PAIR, clientToken="t1")["statusCode"] == 200


def test_a_token_is_forgotten_after_ten_minutes(emulator: Emulator, finspace: Any) -> None:
    """A token acts again once 10 minutes have passed, and not a second before; a replay does not prolong it."""
    finspace.associate_user_to_permission_group(**PAIR, clientToken="t1")
    finspace.disassociate_user_from_permission_group(**PAIR)

    emulator.control.advance(599)
    finspace.associate_user_to_permission_group(**PAIR, clientToken="t1")
    assert not is_member(emulator)
    emulator.control.advance(1)
    finspace.associate_user_to_permission_group(**PAIR, clientToken="t1")
    assert is_member(emulator)


def test_a_failed_call_does_not_use_up_its_token(emulator: Emulator, finspace: Any) -> None:
    """A token whose call was refused works when the cause is gone."""
    emulator.control.remove_user(ENVIRONMENT, USER)
    refused("ResourceNotFoundException", lambda: finspace.associate_user_to_permission_group(**PAIR, clientToken="t1"))
    emulator.control.add_user(ENVIRONMENT, USER)

    finspace.associate_user_to_permission_group(**PAIR, clientToken="t1")
    assert is_member(emulator)


@pytest.mark.parametrize(
    ("choice", "error"), [("conflict", "ConflictException"), ("validation", "ValidationException")]
)
def test_a_token_with_other_parameters_is_refused(emulator: Emulator, finspace: Any, choice: Any, error: str) -> None:
    """reused_token=conflict or validation: the same token for another pair is an error, for 10 minutes."""
    emulator.control.configure(reused_token=choice)
    emulator.control.add_user(ENVIRONMENT, "other")
    finspace.associate_user_to_permission_group(**PAIR, clientToken="t1")
    other = {**PAIR, "userId": "other", "clientToken": "t1"}

    refused(error, lambda: finspace.associate_user_to_permission_group(**other), reason="CLIENT_TOKEN_REUSED")
    assert [membership.user_id for membership in emulator.control.memberships()] == [USER]
    emulator.control.advance(600)
    finspace.associate_user_to_permission_group(**other)
    assert len(emulator.control.memberships()) == 2


def test_a_token_with_other_parameters_is_a_new_call(emulator: Emulator, finspace: Any) -> None:
    """reused_token=new_call: the same token for another pair takes effect and is then remembered for that pair."""
    emulator.control.configure(reused_token="new_call")
    emulator.control.add_user(ENVIRONMENT, "other")
    finspace.associate_user_to_permission_group(**PAIR, clientToken="t1")
    finspace.associate_user_to_permission_group(permissionGroupId=GROUP, userId="other", clientToken="t1")

    assert len(emulator.control.memberships()) == 2
    assert not any(entry.replayed for entry in emulator.control.journal())


def test_tokens_belong_to_an_operation(emulator: Emulator, finspace: Any) -> None:
    """token_scope=operation: one token serves an associate and a disassociate."""
    emulator.control.configure(token_scope="operation")
    finspace.associate_user_to_permission_group(**PAIR, clientToken="t1")
    finspace.disassociate_user_from_permission_group(**PAIR, clientToken="t1")
    assert not is_member(emulator)


def test_tokens_belong_to_an_environment(emulator: Emulator, finspace: Any) -> None:
    """token_scope=environment: a token of another operation is one with other parameters."""
    emulator.control.configure(token_scope="environment")
    finspace.associate_user_to_permission_group(**PAIR, clientToken="t1")
    refused(
        "ConflictException",
        lambda: finspace.disassociate_user_from_permission_group(**PAIR, clientToken="t1"),
        reason="CLIENT_TOKEN_REUSED",
    )
    assert is_member(emulator)


def test_a_call_without_token_is_never_a_replay(emulator: Emulator, finspace: Any) -> None:
    """clientToken is optional on the wire; a call without one always acts."""

    def drop_token(request: Any, **_: Any) -> None:
        request.data = b"{}"

    finspace.meta.events.register("before-sign.finspace-data.AssociateUserToPermissionGroup", drop_token)
    finspace.associate_user_to_permission_group(**PAIR)
    finspace.disassociate_user_from_permission_group(**PAIR)
    finspace.associate_user_to_permission_group(**PAIR)

    assert is_member(emulator)
    assert [entry.client_token for entry in emulator.control.journal("AssociateUserToPermissionGroup")] == [None, None]


def test_one_token_from_many_threads_acts_once(emulator: Emulator, finspace: Any) -> None:
    """Calls with one token at once all succeed, one of them with effect."""
    with ThreadPoolExecutor(8) as pool:
        answers = list(
            pool.map(
                lambda _: finspace.associate_user_to_permission_group(**PAIR, clientToken="t1")["statusCode"], range(16)
            )
        )
    entries = emulator.control.journal("AssociateUserToPermissionGroup")
    assert answers == [200] * 16
    assert (sum(entry.changed for entry in entries), sum(entry.replayed for entry in entries)) == (1, 15)
