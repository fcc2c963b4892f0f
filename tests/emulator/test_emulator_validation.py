"""Strictness: every length, pattern, enumeration and required member, and the published shapes of the errors."""

from typing import Any

import pytest

from tests.emulator.emulation import GROUP, USER, Emulator, refused

PAIR = {"permissionGroupId": GROUP, "userId": USER}
PERSON = {"emailAddress": "a@example.com", "type": "APP_USER"}
ROLE = "arn:aws:iam::123456789012:role/Deploy"


@pytest.mark.parametrize(
    ("operation", "parameters", "member"),
    [
        ("associate_user_to_permission_group", {**PAIR, "userId": "u" * 27}, "userId"),
        ("associate_user_to_permission_group", {**PAIR, "userId": " \t"}, "userId"),
        ("associate_user_to_permission_group", {**PAIR, "permissionGroupId": "g" * 27}, "permissionGroupId"),
        ("associate_user_to_permission_group", {**PAIR, "permissionGroupId": " "}, "permissionGroupId"),
        ("associate_user_to_permission_group", {**PAIR, "clientToken": "t" * 129}, "clientToken"),
        ("associate_user_to_permission_group", {**PAIR, "clientToken": ""}, "clientToken"),
        ("associate_user_to_permission_group", {**PAIR, "clientToken": "  "}, "clientToken"),
        ("disassociate_user_from_permission_group", {**PAIR, "clientToken": "t" * 129}, "clientToken"),
        ("disassociate_user_from_permission_group", {**PAIR, "clientToken": " "}, "clientToken"),
        ("list_permission_groups_by_user", {"userId": USER}, "maxResults"),
        ("list_permission_groups_by_user", {"userId": USER, "maxResults": 0}, "maxResults"),
        ("list_permission_groups_by_user", {"userId": USER, "maxResults": 101}, "maxResults"),
        ("list_permission_groups_by_user", {"userId": USER, "maxResults": "ten"}, "maxResults"),
        ("list_users_by_permission_group", {"permissionGroupId": GROUP}, "maxResults"),
        ("list_users_by_permission_group", {"permissionGroupId": GROUP, "maxResults": 101}, "maxResults"),
        ("create_user", {"type": "APP_USER"}, "emailAddress"),
        ("create_user", {"emailAddress": "a@example.com"}, "type"),
        ("create_user", {**PERSON, "emailAddress": "nobody"}, "emailAddress"),
        ("create_user", {**PERSON, "type": "ROOT"}, "type"),
        ("create_user", {**PERSON, "firstName": "x" * 51}, "firstName"),
        ("create_user", {**PERSON, "lastName": " "}, "lastName"),
        ("create_user", {**PERSON, "apiAccess": "MAYBE"}, "apiAccess"),
        ("create_user", {**PERSON, "apiAccessPrincipalArn": ROLE.replace("role", "user")}, "apiAccessPrincipalArn"),
        ("create_permission_group", {"name": "g"}, "applicationPermissions"),
        ("create_permission_group", {"applicationPermissions": []}, "name"),
        ("create_permission_group", {"name": "g" * 256, "applicationPermissions": []}, "name"),
        ("create_permission_group", {"name": "g", "applicationPermissions": ["Fly"]}, "applicationPermissions"),
        (
            "create_permission_group",
            {"name": "g", "applicationPermissions": [], "description": "d" * 4001},
            "description",
        ),
        ("delete_permission_group", {"permissionGroupId": "g" * 27}, "permissionGroupId"),
        ("disable_user", {"userId": "u" * 27}, "userId"),
    ],
)
def test_constraints_are_checked(finspace: Any, operation: str, parameters: dict[str, Any], member: str) -> None:
    """Input that breaks the service model is a ValidationException that names the member."""
    answer = refused(
        "ValidationException", lambda: getattr(finspace, operation)(**parameters), reason="FIELD_VALIDATION_FAILED"
    )
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 400
    assert f"'{member}" in answer["message"]


