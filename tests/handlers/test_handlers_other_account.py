"""A stack of another account, whose template names this function: served, but nothing of that stack can be told."""

from __future__ import annotations

import datetime
from typing import Any

import pytest

from aws_associations_lambda import asking
from tests.handlers.stage import ACCOUNT, DISASSOCIATE, GROUP, USER, Stage, shown

THEIRS = "999999999999"
STACK = f"arn:aws:cloudformation:us-east-1:{THEIRS}:stack/memberships/5ba6e5c0-6d1e-11f0-8a3b-0e2c5a1f9d47"


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The services that the function would ask for evidence; none of them answers."""
    names: list[str] = []

    def client(*place: str) -> Any:
        names.append(place[0])
        raise asking.CannotTellError("nobody answers")

    monkeypatch.setattr(asking, "_client", client)
    return names


def causes(stage: Stage) -> set[str]:
    """Why something about the stack could not be told."""
    told = {line["cause"] for line in stage.lines.named("cannot-tell")}
    return {cause for cause in told if cause.startswith(f"the stack is in account {THEIRS}, and ")}


def test_it_is_granted_and_revoked_in_the_functions_account(stage: Stage) -> None:
    """The function may be shared between accounts; what it grants is in its own, and the id says so."""
    answer = stage.create(StackId=STACK)

    assert shown(answer) == ("SUCCESS", stage.id())
    assert f"/{ACCOUNT}/" in stage.id()
    assert stage.members() == {(GROUP, USER)}
    assert shown(stage.delete(stage.id(), StackId=STACK)) == ("SUCCESS", stage.id())
    assert stage.members() == set()
    assert stage.calls()[-2] == DISASSOCIATE


def test_the_stack_is_not_asked_about_and_the_log_says_why(stage: Stage, asked: list[str]) -> None:
    """Asked here, CloudFormation could only speak of this account's stacks: no decision rests on one of them."""
    stage.grant()

    stage.delete(stage.id(), StackId=STACK)

    assert "cloudformation" not in asked
    assert causes(stage) == {
        f"the stack is in account {THEIRS}, and {operation} tells of those in {ACCOUNT} only"
        for operation in ("DescribeStackEvents", "ListStackResources")
    }

    stage.delete(stage.id())
    assert "cloudformation" in asked


def test_what_was_adopted_is_left_to_its_owner(stage: Stage) -> None:
    """Whether the deployment that adopted it completed cannot be told: revoking could take somebody else's grant."""
    stage.grant()

    answer = stage.delete(stage.id(adopted=True), StackId=STACK)

    assert shown(answer) == ("SUCCESS", stage.id(adopted=True))
    assert stage.members() == {(GROUP, USER)}
    assert stage.lines.named("released")
    assert causes(stage)


def test_a_late_create_grants_nothing(stage: Stage) -> None:
    """Nobody can tell whether the stack still waits for it, and after a rollback nobody would revoke it."""
    long_ago = datetime.datetime.now(datetime.UTC) - datetime.timedelta(minutes=30)

    answer = stage.create(StackId=STACK, signed_at=long_ago)

    assert answer.status == "FAILED"
    assert stage.members() == set()
    assert causes(stage)


def test_a_late_delete_that_revokes_nothing_says_what_may_remain(stage: Stage) -> None:
    """It may be a repetition, after which somebody else granted it: it is left, with the line that alarms match."""
    stage.grant()
    long_ago = datetime.datetime.now(datetime.UTC) - datetime.timedelta(minutes=30)

    answer = stage.delete(stage.id(), StackId=STACK, signed_at=long_ago)

    assert answer.status == "SUCCESS"
    assert stage.members() == {(GROUP, USER)}
    assert stage.lines.named("may-remain")
    assert causes(stage)
