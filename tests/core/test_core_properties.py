"""What a user may declare, checked against the service's own model before any call."""

from __future__ import annotations

import socket
from typing import Any

import pytest

from aws_associations.kinds.finspace_permission_group_membership import KIND as PERMISSION_GROUP_MEMBERSHIP
from aws_associations.kinds.iot_thing_group_membership import KIND as THING_GROUP_MEMBERSHIP
from aws_associations.properties import violations
from aws_associations.service import Services
from tests.core.world import WORDS

NAMES = ["environment_id", "permission_group_id", "user_id"]


@pytest.fixture(autouse=True)
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """No socket, no credentials and no region: the model alone answers."""

    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("a check reached for the network")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_REGION"):
        monkeypatch.delenv(name)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    ("value", "problem"),
    [
        ("", "must have 1 to 26 characters, has 0: ''"),
        ("x" * 27, f"must have 1 to 26 characters, has 27: '{'x' * 27}'"),
        (" ", r"must match the pattern .*\S.*, is ' '"),
        ("\n\t", r"must match the pattern .*\S.*, is '\n\t'"),
        (".", "must not be '.' or '..', which a URL path cannot carry"),
        ("..", "must not be '.' or '..', which a URL path cannot carry"),
        ("\ud83d", "must not hold a lone surrogate, which is not text"),
        (5, "must be a string, is 5 (write it in quotes)"),
        (None, "must be a string, is None"),
        (["a"], "must be a string, is ['a']"),
    ],
)
def test_a_value_that_the_service_would_refuse_is_named(name: str, value: Any, problem: str) -> None:
    """Each limit of the service's model has its own sentence, under the name of the property."""
    values = {**dict.fromkeys(NAMES, "fine"), name: value}

    assert violations(Services(), PERMISSION_GROUP_MEMBERSHIP, values, WORDS) == {name: problem}


@pytest.mark.parametrize("value", ["x", "x" * 26, "🙂" * 26, "a\nb", " a ", "a/b|c%", "...", "\x01"])
def test_a_legal_value_has_no_violation(value: str) -> None:
    """The limits themselves, and every odd character that the model allows, pass."""
    assert violations(Services(), PERMISSION_GROUP_MEMBERSHIP, dict.fromkeys(NAMES, value), WORDS) == {}


def test_a_value_that_is_not_there_yet_is_not_checked() -> None:
    """A preview knows only some values: the others are left alone, all wrong ones are told at once."""
    assert violations(Services(), PERMISSION_GROUP_MEMBERSHIP, {}, WORDS) == {}
    found = violations(Services(), PERMISSION_GROUP_MEMBERSHIP, {"user_id": "", "environment_id": 1}, WORDS)
    assert sorted(found) == ["environment_id", "user_id"]


def test_the_limits_are_those_of_the_service_that_the_kind_names() -> None:
    """A thing of IoT's is checked by IoT's model."""
    found = violations(Services(), THING_GROUP_MEMBERSHIP, {"thing_group_name": "!", "thing_name": "x" * 129}, WORDS)

    assert found["thing_group_name"].startswith("must match the pattern")
    assert found["thing_name"].startswith("must have 1 to 128 characters")
