"""What a template may declare: every mistake is refused with the property's name, before any call."""

from __future__ import annotations

from typing import Any

import pytest

from tests.handlers.stage import MARKER, Stage, shown

REQUESTS = pytest.mark.parametrize("request_type", ["Create", "Update"])


def reason(stage: Stage, request_type: Any, properties: dict[str, Any]) -> str:
    """Send properties as they are, not as strings, expect the refusal, and return what it says."""
    update = request_type == "Update"
    event = stage.event(
        request_type,
        {},
        physical_resource_id=stage.id() if update else None,
        old_properties=stage.properties(),
        ResourceProperties={"ServiceToken": "arn", **properties},
        OldResourceProperties=stage.properties() if update else None,
    )
    answer = stage.answer(event)
    assert shown(answer) == ("FAILED", stage.id() if update else MARKER)
    assert stage.control.journal() == []
    return str(answer.reason)


DOING = {"Create": "creating", "Update": "updating"}
DECLARED = "Custom::FinSpacePermissionGroupMembership Membership: InvalidRequest"
CORRECT = "Correct the template, then deploy again."


@REQUESTS
@pytest.mark.parametrize(
    ("name", "near"),
    [
        ("UserID", "UserId"),
        ("PermissionGroup", "PermissionGroupId"),
        ("EnviromentId", "EnvironmentId"),
        ("OnExists", "OnExisting"),
        ("Revison", "Revision"),
    ],
)
def test_an_unknown_property_is_refused_with_the_near_one(
    stage: Stage, request_type: str, name: str, near: str
) -> None:
    """A misspelt name is refused, and the message names both it and the one that was probably meant."""
    said = reason(stage, request_type, stage.properties(**{name: "x"}))
    assert said == f"{DOING[request_type]} {DECLARED}: property {name} is not known (did you mean {near}?). {CORRECT}"


@REQUESTS
@pytest.mark.parametrize("name", ["EnvironmentId", "PermissionGroupId", "UserId"])
def test_a_missing_property_is_named(stage: Stage, request_type: str, name: str) -> None:
    """Each of the three that make the identity is required."""
    properties = stage.properties()
    del properties[name]
    assert f"property {name} is missing" in reason(stage, request_type, properties)


@REQUESTS
@pytest.mark.parametrize("name", ["EnvironmentId", "PermissionGroupId", "UserId"])
@pytest.mark.parametrize(
    ("value", "problem"),
    [
        (["alice"], "must be a string, is ['alice']"),
        ({"Ref": "User"}, "must be a string, is {'Ref': 'User'}"),
        (7, "must be a string, is 7"),
        (True, "must be a string, is True"),
        (None, "must be a string, is None"),
        ("", "must have 1 to 26 characters, has 0"),
        ("x" * 27, "must have 1 to 26 characters, has 27"),
        ("  ", "must match the pattern"),
        ("..", "must not be '.' or '..'"),
        ("\ud800", "must not hold a lone surrogate"),
    ],
    ids=str,
)
def test_a_wrong_value_is_named(stage: Stage, request_type: str, name: str, value: object, problem: str) -> None:
    """Type, length and pattern are checked for each part of the identity."""
    assert f"property {name} {problem}" in reason(stage, request_type, {**stage.properties(), name: value})


@REQUESTS
@pytest.mark.parametrize("value", ["adopt", "", "Replace", ["Adopt"], {"a": "b"}, True])
def test_on_existing_has_two_values(stage: Stage, request_type: str, value: object) -> None:
    """OnExisting is Fail or Adopt, in that spelling."""
    said = reason(stage, request_type, stage.properties(OnExisting=value))
    assert f"property OnExisting must be Fail or Adopt, is {value!r}" in said


@pytest.mark.parametrize(
    "user", ["a/b", "a|b c", "100%", "émile", "?adopted", "not-created/x", "a" * 26, " x ", "0", "x\ty"]
)
def test_every_legal_id_works_from_create_to_delete(stage: Stage, user: str) -> None:
    """Ids may hold slashes, spaces, percent signs and any letters; create, update and delete name the same user."""
    stage.add("g/1", user)

    created = stage.create(stage.properties("g/1", user))

    assert shown(created) == ("SUCCESS", stage.id("g/1", user))
    assert stage.members() == {("g/1", user)}
    updated = stage.update(stage.id("g/1", user), stage.properties("g/1", user, Revision="2"))
    assert shown(updated) == ("SUCCESS", stage.id("g/1", user))
    assert stage.delete(stage.id("g/1", user), {}).status == "SUCCESS"
    assert stage.members() == set()