@pytest.mark.parametrize(
    ("parameters", "member"),
    [
        ({}, "environmentId"),
        ({"environmentId": ""}, "environmentId"),
        ({"environmentId": "e" * 27}, "environmentId"),
        ({"environmentId": "e", "durationInMinutes": 0}, "durationInMinutes"),
        ({"environmentId": "e", "durationInMinutes": 61}, "durationInMinutes"),
    ],
)
def test_constraints_of_the_exchange_are_checked(emulator: Emulator, parameters: dict[str, Any], member: str) -> None:
    """GetProgrammaticAccessCredentials validates as well."""
    answer = refused("ValidationException", lambda: emulator.client().get_programmatic_access_credentials(**parameters))
    assert f"'{member}'" in answer["message"]


def test_the_longest_input_is_legal(emulator: Emulator, finspace: Any) -> None:
    """Values as long as the service model allows are accepted; characters count, not bytes."""
    user, group, token = "ü" * 26, "群" * 26, "t" * 128
    emulator.control.add_user("env1", user)
    emulator.control.add_permission_group("env1", group)
    finspace.associate_user_to_permission_group(permissionGroupId=group, userId=user, clientToken=token)
    finspace.disassociate_user_from_permission_group(permissionGroupId=group, userId=user, clientToken=token)
    finspace.list_permission_groups_by_user(userId=user, maxResults=100)


def test_every_problem_is_told(finspace: Any) -> None:
    """One answer names all constraints that a call breaks."""
    answer = refused(
        "ValidationException",
        lambda: finspace.associate_user_to_permission_group(permissionGroupId="g" * 27, userId="u" * 27),
    )
    assert answer["message"].startswith("2 validation errors detected")


@pytest.mark.parametrize(
    "body", [b"{", b"[]", b'"text"', b'{"clientToken": 7}', b'{"clientTokens": "t"}', b'{"clientToken": NaN}', b"\xff"]
)
def test_bodies_are_checked(finspace: Any, body: bytes) -> None:
    """A body that is not a JSON object, or holds unknown members or wrong types, is a ValidationException."""

    def replace_body(request: Any, **_: Any) -> None:
        request.data = body

    finspace.meta.events.register("before-sign.finspace-data.AssociateUserToPermissionGroup", replace_body)
    refused("ValidationException", lambda: finspace.associate_user_to_permission_group(**PAIR))


def test_null_is_not_given(finspace: Any) -> None:
    """A null member of the body counts as absent."""

    def replace_body(request: Any, **_: Any) -> None:
        request.data = b'{"clientToken": null}'

    finspace.meta.events.register("before-sign.finspace-data.AssociateUserToPermissionGroup", replace_body)
    finspace.associate_user_to_permission_group(**PAIR)


@pytest.mark.parametrize("extra", ["&clienttoken=t", "&maxResults=2", "&nextToken=%FF"])
def test_query_strings_are_checked(finspace: Any, extra: str) -> None:
    """An unknown, doubled or undecodable query parameter is a ValidationException."""

    def extend_query(request: Any, **_: Any) -> None:
        # botocore appends the parameters that it knows to the URL.
        request.url += f"?maxResults=1{extra}"
        request.params = {}

    finspace.meta.events.register("before-sign.finspace-data.ListPermissionGroupsByUser", extend_query)
    refused(
        "ValidationException",
        lambda: finspace.list_permission_groups_by_user(userId=USER, maxResults=1),
        reason="FIELD_VALIDATION_FAILED",
    )


def test_unknown_paths_are_no_operation(finspace: Any) -> None:
    """A path that no operation has is a 404, not a failure of the emulator."""

    def change_path(request: Any, **_: Any) -> None:
        request.url = request.url.replace("/permission-groups", "/permission-groups/more")

    finspace.meta.events.register("before-sign.finspace-data.ListPermissionGroupsByUser", change_path)
    answer = refused(
        "UnknownOperationException", lambda: finspace.list_permission_groups_by_user(userId=USER, maxResults=1)
    )
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 404


def test_sensitive_input_is_not_repeated(finspace: Any) -> None:
    """A message does not repeat a value that the service model calls sensitive."""
    answer = refused("ValidationException", lambda: finspace.create_user(emailAddress="secret-address", type="x"))
    assert "secret-address" not in answer["message"]


def test_denial_comes_before_validation(emulator: Emulator) -> None:
    """Somebody without access learns nothing about the input."""
    refused("AccessDeniedException", lambda: emulator.client().list_permission_groups_by_user(userId="u" * 99))
